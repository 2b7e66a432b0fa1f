//! When the session does something by itself. Milliseconds of the monotonic clock throughout. The periods are those
//! of `docs/accessibility.md`: idle 60 s, 120 s with large letters; a warning of 30 s.

use crate::Session;
use crate::flow::giving_up;
use crate::place::{Maintenance, Place, WishErrand, WishStage};
use domain::Now;

/// Idle until the warning.
const IDLE_MS: u64 = 60_000;
/// Idle at the PIN.
const IDLE_PIN_MS: u64 = 45_000;
/// How long the warning stands.
pub(crate) const WARNING_MS: u64 = 30_000;
/// The card was lifted: the visit ends after this, unless money or paper is under way.
pub(crate) const LIFTED_MS: u64 = 5_000;
/// The same where the screen says what became of a payment: it must be read to the end.
const PAYMENT_TOLD_MS: u64 = 20_000;
/// How long a torn card is waited for while the payment terminal holds.
pub(crate) const TORN_MS: u64 = 90_000;
/// The same while another card lies on the visit's own, its own is not laid well, or the reader is away for a moment.
const TRAY_MS: u64 = 20_000;
/// Nobody lifts a card and lays another in less than this: the second was laid on the first.
pub(crate) const SWAP_MS: u64 = 700;
/// A card or a paper that stays behind is asked for after these.
pub(crate) const REMINDERS_MS: [u64; 3] = [5_000, 15_000, 30_000];
/// How long a paper is asked for: nobody can see whether it was taken.
pub(crate) const PAPER_MS: u64 = 35_000;
/// A forgotten card keeps being asked for; the screen is looked at again after this.
const FORGOTTEN_MS: u64 = 60_000;
/// A card that is neither read nor refused by then is refused.
pub(crate) const READING_MS: u64 = 10_000;
/// A card or a record that has not answered by then never will.
const STUCK_MS: u64 = 30_000;
/// A paper that has neither come nor failed by then is uncertain.
const PRINTING_MS: u64 = 180_000;
/// Idle in maintenance until the warning.
const MAINTENANCE_MS: u64 = 300_000;
/// A USB stick that is not written by then never will be.
const EXPORT_MS: u64 = 240_000;
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
    /// The card that is being read took the place of the visit's own faster than a hand does.
    pub(crate) laid_on_top: bool,
    /// The citizen is asked to take what is theirs.
    pub(crate) parting: Option<Parting>,
}

/// The end of a visit, until card and paper are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parting {
    since_ms: u64,
    /// How often was reminded.
    pub(crate) reminded: usize,
}

impl Parting {
    pub(crate) fn begins(now: Now) -> Self {
        Self { since_ms: now.monotonic_ms, reminded: 0 }
    }

    /// How many reminders are due by now.
    pub(crate) fn due(&self, now: Now) -> usize {
        REMINDERS_MS.iter().filter(|ms| now.monotonic_ms >= self.since_ms + **ms).count()
    }

    fn next(&self) -> Option<u64> {
        REMINDERS_MS.get(self.reminded).map(|ms| self.since_ms + ms)
    }
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
        // The clock at the top changes by the minute.
        let minute =
            session.now.monotonic_ms + 60_000 - u64::try_from(session.now.wall.0.rem_euclid(60_000)).unwrap_or(0);
        let retries = session.till.retries.values().map(|retry| retry.at_ms);
        let retry = retries.filter(|at| *at > session.now.monotonic_ms).min();
        let reminder = self.parting.and_then(|parting| parting.next());
        let moments =
            [idle, lifted, giving_up::next(session), retry, reminder, session.till.ask_again_ms, Some(minute)];
        moments.into_iter().flatten().min()
    }
}

/// How long nothing may happen here before the citizen is asked, or the place left; `None` while something works.
pub(crate) fn idle_ms(session: &Session) -> Option<u64> {
    let patience = patience(session);
    match &session.place {
        Place::Attract => (session.panel.is_some() || session.is_changed()).then_some(RESET_MS * patience),
        Place::Reading => Some(READING_MS),
        Place::Farewell => Some(if session.card_in_tray { FORGOTTEN_MS } else { PAPER_MS }),
        Place::Pin { checking: false, .. } => Some(IDLE_PIN_MS * patience),
        Place::Proving(_) | Place::Pin { .. } | Place::Wishes(WishErrand { stage: WishStage::Writing, .. }) => {
            Some(STUCK_MS)
        }
        Place::Printing(_) => Some(PRINTING_MS),
        Place::Maintenance(place) => Some(maintenance_ms(place)),
        Place::ToppingUp(_) => {
            let present = session.visit.as_ref().is_some_and(|visit| visit.present);
            (present && giving_up::may_leave(session)).then_some(IDLE_MS * patience)
        }
        _ => Some(IDLE_MS * patience),
    }
}

/// Who has both hands in a printer does not touch the screen; the machine answers sooner, a USB stick later.
fn maintenance_ms(place: &Maintenance) -> u64 {
    match place {
        Maintenance::Exporting => EXPORT_MS,
        place if place.is_working() => STUCK_MS,
        _ => MAINTENANCE_MS,
    }
}

/// Large letters double the time, the wish for more of it triples it.
fn patience(session: &Session) -> u64 {
    if session.more_time {
        3
    } else if session.large_text {
        2
    } else {
        1
    }
}

/// Whether a lifted card ends the visit in its time: never while money or paper is under way.
pub(crate) fn lifting_ends(session: &Session) -> bool {
    if session.card_in_tray && session.tray_trouble.is_none() {
        // Laid back, and being read.
        return false;
    }
    match session.place {
        Place::Printing(_) => false,
        Place::ToppingUp(_) => giving_up::may_leave(session) || giving_up::may_give_up(session),
        Place::Maintenance(ref place) => !place.is_working(),
        _ => true,
    }
}

pub(crate) fn lifted_ms(session: &Session) -> u64 {
    match session.place {
        Place::ToppingUp(_) => TORN_MS,
        Place::Trouble { amount: Some(_), .. } => PAYMENT_TOLD_MS,
        _ if session.tray_trouble.is_some() => TRAY_MS,
        _ => LIFTED_MS,
    }
}

impl Session {
    /// As the next person finds it.
    pub(crate) fn default_looks(&mut self) {
        self.looks_over = false;
        self.lang = self.terminal.catalog.default_tag().to_owned();
        (self.large_text, self.high_contrast, self.panel) = (false, false, None);
        (self.more_time, self.simple_view) = (false, false);
    }

    /// Somebody changed language or letters before laying down a card.
    pub(crate) fn is_changed(&self) -> bool {
        let chosen = self.large_text || self.high_contrast || self.more_time || self.simple_view;
        chosen || self.lang != self.terminal.catalog.default_tag()
    }
}
