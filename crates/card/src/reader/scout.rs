//! The thread that asks pcscd: is the reader there, is a card on it? A pcscd that is stopped or hangs keeps its callers
//! for ever, time-outs and all, in each of its calls. So nobody but this thread waits for it, and `Pulse` tells when
//! it has been waiting for too long.

use super::{News, NewsSender};
use crate::choice::ReaderChoice;
use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use std::ffi::CString;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first pause before pcscd is tried again; it doubles.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
/// The longest pause, so that a restarted pcscd is found within a second.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// How long pcscd is asked to wait for a change. The shorter, the sooner it is known to hang.
const CHANGE_WAIT: Duration = Duration::from_secs(1);
/// How much longer than that, or how long at all, a call may take before pcscd counts as hanging.
const GRACE: Duration = Duration::from_secs(2);

/// Until when the call under way may take.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        // The guarded value is replaced whole, so that a panic elsewhere cannot leave half of it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that waits for pcscd, which may take so long and a little longer.
    pub(super) fn during<R>(&self, wait: Duration, call: impl FnOnce() -> R) -> R {
        *self.until() = Some(Instant::now() + wait + GRACE);
        let result = call();
        *self.until() = None;
        result
    }

    /// As if a call had been under way for too long since then.
    #[cfg(test)]
    pub(super) fn overdue_since(&self, since: Instant) {
        *self.until() = Some(since);
    }

    /// When the call under way will have taken too long; `None` when there is none.
    pub(super) fn overdue_at(&self) -> Option<Instant> {
        *self.until()
    }
}

/// The reader in use.
struct Watched {
    name: CString,
    state: ReaderState,
    /// Just found: looked at without waiting, so that a card already there is told at once.
    new: bool,
    seen: Seen,
}

/// A card's presence at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    present: bool,
    /// pcscd's count of insertions and removals.
    events: u32,
}

/// Looks for one reader and its card, surviving restarts of pcscd and a reader that is unplugged.
pub(super) struct Scout {
    choice: ReaderChoice,
    news: NewsSender,
    pulse: Pulse,
    /// Ends when nobody wants news any more.
    wanted: Receiver<()>,
    context: Option<Context>,
    plug_and_play: ReaderState,
    watched: Option<Watched>,
    back_off: Duration,
}

impl Scout {
    pub(super) fn new(choice: ReaderChoice, news: NewsSender, pulse: Pulse, wanted: Receiver<()>) -> Self {
        Self {
            choice,
            news,
            pulse,
            wanted,
            context: None,
            plug_and_play: from_scratch(),
            watched: None,
            back_off: BACK_OFF_MIN,
        }
    }

