//! Retention by itself: once a day, by one of the nodes, for as long as their processes live.

use super::{Over, last_run, put_run, refuse_clock, retain};
use crate::audit::{Actor, Role};
use crate::error::CentralError;
use crate::{DataFolder, Database, clock};
use domain::Timestamp;
use std::time::Duration;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How often it looks whether a day is over.
const LOOK: Duration = Duration::from_secs(60);

/// Begins to let go, at once if nobody has for a day.
///
/// # Errors
/// `CentralError::Listen` when the system has no thread left.
pub fn start(data: DataFolder) -> Result<(), CentralError> {
    let run = move || loop {
        match once(&data, clock::now()) {
            Ok(gone) => {
                for over in gone.iter().flatten().filter(|over| over.count > 0) {
                    tracing::info!(kind = over.kind.name(), count = over.count, "let go");
                }
            }
            Err(error) => tracing::error!(%error, "not all was let go; it is tried again"),
        }
        std::thread::sleep(LOOK);
    };
    let started = std::thread::Builder::new().name("retain".to_owned()).spawn(run);
    started.map(drop).map_err(CentralError::Listen)
}

/// Lets go what is over, unless somebody did within a day: then nothing. The very first time it only notes the day: a
/// clock that is wrong would let everything go, and cannot be told from a right one.
///
/// # Errors
/// `CentralError::NotReady` when the last time is more than 30 days ago, or lies ahead; else as `retain`, and then it is
/// nobody's day yet.
pub fn once(data: &DataFolder, now: Timestamp) -> Result<Option<Vec<Over>>, CentralError> {
    let mut database = Database::open(data.database())?;
    let is_ours = database.write(|transaction| {
        let Some(last) = last_run(transaction)? else { return put_run(transaction, now).map(|()| false) };
        refuse_clock(last, now)?;
        if now.0.saturating_sub(last.0) < DAY_MS {
            return Ok(false);
        }
        // Whoever writes is alone: the next node sees this.
        put_run(transaction, now).map(|()| true)
    })?;
    if !is_ours {
        return Ok(None);
    }
    let actor = Actor { name: "retention".to_owned(), role: Role::Console };
    let gone = retain(&mut database, data.retention(), &actor, now);
    if gone.is_err() {
        database.write(|transaction| put_run(transaction, Timestamp(now.0 - DAY_MS)))?;
    }
    gone.map(Some)
}
