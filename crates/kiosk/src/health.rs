//! What a terminal must have to be believed: a clock that is not behind what was signed or journalled, and room on the
//! disk. Looked at again and again; the session is told what changes.

use crate::journal::{JournalDesk, start_afresh, survive};
use crate::machine::{Clock, Input, Inputs};
use crate::vault::Vault;
use domain::{FailureCode, Timestamp};
use serde::Deserialize;
use session::{ClockState, Event};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{ClockFloor, Journal, StoreError, SystemFiles};
use sync::SyncState;
use tokio::sync::watch;

/// Below this not even the entries of one top-up are certain to fit: the journal is not taken up at all.
const LEAST_ROOM_BYTES: u64 = 1 << 20;
/// Between two notes of the time in the journal.
const NOTE_EVERY_MS: i64 = 3_600_000;

/// The `[health]` section: when clock and disk are no longer believed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthConfig {
    /// Megabytes that must stay free on the disk of the data folder; with less, nothing new is begun that is written.
    pub disk_reserve_mb: u32,
    /// Seconds the clock may be behind the newest signed or journalled moment.
    pub clock_tolerance_s: u32,
    /// Milliseconds between two looks.
    pub look_every_ms: u32,
    /// Seconds after which central is told how the terminal is, even if no device came or went.
    pub tell_every_s: u32,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { disk_reserve_mb: 64, clock_tolerance_s: 300, look_every_ms: 2_000, tell_every_s: 600 }
    }
}

impl HealthConfig {
    fn reserve_bytes(&self) -> u64 {
        u64::from(self.disk_reserve_mb) << 20
    }

    fn tolerance_ms(&self) -> i64 {
        i64::from(self.clock_tolerance_s) * 1_000
    }
}

/// Bytes that this user may still write where the folder lies; `None` when the system does not tell.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let room = nix::sys::statvfs::statvfs(folder)
        .inspect_err(|error| tracing::warn!(%error, "the disk does not tell how much room it has"))
        .ok()?;
    Some(room.blocks_available().saturating_mul(room.fragment_size()))
}

/// Whether there is room to take the journal up. A disk that does not tell is taken at its word when it is written.
pub(crate) fn has_room(folder: &Path) -> bool {
    free_bytes(folder).is_none_or(|free| free >= LEAST_ROOM_BYTES)
}

/// Whether the disk is full, told with a quarter of the reserve between "full" and "room again", so that one file more
/// or less does not make the screen flicker.
#[derive(Debug, Clone, Copy)]
struct Room {
    reserve: u64,
    full: bool,
}

impl Room {
    fn look(&mut self, free: u64) -> bool {
        let enough = if self.full { self.reserve + self.reserve / 4 } else { self.reserve };
        self.full = free < enough;
        self.full
    }
}

/// The clock is wrong when it is behind a moment that is certainly past.
fn clock_state(now: Timestamp, tolerance_ms: i64, past: [Option<Timestamp>; 2]) -> ClockState {
    let behind = past.into_iter().flatten().any(|moment| now.plus_ms(tolerance_ms) < moment);
    if behind { ClockState::Wrong } else { ClockState::Right }
}

/// Whether the clock's own time is noted in the journal: now and then, and only while the feed is current. A clock that
/// runs ahead can thus spoil no more than the life of one feed.
fn is_to_be_noted(now: Timestamp, noted: Option<Timestamp>, expires: Option<Timestamp>) -> bool {
    expires.is_some_and(|expires| now <= expires) && noted.is_none_or(|noted| now.0 - noted.0 >= NOTE_EVERY_MS)
}

/// What looks at clock and disk.
pub(crate) struct Watch {
    config: HealthConfig,
    data: PathBuf,
    clock: Clock,
    journal: JournalDesk,
    states: watch::Receiver<SyncState>,
    inputs: Inputs,
    vault: Vault,
    /// The journal was not taken up for want of room.
    journal_waits: bool,
    room: Room,
    told_full: Option<bool>,
    told_clock: Option<ClockState>,
    noted: Option<Timestamp>,
}

/// What a watch looks at, and whom it tells.
pub(crate) struct Around {
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) journal: JournalDesk,
    pub(crate) states: watch::Receiver<SyncState>,
    pub(crate) inputs: Inputs,
    pub(crate) vault: Vault,
}

impl Watch {
    pub(crate) fn new(config: HealthConfig, around: Around, journal_waits: bool) -> Self {
        let Around { data, clock, journal, states, inputs, vault } = around;
        let room = Room { reserve: config.reserve_bytes(), full: journal_waits };
        Self {
            config,
            data,
            clock,
            journal,
            states,
            inputs,
            vault,
            journal_waits,
            room,
            told_full: None,
            told_clock: None,
            noted: None,
        }
    }

