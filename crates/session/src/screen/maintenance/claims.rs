//! Open claims and what waits to be uploaded. A claim is its code, its amount, its age and its state: whose it is
//! stays with the card and with central.

use super::super::home::moment;
use super::super::words::{Words, plain};
use super::page;
use crate::Session;
use crate::view::{Icon, Row, Screen};
use domain::service::Overview;
use ledger::{Claim, Credit, Duty, Payment, TopUp};
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words, shown: usize) -> Screen {
    let open = session.till.ledger.iter().flat_map(ledger::Ledger::open);
    let claims: Vec<Row> = open.map(|top_up| claim(session, words, top_up)).collect();
    let lead = if claims.is_empty() { "service-claims-none" } else { "service-claims-lead" };
    let outbox = session.overview.as_ref().map(|overview| outbox(session, words, overview));
    let (rows, actions) = page(session, words, outbox.into_iter().chain(claims).collect(), shown);
    Screen::Details {
        step: None,
        heading: words.text("service-claims"),
        lead: Some(words.text(lead)),
        notices: Vec::new(),
        rows,
        actions,
    }
}

fn outbox(session: &Session, words: &Words, overview: &Overview) -> Row {
    let since = overview.outbox_since.map(|since| {
        let since = moment(session, words, since);
        words.text_with("service-outbox-since", &[("since", since.into())])
    });
    let waiting = words.text_with("service-outbox-count", &[("count", Value::Count(overview.outbox.into()))]);
    let icon = if overview.outbox == 0 { Icon::Check } else { Icon::Clock };
    Row { hint: since, icon: Some(icon), ..words.row("service-outbox", waiting) }
}

fn claim(session: &Session, words: &Words, top_up: &TopUp) -> Row {
    let today = words.language().local_day(session.now.wall);
    let days = i64::from(today.0.saturating_sub(top_up.day().0).max(0));
    let age = words.language().text_with("service-age", &[("days", Value::Count(days))]);
    let state = words.language().text(state(top_up));
    Row {
        label: plain(top_up.claim_code().to_string()),
        value: plain(words.money(top_up.subject().amount)),
        hint: Some(words.text_with("service-claim-hint", &[("age", age.into()), ("state", state.into())])),
        icon: Some(Icon::Receipt),
    }
}

/// What an open top-up waits for.
fn state(top_up: &TopUp) -> &'static str {
    match (top_up.claim(), top_up.duty()) {
        (Claim::Open, _) if top_up.credit() == Credit::InDoubt => "service-claim-card",
        (Claim::Open, _) if matches!(top_up.payment(), Payment::Unknown | Payment::Adrift) => "service-claim-payment",
        (_, Duty::ResolveCard | Duty::StartCredit) => "service-claim-card",
        (_, Duty::ResolvePayment(_) | Duty::Reverse(_)) => "service-claim-payment",
        (Claim::Open, _) | (_, Duty::AwaitCentral) => "service-claim-central",
        _ => "service-claim-under-way",
    }
}
