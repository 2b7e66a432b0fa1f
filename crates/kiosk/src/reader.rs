//! The card reader's owner: one thread that waits for cards, reads them, and carries out requests between times.
//! A reader that is pulled out, a pcscd that is restarted, cards that disturb each other: it goes on by itself when
//! they are gone. `owner` follows what lies in the tray; `requests` does what is asked of a card that was read, and
//! `rekey` gives it the newest read key while nothing is.

mod eye;
#[cfg(test)]
mod eye_tests;
mod issuer;
mod owner;
mod rekey;
#[cfg(test)]
mod rekey_tests;
#[cfg(test)]
mod request_tests;
mod requests;
#[cfg(test)]
mod tests;

use crate::machine::Inputs;
use crate::meter::Meter;
use crate::vault::Vault;
use card::{ReaderNotice, ReaderProfile, ReaderWatcher, Transport, TransportError};
use domain::city_pack::CardLayout;
use domain::device::ReaderRequest;
use domain::{FailureCode, TerminalId};
pub(crate) use issuer::Issuer;
use keys::{KeyError, SoftKeys};
use owner::Owner;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// A connection to a card. It may be handed on to another thread.
pub type Line = Box<dyn Transport + Send>;

/// The tray with its reader: PC/SC in the street, something else on a desk.
pub trait Tray: Send {
    /// Waits for the next notice.
    fn next(&mut self, timeout: Duration) -> ReaderNotice;
    /// Connects to the card that lies there.
    ///
    /// # Errors
    /// `TransportError` when there is none.
    fn connect(&self, exchange_timeout: Duration) -> Result<Line, TransportError>;
    /// Something that ends a wait from another thread.
    fn waker(&self) -> Box<dyn Fn() + Send + Sync>;
    /// The PC/SC name of the reader in use; `None` when there is none, or it has no name.
    fn name(&self) -> Option<String> {
        None
    }
}

impl Tray for Box<dyn Tray> {
    fn next(&mut self, timeout: Duration) -> ReaderNotice {
        (**self).next(timeout)
    }

    fn connect(&self, exchange_timeout: Duration) -> Result<Line, TransportError> {
        (**self).connect(exchange_timeout)
    }

    fn waker(&self) -> Box<dyn Fn() + Send + Sync> {
        (**self).waker()
    }

    fn name(&self) -> Option<String> {
        (**self).name()
    }
}

impl Tray for ReaderWatcher {
    fn next(&mut self, timeout: Duration) -> ReaderNotice {
        Self::next(self, timeout)
    }

    fn connect(&self, exchange_timeout: Duration) -> Result<Line, TransportError> {
        Ok(Box::new(Self::connect(self, exchange_timeout)?))
    }

    fn waker(&self) -> Box<dyn Fn() + Send + Sync> {
        let waker = Self::waker(self);
        Box::new(move || waker.wake())
    }

    fn name(&self) -> Option<String> {
        self.reader_name()
    }
}

/// What the reader's thread is asked for.
enum Asked {
    /// By the session.
    Request(ReaderRequest),
    /// By a technician: does the reader answer, and the card in it?
    Check(oneshot::Sender<Result<Option<String>, FailureCode>>),
}

/// Where requests for the reader are handed in.
#[derive(Clone)]
pub(crate) struct ReaderDesk {
    requests: Sender<Asked>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl ReaderDesk {
    /// Of a terminal whose reader's thread has ended.
    #[cfg(test)]
    pub(crate) fn ended() -> Self {
        Self { requests: channel().0, wake: Arc::new(|| {}) }
    }

    pub(crate) fn request(&self, request: ReaderRequest) {
        self.ask(Asked::Request(request));
    }

    /// Asks the reader, and the card that lies in it, for a technician; the reader's name, where it has one.
    pub(crate) async fn check(&self) -> Result<Option<String>, FailureCode> {
        let (answer, answered) = oneshot::channel();
        self.ask(Asked::Check(answer));
        answered.await.unwrap_or(Err(FailureCode::ReaderAbsent))
    }

    fn ask(&self, asked: Asked) {
        if self.requests.send(asked).is_ok() {
            (self.wake)();
        }
    }
}

/// What the reader's thread knows.
pub(crate) struct Setup {
    pub(crate) layout: CardLayout,
    pub(crate) terminal: TerminalId,
    pub(crate) keys: SoftKeys,
    /// The keys that central holds.
    pub(crate) issuer: Box<dyn Issuer>,
    /// The reader's dialect; chosen by its name where the configuration leaves it open.
    pub(crate) profile: Option<ReaderProfile>,
    pub(crate) vault: Vault,
    pub(crate) inputs: Inputs,
    pub(crate) exchange_timeout: Duration,
    pub(crate) meter: Meter,
}

/// Starts the thread.
pub(crate) fn start(tray: impl Tray + 'static, setup: Setup) -> Result<ReaderDesk, crate::KioskError> {
    let (requests, received) = channel();
    let wake = Arc::from(tray.waker());
    let run = move || {
        let mut owner = Owner::new(tray, setup, received);
        while owner.turn() {}
    };
    std::thread::Builder::new().name("reader".into()).spawn(run).map_err(crate::KioskError::Thread)?;
    Ok(ReaderDesk { requests, wake })
}

/// Randomness from the operating system.
pub(crate) fn entropy() -> Box<dyn keys::Entropy + Send> {
    Box::new(|buffer: &mut [u8]| getrandom::fill(buffer).map_err(|_| KeyError::NoEntropy))
}
