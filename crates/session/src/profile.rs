//! What the acquirer's contract lays down for the till of a terminal.

use domain::device::PaymentOrder;
use domain::{Day, Timestamp};
use locale::Language;

/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;

/// The till's part of the acquirer's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TillProfile {
    /// In which order payment and credit follow each other.
    pub order: PaymentOrder,
    /// How long a reservation stands, in milliseconds from its approval: later it can neither be booked nor need be
    /// released.
    pub reservation_ms: u64,
    /// When the payment terminal is told to end its day; `None` where it does so by itself.
    pub end_of_day: Option<EndOfDay>,
}

impl Default for TillProfile {
    /// The vending order, reservations of a day, and no end-of-day of ours.
    fn default() -> Self {
        Self { order: PaymentOrder::default(), reservation_ms: 86_400_000, end_of_day: None }
    }
}

/// When the end-of-day is done, in minutes of the city's local day. `latest_minute` may lie after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndOfDay {
    /// From then on, as soon as nobody is served.
    pub from_minute: u16,
    /// Until then a payment that is undecided at the payment terminal is waited for.
    pub latest_minute: u16,
}

/// An end-of-day by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DueDay {
    /// The day it ends: the one on which its hour began.
    pub(crate) day: Day,
    /// Nothing is waited for any more.
    pub(crate) is_late: bool,
}

impl EndOfDay {
    /// The end-of-day whose hour began last.
    pub(crate) fn due(self, at: Timestamp, language: &Language) -> DueDay {
        let (today, minute) = (language.local_day(at), language.local_minute(at));
        let since = |from: u16, to: u16| (to % DAY_MINUTES + DAY_MINUTES - from % DAY_MINUTES) % DAY_MINUTES;
        let began_today = minute >= self.from_minute % DAY_MINUTES;
        DueDay {
            day: if began_today { today } else { Day(today.0.saturating_sub(1)) },
            is_late: since(self.from_minute, minute) >= since(self.from_minute, self.latest_minute),
        }
    }
}
