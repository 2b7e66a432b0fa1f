//! The cache's reader: read-only, and still at the feed it last looked at while the writer loads the next one.

use super::{HeldHead, read_head};
use crate::StoreError;
use protocol::{FileHash, RecordId, Tier};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fmt;
use std::path::Path;

/// A read-only view of one feed, for the thread that answers taps.
pub struct CacheReader {
    connection: Connection,
}

impl fmt::Debug for CacheReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheReader")
    }
}

impl CacheReader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(StoreError::Cache)?;
        let reader = Self { connection };
        reader.begin().map_err(StoreError::Cache)?;
        Ok(reader)
    }

    /// Looks at the newest feed from now on. Call it once the journal's floor is raised, and between visits: a visit
    /// keeps one feed.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn refresh(&mut self) -> Result<(), StoreError> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(StoreError::Cache)?;
        }
        self.begin().map_err(StoreError::Cache)
    }

    /// The snapshot is taken by the first read, so one is made at once.
    fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN")?;
        self.connection.query_row("SELECT count(*) FROM head", [], |_| Ok(()))
    }

    /// The head of this feed.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn head(&self) -> Result<Option<HeldHead>, StoreError> {
        read_head(&self.connection).map_err(StoreError::Cache)
    }

    /// One sealed row, id included, as `protocol::Row` takes it.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn row(&self, tier: Tier, id: &RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = match tier {
            Tier::Tap => "SELECT row FROM tap_row WHERE id = ?1",
            Tier::Pin => "SELECT row FROM pin_row WHERE id = ?1",
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::Cache)?;
        statement.query_row([id.0], |row| row.get(0)).optional().map_err(StoreError::Cache)
    }

    /// How many rows of a tier this feed holds.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn count(&self, tier: Tier) -> Result<u64, StoreError> {
        let sql = match tier {
            Tier::Tap => "SELECT count(*) FROM tap_row",
            Tier::Pin => "SELECT count(*) FROM pin_row",
        };
        self.connection.query_row(sql, [], |row| crate::journal::unsigned(0, row.get(0)?)).map_err(StoreError::Cache)
    }

    /// The bytes of a public file of this feed by the hash its manifest gives. They are hashed again here: a changed
    /// row counts as no file at all.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn file(&self, sha256: FileHash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM file WHERE sha256 = ?1 AND bytes IS NOT NULL";
        let bytes: Option<Vec<u8>> =
            self.connection.query_row(sql, [sha256.0], |row| row.get(0)).optional().map_err(StoreError::Cache)?;
        Ok(bytes.filter(|bytes| FileHash::of(bytes) == sha256))
    }
}
