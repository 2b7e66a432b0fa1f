//! The card reader's owner: one thread that waits for cards, reads them, and carries out requests between times.

use crate::machine::{Input, Inputs};
use crate::meter::{Meter, Timed};
use crate::vault::Vault;
use card::{CardSession, ReaderNotice, ReaderWatcher, Transport, TransportError};
use domain::card::{PinTries, Presentation};
use domain::city_pack::CardLayout;
use domain::device::{CreditOrder, ReaderEvent, ReaderRequest};
use domain::{FailureCode, Handle, TerminalId, TopUpId, Uid};
use keys::{AesKey, KeyError, KeyRole, OneKey, SoftKeys};
use session::Event;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How often a card that could not be read is tried again while it lies there.
const READ_ATTEMPTS: u8 = 3;
/// The longest wait for an empty reader; requests end it early.
const WAIT: Duration = Duration::from_secs(5);
/// While a card lies there it is looked at this often, since pcscd itself looks only every 400 ms and private data
/// must be covered within 300 ms.
const LOOK: Duration = Duration::from_millis(100);
/// A card that could not be read is tried again this often while it lies there: it may lie badly, or another process
/// may still hold it.
const RETRY: Duration = Duration::from_millis(500);

/// The tray with its reader: PC/SC in the street, something else on a desk.
pub trait Tray: Send {
    /// Waits for the next notice.
    fn next(&mut self, timeout: Duration) -> ReaderNotice;
    /// Connects to the card that lies there.
    ///
    /// # Errors
    /// `TransportError` when there is none.
    fn connect(&self, exchange_timeout: Duration) -> Result<Box<dyn Transport>, TransportError>;
    /// Something that ends a wait from another thread.
    fn waker(&self) -> Box<dyn Fn() + Send + Sync>;
}

impl Tray for Box<dyn Tray> {
    fn next(&mut self, timeout: Duration) -> ReaderNotice {
        (**self).next(timeout)
    }

    fn connect(&self, exchange_timeout: Duration) -> Result<Box<dyn Transport>, TransportError> {
        (**self).connect(exchange_timeout)
    }

    fn waker(&self) -> Box<dyn Fn() + Send + Sync> {
        (**self).waker()
    }
}

impl Tray for ReaderWatcher {
    fn next(&mut self, timeout: Duration) -> ReaderNotice {
        Self::next(self, timeout)
    }

    fn connect(&self, exchange_timeout: Duration) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(Self::connect(self, exchange_timeout)?))
    }

    fn waker(&self) -> Box<dyn Fn() + Send + Sync> {
        let waker = Self::waker(self);
        Box::new(move || waker.wake())
    }
}

