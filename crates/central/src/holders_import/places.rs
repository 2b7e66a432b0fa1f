//! Streets, districts and households: found, or made.

use super::fields::{District, Person};
use super::store::CHUNK;
use crate::db::{Connection, Transaction, Value, params};
use crate::error::CentralError;
use std::collections::{BTreeMap, HashMap};

/// Streets and districts by what the file calls them; households are looked up, a chunk at a time.
#[derive(Default)]
pub(super) struct Places {
    districts: BTreeMap<i64, String>,
    streets: HashMap<(i64, String, String), i64>,
}

/// Street, door, section.
pub(super) type Home = (i64, String, i64);

impl Places {
    pub(super) fn load(connection: &Connection) -> Result<Self, CentralError> {
        let districts =
            connection.query("SELECT id, name FROM district", params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let streets = connection.query("SELECT district, name, postal_code, id FROM street", params![], |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
        })?;
        Ok(Self { districts: districts.into_iter().collect(), streets: streets.into_iter().collect() })
    }

    fn district(&mut self, transaction: &Transaction<'_>, told: &District) -> Result<i64, CentralError> {
        let (id, name) = match told {
            District::Number(id) if self.districts.contains_key(id) => return Ok(*id),
            District::Number(id) => (*id, format!("Distrito {id}")),
            District::Name(name) => match self.districts.iter().find(|(_, known)| *known == name) {
                Some((id, _)) => return Ok(*id),
                None => (self.districts.keys().last().unwrap_or(&0) + 1, name.clone()),
            },
        };
        transaction.execute_later("INSERT INTO district (id, name) VALUES (?1, ?2)", params![id, name])?;
        self.districts.insert(id, name);
        Ok(id)
    }

    pub(super) fn street(&mut self, transaction: &Transaction<'_>, person: &Person) -> Result<i64, CentralError> {
        let district = self.district(transaction, &person.district)?;
        let key = (district, person.street.clone(), person.postal_code.clone());
        if let Some(id) = self.streets.get(&key) {
            return Ok(*id);
        }
        let id = next_id(transaction, "street")?;
        let insert = "INSERT INTO street (id, district, name, postal_code) VALUES (?1, ?2, ?3, ?4)";
        transaction.execute_later(insert, params![id, district, person.street, person.postal_code])?;
        self.streets.insert(key, id);
        Ok(id)
    }
}

pub(super) fn next_id(connection: &Connection, table: &str) -> Result<i64, CentralError> {
    Ok(connection.query_row(&format!("SELECT coalesce(max(id), 0) + 1 FROM {table}"), params![], |row| row.get(0))?)
}

/// The households of a chunk that are there already.
pub(super) fn households(connection: &Connection, wanted: &[(i64, &str)]) -> Result<HashMap<Home, i64>, CentralError> {
    // PostgreSQL has to be told what a row of values is made of.
    let rows: Vec<String> =
        (0..CHUNK).map(|at| format!("(CAST(?{} AS BIGINT), CAST(?{} AS TEXT))", at * 2 + 1, at * 2 + 2)).collect();
    let query =
        format!("SELECT id, street, door, section FROM household WHERE (street, door) IN (VALUES {})", rows.join(", "));
    let last = wanted.last().copied().unwrap_or((0, ""));
    let filled = wanted.iter().copied().chain(std::iter::repeat_n(last, CHUNK - wanted.len()));
    let values: Vec<Value<'_>> = filled.flat_map(|(street, door)| [Value::Int(street), Value::Text(door)]).collect();
    let found = connection.query(&query, &values, |row| Ok(((row.get(1)?, row.get(2)?, row.get(3)?), row.get(0)?)))?;
    Ok(found.into_iter().collect())
}
