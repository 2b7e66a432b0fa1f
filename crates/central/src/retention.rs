//! What is kept for how long. Personal data is kept no longer than its purpose asks (Regulation (EU) 2016/679, article
//! 5(1)(e)); which purpose asks what is the city's to say, in `central.toml`, `[retention]`. The books themselves are
//! never cut: their chains prove that nothing is missing. Nothing goes that is about an open claim, a living order, or
//! a terminal about which something noticed is not explained.

mod holders;
mod kind;
mod settings;
pub mod timer;

use crate::Database;
use crate::audit::{self, Actor};
use crate::clock;
use crate::db::{self, Connection, Transaction, params};
use crate::error::CentralError;
use domain::Timestamp;
pub use kind::Kind;
pub use settings::RetentionSettings;

const DAY_MS: i64 = 86_400_000;
/// A clock that is so much later than the last run is believed only when somebody says so.
const GAP_MAX_MS: i64 = 30 * DAY_MS;

/// What was over, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// What.
    pub kind: Kind,
    /// From before this moment; `None` where it is kept for ever.
    pub before: Option<Timestamp>,
    /// How many.
    pub count: u64,
}

/// What would go now.
///
/// # Errors
/// `CentralError::Database`.
pub fn over(database: &Database, settings: &RetentionSettings, now: Timestamp) -> Result<Vec<Over>, CentralError> {
    let one = |kind: Kind| {
        let Some(before) = before(settings, kind, now) else { return Ok(Over { kind, before: None, count: 0 }) };
        let sql = format!("SELECT count(*) FROM ({}) AS gone", kind.over());
        let count: i64 = database.read().query_row(&sql, params![before.0], |row| row.get(0))?;
        Ok(Over { kind, before: Some(before), count: u64::try_from(count).unwrap_or_default() })
    };
    Kind::ALL.into_iter().map(one).collect()
}

fn before(settings: &RetentionSettings, kind: Kind, now: Timestamp) -> Option<Timestamp> {
    let days = settings.days(kind);
    (days > 0).then(|| Timestamp(now.0.saturating_sub(i64::from(days) * DAY_MS)))
}

/// Lets go what is over. Each kind's is a line of the audit.
///
/// # Errors
/// `CentralError`; what went before stays gone, and is told in the audit.
pub fn retain(
    database: &mut Database,
    settings: &RetentionSettings,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<Over>, CentralError> {
    let mut all = Vec::new();
    overwrite(database)?;
    for kind in Kind::ALL {
        let Some(before) = before(settings, kind, now) else {
            all.push(Over { kind, before: None, count: 0 });
            continue;
        };
        let mut count = 0;
        loop {
            let removed = database.write(|transaction| {
                let removed = u64::try_from(kind.remove_some(transaction, before.0, now)?).unwrap_or_default();
                if removed > 0 {
                    note(transaction, actor, Over { kind, before: Some(before), count: removed }, now)?;
                }
                Ok(removed)
            })?;
            count += removed;
            // The audit is cut at once; its newest line is then the one that says so.
            if removed == 0 || kind == Kind::Audit {
                break;
            }
        }
        all.push(Over { kind, before: Some(before), count });
    }
    Ok(all)
}

/// When somebody last let something go, if ever.
fn last_run(connection: &Connection) -> Result<Option<Timestamp>, CentralError> {
    Ok(connection.query_opt("SELECT at FROM retention_run", &[], |row| Ok(Timestamp(row.get(0)?)))?)
}

fn put_run(transaction: &Transaction<'_>, at: Timestamp) -> Result<(), CentralError> {
    let sql = "INSERT INTO retention_run (one, at) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET at = ?1";
    transaction.execute(sql, params![at.0])?;
    Ok(())
}

/// What was let go by a wrong clock is gone for good.
fn refuse_clock(last: Timestamp, now: Timestamp) -> Result<(), CentralError> {
    let away = now.0.saturating_sub(last.0);
    if (-clock::SKEW_MAX_MS..=GAP_MAX_MS).contains(&away) {
        return Ok(());
    }
    Err(CentralError::NotReady(format!(
        "retention last ran on {}, and by this clock it is {}: nothing goes. If the clock is right, \
         retain --clock-is-right",
        clock::utc(last),
        clock::utc(now)
    )))
}

/// As `retain`, by somebody's hand; unless they say that the clock is right, not by one that went back since the last
/// time, or on by more than 30 days.
///
/// # Errors
/// `CentralError::NotReady` for such a clock; else as `retain`.
pub fn by_hand(
    database: &mut Database,
    settings: &RetentionSettings,
    actor: &Actor,
    clock_is_right: bool,
    now: Timestamp,
) -> Result<Vec<Over>, CentralError> {
    let last = last_run(database.read())?.filter(|_| !clock_is_right);
    last.map_or(Ok(()), |last| refuse_clock(last, now))?;
    let gone = retain(database, settings, actor, now)?;
    database.write(|transaction| put_run(transaction, now))?;
    Ok(gone)
}

/// SQLite leaves what was deleted in its file until something else is written there, unless it is told not to.
fn overwrite(database: &Database) -> Result<(), CentralError> {
    if database.kind() == db::Kind::Sqlite {
        database.read().query_opt("PRAGMA secure_delete = ON", &[], |_| Ok(()))?;
    }
    Ok(())
}

fn note(transaction: &Transaction<'_>, actor: &Actor, over: Over, now: Timestamp) -> Result<(), CentralError> {
    let (kind, before) = (over.kind.name(), over.before.unwrap_or_default().0);
    let count = i64::try_from(over.count).unwrap_or(i64::MAX);
    let sql = "INSERT INTO retained (at, kind, before, removed) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![now.0, kind, before, count])?;
    audit::note(transaction, actor, "retention", &format!("{kind}: {count} from before {before}"), now)
}
