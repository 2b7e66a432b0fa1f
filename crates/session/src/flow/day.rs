//! The payment terminal's end-of-day (ZVT 06 50): at the city's hour, while nobody is served. Only a payment that is
//! undecided at the payment terminal is waited for, and only until the latest minute; then it is asked about once
//! more and left to central. A card in doubt is a claim and keeps nothing waiting.

use crate::Session;
use crate::effect::Effect;
use crate::event::ClockState;
use crate::flow::{maintenance, money, payment};
use crate::profile::DueDay;
use domain::device::PaymentRequest;
use domain::{Day, FailureCode, TopUpId};
use ledger::{Fact, Ledger, Payment};
use std::collections::BTreeSet;

/// An end-of-day that was not carried out is asked for again after this.
const AGAIN_MS: u64 = 300_000;
/// A payment terminal that has not answered by then never will.
const UNANSWERED_MS: u64 = 600_000;

/// How far the end-of-day has come.
#[derive(Default)]
pub(crate) struct DayEnd {
    /// The newest day that needs none any more.
    done: Option<Day>,
    /// The payment terminal is at it, since this moment.
    asked_ms: Option<u64>,
    /// Not before this moment.
    again_ms: Option<u64>,
    /// The day whose failure is in the log.
    logged: Option<Day>,
    /// Payments asked about for the last time.
    pub(crate) last_asked: BTreeSet<TopUpId>,
}

/// The payment terminal is at its end-of-day: it takes no payment now.
pub(crate) fn is_under_way(session: &Session) -> bool {
    session.till.day_end.asked_ms.is_some()
}

/// The kiosk has started. An hour that is over is no business of this start: it was done then, or it is done with the
/// next.
pub(crate) fn started(session: &mut Session) {
    session.till.day_end.done = by_clock(session).map(|due| if due.is_late { due.day } else { before(due.day) });
}

fn before(day: Day) -> Day {
    Day(day.0.saturating_sub(1))
}

fn by_clock(session: &Session) -> Option<DueDay> {
    Some(session.terminal.till.end_of_day?.due(session.now.wall, &session.language()))
}

/// The end-of-day to be done now, if there is one.
fn due(session: &Session) -> Option<DueDay> {
    let day_end = &session.till.day_end;
    let due = by_clock(session)?;
    let open = session.till.ledger.is_some() && session.clock == ClockState::Right;
    let open = open && day_end.done.is_none_or(|done| done < due.day);
    let waits = day_end.again_ms.is_some_and(|at| session.now.monotonic_ms < at);
    (open && !waits && day_end.asked_ms.is_none()).then_some(due)
}

/// Time has passed.
pub(crate) fn tick(session: &mut Session) {
    let asked = session.till.day_end.asked_ms;
    if asked.is_some_and(|since| session.now.monotonic_ms >= since.saturating_add(UNANSWERED_MS)) {
        not_ended(session, FailureCode::PaymentAbsent);
    }
    let idle = session.visit.is_none() && !session.card_in_tray && session.till.desk.is_some();
    let Some(due) = due(session).filter(|_| idle) else { return };
    let undecided = session.till.ledger.iter().flat_map(Ledger::open).filter(|top_up| top_up.blocks_payment());
    let undecided: Vec<TopUpId> = undecided.map(|top_up| top_up.subject().top_up).collect();
    if undecided.is_empty() {
        // What is being said to the payment terminal comes to its end first.
        if !maintenance::money_moves(session) {
            session.till.day_end.asked_ms = Some(session.now.monotonic_ms);
            session.ask(Effect::Payment(PaymentRequest::EndOfDay));
        }
    } else if due.is_late {
        undecided.into_iter().for_each(|id| decide(session, id));
    }
}

/// A payment that nothing has decided by the latest minute: asked about once more, then left to central.
fn decide(session: &mut Session, id: TopUpId) {
    let Some(top_up) = money::known(session, id) else { return };
    let payment = top_up.payment();
    let waits = session.till.waits(id);
    if waits.journal.is_some() {
        return;
    }
    let again = session.till.day_end.last_asked.insert(id);
    match payment {
        // Given up by whoever stood there, and never answered.
        Payment::Asked => {
            money::record(session, id, Fact::PaymentUnknown);
        }
        Payment::Unknown | Payment::Adrift if again && !waits.payment => {
            money::ask_about(session, id);
        }
        // The answer is on its way, or nothing was said in a whole minute.
        _ if again => {}
        _ => payment::leave_to_central(session, id),
    }
}

/// The payment terminal has ended its day.
pub(crate) fn ended(session: &mut Session) {
    let day_end = &mut session.till.day_end;
    (day_end.asked_ms, day_end.again_ms) = (None, None);
    day_end.last_asked.clear();
    session.till.day_end.done = by_clock(session).map(|due| due.day);
}

/// It has not: it is asked again later.
pub(crate) fn not_ended(session: &mut Session, code: FailureCode) {
    let day = by_clock(session).map(|due| due.day);
    let day_end = &mut session.till.day_end;
    day_end.asked_ms = None;
    day_end.again_ms = Some(session.now.monotonic_ms.saturating_add(AGAIN_MS));
    if day_end.logged.is_none_or(|logged| Some(logged) != day) {
        day_end.logged = day;
        tracing::warn!(%code, "the payment terminal has not ended its day: it is asked again");
    }
}
