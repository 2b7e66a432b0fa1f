//! Central behind `protocol::Central`, and what the web needs beyond it. SQLite blocks, so every call runs on the
//! blocking pool; one connection serves them all in turn.

use crate::card_keys::{KeyDesk, Tickets};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::{DataFolder, Database, cards, clock, codes, offices, pack, uploads};
use domain::TerminalId;
use domain::city_pack::CityPack;
use protocol::{Central, FileHash, Problem, ProblemCode, Receipt, SignedCodeBatch, SignedHead, Upload};
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use zeroize::Zeroizing;

/// A city's server over its data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CityServer {
    data: DataFolder,
    keys: Arc<KeyFile>,
    database: Arc<Mutex<Database>>,
    city: Arc<CityPack>,
    tickets: Tickets,
}

impl CityServer {
    /// Opens a seeded data folder.
    ///
    /// # Errors
    /// `CentralError` when it is not one.
    pub fn open(data: DataFolder) -> Result<Self, CentralError> {
        let keys = Arc::new(KeyFile::load(&data.keys())?);
        let database = Database::open(&data.database())?;
        let (city, _) = pack::load(database.read())?;
        let (database, city) = (Arc::new(Mutex::new(database)), Arc::new(city));
        Ok(Self { data, keys, database, city, tickets: Tickets::default() })
    }

    /// The city pack.
    #[must_use]
    pub fn city(&self) -> &CityPack {
        &self.city
    }

    /// Runs work on the database, off the async threads.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn with_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database, &KeyFile) -> Result<T, CentralError> + Send + 'static,
    ) -> Result<T, CentralError> {
        let (database, keys) = (Arc::clone(&self.database), Arc::clone(&self.keys));
        let run = move || {
            // Each piece of work is one transaction: a panic in it has rolled back, and the connection is sound.
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut database, &keys)
        };
        let joined = tokio::task::spawn_blocking(run).await;
        joined.map_err(|error| CentralError::NotReady(error.to_string()))?
    }

    /// Which terminal an access token belongs to.
    ///
    /// # Errors
    /// `Unauthorised` for a token that is nobody's.
    pub async fn terminal_of(&self, token: [u8; 32]) -> Result<TerminalId, CentralError> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        self.with_database(move |database, _| {
            let found = database
                .read()
                .query_row("SELECT id FROM terminal WHERE token_sha256 = ?1", params![hash], |row| row.get(0))
                .optional()?;
            found
                .map(TerminalId)
                .ok_or_else(|| Problem::new(ProblemCode::Unauthorised, "no terminal has this token").into())
        })
        .await
    }

    /// Takes an upload's bytes from an authenticated terminal.
    ///
    /// # Errors
    /// As `uploads::take`.
    pub async fn take(&self, terminal: TerminalId, bytes: Vec<u8>) -> Result<Receipt, CentralError> {
        self.with_database(move |database, keys| uploads::take(database, keys, terminal, &bytes, clock::now())).await
    }

    /// Runs one request about keys of an authenticated terminal.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn with_keys<T: Send + 'static>(
        &self,
        terminal: TerminalId,
        work: impl FnOnce(&mut KeyDesk<'_>) -> Result<T, CentralError> + Send + 'static,
    ) -> Result<T, CentralError> {
        let (city, tickets) = (Arc::clone(&self.city), self.tickets.clone());
        self.with_database(move |database, keys| {
            let (now, at) = (clock::now(), Instant::now());
            work(&mut KeyDesk { database, keys, city: &city, tickets: &tickets, terminal, now, at })
        })
        .await
    }

    /// Takes a card's registration from the office with this token.
    ///
    /// # Errors
    /// `Unauthorised` for a token that is no office's; else as `cards::register`.
    pub async fn register(&self, token: [u8; 32], bytes: Zeroizing<Vec<u8>>) -> Result<Receipt, CentralError> {
        self.with_database(move |database, keys| {
            let office = offices::of_token(database.read(), &token)?;
            cards::register(database, keys, office, &bytes, clock::now())
        })
        .await
    }

    async fn feed_file(&self, path: std::path::PathBuf) -> Result<Vec<u8>, Problem> {
        match tokio::fs::read(&path).await {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Problem::new(ProblemCode::NotFound, "not in the feed"))
            }
            Err(error) => Err(CentralError::file(&path, error).into()),
        }
    }

    /// The head as published.
    ///
    /// # Errors
    /// `NotFound` before the first publication.
    pub async fn head_bytes(&self) -> Result<Vec<u8>, Problem> {
        self.feed_file(self.data.feed().join("head.json")).await
    }
}

impl Central for CityServer {
    async fn head(&self) -> Result<SignedHead, Problem> {
        let bytes = self.head_bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))
    }

    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        self.feed_file(self.data.feed().join("files").join(sha256.to_string())).await
    }

    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        let bytes = upload.encode().map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
        Ok(self.take(upload.terminal(), bytes).await?)
    }

    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        let allocate = move |database: &mut Database, keys: &KeyFile| {
            codes::allocate(database, keys, terminal, count, clock::now())
        };
        Ok(self.with_database(allocate).await?)
    }
}
