//! The readers' dialects.

use super::*;
use crate::{ReaderKind, ValueBlock};

const NOT_SUPPORTED: [u8; 2] = [0x6A, 0x81];

const ALL: [ReaderKind; 4] = [ReaderKind::Acs, ReaderKind::Omnikey, ReaderKind::Feitian, ReaderKind::Portable];

#[test]
fn every_reader_tells_uid_and_atr_and_reads_and_writes() {
    for kind in ALL {
        let mut card = card().on(kind);
        // PC/SC part 3: the ATR of a MIFARE Classic 1K.
        assert_eq!(card.atr(), unhex("3B8F8001804F0CA000000306030001000000006A"));
        assert_eq!(card.transmit(&[0xFF, 0xCA, 0, 0, 0]), answered("5A1B2C3D"), "{kind:?}");
        assert_eq!(card.transmit(&[0xFF, 0xCA, 1, 0, 0]), NOT_SUPPORTED, "{kind:?} has no ATS to tell");
        open(&mut card, SEAL, ClassicKeyKind::B);
        assert_eq!(write(&mut card, SEAL, &[0x77; 16]), OK, "{kind:?}");
        assert_eq!(card.transmit(&[0xFF, 0xB0, 0, SEAL, 4]), answered("77777777"), "{kind:?}");
        assert_eq!(card.transmit(&[0xFF, 0xB0, 0, SEAL, 0]).len(), 18, "{kind:?}");
    }
}

#[test]
fn a_seven_byte_uid_is_told_whole() {
    let mut card = card_with(|value| value["uid"] = json!("04A1B2C3D4E5F6"));
    assert_eq!(card.transmit(&[0xFF, 0xCA, 0, 0, 0]), answered("04A1B2C3D4E5F6"));
    assert_eq!(card.purse().map(|purse| purse.0), Some(850));
}

#[test]
fn acs_counts_most_significant_byte_first() {
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 5, 0, 0, 0, 0x03, 0xE8]), OK);
    assert_eq!(card.main_block(), Some(ValueBlock { value: 1_000, address: MAIN }), "a store knows the block only");
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 5, 1, 0, 0, 1, 0]), OK);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 5, 2, 0, 0, 0, 6]), OK);
    assert_eq!(card.transmit(&[0xFF, 0xB1, 0, MAIN, 4]), answered("000004E2"));
    assert_eq!(card.transmit(&[0xFF, 0xB1, 0, SEAL, 4]), FAILED, "no value block");
}

#[test]
fn omnikey_counts_least_significant_byte_first() {
    let mut card = card().on(ReaderKind::Omnikey);
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(card.transmit(&[0xFF, 0xD4, 0, MAIN, 4, 0, 1, 0, 0]), OK);
    assert_eq!(card.transmit(&[0xFF, 0xD8, 0, MAIN, 4, 6, 0, 0, 0]), OK);
    assert_eq!(card.main_block(), Some(ValueBlock { value: 1_100, address: 2 }));
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 5, 1, 0, 0, 0, 1]), NOT_SUPPORTED);
}

#[test]
fn feitian_stores_and_its_nameless_counting_is_refused() {
    let mut card = card().on(ReaderKind::Feitian);
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(card.transmit(&[0xFF, 0xD8, 0, MAIN, 4, 0xE8, 3, 0, 0]), OK);
    assert_eq!(card.main_block(), Some(ValueBlock { value: 1_000, address: MAIN }));
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 4, 1, 0, 0, 0]), NOT_SUPPORTED);
}

#[test]
fn a_portable_reader_knows_no_value_blocks() {
    let mut card = card().on(ReaderKind::Portable);
    open(&mut card, MAIN, ClassicKeyKind::B);
    for ins in [0xB1, 0xD4, 0xD7, 0xD8] {
        assert_eq!(card.transmit(&[0xFF, ins, 0, MAIN, 4, 0, 0, 0, 1]), NOT_SUPPORTED, "{ins:02X}");
    }
    assert_eq!(read(&mut card, MAIN).len(), 18, "the reader refused, not the card");
}

