//! A connection, and the statements that are run on it.

use super::{Address, Error, Result, Row, Value, postgres, sqlite};
use std::cell::Cell;

/// Which database is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file of SQLite's.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// A connection to either database. Statements are kept prepared.
pub struct Connection {
    pub(super) session: Session,
    /// Rows are being read one by one.
    reading: Cell<bool>,
    /// A statement has failed since the transaction began.
    pub(super) failed: Cell<bool>,
}

pub(super) enum Session {
    Sqlite(rusqlite::Connection),
    Postgres(postgres::Session),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({:?})", self.kind())
    }
}

/// Rows are no longer being read once this is gone.
struct Reading<'a>(&'a Cell<bool>);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Connection {
    /// Connects. `make` makes SQLite's file when it is missing; a database of PostgreSQL is made by its administrator.
    ///
    /// # Errors
    /// `Error` when there is none, or when it does not keep what it acknowledges.
    pub fn open(address: &Address, make: bool) -> Result<Self> {
        let session = match address {
            Address::File(path) => Session::Sqlite(sqlite::open(path, make)?),
            Address::Server(server) => Session::Postgres(postgres::Session::open(server)?),
        };
        Ok(Self { session, reading: Cell::new(false), failed: Cell::new(false) })
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.session {
            Session::Sqlite(_) => Kind::Sqlite,
            Session::Postgres(_) => Kind::Postgres,
        }
    }

    /// Whether the server has gone, so that a new connection is needed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match &self.session {
            Session::Sqlite(_) => false,
            Session::Postgres(session) => session.is_closed(),
        }
    }

    /// Copies the whole database into a new file, as it is at one moment, while others read and write: SQLite's own
    /// online backup. `false` when this is no file of SQLite's.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn copy_into(&self, path: &std::path::Path) -> Result<bool> {
        match &self.session {
            Session::Sqlite(connection) => sqlite::copy(connection, path).map(|()| true),
            Session::Postgres(_) => Ok(false),
        }
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        match &self.session {
            Session::Sqlite(connection) => !connection.is_autocommit(),
            // A server takes it kindly to be told to end what has not begun.
            Session::Postgres(session) => !session.is_closed(),
        }
    }

    /// Runs a statement that gives no rows; how many it changed.
    ///
    /// # Errors
    /// The database's.
    pub fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<usize> {
        self.check(parameters)?;
        let changed = match &self.session {
            Session::Sqlite(connection) => sqlite::execute(connection, sql, parameters),
            Session::Postgres(session) => session.execute(sql, parameters),
        };
        self.noting(changed)
    }

    /// Runs a statement whose outcome is awaited with the next one that gives rows, or with the commit: then its error
    /// is told, and nothing is kept. On a server many of these cost one journey.
    ///
    /// # Errors
    /// The database's, of this statement or of one before it.
    pub(crate) fn execute_later(&self, sql: &str, parameters: &[Value<'_>]) -> Result<()> {
        self.check(parameters)?;
        let sent = match &self.session {
            Session::Sqlite(connection) => sqlite::execute(connection, sql, parameters).map(|_| ()),
            Session::Postgres(session) => session.execute_later(sql, parameters),
        };
        self.noting(sent)
    }

    /// Waits for every statement that was run for later. Until then a server's connection keeps what each of them sent.
    ///
    /// # Errors
    /// The database's, of the first that failed.
    pub(crate) fn settle(&self) -> Result<()> {
        match &self.session {
            Session::Sqlite(_) => Ok(()),
            Session::Postgres(session) => self.noting(session.settle()),
        }
    }

    /// A transaction with a failed statement keeps nothing, on either database.
    fn noting<T, E>(&self, outcome: Result<T, E>) -> Result<T, E> {
        self.failed.set(self.failed.get() || outcome.is_err());
        outcome
    }

    /// The first row of a query that gives one.
    ///
    /// # Errors
    /// `Error::NoRow` when it gives none; else the database's, or what `read` returns.
    pub fn query_row<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.query_opt(sql, parameters, read)?.ok_or(Error::NoRow)
    }

    /// The first row of a query, if it gives any.
    ///
    /// # Errors
    /// The database's, or what `read` returns.
    pub fn query_opt<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut read, mut found) = (Some(read), None);
        self.rows(sql, parameters, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok::<_, Error>(())
        })?;
        Ok(found)
    }

    /// Every row of a query.
    ///
    /// # Errors
    /// The database's, or what `read` returns.
    pub fn query<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.rows(sql, parameters, |row| {
            all.push(read(row)?);
            Ok::<_, Error>(())
        })?;
        Ok(all)
    }

    /// Calls `each` with every row, as they arrive: a million of them do not lie in memory together. No other statement
    /// may run on this connection meanwhile.
    ///
    /// # Errors
    /// The database's, or what `each` returns.
    pub fn for_each<E: From<Error>>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(sql, parameters, each)
    }

    /// To the last row, always: a statement is over, and its rules checked, only then.
    fn rows<E: From<Error>>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check(parameters)?;
        self.reading.set(true);
        let _reading = Reading(&self.reading);
        let read = match &self.session {
            Session::Sqlite(connection) => sqlite::rows(connection, sql, parameters, each),
            Session::Postgres(session) => session.rows(sql, parameters, each),
        };
        self.noting(read)
    }

    /// Runs several statements that have no parameters and give no rows.
    ///
    /// # Errors
    /// The database's.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        self.check(&[])?;
        let done = match &self.session {
            Session::Sqlite(connection) => connection.execute_batch(sql).map_err(Error::from),
            Session::Postgres(session) => session.execute_batch(sql),
        };
        self.noting(done)
    }

    /// Both databases refuse the same.
    fn check(&self, parameters: &[Value<'_>]) -> Result<()> {
        if self.reading.get() {
            return Err(Error::Busy);
        }
        let has_nul = |value: &Value<'_>| matches!(value, Value::Text(text) if text.contains('\0'));
        if parameters.iter().any(has_nul) { Err(Error::Nul) } else { Ok(()) }
    }
}
