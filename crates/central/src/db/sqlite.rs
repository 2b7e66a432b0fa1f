//! SQLite: one file, one process that writes at a time.

use super::row::Source;
use super::{Error, Result, Row, Value};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(10);
/// Every statement of central's, so that none is read twice.
const STATEMENTS: usize = 256;

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Makes the file, or opens the one that is there.
pub(super) fn open(path: &Path, make: bool) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, make);
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Receipts promise durability.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

pub(super) fn execute(connection: &Connection, sql: &str, parameters: &[Value<'_>]) -> Result<usize> {
    Ok(connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(parameters))?)
}

/// Reads every row.
pub(super) fn rows<E: From<Error>>(
    connection: &Connection,
    sql: &str,
    parameters: &[Value<'_>],
    mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare_cached(sql).map_err(Error::from)?;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(Error::from)?;
    while let Some(row) = rows.next().map_err(Error::from)? {
        each(&Row(Source::Sqlite(row)))?;
    }
    Ok(())
}

/// Copies everything into a new file in one step: what is written meanwhile is not in it, and need not wait.
pub(super) fn copy(from: &Connection, path: &Path) -> Result<()> {
    let mut to = Connection::open(path)?;
    {
        let backup = Backup::new(from, &mut to)?;
        loop {
            match backup.step(-1)? {
                StepResult::Done => break,
                StepResult::More => {}
                // A writer is at its checkpoint: it takes no longer than a commit.
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
    // One file, without a log beside it.
    Ok(to.pragma_update(None, "journal_mode", "DELETE")?)
}
