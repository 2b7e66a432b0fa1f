//! A top-up that was torn.

use crate::city::{Kind, PURSE, order};
use crate::life::Books;
use crate::tear::{COMMIT, Tear, around, everywhere, within};
use crate::terminal::{Scene, Terminal};
use card::{CreditOutcome, CreditRefusal};
use card_simulator::FaultKind;
use domain::device::CreditOrder;
use domain::{Cents, FailureCode};

const AMOUNT: Cents = Cents(700);
/// The main block of the purse's sector.
const CLASSIC_COMMIT: &str = "write block 8";

pub(crate) fn ours(counter_seen: u32) -> CreditOrder {
    order(9, AMOUNT, counter_seen)
}

fn second(counter_seen: u32) -> CreditOrder {
    order(10, Cents(300), counter_seen)
}

/// The exchanges of our credit.
pub(crate) fn names(kind: Kind, past: u8) -> Vec<String> {
    Terminal::untorn(kind, past, |terminal| {
        let (outcome, names) = terminal.credit(&ours(u32::from(past)), None);
        assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
        names
    })
}

/// Credits under a tear, compares the outcome with the card's memory, and enters the truth.
pub(crate) fn torn(terminal: &mut Terminal, books: &mut Books, order: CreditOrder, tear: &Tear) -> CreditOutcome {
    let (outcome, _) = terminal.credit(&order, Some(tear));
    assert!(terminal.is_torn(), "it was lifted");
    let committed = terminal.committed(&order);
    match &outcome {
        CreditOutcome::Credited { before, after, .. } => {
            assert!(committed, "said credited");
            assert_eq!(Some(*after), before.checked_add(order.amount));
            assert_eq!((*before, Some(*after)), (books.purse, terminal.purse()));
        }
        CreditOutcome::NotCredited(refusal) => {
            assert!(!committed, "said not credited: {refusal}");
            assert!(matches!(refusal, CreditRefusal::Card(_)), "{refusal}");
            assert_eq!(refusal.failure(), FailureCode::CardTorn);
        }
        CreditOutcome::InDoubt(_) => {}
    }
    books.enter(order, committed);
    outcome
}

/// A terminal whose card was lifted in our credit, and what is true then.
pub(crate) fn after(kind: Kind, past: u8, tear: &Tear) -> (Terminal, Books) {
    let (terminal, books, _) = told(kind, past, tear);
    (terminal, books)
}

/// The same, and what the terminal was told.
pub(crate) fn told(kind: Kind, past: u8, tear: &Tear) -> (Terminal, Books, CreditOutcome) {
    let mut terminal = Terminal::with(kind, past);
    let mut books = Books::of(PURSE, u32::from(past));
    let order = ours(books.counter);
    let outcome = torn(&mut terminal, &mut books, order, tear);
    (terminal, books, outcome)
}

fn conserves_value(kind: Kind, pasts: &[u8]) {
    for &past in pasts {
        for tear in everywhere(kind, &names(kind, past)) {
            let _scene = Scene::of(kind, "credit", &tear);
            let (mut terminal, mut books) = after(kind, past, &tear);
            books.live_on(&mut terminal);
        }
    }
}

/// Never topped up, and with full files.
const PASTS: [u8; 2] = [0, 7];

#[test]
fn an_ev1_lifted_at_any_exchange_of_a_credit_conserves_the_value() {
    conserves_value(Kind::Ev1, &PASTS);
}

#[test]
fn an_ev2_lifted_at_any_exchange_of_a_credit_conserves_the_value() {
    conserves_value(Kind::Ev2, &PASTS);
}

#[test]
fn an_ev3_lifted_at_any_exchange_of_a_credit_conserves_the_value() {
    conserves_value(Kind::Ev3, &PASTS);
}

#[test]
fn a_card_with_a_hidden_uid_lifted_at_any_exchange_of_a_credit_conserves_the_value() {
    conserves_value(Kind::HiddenUid, &PASTS);
}

#[test]
fn a_classic_lifted_at_any_exchange_of_a_credit_conserves_the_value() {
    conserves_value(Kind::ClassicAcs, &[0, 1, 2, 3]);
}

#[test]
fn so_does_one_on_a_reader_without_value_operations() {
    conserves_value(Kind::ClassicPortable, &[0, 1, 2, 3]);
}

/// Before one exchange nothing has happened, and from it on everything has.
#[test]
fn a_credit_hangs_on_one_exchange() {
    for kind in Kind::ALL {
        let names = names(kind, 5);
        let commit = if kind.is_classic() { CLASSIC_COMMIT } else { COMMIT };
        assert_eq!(names.iter().filter(|name| *name == commit).count(), 1, "{names:?}");
        let deciding = u32::try_from(names.iter().position(|name| name == commit).unwrap()).unwrap() + 1;
        for tear in around(&names) {
            let _scene = Scene::of(kind, "credit", &tear);
            let mut terminal = Terminal::with(kind, 5);
            let mut books = Books::of(PURSE, 5);
            let outcome = torn(&mut terminal, &mut books, ours(5), &tear);
            let ran = if tear.kind == FaultKind::TearAfter { tear.number } else { tear.number - 1 };
            assert_eq!(books.claims[0].committed, ran >= deciding);
            assert_eq!(matches!(outcome, CreditOutcome::NotCredited(_)), tear.number < deciding, "{outcome:?}");
        }
    }
}

/// Every pair of tears: the next top-up is torn too, and perhaps mends on its way what the first has left.
fn two_in_a_row(kind: Kind, chosen: fn(&[String]) -> Vec<Tear>) {
    let past = 5;
    for first in chosen(&names(kind, past)) {
        let (mut terminal, books) = after(kind, past, &first);
        let (outcome, names) = terminal.credit(&second(books.counter), None);
        assert!(matches!(outcome, CreditOutcome::Credited { .. }), "after {first}: {outcome:?}");
        for tear in chosen(&names) {
            let _first = Scene::of(kind, "the first credit", &first);
            let _scene = Scene::of(kind, "the second credit", &tear);
            let (mut terminal, mut books) = after(kind, past, &first);
            let order = second(books.counter);
            torn(&mut terminal, &mut books, order, &tear);
            books.go_on(&mut terminal);
        }
    }
}

#[test]
fn two_torn_credits_in_a_row_conserve_the_value() {
    for kind in Kind::DESFIRE {
        two_in_a_row(kind, around);
    }
}

#[test]
fn two_torn_credits_in_a_row_conserve_the_value_of_a_classic() {
    let chosen = |names: &[String]| {
        let mut tears = around(names);
        tears.extend(within(names, FaultKind::TearMidWrite).into_iter().skip(3).step_by(4));
        tears
    };
    two_in_a_row(Kind::ClassicAcs, chosen);
    two_in_a_row(Kind::ClassicPortable, chosen);
}
