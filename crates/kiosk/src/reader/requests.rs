//! What is asked of the card that was read. Each request is answered, also when its card has gone.

use super::owner::{Lying, Opened, Owner};
use super::{Tray, entropy};
use card::CardSession;
use domain::card::{PinTries, Presentation, Wishes};
use domain::device::{CreditKey, CreditOrder, ReaderEvent, ReaderRequest};
use domain::{FailureCode, TopUpId};
use keys::{AesKey, KeyRole, OneKey};

/// How often the credit key is proven before the card counts as unreadable.
const PROOFS: u8 = 2;

impl<T: Tray> Owner<T> {
    pub(super) fn carry_out(&mut self, request: &ReaderRequest) {
        let event = match request {
            ReaderRequest::ProveCreditKey(presentation, key) => self.prove(*presentation, *key),
            ReaderRequest::Credit(order) => self.credit(order),
            ReaderRequest::Resolve { presentation, top_up, counter_seen } => {
                self.resolve(*presentation, *top_up, *counter_seen)
            }
            ReaderRequest::WriteTries(presentation, tries) => self.write_tries(*presentation, *tries),
            ReaderRequest::WriteWishes(presentation, wishes) => self.write_wishes(*presentation, *wishes),
        };
        self.say(event);
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
        let Lying::Read { session, uid } = &mut self.lying else { return None };
        if session.as_ref().is_none_or(CardSession::is_lost) {
            *session = None;
            let transport = self.tray.connect(self.setup.exchange_timeout).ok()?;
            let (opened, _) = CardSession::open(transport, &self.setup.layout, &mut self.setup.keys).ok()?;
            if opened.uid() != uid {
                return None;
            }
            *session = Some(opened);
        }
        session.as_mut()
    }

    fn one_key(&self, key: CreditKey) -> Option<OneKey> {
        let CreditKey::Record(key) = key else { return None };
        let bytes = self.setup.vault.array::<16>(key)?;
        Some(OneKey::new(KeyRole::Credit, AesKey::new(*bytes), entropy()))
    }

    /// Asked once more when the first answer was lost: the proof changes nothing on the card.
    fn prove(&mut self, presentation: Presentation, key: CreditKey) -> ReaderEvent {
        let refused = |code| ReaderEvent::CreditKeyRefused(presentation, code);
        let Some(mut key) = self.one_key(key) else { return refused(FailureCode::CreditKeyRejected) };
        let mut code = FailureCode::CardUnreadable;
        for _ in 0..PROOFS {
            let Some(card) = self.card(presentation) else { return refused(code) };
            match card.prove_credit_key(&mut key) {
                Ok(()) => return ReaderEvent::CreditKeyProven(presentation),
                Err(error) if error.loses_the_handle() => code = error.failure(),
                Err(error) => return refused(error.failure()),
            }
        }
        refused(code)
    }

    fn credit(&mut self, order: &CreditOrder) -> ReaderEvent {
        let Some(mut key) = self.one_key(order.key) else {
            return ReaderEvent::NotCredited(order.top_up, FailureCode::CreditKeyRejected);
        };
        match self.card(order.presentation) {
            // Nothing was sent: certain.
            None => ReaderEvent::NotCredited(order.top_up, FailureCode::CardTorn),
            Some(card) => card.credit(&mut key, order).into_event(order.top_up),
        }
    }

    fn resolve(&mut self, presentation: Presentation, top_up: TopUpId, counter_seen: u32) -> ReaderEvent {
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

    fn write_wishes(&mut self, presentation: Presentation, wishes: Wishes) -> ReaderEvent {
        let failed = |code| ReaderEvent::WishesNotWritten(presentation, code);
        if self.card(presentation).is_none() {
            return failed(FailureCode::CardUnreadable);
        }
        let Lying::Read { session: Some(card), .. } = &mut self.lying else {
            return failed(FailureCode::CardUnreadable);
        };
        match card.write_wishes(&mut self.setup.keys, &wishes, self.setup.terminal) {
            Ok(()) => ReaderEvent::WishesWritten(presentation, wishes),
            Err(error) => failed(error.failure()),
        }
    }
}
