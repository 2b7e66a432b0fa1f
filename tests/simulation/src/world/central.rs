//! The city's server as far as money needs it: it takes uploads once, keeps the chain of every journal, and compares
//! what terminals, cards and the acquirer say.

use super::bank::{Bank, Paid};
use super::card::Card;
use super::claims::Claim;
use domain::card::CityOrder;
use domain::{CardNumber, TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, Kind};
use protocol::{IdempotencyKey, Receipt, Upload, UploadBody};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A journal as central has it: entries by their sequence numbers, in whatever order they came.
pub type Chain = BTreeMap<u64, Entry>;

/// What central takes up for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// A journal went back, or two stand under one number.
    Forked(TerminalId, u32),
    /// Entries are missing before one that came.
    Gap(TerminalId, u32),
    /// The same fact came in other words, or under two keys.
    Contradicted(TopUpId),
    /// A payment of the acquirer's that nobody booked: till and receipt.
    Unbooked(u32, u32),
    /// Booked as kept, and the acquirer knows nothing of it.
    Unpaid(TopUpId),
    /// What a card holds is not what its top-ups and debits make.
    Purse(CardNumber),
    /// A top-up that has not ended, whatever became of its journal: central asks after it.
    Unended(TopUpId),
    /// A journal that a terminal set aside: a technician fetches it.
    Aside(TerminalId),
}

/// Central.
#[derive(Debug, Clone, Default)]
pub struct Central {
    chains: BTreeMap<(TerminalId, u32), Chain>,
    receipts: BTreeMap<IdempotencyKey, Receipt>,
    facts: BTreeMap<(TerminalId, TopUpId, u8), (u32, u64)>,
    begun: BTreeSet<(TerminalId, TopUpId)>,
    /// What somebody has to look at.
    pub differences: BTreeSet<Difference>,
    /// Uploads it took, repeats left out.
    pub taken: u64,
    pub(super) claims: BTreeMap<TopUpId, Claim>,
    /// Top-ups that a terminal took up on the city's order.
    ordered: BTreeSet<(TerminalId, TopUpId)>,
}

impl Central {
    /// Takes an upload, and answers a repeat with the first answer.
    pub fn take(&mut self, bytes: &[u8], at: Timestamp) -> Option<(Receipt, Option<CityOrder>)> {
        let upload = Upload::decode(bytes).ok()?;
        // Evidence that comes again is answered with the order that holds then.
        let order = match &upload.body {
            UploadBody::CardSeen(seen) => self.see_card(seen, at),
            _ => None,
        };
        if let Some(first) = self.receipts.get(&upload.key) {
            return Some((first.clone(), order));
        }
        if let UploadBody::LedgerEntry(entry) = &upload.body {
            self.take_entry(&Entry::decode(entry).ok()?);
        }
        self.taken += 1;
        let receipt = Receipt {
            key: upload.key,
            upload_sha256: Sha256::digest(bytes).into(),
            number: self.taken,
            received: at.0,
            signature: Vec::new(),
            order: None,
        };
        self.receipts.insert(upload.key, receipt.clone());
        Some((receipt, order))
    }

    fn take_entry(&mut self, entry: &Entry) {
        let journal = (entry.terminal, entry.journal_generation);
        let chain = self.chains.entry(journal).or_default();
        match chain.get(&entry.seq) {
            // Under another key, though a terminal makes one for each.
            Some(known) if known == entry => {
                self.differences.insert(Difference::Contradicted(entry.subject.top_up));
            }
            Some(_) => {
                self.differences.insert(Difference::Forked(journal.0, journal.1));
            }
            None => {
                chain.insert(entry.seq, entry.clone());
            }
        }
        self.learn_of_claim(entry);
        // Two terminals may say the same kind of one top-up, each in its own journal.
        let key = (entry.terminal, entry.subject.top_up, entry.fact.kind().number());
        let said = (entry.journal_generation, entry.seq);
        if self.facts.insert(key, said).is_some_and(|before| before != said) {
            self.differences.insert(Difference::Contradicted(entry.subject.top_up));
        }
    }

    /// A top-up was begun at a terminal; for telling whose it is, not for the books.
    pub fn note_begun(&mut self, terminal: TerminalId, id: TopUpId) {
        self.begun.insert((terminal, id));
    }

    /// Whether it was begun there.
    #[must_use]
    pub fn began(&self, terminal: TerminalId, id: TopUpId) -> bool {
        self.begun.contains(&(terminal, id))
    }

    /// What it has of a journal.
    #[must_use]
    pub fn chain(&self, terminal: TerminalId, generation: u32) -> Option<&Chain> {
        self.chains.get(&(terminal, generation))
    }

