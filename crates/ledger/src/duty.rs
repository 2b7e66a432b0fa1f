//! What must be done next for a top-up, what a restart has to write down first, and which effect on money may be
//! asked for.

use crate::{Claim, Credit, Fact, IllegalStep, Payment, TopUp};
use domain::card::CreditVerdict;
use domain::device::{PaymentApproval, PaymentIntent, PaymentVerdict};
use domain::{FailureCode, TopUpId};

/// The next thing to do for a top-up, from its facts alone: the same after a restart as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// Journal the intent.
    JournalIntent,
    /// Ask for the payment (once), and wait for its outcome.
    AwaitPayment,
    /// Ask the payment terminal what became of the payment.
    ResolvePayment(PaymentIntent),
    /// Journal `CreditStarted` and credit; or `NotCredited` when the card is not coming.
    StartCredit,
    /// The card is being credited: wait for its outcome.
    AwaitCredit,
    /// Ask the card, when it is next seen, whether it was credited. While a visit lasts the payment terminal is
    /// held; when it cannot be held longer the payment is settled, when the visit ends a claim is made.
    ResolveCard,
    /// Tell the payment terminal to keep the money.
    Settle,
    /// Tell the payment terminal to give the money back.
    Refuse,
    /// Reverse the payment, if it is still the payment terminal's last one; otherwise make a claim.
    Reverse(PaymentApproval),
    /// Journal `LossCreditedButReversed`.
    BookLoss,
    /// At the next sight of the card: ask it, and when it proves that nothing was credited, credit it now under the
    /// same id, while its counter is the one journalled.
    FinishClaim,
    /// Only central can decide, from the acquirer's statement.
    AwaitCentral,
    /// It is over.
    Nothing,
}

/// An effect that moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoneyEffect {
    /// Ask the payment terminal for the amount.
    Authorise,
    /// Credit the card for the first time.
    Credit,
    /// Credit the card after it proved that the attempt before did nothing.
    CreditAgain,
    /// Answer the payment terminal: keep the money.
    Settle,
    /// Answer the payment terminal: give the money back.
    Refuse,
    /// Reverse a kept payment.
    Reverse,
}

/// Leave for one effect. It can be had only from a state that allows the effect, and names the journal sequence that
/// must be durable before the effect is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    top_up: TopUpId,
    effect: MoneyEffect,
    after_seq: u64,
}

impl Permit {
    /// On whose behalf.
    #[must_use]
    pub fn top_up(self) -> TopUpId {
        self.top_up
    }

    /// The effect.
    #[must_use]
    pub fn effect(self) -> MoneyEffect {
        self.effect
    }

    /// The journal sequence that must be durable first.
    #[must_use]
    pub fn after_seq(self) -> u64 {
        self.after_seq
    }
}

impl TopUp {
    /// What must be done next.
    #[must_use]
    pub fn duty(&self) -> Duty {
        if self.outcome().is_some() {
            return Duty::Nothing;
        }
        match (self.payment, self.credit) {
            (Payment::None, _) => Duty::JournalIntent,
            (Payment::Asked, _) => Duty::AwaitPayment,
            (_, Credit::Started) => Duty::AwaitCredit,
            (Payment::Unknown | Payment::Adrift, _) if !self.left_to_central => {
                Duty::ResolvePayment(self.payment_intent())
            }
            (Payment::Voided, Credit::Credited) => Duty::BookLoss,
            (Payment::Kept, _) if self.claim == Claim::Open => Duty::FinishClaim,
            (_, Credit::InDoubt) => Duty::ResolveCard,
            (Payment::Approved | Payment::Kept, Credit::Untried) => Duty::StartCredit,
            (Payment::Approved, Credit::Credited) => Duty::Settle,
            (Payment::Approved, Credit::NotCredited) => Duty::Refuse,
            (Payment::Kept, Credit::NotCredited) => self.approval.clone().map_or(Duty::AwaitCentral, Duty::Reverse),
            (Payment::Unknown | Payment::Adrift, _) => Duty::AwaitCentral,
            // Ended: `outcome` said so above.
            (Payment::NotPaid | Payment::Voided, _) | (Payment::Kept, Credit::Credited) => Duty::Nothing,
        }
    }

    /// Whether the next sight of its card helps, whatever else is open.
    #[must_use]
    pub fn wants_card(&self) -> bool {
        self.outcome().is_none()
            && (self.credit == Credit::InDoubt || (self.claim == Claim::Open && self.payment == Payment::Kept))
    }

