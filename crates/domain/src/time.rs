//! Time as the kiosk knows it. A wall clock may jump; what is timed is timed by the monotonic one.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The UTC day this moment lies in.
    #[must_use]
    pub fn day(self) -> Day {
        let days = self.0.div_euclid(86_400_000);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// This moment moved by milliseconds, saturating.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Days since 1970-01-01, UTC; the unit of limits and validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

/// Both clocks at one moment, handed to the pure core with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// The wall clock, for papers and books.
    pub wall: Timestamp,
    /// Milliseconds since an arbitrary start, never going back; for time-outs.
    pub monotonic_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc_also_before_1970() {
        let check = |ms, day| assert_eq!(Timestamp(ms).day(), Day(day));
        check(0, 0);
        check(86_399_999, 0);
        check(86_400_000, 1);
        check(-1, -1);
    }
}
