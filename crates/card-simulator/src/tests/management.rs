//! Applications and files: what may be created, by whom, and what is refused.

use super::issuing::{KINDS, blank};
use super::reader::{AID, CHIP, Reader, SCHEMES, Scheme, command, frame, refused};
use crate::memory::{CardKey, Chip};
use crate::{Key, Status, VirtualCard};

const NEW_APPLICATION: [u8; 5] = [AID[0], AID[1], AID[2], 0x0B, 0x85];

fn factory() -> Key {
    CardKey::factory().key
}

fn at_chip(card: &mut VirtualCard, scheme: Scheme) -> Reader<'_> {
    Reader::at(card, CHIP, scheme, 0, &factory()).unwrap()
}

/// A chip with an empty application, and a session of its master key.
fn in_application(card: &mut VirtualCard, scheme: Scheme) -> Reader<'_> {
    at_chip(card, scheme).mac(0xCA, &NEW_APPLICATION).unwrap();
    Reader::at(card, AID, scheme, 0, &factory()).unwrap()
}

#[test]
fn an_application_is_created_with_keys_of_zeros_and_found_again() {
    for (chip, scheme) in KINDS {
        let mut card = blank(chip);
        let mut reader = in_application(&mut card, scheme);
        assert_eq!(reader.mac(0x45, &[]), Ok(vec![0x0B, 0x85]));
        assert_eq!(reader.mac(0x64, &[4]), Ok(vec![0]));
        assert_eq!(reader.mac(0x6F, &[]), Ok(vec![]));
        assert_eq!(reader.mac(0x6A, &[]), refused(Status::PermissionDenied), "listed on the chip's level only");
        frame(&mut card, 0x5A, &CHIP);
        assert_eq!(command(&mut card, 0x6A, &[]), (AID.to_vec(), 0));
        assert_eq!(command(&mut card, 0x45, &[]), (vec![0x0F, 0x81], 0));
    }
}

#[test]
fn an_impossible_application_is_refused() {
    let check = |parameters: &[u8], status| {
        for scheme in SCHEMES {
            let mut card = blank(Chip::Ev3);
            assert_eq!(at_chip(&mut card, scheme).mac(0xCA, parameters), refused(status), "{parameters:02X?}");
            assert!(card.memory().applications.is_empty());
        }
    };
    check(&[0, 0, 0, 0x0B, 0x85], Status::Parameter);
    check(&[1, 0, 0, 0x0B, 0x80], Status::Parameter);
    check(&[1, 0, 0, 0x0B, 0x8F], Status::Parameter);
    check(&[1, 0, 0, 0x0B, 0x05], Status::Parameter);
    check(&[1, 0, 0, 0x0B, 0xA5], Status::Parameter);
    check(&[1, 0, 0, 0x0B], Status::Length);
    let mut card = blank(Chip::Ev3);
    assert_eq!(in_application(&mut card, Scheme::Ev2).mac(0xCA, &NEW_APPLICATION), refused(Status::PermissionDenied));
    assert_eq!(at_chip(&mut card, Scheme::Ev2).mac(0xCA, &NEW_APPLICATION), refused(Status::Duplicate));
}

#[test]
fn an_ev1_holds_28_applications() {
    let mut card = blank(Chip::Ev1);
    let mut reader = at_chip(&mut card, Scheme::Aes);
    for number in 1..=28 {
        assert_eq!(reader.mac(0xCA, &[number, 0, 0, 0x0B, 0x81]), Ok(vec![]), "{number}");
    }
    assert_eq!(reader.mac(0xCA, &[29, 0, 0, 0x0B, 0x81]), refused(Status::Count));
}

#[test]
fn a_closed_chip_creates_under_its_master_key_only_and_no_chip_deletes_without() {
    for scheme in SCHEMES {
        let mut card = blank(Chip::Ev3);
        frame(&mut card, 0x5A, &CHIP);
        assert_eq!(command(&mut card, 0xCA, &NEW_APPLICATION).1, 0, "a factory-new chip is open");
        assert_eq!(command(&mut card, 0xDA, &AID).1, Status::Authentication.byte());
        assert_eq!(at_chip(&mut card, scheme).full(0x54, &[], &[0x0B]), Ok(vec![]));
        for (ins, parameters) in [(0xCA, &[9, 9, 9, 0x0B, 0x81][..]), (0xDA, &AID)] {
            frame(&mut card, 0x5A, &CHIP);
            assert_eq!(command(&mut card, ins, parameters).1, Status::Authentication.byte(), "{ins:02X}");
        }
        let mut reader = at_chip(&mut card, scheme);
        assert_eq!(reader.mac(0xDA, &AID), Ok(vec![]));
        assert_eq!(reader.mac(0xCA, &NEW_APPLICATION), Ok(vec![]), "the session goes on");
        assert_eq!(reader.mac(0xDA, &[9, 9, 9]), refused(Status::ApplicationNotFound));
    }
}

