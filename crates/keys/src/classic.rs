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
    let full =
        key.cmac(&[uid.bytes(), &counter.to_le_bytes(), &value_after.to_le_bytes(), &day.to_le_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = full;
    Ok([a, b, c, d, e, f, g, h])
}
