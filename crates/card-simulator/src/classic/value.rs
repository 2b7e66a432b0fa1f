//! Value blocks (MF1S50YYX, 8.6.2.1): the value three times, once inverted, and an address byte four times, twice
//! inverted.

use super::memory::Block;

/// A signed value and the address byte that goes with it, which only a plain write changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueBlock {
    /// The value.
    pub value: i32,
    /// Free for the application: increment, decrement, restore and transfer carry it along.
    pub address: u8,
}

impl ValueBlock {
    /// The sixteen bytes.
    #[must_use]
    pub fn bytes(self) -> Block {
        let value = self.value.to_le_bytes();
        let (plain, inverted) = (self.address, !self.address);
        let mut block = [0; 16];
        let parts = [value, value.map(|byte| !byte), value, [plain, inverted, plain, inverted]];
        block.copy_from_slice(parts.as_flattened());
        block
    }

    /// `None` when any of the copies differs: such a block is no value block, and the chip refuses to count with it.
    #[must_use]
    pub fn parse(block: &Block) -> Option<Self> {
        let value = *block.first_chunk()?;
        let read = Self { value: i32::from_le_bytes(value), address: block[12] };
        (read.bytes() == *block).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    #[test]
    fn value_blocks_match_the_published_ones() {
        let check = |value, address, text: &str| {
            let block: Block = unhex(text).try_into().unwrap();
            let expected = ValueBlock { value, address };
            assert_eq!(expected.bytes(), block, "{text}");
            assert_eq!(ValueBlock::parse(&block), Some(expected), "{text}");
        };
        // MF1S50YYX, 8.6.2.1, the example of the value 1234567 at block 17.
        check(1_234_567, 17, "87D612007829EDFF87D6120011EE11EE");
        // Tools in the field: 1000 at 0, and -1 at 4.
        check(1_000, 0, "E803000017FCFFFFE803000000FF00FF");
        check(-1, 4, "FFFFFFFF00000000FFFFFFFF04FB04FB");
    }

    #[test]
    fn a_block_with_one_wrong_bit_is_no_value_block() {
        let right = ValueBlock { value: 1_250, address: 3 }.bytes();
        for bit in 0..128 {
            let mut block = right;
            block[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ValueBlock::parse(&block), None, "bit {bit}");
        }
    }
}
