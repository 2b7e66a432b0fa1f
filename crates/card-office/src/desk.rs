//! The desk: a reader, the card on it, and two streams of text. Everything a command does goes through here, so that
//! the commands run the same on a reader and on a card in a test.

use crate::error::OfficeError;
use card::{PcscTransport, ReaderNotice, ReaderWatcher, Transport, TransportError};
use domain::Timestamp;
use std::io::Write;
use std::time::{Duration, Instant};

/// A connection to a card.
pub type CardLine = Box<dyn Transport>;

/// How long a reader may take to be found.
const READER_MAX: Duration = Duration::from_secs(3);
/// Until pcscd has told of a card that lies there already.
const GLANCE: Duration = Duration::from_millis(300);
/// More than two of pcscd's looks.
const SETTLE_MAX: Duration = Duration::from_secs(1);
/// While another process's exchange still holds the card: so often, so long apart.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// Where cards are laid.
pub trait Tray {
    /// The reader's name.
    ///
    /// # Errors
    /// `NoPcscd` or `NoReader`.
    fn reader(&mut self) -> Result<String, OfficeError>;

    /// Waits for a card, and connects to it. A card that lies there already is taken at once.
    ///
    /// # Errors
    /// `NoReader`, `NoCard` when the time is up, or `Card`.
    fn card(&mut self, wait: Duration) -> Result<CardLine, OfficeError>;

    /// After a lost exchange: gives the reader the time to tell whether the card was lifted. pcscd looks every 400 ms,
    /// and until then a new connection goes nowhere.
    fn settle(&mut self) {}

    /// Waits until the card was taken away. No connection to it may be open.
    ///
    /// # Errors
    /// `StillThere` when the time is up with the card still there.
    fn removed(&mut self, wait: Duration) -> Result<(), OfficeError>;
}

/// Reader, text and clock.
pub struct Desk<'a> {
    /// Where cards are laid.
    pub tray: &'a mut dyn Tray,
    /// Standard output: results.
    pub out: &'a mut dyn Write,
    /// Standard error: progress, and what to do next.
    pub err: &'a mut dyn Write,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// How long a card is waited for.
    pub wait: Duration,
}

impl Desk<'_> {
    /// A line of the result.
    ///
    /// # Errors
    /// `File` when standard output is closed.
    pub fn say(&mut self, line: &str) -> Result<(), OfficeError> {
        let written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        written.map_err(|error| OfficeError::file("standard output".as_ref(), error))
    }

    /// A line for whoever stands there. A closed standard error stops nothing.
    pub fn tell(&mut self, line: &str) {
        let _told = writeln!(self.err, "{line}").and_then(|()| self.err.flush());
    }

    /// A part of such a line, while something goes on.
    pub fn hint(&mut self, part: &str) {
        let _told = write!(self.err, "{part}").and_then(|()| self.err.flush());
    }

    /// Waits for a card.
    ///
    /// # Errors
    /// As [`Tray::card`].
    pub fn card(&mut self) -> Result<CardLine, OfficeError> {
        self.tray.card(self.wait)
    }

    /// Waits for a card, and asks for one when none lies there yet.
    ///
    /// # Errors
    /// As [`Tray::card`].
    pub fn card_asked_for(&mut self) -> Result<CardLine, OfficeError> {
        let glance = GLANCE.min(self.wait);
        match self.tray.card(glance) {
            Err(OfficeError::NoCard) => {}
            found => return found,
        }
        self.tell("lay a card down");
        self.tray.card(self.wait.saturating_sub(glance))
    }

    /// The moment, RFC 3339.
    #[must_use]
    pub fn moment(&self) -> String {
        let now = (self.now)();
        jiff::Timestamp::from_millisecond(now.0).map_or_else(|_| String::new(), |moment| moment.to_string())
    }
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// A PC/SC reader.
pub struct PcscTray {
    watcher: ReaderWatcher,
    exchange: Duration,
    ready: bool,
    present: bool,
}

impl PcscTray {
    /// The best reader that fits `pattern`; `exchange` bounds each exchange with a card.
    #[must_use]
    pub fn new(pattern: &str, exchange: Duration) -> Self {
        Self { watcher: ReaderWatcher::new(pattern), exchange, ready: false, present: false }
    }

    /// Follows the reader until `reached`, or the time is up.
    fn until(&mut self, deadline: Instant, reached: impl Fn(&Self) -> bool) -> bool {
        while !reached(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            self.follow(left);
            if left.is_zero() {
                return reached(self);
            }
        }
        true
    }

    /// Takes the watcher's next notice.
    fn follow(&mut self, wait: Duration) {
        match self.watcher.next(wait) {
            ReaderNotice::Ready => self.ready = true,
            ReaderNotice::Gone => (self.ready, self.present) = (false, false),
            ReaderNotice::CardArrived => self.present = true,
            ReaderNotice::CardGone => self.present = false,
            ReaderNotice::Woken | ReaderNotice::Idle => {}
        }
    }

    fn connect(&mut self) -> Result<PcscTransport, TransportError> {
        let mut tried = self.watcher.connect(self.exchange);
        for _ in 1..BUSY_TRIES {
            if !matches!(tried, Err(TransportError::Busy)) {
                break;
            }
            self.follow(BUSY_PAUSE);
            tried = self.watcher.connect(self.exchange);
        }
        tried
    }
}

impl Tray for PcscTray {
    fn reader(&mut self) -> Result<String, OfficeError> {
        // The watcher waits for a pcscd that is restarted; a desk wants to know that there is none.
        if !self.ready && pcsc::Context::establish(pcsc::Scope::User).is_err() {
            return Err(OfficeError::NoPcscd);
        }
        self.until(Instant::now() + READER_MAX, |tray| tray.ready);
        self.watcher.reader_name().ok_or(OfficeError::NoReader)
    }

    fn card(&mut self, wait: Duration) -> Result<CardLine, OfficeError> {
        self.reader()?;
        let deadline = Instant::now() + wait;
        loop {
            if !self.until(deadline, |tray| tray.present) {
                return Err(if self.ready { OfficeError::NoCard } else { OfficeError::NoReader });
            }
            match self.connect() {
                Ok(transport) => return Ok(Box::new(transport)),
                // Lifted between the notice and the connection: the notice of that is on its way.
                Err(TransportError::CardGone) => self.present = false,
                Err(error) => return Err(card::CardError::from(error).into()),
            }
        }
    }

    fn settle(&mut self) {
        self.until(Instant::now() + SETTLE_MAX, |tray| !tray.present);
    }

    fn removed(&mut self, wait: Duration) -> Result<(), OfficeError> {
        if self.until(Instant::now() + wait, |tray| !tray.present) { Ok(()) } else { Err(OfficeError::StillThere) }
    }
}

impl std::fmt::Debug for PcscTray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcscTray").field("ready", &self.ready).field("present", &self.present).finish_non_exhaustive()
    }
}
