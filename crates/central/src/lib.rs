//! The city's server, small and dull: it keeps the registry of holders, cards and terminals, publishes the sealed and
//! signed feed, hands out verification codes, takes uploads, keeps the ledger and the archive of issued documents,
//! decides claims by what cards and statements say, reconciles, and shows it all on plain pages. It holds the cards'
//! keys and uses them for terminals that have a card in hand. It leaves sealing, signing and the wire to `protocol`, the
//! meaning of an entry to `ledger`, and knows nothing of sessions, readers or screens.

pub mod books;
pub mod card_keys;
pub mod cards;
pub mod claims;
pub mod clock;
pub mod codes;
pub mod database;
pub mod enrol;
pub mod error;
pub mod import;
pub mod journal;
pub mod key_file;
pub mod offices;
pub mod pack;
pub mod publish;
pub mod reconcile;
pub mod registry;
pub mod report;
pub mod seed;
pub mod seen;
pub mod server;
pub mod settings;
pub mod statements;
pub mod store_key;
pub mod technicians;
pub mod uploads;
pub mod view;
mod web;

pub use database::Database;
pub use error::CentralError;
pub use key_file::KeyFile;
pub use server::CityServer;
pub use web::{Running, serve};

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where central keeps everything: one folder, readable by its own user only.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at this path; made, for its owner only, when it is missing.
    ///
    /// # Errors
    /// `CentralError::File` when it cannot be made.
    pub fn new(path: &Path) -> Result<Self, CentralError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| CentralError::file(path, error))?;
        Ok(Self(path.to_owned()))
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("central.db")
    }

    /// The city's keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys.json")
    }

    /// The published feed: `head.json` and `files/<sha256>`; any static file server may serve it.
    #[must_use]
    pub fn feed(&self) -> PathBuf {
        self.0.join("feed")
    }

    /// The invented cards with their PINs, for a testbed.
    #[must_use]
    pub fn demo_cards(&self) -> PathBuf {
        self.0.join("demo-cards.json")
    }
}
