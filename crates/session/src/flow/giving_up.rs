//! When nobody need stand before a top-up any more: the citizen gives up, the payment terminal is silent, or the card
//! does not come. Whoever leaves without certainty leaves with a claim's code.

use crate::Session;
use crate::effect::Effect;
use crate::flow::money::{drive, known, record, show_result};
use crate::flow::payment::claim;
use crate::place::{AfterPrint, Place, Printing, Slip};
use domain::TopUpId;
use domain::device::PaymentRequest;
use ledger::{Claim, Credit, Duty, Fact, Payment, TopUp};

/// How long a citizen stands before a payment terminal that does not say what became of their payment, until they
/// get a claim's code and may leave.
pub(crate) const STALLED_MS: u64 = 20_000;

/// The citizen gives up before paying.
pub(crate) fn cancel(session: &mut Session, id: TopUpId) {
    if known(session, id).map(TopUp::payment) != Some(Payment::Asked) {
        return;
    }
    if session.till.waits(id).payment {
        let now_ms = session.now.monotonic_ms;
        session.till.abort_asked_ms.entry(id).or_insert(now_ms);
        session.ask(Effect::Payment(PaymentRequest::Abort(id)));
    } else {
        session.till.cancelled.insert(id);
    }
}

/// The top-up goes on without the citizen.
pub(crate) fn stop_waiting(session: &mut Session, id: TopUpId) {
    if session.till.left.insert(id) {
        cancel(session, id);
    }
    drive(session, id);
}

/// Whether nobody need stand here for the visit's top-up any more: it only waits for the card, or for the city, and
/// its code is on the screen.
pub(crate) fn may_leave(session: &Session) -> bool {
    let Place::ToppingUp(id) = session.place else { return false };
    let away = card_is_away(session);
    known(session, id).is_none_or(|top_up| match top_up.duty() {
        _ if top_up.claim() == Claim::Open => true,
        Duty::ResolveCard => away,
        Duty::ResolvePayment(_) => away && top_up.credit() == Credit::InDoubt,
        Duty::Reverse(_) => is_overdue(session, id),
        Duty::FinishClaim | Duty::AwaitCentral | Duty::AwaitLapse | Duty::Nothing => true,
        _ => false,
    })
}

/// Money of whoever stands here is on its way, or the slip of their claim can still be had: no other card ends this.
pub(crate) fn is_awaited(session: &Session) -> bool {
    match &session.place {
        Place::ToppingUp(id) => session.till.slips.get(id) != Some(&Slip::Out) || !may_leave(session),
        Place::Printing(Printing { then: AfterPrint::ClaimSlip(_), .. }) => true,
        _ => false,
    }
}

/// The payment is made and the card is away: it can be given up, and then it is waited for what comes of the payment.
pub(crate) fn may_give_up(session: &Session) -> bool {
    let Place::ToppingUp(id) = session.place else { return false };
    card_is_away(session) && !session.till.left.contains(&id) && known(session, id).is_some_and(awaits_card)
}

/// Paid, and nothing was tried on the card.
pub(crate) fn awaits_card(top_up: &TopUp) -> bool {
    top_up.credit() == Credit::Untried && matches!(top_up.duty(), Duty::StartCredit | Duty::Settle | Duty::Acknowledge)
}

/// The card is not coming: the payment is given back, and the citizen is told so, or gets a claim.
pub(crate) fn give_up(session: &mut Session) {
    if let Place::ToppingUp(id) = session.place {
        session.timing.touched(session.now);
        stop_waiting(session, id);
        read_in_peace(session);
    }
}

fn card_is_away(session: &Session) -> bool {
    session.visit.as_ref().is_none_or(|visit| !visit.present)
}

/// What came of it stands on the screen only now: the seconds until a lifted card ends the visit begin anew.
pub(crate) fn read_in_peace(session: &mut Session) {
    if session.timing.lifted_ms.is_some() {
        session.timing.lifted_ms = Some(session.now.monotonic_ms);
    }
}

