//! One file of the feed: its hash, which is its name, its kind, and what a terminal takes of that kind.

use crate::row::Tier;
use crate::segment::{PARTS, SEGMENT_BYTES_MAX, Steps};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A segment of the tap tier's base (`Segment`), named `tap/00` to `tap/3f`.
    TapSegment,
    /// A segment of the pin tier's base, named `pin/00` to `pin/3f`.
    PinSegment,
    /// What changed in the tap tier (`Segment`).
    TapDelta,
    /// What changed in the pin tier.
    PinDelta,
    /// The zstd dictionary that the rows of this publication are compressed with.
    Dictionary,
    /// The city pack (TOML of `domain::city_pack::CityPack`): services, tariffs, limits, policies.
    CityPack,
    /// A file beside the city pack (words, emblem), at the relative path that `name` gives.
    CityFile,
    /// The complete list of revoked cards (`Revocations`).
    Revocations,
    /// One sealed parcel for each live terminal.
    TerminalParcels,
    /// Of a newer central: kept or ignored, never an error.
    #[serde(other)]
    Unknown,
}

impl FileKind {
    /// The base segments of a tier.
    #[must_use]
    pub fn base(tier: Tier) -> Self {
        match tier {
            Tier::Tap => Self::TapSegment,
            Tier::Pin => Self::PinSegment,
        }
    }

    /// The deltas of a tier.
    #[must_use]
    pub fn delta(tier: Tier) -> Self {
        match tier {
            Tier::Tap => Self::TapDelta,
            Tier::Pin => Self::PinDelta,
        }
    }

    /// The tier of a base segment or delta.
    #[must_use]
    pub fn tier(self) -> Option<Tier> {
        match self {
            Self::TapSegment | Self::TapDelta => Some(Tier::Tap),
            Self::PinSegment | Self::PinDelta => Some(Tier::Pin),
            _ => None,
        }
    }

    /// The longest file of this kind that a terminal takes, in bytes.
    #[must_use]
    pub fn bytes_max(self) -> u64 {
        const SEGMENT: u64 = SEGMENT_BYTES_MAX as u64;
        match self {
            Self::TapSegment | Self::PinSegment | Self::TapDelta | Self::PinDelta => SEGMENT,
            Self::Dictionary | Self::CityPack => 1 << 20,
            Self::CityFile => 8 << 20,
            Self::Revocations | Self::TerminalParcels => 32 << 20,
            Self::Unknown => u64::MAX,
        }
    }
}

/// The name of a base segment.
fn segment_name(tier: Tier, part: u8) -> String {
    match tier {
        Tier::Tap => format!("tap/{part:02x}"),
        Tier::Pin => format!("pin/{part:02x}"),
    }
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
    /// What a delta covers; nothing for any other kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Steps>,
}

impl FileEntry {
    /// The entry of these bytes.
    #[must_use]
    pub fn of(kind: FileKind, name: &str, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { kind, name: name.to_owned(), sha256: FileHash::of(bytes), bytes: length, steps: None }
    }

    /// The entry of a base segment.
    #[must_use]
    pub fn of_base(tier: Tier, part: u8, bytes: &[u8]) -> Self {
        Self::of(FileKind::base(tier), &segment_name(tier, part), bytes)
    }

    /// The entry of a delta; it is named by its steps.
    #[must_use]
    pub fn of_delta(tier: Tier, steps: Steps, bytes: &[u8]) -> Self {
        let name = format!("{}-{}", steps.from, steps.to);
        Self { steps: Some(steps), ..Self::of(FileKind::delta(tier), &name, bytes) }
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

    /// Which part of the base it is, by its name.
    #[must_use]
    pub fn part(&self) -> Option<u8> {
        let part = u8::from_str_radix(self.name.get(4..)?, 16).ok().filter(|part| *part < PARTS)?;
        let tier = self.kind.tier()?;
        (self.steps.is_none() && self.name == segment_name(tier, part)).then_some(part)
    }
}
