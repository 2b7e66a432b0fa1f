//! The end of a visit: by the citizen, by time, or by lifting the card.

use crate::Session;
use crate::effect::Effect;
use crate::flow::money;
use crate::place::Place;
use domain::Handle;

/// The citizen says that they have finished, or time has run out.
pub(crate) fn finish(session: &mut Session) {
    if session.place.is_working() && !money::may_leave(session) {
        return;
    }
    close(session);
    if session.card_in_tray { session.go(Place::Farewell) } else { session.go(Place::Attract) }
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
        // What was chosen on the way to this visit stays for it; what was chosen in it goes with it.
        session.default_looks();
    }
    session.timing.lifted_ms = None;
    session.help = false;
}
