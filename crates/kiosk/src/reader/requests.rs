//! What is asked of the card that was read. Each request is answered, also when its card has gone.

use super::Tray;
use super::issuer::{Held, of_order};
use super::owner::{Lying, Opened, Owner};
use crate::key_line::Sight;
use card::{CardContents, CardError};
use domain::card::{PinTries, Presentation, Technology, Wishes};
use domain::device::{CreditKey, CreditOrder, ReaderEvent, ReaderRequest};
use domain::{FailureCode, TopUpId};
use std::time::Instant;

/// How often the credit key is proven before the card counts as unreadable.
const PROOFS: u8 = 2;
/// How often wishes are written before they count as not kept.
const WISH_WRITES: u8 = 2;

impl<T: Tray> Owner<T> {
    pub(super) fn carry_out(&mut self, request: &ReaderRequest) {
        self.make_way();
        let event = match request {
            ReaderRequest::ProveCreditKey(presentation, key) => self.prove(*presentation, *key),
            ReaderRequest::Credit(order) => self.credit(order),
            ReaderRequest::Resolve { presentation, top_up, counter_seen } => {
                self.resolve(*presentation, *top_up, *counter_seen)
            }
            ReaderRequest::WriteTries(presentation, tries) => self.write_tries(*presentation, *tries),
            ReaderRequest::WriteWishes(presentation, wishes) => self.write_wishes(*presentation, wishes),
        };
        self.rested(&event);
        self.say(event);
        self.mind_departure();
    }

    /// For a technician: the reader's name, when it answers and so does the card that was read.
    pub(super) fn check(&mut self) -> Result<Option<String>, FailureCode> {
        if !self.ready {
            return Err(FailureCode::ReaderAbsent);
        }
        match &mut self.lying {
            Lying::Nothing => Ok(self.tray.name()),
            Lying::Refused(code) => Err(*code),
            Lying::Seeking { .. } => Err(FailureCode::CardUnreadable),
            Lying::Read { .. } => {
                let answers = self.card(self.presentation).is_some_and(|card| card.check_presence().is_ok());
                if answers { Ok(self.tray.name()) } else { Err(FailureCode::CardUnreadable) }
            }
        }
    }

    /// The card of this presentation, opened anew if an error closed it and the same card still lies there.
    fn card(&mut self, presentation: Presentation) -> Option<&mut Opened> {
        if presentation != self.presentation {
            return None;
        }
        let Lying::Read { session, .. } = &self.lying else { return None };
        if session.as_ref().is_none_or(|session| session.is_lost()) {
            self.reopen()?;
        }
        let Lying::Read { session, .. } = &mut self.lying else { return None };
        session.as_deref_mut()
    }

    /// Opens the card that was read once more, and reads it.
    fn reopen(&mut self) -> Option<CardContents> {
        let Lying::Read { session, .. } = &mut self.lying else { return None };
        *session = None;
        let transport = self.tray.connect(self.setup.exchange_timeout).ok()?;
        let (opened, contents) = self.open(transport).ok()?;
        let Lying::Read { session, uid, .. } = &mut self.lying else { return None };
        if opened.uid() != uid {
            return None;
        }
        *session = Some(Box::new(opened));
        Some(contents)
    }

    /// For whoever waits with the card of this presentation in hand.
    fn sight(&self) -> Sight {
        self.eye.sight(self.presentation, &self.setup.inputs)
    }

    /// A card that left while central was asked is gone, and that was told: it, or another, is looked for.
    fn mind_departure(&mut self) {
        if self.eye.has_lost_the_card() && matches!(self.lying, Lying::Read { .. }) {
            self.lying = Lying::Seeking { since: Instant::now() };
        }
    }

    /// The key for one proof or one credit; `None` when its visit is over, or it is of another kind of card.
    fn held(&self, key: CreditKey, technology: Technology, order: Option<&CreditOrder>) -> Option<Held> {
        match (key, technology) {
            (CreditKey::Record(key), Technology::DesfireEv1 | Technology::DesfireEv2) => {
                Some(Held::own(&self.setup.vault.array::<16>(key)?))
            }
            (CreditKey::Central, Technology::DesfireEv1 | Technology::DesfireEv2) => {
                Some(Held::central(self.setup.issuer.as_ref(), self.sight()))
            }
            (CreditKey::Central, Technology::Classic) => {
                let top_up = order.and_then(of_order);
                Some(Held::Classic(self.setup.issuer.classic(self.setup.layout.classic?, top_up, self.sight())))
            }
            (CreditKey::Record(_), Technology::Classic) => None,
        }
    }

