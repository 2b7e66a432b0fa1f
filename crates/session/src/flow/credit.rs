//! What the citizen's card is told and says of a top-up. Only ever the card the top-up is for.

use crate::Session;
use crate::effect::{Effect, MoneyRequest};
use crate::flow::money::{drive, is_on_screen, known, pay, record};
use domain::card::{CreditVerdict, TopUpRecord};
use domain::device::{CreditOrder, ReaderRequest};
use domain::{Cents, FailureCode, TopUpId};
use ledger::{Claim, Credit, Fact, MoneyEffect, Payment, TopUp};

/// A card that lies there and could not be asked is asked again after this.
const ASK_AGAIN_MS: u64 = 1_000;

/// The money is there: the credit begins, or is given up when the card is not coming.
pub(crate) fn start(session: &mut Session, id: TopUpId) {
    let given_up = session.till.left.contains(&id) || session.till.hold_ending.contains(&id);
    if has_card(session, id) {
        record(session, id, Fact::CreditStarted);
    } else if given_up {
        session.till.reasons.insert(id, FailureCode::CardTorn);
        record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
    }
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
        _ => {
            session.till.reasons.insert(id, FailureCode::CardTorn);
            record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
        }
    }
}

/// The card was credited and read back.
pub(crate) fn credited(session: &mut Session, id: TopUpId, before: Cents, after: Cents) {
    session.till.waits_mut(id).card = None;
    let first = known(session, id).map(TopUp::credit) == Some(Credit::Started);
    if record(session, id, Fact::Credited { before, after }) {
        note_credit(session, id, before, after);
    } else if first {
        // A sum that does not add up is not believed: the card is asked for its record.
        record(session, id, Fact::InDoubt);
    }
}

/// Certain that this attempt credited nothing.
pub(crate) fn not_credited(session: &mut Session, id: TopUpId, code: FailureCode) {
    session.till.waits_mut(id).card = None;
    session.till.reasons.insert(id, code);
    match known(session, id).map(TopUp::credit) {
        Some(Credit::Started) => {
            record(session, id, Fact::NotCredited { code });
        }
        // A second attempt after the card's proof: the proof still stands.
        Some(Credit::InDoubt) => believe(session, id, CreditVerdict::NotCredited),
        _ => {}
    }
}

/// The answer to the commit was lost.
pub(crate) fn in_doubt(session: &mut Session, id: TopUpId) {
    session.till.waits_mut(id).card = None;
    if known(session, id).map(TopUp::credit) == Some(Credit::Started) {
        record(session, id, Fact::InDoubt);
    } else {
        drive(session, id);
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
    let again = known(session, id).and_then(|top_up| top_up.permit_credit_again(verdict).ok());
    if let (Some(permit), false) = (again, session.till.retried.contains(&id))
        && let Some(order) = credit_order(session, id)
    {
        session.till.retried.insert(id);
        session.till.waits_mut(id).card = Some(order.presentation);
        return session.ask(Effect::Money(permit, MoneyRequest::Credit(order)));
    }
    believe(session, id, verdict);
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
        Some((Payment::Adrift | Payment::Kept | Payment::Voided, Claim::None)) => {
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
    let facts = known(session, id).map(|top_up| top_up.facts_from_card(verdict)).unwrap_or_default();
    if facts.is_empty() && verdict == CreditVerdict::Unknown {
        // The file has rolled on: only central can tell, so the visit need not wait.
        session.till.left.insert(id);
        return without_card(session, id);
    }
    for fact in facts {
        if record(session, id, fact)
            && let CreditVerdict::Credited { before, now } = verdict
        {
            note_credit(session, id, before, now);
        }
    }
}

/// The visit's figures follow the card, if it is this visit's card.
fn note_credit(session: &mut Session, id: TopUpId, before: Cents, after: Cents) {
    session.till.credits.insert(id, (before, after));
    let on_screen = is_on_screen(session, id);
    let Some(top_up) = known(session, id) else { return };
    let subject = top_up.subject();
    let record = TopUpRecord {
        counter: top_up.counter_seen().saturating_add(1),
        day: top_up.day(),
        top_up: id,
        amount: subject.amount,
        before,
        terminal: session.terminal.plate.id,
    };
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
        visit.settled = Some(subject.amount);
    }
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
