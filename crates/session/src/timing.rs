//! When the session does something by itself. Milliseconds of the monotonic clock throughout. The periods are those
//! of `docs/accessibility.md`: idle 60 s, 120 s with large letters; a warning of 30 s.

use crate::Session;
use crate::flow::{money, payment};
use crate::place::Place;
use domain::Now;

/// Idle until the warning.
const IDLE_MS: u64 = 60_000;
/// Idle at the PIN.
const IDLE_PIN_MS: u64 = 45_000;
/// How long the warning stands.
pub(crate) const WARNING_MS: u64 = 30_000;
/// The card was lifted: the visit ends after this, unless money or paper is under way.
pub(crate) const LIFTED_MS: u64 = 5_000;
/// How long a torn card is waited for while the payment terminal holds.
pub(crate) const TORN_MS: u64 = 90_000;
/// How long the thanks stand.
pub(crate) const FAREWELL_MS: u64 = 8_000;
/// A card that is neither read nor refused by then is refused.
pub(crate) const READING_MS: u64 = 10_000;
/// A card or a record that has not answered by then never will.
const STUCK_MS: u64 = 30_000;
/// A paper that has neither come nor failed by then is uncertain.
const PRINTING_MS: u64 = 180_000;
/// Without a visit, a chosen language or theme goes back to the default.
pub(crate) const RESET_MS: u64 = 30_000;

/// The moments the session counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Timing {
    /// The last touch, or the last change of screen.
    pub(crate) touched_ms: u64,
    /// Since when the warning stands.
    pub(crate) warned_ms: Option<u64>,
    /// Since when the card is lifted.
    pub(crate) lifted_ms: Option<u64>,
}

impl Timing {
    pub(crate) fn touched(&mut self, now: Now) {
        self.touched_ms = now.monotonic_ms;
        self.warned_ms = None;
    }

    /// Seconds left of the warning, rounded up.
    pub(crate) fn seconds_left(&self, now: Now) -> Option<u32> {
        let since = self.warned_ms?;
        let left_ms = (since + WARNING_MS).saturating_sub(now.monotonic_ms);
        u32::try_from(left_ms.div_ceil(1_000)).ok()
    }

    /// When the session must be woken at the latest.
    pub(crate) fn next(&self, session: &Session) -> Option<u64> {
        let idle = self.warned_ms.map_or_else(
            || idle_ms(session).map(|idle| self.touched_ms + idle),
            // The seconds left are on the screen.
            |since| Some(since + (session.now.monotonic_ms.saturating_sub(since) / 1_000 + 1) * 1_000),
        );
        // What cannot end the visit now is looked at again when something happens: a moment in the past would wake
        // the kiosk without end.
        let lifted = self.lifted_ms.filter(|_| lifting_ends(session)).map(|since| since + lifted_ms(session));
        let stalled = payment::stalled_top_up(session).and(session.till.gone_since_ms);
        let stalled = stalled.map(|since| since + payment::STALLED_MS);
        // The clock at the top changes by the minute.
        let minute =
            session.now.monotonic_ms + 60_000 - u64::try_from(session.now.wall.0.rem_euclid(60_000)).unwrap_or(0);
        [idle, lifted, stalled, session.till.ask_again_ms, Some(minute)].into_iter().flatten().min()
    }
}

/// How long nothing may happen here before the citizen is asked, or the place left; `None` while something works.
pub(crate) fn idle_ms(session: &Session) -> Option<u64> {
    let patience = patience(session);
    match &session.place {
        Place::Attract => (session.help || session.is_changed()).then_some(RESET_MS * patience),
        Place::Reading => Some(READING_MS),
        Place::Farewell => Some(FAREWELL_MS),
        Place::Pin { checking: false, .. } => Some(IDLE_PIN_MS * patience),
        Place::Proving(_) | Place::Pin { .. } => Some(STUCK_MS),
        Place::Printing(_) => Some(PRINTING_MS),
        Place::ToppingUp(_) => {
            let present = session.visit.as_ref().is_some_and(|visit| visit.present);
            (present && money::may_leave(session)).then_some(IDLE_MS * patience)
        }
        _ => Some(IDLE_MS * patience),
    }
}

/// Large letters double the time, the wish on the card triples it.
fn patience(session: &Session) -> u64 {
    let more_time = session.visit.as_ref().is_some_and(|visit| visit.card.wishes.more_time);
    if more_time {
        3
    } else if session.large_text {
        2
    } else {
        1
    }
}

/// Whether a lifted card ends the visit in its time: never while money or paper is under way.
pub(crate) fn lifting_ends(session: &Session) -> bool {
    match session.place {
        Place::Printing(_) => false,
        Place::ToppingUp(_) => money::may_leave(session),
        _ => true,
    }
}

pub(crate) fn lifted_ms(session: &Session) -> u64 {
    if matches!(session.place, Place::ToppingUp(_)) { TORN_MS } else { LIFTED_MS }
}

impl Session {
    /// As the next person finds it.
    pub(crate) fn default_looks(&mut self) {
        self.lang = self.terminal.catalog.default_tag().to_owned();
        (self.large_text, self.high_contrast, self.help) = (false, false, false);
    }

    /// Somebody changed language or letters before laying down a card.
    pub(crate) fn is_changed(&self) -> bool {
        self.large_text || self.high_contrast || self.lang != self.terminal.catalog.default_tag()
    }
}
