//! Before a card is laid down, while it is read, and when the visit is over.

use super::words::{Words, plain};
use crate::Session;
use crate::action::Action;
use crate::view::{Button, Icon, Notice, Offer, Picture, Screen, Tone};

pub(crate) fn screen(session: &Session, words: &Words) -> Screen {
    if let Err(code) = session.reader {
        return Screen::Closed {
            heading: words.text("attract-closed"),
            lead: words.text("attract-closed-lead"),
            code: words.text_with("common-code", &[("code", code.code().into())]),
        };
    }
    let languages = session.terminal.pack.languages.iter().filter(|tag| locale::LANGUAGES.contains(&tag.as_str()));
    let languages = languages.map(|tag| {
        let name = session.terminal.catalog.language(tag).text("common-language-name");
        let select = Action::SelectLanguage { lang: tag.clone() };
        let button = words.button(&format!("language-{tag}"), "common-language", Tone::Plain, select);
        button.label(plain(name)).selected(*tag == session.lang)
    });
    let languages: Vec<Button> = languages.collect();
    Screen::Attract {
        // One language is no choice.
        languages: if languages.len() > 1 { languages } else { Vec::new() },
        heading: words.text("attract-heading"),
        lead: words.text("attract-lead"),
        offers: vec![
            Offer { icon: Icon::Card, label: words.text("attract-offer-balance") },
            Offer { icon: Icon::Document, label: words.text("attract-offer-documents") },
            Offer { icon: Icon::People, label: words.text("attract-offer-services") },
        ],
        notices: notices(session, words),
    }
}

/// Partial outages, said before anybody begins.
pub(crate) fn notices(session: &Session, words: &Words) -> Vec<Notice> {
    let mut notices = Vec::new();
    if session.network.is_out() {
        notices.push(super::home::offline(session, words));
    }
    if session.till.last_receipt.is_none() {
        let code = Some(domain::FailureCode::PaymentAbsent);
        notices.push(words.notice(Icon::Warning, "notice-no-payment", code, &[]));
    }
    if let Err(code) = session.printer {
        notices.push(words.notice(Icon::Paper, "notice-no-printer", Some(code), &[]));
    }
    notices
}

pub(crate) fn reading(words: &Words) -> Screen {
    Screen::Busy {
        step: None,
        heading: words.text("attract-reading"),
        lead: words.text("attract-reading-lead"),
        picture: Picture::Reading,
        sum: Vec::new(),
        actions: Vec::new(),
    }
}

pub(crate) fn farewell(session: &Session, words: &Words) -> Screen {
    let (heading, lead, picture) = if session.card_in_tray {
        let lead = if session.paper_out { "end-take-card-lead" } else { "end-take-card-only" };
        ("end-take-card", lead, Picture::TakeCard)
    } else {
        ("end-farewell", "end-farewell-lead", Picture::TakePaper)
    };
    Screen::Farewell { heading: words.text(heading), lead: words.text(lead), picture }
}
