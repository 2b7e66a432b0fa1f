//! A citizen changes their PIN at a terminal. The terminal makes of the old and the new PIN what stands for them, so
//! that no PIN leaves it, and seals both to central's public key; central answers with a signed word on the new
//! version, which the terminal then writes on the card.

use crate::derive::PinKey;
use crate::hpke::{self, HpkePublic, HpkeSecret};
use crate::note::{NoteKey, VerifierKey};
use crate::upload::IdempotencyKey;
use domain::{CardNumber, Generation, TerminalId, Timestamp};
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const INFO: &[u8] = b"citizen-kiosk pin change v1";
const ANSWER_CONTEXT: &[u8] = b"citizen-kiosk pin changed v1";
/// The longest sealed change, in bytes.
pub const PIN_CHANGE_BYTES_MAX: usize = 512;

/// Not a change of a PIN, or not an answer to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinChangeError {
    /// It does not open: sealed to another key, by another terminal, for another card, or changed.
    #[error("the change of a PIN does not open")]
    Sealed,
    /// It cannot be read.
    #[error("not a change of a PIN")]
    Malformed,
    /// The answer is to another change.
    #[error("the answer is to another change of a PIN")]
    Other,
    /// The city did not sign it.
    #[error("the answer's signature is wrong")]
    BadSignature,
}

/// What a terminal asks for. Its `Debug` shows no key.
#[derive(Clone)]
pub struct PinChange {
    /// The card.
    pub number: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// Made afresh for this change; a repeat bears it again.
    pub key: IdempotencyKey,
    /// What stands for the PIN that the citizen has.
    pub old: PinKey,
    /// What stands for the one they want. The terminal has refused a weak one: central never sees it.
    pub new: PinKey,
}

impl fmt::Debug for PinChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinChange").field("card", &self.number.last_four()).finish_non_exhaustive()
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    generation: u8,
    #[n(1)]
    key: IdempotencyKey,
    #[cbor(n(2), with = "minicbor::bytes")]
    old: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    new: [u8; 32],
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.old.zeroize();
        self.new.zeroize();
    }
}

/// Whoever sends it, and for which card, is bound to it.
fn bound(terminal: TerminalId, number: CardNumber) -> [u8; 12] {
    let mut bound = [0; 12];
    let parts = terminal.0.to_be_bytes().into_iter().chain(number.0.to_be_bytes());
    bound.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    bound
}

impl PinChange {
    /// The bytes that are sent. `ephemeral` is fresh randomness, used for this once.
    ///
    /// # Errors
    /// `PinChangeError::Sealed` when central's key is none.
    pub fn seal(
        &self,
        terminal: TerminalId,
        central: &HpkePublic,
        ephemeral: [u8; 32],
    ) -> Result<Vec<u8>, PinChangeError> {
        let wire =
            Wire { generation: self.generation.0, key: self.key, old: *self.old.expose(), new: *self.new.expose() };
        let plain = minicbor::to_vec(&wire).map(Zeroizing::new).map_err(|_| PinChangeError::Malformed)?;
        hpke::seal(central, INFO, &bound(terminal, self.number), &plain, ephemeral).map_err(|_| PinChangeError::Sealed)
    }

    /// Opens what this terminal sent for this card.
    ///
    /// # Errors
    /// `PinChangeError::Sealed` or `Malformed`.
    pub fn open(
        sealed: &[u8],
        terminal: TerminalId,
        number: CardNumber,
        with: &HpkeSecret,
    ) -> Result<Self, PinChangeError> {
        if sealed.len() > PIN_CHANGE_BYTES_MAX {
            return Err(PinChangeError::Malformed);
        }
        let plain = hpke::open(with, INFO, &bound(terminal, number), sealed).map_err(|_| PinChangeError::Sealed)?;
        let wire: Wire = minicbor::decode(&plain).map_err(|_| PinChangeError::Malformed)?;
        let (old, new) = (PinKey::new(wire.old), PinKey::new(wire.new));
        Ok(Self { number, generation: Generation(wire.generation), key: wire.key, old, new })
    }
}

