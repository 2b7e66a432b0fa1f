//! What lies in the tray: read, refused, lost from sight, gone. pcscd looks every 400 ms only and does not tell of
//! what happens in between, so whatever lies there is looked at again and again.

use super::eye::{Eye, Shown};
use super::rekey::ReadKey;
use super::{Asked, Line, Setup, Tray};
use crate::machine::Input;
use crate::meter::{Meter, Timed};
use card::{CardContents, CardError, CityCard, ReaderNotice, Transport};
use domain::card::Presentation;
use domain::device::ReaderEvent;
use domain::{FailureCode, Uid};
use keys::KeyRole;
use session::Event;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Readings before a card counts as unreadable.
const READ_ATTEMPTS: u8 = 3;
/// The longest wait for an empty reader; requests end it early.
const WAIT: Duration = Duration::from_secs(5);
/// While a card lies there it is looked at this often: private data must be covered within 300 ms of its leaving.
const LOOK: Duration = Duration::from_millis(50);
/// A refused card is tried again this often while it lies there: it may have lain badly, another process may have
/// held it, or another card may have taken its place.
const RETRY: Duration = Duration::from_millis(500);
/// Readings with a wrong key before a card is left alone: as many as a refusal takes.
const FAILURES_MAX: u8 = 2;
/// A card out of sight that pcscd has not missed by then lies there after all, and cannot be read.
const SEEK: Duration = Duration::from_millis(1_500);

/// An opened card.
pub(super) type Opened = CityCard<Box<dyn Transport>>;

/// What lies in the tray, as far as this thread knows.
pub(super) enum Lying {
    /// Nothing.
    Nothing,
    /// A card that was read.
    Read {
        /// `None` once an error has closed it.
        session: Option<Box<Opened>>,
        uid: Uid,
        /// What an earlier top-up that was cut off has left is still to be mended, or tried to be: once.
        mend: bool,
        /// Whether its read key is to be changed, and how far that has come.
        read_key: ReadKey,
    },
    /// Something that cannot be served, and why.
    Refused(FailureCode),
    /// A card that vanished before pcscd said so. It may be back, or another in its place, without pcscd's noticing.
    Seeking { since: Instant },
}

/// The reader's thread.
pub(super) struct Owner<T> {
    pub(super) tray: T,
    pub(super) setup: Setup,
    pub(super) presentation: Presentation,
    pub(super) lying: Lying,
    /// The reader is there and answers.
    pub(super) ready: bool,
    /// On the card that was opened last.
    pub(super) eye: Eye,
    /// What lies there and knew none of our read keys.
    locked: Option<Locked>,
    requests: Receiver<Asked>,
}

/// A card that was authenticated wrongly. Each failure counts on some chips, up to where the key is blocked for good:
/// after a few it is left alone until it has been lifted, or another lies there.
struct Locked {
    shown: Shown,
    failures: u8,
}

impl<T: Tray> Owner<T> {
    pub(super) fn new(tray: T, setup: Setup, requests: Receiver<Asked>) -> Self {
        let (presentation, lying, eye) = (Presentation(0), Lying::Nothing, Eye::default());
        Self { tray, setup, presentation, lying, ready: false, eye, locked: None, requests }
    }

