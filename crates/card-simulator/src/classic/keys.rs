//! Keys of sectors and the purse's seal, diversified for each card (AN10922, AES-128), so that a key that is broken opens
//! one sector of one card.

use crate::bytes::{Key, hex_array};
use crate::crypto::{cmac, diversified};
use domain::Uid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroize;

/// In the place of a sector number in the diversification input of the seal's key.
const SEAL: u8 = 0xFE;

/// The transport key of every sector.
const TRANSPORT: [u8; 6] = [0xFF; 6];

/// The key of a sector: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ClassicKey([u8; 6]);

impl ClassicKey {
    /// Wraps six key bytes.
    #[must_use]
    pub fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// As delivered: FFFFFFFFFFFF.
    #[must_use]
    pub fn transport() -> Self {
        Self(TRANSPORT)
    }

    /// The key bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl Drop for ClassicKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ClassicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassicKey(redacted)")
    }
}

impl Serialize for ClassicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hex_array::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for ClassicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex_array::deserialize(deserializer).map(Self)
    }
}

/// Which of a sector's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassicKeyKind {
    /// Key A (60).
    A,
    /// Key B (61).
    B,
}

/// The first six bytes of AN10922's key over UID, sector, `A` or `B`, and the city's system id. Key A comes of the base
/// key *read*, key B of the base key *credit*.
#[must_use]
pub fn sector_key(base: &Key, uid: &Uid, sector: u8, kind: ClassicKeyKind, system_id: &str) -> ClassicKey {
    let letter = match kind {
        ClassicKeyKind::A => b'A',
        ClassicKeyKind::B => b'B',
    };
    let long = diversified(base, &[uid.bytes(), &[sector, letter], system_id.as_bytes()].concat());
    ClassicKey(std::array::from_fn(|index| long.bytes()[index]))
}

/// The key of a card's seal, of the base key *transaction MAC*.
pub(super) fn seal_key(base: &Key, uid: &Uid, system_id: &str) -> Key {
    diversified(base, &[uid.bytes(), &[SEAL], system_id.as_bytes()].concat())
}

/// The seal's MAC under the card's own seal key: the first eight bytes of the CMAC over UID, counter, value after the
/// top-up (cents) and day (since 2000-01-01), the numbers least significant byte first.
#[must_use]
pub fn seal_mac(key: &Key, uid: &Uid, counter: u32, value_after: u16, day: u16) -> [u8; 8] {
    let (counter, value_after, day) = (counter.to_le_bytes(), value_after.to_le_bytes(), day.to_le_bytes());
    let whole = cmac(key, &[uid.bytes(), &counter, &value_after, &day].concat());
    std::array::from_fn(|index| whole[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(bytes: &[u8]) -> Uid {
        Uid::new(bytes).unwrap()
    }

    #[test]
    fn a_sector_key_is_the_beginning_of_the_diversified_one() {
        let base = Key::new([0xA1; 16]);
        let long = diversified(&base, b"\x04\xA1\xB2\xC3\x02Abahia");
        let key = sector_key(&base, &uid(&[0x04, 0xA1, 0xB2, 0xC3]), 2, ClassicKeyKind::A, "bahia");
        assert_eq!(key.bytes()[..], long.bytes()[..6]);
    }

    #[test]
    fn keys_differ_by_card_sector_kind_and_city() {
        let base = Key::new([0xA1; 16]);
        let (here, there) = (uid(&[1, 2, 3, 4]), uid(&[1, 2, 3, 5]));
        let keys = [
            sector_key(&base, &here, 1, ClassicKeyKind::A, "bahia"),
            sector_key(&base, &there, 1, ClassicKeyKind::A, "bahia"),
            sector_key(&base, &here, 2, ClassicKeyKind::A, "bahia"),
            sector_key(&base, &here, 1, ClassicKeyKind::B, "bahia"),
            sector_key(&base, &here, 1, ClassicKeyKind::A, "other"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{index}");
        }
    }

    #[test]
    fn a_seal_depends_on_all_that_it_seals() {
        let key = seal_key(&Key::new([0xAF; 16]), &uid(&[1, 2, 3, 4]), "bahia");
        let seal = |uid: &Uid, counter, after, day| seal_mac(&key, uid, counter, after, day);
        let (here, there) = (uid(&[1, 2, 3, 4]), uid(&[1, 2, 3, 5]));
        let right = seal(&here, 7, 1_250, 9_000);
        for wrong in [
            seal(&there, 7, 1_250, 9_000),
            seal(&here, 8, 1_250, 9_000),
            seal(&here, 7, 1_251, 9_000),
            seal(&here, 7, 1_250, 9_001),
        ] {
            assert_ne!(right, wrong);
        }
    }

    #[test]
    fn a_sector_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", ClassicKey::new([0xAB; 6])), "ClassicKey(redacted)");
    }
}
