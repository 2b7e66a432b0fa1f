//! What the terminal remembers, and with it what the acquirer does: counters, the last transaction, all transactions.
//! Each change marks what [`crate::store::Store`] has to write.

use crate::ledger::{Booking, Kind, Transaction, TransactionState};
use domain::{Cents, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The highest receipt number; the next one is 1.
const RECEIPT_MAX: u16 = 9_999;
/// The highest trace number (six digits).
const TRACE_MAX: u32 = 999_999;

/// The terminal's own, which is written with every change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// BMP 29.
    pub(crate) terminal: u32,
    next_receipt: u16,
    next_trace: u32,
    /// Index of what 06 20 tells of.
    last: Option<usize>,
    /// Transactions before this one are the acquirer's only: another terminal made them, or the memory was lost.
    forgotten: usize,
    /// The last end-of-day, or the first start.
    pub(crate) day_began: Timestamp,
}

/// What an end-of-day closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) trace: u32,
    pub(crate) at: Timestamp,
    /// Receipts of the first and the last transaction in it.
    pub(crate) receipts: (u16, u16),
    pub(crate) count: u64,
    pub(crate) total: Cents,
}

/// Counters and transactions, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) counters: Counters,
    pub(crate) transactions: Vec<Transaction>,
    changed: BTreeSet<usize>,
}

impl Memory {
    pub(crate) fn new(terminal: u32, first_receipt: u16, now: Timestamp) -> Self {
        let counters = Counters {
            terminal,
            next_receipt: first_receipt.clamp(1, RECEIPT_MAX),
            next_trace: 1,
            last: None,
            forgotten: 0,
            day_began: now,
        };
        Self { counters, transactions: Vec::new(), changed: BTreeSet::new() }
    }

    pub(crate) fn restored(counters: Counters, transactions: Vec<Transaction>) -> Self {
        Self { counters, transactions, changed: BTreeSet::new() }
    }

