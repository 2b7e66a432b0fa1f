//! The journal: one connection, one owner, every write durable when it returns.
//!
//! SQLCipher with a raw key, WAL, `synchronous=FULL` (each commit waits for its fsync) and exclusive locking (one
//! connection, no shared memory). Checkpoints are made here rather than by SQLite's own hook, which would swallow a
//! failed fsync. After any failed write the journal stops: whether the data reached the disk is unknown, and a second
//! fsync would report success for pages the kernel has already dropped.

mod aside;
mod codes;
mod commit;
mod counts;
mod entries;
mod files;
mod floors;
mod open;
mod outbox;
mod prints;
mod reserve;
mod tries;
mod wrap;

pub use aside::count_set_aside;
pub use counts::{OutboxKind, Unsent};
pub use files::{JournalFiles, SystemFiles};
pub use floors::ClockFloor;
pub use open::{JournalOptions, OpenReport, Opened, SetAside};
pub use outbox::{OutboxCounts, OutboxItem};
pub use prints::{PrintOutcome, PrintState};
pub use reserve::{RESERVE_PAGES, ReserveState};
pub use wrap::{WrapState, keep_wrap, wrap_path};

use crate::error::disk_is_full;
use crate::{Refusal, StoreError};
use commit::Commit;
use ledger::Chain;
use protocol::Receipt;
use reserve::Room;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::cell::Cell;
use std::ffi::c_int;
use std::fmt;
use std::path::PathBuf;

/// The terminal's journal.
pub struct Journal {
    connection: Connection,
    generation: u32,
    chain: Chain,
    stopped: bool,
    /// The disk had no room for the boot commit: nothing is written before the next opening.
    full: bool,
    commits: u64,
    path: PathBuf,
    room: Room,
    /// Of uploads that central has, and that are not written down yet.
    receipts: Vec<Receipt>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("generation", &self.generation).field("stopped", &self.stopped).finish()
    }
}

/// What becomes of the log once it lies in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    /// It keeps its length, and is written over from its beginning.
    Keep,
    /// It has no length.
    Cut,
}

/// Why a write did not happen: refused for its content, or failed.
enum Stop {
    Refused(Refusal),
    Sql(rusqlite::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Journal {
    /// Which journal of this terminal this is, counted from 1: the next begins when one cannot be read.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// A write failed: this journal refuses everything until the process is a new one.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The disk had no room when it was opened: it can be read, and refuses every write.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Durable commits since it was opened, those of the opening included.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// One durable commit that begins something: refused when the journal could not be sure to bring it to an end.
    fn begin<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Stop>) -> Result<T, StoreError> {
        self.want_reserve()?;
        self.write(work)
    }

    /// One durable commit. A refusal changes nothing; any other error stops the journal for good.
    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Stop>) -> Result<T, StoreError> {
        if self.stopped {
            return Err(StoreError::JournalStopped);
        }
        if self.full {
            return Err(StoreError::JournalFull);
        }
        let value = match self.commit(work) {
            Ok(value) => value,
            Err(Stop::Refused(refusal)) => return Err(StoreError::Refused(refusal)),
            Err(Stop::Sql(error)) => return Err(self.stop(error)),
        };
        if self.room.wants_checkpoint() {
            self.fold_log(Fold::Keep)?;
        }
        Ok(value)
    }

    /// Moves the log into the database. On a full disk it stays where it is: what was committed is durable in it, and
    /// the reserve says that nothing new is begun.
    fn fold_log(&mut self, how: Fold) -> Result<(), StoreError> {
        match self.fold(how) {
            Err(error) if disk_is_full(&error) => tracing::warn!("the disk has no room for a checkpoint"),
            Err(error) => return Err(self.stop(error)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// A write failed: whether it reached the disk is unknown, and trying again would not tell.
    fn stop(&mut self, error: rusqlite::Error) -> StoreError {
        self.stopped = true;
        tracing::error!(%error, "a write to the journal failed; it stops");
        StoreError::JournalWrite(error)
    }

    fn commit<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Stop>) -> Result<T, Stop> {
        LOG_FRAMES.set(None);
        let commit = Commit::begin(&self.connection)?;
        for receipt in &self.receipts {
            outbox::settle(&self.connection, receipt)?;
        }
        let value = work(&self.connection)?;
        commit.finish()?;
        self.receipts.clear();
        self.commits += 1;
        if let Some(frames) = LOG_FRAMES.take() {
            self.room.logged(frames);
        }
        Ok(value)
    }

    /// Moves the write-ahead log into the database and syncs both. The log keeps its length (`reserve.rs`).
    fn checkpoint(&mut self) -> rusqlite::Result<()> {
        self.fold(Fold::Keep)
    }

    fn fold(&mut self, how: Fold) -> rusqlite::Result<()> {
        let sql = match how {
            Fold::Keep => "PRAGMA wal_checkpoint(RESTART)",
            Fold::Cut => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let busy: bool = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        if busy {
            return Err(busy_error());
        }
        self.room.checkpointed(&self.connection)
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if self.stopped {
            return Err(StoreError::JournalStopped);
        }
        query(&self.connection).map_err(StoreError::JournalRead)
    }
}

thread_local! {
    /// Frames in the log after the commit that this thread is making. SQLite tells them to a plain function only.
    static LOG_FRAMES: Cell<Option<u32>> = const { Cell::new(None) };
}

fn note_log_frames(_: &Wal, frames: c_int) -> rusqlite::Result<()> {
    LOG_FRAMES.set(u32::try_from(frames).ok());
    Ok(())
}

/// A checkpoint that somebody kept from finishing, which exclusive locking rules out.
fn busy_error() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// SQLite's integers are signed; a number that does not fit was never written by this program.
pub(crate) fn unsigned<T: TryFrom<i64>>(column: usize, value: i64) -> rusqlite::Result<T> {
    T::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// An unsigned number as SQLite stores it.
fn signed(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

#[cfg(test)]
mod tests;
