//! An answer of central that may not have come yet.

use keys::KeyError;
use std::fmt;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// Whether an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Only what has come counts.
    None,
    /// Until it comes, or its time is over.
    UntilAnswered,
}

/// What central will say, or the time in which it did not. Dropping it recalls no question.
pub struct Answer<T> {
    answered: Receiver<Result<T, KeyError>>,
    until: Instant,
    task: Option<AbortHandle>,
}

impl<T> Answer<T> {
    /// An answer that comes here, within this time.
    #[must_use]
    pub fn new(answered: Receiver<Result<T, KeyError>>, wait: Duration) -> Self {
        Self { answered, until: Instant::now() + wait, task: None }
    }

    /// One whose question is dropped when the time is over.
    pub(super) fn of(answered: Receiver<Result<T, KeyError>>, wait: Duration, task: AbortHandle) -> Self {
        Self { task: Some(task), ..Self::new(answered, wait) }
    }

    /// The answer, once; `None` while it may still come.
    ///
    /// # Errors
    /// What central said, or `HolderUnavailable` when the time is over.
    pub fn get(&self, patience: Patience) -> Option<Result<T, KeyError>> {
        match patience {
            Patience::UntilAnswered => Some(self.wait()),
            Patience::None => match self.answered.try_recv() {
                Ok(answer) => Some(answer),
                Err(TryRecvError::Empty) if Instant::now() < self.until => None,
                Err(_) => Some(Err(self.given_up())),
            },
        }
    }

    /// Waits for it.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn wait(&self) -> Result<T, KeyError> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.answered.recv_timeout(left).unwrap_or_else(|_| Err(self.given_up()))
    }

    fn given_up(&self) -> KeyError {
        if let Some(task) = &self.task {
            task.abort();
        }
        KeyError::HolderUnavailable("central did not answer in time".to_owned())
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(redacted)")
    }
}
