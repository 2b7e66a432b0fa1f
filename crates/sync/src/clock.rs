//! The wall clock as it is handed in: the system's, or one that a test can shift.

use domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time of day comes from.
#[derive(Debug, Clone, Copy)]
pub struct WallClock(fn() -> Timestamp);

impl WallClock {
    /// A clock that is asked by this function.
    #[must_use]
    pub fn new(ask: fn() -> Timestamp) -> Self {
        Self(ask)
    }

    /// The time it shows.
    #[must_use]
    pub fn now(self) -> Timestamp {
        (self.0)()
    }
}

impl Default for WallClock {
    /// The system's. Before 1970 it shows 1970.
    fn default() -> Self {
        Self(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }
}
