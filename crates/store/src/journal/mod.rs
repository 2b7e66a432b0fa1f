//! The journal: one connection, one owner, every write durable when it returns.
//!
//! SQLCipher with a raw key, WAL, `synchronous=FULL` (each commit waits for its fsync) and exclusive locking (one
//! connection, no shared memory). Checkpoints are made here rather than by SQLite's own hook, which would swallow a
//! failed fsync. After any failed write the journal stops: whether the data reached the disk is unknown, and a second
//! fsync would report success for pages the kernel has already dropped.

mod codes;
mod counts;
mod entries;
mod floors;
mod open;
mod outbox;
mod prints;
mod tries;

pub use counts::{OutboxKind, Unsent};
pub use floors::ClockFloor;
pub use open::{OpenReport, Opened, SetAside, count_set_aside};
pub use outbox::{OutboxCounts, OutboxItem};
pub use prints::{PrintOutcome, PrintState};

use crate::{Refusal, StoreError};
use ledger::Chain;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;

/// Commits after which the write-ahead log is moved into the database.
const COMMITS_PER_CHECKPOINT: u32 = 256;

/// The terminal's journal.
pub struct Journal {
    connection: Connection,
    generation: u32,
    chain: Chain,
    stopped: bool,
    /// The disk had no room for the boot commit: nothing is written before the next opening.
    full: bool,
    commits: u32,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("generation", &self.generation).field("stopped", &self.stopped).finish()
    }
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

    /// One durable commit. A refusal changes nothing; any other error stops the journal for good.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop>) -> Result<T, StoreError> {
        if self.stopped {
            return Err(StoreError::JournalStopped);
        }
        if self.full {
            return Err(StoreError::JournalFull);
        }
        match self.commit(work) {
            Ok(value) => Ok(value),
            Err(Stop::Refused(refusal)) => Err(StoreError::Refused(refusal)),
            Err(Stop::Sql(error)) => {
                self.stopped = true;
                tracing::error!(%error, "a write to the journal failed; it stops");
                Err(StoreError::JournalWrite(error))
            }
        }
    }

    fn commit<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop>) -> Result<T, Stop> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        self.commits += 1;
        if self.commits >= COMMITS_PER_CHECKPOINT {
            self.checkpoint()?;
        }
        Ok(value)
    }

    /// Moves the write-ahead log into the database and syncs both.
    fn checkpoint(&mut self) -> rusqlite::Result<()> {
        let busy: bool = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy {
            return Err(busy_error());
        }
        self.commits = 0;
        Ok(())
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if self.stopped {
            return Err(StoreError::JournalStopped);
        }
        query(&self.connection).map_err(StoreError::JournalRead)
    }
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
