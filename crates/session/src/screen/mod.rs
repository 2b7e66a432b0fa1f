//! From the state to the screen: which words, figures and buttons stand where. One file per area.

mod attract;
mod documents;
mod home;
mod lists;
mod pin;
mod service;
mod strip;
mod top_up;
mod trouble;
pub(crate) mod words;

use crate::Session;
use crate::action::Action;
use crate::place::{AfterPrint, Place};
use crate::view::{Overlay, Screen, Text, Theme, Tone, View};
use words::Words;

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
        Place::Services(page) => lists::services(session, words, *page),
        Place::Movements(page) => lists::movements(session, words, *page),
        Place::Amount { chosen, problem } => top_up::amount(session, words, *chosen, *problem),
        Place::Proving(amount) => top_up::proving(session, words, *amount),
        Place::ToppingUp(id) => top_up::under_way(session, words, *id),
        Place::ToppedUp(topped_up) => top_up::done(session, words, topped_up),
        Place::Documents => documents::menu(session, words),
        Place::Pin { document, entered, checking, problem } => {
            pin::screen(session, words, *document, *entered, *checking, *problem)
        }
        Place::Document(kind) => documents::details(session, words, *kind),
        Place::Printing(printing) => documents::printing(words, matches!(printing.then, AfterPrint::Document(_))),
        Place::Printed { document, code } => documents::printed(words, *document, code.as_deref()),
        Place::Trouble { code, amount } => trouble::screen(session, words, *code, *amount),
        Place::Farewell => attract::farewell(session, words),
    }
}

impl Session {
    /// Lifted, or covered on request: private data is hidden. A top-up or a print whose card was lifted asks for the
    /// card itself, on a screen without anything private.
    pub(crate) fn is_covered(&self) -> bool {
        let asks_for_card = matches!(self.place, Place::ToppingUp(_) | Place::Printing(_));
        self.visit.as_ref().is_some_and(|visit| if visit.present { visit.covered } else { !asks_for_card })
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
    if let Some(visit) = session.visit.as_ref().filter(|_| session.is_covered()) {
        let (heading, lead) = if visit.present {
            ("common-covered", "common-covered-lead")
        } else {
            ("common-lifted", "common-lifted-lead")
        };
        let uncover = words.button("uncover", "common-uncover", Tone::Primary, Action::ToggleCover);
        return Some(Overlay::Cover {
            heading: words.text(heading),
            lead: words.text(lead),
            actions: if visit.present { vec![uncover] } else { Vec::new() },
        });
    }
    session.help.then(|| help(session, words))
}

fn help(session: &Session, words: &Words) -> Overlay {
    let area = match &session.place {
        Place::Attract | Place::Reading | Place::Farewell => "attract",
        Place::Home | Place::Services(_) | Place::Movements(_) => "home",
        Place::Amount { .. } | Place::Proving(_) | Place::ToppingUp(_) | Place::ToppedUp(_) => "topup",
        Place::Pin { .. } => "pin",
        Place::Documents | Place::Document(_) | Place::Printing(_) | Place::Printed { .. } => "document",
        Place::Trouble { .. } => "trouble",
    };
    let paragraphs: Vec<Text> = vec![
        words.text(&format!("help-{area}-first")),
        words.text(&format!("help-{area}-then")),
        words.text_with("help-telephone", &[("telephone", session.terminal.pack.brand.telephone.as_str().into())]),
    ];
    Overlay::Help {
        heading: words.text("help-heading"),
        paragraphs,
        actions: vec![words.button("close-help", "common-close", Tone::Primary, Action::ToggleHelp)],
    }
}
