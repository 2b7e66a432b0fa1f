//! The whole journal, folded: its chain, its open top-ups and its books. A session keeps one and makes every entry
//! through it, so that it knows each entry's sequence number before the entry is durable.

use crate::{Balances, Chain, ChainError, Entry, Fact, IllegalStep, Kind, Subject, TopUp};
use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
use std::collections::BTreeMap;

/// An entry that cannot be made or replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It does not continue the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It cannot be said of its top-up.
    #[error(transparent)]
    Step(#[from] IllegalStep),
    /// The top-up has neither intent nor order, or ended on an earlier day.
    #[error("no such top-up is open")]
    NoSuchTopUp,
    /// A payment is undecided: no other may be asked for.
    #[error("the payment of {0} is undecided")]
    Blocked(TopUpId),
    /// The id was used before.
    #[error("the id {0} was used before")]
    IdUsed(TopUpId),
}

impl LedgerError {
    /// What citizen and technician see, where it is not a programming mistake.
    #[must_use]
    pub fn code(&self) -> Option<FailureCode> {
        match self {
            Self::Blocked(_) => Some(FailureCode::PaymentBlocked),
            Self::Chain(_) => Some(FailureCode::JournalUnreadable),
            Self::Step(_) | Self::NoSuchTopUp | Self::IdUsed(_) => None,
        }
    }
}

/// A journal's fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    chain: Chain,
    /// Every open top-up, and the ended ones of the newest two days (for limits and receipts).
    top_ups: BTreeMap<TopUpId, TopUp>,
    balances: Balances,
    newest_day: Day,
}

impl Ledger {
    /// An empty journal.
    #[must_use]
    pub fn new(terminal: TerminalId, journal_generation: u32) -> Self {
        let chain = Chain::new(terminal, journal_generation);
        Self { chain, top_ups: BTreeMap::new(), balances: Balances::default(), newest_day: Day(i32::MIN) }
    }

