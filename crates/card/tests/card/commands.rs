//! The commands that make and keep a card, on each generation of the chip: applications, every kind of file, keys.

use crate::field::{CHIPS, Connection, Tray, counting, layout};
use card::desfire::{Chip as Product, FileKind, KeySettings, PICC};
use card::{Access, AccessRights, CardError, Desfire, NewFile, Status};
use card_simulator::memory::Chip;
use card_simulator::{BlankDescription, VirtualCard};
use keys::{AesKey, CardKeys, Channel, CommMode, KeyChange, KeyOnCard, KeyRole, OneKey, Scheme};
use std::cell::RefCell;
use std::rc::Rc;

const AID: [u8; 3] = [0xD1, 0xD2, 0xD3];
const UID: [u8; 7] = [0x04, 9, 8, 7, 6, 5, 4];
const ZEROS: [u8; 16] = [0; 16];
const WORK: [u8; 16] = [0xB7; 16];
const STANDARD: u8 = 1;
const BACKUP: u8 = 2;
const VALUE: u8 = 3;
const LINEAR: u8 = 4;
const CYCLIC: u8 = 5;
const TRANSACTION_MAC: u8 = 15;

fn blank(chip: Chip) -> Tray {
    let card = VirtualCard::blank(&BlankDescription { uid: UID, chip, layout: layout() }).seeded(3);
    Tray(Rc::new(RefCell::new(card)))
}

/// Selects and authenticates with key `number`, which has these bytes.
fn unlock(card: &mut Desfire<Connection>, aid: [u8; 3], number: u8, bytes: [u8; 16]) -> Result<(), CardError> {
    card.select_application(aid)?;
    let key = KeyOnCard { role: KeyRole::Master, aid, number, uid: None };
    card.authenticate(&key, &mut OneKey::new(KeyRole::Master, AesKey::new(bytes), counting())).map(drop)
}

fn rights(key: u8) -> AccessRights {
    let work = Access::Key(key);
    AccessRights { read: work, write: work, read_write: work, change: Access::Key(0) }
}

/// An application with one file of each kind, and `WORK` as its key 1.
fn made(chip: Chip) -> (Tray, Desfire<Connection>) {
    let tray = blank(chip);
    let mut card = Desfire::new(tray.connect());
    unlock(&mut card, PICC, 0, ZEROS).unwrap();
    card.create_application(AID, 0x0B, 3).unwrap();
    assert_eq!(card.application_ids().unwrap(), [AID]);
    unlock(&mut card, AID, 0, ZEROS).unwrap();
    let change = KeyChange { new: AesKey::new(WORK), version: 7, old: Some(AesKey::new(ZEROS)) };
    card.change_key(1, &change).unwrap();
    let mut create = |number, file| card.create_file(number, CommMode::Full, rights(1), &file).unwrap();
    create(STANDARD, NewFile::Standard { size: 250 });
    create(BACKUP, NewFile::Backup { size: 40 });
    let (lower, upper, value) = (0, 1_000, 250);
    create(VALUE, NewFile::Value { lower, upper, value, limited_credit: true, free_get_value: false });
    create(LINEAR, NewFile::Linear { record_size: 20, capacity: 3 });
    create(CYCLIC, NewFile::Cyclic { record_size: 20, capacity: 3 });
    if chip != Chip::Ev1 {
        let free = AccessRights { read: Access::Free, write: Access::Never, read_write: Access::Free, ..rights(1) };
        card.create_transaction_mac_file(TRANSACTION_MAC, free, &AesKey::new([0xAC; 16]), 5).unwrap();
    }
    unlock(&mut card, AID, 1, WORK).unwrap();
    (tray, card)
}

fn commit(card: &mut Desfire<Connection>) {
    let previous = card.is_ev2().then(|| card.commit_reader_id(&[7; 16]).unwrap());
    assert_eq!(card.commit_transaction(previous).unwrap().is_some(), card.is_ev2());
}

