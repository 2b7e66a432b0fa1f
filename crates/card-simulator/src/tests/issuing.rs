//! A blank chip becomes a citizen's card, command by command, and no tear leaves it between two states.

use super::card_with;
use super::reader::{AID, CHIP, CREDIT, DEBIT, LOST, READ, Reader, SCHEMES, Scheme, key_of, opening_record};
use crate::memory::{CardKey, Chip, Memory};
use crate::{BlankDescription, FaultKind, FaultPlan, Key, VirtualCard, When, layout};
use serde_json::json;

const UID: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
const FACTORY: [u8; 16] = [0; 16];
const CHIP_KEY: [u8; 16] = [0xC0; 16];
const READ_VERSION: u8 = 3;

pub(super) fn blank(chip: Chip) -> VirtualCard {
    VirtualCard::blank(&BlankDescription { uid: UID, chip, layout: layout::documented() }).seeded(7)
}

/// The card that a description makes at once.
fn described(chip: Chip) -> VirtualCard {
    card_with(|value| {
        value["chip"] = json!(chip);
        value["keys"]["card"]["picc"] = json!("C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0");
        value["keys"]["card"]["versions"] = json!({ "read": READ_VERSION, "picc": 9 });
    })
}

/// Each chip with each channel it knows.
pub(super) const KINDS: [(Chip, Scheme); 5] = [
    (Chip::Ev1, Scheme::Aes),
    (Chip::Ev2, Scheme::Aes),
    (Chip::Ev2, Scheme::Ev2),
    (Chip::Ev3, Scheme::Aes),
    (Chip::Ev3, Scheme::Ev2),
];

type Step = fn(&mut VirtualCard, Scheme) -> Result<(), u8>;

/// The chip: its application, its settings, its own key.
fn chip_level(card: &mut VirtualCard, scheme: Scheme) -> Result<(), u8> {
    let mut reader = Reader::at(card, CHIP, scheme, 0, &Key::new(FACTORY))?;
    reader.mac(0xCA, &[AID[0], AID[1], AID[2], 0x0B, 0x85])?;
    reader.full(0x54, &[], &[0x0B])?;
    reader.change_key(0x80, &Key::new(CHIP_KEY), 9, None)
}

/// Files and all keys but the master's.
fn files_and_keys(card: &mut VirtualCard, scheme: Scheme) -> Result<(), u8> {
    let factory = Key::new(FACTORY);
    let mut reader = Reader::at(card, AID, scheme, 0, &factory)?;
    let purse = [&[2, 3, 0x30, 0xF2][..], &0_i32.to_le_bytes(), &15_000_i32.to_le_bytes(), &1_250_i32.to_le_bytes()];
    reader.mac(0xCD, &[1, 3, 0xF0, 0x10, 64, 0, 0])?;
    reader.mac(0xCC, &[&purse.concat()[..], &[0x02]].concat())?;
    reader.mac(0xC0, &[3, 3, 0x30, 0x13, 48, 0, 0, 6, 0, 0])?;
    reader.mac(0xC0, &[4, 3, 0x20, 0x12, 24, 0, 0, 11, 0, 0])?;
    reader.mac(0xCB, &[5, 3, 0x10, 0x11, 16, 0, 0])?;
    reader.mac(0xCB, &[6, 3, 0x10, 0x11, 16, 0, 0])?;
    for number in 1..5 {
        let version = if number == READ { READ_VERSION } else { 0 };
        reader.change_key(number, &key_of(number), version, Some(&factory))?;
    }
    Ok(())
}

