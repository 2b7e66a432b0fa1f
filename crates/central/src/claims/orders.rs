//! Central's orders: leave to finish a claim at any terminal, while the card's counter is the one that the evidence
//! showed. An order is written down before it is signed. Of a top-up at most one lives; a new one needs evidence that
//! the counter moved, or the old one's expiry. Never for a blocked card, and never for MIFARE Classic, whose records
//! anybody can write.

use crate::Database;
use crate::claims::{self, blocks};
use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::pack;
use crate::settings::{DAY_MS, MoneySettings};
use crate::uploads::sql;
use domain::card::CityOrder;
use domain::{CardNumber, Cents, Generation, Timestamp, TopUpId};
use ledger::Subject;
use protocol::{SignedCreditOrder, WireOpenTopUp};
use std::collections::HashMap;

/// The most open claims that a card's record tells of: its row has a largest length.
const OPEN_MAX: usize = 6;

fn order(row: &Row<'_>) -> crate::db::Result<CityOrder> {
    Ok(CityOrder {
        top_up: TopUpId(row.get(0)?),
        card: CardNumber(u64::try_from(row.get::<i64>(1)?).unwrap_or_default()),
        generation: Generation(row.get(2)?),
        amount: Cents(row.get(3)?),
        counter: row.get(4)?,
        expires: Timestamp(row.get(5)?),
    })
}

/// The order of a top-up that was not ended, expired or not.
fn standing(connection: &Connection, top_up: TopUpId) -> Result<Option<CityOrder>, CentralError> {
    Ok(connection.query_opt(
        "SELECT top_up, card, generation, amount, counter, expires FROM credit_order
         WHERE top_up = ?1 AND ended IS NULL",
        params![top_up.0],
        order,
    )?)
}

/// The order of a top-up that a terminal may carry out now.
///
/// # Errors
/// `CentralError::Database`.
pub fn live(connection: &Connection, top_up: TopUpId, now: Timestamp) -> Result<Option<CityOrder>, CentralError> {
    Ok(standing(connection, top_up)?.filter(|order| order.expires > now))
}

/// When the last order of a top-up expires, of whatever became of it; `None` when there never was one.
pub(crate) fn last_expiry(connection: &Connection, top_up: TopUpId) -> Result<Option<Timestamp>, CentralError> {
    let query = "SELECT max(expires) FROM credit_order WHERE top_up = ?1";
    let last: Option<i64> = connection.query_row(query, params![top_up.0], |row| row.get(0))?;
    Ok(last.map(Timestamp))
}

/// Ends the order of a top-up, if there is one.
pub(crate) fn end(
    transaction: &Transaction<'_>,
    top_up: TopUpId,
    ending: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "UPDATE credit_order SET ended = ?2, ending = ?3 WHERE top_up = ?1 AND ended IS NULL",
        params![top_up.0, now.0, ending],
    )?;
    Ok(())
}

/// Ends the order of a top-up if it has expired.
pub(crate) fn expire(transaction: &Transaction<'_>, top_up: TopUpId, now: Timestamp) -> Result<(), CentralError> {
    match standing(transaction, top_up)? {
        Some(order) if order.expires <= now => end(transaction, top_up, "expired", now),
        _ => Ok(()),
    }
}

/// Makes the order that the evidence allows, unless one lives. `false` when this card takes none, or when a person has
/// to look first.
pub(crate) fn issue(
    transaction: &Transaction<'_>,
    subject: &Subject,
    counter: u32,
    now: Timestamp,
) -> Result<bool, CentralError> {
    if !takes_orders(transaction, subject.card, subject.generation)? {
        end(transaction, subject.top_up, "blocked", now)?;
        return Ok(false);
    }
    match standing(transaction, subject.top_up)? {
        Some(order) if order.counter < counter => end(transaction, subject.top_up, "counter-moved", now)?,
        Some(order) if order.expires <= now => end(transaction, subject.top_up, "expired", now)?,
        Some(_) => return Ok(true),
        None => {}
    }
    if !is_plausible(transaction, subject, now)? {
        return Ok(false);
    }
    let days = MoneySettings::load(transaction)?.order_days;
    transaction.execute(
        "INSERT INTO credit_order (top_up, card, generation, amount, counter, issued, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            subject.top_up.0,
            sql(subject.card.0),
            subject.generation.0,
            subject.amount.0,
            counter,
            now.0,
            now.plus_ms(days.saturating_mul(DAY_MS)).0,
        ],
    )?;
    Ok(true)
}

