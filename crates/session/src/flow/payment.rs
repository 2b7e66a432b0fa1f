//! What the payment terminal says of a top-up.

use crate::Session;
use crate::flow::money::{drive_all, known, record};
use crate::place::Place;
use domain::device::{PaymentApproval, PaymentEvent, PaymentVerdict};
use domain::{FailureCode, TopUpId};
use ledger::{Claim, Credit, Duty, Fact, Kind, Payment, TopUp};

/// How often a payment terminal may say that it cannot tell before central is asked to decide.
const VERDICTS_UNKNOWN_MAX: u8 = 3;
/// Between two such questions.
const ASK_AGAIN_MS: u64 = 3_000;
/// How long a citizen stands before a payment terminal that is gone with their payment, until there is a claim.
pub(crate) const STALLED_MS: u64 = 20_000;

pub(crate) fn said(session: &mut Session, event: PaymentEvent) {
    match event {
        PaymentEvent::Ready { last_receipt } => {
            session.till.last_receipt = Some(last_receipt);
            session.till.gone_since_ms = None;
            drive_all(session);
        }
        PaymentEvent::Gone => gone(session),
        PaymentEvent::Progress(id, progress) if session.place == Place::ToppingUp(id) => {
            session.till.progress = Some(progress);
        }
        PaymentEvent::Progress(..) => {}
        PaymentEvent::Approved(id, approval) => approved(session, id, approval),
        PaymentEvent::HoldEnding(id) => {
            session.till.hold_ending.insert(id);
            crate::flow::money::drive(session, id);
        }
        PaymentEvent::Declined(id, code) => {
            session.till.reasons.insert(id, code);
            answered(session, id, Fact::Declined { code });
        }
        PaymentEvent::Unknown(id) => answered(session, id, Fact::PaymentUnknown),
        PaymentEvent::Posted(id) => answered(session, id, Fact::Posted),
        PaymentEvent::Voided(id) => answered(session, id, Fact::Voided),
        PaymentEvent::AnswerInDoubt(id) => answered(session, id, Fact::AnswerInDoubt),
        PaymentEvent::Resolved(id, verdict) => resolved(session, id, &verdict),
    }
}

fn approved(session: &mut Session, id: TopUpId, approval: PaymentApproval) {
    session.till.last_receipt = Some(approval.reference.receipt);
    if record(session, id, Fact::Authorised { approval }) {
        session.till.waits_mut(id).payment = false;
    } else {
        // Approved something else than was asked: the payment terminal is asked once it has let go, and where it
        // cannot tell, the acquirer's statement decides.
        answered(session, id, Fact::PaymentUnknown);
    }
}

/// The end of what the payment terminal was asked: journal it.
fn answered(session: &mut Session, id: TopUpId, fact: Fact) {
    let Some(payment) = known(session, id).map(TopUp::payment) else { return };
    let reversal_in_doubt = payment == Payment::Kept && fact == Fact::AnswerInDoubt;
    if !reversal_in_doubt && record(session, id, fact) {
        session.till.waits_mut(id).payment = false;
        return;
    }
    match payment {
        // What it says does not fit what the card proved: it is asked again instead of believed.
        Payment::Approved => {
            session.till.waits_mut(id).payment = false;
            record(session, id, Fact::AnswerInDoubt);
        }
        Payment::Unknown | Payment::Adrift | Payment::Kept => {
            if reversal_in_doubt {
                session.till.reversal_in_doubt.insert(id);
            }
            session.till.waits_mut(id).payment = false;
            ask_again(session);
        }
        _ => {}
    }
}

/// What was asked again and not answered is asked anew when the terminal is back; a payment under way gets its own
/// `Unknown` or `AnswerInDoubt`.
fn gone(session: &mut Session) {
    session.till.last_receipt = None;
    session.till.gone_since_ms.get_or_insert(session.now.monotonic_ms);
    for id in session.till.open() {
        if known(session, id).is_some_and(|top_up| matches!(top_up.payment(), Payment::Unknown | Payment::Adrift)) {
            session.till.waits_mut(id).payment = false;
        }
    }
}

