//! One citizen's visit: what is known while their card lies in the tray. Dropped whole at its end.

use domain::card::{CardSnapshot, CityOrder, Presentation};
use domain::document::DocumentKind;
use domain::holder::{PinFacts, Role, TapFacts};
use domain::{Cents, FailureCode, TopUpId};
use std::collections::BTreeSet;

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) card: CardSnapshot,
    /// `None` while the record is looked for.
    pub(crate) tap: Option<Result<TapFacts, FailureCode>>,
    /// Opened with the PIN.
    pub(crate) pin: Option<PinFacts>,
    /// The purse as last read from the card.
    pub(crate) purse: Option<Cents>,
    /// The card lies in the tray.
    pub(crate) present: bool,
    /// The citizen asked to cover what is private.
    pub(crate) covered: bool,
    /// The attempts at the PIN that this terminal's journal remembers.
    pub(crate) attempt_floor: u32,
    /// A technician's, whose PIN is proven.
    pub(crate) maintains: bool,
    /// The document asked for last, which a mended printer may print again.
    pub(crate) wanted: Option<DocumentKind>,
    /// The PIN was known before the document was chosen: its step is left out.
    pub(crate) pin_kept: bool,
    /// The document asked for last was ordered while central could not be reached.
    pub(crate) issued_offline: bool,
    /// An earlier top-up that this visit's sight of the card has just settled.
    pub(crate) settled: Option<Cents>,
    /// Central's orders for this card that were not taken yet.
    pub(crate) orders: Vec<CityOrder>,
    /// For which laying-down the credit key was asked for on behalf of an order.
    pub(crate) key_asked: Option<Presentation>,
    /// For which laying-down it was proven.
    pub(crate) key_proven: Option<Presentation>,
    /// A payment waits for an order to be finished.
    pub(crate) pay_waits: bool,
    /// The claims central was told of.
    pub(crate) reported: BTreeSet<TopUpId>,
}

impl Visit {
    pub(crate) fn new(card: CardSnapshot) -> Self {
        let purse = card.purse;
        Self {
            card,
            tap: None,
            pin: None,
            purse,
            present: true,
            covered: false,
            attempt_floor: 0,
            maintains: false,
            wanted: None,
            pin_kept: false,
            issued_offline: false,
            settled: None,
            orders: Vec::new(),
            key_asked: None,
            key_proven: None,
            pay_waits: false,
            reported: BTreeSet::new(),
        }
    }

    /// The card was laid back: the newer reading counts, what was opened stays.
    pub(crate) fn resume(&mut self, card: CardSnapshot) {
        self.purse = card.purse.or(self.purse);
        self.card = card;
        self.present = true;
    }

    pub(crate) fn is(&self, presentation: Presentation) -> bool {
        self.card.presentation == presentation
    }

    pub(crate) fn same_card(&self, card: &CardSnapshot) -> bool {
        (self.card.number, self.card.generation) == (card.number, card.generation)
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.tap == Some(Err(FailureCode::CardRevoked))
    }

    pub(crate) fn is_technicians(&self) -> bool {
        self.tap_facts().is_some_and(|facts| facts.role == Role::Technician)
    }

    pub(crate) fn tap_facts(&self) -> Option<&TapFacts> {
        self.tap.as_ref().and_then(|tap| tap.as_ref().ok())
    }
}