#[test]
fn readers_say_differently_what_the_card_refused() {
    let check = |kind, wrong_key: [u8; 2], closed: [u8; 2], beyond: [u8; 2]| {
        let mut card = card().on(kind);
        assert_eq!(open_with(&mut card, MAIN, 0x60, &ClassicKey::transport()), wrong_key, "{kind:?}");
        assert_eq!(read(&mut card, MAIN), closed, "{kind:?}");
        assert_eq!(read(&mut card, 64), beyond, "{kind:?}");
    };
    check(ReaderKind::Acs, FAILED, FAILED, FAILED);
    check(ReaderKind::Feitian, FAILED, FAILED, FAILED);
    check(ReaderKind::Omnikey, FAILED, [0x69, 0x82], [0x6A, 0x82]);
    check(ReaderKind::Portable, [0x69, 0x82], [0x69, 0x82], [0x6A, 0x82]);
}

#[test]
fn a_key_is_used_from_the_slot_it_was_loaded_into() {
    let mut card = card();
    let load = |slot, key: ClassicKey| [&[0xFF, 0x82, 0x00, slot, 0x06][..], key.bytes()].concat();
    let open = |slot| [0xFF, 0x86, 0, 0, 5, 1, 0, MAIN, 0x60, slot];
    assert_eq!(card.transmit(&load(1, key(2, ClassicKeyKind::A))), OK);
    assert_eq!(card.transmit(&load(0, ClassicKey::transport())), OK);
    assert_eq!(card.transmit(&open(0)), FAILED);
    assert_eq!(card.transmit(&open(1)), OK);
    assert_eq!(card.transmit(&load(2, ClassicKey::transport())), FAILED, "two volatile slots");
    assert_eq!(card.transmit(&[0xFF, 0x88, 0, MAIN, 0x60, 1]), OK, "the older form");
}

#[test]
fn a_volatile_key_is_gone_without_power_and_a_lasting_one_is_not() {
    for (structure, answer) in [(0x00, FAILED), (0x20, OK)] {
        let mut card = card();
        let load = [&[0xFF, 0x82, structure, 0x00, 0x06][..], key(2, ClassicKeyKind::A).bytes()].concat();
        assert_eq!(card.transmit(&load), OK);
        card.field_off();
        assert_eq!(card.transmit(&[0xFF, 0x86, 0, 0, 5, 1, 0, MAIN, 0x60, 0]), answer, "structure {structure:02X}");
    }
}

#[test]
fn malformed_commands_get_a_status_and_never_silence() {
    let check = |apdu: &[u8], expected: [u8; 2]| assert_eq!(card().transmit(apdu), expected, "{apdu:02X?}");
    check(&[], [0x67, 0x00]);
    check(&[0xFF, 0xCA], [0x67, 0x00]);
    check(&[0x00, 0xA4, 0x04, 0x00, 0x00], NOT_SUPPORTED);
    check(&[0x90, 0x5A, 0, 0, 3, 0xF5, 0x1C, 0x01, 0], NOT_SUPPORTED);
    check(&[0xFF, 0x82, 0x00, 0x00, 0x05, 1, 2, 3, 4, 5], [0x67, 0x00]);
    check(&[0xFF, 0x82, 0x40, 0x00, 0x06, 1, 2, 3, 4, 5, 6], NOT_SUPPORTED);
    check(&[0xFF, 0x86, 0x00, 0x00, 0x05, 2, 0, 8, 0x60, 0], [0x6B, 0x00]);
    check(&[0xFF, 0xB0, 0x01, 0x08, 0x10], [0x6B, 0x00]);
    check(&[0xFF, 0xB0, 0x00, 0x08, 0x11], [0x67, 0x00]);
    check(&[0xFF, 0xD6, 0x00, 0x08, 0x04, 1, 2, 3, 4], [0x67, 0x00]);
    check(&[0xFF, 0xD7, 0x00, 0x08, 0x05, 9, 0, 0, 0, 1], FAILED);
}
