//! Many uploads in one commit, of one terminal or of several. Each gets its own answer, as if it had come alone, and
//! one that central fails at fails alone. What no book can take is put into the quarantine in the same commit.

use super::{order_for, read, take_new};
use crate::Database;
use crate::books::Sheet;
use crate::db::{Transaction, Value, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::numbers::{self, Numbered};
use crate::quarantine::{self, Cases};
use domain::{TerminalId, Timestamp};
use ledger::Entry;
use protocol::central::behind;
use protocol::{IdempotencyKey, NoteKey, Problem, ProblemCode, Receipt, Upload, UploadBody};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};

/// By what a terminal vouches for an upload: its signature, which was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Ed25519, as `protocol::signed_upload` says.
    pub signature: [u8; 64],
    /// The public key.
    pub key: [u8; 32],
}

impl Proof {
    /// What the tables name the key by: the beginning of its SHA-256.
    #[must_use]
    pub fn key_id(&self) -> [u8; 8] {
        let hash: [u8; 32] = Sha256::digest(self.key).into();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }
}

/// An upload as an authenticated terminal sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Who.
    pub terminal: TerminalId,
    /// What.
    pub bytes: Vec<u8>,
    /// Its signature; `None` for what comes over loopback from a terminal without keys.
    pub proof: Option<Proof>,
}

impl Sent {
    /// Without a signature.
    #[must_use]
    pub fn unsigned(terminal: TerminalId, bytes: Vec<u8>) -> Self {
        Self { terminal, bytes, proof: None }
    }
}

type Taken = Result<Receipt, CentralError>;
/// A journal: terminal and generation.
pub(crate) type Journal = (u32, u32);

/// The journal whose order an upload has to keep.
pub(crate) fn journal_of(upload: &Upload) -> Option<Journal> {
    matches!(upload.body, UploadBody::LedgerEntry(_)).then_some((upload.terminal, upload.journal_generation))
}

/// An upload that has no answer yet.
struct Waiting<'a> {
    at: usize,
    sent: &'a Sent,
    upload: Result<Upload, Problem>,
}

impl Waiting<'_> {
    /// The journal whose order it has to keep.
    fn journal(&self) -> Option<Journal> {
        journal_of(self.upload.as_ref().ok()?)
    }
}

/// What every upload of a commit is taken with.
pub(super) struct Desk<'a> {
    pub(super) keys: &'a KeyFile,
    pub(super) signer: NoteKey,
    pub(super) now: Timestamp,
}

