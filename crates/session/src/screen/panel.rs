//! What can be laid over any screen at any time: the languages, the looks, and the help of the place.

use super::wishes;
use super::words::{Words, labelled, plain};
use crate::Session;
use crate::action::Action;
use crate::place::{AfterPrint, Panel, Place, Printing};
use crate::view::{Button, Icon, Overlay, Text, Tone};

pub(crate) fn overlay(session: &Session, words: &Words, panel: Panel) -> Overlay {
    match panel {
        Panel::Help => help(session, words),
        Panel::Languages => Overlay::Choice {
            heading: words.text("common-language-heading"),
            lead: None,
            items: languages(session),
            actions: vec![words.button("close", "common-cancel-choice", Tone::Plain, Action::ToggleLanguages)],
        },
        Panel::Looks => Overlay::Choice {
            heading: words.text("common-looks-heading"),
            lead: Some(words.text("common-looks-lead")),
            items: looks(session, words),
            actions: wishes::offer(session, words)
                .into_iter()
                .chain([words.button("close", "common-chosen", Tone::Primary, Action::ToggleLooks)])
                .collect(),
        },
    }
}

/// One button for each language, by its own name; the default first.
pub(crate) fn languages(session: &Session) -> Vec<Button> {
    let spoken = session.terminal.pack.languages.iter().filter(|tag| locale::LANGUAGES.contains(&tag.as_str()));
    let buttons = spoken.map(|tag| {
        let name = session.terminal.catalog.language(tag).text("common-language-name");
        let select = Action::SelectLanguage { lang: tag.clone() };
        labelled(&format!("language-{tag}"), plain(name), Tone::Plain, select).selected(*tag == session.lang)
    });
    let buttons: Vec<Button> = buttons.collect();
    // One language is no choice.
    if buttons.len() > 1 { buttons } else { Vec::new() }
}

fn looks(session: &Session, words: &Words) -> Vec<Button> {
    let letters = words.button("letters", "common-letters", Tone::Plain, Action::ToggleLetters).icon(Icon::Letters);
    let contrast =
        words.button("contrast", "common-contrast", Tone::Plain, Action::ToggleContrast).icon(Icon::Contrast);
    let time = words.button("time", "common-more-time", Tone::Plain, Action::ToggleMoreTime).icon(Icon::Clock);
    let simple = words.button("simple", "common-simple", Tone::Plain, Action::ToggleSimple).icon(Icon::List);
    vec![
        letters.selected(session.large_text),
        contrast.selected(session.high_contrast),
        time.selected(session.more_time),
        simple.selected(session.simple_view),
    ]
}

fn help(session: &Session, words: &Words) -> Overlay {
    let area = match &session.place {
        Place::Attract if session.closed_by().is_some() => "closed",
        Place::Attract => "attract",
        Place::Reading => "reading",
        Place::Farewell => "farewell",
        Place::Home | Place::More => "home",
        Place::Wishes(_) => "wishes",
        Place::Services(_) => "services",
        Place::Movements(_) => "movements",
        Place::Amount { .. } | Place::ToppedUp(_) | Place::ReceiptCode(_) => "topup",
        Place::Proving(_) | Place::ToppingUp(_) => "paying",
        Place::Pin { .. } | Place::ForgotPin(_) => "pin",
        Place::Documents | Place::Document(_) => "document",
        Place::Printing(Printing { then: AfterPrint::Document(_), .. }) | Place::Printed { .. } => "paper",
        Place::Maintenance(_) | Place::Printing(Printing { then: AfterPrint::Readiness(_), .. }) => "service",
        Place::Printing(_) => "slip",
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
