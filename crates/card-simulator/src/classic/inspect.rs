//! What the card's owner may see and do without asking any key: read the memory for the books of a test, and take from
//! the purse as a validator would.

use super::card::ClassicCard;
use super::description::ClassicTopUp;
use super::keys::ClassicKeyKind;
use super::layout;
use super::memory::{Block, ClassicMemory, block_of};
use super::personalise::blocks;
use super::value::ValueBlock;
use crate::inspect::DebitError;
use domain::{CardNumber, Cents, Day, Generation, Uid};

/// What the purse's seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The top-up it was made for; 0 is the issue.
    pub counter: u32,
    /// The day of that top-up.
    pub day: Day,
    /// What the purse held after it.
    pub value_after: Cents,
    /// Central's MAC.
    pub mac: [u8; 8],
}

impl ClassicCard {
    /// The whole memory, keys included.
    #[must_use]
    pub fn memory(&self) -> &ClassicMemory {
        &self.chip.memory
    }

    /// The whole memory, to be changed without asking any key.
    pub fn memory_mut(&mut self) -> &mut ClassicMemory {
        &mut self.chip.memory
    }

    /// The chip's UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        self.chip.memory.uid()
    }

    /// The printed number and its generation; `None` without an identity or a layout.
    #[must_use]
    pub fn identity(&self) -> Option<(CardNumber, Generation)> {
        layout::read_identity(&self.chip.memory.block(block_of(self.layout?.identity_sector, 0)))
    }

    fn purse_block(&self, index: u8) -> Option<Block> {
        Some(self.chip.memory.block(block_of(self.layout?.purse_sector, index)))
    }

    /// The main block; `None` when it is broken or the card has no layout.
    #[must_use]
    pub fn main_block(&self) -> Option<ValueBlock> {
        ValueBlock::parse(&self.purse_block(blocks::MAIN)?)
    }

    /// The backup block; `None` when it is broken or the card has no layout.
    #[must_use]
    pub fn backup_block(&self) -> Option<ValueBlock> {
        ValueBlock::parse(&self.purse_block(blocks::BACKUP)?)
    }

    /// The purse as a validator sees it; `None` when its main block is broken or the card has no layout.
    #[must_use]
    pub fn purse(&self) -> Option<Cents> {
        self.main_block().map(|main| Cents(i64::from(main.value)))
    }

    /// The seal, whether its MAC is right or not; `None` without a layout.
    #[must_use]
    pub fn seal(&self) -> Option<Seal> {
        let [a, b, c, d, day_low, day_high, after_low, after_high, mac @ ..] = self.purse_block(blocks::SEAL)?;
        Some(Seal {
            counter: u32::from_le_bytes([a, b, c, d]),
            day: layout::day_of(u16::from_le_bytes([day_low, day_high])),
            value_after: Cents(i64::from(u16::from_le_bytes([after_low, after_high]))),
            mac,
        })
    }

    /// The top-up records, newest first; whether they became valid is the main block's to say.
    #[must_use]
    pub fn top_ups(&self) -> Vec<ClassicTopUp> {
        let Some(layout) = self.layout else { return Vec::new() };
        let block = |slot| self.chip.memory.block(block_of(layout.top_ups_sector, slot));
        let mut records: Vec<_> =
            (0..layout::TOP_UP_SLOTS).filter_map(|slot| layout::read_top_up(slot, &block(slot))).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.counter));
        records
    }

    /// Debits as a validator would: a decrement of the main block with key A, which leaves everything else as it is.
    /// Gives what the purse holds then. A kiosk's open session is cut off, as it would be by carrying the card to a bus.
    ///
    /// # Errors
    /// When the main block is broken (a validator refuses such a card), the purse holds less, the amount is negative, or
    /// the memory cannot be saved; then nothing has changed.
    pub fn debit(&mut self, amount: Cents) -> Result<Cents, DebitError> {
        self.field_off();
        let purse = self.purse().ok_or(DebitError::Layout)?;
        let by = u32::try_from(amount.0).map_err(|_| DebitError::Amount)?;
        let left = purse.checked_sub(amount).filter(|left| *left >= Cents::ZERO).ok_or(DebitError::Amount)?;
        let sector = self.layout.ok_or(DebitError::Layout)?.purse_sector;
        let main = block_of(sector, blocks::MAIN);
        let key = self.chip.memory.key_a(sector);
        let chip = &mut self.chip;
        chip.authenticate(main, ClassicKeyKind::A, &key)
            .and_then(|()| chip.decrement(main, by))
            .map_err(|_| DebitError::Layout)?;
        chip.transfer(main).map_err(|_| DebitError::Memory)?;
        self.field_off();
        Ok(left)
    }
}
