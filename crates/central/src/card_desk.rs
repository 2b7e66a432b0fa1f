//! Cards at the registry's desk: whose a card is to be, blocks of lost ones and, where nobody has acted on one yet,
//! their end. A chip counts by its registration alone (`cards`); here it gets its holder.

use crate::audit::{self, Actor};
use crate::claims::blocks;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::refusal::Refusal;
use crate::uploads::sql;
use crate::{Database, balance};
use domain::{CardNumber, Generation, Timestamp};

/// Why a card is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody knows where it is.
    Lost,
    /// Somebody took it.
    Stolen,
    /// It is broken.
    Damaged,
    /// The holder gave it back.
    Returned,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Stolen, Self::Damaged, Self::Returned];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Stolen => "stolen",
            Self::Damaged => "damaged",
            Self::Returned => "returned",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A card as the desk sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The printed number.
    pub number: CardNumber,
    /// The newest issue of it.
    pub generation: Generation,
    /// Whether it counts.
    pub active: bool,
    /// Whether it has a holder.
    pub held: bool,
    /// Since when it is blocked.
    pub blocked: Option<Timestamp>,
    /// Which PIN it has; 0 for none.
    pub pin_version: u8,
}

/// Number and holder of a person, by identity number.
fn holder(connection: &Connection, identity_number: &str) -> Result<i64, CentralError> {
    let wanted = identity_number.trim().to_uppercase();
    let found = connection.query_opt(
        "SELECT holder.id, moved_away.since FROM holder LEFT JOIN moved_away ON moved_away.holder = holder.id
         WHERE identity_number = ?1",
        params![wanted],
        |row| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?)),
    )?;
    match found {
        None => Err(Refusal::HolderUnknown.into()),
        Some((_, Some(_))) => Err(Refusal::HolderMoved.into()),
        Some((holder, None)) => Ok(holder),
    }
}

fn standing(row: &crate::db::Row<'_>) -> crate::db::Result<Standing> {
    Ok(Standing {
        number: CardNumber(u64::try_from(row.get::<i64>(0)?).unwrap_or_default()),
        generation: Generation(row.get(1)?),
        active: row.get::<String>(2)? == "active",
        held: row.get(3)?,
        blocked: row.get::<Option<i64>>(4)?.map(Timestamp),
        pin_version: row.get(5)?,
    })
}

/// The newest card of a number.
///
/// # Errors
/// `CentralError::Refused` with `CardUnknown`; else the database's.
pub fn of_number(connection: &Connection, number: CardNumber) -> Result<Standing, CentralError> {
    let query = "SELECT made.number, made.generation, made.state, made.held, card_block.blocked, made.pin FROM (
            SELECT number, generation, state, 1 AS held, pin_version AS pin FROM card WHERE number = ?1
            UNION ALL SELECT number, generation, state, 0, 0 FROM issued_card WHERE number = ?1) AS made
        LEFT JOIN card_block ON card_block.card = made.number AND card_block.generation = made.generation
        ORDER BY made.generation DESC, made.held DESC LIMIT 1";
    let found = connection.query_opt(query, params![sql(number.0)], standing)?;
    found.ok_or_else(|| Refusal::CardUnknown.into())
}

/// The cards of a person, by identity number.
///
/// # Errors
/// `CentralError::Refused` with `HolderUnknown`; else the database's.
pub fn of_holder(connection: &Connection, identity_number: &str) -> Result<Vec<Standing>, CentralError> {
    let holder = holder(connection, identity_number)?;
    let query = "SELECT number, card.generation, state, 1, card_block.blocked, pin_version FROM card
        LEFT JOIN card_block ON card_block.card = card.number AND card_block.generation = card.generation
        WHERE holder = ?1 ORDER BY number";
    Ok(connection.query(query, params![holder], standing)?)
}

fn refuse_second_card(transaction: &Transaction<'_>, holder: i64) -> Result<(), CentralError> {
    let query = "SELECT 1 FROM card WHERE holder = ?1 AND state = 'active'
                 UNION ALL SELECT 1 FROM card_order WHERE holder = ?1";
    let found = transaction.query_opt(query, params![holder], |_| Ok(()))?;
    found.map_or(Ok(()), |()| Err(Refusal::HolderHasCard.into()))
}

