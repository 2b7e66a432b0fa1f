//! What the word of a device, the clock or a start adds to what is known of a top-up: the facts to be journalled, in
//! order. A word that decides nothing adds none.

use crate::{Claim, Credit, Fact, Kind, Payment, TopUp};
use domain::card::CreditVerdict;
use domain::device::{PaymentOrder, PaymentVerdict};
use domain::{FailureCode, TerminalId, Timestamp};

impl TopUp {
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
    /// contradicts the journal (another payment, or no payment after an approval) decides nothing. A reservation that
    /// is found lapses at the latest `reservation_ms` from `now`.
    #[must_use]
    pub fn facts_from_payment(&self, verdict: &PaymentVerdict, now: Timestamp, reservation_ms: u64) -> Vec<Fact> {
        if self.is_ordered() || self.outcome().is_some() {
            return Vec::new();
        }
        let until = now.plus_ms(i64::try_from(reservation_ms).unwrap_or(i64::MAX));
        let (approval, end) = match verdict {
            PaymentVerdict::Paid(approval) => (approval, Fact::Posted),
            PaymentVerdict::Reversed(approval) => (approval, Fact::Voided),
            PaymentVerdict::Reserved(approval) if self.order == PaymentOrder::PreAuthorise => {
                (approval, Fact::Reserved { until })
            }
            PaymentVerdict::NeverMade if self.payment == Payment::Unknown => return vec![Fact::NeverMade],
            PaymentVerdict::NeverMade | PaymentVerdict::Reserved(_) | PaymentVerdict::Unknown => return Vec::new(),
        };
        let same = self
            .approval
            .as_ref()
            .is_some_and(|known| known.reference == approval.reference && known.amount == approval.amount);
        match (self.payment, &end) {
            (Payment::Unknown, _) if approval.amount == self.subject.amount => {
                vec![Fact::Authorised { approval: approval.clone() }, end]
            }
            (Payment::Adrift, _) if same => vec![end],
            // Asked again before booking or releasing, or after one of them whose answer was lost.
            (Payment::Reserved, Fact::Reserved { .. }) if same => self.lapse(now).into_iter().collect(),
            (Payment::Reserved, _) if same && !self.card_is_at_work() => vec![end],
            // Asked again before a reversal.
            (Payment::Kept, Fact::Voided) if self.may_reverse() && same => vec![end],
            // Or after one was begun, whose answer was lost. That the payment stands so far proves nothing.
            (Payment::Returning, Fact::Reserved { .. }) if same => self.lapse(now).into_iter().collect(),
            (Payment::Returning, _) if same && !self.has(end.kind()) => vec![end],
            _ => Vec::new(),
        }
    }

    /// What a booking that failed for certain adds to what is known: it is owed, and once the reservation has lapsed
    /// it is a loss, or nobody was charged.
    #[must_use]
    pub fn facts_from_failed_capture(&self, code: FailureCode, now: Timestamp) -> Vec<Fact> {
        if !self.may_capture() {
            return Vec::new();
        }
        let owed = (!self.has(Kind::CaptureOwed)).then_some(Fact::CaptureOwed { code });
        owed.into_iter().chain(self.lapse(now)).collect()
    }

    /// What the passing of time adds to what is known: a reservation that was never to be booked has lapsed. The
    /// payment terminal is asked first, since somebody may have booked it there by hand; this is said when it cannot
    /// tell.
    #[must_use]
    pub fn facts_from_time(&self, now: Timestamp) -> Vec<Fact> {
        let never_booked = matches!(self.credit, Credit::Untried | Credit::NotCredited);
        if never_booked && self.outcome().is_none() { self.lapse(now).into_iter().collect() } else { Vec::new() }
    }

    /// What is true of a reservation that is not booked, once it has lapsed. While the card is being credited nothing
    /// is said: its answer comes first.
    fn lapse(&self, now: Timestamp) -> Option<Fact> {
        if !self.is_reserved() || now < self.until || self.card_is_at_work() {
            return None;
        }
        Some(if self.credit == Credit::Credited { Fact::LossCaptureExpired } else { Fact::Voided })
    }

    /// Being credited, or in doubt while the visit lasts: the card's answer comes first.
    fn card_is_at_work(&self) -> bool {
        match self.credit {
            Credit::Started => true,
            Credit::InDoubt => self.claim == Claim::None,
            Credit::Untried | Credit::Credited | Credit::NotCredited => false,
        }
    }

    /// What a card's verdict adds to what is known; empty when it decides nothing, or when under a claim it proves
    /// that the credit is still owed ([`TopUp::permit_credit_again`]). Not credited is decided here only where the
    /// money then goes back, or where central's order has lapsed. `here` is this terminal: a record that names
    /// another one was written there, on central's order.
    #[must_use]
    pub fn facts_from_card(&self, verdict: CreditVerdict, here: TerminalId, now: Timestamp) -> Vec<Fact> {
        let money_waits = self.claim == Claim::Open && self.payment != Payment::Voided;
        match verdict {
            CreditVerdict::Credited { before, now: after, by } if self.wants_card() => {
                match by {
                    Some(by) if by != here => vec![Fact::CreditedElsewhere { by, before, after }],
                    _ if self.is_ordered() => vec![Fact::OrderCredited { before, after }],
                    _ if self.credit == Credit::InDoubt || self.payment == Payment::Kept => {
                        vec![Fact::Credited { before, after }]
                    }
                    // Proven not credited here before, and only central can judge it now.
                    _ => Vec::new(),
                }
            }
            CreditVerdict::NotCredited if self.is_ordered() && now >= self.expires => {
                vec![Fact::OrderLapsed { code: FailureCode::FeedTooOld }]
            }
            CreditVerdict::NotCredited
                if self.credit == Credit::InDoubt && !money_waits && self.outcome().is_none() =>
            {
                vec![Fact::NotCredited { code: FailureCode::CardTorn }]
            }
            _ => Vec::new(),
        }
    }

    /// What the card's refusal of a credit adds to what is known: certain that this attempt credited nothing.
    #[must_use]
    pub fn facts_from_refusal(&self, code: FailureCode) -> Vec<Fact> {
        if self.credit == Credit::Started {
            return vec![Fact::NotCredited { code }];
        }
        // The order names one counter, and the card is past it.
        let moved = self.is_ordered() && code == FailureCode::CounterMoved;
        moved.then_some(Fact::OrderLapsed { code }).into_iter().collect()
    }
}
