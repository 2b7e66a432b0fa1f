//! What a technician is told of the journal, and what goes on a stick: figures and sealed bytes, never a person.

use super::{Journal, unsigned};
use crate::StoreError;
use domain::Timestamp;
use protocol::upload::STATUS;

/// The waiting uploads of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKind {
    /// As `UploadBody::name` says.
    pub kind: String,
    /// To be sent.
    pub queued: u64,
    /// Refused by central.
    pub quarantined: u64,
    /// When the oldest of both was written.
    pub oldest: Timestamp,
}

/// An upload that central has not receipted, at its place in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its place; the next page begins after it.
    pub position: i64,
    /// `Upload::encode`, as written with the fact.
    pub bytes: Vec<u8>,
}

impl Journal {
    /// What waits, by kind; the status is not counted.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_kinds(&self) -> Result<Vec<OutboxKind>, StoreError> {
        let waiting = self.waiting();
        self.read(|connection| {
            let sql = format!(
                "SELECT kind, count(*) FILTER (WHERE state = 'queued'),
                        count(*) FILTER (WHERE state = 'quarantined'), min(made_ms)
                 FROM outbox WHERE state <> 'sent' AND kind <> ?1{waiting} GROUP BY kind ORDER BY kind"
            );
            let read = |row: &rusqlite::Row<'_>| {
                Ok(OutboxKind {
                    kind: row.get(0)?,
                    queued: unsigned(1, row.get(1)?)?,
                    quarantined: unsigned(2, row.get(2)?)?,
                    oldest: Timestamp(row.get(3)?),
                })
            };
            connection.prepare_cached(&sql)?.query_map([STATUS], read)?.collect()
        })
    }

    /// A page of what central has not receipted, quarantined uploads among them: at most `limit` uploads that lie
    /// behind the place `after` (0 for the first page), oldest first.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_unsent(&self, after: i64, limit: u32) -> Result<Vec<Unsent>, StoreError> {
        let waiting = self.waiting();
        self.read(|connection| {
            let sql = format!(
                "SELECT position, bytes FROM outbox WHERE state <> 'sent'{waiting} AND position > ?1
                 ORDER BY position LIMIT ?2"
            );
            let read = |row: &rusqlite::Row<'_>| Ok(Unsent { position: row.get(0)?, bytes: row.get(1)? });
            connection.prepare_cached(&sql)?.query_map((after, limit), read)?.collect()
        })
    }

    /// A page of what central would not book: at most `limit` quarantined uploads that lie behind the place `after` (0 for
    /// the first page), oldest first. A receipt for one settles it like any other.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_aside(&self, after: i64, limit: u32) -> Result<Vec<Unsent>, StoreError> {
        let waiting = self.waiting();
        self.read(|connection| {
            let sql = format!(
                "SELECT position, bytes FROM outbox WHERE state = 'quarantined'{waiting} AND position > ?1
                 ORDER BY position LIMIT ?2"
            );
            let read = |row: &rusqlite::Row<'_>| Ok(Unsent { position: row.get(0)?, bytes: row.get(1)? });
            connection.prepare_cached(&sql)?.query_map((after, limit), read)?.collect()
        })
    }

    /// How many sheets have come out since a moment, or may have: each paper is one sheet.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn sheets_since(&self, moment: Timestamp) -> Result<u64, StoreError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM print WHERE state IN ('printed', 'uncertain') AND intended_ms >= ?1";
            connection.query_row(sql, [moment.0], |row| unsigned(0, row.get(0)?))
        })
    }
}
