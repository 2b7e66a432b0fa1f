//! PIN tries as this terminal saw them. The card's own count wins unless its attempt number is below the one here:
//! then the card was rolled back, and is locked.

use super::Journal;
use crate::StoreError;
use domain::card::PinTries;
use domain::{CardNumber, Generation};
use rusqlite::OptionalExtension;

impl Journal {
    /// The newest tries seen of a card.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn pin_tries(&self, card: CardNumber, generation: Generation) -> Result<Option<PinTries>, StoreError> {
        let card = card.0.cast_signed();
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT attempt, failures, pin_version FROM pin_tries WHERE card = ?1 AND generation = ?2",
                )?
                .query_row((card, generation.0), |row| {
                    Ok(PinTries { attempt: row.get(0)?, failures: row.get(1)?, pin_version: row.get(2)? })
                })
                .optional()
        })
    }

    /// Journals the tries; durable when it returns. An older attempt number than the journal's changes nothing.
    ///
    /// # Errors
    /// `JournalWrite`.
    pub fn note_pin_tries(
        &mut self,
        card: CardNumber,
        generation: Generation,
        tries: PinTries,
    ) -> Result<(), StoreError> {
        let card = card.0.cast_signed();
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO pin_tries (card, generation, attempt, failures, pin_version)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET
                         attempt = excluded.attempt, failures = excluded.failures, pin_version = excluded.pin_version
                     WHERE excluded.attempt >= attempt",
                )?
                .execute((card, generation.0, tries.attempt, tries.failures, tries.pin_version))?;
            Ok(())
        })
    }
}
