//! The flows: what each event means where the session is. One file each.

pub(crate) mod credit;
pub(crate) mod day;
pub(crate) mod documents;
pub(crate) mod end;
pub(crate) mod giving_up;
pub(crate) mod identify;
pub(crate) mod maintenance;
pub(crate) mod money;
pub(crate) mod orders;
pub(crate) mod paper;
pub(crate) mod payment;
pub(crate) mod pin;
pub(crate) mod report;
pub(crate) mod time;
pub(crate) mod top_up;
pub(crate) mod wishes;

use crate::place::{Panel, Place};
use crate::screen::lists::last_page;
use crate::{Action, Session};
use domain::device::ReaderEvent;

/// The citizen touched something.
pub(crate) fn act(session: &mut Session, action: Action) {
    session.timing.touched(session.now);
    match action {
        Action::SelectLanguage { lang } => {
            if session.terminal.catalog.tags().any(|tag| tag == lang) {
                session.lang = lang;
                session.panel = None;
            }
        }
        Action::ToggleLetters => session.large_text = !session.large_text,
        Action::ToggleContrast => session.high_contrast = !session.high_contrast,
        Action::ToggleHelp => toggle(session, Panel::Help),
        Action::ToggleLanguages => toggle(session, Panel::Languages),
        Action::ToggleLooks => toggle(session, Panel::Looks),
        Action::ToggleMoreTime => session.more_time = !session.more_time,
        Action::ToggleSimple => session.simple_view = !session.simple_view,
        Action::Stay => {}
        Action::PaperTaken => end::paper_taken(session),
        _ if session.visit.is_none() => {}
        action => act_in_visit(session, &action),
    }
}

fn toggle(session: &mut Session, panel: Panel) {
    session.panel = if session.panel == Some(panel) { None } else { Some(panel) };
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
        Action::Services if session.place.is_home() => session.go(Place::Services(0)),
        Action::Movements if session.place.is_home() => session.go(Place::Movements(0)),
        Action::More if session.place == Place::Home => session.go(Place::More),
        Action::NextPage => next_page(session),
        Action::TopUp | Action::ChooseAmount { .. } | Action::Pay | Action::CancelPayment => {
            top_up::act(session, action);
        }
        Action::PrintReceipt | Action::ShowReceipt | Action::PrintClaim => paper::act(session, action),
        Action::Documents | Action::ChooseDocument { .. } | Action::PrintDocument => documents::act(session, action),
        Action::PinConfirm => pin::confirm(session),
        Action::ForgotPin => pin::forgotten(session),
        Action::Maintain { task } => maintenance::act(session, *task),
        Action::RememberWishes | Action::EraseWishes | Action::WriteWishes => wishes::act(session, action),
        // The digits themselves go to the vault; `Event::PinEntered` tells how many there are.
        _ => {}
    }
}

/// While the data is covered, or the card is revoked, one can only uncover it or leave.
fn is_open_to(session: &Session, action: &Action) -> bool {
    let Some(visit) = &session.visit else { return false };
    match action {
        Action::Finish => true,
        Action::ToggleCover => visit.present && !visit.is_technicians(),
        // A service card opens maintenance and nothing else.
        Action::Back | Action::NextPage | Action::PinConfirm | Action::ForgotPin | Action::Maintain { .. } => {
            !session.is_covered() && !visit.is_revoked()
        }
        _ if visit.is_technicians() => false,
        _ => !session.is_covered() && !visit.is_revoked(),
    }
}

fn back(session: &mut Session) {
    if session.is_technicians() {
        return maintenance::back(session);
    }
    match session.place.clone() {
        Place::ReceiptCode(topped_up) => session.go(Place::ToppedUp(topped_up)),
        Place::ForgotPin(purpose) => pin::open(session, purpose),
        Place::Pin { checking: false, .. } | Place::Document(_) => session.go(Place::Documents),
        Place::Services(page) if page > 0 => {
            session.go(Place::Services(page.min(last_page(session)).saturating_sub(1)));
        }
        Place::Movements(page) if page > 0 => {
            session.go(Place::Movements(page.min(last_page(session)).saturating_sub(1)));
        }
        _ if !session.place.is_working() => session.go(Place::Home),
        _ => {}
    }
}

fn next_page(session: &mut Session) {
    match session.place {
        Place::Services(page) => session.go(Place::Services((page + 1).min(last_page(session)))),
        Place::Movements(page) => session.go(Place::Movements((page + 1).min(last_page(session)))),
        Place::Maintenance(_) => maintenance::next_page(session),
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
        ReaderEvent::CreditKeyProven(presentation) => {
            orders::key_proven(session, presentation);
            top_up::key_proven(session, presentation);
        }
        ReaderEvent::CreditKeyRefused(presentation, code) => top_up::key_refused(session, presentation, code),
        ReaderEvent::Credited { top_up, before, after } => credit::credited(session, top_up, before, after),
        ReaderEvent::NotCredited(top_up, code) => credit::not_credited(session, top_up, code),
        ReaderEvent::CreditInDoubt(top_up) => credit::in_doubt(session, top_up),
        ReaderEvent::Resolved(top_up, verdict) => credit::verdict(session, top_up, verdict),
        ReaderEvent::ResolveFailed(top_up, _) => credit::silent(session, top_up),
        ReaderEvent::TriesWritten(presentation, tries) => pin::tries_written(session, presentation, tries),
        ReaderEvent::TriesNotWritten(presentation, code) => pin::tries_not_written(session, presentation, code),
        ReaderEvent::WishesWritten(presentation, wishes) => wishes::written(session, presentation, wishes),
        ReaderEvent::WishesNotWritten(presentation, code) => wishes::not_written(session, presentation, code),
    }
}
