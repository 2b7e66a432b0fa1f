//! Central's database: making it, opening it, moving it forward, and a hash over its content. What it is, a file or a
//! server, only its address knows.

use crate::db::{self, Address, Connection, Kind, Transaction, Value, params};
use crate::error::CentralError;
use sha2::{Digest, Sha256};

/// The scripts of the schema: version 1, and what each further version added to the one before.
pub const SCHEMA: [&str; 10] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
    include_str!("schema-9.sql"),
    include_str!("schema-10.sql"),
];
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

/// Central's database. Receipts promise durability: every commit is synced before it counts.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
}

/// The version of the newest schema.
#[must_use]
pub fn newest() -> i64 {
    i64::try_from(SCHEMA.len()).unwrap_or(i64::MAX)
}

impl Database {
    /// Makes a new database; refuses to touch one that is there. A server's has to be there, and be empty.
    ///
    /// # Errors
    /// `CentralError::NotReady` when a city is there already.
    pub fn create(address: &Address) -> Result<Self, CentralError> {
        let there = || CentralError::NotReady(format!("{address} is there already: seeding never overwrites a city"));
        if let Address::File(path) = address
            && path.exists()
        {
            return Err(there());
        }
        let mut database = Self { connection: Connection::open(address, true)? };
        database.write(|transaction| match db::version(transaction)? {
            0 => move_forward(transaction, 0),
            _ => Err(there()),
        })?;
        Ok(database)
    }

    /// Opens a database that was seeded, and moves one of an earlier version forward.
    ///
    /// # Errors
    /// `CentralError::NotReady` when there is none, or one of a newer version.
    pub fn open(address: &Address) -> Result<Self, CentralError> {
        let connection = Connection::open(address, false).map_err(|error| match error {
            away if away.is_passing() => CentralError::Database(away),
            other => CentralError::NotReady(format!("{address}: {other}")),
        })?;
        let mut database = Self { connection };
        let version = db::version(&database.connection)?;
        if !(1..=newest()).contains(&version) {
            let why = format!("its version is {version}, this program's is {}", newest());
            return Err(CentralError::NotReady(why));
        }
        if version < newest() {
            // Another process may have been first.
            database.write(|transaction| move_forward(transaction, db::version(transaction)?))?;
        }
        Ok(database)
    }

    /// For reading.
    #[must_use]
    pub fn read(&self) -> &Connection {
        &self.connection
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.connection.kind()
    }

    /// Whether its server has gone, so that it is of no more use.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    /// Everything in `work`, or nothing. Nobody else writes meanwhile.
    ///
    /// # Errors
    /// What `work` returns, or the commit's.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        let transaction = Transaction::write(&self.connection)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Everything that `work` reads is of one moment, whatever others write meanwhile.
    ///
    /// # Errors
    /// What `work` returns, or the database's.
    pub fn at_one_moment<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        let transaction = Transaction::read(&self.connection)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// SHA-256 over every row that seeding writes: the same seed gives the same hash, on either database.
    ///
    /// # Errors
    /// `CentralError::Database`.
    pub fn content_hash(&self) -> Result<[u8; 32], CentralError> {
        let mut hash = Sha256::new();
        for table in SEEDED {
            hash.update(table);
            self.connection.for_each(&format!("SELECT * FROM {table} ORDER BY 1, 2"), params![], |row| {
                (0..row.width()).try_for_each(|column| row.value(column).map(|value| hash_value(&mut hash, value)))
            })?;
        }
        Ok(hash.finalize().into())
    }
}

/// From this version to the newest.
fn move_forward(transaction: &Transaction<'_>, from: i64) -> Result<(), CentralError> {
    for (version, script) in (1..).zip(SCHEMA) {
        if version > from {
            db::execute_schema(transaction, script)?;
        }
    }
    db::move_sequences(transaction)?;
    Ok(db::set_version(transaction, newest())?)
}

fn hash_value(hash: &mut Sha256, value: Value<'_>) {
    let whole;
    let (kind, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Int(number) => {
            whole = number.to_be_bytes();
            (1, &whole)
        }
        Value::Text(text) => (3, text.as_bytes()),
        Value::Blob(bytes) => (4, bytes),
    };
    hash.update([kind]);
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}
