//! Cards as terminals saw them, and what all these sights together say of one card's records.

use crate::error::CentralError;
use crate::uploads::sql;
use domain::card::{CardReport, TopUpRecord};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, Timestamp, TopUpId};
use rusqlite::{Connection, Row, Transaction, params};

/// One sight of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Central's number of it.
    pub id: i64,
    /// Where.
    pub terminal: TerminalId,
    /// When, by that terminal's clock.
    pub at: Timestamp,
    /// When central heard of it.
    pub received: Timestamp,
    /// The newest top-up counter.
    pub counter: u32,
    /// The counter of the validators' newest record.
    pub movement_counter: Option<u32>,
    /// The purse, where it was read.
    pub purse: Option<Cents>,
    /// Purse and records cannot both be right, or the purse is outside its limits.
    pub needs_check: bool,
    /// The claim it is evidence for.
    pub claim: Option<TopUpId>,
    /// The top-ups that the card held.
    pub records: Vec<TopUpRecord>,
}

/// Keeps a sight.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    report: &CardReport,
    received: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO card_seen (card, generation, terminal, at, received, counter, movement_counter, purse, needs_check,
                                claim)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            sql(report.card.0),
            report.generation.0,
            terminal.0,
            report.at.0,
            received.0,
            report.counter,
            report.movement_counter,
            report.purse.map(|purse| purse.0),
            report.needs_check,
            report.claim.map(|claim| claim.0),
        ],
    )?;
    let id = transaction.last_insert_rowid();
    let mut insert = transaction.prepare_cached(
        "INSERT INTO seen_record (seen, counter, top_up, day, amount, value_before, terminal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?;
    for record in &report.records {
        let TopUpRecord { counter, day, top_up, amount, before, terminal } = record;
        insert.execute(params![id, counter, top_up.0, day.0, amount.0, before.0, terminal.0])?;
    }
    Ok(())
}

/// Every sight of a card, in the order central heard of them.
///
/// # Errors
/// `CentralError::Database`.
pub fn sights(connection: &Connection, card: CardNumber, generation: Generation) -> Result<Vec<Sight>, CentralError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, terminal, at, received, counter, movement_counter, purse, claim, needs_check FROM card_seen
         WHERE card = ?1 AND generation = ?2 ORDER BY id",
    )?;
    let rows = statement.query_map(params![sql(card.0), generation.0], sight)?;
    let mut sights = rows.collect::<Result<Vec<_>, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT counter, day, top_up, amount, value_before, terminal FROM seen_record WHERE seen = ?1
         ORDER BY counter DESC",
    )?;
    for sight in &mut sights {
        let records = statement.query_map(params![sight.id], record)?;
        sight.records = records.collect::<Result<_, _>>()?;
    }
    Ok(sights)
}

fn sight(row: &Row<'_>) -> rusqlite::Result<Sight> {
    Ok(Sight {
        id: row.get(0)?,
        terminal: TerminalId(row.get(1)?),
        at: Timestamp(row.get(2)?),
        received: Timestamp(row.get(3)?),
        counter: row.get(4)?,
        movement_counter: row.get(5)?,
        purse: row.get::<_, Option<i64>>(6)?.map(Cents),
        claim: row.get::<_, Option<[u8; 16]>>(7)?.map(TopUpId),
        needs_check: row.get(8)?,
        records: Vec::new(),
    })
}

fn record(row: &Row<'_>) -> rusqlite::Result<TopUpRecord> {
    Ok(TopUpRecord {
        counter: row.get(0)?,
        day: Day(row.get(1)?),
        top_up: TopUpId(row.get(2)?),
        amount: Cents(row.get(3)?),
        before: Cents(row.get(4)?),
        terminal: TerminalId(row.get(5)?),
    })
}

/// The cards that were ever seen.
///
/// # Errors
/// `CentralError::Database`.
pub fn cards(connection: &Connection) -> Result<Vec<(CardNumber, Generation)>, CentralError> {
    let mut statement =
        connection.prepare("SELECT DISTINCT card, generation FROM card_seen ORDER BY card, generation")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, Generation(row.get(1)?))))?;
    let mut cards = Vec::new();
    for row in rows {
        let (number, generation) = row?;
        cards.extend(u64::try_from(number).map(|number| (CardNumber(number), generation)));
    }
    Ok(cards)
}
