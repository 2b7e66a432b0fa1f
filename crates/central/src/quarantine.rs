//! What terminals said and no book could take: kept, sealed, under a number of its own, until a person has looked. It is
//! genuine, since only what its terminal vouches for comes here. A case is never deleted; its bytes go long after its end
//! (`retention`).

use crate::audit::{self, Actor};
use crate::db::{Connection, Row, Transaction, Value, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::uploads::{self, Proof, Sent};
use crate::{Database, store_key};
use data_encoding::HEXLOWER;
use domain::{TerminalId, Timestamp};
use protocol::{Kept, Problem, ProblemCode};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use zeroize::Zeroizing;

/// Open cases of one terminal, and their sealed bytes. Beyond it what it sends waits with the terminal: the disk is
/// everybody's, and a person who has a thousand cases of one terminal has to look at the terminal.
pub const CASES_MAX: usize = 1_000;
/// 256 MiB.
pub const BYTES_MAX: u64 = 256 * 1_048_576;

/// A case, as the office sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: i64,
    /// Who said it.
    pub terminal: TerminalId,
    /// When it first came.
    pub received: Timestamp,
    /// What kind of upload, or `unreadable`.
    pub kind: String,
    /// The problem's stable name.
    pub problem: String,
    /// What it says; never personal.
    pub detail: String,
    /// The office's role that looks after it.
    pub owner: String,
    /// `open`, `taken` (into the books), or `closed` (a person has decided that nothing follows).
    pub state: String,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What the person said who closed it.
    pub note: Option<String>,
}

/// Which role looks after it: money is finance's; deposits are the registry's; what cannot be read, and what is about
/// machines, the technicians'.
fn owner(kind: &str, problem: &Problem) -> audit::Role {
    match (kind, problem.code) {
        (_, ProblemCode::Malformed) | ("status", _) => audit::Role::Technician,
        ("document-issued", _) => audit::Role::Registry,
        _ => audit::Role::Finance,
    }
}

/// The open cases of the terminals whose uploads are taken in one commit.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    hashes: HashSet<(u32, [u8; 32])>,
    /// Those of which a person has decided that nothing follows.
    closed: HashSet<(u32, [u8; 32])>,
    /// How many of each terminal, and their bytes.
    sums: HashMap<u32, (usize, u64)>,
}

impl Cases {
    /// Looks them up.
    pub(crate) fn of(transaction: &Transaction<'_>, terminals: &BTreeSet<u32>) -> Result<Self, CentralError> {
        let keys: Vec<Value<'_>> = terminals.iter().map(|terminal| Value::Int((*terminal).into())).collect();
        let select = "SELECT terminal, sha256, length(sealed) FROM quarantine WHERE state = 'open' AND terminal IN";
        let read = |row: &Row<'_>| Ok((row.get::<u32>(0)?, row.get::<[u8; 32]>(1)?, row.get::<u64>(2)?));
        let mut cases = Self::default();
        for (terminal, hash, bytes) in transaction.query_in(select, "", &keys, read)? {
            cases.add(terminal, hash, bytes);
        }
        let select = "SELECT terminal, sha256 FROM quarantine WHERE state = 'closed' AND terminal IN";
        let read = |row: &Row<'_>| Ok((row.get::<u32>(0)?, row.get::<[u8; 32]>(1)?));
        cases.closed.extend(transaction.query_in(select, "", &keys, read)?);
        Ok(cases)
    }

    /// What is said to whoever sends what a person has closed: that it is kept, as the same case. No book takes it any
    /// more, though a newer program could: what was to follow has been done by hand.
    pub(crate) fn closed(
        &self,
        transaction: &Transaction<'_>,
        keys: &KeyFile,
        sent: &Sent,
    ) -> Result<Option<(Kept, Problem)>, CentralError> {
        if self.closed.is_empty() {
            return Ok(None);
        }
        let hash: [u8; 32] = Sha256::digest(&sent.bytes).into();
        if !self.closed.contains(&(sent.terminal.0, hash)) {
            return Ok(None);
        }
        let sql = "SELECT id, received, owner FROM quarantine WHERE terminal = ?1 AND sha256 = ?2";
        let read = |row: &Row<'_>| Ok((row.get::<u64>(0)?, Timestamp(row.get(1)?), row.get::<String>(2)?));
        let (case, first, owner) = transaction.query_row(sql, params![sent.terminal.0, hash], read)?;
        let problem = Problem::new(ProblemCode::Conflict, "somebody has closed this case: nothing follows from it");
        let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
        Ok(Some((Kept::sign(&sent.bytes, case, first, &owner, &problem, &signer), problem)))
    }