    /// What changed since it was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<(usize, Transaction)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|index| Some((index, self.transactions.get(index)?.clone()))).collect()
    }

    fn take_numbers(&mut self) -> (u16, u32) {
        let counters = &mut self.counters;
        let numbers = (counters.next_receipt, counters.next_trace);
        counters.next_receipt = if counters.next_receipt >= RECEIPT_MAX { 1 } else { counters.next_receipt + 1 };
        counters.next_trace = if counters.next_trace >= TRACE_MAX { 1 } else { counters.next_trace + 1 };
        numbers
    }

    /// The bank approved. A terminal that dies before it writes this down (`known` is false) keeps its numbers for the
    /// next one.
    pub(crate) fn authorise(
        &mut self,
        kind: Kind,
        amount: Cents,
        now: Timestamp,
        expires: Timestamp,
        known: bool,
    ) -> usize {
        let before = self.counters.clone();
        let (receipt, trace) = self.take_numbers();
        let index = self.transactions.len();
        self.transactions.push(Transaction {
            kind,
            terminal: self.counters.terminal,
            receipt,
            trace,
            amount,
            at: now,
            state: TransactionState::Authorised,
            booking: None,
            reversal: None,
            reversed_at: None,
            expires: (kind == Kind::Reservation).then_some(expires),
            known,
            by_operator: false,
            settled: None,
        });
        self.changed.insert(index);
        if known {
            self.counters.last = Some(index);
        } else {
            self.counters = before;
        }
        index
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Transaction> {
        self.transactions.get(index)
    }

    fn knows(&self, index: usize) -> bool {
        index >= self.counters.forgotten && self.get(index).is_some_and(|transaction| transaction.known)
    }

    fn change(&mut self, index: usize) -> Option<&mut Transaction> {
        self.changed.insert(index);
        self.transactions.get_mut(index)
    }

    pub(crate) fn by_operator(&mut self, index: usize) {
        if let Some(transaction) = self.change(index) {
            transaction.by_operator = true;
        }
    }

    /// An approval was answered: the money is taken, or the reservation stands.
    pub(crate) fn accept(&mut self, index: usize) {
        if let Some(transaction) = self.change(index).filter(|open| open.state == TransactionState::Authorised) {
            transaction.state = match transaction.kind {
                Kind::Payment => TransactionState::Posted,
                Kind::Reservation => TransactionState::Reserved,
            };
        }
    }

    /// Gives money back, or a reservation free; `false` when it already was, or is settled.
    pub(crate) fn reverse(&mut self, index: usize, of_its_own: bool, now: Timestamp) -> bool {
        let reversible = self.get(index).is_some_and(|transaction| {
            let held = matches!(
                transaction.state,
                TransactionState::Authorised | TransactionState::Reserved | TransactionState::Posted
            );
            held && transaction.settled.is_none()
        });
        if !reversible {
            return false;
        }
        // What the terminal does not know of, the acquirer gives back by itself.
        let own = self.knows(index);
        let numbers = (own && of_its_own).then(|| self.take_numbers());
        if let Some(transaction) = self.change(index) {
            transaction.state = TransactionState::Reversed;
            transaction.reversal = numbers;
            transaction.reversed_at = Some(now);
        }
        if own {
            self.counters.last = Some(index);
        }
        true
    }

    /// Takes the money of a reservation.
    pub(crate) fn book(&mut self, index: usize, amount: Cents, now: Timestamp) {
        let (receipt, trace) = self.take_numbers();
        if let Some(transaction) = self.change(index) {
            transaction.state = TransactionState::Posted;
            transaction.booking = Some(Booking { receipt, trace, amount, at: now });
            self.counters.last = Some(index);
        }
    }

    /// Gives a part of a reservation free.
    pub(crate) fn reduce(&mut self, index: usize, by: Cents) {
        if let Some(transaction) = self.change(index) {
            transaction.amount = Cents(transaction.amount.0 - by.0);
            self.counters.last = Some(index);
        }
    }

    /// Lets reservations lapse; gives their receipt numbers.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<u16> {
        let due = |transaction: &Transaction| {
            transaction.state == TransactionState::Reserved && transaction.expires.is_some_and(|expires| expires <= now)
        };
        let due: Vec<usize> =
            self.transactions.iter().enumerate().filter(|(_, one)| due(one)).map(|(index, _)| index).collect();
        let mut receipts = Vec::new();
        for index in due {
            if let Some(transaction) = self.change(index) {
                transaction.state = TransactionState::Expired;
                receipts.push(transaction.receipt);
            }
        }
        receipts
    }

    /// When the next reservation lapses.
    pub(crate) fn open_until(&self) -> Option<Timestamp> {
        let reserved = self.transactions.iter().filter(|one| one.state == TransactionState::Reserved);
        reserved.filter_map(|one| one.expires).min()
    }

    /// What 06 20 tells of.
    pub(crate) fn last(&self) -> Option<(usize, &Transaction)> {
        let index = self.counters.last.filter(|index| *index >= self.counters.forgotten)?;
        Some((index, self.get(index)?))
    }

    pub(crate) fn forget_last(&mut self) {
        self.counters.last = None;
    }

    /// The reservations the terminal knows of and holds, oldest first.
    pub(crate) fn open_reservations(&self) -> impl DoubleEndedIterator<Item = (usize, &Transaction)> {
        let own = self.transactions.iter().enumerate().skip(self.counters.forgotten);
        own.filter(|(_, transaction)| transaction.known && transaction.state == TransactionState::Reserved)
    }

    /// Whatever the acquirer holds without having been answered, the terminal's or not.
    pub(crate) fn unanswered(&self) -> Vec<usize> {
        let open = |transaction: &Transaction| transaction.state == TransactionState::Authorised;
        self.transactions.iter().enumerate().filter(|(_, one)| open(one)).map(|(index, _)| index).collect()
    }

    /// Closes the batch: whatever was taken or given back since the last time.
    pub(crate) fn end_day(&mut self, now: Timestamp, empties_last: bool) -> Batch {
        let trace = self.counters.next_trace;
        self.counters.next_trace = if trace >= TRACE_MAX { 1 } else { trace + 1 };
        let mut batch = Batch { trace, at: now, receipts: (0, 0), count: 0, total: Cents::ZERO };
        for (index, transaction) in self.transactions.iter_mut().enumerate() {
            let ended = matches!(transaction.state, TransactionState::Posted | TransactionState::Reversed);
            if !ended || transaction.settled.is_some() {
                continue;
            }
            transaction.settled = Some(now);
            self.changed.insert(index);
            let known = transaction.known && index >= self.counters.forgotten;
            if known && transaction.state == TransactionState::Posted {
                let receipt = transaction.posted_receipt();
                batch.receipts = (if batch.count == 0 { receipt } else { batch.receipts.0 }, receipt);
                batch.count += 1;
                batch.total = Cents(batch.total.0 + transaction.taken().0);
            }
        }
        self.counters.day_began = now;
        if empties_last {
            self.forget_last();
        }
        batch
    }

    /// Another terminal stands in this one's place, or this one lost its memory: the acquirer keeps what was.
    pub(crate) fn begin_anew(&mut self, terminal: u32, first_receipt: u16) {
        let day_began = self.counters.day_began;
        let forgotten = self.transactions.len();
        self.counters = Self::new(terminal, first_receipt, day_began).counters;
        self.counters.forgotten = forgotten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);
    const LATER: Timestamp = Timestamp(9_000);

    fn memory(first_receipt: u16) -> Memory {
        Memory::new(52_500_021, first_receipt, Timestamp(0))
    }

    fn pay(memory: &mut Memory, amount: i64) -> usize {
        let index = memory.authorise(Kind::Payment, Cents(amount), NOW, LATER, true);
        memory.accept(index);
        index
    }

    #[test]
    fn receipt_numbers_wrap_from_9999_to_1() {
        let mut memory = memory(9_999);
        for receipt in [9_999, 1] {
            let index = pay(&mut memory, 1);
            assert_eq!(memory.transactions[index].receipt, receipt);
        }
    }

    #[test]
    fn money_is_given_back_once_and_never_after_the_day_was_closed() {
        let mut memory = memory(7);
        let index = pay(&mut memory, 500);
        assert!(memory.reverse(index, true, NOW));
        assert!(!memory.reverse(index, true, NOW));
        memory.accept(index);
        assert_eq!(memory.transactions[0].state, TransactionState::Reversed);
        assert_eq!(memory.transactions[0].reversal, Some((8, 2)));
        let second = pay(&mut memory, 300);
        let batch = memory.end_day(LATER, false);
        assert_eq!((batch.receipts, batch.count, batch.total), ((9, 9), 1, Cents(300)));
        assert!(!memory.reverse(second, true, LATER));
        assert_eq!(memory.end_day(LATER, true).count, 0);
        assert!(memory.last().is_none());
    }

    #[test]
    fn a_reservation_is_booked_for_less_or_lapses() {
        let mut memory = memory(1);
        let booked = memory.authorise(Kind::Reservation, Cents(500), NOW, LATER, true);
        memory.accept(booked);
        memory.book(booked, Cents(400), NOW);
        let lapsed = memory.authorise(Kind::Reservation, Cents(100), NOW, LATER, true);
        memory.accept(lapsed);
        assert_eq!(memory.expire(NOW), Vec::<u16>::new());
        assert_eq!(memory.expire(LATER), [3]);
        let taken: Vec<Cents> = memory.transactions.iter().map(Transaction::taken).collect();
        assert_eq!(taken, [Cents(400), Cents::ZERO]);
        assert_eq!(memory.open_reservations().count(), 0);
    }

    #[test]
    fn what_the_dying_terminal_did_not_write_is_the_acquirers_alone() {
        let mut memory = memory(5);
        memory.authorise(Kind::Payment, Cents(100), NOW, LATER, false);
        assert!(memory.last().is_none());
        assert_eq!(memory.unanswered(), [0]);
        let index = pay(&mut memory, 200);
        assert_eq!(memory.transactions[index].receipt, 5, "the number comes again");
    }

    #[test]
    fn what_another_terminal_left_open_is_given_back_without_this_one() {
        let mut memory = memory(5);
        let open = memory.authorise(Kind::Payment, Cents(100), NOW, LATER, true);
        memory.begin_anew(52_500_022, 5);
        assert!(memory.reverse(open, true, NOW));
        assert_eq!(memory.transactions[open].reversal, None);
        assert!(memory.last().is_none());
        assert_eq!(memory.authorise(Kind::Payment, Cents(100), NOW, LATER, true), 1);
        assert_eq!(memory.transactions[1].receipt, 5);
    }

    #[test]
    fn a_terminal_in_its_place_knows_nothing_of_what_was() {
        let mut memory = memory(40);
        let reserved = memory.authorise(Kind::Reservation, Cents(100), NOW, LATER, true);
        memory.accept(reserved);
        memory.begin_anew(52_500_022, 900);
        assert!(memory.last().is_none());
        assert_eq!(memory.open_reservations().count(), 0);
        let index = pay(&mut memory, 200);
        assert_eq!((memory.transactions[index].terminal, memory.transactions[index].receipt), (52_500_022, 900));
    }
}