pub(crate) fn refuse_taken(transaction: &Transaction<'_>, number: CardNumber) -> Result<(), CentralError> {
    let query = "SELECT 1 FROM card WHERE number = ?1 UNION ALL SELECT 1 FROM technician WHERE number = ?1
                 UNION ALL SELECT 1 FROM card_order WHERE number = ?1";
    let found = transaction.query_opt(query, params![sql(number.0)], |_| Ok(()))?;
    found.map_or(Ok(()), |()| Err(Refusal::CardTaken.into()))
}

/// Gives a registered card to its holder. From the next publication on terminals know them.
///
/// # Errors
/// `CentralError::Refused` with `HolderUnknown`, `HolderMoved`, `HolderHasCard`, `CardTaken`, `CardUnknown`,
/// `CardInactive` or `CardClassic`; else the database's.
pub fn assign(
    database: &mut Database,
    actor: &Actor,
    number: CardNumber,
    identity_number: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    database.write(|transaction| {
        let holder = holder(transaction, identity_number)?;
        refuse_second_card(transaction, holder)?;
        refuse_taken(transaction, number)?;
        let generation = give(transaction, number, holder, now)?;
        audit::note(transaction, actor, "card assigned", &format!("{} generation {}", number.0, generation.0), now)
    })
}

/// The chip that offices registered last under this number becomes the holder's.
pub(crate) fn give(
    transaction: &Transaction<'_>,
    number: CardNumber,
    holder: i64,
    now: Timestamp,
) -> Result<Generation, CentralError> {
    let newest = transaction.query_opt(
        "SELECT generation, uid, secret, state FROM issued_card WHERE number = ?1 ORDER BY generation DESC LIMIT 1",
        params![sql(number.0)],
        |row| Ok((row.get::<u8>(0)?, row.get::<Vec<u8>>(1)?, row.get::<Option<Vec<u8>>>(2)?, row.get::<String>(3)?)),
    )?;
    let (generation, uid, secret, state) = newest.ok_or(Refusal::CardUnknown)?;
    if state != "active" {
        return Err(Refusal::CardInactive.into());
    }
    // The secret is sealed for this number, here as there.
    let secret = secret.ok_or(Refusal::CardClassic)?;
    transaction.execute(
        "INSERT INTO card (number, generation, holder, uid, secret, state, pin_version, pin_key, pin_content)
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', 0, NULL, 0)",
        params![sql(number.0), generation, holder, uid, secret],
    )?;
    // What is left on a card that they had under another number waits like that of a replaced one.
    let old = transaction.query(
        "SELECT number, generation FROM card WHERE holder = ?1 AND state = 'revoked'",
        params![holder],
        |row| Ok((CardNumber(row.get(0)?), Generation(row.get(1)?))),
    )?;
    old.into_iter().try_for_each(|(number, old)| balance::begin(transaction, number, old, now))?;
    Ok(Generation(generation))
}

/// Orders a card of this number for a holder: it becomes theirs when an office registers it.
///
/// # Errors
/// `CentralError::Refused` as `assign`; `CardTaken` also for a card that is registered, which is assigned instead.
pub fn order(
    database: &mut Database,
    actor: &Actor,
    number: CardNumber,
    identity_number: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    database.write(|transaction| {
        let holder = holder(transaction, identity_number)?;
        refuse_second_card(transaction, holder)?;
        refuse_taken(transaction, number)?;
        let made = "SELECT 1 FROM issued_card WHERE number = ?1";
        if transaction.query_opt(made, params![sql(number.0)], |_| Ok(()))?.is_some() {
            return Err(Refusal::CardTaken.into());
        }
        order_for(transaction, number, holder, now)?;
        audit::note(transaction, actor, "card ordered", &number.0.to_string(), now)
    })
}

pub(crate) fn order_for(
    transaction: &Transaction<'_>,
    number: CardNumber,
    holder: i64,
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO card_order (number, holder, ordered) VALUES (?1, ?2, ?3)",
        params![sql(number.0), holder, now.0],
    )?;
    Ok(())
}

