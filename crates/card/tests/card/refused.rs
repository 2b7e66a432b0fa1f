//! What is laid on the reader and cannot be served, and the code that says why.

use crate::field::{Tray, description, description_of, kiosk_keys, kiosk_keys_of, layout};
use card::{Apdu, CardError, CardSession, Reply, Status, Transport, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{
    CardDescription, FaultKind, FaultPlan, FieldCard, FileRole, Flaw, ForeignCard, ForeignDescription, When,
};
use domain::FailureCode;
use keys::KeyRole;

const AUTHENTICATE_AES: u8 = 0xAA;
const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
const READ_DATA_ISO: u8 = 0xAD;
const READ_RECORDS_ISO: u8 = 0xAB;

/// Why this card cannot be opened.
fn error_of(tray: &Tray) -> CardError {
    tray.open().map(drop).unwrap_err()
}

#[test]
fn a_card_of_another_city_on_our_application_is_told_from_one_of_no_city() {
    let tray = Tray::with(&description());
    let mut keys = kiosk_keys_of(vec![[0xEE; 16]]);
    let error = CardSession::open(tray.connect(), &layout(), &mut keys).map(drop).unwrap_err();
    assert_eq!(error, CardError::AuthenticationFailed(KeyRole::Read));
    assert_eq!(error.failure(), FailureCode::CardOtherCity);
    let mut elsewhere = layout();
    elsewhere.aid = [1, 2, 3];
    let error = CardSession::open(tray.connect(), &elsewhere, &mut kiosk_keys()).map(drop).unwrap_err();
    assert_eq!(error, CardError::NoApplication);
    assert_eq!(error.failure(), FailureCode::CardForeign);
}

#[test]
fn the_same_base_keys_under_another_system_id_are_another_citys() {
    for random_uid in [false, true] {
        let mut description = CardDescription { random_uid, ..description() };
        description.layout.system_id = "another city".into();
        let error = error_of(&Tray::with(&description));
        assert_eq!(error, CardError::AuthenticationFailed(KeyRole::Read));
        assert_eq!(error.failure(), FailureCode::CardOtherCity);
    }
}

/// Something of no city on the reader.
struct Foreign(ForeignCard);

impl Transport for Foreign {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        Reply::parse(self.0.exchange(command.bytes()).reply)
    }
}

#[test]
fn bank_cards_phones_and_key_fobs_are_foreign() {
    let uids: [&[u8]; 2] = [&[0x04, 1, 2, 3, 4, 5, 6], &[0x11, 2, 3, 4]];
    let with_uid = uids.into_iter().flat_map(|uid| {
        [ForeignDescription::BankCard { uid: uid.to_vec() }, ForeignDescription::MemoryCard { uid: uid.to_vec() }]
    });
    for description in with_uid.chain([ForeignDescription::Phone { answers: true }]) {
        let shown = format!("{description:?}");
        let foreign = Foreign(ForeignCard::new(description));
        let error = CardSession::open(foreign, &layout(), &mut kiosk_keys()).map(drop).unwrap_err();
        assert_eq!(error.failure(), FailureCode::CardForeign, "{shown}: {error}");
    }
}

#[test]
fn a_card_that_was_left_half_written_is_damaged() {
    use FileRole::{Identity, Movements, Purse, TopUps, Tries, Wishes};
    let missing = [Identity, Purse, TopUps, Movements, Tries, Wishes].map(Flaw::Missing);
    let blank = [Identity, TopUps, Movements].map(Flaw::Blank);
    for flaw in missing.into_iter().chain(blank) {
        let error = error_of(&Tray::with(&CardDescription { flaws: vec![flaw], ..description() }));
        assert_eq!(error.failure(), FailureCode::CardDamaged, "{flaw:?}: {error}");
    }
}

#[test]
fn a_card_that_wants_time_after_many_failures_is_tried_again_and_is_not_another_citys() {
    for (chip, command) in [(Chip::Ev1, AUTHENTICATE_AES), (Chip::Ev2, AUTHENTICATE_EV2_FIRST)] {
        let tray = Tray::with(&description_of(chip));
        tray.0.borrow_mut().set_faults(FaultPlan::once(When::Ins(command), FaultKind::Status(0xAD)));
        let error = error_of(&tray);
        assert_eq!(error, CardError::Refused { command, status: Status::AuthenticationDelay });
        assert_eq!(error.failure(), FailureCode::CardUnreadable);
        assert!(tray.open().is_ok());
    }
}

#[test]
fn an_ev1_with_another_citys_key_is_told_apart_too() {
    let tray = Tray::with(&description_of(Chip::Ev1));
    let mut keys = kiosk_keys_of(vec![[0xEE; 16], [0xDD; 16]]);
    let error = CardSession::open(tray.connect(), &layout(), &mut keys).map(drop).unwrap_err();
    assert_eq!(error, CardError::AuthenticationFailed(KeyRole::Read));
}

#[test]
fn a_card_whose_answers_arrive_garbled_is_unreadable() {
    for ins in [READ_DATA_ISO, READ_RECORDS_ISO] {
        let tray = Tray::with(&description());
        let mut session = tray.session();
        tray.0.borrow_mut().set_faults(FaultPlan::once(When::EveryIns(ins), FaultKind::FlipBit(9)));
        let garbled = match ins {
            READ_DATA_ISO => error_of(&tray),
            _ => session.top_ups(&mut kiosk_keys()).map(drop).unwrap_err(),
        };
        assert_eq!(garbled.failure(), FailureCode::CardUnreadable, "{ins:02X}: {garbled}");
    }
}
