//! What central is still to be told. An upload is written in the commit of its fact, keeps its idempotency key for
//! ever, and is never deleted: once central has receipted it, it is cut to its hash. The terminal's own status is no
//! fact: one of it waits at most, behind everything else, and a newer one takes its place.

use super::{Journal, Stop, unsigned};
use crate::{Refusal, StoreError};
use domain::Timestamp;
use protocol::upload::STATUS;
use protocol::{IdempotencyKey, Receipt, TerminalStatus, Upload, UploadBody};
use rusqlite::{Connection, OptionalExtension};
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

/// Receipts that are held before they are written down by themselves.
const RECEIPTS_MAX: usize = 64;

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

    /// Puts the terminal's status into the outbox. One that was not receipted yet is replaced; one that was, or was
    /// refused, is forgotten: nothing in the books follows from it.
    ///
    /// # Errors
    /// `Entropy`, `NoReserve`, `JournalWrite`.
    pub fn put_status(&mut self, status: TerminalStatus, written: Timestamp) -> Result<IdempotencyKey, StoreError> {
        let upload = self.upload(UploadBody::Status(status), written)?;
        self.begin(|transaction| {
            let replaced = "DELETE FROM outbox WHERE state = 'queued' AND money = 0 AND kind = ?1";
            transaction.prepare_cached(replaced)?.execute([STATUS])?;
            insert_upload(transaction, &upload)
        })?;
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

    /// The next uploads to send, at most `limit`: money first, then by age, the status last.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let held = u32::try_from(self.receipts.len()).unwrap_or(u32::MAX);
        let items: Vec<OutboxItem> = self.read(|connection| {
            let facts = "SELECT key, kind, bytes, attempts FROM outbox WHERE state = 'queued' AND kind <> ?2
                         ORDER BY money DESC, position LIMIT ?1";
            let status = "SELECT key, kind, bytes, attempts FROM outbox WHERE state = 'queued' AND money = 0
                          AND kind = ?2 LIMIT ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(OutboxItem {
                    key: IdempotencyKey(row.get(0)?),
                    kind: row.get(1)?,
                    bytes: row.get(2)?,
                    attempts: row.get(3)?,
                })
            };
            let limit = limit.saturating_add(held);
            let mut items: Vec<OutboxItem> =
                connection.prepare_cached(facts)?.query_map((limit, STATUS), read)?.collect::<Result<_, _>>()?;
            let found = u32::try_from(items.len()).unwrap_or(u32::MAX);
            for item in connection.prepare_cached(status)?.query_map((limit.saturating_sub(found), STATUS), read)? {
                items.push(item?);
            }
            Ok(items)
        })?;
        let waits = |item: &OutboxItem| self.receipts.iter().all(|receipt| receipt.key != item.key);
        Ok(items.into_iter().filter(waits).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    /// What a query on the outbox adds to its conditions, so that it does not see what is receipted and not written down
    /// yet.
    pub(super) fn waiting(&self) -> String {
        if self.receipts.is_empty() {
            return String::new();
        }
        let keys: Vec<String> = self.receipts.iter().map(|receipt| format!("x'{}'", receipt.key)).collect();
        format!(" AND key NOT IN ({})", keys.join(","))
    }

    /// Central has it: the bytes are cut to their hash. The receipt's signature is the caller's to check first.
    ///
    /// # Errors
    /// `Refused(Unknown)` when the receipt is for nothing in this journal or for other bytes, `JournalWrite`.
    pub fn outbox_settle(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        self.write(|transaction| if settle(transaction, receipt)? { Ok(()) } else { Err(Refusal::Unknown.into()) })
    }

    /// As `outbox_settle`, and written down with the next commit, whatever that is for, or by `outbox_flush`: a receipt
    /// that is lost with the process costs one upload more, which central answers as it did. No query sees the upload
    /// as waiting from now on.
    ///
    /// # Errors
    /// `Refused(Unknown)` when the receipt is for nothing in this journal or for other bytes. `JournalWrite` when so many
    /// receipts are held that they are written now.
    pub fn outbox_settle_later(&mut self, receipt: Receipt) -> Result<(), StoreError> {
        let hash = self.read(|connection| upload_hash(connection, receipt.key))?;
        if hash != Some(receipt.upload_sha256) {
            return Err(Refusal::Unknown.into());
        }
        if self.full {
            return Err(StoreError::JournalFull);
        }
        if self.receipts.iter().all(|held| held.key != receipt.key) {
            self.receipts.push(receipt);
        }
        if self.receipts.len() >= RECEIPTS_MAX { self.outbox_flush() } else { Ok(()) }
    }

    /// Writes the receipts that are held down, in one commit.
    ///
    /// # Errors
    /// `JournalWrite`.
    pub fn outbox_flush(&mut self) -> Result<(), StoreError> {
        if self.receipts.is_empty() { Ok(()) } else { self.write(|_| Ok(())) }
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
            if forget_status(transaction, key)? {
                return Ok(());
            }
            let sql = "UPDATE outbox SET state = 'quarantined', reason = ?2, attempts = attempts + 1
                 WHERE key = ?1 AND state = 'queued'";
            let changed = transaction.prepare_cached(sql)?.execute((key.0, reason))?;
            if changed == 1 { Ok(()) } else { Err(Refusal::Unknown.into()) }
        })
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

    /// How much waits; the status is not counted.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let waiting = self.waiting();
        self.read(|connection| {
            let sql = format!(
                "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'quarantined'),
                        min(made_ms) FILTER (WHERE state = 'queued')
                 FROM outbox WHERE state <> 'sent' AND kind <> ?1{waiting}"
            );
            connection.query_row(&sql, [STATUS], |row| {
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
            let changed = transaction.prepare_cached(sql)?.execute([key.0])?;
            if changed == 1 { Ok(()) } else { Err(Refusal::Unknown.into()) }
        })
    }
}

