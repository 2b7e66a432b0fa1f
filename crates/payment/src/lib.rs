//! The bank-card terminal behind a trait, with ZVT over TCP. This crate owns the conversation with the payment
//! terminal: asking for a payment, holding an approved one un-acknowledged while the citizen's card is credited,
//! answering it, and finding out afterwards what became of it. [`desk`] runs one terminal and speaks in
//! `domain::device` events; [`commission`] tries on a real terminal what all this assumes. It leaves to others when to
//! answer what ([`Unacknowledged`] only forces that somebody does), the journal, and everything about the city's cards.

pub mod commission;
pub mod desk;
pub mod terminal;
pub mod zvt;

pub use terminal::{
    Abort, Answered, Capture, DayEnd, Held, Outcome, PaymentTerminal, Release, Reversal, TerminalError, Unacknowledged,
};
pub use zvt::{TerminalClock, ZvtConfig, ZvtTerminal};
