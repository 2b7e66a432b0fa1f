//! What the uploads of one commit say, gathered and then written with few statements. What the books knew before is
//! looked up once. Whoever looks into the tables by other ways flushes first, and forgets afterwards.

use crate::db::{ROWS_MAX, Transaction, Value, params};
use crate::error::CentralError;
use crate::uploads::sql;
use crate::view::{self, Booked};
use domain::{TerminalId, Timestamp, TopUpId};
use ledger::{Chain, Entry, Posting};
use protocol::Receipt;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const UPLOADS: &str = "upload (key, number, terminal, journal_generation, written, received, kind, sha256, bytes,
                               receipt, signature, signed_by)";
const ENTRIES: &str = "entry (id, top_up, kind, terminal, journal_generation, seq, at, card, amount, prev, hash, bytes,
                              upload, posted)";

/// An upload that was taken.
pub(crate) struct NewUpload {
    pub(crate) terminal: u32,
    pub(crate) journal_generation: u32,
    pub(crate) written: i64,
    pub(crate) received: Timestamp,
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) receipt: Receipt,
    pub(crate) encoded_receipt: Vec<u8>,
    /// The terminal's signature, and the name of its key.
    pub(crate) signature: Option<([u8; 64], [u8; 8])>,
}

struct NewEntry {
    entry: Entry,
    upload: u64,
    posted: bool,
}

type Journal = (TerminalId, u32);

/// The sheet of one commit.
pub(crate) struct Sheet<'t, 'c> {
    pub(crate) transaction: &'t Transaction<'c>,
    known: HashMap<TopUpId, Vec<Booked>>,
    chains: HashMap<Journal, Chain>,
    moved: BTreeSet<Journal>,
    entries: Vec<NewEntry>,
    uploads: Vec<NewUpload>,
    /// The newest entry's number in its table. There is one writer at a time, and every entry is written by a sheet.
    newest_entry: Option<i64>,
}

impl<'t, 'c> Sheet<'t, 'c> {
    pub(crate) fn new(transaction: &'t Transaction<'c>) -> Self {
        let (known, chains, moved) = (HashMap::new(), HashMap::new(), BTreeSet::new());
        Self { transaction, known, chains, moved, entries: Vec::new(), uploads: Vec::new(), newest_entry: None }
    }

    /// Looks many top-ups up at once.
    pub(crate) fn look_up(&mut self, top_ups: &BTreeSet<TopUpId>) -> Result<(), CentralError> {
        let keys: Vec<Value<'_>> = top_ups.iter().map(|top_up| Value::Blob(&top_up.0)).collect();
        let select = "SELECT top_up, bytes, posted FROM entry WHERE top_up IN";
        let rows = self.transaction.query_in(select, "ORDER BY id", &keys, |row| {
            Ok((TopUpId(row.get(0)?), row.get::<Vec<u8>>(1)?, row.get::<bool>(2)?))
        })?;
        for top_up in top_ups {
            self.known.insert(*top_up, Vec::new());
        }
        for (top_up, bytes, posted) in rows {
            let entry = Entry::decode(&bytes).map_err(|error| CentralError::NotReady(error.to_string()))?;
            self.known.entry(top_up).or_default().push(Booked { entry, posted });
        }
        Ok(())
    }

    /// What is booked of a top-up, in the order of its arrival, with what this sheet says.
    pub(crate) fn known(&mut self, top_up: TopUpId) -> Result<&[Booked], CentralError> {
        if !self.known.contains_key(&top_up) {
            let booked = view::entries_of(self.transaction, top_up)?;
            let unwritten = self.entries.iter().filter(|new| new.entry.subject.top_up == top_up);
            let unwritten = unwritten.map(|new| Booked { entry: new.entry.clone(), posted: new.posted });
            self.known.insert(top_up, booked.into_iter().chain(unwritten).collect());
        }
        Ok(self.known.get(&top_up).map(Vec::as_slice).unwrap_or_default())
    }

    /// The end of a journal's chain.
    pub(crate) fn chain(&mut self, terminal: TerminalId, generation: u32) -> Result<Chain, CentralError> {
        if let Some(chain) = self.chains.get(&(terminal, generation)) {
            return Ok(*chain);
        }
        let new = Chain::new(terminal, generation);
        let stored = self.transaction.query_opt(
            "SELECT next_seq, head FROM chain WHERE terminal = ?1 AND journal_generation = ?2",
            params![terminal.0, generation],
            |row| Ok((row.get::<i64>(0)?, row.get(1)?)),
        )?;
        let chain =
            stored.map_or(new, |(next, head)| Chain { next_seq: u64::try_from(next).unwrap_or(1), head, ..new });
        self.chains.insert((terminal, generation), chain);
        Ok(chain)
    }

    pub(crate) fn move_chain(&mut self, chain: Chain) {
        let journal = (chain.terminal, chain.journal_generation);
        self.chains.insert(journal, chain);
        self.moved.insert(journal);
    }

    pub(crate) fn put_entry(&mut self, entry: Entry, upload: u64, posted: bool) {
        if let Some(known) = self.known.get_mut(&entry.subject.top_up) {
            known.push(Booked { entry: entry.clone(), posted });
        }
        self.entries.push(NewEntry { entry, upload, posted });
    }