    /// All entries it has.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chains.values().flat_map(Chain::values)
    }

    /// A terminal takes up an order.
    pub fn note_ordered(&mut self, terminal: TerminalId, id: TopUpId) {
        self.ordered.insert((terminal, id));
    }

    /// The order is over for that terminal; a claim of its own it goes on with.
    pub fn note_lapsed(&mut self, terminal: TerminalId, id: TopUpId) {
        self.ordered.remove(&(terminal, id));
    }

    /// Whether a terminal finishes this one on the city's order.
    #[must_use]
    pub fn is_ordered(&self, terminal: TerminalId, id: TopUpId) -> bool {
        self.ordered.contains(&(terminal, id))
    }

    /// A technician reports that a journal lies aside.
    pub fn note_aside(&mut self, terminal: TerminalId) {
        self.differences.insert(Difference::Aside(terminal));
    }

    /// Whether a technician was called to a terminal's journal.
    #[must_use]
    pub fn is_aside(&self, terminal: TerminalId) -> bool {
        self.differences.contains(&Difference::Aside(terminal))
    }

    /// Compares the acquirer's settlement file and the cards' purses with what the terminals have booked.
    pub fn reconcile(&mut self, bank: &Bank, cards: &[Card]) {
        self.follow_chains();
        self.ask_after_open();
        let (mut posted, mut voided) = (BTreeSet::new(), BTreeSet::new());
        let mut approvals: BTreeMap<(u32, u32, i64), TopUpId> = BTreeMap::new();
        let mut credited: BTreeMap<CardNumber, i64> = BTreeMap::new();
        for entry in self.chains.values().flat_map(Chain::values) {
            let (id, amount) = (entry.subject.top_up, entry.subject.amount.0);
            match &entry.fact {
                Fact::Authorised { approval } => {
                    let till = approval.reference.terminal.parse().unwrap_or_default();
                    approvals.insert((till, approval.reference.receipt, amount), id);
                }
                Fact::Posted => {
                    posted.insert(id);
                }
                Fact::Voided => {
                    voided.insert(id);
                }
                Fact::Credited { .. } | Fact::OrderCredited { .. } => {
                    *credited.entry(entry.subject.card).or_default() += amount;
                }
                _ => {}
            }
        }
        let mut paid: BTreeSet<TopUpId> = BTreeSet::new();
        // An operator answers for payments of their own.
        let ours = bank.payments.iter().filter(|payment| payment.top_up.is_some());
        for payment in ours.filter(|payment| payment.paid == Paid::Kept) {
            match approvals.get(&(payment.till, payment.receipt, payment.amount)) {
                Some(id) if posted.contains(id) && !voided.contains(id) => {
                    paid.insert(*id);
                }
                _ => {
                    self.differences.insert(Difference::Unbooked(payment.till, payment.receipt));
                }
            }
        }
        for id in posted.difference(&voided).filter(|id| !paid.contains(id)) {
            self.differences.insert(Difference::Unpaid(*id));
        }
        for card in cards {
            let books = card.began_with.0 + credited.get(&card.number).copied().unwrap_or(0) - card.debited.0;
            if books != card.purse.0 {
                self.differences.insert(Difference::Purse(card.number));
            }
        }
    }

    /// Of what began and has no end, somebody asks what became of it.
    fn ask_after_open(&mut self) {
        let ends = [Kind::Declined, Kind::NeverMade, Kind::Posted, Kind::LossCreditedButReversed];
        let said = |id: TopUpId, kind: Kind| {
            self.facts.keys().any(|(_, said, number)| (*said, *number) == (id, kind.number()))
        };
        let begun: BTreeSet<TopUpId> = self.facts.keys().map(|(_, id, _)| *id).collect();
        let over = |id: TopUpId| {
            ends.into_iter().any(|kind| said(id, kind)) || (said(id, Kind::Voided) && !said(id, Kind::Credited))
        };
        let open = begun.into_iter().filter(|id| !over(*id));
        let open: Vec<Difference> = open.map(Difference::Unended).collect();
        self.differences.extend(open);
    }

    /// Each entry must follow from the one before, from the first to the newest.
    fn follow_chains(&mut self) {
        for ((terminal, generation), chain) in &self.chains {
            let mut before = ([0; 32], 0);
            for (seq, entry) in chain {
                if *seq != before.1 + 1 {
                    self.differences.insert(Difference::Gap(*terminal, *generation));
                } else if entry.prev != before.0 {
                    self.differences.insert(Difference::Forked(*terminal, *generation));
                }
                before = (entry.hash(), *seq);
            }
        }
    }
}
