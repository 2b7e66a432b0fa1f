//! How long to wait after a failure: up to twice as long each time, to a limit, spread at random over all of it, so that
//! a fleet that lost central together does not come back together.

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

    /// It failed: how long to wait, between half of the first time and all of the doubled one. `random` decides within
    /// it ("full jitter"; the floor keeps a terminal from asking again at once).
    pub fn failed(&mut self, random: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let floor = (self.first / 2).min(doubled);
        floor + spread_over(doubled - floor, random)
    }
}

/// A part of a time: none of it for 0, all of it for the largest number.
pub(crate) fn spread_over(time: Duration, random: u32) -> Duration {
    time.mul_f64(f64::from(random) / f64::from(u32::MAX))
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

    /// A thousand terminals that lost central at one moment, and central back after `outage_s` seconds: how many ask in
    /// each second from then on, until each has been heard.
    fn reconnect(outage_s: u64) -> Vec<u32> {
        let mut seconds = vec![0; 61];
        let mut random = 0x9E37_79B9_u32;
        for _ in 0..1_000 {
            let (mut backoff, mut at) = (Backoff::new(Duration::from_secs(2), Duration::from_secs(60)), Duration::ZERO);
            while at.as_secs() < outage_s {
                // xorshift32: the same figures in every run.
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                at += backoff.failed(random);
            }
            let second = usize::try_from(at.as_secs() - outage_s).unwrap();
            seconds[second] += 1;
        }
        seconds
    }

    #[test]
    fn a_fleet_that_lost_central_together_comes_back_spread_over_the_longest_wait() {
        for outage_s in [120, 600, 86_400] {
            let seconds = reconnect(outage_s);
            assert_eq!(seconds.iter().sum::<u32>(), 1_000, "each is back within the longest wait");
            // Were each moment as likely, 1,000 / 60 would ask in a second; those that had waited long come first.
            assert!(seconds.iter().all(|count| *count <= 70), "{outage_s}: {seconds:?}");
            let busy = seconds.iter().filter(|count| **count > 0).count();
            assert!(busy >= 45, "{outage_s}: {seconds:?}");
        }
    }
}
