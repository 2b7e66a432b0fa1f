//! A card is laid down, read, lifted, laid back, or swapped for another.

use crate::Session;
use crate::effect::Effect;
use crate::flow::{end, money};
use crate::place::Place;
use crate::visit::Visit;
use domain::FailureCode;
use domain::card::{CardSnapshot, Presentation};
use domain::holder::TapFacts;

pub(crate) fn arrived(session: &mut Session) {
    session.card_in_tray = true;
    if session.visit.is_none() && session.place != Place::Farewell {
        session.go(Place::Reading);
    }
}

pub(crate) fn read(session: &mut Session, card: CardSnapshot) {
    session.card_in_tray = true;
    let same = session.visit.as_ref().is_some_and(|visit| visit.same_card(&card));
    if same {
        return laid_back(session, card);
    }
    // A second card never inherits a visit: the first one ends, with all that is open in it.
    end::close_for(session, Some(card.secret));
    session.ask(Effect::OpenTap {
        presentation: card.presentation,
        secret: card.secret,
        number: card.number,
        generation: card.generation,
    });
    wish(session, &card);
    session.visit = Some(Visit::new(card));
    session.go(Place::Home);
    money::card_seen(session);
}

fn wish(session: &mut Session, card: &CardSnapshot) {
    session.large_text |= card.wishes.large_text;
    session.high_contrast |= card.wishes.high_contrast;
    let wished = card
        .wishes
        .language
        .map(|code| code.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect::<String>());
    if let Some(lang) = wished.filter(|lang| session.terminal.catalog.tags().any(|tag| tag == lang)) {
        session.lang = lang;
    }
}

fn laid_back(session: &mut Session, card: CardSnapshot) {
    session.timing.lifted_ms = None;
    session.timing.touched(session.now);
    if let Some(visit) = &mut session.visit {
        visit.resume(card);
    }
    money::card_seen(session);
}

pub(crate) fn refused(session: &mut Session, code: FailureCode) {
    session.card_in_tray = true;
    if session.visit.is_some() {
        // Unreadable on its way back: the screen keeps asking for it.
        return;
    }
    session.go(Place::Trouble { code, amount: None });
}

pub(crate) fn gone(session: &mut Session, presentation: Presentation) {
    session.card_in_tray = false;
    match &mut session.visit {
        Some(visit) if visit.is(presentation) => {
            visit.present = false;
            session.timing.lifted_ms = Some(session.now.monotonic_ms);
        }
        Some(_) => {}
        None => session.go(Place::Attract),
    }
}

pub(crate) fn reader_gone(session: &mut Session) {
    session.reader = Err(FailureCode::ReaderAbsent);
    let presentation = session.visit.as_ref().map(|visit| visit.card.presentation);
    match presentation {
        Some(presentation) => gone(session, presentation),
        None if session.place == Place::Reading => session.go(Place::Attract),
        None => {}
    }
}

pub(crate) fn tap(session: &mut Session, presentation: Presentation, result: Result<Box<TapFacts>, FailureCode>) {
    let revoked = result == Err(FailureCode::CardRevoked);
    let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) else { return };
    visit.tap = Some(result.map(|facts| *facts));
    if revoked {
        session.go(Place::Trouble { code: FailureCode::CardRevoked, amount: None });
    }
    // The credit key came with the record: an open claim of this card can go on now.
    money::card_seen(session);
}
