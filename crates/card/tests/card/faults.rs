//! Tears, garbled replies and error statuses at every exchange. One rule is checked throughout: what the driver calls
//! certain is what the card's memory holds.

use crate::field::{CHIPS, PURSE, Tray, credit_key, description, description_of, kiosk_keys, layout, order};
use card::{Apdu, CardError, CardSession, CreditOutcome, Reply, Transport, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{Fault, FaultKind, FaultPlan, When};
use domain::card::{CreditVerdict, Technology};
use domain::{Cents, FailureCode, TopUpId};
use proptest::prelude::*;

/// More exchanges than any credit needs, so that every one is hit.
const EXCHANGES: u32 = 30;
const COMMIT: u8 = 0xC7;

/// Whether the card holds the top-up's record; purse and record are one transaction, so both say the same.
fn holds(tray: &Tray, top_up: TopUpId) -> bool {
    let card = tray.0.borrow();
    let recorded = card.top_ups().iter().any(|record| record.top_up == top_up);
    let purse = card.purse().unwrap();
    let top_ups = card.top_ups().into_iter().filter(|record| record.counter != 0);
    let sum: i64 = top_ups.map(|record| record.amount.0).sum();
    assert_eq!(purse, Cents(PURSE + sum), "purse and records disagree");
    recorded
}

/// One credit with faults, then what follows from its outcome. Gives the outcome.
fn credit_under(tray: &Tray, plan: FaultPlan, top_up: u8, counter_seen: u32) -> CreditOutcome {
    let order = order(top_up, 500, counter_seen);
    let mut session = tray.session();
    tray.0.borrow_mut().set_faults(plan);
    let outcome = session.credit(&mut credit_key(), &order);
    tray.0.borrow_mut().set_faults(FaultPlan::none());
    match &outcome {
        CreditOutcome::Credited { before, after, .. } => {
            assert!(holds(tray, order.top_up), "said credited");
            assert_eq!(tray.0.borrow().purse(), Some(*after));
            assert_eq!(before.checked_add(order.amount), Some(*after));
        }
        CreditOutcome::NotCredited(_) => assert!(!holds(tray, order.top_up), "said not credited"),
        CreditOutcome::InDoubt(_) => {}
    }
    drop(session);
    assert_eq!(resolved(tray, &order), holds(tray, order.top_up), "after {outcome:?}");
    outcome
}

fn resolved(tray: &Tray, order: &domain::device::CreditOrder) -> bool {
    match tray.session().resolve(&mut kiosk_keys(), order.top_up, order.counter_seen).unwrap() {
        CreditVerdict::Credited { now, .. } => {
            assert_eq!(Some(now), tray.0.borrow().purse());
            true
        }
        CreditVerdict::NotCredited => false,
        CreditVerdict::Unknown => panic!("the record cannot have rolled out"),
    }
}

/// The outcomes of a fault at each exchange, as letters: not credited, in doubt, credited.
fn letters(chip: Chip, kind: FaultKind) -> String {
    let letter = |number| {
        let tray = Tray::with(&description_of(chip));
        match credit_under(&tray, FaultPlan::once(When::Exchange(number), kind), 1, 0) {
            CreditOutcome::NotCredited(_) => 'n',
            CreditOutcome::InDoubt(_) => 'd',
            CreditOutcome::Credited { .. } => 'c',
        }
    };
    let all: String = (1..=EXCHANGES).map(letter).collect();
    all.trim_end_matches('c').to_owned()
}

/// The exchanges of a credit before its commit; then follow the commit and the read-back.
fn before_the_commit(chip: Chip) -> usize {
    match chip {
        // Select, challenge, answer, value, newest record (2), credit, record (2).
        Chip::Ev1 => 9,
        // Select, challenge, answer, value, newest record, credit, record, reader id.
        Chip::Ev2 | Chip::Ev3 => 8,
    }
}

fn certain_then_in_doubt(kind: FaultKind) {
    for chip in CHIPS {
        let expected = format!("{}dd", "n".repeat(before_the_commit(chip)));
        assert_eq!(letters(chip, kind), expected, "{chip:?} {kind:?}");
    }
}

#[test]
fn a_card_torn_off_at_any_exchange_is_certain_before_the_commit_and_in_doubt_from_it() {
    certain_then_in_doubt(FaultKind::TearBefore);
    certain_then_in_doubt(FaultKind::TearAfter);
}

#[test]
fn an_error_status_at_any_exchange_is_certain_before_the_commit_and_in_doubt_from_it() {
    for status in [0x0C, 0x1C, 0x1E, 0x9D, 0xAD, 0xAE, 0xBE, 0xCA, 0xEE] {
        certain_then_in_doubt(FaultKind::Status(status));
    }
}

#[test]
fn a_torn_commit_is_resolved_as_the_card_has_it() {
    let check = |chip, kind, expected| {
        let tray = Tray::with(&description_of(chip));
        let outcome = credit_under(&tray, FaultPlan::once(When::Ins(COMMIT), kind), 1, 0);
        assert_eq!(outcome, CreditOutcome::InDoubt(CardError::Transport(TransportError::ShortReply)));
        assert_eq!(holds(&tray, TopUpId([1; 16])), expected);
    };
    for chip in CHIPS {
        check(chip, FaultKind::TearBefore, false);
        check(chip, FaultKind::TearAfter, true);
    }
}

#[test]
fn a_credit_that_never_reached_its_commit_can_be_repeated() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let last = u32::try_from(before_the_commit(chip)).unwrap();
        let torn = credit_under(&tray, FaultPlan::once(When::Exchange(last), FaultKind::TearAfter), 1, 0);
        let CreditOutcome::NotCredited(refusal) = torn else { panic!("{torn:?}") };
        assert_eq!(refusal.failure(), FailureCode::CardTorn);
        assert!(matches!(credit_under(&tray, FaultPlan::none(), 1, 0), CreditOutcome::Credited { .. }));
        assert_eq!(tray.0.borrow().purse(), Some(Cents(PURSE + 500)));
    }
}

