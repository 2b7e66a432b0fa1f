//! ChangeKey and key settings, in both channels.

use super::issuing::{KINDS, blank};
use super::reader::{AID, CHIP, Reader, SCHEMES, Scheme, command, frame, refused};
use crate::memory::{Application, CardKey, Chip};
use crate::{Key, Status, VirtualCard};
use std::collections::BTreeMap;

fn key(number: u8) -> Key {
    Key::new([0x30 + number; 16])
}

/// A chip with one empty application of four keys.
fn card(chip: Chip, key_settings: u8) -> VirtualCard {
    let mut card = blank(chip);
    let keys = (0..4).map(|number| CardKey { key: key(number), version: number }).collect();
    let mut memory = card.memory().clone();
    memory.applications.push(Application { aid: AID, key_settings, keys, files: BTreeMap::new() });
    card.picc.install_memory(memory).unwrap();
    card
}

/// Under `authenticated`, changes `number`; the status.
fn change(card: &mut VirtualCard, scheme: Scheme, authenticated: u8, number: u8) -> Result<(), u8> {
    let mut reader = Reader::at(card, AID, scheme, authenticated, &key(authenticated)).unwrap();
    let old = (authenticated != number).then(|| key(number));
    reader.change_key(number, &key(9), 0x42, old.as_ref())
}

#[test]
fn the_settings_say_which_key_changes_which() {
    const DENIED: u8 = Status::PermissionDenied as u8;
    const WRONG: u8 = Status::Authentication as u8;
    let check = |settings: u8, authenticated, number, expected: Result<(), u8>| {
        for (chip, scheme) in KINDS {
            let mut card = card(chip, settings);
            let before = card.memory().clone();
            let answer = change(&mut card, scheme, authenticated, number);
            assert_eq!(answer, expected, "{scheme:?}, settings {settings:02X}: {authenticated} changes {number}");
            let expected_key = CardKey { key: key(9), version: 0x42 };
            if expected.is_ok() {
                assert_eq!(card.memory().applications[0].keys[usize::from(number)], expected_key);
            } else {
                assert!(*card.memory() == before);
            }
        }
    };
    for (authenticated, number, expected) in
        [(0, 0, Ok(())), (0, 1, Ok(())), (0, 3, Ok(())), (1, 1, Err(WRONG)), (1, 2, Err(WRONG)), (1, 0, Err(WRONG))]
    {
        check(0x0B, authenticated, number, expected);
    }
    check(0x0A, 0, 0, Err(DENIED));
    check(0x0A, 0, 1, Ok(()));
    for (authenticated, number, expected) in
        [(2, 1, Ok(())), (2, 3, Ok(())), (2, 2, Err(WRONG)), (0, 2, Ok(())), (0, 1, Err(WRONG)), (2, 0, Err(WRONG))]
    {
        check(0x2B, authenticated, number, expected);
    }
    for (authenticated, number, expected) in [(1, 1, Ok(())), (0, 1, Err(WRONG)), (2, 1, Err(WRONG)), (0, 0, Ok(()))] {
        check(0xEB, authenticated, number, expected);
    }
    for (authenticated, number, expected) in [(0, 1, Err(DENIED)), (1, 1, Err(DENIED)), (0, 0, Ok(()))] {
        check(0xFB, authenticated, number, expected);
    }
}

#[test]
fn the_session_lives_on_after_the_change_of_another_key_only() {
    for scheme in SCHEMES {
        let mut card = card(Chip::Ev3, 0x0B);
        let mut reader = Reader::at(&mut card, AID, scheme, 0, &key(0)).unwrap();
        for number in 1..4 {
            reader.change_key(number, &key(9), 7, Some(&key(number))).unwrap();
        }
        assert_eq!(reader.mac(0x64, &[3]), Ok(vec![7]));
        reader.change_key(0, &key(8), 8, None).unwrap();
        assert_eq!(command(reader.card, 0x54, &[0; 16]).1, Status::Authentication.byte(), "the session is over");
        let old = Reader::at(&mut card, AID, scheme, 0, &key(0)).map(drop);
        assert_eq!(old, Err(Status::Authentication.byte()));
        assert!(Reader::at(&mut card, AID, scheme, 0, &key(8)).is_ok());
        assert!(Reader::at(&mut card, AID, scheme, 2, &key(9)).is_ok());
    }
}

#[test]
fn whoever_does_not_know_the_old_key_changes_nothing() {
    for scheme in SCHEMES {
        let mut card = card(Chip::Ev3, 0x0B);
        let before = card.memory().clone();
        let mut reader = Reader::at(&mut card, AID, scheme, 0, &key(0)).unwrap();
        let answer = reader.change_key(1, &key(9), 1, Some(&key(2)));
        assert_eq!(answer, Err(Status::Integrity.byte()), "the CRC of the new key does not fit");
        assert!(*card.memory() == before);
    }
}

#[test]
fn a_key_that_is_not_there_cannot_be_changed() {
    for scheme in SCHEMES {
        let mut card = card(Chip::Ev2, 0x0B);
        let mut reader = Reader::at(&mut card, AID, scheme, 0, &key(0)).unwrap();
        assert_eq!(reader.change_key(4, &key(9), 1, Some(&key(4))), Err(Status::NoSuchKey.byte()));
        assert_eq!(frame(&mut card, 0x64, &[4]).1, Status::NoSuchKey.byte());
    }
}

#[test]
fn the_chips_key_changes_by_a_number_that_says_aes() {
    for scheme in SCHEMES {
        let mut card = blank(Chip::Ev3);
        let factory = CardKey::factory().key;
        let mut reader = Reader::at(&mut card, CHIP, scheme, 0, &factory).unwrap();
        assert_eq!(reader.change_key(0x00, &key(9), 1, None), Err(Status::Parameter.byte()));
        let mut reader = Reader::at(&mut card, CHIP, scheme, 0, &factory).unwrap();
        reader.change_key(0x80, &key(9), 5, None).unwrap();
        assert_eq!(card.memory().master, CardKey { key: key(9), version: 5 });
        assert_eq!(command(&mut card, 0x64, &[0]), (vec![5], 0));
        let mut reader = Reader::at(&mut card, CHIP, scheme, 0, &key(9)).unwrap();
        assert_eq!(reader.full(0x54, &[], &[0x0E]), Ok(vec![]));
        assert_eq!(reader.change_key(0x80, &factory, 0, None), Err(Status::PermissionDenied.byte()));
    }
}

#[test]
fn settings_change_under_the_master_key_until_they_are_frozen() {
    for (chip, scheme) in KINDS {
        let mut card = card(chip, 0x0F);
        let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
        assert_eq!(reader.full(0x54, &[], &[0x09]), refused(Status::Authentication));
        let mut reader = Reader::at(&mut card, AID, scheme, 0, &key(0)).unwrap();
        assert_eq!(reader.full(0x54, &[], &[0x01]), Ok(vec![]));
        assert_eq!(reader.mac(0x45, &[]), Ok(vec![0x01, 0x84]));
        assert_eq!(reader.full(0x54, &[], &[0x0F]), refused(Status::PermissionDenied));
        for ins in [0x45, 0x6F] {
            frame(&mut card, 0x5A, &AID);
            assert_eq!(command(&mut card, ins, &[]).1, Status::Authentication.byte(), "listings are no longer free");
        }
    }
}