    /// Asked once more when the first answer was lost: the proof changes nothing on the card.
    fn prove(&mut self, presentation: Presentation, key: CreditKey) -> ReaderEvent {
        let refused = |code| ReaderEvent::CreditKeyRefused(presentation, code);
        let mut code = FailureCode::CardUnreadable;
        for _ in 0..PROOFS {
            let Some(technology) = self.card(presentation).map(|card| card.technology()) else { return refused(code) };
            let Some(mut held) = self.held(key, technology, None) else {
                return refused(FailureCode::CreditKeyRejected);
            };
            let Some(card) = self.card(presentation) else { return refused(code) };
            match card.prove_credit_key(&mut held.keys()) {
                Ok(()) => return ReaderEvent::CreditKeyProven(presentation),
                Err(error) if error.loses_the_handle() => code = error.failure(),
                Err(error) => return refused(told(&error)),
            }
        }
        refused(code)
    }

    fn credit(&mut self, order: &CreditOrder) -> ReaderEvent {
        // Nothing was sent: certain.
        let not_credited = |code| ReaderEvent::NotCredited(order.top_up, code);
        let Some(technology) = self.card(order.presentation).map(|card| card.technology()) else {
            return not_credited(FailureCode::CardTorn);
        };
        let Some(mut held) = self.held(order.key, technology, Some(order)) else {
            return not_credited(FailureCode::CreditKeyRejected);
        };
        match self.card(order.presentation) {
            None => not_credited(FailureCode::CardTorn),
            Some(card) => card.credit(&mut held.keys(), order).into_event(order.top_up),
        }
    }

    fn resolve(&mut self, presentation: Presentation, top_up: TopUpId, counter_seen: u32) -> ReaderEvent {
        // What may have been cut off is written again before it is believed; without central the answer stays open.
        if self.card(presentation).is_some_and(|card| card.needs_repair()) {
            self.mend();
        }
        if self.card(presentation).is_none() {
            return ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable);
        }
        let Lying::Read { session: Some(card), .. } = &mut self.lying else {
            return ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable);
        };
        match card.resolve(&mut self.setup.keys, top_up, counter_seen) {
            Ok(verdict) => ReaderEvent::Resolved(top_up, verdict),
            Err(error) => ReaderEvent::ResolveFailed(top_up, error.failure()),
        }
    }

    fn write_tries(&mut self, presentation: Presentation, tries: PinTries) -> ReaderEvent {
        let failed = |code| ReaderEvent::TriesNotWritten(presentation, code);
        if self.card(presentation).is_none() {
            return failed(FailureCode::CardUnreadable);
        }
        let Lying::Read { session: Some(card), .. } = &mut self.lying else {
            return failed(FailureCode::CardUnreadable);
        };
        match card.write_tries(&mut self.setup.keys, tries, self.setup.terminal) {
            Ok(()) => ReaderEvent::TriesWritten(presentation, tries),
            Err(error) => failed(error.failure()),
        }
    }

    /// What the card holds afterwards decides: the answer to a commit may be lost, and the wishes be there.
    fn write_wishes(&mut self, presentation: Presentation, wishes: &Wishes) -> ReaderEvent {
        let failed = |code| ReaderEvent::WishesNotWritten(presentation, code);
        let mut code = FailureCode::CardUnreadable;
        for _ in 0..WISH_WRITES {
            if self.card(presentation).is_none() {
                return failed(code);
            }
            let Lying::Read { session: Some(card), .. } = &mut self.lying else { return failed(code) };
            match card.write_wishes(&mut self.setup.keys, wishes, self.setup.terminal) {
                Ok(()) => return ReaderEvent::WishesWritten(presentation, *wishes),
                Err(error) => code = error.failure(),
            }
            match self.reopen() {
                Some(contents) if contents.wishes == *wishes => {
                    return ReaderEvent::WishesWritten(presentation, *wishes);
                }
                Some(_) => {}
                None => return failed(code),
            }
        }
        failed(code)
    }

    /// Finishes what a top-up of a MIFARE Classic card that was cut off has left, if central can be asked. The next
    /// visit tries again.
    pub(super) fn mend(&mut self) {
        let Some(layout) = self.setup.layout.classic else { return };
        let mut issuer = self.setup.issuer.classic(layout, None, self.sight());
        let Some(card) = self.card(self.presentation) else { return };
        match card.repair(issuer.as_mut()) {
            Ok(true) => tracing::info!("a card that was lifted too early is whole again"),
            Ok(false) => {}
            Err(error) => tracing::info!(%error, "a card that was lifted too early stays as it is for now"),
        }
        self.mind_departure();
    }
}

/// The code for the screen; the log says what central said.
fn told(error: &CardError) -> FailureCode {
    let code = error.failure();
    if code == FailureCode::CentralUnreachable {
        tracing::info!(%code, %error, "central gave no key");
    }
    code
}
