//! The cache's reader: read-only, and still at the feed it last looked at while the writer loads the next one.

use super::fences::{Fences, Mark, mark};
use super::segments::{file_of, folder_of};
use super::{HeldHead, read_head};
use crate::StoreError;
use protocol::segment::{PARTS, find_row, part_of};
use protocol::{FileHash, RecordId, Tier};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How often the files of a snapshot may be gone before they are open: the writer tidies only after a newer commit.
const LOOKS_MAX: u32 = 3;

/// A read-only view of one feed, for the thread that answers taps.
pub struct CacheReader {
    connection: Connection,
    folder: PathBuf,
    tap: Vec<Option<Part>>,
    pin: Vec<Option<Part>>,
}

/// One open segment of the base. It stays readable when its name is gone.
struct Part {
    file: File,
    bytes: u64,
    rows: u64,
    fences: Fences,
}

/// What a part of the base is in the database.
struct PartRow {
    tier: u8,
    part: usize,
    sha256: FileHash,
    bytes: u64,
    rows: u64,
    fences: Vec<u8>,
}

impl fmt::Debug for CacheReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheReader")
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::CacheDamaged(what.to_owned())
}

impl CacheReader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(StoreError::Cache)?;
        let mut reader = Self { connection, folder: folder_of(path), tap: Vec::new(), pin: Vec::new() };
        reader.refresh()?;
        Ok(reader)
    }

    /// Looks at the newest feed from now on. Call it once the journal's floor is raised, and between visits: a visit
    /// keeps one feed.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read, `CacheDamaged` when a segment is missing.
    pub fn refresh(&mut self) -> Result<(), StoreError> {
        for _ in 0..LOOKS_MAX {
            if self.look()? {
                return Ok(());
            }
        }
        Err(damaged("a segment of the base is missing"))
    }

    /// Takes a snapshot and opens its segments; `false` when the writer was quicker and has removed one of them.
    fn look(&mut self) -> Result<bool, StoreError> {
        let rows = self.begin().map_err(StoreError::Cache)?;
        let mut tiers = [Tier::Tap, Tier::Pin].map(|tier| {
            let parts: Vec<Option<Part>> = (0..PARTS).map(|_| None).collect();
            (tier.byte(), parts)
        });
        for row in rows {
            let fences = Fences::decode(&row.fences).ok_or_else(|| damaged("no fences of a segment"))?;
            let path = file_of(&self.folder, row.sha256);
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(source) => return Err(StoreError::Segment { path, source }),
            };
            let slot = tiers.iter_mut().find(|(tier, _)| *tier == row.tier);
            let slot = slot.and_then(|(_, parts)| parts.get_mut(row.part)).ok_or_else(|| damaged("no such part"))?;
            *slot = Some(Part { file, bytes: row.bytes, rows: row.rows, fences });
        }
        let [(_, tap), (_, pin)] = tiers;
        (self.tap, self.pin) = (tap, pin);
        Ok(true)
    }

    /// The snapshot is taken by the first read, so the base's parts are read at once.
    fn begin(&self) -> rusqlite::Result<Vec<PartRow>> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.connection.execute_batch("BEGIN")?;
        self.connection.query_row("SELECT count(*) FROM head", [], |_| Ok(()))?;
        let mut statement = self.connection.prepare("SELECT tier, part, sha256, bytes, rows, fences FROM base")?;
        let rows = statement.query_map([], |row| {
            Ok(PartRow {
                tier: row.get(0)?,
                part: usize::from(row.get::<_, u8>(1)?),
                sha256: FileHash(row.get(2)?),
                bytes: crate::journal::unsigned(3, row.get(3)?)?,
                rows: crate::journal::unsigned(4, row.get(4)?)?,
                fences: row.get(5)?,
            })
        })?;
        rows.collect()
    }

    /// The head of this feed.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn head(&self) -> Result<Option<HeldHead>, StoreError> {
        read_head(&self.connection).map_err(StoreError::Cache)
    }

    /// One sealed row, id included, as `protocol::Row` takes it: as it last changed, or of the base.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read, `CacheDamaged` when the row's bytes are not those that were checked.
    pub fn row(&self, tier: Tier, id: &RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = match tier {
            Tier::Tap => "SELECT row, mark FROM tap_change WHERE id = ?1",
            Tier::Pin => "SELECT row, mark FROM pin_change WHERE id = ?1",
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::Cache)?;
        let read = |row: &rusqlite::Row<'_>| Ok(row.get::<_, Option<Vec<u8>>>(0)?.zip(row.get::<_, Option<Mark>>(1)?));
        match statement.query_row([id.0], read).optional().map_err(StoreError::Cache)? {
            Some(Some((row, checked))) if mark(&row) == checked => Ok(Some(row)),
            Some(Some(_)) => Err(damaged("a changed row is not as it was loaded")),
            Some(None) => Ok(None),
            None => self.base_row(tier, id),
        }
    }

    fn parts(&self, tier: Tier) -> &[Option<Part>] {
        match tier {
            Tier::Tap => &self.tap,
            Tier::Pin => &self.pin,
        }
    }

    fn base_row(&self, tier: Tier, id: &RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(Some(part)) = self.parts(tier).get(usize::from(part_of(id))) else { return Ok(None) };
        let Some(block) = part.fences.block(id) else { return Ok(None) };
        let to_the_end = || usize::try_from(part.bytes.checked_sub(block.at)?).ok();
        let length = block.bytes.or_else(to_the_end).ok_or_else(|| damaged("fences beyond a segment's end"))?;
        let mut bytes = vec![0; length];
        let read = part.file.read_exact_at(&mut bytes, block.at);
        read.map_err(|error| StoreError::CacheDamaged(format!("a segment of the base: {error}")))?;
        if mark(&bytes) == block.mark {
            Ok(find_row(&bytes, id).map(<[u8]>::to_vec))
        } else {
            Err(damaged("a segment of the base is not as it was checked"))
        }
    }

    /// How many rows of a tier this feed holds. Every change since the base is looked at.
    ///
    /// # Errors
    /// As `row`.
    pub fn count(&self, tier: Tier) -> Result<u64, StoreError> {
        let sql = match tier {
            Tier::Tap => "SELECT id, row IS NOT NULL FROM tap_change",
            Tier::Pin => "SELECT id, row IS NOT NULL FROM pin_change",
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::Cache)?;
        let changes = statement.query_map([], |row| Ok((RecordId(row.get(0)?), row.get::<_, bool>(1)?)));
        let mut count: u64 = self.parts(tier).iter().flatten().map(|part| part.rows).sum();
        for change in changes.map_err(StoreError::Cache)? {
            let (id, is_there) = change.map_err(StoreError::Cache)?;
            match (self.base_row(tier, &id)?.is_some(), is_there) {
                (true, false) => count = count.saturating_sub(1),
                (false, true) => count += 1,
                _ => {}
            }
        }
        Ok(count)
    }

    /// The bytes of a public file of this feed by the hash its manifest gives. They are hashed again here: a changed
    /// row counts as no file at all.
    ///
    /// # Errors
    /// `Cache` when the file cannot be read.
    pub fn file(&self, sha256: FileHash) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM file WHERE sha256 = ?1";
        let bytes: Option<Vec<u8>> =
            self.connection.query_row(sql, [sha256.0], |row| row.get(0)).optional().map_err(StoreError::Cache)?;
        Ok(bytes.filter(|bytes| FileHash::of(bytes) == sha256))
    }
}
