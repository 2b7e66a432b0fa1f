//! What must be done next for a top-up, and which effect on money may be asked for.

use crate::{Claim, Credit, IllegalStep, Kind, Payment, TopUp};
use domain::card::CreditVerdict;
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder};
use domain::{Timestamp, TopUpId};

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
    /// Take the reservation's approval: journal `Reserved` when the payment terminal confirms it.
    Acknowledge,
    /// Book the reservation, if it still stands open; it is asked about first, and never booked twice.
    Capture(PaymentApproval),
    /// Journal `ReversalStarted`, then release the reservation, if it still stands open.
    Release(PaymentApproval),
    /// Nothing until the reservation has lapsed by itself ([`TopUp::reserved_until`]); then ask the payment terminal,
    /// and where it cannot tell believe the clock ([`TopUp::facts_from_time`]).
    AwaitLapse,
    /// Journal `ReversalStarted`, then reverse the payment, if it is still the payment terminal's last one: it is asked
    /// about first, each time. When that cannot be told, make a claim and leave it to central.
    Reverse(PaymentApproval),
    /// Journal `LossCreditedButReversed`.
    BookLoss,
    /// Journal `LeftToCentral`: a claim whose payment was being given back.
    LeaveToCentral,
    /// At the next sight of the card: ask it, and when it proves that nothing was credited, credit it now under the
    /// same id, while its counter is the one journalled, or the one central's order names.
    FinishClaim,
    /// Only central can decide, from the acquirer's statement.
    AwaitCentral,
    /// It is over.
    Nothing,
}

/// An effect that moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoneyEffect {
    /// Ask the payment terminal for the amount, or to reserve it, as the order says.
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
    /// Answer the payment terminal: the reservation is taken.
    Acknowledge,
    /// Book a reservation.
    Capture,
    /// Release a reservation.
    Release,
}