#[test]
fn a_card_tells_what_it_is_and_has() {
    for (chip, product) in CHIPS.into_iter().zip([Product::Ev1, Product::Ev2, Product::Ev3]) {
        let (_tray, mut card) = made(chip);
        let version = card.version().unwrap();
        assert_eq!((version.chip(), version.uid), (product, UID));
        let mut expected = vec![STANDARD, BACKUP, VALUE, LINEAR, CYCLIC];
        expected.extend((chip != Chip::Ev1).then_some(TRANSACTION_MAC));
        assert_eq!(card.file_ids().unwrap(), expected);
        assert_eq!(card.key_settings().unwrap(), KeySettings { settings: 0x0B, keys: 3, aes: true });
        assert_eq!((card.key_version(0).unwrap(), card.key_version(1).unwrap()), (0, 7));
        let settings = card.file_settings(CYCLIC).unwrap();
        assert_eq!((settings.mode, settings.rights), (CommMode::Full, rights(1)));
        let records = settings.records().unwrap();
        assert_eq!((records.size, records.count), (20, 0));
        assert_eq!(card.file_settings(STANDARD).unwrap().kind, FileKind::Standard { size: 250 });
        assert!(card.is_authenticated(), "the session carried all of it");
        let missing = card.file_settings(9);
        assert_eq!(missing, Err(CardError::Refused { command: 0xF5, status: Status::FileNotFound }));
        assert!(!card.is_authenticated(), "an error ends the session");
    }
}

#[test]
fn data_longer_than_an_apdu_or_a_frame_is_chained() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        for length in [1, 15, 16, 52, 59, 60, 216, 217, 223, 224, 250] {
            let data: Vec<u8> = (0..length).collect();
            card.write_data(STANDARD, &data).unwrap();
            assert_eq!(*card.read_data(STANDARD, length).unwrap(), data, "{chip:?} {length}");
        }
    }
}

#[test]
fn what_is_committed_stays_and_what_is_aborted_does_not() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        card.write_data(BACKUP, &[5; 40]).unwrap();
        card.credit(VALUE, 100).unwrap();
        card.abort_transaction().unwrap();
        assert_eq!((*card.read_data(BACKUP, 40).unwrap()).as_slice(), [0; 40]);
        assert_eq!(card.value(VALUE, CommMode::Full).unwrap(), 250);
        card.write_data(BACKUP, &[5; 8]).unwrap();
        card.debit(VALUE, 70).unwrap();
        commit(&mut card);
        assert_eq!(*card.read_data(BACKUP, 40).unwrap(), [[5; 8].as_slice(), &[0; 32]].concat());
        assert_eq!(card.value(VALUE, CommMode::Full).unwrap(), 180);
        card.limited_credit(VALUE, 70).unwrap();
        commit(&mut card);
        assert_eq!(card.value(VALUE, CommMode::Full).unwrap(), 250);
        let beyond = card.credit(VALUE, 751);
        assert_eq!(beyond, Err(CardError::Refused { command: 0x0C, status: Status::BoundaryError }));
        unlock(&mut card, AID, 1, WORK).unwrap();
        let nothing = card.abort_transaction();
        assert_eq!(nothing, Err(CardError::Refused { command: 0xA7, status: Status::NoChanges }));
    }
}

#[test]
fn records_are_written_read_updated_and_cleared() {
    for (chip, file) in CHIPS.into_iter().flat_map(|chip| [(chip, LINEAR), (chip, CYCLIC)]) {
        let (_tray, mut card) = made(chip);
        assert!(card.records(file).unwrap().is_empty(), "an empty file is not read at all");
        for number in 1..=2_u8 {
            card.write_record(file, &[number; 20]).unwrap();
            commit(&mut card);
        }
        assert_eq!(*card.records(file).unwrap(), [[1; 20], [2; 20]].concat());
        assert_eq!(*card.newest_record(file, 20).unwrap(), [2; 20]);
        assert_eq!(*card.read_records(file, 1, 1, 20).unwrap(), [1; 20]);
        if chip != Chip::Ev1 {
            card.update_record(file, 0, &[9; 20]).unwrap();
            commit(&mut card);
            assert_eq!(*card.newest_record(file, 20).unwrap(), [9; 20]);
        }
        card.clear_record_file(file).unwrap();
        commit(&mut card);
        assert!(card.records(file).unwrap().is_empty());
    }
}

#[test]
fn a_changed_key_is_the_only_one_that_opens() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        unlock(&mut card, AID, 0, ZEROS).unwrap();
        card.change_key(0, &KeyChange { new: AesKey::new([6; 16]), version: 2, old: None }).unwrap();
        assert!(!card.is_authenticated());
        assert_eq!(unlock(&mut card, AID, 0, ZEROS), Err(CardError::AuthenticationFailed(KeyRole::Master)));
        unlock(&mut card, AID, 0, [6; 16]).unwrap();
        assert_eq!(card.key_version(0).unwrap(), 2);
        unlock(&mut card, PICC, 0, ZEROS).unwrap();
        card.change_key(0, &KeyChange { new: AesKey::new([8; 16]), version: 3, old: None }).unwrap();
        unlock(&mut card, PICC, 0, [8; 16]).unwrap();
        assert_eq!(card.key_version(0).unwrap(), 3);
    }
}

