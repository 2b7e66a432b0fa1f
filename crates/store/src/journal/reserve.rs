//! Room that is taken ahead, so that an open top-up can be finished on a disk that has become full.
//!
//! Two files grow when the journal writes: the write-ahead log with each commit, the database at a checkpoint. The log
//! is never cut: after a checkpoint it is written over from its beginning, and as long as it is it stays. The database
//! keeps free pages: a filler of as many pages was written, checkpointed and deleted. While free pages and log hold,
//! no write asks the disk for a byte that it has not given already. (A file system that copies on write asks all the
//! same.)
//!
//! The rule: whatever begins something (an intent, an upload of its own, a document, a batch of codes) wants the
//! reserve to be whole, and is refused with `StoreError::NoReserve` where it is not. Whatever ends something may use the
//! reserve up. It is filled at an opening and whenever the owner has time (`Journal::keep_reserve`), and only after the
//! disk was seen to have the room: a filler that got into the log and not into the database would keep the log from
//! beginning anew.

use super::files::{JournalFiles, beside};
use super::{Journal, Stop};
use crate::StoreError;
use crate::error::disk_is_full;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::Path;

/// Pages of a terminal's reserve, in the database and in the log each: 512 of 4,096 bytes.
pub const RESERVE_PAGES: u32 = 512;

/// Frames after which the log of a journal without a reserve is moved into the database.
const FRAMES_PER_CHECKPOINT: u32 = 256;

/// What the log has in front of its frames, and a frame in front of its page, in bytes (SQLite's file format, "WAL
/// File Format").
const LOG_HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

/// How the reserve stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveState {
    /// Free pages that the database's file is long enough to hold.
    pub free_pages: u32,
    /// Frames that the log can take without growing.
    pub log_frames: u32,
    /// Enough for a top-up from its intent to its end.
    pub whole: bool,
}

/// What the journal knows of the room it has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    /// Pages that are to be kept free in the database, and in the log; 0 for no reserve.
    reserve_pages: u32,
    /// Pages the database's file is long.
    file_pages: u32,
    /// Frames the log is long.
    log_pages: u32,
    /// Frames of it that are in use.
    log_used: u32,
}

impl Room {
    pub(super) fn of(reserve_pages: u32) -> Self {
        Self { reserve_pages, ..Self::default() }
    }

    /// What the files are long. Without a reserve nobody asks.
    pub(super) fn measure(
        &mut self,
        connection: &Connection,
        path: &Path,
        files: &dyn JournalFiles,
    ) -> Result<(), StoreError> {
        if self.reserve_pages == 0 {
            return Ok(());
        }
        let length = |path: &Path| {
            let length = files.length(path);
            length.map(Option::unwrap_or_default).map_err(|source| StoreError::File { path: path.to_owned(), source })
        };
        let page_bytes = page_bytes(connection).map_err(StoreError::JournalRead)?;
        self.file_pages = count(length(path)?, page_bytes);
        let log = length(&beside(path, "-wal"))?.saturating_sub(LOG_HEADER_BYTES);
        self.log_pages = count(log, page_bytes + FRAME_HEADER_BYTES);
        Ok(())
    }

    /// A commit has left so many frames in the log.
    pub(super) fn logged(&mut self, frames: u32) {
        self.log_used = frames;
        self.log_pages = self.log_pages.max(frames);
    }

    /// The log is in the database; the next commit begins the log anew.
    pub(super) fn checkpointed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.log_used = 0;
        if self.reserve_pages > 0 {
            let (page_count, _) = page_counts(connection)?;
            self.file_pages = self.file_pages.max(page_count);
        }
        Ok(())
    }

    /// Half of the log is to stay free for what ends things.
    pub(super) fn wants_checkpoint(&self) -> bool {
        let limit = if self.reserve_pages == 0 { FRAMES_PER_CHECKPOINT } else { self.reserve_pages / 2 };
        self.log_used >= limit
    }
}

/// Why the reserve was not filled.
enum Unfilled {
    Sql(rusqlite::Error),
    Files(std::io::Error),
}

impl From<rusqlite::Error> for Unfilled {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Journal {
    /// How the reserve stands now. Of a journal without one (`JournalOptions::reserve_pages` 0) it is always whole.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn reserve(&self) -> Result<ReserveState, StoreError> {
        let room = self.room;
        let (page_count, free) = self.read(page_counts)?;
        let free_pages = if room.file_pages >= page_count { free } else { 0 };
        let log_frames = room.log_pages.saturating_sub(room.log_used);
        let half = room.reserve_pages / 2;
        let whole = room.reserve_pages == 0 || (free_pages >= half && log_frames >= half);
        Ok(ReserveState { free_pages, log_frames, whole: whole && !self.full })
    }