    /// Until nobody wants news any more; noticed within the second pcscd is asked to wait.
    pub(super) fn run(mut self) {
        loop {
            let pause = self.look();
            match self.wanted.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// One step: finds pcscd, finds the reader, or waits for a change. Gives the pause before the next.
    fn look(&mut self) -> Duration {
        let Some(context) = self.context.clone() else { return self.establish() };
        let looked = if self.watched.is_none() { self.find_reader(&context) } else { Ok(()) };
        let waited = match looked.and_then(|()| self.wait(&context)) {
            Ok(()) | Err(Error::Timeout) => self.reconsider(&context),
            error => error,
        };
        match waited {
            Ok(()) => {
                self.back_off = BACK_OFF_MIN;
                Duration::ZERO
            }
            Err(Error::UnknownReader | Error::ReaderUnavailable) => {
                self.reader_gone();
                self.pause()
            }
            Err(error) => {
                tracing::warn!(%error, "pcscd is gone");
                self.reader_gone();
                self.context = None;
                self.pause()
            }
        }
    }

    fn establish(&mut self) -> Duration {
        match self.pulse.during(Duration::ZERO, || Context::establish(Scope::User)) {
            Ok(context) => {
                self.context = Some(context);
                self.plug_and_play = from_scratch();
                Duration::ZERO
            }
            Err(error) => {
                tracing::debug!(%error, "pcscd does not answer");
                self.pause()
            }
        }
    }

    /// Longer each time.
    fn pause(&mut self) -> Duration {
        let pause = self.back_off;
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
        pause
    }

    fn tell(&self, news: News) {
        // Who wanted news may have gone: `run` ends then.
        let _ = self.news.send(news);
    }

    /// The names of all readers; none is no error.
    fn readers(&self, context: &Context) -> Result<Vec<CString>, Error> {
        match self.pulse.during(Duration::ZERO, || context.list_readers_owned()) {
            Err(Error::NoReadersAvailable) => Ok(Vec::new()),
            names => names,
        }
    }

    fn find_reader(&mut self, context: &Context) -> Result<(), Error> {
        let names = self.readers(context)?;
        if let Some(name) = self.choice.of(&names) {
            tracing::info!(reader = %name.to_string_lossy(), of = names.len(), "a card reader is in use");
            let state = ReaderState::new(name.clone(), State::UNAWARE);
            self.tell(News::Found(name.clone()));
            self.watched = Some(Watched { name, state, new: true, seen: Seen::default() });
        }
        Ok(())
    }

    /// A better reader than the one in use may have been plugged in meanwhile. It is taken when no card lies there.
    fn reconsider(&mut self, context: &Context) -> Result<(), Error> {
        let Some(watched) = self.watched.as_ref().filter(|watched| !watched.seen.present) else { return Ok(()) };
        let better = self.choice.has_better(&self.readers(context)?, &watched.name);
        if better {
            self.reader_gone();
        }
        Ok(())
    }

    /// One SCardGetStatusChange over the reader and the list of readers. The states are moved into one slice for the
    /// call, and back.
    fn wait(&mut self, context: &Context) -> Result<(), Error> {
        let plug_and_play = std::mem::replace(&mut self.plug_and_play, from_scratch());
        let Some(watched) = self.watched.as_mut() else {
            let mut states = [plug_and_play];
            let changed = self.pulse.during(CHANGE_WAIT, || context.get_status_change(CHANGE_WAIT, &mut states));
            let [plug_and_play] = states;
            self.plug_and_play = plug_and_play;
            changed?;
            return self.interpret();
        };
        let wait = if std::mem::take(&mut watched.new) { Duration::ZERO } else { CHANGE_WAIT };
        let mut states = [plug_and_play, std::mem::replace(&mut watched.state, from_scratch())];
        let changed = self.pulse.during(wait, || context.get_status_change(wait, &mut states));
        let [plug_and_play, state] = states;
        self.plug_and_play = plug_and_play;
        watched.state = state;
        changed?;
        self.interpret()
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
        let news = changes(watched.seen, now);
        watched.seen = now;
        news.for_each(|news| self.tell(news));
        Ok(())
    }

    fn reader_gone(&mut self) {
        if self.watched.take().is_some() {
            self.tell(News::Lost);
        }
    }
}

fn from_scratch() -> ReaderState {
    ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)
}

/// What happened between two looks. A card that is there both times but counts as moved was swapped, or lifted and
/// laid down: for the visit that is the same.
fn changes(before: Seen, now: Seen) -> impl Iterator<Item = News> {
    let swapped = before.present && now.present && before.events != now.events;
    let left = swapped || (before.present && !now.present);
    let arrived = swapped || (!before.present && now.present);
    [left.then_some(News::Left), arrived.then_some(News::Arrived)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: (bool, u32), now: (bool, u32), expected: &[News]) {
        let seen = |(present, events)| Seen { present, events };
        let news: Vec<News> = changes(seen(before), seen(now)).collect();
        assert_eq!(news, expected);
    }

    #[test]
    fn cards_come_and_go() {
        check((false, 0), (true, 1), &[News::Arrived]);
        check((true, 1), (false, 2), &[News::Left]);
        check((true, 1), (true, 1), &[]);
        check((false, 2), (false, 2), &[]);
    }

    #[test]
    fn a_swap_between_two_looks_is_a_departure_and_an_arrival() {
        check((true, 1), (true, 3), &[News::Left, News::Arrived]);
    }

    #[test]
    fn a_card_that_only_brushed_the_reader_is_not_told() {
        check((false, 2), (false, 4), &[]);
    }

    #[test]
    fn a_call_is_overdue_only_while_it_lasts() {
        let pulse = Pulse::default();
        assert_eq!(pulse.overdue_at(), None);
        let at = pulse.during(CHANGE_WAIT, || pulse.overdue_at());
        assert!(at.is_some_and(|at| at > Instant::now() + CHANGE_WAIT));
        assert_eq!(pulse.overdue_at(), None);
    }
}
