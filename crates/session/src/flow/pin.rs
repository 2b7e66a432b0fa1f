//! The PIN. Its digits never come here: they lie in the vault, and the session knows how many there are. A failure
//! is committed to the card before the PIN is tried, so that pulling the card saves no try.

use crate::Session;
use crate::effect::Effect;
use crate::flow::{end, maintenance};
use crate::place::{PinPurpose, Place};
use crate::visit::Visit;
use domain::FailureCode;
use domain::card::{PinTries, Presentation};
use domain::device::ReaderRequest;
use domain::holder::PinFacts;

/// Asks for the PIN, unless it was given in this visit or cannot be.
pub(crate) fn open(session: &mut Session, purpose: PinPurpose) {
    // While the record is still being opened nobody knows what the PIN would open: the touch is repeated.
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.tap.is_some()) else { return };
    match purpose {
        PinPurpose::Document(document) if visit.pin.is_some() => return session.go(Place::Document(document)),
        PinPurpose::Maintenance if visit.maintains => return maintenance::enter(session),
        _ => {}
    }
    match refusal(session, purpose) {
        Some(code) => session.go(Place::Trouble { code, amount: None }),
        None => {
            session.ask(Effect::ClearPin);
            session.go(Place::Pin { purpose, entered: 0, checking: false, problem: None });
        }
    }
}

/// Why no PIN can be tried, if so.
pub(crate) fn refusal(session: &Session, purpose: PinPurpose) -> Option<FailureCode> {
    let visit = session.visit.as_ref()?;
    let tries = counting(visit);
    let for_citizen = purpose != PinPurpose::Maintenance;
    match &visit.tap {
        // What is wrong with the terminal keeps papers from being given, and is what a technician comes for.
        _ if for_citizen && session.impairment().is_some() => session.impairment(),
        Some(Err(code)) => Some(*code),
        // The record is still being opened.
        None => None,
        Some(Ok(facts)) if facts.pin_version == 0 => Some(FailureCode::PinNeverSet),
        Some(Ok(facts)) if facts.pin_version != tries.pin_version => Some(FailureCode::RecordStale),
        // A copy, or a card set back to an older state, has fewer attempts than this terminal remembers.
        _ if tries.failures >= session.terminal.pack.pin.tries || tries.attempt < visit.attempt_floor => {
            Some(FailureCode::PinLocked)
        }
        _ if for_citizen && session.feed_is_too_old() => Some(FailureCode::FeedTooOld),
        _ => None,
    }
}

/// What the card has counted. A record with a newer PIN than the card knows was sealed after the office set it anew:
/// nothing is counted against that one yet. The first try writes its version on the card.
fn counting(visit: &Visit) -> PinTries {
    let tries = visit.card.tries;
    match visit.tap_facts() {
        Some(facts) if facts.pin_version > tries.pin_version => {
            PinTries { failures: 0, pin_version: facts.pin_version, ..tries }
        }
        _ => tries,
    }
}

/// The journal remembers this many attempts of the card.
pub(crate) fn floor(session: &mut Session, presentation: Presentation, attempts: u32) {
    if let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) {
        visit.attempt_floor = visit.attempt_floor.max(attempts);
    }
}

/// The citizen has forgotten it.
pub(crate) fn forgotten(session: &mut Session) {
    if let Place::Pin { purpose, checking: false, .. } = session.place {
        session.go(Place::ForgotPin(purpose));
    }
}

/// The card was lifted: a PIN half typed is not left for the next hand.
pub(crate) fn interrupted(session: &mut Session) {
    if let Place::Pin { entered, checking: false, .. } = &mut session.place {
        *entered = 0;
        session.ask(Effect::ClearPin);
    }
}

pub(crate) fn entered(session: &mut Session, digits: u8) {
    session.timing.touched(session.now);
    if let Place::Pin { entered, checking: false, problem, .. } = &mut session.place {
        *entered = digits;
        if digits > 0 {
            *problem = None;
        }
    }
}

