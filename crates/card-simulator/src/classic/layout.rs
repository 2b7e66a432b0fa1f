//! The bytes of the city's blocks on a Classic card (`docs/card-layout.md`), all numbers least significant byte first.

use super::description::ClassicTopUp;
use super::memory::Block;
use domain::{CardNumber, Cents, Day, Generation};

/// The version of this layout.
const VERSION: u8 = 1;

/// Records of the top-ups sector.
pub(super) const TOP_UP_SLOTS: u8 = 3;

/// The first day a card can write: 2000-01-01, in days since 1970-01-01.
const FIRST_DAY: i32 = 10_957;

/// A day as cards write it, days since 2000-01-01; `None` before that or after 2179.
pub(super) fn card_day(day: Day) -> Option<u16> {
    day.0.checked_sub(FIRST_DAY).and_then(|days| u16::try_from(days).ok())
}

/// The inverse of [`card_day`].
pub(super) fn day_of(card_day: u16) -> Day {
    Day(FIRST_DAY.saturating_add(i32::from(card_day)))
}

/// An amount as records and seals write it; `None` beyond 655.35 euros.
pub(super) fn card_amount(amount: Cents) -> Option<u16> {
    u16::try_from(amount.0).ok()
}

/// Block 0 of the identity sector: layout version, generation, six reserved bytes, card number (8).
pub(super) fn identity(number: CardNumber, generation: Generation) -> Block {
    let mut block = [0; 16];
    block[0] = VERSION;
    block[1] = generation.0;
    block[8..].copy_from_slice(&number.0.to_le_bytes());
    block
}

/// `None` for another version, such as a card without identity.
pub(super) fn read_identity(block: &Block) -> Option<(CardNumber, Generation)> {
    let [VERSION, generation, ..] = *block else { return None };
    let number = block.last_chunk().copied().map(u64::from_le_bytes)?;
    Some((CardNumber(number), Generation(generation)))
}

/// A record: counter (4), first six bytes of the top-up's id, amount (2), purse before (2), day (2). `None` when an
/// amount or the day does not fit.
pub(super) fn top_up(record: &ClassicTopUp) -> Option<Block> {
    let mut block = [0; 16];
    block[..4].copy_from_slice(&record.counter.to_le_bytes());
    block[4..10].copy_from_slice(&record.top_up);
    block[10..12].copy_from_slice(&card_amount(record.amount)?.to_le_bytes());
    block[12..14].copy_from_slice(&card_amount(record.before)?.to_le_bytes());
    block[14..].copy_from_slice(&card_day(record.day)?.to_le_bytes());
    Some(block)
}

/// The record in a slot; `None` when the slot is empty or its counter belongs into another one.
pub(super) fn read_top_up(slot: u8, block: &Block) -> Option<ClassicTopUp> {
    let counter = u32::from_le_bytes(*block.first_chunk()?);
    if *block == [0; 16] || slot_of(counter) != slot {
        return None;
    }
    let amount = |at: usize| Cents(i64::from(u16::from_le_bytes([block[at], block[at + 1]])));
    Some(ClassicTopUp {
        counter,
        day: day_of(u16::from_le_bytes([block[14], block[15]])),
        top_up: std::array::from_fn(|index| block[index + 4]),
        amount: amount(10),
        before: amount(12),
    })
}

/// Where a record with this counter lies.
pub(super) fn slot_of(counter: u32) -> u8 {
    // Below three.
    (counter % u32::from(TOP_UP_SLOTS)).try_into().unwrap_or_default()
}

/// The low byte of a counter, which the value block's address byte keeps.
pub(super) fn address(counter: u32) -> u8 {
    counter.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    #[test]
    fn an_identity_is_laid_out_as_documented() {
        let block = identity(CardNumber(1_234_567_890), Generation(2));
        assert_eq!(block.to_vec(), unhex("01 02 000000000000 D202964900000000"));
        assert_eq!(read_identity(&block), Some((CardNumber(1_234_567_890), Generation(2))));
        assert_eq!(read_identity(&[0; 16]), None);
    }

    #[test]
    fn a_record_is_laid_out_as_documented() {
        let record = ClassicTopUp {
            counter: 5,
            day: Day(20_000),
            top_up: [1, 2, 3, 4, 5, 6],
            amount: Cents(1_000),
            before: Cents(250),
        };
        let block = top_up(&record).unwrap();
        assert_eq!(block.to_vec(), unhex("05000000 010203040506 E803 FA00 5323"));
        assert_eq!(read_top_up(2, &block), Some(record));
        assert_eq!(read_top_up(1, &block), None, "counter 5 belongs into slot 2");
        assert_eq!(read_top_up(0, &[0; 16]), None);
        assert_eq!(top_up(&ClassicTopUp { amount: Cents(65_536), ..record }), None);
        assert_eq!(top_up(&ClassicTopUp { day: Day(10_956), ..record }), None);
    }
}