/// Takes uploads in the order given; the receipts or refusals in the same order. A receipt is in what is returned only
/// after the commit that holds its upload. An entry of the ledger behind one that central failed at is not tried.
pub fn take_batch(database: &mut Database, keys: &KeyFile, sent: &[Sent], now: Timestamp) -> Vec<Taken> {
    let mut answers: Vec<Option<Taken>> = sent.iter().map(|_| None).collect();
    let read = |(at, sent): (usize, &'_ Sent)| (at, read(sent.terminal, &sent.bytes));
    let uploads: Vec<_> = sent.iter().enumerate().map(read).collect();
    let mut left: Vec<Waiting<'_>> =
        uploads.into_iter().zip(sent).map(|((at, upload), sent)| Waiting { at, sent, upload }).collect();
    let mut stopped: HashSet<Journal> = HashSet::new();
    // How many of the next go together.
    let mut count = left.len();
    while !left.is_empty() {
        match together(database, keys, left.get(..count).unwrap_or(&left), now) {
            Ok(taken) => {
                for (one, taken) in left.drain(..count).zip(taken) {
                    answer(&mut answers, one.at, with_order(database, keys, &one, taken, now));
                }
                count = if count < left.len() && count > 1 { 1 } else { left.len() };
            }
            // Nobody got in: that is no upload's fault.
            Err((None, error)) => return unanswered(answers, &error.to_string()),
            Err((_, error)) if count == 1 => {
                let failed = left.remove(0);
                stopped.extend(failed.journal());
                answer(&mut answers, failed.at, Err(error));
                hold_back(&mut left, &stopped, &mut answers);
                count = left.len();
            }
            Err((_, error)) if database.is_closed() => return unanswered(answers, &error.to_string()),
            // Those before the one that failed go together, then that one alone.
            Err((Some(place), _)) => count = place.clamp(1, count - 1),
        }
    }
    unanswered(answers, "an upload of a batch got no answer")
}

/// The answers, and this for those who have none.
fn unanswered(answers: Vec<Option<Taken>>, why: &str) -> Vec<Taken> {
    let lost = || Err(CentralError::NotReady(why.to_owned()));
    answers.into_iter().map(|taken| taken.unwrap_or_else(lost)).collect()
}

fn answer(answers: &mut [Option<Taken>], at: usize, with: Taken) {
    if let Some(place) = answers.get_mut(at) {
        *place = Some(with);
    }
}

/// Entries behind one that could not be taken wait with it: a chain is taken in order.
fn hold_back(left: &mut Vec<Waiting<'_>>, stopped: &HashSet<Journal>, answers: &mut [Option<Taken>]) {
    left.retain(|one| {
        let waits = one.journal().is_some_and(|journal| stopped.contains(&journal));
        if waits {
            answer(answers, one.at, Err(behind().into()));
        }
        !waits
    });
}

fn with_order(database: &Database, keys: &KeyFile, one: &Waiting<'_>, taken: Taken, now: Timestamp) -> Taken {
    let receipt = taken?;
    let order = one.upload.as_ref().ok().map(|upload| order_for(database, keys, upload, now)).transpose()?;
    Ok(receipt.with_order(order.flatten()))
}

/// One commit; or at which upload it failed, if it came that far. What a server refuses late is told with the commit: then half of them are
/// tried.
fn together(
    database: &mut Database,
    keys: &KeyFile,
    waiting: &[Waiting<'_>],
    now: Timestamp,
) -> Result<Vec<Taken>, (Option<usize>, CentralError)> {
    let mut place = None;
    let taken = database.write(|transaction| {
        place = Some(0);
        let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
        let desk = Desk { keys, signer, now };
        let mut batch = Batch::begin(transaction, &desk, waiting)?;
        let mut taken = Vec::with_capacity(waiting.len());
        for one in waiting {
            taken.push(batch.take(one)?);
            place = Some(taken.len());
        }
        place = Some(waiting.len() / 2);
        batch.sheet.flush()?;
        Ok(taken)
    });
    taken.map_err(|error| (place, error))
}

/// A commit under way.
struct Batch<'t, 'c, 'd> {
    desk: &'d Desk<'d>,
    sheet: Sheet<'t, 'c>,
    /// The newest upload's number.
    newest: u64,
    /// Uploads that were taken before, by their keys: the hash of their bytes, and the receipt.
    known: HashMap<IdempotencyKey, (Vec<u8>, Vec<u8>)>,
    cases: Cases,
    /// Keys that cannot be kept: another one has their name.
    nameless: HashSet<[u8; 32]>,
}

impl<'t, 'c, 'd> Batch<'t, 'c, 'd> {
    /// Looks up what is known of these uploads.
    fn begin(
        transaction: &'t Transaction<'c>,
        desk: &'d Desk<'d>,
        waiting: &[Waiting<'_>],
    ) -> Result<Self, CentralError> {
        transaction.looks_up_by_keys()?;
        let newest = numbers::highest(transaction, Numbered::Upload)?;
        let uploads = || waiting.iter().filter_map(|one| one.upload.as_ref().ok());
        let keys: Vec<Value<'_>> = uploads().map(|upload| Value::Blob(&upload.key.0)).collect();
        let select = "SELECT key, sha256, receipt FROM upload WHERE key IN";
        let known = transaction
            .query_in(select, "", &keys, |row| Ok((IdempotencyKey(row.get(0)?), (row.get(1)?, row.get(2)?))))?;
        let mut sheet = Sheet::new(transaction);
        let top_ups: BTreeSet<_> = uploads()
            .filter_map(|upload| match &upload.body {
                UploadBody::LedgerEntry(bytes) => Some(Entry::decode(bytes).ok()?.subject.top_up),
                _ => None,
            })
            .collect();
        sheet.look_up(&top_ups)?;
        let nameless = keep_keys(transaction, waiting, desk.now)?;
        let cases = Cases::of(transaction, &waiting.iter().map(|one| one.sent.terminal.0).collect())?;
        Ok(Self { desk, sheet, newest, known: known.into_iter().collect(), cases, nameless })
    }

    /// Takes one, or says why no book can.
    fn take(&mut self, one: &Waiting<'_>) -> Result<Taken, CentralError> {
        if one.sent.proof.as_ref().is_some_and(|proof| self.nameless.contains(&proof.key)) {
            let detail = "another key has the name of this one: enrol the terminal anew";
            return Ok(Err(Problem::new(ProblemCode::Unauthorised, detail).into()));
        }
        if let Some((kept, problem)) = self.cases.closed(self.sheet.transaction, self.desk.keys, one.sent)? {
            return Ok(Err(CentralError::Kept(Box::new(kept), problem)));
        }
        let outcome = match &one.upload {
            Ok(upload) => self.take_new_or_known(one.sent, upload),
            Err(problem) => Err(problem.clone().into()),
        };
        match outcome {
            Ok(receipt) => {
                self.cases.end(self.sheet.transaction, one.sent, self.desk.now)?;
                Ok(Ok(receipt))
            }
            Err(CentralError::Problem(problem)) if problem.is_permanent() => {
                match self.cases.admit(self.sheet.transaction, one.sent) {
                    Err(CentralError::Problem(full)) => return Ok(Err(full.into())),
                    admitted => admitted?,
                }
                let kind = one.upload.as_ref().map_or("unreadable", |upload| upload.body.name());
                let kept =
                    quarantine::keep(self.sheet.transaction, self.desk.keys, one.sent, kind, &problem, self.desk.now)?;
                Ok(Err(CentralError::Kept(Box::new(kept), problem)))
            }
            Err(CentralError::Problem(problem)) => Ok(Err(problem.into())),
            Err(error) => Err(error),
        }
    }

    fn take_new_or_known(&mut self, sent: &Sent, upload: &Upload) -> Result<Receipt, CentralError> {
        if let Some((sha256, receipt)) = self.known.get(&upload.key) {
            if *sha256 != Sha256::digest(&sent.bytes).as_slice() {
                let detail = format!("the key {} was used with other bytes", upload.key);
                return Err(Problem::new(ProblemCode::Conflict, detail).into());
            }
            let known = Receipt::decode(receipt).map_err(|error| CentralError::NotReady(error.to_string()))?;
            // Signed anew: a terminal may no longer know the head key of then. Under the same key it is the same receipt.
            let (received, signer) = (Timestamp(known.received), &self.desk.signer);
            let again = Receipt::sign(upload.key, &sent.bytes, known.number, received, signer);
            return Ok(again.with_order(known.order));
        }
        let receipt = take_new(&mut self.sheet, self.desk, sent, upload, self.newest + 1)?;
        self.newest = self.newest.max(receipt.number);
        if receipt.number > 0 {
            let encoded = receipt.encode().map_err(|error| CentralError::Feed(error.to_string()))?;
            self.known.insert(upload.key, (receipt.upload_sha256.to_vec(), encoded));
        }
        Ok(receipt)
    }
}

/// Keeps the public keys by which these uploads can be verified for ever, also after the terminal is enrolled anew.
/// Those among them whose name is another key's.
fn keep_keys(
    transaction: &Transaction<'_>,
    waiting: &[Waiting<'_>],
    now: Timestamp,
) -> Result<HashSet<[u8; 32]>, CentralError> {
    let mut others = HashSet::new();
    let proofs = waiting.iter().filter_map(|one| Some((one.sent.terminal, one.sent.proof.as_ref()?.key)));
    for (terminal, key) in proofs.collect::<HashSet<_>>() {
        let id = Proof { signature: [0; 64], key }.key_id();
        transaction.execute_later(
            "INSERT INTO signing_key (id, terminal, public_key, first_used) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO NOTHING",
            params![id, terminal.0, key, now.0],
        )?;
        // Its name is 64 bits of a hash, which whoever makes keys may look for: what is verified by another key for
        // ever must not be taken by this one.
        let sql = "SELECT public_key FROM signing_key WHERE id = ?1";
        let stored: [u8; 32] = transaction.query_row(sql, params![id], |row| row.get(0))?;
        if stored != key {
            others.insert(key);
        }
    }
    Ok(others)
}
