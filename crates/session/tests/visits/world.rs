//! What is true outside the session: what was paid, what lies on the cards.

use domain::card::{CardSnapshot, CreditVerdict, Movement, PinTries, Presentation, Technology, TopUpRecord, Wishes};
use domain::device::CreditOrder;
use domain::document::DocumentKind;
use domain::holder::{Entitlement, PinFacts, PreIssued, PriceClass, Residence, Role, TapFacts};
use domain::{CardNumber, Cents, Day, Generation, Handle, TerminalId, Timestamp, TopUpId};

pub(crate) const NAME: &str = "Aurora Prado Inventada";
pub(crate) const STREET: &str = "Calle del Faro 12, 3.º B";
pub(crate) const KEY: Handle = Handle(900);
/// 22 November 2026, 11:00 in Madrid.
pub(crate) const NOON: Timestamp = Timestamp(1_795_341_600_000);

/// What becomes of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreditFate {
    Done,
    /// Lifted before the commit.
    NotSent,
    /// Lifted while the commit was answered.
    Torn {
        credited: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) number: CardNumber,
    pub(crate) technology: Technology,
    pub(crate) purse: Cents,
    /// What it holds and what its records say contradict each other.
    pub(crate) needs_check: bool,
    pub(crate) records: Vec<TopUpRecord>,
    pub(crate) tries: PinTries,
    pub(crate) pin: &'static str,
    pub(crate) wishes: Wishes,
    pub(crate) tap: Result<TapFacts, domain::FailureCode>,
    pub(crate) movements: Vec<Movement>,
    /// The last day of the holder's pre-issued papers; without one there are none.
    pub(crate) papers_until: Option<Day>,
}

impl Card {
    /// Its record says that the PIN has this version; 0 when none was ever set.
    pub(crate) fn record_pin(&mut self, version: u8) {
        self.tap.as_mut().unwrap().pin_version = version;
    }

    pub(crate) fn new(number: u64, purse: i64) -> Self {
        let record = TopUpRecord {
            counter: 4,
            day: Day(20_000),
            top_up: TopUpId([0xEE; 16]),
            amount: Cents(500),
            before: Cents(0),
            terminal: TerminalId(3),
        };
        let tap = TapFacts {
            role: Role::Holder,
            price_class: PriceClass(2),
            entitlements: vec![Entitlement { service: 5, until: None, count: Some(3) }],
            booking: None,
            pin_version: 1,
            pin_content: 7,
            credit_key: Some(KEY),
            open: Vec::new(),
            as_of: NOON.plus_ms(-7_200_000),
        };
        Self {
            number: CardNumber(number),
            technology: Technology::DesfireEv2,
            purse: Cents(purse),
            needs_check: false,
            records: vec![record],
            tries: PinTries { attempt: 10, failures: 0, pin_version: 1 },
            pin: "271828",
            wishes: Wishes::default(),
            tap: Ok(tap),
            movements: vec![Movement {
                counter: 1,
                minute: 29_922_300,
                service: 2,
                amount: Cents(60),
                balance: Cents(purse),
            }],
            papers_until: Some(Day(30_000)),
        }
    }

    pub(crate) fn of_technician(number: u64) -> Self {
        let card = Self::new(number, 0);
        let tap = card.tap.map(|facts| TapFacts { role: Role::Technician, ..facts });
        Self { pin: "314159", tap, movements: Vec::new(), papers_until: None, ..card }
    }

    /// A MIFARE Classic: number, purse and top-ups.
    pub(crate) fn classic(number: u64, purse: i64) -> Self {
        let card = Self::new(number, purse);
        Self {
            technology: Technology::Classic,
            tries: PinTries::default(),
            tap: Err(domain::FailureCode::CardOld),
            movements: Vec::new(),
            papers_until: None,
            ..card
        }
    }

    pub(crate) fn snapshot(&self, presentation: Presentation) -> CardSnapshot {
        CardSnapshot {
            presentation,
            number: self.number,
            generation: Generation(1),
            technology: self.technology,
            secret: self.technology.is_desfire().then_some(Handle(presentation.0)),
            purse: Some(self.purse),
            needs_check: self.needs_check,
            top_ups: self.records.clone(),
            movements: self.movements.clone(),
            tries: self.tries,
            wishes: self.wishes,
        }
    }

    pub(crate) fn counter(&self) -> u32 {
        self.records.iter().map(|record| record.counter).max().unwrap_or(0)
    }

    pub(crate) fn holds(&self, id: TopUpId) -> bool {
        let id = self.as_kept(id);
        self.records.iter().any(|record| record.top_up == id)
    }

    /// A MIFARE Classic keeps the beginning of an id, and three records.
    fn as_kept(&self, id: TopUpId) -> TopUpId {
        let mut kept = id.0;
        if self.technology == Technology::Classic {
            kept[6..].fill(0);
        }
        TopUpId(kept)
    }

    /// The transaction: refused unless the counter is the one journalled.
    pub(crate) fn credit(&mut self, order: &CreditOrder) -> Option<(Cents, Cents)> {
        let after = self.purse.checked_add(order.amount).filter(|after| *after <= order.purse_max)?;
        if self.counter() != order.counter_seen {
            return None;
        }
        assert!(!self.holds(order.top_up), "credited twice");
        let before = std::mem::replace(&mut self.purse, after);
        let record = TopUpRecord {
            counter: order.counter_seen + 1,
            day: order.day,
            top_up: self.as_kept(order.top_up),
            amount: order.amount,
            before,
            terminal: order.terminal,
        };
        self.records.insert(0, record);
        if self.technology == Technology::Classic {
            self.records.truncate(3);
        }
        Some((before, after))
    }

    pub(crate) fn verdict(&self, id: TopUpId, counter_seen: u32) -> CreditVerdict {
        let kept = self.as_kept(id);
        match self.records.iter().find(|record| record.top_up == kept) {
            Some(record) => CreditVerdict::Credited {
                before: record.before,
                now: self.purse,
                by: self.technology.is_desfire().then_some(record.terminal),
            },
            None if self.counter() == counter_seen => CreditVerdict::NotCredited,
            None if self.records.iter().any(|record| record.counter == counter_seen + 1) => CreditVerdict::NotCredited,
            None => CreditVerdict::Unknown,
        }
    }

    pub(crate) fn pin_facts(&self) -> PinFacts {
        let paper = |until| PreIssued { kind: DocumentKind::VolanteIndividual, signed_facts: vec![1], until };
        PinFacts {
            name: NAME.into(),
            identity_number: "00000000T".into(),
            born: Day(3_000),
            residence: Residence {
                street: STREET.into(),
                place: "33200 Bahía".into(),
                district: "2-014".into(),
                registered: Day(15_000),
            },
            taxes_due: Cents(0),
            documents: self.papers_until.map(paper).into_iter().collect(),
            as_of: NOON.plus_ms(-7_200_000),
        }
    }
}
