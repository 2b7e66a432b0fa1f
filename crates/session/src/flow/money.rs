//! Money on its way: each open top-up is driven by its duty, whether somebody stands there or not. What happened is
//! journalled first; only when the journal says that it is durable is the next step taken.

use crate::Session;
use crate::effect::{Effect, MoneyRequest};
use crate::place::{Place, Slip, ToppedUp};
use crate::till::Waiting;
use domain::card::CreditVerdict;
use domain::device::{CreditOrder, PaymentEvent, PaymentRequest, PaymentVerdict, ReaderRequest};
use domain::{Cents, FailureCode, TopUpId};
use ledger::{Claim, Credit, Duty, Fact, Ledger, MoneyEffect, Outcome, Payment, Permit, Subject, TopUp};

/// How often a payment terminal may say that it cannot tell before central is asked to decide.
const VERDICTS_UNKNOWN_MAX: u8 = 3;
/// Between two such questions.
const ASK_AGAIN_MS: u64 = 3_000;

/// The kiosk has started: what was in flight is in doubt now, and goes on without anybody standing there.
pub(crate) fn started(session: &mut Session, mut ledger: Ledger) {
    match ledger.start(session.now.wall) {
        Ok(entries) => entries.into_iter().for_each(|entry| session.ask(Effect::Journal(Box::new(entry)))),
        Err(error) => tracing::error!(%error, "the journal's open top-ups cannot be taken up"),
    }
    let newest = ledger.chain().next_seq.saturating_sub(1);
    let open: Vec<TopUpId> = ledger.open().map(|top_up| top_up.subject().top_up).collect();
    for id in open {
        session.till.left.insert(id);
        session.till.waiting.insert(id, Waiting::Journal(newest));
    }
    session.till.ledger = Some(ledger);
}