    /// Looks for ever.
    pub(crate) async fn run(mut self) {
        loop {
            tokio::time::sleep(Duration::from_millis(self.config.look_every_ms.into())).await;
            self.look().await;
        }
    }

    /// One look, and a word to the session about what is new.
    pub(crate) async fn look(&mut self) {
        self.disk().await;
        self.clock().await;
    }

    async fn disk(&mut self) {
        let has_reserve = self.reserve().await;
        if let Some(free) = free_bytes(&self.data) {
            self.room.look(free);
        }
        if self.journal_waits && !self.room.full && self.vault.is_empty() {
            // What lies in the journal is taken up by a start like any other.
            start_afresh("the disk has room again");
        }
        let full = self.room.full || self.journal_waits || !has_reserve;
        if self.told_full.replace(full) != Some(full) {
            if full {
                tracing::error!(code = %FailureCode::DiskFull, "the disk is full: nothing new is begun");
            }
            self.inputs.send(Input::Event(Event::Disk { full }));
        }
    }

    /// Whether the journal could bring a top-up to its end on a disk that fills up now. What is work for the disk is done
    /// while nobody is here: its reserve is filled, and the receipts that no commit took along are written down.
    async fn reserve(&self) -> bool {
        let idle = self.vault.is_empty();
        let asked = self.journal.call(move |journal| {
            let whole = if idle { tidy(journal) } else { journal.reserve().map(|state| state.whole) };
            survive(&whole);
            whole
        });
        asked.await.is_some_and(|whole| whole.unwrap_or(false))
    }

    async fn clock(&mut self) {
        let now = self.clock.now().wall;
        let (issued, expires) = match self.states.borrow().last_feed {
            Some(feed) => (Some(feed.issued), Some(feed.expires)),
            None => (None, None),
        };
        let asked = self.journal.call(move |journal| journal.check_clock(now)).await;
        let floor = match asked {
            Some(Ok(ClockFloor::Behind { floor })) => Some(floor),
            _ => None,
        };
        let state = clock_state(now, self.config.tolerance_ms(), [floor, issued]);
        if self.told_clock.replace(state) != Some(state) {
            if state == ClockState::Wrong {
                tracing::error!(code = %FailureCode::ClockWrong, "the clock is behind what was signed or journalled");
            }
            self.inputs.send(Input::Event(Event::Clock(state)));
        }
        if state == ClockState::Right && !self.room.full && is_to_be_noted(now, self.noted, expires) {
            self.noted = Some(now);
            self.journal.hand_in(move |journal| survive(&journal.raise_clock(now)));
        }
    }
}

fn tidy(journal: &mut Journal) -> Result<bool, StoreError> {
    if journal.is_full() {
        return Ok(false);
    }
    journal.outbox_flush()?;
    journal.keep_reserve(&SystemFiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_only_when_it_is_behind_something_certain_by_more_than_the_tolerance() {
        let at = |ms| Some(Timestamp(ms));
        let check =
            |now, past, expected| assert_eq!(clock_state(Timestamp(now), 300, past), expected, "{now} {past:?}");
        check(0, [None, None], ClockState::Right);
        check(1_000, [at(1_300), None], ClockState::Right);
        check(1_000, [at(1_301), None], ClockState::Wrong);
        check(1_000, [None, at(1_301)], ClockState::Wrong);
        check(9_000, [at(1_000), at(2_000)], ClockState::Right);
    }

    #[test]
    fn the_time_is_noted_hourly_and_never_beyond_the_feed() {
        let at = |ms| Some(Timestamp(ms));
        let hour = NOTE_EVERY_MS;
        assert!(is_to_be_noted(Timestamp(5), None, at(9)));
        assert!(!is_to_be_noted(Timestamp(5), None, None), "without a feed nothing vouches for the clock");
        assert!(!is_to_be_noted(Timestamp(10), None, at(9)), "a clock beyond the feed may run ahead");
        assert!(!is_to_be_noted(Timestamp(hour), at(1), at(9 * hour)));
        assert!(is_to_be_noted(Timestamp(hour + 1), at(1), at(9 * hour)));
    }

    #[test]
    fn room_comes_back_only_with_some_to_spare() {
        let mut room = Room { reserve: 400, full: false };
        assert_eq!([400, 399, 400, 499, 500, 400].map(|free| room.look(free)), [false, true, true, true, false, false]);
    }

    #[test]
    fn the_disk_of_a_folder_tells_its_room_and_a_folder_that_is_not_there_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).is_some());
        assert_eq!(free_bytes(&folder.path().join("nothing")), None);
        assert!(has_room(&folder.path().join("nothing")), "what cannot be told does not close the journal");
    }
}
