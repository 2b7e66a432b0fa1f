//! The flows: what each event means where the session is. One file each.

pub(crate) mod credit;
pub(crate) mod documents;
pub(crate) mod end;
pub(crate) mod identify;
pub(crate) mod money;
pub(crate) mod paper;
pub(crate) mod payment;
pub(crate) mod pin;
pub(crate) mod time;
pub(crate) mod top_up;

use crate::place::Place;
use crate::{Action, Session};
use domain::device::ReaderEvent;

/// The citizen touched something.
pub(crate) fn act(session: &mut Session, action: Action) {
    session.timing.touched(session.now);
    match action {
        Action::SelectLanguage { lang } => {
            if session.terminal.catalog.tags().any(|tag| tag == lang) {
                session.lang = lang;
            }
        }
        Action::ToggleLetters => session.large_text = !session.large_text,
        Action::ToggleContrast => session.high_contrast = !session.high_contrast,
        Action::ToggleHelp => session.help = !session.help,
        Action::Stay => {}
        _ if session.visit.is_none() => {}
        action => act_in_visit(session, &action),
    }
}

fn act_in_visit(session: &mut Session, action: &Action) {
    if !is_open_to(session, action) {
        return;
    }
    match action {
        Action::ToggleCover => {
            if let Some(visit) = &mut session.visit {
                visit.covered = !visit.covered;
            }
        }
        Action::Finish => end::finish(session),
        Action::Back => back(session),
        Action::Home if !session.place.is_working() => session.go(Place::Home),
        Action::Services if session.place == Place::Home => session.go(Place::Services(0)),
        Action::Movements if session.place == Place::Home => session.go(Place::Movements(0)),
        Action::NextPage => next_page(session),
        Action::TopUp | Action::ChooseAmount { .. } | Action::Pay | Action::CancelPayment => {
            top_up::act(session, action);
        }
        Action::PrintReceipt | Action::PrintClaim => paper::act(session, action),
        Action::Documents | Action::ChooseDocument { .. } | Action::PrintDocument => documents::act(session, action),
        Action::PinConfirm => pin::confirm(session),
        // The digits themselves go to the vault; `Event::PinEntered` tells how many there are.
        _ => {}
    }
}

/// While the data is covered, or the card is revoked, one can only uncover it or leave.
fn is_open_to(session: &Session, action: &Action) -> bool {
    let Some(visit) = &session.visit else { return false };
    match action {
        Action::Finish => true,
        Action::ToggleCover => visit.present,
        _ => !session.is_covered() && !visit.is_revoked(),
    }
}

fn back(session: &mut Session) {
    match session.place {
        Place::Pin { checking: false, .. } | Place::Document(_) => session.go(Place::Documents),
        _ if !session.place.is_working() => session.go(Place::Home),
        _ => {}
    }
}

fn next_page(session: &mut Session) {
    match session.place {
        Place::Services(page) => session.go(Place::Services(page + 1)),
        Place::Movements(page) => session.go(Place::Movements(page + 1)),
        _ => {}
    }
}

/// The card reader spoke.
pub(crate) fn reader(session: &mut Session, event: ReaderEvent) {
    match event {
        ReaderEvent::Ready => session.reader = Ok(()),
        ReaderEvent::Gone => identify::reader_gone(session),
        ReaderEvent::CardArrived(_) => identify::arrived(session),
        ReaderEvent::CardRead(card) => identify::read(session, *card),
        ReaderEvent::CardRefused(_, code) => identify::refused(session, code),
        ReaderEvent::CardGone(presentation) => identify::gone(session, presentation),
        ReaderEvent::CreditKeyProven(presentation) => top_up::key_proven(session, presentation),
        ReaderEvent::CreditKeyRefused(presentation, code) => top_up::key_refused(session, presentation, code),
        ReaderEvent::Credited { top_up, before, after } => credit::credited(session, top_up, before, after),
        ReaderEvent::NotCredited(top_up, code) => credit::not_credited(session, top_up, code),
        ReaderEvent::CreditInDoubt(top_up) => credit::in_doubt(session, top_up),
        ReaderEvent::Resolved(top_up, verdict) => credit::verdict(session, top_up, verdict),
        ReaderEvent::ResolveFailed(top_up, _) => credit::silent(session, top_up),
        ReaderEvent::TriesWritten(presentation, tries) => pin::tries_written(session, presentation, tries),
        ReaderEvent::TriesNotWritten(presentation, code) => pin::tries_not_written(session, presentation, code),
    }
}
