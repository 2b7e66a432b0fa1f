//! The limits of purse and top-up, from the signed city pack. A purse outside them is never topped up: a 5 € top-up
//! that leaves five million on a card must stop here, before the card is written.

use domain::card::TopUpRecord;
use domain::city_pack::PurseLimits;
use domain::{Cents, Day, FailureCode};

/// Why a top-up may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The purse is below zero or above its maximum: it needs a check at the office.
    #[error("the purse holds {0:?}, which no purse of this city may")]
    ImplausiblePurse(Cents),
    /// Below the smallest or above the largest single top-up.
    #[error("a single top-up is between {min:?} and {max:?}")]
    Amount {
        /// The smallest.
        min: Cents,
        /// The largest.
        max: Cents,
    },
    /// The purse would hold more than it may.
    #[error("the purse would exceed its maximum; {room:?} more would fit")]
    PurseFull {
        /// What still fits.
        room: Cents,
    },
    /// The card was topped up too much today.
    #[error("the day's limit of the card is reached; {room:?} more would fit")]
    CardDay {
        /// What still fits.
        room: Cents,
    },
    /// The terminal has credited too much today without central.
    #[error("the terminal's float is used up; {room:?} more would fit")]
    TerminalFloat {
        /// What still fits.
        room: Cents,
    },
}

impl LimitError {
    /// What citizen and technician see.
    #[must_use]
    pub fn code(self) -> FailureCode {
        match self {
            Self::ImplausiblePurse(_) => FailureCode::PurseImplausible,
            Self::PurseFull { .. } => FailureCode::PurseFull,
            Self::Amount { .. } | Self::CardDay { .. } => FailureCode::TopUpLimit,
            Self::TerminalFloat { .. } => FailureCode::FloatExhausted,
        }
    }
}

/// Whether a purse may hold what was read from it.
///
/// # Errors
/// `LimitError::ImplausiblePurse` otherwise.
pub fn check_purse(limits: &PurseLimits, purse: Cents) -> Result<(), LimitError> {
    let plausible = !purse.is_negative() && purse <= limits.max;
    if plausible { Ok(()) } else { Err(LimitError::ImplausiblePurse(purse)) }
}

/// Whether a card may be topped up by `amount`, given its purse, what its records of today sum to, and what this
/// terminal credited today.
///
/// # Errors
/// The first limit that forbids it.
pub fn check_top_up(
    limits: &PurseLimits,
    purse: Cents,
    amount: Cents,
    topped_up_today: Cents,
    float_used: Cents,
) -> Result<(), LimitError> {
    check_purse(limits, purse)?;
    if amount <= Cents::ZERO || amount < limits.top_up_min || amount > limits.top_up_max {
        return Err(LimitError::Amount { min: limits.top_up_min, max: limits.top_up_max });
    }
    let room = |max: Cents, used: Cents| Cents(max.0.saturating_sub(used.0).max(0));
    let purse_room = room(limits.max, purse);
    let card_room = room(limits.daily_max, topped_up_today);
    let float_room = room(limits.terminal_float, float_used);
    if amount > purse_room {
        return Err(LimitError::PurseFull { room: purse_room });
    }
    if amount > card_room {
        return Err(LimitError::CardDay { room: card_room });
    }
    if amount > float_room {
        return Err(LimitError::TerminalFloat { room: float_room });
    }
    Ok(())
}

/// What the card's own records say was topped up on a day, wherever that was. Record 0 is the personalisation's and
/// no top-up.
#[must_use]
pub fn topped_up_on(records: &[TopUpRecord], day: Day) -> Cents {
    let of_day = records.iter().filter(|record| record.counter != 0 && record.day == day);
    of_day.fold(Cents::ZERO, |sum, record| Cents(sum.0.saturating_add(record.amount.0.max(0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{TerminalId, TopUpId};

    fn limits() -> PurseLimits {
        PurseLimits {
            max: Cents(10_000),
            top_up_min: Cents(500),
            top_up_max: Cents(5000),
            daily_max: Cents(6000),
            terminal_float: Cents(30_000),
            choices: vec![Cents(1000)],
            ev1_max: None,
            ev1_top_up_max: None,
            stale_top_up_max: None,
            stale_terminal_float: None,
        }
    }

    #[test]
    fn each_limit_forbids_one_cent_too_much_and_allows_the_last() {
        let check = |purse, amount, today, float, expected: Result<(), LimitError>| {
            let found = check_top_up(&limits(), Cents(purse), Cents(amount), Cents(today), Cents(float));
            assert_eq!(found, expected, "{purse} {amount} {today} {float}");
        };
        let amount = LimitError::Amount { min: Cents(500), max: Cents(5000) };
        check(0, 500, 0, 0, Ok(()));
        check(0, 499, 0, 0, Err(amount));
        check(0, 5000, 0, 0, Ok(()));
        check(0, 5001, 0, 0, Err(amount));
        check(0, -500, 0, 0, Err(amount));
        check(9000, 1000, 0, 0, Ok(()));
        check(9001, 1000, 0, 0, Err(LimitError::PurseFull { room: Cents(999) }));
        check(0, 1000, 5000, 0, Ok(()));
        check(0, 1000, 5001, 0, Err(LimitError::CardDay { room: Cents(999) }));
        check(0, 1000, 0, 29_000, Ok(()));
        check(0, 1000, 0, 29_001, Err(LimitError::TerminalFloat { room: Cents(999) }));
        check(-1, 1000, 0, 0, Err(LimitError::ImplausiblePurse(Cents(-1))));
        check(505_290_770, 500, 0, 0, Err(LimitError::ImplausiblePurse(Cents(505_290_770))));
        check(0, i64::MAX, 0, 0, Err(amount));
        check(0, 500, i64::MAX, 0, Err(LimitError::CardDay { room: Cents::ZERO }));
    }

    #[test]
    fn only_the_records_of_the_day_count() {
        let record = |day, cents| TopUpRecord {
            counter: 1,
            day: Day(day),
            top_up: TopUpId([1; 16]),
            amount: Cents(cents),
            before: Cents::ZERO,
            terminal: TerminalId(1),
        };
        let records = [record(9, 1000), record(9, 500), record(8, 5000)];
        assert_eq!(topped_up_on(&records, Day(9)), Cents(1500));
        assert_eq!(topped_up_on(&records, Day(7)), Cents::ZERO);
    }
}
