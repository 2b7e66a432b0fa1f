//! Uploads: taken once, answered the same every time. A receipt is given only after the commit that holds both the
//! upload and what follows from it.

mod batch;
mod opened;
pub mod terminal_status;

use crate::Database;
use crate::books::{self, NewUpload, Sheet};
use crate::claims::{self, orders};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::card::{CardReport, TopUpRecord};
use domain::{CardNumber, Cents, DocumentCode, Generation, TerminalId, Timestamp, TopUpId};
use protocol::{
    ClaimEvidence, DocumentIssued, Problem, ProblemCode, Receipt, SignedCreditOrder, Upload, UploadBody, verify_facts,
};

use batch::Desk;
pub(crate) use batch::{Journal, journal_of};
pub use batch::{Proof, Sent, take_batch};
pub(crate) use opened::opened;

/// When an upload arrived, and the number its receipt bears.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) number: u64,
    pub(crate) received: Timestamp,
}

pub(crate) fn refuse(code: ProblemCode, detail: impl Into<String>) -> CentralError {
    Problem::new(code, detail).into()
}

pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Takes one upload that its terminal vouches for otherwise than by a signature: over central's own loopback, or in a
/// journal that was opened with the city's recovery key.
///
/// # Errors
/// As [`take_sent`].
pub fn take(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    take_sent(database, keys, Sent::unsigned(terminal, bytes.to_vec()), now)
}

/// Takes one upload of an authenticated terminal.
///
/// # Errors
/// `CentralError::Kept` when no book can take it and it lies in the quarantine: its problem is `Malformed` for bytes
/// that are no upload, `Conflict` for a key used with other bytes or a fact that contradicts one already booked. A
/// `Problem` with `Unauthorised` for another terminal's. All else is central's own.
pub fn take_sent(database: &mut Database, keys: &KeyFile, sent: Sent, now: Timestamp) -> Result<Receipt, CentralError> {
    let lost = || Err(CentralError::NotReady("an upload got no answer".to_owned()));
    take_batch(database, keys, &[sent], now).pop().unwrap_or_else(lost)
}

/// An upload of this terminal.
fn read(terminal: TerminalId, bytes: &[u8]) -> Result<Upload, Problem> {
    let upload = Upload::decode(bytes).map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
    if upload.terminal() != terminal {
        return Err(Problem::new(ProblemCode::Unauthorised, "the upload is of another terminal"));
    }
    Ok(upload)
}

/// The order that the answer to evidence carries, as it holds now: the one that was lost with an earlier answer too.
fn order_for(
    database: &Database,
    keys: &KeyFile,
    upload: &Upload,
    now: Timestamp,
) -> Result<Option<SignedCreditOrder>, CentralError> {
    let (card, generation, claim) = match &upload.body {
        UploadBody::CardSeen(seen) => (seen.card, seen.generation, seen.claim),
        UploadBody::ClaimEvidence(evidence) => (evidence.card, evidence.generation, Some(evidence.top_up)),
        UploadBody::LedgerEntry(_) | UploadBody::DocumentIssued(_) | UploadBody::Status(_) => return Ok(None),
    };
    orders::answer(database, keys, CardNumber(card), Generation(generation), claim.map(TopUpId), now)
}

/// A longer text says no more, and an index has a largest row.
const DETAIL_CHARACTERS_MAX: usize = 500;

/// Writes down what a person must look at; the same thing once.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    kind: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    note_of(transaction, terminal, kind, None, detail, now)
}

/// The same, of a top-up: its amount is told with it.
pub(crate) fn note_of(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    kind: &str,
    top_up: Option<TopUpId>,
    detail: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    // It may repeat what a terminal sent, and PostgreSQL holds no NUL.
    let detail: String = detail.replace('\0', "\u{fffd}").chars().take(DETAIL_CHARACTERS_MAX).collect();
    transaction.execute(
        "INSERT INTO anomaly (noticed, terminal, kind, top_up, detail)
         SELECT CAST(?1 AS BIGINT), CAST(?2 AS BIGINT), CAST(?3 AS TEXT), CAST(?4 AS BLOB), CAST(?5 AS TEXT)
         WHERE NOT EXISTS (SELECT 1 FROM anomaly WHERE terminal = ?2 AND kind = ?3 AND detail = ?5)",
        params![now.0, terminal.0, kind, top_up.map(|top_up| top_up.0), detail],
    )?;
    tracing::warn!(terminal = terminal.0, kind, detail, "noticed");
    Ok(())
}

