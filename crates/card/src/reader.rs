//! Watching the reader: there or gone, a card laid down or lifted. Made for one thread that owns the reader, waits
//! here, and is woken when another thread has a request for it.

use crate::choice::ReaderChoice;
use crate::pcsc_transport::PcscTransport;
use crate::transport::TransportError;
use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use std::collections::VecDeque;
use std::ffi::CString;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The first pause before pcscd is tried again; it doubles.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
/// The longest pause, so that a restarted pcscd is found within a second.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// Between two cancellations of one wake-up: the first may come just before the wait begins. It doubles.
const WAKE_RETRY: Duration = Duration::from_millis(1);

/// What the reader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderNotice {
    /// A reader that fits the pattern is there.
    Ready,
    /// It is gone, or pcscd is; the watcher goes on looking.
    Gone,
    /// A card was laid down. Also told for a card that lay there already, and after a swap.
    CardArrived,
    /// The card was lifted. Told before `Gone` too.
    CardGone,
    /// A `Waker` was used.
    Woken,
    /// Nothing within the time allowed.
    Idle,
}

/// What watcher and wakers share.
#[derive(Default)]
struct Shared {
    woken: AtomicBool,
    /// The watcher is about to wait, or waits, inside pcscd.
    waiting: AtomicBool,
    context: Mutex<Option<Context>>,
    changed: Condvar,
}

impl Shared {
    fn context(&self) -> MutexGuard<'_, Option<Context>> {
        // The guarded value is replaced whole, so that a panic elsewhere cannot leave half of it.
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_wake(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }
}

/// Ends a watcher's wait from another thread.
#[derive(Clone)]
pub struct Waker(Arc<Shared>);

impl Waker {
    /// Makes the watcher's present or next `next` return `Woken`, at once.
    pub fn wake(&self) {
        self.0.woken.store(true, Ordering::SeqCst);
        drop(self.0.context());
        self.0.changed.notify_all();
        // pcscd forgets a cancellation that comes before the wait, hence more than one.
        let mut pause = WAKE_RETRY;
        while self.0.woken.load(Ordering::SeqCst) && self.0.waiting.load(Ordering::SeqCst) {
            let context = self.0.context().clone();
            if let Some(Err(error)) = context.map(|context| context.cancel()) {
                tracing::debug!(%error, "the wait could not be cancelled");
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

/// The reader in use.
struct Watched {
    name: CString,
    state: ReaderState,
    seen: Seen,
}

/// A card's presence at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    present: bool,
    /// pcscd's count of insertions and removals.
    events: u32,
}

/// Watches for one reader and its card, surviving restarts of pcscd and a reader that is unplugged.
pub struct ReaderWatcher {
    choice: ReaderChoice,
    shared: Arc<Shared>,
    plug_and_play: ReaderState,
    watched: Option<Watched>,
    notices: VecDeque<ReaderNotice>,
    back_off: Duration,
}

impl ReaderWatcher {
    /// Watches for the best reader that fits `pattern` ([`ReaderChoice`]). Never fails: without pcscd it tries again,
    /// with growing pauses.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self {
            choice: ReaderChoice::new(pattern),
            shared: Arc::default(),
            plug_and_play: ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE),
            watched: None,
            notices: VecDeque::new(),
            back_off: BACK_OFF_MIN,
        }
    }

    /// The PC/SC name of the reader in use.
    #[must_use]
    pub fn reader_name(&self) -> Option<String> {
        self.watched.as_ref().map(|watched| watched.name.to_string_lossy().into_owned())
    }

