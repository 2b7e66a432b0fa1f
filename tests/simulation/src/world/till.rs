//! A payment terminal as its hardware behaves, and how the kiosk's side of the line reads what it says. Written from
//! the public facts of ZVT in `docs/money.md`, not from `crates/payment`.

use super::bank::{Bank, Paid, Payment};
use crate::bugs::Bug;
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder, PaymentReference, PaymentVerdict};
use domain::{Cents, Timestamp, TopUpId};

/// Receipt numbers have four digits and begin again at 1.
pub const RECEIPT_MAX: u32 = 9999;

/// How a history's payment terminals behave, as makes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// Left without an answer it reverses; otherwise it keeps.
    pub reverses_alone: bool,
    /// A reversal gets a receipt of its own; otherwise the old one is marked as reversed.
    pub reversal_has_receipt: bool,
    /// How often it may be told to wait.
    pub waits: u8,
    /// It says who it is.
    pub names_itself: bool,
    /// An abort by the citizen is not heard.
    pub is_deaf: bool,
    /// Its newest receipt when the history begins; 0 for a new machine.
    pub receipt: u32,
}

/// What the payment terminal did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// A payment or reservation.
    Made,
    /// A reversal or release, with a receipt of its own.
    Undid,
    /// The booking of a reservation, with a receipt of its own.
    Booked,
}

/// Its last transaction, as it remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// What.
    pub did: Did,
    /// About which payment of the bank's.
    pub place: usize,
    /// Under which receipt number.
    pub receipt: u32,
}

/// A payment under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// For whom.
    pub top_up: TopUpId,
    /// How much.
    pub amount: Cents,
    /// A reservation.
    pub reserves: bool,
    /// Approved, and waiting for an answer.
    pub place: Option<usize>,
    /// The kiosk has heard of the approval.
    pub told: bool,
    /// How often it may still be told to wait.
    pub waits_left: u8,
    /// Tells one payment's timers from another's.
    pub serial: u32,
}

/// A payment terminal.
#[derive(Debug, Clone)]
pub struct Till {
    /// Its identity.
    pub id: u32,
    /// The identity it is taken for: another one only by a deliberate mistake.
    pub taken_for: u32,
    /// The newest receipt number.
    pub receipt: u32,
    /// The newest trace number.
    pub trace: u32,
    /// What it remembers.
    pub last: Option<Last>,
    /// Open reservations it knows of.
    pub open: Vec<usize>,
    /// What it is at.
    pub work: Option<Work>,
    /// How it behaves.
    pub ways: Ways,
    /// Its clock.
    pub clock: Timestamp,
    serial: u32,
}

/// How far its clock and the kiosk's may be apart, milliseconds.
const CLOCKS_APART_MS: i64 = 15 * 60_000;

impl Till {
    /// A machine that has just been set up.
    #[must_use]
    pub fn new(id: u32, ways: Ways) -> Self {
        Self {
            id,
            taken_for: id,
            receipt: ways.receipt,
            trace: ways.receipt,
            last: None,
            open: Vec::new(),
            work: None,
            clock: Timestamp(0),
            ways,
            serial: 0,
        }
    }

    /// A machine that has been in use: it remembers a payment of somebody else's, unless it is new.
    #[must_use]
    pub fn used(id: u32, ways: Ways, bank: &mut Bank) -> Self {
        let mut till = Self::new(id, ways);
        if let Some(before) = till.receipt.checked_sub(1) {
            till.receipt = before;
            till.own_sale(bank, 770);
        }
        till
    }

    /// Begins to ask for a bank card.
    pub fn ask(&mut self, top_up: TopUpId, amount: Cents, reserves: bool) -> u32 {
        self.serial += 1;
        let waits_left = self.ways.waits;
        self.work = Some(Work { top_up, amount, reserves, place: None, told: false, waits_left, serial: self.serial });
        self.serial
    }

    fn next_receipt(&mut self) -> u32 {
        self.receipt = after(self.receipt);
        self.trace += 1;
        self.receipt
    }

    /// The bank approves `amount` for whatever is at work; it waits for an answer now. A reservation lapses then.
    pub fn approve(&mut self, bank: &mut Bank, amount: Cents, lapses_ms: u64) -> Option<usize> {
        let work = self.work?;
        let receipt = self.next_receipt();
        let lapses_ms = work.reserves.then_some(lapses_ms);
        let payment = Payment {
            top_up: Some(work.top_up),
            till: self.id,
            receipt,
            trace: self.trace,
            amount: amount.0,
            at: self.clock,
            paid: Paid::Waiting,
            lapses_ms,
        };
        let place = bank.approve(payment);
        self.last = Some(Last { did: Did::Made, place, receipt });
        self.work = Some(Work { place: Some(place), ..work });
        Some(place)
    }

    /// It keeps what waits: a payment is charged, a reservation stands.
    pub fn keep(&mut self, bank: &mut Bank) {
        let Some(work) = self.work.take() else { return };
        let Some(place) = work.place else { return };
        if work.reserves {
            bank.reserve(place);
            self.open.push(place);
        } else {
            bank.keep(place);
        }
    }

    /// It gives back what waits.
    pub fn give_back(&mut self, bank: &mut Bank) {
        if let Some(place) = self.work.take().and_then(|work| work.place) {
            self.undo(bank, place);
        }
    }

    /// Nobody answers any more: it does as its make does.
    pub fn left_alone(&mut self, bank: &mut Bank) {
        if self.ways.reverses_alone { self.give_back(bank) } else { self.keep(bank) }
    }

