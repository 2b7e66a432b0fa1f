//! Verification codes: drawn at random, written down with the terminal they are for, handed out signed.

use crate::Database;
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::{DocumentCode, TerminalId, Timestamp};
use protocol::codes::{BATCH_MAX, CodeBatch};
use protocol::{Problem, ProblemCode, SignedCodeBatch};

/// Allocates fresh codes to an enrolled terminal.
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
    let batch: i64 = transaction.query_row("SELECT coalesce(max(batch), 0) + 1 FROM code", &[], |row| row.get(0))?;
    let mut codes = Vec::with_capacity(count);
    for _ in 0..count {
        let mut code = [0; 16];
        getrandom::fill(&mut code)?;
        transaction.execute(
            "INSERT INTO code (code, terminal, batch, issued) VALUES (?1, ?2, ?3, ?4)",
            params![code, terminal.0, batch, now.0],
        )?;
        codes.push(DocumentCode(code));
    }
    let key = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    let batch = u64::try_from(batch).unwrap_or_default();
    let signed = CodeBatch { terminal, batch, issued: now, codes }.sign(&key);
    signed.map(SignedCodeBatch).map_err(|error| CentralError::Feed(error.to_string()))
}