    /// One notice, then what was asked for meanwhile; `false` when nobody can ask any more.
    pub(super) fn turn(&mut self) -> bool {
        let wait = match self.lying {
            Lying::Nothing => WAIT,
            Lying::Read { .. } | Lying::Seeking { .. } => LOOK,
            Lying::Refused(_) => RETRY,
        };
        match self.tray.next(wait) {
            ReaderNotice::Ready => {
                self.ready = true;
                self.say(ReaderEvent::Ready);
            }
            ReaderNotice::Gone => {
                self.ready = false;
                self.lifted();
                self.say(ReaderEvent::Gone);
            }
            ReaderNotice::CardArrived => self.arrived(),
            ReaderNotice::CardGone => self.lifted(),
            ReaderNotice::Idle => self.look(),
            ReaderNotice::Woken => {}
        }
        loop {
            match self.requests.try_recv() {
                Ok(Asked::Request(request)) => self.carry_out(&request),
                // Who asked may have waited long enough.
                Ok(Asked::Check(answer)) => drop(answer.send(self.check())),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    pub(super) fn say(&self, event: ReaderEvent) {
        self.setup.inputs.send(Input::Event(Event::Reader(event)));
    }

    /// pcscd has noticed nothing: is it still so?
    fn look(&mut self) {
        match &mut self.lying {
            Lying::Nothing => {}
            Lying::Read { session, mend, .. } => {
                let there =
                    session.as_mut().is_some_and(|session| !session.is_lost() && session.check_presence().is_ok());
                if !there {
                    self.gone();
                    self.lying = Lying::Seeking { since: Instant::now() };
                } else if std::mem::take(mend) {
                    self.mend();
                } else {
                    self.renew_read_key();
                }
            }
            Lying::Refused(code) => {
                let code = *code;
                self.look_again(code);
            }
            Lying::Seeking { since } => {
                let patient = since.elapsed() < SEEK;
                self.seek(patient);
            }
        }
    }

    /// A refused card: perhaps it can be read now, or is another.
    fn look_again(&mut self, told: FailureCode) {
        self.next_presentation();
        match self.read_surely() {
            Ok(event) => self.found(event),
            Err(code) if code != told => self.refused(code),
            Err(_) => {}
        }
    }

    /// As if a card had been out of sight for long.
    #[cfg(test)]
    pub(super) fn forget_patience(&mut self) {
        if let Lying::Seeking { since } = &mut self.lying {
            *since = since.checked_sub(SEEK).unwrap_or(*since);
        }
    }

    /// A card out of sight: nothing is said until it, or another, is read or known to be of no use.
    fn seek(&mut self, patient: bool) {
        self.next_presentation();
        match self.read_surely() {
            Ok(event) => self.found(event),
            Err(FailureCode::CardUnreadable) if patient => {}
            Err(code) => {
                self.say(ReaderEvent::CardArrived(self.presentation));
                self.refused(code);
            }
        }
    }

    fn found(&mut self, event: ReaderEvent) {
        self.say(ReaderEvent::CardArrived(self.presentation));
        self.say(event);
    }

    fn refused(&mut self, code: FailureCode) {
        tracing::info!(%code, "what lies in the tray cannot be served");
        self.lying = Lying::Refused(code);
        self.say(ReaderEvent::CardRefused(self.presentation, code));
    }

    fn gone(&mut self) {
        let before = std::mem::replace(&mut self.lying, Lying::Nothing);
        if matches!(before, Lying::Read { .. } | Lying::Refused(_)) {
            self.say(ReaderEvent::CardGone(self.presentation));
        }
    }

    /// pcscd saw it leave.
    fn lifted(&mut self) {
        self.gone();
        self.locked = None;
    }

    fn arrived(&mut self) {
        self.lifted();
        self.next_presentation();
        self.say(ReaderEvent::CardArrived(self.presentation));
        match self.read_surely() {
            Ok(event) => self.say(event),
            Err(code) => self.refused(code),
        }
    }

    fn next_presentation(&mut self) {
        self.presentation.0 += 1;
        self.setup.meter.reset();
    }

    /// Reads what lies there. One bit lost in the air must turn nobody away, and looks like a wrong key or a damaged
    /// file: a refusal counts when a second reading says the same.
    fn read_surely(&mut self) -> Result<ReaderEvent, FailureCode> {
        let mut before = FailureCode::CardUnreadable;
        for _ in 0..READ_ATTEMPTS {
            match self.read() {
                Ok(event) => return Ok(event),
                Err(FailureCode::CardUnreadable) => before = FailureCode::CardUnreadable,
                Err(code) if code == before => return Err(code),
                Err(code) => before = code,
            }
        }
        Err(FailureCode::CardUnreadable)
    }

    /// Opens and reads what lies there, of whatever technology. A card that failed too often with our read keys is not
    /// authenticated again.
    pub(super) fn open(&mut self, mut transport: Line) -> Result<(Opened, CardContents), CardError> {
        if let Some(locked) = &self.locked {
            match Shown::of(transport.as_mut())?.may_be(&locked.shown) {
                true if locked.failures >= FAILURES_MAX => {
                    return Err(CardError::AuthenticationFailed(KeyRole::Read));
                }
                true => {}
                false => self.locked = None,
            }
        }
        let (eye, transport) = Eye::on(transport);
        self.eye = eye;
        let Setup { layout, keys, profile, .. } = &mut self.setup;
        let opened = match profile {
            Some(profile) => CityCard::open_with(transport, layout, keys, *profile),
            None => CityCard::open(transport, layout, keys),
        };
        match &opened {
            Ok(_) => self.locked = None,
            Err(CardError::AuthenticationFailed(_)) => self.count_failure(),
            Err(_) => {}
        }
        opened
    }

    fn count_failure(&mut self) {
        let before = self.locked.take().map_or(0, |locked| locked.failures);
        self.locked = self.eye.shown().map(|shown| Locked { shown: shown.clone(), failures: before.saturating_add(1) });
    }

    fn read(&mut self) -> Result<ReaderEvent, FailureCode> {
        let transport = self.tray.connect(self.setup.exchange_timeout).map_err(|error| {
            tracing::debug!(%error, "a card could not be connected");
            FailureCode::CardUnreadable
        })?;
        let (start, exchanges) = (Instant::now(), Meter::default());
        let transport: Line = Box::new(Timed::new(transport, exchanges.clone()));
        let opened = self.open(transport);
        let spent = start.elapsed().saturating_sub(Duration::from_micros(exchanges.own_us()));
        self.setup.meter.add(spent);
        let (session, contents) = opened.map_err(|error| {
            tracing::debug!(%error, "a card could not be read");
            error.failure()
        })?;
        if let Some(reason) = &contents.needs_check {
            tracing::warn!(code = %FailureCode::PurseImplausible, %reason, "a purse needs a check");
        }
        let (uid, mend) = (session.uid().clone(), session.needs_repair());
        let read_key = ReadKey::of(&session);
        self.lying = Lying::Read { uid, session: Some(Box::new(session)), mend, read_key };
        let secret = contents.identity.secret.as_ref().map(|secret| Zeroizing::new(secret.expose().to_vec()));
        let secret = secret.map(|secret| self.setup.vault.put(secret));
        Ok(ReaderEvent::CardRead(Box::new(contents.into_snapshot(self.presentation, secret))))
    }
}
