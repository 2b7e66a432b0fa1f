//! The city's server, small and dull: it keeps the registry of holders, cards and terminals, publishes the sealed and
//! signed feed, hands out verification codes, takes uploads, keeps the ledger and the archive of issued documents,
//! decides claims by what cards and statements say, reconciles, and shows it all on plain pages. It holds the cards'
//! keys and uses them for terminals that have a card in hand. It leaves sealing, signing and the wire to `protocol`, the
//! meaning of an entry to `ledger`, and knows nothing of sessions, readers or screens.

pub mod accounts;
pub mod audit;
pub mod backup;
pub mod balance;
pub mod bookings_import;
pub mod books;
pub mod ca;
pub mod ca_store;
pub mod card_desk;
pub mod card_keys;
pub mod cards;
pub mod claims;
pub mod clock;
pub mod codes;
pub mod config;
pub mod database;
pub mod db;
pub mod enrol;
pub mod epochs;
pub mod error;
pub mod fleet;
pub mod founding;
pub mod holders_import;
pub mod import;
mod intake;
pub mod journal;
pub mod key_file;
pub mod limits;
mod live_keys;
pub mod metrics;
pub mod numbers;
pub mod offices;
pub mod pack;
pub mod parcels;
pub mod pins;
mod pool;
pub mod publish;
pub mod quarantine;
mod ready;
pub mod reconcile;
pub mod refusal;
pub mod registry;
pub mod report;
pub mod restore;
pub mod retention;
pub mod seed;
pub mod seen;
pub mod server;
pub mod settings;
pub mod statements;
pub mod store_key;
pub mod technicians;
pub mod tls;
pub mod uploads;
pub mod view;
mod web;

pub use ca::Authority;
pub use database::Database;
pub use error::CentralError;
pub use key_file::KeyFile;
pub use server::CityServer;
pub use tls::TlsSettings;
pub use web::{Running, api_description, serve, serve_metrics, serve_tls};

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where central keeps everything: one folder, readable by its own user only.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    database: db::Address,
    connections: usize,
    office: config::Office,
    limits: limits::LimitSettings,
    fleet: fleet::FleetSettings,
    retention: retention::RetentionSettings,
}

impl DataFolder {
    /// The folder at this path; made, for its owner only, when it is missing. Its `central.toml` says where the
    /// database is.
    ///
    /// # Errors
    /// `CentralError::File` when it cannot be made, `Content` for a mistake in `central.toml`.
    pub fn new(path: &Path) -> Result<Self, CentralError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| CentralError::file(path, error))?;
        let config = config::Config::load(path)?;
        let (database, connections) = match config.database {
            // SQLite has one writer, and its readers are quick.
            None => (db::Address::File(path.join("central.db")), 1),
            Some(ref server) => {
                (db::Address::Server(Box::new(server.clone())), usize::try_from(config.connections).unwrap_or(1))
            }
        };
        let config::Config { office, limits, fleet, retention, .. } = config;
        Ok(Self { path: path.to_owned(), database, connections, office, limits, fleet, retention })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How often who may ask.
    #[must_use]
    pub fn limits(&self) -> &limits::LimitSettings {
        &self.limits
    }

    /// When somebody should look at a terminal.
    #[must_use]
    pub fn fleet(&self) -> fleet::FleetSettings {
        self.fleet
    }

    /// What is kept for how long.
    #[must_use]
    pub fn retention(&self) -> &retention::RetentionSettings {
        &self.retention
    }

    /// Where the database is: `central.db` in this folder, or a server.
    #[must_use]
    pub fn database(&self) -> &db::Address {
        &self.database
    }

    /// How many connections to it a server keeps.
    pub(crate) fn connections(&self) -> usize {
        self.connections
    }

    /// Where the office's pages are.
    #[must_use]
    pub fn office(&self) -> config::Office {
        self.office
    }

    /// Lets everybody on this machine look at the office's pages, as long as there is no account: for an invented city.
    /// Settings that are there stay as they are.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub fn open_for_demonstration(&self) -> Result<(), CentralError> {
        let path = self.path.join(config::FILE);
        if path.exists() {
            return Ok(());
        }
        std::fs::write(&path, "office = \"open-on-loopback\"\n").map_err(|error| CentralError::file(&path, error))
    }

    /// The city's keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys.json")
    }

    /// The city's certificate authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.path.join("authority.json")
    }

    /// The published feed: `head.json` and `files/<sha256>`; any static file server may serve it.
    #[must_use]
    pub fn feed(&self) -> PathBuf {
        self.path.join("feed")
    }

    /// The invented cards with their PINs, for a testbed.
    #[must_use]
    pub fn demo_cards(&self) -> PathBuf {
        self.path.join("demo-cards.json")
    }
}
