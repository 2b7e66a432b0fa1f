//! Everything or nothing.

use super::connection::{Connection, Session};
use super::{Error, Result};
use std::ops::Deref;

/// The lock that a writer on PostgreSQL holds until its commit. SQLite has one writer at a time by itself, and the
/// books rely on it: chains, claims and numbers follow from what was written before.
const WRITER: &str = "BEGIN; SELECT pg_advisory_xact_lock(6034902310174581101)";

/// A transaction under way. Dropped before its commit, it leaves nothing.
pub struct Transaction<'a> {
    connection: &'a Connection,
    open: bool,
}

impl<'a> Transaction<'a> {
    /// Begins to write. Nobody else does until it has ended.
    pub(crate) fn write(connection: &'a Connection) -> Result<Self> {
        match &connection.session {
            Session::Sqlite(_) => Self::begin(connection, "BEGIN IMMEDIATE"),
            Session::Postgres(_) => Self::begin(connection, WRITER),
        }
    }

    /// Begins to read: everything is as it was at the first look, whatever others write meanwhile.
    pub(crate) fn read(connection: &'a Connection) -> Result<Self> {
        match &connection.session {
            Session::Sqlite(_) => Self::begin(connection, "BEGIN"),
            Session::Postgres(_) => Self::begin(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    fn begin(connection: &'a Connection, sql: &str) -> Result<Self> {
        // Made first: a server that began and then refused the lock has to be told to end.
        let transaction = Self { connection, open: true };
        connection.execute_batch(sql)?;
        connection.failed.set(false);
        Ok(transaction)
    }

    /// What is looked up from here on is few rows of large tables. A server that has not counted a table yet takes 64
    /// keys for a good part of it and would read it whole, each time.
    pub(crate) fn looks_up_by_keys(&self) -> Result<()> {
        match &self.connection.session {
            Session::Sqlite(_) => Ok(()),
            Session::Postgres(_) => self.connection.execute_later("SET LOCAL enable_seqscan = off", &[]),
        }
    }

    /// Keeps everything.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.connection.settle()?;
        // PostgreSQL answers a commit after a failed statement with a rollback, and calls that success.
        if self.connection.failed.get() {
            return Err(Error::Server("a statement of the transaction had failed: nothing was kept".to_owned()));
        }
        self.connection.execute_batch("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        // What was run for later has failed, or is undone with the rest.
        let _ = self.connection.settle();
        if self.connection.is_in_transaction()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
            && !self.connection.is_closed()
        {
            tracing::warn!(%error, "a transaction that had failed could not be undone by hand");
        }
    }
}
