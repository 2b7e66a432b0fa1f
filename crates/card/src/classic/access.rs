//! The access conditions of a sector (MF1S50, 8.7), and the one way to a sector trailer. Three bits for each block
//! are kept twice, the second time inverted; a trailer whose copies disagree, or that forbids its own change, locks
//! the sector for ever. So a trailer is made of checked conditions or not at all.

use super::value_block::BLOCK_LENGTH;
use keys::classic::ClassicKey;
use std::fmt;
use zeroize::Zeroizing;

/// Data block: read and everything else with either key.
pub const OPEN: u8 = 0b000;
/// Data block: read with either key, written with key B (MF1S50, table 8).
pub const READ_A_WRITE_B: u8 = 0b100;
/// Value block: read, decremented, transferred and restored with either key; written and incremented with key B.
pub const VALUE_A_DOWN_B_UP: u8 = 0b110;
/// Value block: read, decremented, transferred and restored with either key, never written or incremented.
pub const VALUE_DOWN_ONLY: u8 = 0b001;
/// Data block: nothing, ever.
const DEAD: u8 = 0b111;
/// Trailer: keys and conditions are written with key A; key B can be read, and so is none (MF1S50, table 7).
pub const TRAILER_TRANSPORT: u8 = 0b001;
/// Trailer: keys and conditions are written with key B, no key can be read.
pub const TRAILER_KEY_B: u8 = 0b011;

/// Why a trailer is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The inverted copies of the bits disagree: the chip would lock the sector for ever (MF1S50, 8.7.1).
    #[error("the access bits contradict each other")]
    Inconsistent,
    /// The trailer could never be changed again.
    #[error("the sector could never be changed again")]
    Frozen,
    /// A block could be neither read nor written.
    #[error("block {0} could not be used any more")]
    DeadBlock(u8),
    /// A block asks for key B, which this trailer makes readable and thereby no key (MF1S50, 8.7.3).
    #[error("block {0} needs a key B that is none")]
    NoKeyB(u8),
}

/// The conditions `C1 C2 C3` of the four blocks of a sector, each as a number from 0 to 7, the trailer's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessConditions([u8; 4]);

impl AccessConditions {
    /// As delivered: `FF 07 80`.
    pub const TRANSPORT: Self = Self([OPEN, OPEN, OPEN, TRAILER_TRANSPORT]);
    /// Key A reads, key B writes: `78 77 88`. Also the recommendation for the directory (AN10787).
    pub const DATA: Self = Self([READ_A_WRITE_B, READ_A_WRITE_B, READ_A_WRITE_B, TRAILER_KEY_B]);
    /// The value, which key A may lower; its backup and the seal, which key A may only read: `68 77 89`. A backup that
    /// key A could restore into the value (110) would let its holder undo every debit since the last top-up.
    pub const PURSE: Self = Self([VALUE_A_DOWN_B_UP, READ_A_WRITE_B, READ_A_WRITE_B, TRAILER_KEY_B]);

    /// Conditions of blocks 0, 1, 2 and the trailer; bits beyond the lowest three are dropped.
    #[must_use]
    pub const fn new(conditions: [u8; 4]) -> Self {
        let [a, b, c, d] = conditions;
        Self([a & 7, b & 7, c & 7, d & 7])
    }

    /// Bytes 6 to 8 of a trailer.
    ///
    /// # Errors
    /// `Inconsistent` when the two copies of a bit agree instead of being each other's inverse.
    pub fn from_bytes(bytes: [u8; 3]) -> Result<Self, AccessError> {
        let [inverted_low, middle, high] = bytes;
        let (first, second, third) = (middle >> 4, high & 0x0F, high >> 4);
        let consistent = inverted_low == !(second << 4 | first) && middle & 0x0F == !third & 0x0F;
        if !consistent {
            return Err(AccessError::Inconsistent);
        }
        let of = |block: u8| (first >> block & 1) << 2 | (second >> block & 1) << 1 | (third >> block & 1);
        Ok(Self([of(0), of(1), of(2), of(3)]))
    }

    /// Bytes 6 to 8 of a trailer: `(~C2 ‖ ~C1) (C1 ‖ ~C3) (C3 ‖ C2)`, a nibble each, bit *i* for block *i*.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let nibble = |shift: u8| self.0.iter().rev().fold(0, |sum, condition| sum << 1 | (condition >> shift & 1));
        let (first, second, third): (u8, u8, u8) = (nibble(2), nibble(1), nibble(0));
        [!(second << 4 | first), first << 4 | (!third & 0x0F), third << 4 | second]
    }

    /// The conditions of blocks 0, 1, 2 and the trailer.
    #[must_use]
    pub fn conditions(self) -> [u8; 4] {
        self.0
    }

    /// Whether a sector under these conditions can still be used and changed.
    ///
    /// # Errors
    /// `AccessError` says what would be lost.
    pub fn check(self) -> Result<(), AccessError> {
        let [data @ .., trailer] = self.0;
        // 001, 011 and 101 leave the access bits changeable; 101 alone would leave the keys as they are, which no
        // sector of a city wants.
        if !matches!(trailer, TRAILER_TRANSPORT | TRAILER_KEY_B) {
            return Err(AccessError::Frozen);
        }
        for (number, condition) in (0..).zip(data) {
            if condition == DEAD {
                return Err(AccessError::DeadBlock(number));
            }
            let needs_key_b = !matches!(condition, OPEN | VALUE_DOWN_ONLY | 0b010);
            if needs_key_b && trailer == TRAILER_TRANSPORT {
                return Err(AccessError::NoKeyB(number));
            }
        }
        Ok(())
    }
}

