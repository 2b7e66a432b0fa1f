//! What the purse's three blocks and the three records say together. Pure: it decides after every kind of cut-off
//! write what the purse holds, which top-ups happened and what is to be mended (`docs/card-layout.md`, "MIFARE
//! Classic").
//!
//! The commit point of a top-up is the one write of the main block that brings the new value and, in the address
//! byte, the counter's low byte. So the main block says which top-up is the last; seal and records only say which
//! counter that byte belongs to.

use super::records::{ClassicTopUp, RECORDS, StoredSeal};
use super::value_block::{BLOCK_LENGTH, ValueBlock};
use crate::plausibility::{self, NeedsCheck};
use domain::card::{CreditVerdict, TopUpRecord};
use domain::{Cents, TopUpId};

/// The three data blocks of a sector, as read.
pub type SectorBlocks = [[u8; BLOCK_LENGTH]; 3];

/// The purse's and the top-ups' sectors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PurseBlocks {
    /// Main, backup and seal.
    pub purse: SectorBlocks,
    /// The records.
    pub top_ups: SectorBlocks,
}

/// What the main block needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MainState {
    /// Nothing.
    Whole,
    /// Its write was cut off; the backup holds what it held.
    Interrupted,
}

/// What the seal needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealState {
    /// Nothing.
    Current,
    /// The last top-up's seal was not written, or not to the end.
    Behind,
}

/// A purse that can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurseState {
    /// Value and address byte: the main block's, or those it is to be given back.
    pub main: ValueBlock,
    /// The counter of the last top-up.
    pub counter: u32,
    /// Whether the main block must be restored.
    pub main_state: MainState,
    /// Whether the seal must be written.
    pub seal_state: SealState,
    records: [Option<ClassicTopUp>; 3],
}

/// A purse, understood or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// `None` when the blocks cannot be understood; then `needs_check` says why.
    pub state: Option<PurseState>,
    /// Why it needs a check.
    pub needs_check: Option<NeedsCheck>,
}

impl PurseBlocks {
    /// What the blocks say, for purses that may hold up to `max`.
    #[must_use]
    pub fn judge(&self, max: Cents) -> Judgement {
        match self.state() {
            Ok(state) => {
                let needs_check = state.implausible(&StoredSeal::read(&self.purse[2]), max);
                Judgement { state: Some(state), needs_check }
            }
            Err(reason) => Judgement { state: None, needs_check: Some(reason) },
        }
    }

    fn state(&self) -> Result<PurseState, NeedsCheck> {
        let [main, backup, seal] = &self.purse;
        let (main, backup, seal) = (ValueBlock::read(main), ValueBlock::read(backup), StoredSeal::read(seal));
        let mut records = [None; 3];
        for ((slot, record), block) in (0..).zip(&mut records).zip(&self.top_ups) {
            *record = ClassicTopUp::read(slot, block);
        }
        if let Some(main) = main.filter(|&main| !half_written(main, backup, &seal, &records)) {
            let (counter, seal_state) = counter_of(main.address, &seal, &records)?;
            return Ok(PurseState { main, counter, main_state: MainState::Whole, seal_state, records });
        }
        // The backup is only worth something as the copy that the interrupted top-up itself made, or its mending, with
        // its record as the witness: later it lags by a whole top-up.
        let backup = backup.ok_or(NeedsCheck::PurseUnreadable)?;
        let (counter, seal_state) =
            counter_of(backup.address, &seal, &records).map_err(|_| NeedsCheck::PurseUnreadable)?;
        let state = PurseState { main: backup, counter, main_state: MainState::Interrupted, seal_state, records };
        let is_copy = match seal_state {
            SealState::Current => was_begun(counter, backup.value, &records),
            SealState::Behind => seal.seal.counter.checked_add(1) == Some(counter) && state.begun().is_none(),
        };
        if is_copy { Ok(state) } else { Err(NeedsCheck::PurseUnreadable) }
    }
}

/// A main block of which a top-up's write brought one half: the new value and not yet the address byte, or, by a chip that
/// writes from the block's end, the address byte and not the value. Only a top-up that has begun, with its copy and its
/// record, leaves that. Rides of exactly the top-up's amount would look like the second while its seal is missing; the
/// issuer is asked before anything is restored.
fn half_written(
    main: ValueBlock,
    backup: Option<ValueBlock>,
    seal: &StoredSeal,
    records: &[Option<ClassicTopUp>; 3],
) -> bool {
    backup.is_some_and(|backup| {
        let value_alone = main.address == backup.address && main.value > backup.value;
        let address_alone = main.address == backup.address.wrapping_add(1) && main.value == backup.value;
        (value_alone || address_alone)
            && low_byte(seal.seal.counter) == backup.address
            && was_begun(seal.seal.counter, backup.value, records)
    })
}

/// Whether the record lies there of a top-up after `counter` that found this value, or more before some rides.
fn was_begun(counter: u32, value: i32, records: &[Option<ClassicTopUp>; 3]) -> bool {
    let next = |record: &&ClassicTopUp| counter.checked_add(1) == Some(record.counter);
    let mut begun = records.iter().flatten().filter(next);
    begun.any(|record| i32::from(record.before) >= value && record.amount > 0)
}

