//! Which fact may follow which: the one place where a top-up's state moves. What is not allowed here cannot be
//! journalled, and what is not journalled permits no effect.

use crate::books::{Account, Posting, postings};
use crate::{Claim, Credit, Fact, Kind, Payment, Settlement, TopUp};
use domain::Cents;
use domain::device::PaymentOrder::{CaptureFirst, PreAuthorise, Vending};
use domain::device::PaymentReference;

/// A fact that cannot be said of a top-up in its present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// No entries to fold.
    #[error("a top-up without entries")]
    Empty,
    /// The entry is about another top-up, card or amount.
    #[error("the entry is about another top-up, card or amount")]
    OtherSubject,
    /// The kind was said before.
    #[error("{} was said before", .0.name())]
    Repeated(Kind),
    /// The fact does not follow from the state.
    #[error("{} cannot follow payment {payment:?}, credit {credit:?}, claim {claim:?}", .kind.name())]
    OutOfOrder {
        /// The fact's kind.
        kind: Kind,
        /// The payment's state.
        payment: Payment,
        /// The credit's state.
        credit: Credit,
        /// The claim's state.
        claim: Claim,
    },
    /// The fact carries an amount that does not fit the top-up.
    #[error("{} carries an amount that does not fit", .0.name())]
    WrongAmount(Kind),
    /// The approval is the one before the intent, told once more.
    #[error("the approval has the receipt of the payment before")]
    OldApproval,
    /// The entry's postings are not those of its fact.
    #[error("the postings of {} are not those of its fact", .0.name())]
    WrongPostings(Kind),
    /// An effect was asked for that the state does not permit.
    #[error("{0:?} is not permitted now")]
    NotPermitted(crate::MoneyEffect),
}

impl TopUp {
    /// The state after a fact journalled under `seq`, and the postings it makes.
    ///
    /// # Errors
    /// `IllegalStep` when the fact repeats, does not follow, or carries a wrong amount.
    pub fn step(&self, fact: &Fact, seq: u64) -> Result<(Self, Vec<Posting>), IllegalStep> {
        let kind = fact.kind();
        if self.has(kind) {
            return Err(IllegalStep::Repeated(kind));
        }
        if self.outcome().is_some() || !self.allows(fact) {
            let (payment, credit, claim) = (self.payment, self.credit, self.claim);
            return Err(IllegalStep::OutOfOrder { kind, payment, credit, claim });
        }
        self.check_amounts(fact)?;
        let postings = postings(self, fact);
        let mut next = self.clone();
        next.said |= 1 << kind.number();
        next.last_seq = seq;
        next.learn(fact);
        next.held = moved(self.held, &postings, |account| matches!(account, Account::Transit | Account::Claims));
        next.loss = moved(self.loss, &postings, |account| account == Account::Loss);
        if next.central_answers() && next.has(Kind::CreditedElsewhere) {
            // What this terminal does not know of the payment, central answers for in its own books.
            next.held_elsewhere = -next.held;
        }
        Ok((next, postings))
    }

