//! The drawings, by name.

use serde::Serialize;
use ts_rs::TS;

/// The drawings on the 24 grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is named after what it shows")]
pub enum Icon {
    Art,
    Back,
    Bike,
    Booking,
    Bus,
    Car,
    Card,
    Check,
    Children,
    City,
    Clock,
    Code,
    Contrast,
    Cover,
    Document,
    Erase,
    Finish,
    Heart,
    Help,
    Home,
    Language,
    Letters,
    Library,
    List,
    Museum,
    Offline,
    Paper,
    Parking,
    Pay,
    People,
    Phone,
    Pool,
    Receipt,
    Road,
    School,
    Sport,
    Tax,
    Terminal,
    Toilet,
    TopUp,
    Warning,
    Wifi,
}

/// The large drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Picture {
    /// A card being read.
    Reading,
    /// The bank card at the payment terminal.
    PayHere,
    /// The payment terminal is at work; no card is wanted.
    PayWait,
    /// Take the bank card back.
    PayTake,
    /// The city card stays in the tray.
    HoldCard,
    /// A paper being printed.
    Printing,
    /// Take the paper.
    TakePaper,
    /// Take the card.
    TakeCard,
    /// Put the card back.
    PutBack,
}
