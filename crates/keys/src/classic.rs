//! Keys of MIFARE Classic cards (`docs/card-layout.md`, "Classic"): sector keys and the seal of the purse, both
//! diversified by AN10922. Crypto1 itself runs in the reader; a sector key has to be handed to it, so it leaves its
//! holder. That is the card's weakness and not this module's: a key opens one sector of one card.

use crate::aes_key::AesKey;
use crate::diversification::{DiversificationInput, diversify};
use crate::holder::{KeyError, KeyRole};
use domain::Uid;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a Crypto1 key.
pub const CLASSIC_KEY: usize = 6;

/// Stands where a sector's number stands, for the key of the purse's seal.
const SEAL: u8 = 0xFE;

/// A sector key (48 bits). Wiped when dropped; its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ClassicKey([u8; CLASSIC_KEY]);

impl ClassicKey {
    /// Takes the key's bytes; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; CLASSIC_KEY]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, to be loaded into a reader or written into a trailer. Never for a log.
    #[must_use]
    pub fn expose(&self) -> &[u8; CLASSIC_KEY] {
        &self.0
    }
}

impl fmt::Debug for ClassicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassicKey(redacted)")
    }
}

/// Which of a sector's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClassicKeyKind {
    /// Reads and decrements.
    A,
    /// Writes and increments.
    B,
}

impl ClassicKeyKind {
    /// Which base key it is made from.
    #[must_use]
    pub fn role(self) -> KeyRole {
        match self {
            Self::A => KeyRole::Read,
            Self::B => KeyRole::Credit,
        }
    }

    /// As the diversification input has it.
    fn letter(self) -> u8 {
        match self {
            Self::A => b'A',
            Self::B => b'B',
        }
    }
}

/// Holds sector keys of Classic cards.
pub trait ClassicKeys {
    /// The newest version of one sector's key.
    ///
    /// # Errors
    /// `KeyError::NoKey` when this holder has none of that kind, `InputTooLong`.
    fn sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError>;

    /// How many versions of a key are to be tried, the newest being version 0.
    fn sector_key_versions(&self, _kind: ClassicKeyKind) -> usize {
        1
    }

    /// One version of one sector's key.
    ///
    /// # Errors
    /// As `sector_key`, and `NoKey` when there is no such version.
    fn sector_key_of(
        &mut self,
        uid: &Uid,
        sector: u8,
        kind: ClassicKeyKind,
        version: usize,
    ) -> Result<ClassicKey, KeyError> {
        if version == 0 { self.sector_key(uid, sector, kind) } else { Err(KeyError::NoKey(kind.role())) }
    }
}

/// The first six bytes of AN10922 over `UID ‖ sector ‖ 'A' or 'B' ‖ system id`. `base` is the *read* key for key A and
/// the *credit* key for key B.
///
/// # Errors
/// `KeyError::InputTooLong` when the system id makes the input longer than 31 bytes.
pub fn sector_key(
    base: &AesKey,
    uid: &Uid,
    sector: u8,
    kind: ClassicKeyKind,
    system_id: &str,
) -> Result<ClassicKey, KeyError> {
    let input = [uid.bytes(), &[sector, kind.letter()], system_id.as_bytes()].concat();
    let key = diversify(base, &DiversificationInput::from_bytes(input)?);
    let [a, b, c, d, e, f, ..] = *key.expose();
    Ok(ClassicKey([a, b, c, d, e, f]))
}

/// What the seal in the purse's sector says of the last top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurseSeal {
    /// The top-up's counter; only rises.
    pub counter: u32,
    /// Days since 2000-01-01.
    pub day: u16,
    /// The purse after the top-up, in cents.
    pub value_after: u16,
}

