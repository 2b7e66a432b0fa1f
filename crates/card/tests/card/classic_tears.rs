//! A MIFARE Classic card lifted at every exchange: before the command, after it, and in the middle of its write.
//! Afterwards the value is conserved, the verdict is right and stays right, and the next visit works.

use crate::classic_field::{CLASSIC_PURSE, Central, ClassicTray, READERS, classic_order, flawed, topped_up};
use crate::field::kiosk_keys;
use card::{CardError, CreditOutcome, TransportError};
use card_simulator::{ClassicFlaw, FaultKind, FaultPlan, ReaderKind, When};
use domain::card::CreditVerdict;
use domain::{Cents, FailureCode, TopUpId};
use keys::classic::PurseSeal;

const OURS: u8 = 9;
const AMOUNT: i64 = 700;
/// A credit: both sectors read with keys B (10); backup (4); record (4); value and counter, and their reading back (4);
/// seal; and the reader is given zeros in place of key B.
const EXCHANGES: u32 = 24;
/// The one that writes the seal.
const SEAL: u32 = 23;
/// The exchange that decides.
const COMMIT: u32 = 21;
/// The reader whose every operation is its own, and the one that has none.
const BOTH: [(ReaderKind, &str, card::ReaderProfile); 2] = [READERS[0], READERS[3]];

fn tears() -> Vec<FaultKind> {
    let mid_write = [0, 1, 4, 6, 8, 10, 11, 12, 13, 15].map(FaultKind::TearMidWrite);
    let suffix = [1, 2, 4, 6, 8, 12, 15].map(FaultKind::TearSuffix);
    [FaultKind::TearBefore, FaultKind::TearAfter].into_iter().chain(mid_write).chain(suffix).collect()
}

/// What is true of the card, by the books.
#[derive(Clone, Copy)]
struct Books {
    value: i64,
    counter: u32,
    credited: bool,
}

/// The verdict now, which must be neither unknown nor against what was said before.
fn settle(tray: &ClassicTray, outcome: &CreditOutcome, seen: u32, hint: &str) -> Books {
    let verdict = tray.resolve(OURS, seen);
    let credited = match verdict {
        CreditVerdict::Credited { before, now, .. } => {
            assert_eq!((before.0, now.0), (CLASSIC_PURSE, CLASSIC_PURSE + AMOUNT), "{hint}");
            true
        }
        CreditVerdict::NotCredited => false,
        CreditVerdict::Unknown => panic!("unknown: {hint}"),
    };
    match outcome {
        CreditOutcome::Credited { .. } => assert!(credited, "{hint}"),
        CreditOutcome::NotCredited(_) => assert!(!credited, "{hint}"),
        CreditOutcome::InDoubt(_) => {}
    }
    let value = CLASSIC_PURSE + if credited { AMOUNT } else { 0 };
    Books { value, counter: seen + u32::from(credited), credited }
}

/// The card is seen, ridden with, topped up again and again.
fn live_on(tray: &ClassicTray, central: &mut Central, mut books: Books, seen: u32, hint: &str) {
    let contents = tray.contents();
    assert_eq!((contents.needs_check, contents.purse), (None, Some(Cents(books.value))), "{hint}");
    assert_eq!(contents.top_ups[0].counter, books.counter, "{hint}");
    let whole = tray.main().is_some();
    let ridden = tray.card.borrow_mut().debit(Cents(40)).is_ok();
    assert_eq!(ridden, whole, "a validator refuses a broken main block: {hint}");
    books.value -= if ridden { 40 } else { 0 };
    for number in 0..5_u8 {
        let order = classic_order(20 + number, 100, books.counter);
        let outcome = tray.session().credit(central, &order);
        let (before, after) = (Cents(books.value), Cents(books.value + 100));
        assert_eq!(outcome, CreditOutcome::Credited { before, after, receipt: None }, "{hint}");
        (books.value, books.counter) = (after.0, books.counter + 1);
        tray.card.borrow_mut().debit(Cents(10)).unwrap();
        books.value -= 10;
        let value_after = u16::try_from(after.0).unwrap();
        assert!(tray.is_sealed(central, &PurseSeal { counter: books.counter, day: 9_457, value_after }), "{hint}");
        match tray.resolve(OURS, seen) {
            CreditVerdict::Credited { now, .. } => assert!(books.credited && now == Cents(books.value), "{hint}"),
            CreditVerdict::NotCredited => assert!(!books.credited, "{hint}"),
            CreditVerdict::Unknown => assert!(books.counter > seen + 3, "too early: {hint}"),
        }
    }
    assert_eq!(tray.resolve(OURS, seen), CreditVerdict::Unknown, "the records have rolled: {hint}");
}