/// Whether the receipt is for an upload of this journal, which is cut to its hash then.
pub(super) fn settle(transaction: &Connection, receipt: &Receipt) -> rusqlite::Result<bool> {
    let Ok(encoded) = receipt.encode() else { return Ok(false) };
    if forget_status(transaction, receipt.key)? {
        return Ok(true);
    }
    let sql = "UPDATE outbox SET state = 'sent', bytes = NULL, reason = NULL, receipt = ?2
               WHERE key = ?1 AND hash = ?3 AND receipt IS NULL";
    let written = transaction.prepare_cached(sql)?.execute((receipt.key.0, encoded, receipt.upload_sha256))?;
    // What was receipted before keeps its first receipt.
    Ok(written == 1 || upload_hash(transaction, receipt.key)? == Some(receipt.upload_sha256))
}

/// Whether this was a status; then it is there no more.
fn forget_status(transaction: &Connection, key: IdempotencyKey) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM outbox WHERE key = ?1 AND kind = ?2";
    Ok(transaction.prepare_cached(sql)?.execute((key.0, STATUS))? > 0)
}

/// Writes an upload in the caller's commit. The same upload again changes nothing.
pub(super) fn insert_upload(transaction: &Connection, upload: &Upload) -> Result<(), Stop> {
    let bytes = upload.encode().map_err(|_| Refusal::Unknown)?;
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    let money = !matches!(upload.body, UploadBody::DocumentIssued(_) | UploadBody::Status(_));
    let written = transaction
        .prepare_cached(
            "INSERT INTO outbox (key, kind, money, made_ms, hash, bytes, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued')
             ON CONFLICT (key) DO NOTHING",
        )?
        .execute((upload.key.0, upload.body.name(), money, upload.written, hash, bytes))?;
    if written == 1 || upload_hash(transaction, upload.key)? == Some(hash) {
        Ok(())
    } else {
        Err(Refusal::KeyReused.into())
    }
}

fn upload_hash(connection: &Connection, key: IdempotencyKey) -> rusqlite::Result<Option<[u8; 32]>> {
    let mut statement = connection.prepare_cached("SELECT hash FROM outbox WHERE key = ?1")?;
    statement.query_row([key.0], |row| row.get(0)).optional()
}