/// Where requests for the reader are handed in.
pub(crate) struct ReaderDesk {
    requests: Sender<ReaderRequest>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl ReaderDesk {
    pub(crate) fn request(&self, request: ReaderRequest) {
        if self.requests.send(request).is_ok() {
            (self.wake)();
        }
    }
}

/// What the reader's thread knows.
pub(crate) struct Setup {
    pub(crate) layout: CardLayout,
    pub(crate) terminal: TerminalId,
    pub(crate) keys: SoftKeys,
    pub(crate) vault: Vault,
    pub(crate) inputs: Inputs,
    pub(crate) exchange_timeout: Duration,
    pub(crate) meter: Meter,
}

struct Owner<T> {
    tray: T,
    setup: Setup,
    requests: Receiver<ReaderRequest>,
    presentation: Presentation,
    card: Option<CardSession<Box<dyn Transport>>>,
    present: bool,
    /// The card vanished before pcscd said so; it may be back before pcscd notices anything.
    seeking: bool,
    /// A card lies there that could not be read.
    unread: bool,
    uid: Option<Uid>,
}

/// Starts the thread.
pub(crate) fn start(tray: impl Tray + 'static, setup: Setup) -> Result<ReaderDesk, crate::KioskError> {
    let (requests, received) = channel();
    let wake = tray.waker();
    let run = move || {
        let mut owner = Owner {
            tray,
            setup,
            requests: received,
            presentation: Presentation(0),
            card: None,
            present: false,
            seeking: false,
            unread: false,
            uid: None,
        };
        while owner.turn() {}
    };
    std::thread::Builder::new().name("reader".into()).spawn(run).map_err(crate::KioskError::Thread)?;
    Ok(ReaderDesk { requests, wake })
}

/// Randomness from the operating system.
pub(crate) fn entropy() -> Box<dyn keys::Entropy + Send> {
    Box::new(|buffer: &mut [u8]| getrandom::fill(buffer).map_err(|_| KeyError::NoEntropy))
}

impl<T: Tray> Owner<T> {
    /// One notice, then what was asked for meanwhile; `false` when nobody can ask any more.
    fn turn(&mut self) -> bool {
        let wait = match (self.card.is_some() || self.seeking, self.unread) {
            (true, _) => LOOK,
            (false, true) => RETRY,
            (false, false) => WAIT,
        };
        match self.tray.next(wait) {
            ReaderNotice::Ready => self.say(ReaderEvent::Ready),
            ReaderNotice::Gone => {
                self.gone();
                self.say(ReaderEvent::Gone);
            }
            ReaderNotice::CardArrived => self.arrived(),
            ReaderNotice::CardGone => self.gone(),
            ReaderNotice::Idle => self.look(),
            ReaderNotice::Woken => {}
        }
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.carry_out(&request),
                Err(std::sync::mpsc::TryRecvError::Empty) => return true,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn say(&self, event: ReaderEvent) {
        self.setup.inputs.send(Input::Event(Event::Reader(event)));
    }

    /// Nothing was noticed: is the card still there, or back again?
    fn look(&mut self) {
        if self.unread || self.seeking {
            return self.try_again();
        }
        let there = self.card.as_mut().is_none_or(|card| !card.is_lost() && card.check_presence().is_ok());
        if !there {
            self.gone();
            self.seeking = true;
        }
    }

    /// A card that could not be read, or that may be back before pcscd noticed: nothing is said until it is read.
    fn try_again(&mut self) {
        self.presentation.0 += 1;
        self.setup.meter.reset();
        if let Ok(event) = self.read() {
            (self.unread, self.seeking, self.present) = (false, false, true);
            self.say(ReaderEvent::CardArrived(self.presentation));
            self.say(event);
        }
    }

    fn gone(&mut self) {
        self.card = None;
        (self.seeking, self.unread) = (false, false);
        self.uid = None;
        if std::mem::take(&mut self.present) {
            self.say(ReaderEvent::CardGone(self.presentation));
        }
    }

    fn arrived(&mut self) {
        self.gone();
        self.presentation.0 += 1;
        self.present = true;
        self.setup.meter.reset();
        self.say(ReaderEvent::CardArrived(self.presentation));
        let mut result = Err(FailureCode::CardUnreadable);
        for _ in 0..READ_ATTEMPTS {
            result = self.read();
            if !matches!(result, Err(FailureCode::CardUnreadable)) {
                break;
            }
        }
        match result {
            Ok(event) => self.say(event),
            Err(code) => {
                self.unread = code == FailureCode::CardUnreadable;
                self.say(ReaderEvent::CardRefused(self.presentation, code));
            }
        }
    }

    fn read(&mut self) -> Result<ReaderEvent, FailureCode> {
        let transport = self.tray.connect(self.setup.exchange_timeout).map_err(|_| FailureCode::CardUnreadable)?;
        let (start, exchanges) = (Instant::now(), Meter::default());
        let transport: Box<dyn Transport> = Box::new(Timed::new(transport, exchanges.clone()));
        let opened = CardSession::open(transport, &self.setup.layout, &mut self.setup.keys);
        let spent = start.elapsed().saturating_sub(Duration::from_micros(exchanges.own_us()));
        self.setup.meter.add(spent);
        let (session, contents) = opened.map_err(|error| {
            tracing::info!(%error, "a card could not be read");
            error.failure()
        })?;
        self.uid = Some(session.uid().clone());
        self.card = Some(session);
        let secret = Zeroizing::new(contents.identity.secret.expose().to_vec());
        let secret = self.setup.vault.put(secret);
        Ok(ReaderEvent::CardRead(Box::new(contents.into_snapshot(self.presentation, secret))))
    }

    /// The card of this presentation, opened anew if a transport error closed it and the same card still lies there.
    fn card(&mut self, presentation: Presentation) -> Option<&mut CardSession<Box<dyn Transport>>> {
        if presentation != self.presentation || !self.present {
            return None;
        }
        if self.card.as_ref().is_none_or(CardSession::is_lost) {
            self.card = None;
            let transport = self.tray.connect(self.setup.exchange_timeout).ok()?;
            let (session, _) = CardSession::open(transport, &self.setup.layout, &mut self.setup.keys).ok()?;
            if Some(session.uid()) != self.uid.as_ref() {
                return None;
            }
            self.card = Some(session);
        }
        self.card.as_mut()
    }

    fn carry_out(&mut self, request: &ReaderRequest) {
        let event = match request {
            ReaderRequest::ProveCreditKey(presentation, key) => self.prove(*presentation, *key),
            ReaderRequest::Credit(order) => self.credit(order),
            ReaderRequest::Resolve { presentation, top_up, counter_seen } => {
                self.resolve(*presentation, *top_up, *counter_seen)
            }
            ReaderRequest::WriteTries(presentation, tries) => self.write_tries(*presentation, *tries),
        };
        self.say(event);
    }

    fn one_key(&self, key: Handle) -> Option<OneKey> {
        let bytes = self.setup.vault.array::<16>(key)?;
        Some(OneKey::new(KeyRole::Credit, AesKey::new(*bytes), entropy()))
    }

    fn prove(&mut self, presentation: Presentation, key: Handle) -> ReaderEvent {
        let refused = |code| ReaderEvent::CreditKeyRefused(presentation, code);
        let Some(mut key) = self.one_key(key) else { return refused(FailureCode::CreditKeyRejected) };
        let Some(card) = self.card(presentation) else { return refused(FailureCode::CardUnreadable) };
        match card.prove_credit_key(&mut key) {
            Ok(()) => ReaderEvent::CreditKeyProven(presentation),
            Err(error) => refused(error.failure()),
        }
    }

    fn credit(&mut self, order: &CreditOrder) -> ReaderEvent {
        let Some(mut key) = self.one_key(order.key) else {
            return ReaderEvent::NotCredited(order.top_up, FailureCode::CreditKeyRejected);
        };
        match self.card(order.presentation) {
            // Nothing was sent: certain.
            None => ReaderEvent::NotCredited(order.top_up, FailureCode::CardTorn),
            Some(card) => card.credit(&mut key, order).into_event(order.top_up),
        }
    }

    fn resolve(&mut self, presentation: Presentation, top_up: TopUpId, counter_seen: u32) -> ReaderEvent {
        if self.card(presentation).is_none() {
            return ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable);
        }
        let Some(card) = self.card.as_mut() else {
            return ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable);
        };
        match card.resolve(&mut self.setup.keys, top_up, counter_seen) {
            Ok(verdict) => ReaderEvent::Resolved(top_up, verdict),
            Err(error) => ReaderEvent::ResolveFailed(top_up, error.failure()),
        }
    }

    fn write_tries(&mut self, presentation: Presentation, tries: PinTries) -> ReaderEvent {
        let failed = |code| ReaderEvent::TriesNotWritten(presentation, code);
        if self.card(presentation).is_none() {
            return failed(FailureCode::CardUnreadable);
        }
        let Some(card) = self.card.as_mut() else { return failed(FailureCode::CardUnreadable) };
        match card.write_tries(&mut self.setup.keys, tries, self.setup.terminal) {
            Ok(()) => ReaderEvent::TriesWritten(presentation, tries),
            Err(error) => failed(error.failure()),
        }
    }
}
