//! What a terminal tells central, and central's receipt. Each upload carries an idempotency key that was made when
//! its fact was written, so that sending it again is always safe: a repeat gets the first receipt, byte for byte.

use crate::terminal_status::TerminalStatus;
use data_encoding::HEXLOWER;
use domain::card::{CardReport, TopUpRecord};
use domain::document::DocumentKind;
use domain::{CardNumber, Cents, Day, DocumentCode, Generation, TerminalId, Timestamp, TopUpId};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::fmt;

/// The largest upload central reads, in bytes.
pub const UPLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Upload or receipt is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// Not the CBOR of an upload or receipt.
    #[error("malformed")]
    Malformed,
    /// The receipt is not signed by the city's head key.
    #[error("the receipt is not signed by the city")]
    BadSignature,
    /// The receipt is for other bytes.
    #[error("the receipt is for another upload")]
    OtherUpload,
}

/// Made at random when a fact is written; the same at every attempt to send it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct IdempotencyKey(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({self})")
    }
}

/// One thing a terminal tells central.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Upload {
    /// Which terminal.
    #[n(0)]
    pub terminal: u32,
    /// Which generation of its journal: a new one begins when a journal had to be set aside.
    #[n(1)]
    pub journal_generation: u32,
    /// Made with the fact.
    #[n(2)]
    pub key: IdempotencyKey,
    /// When the fact was written, milliseconds since 1970, UTC.
    #[n(3)]
    pub written: i64,
    /// The fact.
    #[n(4)]
    pub body: UploadBody,
}

/// The facts a terminal uploads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum UploadBody {
    /// One journal entry of the money, as `ledger::Entry` encodes it: the bytes whose hash the chain carries.
    #[n(0)]
    LedgerEntry(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// A document came out of the printer.
    #[n(1)]
    DocumentIssued(#[n(0)] DocumentIssued),
    /// What a card said of a top-up that was in doubt.
    #[n(2)]
    ClaimEvidence(#[n(0)] ClaimEvidence),
    /// What a terminal saw on a card: for the books, and where it names a claim, its evidence. The answer may carry
    /// an order to finish that claim.
    #[n(3)]
    CardSeen(#[n(0)] CardSeen),
    /// The terminal's own state: no fact, and so replaced by a newer one that is written before it was sent.
    #[n(4)]
    Status(#[n(0)] TerminalStatus),
}

/// The name of `UploadBody::Status`.
pub const STATUS: &str = "status";

impl UploadBody {
    /// The stable name, for pages and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::LedgerEntry(_) => "ledger-entry",
            Self::DocumentIssued(_) => "document-issued",
            Self::ClaimEvidence(_) => "claim-evidence",
            Self::CardSeen(_) => "card-seen",
            Self::Status(_) => STATUS,
        }
    }
}

/// The deposit of an issued document: from here on its code can be checked.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DocumentIssued {
    /// The verification code printed on it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub code: [u8; 16],
    /// The kind's stable name.
    #[n(1)]
    pub kind: String,
    /// The signed facts it was made from.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signed_facts: Vec<u8>,
    /// When it was issued, milliseconds since 1970, UTC.
    #[n(3)]
    pub issued: i64,
    /// Whether the terminal was without network then.
    #[n(4)]
    pub offline: bool,
    /// SHA-256 of the PDF as printed.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub pdf_sha256: [u8; 32],
    /// The PDF as printed, for the archive.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub pdf: Vec<u8>,
}

impl fmt::Debug for DocumentIssued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentIssued({}, {} bytes)", self.kind, self.pdf.len())
    }
}

impl DocumentIssued {
    /// The deposit of this PDF.
    #[must_use]
    pub fn new(
        code: DocumentCode,
        kind: DocumentKind,
        signed_facts: Vec<u8>,
        issued: Timestamp,
        offline: bool,
        pdf: Vec<u8>,
    ) -> Self {
        let pdf_sha256 = Sha256::digest(&pdf).into();
        Self { code: code.0, kind: kind.name().to_owned(), signed_facts, issued: issued.0, offline, pdf_sha256, pdf }
    }

    /// Whether hash and PDF agree.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        Sha256::digest(&self.pdf).as_slice() == self.pdf_sha256
    }
}

/// A card's own records, seen by any terminal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClaimEvidence {
    /// The card's number.
    #[n(0)]
    pub card: u64,
    /// Which issue of it.
    #[n(1)]
    pub generation: u8,
    /// The top-up in question.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub top_up: [u8; 16],
    /// The purse as read, euro cents.
    #[n(3)]
    pub purse: Option<i64>,
    /// The top-up records on the card, newest first.
    #[n(4)]
    pub records: Vec<WireTopUpRecord>,
}

