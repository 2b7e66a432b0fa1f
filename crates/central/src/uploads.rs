//! Uploads: taken once, answered the same every time. A receipt is given only after the commit that holds both the
//! upload and what follows from it.

use crate::Database;
use crate::books;
use crate::claims::{self, orders};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::card::{CardReport, TopUpRecord};
use domain::{CardNumber, Cents, DocumentCode, Generation, TerminalId, Timestamp, TopUpId};
use protocol::{
    ClaimEvidence, DocumentIssued, Problem, ProblemCode, Receipt, SignedCreditOrder, Upload, UploadBody, verify_facts,
};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

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

/// Takes one upload of an authenticated terminal.
///
/// # Errors
/// A `Problem`: `Malformed` for bytes that are no upload, `Unauthorised` for another terminal's, `Conflict` for a key
/// used with other bytes or a fact that contradicts one already booked. All else is central's own.
pub fn take(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let upload = Upload::decode(bytes).map_err(|error| refuse(ProblemCode::Malformed, error.to_string()))?;
    if upload.terminal() != terminal {
        return Err(refuse(ProblemCode::Unauthorised, "the upload is of another terminal"));
    }
    let outcome = database.write(|transaction| match first_receipt(transaction, &upload, bytes)? {
        Some(receipt) => Ok(receipt),
        None => take_new(transaction, keys, &upload, bytes, now),
    });
    if let Err(CentralError::Problem(problem)) = &outcome {
        note_refusal(database, terminal, problem, now)?;
    }
    Ok(outcome?.with_order(order_for(database, keys, &upload, now)?))
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
        UploadBody::LedgerEntry(_) | UploadBody::DocumentIssued(_) => return Ok(None),
    };
    orders::answer(database, keys, CardNumber(card), Generation(generation), claim.map(TopUpId), now)
}

/// A refused upload changes no book, but somebody must know of it.
fn note_refusal(
    database: &mut Database,
    terminal: TerminalId,
    problem: &Problem,
    now: Timestamp,
) -> Result<(), CentralError> {
    if !problem.is_permanent() {
        return Ok(());
    }
    database.write(|transaction| note(transaction, terminal, "refused", &problem.detail, now))
}

/// Writes down what a person must look at; the same thing once.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    kind: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO anomaly (noticed, terminal, kind, detail)
         SELECT ?1, ?2, ?3, ?4
         WHERE NOT EXISTS (SELECT 1 FROM anomaly WHERE terminal = ?2 AND kind = ?3 AND detail = ?4)",
        params![now.0, terminal.0, kind, detail],
    )?;
    tracing::warn!(terminal = terminal.0, kind, detail, "noticed");
    Ok(())
}

fn first_receipt(
    transaction: &Transaction<'_>,
    upload: &Upload,
    bytes: &[u8],
) -> Result<Option<Receipt>, CentralError> {
    let stored: Option<(Vec<u8>, Vec<u8>)> = transaction
        .query_row("SELECT sha256, receipt FROM upload WHERE key = ?1", params![upload.key.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((sha256, receipt)) = stored else { return Ok(None) };
    if sha256 != Sha256::digest(bytes).as_slice() {
        return Err(refuse(ProblemCode::Conflict, format!("the key {} was used with other bytes", upload.key)));
    }
    Receipt::decode(&receipt).map(Some).map_err(|error| CentralError::NotReady(error.to_string()))
}

fn take_new(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    upload: &Upload,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let next: i64 = transaction.query_row("SELECT coalesce(max(number), 0) + 1 FROM upload", [], |row| row.get(0))?;
    let fresh = Arrival { number: u64::try_from(next).unwrap_or_default(), received: now };
    let arrival = match &upload.body {
        UploadBody::LedgerEntry(entry) => books::book(transaction, upload, entry, fresh)?,
        UploadBody::DocumentIssued(document) => deposit(transaction, keys, upload, document, fresh)?,
        UploadBody::ClaimEvidence(evidence) => keep_evidence(transaction, upload, evidence, fresh)?,
        UploadBody::CardSeen(seen) => {
            claims::take_sight(transaction, upload.terminal(), &CardReport::from(seen), fresh.received)?;
            fresh
        }
    };
    let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    let receipt = Receipt::sign(upload.key, bytes, arrival.number, arrival.received, &signer);
    let encoded = receipt.encode().map_err(|error| CentralError::Feed(error.to_string()))?;
    transaction.execute(
        "INSERT INTO upload (key, number, terminal, journal_generation, written, received, kind, sha256, bytes, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            upload.key.0,
            sql(arrival.number),
            upload.terminal,
            upload.journal_generation,
            upload.written,
            now.0,
            upload.body.name(),
            receipt.upload_sha256,
            bytes,
            encoded,
        ],
    )?;
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
    let facts_key = keys.facts_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier();
    verify_facts(&document.signed_facts, &facts_key)
        .map_err(|error| refuse(ProblemCode::Conflict, format!("document: {error}")))?;
    let code = DocumentCode(document.code);
    let owner: Option<u32> = transaction
        .query_row("SELECT terminal FROM code WHERE code = ?1", params![code.0], |row| row.get(0))
        .optional()?;
    if owner != Some(upload.terminal) {
        return Err(refuse(ProblemCode::Conflict, "the code was never allocated to this terminal"));
    }
    let known: Option<(Vec<u8>, Vec<u8>)> = transaction
        .query_row("SELECT pdf_sha256, facts FROM document WHERE code = ?1", params![code.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
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
    let bytes = upload.encode().map_err(|error| CentralError::Feed(error.to_string()))?;
    transaction.execute(
        "INSERT INTO evidence (top_up, terminal, received, bytes) VALUES (?1, ?2, ?3, ?4)",
        params![evidence.top_up, upload.terminal, arrival.received.0, bytes],
    )?;
    claims::take_sight(transaction, upload.terminal(), &report(upload, evidence), arrival.received)?;
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
