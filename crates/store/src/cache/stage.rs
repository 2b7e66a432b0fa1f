//! Staging a feed: what is missing is fetched by others and kept here file by file as it arrives, until the feed is
//! complete.

use super::{Cache, segments};
use crate::StoreError;
use crate::error::disk_is_full;
use protocol::{Cursor, FileEntry, FileHash, FileKind, Manifest, PlanError, Tier};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};

/// What is still to be fetched for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// Files neither held nor staged.
    pub missing: Vec<FileEntry>,
    /// Files held from the former feed or staged before.
    pub have: usize,
}

impl Staging {
    fn note(&mut self, entry: &FileEntry, here: bool) {
        if here {
            self.have += 1;
        } else {
            self.missing.push(entry.clone());
        }
    }
}

pub(super) const TIERS: [Tier; 2] = [Tier::Tap, Tier::Pin];

/// The kind's name in the table of public files; `None` for segments, and for what this program does not know.
pub(super) fn kind_name(kind: FileKind) -> Option<&'static str> {
    Some(match kind {
        FileKind::Dictionary => "dictionary",
        FileKind::CityPack => "city-pack",
        FileKind::CityFile => "city-file",
        FileKind::Revocations => "revocations",
        FileKind::TerminalParcels => "terminal-parcels",
        FileKind::TapSegment | FileKind::PinSegment | FileKind::TapDelta | FileKind::PinDelta | FileKind::Unknown => {
            return None;
        }
    })
}

/// The former feed's public files by kind and name: position and hash.
pub(super) type Held = HashMap<(String, String), (i64, FileHash)>;

pub(super) fn held_files(connection: &Connection) -> rusqlite::Result<Held> {
    let mut statement = connection.prepare_cached("SELECT kind, name, position, sha256 FROM file")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, FileHash(row.get(3)?)))))?;
    rows.collect()
}

pub(super) fn is_held(held: &Held, kind: &str, entry: &FileEntry) -> bool {
    held.get(&(kind.to_owned(), entry.name.clone())).is_some_and(|(_, hash)| *hash == entry.sha256)
}

pub(super) fn no_way(error: PlanError) -> StoreError {
    StoreError::Feed(error.to_string())
}

impl Cache {
    /// How far the rows have come.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Cursor { epoch: row.get(0)?, sequence: crate::journal::unsigned(1, row.get(1)?)? })
        };
        let cursor = self.connection.query_row("SELECT epoch, sequence FROM head", [], read).optional();
        cursor.map_err(StoreError::Cache)
    }

    /// What is missing for a feed. Kinds this program does not know are left out, and what neither the held feed nor
    /// this one needs is removed.
    ///
    /// # Errors
    /// `Feed` when the manifest leads nowhere from here, `Cache` or `Segment` when what is kept cannot be read.
    pub fn staging(&mut self, manifest: &Manifest) -> Result<Staging, StoreError> {
        let cursor = self.cursor()?;
        let mut staging = Staging { missing: Vec::new(), have: 0 };
        self.sweep_staged(manifest)?;
        self.stage_public(manifest, &mut staging)?;
        let mut keep = segments::held(&self.connection).map_err(StoreError::Cache)?;
        for tier in TIERS {
            let plan = manifest.plan(tier, cursor).map_err(no_way)?;
            for entry in plan.files() {
                staging.note(entry, self.segments.find(entry, tier)?.is_some());
                keep.insert(entry.sha256);
            }
        }
        self.segments.sweep(&keep);
        Ok(staging)
    }

    fn stage_public(&self, manifest: &Manifest, staging: &mut Staging) -> Result<(), StoreError> {
        let held = held_files(&self.connection).map_err(StoreError::Cache)?;
        for entry in &manifest.files {
            let Some(kind) = kind_name(entry.kind) else { continue };
            staging.note(entry, is_held(&held, kind, entry) || self.is_staged(entry.sha256)?);
        }
        Ok(())
    }

    /// Forgets public files that were fetched for a feed that never became whole. A disk that is too full even for that
    /// keeps them until the next time.
    fn sweep_staged(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let wanted: HashSet<FileHash> = manifest.files.iter().map(|entry| entry.sha256).collect();
        let staged = || -> rusqlite::Result<Vec<FileHash>> {
            let mut statement = self.connection.prepare_cached("SELECT sha256 FROM staged")?;
            statement.query_map([], |row| row.get(0).map(FileHash))?.collect()
        };
        for sha256 in staged().map_err(StoreError::Cache)?.iter().filter(|sha256| !wanted.contains(sha256)) {
            match self.connection.execute("DELETE FROM staged WHERE sha256 = ?1", [sha256.0]) {
                Err(error) if disk_is_full(&error) => {
                    tracing::warn!(%sha256, %error, "a staged file cannot be removed now");
                    return Ok(());
                }
                removed => removed.map_err(StoreError::Cache)?,
            };
        }
        Ok(())
    }

    fn is_staged(&self, sha256: FileHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM staged WHERE sha256 = ?1";
        let found = self.connection.query_row(sql, [sha256.0], |_| Ok(())).optional();
        Ok(found.map_err(StoreError::Cache)?.is_some())
    }

    /// A public file, fetched for the next feed or of the feed that is held; `None` when it is neither.
    ///
    /// # Errors
    /// `Feed` when what is kept has another hash: it is dropped, and fetched again. `Cache` when the file cannot be read.
    pub fn public_file(&self, sha256: FileHash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM staged WHERE sha256 = ?1 UNION ALL SELECT bytes FROM file WHERE sha256 = ?1";
        let found: Option<Vec<u8>> =
            self.connection.query_row(sql, [sha256.0], |row| row.get(0)).optional().map_err(StoreError::Cache)?;
        if found.as_ref().is_none_or(|bytes| FileHash::of(bytes) == sha256) {
            return Ok(found);
        }
        for table in ["staged", "file"] {
            let sql = format!("DELETE FROM {table} WHERE sha256 = ?1");
            self.connection.execute(&sql, [sha256.0]).map_err(StoreError::Cache)?;
        }
        Err(StoreError::Feed("a kept file is not what its hash says: it is fetched again".to_owned()))
    }

    /// Keeps one fetched file until the feed is complete.
    ///
    /// # Errors
    /// `Feed` when the bytes are not that file, or it is no whole segment of its tier: that file alone is discarded.
    /// `Cache` or `Segment` when it cannot be written.
    pub fn stage(&mut self, entry: &FileEntry, bytes: &[u8]) -> Result<(), StoreError> {
        if let Some(tier) = entry.kind.tier() {
            return self.segments.keep(entry, tier, bytes);
        }
        if !entry.is(bytes) {
            return Err(StoreError::Feed(format!("{} is not the file of its hash", entry.name)));
        }
        let sql = "INSERT INTO staged (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.connection.execute(sql, (entry.sha256.0, bytes)).map_err(StoreError::Cache)?;
        Ok(())
    }
}
