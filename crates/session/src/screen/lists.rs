//! The services and the movements, page by page.

use super::service;
use super::words::{Words, plain, private};
use crate::Session;
use crate::action::Action;
use crate::view::{Icon, Notice, Row, Screen, Text, Tone};
use domain::Timestamp;
use domain::card::Movement;

/// Rows that fit a page, also with large letters.
const PAGE: usize = 6;
const PAGE_LARGE: usize = 4;

pub(crate) fn services(session: &Session, words: &Words, page: usize) -> Screen {
    let facts = session.visit.as_ref().and_then(|visit| visit.tap_facts());
    let all: Vec<Row> =
        session.terminal.pack.services.iter().map(|service| service::row(words, service, facts)).collect();
    let (lead, notice) = facts.map(|facts| super::home::age(session, words, facts.as_of)).unwrap_or_default();
    paged(session, words, "home-services", (lead, notice.into_iter().collect()), all, page)
}

pub(crate) fn movements(session: &Session, words: &Words, page: usize) -> Screen {
    let movements = session.visit.as_ref().map(|visit| visit.card.movements.as_slice()).unwrap_or_default();
    // Personalisation writes record 0, which is no movement.
    let rows = movements.iter().filter(|movement| movement.counter > 0).map(|movement| row(session, words, movement));
    paged(session, words, "home-movements", (None, Vec::new()), rows.collect(), page)
}

fn row(session: &Session, words: &Words, movement: &Movement) -> Row {
    let language = words.language();
    let at = Timestamp(i64::from(movement.minute) * 60_000);
    let service = session.terminal.pack.services.iter().find(|service| service.number == movement.service);
    let label = service.map_or_else(
        || language.text("home-movement-unknown"),
        |service| language.text(&format!("city-service-{}", service.id)),
    );
    let when = language.moment(at);
    let balance = words.money(movement.balance);
    Row {
        label: plain(label),
        value: private(words.money(-movement.amount)),
        hint: Some(words.private("home-movement-hint", &[("when", when.into()), ("balance", balance.into())])),
        icon: None,
    }
}

fn paged(
    session: &Session,
    words: &Words,
    key: &str,
    (lead, notices): (Option<Text>, Vec<Notice>),
    all: Vec<Row>,
    page: usize,
) -> Screen {
    let size = if session.large_text { PAGE_LARGE } else { PAGE };
    let pages = all.len().div_ceil(size).max(1);
    let first = page % pages * size;
    let empty = all.is_empty();
    let rows: Vec<Row> = all.into_iter().skip(first).take(size).collect();
    let mut actions = vec![words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home)];
    if pages > 1 {
        actions.insert(0, words.button("next", "common-next-page", Tone::Primary, Action::NextPage).icon(Icon::List));
    }
    Screen::Details {
        step: None,
        heading: words.text(&format!("{key}-heading")),
        lead: if empty { Some(words.text(&format!("{key}-empty"))) } else { lead },
        notices,
        rows,
        actions,
    }
}
