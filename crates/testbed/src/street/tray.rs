//! The tray of the street: the citizen's card, other cards, things that are no card of the city, and the reader below
//! them.

use super::{Street, Tear, holder};
use crate::StreetError;
use crate::pcsc::{PcscSandbox, SandboxError};
use card_simulator::{
    CardDescription, CardHost, FaultKind, FaultPlan, FieldCard, ForeignCard, ForeignDescription, VirtualCard, When,
    personalise,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// CommitTransaction.
const COMMIT: u8 = 0xC7;

impl Street {
    /// Lays the citizen's card in the tray.
    pub fn lay_card(&self) {
        self.tray.insert(Arc::clone(&self.card));
    }

    /// Lifts whatever lies there, also in the middle of an exchange.
    pub fn lift_card(&self) {
        self.tray.remove();
    }

    /// Swaps whatever lies there for this, faster than pcscd looks.
    pub fn lay<C: FieldCard + 'static>(&self, card: &Arc<Mutex<C>>) {
        self.tray.insert(Arc::clone(card));
    }

    /// Lays this on whatever lies there: while there are two, neither can be heard.
    pub fn lay_over<C: FieldCard + 'static>(&self, card: &Arc<Mutex<C>>) {
        self.tray.lay_over(Arc::clone(card));
    }

    /// Takes this one away; what lay under or on it can be heard again.
    pub fn take<C: FieldCard + 'static>(&self, card: &Arc<Mutex<C>>) {
        self.tray.take(card);
    }

    /// Takes the citizen's card from under another.
    pub fn take_card(&self) {
        self.tray.take(&self.card);
    }

    /// The tray, for its events.
    #[must_use]
    pub fn tray(&self) -> &CardHost {
        &self.tray
    }

    /// The card will be torn off once, at the next commit.
    pub fn tear_at(&self, tear: Tear) {
        let kind = match tear {
            Tear::BeforeCommit => FaultKind::TearBefore,
            Tear::AnswerToCommitLost => FaultKind::TearAfter,
        };
        self.plan(FaultPlan::once(When::Ins(COMMIT), kind));
    }

    /// Plans faults of the citizen's card, in the place of those planned before.
    pub fn plan(&self, faults: FaultPlan) {
        self.card().set_faults(faults);
    }

    /// A card made of the citizen's own description with a change: the same card in another state, or another card.
    ///
    /// # Errors
    /// `StreetError::Card` when no such card is possible.
    pub fn make_card(&self, change: impl FnOnce(&mut CardDescription)) -> Result<Arc<Mutex<VirtualCard>>, StreetError> {
        let mut description = self.description.clone();
        change(&mut description);
        Ok(Arc::new(Mutex::new(personalise(&description).map_err(|error| StreetError::Card(error.to_string()))?)))
    }

    /// The card of another registered citizen, as it was made.
    ///
    /// # Errors
    /// `StreetError::Card` when the city has no other with a PIN.
    pub fn neighbours_card(&self) -> Result<Arc<Mutex<VirtualCard>>, StreetError> {
        let other = holder::neighbour(&self.city, self.description.identity.number)?;
        self.make_card(|description| *description = other)
    }

    /// Something of no city.
    #[must_use]
    pub fn foreign(description: ForeignDescription) -> Arc<Mutex<ForeignCard>> {
        Arc::new(Mutex::new(ForeignCard::new(description)))
    }

    /// pcscd ends as in a crash.
    ///
    /// # Errors
    /// `StreetError`, when it cannot be ended.
    pub fn kill_reader_service(&self) -> Result<(), StreetError> {
        self.reader(PcscSandbox::kill_service)
    }

    /// pcscd ends as in an upgrade.
    ///
    /// # Errors
    /// `StreetError`, when it cannot be ended.
    pub fn stop_reader_service(&self) -> Result<(), StreetError> {
        self.reader(PcscSandbox::stop_service)
    }

    /// pcscd starts again.
    ///
    /// # Errors
    /// `StreetError`, when it does not come up.
    pub fn start_reader_service(&self) -> Result<(), StreetError> {
        self.reader(PcscSandbox::start_service)
    }

    /// The reader is pulled out.
    ///
    /// # Errors
    /// `StreetError`, when pcscd does not do without.
    pub fn unplug_reader(&self) -> Result<(), StreetError> {
        self.reader(PcscSandbox::unplug_reader)
    }

    /// The reader is plugged in again.
    ///
    /// # Errors
    /// `StreetError`, when pcscd does not come up with it.
    pub fn plug_reader(&self) -> Result<(), StreetError> {
        self.reader(PcscSandbox::plug_reader)
    }

    fn reader(&self, act: impl FnOnce(&mut PcscSandbox) -> Result<(), SandboxError>) -> Result<(), StreetError> {
        let mut pcsc: MutexGuard<'_, PcscSandbox> = self.pcsc.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(act(&mut pcsc)?)
    }
}
