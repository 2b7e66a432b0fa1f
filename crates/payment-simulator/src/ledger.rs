//! What the terminal remembers: its transactions and counters. Written to a file before anything is said on the line
//! where one is configured, so that a power cycle forgets nothing.

use domain::{Cents, Timestamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The highest receipt number; the next one is 1.
const RECEIPT_MAX: u16 = 9_999;
/// The highest trace number (six digits).
const TRACE_MAX: u32 = 999_999;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionState {
    /// The bank approved; the cash register has not answered.
    Authorised,
    /// The money is taken.
    Posted,
    /// The money was given back.
    Reversed,
}

/// One payment the bank approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// BMP 87, 1 to 9999; comes again after the wrap.
    pub receipt: u16,
    /// BMP 0B, 1 to 999999.
    pub trace: u32,
    /// What was authorised.
    pub amount: Cents,
    /// When the bank approved.
    pub at: Timestamp,
    /// Where it stands.
    pub state: TransactionState,
    /// Receipt and trace number of its reversal, if it has them.
    pub reversal: Option<(u16, u32)>,
}

/// Counters and transactions, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Memory {
    next_receipt: u16,
    next_trace: u32,
    pub(crate) transactions: Vec<Transaction>,
}

fn after(number: u16) -> u16 {
    if number >= RECEIPT_MAX { 1 } else { number + 1 }
}

impl Memory {
    pub(crate) fn new(first_receipt: u16) -> Self {
        Self { next_receipt: first_receipt.clamp(1, RECEIPT_MAX), next_trace: 1, transactions: Vec::new() }
    }

    fn take_numbers(&mut self) -> (u16, u32) {
        let numbers = (self.next_receipt, self.next_trace);
        self.next_receipt = after(self.next_receipt);
        self.next_trace = if self.next_trace >= TRACE_MAX { 1 } else { self.next_trace + 1 };
        numbers
    }

    /// The bank approved: the transaction is known from here on.
    pub(crate) fn authorise(&mut self, amount: Cents, at: Timestamp) -> Transaction {
        let (receipt, trace) = self.take_numbers();
        let state = TransactionState::Authorised;
        let transaction = Transaction { receipt, trace, amount, at, state, reversal: None };
        self.transactions.push(transaction.clone());
        transaction
    }

    /// Keeps the money of the last transaction, if it waits for that.
    pub(crate) fn post(&mut self) {
        if let Some(last) = self.transactions.last_mut()
            && last.state == TransactionState::Authorised
        {
            last.state = TransactionState::Posted;
        }
    }

    /// Gives the money of the last transaction back; `false` when it already was, or there is none.
    pub(crate) fn reverse(&mut self, of_its_own: bool) -> bool {
        let open = self.transactions.last().is_some_and(|last| last.state != TransactionState::Reversed);
        let numbers = (open && of_its_own).then(|| self.take_numbers());
        if let Some(last) = self.transactions.last_mut().filter(|_| open) {
            last.state = TransactionState::Reversed;
            last.reversal = numbers;
        }
        open
    }

    pub(crate) fn load(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file as a whole, so that a cut leaves the old or the new memory.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, bytes)?;
        std::fs::rename(&beside, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipt_numbers_wrap_from_9999_to_1() {
        let mut memory = Memory::new(9_999);
        let at = Timestamp(0);
        assert_eq!(memory.authorise(Cents(1), at).receipt, 9_999);
        assert_eq!(memory.authorise(Cents(1), at).receipt, 1);
    }

    #[test]
    fn money_is_given_back_once() {
        let mut memory = Memory::new(7);
        assert!(!memory.reverse(true));
        memory.authorise(Cents(500), Timestamp(0));
        memory.post();
        assert!(memory.reverse(true));
        assert!(!memory.reverse(true));
        memory.post();
        assert_eq!(memory.transactions[0].state, TransactionState::Reversed);
        assert_eq!(memory.transactions[0].reversal, Some((8, 2)));
        assert_eq!(memory.authorise(Cents(1), Timestamp(0)).receipt, 9);
    }
}
