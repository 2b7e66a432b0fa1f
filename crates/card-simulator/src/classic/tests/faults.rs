//! Tears, also in the middle of a block, and what survives them.

use super::*;
use crate::{AnyCard, AnyDescription, Field, FieldCard};
use crate::{FaultKind, FaultPlan, StorageError, ValueBlock, VirtualCard, When};
use domain::Cents;
use std::sync::{Arc, Mutex};

const WRITE: When = When::Ins(0xD6);

#[test]
fn a_tear_in_the_middle_of_a_write_leaves_the_beginning_and_garbage() {
    let old = card().memory().block(MAIN);
    let new = ValueBlock { value: 1_850, address: 3 }.bytes();
    for written in 0..=16_u8 {
        let mut card = card();
        card.set_faults(FaultPlan::once(WRITE, FaultKind::TearMidWrite(written)));
        open(&mut card, MAIN, ClassicKeyKind::B);
        assert!(write(&mut card, MAIN, &new).is_empty());
        assert!(card.is_torn());
        let left = card.memory().block(MAIN);
        let whole = usize::from(written);
        assert_eq!(left[..whole], new[..whole], "{written}");
        assert!(written == 16 || (left != new && left != old), "{written}");
        assert_eq!(card.main_block().is_some(), written == 16, "{written}");
        card.field_off();
        open(&mut card, MAIN, ClassicKeyKind::B);
        assert_eq!(write(&mut card, MAIN, &new), OK, "the block can be written again");
    }
}

#[test]
fn an_unsettled_block_reads_either_way_until_it_is_written_again() {
    let (old, new) = (card().memory().block(MAIN), ValueBlock { value: 1_850, address: 3 }.bytes());
    let mut card = card();
    card.set_faults(FaultPlan::once(WRITE, FaultKind::TearUnsettled(1)));
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert!(write(&mut card, MAIN, &new).is_empty());
    card.field_off();
    open(&mut card, MAIN, ClassicKeyKind::B);
    let readings: Vec<Vec<u8>> = (0..20).map(|_| read(&mut card, MAIN)).collect();
    assert!(readings.iter().any(|reading| *reading != readings[0]), "no two readings need agree");
    for reading in &readings {
        assert_eq!(reading[0], new[0]);
        assert!((1..16).all(|index| [old[index], new[index]].contains(&reading[index])), "{reading:02X?}");
    }
    assert_eq!(write(&mut card, MAIN, &new), OK);
    assert!((0..20).all(|_| read(&mut card, MAIN)[..16] == new));
}

#[test]
fn a_tear_of_a_chip_that_writes_from_the_end_leaves_the_beginning_as_it_was() {
    let (old, new) = (card().memory().block(MAIN), ValueBlock { value: 1_850, address: 3 }.bytes());
    for written in 0..=16_u8 {
        let mut card = card();
        card.set_faults(FaultPlan::once(WRITE, FaultKind::TearSuffix(written)));
        open(&mut card, MAIN, ClassicKeyKind::B);
        assert!(write(&mut card, MAIN, &new).is_empty());
        let kept = 16 - usize::from(written);
        let left = card.memory().block(MAIN);
        assert_eq!((&left[..kept], &left[kept..]), (&old[..kept], &new[kept..]), "{written}");
    }
}

#[test]
fn a_tear_in_the_middle_strikes_whatever_writes_a_block() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::Ins(0xD7), FaultKind::TearMidWrite(4)));
    open(&mut card, MAIN, ClassicKeyKind::A);
    assert!(card.transmit(&[0xFF, 0xD7, 0, MAIN, 5, 2, 0, 0, 0, 50]).is_empty());
    assert_eq!(card.main_block(), None);
}

#[test]
fn a_tear_in_the_middle_of_a_read_changes_nothing() {
    let mut card = card();
    let before = card.memory().clone();
    card.set_faults(FaultPlan::once(When::Ins(0xB0), FaultKind::TearMidWrite(4)));
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert!(read(&mut card, MAIN).is_empty());
    card.field_off();
    open(&mut card, MAIN, ClassicKeyKind::B);
    assert_eq!(write(&mut card, MAIN, &before.block(MAIN)), OK);
    assert_eq!(card.memory(), &before, "nothing of the tear is left for the next write");
}

#[test]
fn a_torn_trailer_can_lock_its_sector_for_ever() {
    let mut card = blank();
    card.set_faults(FaultPlan::once(WRITE, FaultKind::TearMidWrite(7)));
    let transport = ClassicKey::transport();
    assert_eq!(open_with(&mut card, 4, 0x60, &transport), OK);
    assert!(write(&mut card, 7, &unhex("FFFFFFFFFFFF 787788 00 FFFFFFFFFFFF")).is_empty());
    card.field_off();
    assert_eq!(open_with(&mut card, 4, 0x60, &transport), FAILED);
}

