//! Central's orders to finish here what began at another terminal, or what only central could decide. An order is
//! taken for the card that lies there, once its credit key is proven; it is journalled before the card is asked, and
//! the card is asked before it is credited, at each sight anew.

use crate::Session;
use crate::effect::Effect;
use crate::event::ClockState;
use crate::flow::{money, top_up};
use crate::place::Place;
use crate::visit::Visit;
use domain::TopUpId;
use domain::card::{CityOrder, Presentation};
use domain::device::ReaderRequest;
use ledger::{Claim, Credit, Fact, Kind, Subject};

/// The card's record was opened: it may bring orders.
pub(crate) fn of_record(session: &mut Session) {
    let Some(visit) = &mut session.visit else { return };
    visit.orders = visit.tap_facts().into_iter().flat_map(|facts| &facts.open).filter_map(|open| open.order).collect();
    go_on(session);
}

/// Central's answer to evidence. It counts while the card it is for lies here; otherwise its record brings it again.
pub(crate) fn came(session: &mut Session, order: CityOrder) {
    let Some(visit) = session.visit.as_mut().filter(|visit| concerns(&order, visit)) else { return };
    visit.orders.retain(|known| known.top_up != order.top_up);
    visit.orders.push(order);
    go_on(session);
}

/// The credit key was proven, for a payment or for an order.
pub(crate) fn key_proven(session: &mut Session, presentation: Presentation) {
    if let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) {
        visit.key_proven = Some(presentation);
        go_on(session);
    }
}

/// Takes the next order that fits the card, or asks for the key's proof first. Nothing happens while a top-up of the
/// card is on its way: the counter it goes by must not move under it.
pub(crate) fn go_on(session: &mut Session) {
    if may_take(session)
        && let Some(order) = next(session)
        && let Some(visit) = &session.visit
    {
        let presentation = visit.card.presentation;
        if visit.key_proven == Some(presentation) {
            take(session, &order);
        } else if visit.key_asked != Some(presentation)
            && let Ok(Some(key)) = session.credit_key()
        {
            session.ask(Effect::Reader(ReaderRequest::ProveCreditKey(presentation, key)));
            if let Some(visit) = &mut session.visit {
                visit.key_asked = Some(presentation);
            }
        }
    }
    pay_at_last(session);
}

/// An order comes before a new top-up of the same card: both go by its counter.
pub(crate) fn comes_first(session: &Session) -> bool {
    let taking = session.visit.as_ref().is_some_and(|visit| visit.key_proven == Some(visit.card.presentation))
        && may_take(session)
        && next(session).is_some();
    taking || is_moving(session)
}

/// A payment that waited for an order goes on.
fn pay_at_last(session: &mut Session) {
    let waited = session.visit.as_ref().is_some_and(|visit| visit.pay_waits);
    if !waited || comes_first(session) {
        return;
    }
    if let Some(visit) = &mut session.visit {
        visit.pay_waits = false;
    }
    if let Place::Proving(amount) = session.place {
        top_up::prove(session, amount);
    }
}

fn may_take(session: &Session) -> bool {
    let able = session
        .visit
        .as_ref()
        .is_some_and(|visit| visit.present && visit.purse.is_some() && !visit.is_revoked() && !visit.is_technicians());
    let trusted = session.impairment().is_none() && !session.purse_needs_check() && session.out_of_order.is_none();
    able && trusted && !matches!(session.place, Place::ToppingUp(_)) && !is_moving(session)
}

/// A top-up of the visit's card waits for the journal or for the card.
fn is_moving(session: &Session) -> bool {
    let (Some(visit), Some(ledger)) = (&session.visit, &session.till.ledger) else { return false };
    ledger.open_of(visit.card.number, visit.card.generation).any(|top_up| {
        let waits = session.till.waits(top_up.subject().top_up);
        waits.journal.is_some() || waits.card.is_some() || top_up.credit() == Credit::Started
    })
}

/// The next order that can be carried out on the card as it lies there.
fn next(session: &Session) -> Option<CityOrder> {
    let visit = session.visit.as_ref()?;
    let room = session.limits().max;
    let purse = visit.purse?;
    let fits = |order: &&CityOrder| {
        let holds = purse.checked_add(order.amount).is_some_and(|after| after <= room);
        concerns(order, visit) && holds && !has_expired(session, order) && is_open(session, order.top_up)
    };
    visit.orders.iter().find(fits).copied()
}

/// It names this card, and the counter the card has now: later orders may name a later one, earlier ones never fit
/// again.
fn concerns(order: &CityOrder, visit: &Visit) -> bool {
    let card = (visit.card.number, visit.card.generation, visit.card.top_up_counter());
    (order.card, order.generation, order.counter) == card
}

fn has_expired(session: &Session, order: &CityOrder) -> bool {
    session.clock != ClockState::Right || order.expires <= session.now.wall
}

/// Neither credited here, nor ordered here before: what was taken once is finished from the journal.
fn is_open(session: &Session, id: TopUpId) -> bool {
    money::known(session, id).is_none_or(|top_up| {
        top_up.claim() == Claim::Open && top_up.credit() != Credit::Credited && !top_up.has(Kind::Ordered)
    })
}

fn take(session: &mut Session, order: &CityOrder) {
    let day = session.language().local_day(session.now.wall);
    let Some(visit) = &mut session.visit else { return };
    visit.orders.retain(|known| known.top_up != order.top_up);
    let subject =
        Subject { top_up: order.top_up, card: order.card, generation: order.generation, amount: order.amount };
    let purse_seen = visit.purse.unwrap_or_default();
    let ordered = Fact::Ordered { counter_seen: order.counter, purse_seen, day, expires: order.expires };
    let Some(ledger) = &mut session.till.ledger else { return };
    match ledger.take_order(session.now.wall, subject, ordered) {
        Ok(entry) => {
            session.till.waits_mut(order.top_up).journal = Some(entry.seq);
            session.ask(Effect::Journal(Box::new(entry)));
        }
        Err(error) => tracing::warn!(%error, top_up = %order.top_up, "an order of the city cannot be taken"),
    }
}
