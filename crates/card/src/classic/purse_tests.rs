//! The judgement, block by block.

use super::*;
use keys::classic::PurseSeal;

const MAX: Cents = Cents(5_000);
const GARBAGE: [u8; 16] = [0xA5; 16];

/// A purse after `count` top-ups of 10 €, each made when the purse was empty; `spent` of the last one is gone.
fn purse_after(count: u32, spent: i32) -> PurseBlocks {
    let mut blocks = PurseBlocks { purse: [[0; 16]; 3], top_ups: [[0; 16]; 3] };
    for counter in 1..=count {
        blocks.top_ups[(counter % 3) as usize] = record(counter).to_bytes();
    }
    let value = if count == 0 { 0 } else { 1_000 };
    blocks.purse[0] = main(value - spent, count);
    blocks.purse[1] = main(0, count.saturating_sub(1));
    blocks.purse[2] = seal(count);
    blocks
}

fn id(counter: u32) -> TopUpId {
    TopUpId([u8::try_from(counter).unwrap(); 16])
}

fn record(counter: u32) -> ClassicTopUp {
    let id = [u8::try_from(counter & 0xFF).unwrap(); 6];
    ClassicTopUp { counter, id, amount: 1_000, before: 0, day: 9_000 }
}

fn main(value: i32, counter: u32) -> [u8; 16] {
    ValueBlock { value, address: low_byte(counter) }.to_bytes()
}

fn seal(counter: u32) -> [u8; 16] {
    let value_after = if counter == 0 { 0 } else { 1_000 };
    let day = if counter == 0 { 0 } else { 9_000 };
    StoredSeal { seal: PurseSeal { counter, day, value_after }, mac: [3; 8] }.to_bytes()
}

fn understood(blocks: &PurseBlocks) -> PurseState {
    let judgement = blocks.judge(MAX);
    assert_eq!(judgement.needs_check, None);
    judgement.state.unwrap()
}

fn refused(blocks: &PurseBlocks) -> NeedsCheck {
    blocks.judge(MAX).needs_check.unwrap()
}

#[test]
fn a_purse_at_rest_is_whole() {
    for count in 0..12 {
        let state = understood(&purse_after(count, 0));
        assert_eq!((state.counter, state.main_state, state.seal_state), (count, MainState::Whole, SealState::Current));
        let counters: Vec<u32> = state.top_ups().iter().map(|record| record.counter).collect();
        let expected: Vec<u32> = (0..=count).rev().take(3).collect();
        assert_eq!(counters, expected);
    }
}

#[test]
fn a_counter_above_one_byte_is_still_the_counter() {
    for count in [255, 256, 257, 70_000] {
        let mut blocks = purse_after(0, 0);
        for counter in count - 2..=count {
            blocks.top_ups[(counter % 3) as usize] = record(counter).to_bytes();
        }
        blocks.purse = [main(1_000, count), main(0, count - 1), seal(count)];
        assert_eq!(understood(&blocks).counter, count);
    }
}

#[test]
fn a_backup_cut_off_harms_nothing() {
    let mut blocks = purse_after(4, 300);
    blocks.purse[1] = GARBAGE;
    assert_eq!(understood(&blocks).value(), Cents(700));
}

#[test]
fn a_main_block_cut_off_by_a_top_up_is_restored_and_the_top_up_never_was() {
    let mut blocks = purse_after(4, 300);
    blocks.purse[1] = main(700, 4);
    blocks.top_ups[5 % 3] = ClassicTopUp { before: 700, ..record(5) }.to_bytes();
    blocks.purse[0] = GARBAGE;
    let state = understood(&blocks);
    assert_eq!((state.main_state, state.value(), state.counter), (MainState::Interrupted, Cents(700), 4));
    assert_eq!(state.verdict(id(5), 4), CreditVerdict::NotCredited);
    assert_eq!(state.verdict(id(4), 3), CreditVerdict::Credited { before: Cents(0), now: Cents(700), by: None });
    // The same with the value written and the address byte not.
    blocks.purse[0] = main(1_700, 4);
    assert_eq!(understood(&blocks), state);
}

#[test]
fn a_main_block_lost_after_a_finished_top_up_needs_a_check() {
    let mut blocks = purse_after(4, 300);
    blocks.purse[0] = GARBAGE;
    assert_eq!(refused(&blocks), NeedsCheck::PurseUnreadable);
    blocks.purse[1] = GARBAGE;
    assert_eq!(refused(&blocks), NeedsCheck::PurseUnreadable);
}

#[test]
fn a_main_block_lost_without_a_top_up_under_way_needs_a_check() {
    // A top-up was cut off before its record, and later a validator's transfer.
    let mut blocks = purse_after(4, 300);
    blocks.purse[1] = main(700, 4);
    blocks.purse[0] = GARBAGE;
    assert_eq!(refused(&blocks), NeedsCheck::PurseUnreadable);
    blocks.top_ups[5 % 3] = ClassicTopUp { before: 699, ..record(5) }.to_bytes();
    assert_eq!(refused(&blocks), NeedsCheck::PurseUnreadable);
}

