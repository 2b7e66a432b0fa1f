//! The chip behind its reader: what a client has to know of either, and nothing of the city's layout.

use crate::classic_field::{CLASSIC_UID, READERS};
use card::classic::access::{READ_A_WRITE_B, TRAILER_KEY_B, VALUE_DOWN_ONLY};
use card::classic::{AccessConditions, ClassicChip, DataBlock, TrailerWrite, ValueBlock};
use card::{Apdu, CardError, Change, ReaderProfile, Reply, StorageStatus, Transport, TransportError};
use card_simulator::{ClassicCard, ReaderKind};
use domain::Uid;
use keys::classic::{ClassicKey, ClassicKeyKind};
use std::collections::VecDeque;

/// A blank card on a reader.
struct Blank(ClassicCard);

impl Transport for Blank {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        Reply::parse(self.0.transmit(command.bytes()))
    }
}

/// A reader that expects these commands, and gives these answers.
struct Script(VecDeque<(&'static str, &'static str)>);

impl Transport for Script {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let (expected, answer) = self.0.pop_front().expect("no further command");
        assert_eq!(data_encoding::HEXUPPER.encode(command.bytes()), expected);
        Reply::parse(data_encoding::HEXUPPER.decode(answer.as_bytes()).unwrap())
    }
}

fn script(exchanges: &[(&'static str, &'static str)], profile: ReaderProfile) -> ClassicChip<Script> {
    ClassicChip::new(Script(exchanges.iter().copied().collect()), profile)
}

fn blank(kind: ReaderKind, profile: ReaderProfile) -> ClassicChip<Blank> {
    ClassicChip::new(Blank(ClassicCard::blank(Uid::new(&CLASSIC_UID).unwrap()).on(kind)), profile)
}

fn key(byte: u8) -> ClassicKey {
    ClassicKey::new([byte; 6])
}

fn block(sector: u8, index: u8) -> DataBlock {
    DataBlock::new(sector, index).unwrap()
}

#[test]
fn a_reader_without_volatile_keys_is_given_lasting_ones_and_is_not_asked_again() {
    let mut chip = script(
        &[
            ("FF82000006FFFFFFFFFFFF", "6986"),
            ("FF82200006FFFFFFFFFFFF", "9000"),
            ("FF860000050100086000", "9000"),
            ("FF82200006FFFFFFFFFFFF", "9000"),
            ("FF8600000501000C6100", "9000"),
        ],
        ReaderProfile::Portable,
    );
    assert_eq!(chip.authenticate(2, ClassicKeyKind::A, &key(0xFF)), Ok(true));
    assert_eq!(chip.authenticate(3, ClassicKeyKind::B, &key(0xFF)), Ok(true));
}

#[test]
fn a_reader_of_the_older_standard_is_asked_in_its_own_form() {
    let mut chip = script(
        &[
            ("FF82000006FFFFFFFFFFFF", "9000"),
            ("FF860000050100086000", "6D00"),
            ("FF8800086000", "9000"),
            ("FF82000006FFFFFFFFFFFF", "9000"),
            ("FF8800086100", "6300"),
        ],
        ReaderProfile::Portable,
    );
    assert_eq!(chip.authenticate(2, ClassicKeyKind::A, &key(0xFF)), Ok(true));
    assert_eq!(chip.authenticate(2, ClassicKeyKind::B, &key(0xFF)), Ok(false));
}

#[test]
fn a_reader_that_takes_no_key_says_why() {
    let refusals = [("FF82000006FFFFFFFFFFFF", "6A81"), ("FF82200006FFFFFFFFFFFF", "6982")];
    let refused = script(&refusals, ReaderProfile::Portable).authenticate(2, ClassicKeyKind::A, &key(0xFF));
    let status = StorageStatus::SecurityNotSatisfied;
    assert_eq!(refused, Err(CardError::Storage { command: 0x82, status }));
}

