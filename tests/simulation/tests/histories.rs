//! Histories with fixed seeds: money is where the books say, every deliberate mistake is found, a seed is a history,
//! and what the simulation once found stays mended.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up is a failed test")]

use domain::device::PaymentOrder;
use ledger::Kind;
use simulation::bugs::Bug;
use simulation::fault::Fault;
use simulation::history::{Bench, Verdict};
use simulation::plan::{Armed, Choice, Manner, Plan, Step};
use simulation::point::{Cell, Cut, Deed, Point};
use simulation::report;
use simulation::tally::Tally;

const ORDERS: [PaymentOrder; 3] = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];

fn run(plan: &Plan, bug: Option<Bug>) -> Verdict {
    Bench::new().unwrap().run(plan, bug, &mut Tally::default(), true)
}

fn every_cent_is_in_its_place(order: PaymentOrder) {
    let (mut bench, mut tally) = (Bench::new().unwrap(), Tally::default());
    let choice = Choice { order: Some(order), keyed_percent: 5 };
    for seed in 1..=250 {
        let plan = Plan::of(seed, &choice);
        let verdict = bench.run(&plan, None, &mut tally, false);
        assert!(verdict.broken.is_empty(), "{order:?}, seed {seed}: {:?}", verdict.broken);
    }
    let kinds = Fault::ALL.into_iter().filter(|fault| tally.of(*fault) > 0).count();
    assert!(kinds >= 25, "{kinds} kinds of faults only");
    assert!(tally.completed > 100 && tally.voided > 30 && tally.claimed > 3, "{tally:?}");
    assert!(tally.keyed > 3, "hardly any on SQLCipher");
}

#[test]
fn vending_ends_with_every_cent_in_its_place() {
    every_cent_is_in_its_place(PaymentOrder::Vending);
}

#[test]
fn capture_first_ends_with_every_cent_in_its_place() {
    every_cent_is_in_its_place(PaymentOrder::CaptureFirst);
}

#[test]
fn pre_authorise_ends_with_every_cent_in_its_place() {
    every_cent_is_in_its_place(PaymentOrder::PreAuthorise);
}

#[test]
fn a_seed_is_a_history() {
    for seed in 1..40 {
        let plan = Plan::of(seed, &Choice { order: None, keyed_percent: 30 });
        let (one, other) = (run(&plan, None), run(&plan, None));
        assert_eq!(one, other, "seed {seed}");
        assert!(one.story.len() > 2, "seed {seed} tells nothing");
        // The same street, whatever ran on the bench before.
        let mut bench = Bench::new().unwrap();
        bench.run(&Plan::of(seed + 1, &Choice::default()), None, &mut Tally::default(), false);
        assert_eq!(bench.run(&plan, None, &mut Tally::default(), true), one, "seed {seed} after another");
    }
}

/// A seed at which each mistake is known to be found.
const FOUND: [(Bug, u64); Bug::ALL.len()] = [
    (Bug::SynchronousOff, 5),
    (Bug::SynchronousNormal, 12),
    (Bug::NoIntent, 11),
    (Bug::BlindCardRetry, 96),
    (Bug::RefundInDoubt, 96),
    (Bug::NewKeyPerRetry, 642),
    (Bug::ToldBeforeDurable, 32),
    (Bug::ReceiptBeforeServer, 2),
    (Bug::NoBootBarrier, 11619),
    (Bug::AmountNotCompared, 240),
    (Bug::ReplacedTillBelieved, 127),
    (Bug::WrapTakenForNeverMade, 40),
    (Bug::ReversesAnyLast, 851),
    (Bug::ClaimReversed, 2),
    (Bug::CounterNotCompared, 357),
    (Bug::RefusedUploadDeleted, 1269),
    (Bug::FloatForgotten, 2364),
    (Bug::FsyncRetried, 32),
    (Bug::LostAnswerBelieved, 8),
    (Bug::CaptureAsSale, 142),
    (Bug::OrderAfterExpiry, 63),
];

#[test]
fn every_deliberate_mistake_is_found() {
    let mut bench = Bench::new().unwrap();
    for (bug, seed) in FOUND {
        let plan = Plan::of(seed, &Choice::default());
        let with = bench.run(&plan, Some(bug), &mut Tally::default(), false);
        assert!(!with.broken.is_empty(), "{} is not found at seed {seed}", bug.name());
        let without = bench.run(&plan, None, &mut Tally::default(), false);
        assert!(without.broken.is_empty(), "seed {seed} fails without {}: {:?}", bug.name(), without.broken);
    }
    let named: std::collections::BTreeSet<Bug> = FOUND.iter().map(|(bug, _)| *bug).collect();
    assert_eq!(named.len(), Bug::ALL.len(), "a mistake that nobody looks for");
}

