//! Many histories, on as many threads as wanted.

use crate::bugs::Bug;
use crate::history::{Bench, SetupError};
use crate::plan::{Choice, Plan};
use crate::shrink::kind_of;
use crate::tally::Tally;
use std::collections::BTreeMap;
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
    /// Goes on after a history that failed.
    pub keep_going: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was met.
    pub tally: Tally,
    /// The lowest seed that failed, and what broke.
    pub failed: Option<(u64, Vec<String>)>,
    /// Each kind of failure: how often, and the lowest seed.
    pub kinds: BTreeMap<String, (u64, u64)>,
    /// How long it took.
    pub took: Duration,
    /// How much of the processors' time, where the machine tells.
    pub processor: Duration,
}

impl Outcome {
    fn fails(&mut self, seed: u64, broken: Vec<String>) {
        let kind = kind_of(&broken).unwrap_or_default();
        let (count, first) = self.kinds.entry(kind).or_insert((0, seed));
        *count += 1;
        *first = (*first).min(seed);
        if self.failed.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
            self.failed = Some((seed, broken));
        }
    }

    fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        self.processor += other.processor;
        for (kind, (count, first)) in other.kinds {
            let (sum, lowest) = self.kinds.entry(kind).or_insert((0, first));
            *sum += count;
            *lowest = (*lowest).min(first);
        }
        self.failed = match (self.failed.take(), other.failed) {
            (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
            (one, other) => one.or(other),
        };
    }
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
        all.add(result?);
    }
    all.took = began.elapsed();
    Ok(all)
}

/// What this thread has had of a processor (`/proc/thread-self/schedstat`, its first number in nanoseconds): on a
/// machine that does other things besides, it says more than the clock.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

fn work(order: &Order, next: &AtomicU64, stop: &AtomicBool, began: Instant) -> Result<Outcome, SetupError> {
    let mut bench = Bench::new()?;
    let mut outcome = Outcome::default();
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        outcome.processor = processor_time();
        let over = order.time.is_some_and(|time| began.elapsed() >= time);
        if first >= order.histories || over || stop.load(Ordering::Relaxed) {
            return Ok(outcome);
        }
        for number in first..(first + BATCH).min(order.histories) {
            let seed = order.first_seed.wrapping_add(number);
            let plan = Plan::of(seed, &order.choice);
            let verdict = bench.run(&plan, order.bug, &mut outcome.tally, false);
            // A mistake is found by a history that is well without it.
            let well = verdict.broken.is_empty()
                || order.bug.is_none()
                || bench.run(&plan, None, &mut Tally::default(), false).broken.is_empty();
            if !verdict.broken.is_empty() && well {
                outcome.fails(seed, verdict.broken);
                if !order.keep_going {
                    stop.store(true, Ordering::Relaxed);
                    return Ok(outcome);
                }
            }
        }
    }
}