/// Books what an upload says; its receipt.
fn take_new(
    sheet: &mut Sheet<'_, '_>,
    desk: &Desk<'_>,
    sent: &Sent,
    upload: &Upload,
    number: u64,
) -> Result<Receipt, CentralError> {
    let fresh = Arrival { number, received: desk.now };
    let arrival = match &upload.body {
        UploadBody::LedgerEntry(entry) => books::book(sheet, upload, entry, fresh)?,
        UploadBody::DocumentIssued(document) => deposit(sheet.transaction, desk.keys, upload, document, fresh)?,
        UploadBody::ClaimEvidence(evidence) => keep_evidence(sheet.hand_over()?, upload, evidence, fresh)?,
        UploadBody::CardSeen(seen) => {
            claims::take_sight(sheet.hand_over()?, upload.terminal(), &CardReport::from(seen), fresh.received)?;
            fresh
        }
        UploadBody::Status(status) => return terminal_status::put(sheet.transaction, desk, sent, upload, status),
    };
    let receipt = Receipt::sign(upload.key, &sent.bytes, arrival.number, arrival.received, &desk.signer);
    let encoded_receipt = receipt.encode().map_err(|error| CentralError::Feed(error.to_string()))?;
    sheet.put_upload(NewUpload {
        terminal: upload.terminal,
        journal_generation: upload.journal_generation,
        written: upload.written,
        received: desk.now,
        kind: upload.body.name(),
        bytes: sent.bytes.clone(),
        receipt: receipt.clone(),
        encoded_receipt,
        signature: sent.proof.as_ref().map(|proof| (proof.signature, proof.key_id())),
    })?;
    Ok(receipt)
}

/// Archives an issued document under its code, once.
fn deposit(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    upload: &Upload,
    document: &DocumentIssued,
    arrival: Arrival,
) -> Result<Arrival, CentralError> {
    if !document.is_whole() {
        return Err(refuse(ProblemCode::Malformed, "the document is not the one its hash names"));
    }
    if document.kind.contains('\0') {
        return Err(refuse(ProblemCode::Malformed, "the document's kind has a NUL"));
    }
    let facts_key = keys.facts_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier();
    verify_facts(&document.signed_facts, &facts_key)
        .map_err(|error| refuse(ProblemCode::Conflict, format!("document: {error}")))?;
    let code = DocumentCode(document.code);
    let owner: Option<u32> =
        transaction.query_opt("SELECT terminal FROM code WHERE code = ?1", params![code.0], |row| row.get(0))?;
    if owner != Some(upload.terminal) {
        return Err(refuse(ProblemCode::Conflict, "the code was never allocated to this terminal"));
    }
    let known: Option<(Vec<u8>, Vec<u8>)> =
        transaction.query_opt("SELECT pdf_sha256, facts FROM document WHERE code = ?1", params![code.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    match known {
        Some((pdf, facts)) if pdf == document.pdf_sha256 && facts == document.signed_facts => Ok(arrival),
        Some(_) => Err(refuse(ProblemCode::Conflict, "the code is on another document")),
        None => {
            transaction.execute(
                "INSERT INTO document (code, kind, terminal, issued, received, offline, facts, pdf_sha256, pdf)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    code.0,
                    document.kind,
                    upload.terminal,
                    document.issued,
                    arrival.received.0,
                    document.offline,
                    document.signed_facts,
                    document.pdf_sha256,
                    document.pdf,
                ],
            )?;
            Ok(arrival)
        }
    }
}

fn keep_evidence(
    transaction: &Transaction<'_>,
    upload: &Upload,
    evidence: &ClaimEvidence,
    arrival: Arrival,
) -> Result<Arrival, CentralError> {
    // First: what it refuses leaves nothing behind.
    claims::take_sight(transaction, upload.terminal(), &report(upload, evidence), arrival.received)?;
    let bytes = upload.encode().map_err(|error| CentralError::Feed(error.to_string()))?;
    transaction.execute(
        "INSERT INTO evidence (top_up, terminal, received, bytes) VALUES (?1, ?2, ?3, ?4)",
        params![evidence.top_up, upload.terminal, arrival.received.0, bytes],
    )?;
    Ok(arrival)
}

/// Evidence of a terminal that tells no counters: that of its newest record counts.
fn report(upload: &Upload, evidence: &ClaimEvidence) -> CardReport {
    CardReport {
        card: CardNumber(evidence.card),
        generation: Generation(evidence.generation),
        counter: evidence.records.iter().map(|record| record.counter).max().unwrap_or_default(),
        purse: evidence.purse.map(Cents),
        records: evidence.records.iter().map(TopUpRecord::from).collect(),
        movement_counter: None,
        needs_check: false,
        claim: Some(TopUpId(evidence.top_up)),
        at: Timestamp(upload.written),
    }
}
