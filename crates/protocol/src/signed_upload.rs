//! An upload with its terminal's signature, which central keeps with it: what a terminal said can be shown to anybody
//! who has its public key, however it came. The signature is Ed25519 (RFC 8032) over a context, the terminal's number
//! and the upload's bytes, each upload by itself.

use crate::secret::Secret32;
use domain::TerminalId;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

const CONTEXT: &[u8] = b"citizen-kiosk upload v1\0";

/// The signature is not this terminal's, or not for these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upload is not signed by its terminal")]
pub struct NotSigned;

/// An upload as it leaves its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUpload {
    /// `Upload::encode`, as written with the fact.
    pub bytes: Vec<u8>,
    /// By the key that the terminal made for itself.
    pub signature: [u8; SIGNATURE_BYTES],
}

fn signed_bytes(terminal: TerminalId, upload: &[u8]) -> Vec<u8> {
    [CONTEXT, &terminal.0.to_be_bytes(), upload].concat()
}

/// A terminal's key for its uploads.
pub struct UploadSigner {
    terminal: TerminalId,
    key: SigningKey,
}

impl std::fmt::Debug for UploadSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UploadSigner({})", self.terminal.0)
    }
}

impl UploadSigner {
    /// The key of a terminal, from its seed.
    #[must_use]
    pub fn new(terminal: TerminalId, seed: &Secret32) -> Self {
        Self { terminal, key: SigningKey::from_bytes(seed.expose()) }
    }

    /// Whose it is.
    #[must_use]
    pub fn terminal(&self) -> TerminalId {
        self.terminal
    }

    /// Signs the bytes of one upload.
    #[must_use]
    pub fn sign(&self, upload: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.key.sign(&signed_bytes(self.terminal, upload)).to_bytes()
    }

    /// The same, with the upload.
    #[must_use]
    pub fn signed(&self, upload: Vec<u8>) -> SignedUpload {
        SignedUpload { signature: self.sign(&upload), bytes: upload }
    }
}

/// A terminal's public key, ready to verify many uploads.
#[derive(Debug, Clone)]
pub struct UploadVerifier {
    terminal: TerminalId,
    key: VerifyingKey,
}

impl UploadVerifier {
    /// The key that this terminal was enrolled with.
    ///
    /// # Errors
    /// `NotSigned` for bytes that are no key.
    pub fn new(terminal: TerminalId, key: &[u8; 32]) -> Result<Self, NotSigned> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| NotSigned)?;
        Ok(Self { terminal, key })
    }

    /// Checks one upload, by the strict rules, so that every verifier comes to the same answer.
    ///
    /// # Errors
    /// `NotSigned`.
    pub fn verify(&self, upload: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<(), NotSigned> {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(&signed_bytes(self.terminal, upload), &signature).map_err(|_| NotSigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_terminal_one_key_and_these_bytes() {
        let signer = UploadSigner::new(TerminalId(7), &Secret32::new([1; 32]));
        let public = signer.key.verifying_key().to_bytes();
        let signed = signer.signed(b"an upload".to_vec());
        let check = |terminal, key: &[u8; 32], bytes: &[u8], signature: &[u8; 64], good| {
            let verifier = UploadVerifier::new(TerminalId(terminal), key);
            assert_eq!(verifier.and_then(|verifier| verifier.verify(bytes, signature)).is_ok(), good);
        };
        check(7, &public, &signed.bytes, &signed.signature, true);
        check(8, &public, &signed.bytes, &signed.signature, false);
        check(7, &public, b"another upload", &signed.signature, false);
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes();
        check(7, &other, &signed.bytes, &signed.signature, false);
        for at in 0..SIGNATURE_BYTES {
            let mut bad = signed.signature;
            bad[at] ^= 1;
            check(7, &public, &signed.bytes, &bad, false);
        }
    }

    #[test]
    fn a_key_of_small_order_vouches_for_nothing() {
        // The neutral element, and with it a signature that a lax verifier takes for any message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let verifier = UploadVerifier::new(TerminalId(7), &neutral);
        assert_eq!(verifier.and_then(|verifier| verifier.verify(b"anything", &signature)), Err(NotSigned));
    }
}
