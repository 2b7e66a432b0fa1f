//! From the state to the screen: which words, figures and buttons stand where. One file per area.

mod attract;
pub(crate) mod closed;
mod documents;
mod home;
pub(crate) mod lists;
mod maintenance;
mod notices;
pub(crate) mod panel;
mod pin;
mod receipt;
mod service;
mod strip;
mod top_up;
mod trouble;
mod wishes;
pub(crate) mod words;

use crate::Session;
use crate::action::Action;
use crate::place::{AfterPrint, Place, Printing};
use crate::view::{Overlay, Screen, Theme, Tone, View};
use words::Words;

pub(crate) use maintenance::readiness;

/// The whole screen.
pub(crate) fn view(session: &Session) -> View {
    let words = Words::new(session);
    View {
        lang: words.tag().to_owned(),
        theme: if session.high_contrast { Theme::HighContrast } else { Theme::Standard },
        large_text: session.large_text,
        frame: strip::frame(session, &words),
        tools: strip::tools(session, &words),
        overlay: overlay(session, &words),
        // What is covered is not in the view at all: the glass cannot leak what it never had.
        screen: if session.is_covered() { strip::covered(session, &words) } else { screen(session, &words) },
    }
}

fn screen(session: &Session, words: &Words) -> Screen {
    match &session.place {
        Place::Attract => attract::screen(session, words),
        Place::Reading => attract::reading(words),
        Place::Home => home::screen(session, words),
        Place::More => home::more(session, words),
        Place::Services(page) => lists::services(session, words, *page),
        Place::Movements(page) => lists::movements(session, words, *page),
        Place::Amount { chosen, problem } => top_up::amount(session, words, *chosen, *problem),
        Place::Proving(amount) => top_up::proving(session, words, *amount),
        Place::ToppingUp(id) => top_up::under_way(session, words, *id),
        Place::ToppedUp(topped_up) => top_up::done(session, words, topped_up),
        Place::ReceiptCode(topped_up) => receipt::screen(session, words, topped_up),
        Place::Documents => documents::menu(session, words),
        Place::Pin { purpose, entered, checking, problem } => {
            pin::screen(session, words, *purpose, *entered, *checking, *problem)
        }
        Place::ForgotPin(purpose) => pin::forgotten(session, words, *purpose),
        Place::Document(kind) => documents::details(session, words, *kind),
        Place::Printing(Printing { then: AfterPrint::Readiness(_), .. }) => maintenance::printing(words),
        Place::Printing(printing) => {
            documents::printing(session, words, matches!(printing.then, AfterPrint::Document(_)))
        }
        Place::Printed { document, code } => documents::printed(session, words, *document, code.as_deref()),
        Place::Wishes(errand) => wishes::screen(session, words, *errand),
        Place::Trouble { code, amount } => trouble::screen(session, words, *code, *amount),
        Place::Maintenance(place) => maintenance::screen(session, words, place),
        Place::Farewell => attract::farewell(session, words),
    }
}

impl Session {
    /// Lifted, or covered on request: private data is hidden. A top-up or a print whose card was lifted asks for the
    /// card itself, and what became of a payment is said although the card is away: both without anything private.
    pub(crate) fn is_covered(&self) -> bool {
        let speaks_on =
            matches!(self.place, Place::ToppingUp(_) | Place::Printing(_) | Place::Trouble { amount: Some(_), .. });
        self.visit.as_ref().is_some_and(|visit| if visit.present { visit.covered } else { !speaks_on })
    }
}

fn overlay(session: &Session, words: &Words) -> Option<Overlay> {
    if let Some(seconds) = session.timing.seconds_left(session.now) {
        return Some(Overlay::TimeWarning {
            heading: words.text("common-still-there"),
            lead: words.text("common-still-there-lead"),
            seconds,
            actions: vec![
                words.button("stay", "common-stay", Tone::Primary, Action::Stay),
                words.button("leave", "common-finish", Tone::Finish, Action::Finish),
            ],
        });
    }
    // Nothing private lies below a cover, so that a panel may lie over it.
    if let Some(panel) = session.panel {
        return Some(panel::overlay(session, words, panel));
    }
    session.is_covered().then(|| strip::cover_overlay(session, words))
}
