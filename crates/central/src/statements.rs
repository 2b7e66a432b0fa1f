//! Files from outside: the acquirer's settlement files and the validators' debits, as CSV. Every file may be imported
//! again, and files may overlap: each line counts once. A line that cannot be taken is told with its number and the
//! reason, never with what stands in it; all others are taken.

pub mod acquirer;
pub mod dialect;
pub(crate) mod learn;
pub mod validators;

use crate::audit::{self, Actor};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::uploads::sql;
use dialect::{Rejected, Row};
use domain::Timestamp;
use sha2::{Digest, Sha256};

/// A file to be imported.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name, for the register of imports.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Lines that were new, or brought a known transaction forward.
    pub taken: u32,
    /// Lines that were known.
    pub known: u32,
    /// Lines that could not be taken.
    pub rejected: Vec<Rejected>,
}

/// What one line did.
enum Line {
    Taken,
    Known,
}

/// Registers a file, imports its lines with `take`, and writes down what became of them.
fn import_lines(
    transaction: &Transaction<'_>,
    kind: &str,
    file: File<'_>,
    rows: Vec<Result<Row, Rejected>>,
    actor: &Actor,
    now: Timestamp,
    mut take: impl FnMut(i64, &Row) -> Result<Result<Line, String>, CentralError>,
) -> Result<Imported, CentralError> {
    let id: i64 = transaction.query_row(
        "INSERT INTO imported_file (kind, name, sha256, imported, taken, known, rejected)
         VALUES (?1, ?2, ?3, ?4, 0, 0, 0) RETURNING id",
        params![kind, file.name, Sha256::digest(file.bytes).as_slice(), now.0],
        |row| row.get(0),
    )?;
    let mut imported = Imported::default();
    for row in rows {
        let outcome = match &row {
            Ok(row) => take(id, row)?.map_err(|reason| Rejected { line: row.line, reason }),
            Err(rejected) => Err(rejected.clone()),
        };
        match outcome {
            Ok(Line::Taken) => imported.taken += 1,
            Ok(Line::Known) => imported.known += 1,
            Err(rejected) => imported.rejected.push(rejected),
        }
    }
    let rejected = u64::try_from(imported.rejected.len()).unwrap_or(u64::MAX);
    transaction.execute(
        "UPDATE imported_file SET taken = ?2, known = ?3, rejected = ?4 WHERE id = ?1",
        params![id, imported.taken, imported.known, sql(rejected)],
    )?;
    let about = format!("{}: {} taken, {rejected} rejected", file.name, imported.taken);
    audit::note(transaction, actor, &format!("{kind} imported"), &about, now)?;
    Ok(imported)
}
