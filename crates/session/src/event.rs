//! Everything that can happen to a session.

use crate::Action;
use domain::card::{CityOrder, Presentation};
use domain::device::{PaymentEvent, PrinterEvent, ReaderEvent};
use domain::holder::{PinFacts, TapFacts};
use domain::service::ServiceEvent;
use domain::{FailureCode, Handle, PrintName, Timestamp};
use ledger::Ledger;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The kiosk has started and its journal is folded. The first event, once.
    Started(Box<Ledger>),
    /// The journal before this one could not be read and was set aside: what needs it (the PIN's tries, the day's
    /// float) is refused until a technician has looked.
    JournalSetAside,
    /// The citizen touched something.
    Act(Action),
    /// The vault now holds this many digits of a PIN.
    PinEntered(u8),
    /// The card reader spoke.
    Reader(ReaderEvent),
    /// The payment terminal spoke.
    Payment(PaymentEvent),
    /// The printer spoke.
    Printer(PrinterEvent),
    /// The tap record of the card was looked for.
    Tap(Presentation, Result<Box<TapFacts>, FailureCode>),
    /// Central's answer to the evidence of a card: its order to finish a top-up here. Its signature was verified.
    CityOrder(CityOrder),
    /// The pin record of the card was opened with the PIN, or not.
    Pin(Presentation, Result<Box<PinFacts>, FailureCode>),
    /// The journal holds everything up to this sequence, and a power cut would not undo it.
    Durable(u64),
    /// A paper was prepared.
    Paper(PaperEvent),
    /// Central came or went, or a newer feed was taken.
    Network(Network),
    /// The clock can be believed, or not.
    Clock(ClockState),
    /// The disk has run out of room, or has room again.
    Disk {
        /// Nothing more can be journalled or fetched.
        full: bool,
    },
    /// The machine answered a technician, or told at the start that it is out of order.
    Service(ServiceEvent),
    /// The journal knows of this many attempts at the PIN of the card laid down so. Said with its `Tap`, before or
    /// after it: a card that counts fewer was copied or set back, and its PIN is locked.
    PinFloor(Presentation, u32),
    /// Time has passed.
    Tick,
}

/// What is known of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockState {
    /// Nothing speaks against it.
    #[default]
    Right,
    /// It is before the last signed head, or behind the journal.
    Wrong,
}

/// What became of an order for paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaperEvent {
    /// It is laid out, its name is journalled, and a document's deposit is in the outbox.
    Ready {
        /// The order's name.
        name: PrintName,
        /// The PDF, in the vault.
        document: Handle,
        /// Sheets.
        pages: u32,
        /// The verification code printed on it, as a person reads it.
        code: Option<String>,
    },
    /// It could not be prepared; nothing was printed.
    Failed(PrintName, FailureCode),
}

/// What is known of the way to central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Network {
    /// Central answers.
    pub online: bool,
    /// Since when it does, or does not; the default while central was not asked yet.
    pub since: Timestamp,
    /// The feed this terminal serves from.
    pub feed: Option<Feed>,
}

impl Network {
    /// Central was asked and did not answer.
    #[must_use]
    pub fn is_out(&self) -> bool {
        !self.online && self.since != Timestamp::default()
    }
}

/// The feed a terminal serves from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// When central issued it: the age of every figure out of it.
    pub issued: Timestamp,
    /// When it stops being current.
    pub expires: Timestamp,
}
