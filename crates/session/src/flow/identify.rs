//! A card is laid down, read, lifted, laid back, or swapped for another.

use crate::Session;
use crate::effect::Effect;
use crate::flow::{end, giving_up, maintenance, money, orders, pin, report, top_up, wishes};
use crate::place::Place;
use crate::timing::SWAP_MS;
use crate::visit::Visit;
use domain::FailureCode;
use domain::card::{CardSnapshot, PinTries, Presentation};
use domain::device::{Cue, ReaderRequest};
use domain::holder::TapFacts;

pub(crate) fn arrived(session: &mut Session) {
    session.card_in_tray = true;
    session.timing.laid_on_top = was_laid_on_top(session);
    if session.visit.is_none() {
        session.timing.lifted_ms = None;
        session.go(Place::Reading);
    }
}

pub(crate) fn read(session: &mut Session, card: CardSnapshot) {
    session.card_in_tray = true;
    let same = session.visit.as_ref().is_some_and(|visit| visit.same_card(&card));
    if same {
        return laid_back(session, &card);
    }
    let on_top = std::mem::take(&mut session.timing.laid_on_top);
    if session.visit.is_some() && (on_top || giving_up::is_awaited(session)) {
        card.secret.into_iter().for_each(|secret| session.ask(Effect::Forget(secret)));
        took_its_place(session);
        return disturbed(session, FailureCode::CardSwapped);
    }
    // A second card never inherits a visit: the first one ends, with all that is open in it.
    end::close_for(session, card.secret);
    if session.looks_over {
        // What was chosen on the way to this visit stays for it; what was chosen in the one before went with it.
        session.default_looks();
    }
    open_tap(session, &card);
    wishes::apply(session, &card.wishes);
    session.paper_out = false;
    session.visit = Some(Visit::new(card));
    if session.purse_needs_check() {
        // For the technician's log, and for whoever asks why a terminal refuses: of whose card is not noted.
        tracing::warn!(code = %FailureCode::PurseImplausible, "a purse outside its limits was laid down");
        report::values(session);
    }
    // Out of order, only the record tells whether this is a technician.
    if session.out_of_order.is_some() {
        return session.go(Place::Reading);
    }
    session.go(Place::Home);
    money::card_seen(session);
    giving_up::tell_interrupted(session);
}

fn open_tap(session: &mut Session, card: &CardSnapshot) {
    session.ask(Effect::OpenTap {
        presentation: card.presentation,
        secret: card.secret,
        number: card.number,
        generation: card.generation,
    });
}

fn laid_back(session: &mut Session, card: &CardSnapshot) {
    session.timing.lifted_ms = None;
    session.tray_trouble = None;
    session.timing.touched(session.now);
    let Some(visit) = &mut session.visit else { return };
    let (old_secret, unopened) = (visit.card.secret, visit.tap_facts().is_none() && !visit.is_revoked());
    let pin_proven = visit.pin.is_some() || visit.maintains;
    visit.resume(card.clone());
    if old_secret != card.secret {
        old_secret.into_iter().for_each(|secret| session.ask(Effect::Forget(secret)));
    }
    if unopened {
        // An answer for the presentation before does not count any more.
        open_tap(session, card);
    }
    if pin_proven && card.tries.failures > 0 {
        // Lifted before the right PIN could be noted on the card.
        let tries = PinTries { failures: 0, ..card.tries };
        session.ask(Effect::Reader(ReaderRequest::WriteTries(card.presentation, tries)));
    }
    begin_again(session);
    money::card_seen(session);
    orders::go_on(session);
}

/// What waited for the presentation before would wait for ever.
fn begin_again(session: &mut Session) {
    match session.place {
        Place::Proving(amount) => top_up::prove(session, amount),
        Place::Pin { purpose, .. } => pin::open(session, purpose),
        Place::Wishes(errand) => wishes::again(session, errand),
        _ => {}
    }
}

/// The card of the visit was taken from the reader only now: no hand is that fast.
fn was_laid_on_top(session: &Session) -> bool {
    let lifted_ms = session.timing.lifted_ms.filter(|_| session.visit.is_some());
    lifted_ms.is_some_and(|since| session.now.monotonic_ms < since + SWAP_MS)
}

/// The visit stays covered until its own card is read again, or its time is over. What lies there may be named anew,
/// but that gives no more time and no second sound.
fn disturbed(session: &mut Session, code: FailureCode) {
    if session.tray_trouble.replace(code).is_some() {
        return;
    }
    session.panel = None;
    session.timing.lifted_ms = Some(session.now.monotonic_ms);
    session.ask(Effect::Sound(Cue::Refused));
}

