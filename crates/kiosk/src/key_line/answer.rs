//! An answer of central that may not have come yet.

use keys::KeyError;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// How often the card is looked at while an answer is waited for: a citizen's data must be covered within 300 ms of its
/// leaving.
const LOOK: Duration = Duration::from_millis(50);

/// Tells whether the card is still there, for whom central is asked.
#[derive(Clone)]
pub struct Sight(Arc<dyn Fn() -> bool + Send + Sync>);

impl Sight {
    /// That looks so: `false` when the card has left.
    #[must_use]
    pub fn new(look: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Looks.
    #[must_use]
    pub fn card_is_there(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sight")
    }
}

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

    /// Waits for it while the card is in sight.
    ///
    /// # Errors
    /// `CardLeft` as soon as it is not, else as [`Self::get`].
    pub fn wait_with(&self, sight: &Sight) -> Result<T, KeyError> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            match self.answered.recv_timeout(left.min(LOOK)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) if left > LOOK => {}
                Err(_) => return Err(self.given_up()),
            }
            if !sight.card_is_there() {
                self.recall();
                return Err(KeyError::CardLeft);
            }
        }
    }

    fn recall(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }

    fn given_up(&self) -> KeyError {
        self.recall();
        KeyError::HolderUnavailable("central did not answer in time".to_owned())
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(redacted)")
    }
}
