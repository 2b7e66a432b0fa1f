//! The services and the movements, page by page.

use super::words::{Words, plain, private};
use super::{notices, service};
use crate::Session;
use crate::action::Action;
use crate::place::Place;
use crate::view::{Icon, Notice, Row, Screen, Text, Tone};
use domain::Timestamp;
use domain::card::Movement;
use locale::Value;

/// Rows that fit a page, also with large letters.
const PAGE: usize = 6;
const PAGE_LARGE: usize = 4;

fn pages(session: &Session, rows: usize) -> usize {
    rows.div_ceil(page_size(session)).max(1)
}

/// The last page of the list that is open; letters may have grown since it was opened.
pub(crate) fn last_page(session: &Session) -> usize {
    let rows = match session.place {
        Place::Movements(_) => session.visit.as_ref().map_or(0, |visit| real(&visit.card.movements).count()),
        _ => session.terminal.pack.services.len(),
    };
    pages(session, rows) - 1
}

/// Personalisation writes record 0, which is no movement.
fn real(movements: &[Movement]) -> impl Iterator<Item = &Movement> {
    movements.iter().filter(|movement| movement.counter > 0)
}

pub(crate) fn services(session: &Session, words: &Words, page: usize) -> Screen {
    let facts = session.visit.as_ref().and_then(|visit| visit.tap_facts());
    let all: Vec<Row> =
        session.terminal.pack.services.iter().map(|service| service::row(words, service, facts)).collect();
    let (lead, notice) = facts.map(|facts| super::home::age(session, words, facts.as_of)).unwrap_or_default();
    let notices = [notices::general_prices(session, words), notice].into_iter().flatten().collect();
    paged(session, words, "home-services", (lead, notices), all, page)
}

pub(crate) fn movements(session: &Session, words: &Words, page: usize) -> Screen {
    let movements = session.visit.as_ref().map(|visit| visit.card.movements.as_slice()).unwrap_or_default();
    let rows = real(movements).map(|movement| row(session, words, movement));
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

/// How many rows fit a page.
pub(crate) fn page_size(session: &Session) -> usize {
    if session.large_text { PAGE_LARGE } else { PAGE }
}

fn paged(
    session: &Session,
    words: &Words,
    key: &str,
    (lead, notices): (Option<Text>, Vec<Notice>),
    all: Vec<Row>,
    page: usize,
) -> Screen {
    let pages = pages(session, all.len());
    let page = page.min(pages - 1);
    let empty = all.is_empty();
    let rows: Vec<Row> = all.into_iter().skip(page * page_size(session)).take(page_size(session)).collect();
    let mut actions = vec![words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home)];
    if page + 1 < pages {
        let next = words.button("next", "common-next-page", Tone::Primary, Action::NextPage).icon(Icon::List);
        let count = |number: usize| Value::Count(i64::try_from(number).unwrap_or(i64::MAX));
        let hint = words.text_with("home-page", &[("page", count(page + 2)), ("pages", count(pages))]);
        actions.insert(0, next.hint(hint));
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
