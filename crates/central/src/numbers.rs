//! Numbers that only rise, and that a central restored from a copy must not give out twice: what it gave out after the
//! copy was made, it does not know. So each kind has a floor, which restoring raises.

use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// The feed's sequence.
    Publication,
    /// Receipts of uploads.
    Upload,
    /// Receipts of registered cards.
    Registration,
}

impl Numbered {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Publication, Self::Upload, Self::Registration];

    /// As the table has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::Upload => "upload",
            Self::Registration => "registration",
        }
    }

    fn newest_sql(self) -> &'static str {
        match self {
            Self::Publication => "SELECT coalesce(max(sequence), 0) FROM publication",
            Self::Upload => "SELECT coalesce(max(number), 0) FROM upload",
            Self::Registration => "SELECT coalesce(max(receipt_number), 0) FROM issued_card",
        }
    }
}

/// The highest number that was given out, or perhaps was.
///
/// # Errors
/// `CentralError::Database`.
pub fn highest(connection: &Connection, what: Numbered) -> Result<u64, CentralError> {
    let newest: i64 = connection.query_row(what.newest_sql(), &[], |row| row.get(0))?;
    let sql = "SELECT number FROM number_floor WHERE what = ?1";
    let floor: Option<i64> = connection.query_opt(sql, params![what.name()], |row| row.get(0))?;
    Ok(u64::try_from(newest.max(floor.unwrap_or_default())).unwrap_or_default())
}

/// From now on numbers of this kind are above this one.
///
/// # Errors
/// `CentralError::Database`.
pub fn raise(transaction: &Transaction<'_>, what: Numbered, above: u64) -> Result<(), CentralError> {
    let above = i64::try_from(above).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO number_floor (what, number) VALUES (?1, ?2)
         ON CONFLICT (what) DO UPDATE SET number = CASE WHEN number_floor.number > ?2 THEN number_floor.number ELSE ?2 END",
        params![what.name(), above],
    )?;
    Ok(())
}
