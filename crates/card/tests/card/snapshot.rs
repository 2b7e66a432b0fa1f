//! Reading a card, and writing what the read key may.

use crate::field::{TERMINAL, Tray, UID, credit_key, description, kiosk_keys, kiosk_keys_of, layout, order, read_key};
use card::{CardError, CardSession, CreditOutcome, TransportError};
use card_simulator::{FaultKind, FaultPlan, When};
use domain::card::{PinTries, Presentation, Wishes};
use domain::{CardNumber, Cents, FailureCode, Generation, Handle};
use keys::KeyRole;

#[test]
fn a_card_is_read_as_it_was_personalised() {
    let tray = Tray::with(&description());
    tray.0.borrow_mut().debit(Cents(150), 3, 29_000_000, TERMINAL).unwrap();
    tray.0.borrow_mut().debit(Cents(95), 1, 29_000_060, TERMINAL).unwrap();
    let (session, contents) = tray.open().unwrap();
    assert_eq!(session.uid().bytes(), UID);
    assert_eq!(contents.identity.secret.expose(), &[0x5C; 32]);
    let snapshot = contents.into_snapshot(Presentation(9), Some(Handle(3)));
    assert_eq!((snapshot.number, snapshot.generation), (CardNumber(6_001_234_567), Generation(2)));
    assert_eq!(snapshot.purse, Some(Cents(1_005)));
    assert_eq!(snapshot.top_up_counter(), 0);
    assert_eq!(snapshot.top_ups.len(), 1, "record 0");
    let movements: Vec<_> = snapshot.movements.iter().map(|m| (m.counter, m.amount, m.balance)).collect();
    assert_eq!(movements, [(2, Cents(95), Cents(1_005)), (1, Cents(150), Cents(1_100))]);
    assert_eq!(snapshot.tries, PinTries { attempt: 4, failures: 1, pin_version: 1 });
    assert_eq!(snapshot.wishes, Wishes { language: Some(*b"ast"), speech: true, ..Wishes::default() });
}

#[test]
fn a_random_uid_card_is_known_by_its_real_uid() {
    let tray = Tray::with(&card_simulator::CardDescription { random_uid: true, ..description() });
    let (session, contents) = tray.open().unwrap();
    assert_eq!(session.uid().bytes(), UID);
    assert_eq!(contents.identity.number, CardNumber(6_001_234_567));
}

#[test]
fn the_older_version_of_the_read_key_still_opens_a_card() {
    let tray = Tray::with(&description());
    let mut keys = kiosk_keys_of(vec![[0xEE; 16], read_key()]);
    assert!(CardSession::open(tray.connect(), &layout(), &mut keys).is_ok());
}

#[test]
fn a_purse_that_hides_its_value_is_read_without_it() {
    let mut description = description();
    description.purse.free_get_value = false;
    let tray = Tray::with(&description);
    let (mut session, contents) = tray.open().unwrap();
    assert_eq!(contents.purse, None);
    assert_eq!(session.top_ups(&mut kiosk_keys()).unwrap(), contents.top_ups, "the session goes on");
}

#[test]
fn tries_are_committed_and_the_attempt_number_never_falls() {
    let tray = Tray::with(&description());
    let mut session = tray.session();
    let counted = PinTries { attempt: 5, failures: 2, pin_version: 1 };
    session.write_tries(&mut kiosk_keys(), counted, TERMINAL).unwrap();
    assert_eq!(tray.0.borrow().tries(), Some(counted));
    let reset = PinTries { attempt: 5, failures: 0, pin_version: 1 };
    session.write_tries(&mut kiosk_keys(), reset, TERMINAL).unwrap();
    let older = PinTries { attempt: 4, failures: 0, pin_version: 1 };
    assert_eq!(session.write_tries(&mut kiosk_keys(), older, TERMINAL), Err(CardError::TriesFall));
    assert_eq!(tray.0.borrow().tries(), Some(reset));
}

#[test]
fn wishes_are_committed() {
    let tray = Tray::with(&description());
    let wishes = Wishes { language: Some(*b"en\0"), large_text: true, simple_view: true, ..Wishes::default() };
    tray.session().write_wishes(&mut kiosk_keys(), &wishes, TERMINAL).unwrap();
    assert_eq!(tray.0.borrow().wishes(), Some(wishes));
    assert_eq!(tray.open().unwrap().1.wishes, wishes);
}

#[test]
fn a_card_that_lies_still_keeps_its_session() {
    for random_uid in [false, true] {
        let tray = Tray::with(&card_simulator::CardDescription { random_uid, ..description() });
        let mut session = tray.session();
        session.check_presence().unwrap();
        assert!(session.top_ups(&mut kiosk_keys()).is_ok());
    }
}

#[test]
fn a_card_swapped_behind_the_readers_back_is_noticed() {
    let tray = Tray::with(&description());
    let mut session = tray.session();
    let other = card_simulator::CardDescription { uid: [0x04, 1, 2, 3, 4, 5, 6], ..description() };
    *tray.0.borrow_mut() = card_simulator::personalise(&other).unwrap();
    let error = session.check_presence().unwrap_err();
    assert_eq!((&error, error.failure()), (&CardError::Swapped, FailureCode::CardSwapped));
    let outcome = session.credit(&mut credit_key(), &order(1, 500, 0));
    assert_eq!(outcome, CreditOutcome::NotCredited(CardError::AuthenticationFailed(KeyRole::Credit).into()));
}

#[test]
fn a_lifted_card_is_noticed_at_once() {
    let tray = Tray::with(&description());
    let mut session = tray.session();
    tray.0.borrow_mut().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::TearBefore));
    assert_eq!(session.check_presence(), Err(CardError::Transport(TransportError::ShortReply)));
}

#[test]
fn a_session_is_the_same_byte_for_byte_when_randomness_is() {
    let read = || {
        let tray = Tray::with(&description());
        tray.open().unwrap().1
    };
    assert_eq!(read(), read());
}
