//! A chip straight from its factory, whose own key is a 2K3DES one.

use super::reader::{CHIP, LOST, Reader, Scheme, frame};
use crate::bytes::unhex;
use crate::memory::{CardKey, Chip};
use crate::{BlankDescription, FaultKind, FaultPlan, Key, VirtualCard, When, layout};
use tempfile::tempdir;

const CHIPS: [Chip; 3] = [Chip::Ev1, Chip::Ev2, Chip::Ev3];
/// RndB of a published authentication ("DESFire EV1 Communication Examples") with the factory's key, and then anything.
const DRAWN: &str = "4FD1B75942A8B8E1";
const ANSWER: &str = "21D0AD5F2FD97454A746CC80567F1B1C";
/// As in `iso/tests.rs`.
const CHANGE: &str = "80 2A2B8110A53F2E99C6C47717846349265311C582D7116D04";
const NEW: &str = "00102030405060708090A0B0B0A09080";

fn factory(chip: Chip) -> VirtualCard {
    let description = BlankDescription { uid: [4, 1, 2, 3, 4, 5, 6], chip, layout: layout::documented() };
    let mut drawn = unhex(DRAWN).into_iter().chain(0..);
    VirtualCard::factory(&description)
        .with_entropy(Box::new(move |bytes| bytes.fill_with(|| drawn.next().unwrap_or_default())))
}

fn says(card: &mut VirtualCard, ins: u8, data: &str, expected: (&str, u8)) {
    let (reply, status) = frame(card, ins, &unhex(data));
    assert_eq!((reply, status), (unhex(expected.0), expected.1), "{ins:02X}");
}

fn authenticate(card: &mut VirtualCard) {
    says(card, 0x5A, "000000", ("", 0));
    says(card, 0x1A, "00", ("5D994CE085F24089", 0xAF));
    says(card, 0xAF, ANSWER, ("913C6DED84221C41", 0));
}

fn new_key() -> Key {
    Key::new(unhex(NEW).try_into().unwrap())
}

#[test]
fn the_published_authentication_leads_to_an_aes_key() {
    for chip in CHIPS {
        let mut card = factory(chip);
        says(&mut card, 0x45, "", ("0F01", 0));
        authenticate(&mut card);
        says(&mut card, 0xC4, CHANGE, ("", 0));
        assert!(!card.memory().master_is_des);
        assert_eq!(card.memory().master, CardKey { key: new_key(), version: 0x10 });
        says(&mut card, 0x45, "", ("0F81", 0));
        says(&mut card, 0x64, "00", ("10", 0));
        says(&mut card, 0x1A, "00", ("", 0xAE));
        assert!(Reader::at(&mut card, CHIP, Scheme::Aes, 0, &new_key()).is_ok());
    }
}

#[test]
fn no_other_authentication_knows_its_key() {
    for chip in CHIPS {
        let mut card = factory(chip);
        says(&mut card, 0xAA, "00", ("", 0xAE));
        says(&mut card, 0x71, "0000", ("", if chip == Chip::Ev1 { 0x1C } else { 0xAE }));
        says(&mut card, 0x1A, "01", ("", 0x40));
        says(&mut card, 0x1A, "", ("", 0x7E));
        says(&mut card, 0x1A, "00", ("5D994CE085F24089", 0xAF));
        says(&mut card, 0xAF, "21D0AD5F2FD97454A746CC80567F1B1D", ("", 0xAE));
        says(&mut card, 0xC4, CHANGE, ("", 0xAE));
        assert!(card.memory().master_is_des);
    }
}

#[test]
fn the_keys_of_an_application_are_aes_keys_on_such_a_chip_too() {
    let mut card = factory(Chip::Ev2);
    says(&mut card, 0xCA, "F51C01 0B 85", ("", 0));
    says(&mut card, 0x5A, "F51C01", ("", 0));
    says(&mut card, 0x45, "", ("0B85", 0));
    says(&mut card, 0x1A, "00", ("", 0xAE));
    let zeros = Key::new([0; 16]);
    assert!(Reader::at(&mut card, [0xF5, 0x1C, 0x01], Scheme::Aes, 0, &zeros).is_ok());
}

#[test]
fn its_session_changes_the_key_and_does_nothing_else() {
    for (ins, data) in [(0xFC, ""), (0x60, ""), (0x51, ""), (0xCA, "F51C010B85"), (0x77, "00")] {
        let mut card = factory(Chip::Ev3);
        authenticate(&mut card);
        says(&mut card, ins, data, ("", if ins == 0x77 { 0xAE } else { 0x1C }));
        says(&mut card, 0xC4, CHANGE, ("", 0xAE));
        assert!(card.memory().master_is_des, "{ins:02X}");
    }
}

#[test]
fn a_message_that_is_not_the_sessions_own_or_not_for_an_aes_key_changes_nothing() {
    let sealed = CHANGE.trim_start_matches("80");
    for (message, status) in [
        (format!("00 {sealed}"), 0x9E),
        (format!("40 {sealed}"), 0x9E),
        (format!("81 {sealed}"), 0x40),
        (format!("80 {}", "00".repeat(24)), 0x1E),
        (format!("80 {}", "00".repeat(32)), 0x7E),
        ("80 C8AA3F2CE38C211CE79EAABBA163B40A969216175DEAD2AA".into(), 0x1E),
    ] {
        let mut card = factory(Chip::Ev1);
        authenticate(&mut card);
        says(&mut card, 0xC4, &message, ("", status));
        assert!(card.memory().master_is_des, "{message}");
        assert_eq!(card.memory().master, CardKey::factory());
    }
}

#[test]
fn a_chip_whose_key_is_frozen_keeps_it() {
    let mut card = factory(Chip::Ev3);
    let mut memory = card.memory().clone();
    memory.settings = 0x0E;
    card.picc.install_memory(memory).unwrap();
    authenticate(&mut card);
    says(&mut card, 0xC4, CHANGE, ("", 0x9D));
    assert!(card.memory().master_is_des);
}

#[test]
fn torn_before_the_change_it_has_the_old_key_and_after_it_the_new_one_in_its_file_too() {
    for (kind, is_des) in [(FaultKind::TearBefore, true), (FaultKind::TearAfter, false)] {
        let folder = tempdir().unwrap();
        let file = folder.path().join("card.json");
        let mut card = factory(Chip::Ev2);
        card.keep_in(file.clone()).unwrap();
        authenticate(&mut card);
        card.set_faults(FaultPlan::once(When::Ins(0xC4), kind));
        says(&mut card, 0xC4, CHANGE, ("", LOST));
        assert_eq!(card.memory().master_is_des, is_des, "{kind:?}");
        assert!(VirtualCard::load(&file).unwrap().memory() == card.memory(), "{kind:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap().contains("master_is_des"), is_des);
    }
}