#[test]
fn a_record_without_its_commit_is_no_top_up() {
    let mut blocks = purse_after(4, 300);
    blocks.top_ups[5 % 3] = record(5).to_bytes();
    let state = understood(&blocks);
    assert_eq!(state.counter, 4);
    assert!(state.top_ups().iter().all(|record| record.counter <= 4));
    assert_eq!(state.verdict(id(5), 4), CreditVerdict::NotCredited);
}

#[test]
fn a_commit_without_its_seal_is_a_top_up() {
    let mut blocks = purse_after(5, 0);
    blocks.purse[2] = seal(4);
    let state = understood(&blocks);
    assert_eq!((state.counter, state.seal_state), (5, SealState::Behind));
    assert_eq!(state.verdict(id(5), 4), CreditVerdict::Credited { before: Cents(0), now: Cents(1_000), by: None });
    blocks.purse[0] = main(1_001, 5);
    assert_eq!(refused(&blocks), NeedsCheck::AboveLastTopUp { limit: Cents(1_000) });
}

#[test]
fn a_seal_cut_off_anywhere_is_told_from_the_records() {
    for count in 1..8 {
        for cut in 0..16 {
            let mut blocks = purse_after(count, 250);
            blocks.purse[2] = GARBAGE;
            blocks.purse[2][..cut].copy_from_slice(&seal(count)[..cut]);
            let state = understood(&blocks);
            assert_eq!((state.counter, state.value()), (count, Cents(750)), "after {count}, cut at {cut}");
            assert_eq!(state.seal_state == SealState::Current, cut >= 8, "a MAC only central can judge");
        }
    }
}

#[test]
fn the_verdict_holds_until_the_records_have_rolled() {
    let ours = id(3);
    let check = |count, expected| assert_eq!(understood(&purse_after(count, 0)).verdict(ours, 2), expected, "{count}");
    let credited = CreditVerdict::Credited { before: Cents(0), now: Cents(1_000), by: None };
    check(2, CreditVerdict::NotCredited);
    check(3, credited);
    check(5, credited);
    check(6, CreditVerdict::Unknown);
    let anothers = |count| understood(&purse_after(count, 0)).verdict(id(99), 2);
    assert_eq!([3, 4, 5].map(anothers), [CreditVerdict::NotCredited; 3]);
    assert_eq!(anothers(6), CreditVerdict::Unknown);
    assert_eq!(anothers(1), CreditVerdict::Unknown, "a counter that went back proves nothing");
}

#[test]
fn a_value_that_cannot_be_needs_a_check() {
    let check = |value, expected| {
        let mut blocks = purse_after(4, 0);
        blocks.purse[0] = main(value, 4);
        assert_eq!(refused(&blocks), expected, "{value}");
    };
    check(-1, NeedsCheck::Negative);
    check(1_001, NeedsCheck::AboveLastTopUp { limit: Cents(1_000) });
    check(505_290_770, NeedsCheck::AboveMaximum { max: MAX });
}

#[test]
fn counters_that_contradict_each_other_need_a_check() {
    let mut blocks = purse_after(4, 0);
    blocks.purse[0] = main(900, 9);
    assert_eq!(refused(&blocks), NeedsCheck::CounterOdd);
    let mut blocks = purse_after(4, 0);
    blocks.top_ups[4 % 3] = GARBAGE;
    assert_eq!(refused(&blocks), NeedsCheck::RecordMissing);
}

#[test]
fn the_next_address_byte_over_the_old_value_is_a_write_that_was_cut_off() {
    let mut blocks = purse_after(4, 300);
    blocks.purse[1] = main(700, 4);
    blocks.top_ups[5 % 3] = ClassicTopUp { before: 700, ..record(5) }.to_bytes();
    blocks.purse[0] = main(700, 5);
    let state = understood(&blocks);
    assert_eq!((state.main_state, state.value(), state.counter), (MainState::Interrupted, Cents(700), 4));
    // Once sealed, it is a purse that spent just what was added.
    blocks.purse[2] =
        StoredSeal { seal: PurseSeal { counter: 5, day: 9_000, value_after: 1_700 }, mac: [3; 8] }.to_bytes();
    assert_eq!((understood(&blocks).main_state, understood(&blocks).counter), (MainState::Whole, 5));
}

#[test]
fn a_verdict_that_hangs_on_a_write_that_may_be_cut_off_is_none() {
    let mut begun = purse_after(4, 300);
    begun.top_ups[5 % 3] = ClassicTopUp { before: 700, ..record(5) }.to_bytes();
    let mut unsealed = purse_after(5, 0);
    unsealed.purse[2] = seal(4);
    for blocks in [begun, unsealed] {
        let state = understood(&blocks);
        assert!(state.may_be_cut_off());
        assert_eq!(state.settled_verdict(id(5), 4), None);
        assert_eq!(state.settled_verdict(id(99), 4), Some(CreditVerdict::NotCredited), "either way");
        assert!(matches!(state.settled_verdict(id(4), 3), Some(CreditVerdict::Credited { .. })));
        assert_eq!(state.settled_verdict(id(99), 3), Some(CreditVerdict::NotCredited));
    }
}
