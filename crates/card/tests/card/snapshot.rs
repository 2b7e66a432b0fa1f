//! Reading a card, and writing what the read key may.

use crate::field::{
    CHIPS, TERMINAL, Tray, UID, credit_key, description, description_of, kiosk_keys, kiosk_keys_of, layout, order,
    read_key,
};
use card::{CardError, CardSession, CityCard, CreditOutcome, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, When};
use domain::card::{PinTries, Presentation, Technology, Wishes};
use domain::{CardNumber, Cents, FailureCode, Generation, Handle};
use keys::KeyRole;

#[test]
fn a_card_is_read_as_it_was_personalised() {
    CHIPS.into_iter().for_each(read_as_personalised);
}

fn read_as_personalised(chip: Chip) {
    let tray = Tray::with(&description_of(chip));
    tray.0.borrow_mut().debit(Cents(150), 3, 29_000_000, TERMINAL).unwrap();
    tray.0.borrow_mut().debit(Cents(95), 1, 29_000_060, TERMINAL).unwrap();
    let (session, contents) = tray.open().unwrap();
    assert_eq!(session.uid().bytes(), UID);
    assert_eq!(contents.identity.secret.as_ref().map(card::CardSecret::expose), Some(&[0x5C; 32]));
    let technology = if chip == Chip::Ev1 { Technology::DesfireEv1 } else { Technology::DesfireEv2 };
    assert_eq!((session.technology(), contents.technology), (technology, technology));
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
    for chip in CHIPS {
        let tray = Tray::with(&card_simulator::CardDescription { random_uid: true, ..description_of(chip) });
        let (session, contents) = tray.open().unwrap();
        assert_eq!(session.uid().bytes(), UID);
        assert_eq!(contents.identity.number, CardNumber(6_001_234_567));
    }
}

#[test]
fn the_older_version_of_the_read_key_still_opens_a_card() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let mut keys = kiosk_keys_of(vec![[0xEE; 16], read_key()]);
        assert!(CardSession::open(tray.connect(), &layout(), &mut keys).is_ok());
    }
}

#[test]
fn a_purse_that_hides_its_value_is_read_without_it() {
    for chip in CHIPS {
        let mut description = description_of(chip);
        description.purse.free_get_value = false;
        let tray = Tray::with(&description);
        let (mut session, contents) = tray.open().unwrap();
        assert_eq!(contents.purse, None);
        assert_eq!(session.top_ups(&mut kiosk_keys()).unwrap(), contents.top_ups, "the session goes on");
    }
}

#[test]
fn tries_are_committed_and_the_attempt_number_never_falls() {
    CHIPS.into_iter().for_each(tries_on);
}

fn tries_on(chip: Chip) {
    let tray = Tray::with(&description_of(chip));
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
fn wishes_are_committed_and_erased() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let wishes = Wishes { language: Some(*b"en\0"), large_text: true, simple_view: true, ..Wishes::default() };
        tray.session().write_wishes(&mut kiosk_keys(), &wishes, TERMINAL).unwrap();
        assert_eq!(tray.0.borrow().wishes(), Some(wishes));
        assert_eq!(tray.open().unwrap().1.wishes, wishes);
        tray.session().erase_wishes(&mut kiosk_keys(), TERMINAL).unwrap();
        assert_eq!(tray.open().unwrap().1.wishes, Wishes::default());
    }
}

/// A later version of the layout may keep something there.
#[test]
fn reserved_bytes_outlive_new_wishes_and_tries_but_not_their_erasure() {
    let reserved = |tray: &Tray, file: u8| {
        let mut card = tray.session();
        let keys = card.key_on_card(KeyRole::Read);
        let card = card.maintain();
        card.select_application(layout().aid).unwrap();
        card.authenticate(&keys, &mut kiosk_keys()).unwrap();
        card.read_data(file, 16).unwrap()[8..].to_vec()
    };
    let (tries, wishes) = (layout().files.tries, layout().files.wishes);
    let tray = Tray::with(&description());
    for file in [tries, wishes] {
        let mut session = tray.session();
        let whole = [[0; 8], [0xA7; 8]].concat();
        let card = session.maintain();
        card.write_data(file, &whole).unwrap();
        let previous = card.commit_reader_id(&[0; 16]).unwrap();
        card.commit_transaction(Some(previous)).unwrap();
    }
    let mut session = tray.session();
    session.write_tries(&mut kiosk_keys(), PinTries { attempt: 9, failures: 0, pin_version: 1 }, TERMINAL).unwrap();
    session.write_wishes(&mut kiosk_keys(), &Wishes { speech: true, ..Wishes::default() }, TERMINAL).unwrap();
    assert_eq!((reserved(&tray, tries), reserved(&tray, wishes)), (vec![0xA7; 8], vec![0xA7; 8]));
    CityCard::Desfire(tray.session()).write_wishes(&mut kiosk_keys(), &Wishes::default(), TERMINAL).unwrap();
    assert_eq!(reserved(&tray, wishes), [0; 8], "no wishes at all are an erasure");
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
