//! Money on its way: each open top-up is driven by its duty, whether somebody stands there or not. What happened is
//! journalled first; only when the journal says that it is durable is the next step taken.

use crate::Session;
use crate::effect::{Effect, MoneyRequest};
use crate::flow::{credit, day, giving_up, orders, payment, report};
use crate::place::{AfterPrint, Place, Printing, Slip, ToppedUp};
use domain::device::{PaymentOrder, PaymentRequest};
use domain::{Cents, FailureCode, TopUpId};
use ledger::{Claim, Credit, Duty, Fact, Ledger, MoneyEffect, Outcome, Payment, Subject, TopUp};

/// The kiosk has started: what was in flight is in doubt now, and goes on without anybody standing there.
pub(crate) fn started(session: &mut Session, mut ledger: Ledger) {
    let unclaimed = ledger.open().filter(|top_up| top_up.claim() == Claim::None);
    let interrupted = unclaimed.map(|top_up| top_up.subject().top_up).collect();
    let entries = ledger.start(session.now.wall).unwrap_or_else(|error| {
        tracing::error!(%error, "the journal's open top-ups cannot be taken up");
        Vec::new()
    });
    // Without a new entry there is no word of the journal to wait for: what was read is durable.
    let newest = entries.last().map(|entry| entry.seq);
    entries.into_iter().for_each(|entry| session.ask(Effect::Journal(Box::new(entry))));
    session.till.ledger = Some(ledger);
    session.till.interrupted = interrupted;
    day::started(session);
    for id in session.till.open() {
        session.till.left.insert(id);
        session.till.reasons.insert(id, FailureCode::Restarted);
        session.till.waits_mut(id).journal = newest;
        drive(session, id);
    }
}

/// A new top-up: its intent goes to the journal, and nothing else happens before that is durable.
pub(crate) fn begin(session: &mut Session, amount: Cents) {
    let top_up = session.new_top_up_id();
    let today = session.language().local_day(session.now.wall);
    let desk = session.till.desk.clone();
    let (Some(visit), Some(ledger)) = (&session.visit, &mut session.till.ledger) else { return };
    let subject = Subject { top_up, card: visit.card.number, generation: visit.card.generation, amount };
    let intent = Fact::Intent {
        counter_seen: visit.card.top_up_counter(),
        purse_seen: visit.purse.unwrap_or_default(),
        receipt_before: desk.as_ref().map_or(0, |desk| desk.last_receipt),
        day: today,
        order: session.terminal.till.order,
        payment_terminal: desk.map(|desk| desk.terminal).filter(|terminal| !terminal.is_empty()),
    };
    match ledger.intend(session.now.wall, subject, intent) {
        Ok(entry) => {
            session.till.waits_mut(top_up).journal = Some(entry.seq);
            session.till.progress = None;
            session.ask(Effect::Journal(Box::new(entry)));
            report::values(session);
            session.go(Place::ToppingUp(top_up));
        }
        Err(error) => {
            let code = error.code().unwrap_or(FailureCode::PaymentBlocked);
            session.go(Place::Trouble { code, amount: Some(amount) });
        }
    }
}

/// The journal holds everything up to `seq`.
pub(crate) fn durable(session: &mut Session, seq: u64) {
    let mut due = Vec::new();
    for (id, waits) in &mut session.till.waiting {
        if waits.journal.is_some_and(|until| until <= seq) {
            waits.journal = None;
            due.push(*id);
        }
    }
    due.into_iter().for_each(|id| drive(session, id));
    if session.visit.is_none() {
        session.till.forget_ended();
    } else {
        orders::go_on(session);
    }
}

/// A card of an open visit was read, or its record was opened: what waits for it goes on.
pub(crate) fn card_seen(session: &mut Session) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let (number, generation) = (visit.card.number, visit.card.generation);
    let Some(ledger) = &session.till.ledger else { return };
    let open: Vec<TopUpId> = ledger.open_of(number, generation).map(|top_up| top_up.subject().top_up).collect();
    report::evidence(session);
    for id in open {
        drive(session, id);
    }
}

