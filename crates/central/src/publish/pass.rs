//! One pass over the registry: records are drafted, compared and sealed on every core while the database is still
//! reading.

use super::known::Key;
use super::press::{Bearer, Press, Sealed};
use crate::db::Connection;
use crate::error::CentralError;
use crate::{registry, technicians};
use protocol::Tier;
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Cards that travel to a worker together.
const BATCH: usize = 256;
/// Batches that wait for a worker: more would only fill memory.
const WAITING: usize = 4;
/// More workers than this would wait for the database.
const WORKERS_MAX: usize = 8;

/// What is to be sealed although it did not change.
pub(super) enum Unchanged {
    /// All of it: a base.
    Every,
    /// These rows, so that nobody sees which of a delta's rows changed.
    Decoys(HashSet<Key>),
}

/// What a pass found.
#[derive(Default)]
pub(super) struct Passed {
    /// Rows for the feed.
    pub(super) sealed: Vec<Sealed>,
    /// Rows that changed nothing.
    pub(super) decoys: Vec<Sealed>,
    /// Everything that belongs into the feed, sealed now or kept.
    pub(super) alive: HashSet<Key>,
}

impl Passed {
    /// How many rows a tier has.
    pub(super) fn rows(&self, tier: Tier) -> usize {
        self.alive.iter().filter(|(_, of)| *of == tier).count()
    }
}

/// Reads the registry, and seals what has to be.
///
/// # Errors
/// `CentralError`, of the registry or of a record.
pub(super) fn run(connection: &Connection, press: &Press<'_>, unchanged: &Unchanged) -> Result<Passed, CentralError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    std::thread::scope(|scope| {
        let mut ways = Vec::with_capacity(workers);
        let mut working = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (way, batches) = sync_channel(WAITING);
            ways.push(way);
            working.push(scope.spawn(move || work(press, unchanged, &batches)));
        }
        let read = hand_out(connection, press, Batches { ways, next: 0, batch: Vec::with_capacity(BATCH) });
        let mut passed = Passed::default();
        let mut failed = None;
        for worker in working {
            match worker.join() {
                Ok(Ok(part)) => {
                    passed.sealed.extend(part.sealed);
                    passed.decoys.extend(part.decoys);
                    passed.alive.extend(part.alive);
                }
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(CentralError::Feed("a sealing thread panicked".to_owned())),
            }
        }
        // A worker's error is the cause; the reader only noticed that nobody listens.
        failed.map_or(Ok(()), Err).and(read).map(|()| passed)
    })
}

struct Batches {
    ways: Vec<SyncSender<Vec<Bearer>>>,
    next: usize,
    batch: Vec<Bearer>,
}

impl Batches {
    fn push(&mut self, bearer: Bearer) -> Result<(), CentralError> {
        self.batch.push(bearer);
        if self.batch.len() < BATCH { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), CentralError> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.next = (self.next + 1) % self.ways.len().max(1);
        let gone = || CentralError::Feed("a sealing thread has stopped".to_owned());
        self.ways.get(self.next).ok_or_else(gone)?.send(batch).map_err(|_| gone())
    }
}

fn hand_out(connection: &Connection, press: &Press<'_>, mut batches: Batches) -> Result<(), CentralError> {
    let storage = &press.keys.storage;
    registry::for_each_card(connection, storage, |card| batches.push(Bearer::Holder(Box::new(card))))?;
    for technician in technicians::active(connection, storage)? {
        batches.push(Bearer::Technician(Box::new(technician)))?;
    }
    batches.send()
}

fn work(press: &Press<'_>, unchanged: &Unchanged, batches: &Receiver<Vec<Bearer>>) -> Result<Passed, CentralError> {
    let mut passed = Passed::default();
    for bearer in batches.iter().flatten() {
        one(press, unchanged, &bearer, &mut passed)?;
    }
    Ok(passed)
}

fn one(press: &Press<'_>, unchanged: &Unchanged, bearer: &Bearer, passed: &mut Passed) -> Result<(), CentralError> {
    let wants_pin = press.pins && bearer.has_pin();
    let pin = if wants_pin { Some(press.draft(bearer, Tier::Pin, None)?) } else { None };
    let stamp = press.named(bearer, pin.as_ref());
    let tap = press.draft(bearer, Tier::Tap, Some(stamp))?;
    for (tier, draft) in [(Tier::Pin, pin), (Tier::Tap, Some(tap))] {
        let Some(draft) = draft else { continue };
        let key = (bearer.number().0, tier);
        passed.alive.insert(key);
        match unchanged {
            _ if !draft.unchanged => passed.sealed.push(press.seal(&draft, stamp)?),
            Unchanged::Every => passed.sealed.push(press.seal(&draft, stamp)?),
            Unchanged::Decoys(wanted) if wanted.contains(&key) => passed.decoys.push(press.seal(&draft, stamp)?),
            Unchanged::Decoys(_) => {}
        }
    }
    Ok(())
}
