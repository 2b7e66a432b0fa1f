//! Schema versions: a fresh database gets the newest at once, an older one is moved forward, a newer one is left
//! alone.

use crate::StoreError;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Transaction};
use sha2::{Digest, Sha256};

/// The journal's schema version (`PRAGMA user_version`).
pub const JOURNAL_VERSION: i64 = 4;
/// The cache's schema version; another one is dropped and built again.
pub const CACHE_VERSION: i64 = 2;

const JOURNAL: &str = include_str!("sql/journal.sql");
const JOURNAL_STEPS: &[(i64, &str)] = &[
    (1, include_str!("sql/journal-1-to-2.sql")),
    (2, include_str!("sql/journal-2-to-3.sql")),
    (3, include_str!("sql/journal-3-to-4.sql")),
];
const CACHE: &str = include_str!("sql/cache.sql");

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// The file was empty.
    Fresh,
    /// It was as it should be.
    Current,
    /// It was moved forward.
    Migrated {
        /// The version found.
        from: i64,
    },
}

/// Makes the journal's tables, or moves them forward, in one commit.
pub(crate) fn prepare_journal(connection: &mut Connection) -> Result<Schema, StoreError> {
    let found = version(connection).map_err(StoreError::JournalRead)?;
    if found > JOURNAL_VERSION {
        return Err(StoreError::JournalTooNew { found, known: JOURNAL_VERSION });
    }
    if found == JOURNAL_VERSION {
        return Ok(Schema::Current);
    }
    move_forward(connection, found).map_err(StoreError::JournalWrite)?;
    Ok(if found == 0 { Schema::Fresh } else { Schema::Migrated { from: found } })
}

fn move_forward(connection: &mut Connection, found: i64) -> rusqlite::Result<()> {
    lend_sha256(connection)?;
    let transaction = connection.transaction()?;
    if found == 0 {
        transaction.execute_batch(JOURNAL)?;
    }
    for (_, step) in JOURNAL_STEPS.iter().filter(|(from, _)| found > 0 && *from >= found) {
        transaction.execute_batch(step)?;
    }
    set_version(&transaction, JOURNAL_VERSION)?;
    transaction.commit()
}

/// Makes the cache's tables in an empty file; `false` when the file is of another version.
pub(crate) fn prepare_cache(connection: &mut Connection) -> rusqlite::Result<bool> {
    match version(connection)? {
        0 => {
            let transaction = connection.transaction()?;
            transaction.execute_batch(CACHE)?;
            set_version(&transaction, CACHE_VERSION)?;
            transaction.commit()?;
            Ok(true)
        }
        found => Ok(found == CACHE_VERSION),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn set_version(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "user_version", version)
}

fn lend_sha256(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sha256", 1, flags, |context| {
        let bytes = context.get_raw(0).as_blob().map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        Ok(Sha256::digest(bytes).to_vec())
    })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
