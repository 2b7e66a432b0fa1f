//! Everything that a tap reads.

use super::CardSession;
use crate::desfire::Status;
use crate::error::CardError;
use crate::layout::{self, Identity};
use crate::plausibility::{self, NeedsCheck};
use crate::transport::Transport;
use domain::card::{CardSnapshot, Movement, PinTries, Presentation, Technology, TopUpRecord, Wishes};
use domain::{Cents, Handle};
use keys::CommMode;

/// Everything read from a card when it is laid down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContents {
    /// What the card is made of.
    pub technology: Technology,
    /// Number, generation and secret.
    pub identity: Identity,
    /// The purse, for display; `None` where the file does not grant GetValue freely.
    pub purse: Option<Cents>,
    /// Why the purse needs a check: it contradicts its own records, or holds what no purse may.
    pub needs_check: Option<NeedsCheck>,
    /// Newest first; the personalisation's record 0 is one of them while the file still holds it.
    pub top_ups: Vec<TopUpRecord>,
    /// Newest first, without the personalisation's record 0.
    pub movements: Vec<Movement>,
    /// The PIN tries.
    pub tries: PinTries,
    /// The wishes.
    pub wishes: Wishes,
}

impl CardContents {
    /// The snapshot for the session, once the secret lies in the vault under `secret`.
    #[must_use]
    pub fn into_snapshot(self, presentation: Presentation, secret: Option<Handle>) -> CardSnapshot {
        CardSnapshot {
            presentation,
            technology: self.technology,
            number: self.identity.number,
            generation: self.identity.generation,
            secret,
            purse: self.purse,
            needs_check: self.needs_check.is_some(),
            top_ups: self.top_ups,
            movements: self.movements,
            tries: self.tries,
            wishes: self.wishes,
        }
    }
}

impl<T: Transport> CardSession<T> {
    pub(super) fn read_contents(&mut self) -> Result<CardContents, CardError> {
        let files = self.layout.files;
        let card = &mut self.card;
        let identity = layout::read_identity(&card.read_data(files.identity, layout::IDENTITY_LENGTH)?)?;
        let top_ups = layout::read_top_ups(&card.records(files.top_ups)?)?;
        let movements = layout::read_movements(&card.records(files.movements)?)?;
        let tries = layout::read_tries(&card.read_data(files.tries, layout::TRIES_LENGTH)?)?;
        let wishes = layout::read_wishes(&card.read_data(files.wishes, layout::WISHES_LENGTH)?)?;
        // Last, because a refusal ends the card's session.
        let mut purse = self.shown_value()?;
        let mut needs_check = plausibility::of_desfire(purse, &top_ups);
        if needs_check.is_some() && purse.is_some() {
            // On EV2 this value alone travels unprotected: a bit lost in the air must send nobody to the office.
            purse = self.shown_value()?;
            needs_check = plausibility::of_desfire(purse, &top_ups);
        }
        let technology = self.technology;
        Ok(CardContents { technology, identity, purse, needs_check, top_ups, movements, tries, wishes })
    }

    /// The purse for display; `None` where the file does not grant GetValue freely, and the session is over then.
    pub(super) fn shown_value(&mut self) -> Result<Option<Cents>, CardError> {
        match self.card.value(self.layout.files.purse, CommMode::Plain) {
            Ok(value) => Ok(Some(Cents(i64::from(value)))),
            Err(CardError::Refused { status: Status::PermissionDenied | Status::AuthenticationError, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
