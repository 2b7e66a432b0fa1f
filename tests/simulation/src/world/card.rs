//! The citizens' cards, as the hardware behaves: one transaction credits and writes the record, or does neither.

use crate::bugs::Bug;
use domain::card::{CardSnapshot, CreditVerdict, PinTries, Presentation, Technology, TopUpRecord, Wishes};
use domain::device::CreditOrder;
use domain::{CardNumber, Cents, FailureCode, Generation, Handle, TopUpId};
use std::collections::VecDeque;

/// Records the top-ups file holds, as in the city pack.
const RECORDS: usize = 6;

/// A card and the truth about it.
#[derive(Debug, Clone)]
pub struct Card {
    /// The printed number.
    pub number: CardNumber,
    /// What the purse holds.
    pub purse: Cents,
    /// The newest record first.
    pub records: VecDeque<TopUpRecord>,
    /// Every credit that ever happened, and by which terminal: the truth, of which the card remembers the newest.
    pub credits: Vec<(TopUpId, Cents)>,
    /// Every debit that ever happened.
    pub debited: Cents,
    /// What it held when the history began.
    pub began_with: Cents,
}

impl Card {
    /// A card that was personalised and never topped up.
    #[must_use]
    pub fn new(number: u64, purse: i64) -> Self {
        let purse = Cents(purse);
        Self {
            number: CardNumber(number),
            purse,
            records: VecDeque::new(),
            credits: Vec::new(),
            debited: Cents::ZERO,
            began_with: purse,
        }
    }

    /// As a terminal reads it.
    #[must_use]
    pub fn snapshot(&self, presentation: Presentation) -> CardSnapshot {
        CardSnapshot {
            presentation,
            number: self.number,
            generation: Generation(1),
            technology: Technology::DesfireEv2,
            secret: Some(Handle(presentation.0)),
            purse: Some(self.purse),
            needs_check: false,
            top_ups: self.records.iter().copied().collect(),
            movements: Vec::new(),
            tries: PinTries { attempt: 1, failures: 0, pin_version: 1 },
            wishes: Wishes::default(),
        }
    }

    /// The newest counter.
    #[must_use]
    pub fn counter(&self) -> u32 {
        self.records.front().map_or(0, |record| record.counter)
    }

    /// How often this top-up was credited.
    #[must_use]
    pub fn times_credited(&self, id: TopUpId) -> usize {
        self.credits.iter().filter(|(credited, _)| *credited == id).count()
    }

    /// The transaction.
    ///
    /// # Errors
    /// Why the card refused: nothing was changed.
    pub fn credit(&mut self, order: &CreditOrder, bug: Option<Bug>) -> Result<(Cents, Cents), FailureCode> {
        let after = self.purse.checked_add(order.amount).filter(|after| *after <= order.purse_max);
        let after = after.ok_or(FailureCode::PurseFull)?;
        if self.counter() != order.counter_seen && bug != Some(Bug::CounterNotCompared) {
            return Err(FailureCode::CounterMoved);
        }
        let before = std::mem::replace(&mut self.purse, after);
        let record = TopUpRecord {
            counter: self.counter().saturating_add(1),
            day: order.day,
            top_up: order.top_up,
            amount: order.amount,
            before,
            terminal: order.terminal,
        };
        self.records.push_front(record);
        self.records.truncate(RECORDS);
        self.credits.push((order.top_up, order.amount));
        Ok((before, after))
    }

    /// A validator takes its price, if the purse holds it.
    pub fn debit(&mut self, price: Cents) -> bool {
        if self.purse < price {
            return false;
        }
        self.purse = Cents(self.purse.0 - price.0);
        self.debited = Cents(self.debited.0 + price.0);
        true
    }

    /// What its records prove of a top-up that was begun when the counter was `seen` (`docs/money.md`: every record
    /// above it is looked at).
    #[must_use]
    pub fn verdict(&self, id: TopUpId, seen: u32) -> CreditVerdict {
        let above = || self.records.iter().filter(|record| record.counter > seen);
        if let Some(record) = above().find(|record| record.top_up == id) {
            return CreditVerdict::Credited { before: record.before, now: self.purse, by: Some(record.terminal) };
        }
        let next_is_there = above().any(|record| record.counter == seen.saturating_add(1));
        if self.counter() == seen || next_is_there { CreditVerdict::NotCredited } else { CreditVerdict::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::device::CreditKey;
    use domain::{Day, TerminalId};

    fn order(id: u8, counter_seen: u32) -> CreditOrder {
        CreditOrder {
            presentation: Presentation(1),
            key: CreditKey::Record(Handle(1)),
            top_up: TopUpId([id; 16]),
            amount: Cents(500),
            counter_seen,
            purse_max: Cents(5000),
            day: Day(1),
            terminal: TerminalId(1),
        }
    }

    #[test]
    fn a_card_credits_only_at_the_counter_it_was_read_with() {
        let mut card = Card::new(1, 100);
        assert_eq!(card.credit(&order(1, 0), None), Ok((Cents(100), Cents(600))));
        assert_eq!(card.credit(&order(1, 0), None), Err(FailureCode::CounterMoved));
        assert_eq!((card.purse, card.counter(), card.credits.len()), (Cents(600), 1, 1));
        let full = CreditOrder { purse_max: Cents(1000), ..order(2, 1) };
        assert_eq!(card.credit(&full, None), Err(FailureCode::PurseFull));
    }

    #[test]
    fn a_record_proves_until_the_file_has_rolled_on() {
        let mut card = Card::new(1, 0);
        let (ours, never) = (TopUpId([1; 16]), TopUpId([99; 16]));
        assert_eq!(card.verdict(ours, 0), CreditVerdict::NotCredited);
        for id in 1..=6 {
            card.credit(&order(id, u32::from(id) - 1), None).unwrap();
            assert!(matches!(card.verdict(ours, 0), CreditVerdict::Credited { .. }));
            assert_eq!(card.verdict(never, 0), CreditVerdict::NotCredited);
        }
        card.credit(&order(7, 6), None).unwrap();
        assert_eq!(card.verdict(ours, 0), CreditVerdict::Unknown, "rolled out of the file");
        assert_eq!(card.verdict(never, 6), CreditVerdict::NotCredited);
        assert_eq!(card.verdict(never, 7), CreditVerdict::NotCredited);
    }

    #[test]
    fn a_validator_takes_what_is_there_and_no_more() {
        let mut card = Card::new(1, 100);
        assert!(card.debit(Cents(60)));
        assert!(!card.debit(Cents(60)));
        assert_eq!((card.purse, card.debited), (Cents(40), Cents(60)));
    }
}
