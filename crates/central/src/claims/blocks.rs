//! Cards that will never be good again. Money is paid out on the strength of a block, so it is never lifted once others
//! know of it; until then a mistake is taken back at the registry's desk (`card_desk`). Whether it has reached every
//! validator only the operator can say.

use crate::Database;
use crate::audit::{self, Actor};
use crate::claims::{self, settle};
use crate::clock;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::uploads::sql;
use domain::{CardNumber, Generation, Timestamp};

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Since when.
    pub blocked: Timestamp,
    /// Who did it.
    pub officer: String,
    /// When it had reached every validator, as confirmed.
    pub reached: Option<Timestamp>,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
}

/// The block of a card.
///
/// # Errors
/// `CentralError::Database`.
pub fn of(connection: &Connection, card: CardNumber, generation: Generation) -> Result<Option<Block>, CentralError> {
    let found = connection.query_opt(
        "SELECT blocked, officer, reached, confirmed_by FROM card_block WHERE card = ?1 AND generation = ?2",
        params![sql(card.0), generation.0],
        |row| {
            Ok(Block {
                blocked: Timestamp(row.get(0)?),
                officer: row.get(1)?,
                reached: row.get::<Option<i64>>(2)?.map(Timestamp),
                confirmed_by: row.get(3)?,
            })
        },
    );
    Ok(found?)
}

/// Blocks a card for good. `false` when it was blocked already. The next publication tells terminals; telling the
/// validators is the operator's.
///
/// # Errors
/// `CentralError::NotReady` for a card that neither registry nor claims know, `Claim` without a name; else the database's.
pub fn block(
    database: &mut Database,
    card: CardNumber,
    generation: Generation,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool, CentralError> {
    block_for(database, card, generation, actor, "claim", now)
}

/// As `block`, with the reason in the log.
///
/// # Errors
/// As `block`.
pub fn block_for(
    database: &mut Database,
    card: CardNumber,
    generation: Generation,
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<bool, CentralError> {
    let officer = settle::named(actor)?;
    database.write(|transaction| {
        let (number, issue) = (sql(card.0), generation.0);
        let key = params![number, issue];
        let known: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM card WHERE number = ?1 AND generation = ?2)
                 OR EXISTS (SELECT 1 FROM issued_card WHERE number = ?1 AND generation = ?2)
                 OR EXISTS (SELECT 1 FROM replaced_card WHERE number = ?1 AND generation = ?2)
                 OR EXISTS (SELECT 1 FROM claim WHERE card = ?1 AND generation = ?2)",
            key,
            |row| row.get(0),
        )?;
        if !known {
            return Err(CentralError::NotReady(format!(
                "no card …{} of generation {}",
                card.last_four(),
                generation.0
            )));
        }
        let new = put(transaction, card, generation, officer, now)?;
        if new {
            audit::note(transaction, actor, "card blocked", &format!("{} generation {issue}: {reason}", card.0), now)?;
        }
        Ok(new)
    })
}

/// Blocks a card, and ends what hung on it. Whether it was not blocked yet.
pub(crate) fn put(
    transaction: &Transaction<'_>,
    card: CardNumber,
    generation: Generation,
    officer: &str,
    now: Timestamp,
) -> Result<bool, CentralError> {
    let new = transaction.execute(
        "INSERT INTO card_block (card, generation, blocked, officer) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        params![sql(card.0), generation.0, now.0, officer],
    )?;
    for table in ["card", "issued_card"] {
        let update = format!("UPDATE {table} SET state = 'revoked' WHERE number = ?1 AND generation = ?2");
        transaction.execute(&update, params![sql(card.0), generation.0])?;
    }
    transaction.execute(
        "UPDATE credit_order SET ended = ?3, ending = 'blocked'
         WHERE card = ?1 AND generation = ?2 AND ended IS NULL",
        params![sql(card.0), generation.0, now.0],
    )?;
    // What waited for an order waits for the finance office now.
    for claim in claims::open_of(transaction, card, generation)? {
        claims::consider(transaction, claim.top_up, now)?;
    }
    Ok(new > 0)
}

/// The block list, for the validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockList {
    /// The moment by which it is confirmed.
    pub of: Timestamp,
    /// How many cards.
    pub cards: usize,
    /// A line for each (CSV, RFC 4180).
    pub csv: String,
}

/// Makes the block list, and notes it. Its moment is some minutes back: a block by another node's clock may be as old and
/// not on it yet. One that is younger is on the list, and is confirmed by the next.
///
/// # Errors
/// The database's.
pub fn list(database: &mut Database, actor: &Actor, now: Timestamp) -> Result<BlockList, CentralError> {
    let of = now.plus_ms(-clock::SKEW_MAX_MS);
    database.write(|transaction| {
        let sql = "SELECT card, generation, blocked FROM card_block ORDER BY card, generation";
        let lines = transaction.query(sql, &[], |row| {
            let (card, generation, blocked): (i64, u8, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("{card},{generation},{}\r\n", clock::instant(Timestamp(blocked))))
        })?;
        audit::note(transaction, actor, "block list written", &clock::instant(of), now)?;
        Ok(BlockList { of, cards: lines.len(), csv: format!("card,generation,blocked\r\n{}", lines.concat()) })
    })
}

/// The operator confirms that every validator has the block list of that moment. Says how many blocks it confirms.
///
/// # Errors
/// `CentralError::NotReady` for a list from the future, `Claim` without a name; else the database's.
pub fn confirm(
    database: &mut Database,
    list_of: Timestamp,
    actor: &Actor,
    now: Timestamp,
) -> Result<usize, CentralError> {
    let officer = settle::named(actor)?;
    if list_of > now {
        return Err(CentralError::NotReady("the block list is of the future".to_owned()));
    }
    database.write(|transaction| {
        let confirmed = transaction.execute(
            "UPDATE card_block SET reached = ?2, confirmed_by = ?3 WHERE reached IS NULL AND blocked <= ?1",
            params![list_of.0, now.0, officer],
        )?;
        audit::note(transaction, actor, "blocks confirmed", &format!("{confirmed}, list of {}", list_of.0), now)?;
        Ok(confirmed)
    })
}
