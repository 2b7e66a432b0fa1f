//! The MIFARE application directory, version 1 (AN10787): which sector belongs to which application, in blocks 1 and 2 of
//! sector 0.

use super::memory::Block;
use domain::city_pack::ClassicLayout;

/// The general purpose byte of sector 0: a directory is there (DA), several applications (MA), version 1.
pub(super) const GENERAL_PURPOSE: u8 = 0xC1;

/// The directory's public key A.
pub(super) const KEY_A: [u8; 6] = [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5];

/// The polynomial x^8 + x^4 + x^3 + x^2 + 1, and the preset, which is E3 with its bits in the other order.
const POLYNOMIAL: u8 = 0x1D;
const PRESET: u8 = 0xC7;

/// The directory's CRC over the 31 bytes behind it: info byte, then two bytes for each sector.
#[must_use]
pub fn mad_crc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(PRESET, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ POLYNOMIAL })
    })
}

/// Blocks 1 and 2 of sector 0 of a card with this layout: our sectors, and all others free (0000). No publisher's sector
/// is named (info byte 0).
pub(super) fn directory(layout: &ClassicLayout) -> [Block; 2] {
    let ours = [layout.identity_sector, layout.purse_sector, layout.top_ups_sector];
    let mut bytes = [0_u8; 32];
    for (sector, entry) in (1_u8..).zip(bytes[2..].as_chunks_mut::<2>().0) {
        if ours.contains(&sector) {
            // Application code first, then function cluster.
            *entry = layout.mad_aid.to_le_bytes();
        }
    }
    bytes[0] = mad_crc(&bytes[1..]);
    let (first, second) = bytes.split_at(16);
    [first, second].map(|half| std::array::from_fn(|index| half[index]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    #[test]
    fn the_directory_s_crc_matches_published_directories() {
        let check = |text: &str, crc| assert_eq!(mad_crc(&unhex(text)), crc, "{text}");
        // AN10787, the example of its chapter on the CRC.
        check("01010801080108 0000000000000400 0310031002100210 0000000000001130", 0x89);
        // nfctools, NxpCrcTest: the dump of a card with NDEF in five sectors.
        check("0103E103E103E1 03E103E100000000 00000000000000000000000000000000", 0xC4);
    }

    #[test]
    fn our_sectors_stand_in_the_directory_and_the_others_are_free() {
        let layout = ClassicLayout {
            mad_aid: 0x511C,
            identity_sector: 1,
            purse_sector: 2,
            top_ups_sector: 15,
            purse_max: domain::Cents(5_000),
            top_up_max: domain::Cents(2_000),
        };
        let [first, second] = directory(&layout);
        assert_eq!(first[1..], unhex("00 1C51 1C51 0000 0000 0000 0000 0000")[..]);
        assert_eq!(second, unhex("0000 0000 0000 0000 0000 0000 0000 1C51")[..]);
        assert_eq!(first[0], mad_crc(&[&first[1..], &second[..]].concat()));
    }
}
