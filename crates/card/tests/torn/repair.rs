//! Mending a Classic card, torn.

use crate::city::{Kind, PURSE};
use crate::credit::{after, names, told};
use crate::life::Books;
use crate::tear::{Tear, around, everywhere, within};
use crate::terminal::{Scene, Terminal};
use card::CreditOutcome;
use card_simulator::FaultKind;

const PAST: u8 = 2;

/// The tears of a credit that leave something to mend.
fn broken(kind: Kind) -> Vec<Tear> {
    let names = names(kind, PAST);
    let mut tears = around(&names);
    tears.extend(within(&names, FaultKind::TearMidWrite).into_iter().filter(|tear| is_chosen(tear.kind)));
    tears.retain(|tear| after(kind, PAST, tear).0.needs_repair());
    tears
}

/// Some of each field of a block.
fn is_chosen(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::TearMidWrite(0 | 3 | 7 | 11 | 15))
}

#[test]
fn there_is_something_to_mend_in_the_main_block_and_in_the_seal() {
    for kind in Kind::CLASSIC {
        let (mut restored, mut sealed) = (0, 0);
        for tear in broken(kind) {
            let (terminal, books) = after(kind, PAST, &tear);
            restored += u8::from(terminal.purse().is_none());
            sealed += u8::from(books.claims[0].committed && !terminal.is_sealed(books.counter));
        }
        assert!(restored >= 4 && sealed >= 4, "{restored} {sealed}");
    }
}

/// Torn at every exchange, once or twice, and done again.
fn check(kind: Kind, times: u8) {
    for first in broken(kind) {
        let (repaired, names) = after(kind, PAST, &first).0.repair(None);
        assert_eq!(repaired, Ok(true), "after {first}");
        for tear in everywhere(kind, &names) {
            let _first = Scene::of(kind, "credit", &first);
            let _scene = Scene::of(kind, "repair", &tear);
            let (mut terminal, books, outcome) = told(kind, PAST, &first);
            for _ in 0..times {
                let (repaired, _) = terminal.repair(Some(&tear));
                let cut_short = terminal.is_torn();
                assert!(repaired.is_err() || !cut_short || tear.number == last(&names), "{repaired:?}");
            }
            terminal.repair(None).0.unwrap();
            assert_eq!(terminal.repair(None).0, Ok(false));
            let mut books = mended(&terminal, &books, &outcome);
            assert!(!terminal.needs_repair() && terminal.is_sealed(books.counter));
            books.go_on(&mut terminal);
        }
    }
}

/// The books after the mending. A top-up of which nobody was told anything may have gone either way in it; one that was
/// told stays as it was told.
fn mended(terminal: &Terminal, books: &Books, outcome: &CreditOutcome) -> Books {
    let order = books.claims[0].order;
    let committed = terminal.committed(&order);
    assert!(matches!(outcome, CreditOutcome::InDoubt(_)) || committed == books.claims[0].committed, "{outcome:?}");
    let mut books = Books::of(PURSE, u32::from(PAST));
    books.enter(order, committed);
    books
}

fn last(names: &[String]) -> u32 {
    u32::try_from(names.len()).unwrap()
}

#[test]
fn a_repair_torn_at_any_exchange_is_done_again_and_changes_no_verdict() {
    check(Kind::ClassicAcs, 1);
    check(Kind::ClassicPortable, 1);
}

#[test]
fn a_repair_that_is_torn_twice_is_done_the_third_time() {
    check(Kind::ClassicPortable, 2);
}