    /// For other threads, to end a wait.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Waits for the next notice, `timeout` at most.
    pub fn next(&mut self, timeout: Duration) -> ReaderNotice {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            if self.shared.take_wake() {
                return ReaderNotice::Woken;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return ReaderNotice::Idle;
            }
            self.look(left);
        }
    }

    /// Connects to the card that lies on the reader.
    ///
    /// # Errors
    /// `TransportError::CardGone` when there is no card, or no reader, any more, else as `PcscTransport::connect`.
    pub fn connect(&self, exchange_wait: Duration) -> Result<PcscTransport, TransportError> {
        let watched = self.watched.as_ref().ok_or(TransportError::CardGone)?;
        PcscTransport::connect(&watched.name, exchange_wait)
    }

    /// One step: finds pcscd, finds the reader, or waits for a change.
    fn look(&mut self, left: Duration) {
        let context = self.shared.context().clone();
        let Some(context) = context else {
            self.establish(left);
            return;
        };
        let looked = if self.watched.is_none() { self.find_reader(&context) } else { Ok(()) };
        let waited = match looked.and_then(|()| self.wait(&context, left)) {
            Ok(()) => self.reconsider(&context),
            Err(Error::Timeout) => self.reconsider(&context).and(Err(Error::Timeout)),
            error => error,
        };
        match waited {
            Ok(()) => self.back_off = BACK_OFF_MIN,
            // Time is up, or somebody woke us: `next` sees to it.
            Err(Error::Timeout | Error::Cancelled) => {}
            Err(Error::UnknownReader | Error::ReaderUnavailable) => {
                self.reader_gone();
                self.back_off(left);
            }
            Err(error) => {
                tracing::warn!(%error, "pcscd is gone");
                self.reader_gone();
                *self.shared.context() = None;
                self.back_off(left);
            }
        }
    }

    fn establish(&mut self, left: Duration) {
        match Context::establish(Scope::User) {
            Ok(context) => {
                *self.shared.context() = Some(context);
                self.plug_and_play = ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE);
            }
            Err(error) => {
                tracing::debug!(%error, "pcscd does not answer");
                self.back_off(left);
            }
        }
    }

    /// Waits without pcscd, until woken or over; longer each time. Notices come first.
    fn back_off(&mut self, left: Duration) {
        let pause = self.back_off.min(left);
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
        let guard = self.shared.context();
        if self.notices.is_empty() && !self.shared.woken.load(Ordering::SeqCst) {
            drop(self.shared.changed.wait_timeout(guard, pause));
        }
    }

    fn find_reader(&mut self, context: &Context) -> Result<(), Error> {
        let names = readers(context)?;
        if let Some(name) = self.choice.of(&names) {
            tracing::info!(reader = %name.to_string_lossy(), of = names.len(), "a card reader is in use");
            let state = ReaderState::new(name.clone(), State::UNAWARE);
            self.watched = Some(Watched { name, state, seen: Seen::default() });
            self.notices.push_back(ReaderNotice::Ready);
        }
        Ok(())
    }

    /// A better reader than the one in use may have been plugged in meanwhile. It is taken when no card lies there.
    fn reconsider(&mut self, context: &Context) -> Result<(), Error> {
        let Some(watched) = self.watched.as_ref().filter(|watched| !watched.seen.present) else { return Ok(()) };
        if self.choice.has_better(&readers(context)?, &watched.name) {
            self.reader_gone();
        }
        Ok(())
    }

    /// One SCardGetStatusChange over the reader and the list of readers.
    fn wait(&mut self, context: &Context, left: Duration) -> Result<(), Error> {
        // A reader just found is looked at without waiting, so that a card already there is told at once.
        let left = if self.notices.is_empty() { left } else { Duration::ZERO };
        self.shared.waiting.store(true, Ordering::SeqCst);
        let changed = if self.shared.woken.load(Ordering::SeqCst) {
            Err(Error::Cancelled)
        } else {
            self.status_change(context, left)
        };
        self.shared.waiting.store(false, Ordering::SeqCst);
        changed?;
        self.interpret()
    }

    /// The states are moved into one slice for the call, and back.
    fn status_change(&mut self, context: &Context, left: Duration) -> Result<(), Error> {
        let blank = || ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE);
        let plug_and_play = std::mem::replace(&mut self.plug_and_play, blank());
        let Some(watched) = self.watched.as_mut() else {
            let mut states = [plug_and_play];
            let changed = context.get_status_change(left, &mut states);
            let [plug_and_play] = states;
            self.plug_and_play = plug_and_play;
            return changed;
        };
        let mut states = [plug_and_play, std::mem::replace(&mut watched.state, blank())];
        let changed = context.get_status_change(left, &mut states);
        let [plug_and_play, state] = states;
        self.plug_and_play = plug_and_play;
        watched.state = state;
        changed
    }

    fn interpret(&mut self) -> Result<(), Error> {
        self.plug_and_play.sync_current_state();
        let Some(watched) = self.watched.as_mut() else { return Ok(()) };
        let state = watched.state.event_state();
        if state.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
            return Err(Error::UnknownReader);
        }
        let now = Seen { present: state.contains(State::PRESENT), events: watched.state.event_count() };
        watched.state.sync_current_state();
        self.notices.extend(changes(watched.seen, now));
        watched.seen = now;
        Ok(())
    }

    fn reader_gone(&mut self) {
        let Some(watched) = self.watched.take() else { return };
        if watched.seen.present {
            self.notices.push_back(ReaderNotice::CardGone);
        }
        self.notices.push_back(ReaderNotice::Gone);
    }
}

