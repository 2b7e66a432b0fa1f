//! Key derivation of the sealed records: HKDF-SHA256 (RFC 5869) from card secret and epoch key, Argon2id (RFC 9106)
//! for the PIN. The epoch key is always the salt of the extraction, so that neither a card nor a stolen terminal
//! alone yields a key.

use crate::row::Tier;
use crate::secret::{CardSecret, EpochKey, secret};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::HEXLOWER;
use domain::Generation;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Argon2id memory, KiB.
pub const PIN_MEMORY_KIB: u32 = 64 * 1024;
/// Argon2id passes.
pub const PIN_PASSES: u32 = 3;
/// Argon2id lanes.
pub const PIN_LANES: u32 = 4;

secret!(
    /// What Argon2id makes of a PIN and a card secret. Central keeps it and treats it as the PIN itself.
    PinKey,
    32
);

/// Where a card's record of one tier stands in the feed; changes with card secret, epoch and tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 16]);

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({}…)", HEXLOWER.encode(&self.0[..2]))
    }
}

/// A derivation failed: only out of memory, or a length that these constants do not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key could not be derived")]
pub struct DeriveError;

type Key = Zeroizing<[u8; 32]>;

fn expand(prk: &Hkdf<Sha256>, info: &[&[u8]], out: &mut [u8]) -> Result<(), DeriveError> {
    prk.expand_multi_info(info, out).map_err(|_| DeriveError)
}

fn card_prk(epoch: &EpochKey, secret: &CardSecret) -> Hkdf<Sha256> {
    Hkdf::new(Some(epoch.key.expose()), secret.expose())
}

/// `HKDF-Expand(PRK, "v1 id" || tier)[..16]` with `PRK = HKDF-Extract(salt = epoch key, ikm = card secret)`.
///
/// # Errors
/// `DeriveError`, which these lengths do not meet.
pub fn record_id(epoch: &EpochKey, secret: &CardSecret, tier: Tier) -> Result<RecordId, DeriveError> {
    let mut id = [0; 16];
    expand(&card_prk(epoch, secret), &[b"v1 id", &[tier.byte()]], &mut id)?;
    Ok(RecordId(id))
}

/// The tap tier's key, `HKDF-Expand(PRK, "v1 tap")`.
pub(crate) fn tap_key(epoch: &EpochKey, secret: &CardSecret) -> Result<Key, DeriveError> {
    let mut key = Zeroizing::new([0; 32]);
    expand(&card_prk(epoch, secret), &[b"v1 tap"], key.as_mut())?;
    Ok(key)
}

/// The pin tier's key: HKDF with salt = epoch key, ikm = card secret || pin key, info = `"v1 pin" || generation`.
pub(crate) fn pin_tier_key(
    epoch: &EpochKey,
    secret: &CardSecret,
    pin: &PinKey,
    generation: Generation,
) -> Result<Key, DeriveError> {
    let mut material = Zeroizing::new([0; 64]);
    material[..32].copy_from_slice(secret.expose());
    material[32..].copy_from_slice(pin.expose());
    let mut key = Zeroizing::new([0; 32]);
    expand(&Hkdf::new(Some(epoch.key.expose()), material.as_ref()), &[b"v1 pin", &[generation.0]], key.as_mut())?;
    Ok(key)
}

/// `Argon2id(PIN, salt = HKDF(card secret, "pin-salt"), 64 MiB, t = 3, p = 4)`: about a tenth of a second of one core, on
/// purpose. `pin` is its digits in ASCII. Blocks; call it where blocking is allowed.
///
/// # Errors
/// `DeriveError` when 64 MiB cannot be had.
pub fn pin_key(secret: &CardSecret, pin: &[u8]) -> Result<PinKey, DeriveError> {
    let mut salt = Zeroizing::new([0; 16]);
    expand(&Hkdf::new(None, secret.expose()), &[b"pin-salt"], salt.as_mut())?;
    let params = Params::new(PIN_MEMORY_KIB, PIN_PASSES, PIN_LANES, Some(32)).map_err(|_| DeriveError)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin, salt.as_ref(), key.as_mut())
        .map_err(|_| DeriveError)?;
    Ok(PinKey::new(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret32;

    fn epoch(byte: u8) -> EpochKey {
        EpochKey { epoch: 1, key: Secret32::new([byte; 32]) }
    }

    #[test]
    fn ids_differ_by_tier_epoch_and_card_and_are_stable() {
        let card = CardSecret::new([1; 32]);
        let id = |e: u8, c: &CardSecret, t| record_id(&epoch(e), c, t).unwrap();
        let tap = id(7, &card, Tier::Tap);
        assert_eq!(tap, id(7, &card, Tier::Tap));
        assert_ne!(tap, id(7, &card, Tier::Pin));
        assert_ne!(tap, id(8, &card, Tier::Tap));
        assert_ne!(tap, id(7, &CardSecret::new([2; 32]), Tier::Tap));
    }

    #[test]
    fn derivations_agree_with_another_implementation() {
        // Recomputed with Python: RFC 5869 by hand over hmac, Argon2id by the package `cryptography`.
        let (epoch, card) = (epoch(0x11), CardSecret::new([0x22; 32]));
        let check = |found: &[u8], expected: &str| assert_eq!(HEXLOWER.encode(found), expected);
        check(&record_id(&epoch, &card, Tier::Tap).unwrap().0, "b51a3ae6ae8fba941e4e251a3348791b");
        check(&record_id(&epoch, &card, Tier::Pin).unwrap().0, "8eb4151652b5da57f0ad7f592cf7adcb");
        check(
            tap_key(&epoch, &card).unwrap().as_ref(),
            "426d18401df7c5ff0afdb5672f946bd18b9ae56f5a695dcde042a70301729835",
        );
        let pin = PinKey::new([0x33; 32]);
        check(
            pin_tier_key(&epoch, &card, &pin, Generation(1)).unwrap().as_ref(),
            "166742accb51e417115b4a5f8530279a2aaad26b7ede3416471d2929b036dbf3",
        );
        check(
            pin_key(&card, b"123456").unwrap().expose(),
            "f46328cf3bbac59945ff808653ee84582d51be496c8a6f7c480c6cc8802789ce",
        );
    }

    #[test]
    fn pin_keys_differ_by_pin_and_by_card() {
        let card = CardSecret::new([1; 32]);
        let key = pin_key(&card, b"123456").unwrap();
        assert_ne!(key.expose(), pin_key(&card, b"123457").unwrap().expose());
        assert_ne!(key.expose(), pin_key(&CardSecret::new([2; 32]), b"123456").unwrap().expose());
        assert_eq!(format!("{key:?}"), "PinKey(redacted)");
    }
}
