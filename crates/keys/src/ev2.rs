//! AuthenticateEV2First (71), the reader's side, and the session keys it makes (AN12343, 3.2 and 3.3).

use crate::aes_key::{AesKey, BLOCK};
use crate::holder::KeyError;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SV1: [u8; 6] = [0xA5, 0x5A, 0x00, 0x01, 0x00, 0x80];
const SV2: [u8; 6] = [0x5A, 0xA5, 0x00, 0x01, 0x00, 0x80];

/// What a successful authentication leaves: two keys and the transaction identifier.
pub struct SessionKeys {
    /// `SesAuthENCKey`.
    pub enc: AesKey,
    /// `SesAuthMACKey`.
    pub mac: AesKey,
    /// TI, chosen by the card.
    pub transaction_id: [u8; 4],
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(redacted)")
    }
}

/// The reader's half of one authentication, after the card's challenge was answered.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Ev2Handshake {
    key: AesKey,
    rnd_a: [u8; BLOCK],
    rnd_b: [u8; BLOCK],
}

impl Ev2Handshake {
    /// Answers the card's challenge `E(RndB)` with `E(RndA ‖ rotl(RndB))`. The initial vector is zero in every step.
    #[must_use]
    pub fn answer(key: AesKey, rnd_a: [u8; BLOCK], challenge: &[u8; BLOCK]) -> (Self, [u8; 2 * BLOCK]) {
        let mut rnd_b = *challenge;
        key.cbc_decrypt(&[0; BLOCK], &mut rnd_b);
        let mut cryptogram = [0; 2 * BLOCK];
        cryptogram[..BLOCK].copy_from_slice(&rnd_a);
        cryptogram[BLOCK..].copy_from_slice(&rotated(&rnd_b));
        key.cbc_encrypt(&[0; BLOCK], &mut cryptogram);
        (Self { key, rnd_a, rnd_b }, cryptogram)
    }

    /// Checks the card's `E(TI ‖ rotl(RndA) ‖ PDcap2 ‖ PCDcap2)` and derives the session keys.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card did not know the key: RndA does not come back.
    pub fn finish(&self, answer: &[u8; 2 * BLOCK]) -> Result<SessionKeys, KeyError> {
        let mut plain = Zeroizing::new(*answer);
        self.key.cbc_decrypt(&[0; BLOCK], plain.as_mut());
        let expected = Zeroizing::new(rotated(&self.rnd_a));
        if !bool::from(plain[4..4 + BLOCK].ct_eq(expected.as_slice())) {
            return Err(KeyError::Rejected);
        }
        let mut transaction_id = [0; 4];
        transaction_id.copy_from_slice(&plain[..4]);
        Ok(SessionKeys { enc: self.derive(SV1), mac: self.derive(SV2), transaction_id })
    }

    /// `CMAC(K, label ‖ RndA[0..2] ‖ (RndA[2..8] xor RndB[0..6]) ‖ RndB[6..16] ‖ RndA[8..16])`.
    fn derive(&self, label: [u8; 6]) -> AesKey {
        let mut mixed = Zeroizing::new([0; 6]);
        for (to, (a, b)) in mixed.iter_mut().zip(self.rnd_a[2..8].iter().zip(&self.rnd_b[..6])) {
            *to = a ^ b;
        }
        let parts = [&label[..], &self.rnd_a[..2], mixed.as_slice(), &self.rnd_b[6..], &self.rnd_a[8..]];
        AesKey::new(self.key.cmac(&parts))
    }
}

impl fmt::Debug for Ev2Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ev2Handshake(redacted)")
    }
}

/// One byte to the left, the first becoming the last.
fn rotated(block: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut turned = *block;
    turned.rotate_left(1);
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::array;

    const RND_A: &str = "B04D0787C93EE0CC8CACC8E86F16C6FE";
    const CHALLENGE: &str = "24677DDBD46349E623798FD729006E79";
    const CARD_ANSWER: &str = "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759";

    fn handshake() -> (Ev2Handshake, [u8; 32]) {
        Ev2Handshake::answer(AesKey::new([0; 16]), array(RND_A), &array(CHALLENGE))
    }

    #[test]
    fn an12343_table_16_authenticate_ev2_first() {
        let (handshake, cryptogram) = handshake();
        assert_eq!(handshake.rnd_b, array("FA659AD0DCA738DD65DC7DC38612AD81"));
        assert_eq!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
        let session = handshake.finish(&array(CARD_ANSWER)).unwrap();
        assert_eq!(session.transaction_id, array("8CF141F3"));
        assert_eq!(session.enc.expose(), &array::<16>("63DC07286289A7A6C0334CA31C314A04"));
        assert_eq!(session.mac.expose(), &array::<16>("774F26743ECE6AF5033B6AE8522946F6"));
    }

    #[test]
    fn a_card_that_does_not_return_rnd_a_is_rejected() {
        let (handshake, _) = handshake();
        for byte in 0..20 {
            let mut answer: [u8; 32] = array(CARD_ANSWER);
            answer[byte] ^= 1;
            let refused = handshake.finish(&answer);
            // The first four plain bytes are the card's free choice (TI); garbling their block garbles RndA as well.
            assert!(matches!(refused, Err(KeyError::Rejected)), "byte {byte}");
        }
    }

    #[test]
    fn another_key_neither_answers_the_challenge_nor_accepts_the_card() {
        let (handshake, cryptogram) = Ev2Handshake::answer(AesKey::new([1; 16]), array(RND_A), &array(CHALLENGE));
        assert_ne!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
        assert!(matches!(handshake.finish(&array(CARD_ANSWER)), Err(KeyError::Rejected)));
    }
}
