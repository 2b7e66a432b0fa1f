//! What the payment terminal says of a top-up.

use crate::Session;
use crate::event::ClockState;
use crate::flow::money::{ask_about, drive, drive_all, is_on_screen, known, record};
use crate::flow::{day, giving_up};
use crate::place::Place;
use crate::till::{PaymentDesk, Retry};
use domain::device::{PaymentApproval, PaymentEvent, PaymentVerdict};
use domain::{FailureCode, Timestamp, TopUpId};
use ledger::{Claim, Credit, Duty, Fact, Kind, Ledger, Payment, TopUp};

/// How often a payment terminal may say that it cannot tell before central is asked to decide.
const VERDICTS_UNKNOWN_MAX: u8 = 3;
/// Between two such questions.
const ASK_AGAIN_MS: u64 = 3_000;
/// A reservation that could not be booked is tried again after this, twice as long each time.
const CAPTURE_AGAIN_MS: u64 = 30_000;
/// The longest of these intervals.
const CAPTURE_AGAIN_MAX_MS: u64 = 900_000;
/// A payment terminal that stays away is waited for so long after a reservation's time; then the clock is believed.
const LAPSE_ASKED_WITHIN_MS: i64 = 86_400_000;

pub(crate) fn said(session: &mut Session, event: PaymentEvent) {
    match event {
        PaymentEvent::Ready { last_receipt, terminal } => {
            session.till.desk = Some(PaymentDesk { last_receipt, terminal });
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
            drive(session, id);
        }
        PaymentEvent::Declined(id, code) => {
            session.till.reasons.insert(id, code);
            answered(session, id, Fact::Declined { code });
        }
        PaymentEvent::Unknown(id) => answered(session, id, Fact::PaymentUnknown),
        PaymentEvent::Posted(id) => answered(session, id, Fact::Posted),
        PaymentEvent::Voided(id) => answered(session, id, Fact::Voided),
        PaymentEvent::Reserved(id) => {
            let reservation_ms = i64::try_from(session.terminal.till.reservation_ms).unwrap_or(i64::MAX);
            let until = session.now.wall.plus_ms(reservation_ms);
            answered(session, id, Fact::Reserved { until });
        }
        PaymentEvent::CaptureFailed(id, code) => capture_failed(session, id, code),
        PaymentEvent::AnswerInDoubt(id) => answered(session, id, Fact::AnswerInDoubt),
        PaymentEvent::Resolved(id, verdict) => resolved(session, id, &verdict),
        PaymentEvent::DayEnded => day::ended(session),
        PaymentEvent::DayNotEnded(code) => day::not_ended(session, code),
    }
}

fn approved(session: &mut Session, id: TopUpId, approval: PaymentApproval) {
    let terminal = match &session.till.desk {
        Some(desk) if approval.reference.terminal.is_empty() => desk.terminal.clone(),
        _ => approval.reference.terminal.clone(),
    };
    session.till.desk = Some(PaymentDesk { last_receipt: approval.reference.receipt, terminal });
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
    let in_doubt = fact == Fact::AnswerInDoubt;
    // A reversal, a booking or a release: the state stays, and it is asked for again.
    let is_repeatable = in_doubt && matches!(payment, Payment::Kept | Payment::Reserved | Payment::Returning);
    if !is_repeatable && record(session, id, fact) {
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
            session.till.waits_mut(id).payment = false;
            ask_again(session);
        }
        Payment::Reserved | Payment::Returning => {
            session.till.waits_mut(id).payment = false;
            not_told(session, id);
        }
        _ => {}
    }
}

/// What was asked again and not answered is asked anew when the terminal is back; a payment under way gets its own
/// `Unknown` or `AnswerInDoubt`.
fn gone(session: &mut Session) {
    session.till.desk = None;
    session.till.gone_since_ms.get_or_insert(session.now.monotonic_ms);
    for id in session.till.open() {
        let asked = known(session, id).is_some_and(|top_up| match (top_up.payment(), top_up.duty()) {
            (Payment::Unknown | Payment::Adrift, _) | (_, Duty::AwaitLapse) => true,
            (Payment::Kept | Payment::Reserved, duty) => matches!(duty, Duty::Reverse(_) | Duty::Release(_)),
            _ => false,
        });
        if asked {
            session.till.waits_mut(id).payment = false;
        }
    }
}

