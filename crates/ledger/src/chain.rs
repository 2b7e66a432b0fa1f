//! The chain of a journal's entries: each names the hash of the one before, so that a missing, changed or rolled-back
//! entry is noticed by whoever holds a later one.

use crate::{Entry, Fact, IllegalStep, TopUp};
use domain::{TerminalId, Timestamp};

/// The end of a journal's chain: what the next entry must continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The next entry's sequence number.
    pub next_seq: u64,
    /// The newest entry's hash; zeros before the first.
    pub head: [u8; 32],
    /// Whose journal.
    pub terminal: TerminalId,
    /// Which journal of that terminal.
    pub journal_generation: u32,
}

/// An entry that does not continue the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Another terminal's, or another generation's.
    #[error("the entry is of another journal")]
    OtherJournal,
    /// Entries are missing, or this one came before.
    #[error("entry {found} where {expected} was expected")]
    Sequence {
        /// What continues the chain.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The entry before is not the one it was made after.
    #[error("entry {0} does not continue the chain: an entry before it was changed or replaced")]
    Broken(u64),
}

impl Chain {
    /// An empty journal.
    #[must_use]
    pub fn new(terminal: TerminalId, journal_generation: u32) -> Self {
        Self { next_seq: 1, head: [0; 32], terminal, journal_generation }
    }

    /// Makes the next entry, together with the top-up's state after it; the chain itself advances by `accept`.
    ///
    /// # Errors
    /// `IllegalStep` when the fact cannot be said of the top-up now: an illegal entry cannot be made.
    pub fn entry(&self, at: Timestamp, top_up: &TopUp, fact: Fact) -> Result<(Entry, TopUp), IllegalStep> {
        let (next, postings) = top_up.step(&fact, self.next_seq)?;
        let next = next.dated(fact.kind(), at);
        let entry = Entry {
            seq: self.next_seq,
            prev: self.head,
            terminal: self.terminal,
            journal_generation: self.journal_generation,
            at,
            subject: top_up.subject(),
            fact,
            postings,
        };
        Ok((entry, next))
    }

    /// Verifies that an entry continues the chain, and advances.
    ///
    /// # Errors
    /// `ChainError`; the chain stays where it was.
    pub fn accept(&mut self, entry: &Entry) -> Result<(), ChainError> {
        if (entry.terminal, entry.journal_generation) != (self.terminal, self.journal_generation) {
            return Err(ChainError::OtherJournal);
        }
        if entry.seq != self.next_seq {
            return Err(ChainError::Sequence { expected: self.next_seq, found: entry.seq });
        }
        if entry.prev != self.head {
            return Err(ChainError::Broken(entry.seq));
        }
        self.head = entry.hash();
        self.next_seq += 1;
        Ok(())
    }
}
