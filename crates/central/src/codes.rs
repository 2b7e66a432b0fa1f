//! Verification codes: drawn at random, written down with the terminal they are for, handed out signed.

use crate::Database;
use crate::db::{Transaction, Value, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::{DocumentCode, TerminalId, Timestamp};
use protocol::codes::{BATCH_MAX, CodeBatch};
use protocol::{Problem, ProblemCode, SignedCodeBatch};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Codes that a terminal is given within a day and has issued no document under. It asks for 200 when it has fewer than
/// 100, so an honest one comes near this only when nearly every answer is lost on its way.
pub const UNUSED_A_DAY_MAX: i64 = 4_000;

/// Gives a terminal the fresh codes that it asks for.
///
/// # Errors
/// As [`allocate`]; `LimitReached` for a terminal that has more than enough of them.
pub fn give(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    count: u16,
    now: Timestamp,
) -> Result<SignedCodeBatch, CentralError> {
    database.write(|transaction| {
        let unused: i64 = transaction.query_row(
            "SELECT count(*) FROM code AS c WHERE c.terminal = ?1 AND c.issued > ?2
             AND c.issued >= (SELECT enrolled FROM terminal WHERE id = ?1)
             AND NOT EXISTS (SELECT 1 FROM document AS d WHERE d.code = c.code)",
            params![terminal.0, now.0.saturating_sub(DAY_MS)],
            |row| row.get(0),
        )?;
        if unused.saturating_add(count.into()) > UNUSED_A_DAY_MAX {
            return Err(Problem::new(ProblemCode::LimitReached, "this terminal has had enough codes for today").into());
        }
        draw(transaction, keys, terminal, count, now)
    })
}

/// Allocates fresh codes to an enrolled terminal, however many it has.
///
/// # Errors
/// `Problem` with `NotFound` for a terminal that is not enrolled, `Malformed` for a count of 0 or beyond the limit.
pub fn allocate(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    count: u16,
    now: Timestamp,
) -> Result<SignedCodeBatch, CentralError> {
    database.write(|transaction| draw(transaction, keys, terminal, count, now))
}

/// As `allocate`, in a transaction that is under way.
///
/// # Errors
/// As `allocate`.
pub(crate) fn draw(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    terminal: TerminalId,
    count: u16,
    now: Timestamp,
) -> Result<SignedCodeBatch, CentralError> {
    let count = usize::from(count);
    if !(1..=BATCH_MAX).contains(&count) {
        return Err(Problem::new(ProblemCode::Malformed, format!("between 1 and {BATCH_MAX} codes at a time")).into());
    }
    let known = transaction.query_opt("SELECT 1 FROM terminal WHERE id = ?1", params![terminal.0], |_| Ok(()))?;
    if known.is_none() {
        return Err(Problem::new(ProblemCode::NotFound, "no such terminal").into());
    }
    let mut codes = Vec::with_capacity(count);
    for _ in 0..count {
        let mut code = [0; 16];
        getrandom::fill(&mut code)?;
        codes.push(DocumentCode(code));
    }
    let batch = keep(transaction, terminal, &codes, now)?;
    let key = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    let signed = CodeBatch { terminal, batch, issued: now, codes }.sign(&key);
    signed.map(SignedCodeBatch).map_err(|error| CentralError::Feed(error.to_string()))
}

/// Writes codes down; the number of their batch.
fn keep(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    codes: &[DocumentCode],
    now: Timestamp,
) -> Result<u64, CentralError> {
    let batch: i64 = transaction.query_row("SELECT coalesce(max(batch), 0) + 1 FROM code", &[], |row| row.get(0))?;
    let mut values = Vec::with_capacity(codes.len() * 4);
    for code in codes {
        values.extend([Value::Blob(&code.0), Value::Int(terminal.0.into()), Value::Int(batch), Value::Int(now.0)]);
    }
    transaction.insert_later("code (code, terminal, batch, issued)", 4, &values)?;
    Ok(u64::try_from(batch).unwrap_or_default())
}
