//! What a run prints.

use crate::fault::Fault;
use crate::plan::Plan;
use crate::point::{Cell, cells};
use crate::run::Outcome;
use crate::tally::Tally;
use std::fmt::Write;

/// How often each cell is to be met.
pub const CELL_MIN: u64 = 100;

/// The report of a run.
#[must_use]
pub fn summary(outcome: &Outcome, jobs: usize) -> String {
    let tally = &outcome.tally;
    let mut out = String::new();
    let _ = writeln!(out, "{}", histories(tally, outcome.took.as_secs_f64(), jobs));
    let processor = outcome.processor.as_secs_f64();
    if processor > 0.0 {
        let _ = writeln!(out, "processor time {processor:.1} s: {:.0} a second of it", count_of(tally) / processor);
    }
    let _ = writeln!(
        out,
        "top-ups {}: completed {}, voided {}, loss booked {}, open as claims {}, without an end in any journal {}",
        tally.top_ups, tally.completed, tally.voided, tally.lost, tally.claimed, tally.endless
    );
    let _ = writeln!(out, "events {}, durable commits since the last start {}\n", tally.steps, tally.commits);
    let _ = writeln!(out, "faults by kind");
    for fault in Fault::ALL {
        let _ = writeln!(out, "{:>12}  {}", tally.of(fault), fault.name());
    }
    let kinds = Fault::ALL.into_iter().filter(|fault| tally.of(*fault) > 0).count();
    let all: u64 = Fault::ALL.into_iter().map(|fault| tally.of(fault)).sum();
    let _ = writeln!(out, "{all:>12}  of {kinds} kinds\n");
    out.push_str(&least_met(tally));
    out
}

fn histories(tally: &Tally, seconds: f64, jobs: usize) -> String {
    let jobs = u32::try_from(jobs.max(1)).map_or(1.0, f64::from);
    let rate = if seconds > 0.0 { count_of(tally) / seconds / jobs } else { 0.0 };
    format!(
        "histories {} ({} on SQLCipher, {} beyond contract) in {seconds:.1} s: {rate:.0} a second and core",
        tally.histories, tally.keyed, tally.beyond
    )
}

fn count_of(tally: &Tally) -> f64 {
    u32::try_from(tally.histories).map_or(f64::from(u32::MAX), f64::from)
}

/// How many cells there are, and which were met least.
#[must_use]
pub fn least_met(tally: &Tally) -> String {
    let mut met: Vec<(u64, Cell)> = cells().into_iter().map(|cell| (tally.at(cell), cell)).collect();
    met.sort();
    let few = met.iter().filter(|(count, _)| *count < CELL_MIN).count();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "transition x fault x cut point: {} cells, {few} met less than {CELL_MIN} times; the least:",
        met.len()
    );
    for (count, cell) in met.iter().take(12) {
        let _ = writeln!(out, "{count:>12}  {}", line(*cell));
    }
    out
}

/// Every cell with its count, tab-separated.
#[must_use]
pub fn table(tally: &Tally) -> String {
    let mut out = "transition\tcut point\tfault\tcount\n".to_owned();
    for cell in cells() {
        let (row, cut, fault) = (cell.point.row(), cell.point.cut.name(), cell.fault.name());
        let _ = writeln!(out, "{row}\t{cut}\t{fault}\t{}", tally.at(cell));
    }
    out
}

fn line(cell: Cell) -> String {
    format!("{} / {} / {}", cell.point.row(), cell.point.cut.name(), cell.fault.name())
}

/// A failing history as a story.
#[must_use]
pub fn story(seed: u64, plan: &Plan, broken: &[String], lines: &[String]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "history {seed}: {:?}, {} terminals, {:?}", plan.order, plan.kiosks, plan.ways);
    for step in &plan.steps {
        let _ = writeln!(out, "  step   {step:?}");
    }
    for armed in &plan.armed {
        let _ = writeln!(out, "  fault  {} (after {} times)", line(armed.cell), armed.spares);
    }
    for told in lines {
        let _ = writeln!(out, "{told}");
    }
    if broken.is_empty() {
        let _ = writeln!(out, "nothing is broken");
    }
    for what in broken {
        let _ = writeln!(out, "BROKEN: {what}");
    }
    out
}