fn resolved(session: &mut Session, id: TopUpId, verdict: &PaymentVerdict) {
    use Payment::{Adrift, Kept, Reserved, Returning, Unknown};
    let Some(payment) = known(session, id).map(TopUp::payment) else { return };
    if !matches!(payment, Unknown | Adrift | Reserved | Kept | Returning) {
        return;
    }
    session.till.waits_mut(id).payment = false;
    // Another payment terminal stands there now: it knows nothing of this payment, whatever it says.
    let verdict = if is_replaced(session, id) { &PaymentVerdict::Unknown } else { verdict };
    if known(session, id).and_then(TopUp::reserved_until).is_some_and(|until| until <= session.now.wall) {
        session.till.lapses_asked.insert(id);
    }
    let stood = matches!(payment, Reserved | Returning);
    let now = if stood { by_right_clock(session) } else { session.now.wall };
    let reservation_ms = session.terminal.till.reservation_ms;
    let facts = known(session, id).map(|top_up| top_up.facts_from_payment(verdict, now, reservation_ms));
    let facts = facts.unwrap_or_default();
    if !facts.is_empty() {
        return facts.into_iter().for_each(|fact| {
            record(session, id, fact);
        });
    }
    if !stands_to_be_returned(session, id, verdict) || !record(session, id, Fact::ReversalStarted) {
        not_told(session, id);
    }
}

/// The payment terminal has just said that what is to be given back is there: from here on it is told to.
fn stands_to_be_returned(session: &Session, id: TopUpId, verdict: &PaymentVerdict) -> bool {
    let (PaymentVerdict::Paid(found) | PaymentVerdict::Reserved(found)) = verdict else { return false };
    known(session, id).is_some_and(|top_up| match top_up.duty() {
        Duty::Reverse(approval) | Duty::Release(approval) => {
            let is_same = (&approval.reference, approval.amount) == (&found.reference, found.amount);
            is_same && top_up.payment() != Payment::Returning
        }
        _ => false,
    })
}

/// The payment terminal was, or is just about to be, told to give the payment back.
pub(crate) fn is_returning(session: &Session, id: TopUpId) -> bool {
    known(session, id).map(TopUp::payment) == Some(Payment::Returning)
}

/// The moment by which something may lapse: a clock that is not right lets nothing lapse.
fn by_right_clock(session: &Session) -> Timestamp {
    if session.clock == ClockState::Right { session.now.wall } else { Timestamp(i64::MIN) }
}

/// The payment terminal was asked and could not tell. A few times later it is central that decides.
fn not_told(session: &mut Session, id: TopUpId) {
    if session.till.desk.is_none() {
        // The line went while it was asked: it is asked again when the terminal is back.
        return;
    }
    let asked = session.till.verdicts_unknown.entry(id).or_default();
    *asked = asked.saturating_add(1);
    let at_last = *asked >= VERDICTS_UNKNOWN_MAX || session.till.day_end.last_asked.contains(&id);
    if at_last {
        leave_to_central(session, id);
    } else {
        ask_again(session);
    }
}

/// The payment terminal cannot tell: the citizen has a claim, and the acquirer's statement decides at central.
pub(crate) fn leave_to_central(session: &mut Session, id: TopUpId) {
    claim(session, id);
    let undecided = |top_up: &TopUp| match (top_up.payment(), top_up.credit()) {
        (Payment::Unknown | Payment::Adrift, _) => true,
        (Payment::Reserved, credit) => matches!(credit, Credit::Credited | Credit::InDoubt),
        _ => false,
    };
    if known(session, id).is_some_and(|top_up| undecided(top_up) && !top_up.has(Kind::LeftToCentral)) {
        record(session, id, Fact::LeftToCentral);
    }
}

/// The reservation stands and was not booked: the capture is owed, and tried again until the reservation lapses.
fn capture_failed(session: &mut Session, id: TopUpId, code: FailureCode) {
    let now = by_right_clock(session);
    let Some(top_up) = known(session, id).filter(|top_up| top_up.payment() == Payment::Reserved) else { return };
    let facts = top_up.facts_from_failed_capture(code, now);
    session.till.waits_mut(id).payment = false;
    session.till.captures_told.insert(id);
    let tries = session.till.retries.get(&id).map_or(0, |retry| retry.tries);
    let wait_ms = CAPTURE_AGAIN_MS.saturating_mul(1 << tries.min(5)).min(CAPTURE_AGAIN_MAX_MS);
    let retry = Retry { tries: tries.saturating_add(1), at_ms: session.now.monotonic_ms.saturating_add(wait_ms) };
    session.till.retries.insert(id, retry);
    for fact in facts {
        if matches!(fact, Fact::CaptureOwed { .. } | Fact::LossCaptureExpired) {
            tracing::warn!(%code, top_up = %id, kind = fact.kind().name(), "a reservation could not be booked");
        }
        record(session, id, fact);
    }
}

