//! Central's order to finish, at any terminal, a top-up begun elsewhere: signed by the city's head key, so that a
//! terminal may act on it without asking anybody. It travels in the card's tap record and in the answer to evidence.
//! What makes it safe is not the signature alone: it names the card's newest counter, which the credit moves.

use crate::note::{NoteKey, VerifierKey};
use domain::card::CityOrder;
use domain::{CardNumber, Cents, Generation, Timestamp, TopUpId};
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};
use std::fmt;
use zeroize::Zeroize;

/// The version orders are written in; it is under the signature.
pub const ORDER_VERSION: u8 = 1;
/// Bound into every signature, so that no other signed bytes of the city can pass as an order.
const CONTEXT: &[u8] = b"citizen-kiosk credit-order v1";

/// An order is not to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not the CBOR of a signed order, or one over no money.
    #[error("not a credit order")]
    Malformed,
    /// Written by a newer central.
    #[error("order version {0} is not known")]
    UnknownVersion(u8),
    /// Not signed by the city's head key.
    #[error("the order is not signed by the city")]
    BadSignature,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    version: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    top_up: [u8; 16],
    #[n(2)]
    card: u64,
    #[n(3)]
    generation: u8,
    #[n(4)]
    amount: i64,
    #[n(5)]
    counter: u32,
    #[n(6)]
    expires: i64,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Vec<u8>,
}

/// An order as it travels: CBOR `{0: body, 1: signature}`, where the body is the CBOR map `{0: version, 1: top-up,
/// 2: card, 3: generation, 4: cents, 5: counter, 6: expiry in milliseconds since 1970, UTC}` and the signature Ed25519
/// (RFC 8032) over a fixed context and the body. Nothing of it is believed before [`SignedCreditOrder::verify`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize)]
#[cbor(transparent)]
pub struct SignedCreditOrder(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl fmt::Debug for SignedCreditOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedCreditOrder({} bytes)", self.0.len())
    }
}

fn to_sign(body: &[u8]) -> Vec<u8> {
    [CONTEXT, body].concat()
}

impl SignedCreditOrder {
    /// The order, signed with the city's head key.
    ///
    /// # Errors
    /// `OrderError::Malformed` for an amount that is not above zero.
    pub fn sign(order: &CityOrder, key: &NoteKey) -> Result<Self, OrderError> {
        if order.amount <= Cents::ZERO {
            return Err(OrderError::Malformed);
        }
        let wire = Wire {
            version: ORDER_VERSION,
            top_up: order.top_up.0,
            card: order.card.0,
            generation: order.generation.0,
            amount: order.amount.0,
            counter: order.counter,
            expires: order.expires.0,
        };
        let body = minicbor::to_vec(wire).map_err(|_| OrderError::Malformed)?;
        let signature = key.sign_bytes(&to_sign(&body)).to_vec();
        minicbor::to_vec(Signed { body, signature }).map(Self).map_err(|_| OrderError::Malformed)
    }

    /// An order from its bytes, not yet verified.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes as they travel.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The order, when this key signed it. Its expiry is the caller's to look at.
    ///
    /// # Errors
    /// `OrderError`.
    pub fn verify(&self, key: &VerifierKey) -> Result<CityOrder, OrderError> {
        let Signed { body, signature } = minicbor::decode(&self.0).map_err(|_| OrderError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| OrderError::Malformed)?;
        key.key().verify_strict(&to_sign(&body), &signature).map_err(|_| OrderError::BadSignature)?;
        let wire: Wire = minicbor::decode(&body).map_err(|_| OrderError::Malformed)?;
        if wire.version != ORDER_VERSION {
            return Err(OrderError::UnknownVersion(wire.version));
        }
        if wire.amount <= 0 {
            return Err(OrderError::Malformed);
        }
        Ok(CityOrder {
            top_up: TopUpId(wire.top_up),
            card: CardNumber(wire.card),
            generation: Generation(wire.generation),
            amount: Cents(wire.amount),
            counter: wire.counter,
            expires: Timestamp(wire.expires),
        })
    }

