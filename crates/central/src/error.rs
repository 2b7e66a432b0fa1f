//! What goes wrong inside central, and what of it a terminal is told.

use protocol::{Kept, Problem, ProblemCode};
use std::path::{Path, PathBuf};

/// An error of central.
#[derive(Debug, thiserror::Error)]
pub enum CentralError {
    /// The database.
    #[error("database: {0}")]
    Database(#[from] crate::db::Error),
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file of the data folder or the city pack that does not say what it should.
    #[error("{path}: {reason}")]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It cannot be done now, or not with what is there; the text says why.
    #[error("{0}")]
    NotReady(String),
    /// A stored secret does not open: it, or the keys, were changed.
    #[error("a stored secret does not open under the storage key")]
    StoredSecret,
    /// The machine gives no randomness.
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    /// A holder's card and a service card have the same number.
    #[error("card …{last_four} is both a holder's and a technician's")]
    SharedNumber {
        /// The last digits of that number.
        last_four: String,
    },
    /// A record could not be sealed.
    #[error("sealing card …{last_four}: {error}")]
    Seal {
        /// The last digits of the card's number.
        last_four: String,
        /// Why.
        error: protocol::SealError,
    },
    /// The ledger does not allow what was to be said.
    #[error("the books do not allow it: {0}")]
    Illegal(#[from] ledger::IllegalStep),
    /// A file from outside that cannot be read as a whole.
    #[error("line {}: {}", .0.line, .0.reason)]
    Rejected(crate::statements::dialect::Rejected),
    /// A claim cannot be settled now.
    #[error("{0}")]
    Claim(#[from] crate::claims::settle::Refused),
    /// The office's wish is not done now.
    #[error(transparent)]
    Refused(#[from] crate::refusal::Refusal),
    /// A part of the feed could not be written or signed.
    #[error("feed: {0}")]
    Feed(String),
    /// A certificate cannot be made or used.
    #[error("certificates: {0}")]
    Certificate(String),
    /// The listening socket.
    #[error("listening: {0}")]
    Listen(std::io::Error),
    /// No book can take an upload, for this problem, and it lies in the quarantine.
    #[error("{1}; {0}")]
    Kept(Box<Kept>, Problem),
    /// What a terminal asked for or sent is at fault, not central.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl CentralError {
    /// An error about a file.
    #[must_use]
    pub fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }

    /// A file that does not say what it should.
    pub fn content(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl From<CentralError> for Problem {
    /// A terminal is told nothing of central's inside; the log is.
    fn from(error: CentralError) -> Self {
        match error {
            CentralError::Problem(problem) | CentralError::Kept(_, problem) => problem,
            CentralError::Refused(refusal) => Self::new(ProblemCode::Conflict, refusal.to_string()),
            CentralError::Database(away) if away.is_passing() => {
                tracing::warn!(error = %away, "the database is away");
                Self::new(ProblemCode::Unavailable, "central's database is away: ask again")
            }
            inside => {
                tracing::error!(error = %inside, "central failed");
                Self::new(ProblemCode::Internal, "central failed; its log says why")
            }
        }
    }
}
