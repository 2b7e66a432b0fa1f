//! Verification codes (CSV): 128 random bits each, drawn by central and handed out in signed batches, so that a
//! terminal without network can print a code that central will know, and nobody can derive one.

use crate::note::{NoteKey, VerifierKey};
use domain::{DocumentCode, TerminalId, Timestamp};
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

const CONTEXT: &[u8] = b"citizen-kiosk code-batch v1";
/// The most codes one batch may hold.
pub const BATCH_MAX: usize = 1_000;

/// A batch is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not a batch.
    #[error("not a batch of codes")]
    Malformed,
    /// Not signed by the city's head key.
    #[error("the batch is not signed by the city")]
    BadSignature,
    /// Another terminal's.
    #[error("the batch is for another terminal")]
    OtherTerminal,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    terminal: u32,
    #[n(1)]
    batch: u64,
    #[n(2)]
    issued: i64,
    #[cbor(n(3), with = "minicbor::bytes")]
    codes: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Vec<u8>,
}

/// Codes that one terminal may print, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBatch {
    /// Whose.
    pub terminal: TerminalId,
    /// Central's number of the batch.
    pub batch: u64,
    /// When they were drawn.
    pub issued: Timestamp,
    /// The codes.
    pub codes: Vec<DocumentCode>,
}

fn to_sign(body: &[u8]) -> Vec<u8> {
    [CONTEXT, body].concat()
}

impl CodeBatch {
    /// The batch as signed bytes (CBOR).
    ///
    /// # Errors
    /// `BatchError::Malformed` beyond `BATCH_MAX` codes.
    pub fn sign(&self, key: &NoteKey) -> Result<Vec<u8>, BatchError> {
        if self.codes.len() > BATCH_MAX {
            return Err(BatchError::Malformed);
        }
        let codes: Vec<u8> = self.codes.iter().flat_map(|code| code.0).collect();
        let wire = Wire { terminal: self.terminal.0, batch: self.batch, issued: self.issued.0, codes };
        let body = minicbor::to_vec(wire).map_err(|_| BatchError::Malformed)?;
        let signature = key.sign_bytes(&to_sign(&body)).to_vec();
        minicbor::to_vec(Signed { body, signature }).map_err(|_| BatchError::Malformed)
    }

    /// Reads a batch for this terminal that the head key signed.
    ///
    /// # Errors
    /// `BatchError`.
    pub fn verify(signed: &[u8], terminal: TerminalId, key: &VerifierKey) -> Result<Self, BatchError> {
        let Signed { body, signature } = minicbor::decode(signed).map_err(|_| BatchError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| BatchError::Malformed)?;
        key.key().verify_strict(&to_sign(&body), &signature).map_err(|_| BatchError::BadSignature)?;
        let wire: Wire = minicbor::decode(&body).map_err(|_| BatchError::Malformed)?;
        let (codes, rest) = wire.codes.as_chunks::<16>();
        if !rest.is_empty() || codes.len() > BATCH_MAX {
            return Err(BatchError::Malformed);
        }
        if wire.terminal != terminal.0 {
            return Err(BatchError::OtherTerminal);
        }
        let codes = codes.iter().copied().map(DocumentCode).collect();
        Ok(Self { terminal, batch: wire.batch, issued: Timestamp(wire.issued), codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_serves_its_terminal_only_and_only_whole() {
        let key = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
        let batch = CodeBatch {
            terminal: TerminalId(3),
            batch: 9,
            issued: Timestamp(5),
            codes: vec![DocumentCode([1; 16]), DocumentCode([2; 16])],
        };
        let signed = batch.sign(&key).unwrap();
        assert_eq!(CodeBatch::verify(&signed, TerminalId(3), &key.verifier()), Ok(batch));
        assert_eq!(CodeBatch::verify(&signed, TerminalId(4), &key.verifier()), Err(BatchError::OtherTerminal));
        let other = NoteKey::from_seed("bahia-head", &[2; 32]).unwrap().verifier();
        assert_eq!(CodeBatch::verify(&signed, TerminalId(3), &other), Err(BatchError::BadSignature));
        for at in 0..signed.len() {
            let mut bad = signed.clone();
            bad[at] ^= 1;
            assert!(CodeBatch::verify(&bad, TerminalId(3), &key.verifier()).is_err(), "byte {at}");
        }
    }
}
