//! The end of a visit: by the citizen, by time, or by lifting the card.

use crate::Session;
use crate::effect::Effect;
use crate::flow::{giving_up, money};
use crate::place::Place;
use domain::Handle;

/// The citizen says that they have finished, or time has run out.
pub(crate) fn finish(session: &mut Session) {
    if giving_up::may_give_up(session) {
        return giving_up::give_up(session);
    }
    if session.place.is_working() && !giving_up::may_leave(session) {
        return;
    }
    leave(session);
}

/// Ends the visit, and asks for what still lies there.
pub(crate) fn leave(session: &mut Session) {
    let trouble = session.tray_trouble;
    close(session);
    session.go(match (session.card_in_tray, trouble) {
        // Perhaps not theirs, and nothing was done with it.
        (true, Some(code)) => Place::Trouble { code, amount: None },
        (true, None) => Place::Farewell,
        (false, _) if session.paper_out => Place::Farewell,
        (false, _) => Place::Attract,
    });
}

/// The paper that is asked for was taken, says whoever took it.
pub(crate) fn paper_taken(session: &mut Session) {
    if session.place == Place::Farewell && !session.card_in_tray {
        session.go(Place::Attract);
    }
}

/// Ends the visit: what is open goes on without the citizen, and nothing of theirs stays.
pub(crate) fn close(session: &mut Session) {
    close_for(session, None);
}

/// Ends the visit because another card was laid down, whose secret stays.
pub(crate) fn close_for(session: &mut Session, keep: Option<Handle>) {
    if session.visit.take().is_some() {
        money::leave(session);
        session.ask(Effect::Wipe { keep });
        session.till.progress = None;
        // Language and letters stay until the card is taken: the thanks are theirs, too.
        session.looks_over = true;
    }
    session.timing.lifted_ms = None;
    session.tray_trouble = None;
    session.panel = None;
}
