//! Who may do what, and in which communication mode.

use super::reader::{CREDIT, DEBIT, READ, Reader, UID, command, frame, opening_record, refused};
use super::{card, card_with};
use crate::Status;
use crate::memory::CommMode;
use serde_json::json;

const IDENTITY: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
const TRIES: [u8; 7] = [5, 0, 0, 0, 16, 0, 0];

#[test]
fn the_read_key_reads_identity_records_tries_and_wishes() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    let identity = reader.full(0xBD, &IDENTITY, &[]).unwrap();
    assert_eq!(identity[..2], [1, 2]);
    assert_eq!(identity[8..16], 1_234_567_890_u64.to_le_bytes());
    assert_eq!(identity[16..48], [0x5C; 32]);
    assert_eq!(reader.full(0xBB, &[3, 0, 0, 0, 0, 0, 0], &[]), Ok(opening_record().to_vec()));
    let movement = reader.full(0xBB, &[4, 0, 0, 0, 1, 0, 0], &[]).unwrap();
    assert_eq!(movement[12..16], 1_250_i32.to_le_bytes());
    assert_eq!(reader.full(0xBD, &TRIES, &[]).unwrap()[..6], [4, 0, 0, 0, 1, 1]);
    assert_eq!(reader.full(0xBD, &[6, 0, 0, 0, 4, 0, 0], &[]), Ok(vec![0b100, b'a', b's', b't']));
}

#[test]
fn the_purse_is_shown_in_plain_to_the_read_key_and_the_counter_goes_on() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    assert_eq!(reader.send(CommMode::Plain, 0x6C, &[2], &[]), Ok(1_250_i32.to_le_bytes().to_vec()));
    assert!(reader.full(0xBD, &TRIES, &[]).is_ok(), "a MAC over the next counter is accepted");
}

#[test]
fn a_mac_on_a_plain_command_is_refused_as_a_wrong_length() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    assert_eq!(reader.send(CommMode::Mac, 0x6C, &[2], &[]), refused(Status::Length));
}

#[test]
fn the_purse_is_enciphered_for_the_keys_that_may_change_it() {
    for key in [DEBIT, CREDIT] {
        let mut card = card();
        assert_eq!(Reader::open(&mut card, key).value(), 1_250);
    }
}

#[test]
fn a_city_may_hide_the_purse_from_those_without_a_key() {
    let mut card = card_with(|value| value["purse"]["free_get_value"] = json!(false));
    let mut reader = Reader::open(&mut card, READ);
    assert_eq!(reader.send(CommMode::Plain, 0x6C, &[2], &[]), refused(Status::Authentication));
    assert_eq!(Reader::open(&mut card, CREDIT).value(), 1_250);
}

#[test]
fn no_key_does_what_another_is_for() {
    let check = |key, ins, header: &[u8], data: &[u8], status| {
        let mut card = card();
        let answer = Reader::open(&mut card, key).full(ins, header, data);
        assert_eq!(answer, refused(status), "key {key}, command {ins:02X}");
    };
    let cents = 100_i32.to_le_bytes();
    check(READ, 0x0C, &[2], &cents, Status::Authentication);
    check(READ, 0xDC, &[2], &cents, Status::Authentication);
    check(DEBIT, 0x0C, &[2], &cents, Status::Authentication);
    check(DEBIT, 0xBD, &IDENTITY, &[], Status::Authentication);
    check(CREDIT, 0xBD, &IDENTITY, &[], Status::Authentication);
    check(DEBIT, 0x3B, &[3, 0, 0, 0, 48, 0, 0], &[0; 48], Status::Authentication);
    check(READ, 0x3B, &[4, 0, 0, 0, 24, 0, 0], &[0; 24], Status::Authentication);
    check(CREDIT, 0x3D, &TRIES, &[0; 16], Status::Authentication);
    check(READ, 0x3D, &[1, 0, 0, 0, 16, 0, 0], &[0; 16], Status::PermissionDenied);
    check(CREDIT, 0x1C, &[2], &cents, Status::PermissionDenied);
    check(READ, 0xBD, &[9, 0, 0, 0, 0, 0, 0], &[], Status::FileNotFound);
    check(READ, 0xBD, &[2, 0, 0, 0, 0, 0, 0], &[], Status::PermissionDenied);
    check(READ, 0xBD, &[1, 60, 0, 0, 5, 0, 0], &[], Status::Boundary);
    check(READ, 0xBB, &[3, 1, 0, 0, 1, 0, 0], &[], Status::Boundary);
}

#[test]
fn nothing_private_is_read_without_authentication() {
    let mut card = card();
    for (ins, data) in [(0xBD, IDENTITY), (0xBD, TRIES), (0xBB, [3, 0, 0, 0, 0, 0, 0])] {
        frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
        assert_eq!(command(&mut card, ins, &data), (vec![], Status::Authentication.byte()));
    }
    frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
    assert_eq!(command(&mut card, 0x51, &[]).1, Status::Authentication.byte());
    frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
    assert_eq!(command(&mut card, 0x6C, &[2]), (1_250_i32.to_le_bytes().to_vec(), 0));
    assert_eq!(command(&mut card, 0xBD, &[15, 0, 0, 0, 0, 0, 0]), (vec![0; 12], 0));
}

