//! The value block of MIFARE Classic (MF1S50, 8.6.2.1): a signed amount three times, the middle one inverted, and an
//! address byte four times, every other one inverted. Increment, decrement, restore and transfer keep the address
//! byte; only a write changes it. That is what makes it fit to carry the top-up counter (`docs/card-layout.md`).

/// Bytes of a block.
pub const BLOCK_LENGTH: usize = 16;

/// One value block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueBlock {
    /// The amount; cents in a purse.
    pub value: i32,
    /// The address byte.
    pub address: u8,
}

impl ValueBlock {
    /// The block's 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; BLOCK_LENGTH] {
        let [a, b, c, d] = self.value.to_le_bytes();
        let address = self.address;
        [a, b, c, d, !a, !b, !c, !d, a, b, c, d, address, !address, address, !address]
    }

    /// Reads a block; `None` when any of its copies differs, as after a write that was cut off.
    #[must_use]
    pub fn read(bytes: &[u8; BLOCK_LENGTH]) -> Option<Self> {
        let value = i32::from_le_bytes(*bytes.first_chunk()?);
        let block = Self { value, address: bytes[12] };
        (block.to_bytes() == *bytes).then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXUPPER_PERMISSIVE as HEX;
    use proptest::prelude::*;

    fn check(value: i32, address: u8, hex: &str) {
        let bytes: [u8; 16] = HEX.decode(hex.as_bytes()).unwrap().try_into().unwrap();
        let block = ValueBlock { value, address };
        assert_eq!(block.to_bytes(), bytes);
        assert_eq!(ValueBlock::read(&bytes), Some(block));
    }

    #[test]
    fn the_data_sheets_value_block_mf1s50_8_6_2_1() {
        check(1_234_567, 17, "87D612007829EDFF87D6120011EE11EE");
    }

    #[test]
    fn published_value_blocks() {
        check(1_000, 0, "E803000017FCFFFFE803000000FF00FF");
        check(-1, 4, "FFFFFFFF00000000FFFFFFFF04FB04FB");
    }

    proptest! {
        #[test]
        fn one_turned_bit_anywhere_makes_it_no_value_block(value: i32, address: u8, bit in 0..128_usize) {
            let block = ValueBlock { value, address };
            let mut bytes = block.to_bytes();
            prop_assert_eq!(ValueBlock::read(&bytes), Some(block));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(ValueBlock::read(&bytes), None);
        }

        /// Half old and half new, the address byte is never the new one without the new value: it stands last.
        #[test]
        fn a_block_half_written_never_has_the_new_address_and_the_old_value(
            old: i32, new: i32, adr in 0..255_u8, cut in 1..16_usize,
        ) {
            let (from, to) = (ValueBlock { value: old, address: adr }, ValueBlock { value: new, address: adr + 1 });
            let mut bytes = from.to_bytes();
            bytes[..cut].copy_from_slice(&to.to_bytes()[..cut]);
            if let Some(read) = ValueBlock::read(&bytes) {
                let value_only = ValueBlock { address: adr, ..to };
                prop_assert!(read == from || read == value_only);
            }
        }
    }
}
