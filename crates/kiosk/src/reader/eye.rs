//! A look at the card past whoever has it in hand: while central is asked for a key, the session of the card waits, and
//! yet its leaving must be told at once. The look is the reader's own command for the UID, which ends no session of the
//! card's.

use super::Line;
use crate::key_line::Sight;
use crate::machine::{Input, Inputs};
use card::{Apdu, Reply, Transport, TransportError};
use domain::card::Presentation;
use domain::device::ReaderEvent;
use session::Event;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The first byte and the length of a random UID (ISO/IEC 14443-3, 6.5.4).
const RANDOM: (u8, usize) = (0x08, 4);

/// A card's UID as the reader shows it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shown(Vec<u8>);

impl Shown {
    /// Asks the reader.
    pub(super) fn of(transport: &mut dyn Transport) -> Result<Self, TransportError> {
        Ok(Self(transport.transmit(&Apdu::get_uid())?.data().to_vec()))
    }

    /// Whether it may be the same card: a random UID is another each time.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self == other || (self.is_random() && other.is_random())
    }

    fn is_random(&self) -> bool {
        (self.0.first().copied(), self.0.len()) == (Some(RANDOM.0), RANDOM.1)
    }
}

type Shared = Mutex<Line>;

fn lock(line: &Shared) -> MutexGuard<'_, Line> {
    // An exchange is whole or an error: a panic elsewhere leaves nothing half done here.
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The transport of an opened card, with an eye on it.
struct Watched {
    line: Arc<Shared>,
    shown: Arc<OnceLock<Shown>>,
    atr: Vec<u8>,
    reader_name: String,
}

impl Transport for Watched {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let reply = lock(&self.line).transmit(command)?;
        if command.bytes() == Apdu::get_uid().bytes() {
            self.shown.get_or_init(|| Shown(reply.data().to_vec()));
        }
        Ok(reply)
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn reader_name(&self) -> &str {
        &self.reader_name
    }
}

/// What sees the card that was opened last, as long as its session holds the connection.
#[derive(Clone, Default)]
pub(super) struct Eye {
    line: Weak<Shared>,
    /// What it showed when it was opened.
    shown: Arc<OnceLock<Shown>>,
    /// It was seen to have left, and that was told.
    lost: Arc<AtomicBool>,
}

impl Eye {
    /// An eye on this connection, and the connection for the card's session.
    pub(super) fn on(transport: Line) -> (Self, Box<dyn Transport>) {
        let (atr, reader_name) = (transport.atr().to_vec(), transport.reader_name().to_owned());
        let line = Arc::new(Mutex::new(transport));
        let eye = Self { line: Arc::downgrade(&line), ..Self::default() };
        let shown = Arc::clone(&eye.shown);
        (eye, Box::new(Watched { line, shown, atr, reader_name }))
    }

    /// What the card showed when it was opened.
    pub(super) fn shown(&self) -> Option<&Shown> {
        self.shown.get()
    }

    /// Whether it was seen to have left since it was opened.
    pub(super) fn has_lost_the_card(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// For whoever waits with the card in hand. That it has left is told here and now, once.
    pub(super) fn sight(&self, presentation: Presentation, inputs: &Inputs) -> Sight {
        let (eye, inputs) = (self.clone(), inputs.clone());
        Sight::new(move || {
            let there = !eye.has_lost_the_card() && eye.sees_the_card();
            if !there && !eye.lost.swap(true, Ordering::Relaxed) {
                inputs.send(Input::Event(Event::Reader(ReaderEvent::CardGone(presentation))));
            }
            there
        })
    }

    fn sees_the_card(&self) -> bool {
        let Some(line) = self.line.upgrade() else { return false };
        let seen = Shown::of(lock(&line).as_mut());
        seen.is_ok_and(|seen| self.shown() == Some(&seen))
    }
}
