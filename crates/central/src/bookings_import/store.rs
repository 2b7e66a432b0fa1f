//! A chunk of bookings against the registry: whose they are, what is there of them, and the writing of it.

use super::fields::{Booked, Who};
use crate::Database;
use crate::db::{Connection, Transaction, Value, params};
use crate::error::CentralError;
use crate::holders_import::header::Fault;
use crate::holders_import::sql::{padded, places};
use domain::Timestamp;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Bookings in one transaction: nobody else at central waits longer than for these.
pub(super) const CHUNK: usize = 500;

/// What becomes of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Changed,
    Unchanged,
}

/// A booking whose holder is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    holder: i64,
    pub(super) change: Change,
}

/// Holder, service, start.
type Key = (i64, u8, i64);

/// What the file names, by a keyed hash of eight bytes.
#[derive(Default)]
pub(super) struct Seen {
    bookings: HashSet<u64>,
    hasher: RandomState,
}

impl Seen {
    fn add(&mut self, key: Key) -> bool {
        self.bookings.insert(self.hasher.hash_one(key))
    }

    fn has(&self, key: Key) -> bool {
        self.bookings.contains(&self.hasher.hash_one(key))
    }
}

/// Holders by what the file calls them, and whether they moved away.
#[derive(Default)]
struct Holders {
    by_identity: HashMap<String, (i64, bool)>,
    by_card: HashMap<i64, (i64, bool)>,
}

const MOVED: &str = "CASE WHEN moved_away.holder IS NULL THEN 0 ELSE 1 END";

impl Holders {
    fn of(connection: &Connection, all: &[Booked]) -> Result<Self, CentralError> {
        let (mut identities, mut cards) = (Vec::new(), Vec::new());
        for booked in all {
            match &booked.who {
                Who::Identity(number) => identities.push(Value::Text(number)),
                Who::Card(number) => cards.push(Value::Int(*number)),
            }
        }
        let mut holders = Self::default();
        if !identities.is_empty() {
            let query = format!(
                "SELECT identity_number, holder.id, {MOVED} FROM holder
                 LEFT JOIN moved_away ON moved_away.holder = holder.id WHERE identity_number IN ({})",
                places(CHUNK)
            );
            let read = |row: &crate::db::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
            holders.by_identity = connection.query(&query, &padded(identities, CHUNK), read)?.into_iter().collect();
        }
        if !cards.is_empty() {
            let query = format!(
                "SELECT card.number, card.holder, {MOVED} FROM card
                 LEFT JOIN moved_away ON moved_away.holder = card.holder WHERE card.number IN ({})",
                places(CHUNK)
            );
            let read = |row: &crate::db::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
            holders.by_card = connection.query(&query, &padded(cards, CHUNK), read)?.into_iter().collect();
        }
        Ok(holders)
    }

    fn find(&self, who: &Who) -> Result<i64, Fault> {
        let (field, found) = match who {
            Who::Identity(number) => ("identity_number", self.by_identity.get(number)),
            Who::Card(number) => ("card", self.by_card.get(number)),
        };
        match found {
            None => Err(Fault::new(field, "holder-unknown")),
            Some((_, true)) => Err(Fault::new(field, "holder-moved")),
            Some((holder, false)) => Ok(*holder),
        }
    }
}

fn known(connection: &Connection, holders: &[i64]) -> Result<HashMap<Key, String>, CentralError> {
    if holders.is_empty() {
        return Ok(HashMap::new());
    }
    let query = format!("SELECT holder, service, starts, place FROM booking WHERE holder IN ({})", places(CHUNK));
    let wanted = holders.iter().map(|holder| Value::Int(*holder)).collect();
    let read = |row: &crate::db::Row<'_>| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?));
    Ok(connection.query(&query, &padded(wanted, CHUNK), read)?.into_iter().collect())
}

/// What would be done with each booking of a chunk, without a write.
pub(super) fn look(
    connection: &Connection,
    all: &[Booked],
    seen: &mut Seen,
) -> Result<Vec<Result<Found, Fault>>, CentralError> {
    let holders = Holders::of(connection, all)?;
    let found: Vec<Result<i64, Fault>> = all.iter().map(|booked| holders.find(&booked.who)).collect();
    let known = known(connection, &found.iter().flatten().copied().collect::<Vec<_>>())?;
    let outcome = |(booked, holder): (&Booked, Result<i64, Fault>)| {
        let holder = holder?;
        let key = (holder, booked.service, booked.starts);
        if !seen.add(key) {
            return Err(Fault::new("line", "duplicate"));
        }
        let change = match known.get(&key) {
            None => Change::Added,
            Some(place) if *place == booked.place => Change::Unchanged,
            Some(_) => Change::Changed,
        };
        Ok(Found { holder, change })
    };
    Ok(all.iter().zip(found).map(outcome).collect())
}

/// Writes what is new or changed.
pub(super) fn write(
    transaction: &Transaction<'_>,
    all: &[Booked],
    outcomes: &[Result<Found, Fault>],
) -> Result<(), CentralError> {
    let insert = "INSERT INTO booking (holder, service, starts, place) VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT (holder, starts, service) DO UPDATE SET place = ?4";
    for (booked, outcome) in all.iter().zip(outcomes) {
        if let Ok(Found { holder, change: Change::Added | Change::Changed }) = outcome {
            transaction.execute_later(insert, params![*holder, booked.service, booked.starts, booked.place])?;
        }
    }
    Ok(())
}

/// Bookings from this moment on that the file does not name.
pub(super) fn missing(connection: &Connection, seen: &Seen, from: Timestamp) -> Result<Vec<Key>, CentralError> {
    let mut missing = Vec::new();
    connection.for_each("SELECT holder, service, starts FROM booking WHERE starts >= ?1", params![from.0], |row| {
        let key = (row.get(0)?, row.get(1)?, row.get(2)?);
        if !seen.has(key) {
            missing.push(key);
        }
        Ok::<_, CentralError>(())
    })?;
    Ok(missing)
}

/// Takes them away, a chunk a transaction.
pub(super) fn cancel(database: &mut Database, missing: &[Key]) -> Result<(), CentralError> {
    let sql = "DELETE FROM booking WHERE holder = ?1 AND service = ?2 AND starts = ?3";
    for chunk in missing.chunks(CHUNK) {
        database.write(|transaction| {
            chunk.iter().try_for_each(|(holder, service, starts)| {
                Ok(transaction.execute_later(sql, params![*holder, *service, *starts])?)
            })
        })?;
    }
    Ok(())
}
