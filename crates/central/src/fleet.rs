//! The fleet's state: when each terminal was last heard, what it last sent, which head it was given, when its
//! certificate ends. What is heard is written down together, every now and then, and not at every poll.

use crate::Database;
use crate::db::{Connection, Kind, params};
use crate::error::CentralError;
use domain::{TerminalId, Timestamp};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What was heard is written down when it is so old.
const WRITE_AFTER_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// When somebody should look: `central.toml`, `[fleet]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FleetSettings {
    /// A terminal that was not heard for so many hours is silent.
    pub silent_hours: u32,
    /// A certificate that ends within so many days is about to end.
    pub certificate_days: u32,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self { silent_hours: 6, certificate_days: 14 }
    }
}

/// One terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalState {
    /// Its number.
    pub terminal: TerminalId,
    /// Where it stands.
    pub place: String,
    /// It was not withdrawn.
    pub enrolled: bool,
    /// When it was enrolled, the last time.
    pub since: Timestamp,
    /// When it last asked anything, within a minute or two; `None` when it never did.
    pub heard: Option<Timestamp>,
    /// When its newest upload came.
    pub uploaded: Option<Timestamp>,
    /// How many uploads came in all.
    pub uploads: u64,
    /// The newest head that was given to it. Whether it serves it, the terminal alone knows.
    pub sequence: Option<u64>,
    /// When its newest certificate ends; `None` for one with a token.
    pub certificate: Option<Timestamp>,
    /// What it says of itself, where it has.
    pub status: Option<Status>,
}

/// A terminal's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// When central heard it.
    pub received: Timestamp,
    /// Its program.
    pub version: String,
    /// The sequence and epoch of the feed that it serves.
    pub feed: Option<(u64, u32)>,
    /// Uploads that wait in its journal.
    pub queued: u64,
    /// Uploads that it has set aside.
    pub quarantined: u64,
}

impl TerminalState {
    /// When it last said anything.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.heard.max(self.uploaded)
    }

    /// For how long it has said nothing, in milliseconds; since it was enrolled when it never did.
    #[must_use]
    pub fn silent_ms(&self, now: Timestamp) -> i64 {
        now.0.saturating_sub(self.last().unwrap_or(self.since).0).max(0)
    }

    /// Whether that is too long.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp, settings: FleetSettings) -> bool {
        self.silent_ms(now) > i64::from(settings.silent_hours) * HOUR_MS
    }

    /// Whether its certificate is past its end.
    #[must_use]
    pub fn certificate_has_ended(&self, now: Timestamp) -> bool {
        self.certificate.is_some_and(|until| until <= now)
    }

    /// Whether it is about to end.
    #[must_use]
    pub fn certificate_ends_soon(&self, now: Timestamp, settings: FleetSettings) -> bool {
        let soon = now.0.saturating_add(i64::from(settings.certificate_days) * DAY_MS);
        self.certificate.is_some_and(|until| until > now && until.0 <= soon)
    }
}

/// Every terminal, by its number.
///
/// # Errors
/// `CentralError::Database`.
pub fn states(connection: &Connection) -> Result<Vec<TerminalState>, CentralError> {
    let sql = "SELECT t.id, t.place, length(t.token_sha256) > 0, t.enrolled, h.at, h.sequence,
                   (SELECT max(received) FROM upload WHERE terminal = t.id),
                   coalesce((SELECT uploads FROM upload_count WHERE terminal = t.id), 0),
                   (SELECT expires FROM certificate WHERE terminal = t.id AND ended IS NULL ORDER BY id DESC LIMIT 1)
               FROM terminal AS t LEFT JOIN terminal_heard AS h ON h.terminal = t.id ORDER BY t.id";
    let moment = |at: Option<i64>| at.map(Timestamp);
    let states = connection.query(sql, params![], |row| {
        Ok(TerminalState {
            terminal: TerminalId(row.get(0)?),
            place: row.get(1)?,
            enrolled: row.get(2)?,
            since: Timestamp(row.get(3)?),
            heard: moment(row.get(4)?),
            sequence: row.get::<Option<i64>>(5)?.and_then(|sequence| u64::try_from(sequence).ok()),
            uploaded: moment(row.get(6)?),
            uploads: u64::try_from(row.get::<i64>(7)?).unwrap_or_default(),
            certificate: moment(row.get(8)?),
            status: None,
        })
    })?;
    let mut statuses = statuses(connection)?;
    Ok(states.into_iter().map(|state| TerminalState { status: statuses.remove(&state.terminal), ..state }).collect())
}

/// The terminals' own words, where this database has a place for them.
fn statuses(connection: &Connection) -> Result<HashMap<TerminalId, Status>, CentralError> {
    if !has_table(connection, "terminal_status")? {
        return Ok(HashMap::new());
    }
    let sql = "SELECT terminal, received, version, feed_sequence, feed_epoch, queued, quarantined FROM terminal_status";
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let all = connection.query(sql, &[], |row| {
        let sequence: Option<i64> = row.get(3)?;
        let status = Status {
            received: Timestamp(row.get(1)?),
            version: row.get(2)?,
            feed: sequence.map(unsigned).zip(row.get::<Option<u32>>(4)?),
            queued: unsigned(row.get(5)?),
            quarantined: unsigned(row.get(6)?),
        };
        Ok((TerminalId(row.get(0)?), status))
    })?;
    Ok(all.into_iter().collect())
}

