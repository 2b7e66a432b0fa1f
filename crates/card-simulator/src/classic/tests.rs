//! Whole conversations with a Classic card, in process.

mod chip;
mod faults;
mod flaws;
mod model;
mod readers;

use crate::bytes::unhex;
use crate::{ClassicCard, ClassicDescription, ClassicKey, ClassicKeyKind, Key, personalise_classic, sector_key};
use domain::Uid;
use serde_json::{Value, json};

/// Blocks of the demonstration card's purse.
const MAIN: u8 = 8;
const BACKUP: u8 = 9;
const SEAL: u8 = 10;

const OK: [u8; 2] = [0x90, 0x00];
const FAILED: [u8; 2] = [0x63, 0x00];

fn description() -> Value {
    serde_json::from_str(include_str!("../../cards/classic.json")).unwrap()
}

/// The demonstration card; `change` edits its description before it is made.
fn card_with(change: impl FnOnce(&mut Value)) -> ClassicCard {
    let mut value = description();
    change(&mut value);
    let description: ClassicDescription = serde_json::from_value(value).unwrap();
    personalise_classic(&description).unwrap().seeded(7)
}

fn card() -> ClassicCard {
    card_with(|_| {})
}

fn blank() -> ClassicCard {
    ClassicCard::blank(Uid::new(&[0x5A, 0x1B, 0x2C, 0x3D]).unwrap()).seeded(7)
}

/// A key of the demonstration card, of the city's base keys.
fn key(sector: u8, kind: ClassicKeyKind) -> ClassicKey {
    let base = match kind {
        ClassicKeyKind::A => Key::new([0xA1; 16]),
        ClassicKeyKind::B => Key::new([0xA3; 16]),
    };
    sector_key(&base, &Uid::new(&[0x5A, 0x1B, 0x2C, 0x3D]).unwrap(), sector, kind, "bahia")
}

/// Loads a key and authenticates, as any client must; gives the answer to the second.
fn open_with(card: &mut ClassicCard, block: u8, letter: u8, key: &ClassicKey) -> Vec<u8> {
    let load = [&[0xFF, 0x82, 0x00, 0x00, 0x06][..], key.bytes()].concat();
    assert_eq!(card.transmit(&load), OK);
    card.transmit(&[0xFF, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, block, letter, 0x00])
}

/// Opens a sector of the demonstration card.
fn open(card: &mut ClassicCard, block: u8, kind: ClassicKeyKind) {
    let letter = if kind == ClassicKeyKind::A { 0x60 } else { 0x61 };
    assert_eq!(open_with(card, block, letter, &key(block / 4, kind)), OK);
}

fn read(card: &mut ClassicCard, block: u8) -> Vec<u8> {
    card.transmit(&[0xFF, 0xB0, 0x00, block, 0x10])
}

fn write(card: &mut ClassicCard, block: u8, data: &[u8]) -> Vec<u8> {
    card.transmit(&[&[0xFF, 0xD6, 0x00, block, 0x10][..], data].concat())
}

fn answered(data: &str) -> Vec<u8> {
    [unhex(data), OK.to_vec()].concat()
}
