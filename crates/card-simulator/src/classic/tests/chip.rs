//! Access conditions and value blocks, as a reader of the first kind meets them.

use super::*;
use crate::{Conditions, ValueBlock};

#[test]
fn a_sector_answers_only_to_its_own_key() {
    let mut card = card();
    assert_eq!(read(&mut card, MAIN), FAILED, "nobody is authenticated");
    assert_eq!(open_with(&mut card, MAIN, 0x60, &key(1, ClassicKeyKind::A)), FAILED, "another sector's key");
    assert_eq!(open_with(&mut card, MAIN, 0x61, &key(2, ClassicKeyKind::A)), FAILED, "key A is not key B");
    open(&mut card, MAIN, ClassicKeyKind::A);
    assert_eq!(read(&mut card, 4), FAILED, "another sector");
    assert_eq!(read(&mut card, MAIN), FAILED, "a refusal ends the authentication");
}

#[test]
fn a_block_beyond_the_last_one_is_refused() {
    assert_eq!(open_with(&mut card(), 64, 0x60, &ClassicKey::transport()), FAILED);
}

#[test]
fn key_a_reads_and_takes_and_never_gives() {
    let decrement = [0xFF, 0xD7, 0x00, MAIN, 0x05, 0x02, 0, 0, 0, 50];
    let increment = [0xFF, 0xD7, 0x00, MAIN, 0x05, 0x01, 0, 0, 0, 50];
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::A);
    assert_eq!(card.transmit(&decrement), OK);
    assert_eq!(card.main_block(), Some(ValueBlock { value: 800, address: 2 }), "the address byte stays");
    assert_eq!(card.transmit(&increment), FAILED);
    for block in [MAIN, BACKUP, SEAL, 11] {
        open(&mut card, MAIN, ClassicKeyKind::A);
        assert_eq!(write(&mut card, block, &[0; 16]), FAILED, "block {block}");
    }
    assert_eq!(card.main_block(), Some(ValueBlock { value: 800, address: 2 }));
}

#[test]
fn key_b_gives_and_writes() {
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, MAIN, 0x05, 0x01, 0, 0, 1, 0]), OK);
    assert_eq!(card.main_block(), Some(ValueBlock { value: 1_106, address: 2 }));
    let block = ValueBlock { value: 2_000, address: 3 }.bytes();
    assert_eq!(write(&mut card, MAIN, &block), OK);
    assert_eq!(read(&mut card, MAIN), [&block[..], &OK].concat());
}

#[test]
fn a_copy_carries_the_address_byte_along() {
    let mut card = blank();
    assert_eq!(open_with(&mut card, 4, 0x60, &ClassicKey::transport()), OK);
    let value = ValueBlock { value: 700, address: 9 }.bytes();
    assert_eq!(write(&mut card, 4, &value), OK);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, 4, 0x02, 0x03, 5]), OK);
    assert_eq!(read(&mut card, 5), [&value[..], &OK].concat());
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, 4, 0x02, 0x03, MAIN]), FAILED, "another sector");
}

#[test]
fn no_key_copies_a_backup_over_the_value() {
    for kind in [ClassicKeyKind::A, ClassicKeyKind::B] {
        let mut card = card();
        let before = card.memory().clone();
        open(&mut card, MAIN, kind);
        assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, BACKUP, 0x02, 0x03, MAIN]), FAILED);
        assert_eq!(card.memory(), &before);
    }
}

#[test]
fn a_block_that_is_no_value_block_is_not_counted_with() {
    for operation in [1, 2] {
        let mut card = card_with(|value| value["flaws"] = json!(["broken_main"]));
        let before = card.memory().clone();
        open(&mut card, MAIN, ClassicKeyKind::B);
        assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, MAIN, 0x05, operation, 0, 0, 0, 1]), FAILED);
        assert_eq!(card.memory(), &before);
    }
}

#[test]
fn counting_beyond_four_bytes_is_refused() {
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, MAIN, 0x05, 0x01, 0x7F, 0xFF, 0xFF, 0xFF]), FAILED);
    open(&mut card, MAIN, ClassicKeyKind::A);
    assert_eq!(card.transmit(&[0xFF, 0xD7, 0x00, MAIN, 0x05, 0x02, 0xFF, 0xFF, 0xFF, 0xFF]), FAILED);
    assert_eq!(card.main_block().map(|main| main.value), Some(850));
}

#[test]
fn a_trailer_shows_its_access_bits_and_no_key() {
    let mut card = card();
    for kind in [ClassicKeyKind::A, ClassicKeyKind::B] {
        open(&mut card, MAIN, kind);
        assert_eq!(read(&mut card, 11), answered("000000000000 68778900 000000000000"));
    }
}

#[test]
fn a_readable_key_b_is_taken_and_opens_nothing() {
    let mut card = blank();
    let transport = ClassicKey::transport();
    assert_eq!(open_with(&mut card, 4, 0x61, &transport), OK);
    assert_eq!(read(&mut card, 4), FAILED);
    assert_eq!(open_with(&mut card, 4, 0x60, &transport), OK);
    assert_eq!(read(&mut card, 7), answered("000000000000 FF078069 FFFFFFFFFFFF"), "key B is data here");
    assert_eq!(write(&mut card, 4, &[7; 16]), OK);
    assert_eq!(read(&mut card, 4), [&[7; 16][..], &OK].concat());
}

