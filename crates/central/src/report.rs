//! What central knows, put together for people: the ledger as text, and the rows that its pages show.

use crate::Database;
use crate::audit::{self, Actor};
use crate::books;
use crate::clock;
use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::view::{self, Booked};
use domain::{Cents, DocumentCode, TerminalId, Timestamp, TopUpId};
use ledger::{Account, Entry, Kind, Outcome};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Euros as Spanish writes them: `1.234,56 €`.
#[must_use]
pub fn euros(amount: Cents) -> String {
    let whole = (amount.0.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if amount.is_negative() { "−" } else { "" };
    format!("{sign}{grouped},{:02}\u{a0}€", amount.0.unsigned_abs() % 100)
}

/// A top-up as the books tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUpLine {
    /// Which.
    pub top_up: TopUpId,
    /// Its amount.
    pub amount: Cents,
    /// The last digits of the card.
    pub card_last_four: String,
    /// The terminal.
    pub terminal: TerminalId,
    /// Its first entry.
    pub began: Timestamp,
    /// How it ended; `None` while open or when entries are missing.
    pub outcome: Option<Outcome>,
}

/// Every top-up, by its first entry's arrival.
#[must_use]
pub fn top_ups(entries: &[Entry]) -> Vec<TopUpLine> {
    let mut by_id: BTreeMap<TopUpId, Vec<&Entry>> = BTreeMap::new();
    let mut order = Vec::new();
    for entry in entries {
        let of_one = by_id.entry(entry.subject.top_up).or_default();
        if of_one.is_empty() {
            order.push(entry.subject.top_up);
        }
        of_one.push(entry);
    }
    let line = |id| {
        let of_one = by_id.get(&id)?;
        let is_first = |entry: &&&Entry| matches!(entry.fact.kind(), Kind::Intent);
        let first = of_one.iter().find(is_first).or_else(|| of_one.iter().min_by_key(|entry| entry.seq))?;
        let booked: Vec<Booked> = of_one.iter().map(|entry| Booked { entry: (*entry).clone(), posted: true }).collect();
        let view = view::view(&booked).ok().flatten();
        Some(TopUpLine {
            top_up: id,
            amount: first.subject.amount,
            card_last_four: first.subject.card.last_four(),
            terminal: first.terminal,
            began: first.at,
            outcome: view.and_then(|view| view.top_up.outcome()),
        })
    };
    order.into_iter().filter_map(line).collect()
}

/// Something a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Central's number of it.
    pub id: i64,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// Of which terminal.
    pub terminal: TerminalId,
    /// `gap`, `rollback`, `broken`, `refused`, `second-credit`, `other-subject` or `undecided`.
    pub kind: String,
    /// For a technician.
    pub detail: String,
    /// The top-up it is about, where there is one.
    pub top_up: Option<TopUpId>,
    /// A person has explained it.
    pub explained: bool,
}

const ANOMALIES: &str =
    "SELECT noticed, terminal, kind, detail, id, top_up, explained IS NOT NULL FROM anomaly ORDER BY id DESC";

fn anomaly(row: &crate::db::Row<'_>) -> crate::db::Result<Anomaly> {
    Ok(Anomaly {
        noticed: Timestamp(row.get(0)?),
        terminal: TerminalId(row.get(1)?),
        kind: row.get(2)?,
        detail: row.get(3)?,
        id: row.get(4)?,
        top_up: row.get::<Option<[u8; 16]>>(5)?.map(TopUpId),
        explained: row.get(6)?,
    })
}

/// Everything noticed, newest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn anomalies(connection: &Connection) -> Result<Vec<Anomaly>, CentralError> {
    Ok(connection.query(ANOMALIES, &[], anomaly)?)
}

/// The newest that was noticed, and how much more there is.
///
/// # Errors
/// `CentralError::Database`.
pub fn newest_anomalies(connection: &Connection, limit: u32) -> Result<(Vec<Anomaly>, u64), CentralError> {
    let newest = connection.query(&format!("{ANOMALIES} LIMIT {limit}"), &[], anomaly)?;
    let all: u64 = connection.query_row("SELECT count(*) FROM anomaly", &[], |row| row.get(0))?;
    let shown = u64::try_from(newest.len()).unwrap_or(u64::MAX);
    Ok((newest, all.saturating_sub(shown)))
}

