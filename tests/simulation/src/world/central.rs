//! The city's server as far as money needs it: it takes uploads once, keeps the chain of every journal, and compares
//! what terminals, cards and the acquirer say.

use super::bank::{Bank, Paid};
use super::card::Card;
use domain::card::CityOrder;
use domain::holder::OpenTopUp;
use domain::{CardNumber, TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, Kind, Settlement};
use protocol::{IdempotencyKey, Receipt, Upload, UploadBody};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The chain of one journal as central knows it.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// Each entry's hash, from the first.
    pub hashes: Vec<[u8; 32]>,
    /// The entries.
    pub entries: Vec<Entry>,
}

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
    /// A journal that a terminal set aside: a technician fetches it.
    Aside(TerminalId),
}

/// Central.
#[derive(Debug, Clone, Default)]
pub struct Central {
    chains: BTreeMap<(TerminalId, u32), Chain>,
    receipts: BTreeMap<IdempotencyKey, Receipt>,
    facts: BTreeMap<(TopUpId, u8), (TerminalId, u32, u64)>,
    begun: BTreeSet<(TerminalId, TopUpId)>,
    /// What somebody has to look at.
    pub differences: BTreeSet<Difference>,
    /// Uploads it took, repeats left out.
    pub taken: u64,
    /// Orders that stand, by top-up.
    orders: BTreeMap<TopUpId, CityOrder>,
}

impl Central {
    /// Takes an upload, and answers a repeat with the first answer.
    pub fn take(&mut self, bytes: &[u8], at: Timestamp) -> Option<Receipt> {
        let upload = Upload::decode(bytes).ok()?;
        if let Some(first) = self.receipts.get(&upload.key) {
            return Some(first.clone());
        }
        match &upload.body {
            UploadBody::LedgerEntry(entry) => self.take_entry(&Entry::decode(entry).ok()?),
            UploadBody::DocumentIssued(_) | UploadBody::ClaimEvidence(_) | UploadBody::CardSeen(_) => {}
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
        Some(receipt)
    }

    fn take_entry(&mut self, entry: &Entry) {
        let journal = (entry.terminal, entry.journal_generation);
        let chain = self.chains.entry(journal).or_default();
        let next = u64::try_from(chain.hashes.len()).unwrap_or(u64::MAX).saturating_add(1);
        let place = usize::try_from(entry.seq.saturating_sub(1)).unwrap_or(usize::MAX);
        let before = chain.hashes.last().copied().unwrap_or_default();
        let known = chain.hashes.get(place).copied();
        match known {
            // Under another key, though a terminal makes one for each.
            Some(hash) if hash == entry.hash() => {
                self.differences.insert(Difference::Contradicted(entry.subject.top_up));
            }
            Some(_) => {
                self.differences.insert(Difference::Forked(journal.0, journal.1));
            }
            None if entry.seq != next => {
                self.differences.insert(Difference::Gap(journal.0, journal.1));
            }
            None if entry.prev != before => {
                self.differences.insert(Difference::Forked(journal.0, journal.1));
            }
            None => {
                chain.hashes.push(entry.hash());
                chain.entries.push(entry.clone());
            }
        }
        let key = (entry.subject.top_up, entry.fact.kind().number());
        let said = (entry.terminal, entry.journal_generation, entry.seq);
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
        self.chains.values().flat_map(|chain| &chain.entries)
    }

    /// The open top-ups of a card, as its tap record carries them.
    #[must_use]
    pub fn open_of(&self, card: CardNumber) -> Vec<OpenTopUp> {
        let of_card = self.orders.values().filter(|order| order.card == card);
        of_card.map(|order| OpenTopUp { top_up: order.top_up, amount: order.amount, order: Some(*order) }).collect()
    }

    /// A technician reports that a journal lies aside.
    pub fn note_aside(&mut self, terminal: TerminalId) {
        self.differences.insert(Difference::Aside(terminal));
    }

    /// Compares the acquirer's settlement file and the cards' purses with what the terminals have booked.
    pub fn reconcile(&mut self, bank: &Bank, cards: &[Card]) {
        let mut posted: BTreeMap<TopUpId, bool> = BTreeMap::new();
        let mut approvals: BTreeMap<(u32, u32, i64), TopUpId> = BTreeMap::new();
        let mut credited: BTreeMap<CardNumber, i64> = BTreeMap::new();
        for entry in self.chains.values().flat_map(|chain| &chain.entries) {
            let (id, amount) = (entry.subject.top_up, entry.subject.amount.0);
            match &entry.fact {
                Fact::Authorised { approval } => {
                    let till = approval.reference.terminal.parse().unwrap_or_default();
                    approvals.insert((till, approval.reference.receipt, amount), id);
                }
                Fact::Posted => {
                    posted.insert(id, true);
                }
                Fact::Credited { .. } => *credited.entry(entry.subject.card).or_default() += amount,
                _ => {}
            }
        }
        let mut paid: BTreeSet<TopUpId> = BTreeSet::new();
        for payment in bank.payments.iter().filter(|payment| payment.paid == Paid::Kept) {
            match approvals.get(&(payment.till, payment.receipt, payment.amount)) {
                Some(id) if posted.contains_key(id) => {
                    paid.insert(*id);
                }
                _ => {
                    self.differences.insert(Difference::Unbooked(payment.till, payment.receipt));
                }
            }
        }
        for id in posted.keys().filter(|id| !paid.contains(id)) {
            self.differences.insert(Difference::Unpaid(*id));
        }
        for card in cards {
            let books = card.began_with.0 + credited.get(&card.number).copied().unwrap_or(0) - card.debited.0;
            if books != card.purse.0 {
                self.differences.insert(Difference::Purse(card.number));
            }
        }
    }

    /// Whether a fact of this kind came for a top-up.
    #[must_use]
    pub fn knows(&self, id: TopUpId, kind: Kind) -> bool {
        self.facts.contains_key(&(id, kind.number()))
    }
}

/// What central would settle a claim as, from the acquirer's statement and the card: nothing else is known to it.
#[must_use]
pub fn settlement(charged: bool, credited: bool) -> Option<Settlement> {
    match (charged, credited) {
        (true, false) => Some(Settlement::PaidOut),
        (false, false) => Some(Settlement::NothingOwed),
        _ => None,
    }
}
