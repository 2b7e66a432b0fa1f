//! The CRC32 of the EV1 channel and of ChangeKey: the polynomial of IEEE 802.3, reflected, begun with ones, and *not*
//! inverted at the end. On the wire it goes LSB first.

/// The polynomial, its bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// What each byte does to the remainder.
const TABLE: [u32; 256] = table();

#[expect(clippy::cast_possible_truncation, reason = "an index below 256; `try_from` is not const")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

/// The CRC of the parts, one after another, as it goes on the wire.
pub(crate) fn crc32(parts: &[&[u8]]) -> [u8; 4] {
    let mut remainder = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        let [low, ..] = remainder.to_le_bytes();
        remainder = (remainder >> 8) ^ TABLE[usize::from(low ^ byte)];
    }
    remainder.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};

    fn check(message: &str, on_the_wire: &str) {
        assert_eq!(crc32(&[&bytes(message)]), array(on_the_wire), "{message}");
    }

    #[test]
    fn jekkos_change_key_of_a_real_ev3() {
        check("C400 11111111111111111111111111111111 00", "CB01B365");
    }

    #[test]
    fn elmue_change_key_of_a_real_ev1() {
        check("C400 00102030405060708090A0B0B0A09080 10", "D2C6E66B");
    }

    #[test]
    fn an12343_table_39_crc_of_a_new_key() {
        check("01234567890123456789012345678901", "A0A60868");
    }

    #[test]
    fn the_crc_of_parts_is_the_crc_of_the_whole() {
        assert_eq!(crc32(&[b"1234", b"", b"56789"]), crc32(&[b"123456789"]));
        let inverted = u32::from_le_bytes(crc32(&[b"123456789"])) ^ u32::MAX;
        assert_eq!(inverted, 0xCBF4_3926, "the check value of the common CRC-32");
    }
}
