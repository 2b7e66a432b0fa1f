//! What became of the money, as the acquirer knows it: one record for each payment and each reservation.

use domain::{Cents, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a payment or a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionState {
    /// The bank approved; the cash register has not answered.
    Authorised,
    /// The amount is reserved on the payer's account.
    Reserved,
    /// The money is taken.
    Posted,
    /// The money was given back, or the reservation given free.
    Reversed,
    /// The reservation lapsed.
    Expired,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 06 01.
    Payment,
    /// 06 22.
    Reservation,
}

/// The booking of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// BMP 87.
    pub receipt: u16,
    /// BMP 0B.
    pub trace: u32,
    /// What was taken.
    pub amount: Cents,
    /// When.
    pub at: Timestamp,
}

/// One payment or reservation the bank approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// What it is.
    pub kind: Kind,
    /// BMP 29 of the terminal it was made at.
    pub terminal: u32,
    /// BMP 87, 1 to 9999; comes again after the wrap.
    pub receipt: u16,
    /// BMP 0B, 1 to 999999.
    pub trace: u32,
    /// What was authorised; of a reservation what is, or was last, reserved.
    pub amount: Cents,
    /// When the bank approved.
    pub at: Timestamp,
    /// Where it stands.
    pub state: TransactionState,
    /// The booking of a reservation.
    pub booking: Option<Booking>,
    /// Receipt and trace number of its reversal or release, if it has them.
    pub reversal: Option<(u16, u32)>,
    /// When it was given back or given free.
    pub reversed_at: Option<Timestamp>,
    /// When the reservation lapses.
    pub expires: Option<Timestamp>,
    /// Whether the terminal knows of it: not when it died before it could write the approval down.
    pub known: bool,
    /// Made with the terminal's own menu.
    pub by_operator: bool,
    /// When its batch was closed; afterwards it cannot be reversed.
    pub settled: Option<Timestamp>,
}

impl Transaction {
    /// The money taken from the payer now.
    #[must_use]
    pub fn taken(&self) -> Cents {
        match self.state {
            TransactionState::Posted => self.booking.map_or(self.amount, |booking| booking.amount),
            _ => Cents::ZERO,
        }
    }

    /// The receipt number under which the money was taken: the booking's, of a reservation.
    #[must_use]
    pub fn posted_receipt(&self) -> u16 {
        self.booking.map_or(self.receipt, |booking| booking.receipt)
    }

    /// The trace number under which the money was taken: the booking's, of a reservation.
    #[must_use]
    pub fn posted_trace(&self) -> u32 {
        self.booking.map_or(self.trace, |booking| booking.trace)
    }
}
