//! What the citizen's card is told and says of a top-up. Only ever the card the top-up is for.

use crate::Session;
use crate::effect::{Effect, MoneyRequest};
use crate::flow::money::{drive, is_on_screen, known, pay, record};
use crate::flow::{orders, report};
use domain::card::{CreditVerdict, TopUpRecord};
use domain::device::{CreditOrder, ReaderRequest};
use domain::{Cents, FailureCode, TerminalId, TopUpId};
use ledger::{Claim, Credit, Fact, MoneyEffect, Payment, TopUp};

/// A card that lies there and could not be asked is asked again after this.
const ASK_AGAIN_MS: u64 = 1_000;

/// The money is there: the credit begins, or is given up when the card is not coming.
pub(crate) fn start(session: &mut Session, id: TopUpId) {
    if has_card(session, id) {
        record(session, id, Fact::CreditStarted);
    } else if is_given_up(session, id) {
        give_up(session, id);
    }
}

/// Where the money is kept or reserved before the credit: nothing is taken for a card that is away. While the
/// payment terminal waits, the card is waited for; then the approval is refused.
pub(crate) fn answer_first(session: &mut Session, id: TopUpId, effect: MoneyEffect) {
    let untried = known(session, id).map(TopUp::credit) == Some(Credit::Untried);
    if !untried || has_card(session, id) {
        pay(session, id, effect);
    } else if is_given_up(session, id) {
        give_up(session, id);
    }
}

/// Nobody waits for the card any more, or the payment terminal does not.
fn is_given_up(session: &Session, id: TopUpId) -> bool {
    let held = known(session, id).map(TopUp::payment) == Some(Payment::Approved);
    session.till.left.contains(&id) || (held && session.till.hold_ending.contains(&id))
}

/// Nothing was credited, and nothing will be: the money goes back.
fn give_up(session: &mut Session, id: TopUpId) {
    session.till.reasons.insert(id, FailureCode::CardTorn);
    record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
}

/// `CreditStarted` is durable: the order goes out.
pub(crate) fn order(session: &mut Session, id: TopUpId) {
    let permit = known(session, id).and_then(|top_up| top_up.permit(MoneyEffect::Credit).ok());
    match (permit, credit_order(session, id)) {
        (Some(permit), Some(order)) => {
            session.till.waits_mut(id).card = Some(order.presentation);
            session.ask(Effect::Money(permit, MoneyRequest::Credit(order)));
        }
        // Lifted between the entry and its durability: no order was ever given.
        _ => give_up(session, id),
    }
}

/// The card was credited and read back.
pub(crate) fn credited(session: &mut Session, id: TopUpId, before: Cents, after: Cents) {
    session.till.waits_mut(id).card = None;
    let Some(top_up) = known(session, id) else { return };
    let (first, record_of_it) = (top_up.credit() == Credit::Started, next_record(session, top_up, before, None));
    let fact =
        if top_up.is_ordered() { Fact::OrderCredited { before, after } } else { Fact::Credited { before, after } };
    if record(session, id, fact) {
        note_credit(session, record_of_it, after);
    } else if first {
        // A sum that does not add up is not believed: the card is asked for its record.
        record(session, id, Fact::InDoubt);
    }
}

/// Certain that this attempt credited nothing.
pub(crate) fn not_credited(session: &mut Session, id: TopUpId, code: FailureCode) {
    session.till.waits_mut(id).card = None;
    session.till.reasons.insert(id, code);
    let facts = known(session, id).map(|top_up| top_up.facts_from_refusal(code)).unwrap_or_default();
    let in_doubt = known(session, id).map(TopUp::credit) == Some(Credit::InDoubt);
    match facts.is_empty() {
        // A second attempt after the card's proof: the proof still stands.
        true if in_doubt => believe(session, id, CreditVerdict::NotCredited),
        _ => facts.into_iter().for_each(|fact| {
            record(session, id, fact);
        }),
    }
    orders::go_on(session);
}

/// The answer to the commit was lost.
pub(crate) fn in_doubt(session: &mut Session, id: TopUpId) {
    session.till.waits_mut(id).card = None;
    match known(session, id) {
        Some(top_up) if top_up.credit() == Credit::Started => {
            record(session, id, Fact::InDoubt);
        }
        // Under an order the card is asked at its next sight, and credited on its proof alone.
        Some(top_up) if top_up.is_ordered() => {
            session.till.retried.remove(&id);
            drive(session, id);
        }
        _ => drive(session, id),
    }
}

/// What the card says of an earlier attempt.
pub(crate) fn verdict(session: &mut Session, id: TopUpId, verdict: CreditVerdict) {
    let waits = session.till.waits_mut(id);
    waits.card = None;
    let journal_is_behind = waits.journal.is_some();
    if verdict == CreditVerdict::NotCredited && journal_is_behind {
        // Nothing is built on an entry that is not durable yet; the card is asked once more when it is.
        return;
    }
    let again = known(session, id).and_then(|top_up| top_up.permit_credit_again(verdict, session.now.wall).ok());
    if let (Some(permit), false) = (again, session.till.retried.contains(&id))
        && let Some(order) = credit_order(session, id)
    {
        session.till.retried.insert(id);
        session.till.waits_mut(id).card = Some(order.presentation);
        return session.ask(Effect::Money(permit, MoneyRequest::Credit(order)));
    }
    believe(session, id, verdict);
    // An order of the city's waits while the card is asked.
    orders::go_on(session);
}

/// The card could not be asked. If it still lies there it is asked again, and laid back it is asked at once.
pub(crate) fn silent(session: &mut Session, id: TopUpId) {
    let asked = session.till.waits_mut(id).card.take();
    let here = session.visit.as_ref().filter(|visit| visit.present).map(|visit| visit.card.presentation);
    if here.is_some() && here == asked {
        session.till.ask_again_ms.get_or_insert(session.now.monotonic_ms + ASK_AGAIN_MS);
    } else {
        drive(session, id);
    }
    orders::go_on(session);
}

