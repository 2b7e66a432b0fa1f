//! `citizen-money-soak`: real top-ups in each of the three orders, with SIGKILL for kiosk, central and payment terminal
//! at random moments, until every state of a top-up was met often enough; then all books are compared. It is run by
//! `make soak`, and exits with 1 when a cent is missing anywhere, or a state was met too seldom.

use clap::Parser;
use domain::device::PaymentOrder;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use testbed::kills::{Kills, Steering, Tally};
use testbed::{StreetError, io_error};

/// The orders, as they take turns.
const ORDERS: [PaymentOrder; 3] = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];
/// Top-ups of one street; then the next is set up, so that no journal grows beyond a busy day's.
const A_STREET: u32 = 60;

/// Tops up and kills.
#[derive(Parser)]
#[command(name = "citizen-money-soak", version)]
struct Arguments {
    /// Top-ups in all.
    #[arg(long, default_value_t = 3_000)]
    top_ups: u32,
    /// So many more at most, while a state was met too seldom.
    #[arg(long, default_value_t = 1_500)]
    more: u32,
    /// Only this order: vending, capture-first or pre-authorise.
    #[arg(long, value_parser = order_named)]
    order: Option<PaymentOrder>,
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
    more: AtomicU32,
    streets: AtomicU32,
    orders: Vec<PaymentOrder>,
    steering: Arc<Steering>,
    tally: Mutex<Tally>,
    failures: Mutex<Vec<String>>,
}

/// What a street has to do.
struct Task {
    number: u32,
    order: PaymentOrder,
    top_ups: u32,
}

impl Work {
    fn of(arguments: &Arguments) -> Self {
        Self {
            left: AtomicU32::new(arguments.top_ups),
            more: AtomicU32::new(arguments.more),
            streets: AtomicU32::new(0),
            orders: arguments.order.map_or_else(|| ORDERS.to_vec(), |order| vec![order]),
            steering: Arc::new(Steering::towards(arguments.each_state)),
            tally: Mutex::new(Tally::default()),
            failures: Mutex::new(Vec::new()),
        }
    }

    /// The next street; `None` when there are enough. The orders take turns, and beyond that the one that lacks most
    /// has the street.
    fn take(&self) -> Option<Task> {
        let planned = a_street_of(&self.left);
        let top_ups = planned.or_else(|| if self.steering.is_done() { None } else { a_street_of(&self.more) })?;
        let number = self.streets.fetch_add(1, Ordering::SeqCst);
        let turn = usize::try_from(number).unwrap_or_default() % self.orders.len();
        let order = match planned {
            Some(_) => self.orders.get(turn).copied(),
            None => self.steering.neediest(&self.orders),
        };
        order.map(|order| Task { number, order, top_ups })
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
    let work = Work::of(arguments);
    std::thread::scope(|scope| {
        for _ in 0..arguments.streets {
            scope.spawn(|| {
                while let Some(task) = work.take() {
                    let street = arguments.seed * 10_000 + u64::from(task.number);
                    work.end(street, soak(street, &task, &work.steering));
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

fn order_named(name: &str) -> Result<PaymentOrder, String> {
    let known = ["vending", "capture-first", "pre-authorise"];
    let found = known.iter().zip(ORDERS).find(|(known, _)| **known == name);
    found.map(|(_, order)| order).ok_or_else(|| format!("the orders are {}", known.join(", ")))
}

/// Takes a street's top-ups from what is left; `None` when nothing is.
fn a_street_of(left: &AtomicU32) -> Option<u32> {
    let rest = |left: u32| (left > 0).then(|| left.saturating_sub(A_STREET));
    let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, rest);
    taken.ok().map(|left| left.min(A_STREET))
}

fn soak(street: u64, task: &Task, steering: &Arc<Steering>) -> Result<Tally, StreetError> {
    let folder = tempfile::Builder::new().prefix("kills").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let mut kills = Kills::start(street, folder.path(), task.order, steering)?;
    for _ in 0..task.top_ups {
        kills.top_up()?;
    }
    kills.close()
}
