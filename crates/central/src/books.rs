//! The city's books: each entry of a terminal's journal is booked once, by its top-up and kind, with its postings;
//! and each journal's chain is followed, so that a gap or a rolled-back journal is noticed. What is noticed is
//! written down and booked all the same: the money has moved. Money that one entry has moved is not moved again by
//! another: of those who report a payment, its end, a credit or a loss, the first to arrive posts. Central keeps a journal of
//! its own, terminal 0, for what it decides itself.

mod sheet;

use crate::claims;
use crate::db::{Connection, Transaction, Value, params};
use crate::error::CentralError;
use crate::uploads::{Arrival, note, note_of, refuse, sql};
use crate::view::{self, Booked, CENTRAL, Class};
use domain::{Cents, Timestamp, TopUpId};
use ledger::{Account, Balances, Chain, ChainError, Entry, Fact, Kind, Posting, TopUp};
use protocol::{ProblemCode, Upload};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use sheet::{NewUpload, Sheet};

/// The generation of central's own journal.
const OWN_GENERATION: u32 = 1;

/// Books an entry, or finds that it was booked before: then the first arrival is the answer.
pub(crate) fn book(
    sheet: &mut Sheet<'_, '_>,
    upload: &Upload,
    bytes: &[u8],
    arrival: Arrival,
) -> Result<Arrival, CentralError> {
    let entry =
        Entry::decode(bytes).map_err(|error| refuse(ProblemCode::Malformed, format!("ledger entry: {error}")))?;
    let of_upload = (upload.terminal(), upload.journal_generation);
    if entry.terminal == CENTRAL || (entry.terminal, entry.journal_generation) != of_upload {
        return Err(refuse(ProblemCode::Malformed, "the entry is of another journal than its upload"));
    }
    check_sums(&entry)?;
    // Money leaves claims by the city's word, and only the acquirer's file shows that a reversal failed.
    if matches!(entry.fact.kind(), Kind::ClaimSettled | Kind::ReversalFailed) {
        let kind = entry.fact.kind().name();
        return Err(refuse(
            ProblemCode::Conflict,
            format!("{kind} of {}: only the city says that", entry.subject.top_up),
        ));
    }
    let top_up = entry.subject.top_up;
    let place = |entry: &Entry| (entry.fact.kind(), entry.terminal, entry.journal_generation);
    let is_known = sheet.known(top_up)?.iter().any(|one| place(&one.entry) == place(&entry));
    if is_known {
        sheet.flush()?;
    }
    match if is_known { booked(sheet.transaction, &entry)? } else { None } {
        Some((hash, first)) if hash == entry.hash() => Ok(first),
        Some(_) => {
            let kind = entry.fact.kind().name();
            Err(refuse(ProblemCode::Conflict, format!("{kind} of {top_up} was booked with other content")))
        }
        None => {
            follow_chain(sheet, &entry, arrival.received)?;
            keep(sheet, entry, arrival.number, arrival.received)?;
            // Of a top-up without a claim there is nothing to decide.
            let known = sheet.known(top_up)?;
            if known.iter().any(|one| one.entry.fact.kind() == Kind::Claimed)
                && view::view(known).unwrap_or_default().is_some_and(|view| view.claimed.is_some())
            {
                claims::consider(sheet.hand_over()?, top_up, arrival.received)?;
            }
            Ok(arrival)
        }
    }
}

/// The most that one top-up can be: ten thousand euros. No purse of any city holds as much, and sums over years of
/// such entries stay far from the integers' end.
const AMOUNT_MAX: i64 = 1_000_000;
/// The ledger writes pairs of postings; two pairs are more than any fact moves.
const POSTINGS_MAX: usize = 4;

/// Refuses an entry that no ledger writes, before its sums come into any book: a balance of such sums is none.
fn check_sums(entry: &Entry) -> Result<(), CentralError> {
    let amount = entry.subject.amount.0;
    let too_much = |posting: &Posting| posting.amount.0.unsigned_abs() > amount.unsigned_abs();
    let problem = if !(1..=AMOUNT_MAX).contains(&amount) {
        "no top-up has this amount"
    } else if entry.seq > u64::MAX / 2 - 1 {
        "no journal is as long"
    } else if entry.postings.len() > POSTINGS_MAX || entry.postings.iter().any(too_much) {
        "it moves more than its amount"
    } else if !entry.postings.is_empty() && moves_nothing(entry.fact.kind()) {
        "what it says moves no money"
    } else {
        return Ok(());
    };
    Err(refuse(ProblemCode::Malformed, format!("{} of {}: {problem}", entry.fact.kind().name(), entry.subject.top_up)))
}