#[test]
fn an_application_may_delete_itself_on_an_open_chip() {
    for scheme in SCHEMES {
        let mut card = blank(Chip::Ev3);
        let mut reader = in_application(&mut card, scheme);
        assert_eq!(reader.mac(0xCD, &[1, 0, 0, 0, 1, 0, 0]), Ok(vec![]));
        assert_eq!(reader.delete_own(&AID), 0);
        assert!(card.memory().applications.is_empty());
        assert_eq!(command(&mut card, 0x6A, &[]), (vec![], 0), "on the chip's level now");
    }
}

#[test]
fn formatting_leaves_the_chips_key_and_can_be_forbidden_for_ever() {
    for (chip, scheme) in KINDS {
        let mut card = blank(chip);
        in_application(&mut card, scheme).mac(0xCB, &[1, 0, 0, 0, 9, 0, 0]).unwrap();
        let mut reader = at_chip(&mut card, scheme);
        assert_eq!(reader.mac(0xFC, &[]), Ok(vec![]));
        assert_eq!(reader.mac(0x6A, &[]), Ok(vec![]));
        assert_eq!(reader.full(0x5C, &[0], &[0x01]), Ok(vec![]));
        assert_eq!(reader.full(0x5C, &[0], &[0x00]), Ok(vec![]));
        assert_eq!(reader.mac(0xFC, &[]), refused(Status::PermissionDenied));
        frame(&mut card, 0x5A, &CHIP);
        assert_eq!(command(&mut card, 0xFC, &[]).1, Status::Authentication.byte());
        assert_eq!(at_chip(&mut card, scheme).full(0x5C, &[1], &[0]), refused(Status::Parameter));
        assert_eq!(at_chip(&mut card, scheme).full(0x5C, &[0], &[4]), refused(Status::Parameter));
    }
}

#[test]
fn files_are_created_as_their_settings_say() {
    let check = |ins, parameters: &[u8], settings: &[u8]| {
        for (chip, scheme) in KINDS {
            let mut card = blank(chip);
            let mut reader = in_application(&mut card, scheme);
            assert_eq!(reader.mac(ins, parameters), Ok(vec![]));
            assert_eq!(reader.mac(0xF5, &parameters[..1]), Ok(settings.to_vec()), "{ins:02X}");
            assert_eq!(reader.mac(0xDF, &parameters[..1]), Ok(vec![]));
            assert_eq!(reader.mac(0xF5, &parameters[..1]), refused(Status::FileNotFound));
        }
    };
    check(0xCD, &[1, 3, 0xF0, 0x1F, 64, 0, 0], &[0, 3, 0xF0, 0x1F, 64, 0, 0]);
    check(0xCB, &[2, 1, 0x10, 0x11, 16, 1, 0], &[1, 1, 0x10, 0x11, 16, 1, 0]);
    let value = [3, 3, 0x30, 0xF2, 0xFF, 0xFF, 0xFF, 0xFF, 100, 0, 0, 0, 7, 0, 0, 0, 3];
    check(0xCC, &value, &[2, 3, 0x30, 0xF2, 0xFF, 0xFF, 0xFF, 0xFF, 100, 0, 0, 0, 0, 0, 0, 0, 3]);
    check(0xC1, &[4, 0, 0xEE, 0xEE, 8, 0, 0, 3, 0, 0], &[3, 0, 0xEE, 0xEE, 8, 0, 0, 3, 0, 0, 0, 0, 0]);
    check(0xC0, &[31, 2, 0xEE, 0xEE, 8, 0, 0, 3, 0, 0], &[4, 0, 0xEE, 0xEE, 8, 0, 0, 3, 0, 0, 0, 0, 0]);
}

#[test]
fn an_impossible_file_is_refused() {
    let check = |ins, parameters: &[u8], status| {
        for scheme in SCHEMES {
            let mut card = blank(Chip::Ev3);
            let mut reader = in_application(&mut card, scheme);
            reader.mac(0xCD, &[7, 0, 0, 0, 1, 0, 0]).unwrap();
            assert_eq!(reader.mac(ins, parameters), refused(status), "{ins:02X} {parameters:02X?}");
            assert_eq!(card.memory().applications[0].files.len(), 1);
        }
    };
    check(0xCD, &[32, 0, 0, 0, 1, 0, 0], Status::Parameter);
    check(0xCD, &[7, 0, 0, 0, 1, 0, 0], Status::Duplicate);
    check(0xCD, &[1, 4, 0, 0, 1, 0, 0], Status::Parameter);
    check(0xCD, &[1, 0, 0x00, 0x50, 1, 0, 0], Status::Parameter);
    check(0xCD, &[1, 0, 0, 0, 0, 0, 0], Status::Parameter);
    check(0xCD, &[1, 0, 0, 0, 1, 0], Status::Length);
    check(0xCD, &[1, 0, 0, 0, 0, 0x10, 0], Status::OutOfMemory);
    check(0xCB, &[1, 0, 0, 0, 0, 0, 0xFF], Status::OutOfMemory);
    check(0xC0, &[1, 0, 0, 0, 48, 0, 0, 1, 0, 0], Status::Parameter);
    check(0xC1, &[1, 0, 0, 0, 0, 0, 0, 1, 0, 0], Status::Parameter);
    check(0xC0, &[1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Status::OutOfMemory);
    check(0xCC, &[1, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 0], Status::Parameter);
    check(0xCC, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 4], Status::Parameter);
}

