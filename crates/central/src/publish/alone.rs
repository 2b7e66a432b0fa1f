//! One publication at a time: whoever holds the lock publishes, in whichever process or on whichever node. A lock goes
//! with the process that held it.

use crate::db::{Connection, Kind, params};
use crate::error::CentralError;
use crate::{DataFolder, Database};
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// The advisory lock of publications; the writers' has the number before it.
const LOCK: i64 = 6_034_902_310_174_581_102;
/// How long somebody waits for another publication to end: longer than a whole base takes.
const PATIENCE: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_millis(100);

/// Whether to wait for another publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// Wait until it has ended.
    Wait,
    /// Leave it to the other.
    Skip,
}

enum Held {
    File(#[expect(dead_code, reason = "the lock goes with the file")] File),
    Server,
}

/// Runs `work` while nobody else publishes. `None` when somebody does and is not waited for.
pub(super) fn alone<T>(
    data: &DataFolder,
    database: &mut Database,
    busy: Busy,
    work: impl FnOnce(&mut Database) -> Result<T, CentralError>,
) -> Result<Option<T>, CentralError> {
    let began = Instant::now();
    let held = loop {
        match take(data, database)? {
            Some(held) => break held,
            None if busy == Busy::Skip => return Ok(None),
            None if began.elapsed() > PATIENCE => {
                return Err(CentralError::NotReady("another publication does not end".to_owned()));
            }
            None => std::thread::sleep(AGAIN),
        }
    };
    let done = work(database);
    if let Held::Server = held {
        release(database.read());
    }
    done.map(Some)
}

fn take(data: &DataFolder, database: &Database) -> Result<Option<Held>, CentralError> {
    if database.kind() == Kind::Postgres {
        let sql = "SELECT CASE WHEN pg_try_advisory_lock(?1) THEN 1 ELSE 0 END";
        let taken: i64 = database.read().query_row(sql, params![LOCK], |row| row.get(0))?;
        return Ok((taken == 1).then_some(Held::Server));
    }
    let path = data.keys().with_file_name("publish.lock");
    let failed = |error| CentralError::file(&path, error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held::File(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A connection that is kept would keep the lock.
fn release(connection: &Connection) {
    let sql = "SELECT CASE WHEN pg_advisory_unlock(?1) THEN 1 ELSE 0 END";
    if let Err(error) = connection.query_row(sql, params![LOCK], |row| row.get::<i64>(0)) {
        tracing::warn!(%error, "the lock of publications goes with its connection");
    }
}