    fn add(&mut self, terminal: u32, hash: [u8; 32], bytes: u64) {
        if self.hashes.insert((terminal, hash)) {
            let (count, sum) = self.sums.entry(terminal).or_default();
            (*count, *sum) = (*count + 1, sum.saturating_add(bytes));
        }
    }

    /// Refuses what would be one case too many of its terminal, for now: it is sent again once a person has looked.
    pub(crate) fn admit(&mut self, transaction: &Transaction<'_>, sent: &Sent) -> Result<(), CentralError> {
        let (terminal, hash): (u32, [u8; 32]) = (sent.terminal.0, Sha256::digest(&sent.bytes).into());
        let bytes = u64::try_from(sent.bytes.len()).unwrap_or(u64::MAX);
        let (count, sum) = self.sums.get(&terminal).copied().unwrap_or_default();
        let fits = count < CASES_MAX && sum.saturating_add(bytes) <= BYTES_MAX;
        let ended = "SELECT 1 FROM quarantine WHERE terminal = ?1 AND sha256 = ?2";
        let is_known = self.hashes.contains(&(terminal, hash))
            || (!fits && transaction.query_opt(ended, params![terminal, hash], |_| Ok(()))?.is_some());
        if !is_known && !fits {
            let detail = "too many uploads of this terminal wait for a person";
            return Err(Problem::new(ProblemCode::LimitReached, detail).into());
        }
        if !is_known {
            self.add(terminal, hash, bytes);
        }
        Ok(())
    }

    /// A book has taken the upload: its case ends, whoever has sent it again.
    pub(crate) fn end(
        &mut self,
        transaction: &Transaction<'_>,
        sent: &Sent,
        now: Timestamp,
    ) -> Result<(), CentralError> {
        if !self.sums.contains_key(&sent.terminal.0) {
            return Ok(());
        }
        let hash: [u8; 32] = Sha256::digest(&sent.bytes).into();
        if self.hashes.remove(&(sent.terminal.0, hash)) {
            let sql = "UPDATE quarantine SET state = 'taken', ended = ?3
                       WHERE terminal = ?1 AND sha256 = ?2 AND state = 'open'";
            transaction.execute(sql, params![sent.terminal.0, hash, now.0])?;
        }
        Ok(())
    }
}

/// Keeps an upload, once, and says so to the terminal.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    sent: &Sent,
    kind: &str,
    problem: &Problem,
    now: Timestamp,
) -> Result<Kept, CentralError> {
    let hash: [u8; 32] = Sha256::digest(&sent.bytes).into();
    let (detail, owner) = (problem.detail.replace('\0', "\u{fffd}"), owner(kind, problem).name());
    transaction.execute(
        "INSERT INTO quarantine (terminal, sha256, received, kind, problem, detail, owner, sealed, signature, signed_by,
                                 state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open') ON CONFLICT (terminal, sha256) DO NOTHING",
        params![
            sent.terminal.0,
            hash,
            now.0,
            kind,
            problem.code.name(),
            detail,
            owner,
            store_key::seal_bytes(&keys.storage, &label(sent.terminal), &sent.bytes)?,
            sent.proof.as_ref().map(|proof| proof.signature),
            sent.proof.as_ref().map(Proof::key_id),
        ],
    )?;
    note_refusal(transaction, sent.terminal, &detail, &hash, now)?;
    let sql = "SELECT id, received FROM quarantine WHERE terminal = ?1 AND sha256 = ?2";
    let read = |row: &Row<'_>| Ok((row.get::<u64>(0)?, Timestamp(row.get(1)?)));
    let (case, first) = transaction.query_row(sql, params![sent.terminal.0, hash], read)?;
    let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    Ok(Kept::sign(&sent.bytes, case, first, owner, problem, &signer))
}

