//! One transaction of the journal. Its three statements are prepared once for a connection: a commit that waits for the
//! disk anyway should not have SQLite parse the words for it as well.

use rusqlite::Connection;

/// A transaction under way. It holds the write lock from its beginning; dropped before its end it is rolled back.
#[derive(Debug)]
pub(super) struct Commit<'a>(&'a Connection);

impl<'a> Commit<'a> {
    /// Begins.
    ///
    /// # Errors
    /// As SQLite says.
    pub(super) fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        say(connection, "BEGIN IMMEDIATE")?;
        Ok(Self(connection))
    }

    /// Makes it durable. A commit that fails is rolled back.
    ///
    /// # Errors
    /// As SQLite says.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        say(self.0, "COMMIT")
    }
}

impl Drop for Commit<'_> {
    fn drop(&mut self) {
        // SQLite rolls back by itself after some errors.
        if !self.0.is_autocommit() {
            let _: rusqlite::Result<()> = say(self.0, "ROLLBACK");
        }
    }
}

fn say(connection: &Connection, word: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(word)?.execute([]).map(drop)
}
