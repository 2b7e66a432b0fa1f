//! How long to wait after a failure: twice as long each time up to a limit, spread at random so that a fleet that lost
//! central together does not come back together.

use std::time::Duration;

/// Waiting times after failures.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Begins with `first` and never waits longer than `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The time doubled from.
    #[must_use]
    pub fn first(&self) -> Duration {
        self.first
    }

    /// It worked: the next failure waits short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait, between half and all of the doubled time. `random` decides within it.
    pub fn failed(&mut self, random: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        doubled / 2 + (doubled / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// A random number for `failed`; the middle where the system gives none, since nothing depends on it but the spread.
pub(crate) fn spread() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => u32::MAX / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_start_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
        let waits: Vec<u64> = (0..7).map(|_| backoff.failed(u32::MAX).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.failed(0), Duration::from_secs(1));
    }

    #[test]
    fn a_thousand_failures_wait_no_longer_than_the_limit() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));
        assert!((0..1000).map(|_| backoff.failed(u32::MAX)).all(|wait| wait <= Duration::from_secs(300)));
    }
}
