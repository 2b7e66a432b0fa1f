//! The 64 blocks of a card, 16 bytes each, as they lie in its EEPROM: with keys, which no reader ever sees.

use super::access::{BrokenAccessBits, Conditions};
use super::keys::ClassicKey;
use crate::bytes::{hex_vec, hex_vecs};
use domain::Uid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One block.
pub type Block = [u8; 16];

/// Blocks of a card.
pub(super) const BLOCKS: u8 = 64;
/// Blocks of a sector, the trailer included.
pub(super) const SECTOR_BLOCKS: u8 = 4;

/// The user byte of a trailer as delivered (MF1S50YYX, 8.6.3).
const TRANSPORT_USER_BYTE: u8 = 0x69;

/// What a card holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Image", into = "Image")]
pub struct ClassicMemory {
    uid: Uid,
    blocks: Box<[Block; BLOCKS as usize]>,
}

impl fmt::Debug for ClassicMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassicMemory(redacted)")
    }
}

impl ClassicMemory {
    /// As the factory delivers it: the UID in block 0, zeros, and in every sector the transport keys and access bits
    /// FF0780.
    #[must_use]
    pub fn blank(uid: Uid) -> Self {
        let mut memory = Self { blocks: Box::new([[0; 16]; BLOCKS as usize]), uid };
        memory.set(0, manufacturer_block(&memory.uid));
        for sector in 0..BLOCKS / SECTOR_BLOCKS {
            let transport = ClassicKey::transport();
            memory.set_trailer(sector, &transport, Conditions::TRANSPORT, TRANSPORT_USER_BYTE, &transport);
        }
        memory
    }

    /// The chip's UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// A block as it lies in the EEPROM; zeros beyond the last one.
    #[must_use]
    pub fn block(&self, number: u8) -> Block {
        self.blocks.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// Changes a block without asking any key, as a test or a broken card may; nothing beyond the last one.
    pub fn set(&mut self, number: u8, block: Block) {
        if let Some(place) = self.blocks.get_mut(usize::from(number)) {
            *place = block;
        }
    }

    /// Writes a sector's trailer: key A, access bits, user byte, key B.
    pub(super) fn set_trailer(
        &mut self,
        sector: u8,
        a: &ClassicKey,
        conditions: Conditions,
        user_byte: u8,
        b: &ClassicKey,
    ) {
        let mut block = [0; 16];
        let parts = [&a.bytes()[..], &conditions.bytes(), &[user_byte], b.bytes()].concat();
        block.copy_from_slice(&parts);
        self.set(trailer_of(sector), block);
    }

    /// The access conditions of a sector.
    pub(super) fn conditions(&self, sector: u8) -> Result<Conditions, BrokenAccessBits> {
        let trailer = self.block(trailer_of(sector));
        Conditions::parse([trailer[6], trailer[7], trailer[8]])
    }

    pub(super) fn key_a(&self, sector: u8) -> ClassicKey {
        let trailer = self.block(trailer_of(sector));
        ClassicKey::new(std::array::from_fn(|index| trailer[index]))
    }

    pub(super) fn key_b(&self, sector: u8) -> ClassicKey {
        let trailer = self.block(trailer_of(sector));
        ClassicKey::new(std::array::from_fn(|index| trailer[index + 10]))
    }
}

/// The number of a sector's trailer.
pub(super) fn trailer_of(sector: u8) -> u8 {
    block_of(sector, SECTOR_BLOCKS - 1)
}

/// The number on the card of a sector's block, 0 to 3.
pub(super) fn block_of(sector: u8, index: u8) -> u8 {
    sector.saturating_mul(SECTOR_BLOCKS).saturating_add(index)
}

/// Block 0: UID (with its check byte when it has four bytes: ISO/IEC 14443-3, 6.5.3), SAK 08, ATQA, and nothing of a
/// manufacturer's own.
fn manufacturer_block(uid: &Uid) -> Block {
    let bytes = uid.bytes();
    let rest: &[u8] = if bytes.len() == 4 {
        &[bytes.iter().fold(0, |check, byte| check ^ byte), 0x08, 0x04, 0x00]
    } else {
        &[0x08, 0x44, 0x00]
    };
    let mut block = [0; 16];
    for (place, byte) in block.iter_mut().zip(bytes.iter().chain(rest)) {
        *place = *byte;
    }
    block
}

/// As it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(with = "hex_vec")]
    uid: Vec<u8>,
    #[serde(with = "hex_vecs")]
    blocks: Vec<Vec<u8>>,
}

impl From<ClassicMemory> for Image {
    fn from(memory: ClassicMemory) -> Self {
        Self { uid: memory.uid.bytes().to_vec(), blocks: memory.blocks.iter().map(|block| block.to_vec()).collect() }
    }
}

impl TryFrom<Image> for ClassicMemory {
    type Error = &'static str;

    fn try_from(image: Image) -> Result<Self, Self::Error> {
        let uid = Uid::new(&image.uid).map_err(|_| "a UID has four or seven bytes")?;
        let blocks: Option<Vec<Block>> = image.blocks.into_iter().map(|block| block.try_into().ok()).collect();
        let blocks = blocks.ok_or("a block has 16 bytes")?.try_into().map_err(|_| "a card has 64 blocks")?;
        Ok(Self { uid, blocks: Box::new(blocks) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    fn blank(uid: &str) -> ClassicMemory {
        ClassicMemory::blank(Uid::new(&unhex(uid)).unwrap())
    }

    #[test]
    fn a_blank_card_is_as_the_factory_delivers_it() {
        let memory = blank("01020304");
        // MF1S50YYX, 8.6.3.
        assert_eq!(memory.block(3).to_vec(), unhex("FFFFFFFFFFFF FF078069 FFFFFFFFFFFF"));
        assert_eq!(memory.block(63), memory.block(3));
        assert_eq!(memory.block(62), [0; 16]);
        assert_eq!(memory.block(0)[..8], unhex("01020304 04 08 0400")[..], "with its check byte");
        assert_eq!(blank("04010203040506").block(0)[..10], unhex("04010203040506 08 4400")[..]);
    }

    #[test]
    fn a_trailer_is_laid_out_as_libfreefare_writes_it() {
        // libfreefare, the test of mifare_classic_trailer_block: key A FF…, blocks 000, trailer 001, GPB 42.
        let mut memory = blank("01020304");
        let b = ClassicKey::new([0xDE, 0xAD, 0xBE, 0xEF, 0xFF, 0xFF]);
        memory.set_trailer(1, &ClassicKey::transport(), Conditions::TRANSPORT, 0x42, &b);
        assert_eq!(memory.block(7).to_vec(), unhex("FFFFFFFFFFFF FF078042 DEADBEEFFFFF"));
        assert_eq!((memory.key_a(1), memory.key_b(1)), (ClassicKey::transport(), b));
    }

    #[test]
    fn a_memory_survives_json_and_a_short_one_is_refused() {
        let memory = blank("01020304");
        let json = serde_json::to_string(&memory).unwrap();
        assert_eq!(serde_json::from_str::<ClassicMemory>(&json).unwrap(), memory);
        let short = json.replacen("\"00000000000000000000000000000000\",", "", 1);
        assert!(serde_json::from_str::<ClassicMemory>(&short).is_err());
    }
}
