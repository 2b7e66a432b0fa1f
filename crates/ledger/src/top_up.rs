//! The state of one top-up: what is known of the payment, of the card and of a claim, each by itself. It is a fold
//! of facts, and only [`TopUp::step`] (in `step`) moves it.

use crate::{Account, ClaimCode, Entry, IllegalStep, Kind};
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder};
use domain::{CardNumber, Cents, Day, Generation, Timestamp, TopUpId};

/// What a top-up is about; the same in all its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The top-up.
    pub top_up: TopUpId,
    /// The card to be credited.
    pub card: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// How much.
    pub amount: Cents,
}

/// What is known of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    /// Not asked for.
    None,
    /// Asked for: the payment terminal is at work.
    Asked,
    /// It may have been made or not.
    Unknown,
    /// Certain that nothing was paid.
    NotPaid,
    /// Approved, and the payment terminal waits for our answer.
    Approved,
    /// Approved, and it may have been kept or reversed since.
    Adrift,
    /// Reserved and not booked: nothing is charged yet.
    Reserved,
    /// Kept: the acquirer owes it.
    Kept,
    /// Kept or reserved, and being given back: it may have been undone since. Whatever is heard of it short of that,
    /// nothing is credited for it any more, unless central has judged it.
    Returning,
    /// Undone.
    Voided,
    /// Made through another terminal: central ordered the credit here, and answers for the payment.
    Elsewhere,
}

/// What is known of the credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credit {
    /// Never sent to the card.
    Untried,
    /// On its way to the card.
    Started,
    /// Sent; only the card can tell.
    InDoubt,
    /// On the card.
    Credited,
    /// Proven not on the card, and given up.
    NotCredited,
}

/// Whether the citizen holds a claim code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// No.
    None,
    /// Yes, and the claim stands.
    Open,
    /// It was settled away from the card.
    Settled,
}

/// How a top-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Credited and paid.
    Completed,
    /// Neither credited nor paid.
    Voided,
    /// Credited, not paid, booked to the city's loss account.
    Lost,
    /// Settled away from the card.
    Settled,
}

/// One top-up, folded from its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    pub(crate) subject: Subject,
    pub(crate) payment: Payment,
    pub(crate) credit: Credit,
    pub(crate) claim: Claim,
    pub(crate) left_to_central: bool,
    pub(crate) loss_booked: bool,
    /// Bit n is set when the kind numbered n was said.
    pub(crate) said: u32,
    /// This top-up's share of the holding accounts' debit balance in this journal.
    pub(crate) held: Cents,
    /// Its share in the journals of others: another terminal's, or central's.
    pub(crate) held_elsewhere: Cents,
    /// What the loss account carries for it.
    pub(crate) loss: Cents,
    pub(crate) counter_seen: u32,
    /// The counter that central's order names.
    pub(crate) counter_ordered: u32,
    pub(crate) receipt_before: u32,
    pub(crate) purse_seen: Cents,
    pub(crate) day: Day,
    pub(crate) order: PaymentOrder,
    pub(crate) payment_terminal: Option<String>,
    /// When the reservation lapses.
    pub(crate) until: Timestamp,
    /// When central's order lapses.
    pub(crate) expires: Timestamp,
    pub(crate) approval: Option<PaymentApproval>,
    /// When the intent was journalled.
    pub(crate) begun: Timestamp,
    pub(crate) last_seq: u64,
}