/// Orders that the claims of one terminal bring within 24 hours. Its word that a payment was kept is all there is until
/// the acquirer's file: beyond this a person looks.
pub const ORDERS_A_DAY_MAX: i64 = 20;

/// Whether an order may be made without a person: for no more than one top-up may be, and not for too many claims that
/// began at the same terminal. An order that only takes the place of an earlier one of its top-up is none more.
fn is_plausible(connection: &Connection, subject: &Subject, now: Timestamp) -> Result<bool, CentralError> {
    if subject.amount > pack::load(connection)?.0.purse.top_up_max {
        return Ok(false);
    }
    let recent: i64 = connection.query_row(
        "SELECT count(DISTINCT o.top_up) FROM credit_order AS o JOIN claim AS c ON c.top_up = o.top_up
         WHERE o.issued > ?1 AND o.top_up <> ?2
               AND c.terminal = (SELECT terminal FROM claim WHERE top_up = ?2)",
        params![now.plus_ms(-DAY_MS).0, subject.top_up.0],
        |row| row.get(0),
    )?;
    Ok(recent < ORDERS_A_DAY_MAX)
}

/// Whether a card may be credited on central's word: active in the registry under this generation, not blocked, and
/// not MIFARE Classic.
fn takes_orders(connection: &Connection, card: CardNumber, generation: Generation) -> Result<bool, CentralError> {
    if blocks::of(connection, card, generation)?.is_some() {
        return Ok(false);
    }
    let said = connection.query(
        "SELECT state = 'active' AND technology <> 'classic' FROM issued_card WHERE number = ?1 AND generation = ?2
         UNION ALL SELECT state = 'active' FROM card WHERE number = ?1 AND generation = ?2",
        params![sql(card.0), generation.0],
        |row| row.get::<bool>(0),
    )?;
    Ok(!said.is_empty() && said.iter().all(|fit| *fit))
}

fn signed(keys: &KeyFile, order: &CityOrder) -> Result<SignedCreditOrder, CentralError> {
    let key = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    SignedCreditOrder::sign(order, &key).map_err(|error| CentralError::Feed(error.to_string()))
}

/// What the answer to evidence carries: the order of the claim that it names, or else of the card's oldest claim that
/// has one.
pub(crate) fn answer(
    database: &Database,
    keys: &KeyFile,
    card: CardNumber,
    generation: Generation,
    claim: Option<TopUpId>,
    now: Timestamp,
) -> Result<Option<SignedCreditOrder>, CentralError> {
    let found = database.read().query_opt(
        "SELECT o.top_up, o.card, o.generation, o.amount, o.counter, o.expires
         FROM credit_order AS o JOIN claim AS c ON c.top_up = o.top_up
         WHERE o.card = ?1 AND o.generation = ?2 AND o.ended IS NULL AND o.expires > ?3 AND c.state = 'open'
         ORDER BY CASE WHEN o.top_up = ?4 THEN 0 ELSE 1 END, c.opened, c.top_up LIMIT 1",
        params![sql(card.0), generation.0, now.0, claim.map(|claim| claim.0)],
        order,
    )?;
    found.map(|order| signed(keys, &order)).transpose()
}

/// What the records of a card's next publication tell of its claims: all that are open, and one order, since carrying
/// out one makes any other void.
pub(crate) type OpenByCard = HashMap<(CardNumber, Generation), Vec<WireOpenTopUp>>;

/// The open claims of every card, with the orders, signed.
pub(crate) fn for_feed(connection: &Connection, keys: &KeyFile, now: Timestamp) -> Result<OpenByCard, CentralError> {
    let mut by_card = OpenByCard::new();
    for claim in claims::open(connection)? {
        let of_card = by_card.entry((claim.card, claim.generation)).or_default();
        let order = live(connection, claim.top_up, now)?.filter(|_| of_card.iter().all(|open| open.order.is_none()));
        let order = order.map(|order| signed(keys, &order)).transpose()?;
        let at = if order.is_some() { 0 } else { of_card.len() };
        of_card.insert(at, WireOpenTopUp::new(claim.top_up, claim.amount, order));
        of_card.truncate(OPEN_MAX);
    }
    Ok(by_card)
}
