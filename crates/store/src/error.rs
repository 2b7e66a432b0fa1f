//! What can go wrong with the two databases, and which of it is fatal.

use domain::FailureCode;
use std::path::PathBuf;

/// The journal cannot be read: set aside, or refused.
pub(crate) const JOURNAL_UNREADABLE: FailureCode = FailureCode::JournalUnreadable;
/// The cache cannot be read: dropped, or to be dropped.
pub(crate) const CACHE_UNREADABLE: FailureCode = FailureCode::CacheUnreadable;

/// A failure of journal, cache or key home.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A write to the journal, or its fsync, failed. Whether the data is on the disk is unknown, and asking again
    /// would not tell: the machine starts its process from scratch.
    #[error("the journal could not be written: {0}")]
    JournalWrite(#[source] rusqlite::Error),
    /// An earlier write failed; this journal does nothing more until the process is a new one.
    #[error("the journal stopped after a failed write")]
    JournalStopped,
    /// The disk had no room when the journal was opened: it is read, and takes nothing.
    #[error("the disk was full when the journal was opened: it takes nothing")]
    JournalFull,
    /// The disk has no room for the reserve that could bring it to an end: nothing is begun, and the journal goes on.
    #[error("the journal's reserve is not whole: nothing is begun")]
    NoReserve,
    /// Another process, or another connection of this one, has the journal.
    #[error("the journal is in use")]
    JournalInUse(#[source] rusqlite::Error),
    /// The journal was written by a newer program: it is left where it is.
    #[error("the journal has schema version {found}, this program knows {known}")]
    JournalTooNew {
        /// The file's version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The journal could not be read, though it opened.
    #[error("the journal could not be read: {0}")]
    JournalRead(#[source] rusqlite::Error),
    /// What lies in the journal is not what was written there: a broken chain, an entry that does not decode.
    #[error("the journal contradicts itself: {0}")]
    JournalCorrupt(String),
    /// The fact was refused and nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The cache could not be used; it may be dropped and built again.
    #[error("the cache failed: {0}")]
    Cache(#[source] rusqlite::Error),
    /// What the cache holds is not what was put there; it may be dropped and built again.
    #[error("the cache is damaged: {0}")]
    CacheDamaged(String),
    /// A segment of the feed could not be kept in the cache's folder, or not be read there.
    #[error("{path}: {source}")]
    Segment {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A feed that does not fit its manifest; the cache is unchanged.
    #[error("the feed cannot be staged: {0}")]
    Feed(String),
    /// The feed's rows are sealed in an epoch that this terminal has no key for; the cache is unchanged.
    #[error("no key for epoch {0}, in which the feed is sealed")]
    NoEpochKey(u32),
    /// The journal's key could not be had. It is never replaced by a new one because of this.
    #[error("the journal's key: {0}")]
    Key(String),
    /// A folder or file beside the databases.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
}

/// Why a fact was not written. Nothing was changed, and the journal goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// This top-up already has an entry of this kind: booking it twice would move money twice.
    #[error("this top-up already has an entry of this kind")]
    AlreadyBooked,
    /// The entry does not continue the chain: wrong sequence number, or the hash of something else.
    #[error("the entry does not continue the chain")]
    OutOfChain,
    /// Another fact was written under this idempotency key.
    #[error("another fact has this idempotency key")]
    KeyReused,
    /// No such upload, print or code.
    #[error("it is not in the journal")]
    Unknown,
    /// The print's name was used before.
    #[error("a print of this name was journalled before")]
    NameReused,
    /// A number that may only rise would fall.
    #[error("it would go back")]
    GoesBack,
}

impl StoreError {
    /// The failure as screens, logs and the telephone desk name it.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::JournalWrite(error) | Self::Cache(error) if disk_is_full(error) => FailureCode::DiskFull,
            Self::File { source, .. } | Self::Segment { source, .. } if has_no_room(source) => FailureCode::DiskFull,
            Self::JournalFull | Self::NoReserve => FailureCode::DiskFull,
            Self::NoEpochKey(_) => FailureCode::EpochUnknown,
            Self::Cache(_) | Self::CacheDamaged(_) | Self::Segment { .. } | Self::Feed(_) => CACHE_UNREADABLE,
            Self::JournalTooNew { .. } | Self::JournalRead(_) | Self::JournalCorrupt(_) | Self::Key(_) => {
                JOURNAL_UNREADABLE
            }
            Self::JournalWrite(_)
            | Self::JournalStopped
            | Self::JournalInUse(_)
            | Self::Refused(_)
            | Self::File { .. }
            | Self::Entropy(_) => FailureCode::JournalWriteFailed,
        }
    }

    /// The cache's file is damaged: it has to be dropped and built again.
    #[must_use]
    pub fn is_cache_damaged(&self) -> bool {
        match self {
            Self::Cache(error) => is_unreadable(error),
            Self::CacheDamaged(_) => true,
            _ => false,
        }
    }

    /// The process must end and start from scratch: nothing may be written, and no money moved, after this.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::JournalWrite(_) | Self::JournalStopped)
    }
}

/// The disk, or this user's part of it, is full.
fn has_no_room(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// SQLite says that the file is no database of ours: the wrong key, or damage.
pub(crate) fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// As `is_unreadable`, or our own statements (`SQLITE_ERROR`) or types no longer fit the file: its header, its schema's
/// text or a value is damaged. Meant for an opening, where every statement was tried before and no other fault answers
/// so.
pub(crate) fn is_unreadable_at_opening(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows, SqlInputError,
    };
    let generic = |error: &rusqlite::ffi::Error| error.extended_code == rusqlite::ffi::SQLITE_ERROR;
    let misfit = matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | QueryReturnedNoRows
            | SqlInputError { .. }
    );
    is_unreadable(error) || misfit || error.sqlite_error().is_some_and(generic)
}

/// SQLite says that somebody else has the file.
pub(crate) fn is_in_use(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// SQLite says that the file may only be read.
pub(crate) fn is_read_only(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
}

pub(crate) fn disk_is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}
