//! What central is still to be told. An upload is written in the commit of its fact, keeps its idempotency key for
//! ever, and is never deleted: once central has receipted it, it is cut to its hash.

use super::{Journal, Stop, unsigned};
use crate::{Refusal, StoreError};
use domain::Timestamp;
use protocol::{IdempotencyKey, Receipt, Upload, UploadBody};
use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::{Digest, Sha256};

/// One upload that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its key, the same at every attempt.
    pub key: IdempotencyKey,
    /// What kind of fact, as `UploadBody::name` says.
    pub kind: String,
    /// `Upload::encode`, as written with the fact.
    pub bytes: Vec<u8>,
    /// Attempts so far that got no receipt.
    pub attempts: u32,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// To be sent.
    pub queued: u64,
    /// Refused by central; a technician or central's owner of the kind has to look.
    pub quarantined: u64,
    /// When the oldest queued fact was written.
    pub oldest: Option<Timestamp>,
}

impl Journal {
    /// Puts a fact into the outbox that is in no other table; durable when it returns.
    ///
    /// # Errors
    /// `Entropy`, `NoReserve`, `JournalWrite`.
    pub fn enqueue(&mut self, body: UploadBody, written: Timestamp) -> Result<IdempotencyKey, StoreError> {
        let upload = self.upload(body, written)?;
        self.begin(|transaction| insert_upload(transaction, &upload))?;
        Ok(upload.key)
    }

    /// An upload of this journal with a new key.
    pub(super) fn upload(&self, body: UploadBody, written: Timestamp) -> Result<Upload, StoreError> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        Ok(Upload {
            terminal: self.chain.terminal.0,
            journal_generation: self.generation,
            key: IdempotencyKey(key),
            written: written.0,
            body,
        })
    }

    /// The next uploads to send, at most `limit`: money first, then by age.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT key, kind, bytes, attempts FROM outbox WHERE state = 'queued'
                       ORDER BY money DESC, position LIMIT ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(OutboxItem {
                    key: IdempotencyKey(row.get(0)?),
                    kind: row.get(1)?,
                    bytes: row.get(2)?,
                    attempts: row.get(3)?,
                })
            };
            connection.prepare_cached(sql)?.query_map([limit], read)?.collect()
        })
    }

    /// Central has it: the bytes are cut to their hash. The receipt's signature is the caller's to check first.
    ///
    /// # Errors
    /// `Refused(Unknown)` when the receipt is for nothing in this journal or for other bytes, `JournalWrite`.
    pub fn outbox_settle(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        self.outbox_settle_all(std::slice::from_ref(receipt))
    }

    /// As `outbox_settle`, for the receipts of several uploads in one commit. One that fits nothing settles nothing and
    /// keeps no other from settling.
    ///
    /// # Errors
    /// `Refused(Unknown)` when one of them fits nothing, after the others were settled. `JournalWrite`.
    pub fn outbox_settle_all(&mut self, receipts: &[Receipt]) -> Result<(), StoreError> {
        if receipts.is_empty() {
            return Ok(());
        }
        let settled = self.write(|transaction| {
            let mut settled = 0;
            for receipt in receipts {
                settled += usize::from(settle(transaction, receipt)?);
            }
            // Nothing to commit is nothing to wait for the disk for.
            if settled == 0 { Err(Refusal::Unknown.into()) } else { Ok(settled) }
        })?;
        if settled == receipts.len() { Ok(()) } else { Err(Refusal::Unknown.into()) }
    }

    /// Counts an attempt that got no receipt; the upload stays where it is.
    ///
    /// # Errors
    /// `Refused(Unknown)`, `JournalWrite`.
    pub fn outbox_attempted(&mut self, key: IdempotencyKey) -> Result<(), StoreError> {
        self.update_one("UPDATE outbox SET attempts = attempts + 1 WHERE key = ?1", key)
    }

    /// Central refused it for good: it stands aside with the reason, and the others go on.
    ///
    /// # Errors
    /// `Refused(Unknown)` when it is not queued, `JournalWrite`.
    pub fn outbox_quarantine(&mut self, key: IdempotencyKey, reason: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE outbox SET state = 'quarantined', reason = ?2, attempts = attempts + 1
                 WHERE key = ?1 AND state = 'queued'",
                (key.0, reason),
            )?;
            if changed == 1 { Ok(()) } else { Err(Refusal::Unknown.into()) }
        })
    }

    /// A technician lets a quarantined upload be sent again, under its old key.
    ///
    /// # Errors
    /// `Refused(Unknown)` when it is not quarantined, `JournalWrite`.
    pub fn outbox_release(&mut self, key: IdempotencyKey) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET state = 'queued', reason = NULL WHERE key = ?1 AND state = 'quarantined'";
        self.update_one(sql, key)
    }

    /// The quarantined uploads with their reasons, oldest first.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_quarantined(&self) -> Result<Vec<(IdempotencyKey, String)>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT key, coalesce(reason, '') FROM outbox WHERE state = 'quarantined' ORDER BY position";
            let read = |row: &rusqlite::Row<'_>| Ok((IdempotencyKey(row.get(0)?), row.get(1)?));
            connection.prepare_cached(sql)?.query_map([], read)?.collect()
        })
    }

    /// How much waits.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'quarantined'),
                       min(made_ms) FILTER (WHERE state = 'queued') FROM outbox WHERE state <> 'sent'";
            connection.query_row(sql, [], |row| {
                Ok(OutboxCounts {
                    queued: unsigned(0, row.get(0)?)?,
                    quarantined: unsigned(1, row.get(1)?)?,
                    oldest: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                })
            })
        })
    }

    fn update_one(&mut self, sql: &str, key: IdempotencyKey) -> Result<(), StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(sql, [key.0])?;
            if changed == 1 { Ok(()) } else { Err(Refusal::Unknown.into()) }
        })
    }
}

/// Whether the receipt is for an upload of this journal, which is cut to its hash then.
fn settle(transaction: &Transaction<'_>, receipt: &Receipt) -> Result<bool, Stop> {
    let Ok(encoded) = receipt.encode() else { return Ok(false) };
    if upload_hash(transaction, receipt.key)? != Some(receipt.upload_sha256) {
        return Ok(false);
    }
    let sql = "UPDATE outbox SET state = 'sent', bytes = NULL, reason = NULL, receipt = ?2
               WHERE key = ?1 AND receipt IS NULL";
    transaction.prepare_cached(sql)?.execute((receipt.key.0, encoded))?;
    Ok(true)
}

/// Writes an upload in the caller's commit. The same upload again changes nothing.
pub(super) fn insert_upload(transaction: &Transaction<'_>, upload: &Upload) -> Result<(), Stop> {
    let bytes = upload.encode().map_err(|_| Refusal::Unknown)?;
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    match upload_hash(transaction, upload.key)? {
        Some(known) if known == hash => return Ok(()),
        Some(_) => return Err(Refusal::KeyReused.into()),
        None => {}
    }
    let money = matches!(upload.body, UploadBody::LedgerEntry(_) | UploadBody::ClaimEvidence(_));
    transaction
        .prepare_cached(
            "INSERT INTO outbox (key, kind, money, made_ms, hash, bytes, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued')",
        )?
        .execute((upload.key.0, upload.body.name(), money, upload.written, hash, bytes))?;
    Ok(())
}

fn upload_hash(connection: &Connection, key: IdempotencyKey) -> rusqlite::Result<Option<[u8; 32]>> {
    let mut statement = connection.prepare_cached("SELECT hash FROM outbox WHERE key = ?1")?;
    statement.query_row([key.0], |row| row.get(0)).optional()
}
