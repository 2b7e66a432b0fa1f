//! Watching the reader: there or gone, a card laid down or lifted. Made for one thread that owns the reader, waits
//! here, and is woken when another thread has a request for it. Neither of them ever waits for pcscd itself: that is
//! the scout's part, on a thread of its own.

mod scout;

use crate::choice::ReaderChoice;
use crate::pcsc_transport::{PcscTransport, Readied};
use crate::transport::TransportError;
use scout::{Pulse, Scout};
use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a scout that could not be started is started again.
const SCOUT_RETRY: Duration = Duration::from_secs(1);

/// What the reader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderNotice {
    /// A reader that fits the pattern is there.
    Ready,
    /// It is gone, or pcscd is, or pcscd hangs; the watcher goes on looking.
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

/// What comes to the watcher from other threads.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// A waker was used: only ends the wait.
    Woken,
    /// The reader of this name is in use.
    Found(CString),
    /// It is no more.
    Lost,
    /// A card lies on it.
    Arrived,
    /// The card has left.
    Left,
}

type NewsSender = Sender<News>;

/// Ends a watcher's wait from another thread.
#[derive(Clone)]
pub struct Waker {
    woken: Arc<AtomicBool>,
    news: NewsSender,
}

impl Waker {
    /// Makes the watcher's present or next `next` return `Woken`, at once. Never waits.
    pub fn wake(&self) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            // A watcher that is gone needs no waking.
            let _ = self.news.send(News::Woken);
        }
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

/// The scout's thread.
struct Scouting {
    thread: JoinHandle<()>,
    /// Dropped, it ends the scout as soon as pcscd lets it go.
    _wanted: Sender<()>,
}

/// Watches for one reader and its card, surviving restarts of pcscd, a pcscd that hangs, and a reader that is
/// unplugged.
pub struct ReaderWatcher {
    pattern: String,
    waker: Waker,
    news: Receiver<News>,
    pulse: Pulse,
    scouting: Option<Scouting>,
    notices: VecDeque<ReaderNotice>,
    /// The reader in use, as the scout told.
    reader: Option<CString>,
    /// A card lies on it, as the scout told.
    present: bool,
    /// pcscd keeps the scout for too long: for all others the reader is gone.
    hangs: bool,
    /// For the next card; made while none lies there.
    readied: Cell<Option<Readied>>,
}