    /// What a start must journal for this top-up before anything else happens: what was in flight is in doubt now,
    /// and what was never started will not be. Journalling it also makes durable whatever was read at the start.
    #[must_use]
    pub fn facts_at_start(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        match self.payment {
            Payment::Asked => facts.push(Fact::PaymentUnknown),
            Payment::Approved => facts.push(Fact::AnswerInDoubt),
            _ => {}
        }
        let may_be_paid = !matches!(self.payment, Payment::None | Payment::NotPaid | Payment::Voided);
        match self.credit {
            Credit::Started => facts.push(Fact::InDoubt),
            Credit::Untried if may_be_paid && self.claim == Claim::None => {
                facts.push(Fact::NotCredited { code: FailureCode::Restarted });
            }
            _ => {}
        }
        facts
    }

    /// What a payment terminal's verdict adds to what is known; empty when it decides nothing. A verdict that
    /// contradicts the journal (another payment, or no payment after an approval) decides nothing.
    #[must_use]
    pub fn facts_from_payment(&self, verdict: &PaymentVerdict) -> Vec<Fact> {
        let (approval, end) = match verdict {
            PaymentVerdict::Paid(approval) => (approval, Fact::Posted),
            PaymentVerdict::Reversed(approval) => (approval, Fact::Voided),
            PaymentVerdict::NeverMade if self.payment == Payment::Unknown => return vec![Fact::NeverMade],
            PaymentVerdict::NeverMade | PaymentVerdict::Unknown => return Vec::new(),
        };
        let same = |known: &PaymentApproval| known.reference == approval.reference && known.amount == approval.amount;
        let kept = end == Fact::Posted;
        match self.payment {
            Payment::Unknown if approval.amount == self.subject.amount => {
                vec![Fact::Authorised { approval: approval.clone() }, end]
            }
            Payment::Adrift if self.approval.as_ref().is_some_and(same) => vec![end],
            // Asked again before a reversal, or after one whose answer was lost.
            Payment::Kept if !kept && self.may_reverse() && self.approval.as_ref().is_some_and(same) => vec![end],
            _ => Vec::new(),
        }
    }

    /// What a card's verdict adds to what is known; empty when it decides nothing, or when under a claim it proves
    /// that the credit is still owed ([`TopUp::permit_credit_again`]). Not credited is decided here only where the
    /// money then goes back.
    #[must_use]
    pub fn facts_from_card(&self, verdict: CreditVerdict) -> Vec<Fact> {
        let money_waits = self.claim == Claim::Open && self.payment != Payment::Voided;
        match verdict {
            CreditVerdict::Credited { before, now } if self.wants_card() => {
                vec![Fact::Credited { before, after: now }]
            }
            CreditVerdict::NotCredited if self.credit == Credit::InDoubt && !money_waits => {
                vec![Fact::NotCredited { code: FailureCode::CardTorn }]
            }
            _ => Vec::new(),
        }
    }

    /// Leave for an effect, with the sequence number it must wait for.
    ///
    /// # Errors
    /// `IllegalStep::NotPermitted` when the state does not allow it; `CreditAgain` never here, since it needs the
    /// card's proof.
    pub fn permit(&self, effect: MoneyEffect) -> Result<Permit, IllegalStep> {
        let allowed = match effect {
            MoneyEffect::Authorise => self.payment == Payment::Asked,
            MoneyEffect::Credit => {
                self.credit == Credit::Started && matches!(self.payment, Payment::Approved | Payment::Kept)
            }
            MoneyEffect::CreditAgain => false,
            MoneyEffect::Settle => {
                self.payment == Payment::Approved && matches!(self.credit, Credit::Credited | Credit::InDoubt)
            }
            MoneyEffect::Refuse => self.payment == Payment::Approved && self.credit == Credit::NotCredited,
            MoneyEffect::Reverse => self.may_reverse(),
        };
        self.grant(effect, allowed)
    }

    /// Leave to credit once more, on the card's proof that nothing was credited: within the visit while the money is
    /// held or kept, or later to finish a claim whose money is kept.
    ///
    /// # Errors
    /// `IllegalStep::NotPermitted` without the proof, or when the money is not known to be there.
    pub fn permit_credit_again(&self, verdict: CreditVerdict) -> Result<Permit, IllegalStep> {
        let in_visit = self.credit == Credit::InDoubt && matches!(self.payment, Payment::Approved | Payment::Kept);
        let claimed = self.claim == Claim::Open && self.payment == Payment::Kept && self.credit != Credit::Credited;
        let proven = verdict == CreditVerdict::NotCredited;
        self.grant(MoneyEffect::CreditAgain, proven && (in_visit || claimed) && self.outcome().is_none())
    }

    fn may_reverse(&self) -> bool {
        self.payment == Payment::Kept && self.credit == Credit::NotCredited && self.claim == Claim::None
    }

    fn grant(&self, effect: MoneyEffect, allowed: bool) -> Result<Permit, IllegalStep> {
        if !allowed {
            return Err(IllegalStep::NotPermitted(effect));
        }
        Ok(Permit { top_up: self.subject.top_up, effect, after_seq: self.last_seq })
    }
}
