//! The top-up until money moves: the amount, its limits, and the proof of the credit key.

use crate::effect::Effect;
use crate::flow::{day, giving_up, money, orders, payment};
use crate::place::Place;
use crate::{Action, Session};
use domain::card::Presentation;
use domain::device::ReaderRequest;
use domain::{Cents, FailureCode};
use ledger::{check_top_up, topped_up_on};

pub(crate) fn act(session: &mut Session, action: &Action) {
    match (action, &session.place) {
        (Action::TopUp, Place::Home | Place::ToppedUp(_) | Place::ReceiptCode(_) | Place::Trouble { .. }) => {
            open(session);
        }
        (Action::ChooseAmount { cents }, Place::Amount { .. }) => choose(session, Cents(*cents)),
        (Action::Pay, Place::Amount { chosen, .. }) => pay(session, *chosen),
        (Action::CancelPayment, Place::ToppingUp(top_up)) => {
            let top_up = *top_up;
            giving_up::cancel(session, top_up);
        }
        _ => {}
    }
}

/// Why no top-up can be made now, if so.
pub(crate) fn obstacle(session: &Session) -> Option<FailureCode> {
    let visit = session.visit.as_ref()?;
    match session.credit_key() {
        _ if session.impairment().is_some() => session.impairment(),
        Err(FailureCode::CardRevoked) => Some(FailureCode::CardRevoked),
        _ if session.purse_needs_check() => Some(FailureCode::PurseImplausible),
        Err(code) => Some(code),
        Ok(_) if visit.purse.is_none() => Some(FailureCode::CardDamaged),
        Ok(_) => outage(session).or_else(|| exhausted(session)),
    }
}

/// Why nobody can pay here now, if so.
pub(crate) fn outage(session: &Session) -> Option<FailureCode> {
    if session.till.desk.is_none() {
        return Some(FailureCode::PaymentAbsent);
    }
    if day::is_under_way(session) {
        return Some(FailureCode::PaymentDayEnding);
    }
    let blocked = session.till.ledger.as_ref().is_none_or(|ledger| ledger.blocking().is_some());
    let blocked = blocked || payment::capture_is_untold(session);
    blocked.then_some(FailureCode::PaymentBlocked)
}

/// The limit that leaves none of the amounts offered, if one does.
fn exhausted(session: &Session) -> Option<FailureCode> {
    match session.limits().choices.iter().min() {
        Some(smallest) => limit(session, *smallest),
        None => Some(FailureCode::TopUpLimit),
    }
}

fn open(session: &mut Session) {
    if let Some(code) = obstacle(session) {
        return session.go(Place::Trouble { code, amount: None });
    }
    let first = session.limits().choices.first().copied().unwrap_or(Cents::ZERO);
    choose(session, first);
}

fn choose(session: &mut Session, chosen: Cents) {
    if session.limits().choices.contains(&chosen) {
        let problem = limit(session, chosen);
        session.go(Place::Amount { chosen, problem });
    }
}

/// The limit that forbids an amount, if one does.
pub(crate) fn limit(session: &Session, amount: Cents) -> Option<FailureCode> {
    let visit = session.visit.as_ref()?;
    let ledger = session.till.ledger.as_ref()?;
    let today = session.language().local_day(session.now.wall);
    let limits = session.limits();
    let on_card = topped_up_on(&visit.card.top_ups, today);
    let checked = check_top_up(&limits, visit.purse.unwrap_or_default(), amount, on_card, ledger.float_used(today));
    checked.err().map(ledger::LimitError::code)
}

fn pay(session: &mut Session, amount: Cents) {
    if limit(session, amount).is_some() {
        return;
    }
    if let Some(code) = obstacle(session) {
        return session.go(Place::Trouble { code, amount: None });
    }
    prove(session, amount);
}

/// Asks the card to prove the credit key, before anything is paid.
pub(crate) fn prove(session: &mut Session, amount: Cents) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let presentation = visit.card.presentation;
    let key = match session.credit_key() {
        Ok(Some(key)) => key,
        // While the record is still being opened there is no key; the button is pressed again.
        Ok(None) => return,
        Err(code) => return session.go(Place::Trouble { code, amount: None }),
    };
    session.go(Place::Proving(amount));
    session.ask(Effect::Reader(ReaderRequest::ProveCreditKey(presentation, key)));
}

pub(crate) fn key_proven(session: &mut Session, presentation: Presentation) {
    if let Place::Proving(amount) = session.place
        && session.visit.as_ref().is_some_and(|visit| visit.is(presentation))
    {
        if orders::comes_first(session) {
            session.visit.iter_mut().for_each(|visit| visit.pay_waits = true);
            return;
        }
        // The payment terminal, the disk or the clock may have gone in between, or the purse be fuller.
        match (obstacle(session), limit(session, amount)) {
            (Some(code), _) => session.go(Place::Trouble { code, amount: None }),
            (None, Some(problem)) => session.go(Place::Amount { chosen: amount, problem: Some(problem) }),
            (None, None) => money::begin(session, amount),
        }
    }
}

pub(crate) fn key_refused(session: &mut Session, presentation: Presentation, code: FailureCode) {
    if matches!(session.place, Place::Proving(_)) && session.visit.as_ref().is_some_and(|visit| visit.is(presentation))
    {
        session.go(Place::Trouble { code, amount: None });
    }
}
