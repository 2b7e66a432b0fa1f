//! A DESFire EV1, and AuthenticateAES on the chips that came after it.

use super::reader::{CREDIT, DEBIT, READ, Reader, SCHEMES, Scheme, UID, command, frame, opening_record, refused};
use super::{card, card_with};
use crate::memory::CommMode;
use crate::{Status, VirtualCard};
use domain::{Cents, TerminalId};
use serde_json::json;

const IDENTITY: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];
const TRIES: [u8; 7] = [5, 0, 0, 0, 16, 0, 0];

fn ev1() -> VirtualCard {
    card_with(|value| value["chip"] = json!("ev1"))
}

/// A card of each chip with each way to authenticate that it knows.
pub(super) fn every_card() -> Vec<(VirtualCard, Scheme)> {
    let of = |chip: &str| card_with(|value| value["chip"] = json!(chip));
    let mut cards = vec![(ev1(), Scheme::Aes)];
    cards.extend(["ev2", "ev3"].iter().flat_map(|chip| SCHEMES.map(|scheme| (of(chip), scheme))));
    cards
}

#[test]
fn what_ev2_brought_is_an_illegal_command_and_the_application_stays_selected() {
    for ins in [0x71, 0x77, 0xAD, 0x8D, 0xAB, 0x8B, 0xBA, 0xC8, 0xCE, 0xDB] {
        let mut card = ev1();
        frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]);
        assert_eq!(frame(&mut card, ins, &[READ, 0]), (vec![], Status::IllegalCommand.byte()), "{ins:02X}");
        assert_eq!(frame(&mut card, 0xAA, &[READ]).1, 0xAF, "after {ins:02X}");
    }
}

#[test]
fn an_ev1_says_that_it_is_one() {
    let mut card = ev1();
    let (version, status) = command(&mut card, 0x60, &[]);
    assert_eq!((&version[..5], &version[7..12], status), (&[4, 1, 1, 1, 0][..], &[4, 1, 1, 1, 4][..], 0));
    assert_eq!(command(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0);
    assert_eq!(command(&mut card, 0x6F, &[]), (vec![1, 2, 3, 4, 5, 6], 0), "no TransactionMAC");
    assert_eq!(card.transaction_mac(), None);
}

#[test]
fn a_tap_reads_the_same_from_every_chip() {
    for (mut card, scheme) in every_card() {
        let mut reader = Reader::by(scheme, &mut card, READ);
        let identity = reader.full(0xBD, &IDENTITY, &[]).unwrap();
        assert_eq!((identity.len(), &identity[16..48]), (64, &[0x5C; 32][..]));
        let settings = reader.mac(0xF5, &[3]).unwrap();
        assert_eq!(settings[10..], [1, 0, 0]);
        assert_eq!(reader.full(0xBB, &[3, 0, 0, 0, 1, 0, 0], &[]), Ok(opening_record().to_vec()));
        assert_eq!(reader.full(0xBB, &[4, 0, 0, 0, 0, 0, 0], &[]).unwrap()[12..16], 1_250_i32.to_le_bytes());
        assert_eq!(reader.full(0xBD, &TRIES, &[]).unwrap()[..6], [4, 0, 0, 0, 1, 1]);
        assert_eq!(reader.full(0xBD, &[6, 0, 0, 0, 4, 0, 0], &[]), Ok(vec![0b100, b'a', b's', b't']));
        assert_eq!(reader.send(CommMode::Plain, 0x6C, &[2], &[]), Ok(1_250_i32.to_le_bytes().to_vec()));
        assert_eq!(reader.mac(0x60, &[]).unwrap().len(), 28);
    }
}

#[test]
fn an_ev1_commits_without_reader_identity_and_without_option() {
    let mut card = ev1();
    let mut reader = Reader::by(Scheme::Aes, &mut card, CREDIT);
    assert_eq!(reader.value(), 1_250);
    reader.credit(2_000).unwrap();
    reader.write_top_up(&[0x42; 48]).unwrap();
    assert_eq!(reader.card.purse(), Some(Cents(1_250)));
    assert_eq!(reader.mac(0xC7, &[]), Ok(vec![]));
    assert_eq!(reader.value(), 3_250);
    assert_eq!((card.purse(), card.top_ups().len()), (Some(Cents(3_250)), 2));
}

#[test]
fn an_ev1_knows_no_commit_option() {
    let mut card = ev1();
    let mut reader = Reader::by(Scheme::Aes, &mut card, CREDIT);
    reader.credit(2_000).unwrap();
    assert_eq!(reader.mac(0xC7, &[1]), refused(Status::Length));
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn a_newer_chip_gives_its_evidence_in_the_older_channel_too() {
    let mut card = card();
    let mut reader = Reader::by(Scheme::Aes, &mut card, CREDIT);
    reader.credit(2_000).unwrap();
    assert_eq!(reader.reader_id().unwrap().len(), 16);
    assert_eq!(reader.commit().unwrap()[..4], [1, 0, 0, 0]);
    assert_eq!(reader.value(), 3_250);
}

#[test]
fn the_twins_work_in_the_older_channel_of_a_newer_chip() {
    let mut card = card();
    let mut reader = Reader::by(Scheme::Aes, &mut card, READ);
    assert_eq!(reader.one_frame(0xAD, &IDENTITY, &[]).map(|data| data.len()), Ok(64));
    assert_eq!(reader.one_frame(0x8D, &TRIES, &[1; 16]), Ok(vec![]));
}

#[test]
fn the_second_authentication_needs_the_newer_channel() {
    let mut card = card();
    let mut reader = Reader::by(Scheme::Aes, &mut card, READ);
    assert_eq!(reader.authenticate(0x77, CREDIT), Status::Authentication.byte());
    assert_eq!(reader.authenticate(0xAA, CREDIT), 0);
    assert_eq!(reader.value(), 1_250);
    assert_eq!(reader.authenticate(0x71, DEBIT), 0);
    assert_eq!(reader.value(), 1_250);
    assert_eq!(reader.authenticate(0x77, CREDIT), 0);
    reader.credit(1).unwrap();
}

#[test]
fn the_real_uid_is_read_in_both_channels() {
    for (mut card, scheme) in every_card() {
        let uid = Reader::by(scheme, &mut card, UID).full(0x51, &[], &[]);
        assert_eq!(uid, Ok(vec![0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]));
    }
}

#[test]
fn a_wrong_key_is_refused_in_both_channels() {
    for (mut card, scheme) in every_card() {
        let wrong = crate::Key::new([0x99; 16]);
        let refusal = Reader::at(&mut card, [0xF5, 0x1C, 0x01], scheme, READ, &wrong).map(drop);
        assert_eq!(refusal, Err(Status::Authentication.byte()));
        let absent = Reader::at(&mut card, [0xF5, 0x1C, 0x01], scheme, 5, &wrong).map(drop);
        assert_eq!(absent, Err(Status::NoSuchKey.byte()));
    }
}

#[test]
fn an_error_ends_the_older_session_too() {
    let mut card = ev1();
    let mut reader = Reader::by(Scheme::Aes, &mut card, READ);
    assert_eq!(reader.full(0xBD, &[9, 0, 0, 0, 0, 0, 0], &[]), refused(Status::FileNotFound));
    assert_eq!(reader.full(0xBD, &TRIES, &[]), refused(Status::Authentication));
}

#[test]
fn a_bus_debits_an_ev1() {
    let mut card = ev1();
    let movement = card.debit(Cents(95), 2, 29_000_000, TerminalId(501)).unwrap();
    assert_eq!((movement.balance, card.purse()), (Cents(1_155), Some(Cents(1_155))));
}
