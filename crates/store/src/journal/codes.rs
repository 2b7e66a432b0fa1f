//! Verification codes for documents: signed ahead by central in batches, each used once.

use super::{Journal, unsigned};
use crate::StoreError;
use domain::{DocumentCode, Timestamp};
use rusqlite::OptionalExtension;

impl Journal {
    /// Adds a batch of codes; a code that is already here, used or not, is left as it is. Returns how many were new.
    ///
    /// # Errors
    /// `NoReserve`, `JournalWrite`.
    pub fn add_codes(&mut self, codes: &[DocumentCode]) -> Result<usize, StoreError> {
        self.begin(|transaction| {
            let mut statement =
                transaction.prepare_cached("INSERT INTO document_code (code) VALUES (?1) ON CONFLICT DO NOTHING")?;
            let mut added = 0;
            for code in codes {
                added += statement.execute([code.0])?;
            }
            Ok(added)
        })
    }

    /// Takes one code out of the batch for ever; durable when it returns, so that no restart gives it out again.
    /// `None` when none is left: `FailureCode::CodesExhausted`.
    ///
    /// # Errors
    /// `JournalWrite`.
    pub fn take_code(&mut self, now: Timestamp) -> Result<Option<DocumentCode>, StoreError> {
        self.write(|transaction| {
            let code = transaction
                .prepare_cached(
                    "UPDATE document_code SET taken_ms = ?1
                     WHERE position = (SELECT min(position) FROM document_code WHERE taken_ms IS NULL)
                     RETURNING code",
                )?
                .query_row([now.0], |row| row.get(0).map(DocumentCode))
                .optional()?;
            Ok(code)
        })
    }

    /// How many codes are left.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn codes_left(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM document_code WHERE taken_ms IS NULL";
            connection.query_row(sql, [], |row| unsigned(0, row.get(0)?))
        })
    }
}
