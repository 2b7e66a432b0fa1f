//! A payment terminal and a card that do what the journal permits, and now and then what they like.

use domain::card::CreditVerdict;
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference, PaymentVerdict};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, Ledger, LedgerError, MoneyEffect, Permit, Subject};

pub(crate) const AMOUNT: Cents = Cents(2000);
pub(crate) const BEFORE: Cents = Cents(350);
/// The terminal of the journal.
pub(crate) const HERE: TerminalId = TerminalId(21);
/// When each story begins, and how long a reservation holds from then.
pub(crate) const BEGIN: Timestamp = Timestamp(1_800_000_000_000);
pub(crate) const RESERVATION_MS: u64 = 1_000_000;

pub(crate) fn subject() -> Subject {
    Subject { top_up: TopUpId([9; 16]), card: CardNumber(1_234_567_890), generation: Generation(1), amount: AMOUNT }
}

pub(crate) fn intent() -> Fact {
    intent_of(PaymentOrder::Vending)
}

pub(crate) fn intent_of(order: PaymentOrder) -> Fact {
    Fact::Intent {
        counter_seen: 4,
        purse_seen: BEFORE,
        receipt_before: 470,
        day: Day(20_000),
        order,
        payment_terminal: Some("52500021".to_owned()),
    }
}

pub(crate) fn approval() -> PaymentApproval {
    PaymentApproval {
        reference: PaymentReference { terminal: "52500021".to_owned(), receipt: 471, trace: 471 },
        amount: AMOUNT,
        scheme: "Debit Mastercard".to_owned(),
        masked_pan: "************7711".to_owned(),
        authorisation: "611804".to_owned(),
        ..PaymentApproval::default()
    }
}

/// What the payment terminal really did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paid {
    Never,
    /// Approved, and waiting for an answer.
    Waiting,
    /// Reserved: nothing is charged.
    Reserved,
    Kept,
    /// Given back, released, or lapsed.
    Reversed,
}

/// The world outside the journal.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) order: PaymentOrder,
    pub(crate) paid: Paid,
    pub(crate) credited: bool,
    pub(crate) now: Timestamp,
    /// Other top-ups of the card after ours was journalled (the counter then proves nothing more).
    pub(crate) rolled_on: bool,
    /// Reversals and releases.
    pub(crate) reversals_work: bool,
    pub(crate) captures_work: bool,
}

impl World {
    pub(crate) fn new(order: PaymentOrder) -> Self {
        Self {
            order,
            paid: Paid::Never,
            credited: false,
            now: BEGIN,
            rolled_on: false,
            reversals_work: true,
            captures_work: true,
        }
    }

    /// When a reservation lapses by itself.
    pub(crate) fn until() -> Timestamp {
        BEGIN.plus_ms(i64::try_from(RESERVATION_MS).unwrap())
    }

    /// The reservation's time passes.
    pub(crate) fn lapse(&mut self) {
        self.now = Self::until();
        if self.paid == Paid::Reserved {
            self.paid = Paid::Reversed;
        }
    }

    /// What asking the payment terminal again gives.
    pub(crate) fn payment_verdict(&self) -> PaymentVerdict {
        match self.paid {
            Paid::Never => PaymentVerdict::NeverMade,
            Paid::Waiting => PaymentVerdict::Unknown,
            Paid::Reserved => PaymentVerdict::Reserved(approval()),
            Paid::Kept => PaymentVerdict::Paid(approval()),
            Paid::Reversed => PaymentVerdict::Reversed(approval()),
        }
    }

    /// What the card proves.
    pub(crate) fn card_verdict(&self) -> CreditVerdict {
        match (self.credited, self.rolled_on) {
            (true, _) => CreditVerdict::Credited { before: BEFORE, now: BEFORE, by: Some(HERE) },
            (false, false) => CreditVerdict::NotCredited,
            (false, true) => CreditVerdict::Unknown,
        }
    }