#[test]
fn an_error_ends_the_session() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    assert_eq!(reader.full(0xBD, &[9, 0, 0, 0, 0, 0, 0], &[]), refused(Status::FileNotFound));
    assert_eq!(reader.full(0xBD, &TRIES, &[]), refused(Status::Authentication));
}

#[test]
fn a_wrong_key_and_an_absent_one_are_told_apart() {
    let mut card = card();
    frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
    assert_eq!(frame(&mut card, 0x71, &[9, 0]).1, Status::NoSuchKey.byte());
    assert_eq!(frame(&mut card, 0x71, &[READ, 0]).1, 0xAF);
    assert_eq!(frame(&mut card, 0xAF, &[0; 32]), (vec![], Status::Authentication.byte()));
    assert_eq!(frame(&mut card, 0x77, &[READ]).1, Status::Authentication.byte(), "there is no session to go on");
}

#[test]
fn a_further_authentication_changes_the_key_within_the_transaction_identifier() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    assert!(reader.full(0xBD, &TRIES, &[]).is_ok());
    assert_eq!(reader.authenticate(0x77, CREDIT), 0);
    assert_eq!(reader.value(), 1_250);
}

#[test]
fn file_settings_are_the_layouts() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    let mut check = |file: u8, expected: &[u8]| {
        assert_eq!(reader.send(CommMode::Mac, 0xF5, &[file], &[]), Ok(expected.to_vec()), "file {file}");
    };
    check(1, &[0x00, 0x03, 0xF0, 0x1F, 64, 0, 0]);
    check(2, &[0x02, 0x03, 0x30, 0xF2, 0, 0, 0, 0, 0x98, 0x3A, 0, 0, 0, 0, 0, 0, 0x02]);
    check(3, &[0x04, 0x03, 0x30, 0x13, 48, 0, 0, 6, 0, 0, 1, 0, 0]);
    check(4, &[0x04, 0x03, 0x20, 0x12, 24, 0, 0, 11, 0, 0, 1, 0, 0]);
    check(5, &[0x01, 0x03, 0x10, 0x11, 16, 0, 0]);
    check(15, &[0x05, 0x00, 0xE0, 0xEF, 0x02, 0x00]);
}

#[test]
fn the_real_uid_of_a_random_uid_card_is_read_under_the_uid_key() {
    let mut card = card_with(|value| value["random_uid"] = json!(true));
    let shown = card.transmit(&[0xFF, 0xCA, 0, 0, 0]);
    assert_eq!((shown.len(), shown[0], &shown[4..]), (6, 0x08, &[0x90, 0x00][..]));
    let uid = Reader::open(&mut card, UID).full(0x51, &[], &[]);
    assert_eq!(uid, Ok(vec![0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]));
    card.field_off();
    assert_ne!(card.transmit(&[0xFF, 0xCA, 0, 0, 0]), shown, "a new one each time");
}

#[test]
fn the_version_comes_in_three_frames_and_names_the_chip() {
    let mut card = card();
    let (hardware, status) = frame(&mut card, 0x60, &[]);
    assert_eq!((hardware.as_slice(), status), (&[4, 1, 1, 0x33, 0, 0x18, 5][..], 0xAF));
    assert_eq!(frame(&mut card, 0xAF, &[]).1, 0xAF);
    let (production, status) = frame(&mut card, 0xAF, &[]);
    assert_eq!((&production[..7], production.len(), status), (&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6][..], 14, 0));
    let mut reader = Reader::open(&mut card, READ);
    assert_eq!(reader.send(CommMode::Mac, 0x60, &[], &[]).unwrap().len(), 28);
}

#[test]
fn listings_are_free() {
    let mut card = card();
    assert_eq!(command(&mut card, 0x6A, &[]), (vec![0xF5, 0x1C, 0x01], 0));
    assert_eq!(command(&mut card, 0x5A, &[1, 2, 3]).1, Status::ApplicationNotFound.byte());
    frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
    assert_eq!(command(&mut card, 0x6F, &[]), (vec![1, 2, 3, 4, 5, 6, 15], 0));
    assert_eq!(command(&mut card, 0x45, &[]), (vec![0x0B, 0x85], 0));
    assert_eq!(command(&mut card, 0x64, &[3]), (vec![0], 0));
}

#[test]
fn the_twins_of_longer_frames_carry_a_whole_message_in_one() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    let header = [3, 0, 0, 0, 48, 0, 0];
    assert_eq!(reader.one_frame(0x8B, &header, &[7; 48]), Ok(vec![]));
    reader.reader_id().unwrap();
    reader.commit().unwrap();
    let mut reader = Reader::open(&mut card, READ);
    let both = reader.one_frame(0xAB, &[3, 0, 0, 0, 0, 0, 0], &[]);
    assert_eq!(both, Ok([opening_record(), [7; 48]].concat()));
    assert_eq!(reader.one_frame(0xAD, &IDENTITY, &[]).map(|data| data.len()), Ok(64));
}