/// The seal's MAC: the first eight bytes of `CMAC(K, UID ‖ counter ‖ value after ‖ day)`, all LSB first, with
/// `K = AN10922(base, UID ‖ FE ‖ system id)`. `base` is the *TransactionMAC* key, which no terminal holds: the seal
/// proves that central granted the top-up. It does not prove that the card is no copy.
///
/// # Errors
/// `KeyError::InputTooLong` when the system id makes the input longer than 31 bytes.
pub fn purse_seal_mac(base: &AesKey, uid: &Uid, system_id: &str, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
    let input = [uid.bytes(), &[SEAL], system_id.as_bytes()].concat();
    let key = diversify(base, &DiversificationInput::from_bytes(input)?);
    let PurseSeal { counter, day, value_after } = seal;
    let full = key.cmac(&[uid.bytes(), &counter.to_le_bytes(), &value_after.to_le_bytes(), &day.to_le_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = full;
    Ok([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};

    /// `1A2B3C4D` is a Classic card's UID, `04782E21801D80` that of AN10922.
    const FOUR: &str = "1A2B3C4D";
    const SEVEN: &str = "04782E21801D80";

    fn base() -> AesKey {
        AesKey::new(array("00112233445566778899AABBCCDDEEFF"))
    }

    fn check_key(uid: &str, sector: u8, kind: ClassicKeyKind, expected: &str) {
        let uid = Uid::new(&bytes(uid)).unwrap();
        let key = sector_key(&base(), &uid, sector, kind, "bahia").unwrap();
        assert_eq!(key.expose(), &array::<6>(expected), "sector {sector} {kind:?}");
    }

    /// Expected values from an AN10922 of another implementation.
    #[test]
    fn sector_keys_are_diversified_by_uid_sector_and_kind() {
        check_key(FOUR, 1, ClassicKeyKind::A, "C1DC342C514E");
        check_key(FOUR, 1, ClassicKeyKind::B, "C5176713DBE7");
        check_key(FOUR, 2, ClassicKeyKind::A, "E624A454562B");
        check_key(SEVEN, 1, ClassicKeyKind::A, "999EE286B944");
        check_key(SEVEN, 1, ClassicKeyKind::B, "A8561BEA8747");
        check_key(SEVEN, 2, ClassicKeyKind::A, "955FB6B55221");
    }

    fn check_seal(uid: &str, (counter, value_after, day): (u32, u16, u16), expected: &str) {
        let uid = Uid::new(&bytes(uid)).unwrap();
        let mac = purse_seal_mac(&base(), &uid, "bahia", &PurseSeal { counter, day, value_after });
        assert_eq!(mac.unwrap(), array(expected), "{counter} {value_after} {day}");
    }

    /// Expected values from a CMAC of another implementation.
    #[test]
    fn a_seal_is_of_one_card_one_counter_one_value_and_one_day() {
        check_seal(FOUR, (0, 0, 0), "129057D05A54E442");
        check_seal(FOUR, (7, 1250, 9821), "2B9859A6CFA02485");
        check_seal(FOUR, (u32::MAX, u16::MAX, u16::MAX), "41481941EC7BAE61");
        check_seal(SEVEN, (0, 0, 0), "757890D1BD68F250");
        check_seal(SEVEN, (7, 1250, 9821), "B1D83AB4042E175A");
        check_seal(SEVEN, (u32::MAX, u16::MAX, u16::MAX), "BB2F29A7C65C3B1E");
    }

    #[test]
    fn a_system_id_that_is_too_long_makes_no_key() {
        let uid = Uid::new(&[4; 7]).unwrap();
        let long = "a system id of over 22 b";
        assert!(matches!(sector_key(&base(), &uid, 1, ClassicKeyKind::A, long), Err(KeyError::InputTooLong)));
        let seal = PurseSeal { counter: 0, day: 0, value_after: 0 };
        assert_eq!(purse_seal_mac(&base(), &uid, long, &seal), Err(KeyError::InputTooLong));
    }

    #[test]
    fn a_holder_that_knows_one_version_has_no_second() {
        struct One;
        impl ClassicKeys for One {
            fn sector_key(&mut self, _: &Uid, _: u8, _: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
                Ok(ClassicKey::new([0xFF; 6]))
            }
        }
        let uid = Uid::new(&[4; 4]).unwrap();
        assert_eq!(One.sector_key_versions(ClassicKeyKind::A), 1);
        assert_eq!(One.sector_key_of(&uid, 1, ClassicKeyKind::A, 0), Ok(ClassicKey::new([0xFF; 6])));
        let second = One.sector_key_of(&uid, 1, ClassicKeyKind::B, 1);
        assert_eq!(second, Err(KeyError::NoKey(KeyRole::Credit)));
    }

    #[test]
    fn a_key_never_shows_itself_in_debug() {
        assert_eq!(format!("{:?}", ClassicKey::new([0xAB; 6])), "ClassicKey(redacted)");
    }
}
