//! Loading a feed: files are staged one by one as they arrive, then put in place of the former feed in one commit
//! together with the head.

use super::{Cache, HeldHead};
use crate::StoreError;
use protocol::{FileEntry, FileHash, FileKind, Manifest, Segment, Tier};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::collections::HashMap;

/// What is still to be fetched for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// Files neither held nor staged.
    pub missing: Vec<FileEntry>,
    /// Files held from the former feed or staged before.
    pub have: usize,
}

/// The rows of a kind, if it is a segment.
fn tier_of(kind: FileKind) -> Option<Tier> {
    match kind {
        FileKind::TapSegment => Some(Tier::Tap),
        FileKind::PinSegment => Some(Tier::Pin),
        _ => None,
    }
}

/// The kind's name in the table; `None` for what this program does not know and leaves out.
fn kind_name(kind: FileKind) -> Option<&'static str> {
    Some(match kind {
        FileKind::TapSegment => "tap-segment",
        FileKind::PinSegment => "pin-segment",
        FileKind::Dictionary => "dictionary",
        FileKind::CityPack => "city-pack",
        FileKind::CityFile => "city-file",
        FileKind::Revocations => "revocations",
        FileKind::Unknown => return None,
    })
}

/// The former feed's files by kind and name: position and hash.
type Held = HashMap<(String, String), (i64, FileHash)>;

impl Cache {
    /// What is missing for a feed. Kinds this program does not know are left out.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn staging(&self, manifest: &Manifest) -> Result<Staging, StoreError> {
        let held = held_files(&self.connection).map_err(StoreError::Cache)?;
        let mut staging = Staging { missing: Vec::new(), have: 0 };
        for entry in &manifest.files {
            let Some(kind) = kind_name(entry.kind) else { continue };
            let same = held.get(&(kind.to_owned(), entry.name.clone())).is_some_and(|(_, hash)| *hash == entry.sha256);
            if same || self.is_staged(entry.sha256)? {
                staging.have += 1;
            } else {
                staging.missing.push(entry.clone());
            }
        }
        Ok(staging)
    }

    fn is_staged(&self, sha256: FileHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM staged WHERE sha256 = ?1";
        let found = self.connection.query_row(sql, [sha256.0], |_| Ok(())).optional();
        Ok(found.map_err(StoreError::Cache)?.is_some())
    }

    /// Keeps one fetched file until the feed is complete.
    ///
    /// # Errors
    /// `Feed` when the bytes are not that file, or it is no whole segment of its tier: that file alone is discarded.
    /// `Cache` when it cannot be written.
    pub fn stage(&mut self, entry: &FileEntry, bytes: &[u8]) -> Result<(), StoreError> {
        if !entry.is(bytes) {
            return Err(StoreError::Feed(format!("{} is not the file of its hash", entry.name)));
        }
        if let Some(tier) = tier_of(entry.kind) {
            segment_of(entry, tier, bytes)?;
        }
        self.connection
            .execute(
                "INSERT INTO staged (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (entry.sha256.0, bytes),
            )
            .map_err(StoreError::Cache)?;
        Ok(())
    }

    /// Puts a complete feed in place of the former one in one durable commit: rows, files, head. Readers see it when
    /// they look again, which they may only once the journal's floor is raised to it.
    ///
    /// # Errors
    /// `Feed` when a file is missing or does not fit, `Cache` when it cannot be written; the former feed stays.
    pub fn apply(&mut self, head: &HeldHead, manifest: &Manifest) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::Cache)?;
        replace_files(&transaction, manifest)?;
        replace_head(&transaction, head).map_err(StoreError::Cache)?;
        transaction.commit().map_err(StoreError::Cache)
    }
}

fn held_files(connection: &Connection) -> rusqlite::Result<Held> {
    let mut statement = connection.prepare_cached("SELECT kind, name, position, sha256 FROM file")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, FileHash(row.get(3)?)))))?;
    rows.collect()
}

