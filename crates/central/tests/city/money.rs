//! Terminals that keep journals, a card that is seen, and a city that books both.

use crate::fixture::{City, NOW, officer};
use central::claims::{self, ClaimLine};
use central::reconcile::{self, Cause, Difference};
use central::statements::dialect::Dialect;
use central::statements::{File, Imported, acquirer, validators};
use central::{books, publish, registry, report, uploads};
use domain::card::{CardReport, CityOrder, TopUpRecord};
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference};
use domain::{CardNumber, Cents, Generation, TerminalId, Timestamp, TopUpId};
use ledger::{Account, Balances, Entry, Fact, Ledger, Subject};
use protocol::segment::part_of;
use protocol::{
    CardSeen, Dictionary, FileKind, IdempotencyKey, Manifest, Receipt, Segment, TapRecord, Tier, Upload, UploadBody,
    open_tap, record_id,
};
use std::collections::BTreeMap;

pub(crate) const AMOUNT: Cents = Cents(2_000);
pub(crate) const BEFORE: Cents = Cents(150);
pub(crate) const AFTER: Cents = Cents(2_150);
/// The card's counter that every intent names.
pub(crate) const SEEN: u32 = 4;
pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const PAYMENT_TERMINAL: &str = "52500021";
pub(crate) const OURS: TopUpId = TopUpId([9; 16]);
pub(crate) const A: TerminalId = TerminalId(3);
pub(crate) const B: TerminalId = TerminalId(4);
pub(crate) const C: TerminalId = TerminalId(5);

/// A city, one of its cards, and its terminals' journals.
pub(crate) struct Street {
    pub(crate) city: City,
    pub(crate) card: CardNumber,
    pub(crate) generation: Generation,
    pub(crate) now: Timestamp,
    ledgers: BTreeMap<TerminalId, Ledger>,
    keys: u128,
}

impl Street {
    pub(crate) fn open() -> Self {
        let city = City::seeded(41, 20, 0);
        let mut cards = Vec::new();
        registry::for_each_card(city.database().read(), &city.keys().storage, |card| {
            cards.push((card.number, card.generation));
            Ok(())
        })
        .unwrap();
        let (card, generation) = cards[0];
        let ledgers = [A, B, C].into_iter().map(|terminal| (terminal, Ledger::new(terminal, 1))).collect();
        Self { city, card, generation, now: NOW, ledgers, keys: 1 }
    }

    pub(crate) fn subject(&self, top_up: TopUpId) -> Subject {
        Subject { top_up, card: self.card, generation: self.generation, amount: AMOUNT }
    }

    pub(crate) fn upload(&mut self, terminal: TerminalId, body: UploadBody) -> Receipt {
        let key = IdempotencyKey(self.keys.to_be_bytes());
        self.keys += 1;
        let upload = Upload { terminal: terminal.0, journal_generation: 1, key, written: self.now.0, body };
        let bytes = upload.encode().unwrap();
        self.take(terminal, &bytes)
    }

    pub(crate) fn take(&self, terminal: TerminalId, bytes: &[u8]) -> Receipt {
        uploads::take(&mut self.city.database(), &self.city.keys(), terminal, bytes, self.now).unwrap()
    }

    /// Terminal A's disk is restored from its first day.
    pub(crate) fn ledgers_back(&mut self) {
        self.ledgers.insert(A, Ledger::new(A, 1));
    }

    pub(crate) fn ledger(&mut self, terminal: TerminalId) -> &mut Ledger {
        self.ledgers.get_mut(&terminal).unwrap()
    }

    /// An entry that stays in the terminal's journal for now.
    pub(crate) fn write(&mut self, terminal: TerminalId, top_up: TopUpId, fact: Fact) -> Entry {
        let (now, subject) = (self.now, self.subject(top_up));
        let ledger = self.ledger(terminal);
        let entry = match fact {
            Fact::Intent { .. } => ledger.intend(now, subject, fact),
            Fact::Ordered { .. } => ledger.take_order(now, subject, fact),
            fact => ledger.record(now, top_up, fact),
        };
        entry.unwrap()
    }

    pub(crate) fn send(&mut self, entry: &Entry) -> Receipt {
        self.upload(entry.terminal, UploadBody::LedgerEntry(entry.encode()))
    }