    fn allows(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Intent { .. }
            | Fact::Authorised { .. }
            | Fact::Declined { .. }
            | Fact::PaymentUnknown
            | Fact::NeverMade
            | Fact::AnswerInDoubt
            | Fact::Reserved { .. }
            | Fact::Posted
            | Fact::Voided
            | Fact::CaptureOwed { .. }
            | Fact::ReversalStarted
            | Fact::ReversalFailed
            | Fact::LossCaptureExpired
            | Fact::LossCreditedButReversed => self.allows_of_payment(fact),
            Fact::CreditStarted | Fact::Credited { .. } | Fact::NotCredited { .. } | Fact::InDoubt => {
                self.allows_of_credit(fact)
            }
            Fact::Claimed
            | Fact::LeftToCentral
            | Fact::ClaimSettled { .. }
            | Fact::CreditedElsewhere { .. }
            | Fact::Ordered { .. }
            | Fact::OrderCredited { .. }
            | Fact::OrderLapsed { .. } => self.allows_of_claim(fact),
        }
    }

    fn allows_of_payment(&self, fact: &Fact) -> bool {
        use Credit::{Credited, InDoubt, NotCredited, Untried};
        use Payment::{Adrift, Approved, Asked, Kept, Reserved, Returning, Unknown, Voided};
        let claimed = self.claim == Claim::Open;
        let reserves = self.order == PreAuthorise;
        if self.is_ordered() {
            // Central has judged the payment before it ordered the credit.
            return false;
        }
        match (fact, self.payment, self.credit) {
            (Fact::Intent { .. }, payment, _) => payment == Payment::None,
            (Fact::Declined { .. } | Fact::PaymentUnknown, payment, _) => payment == Asked,
            (Fact::Authorised { .. }, payment, _) => matches!(payment, Asked | Unknown),
            (Fact::NeverMade, payment, _) => payment == Unknown,
            (Fact::AnswerInDoubt, payment, _) => payment == Approved,

            // Vending: answering means knowing what the card said, or keeping the money while it is in doubt.
            (Fact::Posted, Approved, Credited | InDoubt) => self.order == Vending,
            // Capture first: the answer comes before the credit.
            (Fact::Posted, Approved, Untried) => self.order == CaptureFirst,
            // Pre-authorise: the answer makes the reservation stand.
            (Fact::Reserved { .. }, Approved, Untried) | (Fact::Reserved { .. }, Adrift, _) => reserves,
            (Fact::Voided, Approved, NotCredited) => true,
            // Adrift, the payment terminal decides and we learn.
            (Fact::Posted | Fact::Voided, Adrift, _) => true,
            // A reservation is booked, released, or lapses; while the card is at work nobody asks.
            (Fact::Posted | Fact::Voided, Reserved, Credited | NotCredited | Untried) => true,
            (Fact::Posted | Fact::Voided, Reserved, InDoubt) => claimed,
            // A reversal needs the proof that nothing was credited and nothing will be.
            (Fact::Voided, Kept, NotCredited) => !claimed,
            (Fact::ReversalStarted, Kept | Reserved, NotCredited) => !claimed,
            // Once begun, its end is learned whenever it is told, under a claim too; or that the reservation was
            // booked before it could be released.
            (Fact::Posted | Fact::Voided, Returning, _) => true,
            // Only the acquirer's statement shows it.
            (Fact::ReversalFailed, Returning, _) => claimed && self.has(Kind::Posted),

            (Fact::CaptureOwed { .. }, Reserved, Credited) => true,
            (Fact::CaptureOwed { .. }, Reserved, InDoubt) => claimed,
            (Fact::LossCaptureExpired, Reserved, Credited) => true,
            (Fact::LossCreditedButReversed, Voided, Credited) => true,
            _ => false,
        }
    }

    fn allows_of_credit(&self, fact: &Fact) -> bool {
        use Credit::{InDoubt, NotCredited, Started, Untried};
        use Payment::{Adrift, Approved, Kept, Reserved, Unknown, Voided};
        let claimed = self.claim == Claim::Open;
        match (fact, self.payment, self.credit) {
            (Fact::CreditStarted, _, Untried) => self.money_is_there() && !claimed,
            // While central's order holds, what the card shows is said of the order.
            (Fact::Credited { .. }, ..) if self.is_ordered() => false,
            (Fact::Credited { .. }, Approved | Adrift | Reserved | Kept | Voided, Started | InDoubt) => true,
            // A claim is finished by crediting late: only when the money is here.
            (Fact::Credited { .. }, Kept, Untried | NotCredited) => claimed,
            (Fact::InDoubt, _, Started) => true,
            // A claim is never turned into a reversal; without money at stake it is only closed.
            (Fact::NotCredited { .. }, Unknown | Approved | Adrift | Reserved | Kept, Untried) => !claimed,
            (Fact::NotCredited { .. }, Approved | Adrift | Reserved | Kept, Started | InDoubt) => !claimed,
            (Fact::NotCredited { .. }, Voided, Started | InDoubt) => !self.is_ordered(),
            _ => false,
        }
    }

    fn allows_of_claim(&self, fact: &Fact) -> bool {
        use Credit::{Credited, InDoubt, NotCredited, Untried};
        use Payment::{Adrift, Approved, Kept, Reserved, Returning, Unknown, Voided};
        let open = self.claim == Claim::Open && self.credit != Credited;
        match (fact, self.payment, self.credit) {
            (Fact::Claimed, Unknown, Untried | NotCredited) => true,
            (Fact::Claimed, Adrift | Reserved | Kept | Returning, NotCredited) => true,
            (Fact::Claimed, Adrift | Reserved | Kept | Voided, InDoubt) => true,
            (Fact::LeftToCentral, Unknown | Adrift | Reserved | Returning, credit) => {
                (open && !self.awaits_lapse()) || credit == Credited
            }
            (Fact::ClaimSettled { .. }, ..) => open && !self.is_ordered(),
            // Another terminal had central's order; or this one had, and the other was first.
            (Fact::CreditedElsewhere { .. }, Approved | Adrift | Reserved | Kept | Voided, InDoubt) => true,
            (Fact::CreditedElsewhere { .. }, Kept | Payment::Elsewhere, _) => open,
            (Fact::CreditedElsewhere { .. }, ..) => open && self.left_to_central,
            (Fact::Ordered { .. }, Payment::None, _) => true,
            // Of a claim of this terminal's own: where the payment is here, or left for central to judge.
            (Fact::Ordered { .. }, Kept, _) => open,
            (Fact::Ordered { .. }, Unknown | Adrift | Returning, _) => open && self.left_to_central,
            (Fact::OrderCredited { .. } | Fact::OrderLapsed { .. }, ..) => self.is_ordered(),
            _ => false,
        }
    }

    fn check_amounts(&self, fact: &Fact) -> Result<(), IllegalStep> {
        let amount = self.subject.amount;
        let fits = match fact {
            Fact::Intent { purse_seen, .. } | Fact::Ordered { purse_seen, .. } => {
                amount > Cents::ZERO && !purse_seen.is_negative() && purse_seen.checked_add(amount).is_some()
            }
            Fact::Authorised { approval } if self.is_before(&approval.reference) => {
                return Err(IllegalStep::OldApproval);
            }
            Fact::Authorised { approval } => approval.amount == amount,
            // Fresh from the card the sum must be exact; later it may have been spent from.
            Fact::Credited { before, after } if self.credit == Credit::Started => {
                before.checked_add(amount) == Some(*after)
            }
            Fact::ClaimSettled { by: Settlement::PaidOut | Settlement::FoundCredited } => self.held == -amount,
            _ => true,
        };
        if fits { Ok(()) } else { Err(IllegalStep::WrongAmount(fact.kind())) }
    }

    /// It names the receipt that was the payment terminal's last when the intent was journalled.
    fn is_before(&self, reference: &PaymentReference) -> bool {
        let before = self.payment_terminal.as_ref();
        let elsewhere = before.is_some_and(|terminal| *terminal != reference.terminal);
        self.receipt_before != 0 && reference.receipt == self.receipt_before && !elsewhere
    }

    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Intent { counter_seen, purse_seen, receipt_before, day, order, payment_terminal } => {
                self.payment = Payment::Asked;
                (self.counter_seen, self.receipt_before) = (*counter_seen, *receipt_before);
                (self.purse_seen, self.day) = (*purse_seen, *day);
                (self.order, self.payment_terminal) = (*order, payment_terminal.clone());
            }
            Fact::Ordered { counter_seen, purse_seen, day, expires } => {
                if self.payment == Payment::None {
                    (self.payment, self.claim) = (Payment::Elsewhere, Claim::Open);
                    (self.purse_seen, self.day) = (*purse_seen, *day);
                }
                (self.counter_ordered, self.expires) = (*counter_seen, *expires);
                // Central answers for it that the citizen is owed the amount.
                self.held_elsewhere = Cents(-self.subject.amount.0.saturating_add(self.held.0));
            }
            Fact::Authorised { approval } => {
                // Found by asking again: nobody waits for our answer any more.
                self.payment = if self.payment == Payment::Asked { Payment::Approved } else { Payment::Adrift };
                self.approval = Some(approval.clone());
            }
            Fact::Declined { .. } | Fact::NeverMade => self.payment = Payment::NotPaid,
            Fact::PaymentUnknown => self.payment = Payment::Unknown,
            Fact::CreditStarted => self.credit = Credit::Started,
            Fact::Credited { .. } | Fact::OrderCredited { .. } => self.credit = Credit::Credited,
            Fact::CreditedElsewhere { .. } => self.credited_elsewhere(),
            Fact::OrderLapsed { .. } => self.held_elsewhere = Cents::ZERO,
            Fact::Reserved { until } => (self.payment, self.until) = (Payment::Reserved, *until),
            Fact::CaptureOwed { .. } => {}
            Fact::ReversalStarted => self.payment = Payment::Returning,
            Fact::ReversalFailed => self.payment = Payment::Kept,
            Fact::NotCredited { .. } => self.credit = Credit::NotCredited,
            Fact::InDoubt => self.credit = Credit::InDoubt,
            Fact::AnswerInDoubt => self.payment = Payment::Adrift,
            // Booked while it was to be released: that is still to be undone.
            Fact::Posted if self.payment == Payment::Returning => {}
            Fact::Posted => self.payment = Payment::Kept,
            Fact::Voided => self.payment = Payment::Voided,
            Fact::Claimed => self.claim = Claim::Open,
            Fact::LeftToCentral => self.left_to_central = true,
            Fact::ClaimSettled { .. } => self.claim = Claim::Settled,
            Fact::LossCreditedButReversed | Fact::LossCaptureExpired => self.loss_booked = true,
        }
    }

    fn credited_elsewhere(&mut self) {
        self.credit = Credit::Credited;
        // The other terminal's entry took the amount out of the claims.
        self.held_elsewhere.0 = self.held_elsewhere.0.saturating_add(self.subject.amount.0);
    }
}

/// A sum over some accounts after postings. Moving the holding from transit to claims leaves the holding as it is.
fn moved(before: Cents, postings: &[Posting], of: impl Fn(Account) -> bool) -> Cents {
    let moved: i64 = postings.iter().filter(|posting| of(posting.account)).map(|posting| posting.amount.0).sum();
    Cents(before.0.saturating_add(moved))
}