#[test]
fn a_tear_before_or_after_a_write_is_the_old_or_the_new_block() {
    let new = ValueBlock { value: 1_850, address: 3 };
    for (kind, value) in [(FaultKind::TearBefore, 850), (FaultKind::TearAfter, 1_850)] {
        let mut card = card();
        card.set_faults(FaultPlan::once(WRITE, kind));
        open(&mut card, MAIN, ClassicKeyKind::B);
        assert!(write(&mut card, MAIN, &new.bytes()).is_empty());
        assert_eq!(card.purse(), Some(Cents(value)), "{kind:?}");
        assert!(card.transmit(&[0xFF, 0xCA, 0, 0, 0]).is_empty(), "silent until it is laid down again");
    }
}

#[test]
fn bit_errors_strike_command_or_answer() {
    let mut card = card();
    card.set_faults(FaultPlan::once(WRITE, FaultKind::FlipCommandBit(5 * 8)));
    open(&mut card, SEAL, ClassicKeyKind::B);
    assert_eq!(write(&mut card, SEAL, &[0; 16]), OK);
    assert_eq!(card.memory().block(SEAL)[..2], [1, 0], "what was written is not what was sent");
    card.set_faults(FaultPlan::once(When::Ins(0xB0), FaultKind::FlipBit(8)));
    assert_eq!(read(&mut card, SEAL)[..2], [1, 1]);
    assert_eq!(read(&mut card, SEAL)[..2], [1, 0]);
}

#[test]
fn a_planned_status_is_a_refusal() {
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::A);
    card.set_faults(FaultPlan::once(When::Exchange(1), FaultKind::Status(0xEE)));
    assert_eq!(read(&mut card, MAIN), FAILED);
    assert_eq!(read(&mut card, MAIN), FAILED, "and the authentication is gone");
}

#[test]
fn a_swap_lays_the_next_card_there_at_once() {
    let (first, second) = (Arc::new(Mutex::new(card())), Arc::new(Mutex::new(crate::tests::card())));
    first.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::Swap));
    let mut field = Field::of(Arc::clone(&first)).then(second);
    let get_uid = [0xFF, 0xCA, 0, 0, 0];
    let before = FieldCard::atr(&field);
    let swapped = field.exchange(&get_uid);
    assert!(swapped.reply.is_empty() && swapped.swapped);
    assert_eq!(field.exchange(&get_uid).reply, answered("04A1B2C3D4E5F6"));
    assert_ne!(FieldCard::atr(&field), before);
}

#[test]
fn a_swap_without_another_card_is_the_same_one_begun_anew() {
    let mut card = card();
    open(&mut card, MAIN, ClassicKeyKind::A);
    card.set_faults(FaultPlan::once(When::Exchange(1), FaultKind::Swap));
    assert!(read(&mut card, MAIN).is_empty());
    assert_eq!(read(&mut card, MAIN), FAILED);
    open(&mut card, MAIN, ClassicKeyKind::A);
    assert_eq!(read(&mut card, MAIN).len(), 18);
}

#[test]
fn a_kept_card_survives_its_process_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    let mut before = card();
    before.keep_in(path.clone()).unwrap();
    open(&mut before, SEAL, ClassicKeyKind::B);
    assert_eq!(write(&mut before, SEAL, &[1; 16]), OK);
    let mut after = ClassicCard::load(&path).unwrap();
    assert_eq!(after.memory(), before.memory());
    after.debit(Cents(50)).unwrap();
    assert!(matches!(AnyCard::load(&path), Ok(AnyCard::Classic(card)) if card.purse() == Some(Cents(800))));
    assert!(matches!(VirtualCard::load(&path), Err(StorageError::Technology { wanted: "DESFire", .. })));
    drop(folder);
    open(&mut before, SEAL, ClassicKeyKind::B);
    assert_eq!(write(&mut before, SEAL, &[2; 16]), FAILED, "what cannot be saved is not written");
    assert_eq!(before.memory().block(SEAL), [1; 16]);
}

#[test]
fn a_description_says_which_card_it_is_of() {
    let make = |value: Value| serde_json::from_value::<AnyDescription>(value).map(|it| it.make().unwrap());
    let text = |value: Value| make(value).unwrap_err().to_string();
    assert!(matches!(make(description()).unwrap(), AnyCard::Classic(_)));
    assert!(matches!(make(crate::tests::description()).unwrap(), AnyCard::Desfire(_)));
    let blank: Value = serde_json::from_str(include_str!("../../../cards/blank-classic.json")).unwrap();
    let AnyCard::Classic(card) = make(blank).unwrap() else { panic!("a Classic card") };
    assert_eq!((card.memory(), card.purse(), card.identity()), (super::blank().memory(), None, None));
    assert!(text(json!({ "technology": "paper" })).contains("\"desfire\" or \"classic\""));
    assert!(text(json!({ "technology": "classic", "blank": true })).contains("uid"));
    assert!(text(json!({ "technology": "classic", "uid": "01020304" })).contains("layout"));
}
