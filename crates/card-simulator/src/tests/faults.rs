//! Tears, delays and errors where the plan puts them.

use super::card;
use super::reader::{CREDIT, LOST, Reader, command, frame};
use crate::memory::{Access, CommMode, Contents};
use crate::{FaultKind, FaultPlan, Status, VirtualCard, When};
use domain::Cents;
use std::time::Duration;

const COMMIT: [u8; 5] = [0x90, 0xC7, 0, 0, 0];

/// Runs a credit up to its commit and returns what the commit was answered.
fn credit(card: &mut VirtualCard) -> Result<Vec<u8>, u8> {
    let mut reader = Reader::open(card, CREDIT);
    reader.credit(2_000).unwrap();
    reader.reader_id().unwrap();
    reader.commit()
}

#[test]
fn a_tear_before_the_commit_leaves_the_card_as_it_was() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::Ins(0xC7), FaultKind::TearBefore));
    assert_eq!(credit(&mut card), Err(LOST));
    assert!(card.is_torn());
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn a_tear_after_the_commit_leaves_it_done_and_unanswered() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::Ins(0xC7), FaultKind::TearAfter));
    assert_eq!(credit(&mut card), Err(LOST));
    assert_eq!(card.purse(), Some(Cents(3_250)));
}

#[test]
fn a_tear_in_the_middle_of_a_commit_comes_before_it() {
    for written in [0, 7, 16] {
        let mut card = card();
        card.set_faults(FaultPlan::once(When::Ins(0xC7), FaultKind::TearMidWrite(written)));
        assert_eq!(credit(&mut card), Err(LOST));
        assert_eq!((card.is_torn(), card.purse()), (true, Some(Cents(1_250))));
    }
}

#[test]
fn a_tear_in_the_middle_of_a_standard_file_leaves_half_of_it() {
    for written in 0..=8_u8 {
        let mut card = card();
        let identity = card.layout.files.identity;
        let file = card.picc.memory.applications[0].files.get_mut(&identity).unwrap();
        (file.comm, file.rights.write) = (CommMode::Plain, Access::Free);
        let before = card.memory().clone();
        card.set_faults(FaultPlan::once(When::Ins(0x3D), FaultKind::TearMidWrite(written)));
        assert_eq!(command(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0);
        let header = [identity, 16, 0, 0, 8, 0, 0];
        assert_eq!(command(&mut card, 0x3D, &[&header[..], &[0xEE; 8]].concat()), (vec![], LOST));
        let Some(Contents::Standard { data }) = card.contents(identity) else { panic!("a standard file") };
        let whole = 16 + usize::from(written);
        assert!(data[16..whole].iter().all(|byte| *byte == 0xEE), "{written}");
        assert_eq!(data[whole..24] == [0xEE; 8][whole - 16..], written == 8, "{written}: the rest is garbage");
        card.picc.memory.applications[0].files.insert(identity, before.applications[0].files[&identity].clone());
        assert_eq!(card.memory(), &before, "and nothing else has changed");
    }
}

#[test]
fn a_command_with_one_bit_wrong_is_refused_by_the_secure_channel() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::Ins(0x0C), FaultKind::FlipCommandBit(7 * 8)));
    let mut reader = Reader::open(&mut card, CREDIT);
    assert_eq!(reader.credit(2_000), Err(Status::Integrity.byte()));
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn a_torn_card_is_silent_until_it_is_laid_down_again() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::Exchange(1), FaultKind::TearBefore));
    assert_eq!(card.transmit(&COMMIT), Vec::<u8>::new());
    assert_eq!(card.transmit(&COMMIT), Vec::<u8>::new());
    card.field_off();
    assert_eq!(frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0);
}

#[test]
fn a_fault_strikes_once_and_at_the_exchange_it_was_planned_for() {
    let mut card = card();
    card.set_faults(
        FaultPlan::once(When::Exchange(2), FaultKind::Delay(25)).and(When::Ins(0x60), FaultKind::Status(0xEE)),
    );
    let select = [0x90, 0x5A, 0, 0, 3, 0xF5, 0x1C, 0x01, 0];
    let delays: Vec<Duration> = (0..3).map(|_| card.exchange(&select).delay).collect();
    assert_eq!(delays, [0, 25, 0].map(Duration::from_millis));
    assert_eq!(frame(&mut card, 0x60, &[]).1, 0xEE);
    assert_eq!(frame(&mut card, 0x60, &[]).1, 0xAF);
    assert!(card.faults().faults.is_empty());
}

#[test]
fn a_bit_error_turns_exactly_one_bit_over() {
    let mut card = card();
    let uid = [0xFF, 0xCA, 0, 0, 0];
    let right = card.transmit(&uid);
    card.set_faults(FaultPlan::once(When::Exchange(1), FaultKind::FlipBit(10)));
    let wrong = card.transmit(&uid);
    let turned: u32 = right.iter().zip(&wrong).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((turned, right[1] ^ wrong[1]), (1, 4));
    assert_eq!(card.transmit(&uid), right);
}

#[test]
fn a_lasting_fault_strikes_until_the_plan_is_replaced() {
    let mut card = card();
    card.set_faults(FaultPlan::once(When::EveryIns(0x60), FaultKind::Status(0xEE)));
    for _ in 0..3 {
        assert_eq!(frame(&mut card, 0x60, &[]).1, 0xEE);
    }
    assert_eq!(frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0);
    card.set_faults(FaultPlan::once(When::Always, FaultKind::Status(0xCA)));
    assert_eq!(frame(&mut card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0xCA);
    card.set_faults(FaultPlan::none());
    assert_eq!(frame(&mut card, 0x60, &[]).1, 0xAF);
}

#[test]
fn a_plan_is_written_as_json() {
    let text = r#"[{"when":{"ins":199},"kind":"tear_after"},{"when":{"exchange":4},"kind":{"delay":500}}]"#;
    let plan: FaultPlan = serde_json::from_str(text).unwrap();
    let expected = FaultPlan::once(When::Ins(0xC7), FaultKind::TearAfter).and(When::Exchange(4), FaultKind::Delay(500));
    assert_eq!(plan, expected);
    assert_eq!(serde_json::to_string(&plan).unwrap(), text);
}