    /// Written and uploaded.
    pub(crate) fn says(&mut self, terminal: TerminalId, top_up: TopUpId, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            let entry = self.write(terminal, top_up, fact);
            self.send(&entry);
        }
    }

    /// A top-up at terminal A that was approved, torn on the card, kept and claimed.
    pub(crate) fn claim(&mut self, top_up: TopUpId) {
        self.says(A, top_up, [intent(), authorised(471), Fact::CreditStarted, Fact::InDoubt, Fact::Posted]);
        self.says(A, top_up, [Fact::Claimed]);
    }

    pub(crate) fn report(&self, counter: u32, records: &[(u32, TopUpId, TerminalId)]) -> CardReport {
        let record = |(counter, top_up, terminal): &(u32, TopUpId, TerminalId)| TopUpRecord {
            counter: *counter,
            day: NOW.day(),
            top_up: *top_up,
            amount: AMOUNT,
            before: BEFORE,
            terminal: *terminal,
        };
        CardReport {
            card: self.card,
            generation: self.generation,
            counter,
            purse: None,
            records: records.iter().map(record).collect(),
            movement_counter: None,
            needs_check: false,
            claim: None,
            at: self.now,
        }
    }

    /// Terminal B saw the card; the order that the answer carries.
    pub(crate) fn seen(&mut self, report: &CardReport) -> Option<CityOrder> {
        let receipt = self.upload(B, UploadBody::CardSeen(CardSeen::from(report)));
        self.order_of(&receipt)
    }

    /// The card, seen for the claim of our top-up.
    pub(crate) fn evidence(&mut self, counter: u32, records: &[(u32, TopUpId, TerminalId)]) -> Option<CityOrder> {
        let report = CardReport { claim: Some(OURS), ..self.report(counter, records) };
        self.seen(&report)
    }

    pub(crate) fn order_of(&self, receipt: &Receipt) -> Option<CityOrder> {
        let head = self.city.keys().head_key().unwrap().verifier();
        receipt.order.as_ref().map(|order| order.verify(&head).unwrap())
    }

    /// Terminal B or C takes an order; what it says next is its own.
    pub(crate) fn ordered(&mut self, order: &CityOrder) -> Fact {
        let (purse_seen, day) = (BEFORE, self.now.day());
        Fact::Ordered { counter_seen: order.counter, purse_seen, day, expires: order.expires }
    }

    pub(crate) fn claims(&self) -> Vec<ClaimLine> {
        claims::all(self.city.database().read()).unwrap()
    }

    pub(crate) fn standing(&self) -> (&'static str, &'static str) {
        let claims = self.claims();
        assert_eq!(claims.len(), 1);
        (claims[0].state.name(), claims[0].waits.name())
    }

    pub(crate) fn balances(&self) -> Balances {
        let balances = books::balances(self.city.database().read()).unwrap();
        assert_eq!(balances.total(), Cents::ZERO);
        balances
    }

    /// The balances of acquirer, purses, claims, loss, cash; nothing is ever in transit when a visit is over.
    pub(crate) fn sums(&self) -> [i64; 5] {
        let balances = self.balances();
        assert_eq!(balances.get(Account::Transit), Cents::ZERO);
        let accounts = [Account::Acquirer, Account::Purses, Account::Claims, Account::Loss, Account::Cash];
        accounts.map(|account| balances.get(account).0)
    }

    /// Every entry in central's own journal, by name.
    pub(crate) fn decided(&self) -> Vec<&'static str> {
        let entries = books::entries(self.city.database().read()).unwrap();
        let own = entries.iter().filter(|entry| entry.terminal == TerminalId(0));
        own.map(|entry| entry.fact.kind().name()).collect()
    }

    pub(crate) fn noticed(&self) -> Vec<String> {
        report::anomalies(self.city.database().read()).unwrap().into_iter().map(|anomaly| anomaly.kind).collect()
    }

    pub(crate) fn differences(&self) -> Vec<Difference> {
        reconcile::differences(self.city.database().read(), self.now).unwrap()
    }

    /// What reconciliation finds: causes and amounts.
    pub(crate) fn found(&self) -> Vec<(Cause, i64)> {
        self.differences().into_iter().map(|difference| (difference.cause, difference.amount.0)).collect()
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.city.database().read().query_row(sql, &[], |row| row.get(0)).unwrap()
    }

    pub(crate) fn settlement(&self, lines: &str) -> Imported {
        let text = format!("date,terminal_id,receipt,trace,amount_cents,kind,state\n{lines}");
        let file = File { name: "settlement.csv", bytes: text.as_bytes() };
        acquirer::import(&mut self.city.database(), file, &Dialect::default(), &officer("luis"), self.now).unwrap()
    }

    pub(crate) fn debits(&self, lines: &str) -> Imported {
        let text = format!("moment,card,generation,counter,amount_cents\n{lines}");
        let file = File { name: "debits.csv", bytes: text.as_bytes() };
        validators::import(
            &mut self.city.database(),
            file,
            &Dialect::default(),
            "Europe/Madrid",
            &officer("luis"),
            self.now,
        )
        .unwrap()
    }

    pub(crate) fn later(&mut self, days: i64) {
        self.now = self.now.plus_ms(days * DAY_MS);
    }

    /// What the card's tap record says after a publication.
    pub(crate) fn published(&self) -> TapRecord {
        publish::publish(&self.city.data, &mut self.city.database(), &self.city.keys(), self.now).unwrap();
        let bundle = self.city.enrol("http://127.0.0.1:1");
        let head = self.city.head(&bundle);
        let manifest = Manifest::decode(&self.city.file(head.head.manifest)).unwrap();
        let file = |kind| self.city.file(manifest.of_kind(kind).next().unwrap().sha256);
        let dictionary = Dictionary::new(file(FileKind::Dictionary));
        let mut secret = None;
        registry::for_each_card(self.city.database().read(), &self.city.keys().storage, |card| {
            if card.number == self.card {
                secret = Some(card.secret);
            }
            Ok(())
        })
        .unwrap();
        let (epoch, secret) = (&bundle.epoch_keys[0], secret.unwrap());
        let id = record_id(epoch, &secret, Tier::Tap).unwrap();
        let base = manifest.plan(Tier::Tap, None).unwrap().base.unwrap();
        let tap = self.city.file(base[usize::from(part_of(&id))].sha256);
        let segment = Segment::parse(&tap).unwrap();
        let row = segment.rows().find(|row| row.id() == id).unwrap();
        open_tap(epoch, &secret, row.bytes(), &dictionary).unwrap()
    }
}

pub(crate) fn intent() -> Fact {
    Fact::Intent {
        counter_seen: SEEN,
        purse_seen: BEFORE,
        receipt_before: 470,
        day: NOW.day(),
        order: PaymentOrder::Vending,
        payment_terminal: Some(PAYMENT_TERMINAL.to_owned()),
    }
}

pub(crate) fn authorised(receipt: u32) -> Fact {
    let reference = PaymentReference { terminal: PAYMENT_TERMINAL.to_owned(), receipt, trace: receipt };
    Fact::Authorised { approval: PaymentApproval { reference, amount: AMOUNT, ..PaymentApproval::default() } }
}
