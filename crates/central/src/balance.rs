//! What is left on a card that was replaced. It is moved once, by a person, and not before every debit of the old card
//! must have come: until then nobody knows how much is left.

use crate::Database;
use crate::audit::{self, Actor};
use crate::claims::blocks;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::refusal::Refusal;
use crate::seen;
use crate::settings::{DAY_MS, MoneySettings};
use crate::statements::validators;
use crate::uploads::sql;
use domain::{CardNumber, Cents, Generation, Timestamp};

/// A balance that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The card's number.
    pub number: CardNumber,
    /// The old card.
    pub generation: Generation,
    /// When the newer one came.
    pub replaced: Timestamp,
    /// From when on it may be moved; `None` while its block has not reached every validator, as far as confirmed.
    pub due: Option<Timestamp>,
    /// As last seen, less the debits since; `None` for a card that no terminal has seen.
    pub left: Option<Cents>,
}

/// Who has blocked a card that nobody had blocked when its successor came.
const SUCCESSOR: &str = "replacement";

/// A newer card has come. The old one is good no more: what is left on it is owed once no validator takes it.
pub(crate) fn begin(
    transaction: &Transaction<'_>,
    number: CardNumber,
    old: Generation,
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO balance_move (number, generation, replaced) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![sql(number.0), old.0, now.0],
    )?;
    blocks::put(transaction, number, old, SUCCESSOR, now)?;
    Ok(())
}

/// The balances that wait, oldest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn waiting(connection: &Connection) -> Result<Vec<Waiting>, CentralError> {
    let rows = connection.query(
        "SELECT number, generation, replaced FROM balance_move WHERE moved IS NULL ORDER BY replaced, number",
        params![],
        |row| Ok((row.get::<i64>(0)?, row.get::<u8>(1)?, row.get::<i64>(2)?)),
    )?;
    let days = MoneySettings::load(connection)?.debit_days;
    let told = |(number, generation, replaced): (i64, u8, i64)| {
        let (number, generation) = (CardNumber(u64::try_from(number).unwrap_or_default()), Generation(generation));
        // It may be in somebody's hands: it pays until the last validator knows.
        let block = blocks::of(connection, number, generation)?;
        let from = block.and_then(|block| block.reached).map(|reached| reached.0.max(replaced));
        let due = from.map(|from| Timestamp(from + days * DAY_MS));
        let left = left(connection, number, generation)?;
        Ok(Waiting { number, generation, replaced: Timestamp(replaced), due, left })
    };
    rows.into_iter().map(told).collect()
}

fn left(connection: &Connection, number: CardNumber, generation: Generation) -> Result<Option<Cents>, CentralError> {
    let sights = seen::sights(connection, number, generation)?;
    let newest = sights.iter().rev().find_map(|sight| sight.purse.map(|purse| (sight, purse)));
    let Some((sight, purse)) = newest else { return Ok(None) };
    let debits = validators::of_card(connection, number, generation)?;
    let is_later = |debit: &&validators::Debit| match sight.movement_counter {
        Some(counter) => debit.counter > counter,
        None => debit.at > sight.at,
    };
    let since: Cents = debits.iter().filter(is_later).map(|debit| debit.amount).sum();
    Ok(purse.checked_sub(since))
}

/// Notes that somebody has moved the balance: opened the new card with it, or paid it out.
///
/// # Errors
/// `CentralError::Refused` with `BalanceUnknown`, `BalanceNotDue`, or `FormField` for an amount that is none; else the
/// database's.
pub fn moved(
    database: &mut Database,
    actor: &Actor,
    number: CardNumber,
    generation: Generation,
    amount: Cents,
    now: Timestamp,
) -> Result<(), CentralError> {
    if amount < Cents::ZERO {
        return Err(Refusal::FormField.into());
    }
    database.write(|transaction| {
        let all = waiting(transaction)?;
        let ours = all.iter().find(|one| (one.number, one.generation) == (number, generation));
        let due = ours.ok_or(Refusal::BalanceUnknown)?.due;
        if due.is_none_or(|due| due > now) {
            return Err(Refusal::BalanceNotDue.into());
        }
        transaction.execute(
            "UPDATE balance_move SET moved = ?3, amount = ?4, officer = ?5 WHERE number = ?1 AND generation = ?2",
            params![sql(number.0), generation.0, now.0, amount.0, actor.name],
        )?;
        let about = format!("{} generation {}: {} cents", number.0, generation.0, amount.0);
        audit::note(transaction, actor, "balance moved", &about, now)
    })
}