impl MoneyEffect {
    /// All effects.
    pub const ALL: [Self; 9] = [
        Self::Authorise,
        Self::Credit,
        Self::CreditAgain,
        Self::Settle,
        Self::Refuse,
        Self::Reverse,
        Self::Acknowledge,
        Self::Capture,
        Self::Release,
    ];
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
            _ if self.is_ordered() => Duty::FinishClaim,
            (Payment::Unknown | Payment::Adrift, _) if !self.left_to_central => {
                Duty::ResolvePayment(self.payment_intent())
            }
            (Payment::Voided, Credit::Credited) => Duty::BookLoss,
            (Payment::Kept, _) if self.claim == Claim::Open => Duty::FinishClaim,
            (Payment::Reserved, _) if self.may_capture() => self.with_approval(Duty::Capture),
            (_, Credit::InDoubt) => Duty::ResolveCard,
            (Payment::Approved, Credit::Untried) => match self.order {
                PaymentOrder::Vending => Duty::StartCredit,
                PaymentOrder::CaptureFirst => Duty::Settle,
                PaymentOrder::PreAuthorise => Duty::Acknowledge,
            },
            (Payment::Reserved | Payment::Returning, _) if self.awaits_lapse() => Duty::AwaitLapse,
            (Payment::Returning, _) if self.claim == Claim::Open && !self.left_to_central => Duty::LeaveToCentral,
            (Payment::Returning, _) if self.claim == Claim::Open => Duty::AwaitCentral,
            (Payment::Returning, _) if self.has(Kind::Posted) => self.with_approval(Duty::Reverse),
            (Payment::Returning, _) => self.with_approval(Duty::Release),
            (Payment::Kept | Payment::Reserved, Credit::Untried) => Duty::StartCredit,
            (Payment::Approved, Credit::Credited) => Duty::Settle,
            (Payment::Approved, Credit::NotCredited) => Duty::Refuse,
            (Payment::Kept, Credit::NotCredited) => self.with_approval(Duty::Reverse),
            (Payment::Reserved, Credit::NotCredited) => self.with_approval(Duty::Release),
            (Payment::Unknown | Payment::Adrift | Payment::Reserved, _) => Duty::AwaitCentral,
            // Ended: `outcome` said so above.
            (Payment::NotPaid | Payment::Voided | Payment::Elsewhere, _) | (Payment::Kept, Credit::Credited) => {
                Duty::Nothing
            }
        }
    }

    fn with_approval(&self, duty: fn(PaymentApproval) -> Duty) -> Duty {
        self.approval.clone().map_or(Duty::AwaitCentral, duty)
    }

    /// Whether the next sight of its card helps, whatever else is open.
    #[must_use]
    pub fn wants_card(&self) -> bool {
        let helps = self.credit == Credit::InDoubt || self.may_finish_claim() || self.is_with_central();
        self.outcome().is_none() && helps
    }

    /// Leave for an effect, with the sequence number it must wait for.
    ///
    /// # Errors
    /// `IllegalStep::NotPermitted` when the state does not allow it; `CreditAgain` never here, since it needs the
    /// card's proof.
    pub fn permit(&self, effect: MoneyEffect) -> Result<Permit, IllegalStep> {
        let allowed = match effect {
            MoneyEffect::Authorise => self.payment == Payment::Asked,
            MoneyEffect::Credit => self.credit == Credit::Started && self.money_is_there(),
            MoneyEffect::CreditAgain => false,
            MoneyEffect::Settle => self.payment == Payment::Approved && self.may_settle(),
            MoneyEffect::Acknowledge => {
                let reserves = self.order == PaymentOrder::PreAuthorise;
                reserves && (self.payment, self.credit) == (Payment::Approved, Credit::Untried)
            }
            MoneyEffect::Capture => self.may_capture(),
            MoneyEffect::Release => self.may_give_back() && !self.has(Kind::Posted),
            MoneyEffect::Refuse => self.payment == Payment::Approved && self.credit == Credit::NotCredited,
            MoneyEffect::Reverse => self.may_give_back() && self.has(Kind::Posted),
        };
        self.grant(effect, allowed)
    }

    /// Leave to credit once more, on the card's proof that nothing was credited: within the visit while the money is
    /// held, reserved or kept, or later to finish a claim whose money is kept, or which central ordered to be
    /// finished here, until `now` is past the order's expiry.
    ///
    /// # Errors
    /// `IllegalStep::NotPermitted` without the proof, or when the money is not known to be there.
    pub fn permit_credit_again(&self, verdict: CreditVerdict, now: Timestamp) -> Result<Permit, IllegalStep> {
        let unclaimed = self.claim == Claim::None;
        let reserved = self.payment == Payment::Reserved;
        let in_visit = self.credit == Credit::InDoubt && self.money_is_there() && (unclaimed || !reserved);
        let lapsed = if self.is_ordered() { now >= self.expires } else { reserved && now >= self.until };
        let proven = verdict == CreditVerdict::NotCredited && !lapsed;
        let allowed = proven && (in_visit || self.may_finish_claim()) && self.outcome().is_none();
        self.grant(MoneyEffect::CreditAgain, allowed)
    }

    /// An open claim that is still to be credited, and whose money is kept, or which central ordered to be credited.
    fn may_finish_claim(&self) -> bool {
        let kept = self.claim == Claim::Open && self.payment == Payment::Kept;
        (kept || self.is_ordered()) && self.credit != Credit::Credited
    }

    /// A claim that central may have ordered to be finished at another terminal, whose record on the card ends it.
    fn is_with_central(&self) -> bool {
        self.claim == Claim::Open && self.left_to_central && self.credit != Credit::Credited
    }

    /// Vending answers after the card, and keeps the money while the card is in doubt; capture first answers before.
    fn may_settle(&self) -> bool {
        match self.order {
            PaymentOrder::Vending => matches!(self.credit, Credit::Credited | Credit::InDoubt),
            PaymentOrder::CaptureFirst => self.credit == Credit::Untried,
            PaymentOrder::PreAuthorise => false,
        }
    }

    /// A reservation is booked for what was credited; and under a claim also while the card is in doubt, so that the
    /// claim stands on money that is kept, as in the other orders.
    pub(crate) fn may_capture(&self) -> bool {
        let owed = match self.credit {
            Credit::Credited => true,
            Credit::InDoubt => self.claim == Claim::Open,
            Credit::Untried | Credit::Started | Credit::NotCredited => false,
        };
        self.payment == Payment::Reserved && owed && !self.left_to_central && self.outcome().is_none()
    }

    /// `ReversalStarted` was said, and nobody else may be settling it.
    fn may_give_back(&self) -> bool {
        self.payment == Payment::Returning && self.claim == Claim::None && self.outcome().is_none()
    }

    pub(crate) fn may_reverse(&self) -> bool {
        self.payment == Payment::Kept && self.credit == Credit::NotCredited && self.claim == Claim::None
    }

    fn grant(&self, effect: MoneyEffect, allowed: bool) -> Result<Permit, IllegalStep> {
        if !allowed {
            return Err(IllegalStep::NotPermitted(effect));
        }
        Ok(Permit { top_up: self.subject.top_up, effect, after_seq: self.last_seq })
    }
}