/// Another card took the place of the visit's own on the reader, though nobody saw that one go.
fn took_its_place(session: &mut Session) {
    if let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) {
        let presentation = visit.card.presentation;
        gone(session, presentation);
        session.card_in_tray = true;
    }
}

pub(crate) fn refused(session: &mut Session, code: FailureCode) {
    took_its_place(session);
    let lay_there = std::mem::replace(&mut session.card_in_tray, true);
    if session.visit.is_none() {
        return refused_alone(session, code, lay_there);
    }
    // Its own card that is not laid well, or another one.
    let unreadable = code == FailureCode::CardUnreadable;
    disturbed(session, if unreadable { code } else { FailureCode::CardSwapped });
}

/// Nobody is served, and a card that cannot be lies there.
fn refused_alone(session: &mut Session, code: FailureCode, lay_there: bool) {
    session.timing.lifted_ms = None;
    match &mut session.place {
        // Out of order, the screen says already that nobody is served.
        _ if session.out_of_order.is_some() => session.go(Place::Attract),
        // Two cards are now the one, now the other: it was heard already that they are refused.
        Place::Trouble { code: shown, .. } if lay_there => *shown = code,
        _ => session.go(Place::Trouble { code, amount: None }),
    }
}

fn presentation_of(session: &Session) -> Option<Presentation> {
    session.visit.as_ref().map(|visit| visit.card.presentation)
}

pub(crate) fn gone(session: &mut Session, presentation: Presentation) {
    session.card_in_tray = false;
    let now_ms = session.now.monotonic_ms;
    match &mut session.visit {
        Some(visit) if visit.is(presentation) && visit.present => {
            visit.present = false;
            session.timing.lifted_ms = Some(now_ms);
            // What must be seen now is that the card is away.
            session.panel = None;
            pin::interrupted(session);
        }
        Some(_) if session.tray_trouble.take().is_some() => session.timing.lifted_ms = Some(now_ms),
        Some(_) => {}
        None if session.place == Place::Farewell && session.paper_out => session.go(Place::Farewell),
        // Why it was refused is read to the end, though the card was lifted at once.
        None if matches!(session.place, Place::Trouble { .. }) => session.timing.lifted_ms = Some(now_ms),
        None => session.go(Place::Attract),
    }
}

pub(crate) fn reader_gone(session: &mut Session) {
    session.reader = Err(FailureCode::ReaderAbsent);
    session.card_in_tray = false;
    match presentation_of(session) {
        Some(presentation) => {
            if session.tray_trouble.is_none() {
                gone(session, presentation);
            }
            disturbed(session, FailureCode::ReaderAbsent);
        }
        None if session.place != Place::Attract => session.go(Place::Attract),
        None => {}
    }
}

pub(crate) fn tap(session: &mut Session, presentation: Presentation, result: Result<Box<TapFacts>, FailureCode>) {
    let revoked = result == Err(FailureCode::CardRevoked);
    let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) else {
        // Too late: nobody will wipe its key with a visit.
        let key = result.ok().and_then(|facts| facts.credit_key);
        return key.into_iter().for_each(|key| session.ask(Effect::Forget(key)));
    };
    visit.tap = Some(result.map(|facts| *facts));
    if visit.is_technicians() {
        return maintenance::card_laid(session);
    }
    if session.place == Place::Reading {
        return out_of_order(session);
    }
    if revoked && !matches!(session.place, Place::ToppingUp(_) | Place::Printing(_)) {
        session.go(Place::Trouble { code: FailureCode::CardRevoked, amount: None });
    }
    // The credit key came with the record: an open claim of this card can go on now.
    money::card_seen(session);
    orders::of_record(session);
}

/// A citizen's card on a terminal that is switched off: its visit ends before it began, and the card is asked for.
pub(crate) fn out_of_order(session: &mut Session) {
    end::leave(session);
}

/// A terminal that is switched off in the middle of a citizen's visit ends it; a top-up and a paper are waited for,
/// and what is said of their end, or of any trouble, is read to the end.
pub(crate) fn serves_on(session: &mut Session) {
    let Some(visit) = session.visit.as_ref().filter(|visit| session.out_of_order.is_some() && !visit.is_technicians())
    else {
        return;
    };
    match session.place {
        Place::Reading | Place::ToppingUp(_) | Place::Printing(_) => {}
        Place::ToppedUp(_) | Place::Printed { .. } | Place::Trouble { .. } => {}
        // Only the record tells whether this is a technician.
        _ if visit.tap.is_none() => session.go(Place::Reading),
        _ => end::leave(session),
    }
}