/// Record 0 of both rings, tries and wishes.
fn first_records(card: &mut VirtualCard, scheme: Scheme) -> Result<(), u8> {
    let mut reader = Reader::at(card, AID, scheme, CREDIT, &key_of(CREDIT))?;
    reader.write_top_up(&opening_record())?;
    reader.mac(0xC7, &[])?;
    let mut reader = Reader::at(card, AID, scheme, DEBIT, &key_of(DEBIT))?;
    let movement = [&[0; 12][..], &1_250_i32.to_le_bytes(), &[0; 8]].concat();
    reader.full(0x3B, &[4, 0, 0, 0, 24, 0, 0], &movement)?;
    reader.mac(0xC7, &[])?;
    let mut reader = Reader::at(card, AID, scheme, READ, &key_of(READ))?;
    reader.full(0x3D, &[5, 0, 0, 0, 16, 0, 0], &[4, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    reader.full(0x3D, &[6, 0, 0, 0, 4, 0, 0], &[0b100, b'a', b's', b't'])?;
    reader.mac(0xC7, &[]).map(drop)
}

/// The identity, closed for ever; the TransactionMAC; the application's master key.
fn closing(card: &mut VirtualCard, scheme: Scheme) -> Result<(), u8> {
    let has_evidence = card.memory().chip != Chip::Ev1;
    let mut reader = Reader::at(card, AID, scheme, 0, &Key::new(FACTORY))?;
    let identity = layout::identity(domain::CardNumber(1_234_567_890), domain::Generation(2), &[0x5C; 32]);
    reader.full(0x3D, &[1, 0, 0, 0, 64, 0, 0], &identity)?;
    reader.full(0x5F, &[1], &[3, 0xF0, 0x1F])?;
    if has_evidence {
        reader.full(0xCE, &[15, 0, 0xE0, 0xEF, 2], &[&[0xAF; 16][..], &[0]].concat())?;
    }
    reader.change_key(0, &key_of(0), 0, None)
}

const STEPS: [Step; 4] = [chip_level, files_and_keys, first_records, closing];

fn personalise_by_commands(card: &mut VirtualCard, scheme: Scheme) -> Result<(), u8> {
    STEPS.iter().try_for_each(|step| step(card, scheme))
}

#[test]
fn a_card_made_by_commands_is_the_card_its_description_makes() {
    for (chip, scheme) in KINDS {
        let mut card = blank(chip);
        assert_eq!(personalise_by_commands(&mut card, scheme), Ok(()), "{chip:?} {scheme:?}");
        assert!(card.memory() == described(chip).memory(), "{chip:?} {scheme:?}");
    }
}

/// The memory after a tear at the Nth exchange, or `None` when the making has no such exchange.
fn torn(chip: Chip, scheme: Scheme, exchange: u32, kind: FaultKind) -> Option<Memory> {
    let mut card = blank(chip);
    card.set_faults(FaultPlan::once(When::Exchange(exchange), kind));
    let end = personalise_by_commands(&mut card, scheme);
    assert_eq!(end, if card.is_torn() { Err(LOST) } else { Ok(()) });
    card.is_torn().then(|| card.memory().clone())
}

#[test]
fn a_tear_at_any_exchange_of_the_making_leaves_the_state_before_it_or_after_it() {
    for (chip, scheme) in KINDS {
        let mut before = blank(chip).memory().clone();
        let mut changes = 0;
        for exchange in 1.. {
            let Some(untouched) = torn(chip, scheme, exchange, FaultKind::TearBefore) else { break };
            assert!(untouched == before, "{chip:?} {scheme:?}, before exchange {exchange}");
            let done = torn(chip, scheme, exchange, FaultKind::TearAfter).unwrap();
            changes += u32::from(done != before);
            before = done;
        }
        assert!(before == *described(chip).memory(), "{chip:?} {scheme:?}: the last exchange made the card");
        // Application, settings, six files, four keys, three commits, identity, its closing, two master keys;
        // TransactionMAC.
        let expected = 19 + u32::from(chip != Chip::Ev1);
        assert_eq!(changes, expected, "{chip:?} {scheme:?}: each change of the memory is one exchange");
    }
}

#[test]
fn what_was_created_survives_the_process_and_a_failed_save_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    let mut card = blank(Chip::Ev3);
    card.keep_in(path.clone()).unwrap();
    chip_level(&mut card, Scheme::Ev2).unwrap();
    files_and_keys(&mut card, Scheme::Ev2).unwrap();
    let loaded = VirtualCard::load(&path).unwrap();
    assert!(loaded.memory() == card.memory());
    assert_eq!(loaded.memory().applications[0].keys[1], CardKey { key: key_of(1), version: READ_VERSION });
    drop(folder);
    let before = card.memory().clone();
    let mut reader = Reader::at(&mut card, AID, Scheme::Ev2, 0, &Key::new(FACTORY)).unwrap();
    assert_eq!(reader.change_key(2, &key_of(9), 1, Some(&key_of(2))), Err(crate::Status::Memory.byte()));
    assert!(*card.memory() == before);
}

#[test]
fn a_made_card_serves_a_visit() {
    for (chip, scheme) in KINDS {
        let mut card = blank(chip);
        personalise_by_commands(&mut card, scheme).unwrap();
        let mut reader = Reader::by(scheme, &mut card, READ);
        assert_eq!(reader.mac(0x64, &[READ]), Ok(vec![READ_VERSION]));
        assert_eq!(reader.full(0xBD, &[1, 0, 0, 0, 0, 0, 0], &[]).unwrap()[16..48], [0x5C; 32]);
        assert!(reader.full(0x3D, &[1, 0, 0, 0, 1, 0, 0], &[9]).is_err(), "the identity is closed");
        assert_eq!(Reader::by(scheme, &mut card, CREDIT).value(), 1_250);
    }
}

#[test]
fn a_random_uid_is_switched_on_for_ever_and_shown_from_the_next_field_on() {
    for scheme in SCHEMES {
        let mut card = blank(Chip::Ev3);
        let mut reader = Reader::at(&mut card, CHIP, scheme, 0, &Key::new(FACTORY)).unwrap();
        assert_eq!(reader.full(0x5C, &[0], &[0x02]), Ok(vec![]));
        assert_eq!(reader.full(0x5C, &[0], &[0x00]), Ok(vec![]));
        assert_eq!(reader.full(0x51, &[], &[]), Ok(UID.to_vec()), "read under the chip's key");
        assert_eq!(card.transmit(&[0xFF, 0xCA, 0, 0, 0])[..7], UID);
        card.field_off();
        assert_eq!(card.transmit(&[0xFF, 0xCA, 0, 0, 0])[0], 0x08);
    }
}