/// The visit is over: whatever is open goes on without the citizen.
pub(crate) fn leave(session: &mut Session) {
    session.till.retried.clear();
    for id in session.till.open() {
        giving_up::stop_waiting(session, id);
    }
    session.till.forget_ended();
}

/// Time has passed: what could not be told is asked again.
pub(crate) fn tick(session: &mut Session) {
    if session.till.ask_again_ms.is_some_and(|at| session.now.monotonic_ms >= at) {
        session.till.ask_again_ms = None;
        drive_all(session);
    }
    payment::lapsed(session);
    giving_up::tick(session);
    day::tick(session);
}

pub(crate) fn drive_all(session: &mut Session) {
    for id in session.till.open() {
        drive(session, id);
    }
}

/// Takes the next step for a top-up, unless its newest entry is not durable yet or what it needs is being asked.
pub(crate) fn drive(session: &mut Session, id: TopUpId) {
    let waits = session.till.waits(id);
    if waits.journal.is_some() {
        return;
    }
    show_result(session, id);
    let Some(duty) = known(session, id).map(TopUp::duty) else { return };
    match &duty {
        Duty::StartCredit => credit::start(session, id),
        Duty::AwaitCredit if waits.card.is_none() => credit::order(session, id),
        Duty::BookLoss => {
            record(session, id, Fact::LossCreditedButReversed);
        }
        Duty::LeaveToCentral => {
            record(session, id, Fact::LeftToCentral);
        }
        Duty::ResolveCard => credit::resolve(session, id),
        // A claim already, while the money is booked: only the payment terminal is waited for.
        duty if !waits.payment => ask_terminal(session, id, duty),
        _ => {}
    }
    // A claim, or a credit in doubt while the payment is being asked about: the card helps whenever it is here.
    if duty != Duty::ResolveCard && known(session, id).is_some_and(TopUp::wants_card) {
        credit::ask_card(session, id);
    }
}

/// What the payment terminal is to be told or asked next.
fn ask_terminal(session: &mut Session, id: TopUpId, duty: &Duty) {
    let there = session.till.desk.is_some() && !payment::pauses(session, id);
    if matches!(duty, Duty::Reverse(_)) {
        let now_ms = session.now.monotonic_ms;
        session.till.giving_back_ms.entry(id).or_insert(now_ms);
    }
    match duty {
        Duty::AwaitPayment if session.till.cancelled.contains(&id) => {
            // Never asked for: certain.
            session.till.reasons.insert(id, FailureCode::PaymentCancelled);
            record(session, id, Fact::Declined { code: FailureCode::PaymentCancelled });
        }
        Duty::AwaitPayment => pay(session, id, MoneyEffect::Authorise),
        Duty::Settle => credit::answer_first(session, id, MoneyEffect::Settle),
        Duty::Acknowledge => credit::answer_first(session, id, MoneyEffect::Acknowledge),
        Duty::Refuse => pay(session, id, MoneyEffect::Refuse),
        Duty::Reverse(_) | Duty::Release(_) | Duty::Capture(_) if there && payment::is_replaced(session, id) => {
            payment::leave_to_central(session, id);
        }
        // Told to give back only after it has said that there is something to give back, and that is journalled.
        Duty::Reverse(_) | Duty::Release(_) if there && !payment::is_returning(session, id) => ask_about(session, id),
        Duty::Reverse(_) if there => pay(session, id, MoneyEffect::Reverse),
        Duty::Capture(_) if there => {
            session.till.captures_told.remove(&id);
            pay(session, id, MoneyEffect::Capture);
        }
        Duty::Release(_) if there => pay(session, id, MoneyEffect::Release),
        Duty::ResolvePayment(_) if there => ask_about(session, id),
        _ => {}
    }
}

/// Asks the payment terminal what became of the payment.
pub(crate) fn ask_about(session: &mut Session, id: TopUpId) {
    let Some(intent) = known(session, id).map(TopUp::payment_intent) else { return };
    session.till.waits_mut(id).payment = true;
    session.ask(Effect::Payment(PaymentRequest::Resolve(intent)));
}

