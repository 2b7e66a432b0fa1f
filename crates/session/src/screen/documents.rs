//! The documents: which, what they say, the print.

use super::words::{Words, plain, private};
use crate::Session;
use crate::action::Action;
use crate::view::{Icon, Picture, Row, Screen, Tone};
use domain::document::DocumentKind;

pub(crate) fn menu(session: &Session, words: &Words) -> Screen {
    let items = session.terminal.pack.documents.iter().map(|policy| {
        let name = policy.kind.name();
        let action = Action::ChooseDocument { document: name.to_owned() };
        let key = format!("document-{name}");
        let hint = words.text(&format!("{key}-hint"));
        words.button(name, &key, Tone::Plain, action).icon(Icon::Document).hint(hint)
    });
    Screen::Menu {
        step: Some(words.step(1, 3)),
        heading: words.text("document-heading"),
        lead: Some(words.text("document-lead")),
        notices: Vec::new(),
        items: items.collect(),
    }
}

pub(crate) fn details(session: &Session, words: &Words, kind: DocumentKind) -> Screen {
    let language = words.language();
    let mut rows: Vec<Row> = Vec::new();
    let mut notices = Vec::new();
    let mut lead = None;
    if let Some(facts) = session.visit.as_ref().and_then(|visit| visit.pin.as_ref()) {
        let residence = &facts.residence;
        rows.push(words.row("document-name", private(facts.name.clone())));
        rows.push(words.row("document-address", private(format!("{}, {}", residence.street, residence.place))));
        rows.push(words.row("document-since", private(language.date_long(residence.registered))));
        let (fresh, old) = super::home::age(session, words, facts.as_of);
        lead = fresh;
        notices.extend(old);
    }
    if session.network.is_out() {
        notices.push(super::home::offline(session, words));
    }
    rows.push(words.row("document-price", plain(language.text("home-service-free"))));
    let print = words.button("print", "document-print", Tone::Primary, Action::PrintDocument).icon(Icon::Paper);
    Screen::Details {
        step: Some(words.step(3, 3)),
        heading: words.text(&format!("document-{}-question", kind.name())),
        lead,
        notices,
        rows,
        actions: vec![print.enabled(session.printer.is_ok())],
    }
}

pub(crate) fn printing(words: &Words, is_document: bool) -> Screen {
    let key = if is_document { "document-printing" } else { "document-printing-slip" };
    Screen::Busy {
        step: None,
        heading: words.text(key),
        lead: words.text(&format!("{key}-lead")),
        picture: Picture::Printing,
        sum: Vec::new(),
        actions: Vec::new(),
    }
}

pub(crate) fn printed(words: &Words, kind: DocumentKind, code: Option<&str>) -> Screen {
    let rows = code.map(|code| words.row("document-code", private(code.to_owned())));
    Screen::Done {
        heading: words.text("document-printed"),
        lead: Some(words.text(&format!("document-{}-after", kind.name()))),
        hero: None,
        sum: Vec::new(),
        rows: rows.into_iter().collect(),
        actions: vec![
            words.button("finish-now", "common-finish-now", Tone::Primary, Action::Finish).icon(Icon::Finish),
            words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home),
        ],
    }
}
