//! The MIFARE application directory of a 1K card (AN10787, MAD1): which of the sectors 1 to 15 belongs to which
//! application, in blocks 1 and 2 of sector 0, readable with a public key.

use super::value_block::BLOCK_LENGTH;
use keys::classic::ClassicKey;

/// Sectors that the directory names: 1 to 15.
const SECTORS: usize = 15;
/// The general-purpose byte of sector 0: directory present, several applications, MAD1 (AN10787).
pub const USER_BYTE: u8 = 0xC1;
/// Preset of the directory's check byte (AN10787).
const CRC_PRESET: u8 = 0xC7;
/// Its polynomial, x⁸ + x⁴ + x³ + x² + 1.
const CRC_POLYNOMIAL: u8 = 0x1D;

/// The public key A of sector 0 (AN10787).
#[must_use]
pub fn public_key() -> ClassicKey {
    ClassicKey::new([0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5])
}

/// The directory does not fit its check byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory's check byte is wrong")]
pub struct DirectoryDamaged;

/// The directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// The card publisher's sector, 0 for none.
    pub publisher: u8,
    applications: [u16; SECTORS],
}

impl Directory {
    /// One without any application.
    #[must_use]
    pub const fn empty() -> Self {
        Self { publisher: 0, applications: [0; SECTORS] }
    }

    /// The same with `sector` (1 to 15; others are left out) given to an application.
    #[must_use]
    pub fn with(mut self, sector: u8, application: u16) -> Self {
        let entry = usize::from(sector).checked_sub(1).and_then(|index| self.applications.get_mut(index));
        if let Some(entry) = entry {
            *entry = application;
        }
        self
    }

    /// The application of a sector, function cluster in the high byte; 0 when it is free, `None` beyond 1 to 15.
    #[must_use]
    pub fn application(&self, sector: u8) -> Option<u16> {
        self.applications.get(usize::from(sector).checked_sub(1)?).copied()
    }

    /// Blocks 1 and 2 of sector 0.
    ///
    /// # Errors
    /// `DirectoryDamaged` when the check byte is wrong.
    pub fn read(first: &[u8; BLOCK_LENGTH], second: &[u8; BLOCK_LENGTH]) -> Result<Self, DirectoryDamaged> {
        let (&[check, ref rest @ ..], tail) = (first, second);
        if crc([rest.as_slice(), tail.as_slice()]) != check {
            return Err(DirectoryDamaged);
        }
        let mut directory = Self { publisher: rest[0] & 0x3F, ..Self::empty() };
        let entries = rest[1..].as_chunks::<2>().0.iter().chain(tail.as_chunks::<2>().0);
        for (entry, bytes) in directory.applications.iter_mut().zip(entries) {
            *entry = u16::from_le_bytes(*bytes);
        }
        Ok(directory)
    }

    /// Blocks 1 and 2 of sector 0, check byte included.
    #[must_use]
    pub fn to_blocks(&self) -> [[u8; BLOCK_LENGTH]; 2] {
        let mut blocks = [[0; BLOCK_LENGTH]; 2];
        blocks[0][1] = self.publisher & 0x3F;
        for (bytes, entry) in blocks.as_flattened_mut()[2..].as_chunks_mut::<2>().0.iter_mut().zip(self.applications) {
            *bytes = entry.to_le_bytes();
        }
        blocks[0][0] = crc([&blocks[0][1..], &blocks[1]]);
        blocks
    }
}

/// The check byte over the info byte and the fifteen entries.
fn crc(parts: [&[u8]; 2]) -> u8 {
    parts.into_iter().flatten().fold(CRC_PRESET, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ CRC_POLYNOMIAL })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(hex: &str, expected: u8) {
        let bytes = data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
        assert_eq!(bytes.len(), 31, "info byte and fifteen entries");
        assert_eq!(crc([&bytes, &[]]), expected);
        let [mut first, mut second] = [[0; 16]; 2];
        first[0] = expected;
        first[1..].copy_from_slice(&bytes[..15]);
        second.copy_from_slice(&bytes[15..]);
        let directory = Directory::read(&first, &second).unwrap();
        assert_eq!(directory.to_blocks(), [first, second]);
    }

    #[test]
    fn the_check_byte_of_an10787() {
        check("01010801080108000000000000040003100310021002100000000000001130", 0x89);
    }

    #[test]
    fn the_check_byte_of_libfreefares_card() {
        check("0103E103E103E103E103E10000000000000000000000000000000000000000", 0xC4);
    }

    #[test]
    fn an_application_stands_least_significant_byte_first() {
        let directory = Directory::empty().with(1, 0x511C).with(15, 0x4801).with(0, 7).with(16, 7);
        let blocks = directory.to_blocks();
        assert_eq!((blocks[0][2..4].to_vec(), blocks[1][14..].to_vec()), (vec![0x1C, 0x51], vec![0x01, 0x48]));
        assert_eq!(Directory::read(&blocks[0], &blocks[1]), Ok(directory));
        assert_eq!((directory.application(1), directory.application(2)), (Some(0x511C), Some(0)));
        assert_eq!((directory.application(0), directory.application(16)), (None, None));
    }

    proptest! {
        #[test]
        fn one_turned_bit_is_noticed(applications: [u16; 15], bit in 0..256_usize) {
            let directory = (1..).zip(applications).fold(Directory::empty(), |all, (sector, one)| all.with(sector, one));
            let mut blocks = directory.to_blocks();
            blocks.as_flattened_mut()[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Directory::read(&blocks[0], &blocks[1]), Err(DirectoryDamaged));
        }
    }
}