/// One visit at one terminal, with these faults in wait.
fn visit(order: PaymentOrder, armed: &[(Point, Fault)]) -> Plan {
    let mut plan = Plan::of(1, &Choice { order: Some(order), keyed_percent: 0 });
    plan.kiosks = 1;
    plan.ways.reverses_alone = false;
    (plan.ways.is_deaf, plan.ways.receipt) = (false, 470);
    let manner = Manner { lays_back_ms: None, ..Manner::CALM };
    plan.steps = vec![Step::Visit { kiosk: 0, card: 0, amount: 1000, manner }];
    plan.armed =
        armed.iter().map(|(point, fault)| Armed { cell: Cell { point: *point, fault: *fault }, spares: 0 }).collect();
    plan
}

fn all_is_well(plan: &Plan) {
    let verdict = run(plan, None);
    assert!(verdict.broken.is_empty(), "{}", report::story(0, plan, &verdict.broken, &verdict.story));
}

#[test]
fn a_reversal_whose_answer_was_lost_is_never_followed_by_a_credit() {
    for order in [PaymentOrder::Vending, PaymentOrder::CaptureFirst] {
        for forgets in [Fault::TillForgets, Fault::TillReplaced] {
            for cut in [Cut::Undone, Cut::Unanswered, Cut::Untaken] {
                let paid = (Point::deed(Deed::Authorise, Cut::Unanswered), Fault::Kill);
                let mut plan = visit(order, &[paid, (Point::deed(Deed::Reverse, cut), forgets)]);
                all_is_well(&plan);
                // Whether it was tried may be known to a process that is gone.
                plan.steps.push(Step::Stop { kiosk: 0, power: true });
                plan.steps.push(Step::Visit { kiosk: 0, card: 0, amount: 500, manner: Manner::CALM });
                all_is_well(&plan);
            }
        }
    }
}

#[test]
fn a_terminal_is_not_blocked_for_ever_by_a_payment_terminal_that_has_forgotten() {
    let paid = (Point::deed(Deed::Authorise, Cut::Unanswered), Fault::Kill);
    let mut plan =
        visit(PaymentOrder::Vending, &[paid, (Point::deed(Deed::Reverse, Cut::Unanswered), Fault::TillForgets)]);
    plan.steps.push(Step::Pass { ms: 200_000 });
    plan.steps.push(Step::Visit { kiosk: 0, card: 1, amount: 1000, manner: Manner::CALM });
    let verdict = run(&plan, None);
    let completed = verdict.story.iter().filter(|line| line.contains("ended Completed")).count();
    assert_eq!((verdict.broken.len(), completed), (0, 1), "{:#?}", verdict.story);
}

#[test]
fn a_claim_is_finished_at_another_terminal_on_the_citys_order() {
    let torn = (Point::deed(Deed::Credit, Cut::Undone), Fault::TornUncommitted);
    let mut plan = visit(PaymentOrder::Vending, &[torn]);
    (plan.kiosks, plan.ways.waits) = (2, 0);
    plan.steps.push(Step::Upload { kiosk: 0 });
    plan.steps.push(Step::Look { kiosk: 1, card: 0 });
    plan.steps.push(Step::Upload { kiosk: 1 });
    plan.steps.push(Step::Look { kiosk: 1, card: 0 });
    let verdict = run(&plan, None);
    let said = |kind: Kind| verdict.story.iter().any(|line| line.contains(&format!(": {} of ", kind.name())));
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.story);
    assert!(said(Kind::OrderCredited) && said(Kind::CreditedElsewhere), "{:#?}", verdict.story);
}

#[test]
fn each_cut_of_a_plain_top_up_survives_each_end_of_the_process() {
    let mut bench = Bench::new().unwrap();
    for order in ORDERS {
        for point in Point::all() {
            for fault in [Fault::Kill, Fault::PowerCut, Fault::KillThenPowerCut] {
                let plan = visit(order, &[(point, fault)]);
                let verdict = bench.run(&plan, None, &mut Tally::default(), false);
                assert!(verdict.broken.is_empty(), "{order:?} {point:?} {fault:?}: {:?}", verdict.broken);
            }
        }
    }
}