fn resolved(session: &mut Session, id: TopUpId, verdict: &PaymentVerdict) {
    let payment = known(session, id).map(TopUp::payment);
    if !matches!(payment, Some(Payment::Unknown | Payment::Adrift | Payment::Kept)) {
        return;
    }
    session.till.waits_mut(id).payment = false;
    let facts = known(session, id).map(|top_up| top_up.facts_from_payment(verdict)).unwrap_or_default();
    if !facts.is_empty() {
        return facts.into_iter().for_each(|fact| {
            record(session, id, fact);
        });
    }
    if matches!(verdict, PaymentVerdict::Paid(_)) {
        // The terminal told: the reversal did not happen.
        session.till.reversal_in_doubt.remove(&id);
    }
    if session.till.last_receipt.is_none() {
        // The line went while it was asked: it is asked again when the terminal is back.
        return;
    }
    let asked = session.till.verdicts_unknown.entry(id).or_default();
    *asked = asked.saturating_add(1);
    if *asked < VERDICTS_UNKNOWN_MAX || session.till.reversal_in_doubt.contains(&id) {
        return ask_again(session);
    }
    // It cannot tell: the citizen has a claim, and the acquirer's statement decides at central.
    claim(session, id);
    let adrift = |top_up: &TopUp| matches!(top_up.payment(), Payment::Unknown | Payment::Adrift);
    if known(session, id).is_some_and(|top_up| adrift(top_up) && !top_up.has(Kind::LeftToCentral)) {
        record(session, id, Fact::LeftToCentral);
    }
}

fn ask_again(session: &mut Session) {
    session.till.ask_again_ms.get_or_insert(session.now.monotonic_ms + ASK_AGAIN_MS);
}

/// It could not tell a moment ago.
pub(crate) fn pauses(session: &Session, id: TopUpId) -> bool {
    session.till.ask_again_ms.is_some() && session.till.verdicts_unknown.contains_key(&id)
}

/// The payment terminal is gone with the payment of somebody who stands here: they get a claim and may leave; what
/// became of the payment is asked when it is back.
pub(crate) fn stalled(session: &mut Session) {
    if let Some(id) = stalled_top_up(session)
        && session.till.gone_since_ms.is_some_and(|since| session.now.monotonic_ms >= since + STALLED_MS)
    {
        claim(session, id);
    }
}

/// The top-up on the screen, if nothing but the absent payment terminal can take it further.
pub(crate) fn stalled_top_up(session: &Session) -> Option<TopUpId> {
    let Place::ToppingUp(id) = session.place else { return None };
    let top_up = known(session, id)?;
    let waits = matches!(top_up.duty(), Duty::ResolvePayment(_)) && top_up.claim() == Claim::None;
    (waits && session.till.last_receipt.is_none()).then_some(id)
}

/// The citizen gave up, and the payment terminal has not said what came of it: nobody knows whether the bank will
/// charge. They get a claim and may leave. Nothing is credited from here on but on the terminal's word that the money
/// is kept, and that word is asked for when it has ended what it is at.
pub(crate) fn unanswered(session: &mut Session) {
    if let Some((id, at)) = unanswered_top_up(session)
        && session.now.monotonic_ms >= at
        && record(session, id, Fact::PaymentUnknown)
    {
        claim(session, id);
    }
}

/// The top-up on the screen that was given up, and the moment from which its outcome counts as unknown.
pub(crate) fn unanswered_top_up(session: &Session) -> Option<(TopUpId, u64)> {
    let Place::ToppingUp(id) = session.place else { return None };
    let asked_ms = *session.till.abort_asked_ms.get(&id)?;
    (known(session, id)?.payment() == Payment::Asked).then_some((id, asked_ms + STALLED_MS))
}

/// Makes a claim, where one can be made.
fn claim(session: &mut Session, id: TopUpId) {
    session.till.left.insert(id);
    let Some(top_up) = known(session, id) else { return };
    if top_up.claim() != Claim::None || top_up.credit() == Credit::Credited {
        return;
    }
    if (top_up.payment(), top_up.credit()) == (Payment::Adrift, Credit::Untried) {
        record(session, id, Fact::NotCredited { code: FailureCode::PaymentUnknown });
    }
    record(session, id, Fact::Claimed);
}
