//! The validators' debits: one line a movement, under the counter that its record has on the card.

use super::dialect::{Dialect, Row};
use super::{File, Imported, Line, import_lines};
use crate::Database;
use crate::audit::Actor;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::uploads::sql;
use domain::{CardNumber, Cents, Generation, Timestamp};

/// What a validator took off a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debit {
    /// The card.
    pub card: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// The counter of the card's movement record.
    pub counter: u32,
    /// When.
    pub at: Timestamp,
    /// How much, above zero.
    pub amount: Cents,
}

const NEEDED: [&str; 5] = ["moment", "card", "generation", "counter", "amount_cents"];

/// Imports a file of debits. Moments that name no offset are of the dialect's zone, or the city's.
///
/// # Errors
/// `CentralError::Rejected` when the file as a whole cannot be read; else the database's. Single lines that cannot be
/// taken are in the result.
pub fn import(
    database: &mut Database,
    file: File<'_>,
    dialect: &Dialect,
    city_zone: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Imported, CentralError> {
    let rows = dialect.rows(file.bytes, &NEEDED, &[]).map_err(CentralError::Rejected)?;
    database.write(|transaction| {
        import_lines(transaction, "debits", file, rows, actor, now, |id, row| match read(dialect, row, city_zone) {
            Ok(debit) => take(transaction, id, row.line, &debit),
            Err(reason) => Ok(Err(reason)),
        })
    })
}

fn read(dialect: &Dialect, row: &Row, city_zone: &str) -> Result<Debit, String> {
    let amount = dialect.cents(row.text("amount_cents")).map_err(|reason| format!("column amount_cents: {reason}"))?;
    if amount <= Cents::ZERO {
        return Err("column amount_cents: above zero".to_owned());
    }
    let card: u64 = row.whole("card")?;
    Ok(Debit {
        card: CardNumber(i64::try_from(card).map(|_| card).map_err(|_| "column card: no card's number".to_owned())?),
        generation: Generation(row.whole("generation")?),
        counter: row.whole("counter")?,
        at: dialect.moment(row.text("moment"), city_zone)?,
        amount,
    })
}

fn take(
    transaction: &Transaction<'_>,
    file: i64,
    number: u64,
    debit: &Debit,
) -> Result<Result<Line, String>, CentralError> {
    let known: Option<(i64, i64)> = transaction.query_opt(
        "SELECT at, amount FROM debit WHERE card = ?1 AND generation = ?2 AND counter = ?3",
        params![sql(debit.card.0), debit.generation.0, debit.counter],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match known {
        Some(known) if known == (debit.at.0, debit.amount.0) => Ok(Ok(Line::Known)),
        Some(_) => Ok(Err("another debit of this card has the same counter".to_owned())),
        None => {
            transaction.execute(
                "INSERT INTO debit (card, generation, counter, at, amount, file, line)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    sql(debit.card.0),
                    debit.generation.0,
                    debit.counter,
                    debit.at.0,
                    debit.amount.0,
                    file,
                    i64::try_from(number).unwrap_or(i64::MAX)
                ],
            )?;
            Ok(Ok(Line::Taken))
        }
    }
}

/// The debits of a card, by counter.
///
/// # Errors
/// `CentralError::Database`.
pub fn of_card(connection: &Connection, card: CardNumber, generation: Generation) -> Result<Vec<Debit>, CentralError> {
    let rows = connection.query(
        "SELECT counter, at, amount FROM debit WHERE card = ?1 AND generation = ?2 ORDER BY counter",
        params![sql(card.0), generation.0],
        |row| {
            let (at, amount) = (Timestamp(row.get(1)?), Cents(row.get(2)?));
            Ok(Debit { card, generation, counter: row.get(0)?, at, amount })
        },
    )?;
    Ok(rows)
}