/// A refused upload changes no book, but somebody must know of it: of each, so that what a person has explained of one
/// does not hide the next.
fn note_refusal(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    detail: &str,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<(), CentralError> {
    let which = HEXLOWER.encode(hash.get(..8).unwrap_or_default());
    uploads::note(transaction, terminal, "refused", &format!("{detail} (upload {which})"), now)
}

fn label(terminal: TerminalId) -> Vec<u8> {
    [&b"v1 quarantine"[..], &terminal.0.to_be_bytes()].concat()
}

const CASES: &str = "SELECT id, terminal, received, kind, problem, detail, owner, state, ended, note FROM quarantine";

fn case(row: &Row<'_>) -> crate::db::Result<Case> {
    Ok(Case {
        id: row.get(0)?,
        terminal: TerminalId(row.get(1)?),
        received: Timestamp(row.get(2)?),
        kind: row.get(3)?,
        problem: row.get(4)?,
        detail: row.get(5)?,
        owner: row.get(6)?,
        state: row.get(7)?,
        ended: row.get::<Option<i64>>(8)?.map(Timestamp),
        note: row.get(9)?,
    })
}

/// The open cases, oldest first; with `all`, those that have ended too.
///
/// # Errors
/// `CentralError::Database`.
pub fn view(connection: &Connection, all: bool) -> Result<Vec<Case>, CentralError> {
    let open = if all { "" } else { " WHERE state = 'open'" };
    Ok(connection.query(&format!("{CASES}{open} ORDER BY id"), &[], case)?)
}

fn of_id(connection: &Connection, id: i64) -> Result<Case, CentralError> {
    let found = connection.query_opt(&format!("{CASES} WHERE id = ?1"), params![id], case)?;
    found.ok_or_else(|| CentralError::NotReady(format!("there is no case {id} in the quarantine")))
}

fn sent_of(connection: &Connection, keys: &KeyFile, case: &Case) -> Result<Sent, CentralError> {
    type Found = (Vec<u8>, Option<[u8; 64]>, Option<[u8; 32]>);
    let sql = "SELECT q.sealed, q.signature, k.public_key FROM quarantine q
               LEFT JOIN signing_key k ON k.id = q.signed_by WHERE q.id = ?1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (sealed, signature, key): Found = connection.query_row(sql, params![case.id], read)?;
    if sealed.is_empty() {
        let gone = format!("case {} has ended, and its bytes are gone: their time was over", case.id);
        return Err(CentralError::NotReady(gone));
    }
    let bytes = store_key::open_bytes(&keys.storage, &label(case.terminal), &sealed)?;
    let proof = signature.zip(key).map(|(signature, key)| Proof { signature, key });
    Ok(Sent { terminal: case.terminal, bytes: bytes.to_vec(), proof })
}

/// A case with the bytes as they came, for whoever has to understand them. That somebody looked is noted.
///
/// # Errors
/// `CentralError::NotReady` when there is no such case.
pub fn show(
    database: &mut Database,
    keys: &KeyFile,
    actor: &Actor,
    id: i64,
    now: Timestamp,
) -> Result<(Case, Zeroizing<Vec<u8>>), CentralError> {
    database.write(|transaction| {
        let case = of_id(transaction, id)?;
        let sent = sent_of(transaction, keys, &case)?;
        audit::note(transaction, actor, "quarantine shown", &format!("case {id}"), now)?;
        Ok((case, Zeroizing::new(sent.bytes)))
    })
}

/// Tries an open case again: what stood in its way may be gone, or a newer program may read it. Whether a book took it.
///
/// # Errors
/// `CentralError::NotReady` when there is no such open case.
pub fn retry(
    database: &mut Database,
    keys: &KeyFile,
    actor: &Actor,
    id: i64,
    now: Timestamp,
) -> Result<bool, CentralError> {
    let case = opened(database.read(), id)?;
    let sent = sent_of(database.read(), keys, &case)?;
    let taken = match uploads::take_sent(database, keys, sent, now) {
        Ok(_) => true,
        Err(CentralError::Kept(..)) => false,
        Err(error) => return Err(error),
    };
    // With the upload its case was taken, unless somebody has ended it meanwhile.
    let after = database.write(|transaction| {
        let what = if taken { "quarantine taken" } else { "quarantine tried in vain" };
        audit::note(transaction, actor, what, &format!("case {id}"), now)?;
        of_id(transaction, id)
    })?;
    let expected = if taken { "taken" } else { "open" };
    if after.state == expected { Ok(taken) } else { Err(has_ended(&after)) }
}

/// Closes a case of which a person has decided that nothing follows, with the reason.
///
/// # Errors
/// `CentralError::NotReady` when there is no such open case, or no reason.
pub fn close(
    database: &mut Database,
    actor: &Actor,
    id: i64,
    reason: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    if reason.trim().is_empty() {
        return Err(CentralError::NotReady("a case is closed with a reason".to_owned()));
    }
    database.write(|transaction| {
        let sql = "UPDATE quarantine SET state = 'closed', ended = ?2, note = ?3 WHERE id = ?1 AND state = 'open'";
        if transaction.execute(sql, params![id, now.0, reason])? == 0 {
            return Err(has_ended(&of_id(transaction, id)?));
        }
        audit::note(transaction, actor, "quarantine closed", &format!("case {id}"), now)
    })
}

fn opened(connection: &Connection, id: i64) -> Result<Case, CentralError> {
    let case = of_id(connection, id)?;
    if case.state == "open" {
        return Ok(case);
    }
    Err(has_ended(&case))
}

fn has_ended(case: &Case) -> CentralError {
    CentralError::NotReady(format!("case {} has ended: {}", case.id, case.state))
}