    /// Whole statements' worth of rows is sent at once: the server writes it while the next uploads are looked at.
    pub(crate) fn put_upload(&mut self, upload: NewUpload) -> Result<(), CentralError> {
        self.uploads.push(upload);
        if self.uploads.len() < ROWS_MAX {
            return Ok(());
        }
        self.flush_uploads()?;
        self.flush_entries()
    }

    /// Writes everything.
    pub(crate) fn flush(&mut self) -> Result<(), CentralError> {
        self.flush_uploads()?;
        self.flush_entries()?;
        for journal in std::mem::take(&mut self.moved) {
            if let Some(chain) = self.chains.get(&journal) {
                self.transaction.execute_later(
                    "INSERT INTO chain (terminal, journal_generation, next_seq, head) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (terminal, journal_generation) DO UPDATE SET next_seq = ?3, head = ?4",
                    params![chain.terminal.0, chain.journal_generation, sql(chain.next_seq), chain.head],
                )?;
            }
        }
        Ok(())
    }

    /// Writes everything; whoever is called next may write what this sheet knows otherwise.
    pub(crate) fn hand_over(&mut self) -> Result<&'t Transaction<'c>, CentralError> {
        self.flush()?;
        self.known.clear();
        self.chains.clear();
        self.newest_entry = None;
        Ok(self.transaction)
    }

    fn flush_uploads(&mut self) -> Result<(), CentralError> {
        let uploads = std::mem::take(&mut self.uploads);
        let mut values = Vec::with_capacity(uploads.len() * 12);
        for upload in &uploads {
            let (signature, key) = upload
                .signature
                .as_ref()
                .map_or((Value::Null, Value::Null), |(signature, key)| (Value::Blob(signature), Value::Blob(key)));
            values.extend([
                Value::Blob(&upload.receipt.key.0),
                Value::Int(sql(upload.receipt.number)),
                Value::Int(upload.terminal.into()),
                Value::Int(upload.journal_generation.into()),
                Value::Int(upload.written),
                Value::Int(upload.received.0),
                Value::Text(upload.kind),
                Value::Blob(&upload.receipt.upload_sha256),
                Value::Blob(&upload.bytes),
                Value::Blob(&upload.encoded_receipt),
                signature,
                key,
            ]);
        }
        self.transaction.insert_later(UPLOADS, 12, &values)?;
        self.count(&uploads)
    }

    /// How many each terminal has sent, beside the uploads themselves: nobody has to count those.
    fn count(&self, uploads: &[NewUpload]) -> Result<(), CentralError> {
        let mut counts: BTreeMap<u32, i64> = BTreeMap::new();
        for upload in uploads {
            *counts.entry(upload.terminal).or_default() += 1;
        }
        for (terminal, more) in counts {
            self.transaction.execute_later(
                "INSERT INTO upload_count (terminal, uploads) VALUES (?1, ?2)
                 ON CONFLICT (terminal) DO UPDATE SET uploads = upload_count.uploads + ?2",
                params![terminal, more],
            )?;
        }
        Ok(())
    }

    fn next_entry(&mut self) -> Result<i64, CentralError> {
        let newest = match self.newest_entry {
            Some(newest) => newest,
            None => self.transaction.query_row("SELECT coalesce(max(id), 0) FROM entry", &[], |row| row.get(0))?,
        };
        self.newest_entry = Some(newest + 1);
        Ok(newest + 1)
    }

    fn flush_entries(&mut self) -> Result<(), CentralError> {
        let entries = std::mem::take(&mut self.entries);
        let mut written = Vec::with_capacity(entries.len());
        for new in &entries {
            written.push((self.next_entry()?, new.entry.hash(), new.entry.encode()));
        }
        let (mut values, mut postings) = (Vec::with_capacity(entries.len() * 14), Vec::new());
        for (new, (id, hash, bytes)) in entries.iter().zip(&written) {
            let (entry, subject) = (&new.entry, &new.entry.subject);
            values.extend([
                Value::Int(*id),
                Value::Blob(&subject.top_up.0),
                Value::Int(entry.fact.kind().number().into()),
                Value::Int(entry.terminal.0.into()),
                Value::Int(entry.journal_generation.into()),
                Value::Int(sql(entry.seq)),
                Value::Int(entry.at.0),
                Value::Int(sql(subject.card.0)),
                Value::Int(subject.amount.0),
                Value::Blob(&entry.prev),
                Value::Blob(hash),
                Value::Blob(bytes),
                Value::Int(sql(new.upload)),
                Value::Int(new.posted.into()),
            ]);
            let posted: &[Posting] = if new.posted { &entry.postings } else { &[] };
            for (line, posting) in (1_i64..).zip(posted) {
                let account = Value::Text(posting.account.name());
                postings.extend([Value::Int(*id), Value::Int(line), account, Value::Int(posting.amount.0)]);
            }
        }
        self.transaction.insert_later(ENTRIES, 14, &values)?;
        Ok(self.transaction.insert_later("posting (entry, line, account, amount)", 4, &postings)?)
    }
}