    /// Undoes a payment or reservation.
    pub fn undo(&mut self, bank: &mut Bank, place: usize) {
        bank.undo(place);
        self.open.retain(|open| *open != place);
        if self.ways.reversal_has_receipt {
            let receipt = self.next_receipt();
            self.last = Some(Last { did: Did::Undid, place, receipt });
        }
    }

    /// Books a reservation it knows of.
    pub fn book(&mut self, bank: &mut Bank, place: usize) {
        bank.keep(place);
        self.open.retain(|open| *open != place);
        let receipt = self.next_receipt();
        self.last = Some(Last { did: Did::Booked, place, receipt });
    }

    /// Somebody else pays here, at its own menu.
    pub fn own_sale(&mut self, bank: &mut Bank, amount: i64) {
        let receipt = self.next_receipt();
        let (till, trace) = (self.id, self.trace);
        let at = self.clock;
        let payment = Payment { top_up: None, till, receipt, trace, amount, at, paid: Paid::Kept, lapses_ms: None };
        let place = bank.approve(payment);
        self.last = Some(Last { did: Did::Made, place, receipt });
    }

    /// The newest receipt number it tells; 0 when it remembers nothing.
    #[must_use]
    pub fn told_receipt(&self) -> u32 {
        self.last.map_or(0, |last| last.receipt)
    }

    /// Who it says it is.
    #[must_use]
    pub fn told_name(&self) -> String {
        if self.ways.names_itself { name(self.taken_for) } else { String::new() }
    }

    /// The approval as it is told.
    #[must_use]
    pub fn approval(&self, bank: &Bank, place: usize) -> Option<PaymentApproval> {
        bank.payments.get(place).map(|payment| self.describe(payment))
    }

    fn describe(&self, payment: &Payment) -> PaymentApproval {
        let till = if payment.till == self.id { self.taken_for } else { payment.till };
        let terminal = if self.ways.names_itself { name(till) } else { String::new() };
        PaymentApproval {
            reference: PaymentReference { terminal, receipt: payment.receipt, trace: payment.trace },
            amount: Cents(payment.amount),
            scheme: String::new(),
            masked_pan: String::new(),
            authorisation: String::new(),
            ..PaymentApproval::default()
        }
    }

    /// Which payment an approval names: only its own, by receipt, trace and amount.
    #[must_use]
    pub fn find(&self, bank: &Bank, approval: &PaymentApproval) -> Option<usize> {
        bank.payments.iter().rposition(|payment| payment.till == self.id && self.describe(payment) == *approval)
    }

    /// What its last transaction says of a payment that was intended (06 20; for a reservation also 06 23).
    #[must_use]
    pub fn verdict(&self, bank: &Bank, intent: &PaymentIntent, bug: Option<Bug>) -> PaymentVerdict {
        let another = intent.terminal.as_ref().is_some_and(|before| *before != self.told_name());
        if another {
            return PaymentVerdict::Unknown;
        }
        if intent.order == PaymentOrder::PreAuthorise
            && let Some(open) = self.open_reservation(bank, intent)
        {
            return PaymentVerdict::Reserved(open);
        }
        let Some(last) = self.last else { return PaymentVerdict::Unknown };
        if last.receipt == intent.receipt_before && intent.receipt_before != 0 {
            return PaymentVerdict::NeverMade;
        }
        if bug == Some(Bug::WrapTakenForNeverMade) && last.receipt < intent.receipt_before {
            return PaymentVerdict::NeverMade;
        }
        self.verdict_of(bank, last, intent, bug)
    }

    fn open_reservation(&self, bank: &Bank, intent: &PaymentIntent) -> Option<PaymentApproval> {
        let ours = after(intent.receipt_before);
        let found = self.open.iter().filter_map(|place| bank.payments.get(*place));
        found
            .filter(|payment| payment.receipt == ours && payment.amount == intent.amount.0)
            .map(|payment| self.describe(payment))
            .next()
    }

    fn verdict_of(&self, bank: &Bank, last: Last, intent: &PaymentIntent, bug: Option<Bug>) -> PaymentVerdict {
        let Some(payment) = bank.payments.get(last.place) else { return PaymentVerdict::Unknown };
        if payment.at < intent.at.plus_ms(-CLOCKS_APART_MS) {
            // Made before ours was meant.
            return PaymentVerdict::Unknown;
        }
        let ours = after(intent.receipt_before);
        let fits = payment.amount == intent.amount.0 || bug == Some(Bug::AmountNotCompared);
        if !fits || payment.receipt != ours {
            return PaymentVerdict::Unknown;
        }
        let approval = PaymentApproval { amount: intent.amount, ..self.describe(payment) };
        match (last.did, payment.paid) {
            (Did::Made, Paid::Kept) if last.receipt == ours => PaymentVerdict::Paid(approval),
            (Did::Booked, _) => PaymentVerdict::Paid(approval),
            (Did::Made, Paid::Undone) if last.receipt == ours => PaymentVerdict::Reversed(approval),
            (Did::Undid, _) if last.receipt == after(ours) || intent.order == PaymentOrder::PreAuthorise => {
                PaymentVerdict::Reversed(approval)
            }
            _ => PaymentVerdict::Unknown,
        }
    }
}

/// The receipt number after one.
#[must_use]
pub fn after(receipt: u32) -> u32 {
    if receipt >= RECEIPT_MAX { 1 } else { receipt + 1 }
}

/// An identity as BMP 29 gives it.
#[must_use]
pub fn name(id: u32) -> String {
    format!("{id:08}")
}
