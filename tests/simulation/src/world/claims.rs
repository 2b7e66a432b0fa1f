//! What central knows of open claims, and when it orders another terminal to finish one.

use super::central::Central;
use domain::card::CityOrder;
use domain::holder::OpenTopUp;
use domain::{CardNumber, Cents, Generation, Timestamp, TopUpId};
use ledger::{Entry, Fact};
use protocol::CardSeen;

/// How long an order holds, milliseconds.
pub const ORDER_MS: i64 = 3 * 86_400_000;

/// A top-up, as far as an order needs it.
#[derive(Debug, Clone)]
pub struct Claim {
    card: CardNumber,
    generation: Generation,
    amount: Cents,
    counter_seen: u32,
    kept: bool,
    claimed: bool,
    /// It ended, or may have been given back: nothing may be credited.
    closed: bool,
    order: Option<CityOrder>,
}

impl Claim {
    fn is_open(&self) -> bool {
        self.claimed && !self.closed
    }
}

impl Central {
    pub(super) fn learn_of_claim(&mut self, entry: &Entry) {
        let id = entry.subject.top_up;
        if let Fact::Intent { counter_seen, .. } = &entry.fact {
            let claim = Claim {
                card: entry.subject.card,
                generation: entry.subject.generation,
                amount: entry.subject.amount,
                counter_seen: *counter_seen,
                kept: false,
                claimed: false,
                closed: false,
                order: None,
            };
            self.claims.insert(id, claim);
        }
        let Some(claim) = self.claims.get_mut(&id) else { return };
        match &entry.fact {
            Fact::Posted => claim.kept = true,
            Fact::Claimed => claim.claimed = true,
            Fact::Voided
            | Fact::Declined { .. }
            | Fact::NeverMade
            | Fact::Credited { .. }
            | Fact::CreditedElsewhere { .. }
            | Fact::OrderCredited { .. }
            | Fact::ReversalStarted
            | Fact::ClaimSettled { .. } => claim.closed = true,
            _ => {}
        }
    }

    /// A card was seen: the order that its evidence brings, the same one while it holds.
    pub(super) fn see_card(&mut self, seen: &CardSeen, at: Timestamp) -> Option<CityOrder> {
        let id = TopUpId(seen.claim?);
        let claim = self.claims.get_mut(&id).filter(|claim| claim.is_open() && claim.card.0 == seen.card)?;
        if seen.records.iter().any(|record| record.top_up == id.0) {
            claim.closed = true;
            return None;
        }
        let next = claim.counter_seen.saturating_add(1);
        let proven = seen.counter == claim.counter_seen || seen.records.iter().any(|record| record.counter == next);
        if !claim.kept || !proven {
            return None;
        }
        // Another order only when the card has moved past the one before, or that one is over.
        let stands = claim.order.filter(|order| at < order.expires && order.counter == seen.counter);
        let order = stands.unwrap_or(CityOrder {
            top_up: id,
            card: claim.card,
            generation: claim.generation,
            amount: claim.amount,
            counter: seen.counter,
            expires: at.plus_ms(ORDER_MS),
        });
        claim.order = Some(order);
        Some(order)
    }

    /// The open top-ups of a card, as its tap record carries them; what a record says may be old.
    #[must_use]
    pub fn open_of(&self, card: CardNumber) -> Vec<OpenTopUp> {
        let open = self.claims.iter().filter(|(_, claim)| claim.card == card && claim.is_open());
        open.map(|(id, claim)| OpenTopUp { top_up: *id, amount: claim.amount, order: claim.order }).collect()
    }

    /// The newest order for a top-up.
    #[must_use]
    pub fn order_of(&self, id: TopUpId) -> Option<CityOrder> {
        self.claims.get(&id).and_then(|claim| claim.order)
    }
}