    /// The order, when one of these keys signed it: the city may have changed its head key since.
    #[must_use]
    pub fn verify_any<'k>(&self, keys: impl IntoIterator<Item = &'k VerifierKey>) -> Option<CityOrder> {
        keys.into_iter().find_map(|key| self.verify(key).ok())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    pub(crate) fn key(seed: u8) -> NoteKey {
        NoteKey::from_seed("bahia-head-1", &[seed; 32]).unwrap()
    }

    pub(crate) fn order() -> CityOrder {
        CityOrder {
            top_up: TopUpId([0x9C; 16]),
            card: CardNumber(3_300_000_017),
            generation: Generation(1),
            amount: Cents(2_000),
            counter: 4,
            expires: Timestamp(1_796_209_200_000),
        }
    }

    /// What central wrote under version 1: terminals in the street must go on reading it.
    const COMMITTED: &str = include_str!("../tests/data/credit-order-1.hex");

    #[test]
    fn the_committed_order_of_version_1_is_read_and_written_as_it_stands() {
        let bytes = HEXLOWER.decode(COMMITTED.trim().as_bytes()).unwrap();
        assert_eq!(SignedCreditOrder::from_bytes(bytes.clone()).verify(&key(1).verifier()), Ok(order()));
        assert_eq!(SignedCreditOrder::sign(&order(), &key(1)).unwrap().bytes(), bytes);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let signed = SignedCreditOrder::sign(&order(), &key(1)).unwrap();
        for at in 0..signed.bytes().len() {
            let mut bad = signed.bytes().to_vec();
            bad[at] ^= 1;
            assert!(SignedCreditOrder::from_bytes(bad).verify(&key(1).verifier()).is_err(), "byte {at}");
        }
        assert_eq!(SignedCreditOrder::from_bytes(Vec::new()).verify(&key(1).verifier()), Err(OrderError::Malformed));
    }

    #[test]
    fn an_order_is_believed_under_the_citys_head_key_only() {
        let signed = SignedCreditOrder::sign(&order(), &key(1)).unwrap();
        assert_eq!(signed.verify(&key(2).verifier()), Err(OrderError::BadSignature));
        let (other, own) = (key(2).verifier(), key(1).verifier());
        assert_eq!(signed.verify_any([&other, &own]), Some(order()));
        assert_eq!(signed.verify_any([&other]), None);
    }

    #[test]
    fn the_signature_of_a_receipt_is_no_orders() {
        // The same body under another context: what the head key signs for one purpose serves no other.
        let signed = SignedCreditOrder::sign(&order(), &key(1)).unwrap();
        let Signed { body, .. } = minicbor::decode(signed.bytes()).unwrap();
        let signature = key(1).sign_bytes(&[b"citizen-kiosk receipt v1".as_slice(), &body].concat()).to_vec();
        let forged = minicbor::to_vec(Signed { body, signature }).unwrap();
        assert_eq!(SignedCreditOrder::from_bytes(forged).verify(&key(1).verifier()), Err(OrderError::BadSignature));
    }

    #[test]
    fn an_unknown_version_is_named_and_no_order_is_over_nothing() {
        let wire = Wire { version: 2, top_up: [1; 16], card: 1, generation: 1, amount: 5, counter: 1, expires: 1 };
        let body = minicbor::to_vec(wire).unwrap();
        let signature = key(1).sign_bytes(&to_sign(&body)).to_vec();
        let newer = SignedCreditOrder::from_bytes(minicbor::to_vec(Signed { body, signature }).unwrap());
        assert_eq!(newer.verify(&key(1).verifier()), Err(OrderError::UnknownVersion(2)));
        let nothing = CityOrder { amount: Cents(0), ..order() };
        assert_eq!(SignedCreditOrder::sign(&nothing, &key(1)), Err(OrderError::Malformed));
    }
}