    /// Folds a journal, oldest entry first.
    ///
    /// # Errors
    /// `LedgerError` at the first entry that does not continue the chain or does not follow.
    pub fn replay<'a>(
        terminal: TerminalId,
        journal_generation: u32,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self::new(terminal, journal_generation);
        for entry in entries {
            ledger.accept(entry)?;
        }
        Ok(ledger)
    }

    /// Takes an entry that is already journalled.
    ///
    /// # Errors
    /// `LedgerError`; the ledger stays as it was.
    pub fn accept(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let id = entry.subject.top_up;
        let starts = matches!(entry.fact, Fact::Intent { .. } | Fact::Ordered { .. });
        let next = match self.top_ups.get(&id) {
            Some(known) => known.apply(entry)?,
            None if starts => TopUp::new(entry.subject).apply(entry)?,
            None => return Err(LedgerError::NoSuchTopUp),
        };
        self.chain.accept(entry)?;
        self.keep(next, entry);
        Ok(())
    }

    /// Makes the intent of a new top-up, as the journal's next entry.
    ///
    /// # Errors
    /// `Blocked` while another payment is undecided, `IdUsed`, or `Step` for amounts that cannot be.
    pub fn intend(&mut self, at: Timestamp, subject: Subject, intent: Fact) -> Result<Entry, LedgerError> {
        if let Some(blocking) = self.blocking() {
            return Err(LedgerError::Blocked(blocking.subject().top_up));
        }
        if self.top_ups.contains_key(&subject.top_up) {
            return Err(LedgerError::IdUsed(subject.top_up));
        }
        let (entry, next) = self.chain.entry(at, &TopUp::new(subject), intent)?;
        self.chain.accept(&entry)?;
        self.keep(next, &entry);
        Ok(entry)
    }

    /// Takes central's verified order to finish a top-up: one begun elsewhere, or an open claim of this terminal's own.
    /// It moves no money at the payment terminal, so that no undecided payment forbids it.
    ///
    /// # Errors
    /// `IdUsed` when an order for it was taken before, or when it is neither new nor an open claim; `Step` for
    /// amounts that cannot be, or a claim whose payment this terminal still asks about.
    pub fn take_order(&mut self, at: Timestamp, subject: Subject, order: Fact) -> Result<Entry, LedgerError> {
        let known = self.top_ups.get(&subject.top_up);
        if known.is_some_and(|known| known.has(Kind::Ordered) || known.outcome().is_some()) {
            return Err(LedgerError::IdUsed(subject.top_up));
        }
        if known.is_some_and(|known| known.subject() != subject) {
            return Err(LedgerError::Step(IllegalStep::OtherSubject));
        }
        let new = TopUp::new(subject);
        let (entry, next) = self.chain.entry(at, known.unwrap_or(&new), order)?;
        self.chain.accept(&entry)?;
        self.keep(next, &entry);
        Ok(entry)
    }

    /// Makes the next entry about a top-up. The caller journals it; nothing may be built on it before it is durable.
    ///
    /// # Errors
    /// `NoSuchTopUp`, or `Step` when the fact does not follow.
    pub fn record(&mut self, at: Timestamp, top_up: TopUpId, fact: Fact) -> Result<Entry, LedgerError> {
        let known = self.top_ups.get(&top_up).ok_or(LedgerError::NoSuchTopUp)?;
        let (entry, next) = self.chain.entry(at, known, fact)?;
        self.chain.accept(&entry)?;
        self.keep(next, &entry);
        Ok(entry)
    }

    /// Makes the entries every start journals before any effect: see [`TopUp::facts_at_start`].
    ///
    /// # Errors
    /// As `record`; never for a ledger that was replayed.
    pub fn start(&mut self, at: Timestamp) -> Result<Vec<Entry>, LedgerError> {
        let due: Vec<(TopUpId, Vec<Fact>)> =
            self.open().map(|top_up| (top_up.subject().top_up, top_up.facts_at_start())).collect();
        let mut entries = Vec::new();
        for (top_up, facts) in due {
            for fact in facts {
                entries.push(self.record(at, top_up, fact)?);
            }
        }
        Ok(entries)
    }

    /// A top-up that is open, or ended lately.
    #[must_use]
    pub fn top_up(&self, id: TopUpId) -> Option<&TopUp> {
        self.top_ups.get(&id)
    }

    /// The top-ups that have not ended.
    pub fn open(&self) -> impl Iterator<Item = &TopUp> {
        self.top_ups.values().filter(|top_up| top_up.outcome().is_none())
    }

    /// The open top-ups of one card, which its sight may settle.
    pub fn open_of(&self, card: CardNumber, generation: Generation) -> impl Iterator<Item = &TopUp> {
        self.open().filter(move |top_up| (top_up.subject().card, top_up.subject().generation) == (card, generation))
    }

    /// The top-up that forbids a new payment, if there is one.
    #[must_use]
    pub fn blocking(&self) -> Option<&TopUp> {
        self.open().find(|top_up| top_up.blocks_payment())
    }

    /// What this terminal's top-ups of a day sum to, those proven void left out, and with them whatever was credited
    /// on another day and is not certain to be paid. What was finished here for another terminal counts there.
    #[must_use]
    pub fn float_used(&self, day: Day) -> Cents {
        let counts = |top_up: &&TopUp| (top_up.day() == day && top_up.counts()) || top_up.is_at_risk();
        let counting = self.top_ups.values().filter(counts);
        counting.fold(Cents::ZERO, |sum, top_up| Cents(sum.0.saturating_add(top_up.subject().amount.0)))
    }

    /// The chain's end.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// The books.
    #[must_use]
    pub fn balances(&self) -> &Balances {
        &self.balances
    }

    fn keep(&mut self, top_up: TopUp, entry: &Entry) {
        self.balances.post(&entry.postings);
        if top_up.day() > self.newest_day {
            self.newest_day = top_up.day();
            let oldest = Day(self.newest_day.0.saturating_sub(1));
            // Ids that an order named may come again, in another order.
            let named_again = |old: &TopUp| old.has(Kind::Ordered);
            self.top_ups.retain(|_, old| old.outcome().is_none() || old.day() >= oldest || named_again(old));
        }
        self.top_ups.insert(entry.subject.top_up, top_up);
    }
}