/// Somebody between card and reader answers 71 as an EV1 would.
struct Older(crate::field::Connection);

impl Transport for Older {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        match command.instruction() {
            0x71 => Reply::parse(vec![0x91, 0x1C]),
            _ => self.0.transmit(command),
        }
    }
}

/// The card itself insists on its CommitReaderID.
#[test]
fn a_card_made_to_look_like_an_ev1_is_not_credited() {
    let tray = Tray::with(&description());
    let (mut session, contents) = CardSession::open(Older(tray.connect()), &layout(), &mut kiosk_keys()).unwrap();
    assert_eq!(contents.technology, Technology::DesfireEv1);
    let outcome = session.credit(&mut credit_key(), &order(1, 500, 0));
    assert!(matches!(outcome, CreditOutcome::InDoubt(CardError::Refused { command: COMMIT, .. })), "{outcome:?}");
    assert!(!holds(&tray, TopUpId([1; 16])));
    assert!(!resolved(&tray, &order(1, 500, 0)), "and the next look says so");
}

#[test]
fn a_lost_session_answers_nothing_more() {
    let tray = Tray::with(&description());
    let mut session = tray.session();
    tray.0.borrow_mut().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::TearBefore));
    assert!(session.prove_credit_key(&mut credit_key()).is_err());
    assert!(session.is_lost());
    let closed = session.top_ups(&mut kiosk_keys()).unwrap_err();
    assert_eq!(closed, CardError::Transport(TransportError::Closed));
}

fn any_chip() -> impl Strategy<Value = Chip> {
    prop_oneof![Just(Chip::Ev1), Just(Chip::Ev2), Just(Chip::Ev3)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        Just(FaultKind::TearBefore),
        Just(FaultKind::TearAfter),
        any::<u32>().prop_map(FaultKind::FlipBit),
        any::<u8>().prop_map(FaultKind::Status),
    ];
    ((1..14_u32).prop_map(When::Exchange), kind).prop_map(|(when, kind)| Fault { when, kind })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each round credits under faults; the counter journalled with the intent is the card's.
    #[test]
    fn whatever_is_garbled_the_driver_never_claims_what_the_card_does_not_hold(
        chip in any_chip(),
        rounds in prop::collection::vec(prop::collection::vec(any_fault(), 0..3), 1..5),
    ) {
        let tray = Tray::with(&description_of(chip));
        for (round, faults) in (1..).zip(rounds) {
            let counter_seen = tray.0.borrow().top_ups()[0].counter;
            credit_under(&tray, FaultPlan { faults }, round, counter_seen);
        }
    }

    /// A reply that was tampered with while a card is read never changes what is shown, but for the value that the
    /// layout leaves unprotected.
    #[test]
    fn a_garbled_reply_never_changes_what_is_read(chip in any_chip(), number in 1..30_u32, bit: u32) {
        let tray = Tray::with(&description_of(chip));
        let expected = tray.open().unwrap().1;
        tray.0.borrow_mut().set_faults(FaultPlan::once(When::Exchange(number), FaultKind::FlipBit(bit)));
        if let Ok((_, contents)) = tray.open() {
            let shown = card::CardContents { purse: expected.purse, ..contents };
            prop_assert_eq!(shown, expected);
        }
    }
}
