//! Counts the commits of a journal from outside, while its owner holds it: in SQLite's write-ahead log each commit
//! appends frames, and a frame belongs to the log's present round when it bears the log's salts (SQLite file format,
//! section 4.1). Nothing is read but salts.

use crate::{StreetError, io_error};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The log of a journal, watched from its present end.
pub(super) struct Commits {
    log: File,
    page: u64,
    next: u64,
}

impl Commits {
    /// # Errors
    /// The log cannot be read.
    pub(super) fn watch(path: &Path) -> Result<Self, StreetError> {
        let log = File::open(path).map_err(io_error("the journal's log"))?;
        let mut watched = Self { log, page: 0, next: 0 };
        watched.page = watched.number(8).map_or(4_096, u64::from);
        while watched.frame(watched.next).is_some() {
            watched.next += 1;
        }
        Ok(watched)
    }

    /// Waits until this many more commits were written, or no longer than `patience`. A log that vanishes counts as one
    /// that says nothing more.
    pub(super) fn await_count(&mut self, count: u32, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut seen = 0;
        while seen < count && Instant::now() < deadline {
            match self.frame(self.next) {
                Some(commits) => {
                    self.next += 1;
                    seen += u32::from(commits);
                }
                // A commit is over in a quarter of a millisecond: the moment it shows is the moment to strike.
                None => std::thread::sleep(Duration::from_micros(30)),
            }
        }
    }

    /// Whether a frame of the present round ends a commit; `None` when it was not written yet.
    fn frame(&self, index: u64) -> Option<bool> {
        let at = HEADER + index * (FRAME_HEADER + self.page);
        let salts = (self.number(16)?, self.number(20)?);
        let found = (self.number(at + 8)?, self.number(at + 12)?);
        // The size of the database after a commit; zero in every other frame.
        (salts == found).then(|| self.number(at + 4).is_some_and(|pages| pages > 0))
    }

    fn number(&self, at: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        self.log.read_exact_at(&mut bytes, at).ok()?;
        Some(u32::from_be_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn commits_are_counted_while_another_holds_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.db");
        let database = Connection::open(&path).unwrap();
        database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        database.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n)").unwrap();
        let mut commits = Commits::watch(&folder.path().join("j.db-wal")).unwrap();
        let before = commits.next;
        database.execute_batch("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)").unwrap();
        let began = Instant::now();
        commits.await_count(2, Duration::from_secs(20));
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(commits.next >= before + 2);
        assert_eq!(commits.frame(commits.next), None);
    }
}
