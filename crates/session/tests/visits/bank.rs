//! What is true at the payment terminal: what was paid, reserved, kept and given back.

use domain::device::{
    CardEntry, PayerCheck, PaymentApproval, PaymentEvent, PaymentIntent, PaymentReference, PaymentVerdict,
};
use domain::{Cents, FailureCode, TopUpId};
use std::collections::{BTreeMap, BTreeSet};

/// What the payment terminal really did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paid {
    Waiting,
    /// A reservation that stands.
    Reserved,
    Kept,
    Reversed,
}

/// What it does with the next payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentFate {
    Approves,
    Declines(FailureCode),
    /// The line is lost; the payment was made or not.
    Breaks {
        made: bool,
    },
    /// It asks for the bank card until told otherwise.
    Waits,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerFate {
    Arrives,
    LostAndKept,
    LostAndReversed,
}

/// What becomes of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureFate {
    Books,
    Fails(FailureCode),
    /// The line is lost, before the booking or after it.
    Breaks {
        booked: bool,
    },
}

/// What becomes of an end-of-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayFate {
    Ends,
    Fails(FailureCode),
    /// It does not answer.
    Silent,
}

#[derive(Debug, Clone)]
pub(crate) struct PaymentTerminal {
    pub(crate) there: bool,
    pub(crate) tells: bool,
    /// It does not react when a payment is given up.
    pub(crate) deaf: bool,
    /// Eight digits.
    pub(crate) identity: String,
    pub(crate) paid: BTreeMap<TopUpId, (Paid, PaymentApproval)>,
    /// Those of `paid` that were only to be reserved.
    pub(crate) reserving: BTreeSet<TopUpId>,
    pub(crate) last: Option<TopUpId>,
    pub(crate) receipt: u32,
    pub(crate) next: PaymentFate,
    pub(crate) answer: AnswerFate,
    pub(crate) capture: CaptureFate,
    pub(crate) day: DayFate,
    /// It refuses to reverse or release anything.
    pub(crate) keeps_all: bool,
    /// The payment under way.
    pub(crate) asked: Option<(TopUpId, Cents)>,
    pub(crate) authorised: u32,
    /// How often it was asked to end its day.
    pub(crate) days: u32,
}

impl PaymentTerminal {
    pub(crate) fn new() -> Self {
        Self {
            there: true,
            tells: true,
            deaf: false,
            identity: "52500021".into(),
            paid: BTreeMap::new(),
            reserving: BTreeSet::new(),
            last: None,
            receipt: 470,
            next: PaymentFate::Approves,
            answer: AnswerFate::Arrives,
            capture: CaptureFate::Books,
            day: DayFate::Ends,
            keeps_all: false,
            asked: None,
            authorised: 0,
            days: 0,
        }
    }

    pub(crate) fn ready(&self) -> PaymentEvent {
        PaymentEvent::Ready { last_receipt: self.receipt, terminal: self.identity.clone() }
    }

    pub(crate) fn approve(&mut self, id: TopUpId, amount: Cents) -> PaymentApproval {
        assert!(!self.paid.contains_key(&id), "paid twice");
        self.receipt += 1;
        let reference =
            PaymentReference { terminal: self.identity.clone(), receipt: self.receipt, trace: self.receipt };
        let approval = PaymentApproval {
            reference,
            amount,
            scheme: "Visa Débito".into(),
            masked_pan: "************7711".into(),
            authorisation: "611804".into(),
            entry: CardEntry::Contactless,
            check: PayerCheck::Pin,
            application: "A0000000031010".into(),
        };
        self.paid.insert(id, (Paid::Waiting, approval.clone()));
        self.last = Some(id);
        approval
    }

    /// What waits for an answer is kept, or stands reserved, or is undone.
    pub(crate) fn end(&mut self, id: TopUpId, end: Paid) {
        let kept = if self.reserving.contains(&id) { Paid::Reserved } else { Paid::Kept };
        if let Some(paid) = self.paid.get_mut(&id).filter(|paid| paid.0 == Paid::Waiting) {
            paid.0 = if end == Paid::Kept { kept } else { end };
        }
    }

    pub(crate) fn let_go(&mut self, end: Paid) {
        let waiting: Vec<TopUpId> = self.paid.keys().copied().collect();
        waiting.into_iter().for_each(|id| self.end(id, end));
        self.asked = None;
    }

    pub(crate) fn is(&self, id: TopUpId, state: Paid) -> bool {
        self.paid.get(&id).is_some_and(|paid| paid.0 == state)
    }

    pub(crate) fn kept(&self, id: TopUpId) -> bool {
        self.is(id, Paid::Kept)
    }

    pub(crate) fn verdict(&self, intent: &PaymentIntent) -> PaymentVerdict {
        if !self.tells {
            return PaymentVerdict::Unknown;
        }
        match self.paid.get(&intent.top_up) {
            // Open reservations are listed, whatever came after them.
            Some((Paid::Reserved, approval)) => PaymentVerdict::Reserved(approval.clone()),
            Some((paid, approval)) if self.last == Some(intent.top_up) => match paid {
                Paid::Waiting | Paid::Reserved => PaymentVerdict::Unknown,
                Paid::Kept => PaymentVerdict::Paid(approval.clone()),
                Paid::Reversed => PaymentVerdict::Reversed(approval.clone()),
            },
            Some(_) => PaymentVerdict::Unknown,
            None if self.receipt == intent.receipt_before => PaymentVerdict::NeverMade,
            None => PaymentVerdict::Unknown,
        }
    }
}