/// A person explains what was noticed: it stays in the books, and reconciliation lists it no more. `false` when there
/// is none of this number, or when it was explained already.
///
/// # Errors
/// `CentralError::NotReady` without a name or a reason; else the database's.
pub fn explain(
    database: &mut Database,
    id: i64,
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<bool, CentralError> {
    if actor.name.trim().is_empty() || reason.trim().is_empty() {
        return Err(CentralError::NotReady("an explanation has a name and a reason".to_owned()));
    }
    database.write(|transaction| {
        let changed = transaction.execute(
            "UPDATE anomaly SET explained = ?2, explained_by = ?3, explanation = ?4 WHERE id = ?1 AND explained IS NULL",
            params![id, now.0, actor.name.trim(), reason.trim()])?;
        if changed > 0 {
            audit::note(transaction, actor, "notice explained", &id.to_string(), now)?;
        }
        Ok(changed > 0)
    })
}

/// A deposited document.
#[derive(Clone)]
pub struct Deposit {
    /// Its code.
    pub code: DocumentCode,
    /// Its kind's stable name.
    pub kind: String,
    /// The terminal that issued it.
    pub terminal: TerminalId,
    /// When it was issued.
    pub issued: Timestamp,
    /// When central received it.
    pub received: Timestamp,
    /// Whether the terminal was without network.
    pub offline: bool,
    /// The signed facts.
    pub facts: Vec<u8>,
    /// Bytes of the PDF.
    pub pdf_bytes: u64,
}

const DEPOSIT: &str = "SELECT code, kind, terminal, issued, received, offline, facts, length(pdf) FROM document";

fn deposit(row: &crate::db::Row<'_>) -> crate::db::Result<Deposit> {
    Ok(Deposit {
        code: DocumentCode(row.get(0)?),
        kind: row.get(1)?,
        terminal: TerminalId(row.get(2)?),
        issued: Timestamp(row.get(3)?),
        received: Timestamp(row.get(4)?),
        offline: row.get(5)?,
        facts: row.get(6)?,
        pdf_bytes: u64::try_from(row.get::<i64>(7)?).unwrap_or_default(),
    })
}

/// Every deposited document, newest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn deposits(connection: &Connection) -> Result<Vec<Deposit>, CentralError> {
    let rows = connection.query(&format!("{DEPOSIT} ORDER BY received DESC, code"), &[], deposit)?;
    Ok(rows)
}

/// Some of the deposited documents, newest first: so many, behind so many newer ones.
///
/// # Errors
/// `CentralError::Database`.
pub fn some_deposits(connection: &Connection, count: u32, behind: u32) -> Result<Vec<Deposit>, CentralError> {
    let some = format!("{DEPOSIT} ORDER BY received DESC, code DESC LIMIT ?1 OFFSET ?2");
    Ok(connection.query(&some, params![count, behind], deposit)?)
}

/// How many documents were deposited.
///
/// # Errors
/// `CentralError::Database`.
pub fn deposit_count(connection: &Connection) -> Result<u64, CentralError> {
    Ok(connection.query_row("SELECT count(*) FROM document", &[], |row| row.get(0))?)
}

/// The document of a code, once it was deposited.
///
/// # Errors
/// `CentralError::Database`.
pub fn deposit_of(connection: &Connection, code: DocumentCode) -> Result<Option<Deposit>, CentralError> {
    let sql = format!("{DEPOSIT} WHERE code = ?1");
    Ok(connection.query_opt(&sql, params![code.0], deposit)?)
}

/// The PDF of a code, once it was deposited.
///
/// # Errors
/// `CentralError::Database`.
pub fn pdf_of(connection: &Connection, code: DocumentCode) -> Result<Option<Vec<u8>>, CentralError> {
    let sql = "SELECT pdf FROM document WHERE code = ?1";
    Ok(connection.query_opt(sql, params![code.0], |row| row.get(0))?)
}

