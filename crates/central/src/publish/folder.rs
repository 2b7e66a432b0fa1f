//! The feed's folder: files under their hash, written whole or not at all, and taken away once no terminal can still be
//! loading them.

use crate::db::{Connection, Transaction, Value, params};
use crate::error::CentralError;
use domain::Timestamp;
use protocol::{FileEntry, FileHash, Manifest};
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// For how long a file stays that no manifest names any more: a terminal on a bad line may still be loading it.
pub(super) const KEPT_MS: i64 = 7 * 86_400_000;
/// Files named by one statement.
const ROWS: usize = 64;

/// Where the feed is laid out.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn make(feed: &Path) -> Result<Self, CentralError> {
        let files = feed.join("files");
        std::fs::create_dir_all(&files).map_err(|error| CentralError::file(&files, error))?;
        Ok(Self { path: feed.to_owned() })
    }

    fn of(&self, sha256: FileHash) -> PathBuf {
        self.path.join("files").join(sha256.to_string())
    }

    /// Writes a file under its hash, unless it is there already.
    pub(super) fn put(&self, entry: &FileEntry, bytes: &[u8]) -> Result<(), CentralError> {
        self.put_hash(entry.sha256, bytes).map(drop)
    }

    /// The same; whether it had to be written.
    pub(super) fn put_hash(&self, sha256: FileHash, bytes: &[u8]) -> Result<bool, CentralError> {
        let path = self.of(sha256);
        if std::fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(false);
        }
        write_durably(&path, bytes).map(|()| true)
    }

    /// Reads a file and compares its hash.
    pub(super) fn read(&self, entry: &FileEntry) -> Result<Vec<u8>, CentralError> {
        self.read_hash(entry.sha256)
    }

    /// The same, of a file whose length nobody has told.
    pub(super) fn read_hash(&self, sha256: FileHash) -> Result<Vec<u8>, CentralError> {
        let path = self.of(sha256);
        let bytes = std::fs::read(&path).map_err(|error| CentralError::file(&path, error))?;
        let damaged = || CentralError::content(&path, "damaged: not what its name says");
        (FileHash::of(&bytes) == sha256).then_some(bytes).ok_or_else(damaged)
    }

    /// Every file that lies there.
    pub(super) fn paths(&self) -> Result<Vec<PathBuf>, CentralError> {
        let folder = self.path.join("files");
        let listed = || -> std::io::Result<Vec<PathBuf>> {
            std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect()
        };
        listed().map_err(|error| CentralError::file(&folder, error))
    }

    /// Whether all these files are there in full length.
    pub(super) fn has<'e>(&self, mut entries: impl Iterator<Item = &'e FileEntry>) -> bool {
        entries.all(|entry| std::fs::metadata(self.of(entry.sha256)).is_ok_and(|found| found.len() == entry.bytes))
    }

    /// Replaces the head, in one step.
    pub(super) fn put_head(&self, json: &[u8]) -> Result<(), CentralError> {
        write_durably(&self.path.join("head.json"), json)
    }

    /// Takes away what no manifest has named for `KEPT_MS`, and what a publication that was killed has left.
    pub(super) fn sweep(&self, connection: &Connection, now: Timestamp) -> Result<usize, CentralError> {
        let oldest = now.plus_ms(-KEPT_MS);
        let known: HashSet<String> = names(connection, "named >= ?1", oldest)?;
        let gone: HashSet<String> = names(connection, "named < ?1", oldest)?;
        let mut removed = 0;
        for path in self.paths()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !known.contains(name) && (gone.contains(name) || is_older(&path)) {
                std::fs::remove_file(&path).map_err(|error| CentralError::file(&path, error))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// By the file's own time: what the table does not know was left by a publication that was killed, or is being written
/// this moment.
fn is_older(path: &Path) -> bool {
    let kept = Duration::from_millis(u64::try_from(KEPT_MS).unwrap_or(u64::MAX));
    let written = std::fs::metadata(path).and_then(|found| found.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > kept))
}

fn names(connection: &Connection, which: &str, oldest: Timestamp) -> Result<HashSet<String>, CentralError> {
    let sql = format!("SELECT sha256 FROM feed_file WHERE {which}");
    let rows = connection.query(&sql, params![oldest.0], |row| Ok(FileHash(row.get(0)?).to_string()))?;
    Ok(rows.into_iter().collect())
}

/// Notes that this publication names these files, and forgets what is long gone.
pub(super) fn note_named(
    transaction: &Transaction<'_>,
    manifest: &Manifest,
    own: FileHash,
    now: Timestamp,
) -> Result<(), CentralError> {
    let mut hashes: Vec<FileHash> = manifest.files.iter().map(|file| file.sha256).chain([own]).collect();
    hashes.sort_unstable();
    hashes.dedup();
    for part in hashes.chunks(ROWS) {
        let rows: Vec<String> = (0..part.len()).map(|at| format!("(?{}, ?1)", at + 2)).collect();
        let sql = format!(
            "INSERT INTO feed_file (sha256, named) VALUES {} ON CONFLICT (sha256) DO UPDATE SET named = excluded.named",
            rows.join(", ")
        );
        let values: Vec<Value<'_>> =
            [Value::Int(now.0)].into_iter().chain(part.iter().map(|hash| Value::Blob(&hash.0))).collect();
        transaction.execute(&sql, &values)?;
    }
    // Twice as long: the sweep has to see a file's line after its time is over.
    transaction.execute("DELETE FROM feed_file WHERE named < ?1", params![now.plus_ms(-2 * KEPT_MS).0])?;
    Ok(())
}

/// Writes a file whole or not at all, and syncs it and its folder.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    let temporary = path.with_extension("part");
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        let folder = path.parent().map_or_else(|| Ok(None), |folder| std::fs::File::open(folder).map(Some))?;
        folder.map_or(Ok(()), |folder| folder.sync_all())
    };
    write().map_err(|error| CentralError::file(path, error))
}