impl ReaderWatcher {
    /// Watches for the best reader that fits `pattern` ([`ReaderChoice`]). Never fails: without pcscd it tries again,
    /// with growing pauses.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let (sender, news) = channel();
        Self {
            pattern: pattern.to_owned(),
            waker: Waker { woken: Arc::default(), news: sender },
            news,
            pulse: Pulse::default(),
            scouting: None,
            notices: VecDeque::new(),
            reader: None,
            present: false,
            hangs: false,
            readied: Cell::default(),
        }
    }

    /// The PC/SC name of the reader in use.
    #[must_use]
    pub fn reader_name(&self) -> Option<String> {
        let reader = self.reader.as_ref().filter(|_| !self.hangs);
        reader.map(|name| name.to_string_lossy().into_owned())
    }

    /// For other threads, to end a wait.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits for the next notice, `timeout` at most. A pcscd that hangs, stopped or in a driver, is noticed within
    /// three seconds and told as `Gone`; it delays nothing.
    pub fn next(&mut self, timeout: Duration) -> ReaderNotice {
        let deadline = Instant::now() + timeout;
        loop {
            let scouted = self.ensure_scout();
            self.hear_all();
            self.mind_hanging();
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            if self.waker.woken.swap(false, Ordering::SeqCst) {
                return ReaderNotice::Woken;
            }
            let now = Instant::now();
            if now >= deadline {
                return ReaderNotice::Idle;
            }
            self.make_ready();
            // Once it hangs, only the scout's own word can end that.
            let overdue = self.pulse.overdue_at().filter(|_| !self.hangs);
            let retry = (!scouted || self.hangs).then(|| now + SCOUT_RETRY);
            let until = [overdue, retry].into_iter().flatten().fold(deadline, Instant::min);
            if let Ok(news) = self.news.recv_timeout(until.saturating_duration_since(now)) {
                self.hear(news);
            }
        }
    }

    /// Connects to the card that lies on the reader.
    ///
    /// # Errors
    /// `TransportError::CardGone` when there is no card, or no reader, any more, `TimedOut` while pcscd hangs, else as
    /// `PcscTransport::connect`.
    pub fn connect(&self, exchange_wait: Duration) -> Result<PcscTransport, TransportError> {
        let reader = self.reader.as_ref().ok_or(TransportError::CardGone)?;
        if self.hangs || self.is_overdue() {
            return Err(TransportError::TimedOut);
        }
        match self.readied.take() {
            Some(readied) => readied.connect(reader, exchange_wait),
            None => PcscTransport::connect(reader, exchange_wait),
        }
    }

    /// Prepares for the next card before it comes, and for none when there is no reader. Where that fails, all is done
    /// when the card is there.
    fn make_ready(&mut self) {
        if self.reader.is_none() || self.hangs {
            self.readied.set(None);
        } else if !self.present && self.readied.get_mut().is_none() {
            self.readied.set(Readied::new().ok());
        }
    }

    /// Whether there is a scout, now.
    fn ensure_scout(&mut self) -> bool {
        if self.scouting.as_ref().is_none_or(|scouting| scouting.thread.is_finished()) {
            self.forget_reader();
            self.scouting = self.start_scout();
        }
        self.scouting.is_some()
    }

    fn start_scout(&self) -> Option<Scouting> {
        let (wanted, still_wanted) = channel();
        let choice = ReaderChoice::new(&self.pattern);
        let scout = Scout::new(choice, self.waker.news.clone(), self.pulse.clone(), still_wanted);
        let thread = thread::Builder::new().name("card-scout".into()).spawn(move || scout.run());
        let thread = thread.inspect_err(|error| tracing::warn!(%error, "nothing can look for the card reader")).ok()?;
        Some(Scouting { thread, _wanted: wanted })
    }

    fn hear_all(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            self.hear(news);
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Woken => {}
            News::Found(name) => {
                self.reader = Some(name);
                self.tell(ReaderNotice::Ready);
            }
            News::Lost => self.forget_reader(),
            News::Arrived => {
                self.present = true;
                self.tell(ReaderNotice::CardArrived);
            }
            News::Left => {
                self.present = false;
                self.tell(ReaderNotice::CardGone);
            }
        }
    }

    /// While pcscd hangs all is told as gone already.
    fn tell(&mut self, notice: ReaderNotice) {
        if !self.hangs {
            self.notices.push_back(notice);
        }
    }

    fn forget_reader(&mut self) {
        if std::mem::take(&mut self.present) {
            self.tell(ReaderNotice::CardGone);
        }
        if self.reader.take().is_some() {
            self.tell(ReaderNotice::Gone);
        }
    }

    fn is_overdue(&self) -> bool {
        self.pulse.overdue_at().is_some_and(|at| Instant::now() > at)
    }

    /// A pcscd that begins to hang takes reader and card with it, and gives them back when it goes on.
    fn mind_hanging(&mut self) {
        let hangs = self.is_overdue();
        if hangs == self.hangs {
            return;
        }
        let told = if hangs {
            tracing::warn!("pcscd hangs");
            [self.present.then_some(ReaderNotice::CardGone), self.reader.as_ref().map(|_| ReaderNotice::Gone)]
        } else {
            tracing::info!("pcscd goes on");
            let arrived = self.present.then_some(ReaderNotice::CardArrived);
            [self.reader.as_ref().map(|_| ReaderNotice::Ready), arrived]
        };
        self.hangs = hangs;
        self.notices.extend(told.into_iter().flatten());
    }
}

impl fmt::Debug for ReaderWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderWatcher").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
