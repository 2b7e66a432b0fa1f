//! Makes a failing history smaller: whatever can be left out and it still fails is left out.

use crate::bugs::Bug;
use crate::history::{Bench, Verdict};
use crate::plan::{Manner, Plan, Step};
use crate::tally::Tally;

/// How many attempts at most.
const ATTEMPTS_MAX: u32 = 400;

/// The smallest plan found that still fails, with its story.
#[must_use]
pub fn shrink(bench: &mut Bench, plan: &Plan, bug: Option<Bug>) -> (Plan, Verdict) {
    let mut small = plan.clone();
    let mut attempts = 0;
    let kind = kind_of(&bench.run(plan, bug, &mut Tally::default(), false).broken);
    loop {
        let next = smaller(&small).into_iter().find(|candidate| {
            attempts += 1;
            attempts <= ATTEMPTS_MAX && kind_of(&bench.run(candidate, bug, &mut Tally::default(), false).broken) == kind
        });
        match next {
            Some(candidate) => small = candidate,
            None => break,
        }
    }
    let verdict = bench.run(&small, bug, &mut Tally::default(), true);
    (small, verdict)
}

/// What broke first, without the names and numbers that differ from history to history.
#[must_use]
pub fn kind_of(broken: &[String]) -> Option<String> {
    let words = broken.first()?.split_whitespace();
    let plain = words.filter(|word| !word.chars().any(|letter| letter.is_ascii_digit()));
    Some(plain.collect::<Vec<_>>().join(" "))
}

/// Plans with one thing less.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for place in 0..plan.steps.len() {
        let mut less = plan.clone();
        less.steps.remove(place);
        plans.push(less);
    }
    for place in 0..plan.armed.len() {
        let mut less = plan.clone();
        less.armed.remove(place);
        plans.push(less);
    }
    for (place, step) in plan.steps.iter().enumerate() {
        if let Step::Visit { kiosk, card, amount, manner } = *step
            && manner != Manner::CALM
        {
            let mut less = plan.clone();
            if let Some(step) = less.steps.get_mut(place) {
                *step = Step::Visit { kiosk, card, amount, manner: Manner::CALM };
            }
            plans.push(less);
        }
    }
    if plan.keyed {
        plans.push(Plan { keyed: false, ..plan.clone() });
    }
    let last = plan.steps.iter().map(|step| terminal_of(*step)).max().unwrap_or(0);
    if plan.kiosks > last + 1 {
        plans.push(Plan { kiosks: last + 1, ..plan.clone() });
    }
    plans
}

fn terminal_of(step: Step) -> usize {
    match step {
        Step::Visit { kiosk, .. }
        | Step::Look { kiosk, .. }
        | Step::Stop { kiosk, .. }
        | Step::StopDisk { kiosk, .. }
        | Step::Operator { kiosk, .. }
        | Step::Clock { kiosk, .. }
        | Step::Network { kiosk, .. }
        | Step::Upload { kiosk }
        | Step::TakeImage { kiosk }
        | Step::PutImage { kiosk }
        | Step::Spoil { kiosk } => kiosk,
        Step::Debit { .. } | Step::Pass { .. } => 0,
    }
}