/// Whether the schema has this table.
pub(crate) fn has_table(connection: &Connection, name: &str) -> Result<bool, CentralError> {
    let sql = match connection.kind() {
        Kind::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        Kind::Postgres => {
            "SELECT 1 FROM information_schema.tables WHERE table_name = ?1
             AND table_schema = ANY (current_schemas(false))"
        }
    };
    Ok(connection.query_opt(sql, params![name], |_| Ok(()))?.is_some())
}

/// What was heard of a terminal: when, and the head it was given.
type Sound = (Timestamp, Option<u64>);

/// What this node has heard since it last wrote it down.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    since: Option<Timestamp>,
    of: HashMap<TerminalId, Sound>,
}

impl Heard {
    /// A terminal asked something, and was given the head of this sequence. True when it is time to write.
    pub(crate) fn hear(&self, terminal: TerminalId, sequence: Option<u64>, now: Timestamp) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sound = waiting.of.entry(terminal).or_insert((now, None));
        *sound = (sound.0.max(now), sound.1.max(sequence));
        let since = *waiting.since.get_or_insert(now);
        if now.0.saturating_sub(since.0) < WRITE_AFTER_MS {
            return false;
        }
        // Whoever was told writes; the others need not.
        waiting.since = Some(now);
        true
    }

    /// What waits to be written.
    pub(crate) fn take(&self) -> Vec<(TerminalId, Sound)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.since = None;
        waiting.of.drain().collect()
    }
}

/// Writes down what was heard. Another node may have heard later.
///
/// # Errors
/// `CentralError::Database`.
pub(crate) fn write(database: &mut Database, heard: &[(TerminalId, Sound)]) -> Result<(), CentralError> {
    if heard.is_empty() {
        return Ok(());
    }
    database.write(|transaction| {
        for (terminal, (at, sequence)) in heard {
            let sequence = sequence.and_then(|sequence| i64::try_from(sequence).ok());
            transaction.execute_later(
                "INSERT INTO terminal_heard (terminal, at, sequence) VALUES (?1, ?2, ?3)
                 ON CONFLICT (terminal) DO UPDATE SET
                     at = CASE WHEN terminal_heard.at > ?2 THEN terminal_heard.at ELSE ?2 END,
                     sequence = CASE WHEN coalesce(terminal_heard.sequence, 0) > coalesce(?3, 0)
                                THEN terminal_heard.sequence ELSE ?3 END",
                params![terminal.0, at.0, sequence],
            )?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(heard: Option<i64>, certificate: Option<i64>) -> TerminalState {
        TerminalState {
            terminal: TerminalId(3),
            place: "Plaza Mayor".to_owned(),
            enrolled: true,
            since: Timestamp(0),
            heard: heard.map(Timestamp),
            uploaded: None,
            uploads: 0,
            sequence: None,
            certificate: certificate.map(Timestamp),
            status: None,
        }
    }

    #[test]
    fn silence_and_the_end_of_a_certificate_are_told_in_time() {
        let (settings, now) = (FleetSettings::default(), Timestamp(100 * DAY_MS));
        let silent = |heard: Option<i64>| state(heard, None).is_silent(now, settings);
        assert!(!silent(Some(now.0 - 6 * HOUR_MS)) && silent(Some(now.0 - 6 * HOUR_MS - 1)));
        assert!(silent(None), "enrolled long ago and never heard");
        let ends = |in_ms: i64| {
            let state = state(None, Some(now.0 + in_ms));
            (state.certificate_ends_soon(now, settings), state.certificate_has_ended(now))
        };
        assert_eq!(ends(14 * DAY_MS + 1), (false, false));
        assert_eq!(ends(14 * DAY_MS), (true, false));
        assert_eq!(ends(0), (false, true));
        assert!(!state(None, None).certificate_has_ended(now), "a token has no end");
    }

    #[test]
    fn what_is_heard_is_written_once_a_minute_and_the_newest_head_stays() {
        let heard = Heard::default();
        assert!(!heard.hear(TerminalId(1), Some(8), Timestamp(0)));
        assert!(!heard.hear(TerminalId(1), None, Timestamp(WRITE_AFTER_MS - 1)));
        assert!(heard.hear(TerminalId(1), Some(7), Timestamp(WRITE_AFTER_MS)));
        assert!(!heard.hear(TerminalId(1), None, Timestamp(WRITE_AFTER_MS)), "somebody writes already");
        assert_eq!(heard.take(), [(TerminalId(1), (Timestamp(WRITE_AFTER_MS), Some(8)))]);
        assert!(heard.take().is_empty());
    }
}
