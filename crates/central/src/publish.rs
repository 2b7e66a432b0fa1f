//! Publication: records that changed are sealed and become a delta, what left the registry a removal, and one signed head
//! names it all beside the public files. A base of everything is sealed when there is none, when the epoch or the
//! dictionary changed, or when more than half changed. Files are named by their hash and never change; the head is
//! replaced last, in one step, so that a terminal sees the old feed or the new one and nothing between.
//!
//! A publication that is killed is repeated harmlessly. Its files come first and are named by nothing; then one
//! transaction takes the sequence and notes what was sealed; then the head. Killed before the transaction it never was:
//! the next one takes the same sequence, which nobody has seen. Killed after it, the next one continues from it.

mod alone;
mod carry;
mod entries;
mod folder;
mod known;
mod lay;
mod pass;
mod press;
mod publication;
pub(crate) mod shown;
mod tier;
pub mod timer;

use crate::audit::{self, Actor};
use crate::clock::SKEW_MAX_MS;
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::{self, KeyFile};
use crate::{DataFolder, Database};
use alone::Busy;
pub use carry::{Carried, carry};
use domain::Timestamp;
use protocol::Tier;
use publication::Publication;

/// Every delta has a multiple of so many entries, where the city has as many cards.
pub const DELTA_STEP: usize = 256;
/// Of them at least so many changed nothing.
pub const DECOYS_MIN: usize = 64;
const TIERS: [Tier; 2] = [Tier::Tap, Tier::Pin];

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// The pin tier too, although it was published today.
    pub pin: bool,
    /// Everything anew, in both tiers.
    pub base: bool,
}

/// How far a publication has come. Whoever watches may stop it at any of these, as a kill would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Claims and parcels are in the database.
    Prepared,
    /// Every row is sealed, and nothing is written.
    Sealed,
    /// Every file is on the disk, and no manifest of the database names them.
    Laid,
    /// The sequence is taken.
    Taken,
    /// The head is published.
    Published,
    /// Old files are gone.
    Swept,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [Self::Prepared, Self::Sealed, Self::Laid, Self::Taken, Self::Published, Self::Swept];

    /// For a line of a command.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepared => "claims reviewed, parcels sealed",
            Self::Sealed => "records sealed",
            Self::Laid => "files written",
            Self::Taken => "sequence taken",
            Self::Published => "head signed and published",
            Self::Swept => "old files removed",
        }
    }
}

/// Is told of each step.
pub type Watch<'w> = &'w mut dyn FnMut(Step) -> Result<(), CentralError>;

/// Of the entries of a delta or base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows whose content changed, or every row of a base.
    pub changed: usize,
    /// Rows that are gone.
    pub removed: usize,
    /// Rows sealed anew that say what they said.
    pub decoys: usize,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The feed's sequence.
    pub sequence: u64,
    /// Rows of the tap tier.
    pub tap_rows: usize,
    /// Rows of the pin tier.
    pub pin_rows: usize,
    /// Bytes of all files that the manifest names.
    pub bytes: u64,
    /// Whether everything was sealed anew.
    pub base: bool,
    /// What was sealed in the tap tier.
    pub tap: Counts,
    /// What was sealed in the pin tier; `None` when it was not its turn.
    pub pin: Option<Counts>,
}

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

/// Publishes what changed in the registry: the tap tier, and the pin tier once a day.
///
/// # Errors
/// `CentralError`; the published feed is then still the one before.
pub fn publish(
    data: &DataFolder,
    database: &mut Database,
    keys: &KeyFile,
    now: Timestamp,
) -> Result<Published, CentralError> {
    publish_with(data, database, keys, Order::default(), now, &mut |_| Ok(()))
}

/// Publishes as ordered, and waits while another process or node publishes.
///
/// # Errors
/// As `publish`, and what `watch` returns.
pub fn publish_with(
    data: &DataFolder,
    database: &mut Database,
    keys: &KeyFile,
    order: Order,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Published, CentralError> {
    let done = alone::alone(data, database, Busy::Wait, |database| {
        Publication { data, database, keys, order, now, watch }.run()
    })?;
    done.ok_or_else(|| feed("nothing was published"))
}

/// Whether a moment that something was published at has not come yet: the clock was ahead then, or is behind now.
pub(crate) fn is_ahead(published: Timestamp, now: Timestamp) -> bool {
    published > now.plus_ms(SKEW_MAX_MS)
}

/// What keeps anything from being published, whatever it is: a key file that is older than another node's, and a clock
/// that is behind the last publication. Which of the two moments is wrong then, only a person can say. A head of the past
/// would make the whole fleet take its feed for too old; one of the future is taken for current until then, whatever was
/// blocked since.
pub(crate) fn refuse(database: &Database, keys: &KeyFile, now: Timestamp) -> Result<(), CentralError> {
    key_file::refuse_older(database.read(), keys)?;
    let Some(last) = last(database)?.filter(|last| is_ahead(last.issued, now)) else { return Ok(()) };
    let hours = (last.issued.0 - now.0).div_euclid(3_600_000);
    Err(CentralError::NotReady(format!(
        "the clock is behind the last publication by {} days and {} hours, and nothing is published: set the clock, or, \
         if it is right now and was ahead then, publish --clock-is-right",
        hours / 24,
        hours % 24
    )))
}

/// Somebody says that the clock is right, and was ahead when something was published: what bears a moment that has not
/// come yet bears this one from now on, so that it can be published again. Whether there was any.
///
/// # Errors
/// `CentralError::Database`.
pub fn clock_is_right(database: &mut Database, actor: &Actor, now: Timestamp) -> Result<bool, CentralError> {
    database.write(|transaction| {
        let dated = transaction.execute("UPDATE publication SET issued = ?1 WHERE issued > ?1", params![now.0])?;
        transaction.execute("UPDATE feed_file SET named = ?1 WHERE named > ?1", params![now.0])?;
        if dated > 0 {
            audit::note(transaction, actor, "clock set right", &format!("{dated} publications dated back"), now)?;
        }
        Ok(dated > 0)
    })
}

/// The newest publication.
pub(crate) struct Last {
    pub(crate) sequence: u64,
    pub(crate) epoch: u32,
    pub(crate) issued: Timestamp,
    manifest: Vec<u8>,
}

/// The newest publication, if there was one.
pub(crate) fn last(database: &Database) -> Result<Option<Last>, CentralError> {
    let sql = "SELECT sequence, epoch, issued, manifest FROM publication ORDER BY sequence DESC LIMIT 1";
    Ok(database.read().query_opt(sql, &[], |row| {
        let (sequence, epoch) = (row.get(0)?, row.get(1)?);
        Ok(Last { sequence, epoch, issued: Timestamp(row.get(2)?), manifest: row.get(3)? })
    })?)
}
