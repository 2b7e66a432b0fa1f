//! `protocol::http` spoken by a terminal.

use super::{Ask, HttpCentral, malformed, untrusted};
use domain::{CardNumber, TerminalId};
use protocol::central::one_by_one;
use protocol::http::{CBOR, HEAD_PATH, SEALED, UPLOADS_PATH, codes_path, file_path, pin_path};
use protocol::{
    Central, FileHash, Outcome, Outgoing, PinChanged, Problem, Receipt, SignedCodeBatch, SignedHead, Upload,
};

impl Central for HttpCentral {
    fn is_sealed(&self) -> bool {
        self.sealing().is_some()
    }

    async fn head(&self) -> Result<SignedHead, Problem> {
        let body = self.answer(Ask::get(HEAD_PATH)).await?;
        serde_json::from_slice(&body).map_err(|_| untrusted("the head cannot be read"))
    }

    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        self.file_within(sha256, u64::MAX).await
    }

    async fn file_within(&self, sha256: FileHash, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        let body = self.answer(Ask::file(&file_path(sha256), bytes_max)).await?;
        if FileHash::of(&body) == sha256 { Ok(body) } else { Err(untrusted("a file has another hash")) }
    }

    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        let bytes = upload.encode().map_err(|_| malformed("not an upload"))?;
        if let Some(sealing) = self.sealing() {
            let outcome = self.sealed(sealing, &[Outgoing { upload: upload.clone(), bytes }]).await?.pop();
            return match outcome.ok_or_else(|| untrusted("the answer to an envelope is empty"))? {
                Outcome::Taken(receipt) => Ok(receipt),
                Outcome::Kept(kept) => Err(Problem::named(&kept.problem, kept.to_string())),
                Outcome::Refused(problem) => Err(problem),
            };
        }
        let body = self.answer(Ask::post(UPLOADS_PATH).with(CBOR, bytes)).await?;
        Receipt::decode(&body).map_err(|_| untrusted("the receipt cannot be read"))
    }

    async fn upload_batch(&self, batch: &[Outgoing]) -> Result<Vec<Outcome>, Problem> {
        let Some(sealing) = self.sealing() else { return Ok(one_by_one(self, batch).await) };
        self.sealed(sealing, batch).await
    }

    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        Ok(SignedCodeBatch(self.answer(Ask::post(&codes_path(terminal, count))).await?))
    }

    /// Which terminal asks, central knows by itself.
    async fn change_pin(&self, _: TerminalId, card: CardNumber, sealed: Vec<u8>) -> Result<PinChanged, Problem> {
        let body = self.answer(Ask::post(&pin_path(card)).with(SEALED, sealed)).await?;
        PinChanged::decode(&body).map_err(|_| untrusted("the answer to a change of a PIN cannot be read"))
    }
}
