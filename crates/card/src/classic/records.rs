//! The bytes of the city's MIFARE Classic card, as `docs/card-layout.md` defines them. All integers are little-endian,
//! days are counted from 2000-01-01.

use super::value_block::BLOCK_LENGTH;
use crate::error::CardError;
use crate::layout::Identity;
use domain::card::TopUpRecord;
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId};
use keys::classic::PurseSeal;

/// The layout this program reads.
pub const LAYOUT_VERSION: u8 = 1;
/// Records of the top-ups sector.
pub const RECORDS: u32 = 3;
/// The bytes of a top-up's id that a record has room for.
pub const ID_LENGTH: usize = 6;
/// 2000-01-01 in days since 1970-01-01.
const DAY_ZERO: i32 = 10_957;

/// The card's day number; `None` before 2000 or after 2179.
#[must_use]
pub fn card_day(day: Day) -> Option<u16> {
    day.0.checked_sub(DAY_ZERO).and_then(|days| u16::try_from(days).ok())
}

/// The day of a card's day number.
#[must_use]
pub fn day(card_day: u16) -> Day {
    Day(i32::from(card_day) + DAY_ZERO)
}

/// Reads block 0 of the identity sector. A card of this kind has no secret: it could not keep one.
///
/// # Errors
/// `Layout` when it is of another layout version, as on a card whose personalisation was not finished.
pub fn read_identity(block: &[u8; BLOCK_LENGTH]) -> Result<Identity, CardError> {
    let &[version, generation, _, _, _, _, _, _, ref number @ ..] = block;
    if version != LAYOUT_VERSION {
        return Err(CardError::Layout("identity"));
    }
    Ok(Identity { number: CardNumber(u64::from_le_bytes(*number)), generation: Generation(generation), secret: None })
}

/// Block 0 of the identity sector.
#[must_use]
pub fn write_identity(number: CardNumber, generation: Generation) -> [u8; BLOCK_LENGTH] {
    let mut block = [0; BLOCK_LENGTH];
    block[0] = LAYOUT_VERSION;
    block[1] = generation.0;
    block[8..].copy_from_slice(&number.0.to_le_bytes());
    block
}

/// Block 2 of the purse sector: what central sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSeal {
    /// What is sealed.
    pub seal: PurseSeal,
    /// Central's MAC over it and the card's UID.
    pub mac: [u8; 8],
}

impl StoredSeal {
    /// Reads a block; whether its MAC is right only central can tell.
    #[must_use]
    pub fn read(block: &[u8; BLOCK_LENGTH]) -> Self {
        let &[c0, c1, c2, c3, d0, d1, v0, v1, ref mac @ ..] = block;
        let seal = PurseSeal {
            counter: u32::from_le_bytes([c0, c1, c2, c3]),
            day: u16::from_le_bytes([d0, d1]),
            value_after: u16::from_le_bytes([v0, v1]),
        };
        Self { seal, mac: *mac }
    }

    /// The block.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BLOCK_LENGTH] {
        let mut block = [0; BLOCK_LENGTH];
        block[..4].copy_from_slice(&self.seal.counter.to_le_bytes());
        block[4..6].copy_from_slice(&self.seal.day.to_le_bytes());
        block[6..8].copy_from_slice(&self.seal.value_after.to_le_bytes());
        block[8..].copy_from_slice(&self.mac);
        block
    }
}

/// One block of the top-ups sector. Record *n* lies in block *n* mod 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassicTopUp {
    /// Rises by one with each top-up; personalisation writes 0.
    pub counter: u32,
    /// The first bytes of the top-up's id.
    pub id: [u8; ID_LENGTH],
    /// What was credited, cents.
    pub amount: u16,
    /// The purse before, cents.
    pub before: u16,
    /// The day, counted from 2000-01-01.
    pub day: u16,
}

impl ClassicTopUp {
    /// Reads the block of `slot` (0 to 2); `None` when no record of that slot lies there, as after a write that was
    /// cut off, or in a slot that was never used.
    #[must_use]
    pub fn read(slot: u32, block: &[u8; BLOCK_LENGTH]) -> Option<Self> {
        let &[c0, c1, c2, c3, i0, i1, i2, i3, i4, i5, a0, a1, b0, b1, d0, d1] = block;
        let counter = u32::from_le_bytes([c0, c1, c2, c3]);
        (counter % RECORDS == slot).then_some(Self {
            counter,
            id: [i0, i1, i2, i3, i4, i5],
            amount: u16::from_le_bytes([a0, a1]),
            before: u16::from_le_bytes([b0, b1]),
            day: u16::from_le_bytes([d0, d1]),
        })
    }