/// The program ended under whoever lays this card down again: what came of their top-up comes before all else.
pub(crate) fn tell_interrupted(session: &mut Session) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present && !visit.is_revoked()) else { return };
    let card = (visit.card.number, visit.card.generation);
    let theirs = session.till.interrupted.iter().copied().find(|id| {
        known(session, *id).is_some_and(|top_up| (top_up.subject().card, top_up.subject().generation) == card)
    });
    if let Some(id) = theirs {
        session.till.interrupted.remove(&id);
        let credited = known(session, id).is_some_and(|top_up| top_up.credit() == Credit::Credited);
        if credited && !session.till.credits.contains_key(&id) {
            // Said to be done before the program ended: only the balance is new here.
            return news(session, id);
        }
        session.go(Place::ToppingUp(id));
        if session.till.waits(id).journal.is_none() {
            show_result(session, id);
        }
    }
}

fn news(session: &mut Session, id: TopUpId) {
    let amount = session.till.amount(id);
    session.visit.iter_mut().for_each(|visit| visit.settled = amount);
}

pub(crate) fn tick(session: &mut Session) {
    stalled(session);
    unanswered(session);
}

/// The payment terminal is gone with the payment of somebody who stands here: they get a claim and may leave; what
/// became of the payment is asked when it is back.
fn stalled(session: &mut Session) {
    if let Some(id) = stalled_top_up(session)
        && session.till.gone_since_ms.is_some_and(|since| session.now.monotonic_ms >= since + STALLED_MS)
    {
        claim(session, id);
    }
}

/// The top-up on the screen, if nothing but the absent payment terminal can take it further.
fn stalled_top_up(session: &Session) -> Option<TopUpId> {
    let Place::ToppingUp(id) = session.place else { return None };
    let top_up = known(session, id)?;
    let waits = matches!(top_up.duty(), Duty::ResolvePayment(_)) && top_up.claim() == Claim::None;
    (waits && session.till.desk.is_none()).then_some(id)
}

/// The citizen gave up, and the payment terminal has not said what came of it: nobody knows whether the bank will
/// charge. They get a claim and may leave. Nothing is credited from here on but on the terminal's word that the money
/// is kept, and that word is asked for when it has ended what it is at.
fn unanswered(session: &mut Session) {
    if let Some((id, at)) = unanswered_top_up(session)
        && session.now.monotonic_ms >= at
        && record(session, id, Fact::PaymentUnknown)
    {
        claim(session, id);
    }
}

/// The top-up on the screen that was given up, and the moment from which its outcome counts as unknown.
fn unanswered_top_up(session: &Session) -> Option<(TopUpId, u64)> {
    let Place::ToppingUp(id) = session.place else { return None };
    let asked_ms = *session.till.abort_asked_ms.get(&id)?;
    (known(session, id)?.payment() == Payment::Asked).then_some((id, asked_ms + STALLED_MS))
}

/// The payment terminal has been giving a payment back for so long that whoever waits gets the code, and may leave.
pub(crate) fn is_overdue(session: &Session, id: TopUpId) -> bool {
    let since = session.till.giving_back_ms.get(&id);
    since.is_some_and(|since| session.now.monotonic_ms >= since.saturating_add(STALLED_MS))
}

/// When one of these waits is over, for whoever stands here.
pub(crate) fn next(session: &Session) -> Option<u64> {
    let stalled = stalled_top_up(session).and(session.till.gone_since_ms).map(|since| since + STALLED_MS);
    let unanswered = unanswered_top_up(session).map(|(_, at)| at);
    let Place::ToppingUp(id) = session.place else { return None };
    let back = session.till.giving_back_ms.get(&id).map(|since| since.saturating_add(STALLED_MS));
    let back = back.filter(|at| *at > session.now.monotonic_ms);
    [stalled, unanswered, back].into_iter().flatten().min()
}