/// The facts whose postings are none, whatever came before them (`ledger`, the double entry of each fact).
fn moves_nothing(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Intent
            | Kind::Declined
            | Kind::PaymentUnknown
            | Kind::NeverMade
            | Kind::CreditStarted
            | Kind::NotCredited
            | Kind::InDoubt
            | Kind::AnswerInDoubt
            | Kind::Reserved
            | Kind::CreditedElsewhere
            | Kind::Ordered
            | Kind::OrderLapsed
            | Kind::ReversalStarted
            | Kind::ReversalFailed
            | Kind::LeftToCentral
    )
}

/// Says something of a top-up in central's own journal, by the ledger's rules.
///
/// # Errors
/// `CentralError::Illegal` when it does not follow; nothing was written then.
pub(crate) fn say(
    transaction: &Transaction<'_>,
    top_up: &TopUp,
    fact: Fact,
    now: Timestamp,
) -> Result<TopUp, CentralError> {
    let mut sheet = Sheet::new(transaction);
    let chain = sheet.chain(CENTRAL, OWN_GENERATION)?;
    let (entry, next) = chain.entry(now, top_up, fact)?;
    follow_chain(&mut sheet, &entry, now)?;
    keep(&mut sheet, entry, 0, now)?;
    sheet.flush()?;
    Ok(next)
}

/// Keeps an entry beside those that are known of its top-up, and posts it unless its money has been moved.
fn keep(sheet: &mut Sheet<'_, '_>, entry: Entry, upload: u64, now: Timestamp) -> Result<(), CentralError> {
    let transaction = sheet.transaction;
    let known = sheet.known(entry.subject.top_up)?;
    if known.first().is_some_and(|first| first.entry.subject != entry.subject) {
        let detail = format!("{} was begun for another card or amount", entry.subject.top_up);
        note(transaction, entry.terminal, "other-subject", &detail, now)?;
    }
    let class = view::class(&entry);
    let first = known.iter().find(|one| one.posted && class.is_some() && view::class(&one.entry) == class);
    if let (Some(first), Some(Class::Credited)) = (first, class)
        && !is_explained(transaction, &first.entry, &entry)?
    {
        let (by, other) = (entry.terminal.0, first.entry.terminal.0);
        let top_up = entry.subject.top_up;
        let detail = format!("{top_up} was credited by terminal {other} and by terminal {by}");
        note_of(transaction, entry.terminal, "second-credit", Some(top_up), &detail, now)?;
    }
    let posted = first.is_none();
    sheet.put_entry(entry, upload, posted);
    Ok(())
}

/// Whether two entries tell of one credit: central found the record of the very terminal that now says so itself, or
/// the other way round. A MIFARE Classic record names no terminal.
fn is_explained(connection: &Connection, first: &Entry, second: &Entry) -> Result<bool, CentralError> {
    let teller = match (first.terminal == CENTRAL, second.terminal == CENTRAL) {
        (true, false) => second.terminal,
        (false, true) => first.terminal,
        (true, true) => return Ok(true),
        (false, false) => return Ok(false),
    };
    let writers = connection.query(
        "SELECT DISTINCT terminal FROM seen_record WHERE top_up = ?1",
        params![first.subject.top_up.0],
        |row| row.get::<u32>(0),
    )?;
    Ok(writers.iter().all(|writer| *writer == 0 || *writer == teller.0))
}

fn booked(transaction: &Transaction<'_>, entry: &Entry) -> Result<Option<([u8; 32], Arrival)>, CentralError> {
    let found = transaction.query_opt(
        "SELECT entry.hash, upload.number, min(upload.received) FROM entry
             JOIN upload ON upload.number = entry.upload
             WHERE entry.top_up = ?1 AND entry.kind = ?2 AND entry.terminal = ?3 AND entry.journal_generation = ?4
             GROUP BY entry.id, entry.hash, upload.number",
        params![entry.subject.top_up.0, entry.fact.kind().number(), entry.terminal.0, entry.journal_generation],
        |row| {
            let number: i64 = row.get(1)?;
            let first = Arrival { number: u64::try_from(number).unwrap_or_default(), received: Timestamp(row.get(2)?) };
            Ok((row.get(0)?, first))
        },
    )?;
    Ok(found)
}

fn follow_chain(sheet: &mut Sheet<'_, '_>, entry: &Entry, now: Timestamp) -> Result<(), CentralError> {
    let transaction = sheet.transaction;
    let mut chain = sheet.chain(entry.terminal, entry.journal_generation)?;
    let name = || format!("journal {} of terminal {}", entry.journal_generation, entry.terminal.0);
    match chain.accept(entry) {
        Ok(()) => {}
        Err(ChainError::Sequence { expected, found }) if found > expected => {
            let detail = format!("{}: {expected} to {} are missing", name(), found - 1);
            note(transaction, entry.terminal, "gap", &detail, now)?;
            chain = Chain { next_seq: found + 1, head: entry.hash(), ..chain };
        }
        Err(ChainError::Sequence { found, .. }) => {
            sheet.flush()?;
            return check_late(transaction, entry, found, &name(), now);
        }
        Err(error @ (ChainError::Broken(_) | ChainError::OtherJournal)) => {
            note(transaction, entry.terminal, "broken", &format!("{}: {error}", name()), now)?;
            chain = Chain { next_seq: entry.seq + 1, head: entry.hash(), ..chain };
        }
    }
    sheet.move_chain(chain);
    Ok(())
}

