//! `citizen-simulate`: histories of top-ups, by the million or one by one.

use clap::Parser;
use domain::device::PaymentOrder;
use simulation::bugs::Bug;
use simulation::history::{Bench, SetupError};
use simulation::plan::{Choice, Plan};
use simulation::run::{Order, Outcome, run};
use simulation::tally::Tally;
use simulation::{report, shrink};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Simulates top-ups on a street of terminals, with everything that can go wrong.
#[derive(Parser)]
#[command(name = "citizen-simulate")]
struct Arguments {
    /// Tells one history as a story.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed of many.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many histories.
    #[arg(long, default_value_t = 100_000)]
    histories: u64,
    /// For at most so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// On so many threads; as many as there are cores when left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// How many histories of a hundred run on SQLCipher.
    #[arg(long, default_value_t = 5)]
    keyed_percent: u64,
    /// Only payments in this order: vending, capture-first or pre-authorise.
    #[arg(long, value_parser = order_of)]
    order: Option<PaymentOrder>,
    /// With this mistake made on purpose.
    #[arg(long, value_parser = bug_of)]
    bug: Option<Bug>,
    /// With each mistake in turn, until it is found.
    #[arg(long)]
    bugs: bool,
    /// Goes on after a history that failed, and counts failures by kind.
    #[arg(long)]
    keep_going: bool,
    /// Writes the table of transition x fault x cut point, tab-separated.
    #[arg(long)]
    table: Option<PathBuf>,
}

fn order_of(text: &str) -> Result<PaymentOrder, String> {
    match text {
        "vending" => Ok(PaymentOrder::Vending),
        "capture-first" => Ok(PaymentOrder::CaptureFirst),
        "pre-authorise" => Ok(PaymentOrder::PreAuthorise),
        _ => Err("vending, capture-first or pre-authorise".to_owned()),
    }
}

fn bug_of(text: &str) -> Result<Bug, String> {
    Bug::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.seed {
        Some(seed) => tell(&arguments, seed),
        None if arguments.bugs => find_all(&arguments),
        None => simulate(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("citizen-simulate: {error}");
            ExitCode::from(2)
        }
    }
}

fn choice(arguments: &Arguments) -> Choice {
    Choice { order: arguments.order, keyed_percent: arguments.keyed_percent }
}

fn order(arguments: &Arguments, bug: Option<Bug>, histories: u64) -> Order {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Order {
        first_seed: arguments.from,
        histories,
        time: arguments.seconds.map(Duration::from_secs),
        jobs: arguments.jobs.unwrap_or(cores),
        choice: choice(arguments),
        bug,
        keep_going: arguments.keep_going && bug.is_none(),
    }
}

fn tell(arguments: &Arguments, seed: u64) -> Result<bool, SetupError> {
    let plan = Plan::of(seed, &choice(arguments));
    let verdict = Bench::new()?.run(&plan, arguments.bug, &mut Tally::default(), true);
    print!("{}", report::story(seed, &plan, &verdict.broken, &verdict.story));
    Ok(verdict.broken.is_empty())
}

fn simulate(arguments: &Arguments) -> Result<bool, SetupError> {
    let order = order(arguments, arguments.bug, arguments.histories);
    let outcome = run(&order)?;
    print!("{}", report::summary(&outcome, order.jobs));
    if let Some(path) = &arguments.table
        && let Err(error) = std::fs::write(path, report::table(&outcome.tally))
    {
        eprintln!("citizen-simulate: {}: {error}", path.display());
    }
    tell_smallest(&order, &outcome)?;
    Ok(outcome.failed.is_none())
}

fn tell_smallest(order: &Order, outcome: &Outcome) -> Result<(), SetupError> {
    let Some((seed, broken)) = &outcome.failed else { return Ok(()) };
    for (kind, (count, first)) in &outcome.kinds {
        println!("{count:>8} failed from seed {first} on: {kind}");
    }
    println!("\nhistory {seed} failed: {}", broken.join("; "));
    let plan = Plan::of(*seed, &order.choice);
    let (small, verdict) = shrink::shrink(&mut Bench::new()?, &plan, order.bug);
    println!("the smallest that fails likewise (`--seed {seed}` tells the whole one):\n");
    print!("{}", report::story(*seed, &small, &verdict.broken, &verdict.story));
    Ok(())
}

/// How many histories a mistake may take to be found.
const FOUND_WITHIN: u64 = 20_000;

fn find_all(arguments: &Arguments) -> Result<bool, SetupError> {
    let mut all = true;
    for bug in Bug::ALL {
        let order = Order { jobs: 1, ..order(arguments, Some(bug), FOUND_WITHIN) };
        let outcome = run(&order)?;
        match &outcome.failed {
            Some((seed, broken)) => {
                let what = broken.first().map_or("", String::as_str);
                println!("{:<42} after {:>6} histories (seed {seed}): {what}", bug.name(), outcome.tally.histories);
            }
            None => {
                all = false;
                println!("{:<42} NOT FOUND in {} histories", bug.name(), outcome.tally.histories);
            }
        }
    }
    Ok(all)
}
