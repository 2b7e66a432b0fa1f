//! The SQLite file: opening, version, and a hash over its content.

use crate::error::CentralError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

const SCHEMA: &str = include_str!("schema.sql");
const VERSION: i64 = 1;
/// The tables that seeding fills.
const SEEDED: [&str; 9] =
    ["setting", "pack_file", "district", "street", "household", "holder", "entitlement", "booking", "card"];

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
            transaction.pragma_update(None, "user_version", VERSION)?;
            Ok(())
        })?;
        Ok(database)
    }

    /// Opens a database that was seeded.
    ///
    /// # Errors
    /// `CentralError::NotReady` when there is none, or one of another version.
    pub fn open(path: &Path) -> Result<Self, CentralError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| CentralError::NotReady(format!("{}: {error}", path.display())))?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != VERSION {
            return Err(CentralError::NotReady(format!("its version is {version}, this program's is {VERSION}")));
        }
        Self::configure(connection)
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