/// Asks for an effect that moves money. Only ever called when the top-up's newest entry is durable.
pub(crate) fn pay(session: &mut Session, id: TopUpId, effect: MoneyEffect) {
    let Some(top_up) = known(session, id) else { return };
    let permit = match top_up.permit(effect) {
        Ok(permit) => permit,
        Err(error) => return tracing::error!(%error, "an effect was not permitted"),
    };
    let amount = top_up.subject().amount;
    let request = match (effect, top_up.approval()) {
        (MoneyEffect::Authorise, _) if top_up.order() == PaymentOrder::PreAuthorise => {
            PaymentRequest::Reserve { top_up: id, amount }
        }
        (MoneyEffect::Authorise, _) => PaymentRequest::Authorise { top_up: id, amount },
        (MoneyEffect::Settle, _) => PaymentRequest::Settle(id),
        (MoneyEffect::Refuse, _) => PaymentRequest::Refuse(id),
        (MoneyEffect::Acknowledge, _) => PaymentRequest::Acknowledge(id),
        (MoneyEffect::Reverse, Some(approval)) => PaymentRequest::Reverse(id, approval.clone()),
        (MoneyEffect::Capture, Some(approval)) => PaymentRequest::Capture(id, approval.clone()),
        (MoneyEffect::Release, Some(approval)) => PaymentRequest::Release(id, approval.clone()),
        _ => return,
    };
    session.till.waits_mut(id).payment = true;
    session.ask(Effect::Money(permit, MoneyRequest::Payment(request)));
}

/// The visit's own top-up has a result to show.
pub(crate) fn show_result(session: &mut Session, id: TopUpId) {
    if session.place != Place::ToppingUp(id) {
        return;
    }
    let Some(top_up) = known(session, id) else { return };
    let (credit, outcome, amount) = (top_up.credit(), top_up.outcome(), top_up.subject().amount);
    // Never to be booked: nothing is charged, whenever the reservation ends.
    let only_reserved =
        (top_up.payment(), credit, top_up.claim()) == (Payment::Reserved, Credit::NotCredited, Claim::None);
    let reason = session.till.reasons.get(&id).copied().unwrap_or(FailureCode::PaymentCancelled);
    let at = session.now.wall;
    let place = match (credit, outcome, session.till.credits.get(&id)) {
        // Journalled and read back: the citizen need not wait for the payment terminal's last word.
        (Credit::Credited, _, Some(&(before, after))) => {
            Place::ToppedUp(ToppedUp { top_up: id, before, after, at, receipt: Slip::Offered })
        }
        (_, Some(Outcome::Voided), _) => Place::Trouble { code: reason, amount: Some(amount) },
        _ if only_reserved => Place::Trouble { code: reason, amount: Some(amount) },
        (_, Some(_), _) => Place::Home,
        _ => return,
    };
    session.till.interrupted.remove(&id);
    session.go(place);
    giving_up::read_in_peace(session);
}

/// Whether the visit is about this top-up: its result is shown as such, not as news of an earlier one.
pub(crate) fn is_on_screen(session: &Session, id: TopUpId) -> bool {
    match &session.place {
        Place::ToppingUp(shown) => *shown == id,
        Place::Printing(Printing { then: AfterPrint::ClaimSlip(shown), .. }) => *shown == id,
        _ => false,
    }
}

pub(crate) fn known(session: &Session, id: TopUpId) -> Option<&TopUp> {
    session.till.known(id)
}

/// Journals what is now known; nothing is built on it before it is durable.
pub(crate) fn record(session: &mut Session, id: TopUpId, fact: Fact) -> bool {
    let Some(ledger) = &mut session.till.ledger else { return false };
    match ledger.record(session.now.wall, id, fact) {
        Ok(entry) => {
            session.till.waits_mut(id).journal = Some(entry.seq);
            session.ask(Effect::Journal(Box::new(entry)));
            true
        }
        Err(error) => {
            tracing::warn!(%error, top_up = %id, "a device said what cannot follow");
            false
        }
    }
}
