//! What was published of each card and tier: enough to see whether a record changed, and to take its row out. Never the
//! content itself.

use crate::db::{Connection, Transaction, Value, params};
use crate::error::CentralError;
use domain::Generation;
use protocol::{RecordId, Tier};
use std::collections::HashMap;

/// A keyed digest of a record's content.
pub(super) type Digest = [u8; 16];
/// Card number and tier.
pub(super) type Key = (u64, Tier);

/// What was published of one card in one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) generation: Generation,
    pub(super) digest: Digest,
    pub(super) pin_version: u8,
    pub(super) content: u64,
    pub(super) facts_day: i32,
    /// `None` for a row that has left the feed.
    pub(super) record: Option<RecordId>,
    pub(super) sequence: u64,
}

/// Everything that was published.
pub(super) type AllKnown = HashMap<Key, Known>;

const COLUMNS: usize = 9;
/// Rows of one statement: beyond some dozens nothing is gained.
const ROWS: usize = 64;

fn tier_number(tier: Tier) -> i64 {
    match tier {
        Tier::Tap => 1,
        Tier::Pin => 2,
    }
}

/// Reads the table.
///
/// # Errors
/// `CentralError::Database`.
pub(super) fn load(connection: &Connection) -> Result<AllKnown, CentralError> {
    let sql = "SELECT card, tier, generation, digest, pin_version, content, facts_day, record, sequence
               FROM published_row";
    let mut all = AllKnown::new();
    connection.for_each(sql, params![], |row| {
        let tier = if row.get::<i64>(1)? == tier_number(Tier::Tap) { Tier::Tap } else { Tier::Pin };
        let known = Known {
            generation: Generation(row.get(2)?),
            digest: row.get(3)?,
            pin_version: row.get(4)?,
            content: row.get(5)?,
            facts_day: row.get(6)?,
            record: row.get::<Option<[u8; 16]>>(7)?.map(RecordId),
            sequence: row.get(8)?,
        };
        all.insert((row.get(0)?, tier), known);
        Ok::<_, CentralError>(())
    })?;
    Ok(all)
}

fn statement(rows: usize) -> String {
    let row = |at: usize| {
        let places: Vec<String> = (1..=COLUMNS).map(|column| format!("?{}", at * COLUMNS + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO published_row
            (card, tier, generation, digest, pin_version, content, facts_day, record, sequence)
         VALUES {} ON CONFLICT (card, tier) DO UPDATE SET generation = excluded.generation, digest = excluded.digest,
            pin_version = excluded.pin_version, content = excluded.content, facts_day = excluded.facts_day,
            record = excluded.record, sequence = excluded.sequence",
        rows.join(", ")
    )
}

/// Writes what a publication sealed or took out.
///
/// # Errors
/// `CentralError::Database`.
pub(super) fn store(transaction: &Transaction<'_>, mut rows: Vec<(Key, Known)>) -> Result<(), CentralError> {
    // By rising key: a table in order takes them several times as fast.
    rows.sort_unstable_by_key(|((card, tier), _)| (*card, tier_number(*tier)));
    let whole = statement(ROWS);
    for part in rows.chunks(ROWS) {
        let mut values = Vec::with_capacity(part.len() * COLUMNS);
        for ((card, tier), known) in part {
            let whole = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
            values.extend([
                whole(*card),
                Value::Int(tier_number(*tier)),
                Value::Int(known.generation.0.into()),
                Value::Blob(&known.digest),
                Value::Int(known.pin_version.into()),
                whole(known.content),
                Value::Int(known.facts_day.into()),
                known.record.as_ref().map_or(Value::Null, |id| Value::Blob(&id.0)),
                whole(known.sequence),
            ]);
        }
        if part.len() == ROWS {
            transaction.execute_later(&whole, &values)?;
        } else {
            transaction.execute_later(&statement(part.len()), &values)?;
        }
    }
    Ok(())
}

/// How many rows of both tiers are in the feed.
///
/// # Errors
/// `CentralError::Database`.
pub(super) fn count(transaction: &Transaction<'_>) -> Result<(usize, usize), CentralError> {
    let of = |tier| -> Result<usize, CentralError> {
        let sql = "SELECT count(*) FROM published_row WHERE tier = ?1 AND record IS NOT NULL";
        let count: u64 = transaction.query_row(sql, params![tier_number(tier)], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    };
    Ok((of(Tier::Tap)?, of(Tier::Pin)?))
}
