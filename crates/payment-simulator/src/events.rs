//! What a watcher of the terminal sees.

use domain::Cents;

/// What the terminal waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A command.
    Idle,
    /// The payer's card: `Simulator::answer` decides.
    Card {
        /// What is to be paid or reserved.
        amount: Cents,
    },
    /// Payer and bank are busy.
    Bank,
    /// The cash register's answer to an approved outcome.
    Register {
        /// The payment's receipt number.
        receipt: u16,
        /// How often the outcome was sent.
        outcomes: u8,
    },
    /// The power is off.
    Off,
}

/// What happened at the terminal. Receipt numbers are the payment's or the reservation's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A cash register connected.
    Connected,
    /// The line is gone.
    Disconnected,
    /// The cash register registered.
    Registered,
    /// The terminal waits for something else than before.
    Waiting(Waiting),
    /// The bank approved.
    Authorised {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// A reservation stands, or stands for less.
    Reserved {
        /// The reservation's receipt number.
        receipt: u16,
    },
    /// The money is taken.
    Posted {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// The money was given back, or the reservation given free.
    Reversed {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// A reservation lapsed.
    Expired {
        /// The reservation's receipt number.
        receipt: u16,
    },
    /// A payment ended before the bank approved, with this result code.
    Unpaid(u8),
    /// The batch was closed.
    DayEnded {
        /// How many payments it holds.
        transactions: u64,
    },
    /// The power went.
    SwitchedOff,
    /// The terminal is on again.
    PoweredUp,
}