impl fmt::Debug for ReaderWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderWatcher").field("choice", &self.choice).finish_non_exhaustive()
    }
}

/// The names of all readers; none is no error.
fn readers(context: &Context) -> Result<Vec<CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        names => names,
    }
}

/// What happened between two looks. A card that is there both times but counts as moved was swapped, or lifted and
/// laid down: for the visit that is the same.
fn changes(before: Seen, now: Seen) -> impl Iterator<Item = ReaderNotice> {
    let swapped = before.present && now.present && before.events != now.events;
    let gone = swapped || (before.present && !now.present);
    let arrived = swapped || (!before.present && now.present);
    [gone.then_some(ReaderNotice::CardGone), arrived.then_some(ReaderNotice::CardArrived)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: (bool, u32), now: (bool, u32), expected: &[ReaderNotice]) {
        let seen = |(present, events)| Seen { present, events };
        let notices: Vec<ReaderNotice> = changes(seen(before), seen(now)).collect();
        assert_eq!(notices, expected);
    }

    #[test]
    fn cards_come_and_go() {
        use ReaderNotice::{CardArrived, CardGone};
        check((false, 0), (true, 1), &[CardArrived]);
        check((true, 1), (false, 2), &[CardGone]);
        check((true, 1), (true, 1), &[]);
        check((false, 2), (false, 2), &[]);
    }

    #[test]
    fn a_swap_between_two_looks_is_a_departure_and_an_arrival() {
        check((true, 1), (true, 3), &[ReaderNotice::CardGone, ReaderNotice::CardArrived]);
    }

    #[test]
    fn a_card_that_only_brushed_the_reader_is_not_told() {
        check((false, 2), (false, 4), &[]);
    }

    #[test]
    fn a_wake_up_before_the_wait_is_not_lost() {
        let mut watcher = ReaderWatcher::new("no reader has this name");
        watcher.waker().wake();
        assert_eq!(watcher.next(Duration::from_secs(60)), ReaderNotice::Woken);
    }

    #[test]
    fn a_wake_up_ends_a_wait_that_has_begun() {
        let mut watcher = ReaderWatcher::new("no reader has this name");
        let waker = watcher.waker();
        let began = Instant::now();
        let waking = thread::spawn(move || waker.wake());
        let notice = watcher.next(Duration::from_secs(60));
        waking.join().unwrap();
        assert_eq!(notice, ReaderNotice::Woken);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_watcher_without_news_is_idle() {
        let mut watcher = ReaderWatcher::new("no reader has this name");
        assert_eq!(watcher.next(Duration::from_millis(1)), ReaderNotice::Idle);
    }
}