    /// The block.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BLOCK_LENGTH] {
        let mut block = [0; BLOCK_LENGTH];
        block[..4].copy_from_slice(&self.counter.to_le_bytes());
        block[4..10].copy_from_slice(&self.id);
        block[10..12].copy_from_slice(&self.amount.to_le_bytes());
        block[12..14].copy_from_slice(&self.before.to_le_bytes());
        block[14..].copy_from_slice(&self.day.to_le_bytes());
        block
    }

    /// The purse right after this top-up, cents.
    #[must_use]
    pub fn after(&self) -> u32 {
        u32::from(self.before) + u32::from(self.amount)
    }

    /// What central seals after this top-up; `None` when the purse would not fit the seal.
    #[must_use]
    pub fn seal(&self) -> Option<PurseSeal> {
        let value_after = u16::try_from(self.after()).ok()?;
        Some(PurseSeal { counter: self.counter, day: self.day, value_after })
    }

    /// Whether this is the record of a top-up; the personalisation's record 0 is of none.
    #[must_use]
    pub fn is_of(&self, top_up: TopUpId) -> bool {
        self.counter != 0 && top_up.0.starts_with(&self.id)
    }

    /// As screens and limits know it. The id's other bytes are zero and the terminal 0: the record has no room.
    #[must_use]
    pub fn to_record(&self) -> TopUpRecord {
        let mut id = [0; 16];
        id[..ID_LENGTH].copy_from_slice(&self.id);
        TopUpRecord {
            counter: self.counter,
            day: day(self.day),
            top_up: TopUpId(id),
            amount: Cents(i64::from(self.amount)),
            before: Cents(i64::from(self.before)),
            terminal: TerminalId(0),
        }
    }
}

/// What a slot (0 to 2) is given in place of a record that came to no commit: a counter that belongs into another slot,
/// which reads as no record.
#[must_use]
pub fn no_record(slot: u32) -> [u8; BLOCK_LENGTH] {
    let mut block = [0; BLOCK_LENGTH];
    block[..4].copy_from_slice(&slot.saturating_add(1).to_le_bytes());
    block
}

/// The slot of a record.
#[must_use]
pub fn slot_of(counter: u32) -> usize {
    usize::try_from(counter % RECORDS).unwrap_or_default()
}

/// The first bytes of an id, as a record keeps them.
#[must_use]
pub fn short_id(top_up: TopUpId) -> [u8; ID_LENGTH] {
    let [a, b, c, d, e, f, ..] = top_up.0;
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identity_lies_where_the_layout_says_and_an_unfinished_card_is_none() {
        let block = write_identity(CardNumber(6_001_234_567), Generation(3));
        assert_eq!(block[..8], [1, 3, 0, 0, 0, 0, 0, 0]);
        assert_eq!(block[8..], 6_001_234_567_u64.to_le_bytes());
        let identity = read_identity(&block).unwrap();
        assert_eq!((identity.number, identity.generation), (CardNumber(6_001_234_567), Generation(3)));
        assert_eq!(identity.secret, None);
        assert_eq!(read_identity(&[0; 16]), Err(CardError::Layout("identity")));
    }

    #[test]
    fn a_record_lies_where_the_layout_says() {
        let record = ClassicTopUp { counter: 7, id: [1, 2, 3, 4, 5, 6], amount: 1_500, before: 300, day: 9_822 };
        let bytes = [7, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0xDC, 0x05, 0x2C, 0x01, 0x5E, 0x26];
        assert_eq!(record.to_bytes(), bytes);
        assert_eq!(ClassicTopUp::read(1, &bytes), Some(record));
        assert_eq!(ClassicTopUp::read(2, &bytes), None, "7 belongs into slot 1");
        assert!(record.is_of(TopUpId([1, 2, 3, 4, 5, 6, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99])));
        assert!(!record.is_of(TopUpId([0; 16])));
        assert_eq!(record.to_record().day, Day(20_779));
    }

    #[test]
    fn a_seal_lies_where_the_layout_says() {
        let seal = PurseSeal { counter: 7, day: 9_822, value_after: 1_800 };
        let stored = StoredSeal { seal, mac: [9; 8] };
        assert_eq!(stored.to_bytes()[..8], [7, 0, 0, 0, 0x5E, 0x26, 0x08, 0x07]);
        assert_eq!(StoredSeal::read(&stored.to_bytes()), stored);
    }

    #[test]
    fn an_empty_sector_is_record_0_and_two_unused_slots() {
        let read = |slot| ClassicTopUp::read(slot, &[0; 16]).map(|record| record.counter);
        assert_eq!([read(0), read(1), read(2)], [Some(0), None, None]);
        assert!(!ClassicTopUp::read(0, &[0; 16]).unwrap().is_of(TopUpId([0; 16])), "record 0 is of no top-up");
    }

    #[test]
    fn a_slot_without_a_record_reads_as_none() {
        for slot in 0..RECORDS {
            assert_eq!(ClassicTopUp::read(slot, &no_record(slot)), None);
        }
        assert_eq!([0, 1, 5, 6].map(slot_of), [0, 1, 2, 0]);
    }

    #[test]
    fn days_count_from_2000() {
        let check = |unix, card| assert_eq!(card_day(Day(unix)), card);
        check(10_956, None);
        check(10_957, Some(0));
        check(20_414, Some(9_457));
        check(i32::MIN, None);
        check(10_957 + 65_536, None);
        assert_eq!(day(9_457), Day(20_414));
    }

    proptest! {
        #[test]
        fn blocks_read_back(bytes: [u8; 16]) {
            prop_assert_eq!(StoredSeal::read(&bytes).to_bytes(), bytes);
            for slot in 0..3 {
                if let Some(record) = ClassicTopUp::read(slot, &bytes) {
                    prop_assert_eq!(record.to_bytes(), bytes);
                }
            }
        }
    }
}