/// A sector trailer that may be written: its conditions were checked. There is no other way to write one.
pub struct TrailerWrite(Zeroizing<[u8; BLOCK_LENGTH]>);

impl TrailerWrite {
    /// Key A, conditions, the general-purpose byte (`C1` in the directory's sector: AN10787) and key B.
    ///
    /// # Errors
    /// `AccessError` when the sector would be lost.
    pub fn new(
        key_a: &ClassicKey,
        access: AccessConditions,
        user_byte: u8,
        key_b: &ClassicKey,
    ) -> Result<Self, AccessError> {
        access.check()?;
        let mut bytes = Zeroizing::new([0; BLOCK_LENGTH]);
        bytes[..6].copy_from_slice(key_a.expose());
        bytes[6..9].copy_from_slice(&access.to_bytes());
        bytes[9] = user_byte;
        bytes[10..].copy_from_slice(key_b.expose());
        Ok(Self(bytes))
    }

    /// For the one command that writes it.
    pub(crate) fn bytes(&self) -> &[u8; BLOCK_LENGTH] {
        &self.0
    }
}

impl fmt::Debug for TrailerWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrailerWrite(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> ClassicKey {
        ClassicKey::new([byte; 6])
    }

    fn check(bytes: [u8; 3], conditions: [u8; 4]) {
        let access = AccessConditions::from_bytes(bytes).unwrap();
        assert_eq!(access.conditions(), conditions, "{bytes:02X?}");
        assert_eq!(access.to_bytes(), bytes);
    }

    #[test]
    fn published_access_bytes_read_as_what_they_mean() {
        check([0xFF, 0x07, 0x80], [0b000, 0b000, 0b000, 0b001]);
        check([0x48, 0x77, 0x8B], [0b110, 0b110, 0b100, 0b011]);
        check([0x7B, 0x44, 0xB8], [0b001, 0b001, 0b100, 0b011]);
        check([0x78, 0x77, 0x88], [0b100, 0b100, 0b100, 0b011]);
    }

    #[test]
    fn the_citys_conditions_are_the_published_ones() {
        assert_eq!(AccessConditions::TRANSPORT.to_bytes(), [0xFF, 0x07, 0x80]);
        assert_eq!(AccessConditions::PURSE.to_bytes(), [0x68, 0x77, 0x89]);
        assert_eq!(AccessConditions::DATA.to_bytes(), [0x78, 0x77, 0x88]);
    }

    #[test]
    fn the_published_conditions_may_be_written() {
        for bytes in [[0xFF, 0x07, 0x80], [0x48, 0x77, 0x8B], [0x7B, 0x44, 0xB8], [0x78, 0x77, 0x88]] {
            let trailer = TrailerWrite::new(&key(1), AccessConditions::from_bytes(bytes).unwrap(), 0, &key(2)).unwrap();
            assert_eq!(trailer.bytes()[6..9], bytes);
        }
    }

    #[test]
    fn a_trailer_lies_as_libfreefare_writes_it() {
        let (all, beef) = (key(0xFF), ClassicKey::new([0xDE, 0xAD, 0xBE, 0xEF, 0xFF, 0xFF]));
        let trailer = TrailerWrite::new(&all, AccessConditions::TRANSPORT, 0x42, &beef).unwrap();
        let expected = data_encoding::HEXUPPER.decode(b"FFFFFFFFFFFFFF078042DEADBEEFFFFF").unwrap();
        assert_eq!(trailer.bytes().as_slice(), expected);
        assert_eq!(format!("{trailer:?}"), "TrailerWrite(redacted)");
    }

    #[test]
    fn what_would_lose_the_sector_is_no_trailer() {
        let refused = |conditions: [u8; 4]| {
            TrailerWrite::new(&key(1), AccessConditions::new(conditions), 0, &key(2)).map(|_| ()).unwrap_err()
        };
        for trailer in [0b000, 0b010, 0b100, 0b101, 0b110, 0b111] {
            assert_eq!(refused([0, 0, 0, trailer]), AccessError::Frozen, "{trailer:03b}");
        }
        assert_eq!(refused([0, 0b111, 0, 0b011]), AccessError::DeadBlock(1));
        assert_eq!(refused([0, 0, 0b100, 0b001]), AccessError::NoKeyB(2));
        assert_eq!(refused([0b110, 0, 0, 0b001]), AccessError::NoKeyB(0));
    }

    proptest! {
        #[test]
        fn conditions_read_back(conditions: [u8; 4]) {
            let access = AccessConditions::new(conditions);
            prop_assert_eq!(AccessConditions::from_bytes(access.to_bytes()), Ok(access));
        }

        /// One bit wrong in the three bytes is always noticed, whatever was meant.
        #[test]
        fn one_turned_bit_is_never_written(conditions: [u8; 4], bit in 0..24_usize) {
            let mut bytes = AccessConditions::new(conditions).to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(AccessConditions::from_bytes(bytes), Err(AccessError::Inconsistent));
        }
    }
}