/// As central re-keys a card: it has the card's master key, the terminal has the card.
#[test]
fn a_holder_that_keeps_its_session_changes_a_key_through_us() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        card.select_application(AID).unwrap();
        let (scheme, challenge) = card.relay_challenge(0, KeyRole::Master).unwrap();
        assert_eq!(scheme, if chip == Chip::Ev1 { Scheme::Aa } else { Scheme::Ev2First });
        let key = KeyOnCard { role: KeyRole::Master, aid: AID, number: 0, uid: None };
        let mut holder = OneKey::new(KeyRole::Master, AesKey::new(ZEROS), counting());
        let mut authentication = holder.authentication(&key, 0, scheme).unwrap();
        let cryptogram = authentication.start(&challenge).unwrap();
        let answer = card.relay_cryptogram(scheme, &cryptogram, KeyRole::Master).unwrap();
        let mut theirs = Channel::new(authentication.finish(&answer).unwrap()).unwrap();
        let change = KeyChange { new: AesKey::new([0xC9; 16]), version: 8, old: Some(AesKey::new(WORK)) };
        let message = theirs.seal_change_key(1, &change).unwrap();
        let reply = card.relay_change_key(&message).unwrap();
        theirs.open(CommMode::Mac, &reply, Some(0)).unwrap();
        assert!(!card.is_authenticated(), "this side never had the session");
        unlock(&mut card, AID, 1, [0xC9; 16]).unwrap();
        assert_eq!(card.key_version(1).unwrap(), 8);
    }
}

#[test]
fn another_key_may_take_over_an_ev2_session_and_its_transaction() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        card.credit(VALUE, 1).unwrap();
        let key = KeyOnCard { role: KeyRole::Master, aid: AID, number: 1, uid: None };
        let mut keys = OneKey::new(KeyRole::Master, AesKey::new(WORK), counting());
        let taken = card.authenticate_non_first(&key, &mut keys, 0);
        if chip == Chip::Ev1 {
            assert_eq!(taken, Err(CardError::NotAuthenticated));
            continue;
        }
        assert_eq!(taken, Ok(()));
        commit(&mut card);
        assert_eq!(card.value(VALUE, CommMode::Full).unwrap(), 251);
        let mut wrong = OneKey::new(KeyRole::Master, AesKey::new([1; 16]), counting());
        let refused = card.authenticate_non_first(&key, &mut wrong, 0);
        assert_eq!(refused, Err(CardError::AuthenticationFailed(KeyRole::Master)));
        assert!(!card.is_authenticated());
    }
}

#[test]
fn files_and_applications_can_be_taken_off_again() {
    for chip in CHIPS {
        let (_tray, mut card) = made(chip);
        unlock(&mut card, AID, 0, ZEROS).unwrap();
        card.delete_file(STANDARD).unwrap();
        card.change_key_settings(0x09).unwrap();
        assert!(!card.file_ids().unwrap().contains(&STANDARD));
        assert_eq!(card.key_settings().unwrap().settings, 0x09);
        unlock(&mut card, PICC, 0, ZEROS).unwrap();
        card.delete_application(AID).unwrap();
        assert_eq!(card.application_ids().unwrap(), Vec::<[u8; 3]>::new());
        card.create_application(AID, 0x0B, 1).unwrap();
        let twice = card.create_application(AID, 0x0B, 1);
        assert_eq!(twice, Err(CardError::Refused { command: 0xCA, status: Status::Duplicate }));
        unlock(&mut card, PICC, 0, ZEROS).unwrap();
        card.format().unwrap();
        assert_eq!(card.application_ids().unwrap(), Vec::<[u8; 3]>::new());
        assert_eq!(card.select_application(AID), Err(CardError::NoApplication));
    }
}

#[test]
fn a_random_uid_hides_the_real_one_from_the_next_power_up() {
    for chip in CHIPS {
        let (tray, mut card) = made(chip);
        unlock(&mut card, PICC, 0, ZEROS).unwrap();
        card.set_random_uid().unwrap();
        let mut card = Desfire::new(tray.connect());
        let shown = card.anticollision_uid().unwrap();
        assert_eq!((shown.bytes().len(), shown.bytes()[0]), (4, 0x08));
        unlock(&mut card, AID, 1, WORK).unwrap();
        assert_eq!(card.card_uid().unwrap().bytes(), UID);
    }
}