#[test]
fn files_need_the_applications_master_key_when_it_says_so() {
    let mut card = blank(Chip::Ev3);
    in_application(&mut card, Scheme::Ev2);
    frame(&mut card, 0x5A, &AID);
    assert_eq!(command(&mut card, 0xCD, &[1, 0, 0, 0, 1, 0, 0]).1, Status::Authentication.byte());
    frame(&mut card, 0x5A, &CHIP);
    assert_eq!(command(&mut card, 0xCD, &[1, 0, 0, 0, 1, 0, 0]).1, Status::PermissionDenied.byte());
    let mut reader = Reader::at(&mut card, AID, Scheme::Ev2, 0, &factory()).unwrap();
    reader.full(0x54, &[], &[0x0F]).unwrap();
    frame(&mut card, 0x5A, &AID);
    assert_eq!(command(&mut card, 0xCD, &[1, 0, 0, 0, 1, 0, 0]).1, 0);
    assert_eq!(command(&mut card, 0xDF, &[1]).1, 0);
}

#[test]
fn an_application_has_one_transaction_mac_file_and_nobody_writes_it() {
    for scheme in SCHEMES {
        let mut card = blank(Chip::Ev3);
        let key = [&[0xAF; 16][..], &[4]].concat();
        let mut reader = in_application(&mut card, scheme);
        assert_eq!(reader.full(0xCE, &[15, 0, 0x10, 0x1F, 2], &key), Ok(vec![]));
        assert_eq!(reader.mac(0xF5, &[15]), Ok(vec![5, 0, 0x10, 0x1F, 2, 4]));
        assert_eq!(reader.full(0xCE, &[16, 0, 0x10, 0x1F, 2], &key), refused(Status::Duplicate));
        let mut reader = Reader::at(&mut card, AID, scheme, 0, &factory()).unwrap();
        reader.mac(0xDF, &[15]).unwrap();
        assert_eq!(reader.full(0xCE, &[15, 0, 0x10, 0x11, 2], &key), refused(Status::Parameter));
        frame(&mut card, 0x5A, &AID);
        let bare = [&[15, 0, 0x10, 0x1F, 2], key.as_slice()].concat();
        assert_eq!(command(&mut card, 0xCE, &bare).1, Status::Authentication.byte());
    }
}

#[test]
fn file_settings_change_by_the_right_that_names_who() {
    for (chip, scheme) in KINDS {
        let mut card = blank(chip);
        let mut reader = in_application(&mut card, scheme);
        reader.mac(0xCD, &[1, 3, 0xF1, 0x10, 4, 0, 0]).unwrap();
        assert_eq!(reader.full(0x5F, &[1], &[3, 0xFF, 0x1F]), refused(Status::Authentication));
        let mut reader = Reader::at(&mut card, AID, scheme, 1, &factory()).unwrap();
        assert_eq!(reader.full(0x5F, &[1], &[1, 0x0E, 0x19]), refused(Status::Parameter), "there is no key 9");
        let mut reader = Reader::at(&mut card, AID, scheme, 1, &factory()).unwrap();
        assert_eq!(reader.full(0x5F, &[1], &[1, 0x0E, 0x10]), Ok(vec![]));
        assert_eq!(reader.mac(0xF5, &[1]), Ok(vec![0, 1, 0x0E, 0x10, 4, 0, 0]));
        assert_eq!(reader.send(crate::memory::CommMode::Plain, 0x5F, &[1, 0, 0xFF, 0xFF], &[]), Ok(vec![]), "free");
        assert_eq!(reader.full(0x5F, &[1], &[3, 0x00, 0x00]), refused(Status::PermissionDenied), "closed");
    }
}

#[test]
fn creating_a_file_rolls_an_open_transaction_back() {
    let mut card = blank(Chip::Ev3);
    let mut reader = in_application(&mut card, Scheme::Ev2);
    reader.mac(0xCB, &[1, 0, 0, 0, 4, 0, 0]).unwrap();
    reader.send(crate::memory::CommMode::Plain, 0x3D, &[1, 0, 0, 0, 4, 0, 0], &[9; 4]).unwrap();
    reader.mac(0xCB, &[2, 0, 0, 0, 4, 0, 0]).unwrap();
    assert_eq!(reader.mac(0xC7, &[]), refused(Status::NoChanges));
}