/// The figures of the first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Registered holders.
    pub holders: u64,
    /// Active cards.
    pub cards: u64,
    /// Enrolled terminals.
    pub terminals: u64,
    /// Uploads taken.
    pub uploads: u64,
    /// The newest publication: sequence, moment, rows of both tiers.
    pub published: Option<(u64, Timestamp, u64, u64)>,
}

/// Counts the city.
///
/// # Errors
/// `CentralError::Database`.
pub fn figures(connection: &Connection) -> Result<Figures, CentralError> {
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let count = |sql: &str| connection.query_row(sql, &[], |row| row.get::<i64>(0)).map(unsigned);
    let newest = "SELECT sequence, issued, tap_rows, pin_rows FROM publication ORDER BY sequence DESC LIMIT 1";
    let published = connection.query_opt(newest, &[], |row| {
        Ok((unsigned(row.get(0)?), Timestamp(row.get(1)?), unsigned(row.get(2)?), unsigned(row.get(3)?)))
    })?;
    Ok(Figures {
        holders: count("SELECT count(*) FROM holder")?,
        cards: count("SELECT count(*) FROM card WHERE state = 'active'")?,
        terminals: count("SELECT count(*) FROM terminal")?,
        uploads: count("SELECT CAST(coalesce(sum(uploads), 0) AS BIGINT) FROM upload_count")?,
        published,
    })
}

/// The ledger as text: every entry with its postings, the balances, every top-up's end, and what was noticed.
///
/// # Errors
/// `CentralError`.
pub fn ledger_text(database: &Database, time_zone: &str) -> Result<String, CentralError> {
    let entries = books::entries(database.read())?;
    let mut out = String::from("# Entries\n");
    for entry in &entries {
        let (subject, at) = (entry.subject, clock::local(entry.at, time_zone));
        let _ = writeln!(
            out,
            "{at}  terminal {} journal {} entry {:>4}  {}  card …{}  {:<26} {}",
            entry.terminal.0,
            entry.journal_generation,
            entry.seq,
            subject.top_up,
            subject.card.last_four(),
            entry.fact.kind().name(),
            euros(subject.amount),
        );
        for posting in &entry.postings {
            let _ = writeln!(out, "    {:<10} {:>12}", posting.account.name(), euros(posting.amount));
        }
    }
    write_sums(&mut out, database, &entries)?;
    Ok(out)
}

fn write_sums(out: &mut String, database: &Database, entries: &[Entry]) -> Result<(), CentralError> {
    let balances = books::balances(database.read())?;
    out.push_str("\n# Balances\n");
    for account in Account::ALL {
        let _ = writeln!(out, "{:<10} {:>12}", account.name(), euros(balances.get(account)));
    }
    let _ = writeln!(out, "{:<10} {:>12}", "total", euros(balances.total()));
    out.push_str("\n# Top-ups\n");
    for line in top_ups(entries) {
        let _ = writeln!(
            out,
            "{}  card …{}  {:>12}  {}",
            line.top_up,
            line.card_last_four,
            euros(line.amount),
            outcome_name(line.outcome)
        );
    }
    let anomalies = anomalies(database.read())?;
    let _ = writeln!(out, "\n# Noticed: {}", anomalies.len());
    for anomaly in anomalies {
        let _ = writeln!(out, "terminal {}  {}: {}", anomaly.terminal.0, anomaly.kind, anomaly.detail);
    }
    Ok(())
}

/// The stable name of a top-up's end.
#[must_use]
pub fn outcome_name(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "open",
        Some(Outcome::Completed) => "completed",
        Some(Outcome::Voided) => "voided",
        Some(Outcome::Lost) => "lost",
        Some(Outcome::Settled) => "settled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euros_are_grouped_and_signed_as_spanish_writes_them() {
        let check = |cents, expected: &str| assert_eq!(euros(Cents(cents)).replace('\u{a0}', " "), expected);
        check(0, "0,00 €");
        check(2_005, "20,05 €");
        check(-123_456_789, "−1.234.567,89 €");
        check(100_000, "1.000,00 €");
    }
}
