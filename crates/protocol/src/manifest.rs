//! The manifest lists every file of one publication. Files are immutable and named by their SHA-256, so that any
//! static file server can carry them and a terminal keeps what has not changed.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a file of the feed, and thereby its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHash(pub [u8; 32]);

/// Not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in hexadecimal")]
pub struct BadHash;

impl FileHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHash({self})")
    }
}

impl FromStr for FileHash {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| BadHash)?;
        bytes.try_into().map(Self).map_err(|_| BadHash)
    }
}

impl Serialize for FileHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a file of the feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A segment of the tap tier (`Segment`).
    TapSegment,
    /// A segment of the pin tier (`Segment`).
    PinSegment,
    /// The zstd dictionary that the rows of this publication are compressed with.
    Dictionary,
    /// The city pack (TOML of `domain::city_pack::CityPack`): services, tariffs, limits, policies.
    CityPack,
    /// A file beside the city pack (words, emblem), at the relative path that `name` gives.
    CityFile,
    /// The complete list of revoked cards (`Revocations`).
    Revocations,
    /// Of a newer central: kept or ignored, never an error.
    #[serde(other)]
    Unknown,
}

/// One file of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What it is.
    pub kind: FileKind,
    /// Its name for people, and the path of a city file.
    pub name: String,
    /// Its hash, under which it is fetched.
    pub sha256: FileHash,
    /// Its length.
    pub bytes: u64,
}

impl FileEntry {
    /// The entry of these bytes.
    #[must_use]
    pub fn of(kind: FileKind, name: &str, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { kind, name: name.to_owned(), sha256: FileHash::of(bytes), bytes: length }
    }

    /// Whether these bytes are this file. A wrong one is discarded alone.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        u64::try_from(bytes.len()) == Ok(self.bytes) && FileHash::of(bytes) == self.sha256
    }

    /// Whether the name may be joined to a folder: relative, and never upwards.
    #[must_use]
    pub fn has_safe_name(&self) -> bool {
        !self.name.is_empty()
            && !self.name.contains(['\\', '\0'])
            && self.name.split('/').all(|part| !matches!(part, "" | "." | ".."))
    }
}

/// The bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
#[error("not a manifest: {0}")]
pub struct ManifestError(#[from] serde_json::Error);

/// Every file of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The city pack's id.
    pub city: String,
    /// The feed's sequence; the head's.
    pub sequence: u64,
    /// The epoch of the segments; the head's. Both tiers are of one epoch.
    pub epoch: u32,
    /// The files.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// As a file of the feed: JSON.
    ///
    /// # Errors
    /// `ManifestError`, which these types do not meet.
    pub fn encode(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Reads the file. Its hash must have been compared with the head's first.
    ///
    /// # Errors
    /// `ManifestError`.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The files of one kind.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(move |file| file.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_survives_its_file_and_tolerates_kinds_of_a_newer_central() {
        let manifest = Manifest {
            city: "bahia".into(),
            sequence: 4,
            epoch: 2,
            files: vec![FileEntry::of(FileKind::Dictionary, "records.dict", b"abc")],
        };
        let bytes = manifest.encode().unwrap();
        assert_eq!(Manifest::decode(&bytes).unwrap(), manifest);
        let newer = String::from_utf8(bytes).unwrap().replace("dictionary", "moon-phases");
        assert_eq!(Manifest::decode(newer.as_bytes()).unwrap().files[0].kind, FileKind::Unknown);
    }

    #[test]
    fn a_file_is_recognised_by_length_and_hash() {
        let entry = FileEntry::of(FileKind::CityPack, "city.toml", b"abc");
        assert_eq!(entry.sha256.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(entry.is(b"abc") && !entry.is(b"abd") && !entry.is(b"abcd"));
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_unsafe() {
        let check = |name: &str, safe| {
            assert_eq!(FileEntry::of(FileKind::CityFile, name, b"").has_safe_name(), safe, "{name}");
        };
        check("locales/es.ftl", true);
        for name in ["", "/etc/passwd", "../up", "a/../b", "a//b", "a\\b"] {
            check(name, false);
        }
    }
}