#[test]
fn key_b_changes_a_trailer_and_key_a_does_not() {
    let trailer = unhex("111111111111 787788 00 222222222222");
    let mut card = card();
    open(&mut card, 4, ClassicKeyKind::A);
    assert_eq!(write(&mut card, 7, &trailer), FAILED);
    open(&mut card, 4, ClassicKeyKind::B);
    assert_eq!(write(&mut card, 7, &trailer), OK);
    assert_eq!(open_with(&mut card, 4, 0x60, &ClassicKey::new([0x11; 6])), OK);
    assert_eq!(open_with(&mut card, 4, 0x61, &ClassicKey::new([0x22; 6])), OK);
}

#[test]
fn what_a_trailer_does_not_let_go_of_stays() {
    let mut card = blank();
    // Trailer 100: key B changes keys, and the access bits stay for ever.
    let bits = Conditions::new([0, 0, 0, 0b100]).bytes();
    let trailer = [&[0x11; 6][..], &bits, &[0x69], &[0x22; 6]].concat();
    assert_eq!(open_with(&mut card, 4, 0x60, &ClassicKey::transport()), OK);
    assert_eq!(write(&mut card, 7, &trailer), OK);
    assert_eq!(open_with(&mut card, 4, 0x61, &ClassicKey::new([0x22; 6])), OK);
    assert_eq!(write(&mut card, 7, &unhex("333333333333 FF078000 444444444444")), OK);
    let expected = [&[0x33; 6][..], &bits, &[0x69], &[0x44; 6]].concat();
    assert_eq!(card.memory().block(7).to_vec(), expected);
}

#[test]
fn access_bits_that_disagree_lock_the_sector_for_ever() {
    let mut card = blank();
    let transport = ClassicKey::transport();
    assert_eq!(open_with(&mut card, 4, 0x60, &transport), OK);
    assert_eq!(write(&mut card, 7, &unhex("FFFFFFFFFFFF FF078169 FFFFFFFFFFFF")), OK);
    assert_eq!(read(&mut card, 4), FAILED, "at once");
    for letter in [0x60, 0x61] {
        assert_eq!(open_with(&mut card, 4, letter, &transport), FAILED);
    }
    assert_eq!(open_with(&mut card, 8, 0x60, &transport), OK, "the other sectors live on");
}

#[test]
fn the_manufacturer_s_block_is_never_written() {
    let mut card = blank();
    let before = card.memory().clone();
    assert_eq!(open_with(&mut card, 0, 0x60, &ClassicKey::transport()), OK);
    assert_eq!(write(&mut card, 0, &[0; 16]), FAILED);
    assert_eq!(card.memory(), &before);
}

#[test]
fn every_condition_of_a_data_block_lets_through_what_its_table_says() {
    // MF1S50YYX, table 8: who reads, writes, increments, decrements; key B is not readable here (trailer 011).
    let check = |condition: u8, table: [&str; 4]| {
        for (operation, allowed) in table.into_iter().enumerate() {
            for (letter, name) in [(0x60, 'a'), (0x61, 'b')] {
                let mut card = with_condition(condition);
                let key = ClassicKey::new(if letter == 0x60 { [0x11; 6] } else { [0x22; 6] });
                assert_eq!(open_with(&mut card, 4, letter, &key), OK);
                let answer = match operation {
                    0 => read(&mut card, 4),
                    1 => write(&mut card, 4, &ValueBlock { value: 1, address: 0 }.bytes()),
                    2 => card.transmit(&[0xFF, 0xD7, 0x00, 4, 0x05, 0x01, 0, 0, 0, 1]),
                    _ => card.transmit(&[0xFF, 0xD7, 0x00, 4, 0x05, 0x02, 0, 0, 0, 1]),
                };
                let done = answer.ends_with(&OK);
                assert_eq!(done, allowed.contains(name), "{condition:03b} operation {operation} key {name}");
            }
        }
    };
    check(0b000, ["ab", "ab", "ab", "ab"]);
    check(0b010, ["ab", "", "", ""]);
    check(0b100, ["ab", "b", "", ""]);
    check(0b110, ["ab", "b", "b", "ab"]);
    check(0b001, ["ab", "", "", "ab"]);
    check(0b011, ["b", "b", "", ""]);
    check(0b101, ["b", "", "", ""]);
    check(0b111, ["", "", "", ""]);
}

/// A card whose block 4 is a value block under this condition.
fn with_condition(condition: u8) -> ClassicCard {
    let mut card = blank();
    let bits = Conditions::new([condition, 0, 0, 0b011]).bytes();
    let trailer = [&[0x11; 6][..], &bits, &[0x69], &[0x22; 6]].concat();
    card.memory_mut().set(4, ValueBlock { value: 10, address: 0 }.bytes());
    card.memory_mut().set(7, trailer.try_into().unwrap());
    card
}