/// Runs a credit with one tear at each exchange in turn, until the tear no longer strikes; gives the exchanges of a
/// whole credit.
fn every_exchange(mut check: impl FnMut(FaultKind, u32, u32) -> bool) -> u32 {
    let mut exchanges = 0;
    for kind in tears() {
        for count in [0, 1, 5] {
            let reached = (1..).find(|&number| !check(kind, number, count)).unwrap();
            exchanges = exchanges.max(reached - 1);
        }
    }
    exchanges
}

#[test]
fn a_credit_torn_at_any_exchange_conserves_the_value_and_is_resolved() {
    for reader in BOTH {
        let exchanges = every_exchange(|kind, number, count| {
            let tray = ClassicTray::on(&topped_up(count), reader);
            let mut central = Central::at(count);
            let plan = FaultPlan::once(When::Exchange(number), kind);
            let outcome = tray.credit_under(&mut central, plan, &classic_order(OURS, AMOUNT, count));
            let hint = format!("{kind:?} at exchange {number} after {count} top-ups: {outcome:?}");
            let torn = !matches!(outcome, CreditOutcome::Credited { .. }) || tray.card.borrow().is_torn();
            let books = settle(&tray, &outcome, count, &hint);
            live_on(&tray, &mut central, books, count, &hint);
            torn
        });
        assert_eq!(exchanges, EXCHANGES, "{reader:?}");
    }
}

/// A letter for each exchange of a credit: not credited, in doubt, credited.
fn letters(kind: FaultKind) -> String {
    let mut letters = String::new();
    for number in 1.. {
        let tray = ClassicTray::with(&topped_up(2));
        let plan = FaultPlan::once(When::Exchange(number), kind);
        let outcome = tray.credit_under(&mut Central::at(2), plan, &classic_order(OURS, AMOUNT, 2));
        let torn = tray.card.borrow().is_torn();
        letters.push(match outcome {
            CreditOutcome::Credited { .. } => 'c',
            CreditOutcome::NotCredited(refusal) => {
                assert_eq!(refusal.failure(), FailureCode::CardTorn);
                'n'
            }
            CreditOutcome::InDoubt(CardError::Transport(TransportError::ShortReply)) => 'd',
            CreditOutcome::InDoubt(error) => panic!("{error}"),
        });
        if !torn {
            break;
        }
    }
    letters
}

#[test]
fn only_the_commit_and_its_read_back_are_ever_in_doubt() {
    // The write of the main block and its reading back; the seal comes after the proof.
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter, FaultKind::TearMidWrite(7)] {
        assert_eq!(letters(kind), format!("{}ddccc", "n".repeat(20)), "{kind:?}");
    }
}

#[test]
fn a_reader_that_says_failed_at_any_exchange_never_hides_a_credit() {
    every_exchange(|kind, number, count| {
        if kind != FaultKind::TearBefore {
            return false;
        }
        let tray = ClassicTray::with(&topped_up(count));
        let mut central = Central::at(count);
        let plan = FaultPlan::once(When::Exchange(number), FaultKind::Status(0));
        let outcome = tray.credit_under(&mut central, plan, &classic_order(OURS, AMOUNT, count));
        let hint = format!("failed at exchange {number} after {count} top-ups: {outcome:?}");
        let books = settle(&tray, &outcome, count, &hint);
        live_on(&tray, &mut central, books, count, &hint);
        number < 25
    });
}

#[test]
fn a_card_lifted_while_it_is_read_is_unreadable_and_unchanged() {
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        let mut read = 0;
        for number in 1..=40 {
            let tray = ClassicTray::with(&topped_up(4));
            let expected = tray.contents();
            let memory = tray.card.borrow().memory().clone();
            tray.card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(number), kind));
            match tray.open() {
                Ok((_, contents)) => {
                    assert_eq!(contents, expected);
                    read += 1;
                }
                Err(error) => assert_eq!(error.failure(), FailureCode::CardUnreadable),
            }
            tray.card.borrow_mut().set_faults(FaultPlan::none());
            assert_eq!(tray.card.borrow().memory(), &memory);
            assert_eq!(tray.contents(), expected, "the next visit works");
        }
        assert_eq!(read, 40 - 18, "eighteen exchanges read a card");
    }
}

