//! Prints: the unique job-name is journalled before the printer hears of it, so that a restart can ask what became
//! of it and nothing is printed twice.

use super::{Journal, outbox};
use crate::{Refusal, StoreError};
use domain::{FailureCode, PrintName, Timestamp};
use protocol::UploadBody;
use rusqlite::OptionalExtension;

/// How a print ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintOutcome {
    /// The paper is out.
    Printed,
    /// Certain that nothing came out.
    NotPrinted(FailureCode),
    /// Perhaps printed, perhaps half.
    Uncertain(FailureCode),
}

/// What the journal knows of a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintState {
    /// Begun, and not ended: the printer is to be asked.
    Open,
    /// Ended.
    Ended(PrintOutcome),
}

impl PrintOutcome {
    fn columns(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Printed => ("printed", None),
            Self::NotPrinted(failure) => ("not-printed", Some(failure.code())),
            Self::Uncertain(failure) => ("uncertain", Some(failure.code())),
        }
    }
}

impl PrintState {
    fn from_columns(state: &str, failure: Option<&str>) -> Self {
        let failure = failure.and_then(FailureCode::from_code).unwrap_or(FailureCode::PrintUncertain);
        match state {
            "intended" => Self::Open,
            "printed" => Self::Ended(PrintOutcome::Printed),
            "not-printed" => Self::Ended(PrintOutcome::NotPrinted(failure)),
            _ => Self::Ended(PrintOutcome::Uncertain(failure)),
        }
    }
}

impl Journal {
    /// Journals that a print of this name begins, with the upload that must not be forgotten if it comes out; durable
    /// when it returns.
    ///
    /// # Errors
    /// `Refused(NameReused)` when the name was used before, `NoReserve` when it comes with an upload (a receipt or a claim
    /// slip belongs to the end of a top-up and uses the reserve), `JournalWrite`.
    pub fn print_intent(
        &mut self,
        name: &PrintName,
        now: Timestamp,
        deposit: Option<UploadBody>,
    ) -> Result<(), StoreError> {
        if deposit.is_some() {
            self.want_reserve()?;
        }
        let upload = deposit.map(|body| self.upload(body, now)).transpose()?;
        self.write(|transaction| {
            let written = transaction.execute(
                "INSERT INTO print (name, intended_ms, state) VALUES (?1, ?2, 'intended') ON CONFLICT DO NOTHING",
                (&name.0, now.0),
            )?;
            if written != 1 {
                return Err(Refusal::NameReused.into());
            }
            upload.iter().try_for_each(|upload| outbox::insert_upload(transaction, upload))
        })
    }

    /// Journals how a print ended, and in the same commit the upload that reports it. A later, better answer replaces
    /// "uncertain"; once "printed" or "not printed" is journalled, a repeat changes nothing and uploads nothing.
    ///
    /// # Errors
    /// `Refused(Unknown)` for a name that was never journalled, `JournalWrite`.
    pub fn print_outcome(
        &mut self,
        name: &PrintName,
        outcome: PrintOutcome,
        now: Timestamp,
        deposit: Option<UploadBody>,
    ) -> Result<(), StoreError> {
        let (state, failure) = outcome.columns();
        let upload = deposit.map(|body| self.upload(body, now)).transpose()?;
        self.write(|transaction| {
            let known = "SELECT 1 FROM print WHERE name = ?1";
            transaction.query_row(known, [&name.0], |_| Ok(())).optional()?.ok_or(Refusal::Unknown)?;
            let changed = transaction.execute(
                "UPDATE print SET state = ?2, failure = ?3 WHERE name = ?1 AND state IN ('intended', 'uncertain')",
                (&name.0, state, failure),
            )?;
            upload.iter().filter(|_| changed == 1).try_for_each(|upload| outbox::insert_upload(transaction, upload))
        })
    }

    /// What is known of a print.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn print_state(&self, name: &PrintName) -> Result<Option<PrintState>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT state, failure FROM print WHERE name = ?1";
            connection
                .query_row(sql, [&name.0], |row| {
                    let (state, failure): (String, Option<String>) = (row.get(0)?, row.get(1)?);
                    Ok(PrintState::from_columns(&state, failure.as_deref()))
                })
                .optional()
        })
    }

    /// The prints that have not ended, oldest first: what a restart asks the printer about.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn open_prints(&self) -> Result<Vec<PrintName>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT name FROM print WHERE state = 'intended' ORDER BY intended_ms, name";
            connection.prepare_cached(sql)?.query_map([], |row| row.get(0).map(PrintName))?.collect()
        })
    }
}
