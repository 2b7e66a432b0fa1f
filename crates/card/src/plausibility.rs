//! Whether what a purse holds can be true. In 2017 a purse somewhere held 5,052,907.70 €: such a card is served, but
//! its purse is shown as "needs a check", never topped up, and reported. Here is what the card alone contradicts; the
//! city's own limits are `ledger`'s.

use domain::Cents;
use domain::card::TopUpRecord;

/// No city's purse holds more: a hundred times what anonymous electronic money may be worth (Directive (EU) 2015/849,
/// article 12: 150 €), rounded down.
const PURSE_EVER_MAX: Cents = Cents(1_000_000);

/// Why a purse needs a check at the office. Its text names no amount: it is for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NeedsCheck {
    /// Below zero.
    #[error("the purse is below zero")]
    Negative,
    /// More than such a purse may hold.
    #[error("the purse is above the most it may hold")]
    AboveMaximum {
        /// The most.
        max: Cents,
    },
    /// More than after the last top-up, which alone raises it.
    #[error("the purse is above where the last top-up left it")]
    AboveLastTopUp {
        /// The value after the last top-up.
        limit: Cents,
    },
    /// The counters on the card contradict each other.
    #[error("the top-up counters contradict each other")]
    CounterOdd,
    /// The record of the last top-up is missing.
    #[error("the record of the last top-up is missing")]
    RecordMissing,
    /// The purse cannot be read, and what it held cannot be told from the rest of the card.
    #[error("the purse cannot be read")]
    PurseUnreadable,
}

/// A value outside what any purse, or one with this maximum, may hold.
#[must_use]
pub fn of_value(value: Cents, max: Option<Cents>) -> Option<NeedsCheck> {
    let max = max.unwrap_or(PURSE_EVER_MAX).min(PURSE_EVER_MAX);
    if value.is_negative() {
        Some(NeedsCheck::Negative)
    } else if value > max {
        Some(NeedsCheck::AboveMaximum { max })
    } else {
        None
    }
}

/// A DESFire purse against its own records, newest first. Only a top-up raises a purse, and it writes its record in
/// the same transaction; record 0 carries what the card office opened the purse with.
#[must_use]
pub fn of_desfire(purse: Option<Cents>, top_ups: &[TopUpRecord]) -> Option<NeedsCheck> {
    if !top_ups.is_sorted_by(|newer, older| older.counter.checked_add(1) == Some(newer.counter)) {
        return Some(NeedsCheck::CounterOdd);
    }
    let value = purse?;
    if let Some(reason) = of_value(value, None) {
        return Some(reason);
    }
    let Some(newest) = top_ups.first() else { return Some(NeedsCheck::RecordMissing) };
    let limit = Cents(newest.before.0.saturating_add(newest.amount.0));
    (value > limit).then_some(NeedsCheck::AboveLastTopUp { limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Day, TerminalId, TopUpId};

    fn top_up(counter: u32, before: i64, amount: i64) -> TopUpRecord {
        TopUpRecord {
            counter,
            day: Day(20_000),
            top_up: TopUpId([7; 16]),
            amount: Cents(amount),
            before: Cents(before),
            terminal: TerminalId(1),
        }
    }

    fn check(purse: i64, top_ups: &[TopUpRecord], expected: Option<NeedsCheck>) {
        assert_eq!(of_desfire(Some(Cents(purse)), top_ups), expected, "{purse}");
    }

    #[test]
    fn a_purse_below_what_its_last_top_up_left_is_plausible() {
        check(1_500, &[top_up(3, 500, 1_000)], None);
        check(200, &[top_up(3, 500, 1_000), top_up(2, 0, 900)], None);
    }

    #[test]
    fn a_purse_that_was_never_topped_up_holds_at_most_what_it_was_opened_with() {
        let above = |limit| Some(NeedsCheck::AboveLastTopUp { limit: Cents(limit) });
        check(0, &[top_up(0, 0, 0)], None);
        check(1, &[top_up(0, 0, 0)], above(0));
        check(10_000, &[top_up(0, 0, 0)], above(0));
        check(1_250, &[top_up(0, 0, 1_250)], None);
        check(1_150, &[top_up(0, 0, 1_250)], None);
        check(1_251, &[top_up(0, 0, 1_250)], above(1_250));
    }

    #[test]
    fn a_purse_without_any_record_needs_a_check() {
        check(0, &[], Some(NeedsCheck::RecordMissing));
    }

    #[test]
    fn the_purse_of_2017_needs_a_check() {
        let max = NeedsCheck::AboveMaximum { max: PURSE_EVER_MAX };
        check(505_290_770, &[top_up(3, 500, 505_290_270)], Some(max));
        check(505_290_770, &[top_up(0, 0, 505_290_770)], Some(max));
        assert_eq!(
            of_value(Cents(505_290_770), Some(Cents(5_000))),
            Some(NeedsCheck::AboveMaximum { max: Cents(5_000) })
        );
    }

    #[test]
    fn a_purse_below_zero_needs_a_check() {
        check(-1, &[top_up(3, 500, 1_000)], Some(NeedsCheck::Negative));
    }

    #[test]
    fn a_purse_above_its_last_top_up_needs_a_check() {
        let above = |limit| Some(NeedsCheck::AboveLastTopUp { limit: Cents(limit) });
        check(1_501, &[top_up(3, 500, 1_000)], above(1_500));
        check(1_501, &[top_up(1, 500, 1_000), top_up(0, 0, 5_000)], above(1_500));
    }

    #[test]
    fn records_out_of_order_need_a_check() {
        check(100, &[top_up(5, 500, 1_000), top_up(3, 0, 500)], Some(NeedsCheck::CounterOdd));
        check(100, &[top_up(3, 500, 1_000), top_up(3, 0, 500)], Some(NeedsCheck::CounterOdd));
    }

    #[test]
    fn a_hidden_purse_is_not_judged() {
        assert_eq!(of_desfire(None, &[top_up(3, 500, 1_000)]), None);
    }
}