impl TopUp {
    /// A top-up of which nothing has been said yet; its first fact is the intent, or central's order.
    #[must_use]
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            payment: Payment::None,
            credit: Credit::Untried,
            claim: Claim::None,
            left_to_central: false,
            loss_booked: false,
            said: 0,
            held: Cents::ZERO,
            held_elsewhere: Cents::ZERO,
            loss: Cents::ZERO,
            counter_seen: 0,
            counter_ordered: 0,
            receipt_before: 0,
            purse_seen: Cents::ZERO,
            day: Day(0),
            order: PaymentOrder::Vending,
            payment_terminal: None,
            until: Timestamp(0),
            expires: Timestamp(0),
            approval: None,
            begun: Timestamp(0),
            last_seq: 0,
        }
    }

    /// Folds the entries of one top-up, oldest first.
    ///
    /// # Errors
    /// `IllegalStep` when there are none, when they are of different subjects, or when one does not follow.
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, IllegalStep> {
        let mut entries = entries.into_iter().peekable();
        let first = entries.peek().ok_or(IllegalStep::Empty)?;
        let mut top_up = Self::new(first.subject);
        for entry in entries {
            top_up = top_up.apply(entry)?;
        }
        Ok(top_up)
    }

    /// The state after a journalled entry.
    ///
    /// # Errors
    /// `IllegalStep` when the entry is about something else, does not follow, or its postings are not those of its
    /// fact.
    pub fn apply(&self, entry: &Entry) -> Result<Self, IllegalStep> {
        if entry.subject != self.subject {
            return Err(IllegalStep::OtherSubject);
        }
        let (next, postings) = self.step(&entry.fact, entry.seq)?;
        if postings != entry.postings {
            return Err(IllegalStep::WrongPostings(entry.fact.kind()));
        }
        Ok(next.dated(entry.fact.kind(), entry.at))
    }

    /// Keeps the moment of the intent.
    pub(crate) fn dated(mut self, kind: Kind, at: Timestamp) -> Self {
        if kind == Kind::Intent {
            self.begun = at;
        }
        self
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// What is known of the payment.
    #[must_use]
    pub fn payment(&self) -> Payment {
        self.payment
    }

    /// What is known of the credit.
    #[must_use]
    pub fn credit(&self) -> Credit {
        self.credit
    }

    /// Whether there is a claim.
    #[must_use]
    pub fn claim(&self) -> Claim {
        self.claim
    }

    /// The code the citizen quotes for this top-up.
    #[must_use]
    pub fn claim_code(&self) -> ClaimCode {
        ClaimCode::of(self.subject.top_up)
    }

    /// What was approved, once it was.
    #[must_use]
    pub fn approval(&self) -> Option<&PaymentApproval> {
        self.approval.as_ref()
    }

    /// The card's newest top-up counter before, as journalled with the intent or, while central's order holds, as
    /// the order names it; the credit writes the next.
    #[must_use]
    pub fn counter_seen(&self) -> u32 {
        if self.is_ordered() { self.counter_ordered } else { self.counter_seen }
    }

    /// In which order payment and credit become final.
    #[must_use]
    pub fn order(&self) -> PaymentOrder {
        self.order
    }

    /// When the reservation lapses; `None` while nothing is reserved.
    #[must_use]
    pub fn reserved_until(&self) -> Option<Timestamp> {
        self.is_reserved().then_some(self.until)
    }

    /// Whether central's order to finish it here holds: taken, and neither carried out nor lapsed.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.has(Kind::Ordered) && self.credit != Credit::Credited && !self.has(Kind::OrderLapsed)
    }

    /// When central's order lapses, while it holds.
    #[must_use]
    pub fn order_expires(&self) -> Option<Timestamp> {
        self.is_ordered().then_some(self.expires)
    }

    /// The purse as read with the intent.
    #[must_use]
    pub fn purse_seen(&self) -> Cents {
        self.purse_seen
    }

    /// The day whose limits it counts against.
    #[must_use]
    pub fn day(&self) -> Day {
        self.day
    }

    /// What the payment terminal is to be asked about.
    #[must_use]
    pub fn payment_intent(&self) -> PaymentIntent {
        PaymentIntent {
            top_up: self.subject.top_up,
            amount: self.subject.amount,
            at: self.begun,
            receipt_before: self.receipt_before,
            order: self.order,
            terminal: self.payment_terminal.clone(),
        }
    }

    /// The sequence number of its newest entry: what an effect on its behalf waits for.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether a fact of this kind was said.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.said & (1 << kind.number()) != 0
    }

    /// How it ended, or `None` while something is still to be done or known.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        if self.claim == Claim::Settled {
            return Some(Outcome::Settled);
        }
        if self.loss_booked {
            return Some(Outcome::Lost);
        }
        // Central answers for the payment when it orders a credit; it may be unknown here.
        let by_order = self.has(Kind::OrderCredited) || (self.has(Kind::CreditedElsewhere) && self.central_answers());
        match (self.payment, self.credit) {
            (Payment::Kept | Payment::Elsewhere, Credit::Credited) => Some(Outcome::Completed),
            (Payment::Unknown | Payment::Adrift | Payment::Reserved | Payment::Returning, _) if by_order => {
                Some(Outcome::Completed)
            }
            (Payment::NotPaid, _) | (Payment::Voided, Credit::Untried | Credit::NotCredited) => Some(Outcome::Voided),
            (Payment::Elsewhere, _) if self.has(Kind::OrderLapsed) => Some(Outcome::Voided),
            _ => None,
        }
    }

    /// Whether it forbids a new payment at this payment terminal: its own payment is undecided there, or may still
    /// have to be reversed, which works only while it is the last one. A card in doubt forbids nothing; neither does
    /// a reservation that could not be booked, or one that a claim leaves to lapse.
    #[must_use]
    pub fn blocks_payment(&self) -> bool {
        if self.outcome().is_some() || self.left_to_central {
            return false;
        }
        match self.payment {
            Payment::Asked | Payment::Unknown | Payment::Approved | Payment::Adrift => true,
            Payment::Kept => self.claim == Claim::None && self.credit != Credit::InDoubt,
            Payment::Returning => self.claim == Claim::None,
            Payment::Reserved => !self.has(Kind::CaptureOwed) && !self.awaits_lapse(),
            Payment::None | Payment::NotPaid | Payment::Voided | Payment::Elsewhere => false,
        }
    }

    /// Whether it counts against its day's limits and the terminal's float: all but those proven void, and those
    /// finished here for another terminal, which counts them.
    #[must_use]
    pub fn counts(&self) -> bool {
        !matches!(self.payment, Payment::None | Payment::Elsewhere) && self.outcome() != Some(Outcome::Voided)
    }

    /// Whether the card holds, or may hold, a credit of this terminal's that is not certain to be paid: it counts
    /// against the terminal's float on every day until that is decided.
    #[must_use]
    pub fn is_at_risk(&self) -> bool {
        let may_hold = matches!(self.credit, Credit::Started | Credit::InDoubt | Credit::Credited);
        let unpaid = !matches!(self.payment, Payment::Kept | Payment::Elsewhere);
        self.outcome().is_none() && may_hold && unpaid
    }

    /// This top-up's share of the holding accounts, over the books of all terminals and central: negative while the
    /// citizen is owed, positive while the city is; zero when it has ended.
    #[must_use]
    pub fn held(&self) -> Cents {
        Cents(self.held.0.saturating_add(self.held_elsewhere.0))
    }

    /// The part of `held` that stands in the books of others: minus the amount while central's order tells of a
    /// claim of another terminal's, plus the amount when another terminal credited what this one owed.
    #[must_use]
    pub fn held_elsewhere(&self) -> Cents {
        self.held_elsewhere
    }

    /// Whether this terminal will not learn what became of the payment, and central has to.
    pub(crate) fn central_answers(&self) -> bool {
        self.left_to_central && matches!(self.payment, Payment::Unknown | Payment::Adrift | Payment::Returning)
    }

    pub(crate) fn holding_account(&self) -> Account {
        if self.claim == Claim::None { Account::Transit } else { Account::Claims }
    }

    /// Reserved, as far as is known: never booked, and not known to be released.
    pub(crate) fn is_reserved(&self) -> bool {
        match self.payment {
            Payment::Reserved => true,
            Payment::Returning => !self.has(Kind::Posted),
            _ => false,
        }
    }

    /// Only reserved, and claimed without a credit: neither booked, since nothing was credited, nor released, since a
    /// claim is never turned into a reversal. It lapses by itself, and nobody was charged.
    pub(crate) fn awaits_lapse(&self) -> bool {
        let uncredited = matches!(self.credit, Credit::Untried | Credit::NotCredited);
        self.is_reserved() && self.claim == Claim::Open && uncredited
    }

    /// Whether a credit may begin: by its order, the money is held, kept or reserved.
    pub(crate) fn money_is_there(&self) -> bool {
        match self.payment {
            Payment::Kept => true,
            Payment::Approved => self.order == PaymentOrder::Vending,
            Payment::Reserved => !self.left_to_central,
            _ => false,
        }
    }
}