/// Carries an order out, once the card is registered.
pub(crate) fn fulfil(transaction: &Transaction<'_>, number: CardNumber, now: Timestamp) -> Result<(), CentralError> {
    let query = "DELETE FROM card_order WHERE number = ?1 RETURNING holder";
    match transaction.query_opt(query, params![sql(number.0)], |row| row.get(0))? {
        // A Classic card cannot be a holder's: the order is void then, and the desk sees a card without one.
        // Nor does a holder get a second one, who has one by now.
        Some(holder) => {
            let given = refuse_second_card(transaction, holder).and_then(|()| give(transaction, number, holder, now));
            given.map(|_| ()).or_else(|error| match error {
                CentralError::Refused(_) => Ok(()),
                other => Err(other),
            })
        }
        None => Ok(()),
    }
}

/// Blocks the newest card of a number. `false` when it was blocked already. Publish afterwards, and tell the validators.
///
/// # Errors
/// `CentralError::Refused` with `CardUnknown`; else as `blocks::block`.
pub fn block(
    database: &mut Database,
    actor: &Actor,
    number: CardNumber,
    reason: Reason,
    now: Timestamp,
) -> Result<bool, CentralError> {
    let generation = of_number(database.read(), number)?.generation;
    blocks::block_for(database, number, generation, actor, reason.name(), now)
}

/// A card comes back only to a holder who is in the city, and who has and awaits no other one.
fn refuse_lost_holder(transaction: &Transaction<'_>, number: CardNumber) -> Result<(), CentralError> {
    let query = "SELECT card.holder, moved_away.since FROM card LEFT JOIN moved_away ON moved_away.holder = card.holder
                 WHERE card.number = ?1";
    let read = |row: &crate::db::Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?));
    match transaction.query_opt(query, params![sql(number.0)], read)? {
        None => Ok(()),
        Some((_, Some(_))) => Err(Refusal::HolderMoved.into()),
        // The card itself is blocked, and not counted.
        Some((holder, None)) => refuse_second_card(transaction, holder),
    }
}

/// Takes a block back that was a mistake: only while nobody can have acted on it. That is over with the next
/// publication, with the validators' confirmation, with a settled claim, with a newer card, and once what is left on
/// the card waits to be moved.
///
/// # Errors
/// `CentralError::Refused` with `CardUnknown`, `CardNotBlocked`, `BlockIsOut`, `HolderMoved` or `HolderHasCard`; else the
/// database's.
pub fn unblock(database: &mut Database, actor: &Actor, number: CardNumber, now: Timestamp) -> Result<(), CentralError> {
    database.write(|transaction| {
        let card = of_number(transaction, number)?;
        let (issue, key) = (card.generation.0, sql(number.0));
        let block = blocks::of(transaction, number, card.generation)?.ok_or(Refusal::CardNotBlocked)?;
        let out: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM publication WHERE issued >= ?3)
                 OR EXISTS (SELECT 1 FROM settlement JOIN claim ON claim.top_up = settlement.top_up
                            WHERE card = ?1 AND generation = ?2)
                 OR EXISTS (SELECT 1 FROM replaced_card WHERE number = ?1 AND generation >= ?2)
                 OR EXISTS (SELECT 1 FROM balance_move WHERE number = ?1 AND generation = ?2)",
            params![key, issue, block.blocked.0],
            |row| row.get(0),
        )?;
        if out || block.reached.is_some() {
            return Err(Refusal::BlockIsOut.into());
        }
        refuse_lost_holder(transaction, number)?;
        transaction.execute("DELETE FROM card_block WHERE card = ?1 AND generation = ?2", params![key, issue])?;
        for table in ["card", "issued_card"] {
            let update = format!("UPDATE {table} SET state = 'active' WHERE number = ?1 AND generation = ?2");
            transaction.execute(&update, params![key, issue])?;
        }
        audit::note(transaction, actor, "block taken back", &format!("{} generation {issue}", number.0), now)
    })
}
