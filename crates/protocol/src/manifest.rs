//! The manifest lists every file of one publication. Files are immutable and named by their SHA-256, so that any
//! static file server can carry them and a terminal keeps what has not changed. Of the sealed rows it names a base for
//! each tier and the deltas that lead from there to now; what of it a terminal needs is in [`Manifest::plan`].

mod file;
mod plan;

pub use file::{BadHash, FileEntry, FileHash, FileKind};
pub use plan::{Cursor, PlanError, TierPlan};

use crate::row::Tier;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The manifest's version that this program writes and reads.
pub const VERSION: u16 = 2;
/// No manifest is longer, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;
/// No manifest names more files.
pub const FILES_MAX: usize = 4096;
/// No feed is longer, in bytes of all its files: a terminal's disk holds its journal too. Ten times a city of 270,000
/// people needs half of it.
pub const FEED_BYTES_MAX: u64 = 4 << 30;
const NAME_BYTES_MAX: usize = 255;

/// The bytes are not a manifest that this program may follow.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No JSON of a manifest.
    #[error("not a manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another version.
    #[error("a manifest of version {0}")]
    Version(u16),
    /// More or longer than this program takes.
    #[error("the manifest goes beyond a limit: {0}")]
    Limit(&'static str),
    /// Two files of one kind and name.
    #[error("the manifest names {0} twice")]
    Twice(String),
}

/// The sequences at which the bases of both tiers were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BaseSequences {
    /// Of the tap tier.
    pub tap: u64,
    /// Of the pin tier.
    pub pin: u64,
}

/// When the content of both tiers was last compared with the registry: a row that stayed as it was is as good as one that
/// was sealed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compared {
    /// The tap tier.
    pub tap: Timestamp,
    /// The pin tier.
    pub pin: Timestamp,
}

/// Every file of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its format.
    pub version: u16,
    /// The city pack's id.
    pub city: String,
    /// The feed's sequence; the head's.
    pub sequence: u64,
    /// The epoch of the segments; the head's. Both tiers are of one epoch.
    pub epoch: u32,
    /// Which state the base segments hold.
    pub base: BaseSequences,
    /// Until when its rows are known to be right; nothing in feeds from before rows were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// The files.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// A manifest without files, whose bases are of its own sequence.
    #[must_use]
    pub fn new(city: &str, sequence: u64, epoch: u32) -> Self {
        let base = BaseSequences { tap: sequence, pin: sequence };
        Self { version: VERSION, city: city.to_owned(), sequence, epoch, base, compared: None, files: Vec::new() }
    }

    /// As a file of the feed: JSON.
    ///
    /// # Errors
    /// `ManifestError`, also when it would not be read back.
    pub fn encode(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let bytes = serde_json::to_vec_pretty(self)?;
        if bytes.len() > MANIFEST_BYTES_MAX { Err(ManifestError::Limit("its own length")) } else { Ok(bytes) }
    }

    /// Reads the file. Its hash must have been compared with the head's first.
    ///
    /// # Errors
    /// `ManifestError`.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Versioned {
            #[serde(default)]
            version: u16,
        }
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::Limit("its own length"));
        }
        let Versioned { version } = serde_json::from_slice(bytes)?;
        if version != VERSION {
            return Err(ManifestError::Version(version));
        }
        let manifest: Self = serde_json::from_slice(bytes)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.files.len() > FILES_MAX {
            return Err(ManifestError::Limit("the number of files"));
        }
        let (mut named, mut bytes) = (HashSet::new(), 0_u64);
        for file in self.files.iter().filter(|file| file.kind != FileKind::Unknown) {
            if file.name.len() > NAME_BYTES_MAX {
                return Err(ManifestError::Limit("the length of a name"));
            }
            if file.bytes > file.kind.bytes_max() {
                return Err(ManifestError::Limit("the length of a file"));
            }
            bytes = bytes.saturating_add(file.bytes);
            if bytes > FEED_BYTES_MAX {
                return Err(ManifestError::Limit("the length of all files"));
            }
            if !named.insert((file.kind, &file.name)) {
                return Err(ManifestError::Twice(file.name.clone()));
            }
        }
        Ok(())
    }

    /// The files of one kind.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    /// Until when a tier's rows are known to be right, whenever each of them was sealed; the beginning of time when the
    /// feed does not say.
    #[must_use]
    pub fn compared(&self, tier: Tier) -> Timestamp {
        let compared = self.compared.unwrap_or_default();
        match tier {
            Tier::Tap => compared.tap,
            Tier::Pin => compared.pin,
        }
    }

    /// The sequence at which a tier's base was taken.
    #[must_use]
    pub fn base_sequence(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Tap => self.base.tap,
            Tier::Pin => self.base.pin,
        }
    }
}

#[cfg(test)]
mod tests;
