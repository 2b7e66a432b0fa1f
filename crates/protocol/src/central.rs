//! The conversation itself, implemented by the terminal's client and by the server: tests of either can put the
//! other, or a double, behind it.

use crate::codes::CodeBatch;
use crate::head::SignedHead;
use crate::manifest::FileHash;
use crate::outcome::Outcome;
use crate::pin_change::PinChanged;
use crate::problem::{Problem, ProblemCode};
use crate::receipt::Receipt;
use crate::upload::{Upload, UploadBody};
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

    /// Hands over uploads of this terminal, in the order in which they are to be taken: one outcome for each, in that
    /// order. There may be fewer: the rest was not tried. An entry of the ledger behind one that has to wait waits too.
    ///
    /// # Errors
    /// `Problem` when the batch was refused as a whole, or nothing is known of what became of it.
    fn upload_batch(&self, batch: &[Outgoing]) -> impl Future<Output = Result<Vec<Outcome>, Problem>> + Send {
        async move { Ok(one_by_one(self, batch).await) }
    }

    /// Whether uploads are signed and sealed on their way. Then what central cannot book comes back with its signature,
    /// and a refusal without one may be anybody's on the line.
    fn is_sealed(&self) -> bool {
        false
    }

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

/// Hands uploads over one after the other, until central falls silent or says nothing to this terminal.
pub async fn one_by_one<C: Central + ?Sized>(central: &C, batch: &[Outgoing]) -> Vec<Outcome> {
    let (mut outcomes, mut chain_waits) = (Vec::new(), false);
    for one in batch {
        let chained = matches!(one.upload.body, UploadBody::LedgerEntry(_));
        if chained && chain_waits {
            outcomes.push(Outcome::Refused(behind()));
            continue;
        }
        match central.upload(&one.upload).await {
            Ok(receipt) => outcomes.push(Outcome::Taken(receipt)),
            Err(problem) => {
                let ends = problem.is_silence() || problem.code == ProblemCode::Unauthorised;
                chain_waits |= chained && !problem.is_permanent();
                outcomes.push(Outcome::Refused(problem));
                if ends {
                    break;
                }
            }
        }
    }
    outcomes
}

/// What is said of an entry that was not tried, since one before it has to wait.
#[must_use]
pub fn behind() -> Problem {
    Problem::new(ProblemCode::Internal, "an earlier entry of its journal has to wait")
}

/// An upload on its way: what it says, and the bytes that say it, which are signed and receipted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What it says.
    pub upload: Upload,
    /// As written with the fact.
    pub bytes: Vec<u8>,
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