/// The counter that an address byte stands for.
fn counter_of(
    address: u8,
    seal: &StoredSeal,
    records: &[Option<ClassicTopUp>; 3],
) -> Result<(u32, SealState), NeedsCheck> {
    let sealed = seal.seal.counter;
    let held = |counter: u32| records.iter().flatten().find(|record| record.counter == counter);
    let fits = |counter: u32| low_byte(counter) == address;
    if fits(sealed) && held(sealed).is_some_and(|record| sealed == 0 || record.seal() == Some(seal.seal)) {
        return Ok((sealed, SealState::Current));
    }
    if let Some(next) = sealed.checked_add(1).filter(|&next| fits(next) && held(next).is_some()) {
        return Ok((next, SealState::Behind));
    }
    // The seal's own write was cut off: the record that fits tells, if the one before it is there to witness.
    let witnessed = |record: &&ClassicTopUp| {
        fits(record.counter) && record.counter.checked_sub(1).is_some_and(|before| held(before).is_some())
    };
    if let Some(record) = records.iter().flatten().find(witnessed) {
        return Ok((record.counter, SealState::Behind));
    }
    let missing = fits(sealed) || sealed.checked_add(1).is_some_and(fits);
    Err(if missing { NeedsCheck::RecordMissing } else { NeedsCheck::CounterOdd })
}

fn low_byte(counter: u32) -> u8 {
    counter.to_le_bytes()[0]
}

impl PurseState {
    /// The purse's value.
    #[must_use]
    pub fn value(&self) -> Cents {
        Cents(i64::from(self.main.value))
    }

    /// The record of a top-up that came to no commit, as far as this reading shows.
    #[must_use]
    pub fn begun(&self) -> Option<ClassicTopUp> {
        self.records.iter().flatten().find(|record| Some(record.counter) == self.counter.checked_add(1)).copied()
    }

    /// Whether the last write of the main block may have been cut off: what follows it, the seal, does not lie there, or
    /// what comes before it, the record, does. Equal readings prove nothing then: such a block is written again before
    /// anything is believed of it.
    #[must_use]
    pub fn may_be_cut_off(&self) -> bool {
        self.main_state == MainState::Interrupted || self.seal_state == SealState::Behind || self.begun().is_some()
    }

    /// Whether another reading says the same of what is to be written. The record of a top-up that was only begun may
    /// itself be cut off and read otherwise each time; it is taken away in any case.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let told = |state: &Self| (state.main, state.counter, state.main_state, state.seal_state, state.newest());
        told(self) == told(other)
    }

    /// The record of the last top-up.
    #[must_use]
    pub fn newest(&self) -> Option<ClassicTopUp> {
        self.records.iter().flatten().find(|record| record.counter == self.counter).copied()
    }

    /// The records of top-ups that happened, newest first; a record above the counter belongs to one that did not.
    #[must_use]
    pub fn top_ups(&self) -> Vec<TopUpRecord> {
        self.happened().iter().map(ClassicTopUp::to_record).collect()
    }

    fn happened(&self) -> Vec<ClassicTopUp> {
        let recent = |record: &&ClassicTopUp| self.counter.checked_sub(record.counter).is_some_and(|age| age < RECORDS);
        let mut happened: Vec<ClassicTopUp> = self.records.iter().flatten().filter(recent).copied().collect();
        happened.sort_by_key(|record| std::cmp::Reverse(record.counter));
        happened
    }

    /// What the card says of a top-up whose intent was journalled with `counter_seen`; `None` while that hangs on a main
    /// block that may read otherwise the next time.
    #[must_use]
    pub fn settled_verdict(&self, top_up: TopUpId, counter_seen: u32) -> Option<CreditVerdict> {
        let verdict = self.verdict(top_up, counter_seen);
        if !self.may_be_cut_off() {
            return Some(verdict);
        }
        let other = match self.seal_state {
            SealState::Behind => self.counter.checked_sub(1)?,
            SealState::Current => self.counter.checked_add(1)?,
        };
        let otherwise = Self { counter: other, ..*self }.verdict(top_up, counter_seen);
        (std::mem::discriminant(&verdict) == std::mem::discriminant(&otherwise)).then_some(verdict)
    }

    /// The verdict if the main block is what it was read as. The record would have been number `counter_seen + 1`.
    fn verdict(&self, top_up: TopUpId, counter_seen: u32) -> CreditVerdict {
        let next = counter_seen.checked_add(1);
        // A record that was cut off may read as the old counter with the new id: number and id must both be ours.
        match self.happened().iter().find(|record| Some(record.counter) == next) {
            Some(record) if record.is_of(top_up) => {
                // A MIFARE Classic's record has no room for a terminal.
                CreditVerdict::Credited { before: Cents(i64::from(record.before)), now: self.value(), by: None }
            }
            Some(_) => CreditVerdict::NotCredited,
            None if self.counter == counter_seen => CreditVerdict::NotCredited,
            None => CreditVerdict::Unknown,
        }
    }

    fn implausible(&self, seal: &StoredSeal, max: Cents) -> Option<NeedsCheck> {
        if let Some(reason) = plausibility::of_value(self.value(), Some(max)) {
            return Some(reason);
        }
        let newest = self.newest().ok_or(NeedsCheck::RecordMissing);
        let limit = match (newest, self.seal_state) {
            (Err(reason), _) => return Some(reason),
            (Ok(_), SealState::Current) => Cents(i64::from(seal.seal.value_after)),
            (Ok(newest), SealState::Behind) => Cents(i64::from(newest.after())),
        };
        (self.value() > limit).then_some(NeedsCheck::AboveLastTopUp { limit })
    }
}

#[cfg(test)]
#[path = "purse_tests.rs"]
mod tests;