    /// Carries out an effect, which the runner refuses unless what it depends on is durable.
    pub(crate) fn carry_out(&mut self, permit: Permit, durable: u64) {
        assert!(permit.after_seq() <= durable, "{permit:?} before {durable} was durable");
        match permit.effect() {
            MoneyEffect::Authorise => {
                assert_eq!(self.paid, Paid::Never, "paid twice");
                self.paid = Paid::Waiting;
            }
            MoneyEffect::Credit | MoneyEffect::CreditAgain => {
                assert!(!self.credited, "credited twice");
                let there = match self.order {
                    PaymentOrder::Vending => matches!(self.paid, Paid::Waiting | Paid::Kept),
                    PaymentOrder::CaptureFirst => self.paid == Paid::Kept,
                    PaymentOrder::PreAuthorise => matches!(self.paid, Paid::Reserved | Paid::Kept),
                };
                assert!(there, "credited without money: {:?}", self.paid);
                self.credited = true;
            }
            MoneyEffect::Settle => {
                assert_eq!(self.paid, Paid::Waiting);
                self.paid = Paid::Kept;
            }
            MoneyEffect::Refuse => {
                assert_eq!((self.paid, self.credited), (Paid::Waiting, false), "refused");
                self.paid = Paid::Reversed;
            }
            MoneyEffect::Reverse => {
                assert_eq!((self.paid, self.credited), (Paid::Kept, false), "reversed");
                self.paid = Paid::Reversed;
            }
            MoneyEffect::Acknowledge => {
                assert_eq!((self.paid, self.order), (Paid::Waiting, PaymentOrder::PreAuthorise));
                self.paid = Paid::Reserved;
            }
            MoneyEffect::Capture => {
                assert_eq!(self.paid, Paid::Reserved, "booked twice, or what is not there");
                self.paid = Paid::Kept;
            }
            MoneyEffect::Release => {
                assert_eq!((self.paid, self.credited), (Paid::Reserved, false), "released");
                self.paid = Paid::Reversed;
            }
        }
    }

    /// The line to the payment terminal breaks while it waits: it keeps or reverses as it likes.
    pub(crate) fn let_go(&mut self, keeps: bool) {
        if self.paid == Paid::Waiting {
            let kept = if self.order == PaymentOrder::PreAuthorise { Paid::Reserved } else { Paid::Kept };
            self.paid = if keeps { kept } else { Paid::Reversed };
        }
    }
}

/// A journal on a disk: what was recorded is durable, what was not is gone with the process.
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    pub(crate) ledger: Ledger,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self::of(HERE)
    }

    pub(crate) fn of(terminal: TerminalId) -> Self {
        Self { entries: Vec::new(), ledger: Ledger::new(terminal, 1) }
    }

    pub(crate) fn intend(&mut self, subject: Subject) -> Result<(), LedgerError> {
        self.intend_as(subject, intent())
    }

    pub(crate) fn intend_as(&mut self, subject: Subject, intent: Fact) -> Result<(), LedgerError> {
        let entry = self.ledger.intend(self.at(), subject, intent)?;
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn take_order(&mut self, subject: Subject, order: Fact) -> Result<(), LedgerError> {
        let entry = self.ledger.take_order(self.at(), subject, order)?;
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn record(&mut self, fact: Fact) -> Result<(), LedgerError> {
        let entry = self.ledger.record(self.at(), subject().top_up, fact)?;
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn durable(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.seq)
    }

    /// The process ends and starts again, from the bytes on the disk.
    pub(crate) fn restart(&mut self) {
        let stored: Vec<Vec<u8>> = self.entries.iter().map(Entry::encode).collect();
        let read: Vec<Entry> = stored.iter().map(|bytes| Entry::decode(bytes).unwrap()).collect();
        assert_eq!(read, self.entries);
        let chain = self.ledger.chain();
        let replayed = Ledger::replay(chain.terminal, chain.journal_generation, &read).unwrap();
        assert_eq!(replayed, self.ledger);
        self.ledger = replayed;
        let at = self.at();
        self.entries.extend(self.ledger.start(at).unwrap());
    }

    fn at(&self) -> Timestamp {
        Timestamp(1_800_000_000_000 + i64::try_from(self.entries.len()).unwrap())
    }
}