#[test]
fn a_refused_block_is_a_typed_error_and_a_short_one_no_block() {
    let check = |answer, expected| {
        let read = script(&[("FFB0000810", answer)], ReaderProfile::Portable).read(block(2, 0));
        assert_eq!(read, Err(expected));
    };
    let refused = |status| CardError::Storage { command: 0xB0, status };
    check("6300", refused(StorageStatus::Failed));
    check("6982", refused(StorageStatus::SecurityNotSatisfied));
    check("6A81", refused(StorageStatus::NotSupported));
    check("6A82", refused(StorageStatus::NoSuchBlock));
    check("00000000000000000000000000000000009000", CardError::Protocol(0xB0));
    check("00009000", CardError::Protocol(0xB0));
    check("90", CardError::Transport(TransportError::ShortReply));
}

#[test]
fn a_reader_that_turns_out_not_to_know_its_makers_command_is_served_portably() {
    let mut chip = script(
        &[
            ("FFD70008050200000096", "6A81"),
            ("FFB0000810", "E803000017FCFFFFE803000003FC03FC9000"),
            ("FFD600081052030000ADFCFFFF5203000003FC03FC", "9000"),
        ],
        ReaderProfile::Acs,
    );
    assert_eq!(chip.change(block(2, 0), Change::Decrement(150)), Ok(()));
}

#[test]
fn a_copy_whose_address_byte_is_anothers_is_written_again() {
    let mut chip = script(
        &[
            ("FFD70008020309", "9000"),
            ("FFB0000910", "E803000017FCFFFFE803000009F609F69000"),
            ("FFD6000910E803000017FCFFFFE803000003FC03FC", "9000"),
            ("FFB0000910", "E803000017FCFFFFE803000003FC03FC9000"),
        ],
        ReaderProfile::Acs,
    );
    let content = ValueBlock { value: 1_000, address: 3 };
    assert_eq!(chip.copy(block(2, 0), block(2, 1), content), Ok(()));
}

#[test]
fn a_value_never_wraps() {
    let mut chip = script(&[("FFB0000810", "FFFFFF7F00000080FFFFFF7F00FF00FF9000")], ReaderProfile::Portable);
    assert_eq!(chip.change(block(2, 0), Change::Increment(1)), Err(CardError::Layout("purse")));
}

#[test]
fn a_sector_closed_with_checked_conditions_obeys_them_on_every_reader() {
    for (kind, _, profile) in READERS {
        let mut chip = blank(kind, profile);
        assert_eq!(chip.authenticate(5, ClassicKeyKind::A, &key(0xFF)), Ok(true));
        chip.write(block(5, 0), &ValueBlock { value: 900, address: 7 }.to_bytes()).unwrap();
        let access = AccessConditions::new([VALUE_DOWN_ONLY, READ_A_WRITE_B, READ_A_WRITE_B, TRAILER_KEY_B]);
        assert_eq!(access.to_bytes(), [0x79, 0x66, 0x98], "{access:?}");
        let trailer = TrailerWrite::new(&key(0xA1), access, 0, &key(0xB2)).unwrap();
        chip.write_trailer(5, &trailer).unwrap();
        assert_eq!(chip.authenticate(5, ClassicKeyKind::A, &key(0xFF)), Ok(false), "the old key");
        assert_eq!(chip.authenticate(5, ClassicKeyKind::A, &key(0xA1)), Ok(true));
        assert!(chip.write(block(5, 1), &[1; 16]).is_err(), "key A does not write");
        assert_eq!(chip.authenticate(5, ClassicKeyKind::B, &key(0xB2)), Ok(true));
        chip.write(block(5, 1), &[1; 16]).unwrap();
        assert!(chip.write(block(5, 0), &[1; 16]).is_err(), "a value that only falls is never written");
    }
}

#[test]
fn makers_commands_count_on_a_virtual_chip_and_keep_the_address_byte() {
    for (kind, _, profile) in READERS {
        let mut chip = blank(kind, profile);
        assert_eq!(chip.authenticate(5, ClassicKeyKind::A, &key(0xFF)), Ok(true));
        let (from, to) = (block(5, 0), block(5, 1));
        chip.write(from, &ValueBlock { value: 900, address: 7 }.to_bytes()).unwrap();
        chip.change(from, Change::Increment(2_000)).unwrap();
        chip.change(from, Change::Decrement(150)).unwrap();
        let content = ValueBlock { value: 2_750, address: 7 };
        assert_eq!(chip.read_value(from), Ok(Some(content)));
        chip.copy(from, to, content).unwrap();
        assert_eq!(chip.read_value(to), Ok(Some(content)));
    }
}
