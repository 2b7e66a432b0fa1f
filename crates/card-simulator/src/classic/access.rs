//! Access conditions (MF1S50YYX, 8.7): three bits for each block of a sector, kept twice, once inverted, in bytes 6 to 8
//! of the sector trailer. A sector whose two copies disagree is locked for ever.

use super::keys::ClassicKeyKind;

/// What is asked of a data block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    Increment,
    /// Decrement, transfer and restore share a right.
    Decrement,
}

/// Which key something is allowed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    A,
    B,
    Either,
}

impl Who {
    fn includes(self, kind: ClassicKeyKind) -> bool {
        match self {
            Self::Nobody => false,
            Self::A => kind == ClassicKeyKind::A,
            Self::B => kind == ClassicKeyKind::B,
            Self::Either => true,
        }
    }
}

/// What a key may do with a sector trailer (MF1S50YYX, table 7). Key A can never be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrailerRights {
    pub(super) key_a_write: bool,
    pub(super) access_read: bool,
    pub(super) access_write: bool,
    pub(super) key_b_read: bool,
    pub(super) key_b_write: bool,
}

/// The copies of the access bits disagree: the sector is locked for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access bits disagree with their inverted copy")]
pub struct BrokenAccessBits;

/// The conditions C1 C2 C3 of a sector's four blocks, C1 being the highest of the three bits; the last block is the
/// trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions([u8; 4]);

impl Conditions {
    /// As delivered: everything with key A, which alone can be used.
    pub const TRANSPORT: Self = Self([0b000, 0b000, 0b000, 0b001]);
    /// Data: either key reads, key B writes, and only key B changes the trailer.
    pub const DATA: Self = Self([0b100, 0b100, 0b100, 0b011]);
    /// A value block that key A may only read and decrement, and two data blocks; only key B changes the trailer.
    pub const PURSE: Self = Self([0b110, 0b100, 0b100, 0b011]);

    /// Of the three condition bits of each block, trailer last; only the lowest three bits of each count.
    #[must_use]
    pub fn new(bits: [u8; 4]) -> Self {
        Self(bits.map(|bits| bits & 0b111))
    }

    /// Out of bytes 6 to 8 of a trailer.
    ///
    /// # Errors
    /// [`BrokenAccessBits`] when a bit equals its inverted copy.
    pub fn parse(bytes: [u8; 3]) -> Result<Self, BrokenAccessBits> {
        let [low, middle, high] = bytes;
        let (c1, c2, c3) = (middle >> 4, high & 0x0F, high >> 4);
        let inverted = (low & 0x0F, low >> 4, middle & 0x0F);
        if inverted != (!c1 & 0x0F, !c2 & 0x0F, !c3 & 0x0F) {
            return Err(BrokenAccessBits);
        }
        let bit = |bits: u8, block: usize| bits >> block & 1;
        Ok(Self(std::array::from_fn(|block| bit(c1, block) << 2 | bit(c2, block) << 1 | bit(c3, block))))
    }

    /// Bytes 6 to 8 of the trailer.
    #[must_use]
    pub fn bytes(self) -> [u8; 3] {
        let gather = |bit: u8| (0..4).fold(0, |bits, block| bits | (self.0[block] >> bit & 1) << block);
        let (c1, c2, c3) = (gather(2), gather(1), gather(0));
        [!c2 << 4 | (!c1 & 0x0F), c1 << 4 | (!c3 & 0x0F), c3 << 4 | c2]
    }

    /// Whether key B can be read, and therefore opens nothing (MF1S50YYX, 8.7.2).
    #[must_use]
    pub fn key_b_is_readable(self) -> bool {
        matches!(self.0[3], 0b000..=0b010)
    }

    /// Whether this key may do this with a data block, 0 to 2 (MF1S50YYX, table 8).
    pub(super) fn allow(self, block: usize, operation: Operation, kind: ClassicKeyKind) -> bool {
        let Some(condition) = self.0.get(block) else { return false };
        let who = match (condition, operation) {
            (0b000, _) => Who::Either,
            (0b010 | 0b100 | 0b110 | 0b001, Operation::Read) => Who::Either,
            (0b100 | 0b110 | 0b011, Operation::Write) => Who::B,
            (0b110, Operation::Increment) => Who::B,
            (0b110 | 0b001, Operation::Decrement) => Who::Either,
            (0b011 | 0b101, Operation::Read) => Who::B,
            _ => Who::Nobody,
        };
        who.includes(kind)
    }

    /// What this key may do with the trailer (MF1S50YYX, table 7).
    pub(super) fn trailer(self, kind: ClassicKeyKind) -> TrailerRights {
        use Who::{A, B, Either, Nobody};
        let [keys_write, access_read, access_write, key_b_read] = match self.0[3] {
            0b000 => [A, A, Nobody, A],
            0b010 => [Nobody, A, Nobody, A],
            0b100 => [B, Either, Nobody, Nobody],
            0b001 => [A, A, A, A],
            0b011 => [B, Either, B, Nobody],
            0b101 => [Nobody, Either, B, Nobody],
            _ => [Nobody, Either, Nobody, Nobody],
        };
        TrailerRights {
            key_a_write: keys_write.includes(kind),
            access_read: access_read.includes(kind),
            access_write: access_write.includes(kind),
            key_b_read: key_b_read.includes(kind),
            key_b_write: keys_write.includes(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_bits_people_write_down_are_these_conditions() {
        let check = |bytes, conditions: Conditions| {
            assert_eq!(Conditions::parse(bytes), Ok(conditions), "{bytes:02X?}");
            assert_eq!(conditions.bytes(), bytes, "{conditions:?}");
        };
        // MF1S50YYX, 8.6.3: the transport configuration.
        check([0xFF, 0x07, 0x80], Conditions::TRANSPORT);
        // Value, value, data, as purses in the field have it; trailer 011.
        check([0x48, 0x77, 0x8B], Conditions::new([0b110, 0b110, 0b100, 0b011]));
        check([0x68, 0x77, 0x89], Conditions::PURSE);
        // Decrement only, no way up.
        check([0x7B, 0x44, 0xB8], Conditions::new([0b001, 0b001, 0b100, 0b011]));
        check([0x78, 0x77, 0x88], Conditions::DATA);
    }

    #[test]
    fn every_condition_survives_its_three_bytes() {
        for bits in 0..8_u16.pow(4) {
            let one = |block: u16| u8::try_from(bits >> (3 * block) & 0b111).unwrap();
            let conditions = Conditions::new([one(0), one(1), one(2), one(3)]);
            assert_eq!(Conditions::parse(conditions.bytes()), Ok(conditions));
        }
    }

    #[test]
    fn one_wrong_bit_breaks_the_sector() {
        for bit in 0..24 {
            let mut bytes = Conditions::PURSE.bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Conditions::parse(bytes), Err(BrokenAccessBits), "bit {bit}");
        }
    }
}