pub(crate) fn confirm(session: &mut Session) {
    let length = session.terminal.pack.pin.length;
    let Place::Pin { purpose, .. } = session.place else { return };
    if let Some(code) = refusal(session, purpose) {
        return session.go(Place::Trouble { code, amount: None });
    }
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let (presentation, tries) = (visit.card.presentation, counting(visit));
    let Place::Pin { entered, checking, .. } = &mut session.place else { return };
    if *checking || *entered != length {
        return;
    }
    *checking = true;
    let counted =
        PinTries { attempt: tries.attempt.saturating_add(1), failures: tries.failures.saturating_add(1), ..tries };
    session.ask(Effect::Reader(ReaderRequest::WriteTries(presentation, counted)));
}

pub(crate) fn tries_written(session: &mut Session, presentation: Presentation, tries: PinTries) {
    let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) else { return };
    // Only a counted try lets the PIN be tried; a reset keeps the attempt's number.
    let counted = tries.attempt > visit.card.tries.attempt;
    visit.card.tries = tries;
    let Place::Pin { checking: true, .. } = session.place else { return };
    let Some((facts, secret)) = visit.tap_facts().filter(|_| counted).zip(visit.card.secret) else { return };
    let effect = Effect::OpenPin {
        presentation,
        secret,
        generation: visit.card.generation,
        pin_version: facts.pin_version,
        pin_content: facts.pin_content,
    };
    session.ask(effect);
}

pub(crate) fn tries_not_written(session: &mut Session, presentation: Presentation, code: FailureCode) {
    let here = session.visit.as_ref().is_some_and(|visit| visit.is(presentation));
    if here && matches!(session.place, Place::Pin { checking: true, .. }) {
        session.go(Place::Trouble { code, amount: None });
    }
}

pub(crate) fn opened(session: &mut Session, presentation: Presentation, result: Result<Box<PinFacts>, FailureCode>) {
    let tries_max = session.terminal.pack.pin.tries;
    let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) else { return };
    let Place::Pin { purpose, checking: true, .. } = session.place else { return };
    match result {
        Ok(facts) => {
            let tries = PinTries { failures: 0, ..visit.card.tries };
            session.ask(Effect::Reader(ReaderRequest::WriteTries(presentation, tries)));
            proven(session, purpose, *facts);
        }
        Err(FailureCode::PinWrong) if visit.card.tries.failures >= tries_max => {
            session.go(Place::Trouble { code: FailureCode::PinLocked, amount: None });
        }
        Err(FailureCode::PinWrong) => {
            let problem = Some(FailureCode::PinWrong);
            session.go(Place::Pin { purpose, entered: 0, checking: false, problem });
        }
        Err(code) => {
            // Not the citizen's mistake: the try counted above is given back.
            let failures = visit.card.tries.failures.saturating_sub(1);
            let tries = PinTries { failures, ..visit.card.tries };
            session.ask(Effect::Reader(ReaderRequest::WriteTries(presentation, tries)));
            session.go(Place::Trouble { code, amount: None });
        }
    }
}

/// The PIN was right. Maintenance keeps none of its facts: they are the technician's own.
fn proven(session: &mut Session, purpose: PinPurpose, facts: PinFacts) {
    let Some(visit) = &mut session.visit else { return };
    match purpose {
        PinPurpose::Document(document) => {
            visit.pin = Some(facts);
            session.go(Place::Document(document));
        }
        PinPurpose::Maintenance if visit.is_technicians() => {
            visit.maintains = true;
            maintenance::enter(session);
        }
        // Nobody but a technician is ever asked for it.
        PinPurpose::Maintenance => end::finish(session),
    }
}

impl Session {
    /// The feed is older than the city allows for what needs the PIN.
    pub(crate) fn feed_is_too_old(&self) -> bool {
        let days = i64::from(self.terminal.pack.freshness.pin_tier_days);
        self.network.feed.is_none_or(|feed| self.now.wall.0 - feed.issued.0 > days * 86_400_000)
    }
}
