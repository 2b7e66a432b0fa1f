//! The cache: what came with the feed. One writer, and readers that each see one feed whole until they are told to
//! look again, so that a tap waits for no download and never finds two tiers of two feeds. The base of the sealed rows
//! is the checked segment files themselves, in a folder beside the database; the database says which of them count,
//! and holds what changed since, the public files and the head. So a feed is switched to in one commit, whatever its
//! size, and a segment that was fetched is never written twice.

mod apply;
mod fences;
mod reader;
mod segments;
mod stage;

pub use reader::CacheReader;
pub use stage::Staging;

use crate::StoreError;
use crate::error::CACHE_UNREADABLE;
use crate::schema::prepare_cache;
use domain::{FailureCode, Timestamp};
use protocol::SignedHead;
use rusqlite::{Connection, OptionalExtension};
use segments::Segments;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The head the cache serves. Nothing here is trusted: whoever uses it verifies the notes, and the files by the
/// manifest's hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldHead {
    /// Both notes, as fetched.
    pub signed: SignedHead,
    /// The manifest file's bytes.
    pub manifest: Vec<u8>,
    /// When this feed was loaded, by this terminal's clock.
    pub loaded: Timestamp,
}

/// An open cache, and whether it had to be built again.
#[derive(Debug)]
pub struct CacheOpened {
    /// The cache.
    pub cache: Cache,
    /// Why the former cache was dropped. The feed has to be fetched again.
    pub dropped: Option<String>,
}

impl CacheOpened {
    /// The failure a technician is told of.
    #[must_use]
    pub fn failure(&self) -> Option<FailureCode> {
        self.dropped.is_some().then_some(CACHE_UNREADABLE)
    }
}

/// The cache's writer.
pub struct Cache {
    connection: Connection,
    path: PathBuf,
    segments: Segments,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("path", &self.path).finish()
    }
}

impl Cache {
    /// Opens the cache; drops one that cannot be read, or is of another version, and begins an empty one.
    ///
    /// # Errors
    /// `Cache` or `File` when even an empty one cannot be made.
    pub fn open(path: &Path) -> Result<CacheOpened, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::File { path: folder.to_owned(), source })?;
        }
        let reason = match Self::try_open(path) {
            Ok(Some(cache)) => return Ok(CacheOpened { cache, dropped: None }),
            Ok(None) => "of another version".to_owned(),
            Err(error) if error.is_cache_damaged() => error.to_string(),
            Err(error) => return Err(error),
        };
        let cache = Self::begin_again(path, &reason)?;
        Ok(CacheOpened { cache, dropped: Some(reason) })
    }

    /// Drops everything and begins an empty cache at the same place, when it is damaged. Readers have to be opened
    /// anew. Segment files stay for the next download, which hashes them again before it goes without fetching them.
    ///
    /// # Errors
    /// `Cache` or `File` when an empty one cannot be made; then this one holds nothing.
    pub fn rebuild(&mut self) -> Result<(), StoreError> {
        // The damaged file is let go of before it is removed.
        self.connection = Connection::open_in_memory().map_err(StoreError::Cache)?;
        *self = Self::begin_again(&self.path, "given up")?;
        Ok(())
    }

    fn begin_again(path: &Path, reason: &str) -> Result<Self, StoreError> {
        tracing::error!(path = %path.display(), reason, "the cache is dropped and built again");
        remove(path)?;
        let cache = Self::try_open(path)?;
        cache.ok_or_else(|| StoreError::Feed("a new cache of another version".into()))
    }

    fn try_open(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(connection) = connect(path).map_err(StoreError::Cache)? else { return Ok(None) };
        read_head(&connection).map_err(StoreError::Cache)?;
        let segments = Segments::beside(path);
        segments.check_base(&connection)?;
        Ok(Some(Self { connection, path: path.to_owned(), segments }))
    }

    /// A reader of its own, for another thread. It sees the feed that is held now.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn reader(&self) -> Result<CacheReader, StoreError> {
        CacheReader::open(&self.path)
    }

    /// The head that is held, if a feed was ever loaded.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn head(&self) -> Result<Option<HeldHead>, StoreError> {
        read_head(&self.connection).map_err(StoreError::Cache)
    }

    /// Moves a loaded feed from the log into the database and removes segments that no longer count, once the readers
    /// have looked again. A reader that has not keeps its files open until it does.
    ///
    /// # Errors
    /// `Cache` when the log cannot be moved into the file.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        let held = segments::held(&self.connection).map_err(StoreError::Cache)?;
        self.segments.sweep(&held);
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection.query_row(sql, [], |_| Ok(())).map_err(StoreError::Cache)
    }
}

/// The database at this place; `None` when it is of another version.
fn connect(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let mut connection = Connection::open(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    // Durable before the journal's floor is raised: else a power cut could leave a floor above every feed held.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The log is folded in by `tidy`, after a feed is served: a commit waits for its own pages alone. Should nobody
    // tidy, it is folded in at 64 MB.
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(prepare_cache(&mut connection)?.then_some(connection))
}

fn read_head(connection: &Connection) -> rusqlite::Result<Option<HeldHead>> {
    let sql = "SELECT keys_note, head_note, manifest, loaded_ms FROM head";
    let read = |row: &rusqlite::Row<'_>| {
        let signed = SignedHead { keys: row.get(0)?, head: row.get(1)? };
        Ok(HeldHead { signed, manifest: row.get(2)?, loaded: Timestamp(row.get(3)?) })
    };
    connection.query_row(sql, [], read).optional()
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(path);
        name.push(suffix);
        let file = PathBuf::from(name);
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StoreError::File { path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