/// A new top-up: its intent goes to the journal, and nothing else happens before that is durable.
pub(crate) fn begin(session: &mut Session, amount: Cents) {
    let top_up = session.new_top_up_id();
    let today = session.language().local_day(session.now.wall);
    let (Some(visit), Some(ledger)) = (&session.visit, &mut session.till.ledger) else { return };
    let subject = Subject { top_up, card: visit.card.number, generation: visit.card.generation, amount };
    let intent = Fact::Intent {
        counter_seen: visit.card.top_up_counter(),
        purse_seen: visit.purse.unwrap_or_default(),
        receipt_before: session.till.last_receipt.unwrap_or(0),
        day: today,
    };
    match ledger.intend(session.now.wall, subject, intent) {
        Ok(entry) => {
            session.till.waiting.insert(top_up, Waiting::Journal(entry.seq));
            session.till.progress = None;
            session.ask(Effect::Journal(Box::new(entry)));
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
    let due: Vec<TopUpId> = session
        .till
        .waiting
        .iter()
        .filter_map(|(id, waiting)| matches!(waiting, Waiting::Journal(until) if *until <= seq).then_some(*id))
        .collect();
    for id in due {
        session.till.waiting.remove(&id);
        drive(session, id);
    }
}

/// The payment terminal spoke.
pub(crate) fn payment(session: &mut Session, event: PaymentEvent) {
    match event {
        PaymentEvent::Ready { last_receipt } => {
            session.till.last_receipt = Some(last_receipt);
            drive_all(session);
        }
        PaymentEvent::Gone => terminal_gone(session),
        PaymentEvent::Progress(_, progress) => session.till.progress = Some(progress),
        PaymentEvent::Approved(id, approval) => {
            session.till.last_receipt = Some(approval.reference.receipt);
            if !happened(session, id, Fact::Authorised { approval }) {
                // Approved something else than was asked: central and the acquirer's statement decide.
                happened(session, id, Fact::PaymentUnknown);
            }
        }
        PaymentEvent::HoldEnding(id) => hold_ending(session, id),
        PaymentEvent::Declined(id, code) => {
            session.till.reasons.insert(id, code);
            happened(session, id, Fact::Declined { code });
        }
        PaymentEvent::Unknown(id) => {
            happened(session, id, Fact::PaymentUnknown);
        }
        PaymentEvent::Posted(id) => {
            happened(session, id, Fact::Posted);
        }
        PaymentEvent::Voided(id) => {
            happened(session, id, Fact::Voided);
        }
        PaymentEvent::AnswerInDoubt(id) => {
            happened(session, id, Fact::AnswerInDoubt);
        }
        PaymentEvent::Resolved(id, verdict) => payment_verdict(session, id, &verdict),
    }
}

/// The payment terminal waits no longer: in doubt the money is kept, and without a credit it goes back.
fn hold_ending(session: &mut Session, id: TopUpId) {
    match known(session, id).map(TopUp::duty) {
        Some(Duty::ResolveCard) => pay(session, id, MoneyEffect::Settle),
        Some(Duty::StartCredit) if !has_card(session, id) => {
            session.till.reasons.insert(id, FailureCode::CardTorn);
            record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
        }
        _ => {}
    }
}

/// What was asked again and not answered is asked anew when the terminal is back; a payment under way gets its own
/// `Unknown` or `AnswerInDoubt`.
fn terminal_gone(session: &mut Session) {
    session.till.last_receipt = None;
    let Some(ledger) = &session.till.ledger else { return };
    let asking = |id: &TopUpId| {
        ledger.top_up(*id).is_some_and(|top_up| matches!(top_up.payment(), Payment::Unknown | Payment::Adrift))
    };
    session.till.waiting.retain(|id, waiting| !(*waiting == Waiting::Payment && asking(id)));
}

fn payment_verdict(session: &mut Session, id: TopUpId, verdict: &PaymentVerdict) {
    session.till.waiting.remove(&id);
    let facts = known(session, id).map(|top_up| top_up.facts_from_payment(verdict)).unwrap_or_default();
    if !facts.is_empty() {
        return facts.into_iter().for_each(|fact| {
            record(session, id, fact);
        });
    }
    if session.till.last_receipt.is_none() {
        // The line went while it was asked: it is asked again when the terminal is back.
        return;
    }
    let asked = session.till.verdicts_unknown.entry(id).or_default();
    *asked = asked.saturating_add(1);
    if *asked < VERDICTS_UNKNOWN_MAX {
        session.till.ask_again_ms = Some(session.now.monotonic_ms + ASK_AGAIN_MS);
        return;
    }
    // It cannot tell: the citizen has a claim, and the acquirer's statement decides at central.
    session.till.left.insert(id);
    let claimed = record(session, id, Fact::Claimed);
    if record(session, id, Fact::LeftToCentral) || claimed {
        return;
    }
    if let Some(Duty::Reverse(_)) = known(session, id).map(TopUp::duty) {
        drive(session, id);
    }
}

/// The card was credited and read back.
pub(crate) fn credited(session: &mut Session, id: TopUpId, before: Cents, after: Cents) {
    if let Some(visit) = &mut session.visit {
        visit.purse = Some(after);
    }
    note_credit(session, id, before, after);
    happened(session, id, Fact::Credited { before, after });
}

/// Certain that this attempt credited nothing.
pub(crate) fn not_credited(session: &mut Session, id: TopUpId, code: FailureCode) {
    session.till.waiting.remove(&id);
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
pub(crate) fn credit_in_doubt(session: &mut Session, id: TopUpId) {
    session.till.waiting.remove(&id);
    if known(session, id).map(TopUp::credit) == Some(Credit::Started) {
        record(session, id, Fact::InDoubt);
    }
}

/// What the card says of an earlier attempt.
pub(crate) fn card_verdict(session: &mut Session, id: TopUpId, verdict: CreditVerdict) {
    session.till.waiting.remove(&id);
    let again = known(session, id).and_then(|top_up| top_up.permit_credit_again(verdict).ok());
    if let (Some(permit), false) = (again, session.till.retried.contains(&id)) {
        if let Some(order) = credit_order(session, id) {
            session.till.retried.insert(id);
            session.till.waiting.insert(id, Waiting::Card);
            return session.ask(Effect::Money(permit, MoneyRequest::Credit(order)));
        }
    }
    believe(session, id, verdict);
}

fn believe(session: &mut Session, id: TopUpId, verdict: CreditVerdict) {
    if let CreditVerdict::Credited { before, now } = verdict {
        note_credit(session, id, before, now);
        if let (Some(visit), false) = (&mut session.visit, session.place == Place::ToppingUp(id)) {
            visit.purse = Some(now);
            visit.settled = session.till.amount(id);
        }
    }
    let facts = known(session, id).map(|top_up| top_up.facts_from_card(verdict)).unwrap_or_default();
    if facts.is_empty() && verdict == CreditVerdict::Unknown {
        // The file has rolled on: only central can tell, so the visit need not wait.
        session.till.left.insert(id);
        return drive_without_card(session, id);
    }
    for fact in facts {
        record(session, id, fact);
    }
}

/// The card could not be asked; the next sight of it will tell.
pub(crate) fn card_silent(session: &mut Session, id: TopUpId) {
    session.till.waiting.remove(&id);
}

/// A card of an open visit was read, or its record was opened: what waits for it goes on.
pub(crate) fn card_seen(session: &mut Session) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let (number, generation) = (visit.card.number, visit.card.generation);
    let Some(ledger) = &session.till.ledger else { return };
    let open: Vec<TopUpId> = ledger.open_of(number, generation).map(|top_up| top_up.subject().top_up).collect();
    for id in open {
        drive(session, id);
    }
}

/// The visit is over: whatever is open goes on without the citizen.
pub(crate) fn leave(session: &mut Session) {
    session.till.retried.clear();
    let Some(ledger) = &session.till.ledger else { return };
    let open: Vec<TopUpId> = ledger.open().map(|top_up| top_up.subject().top_up).collect();
    for id in open {
        session.till.left.insert(id);
        drive(session, id);
    }
}

/// The citizen asks for a claim rather than wait: the top-up goes on without them.
pub(crate) fn give_up_waiting(session: &mut Session, id: TopUpId) {
    session.till.left.insert(id);
    drive(session, id);
}

/// Whether the visit's top-up only waits for the card, or for nobody any more.
pub(crate) fn waits_for_card(session: &Session) -> bool {
    let Place::ToppingUp(id) = session.place else { return false };
    known(session, id).is_none_or(|top_up| match top_up.duty() {
        Duty::ResolveCard | Duty::StartCredit => session.visit.as_ref().is_none_or(|visit| !visit.present),
        Duty::FinishClaim | Duty::AwaitCentral | Duty::Nothing => true,
        _ => top_up.claim() == Claim::Open,
    })
}

/// Time has passed: a payment terminal that could not tell is asked again.
pub(crate) fn tick(session: &mut Session) {
    if session.till.ask_again_ms.is_some_and(|at| session.now.monotonic_ms >= at) {
        session.till.ask_again_ms = None;
        drive_all(session);
    }
}

fn drive_all(session: &mut Session) {
    let Some(ledger) = &session.till.ledger else { return };
    let open: Vec<TopUpId> = ledger.open().map(|top_up| top_up.subject().top_up).collect();
    for id in open {
        drive(session, id);
    }
}

/// Takes the next step for a top-up, unless it waits for something.
fn drive(session: &mut Session, id: TopUpId) {
    if session.till.waiting.contains_key(&id) {
        return;
    }
    show_result(session, id);
    let Some(duty) = known(session, id).map(TopUp::duty) else { return };
    match duty {
        Duty::AwaitPayment => pay(session, id, MoneyEffect::Authorise),
        Duty::Settle => pay(session, id, MoneyEffect::Settle),
        Duty::Refuse => pay(session, id, MoneyEffect::Refuse),
        Duty::Reverse(_) if session.till.last_receipt.is_some() => pay(session, id, MoneyEffect::Reverse),
        Duty::ResolvePayment(intent) if session.till.last_receipt.is_some() => {
            session.till.waiting.insert(id, Waiting::Payment);
            session.ask(Effect::Payment(PaymentRequest::Resolve(intent)));
        }
        Duty::StartCredit => start_credit(session, id),
        Duty::AwaitCredit => credit(session, id),
        Duty::BookLoss => {
            record(session, id, Fact::LossCreditedButReversed);
        }
        Duty::ResolveCard | Duty::FinishClaim if has_card(session, id) => ask_card(session, id),
        Duty::ResolveCard => drive_without_card(session, id),
        _ if known(session, id).is_some_and(TopUp::wants_card) && has_card(session, id) => ask_card(session, id),
        _ => {}
    }
}

/// In doubt and the card is not here: with nobody waiting the money is kept, and a claim stands.
fn drive_without_card(session: &mut Session, id: TopUpId) {
    if !session.till.left.contains(&id) || session.till.waiting.contains_key(&id) {
        return;
    }
    match known(session, id).map(|top_up| (top_up.payment(), top_up.claim())) {
        Some((Payment::Approved, _)) => pay(session, id, MoneyEffect::Settle),
        Some((Payment::Adrift | Payment::Kept | Payment::Voided, Claim::None)) => {
            record(session, id, Fact::Claimed);
        }
        _ => {}
    }
}

fn start_credit(session: &mut Session, id: TopUpId) {
    if has_card(session, id) {
        record(session, id, Fact::CreditStarted);
    } else if session.till.left.contains(&id) {
        session.till.reasons.insert(id, FailureCode::CardTorn);
        record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
    }
}

fn credit(session: &mut Session, id: TopUpId) {
    let permit = known(session, id).and_then(|top_up| top_up.permit(MoneyEffect::Credit).ok());
    match (permit, credit_order(session, id)) {
        (Some(permit), Some(order)) => {
            session.till.waiting.insert(id, Waiting::Card);
            session.ask(Effect::Money(permit, MoneyRequest::Credit(order)));
        }
        // The visit ended between the entry and its durability: no order was ever given.
        _ => {
            record(session, id, Fact::NotCredited { code: FailureCode::CardTorn });
        }
    }
}

fn pay(session: &mut Session, id: TopUpId, effect: MoneyEffect) {
    let Some(top_up) = known(session, id) else { return };
    let Some(permit) = granted(top_up, effect) else { return };
    let request = match (effect, top_up.approval()) {
        (MoneyEffect::Authorise, _) => PaymentRequest::Authorise { top_up: id, amount: top_up.subject().amount },
        (MoneyEffect::Settle, _) => PaymentRequest::Settle(id),
        (MoneyEffect::Refuse, _) => PaymentRequest::Refuse(id),
        (MoneyEffect::Reverse, Some(approval)) => PaymentRequest::Reverse(id, approval.clone()),
        _ => return,
    };
    session.till.waiting.insert(id, Waiting::Payment);
    session.ask(Effect::Money(permit, MoneyRequest::Payment(request)));
}

fn granted(top_up: &TopUp, effect: MoneyEffect) -> Option<Permit> {
    top_up.permit(effect).inspect_err(|error| tracing::error!(%error, "an effect was not permitted")).ok()
}

fn ask_card(session: &mut Session, id: TopUpId) {
    let Some(counter_seen) = known(session, id).map(TopUp::counter_seen) else { return };
    let Some(presentation) = session.visit.as_ref().map(|visit| visit.card.presentation) else { return };
    session.till.waiting.insert(id, Waiting::Card);
    session.ask(Effect::Reader(ReaderRequest::Resolve { presentation, top_up: id, counter_seen }));
}

/// The order to credit, while the card lies there and its key is known.
fn credit_order(session: &Session, id: TopUpId) -> Option<CreditOrder> {
    let top_up = known(session, id)?;
    let visit = session.visit.as_ref()?;
    Some(CreditOrder {
        presentation: visit.card.presentation,
        key: visit.tap_facts()?.credit_key?,
        top_up: id,
        amount: top_up.subject().amount,
        counter_seen: top_up.counter_seen(),
        purse_max: session.terminal.pack.purse.max,
        day: top_up.day(),
        terminal: session.terminal.plate.id,
    })
}

fn has_card(session: &Session, id: TopUpId) -> bool {
    let subject = known(session, id).map(TopUp::subject);
    session.visit.as_ref().is_some_and(|visit| {
        let card = (visit.card.number, visit.card.generation);
        visit.present && subject.is_some_and(|subject| (subject.card, subject.generation) == card)
    })
}

/// The visit's own top-up has a result to show.
fn show_result(session: &mut Session, id: TopUpId) {
    if session.place != Place::ToppingUp(id) {
        return;
    }
    let Some(top_up) = known(session, id) else { return };
    let (credit, outcome, amount) = (top_up.credit(), top_up.outcome(), top_up.subject().amount);
    let reason = session.till.reasons.get(&id).copied().unwrap_or(FailureCode::PaymentCancelled);
    match (credit, outcome, session.till.credits.get(&id)) {
        // Journalled and read back: the citizen need not wait for the payment terminal's last word.
        (Credit::Credited, _, Some(&(before, after))) => {
            session.go(Place::ToppedUp(ToppedUp { top_up: id, before, after, receipt: Slip::Offered }));
        }
        (_, Some(Outcome::Voided), _) => session.go(Place::Trouble { code: reason, amount: Some(amount) }),
        _ => {}
    }
}

fn note_credit(session: &mut Session, id: TopUpId, before: Cents, after: Cents) {
    session.till.credits.insert(id, (before, after));
}

fn known(session: &Session, id: TopUpId) -> Option<&TopUp> {
    session.till.ledger.as_ref()?.top_up(id)
}

/// A device reported the end of what was waited for: journal it.
fn happened(session: &mut Session, id: TopUpId, fact: Fact) -> bool {
    session.till.waiting.remove(&id);
    record(session, id, fact)
}

fn record(session: &mut Session, id: TopUpId, fact: Fact) -> bool {
    let Some(ledger) = &mut session.till.ledger else { return false };
    match ledger.record(session.now.wall, id, fact) {
        Ok(entry) => {
            session.till.waiting.insert(id, Waiting::Journal(entry.seq));
            session.ask(Effect::Journal(Box::new(entry)));
            true
        }
        Err(error) => {
            tracing::warn!(%error, top_up = %id, "a device said what cannot follow");
            false
        }
    }
}