/// An entry from before the chain's end either fills a gap, or shows that the journal was rolled back.
fn check_late(
    transaction: &Transaction<'_>,
    entry: &Entry,
    seq: u64,
    name: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    let hash_at = |seq: u64| {
        let sql_text = "SELECT hash, prev FROM entry WHERE terminal = ?1 AND journal_generation = ?2 AND seq = ?3";
        transaction.query_opt(sql_text, params![entry.terminal.0, entry.journal_generation, sql(seq)], |row| {
            Ok((row.get::<[u8; 32]>(0)?, row.get::<[u8; 32]>(1)?))
        })
    };
    let taken = hash_at(seq)?.is_some();
    let unlike_before = hash_at(seq.saturating_sub(1))?.is_some_and(|(hash, _)| hash != entry.prev);
    let unlike_after = hash_at(seq + 1)?.is_some_and(|(_, prev)| prev != entry.hash());
    if taken || unlike_before || unlike_after {
        note(
            transaction,
            entry.terminal,
            "rollback",
            &format!("{name}: a second entry {seq}, of {}", entry.subject.top_up),
            now,
        )?;
    }
    Ok(())
}

/// Every booked entry, in the order it arrived.
///
/// # Errors
/// `CentralError::NotReady` when a stored entry no longer reads.
pub fn entries(connection: &Connection) -> Result<Vec<Entry>, CentralError> {
    Ok(all(connection)?.into_iter().map(|booked| booked.entry).collect())
}

/// Every booked entry and whether it posts, in the order it arrived.
///
/// # Errors
/// `CentralError::NotReady` when a stored entry no longer reads.
pub fn all(connection: &Connection) -> Result<Vec<Booked>, CentralError> {
    let rows = connection.query("SELECT bytes, posted FROM entry ORDER BY id", &[], |row| {
        Ok((row.get::<Vec<u8>>(0)?, row.get::<bool>(1)?))
    })?;
    let mut booked = Vec::new();
    for (bytes, posted) in rows {
        booked.push(Booked { entry: decoded(&bytes)?, posted });
    }
    Ok(booked)
}

/// Some of the booked entries, newest first: so many, behind so many newer ones.
///
/// # Errors
/// As [`entries`].
pub fn some_entries(connection: &Connection, count: u32, behind: u32) -> Result<Vec<Entry>, CentralError> {
    let some = "SELECT bytes FROM entry ORDER BY id DESC LIMIT ?1 OFFSET ?2";
    let rows: Vec<Vec<u8>> = connection.query(some, params![count, behind], |row| row.get(0))?;
    rows.iter().map(|bytes| decoded(bytes)).collect()
}

/// How many entries are booked.
///
/// # Errors
/// `CentralError::Database`.
pub fn entry_count(connection: &Connection) -> Result<u64, CentralError> {
    Ok(connection.query_row("SELECT count(*) FROM entry", &[], |row| row.get(0))?)
}

/// Every booked entry of these top-ups, in the order it arrived.
///
/// # Errors
/// As [`entries`].
pub fn entries_of(connection: &Connection, top_ups: &BTreeSet<TopUpId>) -> Result<Vec<Entry>, CentralError> {
    let keys: Vec<Value<'_>> = top_ups.iter().map(|top_up| Value::Blob(&top_up.0)).collect();
    let select = "SELECT id, bytes FROM entry WHERE top_up IN";
    let rows = connection.query_in(select, "", &keys, |row| Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?)))?;
    let rows: BTreeMap<i64, Vec<u8>> = rows.into_iter().collect();
    rows.values().map(|bytes| decoded(bytes)).collect()
}

fn decoded(bytes: &[u8]) -> Result<Entry, CentralError> {
    Entry::decode(bytes).map_err(|error| CentralError::NotReady(error.to_string()))
}

/// The balances of all accounts, from the postings.
///
/// # Errors
/// `CentralError::Database`.
pub fn balances(connection: &Connection) -> Result<Balances, CentralError> {
    let sums =
        connection.query("SELECT account, CAST(sum(amount) AS BIGINT) FROM posting GROUP BY account", &[], |row| {
            Ok((row.get::<String>(0)?, row.get(1)?))
        })?;
    let mut balances = Balances::default();
    for (name, amount) in sums {
        let account = Account::ALL.into_iter().find(|account| account.name() == name);
        balances
            .post(&account.map(|account| Posting { account, amount: Cents(amount) }).into_iter().collect::<Vec<_>>());
    }
    Ok(balances)
}
