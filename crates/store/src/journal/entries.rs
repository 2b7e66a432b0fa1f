//! The ledger's entries: appended together with their uploads, and read back as the bytes that were written.

use super::{Journal, Stop, outbox, signed};
use crate::{Refusal, StoreError};
use domain::{Timestamp, TopUpId};
use ledger::{Chain, Entry, Fact, Ledger};
use protocol::{Upload, UploadBody};
use rusqlite::{Connection, OptionalExtension, Params};

impl Journal {
    /// Appends entries, each with the upload that carries it, in one commit: all of it is durable when this returns,
    /// and none of it otherwise.
    ///
    /// # Errors
    /// `Refused` when an entry does not continue the chain, or its (top-up, kind) is already booked: nothing is
    /// written. `NoReserve` when a top-up is to begin that could not be brought to an end. `JournalWrite` stops the
    /// journal.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.append_with(entries, Vec::new())
    }

    /// Appends entries as `append` does, and in the same commit puts into the outbox what was seen together with them,
    /// each with the moment it was seen.
    ///
    /// # Errors
    /// As `append`; `NoReserve` also for something seen that no entry comes with.
    pub fn append_with(&mut self, entries: &[Entry], seen: Vec<(UploadBody, Timestamp)>) -> Result<(), StoreError> {
        let begins = |entry: &Entry| matches!(entry.fact, Fact::Intent { .. } | Fact::Ordered { .. });
        if entries.is_empty() || entries.iter().any(begins) {
            self.want_reserve()?;
        }
        let uploads: Vec<Upload> = entries
            .iter()
            .map(|entry| self.upload(UploadBody::LedgerEntry(entry.encode()), entry.at))
            .collect::<Result<_, _>>()?;
        let seen: Vec<Upload> = seen.into_iter().map(|(body, at)| self.upload(body, at)).collect::<Result<_, _>>()?;
        let mut chain = self.chain;
        self.write(|transaction| {
            for (entry, upload) in entries.iter().zip(&uploads) {
                insert_entry(transaction, &mut chain, entry)?;
                outbox::insert_upload(transaction, upload)?;
            }
            seen.iter().try_for_each(|upload| outbox::insert_upload(transaction, upload))
        })?;
        self.chain = chain;
        Ok(())
    }

    /// The chain's end: what the next entry continues.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// Every entry, oldest first.
    ///
    /// # Errors
    /// `JournalRead`, or `JournalCorrupt` when one does not decode.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.entries_where("SELECT bytes FROM entry ORDER BY seq", [])
    }

    /// The entries of one top-up, oldest first; none when it is not in this journal.
    ///
    /// # Errors
    /// As `entries`.
    pub fn entries_of(&self, top_up: TopUpId) -> Result<Vec<Entry>, StoreError> {
        self.entries_where("SELECT bytes FROM entry WHERE top_up = ?1 ORDER BY seq", [top_up.0])
    }

    /// All entries of each top-up that has not ended, oldest top-up first: what a restart has to bring to an end.
    ///
    /// # Errors
    /// As `entries`.
    pub fn open_top_ups(&self) -> Result<Vec<Vec<Entry>>, StoreError> {
        let ledger = self.replay()?;
        let mut open: Vec<Vec<Entry>> =
            ledger.open().map(|top_up| self.entries_of(top_up.subject().top_up)).collect::<Result<_, _>>()?;
        open.sort_by_key(|entries| entries.first().map(|entry| entry.seq));
        Ok(open)
    }

    fn entries_where(&self, sql: &str, params: impl Params) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Vec<u8>> = self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params, |row| row.get(0))?.collect()
        })?;
        rows.iter()
            .map(|bytes| Entry::decode(bytes).map_err(|error| StoreError::JournalCorrupt(error.to_string())))
            .collect()
    }

    /// Folds all entries: verifies that each decodes, continues the chain and follows from what was said before.
    pub(super) fn replay(&self) -> Result<Ledger, StoreError> {
        let entries = self.entries()?;
        Ledger::replay(self.chain.terminal, self.generation, &entries)
            .map_err(|error| StoreError::JournalCorrupt(error.to_string()))
    }
}

fn insert_entry(transaction: &Connection, chain: &mut Chain, entry: &Entry) -> Result<(), Stop> {
    if chain.accept(entry).is_err() {
        let booked = is_booked(transaction, entry)?;
        return Err(if booked { Refusal::AlreadyBooked } else { Refusal::OutOfChain }.into());
    }
    // Without the clause a second entry of the kind would be a failed write, and the journal's end.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO entry (seq, top_up, kind, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (top_up, kind) DO NOTHING",
    )?;
    let kind = entry.fact.kind().number();
    let written = statement.execute((signed(entry.seq)?, entry.subject.top_up.0, kind, chain.head, entry.encode()))?;
    if written == 1 { Ok(()) } else { Err(Refusal::AlreadyBooked.into()) }
}

fn is_booked(transaction: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached("SELECT 1 FROM entry WHERE top_up = ?1 AND kind = ?2")?;
    let key = (entry.subject.top_up.0, entry.fact.kind().number());
    Ok(statement.query_row(key, |_| Ok(())).optional()?.is_some())
}
