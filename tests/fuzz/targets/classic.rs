//! The blocks of a MIFARE Classic card: anybody with a card in hand can write what they like into them.

use card::classic::records::{self, ClassicTopUp, StoredSeal};
use card::classic::{AccessConditions, Directory, ValueBlock};

fn blocks<const N: usize>(bytes: &[u8]) -> Option<[[u8; 16]; N]> {
    let (blocks, _) = bytes.as_chunks::<16>();
    blocks.first_chunk::<N>().copied()
}

/// Either refused, or written back as the same twelve copies.
pub(crate) fn value_block(bytes: &[u8]) {
    let Some([block]) = blocks(bytes) else { return };
    if let Some(value) = ValueBlock::read(&block) {
        assert_eq!(value.to_bytes(), block);
    }
}

/// Whatever passes as access conditions is exactly what its bytes say.
pub(crate) fn access_bits(bytes: &[u8]) {
    let Some(&access) = bytes.first_chunk::<3>() else { return };
    if let Ok(conditions) = AccessConditions::from_bytes(access) {
        assert_eq!(conditions.to_bytes(), access);
    }
}

pub(crate) fn directory(bytes: &[u8]) {
    let Some([first, second]) = blocks(bytes) else { return };
    if let Ok(directory) = Directory::read(&first, &second) {
        let [again, rest] = directory.to_blocks();
        assert!(Directory::read(&again, &rest).is_ok_and(|read| read == directory));
    }
}

/// Identity, seal and top-ups, all of the same bytes.
pub(crate) fn records(bytes: &[u8]) {
    let Some([block]) = blocks(bytes) else { return };
    if let Ok(identity) = records::read_identity(&block) {
        assert!(identity.secret.is_none(), "a card that can be copied has no secret");
    }
    assert_eq!(StoredSeal::read(&block).to_bytes(), block);
    for slot in 0..3 {
        if let Some(record) = ClassicTopUp::read(slot, &block) {
            assert_eq!(record.counter % 3, slot);
            assert_eq!(record.to_bytes(), block);
        }
    }
}
