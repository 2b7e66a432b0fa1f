//! The three ways an AES card authenticates, from the reader's side: AuthenticateAES (AA, EV1), AuthenticateEV2First
//! (71) and AuthenticateEV2NonFirst (77). All of them prove both sides' knowledge of the key by RndA and RndB; they
//! differ in the initial vectors, in the card's last answer and in the session keys that are made.

use crate::aes_key::{AesKey, BLOCK};
use crate::ev2::{SessionKeys, derived};
use crate::holder::{KeyError, Scheme, Session};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Where TI ends in the card's last answer to 71.
const TRANSACTION_ID: usize = 4;

/// The reader's half of one authentication, after the card's challenge was answered. Wiped when dropped.
pub struct Handshake {
    scheme: Scheme,
    key: AesKey,
    rnd_a: Zeroizing<[u8; BLOCK]>,
    rnd_b: Zeroizing<[u8; BLOCK]>,
    /// The initial vector of the card's last answer: AA chains through all three messages, 71 and 77 begin anew.
    answer_iv: [u8; BLOCK],
}

impl Handshake {
    /// Answers the card's challenge `E(RndB)` with `E(RndA ‖ rotl(RndB))`. `rnd_a` is fresh randomness.
    #[must_use]
    pub fn answer(scheme: Scheme, key: AesKey, rnd_a: [u8; BLOCK], challenge: &[u8; BLOCK]) -> (Self, [u8; 2 * BLOCK]) {
        let rnd_a = Zeroizing::new(rnd_a);
        let mut rnd_b = Zeroizing::new(*challenge);
        key.cbc_decrypt(&[0; BLOCK], rnd_b.as_mut());
        let mut cryptogram = [0; 2 * BLOCK];
        cryptogram[..BLOCK].copy_from_slice(rnd_a.as_slice());
        cryptogram[BLOCK..].copy_from_slice(&rotated(&rnd_b));
        let mut answer_iv = [0; BLOCK];
        match scheme {
            Scheme::Aa => {
                key.cbc_encrypt(challenge, &mut cryptogram);
                answer_iv.copy_from_slice(&cryptogram[BLOCK..]);
            }
            Scheme::Ev2First | Scheme::Ev2NonFirst => key.cbc_encrypt(&[0; BLOCK], &mut cryptogram),
        }
        (Self { scheme, key, rnd_a, rnd_b, answer_iv }, cryptogram)
    }

    /// Checks the card's last answer and derives the session: 16 bytes `E(rotl(RndA))` for AA and 77, 32 bytes
    /// `E(TI ‖ rotl(RndA) ‖ PDcap2 ‖ PCDcap2)` for 71.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card did not know the key: RndA does not come back, or the length is another.
    pub fn finish(&self, answer: &[u8]) -> Result<Session, KeyError> {
        if answer.len() != self.scheme.answer_length() {
            return Err(KeyError::Rejected);
        }
        let mut plain = Zeroizing::new([0; 2 * BLOCK]);
        plain[..answer.len()].copy_from_slice(answer);
        self.key.cbc_decrypt(&self.answer_iv, &mut plain[..answer.len()]);
        match self.scheme {
            Scheme::Aa => {
                self.prove(&plain[..BLOCK])?;
                Ok(Session::Ev1(self.ev1_key()))
            }
            Scheme::Ev2First => {
                self.prove(&plain[TRANSACTION_ID..TRANSACTION_ID + BLOCK])?;
                let mut transaction_id = [0; TRANSACTION_ID];
                transaction_id.copy_from_slice(&plain[..TRANSACTION_ID]);
                let (enc, mac) = derived(&self.key, &self.rnd_a, &self.rnd_b);
                Ok(Session::Ev2(SessionKeys { enc, mac, transaction_id }))
            }
            Scheme::Ev2NonFirst => {
                self.prove(&plain[..BLOCK])?;
                let (enc, mac) = derived(&self.key, &self.rnd_a, &self.rnd_b);
                Ok(Session::Ev2Renewed { enc, mac })
            }
        }
    }

    fn prove(&self, returned: &[u8]) -> Result<(), KeyError> {
        let expected = Zeroizing::new(rotated(&self.rnd_a));
        if bool::from(returned.ct_eq(expected.as_slice())) { Ok(()) } else { Err(KeyError::Rejected) }
    }

    /// `RndA[0..4] ‖ RndB[0..4] ‖ RndA[12..16] ‖ RndB[12..16]`, the session key of AuthenticateAES.
    fn ev1_key(&self) -> AesKey {
        let mut key = Zeroizing::new([0; BLOCK]);
        key[..4].copy_from_slice(&self.rnd_a[..4]);
        key[4..8].copy_from_slice(&self.rnd_b[..4]);
        key[8..12].copy_from_slice(&self.rnd_a[12..]);
        key[12..].copy_from_slice(&self.rnd_b[12..]);
        AesKey::new(*key)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// One byte to the left, the first becoming the last.
fn rotated(block: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut turned = *block;
    turned.rotate_left(1);
    turned
}

#[cfg(test)]
mod tests;
