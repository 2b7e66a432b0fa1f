//! The conversation itself, implemented by the terminal's client and by the server: tests of either can put the
//! other, or a double, behind it.

use crate::codes::CodeBatch;
use crate::head::SignedHead;
use crate::manifest::FileHash;
use crate::pin_change::PinChanged;
use crate::problem::{Problem, ProblemCode};
use crate::receipt::Receipt;
use crate::upload::Upload;
use domain::{CardNumber, TerminalId};
use std::future::Future;

/// Central, as a terminal sees it. A client returns only what it has checked as far as it can without the root key:
/// a file's bytes match their hash, a batch is decoded; signatures are the caller's to check.
pub trait Central: Send + Sync {
    /// The newest head, not yet verified.
    fn head(&self) -> impl Future<Output = Result<SignedHead, Problem>> + Send;

    /// A whole file of the feed; its bytes have this hash.
    fn file(&self, sha256: FileHash) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;

    /// As `file`, but one of more than `bytes_max` bytes is refused: a client gives up before it has read more.
    fn file_within(&self, sha256: FileHash, bytes_max: u64) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send {
        async move {
            let bytes = self.file(sha256).await?;
            if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
                return Ok(bytes);
            }
            Err(Problem::new(ProblemCode::Untrusted, "a file is longer than its manifest says"))
        }
    }

    /// Hands over one upload. The receipt is for exactly `upload.encode()`; a repeat gets the first receipt.
    fn upload(&self, upload: &Upload) -> impl Future<Output = Result<Receipt, Problem>> + Send;

    /// A batch of at most `count` fresh verification codes, as the signed bytes that `CodeBatch::verify` reads.
    fn code_batch(
        &self,
        terminal: TerminalId,
        count: u16,
    ) -> impl Future<Output = Result<SignedCodeBatch, Problem>> + Send;

    /// Changes the PIN of a card; `sealed` is what `PinChange::seal` made for this terminal and card. The answer is the
    /// caller's to verify.
    fn change_pin(
        &self,
        _terminal: TerminalId,
        _card: CardNumber,
        _sealed: Vec<u8>,
    ) -> impl Future<Output = Result<PinChanged, Problem>> + Send {
        async { Err(Problem::new(ProblemCode::Unavailable, "this central changes no PINs")) }
    }
}

/// A signed batch as it travels and as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCodeBatch(pub Vec<u8>);

impl SignedCodeBatch {
    /// Verifies and reads the batch.
    ///
    /// # Errors
    /// `BatchError`.
    pub fn verify(
        &self,
        terminal: TerminalId,
        key: &crate::note::VerifierKey,
    ) -> Result<CodeBatch, crate::codes::BatchError> {
        CodeBatch::verify(&self.0, terminal, key)
    }
}