/// A reservation whose booking is owed was to be booked, by this process or one before, and the payment terminal has
/// not told what came of it: another payment could make it forget.
pub(crate) fn capture_is_untold(session: &Session) -> bool {
    let told = |top_up: &TopUp| session.till.captures_told.contains(&top_up.subject().top_up);
    let is_owed = |top_up: &TopUp| top_up.has(Kind::CaptureOwed) && matches!(top_up.duty(), Duty::Capture(_));
    session.till.ledger.iter().flat_map(Ledger::open).any(|top_up| is_owed(top_up) && !told(top_up))
}

/// Reservations that were never to be booked end by themselves. Somebody may have booked one at the payment terminal
/// by hand: it is asked once more, and where it cannot tell the clock is believed.
pub(crate) fn lapsed(session: &mut Session) {
    retry(session);
    if session.clock != ClockState::Right {
        return;
    }
    let now = session.now.wall;
    let ids: Vec<TopUpId> = session.till.open();
    for id in ids {
        let waits = session.till.waits(id);
        if waits.journal.is_some() || waits.payment {
            continue;
        }
        let facts = known(session, id).map(|top_up| top_up.facts_from_time(now)).unwrap_or_default();
        if facts.is_empty() || awaits_word_of_lapse(session, id) {
            continue;
        }
        for fact in facts {
            record(session, id, fact);
        }
    }
}

/// Asks about a reservation whose time is over; `false` when the payment terminal has answered, or does not come back.
fn awaits_word_of_lapse(session: &mut Session, id: TopUpId) -> bool {
    if session.till.lapses_asked.contains(&id) || is_replaced(session, id) {
        return false;
    }
    if session.till.desk.is_some() {
        ask_about(session, id);
        return true;
    }
    let until = known(session, id).and_then(TopUp::reserved_until);
    until.is_some_and(|until| session.now.wall < until.plus_ms(LAPSE_ASKED_WITHIN_MS))
}

fn retry(session: &mut Session) {
    let now_ms = session.now.monotonic_ms;
    let due = session.till.retries.iter().filter(|(_, retry)| retry.at_ms <= now_ms).map(|(id, _)| *id);
    let due: Vec<TopUpId> = due.collect();
    due.into_iter().for_each(|id| drive(session, id));
}

fn ask_again(session: &mut Session) {
    session.till.ask_again_ms.get_or_insert(session.now.monotonic_ms + ASK_AGAIN_MS);
}

/// It could not tell a moment ago, or a booking has just failed.
pub(crate) fn pauses(session: &Session, id: TopUpId) -> bool {
    let till = &session.till;
    let booked_later = till.retries.get(&id).is_some_and(|retry| session.now.monotonic_ms < retry.at_ms);
    booked_later || (till.ask_again_ms.is_some() && till.verdicts_unknown.contains_key(&id))
}

/// Another payment terminal than the one of this payment is there now.
pub(crate) fn is_replaced(session: &Session, id: TopUpId) -> bool {
    let Some(desk) = session.till.desk.as_ref().filter(|desk| !desk.terminal.is_empty()) else { return false };
    known(session, id).is_some_and(|top_up| {
        let approved = top_up.approval().map(|approval| approval.reference.terminal.clone());
        let asked = top_up.payment_intent().terminal;
        approved.into_iter().chain(asked).any(|terminal| !terminal.is_empty() && terminal != desk.terminal)
    })
}

/// Makes a claim, where one can be made.
pub(crate) fn claim(session: &mut Session, id: TopUpId) {
    session.till.left.insert(id);
    let Some(top_up) = known(session, id) else { return };
    if top_up.claim() != Claim::None || top_up.credit() == Credit::Credited {
        return;
    }
    if (top_up.payment(), top_up.credit()) == (Payment::Adrift, Credit::Untried) {
        record(session, id, Fact::NotCredited { code: FailureCode::PaymentUnknown });
    }
    if record(session, id, Fact::Claimed) && is_on_screen(session, id) {
        giving_up::read_in_peace(session);
    }
}
