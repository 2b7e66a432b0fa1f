//! Card secrets and PIN keys as the database stores them: sealed under a key that an HSM would hold, bound to the
//! card they belong to. The nonce is derived from the content (as in SIV modes), so that sealing needs no randomness
//! and the same content seals to the same bytes.

use crate::error::CentralError;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::CardNumber;
use hmac::{Hmac, Mac};
use protocol::Secret32;
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// What a stored secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The card secret.
    CardSecret,
    /// What Argon2id made of the PIN: treated as the PIN itself.
    PinKey,
}

fn bound(what: Stored, card: CardNumber) -> Vec<u8> {
    let what: &[u8] = match what {
        Stored::CardSecret => b"v1 card secret",
        Stored::PinKey => b"v1 pin key",
    };
    [what, &card.0.to_be_bytes()].concat()
}

fn mac(key: &Secret32, parts: &[&[u8]]) -> Result<[u8; 32], CentralError> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()).map_err(|_| CentralError::StoredSecret)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

fn cipher(key: &Secret32) -> Result<XChaCha20Poly1305, CentralError> {
    let key = Zeroizing::new(mac(key, &[b"v1 storage cipher"])?);
    Ok(XChaCha20Poly1305::new(&(*key).into()))
}

/// Seals 32 bytes for the database: nonce, ciphertext, tag.
///
/// # Errors
/// `CentralError::StoredSecret`, which these lengths do not meet.
pub fn seal(key: &Secret32, what: Stored, card: CardNumber, secret: &[u8; 32]) -> Result<Vec<u8>, CentralError> {
    let aad = bound(what, card);
    let derived = mac(key, &[b"v1 storage nonce", &aad, secret])?;
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&derived[..NONCE]);
    let sealed = cipher(key)?
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
        .map_err(|_| CentralError::StoredSecret)?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what `seal` made.
///
/// # Errors
/// `CentralError::StoredSecret` when it was changed, or is another card's.
pub fn open(
    key: &Secret32,
    what: Stored,
    card: CardNumber,
    stored: &[u8],
) -> Result<Zeroizing<[u8; 32]>, CentralError> {
    let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or(CentralError::StoredSecret)?;
    let plain = cipher(key)?
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &bound(what, card) })
        .map(Zeroizing::new)
        .map_err(|_| CentralError::StoredSecret)?;
    let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| CentralError::StoredSecret)?;
    Ok(Zeroizing::new(bytes))
}

/// Seals what is kept for a moment: nonce, ciphertext, tag, bound to `aad`.
///
/// # Errors
/// `CentralError::StoredSecret`, `Entropy`.
pub(crate) fn seal_passing(key: &Secret32, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CentralError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    let sealed = cipher(key)?.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad });
    Ok([&nonce[..], &sealed.map_err(|_| CentralError::StoredSecret)?].concat())
}

/// Opens what `seal_passing` made.
///
/// # Errors
/// `CentralError::StoredSecret` when it was changed, or is bound to something else.
pub(crate) fn open_passing(key: &Secret32, aad: &[u8], stored: &[u8]) -> Result<Zeroizing<Vec<u8>>, CentralError> {
    let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or(CentralError::StoredSecret)?;
    let opened = cipher(key)?.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad });
    opened.map(Zeroizing::new).map_err(|_| CentralError::StoredSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_secret_opens_for_its_card_and_purpose_only() {
        let key = Secret32::new([1; 32]);
        let stored = seal(&key, Stored::CardSecret, CardNumber(7), &[9; 32]).unwrap();
        let opens = |key: &Secret32, what, card| open(key, what, CardNumber(card), &stored).map(|plain| *plain).ok();
        assert_eq!(opens(&key, Stored::CardSecret, 7), Some([9; 32]));
        assert_eq!(opens(&key, Stored::PinKey, 7), None);
        assert_eq!(opens(&key, Stored::CardSecret, 8), None);
        assert_eq!(opens(&Secret32::new([2; 32]), Stored::CardSecret, 7), None);
        assert!(!stored.windows(8).any(|window| window == [9; 8]));
    }
}
