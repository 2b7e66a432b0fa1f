//! Time has passed: warnings, the end of an idle visit, and what a lifted card leads to.

use crate::Session;
use crate::effect::Effect;
use crate::flow::{end, giving_up, identify, maintenance, money, paper, wishes};
use crate::place::Place;
use crate::timing::{WARNING_MS, idle_ms, lifted_ms, lifting_ends};
use domain::FailureCode;
use domain::device::Cue;

pub(crate) fn tick(session: &mut Session) {
    money::tick(session);
    remind(session);
    lifted(session);
    idle(session);
}

/// A card or a paper that stays behind is asked for by a sound as well.
fn remind(session: &mut Session) {
    let now = session.now;
    let Some(parting) = &mut session.timing.parting else { return };
    let due = parting.due(now);
    if due > parting.reminded {
        parting.reminded = due;
        // What was opened over it must not hide what is asked for.
        session.panel = None;
        session.ask(Effect::Sound(Cue::CardForgotten));
    }
}

fn lifted(session: &mut Session) {
    let Some(since) = session.timing.lifted_ms else { return };
    if session.now.monotonic_ms < since + lifted_ms(session) {
        return;
    }
    if !lifting_ends(session) {
        return;
    }
    if session.visit.is_none() {
        // A refused card is gone, and was read about.
        return session.go(Place::Attract);
    }
    if giving_up::may_give_up(session) {
        return giving_up::give_up(session);
    }
    if wishes::were_being_written(session) {
        return wishes::given_up(session);
    }
    end::leave(session);
}

fn idle(session: &mut Session) {
    let now = session.now.monotonic_ms;
    if let Some(since) = session.timing.warned_ms {
        if now >= since + WARNING_MS {
            end::finish(session);
        }
        return;
    }
    let Some(idle_ms) = idle_ms(session) else { return };
    if now < session.timing.touched_ms + idle_ms {
        return;
    }
    match session.place {
        Place::Attract => session.default_looks(),
        Place::Printing(_) => paper::given_up(session),
        Place::Maintenance(ref place) if place.is_working() => maintenance::given_up(session),
        Place::Wishes(errand) if session.place.is_working() => wishes::silent(session, errand),
        // Switched off, nobody is served; the card is asked for, whatever it is.
        Place::Reading if session.visit.is_some() || session.out_of_order.is_some() => identify::out_of_order(session),
        Place::Reading | Place::Proving(_) | Place::Pin { checking: true, .. } => {
            session.go(Place::Trouble { code: FailureCode::CardUnreadable, amount: None });
        }
        // A forgotten card keeps being asked for.
        Place::Farewell if session.card_in_tray => {
            session.panel = None;
            session.timing.touched(session.now);
        }
        Place::Farewell => session.go(Place::Attract),
        _ if session.visit.is_none() => {
            // A refused card still lies there; its screen stays, in the default language.
            session.default_looks();
            session.timing.touched(session.now);
        }
        _ => {
            session.timing.warned_ms = Some(now);
            session.ask(Effect::Sound(Cue::TimeWarning));
        }
    }
}
