//! `citizen-money-soak`: real top-ups, with SIGKILL for kiosk, central and payment terminal at random moments, until
//! every state of a top-up was met often enough; then all books are compared. It is run by `make soak`, and exits with
//! 1 when a cent is missing anywhere, or a state was met too seldom.

use clap::Parser;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use testbed::kills::{Kills, Tally};
use testbed::{StreetError, io_error};

/// Top-ups of one street; then the next is set up, so that no journal grows beyond a busy day's.
const A_STREET: u32 = 60;

/// Tops up and kills.
#[derive(Parser)]
#[command(name = "citizen-money-soak", version)]
struct Arguments {
    /// Top-ups in all.
    #[arg(long, default_value_t = 3_000)]
    top_ups: u32,
    /// Kills that each state must have met.
    #[arg(long, default_value_t = 50)]
    each_state: u32,
    /// Streets at the same time: a top-up waits more than it works.
    #[arg(long, default_value_t = 6)]
    streets: u32,
    /// Victims and moments follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("citizen-money-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What all streets share.
struct Work {
    left: AtomicU32,
    streets: AtomicU32,
    tally: Mutex<Tally>,
    failures: Mutex<Vec<String>>,
}

impl Work {
    /// How many top-ups the next street makes; `None` when there are enough.
    fn take(&self) -> Option<u32> {
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| (left > 0).then(|| left.saturating_sub(A_STREET)));
        taken.ok().map(|left| left.min(A_STREET))
    }

    fn end(&self, street: u64, outcome: Result<Tally, StreetError>) {
        match outcome {
            Ok(tally) => {
                let mut all = self.tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                all.add(&tally);
                println!("street {street}: {} top-ups, all books agree; {} in all", tally.kills(), all.kills());
            }
            Err(error) => {
                println!("street {street}: {error}");
                let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                failures.push(format!("street {street}: {error}"));
            }
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, StreetError> {
    let began = Instant::now();
    let work = Work {
        left: AtomicU32::new(arguments.top_ups),
        streets: AtomicU32::new(0),
        tally: Mutex::new(Tally::default()),
        failures: Mutex::new(Vec::new()),
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.streets {
            scope.spawn(|| {
                while let Some(top_ups) = work.take() {
                    let street = arguments.seed * 10_000 + u64::from(work.streets.fetch_add(1, Ordering::SeqCst));
                    work.end(street, soak(street, top_ups));
                }
            });
        }
    });
    let tally = work.tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let failures = work.failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("\n{tally}\n\n{} top-ups in {} s", tally.kills(), began.elapsed().as_secs());
    let rare: Vec<&str> =
        tally.states().filter(|(_, count)| *count < arguments.each_state).map(|(state, _)| state).collect();
    for state in &rare {
        println!("met less than {} times: {state}", arguments.each_state);
    }
    println!("{} streets failed", failures.len());
    Ok(failures.is_empty() && rare.is_empty())
}

fn soak(street: u64, top_ups: u32) -> Result<Tally, StreetError> {
    let folder = tempfile::Builder::new().prefix("kills").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let mut kills = Kills::start(street, folder.path())?;
    for _ in 0..top_ups {
        kills.top_up()?;
    }
    kills.close()
}
