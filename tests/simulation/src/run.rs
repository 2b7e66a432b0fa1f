//! Many histories, on as many threads as wanted.

use crate::bugs::Bug;
use crate::history::{Bench, SetupError};
use crate::plan::{Choice, Plan};
use crate::tally::Tally;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The first seed; each history takes the next.
    pub first_seed: u64,
    /// At most so many histories.
    pub histories: u64,
    /// At most so long.
    pub time: Option<Duration>,
    /// On so many threads.
    pub jobs: usize,
    /// For all histories.
    pub choice: Choice,
    /// With this mistake.
    pub bug: Option<Bug>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was met.
    pub tally: Tally,
    /// The lowest seed that failed, and what broke.
    pub failed: Option<(u64, Vec<String>)>,
    /// How long it took.
    pub took: Duration,
}

/// Seeds a worker takes at a time.
const BATCH: u64 = 16;

/// Runs histories until there are enough, time is over, or one fails.
///
/// # Errors
/// `SetupError` when nothing can be simulated here.
pub fn run(order: &Order) -> Result<Outcome, SetupError> {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    let results: Vec<Result<Outcome, SetupError>> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..order.jobs.max(1)).map(|_| scope.spawn(|| work(order, &next, &stop, began))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let mut all = Outcome::default();
    for result in results {
        let outcome = result?;
        all.tally.add(&outcome.tally);
        all.failed = match (all.failed, outcome.failed) {
            (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
            (one, other) => one.or(other),
        };
    }
    all.took = began.elapsed();
    Ok(all)
}

fn work(order: &Order, next: &AtomicU64, stop: &AtomicBool, began: Instant) -> Result<Outcome, SetupError> {
    let mut bench = Bench::new()?;
    let mut outcome = Outcome::default();
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        let over = order.time.is_some_and(|time| began.elapsed() >= time);
        if first >= order.histories || over || stop.load(Ordering::Relaxed) {
            return Ok(outcome);
        }
        for number in first..(first + BATCH).min(order.histories) {
            let seed = order.first_seed.wrapping_add(number);
            let plan = Plan::of(seed, &order.choice);
            let verdict = bench.run(&plan, order.bug, &mut outcome.tally, false);
            if !verdict.broken.is_empty() {
                outcome.failed = Some((seed, verdict.broken));
                stop.store(true, Ordering::Relaxed);
                return Ok(outcome);
            }
        }
    }
}
