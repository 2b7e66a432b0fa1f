//! Uploads: taken once, answered the same every time. A receipt is given only after the commit that holds both the
//! upload and what follows from it.

mod batch;

use crate::Database;
use crate::books;
use crate::claims::{self, orders};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use data_encoding::HEXLOWER;
use domain::card::{CardReport, TopUpRecord};
use domain::{CardNumber, Cents, DocumentCode, Generation, TerminalId, Timestamp, TopUpId};
use protocol::{
    ClaimEvidence, DocumentIssued, Problem, ProblemCode, Receipt, SignedCreditOrder, Upload, UploadBody, verify_facts,
};
use sha2::{Digest, Sha256};

pub use batch::{Sent, take_batch};

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
    let outcome = take_once(database, keys, terminal, bytes, now);
    if let Err(CentralError::Problem(problem)) = &outcome {
        note_refusal(database, terminal, problem, bytes, now)?;
    }
    let (upload, receipt) = outcome?;
    Ok(receipt.with_order(order_for(database, keys, &upload, now)?))
}

fn take_once(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(Upload, Receipt), CentralError> {
    let upload = read(terminal, bytes)?;
    let receipt = database.write(|transaction| take_new_or_known(transaction, keys, &upload, bytes, now))?;
    Ok((upload, receipt))
}

/// An upload of this terminal.
fn read(terminal: TerminalId, bytes: &[u8]) -> Result<Upload, CentralError> {
    let upload = Upload::decode(bytes).map_err(|error| refuse(ProblemCode::Malformed, error.to_string()))?;
    if upload.terminal() != terminal {
        return Err(refuse(ProblemCode::Unauthorised, "the upload is of another terminal"));
    }
    Ok(upload)
}

fn take_new_or_known(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    upload: &Upload,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let (newest, first) = looked_up(transaction, upload, bytes)?;
    match first {
        Some(receipt) => Ok(receipt),
        None => take_new(transaction, keys, upload, bytes, newest + 1, now),
    }
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

/// A refused upload changes no book, but somebody must know of it: of each, so that what a person has explained of one
/// does not hide the next.
fn note_refusal(
    database: &mut Database,
    terminal: TerminalId,
    problem: &Problem,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), CentralError> {
    if !problem.is_permanent() {
        return Ok(());
    }
    let hash = Sha256::digest(bytes);
    let which = HEXLOWER.encode(hash.get(..8).unwrap_or_default());
    let detail = format!("{} (upload {which})", problem.detail);
    database.write(|transaction| note(transaction, terminal, "refused", &detail, now))
}

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
    let detail = detail.replace('\0', "\u{fffd}");
    transaction.execute(
        "INSERT INTO anomaly (noticed, terminal, kind, top_up, detail)
         SELECT CAST(?1 AS BIGINT), CAST(?2 AS BIGINT), CAST(?3 AS TEXT), CAST(?4 AS BLOB), CAST(?5 AS TEXT)
         WHERE NOT EXISTS (SELECT 1 FROM anomaly WHERE terminal = ?2 AND kind = ?3 AND detail = ?5)",
        params![now.0, terminal.0, kind, top_up.map(|top_up| top_up.0), detail],
    )?;
    tracing::warn!(terminal = terminal.0, kind, detail, "noticed");
    Ok(())
}

/// The newest upload's number, and the receipt that this upload got before.
fn looked_up(
    transaction: &Transaction<'_>,
    upload: &Upload,
    bytes: &[u8],
) -> Result<(u64, Option<Receipt>), CentralError> {
    type Found = (u64, Option<Vec<u8>>, Option<Vec<u8>>);
    let sql = "SELECT newest.number, upload.sha256, upload.receipt
               FROM (SELECT coalesce(max(number), 0) AS number FROM
                        (SELECT max(number) AS number FROM upload
                         UNION ALL SELECT number FROM number_floor WHERE what = 'upload') AS given) AS newest
               LEFT JOIN upload ON upload.key = ?1";
    let read = |row: &crate::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (newest, sha256, receipt): Found = transaction.query_row(sql, params![upload.key.0], read)?;
    let (Some(sha256), Some(receipt)) = (sha256, receipt) else { return Ok((newest, None)) };
    if sha256 != Sha256::digest(bytes).as_slice() {
        return Err(refuse(ProblemCode::Conflict, format!("the key {} was used with other bytes", upload.key)));
    }
    let receipt = Receipt::decode(&receipt).map_err(|error| CentralError::NotReady(error.to_string()))?;
    Ok((newest, Some(receipt)))
}

fn take_new(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    upload: &Upload,
    bytes: &[u8],
    number: u64,
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let fresh = Arrival { number, received: now };
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
    transaction.execute_later(
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
        ])?;
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
