//! The tray: cards laid down, lifted, torn and swapped, and what the reader does with them.

use super::bank::Paid;
use super::kiosk::What;
use super::street::{Street, Struck};
use crate::bugs::Bug;
use crate::fault::Fault;
use crate::point::{Cut, Deed, Point};
use domain::card::Presentation;
use domain::device::{CreditOrder, ReaderEvent, ReaderRequest};
use domain::{FailureCode, TopUpId};
use session::Event;

/// How long reading a card takes, milliseconds.
const READ_MS: u64 = 150;

impl Street<'_> {
    fn reader_says(&mut self, at: usize, event: ReaderEvent, of: Option<Deed>) {
        self.say(at, 1, Event::Reader(event), of);
    }

    /// Lays a card down, after whatever lies there was taken, and takes it from wherever else it lies.
    pub fn lay(&mut self, at: usize, card: usize) {
        let lies = self.kiosks.iter().position(|kiosk| kiosk.tray == Some(card));
        lies.into_iter().for_each(|elsewhere| self.lift(elsewhere));
        self.lift(at);
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.tray = Some(card);
        }
        self.read_tray(at);
    }

    /// The reader finds what lies there.
    pub(super) fn read_tray(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let Some(card) = kiosk.tray.and_then(|card| self.cards.get(card)) else { return };
        if kiosk.process.is_none() {
            return;
        }
        kiosk.presentation += 1;
        let presentation = Presentation(kiosk.presentation);
        let read = ReaderEvent::CardRead(Box::new(card.snapshot(presentation)));
        self.say(at, 1, Event::Reader(ReaderEvent::CardArrived(presentation)), None);
        self.say(at, READ_MS, Event::Reader(read), None);
    }

    /// Takes the card out.
    pub fn lift(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        if kiosk.tray.take().is_some() {
            let presentation = Presentation(kiosk.presentation);
            self.reader_says(at, ReaderEvent::CardGone(presentation), None);
        }
    }

    /// The card is lifted in the midst of something; it may be laid back.
    pub(super) fn lift_by_fault(&mut self, at: usize) {
        let Some(card) = self.kiosks.get(at).and_then(|kiosk| kiosk.tray) else { return };
        self.lift(at);
        if let Some(ms) = self.lays_back_ms {
            self.put(at, u64::from(ms), What::LayBack(card));
        }
    }

    /// Another card takes its place.
    pub(super) fn swap(&mut self, at: usize) {
        let Some(card) = self.kiosks.get(at).and_then(|kiosk| kiosk.tray) else { return };
        self.lift_by_fault(at);
        let other = usize::from(card == 0);
        let elsewhere = self.kiosks.iter().any(|kiosk| kiosk.tray == Some(other));
        if !elsewhere {
            self.lay(at, other);
        }
    }

    pub(super) fn lay_back(&mut self, at: usize, card: usize) {
        let elsewhere = self.kiosks.iter().any(|kiosk| kiosk.tray == Some(card));
        if elsewhere || self.lays_back_ms.is_none() {
            return;
        }
        self.tell(|| format!("terminal {}: the card is laid back", at + 1));
        self.lay(at, card);
    }

    pub(super) fn read(&mut self, at: usize, deed: Deed, request: &ReaderRequest) {
        match *request {
            ReaderRequest::ProveCreditKey(presentation, _) => {
                let event = match self.card_of(at, presentation) {
                    Some(_) => ReaderEvent::CreditKeyProven(presentation),
                    None => ReaderEvent::CreditKeyRefused(presentation, FailureCode::CardUnreadable),
                };
                self.reader_says(at, event, None);
            }
            ReaderRequest::Resolve { presentation, top_up, counter_seen } => {
                if self.point(at, Point::deed(deed, Cut::Undone)) == Struck::Dead {
                    return;
                }
                let card = self.card_of(at, presentation).and_then(|card| self.cards.get(card));
                let event = match card {
                    Some(card) => ReaderEvent::Resolved(top_up, card.verdict(top_up, counter_seen)),
                    None => ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable),
                };
                if self.point(at, Point::deed(deed, Cut::Unanswered)) == Struck::Dead {
                    return;
                }
                self.tell(|| format!("terminal {}: the card is asked: {}", at + 1, told(&event)));
                self.reader_says(at, event, Some(deed));
            }
            // Neither PINs nor wishes happen here, and a credit comes by another way.
            ReaderRequest::WriteTries(..) | ReaderRequest::WriteWishes(..) | ReaderRequest::Credit(_) => {}
        }
    }

    pub(super) fn credit(&mut self, at: usize, deed: Deed, order: &CreditOrder) {
        let struck = self.point(at, Point::deed(deed, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        let id = order.top_up;
        let Some(card) = self.card_of(at, order.presentation) else {
            return self.reader_says(at, ReaderEvent::NotCredited(id, FailureCode::CardTorn), Some(deed));
        };
        if struck == Struck::Wrong(Fault::TornUncommitted) {
            return self.torn(at, deed, order);
        }
        if deed == Deed::OrderCredit && self.order_is_over(at, order.top_up) {
            return self.breaks(format!("{} is credited on an order that has expired", order.top_up));
        }
        let result = self.commit(at, card, order);
        let struck = self.point(at, Point::deed(deed, Cut::Unanswered));
        match (struck, result) {
            (Struck::Dead, _) => {}
            (Struck::Wrong(Fault::TornCommitted), _) => self.torn(at, deed, order),
            (_, Ok((before, after))) => {
                self.reader_says(at, ReaderEvent::Credited { top_up: id, before, after }, Some(deed));
            }
            (_, Err(code)) => self.reader_says(at, ReaderEvent::NotCredited(id, code), Some(deed)),
        }
    }

    fn is_credited(&self, id: TopUpId) -> bool {
        self.cards.iter().any(|card| card.times_credited(id) > 0)
    }

    /// By this terminal's own clock, and by more than it takes from the question to the commit.
    fn order_is_over(&self, at: usize, id: TopUpId) -> bool {
        let expires = self.central.order_of(id).map(|order| order.expires);
        expires.is_some_and(|expires| self.now(at).wall > expires.plus_ms(10_000))
    }

    fn commit(
        &mut self,
        at: usize,
        card: usize,
        order: &CreditOrder,
    ) -> Result<(domain::Cents, domain::Cents), FailureCode> {
        let Some(card) = self.cards.get_mut(card) else { return Err(FailureCode::CardTorn) };
        let (number, result) = (card.number, card.credit(order, self.bug));
        let moved = result.is_ok() && card.counter() != order.counter_seen.saturating_add(1);
        let times = card.times_credited(order.top_up);
        match &result {
            Ok((before, after)) => {
                let (before, after) = (before.0, after.0);
                self.tell(|| format!("terminal {}: the card is credited, {before} to {after} cents", at + 1));
            }
            Err(code) => {
                let code = *code;
                self.tell(|| format!("terminal {}: the card refuses the credit: {code}", at + 1));
            }
        }
        if times > 1 {
            self.breaks(format!("credited twice: {}", order.top_up));
        }
        let open = |id: &TopUpId| self.bank.of(*id).any(|payment| payment.paid != Paid::Undone);
        let mut of_card = self.begun.iter().filter(|(id, (_, card))| *card == number.0 && **id != order.top_up);
        let moves_on = result.is_ok() && of_card.any(|(id, _)| open(id) && !self.is_credited(*id));
        if moves_on {
            self.tally.happened(Fault::MovedOn);
        }
        if moved {
            self.breaks(format!("{} is credited though the card's counter has moved since its intent", order.top_up));
        }
        let meant = self.begun.get(&order.top_up).copied();
        if result.is_ok() && meant.is_some_and(|meant| meant != (order.amount.0, number.0)) {
            self.breaks(format!("credited another amount, or another card, than {} was begun for", order.top_up));
        }
        result
    }

    /// The answer to the commit is lost with the card.
    fn torn(&mut self, at: usize, deed: Deed, order: &CreditOrder) {
        let event = match self.bug {
            Some(Bug::RefundInDoubt) => ReaderEvent::NotCredited(order.top_up, FailureCode::CardTorn),
            _ => ReaderEvent::CreditInDoubt(order.top_up),
        };
        let card = self.kiosks.get(at).and_then(|kiosk| kiosk.tray);
        self.reader_says(at, event, Some(deed));
        self.lift_by_fault(at);
        if self.bug == Some(Bug::BlindCardRetry)
            && let Some(card) = card.and_then(|card| self.cards.get_mut(card))
        {
            // What a driver would do that takes the missing answer for a lost message: the same once more.
            let again = CreditOrder { counter_seen: card.counter(), ..*order };
            let _ = card.credit(&again, self.bug);
            if card.times_credited(order.top_up) > 1 {
                self.breaks(format!("credited twice: {}", order.top_up));
            }
        }
    }
}

fn told(event: &ReaderEvent) -> &'static str {
    use domain::card::CreditVerdict as V;
    match event {
        ReaderEvent::Resolved(_, V::Credited { .. }) => "credited",
        ReaderEvent::Resolved(_, V::NotCredited) => "not credited",
        ReaderEvent::Resolved(_, V::Unknown) => "it cannot tell any more",
        _ => "it is not there",
    }
}
