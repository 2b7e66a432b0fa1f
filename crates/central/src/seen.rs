//! Cards as terminals saw them, and what all these sights together say of one card's records.

use crate::db::{Connection, Row, Transaction, Value, params};
use crate::error::CentralError;
use crate::uploads::sql;
use domain::card::{CardReport, TopUpRecord};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, Timestamp, TopUpId};

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
    let id: i64 = transaction.query_row(
        "INSERT INTO card_seen (card, generation, terminal, at, received, counter, movement_counter, purse,
                                needs_check, claim)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
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
        |row| row.get(0),
    )?;
    for record in &report.records {
        let TopUpRecord { counter, day, top_up, amount, before, terminal } = record;
        transaction.execute_later(
            "INSERT INTO seen_record (seen, counter, top_up, day, amount, value_before, terminal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            params![id, counter, top_up.0, day.0, amount.0, before.0, terminal.0],
        )?;
    }
    Ok(())
}

/// Every sight of a card, in the order central heard of them.
///
/// # Errors
/// `CentralError::Database`.
pub fn sights(connection: &Connection, card: CardNumber, generation: Generation) -> Result<Vec<Sight>, CentralError> {
    let mut sights = connection.query(
        "SELECT id, terminal, at, received, counter, movement_counter, purse, claim, needs_check FROM card_seen
         WHERE card = ?1 AND generation = ?2 ORDER BY id",
        params![sql(card.0), generation.0],
        sight,
    )?;
    // The records of all sights in one question: a card that is used daily has hundreds of sights.
    let sql_text = "SELECT r.counter, r.day, r.top_up, r.amount, r.value_before, r.terminal, r.seen FROM card_seen AS s
         JOIN seen_record AS r ON r.seen = s.id WHERE s.card = ?1 AND s.generation = ?2 ORDER BY r.seen, r.counter DESC";
    give_records(connection, sql_text, params![sql(card.0), generation.0], &mut sights)?;
    Ok(sights)
}

/// The most sights of a card that a decision under the writer's lock reads, and the most of them that were made for one
/// claim. An undecided claim waits for days; a card that is seen oftener meanwhile has been seen by something that lies.
pub const LOOKED_AT: u32 = 128;
const MADE_FOR_CLAIM: u32 = 8;

/// What is looked at of a card's sights: those with the highest counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looked {
    /// In the order central heard of them.
    pub(crate) sights: Vec<Sight>,
    /// There are more, and none has a higher counter than this.
    pub(crate) more_below: Option<u32>,
}

impl Looked {
    /// Whether all sights with this counter and higher ones are among these.
    pub(crate) fn is_whole_from(&self, counter: u32) -> bool {
        self.more_below.is_none_or(|below| below < counter)
    }
}

/// The sights of a card with the highest counters.
pub(crate) fn looked_at(
    connection: &Connection,
    card: CardNumber,
    generation: Generation,
) -> Result<Looked, CentralError> {
    let highest = format!(
        "SELECT id FROM card_seen WHERE card = ?1 AND generation = ?2 ORDER BY counter DESC, id DESC LIMIT {}",
        LOOKED_AT + 1
    );
    let mut sights = some(connection, &highest, params![sql(card.0), generation.0])?;
    let lowest = sights.iter().enumerate().min_by_key(|(_, sight)| (sight.counter, sight.id)).map(|(at, _)| at);
    let is_cut = sights.len() > usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
    let more_below = lowest.filter(|_| is_cut).map(|at| sights.remove(at).counter);
    Ok(Looked { sights, more_below })
}

/// The newest sights of a card that were made for this claim, whatever their counters.
pub(crate) fn made_for(
    connection: &Connection,
    card: CardNumber,
    generation: Generation,
    claim: TopUpId,
) -> Result<Vec<Sight>, CentralError> {
    let newest = format!(
        "SELECT id FROM card_seen WHERE claim = ?3 AND card = ?1 AND generation = ?2 ORDER BY id DESC
         LIMIT {MADE_FOR_CLAIM}"
    );
    some(connection, &newest, params![sql(card.0), generation.0, claim.0])
}

/// The sights with these numbers, which `ids` selects.
fn some(connection: &Connection, ids: &str, parameters: &[Value<'_>]) -> Result<Vec<Sight>, CentralError> {
    let mut sights = connection.query(
        &format!(
            "SELECT s.id, s.terminal, s.at, s.received, s.counter, s.movement_counter, s.purse, s.claim, s.needs_check
             FROM ({ids}) AS these JOIN card_seen AS s ON s.id = these.id ORDER BY s.id"
        ),
        parameters,
        sight,
    )?;
    let records = format!(
        "SELECT r.counter, r.day, r.top_up, r.amount, r.value_before, r.terminal, r.seen
         FROM ({ids}) AS these JOIN seen_record AS r ON r.seen = these.id ORDER BY r.seen, r.counter DESC"
    );
    give_records(connection, &records, parameters, &mut sights)?;
    Ok(sights)
}

/// Gives each of these sights, which are in the order of their numbers, the records that `sql_text` selects.
fn give_records(
    connection: &Connection,
    sql_text: &str,
    parameters: &[Value<'_>],
    sights: &mut [Sight],
) -> Result<(), CentralError> {
    connection.for_each(sql_text, parameters, |row| {
        let seen: i64 = row.get(6)?;
        if let Ok(at) = sights.binary_search_by_key(&seen, |sight| sight.id)
            && let Some(sight) = sights.get_mut(at)
        {
            sight.records.push(record(row)?);
        }
        Ok(())
    })
}

fn sight(row: &Row<'_>) -> crate::db::Result<Sight> {
    Ok(Sight {
        id: row.get(0)?,
        terminal: TerminalId(row.get(1)?),
        at: Timestamp(row.get(2)?),
        received: Timestamp(row.get(3)?),
        counter: row.get(4)?,
        movement_counter: row.get(5)?,
        purse: row.get::<Option<i64>>(6)?.map(Cents),
        claim: row.get::<Option<[u8; 16]>>(7)?.map(TopUpId),
        needs_check: row.get(8)?,
        records: Vec::new(),
    })
}

fn record(row: &Row<'_>) -> crate::db::Result<TopUpRecord> {
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
    let rows =
        connection.query("SELECT DISTINCT card, generation FROM card_seen ORDER BY card, generation", &[], |row| {
            Ok((row.get::<i64>(0)?, Generation(row.get(1)?)))
        })?;
    let mut cards = Vec::new();
    for row in rows {
        let (number, generation) = row;
        cards.extend(u64::try_from(number).map(|number| (CardNumber(number), generation)));
    }
    Ok(cards)
}