#[test]
fn a_repair_torn_at_any_exchange_can_be_repeated() {
    // The main block cut off; then the seal never written, and cut off at each of its fields.
    let main_torn = |tray: &ClassicTray, central: &mut Central| {
        torn_at(tray, central, COMMIT, FaultKind::TearMidWrite(7));
        assert_eq!(tray.main(), None);
    };
    let unsealed = |tray: &ClassicTray, central: &mut Central| {
        torn_at(tray, central, SEAL, FaultKind::TearBefore);
        assert_eq!(tray.main(), Some((1_950, 3)));
    };
    let half_sealed = |tray: &ClassicTray, central: &mut Central| {
        torn_at(tray, central, SEAL, FaultKind::TearMidWrite(3));
        assert_eq!(tray.main(), Some((1_950, 3)));
    };
    check_repair(main_torn, false);
    check_repair(unsealed, true);
    check_repair(half_sealed, true);
}

fn torn_at(tray: &ClassicTray, central: &mut Central, exchange: u32, kind: FaultKind) {
    let plan = FaultPlan::once(When::Exchange(exchange), kind);
    tray.credit_under(central, plan, &classic_order(OURS, AMOUNT, 2));
}

fn check_repair(broken: impl Fn(&ClassicTray, &mut Central), credited: bool) {
    for reader in BOTH {
        for kind in tears() {
            let repaired = (1..80).find(|&number| {
                let (tray, mut central) = (ClassicTray::on(&topped_up(2), reader), Central::at(2));
                broken(&tray, &mut central);
                let value = CLASSIC_PURSE + if credited { AMOUNT } else { 0 };
                let books = Books { value, counter: 2 + u32::from(credited), credited };
                let mut session = tray.session();
                assert!(session.needs_repair());
                tray.card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(number), kind));
                let repair = session.repair(&mut central);
                let struck = tray.card.borrow().is_torn();
                tray.card.borrow_mut().set_faults(FaultPlan::none());
                let hint = format!("{reader:?} {kind:?} at exchange {number}: {repair:?}");
                // The last exchange takes the key out of the reader: all is done by then.
                assert!(struck || repair.is_ok(), "{hint}");
                assert_eq!(matches!(tray.resolve(OURS, 2), CreditVerdict::Credited { .. }), credited, "{hint}");
                tray.session().repair(&mut central).unwrap();
                assert_eq!(tray.session().repair(&mut central), Ok(false), "{hint}");
                assert!(!tray.session().needs_repair());
                live_on(&tray, &mut central, books, 2, &hint);
                !struck
            });
            assert!(repaired.is_some_and(|number| number > 12), "{repaired:?}");
        }
    }
}

#[test]
fn a_lost_session_answers_nothing_more() {
    let tray = ClassicTray::with(&topped_up(2));
    let mut session = tray.session();
    tray.card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::TearBefore));
    assert!(session.check_presence().is_err());
    assert!(session.is_lost());
    let closed = session.resolve(&mut kiosk_keys(), TopUpId([1; 16]), 2).unwrap_err();
    assert_eq!(closed, CardError::Transport(TransportError::Closed));
}

/// Counts what a transport carries.
fn exchanges_of(tray: &ClassicTray, central: &mut Central) -> u32 {
    let mut session = tray.session();
    tray.carried.set(0);
    let order = classic_order(OURS, AMOUNT, central.sealed);
    let outcome = session.credit(central, &order);
    assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    tray.carried.get()
}

#[test]
fn a_credit_takes_as_many_exchanges_as_the_layout_says() {
    for reader in READERS {
        let tray = ClassicTray::on(&topped_up(2), reader);
        assert_eq!(exchanges_of(&tray, &mut Central::at(2)), EXCHANGES);
        let tray = ClassicTray::on(&flawed(3, ClassicFlaw::SealBehind), reader);
        assert_eq!(exchanges_of(&tray, &mut Central::at(3)), EXCHANGES + 27);
        let (tray, mut central) = (ClassicTray::on(&topped_up(2), reader), Central::at(2));
        torn_at(&tray, &mut central, COMMIT, FaultKind::TearMidWrite(7));
        central.sealed = 2;
        assert_eq!(exchanges_of(&tray, &mut central), EXCHANGES + 27);
    }
}