/// Drops what the new feed no longer has, then loads what it has anew.
fn replace_files(transaction: &Transaction<'_>, manifest: &Manifest) -> Result<(), StoreError> {
    let mut held = held_files(transaction).map_err(StoreError::Cache)?;
    let mut wanted = Vec::new();
    for entry in &manifest.files {
        let Some(kind) = kind_name(entry.kind) else { continue };
        let key = (kind.to_owned(), entry.name.clone());
        if held.get(&key).is_some_and(|(_, hash)| *hash == entry.sha256) {
            held.remove(&key);
        } else {
            wanted.push((kind, entry));
        }
    }
    for (position, _) in held.into_values() {
        drop_file(transaction, position).map_err(StoreError::Cache)?;
    }
    for (kind, entry) in wanted {
        load_file(transaction, kind, entry, manifest.epoch)?;
    }
    transaction.execute("DELETE FROM staged", []).map_err(StoreError::Cache)?;
    Ok(())
}

fn drop_file(transaction: &Transaction<'_>, position: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM tap_row WHERE file = ?1", [position])?;
    transaction.execute("DELETE FROM pin_row WHERE file = ?1", [position])?;
    transaction.execute("DELETE FROM file WHERE position = ?1", [position])?;
    Ok(())
}

fn load_file(transaction: &Transaction<'_>, kind: &str, entry: &FileEntry, epoch: u32) -> Result<(), StoreError> {
    let sql = "SELECT bytes FROM staged WHERE sha256 = ?1";
    let staged: Option<Vec<u8>> =
        transaction.query_row(sql, [entry.sha256.0], |row| row.get(0)).optional().map_err(StoreError::Cache)?;
    let bytes = staged.ok_or_else(|| StoreError::Feed(format!("{} was not staged", entry.name)))?;
    let tier = tier_of(entry.kind);
    let kept = tier.is_none().then_some(&bytes);
    transaction
        .execute(
            "INSERT INTO file (kind, name, sha256, bytes) VALUES (?1, ?2, ?3, ?4)",
            (kind, &entry.name, entry.sha256.0, kept),
        )
        .map_err(|error| contradiction(entry, error))?;
    let Some(tier) = tier else { return Ok(()) };
    let segment = segment_of(entry, tier, &bytes)?;
    if segment.epoch() != epoch {
        return Err(StoreError::Feed(format!("{} is of epoch {}, not {epoch}", entry.name, segment.epoch())));
    }
    insert_rows(transaction, &segment, transaction.last_insert_rowid()).map_err(|error| contradiction(entry, error))
}

fn segment_of<'a>(entry: &FileEntry, tier: Tier, bytes: &'a [u8]) -> Result<Segment<'a>, StoreError> {
    let segment = Segment::parse(bytes).map_err(|error| StoreError::Feed(format!("{}: {error}", entry.name)))?;
    if segment.tier() == tier {
        Ok(segment)
    } else {
        Err(StoreError::Feed(format!("{} is of the other tier", entry.name)))
    }
}

fn insert_rows(transaction: &Transaction<'_>, segment: &Segment<'_>, file: i64) -> rusqlite::Result<()> {
    let sql = match segment.tier() {
        Tier::Tap => "INSERT INTO tap_row (id, file, row) VALUES (?1, ?2, ?3)",
        Tier::Pin => "INSERT INTO pin_row (id, file, row) VALUES (?1, ?2, ?3)",
    };
    let mut statement = transaction.prepare_cached(sql)?;
    for row in segment.rows() {
        statement.execute((row.id().0, file, row.bytes()))?;
    }
    Ok(())
}

/// Two files of one name, or one id in two segments: the feed is at fault, not the cache.
fn contradiction(entry: &FileEntry, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        StoreError::Feed(format!("{}: {error}", entry.name))
    } else {
        StoreError::Cache(error)
    }
}

fn replace_head(transaction: &Transaction<'_>, head: &HeldHead) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO head (one, keys_note, head_note, manifest, loaded_ms) VALUES (1, ?1, ?2, ?3, ?4)",
        (&head.signed.keys, &head.signed.head, &head.manifest, head.loaded.0),
    )?;
    Ok(())
}