/// Central's word: the PIN is another one from now on. The terminal writes the version and no failures on the card.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PinChanged {
    /// The change's key.
    #[n(0)]
    pub key: IdempotencyKey,
    /// The card's number.
    #[n(1)]
    pub number: u64,
    /// Which issue of it.
    #[n(2)]
    pub generation: u8,
    /// The version that the new PIN has.
    #[n(3)]
    pub pin_version: u8,
    /// When central took it, milliseconds since 1970, UTC.
    #[n(4)]
    pub changed: i64,
    /// Ed25519 of the head key over context and the fields above.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl PinChanged {
    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = ANSWER_CONTEXT.to_vec();
        out.extend(self.key.0);
        out.extend(self.number.to_be_bytes());
        out.extend([self.generation, self.pin_version]);
        out.extend(self.changed.to_be_bytes());
        out
    }

    /// The answer to a change, signed.
    #[must_use]
    pub fn sign(change: &PinChange, pin_version: u8, changed: Timestamp, signer: &NoteKey) -> Self {
        let (number, generation) = (change.number.0, change.generation.0);
        let unsigned =
            Self { key: change.key, number, generation, pin_version, changed: changed.0, signature: Vec::new() };
        let signature = signer.sign_bytes(&unsigned.signed_bytes()).to_vec();
        Self { signature, ..unsigned }
    }

    /// Checks that the city signed it and that it answers this change.
    ///
    /// # Errors
    /// `PinChangeError::Other` or `BadSignature`.
    pub fn verify(&self, change: &PinChange, key: &VerifierKey) -> Result<(), PinChangeError> {
        if (self.key, self.number, self.generation) != (change.key, change.number.0, change.generation.0) {
            return Err(PinChangeError::Other);
        }
        let signature = Signature::from_slice(&self.signature).map_err(|_| PinChangeError::BadSignature)?;
        key.key().verify_strict(&self.signed_bytes(), &signature).map_err(|_| PinChangeError::BadSignature)
    }

    /// As bytes (CBOR).
    ///
    /// # Errors
    /// `PinChangeError::Malformed`, which these types do not meet.
    pub fn encode(&self) -> Result<Vec<u8>, PinChangeError> {
        minicbor::to_vec(self).map_err(|_| PinChangeError::Malformed)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// `PinChangeError::Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, PinChangeError> {
        minicbor::decode(bytes).map_err(|_| PinChangeError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: TerminalId = TerminalId(7);
    const NUMBER: CardNumber = CardNumber(3_300_000_017);

    fn change() -> PinChange {
        let key = IdempotencyKey([5; 16]);
        let (old, new) = (PinKey::new([0x11; 32]), PinKey::new([0x22; 32]));
        PinChange { number: NUMBER, generation: Generation(2), key, old, new }
    }

    #[test]
    fn only_central_opens_it_and_only_for_this_terminal_and_card() {
        let central = HpkeSecret::new([9; 32]);
        let sealed = change().seal(TERMINAL, &central.public().unwrap(), [3; 32]).unwrap();
        assert!(sealed.len() <= PIN_CHANGE_BYTES_MAX);
        let hidden = |part: &[u8]| !sealed.windows(part.len()).any(|window| window == part);
        assert!(hidden(&[0x11; 8]) && hidden(&[0x22; 8]), "neither PIN's key is readable");
        let opened = PinChange::open(&sealed, TERMINAL, NUMBER, &central).unwrap();
        assert_eq!((opened.generation, opened.key), (Generation(2), IdempotencyKey([5; 16])));
        assert_eq!((opened.old.expose(), opened.new.expose()), (&[0x11; 32], &[0x22; 32]));
        let check = |sealed: &[u8], terminal, number, with: &HpkeSecret, expected| {
            assert_eq!(PinChange::open(sealed, terminal, number, with).unwrap_err(), expected);
        };
        check(&sealed, TerminalId(8), NUMBER, &central, PinChangeError::Sealed);
        check(&sealed, TERMINAL, CardNumber(1), &central, PinChangeError::Sealed);
        check(&sealed, TERMINAL, NUMBER, &HpkeSecret::new([8; 32]), PinChangeError::Sealed);
        check(&sealed[..40], TERMINAL, NUMBER, &central, PinChangeError::Sealed);
        check(&[0; PIN_CHANGE_BYTES_MAX + 1], TERMINAL, NUMBER, &central, PinChangeError::Malformed);
        let other = hpke::seal(&central.public().unwrap(), INFO, &bound(TERMINAL, NUMBER), b"?", [4; 32]).unwrap();
        check(&other, TERMINAL, NUMBER, &central, PinChangeError::Malformed);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            check(&bad, TERMINAL, NUMBER, &central, PinChangeError::Sealed);
        }
    }

    #[test]
    fn the_answer_is_the_citys_and_to_this_change() {
        let signer = NoteKey::from_seed("bahia", &[1; 32]).unwrap();
        let key = signer.verifier();
        let answer = PinChanged::sign(&change(), 3, Timestamp(1_000), &signer);
        assert_eq!(PinChanged::decode(&answer.encode().unwrap()), Ok(answer.clone()));
        assert_eq!(answer.verify(&change(), &key), Ok(()));
        let other = PinChange { key: IdempotencyKey([6; 16]), ..change() };
        assert_eq!(answer.verify(&other, &key), Err(PinChangeError::Other));
        let stranger = NoteKey::from_seed("bahia", &[2; 32]).unwrap().verifier();
        assert_eq!(answer.verify(&change(), &stranger), Err(PinChangeError::BadSignature));
        for bad in [PinChanged { pin_version: 4, ..answer.clone() }, PinChanged { changed: 2, ..answer.clone() }] {
            assert_eq!(bad.verify(&change(), &key), Err(PinChangeError::BadSignature));
        }
        assert_eq!(PinChanged::decode(b"?"), Err(PinChangeError::Malformed));
    }

    #[test]
    fn no_key_of_a_pin_is_ever_printed() {
        let printed = format!("{:?}", change());
        assert!(!printed.contains("17, 17") && !printed.contains("3300000017"), "{printed}");
    }
}
