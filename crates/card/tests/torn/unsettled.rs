//! A Classic block that was written for too short a time: each of its last bytes reads as it was or as it was meant,
//! anew at every reading.

use crate::city::{Kind, PURSE, order};
use crate::credit::{names, ours};
use crate::tear::{Tear, within};
use crate::terminal::{Scene, Terminal};
use card::CreditOutcome;
use card_simulator::FaultKind;
use domain::Cents;
use domain::card::CreditVerdict;

/// Visits after which it must have been topped up again; each may meet cells that read differently in its course.
const VISITS_MAX: u8 = 60;

/// Cards whose cells fall differently.
const SEEDS: u64 = 50;

/// The next top-up, by a terminal that comes again when the card contradicts itself.
fn top_up(terminal: &mut Terminal, id: u8) -> Cents {
    for _ in 0..VISITS_MAX {
        let contents = terminal.contents();
        let Some(seen) = contents.top_ups.first().filter(|_| contents.needs_check.is_none()) else { continue };
        let (outcome, _) = terminal.credit(&order(id, Cents(100), seen.counter), None);
        match outcome {
            CreditOutcome::Credited { after, .. } => return after,
            CreditOutcome::NotCredited(_) => {}
            CreditOutcome::InDoubt(error) => panic!("{error}"),
        }
    }
    panic!("it is never topped up again");
}

/// How a terminal goes on after the tear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    TopUp,
    RepairFirst,
}

/// All verdicts that were ever given are the same, and right in the end.
fn check(kind: Kind, past: u8, tear: &Tear, next: Next, seed: u64) {
    let _scene = Scene::of(kind, "credit", tear);
    let mut terminal = Terminal::seeded(kind, past, seed);
    let ours = ours(u32::from(past));
    let (outcome, _) = terminal.credit(&ours, Some(tear));
    // Asked before anything is mended: what is said at all must hold.
    let ask = |terminal: &mut Terminal| terminal.ask(ours.top_up, ours.counter_seen, None).0.ok();
    let mut verdicts: Vec<CreditVerdict> = (0..3).filter_map(|_| ask(&mut terminal)).collect();
    if next == Next::RepairFirst {
        let repaired = (0..VISITS_MAX).any(|_| terminal.repair(None).0.is_ok());
        assert!(repaired, "it is never mended");
        verdicts.extend((0..3).filter_map(|_| ask(&mut terminal)));
    }
    let after = top_up(&mut terminal, 20);
    // Written anew: from here on it reads as it is.
    let (without, with) = (Cents(PURSE.0 + 100), Cents(PURSE.0 + ours.amount.0 + 100));
    let last = terminal.resolve(&ours);
    match last {
        CreditVerdict::Credited { before, now, .. } => assert_eq!((before, now, after), (PURSE, with, with)),
        CreditVerdict::NotCredited => assert_eq!(after, without),
        CreditVerdict::Unknown => panic!("it has not rolled"),
    }
    assert_eq!(terminal.contents().purse, Some(after));
    match outcome {
        CreditOutcome::Credited { .. } => assert_ne!(last, CreditVerdict::NotCredited, "said credited"),
        CreditOutcome::NotCredited(_) => assert_eq!(last, CreditVerdict::NotCredited, "said not credited"),
        CreditOutcome::InDoubt(_) => {}
    }
    let credited = |verdict: &CreditVerdict| matches!(verdict, CreditVerdict::Credited { .. });
    verdicts.retain(|verdict| *verdict != CreditVerdict::Unknown);
    assert!(
        verdicts.iter().all(|verdict| credited(verdict) == credited(&last)),
        "{verdicts:?}, then {last:?} ({seed})"
    );
}

#[test]
fn cells_that_read_either_way_never_change_a_verdict() {
    for (kind, past) in Kind::CLASSIC.into_iter().flat_map(|kind| [(kind, 0), (kind, 1), (kind, 5)]) {
        for tear in within(&names(kind, past), FaultKind::TearUnsettled) {
            for seed in 0..SEEDS {
                check(kind, past, &tear, Next::TopUp, seed);
                check(kind, past, &tear, Next::RepairFirst, seed);
            }
        }
    }
}