    /// Fills the reserve when a quarter of it or more is used up. To be called when nothing else is to do, so that no
    /// top-up waits for it. Whether the reserve is whole then: where it is not, the disk has no room for it.
    ///
    /// # Errors
    /// `JournalStopped`, `JournalRead`; `File` when the room cannot be told; `JournalWrite` stops the journal.
    pub fn keep_reserve(&mut self, files: &dyn JournalFiles) -> Result<bool, StoreError> {
        if self.room.reserve_pages == 0 && !self.stopped {
            return Ok(!self.full);
        }
        let state = self.reserve()?;
        let enough = self.room.reserve_pages / 4 * 3;
        if self.full || (state.free_pages >= enough && state.log_frames >= enough) {
            return Ok(state.whole);
        }
        match self.fill(files) {
            Ok(()) => {}
            Err(Unfilled::Sql(error)) if disk_is_full(&error) => {
                tracing::warn!("the disk has no room for the journal's reserve");
            }
            Err(Unfilled::Sql(error)) => return Err(self.stop(error)),
            Err(Unfilled::Files(source)) => return Err(StoreError::File { path: self.path.clone(), source }),
        }
        Ok(self.reserve()?.whole)
    }

    /// Something is to begin: the reserve has to be whole.
    pub(super) fn want_reserve(&mut self) -> Result<(), StoreError> {
        if self.full {
            return Err(StoreError::JournalFull);
        }
        if self.room.reserve_pages == 0 || self.reserve()?.whole { Ok(()) } else { Err(StoreError::NoReserve) }
    }

    /// Each step leaves a sound journal, whichever fails. The log is emptied first, so that the filler lies in it from
    /// its beginning and makes it as long as itself; free pages are taken for the filler before the database grows.
    fn fill(&mut self, files: &dyn JournalFiles) -> Result<(), Unfilled> {
        self.checkpoint()?;
        self.clear_filler()?;
        let page_bytes = page_bytes(&self.connection)?;
        let (page_count, free) = page_counts(&self.connection)?;
        let pages = self.room.reserve_pages;
        if free >= pages && self.room.file_pages >= page_count && self.room.log_pages >= pages {
            return Ok(());
        }
        // Twice, since log and database may both grow, and the pages by which a tree grows besides.
        let wanted = (u64::from(pages) + u64::from(pages / 8) + 16) * 2 * page_bytes;
        if !files.has_room(&beside(&self.path, ".room"), wanted).map_err(Unfilled::Files)? {
            tracing::warn!(wanted, "the disk has no room for the journal's reserve");
            return Ok(());
        }
        let filler = i64::try_from(u64::from(pages) * page_bytes).unwrap_or(i64::MAX);
        self.plain_commit("INSERT INTO reserve (filler) VALUES (zeroblob(?1))", [filler])?;
        self.checkpoint()?;
        self.clear_filler()?;
        Ok(())
    }

    /// A filler that an earlier attempt left is free pages that nobody sees.
    fn clear_filler(&mut self) -> rusqlite::Result<()> {
        let held: u32 = self.connection.query_row("SELECT count(*) FROM reserve", [], |row| row.get(0))?;
        if held == 0 {
            return Ok(());
        }
        self.plain_commit("DELETE FROM reserve", [])?;
        self.checkpoint()
    }

    fn plain_commit(&mut self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        match self.commit(|transaction| Ok(transaction.execute(sql, params).map(drop)?)) {
            Err(Stop::Sql(error)) => Err(error),
            // Nothing here refuses.
            Ok(()) | Err(Stop::Refused(_)) => Ok(()),
        }
    }
}

fn count(bytes: u64, unit: u64) -> u32 {
    u32::try_from(bytes.checked_div(unit).unwrap_or_default()).unwrap_or(u32::MAX)
}

/// SQLCipher answers for itself, and in text.
fn page_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, "page_size", |row| match row.get_ref(0)? {
        ValueRef::Text(_) => Ok(row.get::<_, String>(0)?.parse().unwrap_or_default()),
        _ => super::unsigned(0, row.get(0)?),
    })
}

/// Pages of the database, and those of them that are free.
fn page_counts(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let number = |name: &str| connection.prepare_cached(name)?.query_row([], |row| row.get::<_, u32>(0));
    Ok((number("PRAGMA page_count")?, number("PRAGMA freelist_count")?))
}
