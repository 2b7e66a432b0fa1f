//! The card office tells central of a card it has made. Until central's receipt the card counts for nothing: no record
//! is sealed for it and no key of it is used. Saying it again, byte for byte, gets the first receipt again.

use crate::problem::Problem;
use crate::receipt::Receipt;
use crate::secret::CardSecret;
use crate::upload::IdempotencyKey;
use domain::{CardNumber, Generation, Uid};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::fmt;
use std::future::Future;
use zeroize::{Zeroize, Zeroizing};

/// Bound into the key of a registration, so that it is no other upload's.
const KEY_CONTEXT: &[u8] = b"citizen-kiosk card registration v1";
/// The longest registration, in bytes.
pub const REGISTRATION_BYTES_MAX: usize = 512;

/// Not a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a card's registration")]
pub struct BadRegistration;

/// What a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum WireTechnology {
    /// MIFARE DESFire EV1.
    #[n(0)]
    DesfireEv1,
    /// MIFARE DESFire EV2 or later.
    #[n(1)]
    DesfireEv2,
    /// MIFARE Classic 1K.
    #[n(2)]
    Classic,
}

impl WireTechnology {
    /// The stable name, as tables and pages write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DesfireEv1 => "desfire-ev1",
            Self::DesfireEv2 => "desfire-ev2",
            Self::Classic => "classic",
        }
    }
}

/// A personalised card. Its `Debug` shows neither secret nor UID; the secret is wiped when dropped.
#[derive(Clone)]
pub struct CardRegistration {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// The chip.
    pub uid: Uid,
    /// What it is.
    pub technology: WireTechnology,
    /// The card secret; a Classic card has none.
    pub secret: Option<CardSecret>,
    /// The version of the read key that was written; 0 on a Classic card.
    pub read_key_version: u8,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    number: u64,
    #[n(1)]
    generation: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    uid: Vec<u8>,
    #[n(3)]
    technology: WireTechnology,
    #[cbor(n(4), with = "minicbor::bytes")]
    secret: Option<[u8; 32]>,
    #[n(5)]
    read_key_version: u8,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl CardRegistration {
    /// The bytes that are sent, the same at every attempt.
    ///
    /// # Errors
    /// `BadRegistration` when a DESFire card has no secret, or a Classic card has one.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BadRegistration> {
        if self.secret.is_some() == (self.technology == WireTechnology::Classic) {
            return Err(BadRegistration);
        }
        let wire = Wire {
            number: self.number.0,
            generation: self.generation.0,
            uid: self.uid.bytes().to_vec(),
            technology: self.technology,
            secret: self.secret.as_ref().map(|secret| *secret.expose()),
            read_key_version: self.read_key_version,
        };
        minicbor::to_vec(&wire).map(Zeroizing::new).map_err(|_| BadRegistration)
    }

    /// Reads a registration.
    ///
    /// # Errors
    /// `BadRegistration`; also for a DESFire card without a secret or with a UID of other than seven bytes, and for a
    /// Classic card with a secret.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRegistration> {
        let mut wire: Wire = minicbor::decode(bytes).map_err(|_| BadRegistration)?;
        let uid = Uid::new(&wire.uid).map_err(|_| BadRegistration)?;
        let classic = wire.technology == WireTechnology::Classic;
        if wire.secret.is_some() == classic || !(classic || uid.bytes().len() == 7) {
            return Err(BadRegistration);
        }
        Ok(Self {
            number: CardNumber(wire.number),
            generation: Generation(wire.generation),
            uid,
            technology: wire.technology,
            secret: wire.secret.take().map(CardSecret::new),
            read_key_version: wire.read_key_version,
        })
    }
}

impl fmt::Debug for CardRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardRegistration({:?}, {})", self.number, self.technology.name())
    }
}

/// The key a registration's receipt bears: it follows from the bytes, so that a card office that lost its log, or its
/// answer, asks under the same one.
#[must_use]
pub fn registration_key(bytes: &[u8]) -> IdempotencyKey {
    let hash: [u8; 32] = Sha256::new().chain_update(KEY_CONTEXT).chain_update(bytes).finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    IdempotencyKey(key)
}

/// Central, as the card office sees it.
pub trait CardRegistry: Send + Sync {
    /// Hands over one card. The receipt is for exactly `registration.encode()`, under `registration_key` of it; a
    /// repeat gets the first receipt.
    fn register(&self, registration: &CardRegistration) -> impl Future<Output = Result<Receipt, Problem>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> CardRegistration {
        CardRegistration {
            number: CardNumber(6_001_234_567),
            generation: Generation(2),
            uid: Uid::new(&[4, 1, 2, 3, 4, 5, 6]).unwrap(),
            technology: WireTechnology::DesfireEv2,
            secret: Some(CardSecret::new([0xA7; 32])),
            read_key_version: 1,
        }
    }

    #[test]
    fn a_registration_survives_the_wire_and_always_has_the_same_bytes_and_key() {
        let bytes = card().encode().unwrap();
        assert!(bytes.len() <= REGISTRATION_BYTES_MAX);
        let back = CardRegistration::decode(&bytes).unwrap();
        assert_eq!((back.number, back.generation, &back.uid), (card().number, card().generation, &card().uid));
        assert_eq!(back.secret.as_ref().unwrap().expose(), &[0xA7; 32]);
        assert_eq!(*back.encode().unwrap(), *bytes);
        assert_eq!(registration_key(&bytes), registration_key(&back.encode().unwrap()));
        let other = CardRegistration { generation: Generation(3), ..card() }.encode().unwrap();
        assert_ne!(registration_key(&bytes), registration_key(&other));
    }

    #[test]
    fn a_desfire_card_has_a_secret_and_seven_bytes_and_a_classic_card_has_no_secret() {
        let four = Uid::new(&[1, 2, 3, 4]).unwrap();
        let classic = CardRegistration { technology: WireTechnology::Classic, secret: None, ..card() };
        assert!(CardRegistration::decode(&classic.encode().unwrap()).is_ok());
        let short = CardRegistration { uid: four.clone(), ..classic };
        assert!(CardRegistration::decode(&short.encode().unwrap()).is_ok());
        assert!(CardRegistration { secret: None, ..card() }.encode().is_err());
        assert!(CardRegistration { technology: WireTechnology::Classic, ..card() }.encode().is_err());
        let short = CardRegistration { uid: four, ..card() }.encode().unwrap();
        assert!(CardRegistration::decode(&short).is_err());
        assert!(CardRegistration::decode(b"\xA0").is_err());
    }

    #[test]
    fn a_registration_shows_neither_secret_nor_chip() {
        assert_eq!(format!("{:?}", card()), "CardRegistration(CardNumber(…4567), desfire-ev2)");
    }
}
