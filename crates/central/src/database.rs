//! The SQLite file: opening, version, and a hash over its content.

use crate::error::CentralError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

const SCHEMA: &str = include_str!("schema.sql");
/// What each version added to the one before, the first bringing version 1 to version 2.
const STEPS: [&str; 3] = [include_str!("schema-2.sql"), include_str!("schema-3.sql"), include_str!("schema-4.sql")];
const VERSION: i64 = 4;
/// The tables that seeding fills.
const SEEDED: [&str; 10] = [
    "setting",
    "pack_file",
    "district",
    "street",
    "household",
    "holder",
    "entitlement",
    "booking",
    "card",
    "technician",
];

/// Central's database. Receipts promise durability, so every commit is synced.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
}

impl Database {
    /// Makes a new database; refuses to touch one that is there.
    ///
    /// # Errors
    /// `CentralError::NotReady` when a file is there already.
    pub fn create(path: &Path) -> Result<Self, CentralError> {
        if path.exists() {
            return Err(CentralError::NotReady(format!("{} exists: seeding never overwrites a city", path.display())));
        }
        let mut database = Self::configure(Connection::open(path)?)?;
        database.write(|transaction| {
            transaction.execute_batch(SCHEMA)?;
            move_forward(transaction, 1)
        })?;
        Ok(database)
    }

    /// Opens a database that was seeded, and moves one of an earlier version forward.
    ///
    /// # Errors
    /// `CentralError::NotReady` when there is none, or one of a newer version.
    pub fn open(path: &Path) -> Result<Self, CentralError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| CentralError::NotReady(format!("{}: {error}", path.display())))?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if !(1..=VERSION).contains(&version) {
            return Err(CentralError::NotReady(format!("its version is {version}, this program's is {VERSION}")));
        }
        let mut database = Self::configure(connection)?;
        if version < VERSION {
            database.write(|transaction| {
                // Another process may have been first.
                let found = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
                move_forward(transaction, found)
            })?;
        }
        Ok(database)
    }

    fn configure(connection: Connection) -> Result<Self, CentralError> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self { connection })
    }

    /// For reading.
    #[must_use]
    pub fn read(&self) -> &Connection {
        &self.connection
    }

    /// Everything in `work`, or nothing.
    ///
    /// # Errors
    /// What `work` returns, or the commit's.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// SHA-256 over every row that seeding writes: the same seed gives the same hash.
    ///
    /// # Errors
    /// `CentralError::Database`.
    pub fn content_hash(&self) -> Result<[u8; 32], CentralError> {
        let mut hash = Sha256::new();
        for table in SEEDED {
            hash.update(table);
            let mut statement = self.connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    hash_value(&mut hash, row.get_ref(column)?);
                }
            }
        }
        Ok(hash.finalize().into())
    }
}

/// From this version to the newest.
fn move_forward(transaction: &rusqlite::Transaction<'_>, from: i64) -> Result<(), CentralError> {
    for (version, step) in (2..).zip(STEPS) {
        if version > from {
            transaction.execute_batch(step)?;
        }
    }
    Ok(transaction.pragma_update(None, "user_version", VERSION)?)
}

fn hash_value(hash: &mut Sha256, value: ValueRef<'_>) {
    let (kind, bytes): (u8, Vec<u8>) = match value {
        ValueRef::Null => (0, Vec::new()),
        ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
        ValueRef::Real(number) => (2, number.to_be_bytes().to_vec()),
        ValueRef::Text(bytes) => (3, bytes.to_vec()),
        ValueRef::Blob(bytes) => (4, bytes.to_vec()),
    };
    hash.update([kind]);
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_the_first_version_is_moved_forward_with_all_it_holds() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("central.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA).unwrap();
        old.execute("INSERT INTO district (id, name) VALUES (1, 'La Ola')", []).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);

        let names = |database: &Database, table: &str| -> i64 {
            database.read().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        for _ in 0..2 {
            let database = Database::open(&path).unwrap();
            assert_eq!((names(&database, "district"), names(&database, "technician")), (1, 0));
        }
    }

    #[test]
    fn every_earlier_version_is_moved_to_what_a_new_database_is() {
        let shape = |database: &Database| -> Vec<String> {
            let sql = "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name";
            let mut statement = database.read().prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let folder = tempfile::TempDir::new().unwrap();
        let new = shape(&Database::create(&folder.path().join("new.db")).unwrap());
        for version in 1..VERSION {
            let path = folder.path().join(format!("{version}.db"));
            let old = Connection::open(&path).unwrap();
            old.execute_batch(SCHEMA).unwrap();
            for step in &STEPS[..usize::try_from(version).unwrap() - 1] {
                old.execute_batch(step).unwrap();
            }
            old.pragma_update(None, "user_version", version).unwrap();
            drop(old);
            assert_eq!(shape(&Database::open(&path).unwrap()), new, "from version {version}");
        }
    }

    /// Version 3 with the books of one top-up.
    const BOOKED_3: &str = include_str!("../tests/data/books-3.sql");

    #[test]
    fn entries_of_version_3_keep_their_numbers_and_postings() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("central.db");
        let old = Connection::open(&path).unwrap();
        old.pragma_update(None, "foreign_keys", true).unwrap();
        for step in [&[SCHEMA], &STEPS[..2], &[BOOKED_3]].concat() {
            old.execute_batch(step).unwrap();
        }
        old.pragma_update(None, "user_version", 3).unwrap();
        drop(old);
        let database = Database::open(&path).unwrap();
        let rows = |sql: &str| -> Vec<(i64, i64, i64)> {
            let mut statement = database.read().prepare(sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(rows("SELECT id, kind, posted FROM entry ORDER BY id"), [(1, 1, 1), (4, 2, 1)]);
        assert_eq!(rows("SELECT entry, line, amount FROM posting ORDER BY line"), [(4, 1, 2_000), (4, 2, -2_000)]);
        assert_eq!(rows("SELECT terminal, journal_generation, next_seq FROM chain"), [(3, 1, 3)]);
        // The reference of the postings moved with the table.
        let orphan = "INSERT INTO posting (entry, line, account, amount) VALUES (9, 1, 'claims', 1)";
        assert!(database.read().execute(orphan, []).is_err());
    }

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("central.db");
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(newer);
        assert!(matches!(Database::open(&path), Err(CentralError::NotReady(_))));
    }
}