/// A card as a terminal saw it (`domain::card::CardReport`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardSeen {
    /// The card's number.
    #[n(0)]
    pub card: u64,
    /// Which issue of it.
    #[n(1)]
    pub generation: u8,
    /// The newest top-up counter.
    #[n(2)]
    pub counter: u32,
    /// The purse as read, euro cents.
    #[n(3)]
    pub purse: Option<i64>,
    /// The top-up records on the card, newest first.
    #[n(4)]
    pub records: Vec<WireTopUpRecord>,
    /// The counter of the validators' newest record.
    #[n(5)]
    pub movement_counter: Option<u32>,
    /// Purse and records cannot both be right.
    #[n(6)]
    pub needs_check: bool,
    /// The claim this is evidence for.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub claim: Option<[u8; 16]>,
    /// When it was seen, milliseconds since 1970, UTC.
    #[n(8)]
    pub at: i64,
}

impl From<&CardReport> for CardSeen {
    fn from(report: &CardReport) -> Self {
        Self {
            card: report.card.0,
            generation: report.generation.0,
            counter: report.counter,
            purse: report.purse.map(|cents| cents.0),
            records: report.records.iter().map(WireTopUpRecord::from).collect(),
            movement_counter: report.movement_counter,
            needs_check: report.needs_check,
            claim: report.claim.map(|top_up| top_up.0),
            at: report.at.0,
        }
    }
}

impl From<&CardSeen> for CardReport {
    fn from(seen: &CardSeen) -> Self {
        Self {
            card: CardNumber(seen.card),
            generation: Generation(seen.generation),
            counter: seen.counter,
            purse: seen.purse.map(Cents),
            records: seen.records.iter().map(TopUpRecord::from).collect(),
            movement_counter: seen.movement_counter,
            needs_check: seen.needs_check,
            claim: seen.claim.map(TopUpId),
            at: Timestamp(seen.at),
        }
    }
}

/// A top-up record of a card on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WireTopUpRecord {
    /// Rises by one with each top-up.
    #[n(0)]
    pub counter: u32,
    /// Days since 1970.
    #[n(1)]
    pub day: i32,
    /// The top-up.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub top_up: [u8; 16],
    /// Euro cents credited.
    #[n(3)]
    pub amount: i64,
    /// Euro cents before.
    #[n(4)]
    pub before: i64,
    /// The terminal that credited.
    #[n(5)]
    pub terminal: u32,
}

impl From<&TopUpRecord> for WireTopUpRecord {
    fn from(record: &TopUpRecord) -> Self {
        Self {
            counter: record.counter,
            day: record.day.0,
            top_up: record.top_up.0,
            amount: record.amount.0,
            before: record.before.0,
            terminal: record.terminal.0,
        }
    }
}

impl From<&WireTopUpRecord> for TopUpRecord {
    fn from(record: &WireTopUpRecord) -> Self {
        Self {
            counter: record.counter,
            day: Day(record.day),
            top_up: TopUpId(record.top_up),
            amount: Cents(record.amount),
            before: Cents(record.before),
            terminal: TerminalId(record.terminal),
        }
    }
}

impl ClaimEvidence {
    /// What this card says now of a top-up.
    #[must_use]
    pub fn new(
        card: CardNumber,
        generation: Generation,
        top_up: domain::TopUpId,
        purse: Option<Cents>,
        records: &[TopUpRecord],
    ) -> Self {
        Self {
            card: card.0,
            generation: generation.0,
            top_up: top_up.0,
            purse: purse.map(|cents| cents.0),
            records: records.iter().map(WireTopUpRecord::from).collect(),
        }
    }
}

impl Upload {
    /// The bytes that are stored in the outbox and sent, the same at every attempt.
    ///
    /// # Errors
    /// `UploadError::Malformed`, which these types do not meet.
    pub fn encode(&self) -> Result<Vec<u8>, UploadError> {
        minicbor::to_vec(self).map_err(|_| UploadError::Malformed)
    }

    /// Reads an upload.
    ///
    /// # Errors
    /// `UploadError::Malformed`, also for bytes behind its end.
    pub fn decode(bytes: &[u8]) -> Result<Self, UploadError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let upload = decoder.decode().map_err(|_| UploadError::Malformed)?;
        if decoder.position() == bytes.len() { Ok(upload) } else { Err(UploadError::Malformed) }
    }

    /// The terminal as an identifier.
    #[must_use]
    pub fn terminal(&self) -> TerminalId {
        TerminalId(self.terminal)
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