/// The new address byte over the old value: credited by the counter, and the money missing.
#[test]
fn a_main_block_whose_end_alone_is_new_is_taken_back() {
    let tray = ClassicTray::with(&topped_up(2));
    torn_at(&tray, &mut Central::at(2), COMMIT, FaultKind::TearSuffix(4));
    assert_eq!(tray.main(), Some((1_250, 3)));
    assert_eq!(tray.session().resolve(&mut kiosk_keys(), TopUpId([OURS; 16]), 2), Err(CardError::Unsettled));
    assert_eq!(tray.resolve(OURS, 2), CreditVerdict::NotCredited);
    assert_eq!(tray.main(), Some((1_250, 2)));
}

#[test]
fn a_top_up_that_may_have_been_cut_off_gets_no_verdict_before_it_is_mended_and_older_ones_do() {
    for (number, expected) in [(COMMIT, CreditVerdict::NotCredited), (SEAL, credited())] {
        let tray = ClassicTray::with(&topped_up(2));
        torn_at(&tray, &mut Central::at(2), number, FaultKind::TearBefore);
        let mut session = tray.session();
        assert!(session.needs_repair());
        let mut ask = |id, seen| session.resolve(&mut kiosk_keys(), TopUpId([id; 16]), seen);
        assert_eq!(ask(OURS, 2), Err(CardError::Unsettled));
        assert!(matches!(ask(102, 1), Ok(CreditVerdict::Credited { .. })));
        assert_eq!(ask(99, 1), Ok(CreditVerdict::NotCredited));
        assert_eq!(CardError::Unsettled.failure(), FailureCode::CardTorn);
        assert_eq!(tray.resolve(OURS, 2), expected);
        assert!(!tray.session().needs_repair());
    }
}

fn credited() -> CreditVerdict {
    CreditVerdict::Credited { before: Cents(CLASSIC_PURSE), now: Cents(CLASSIC_PURSE + AMOUNT), by: None }
}

#[test]
fn nothing_is_mended_against_the_books() {
    for (number, kind) in
        [(COMMIT, FaultKind::TearMidWrite(7)), (COMMIT, FaultKind::TearBefore), (SEAL, FaultKind::TearBefore)]
    {
        let (tray, mut central) = (ClassicTray::with(&topped_up(2)), Central::at(2));
        torn_at(&tray, &mut central, number, kind);
        let memory = tray.card.borrow().memory().clone();
        let mut refusing = Central { refuses: true, ..Central::at(2) };
        let refused = tray.session().repair(&mut refusing).unwrap_err();
        assert_eq!(refused.failure(), FailureCode::CentralUnreachable);
        assert_eq!(tray.card.borrow().memory(), &memory);
        let [told] = refusing.found[..] else { panic!("told once") };
        assert_eq!((told.counter, told.value.0), if number == SEAL { (3, 1_950) } else { (2, 1_250) });
        assert_eq!(told.seal.seal.counter, 2);
    }
}

#[test]
fn the_books_are_asked_before_any_payment() {
    let tray = ClassicTray::with(&topped_up(2));
    let mut refusing = Central { refuses: true, ..Central::at(2) };
    assert!(tray.session().prove_credit_key(&mut refusing).is_err());
    assert_eq!(refusing.found.len(), 1);
}

#[test]
fn a_second_top_up_of_a_visit_is_proven_by_what_the_first_has_left() {
    let tray = ClassicTray::with(&topped_up(2));
    let mut central = Central::at(2);
    let mut session = tray.session();
    session.prove_credit_key(&mut central).unwrap();
    let outcome = session.credit(&mut central, &classic_order(1, 500, 2));
    assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    session.prove_credit_key(&mut central).unwrap();
    assert_eq!(central.found.last().map(|found| found.counter), Some(3));
}

#[test]
fn a_seal_cut_off_inside_its_mac_is_written_again_at_the_next_visit() {
    for cut in 8..16 {
        let (tray, mut central) = (ClassicTray::with(&topped_up(2)), Central::at(2));
        torn_at(&tray, &mut central, SEAL, FaultKind::TearMidWrite(cut));
        let seal = PurseSeal { counter: 3, day: 9_457, value_after: 1_950 };
        assert!(!tray.is_sealed(&central, &seal) && !tray.session().needs_repair(), "only central can tell");
        assert_eq!(tray.session().repair(&mut central), Ok(true), "{cut}");
        assert!(tray.is_sealed(&central, &seal));
        assert_eq!(tray.session().repair(&mut central), Ok(false));
    }
}
