//! Central's receipt for an upload, signed by the head key; a repeat of the upload gets the same one.

use crate::credit_order::SignedCreditOrder;
use crate::note::{NoteKey, VerifierKey};
use crate::upload::{IdempotencyKey, UploadError};
use domain::Timestamp;
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

const RECEIPT_CONTEXT: &[u8] = b"citizen-kiosk receipt v1";

/// Central has the upload durably: the terminal may cut it to its hash.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The upload's key.
    #[n(0)]
    pub key: IdempotencyKey,
    /// SHA-256 of the upload's bytes as first received.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub upload_sha256: [u8; 32],
    /// Central's number; rises with each upload it took.
    #[n(2)]
    pub number: u64,
    /// When central first took it, milliseconds since 1970, UTC.
    #[n(3)]
    pub received: i64,
    /// Ed25519 of the head key over context and the fields above.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// An order to finish the claim that the upload was evidence for. It is no part of the receipt: it has its own
    /// signature, and a repeat of the upload is answered with the order that holds then.
    #[n(5)]
    pub order: Option<SignedCreditOrder>,
}

impl Receipt {
    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = RECEIPT_CONTEXT.to_vec();
        out.extend(self.key.0);
        out.extend(self.upload_sha256);
        out.extend(self.number.to_be_bytes());
        out.extend(self.received.to_be_bytes());
        out
    }

    /// The receipt for an upload's bytes, signed.
    #[must_use]
    pub fn sign(key: IdempotencyKey, upload: &[u8], number: u64, received: Timestamp, signer: &NoteKey) -> Self {
        let upload_sha256 = Sha256::digest(upload).into();
        let unsigned = Self { key, upload_sha256, number, received: received.0, signature: Vec::new(), order: None };
        let signature = signer.sign_bytes(&unsigned.signed_bytes()).to_vec();
        Self { signature, ..unsigned }
    }

    /// The same receipt with an order, or without one.
    #[must_use]
    pub fn with_order(self, order: Option<SignedCreditOrder>) -> Self {
        Self { order, ..self }
    }

    /// Checks that the city signed it and that it is for these bytes. The order is verified by itself.
    ///
    /// # Errors
    /// `UploadError`.
    pub fn verify(&self, upload: &[u8], key: &VerifierKey) -> Result<(), UploadError> {
        if Sha256::digest(upload).as_slice() != self.upload_sha256 {
            return Err(UploadError::OtherUpload);
        }
        let signature = Signature::from_slice(&self.signature).map_err(|_| UploadError::Malformed)?;
        key.key().verify_strict(&self.signed_bytes(), &signature).map_err(|_| UploadError::BadSignature)
    }

    /// As bytes (CBOR).
    ///
    /// # Errors
    /// `UploadError::Malformed`, which these types do not meet.
    pub fn encode(&self) -> Result<Vec<u8>, UploadError> {
        minicbor::to_vec(self).map_err(|_| UploadError::Malformed)
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// `UploadError::Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, UploadError> {
        minicbor::decode(bytes).map_err(|_| UploadError::Malformed)
    }
}
