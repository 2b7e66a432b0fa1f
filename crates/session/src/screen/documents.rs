//! The documents: which, what they say, the print.

use super::words::{Words, plain, private};
use crate::Session;
use crate::action::Action;
use crate::view::{Icon, Picture, Row, Screen, Text, Tone};
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
        step: Some(words.step(1, steps(session))),
        heading: words.text("document-heading"),
        lead: Some(words.text("document-lead")),
        notices: Vec::new(),
        items: items.collect(),
    }
}

/// Choice, PIN and values; without the PIN where this visit has given it before.
fn steps(session: &Session) -> u8 {
    if session.visit.as_ref().is_some_and(|visit| visit.pin_kept) { 2 } else { 3 }
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
        notices.push(super::notices::offline(session, words));
    }
    rows.push(words.row("document-price", plain(language.text("home-service-free"))));
    let official = session.terminal.catalog.language(session.terminal.catalog.default_tag());
    if official.tag() != words.tag() {
        rows.push(words.row("document-language", plain(official.text("common-language-name"))));
    }
    let print = words.button("print", "document-print", Tone::Primary, Action::PrintDocument).icon(Icon::Paper);
    Screen::Details {
        step: Some(words.step(steps(session), steps(session))),
        heading: words.text(&format!("document-{}-question", kind.name())),
        lead,
        notices,
        rows,
        actions: vec![print],
    }
}

pub(crate) fn printing(session: &Session, words: &Words, is_document: bool) -> Screen {
    let key = if is_document { "document-printing" } else { "document-printing-slip" };
    let lead = format!("{key}-lead");
    Screen::Busy {
        step: None,
        heading: words.text(key),
        lead: if session.printer.is_ok() { words.text(&lead) } else { paused(words) },
        picture: Picture::Printing,
        sum: Vec::new(),
        actions: Vec::new(),
    }
}

/// A printer that waits for paper or for a hand goes on by itself; until then nobody should pull.
fn paused(words: &Words) -> Text {
    words.text("document-printing-paused")
}

pub(crate) fn printed(session: &Session, words: &Words, kind: DocumentKind, code: Option<&str>) -> Screen {
    let offline = session.visit.as_ref().is_some_and(|visit| visit.issued_offline);
    // Whoever gets the paper will look the code up: not before central knows it.
    let hint = offline.then(|| words.text("document-code-later"));
    let rows = code.map(|code| Row { hint, ..words.row("document-code", private(code.to_owned())) });
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