/// Asks the card, if it is here and not being asked.
pub(crate) fn ask_card(session: &mut Session, id: TopUpId) {
    let Some(counter_seen) = known(session, id).map(TopUp::counter_seen) else { return };
    let Some(presentation) = session.visit.as_ref().map(|visit| visit.card.presentation) else { return };
    if !has_card(session, id) || session.till.waits(id).card.is_some() {
        return;
    }
    session.till.waits_mut(id).card = Some(presentation);
    session.ask(Effect::Reader(ReaderRequest::Resolve { presentation, top_up: id, counter_seen }));
}

/// In doubt: the card is asked while it is here; the money is kept when the payment terminal waits no longer, and
/// with nobody waiting a claim stands.
pub(crate) fn resolve(session: &mut Session, id: TopUpId) {
    let held = known(session, id).map(TopUp::payment) == Some(Payment::Approved);
    if held && session.till.hold_ending.contains(&id) && !session.till.waits(id).payment {
        pay(session, id, MoneyEffect::Settle);
    }
    if has_card(session, id) {
        ask_card(session, id);
    } else {
        without_card(session, id);
    }
}

fn without_card(session: &mut Session, id: TopUpId) {
    let waits = session.till.waits(id);
    if !session.till.left.contains(&id) || waits.journal.is_some() {
        return;
    }
    match known(session, id).map(|top_up| (top_up.payment(), top_up.claim())) {
        Some((Payment::Approved, _)) if !waits.payment => pay(session, id, MoneyEffect::Settle),
        Some((Payment::Adrift | Payment::Reserved | Payment::Kept | Payment::Voided, Claim::None)) => {
            record(session, id, Fact::Claimed);
        }
        _ => {}
    }
}

fn believe(session: &mut Session, id: TopUpId, verdict: CreditVerdict) {
    let being_settled = session.till.waits(id).payment
        && known(session, id).is_some_and(|top_up| top_up.payment() == Payment::Approved);
    if verdict == CreditVerdict::NotCredited && being_settled {
        // The payment terminal is just being told to keep the money: once it has, the card is asked again.
        return;
    }
    let (here, now) = (session.terminal.plate.id, session.now.wall);
    let facts = known(session, id).map(|top_up| top_up.facts_from_card(verdict, here, now)).unwrap_or_default();
    if facts.is_empty() && verdict == CreditVerdict::Unknown {
        // The file has rolled on: only central can tell, so the visit need not wait.
        session.till.left.insert(id);
        return without_card(session, id);
    }
    for fact in facts {
        let Some(top_up) = known(session, id) else { return };
        let found = match verdict {
            CreditVerdict::Credited { before, now, by } => Some((next_record(session, top_up, before, by), now)),
            CreditVerdict::NotCredited | CreditVerdict::Unknown => None,
        };
        if record(session, id, fact)
            && let Some((record_of_it, now)) = found
        {
            note_credit(session, record_of_it, now);
        }
    }
}

/// The record that the credit of a top-up leaves on its card.
fn next_record(session: &Session, top_up: &TopUp, before: Cents, by: Option<TerminalId>) -> TopUpRecord {
    TopUpRecord {
        counter: top_up.counter_seen().saturating_add(1),
        day: top_up.day(),
        top_up: top_up.subject().top_up,
        amount: top_up.subject().amount,
        before,
        terminal: by.unwrap_or(session.terminal.plate.id),
    }
}

/// The visit's figures follow the card, if it is this visit's card, and central is told of them.
fn note_credit(session: &mut Session, record: TopUpRecord, after: Cents) {
    let id = record.top_up;
    session.till.credits.insert(id, (record.before, after));
    let on_screen = is_on_screen(session, id);
    let Some(subject) = known(session, id).map(TopUp::subject) else { return };
    let same = |visit: &&mut crate::visit::Visit| {
        (visit.card.number, visit.card.generation) == (subject.card, subject.generation)
    };
    let Some(visit) = session.visit.as_mut().filter(same) else { return };
    visit.purse = Some(after);
    // By its number: a MIFARE Classic keeps only the beginning of the id.
    if visit.card.top_ups.iter().all(|known| known.counter != record.counter) {
        // The next top-up of this visit counts from here, and against today's limit.
        visit.card.top_ups.insert(0, record);
    }
    if !on_screen {
        let settled = visit.settled.unwrap_or_default();
        visit.settled = Some(settled.checked_add(subject.amount).unwrap_or(subject.amount));
    }
    report::values(session);
}

/// The order to credit, while the card lies there and its key is known.
fn credit_order(session: &Session, id: TopUpId) -> Option<CreditOrder> {
    let top_up = known(session, id)?;
    let visit = session.visit.as_ref().filter(|_| has_card(session, id))?;
    Some(CreditOrder {
        presentation: visit.card.presentation,
        key: session.home_of_credit_key().ok()??,
        top_up: id,
        amount: top_up.subject().amount,
        counter_seen: top_up.counter_seen(),
        purse_max: session.limits().max,
        day: top_up.day(),
        terminal: session.terminal.plate.id,
    })
}

/// The card the top-up is for lies in the tray.
pub(crate) fn has_card(session: &Session, id: TopUpId) -> bool {
    let subject = known(session, id).map(TopUp::subject);
    session.visit.as_ref().is_some_and(|visit| {
        let card = (visit.card.number, visit.card.generation);
        visit.present && subject.is_some_and(|subject| (subject.card, subject.generation) == card)
    })
}
