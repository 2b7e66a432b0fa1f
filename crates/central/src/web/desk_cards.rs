//! The registry's desk: a card by its number or its holder, whose it is to be, blocks, and the PIN that a citizen types
//! there.

use super::desk::{Done, act, hashing, refused};
use super::html::{Markup, Place, cell, choice, field, figure, form, hidden, table, text};
use super::officer::{FORM_BYTES_MAX, Fields, Officer, Posted};
use super::pages::{Shown, show};
use crate::audit::Role;
use crate::card_desk::{self, Reason, Standing};
use crate::error::CentralError;
use crate::refusal::Refusal;
use crate::server::CityServer;
use crate::{clock, pins};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::{get, post};
use domain::CardNumber;
use std::fmt::Write;
use zeroize::Zeroizing;

const CARDS_PAGE: &str = "/office/cards";

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route("/office/cards", get(page))
        .route("/office/cards/find", post(find))
        .route("/office/cards/assign", post(assign))
        .route("/office/cards/order", post(order))
        .route("/office/cards/block", post(block))
        .route("/office/cards/unblock", post(unblock))
        .route("/office/cards/pin", post(set_pin))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

const NUMBER: &str = "Número de tarjeta";
const IDENTITY: &str = "Documento de identidad";

/// A person's number is sent in a form, not in an address: addresses are logged.
fn finders(officer: &Officer) -> String {
    if officer.session.is_none() {
        return "<p class=\"empty\">Entre para buscar.</p>\n".to_owned();
    }
    let by_card = form("/office/cards/find", officer, &field("number", NUMBER, "text"), "Buscar por tarjeta");
    let by_person = form("/office/cards/find", officer, &field("identity", IDENTITY, "text"), "Buscar por documento");
    format!("<h2>Buscar</h2>\n{by_card}{by_person}")
}

async fn page(State(server): State<CityServer>, officer: Officer, Query(done): Query<Done>) -> Shown {
    let mut body = done.told() + &finders(&officer);
    if officer.actor.role == Role::Registry {
        let fields = field("number", NUMBER, "text") + &field("identity", IDENTITY, "text");
        let _ = write!(
            body,
            "<h2>Entregar una tarjeta ya registrada</h2>\n{}<h2>Encargar una tarjeta</h2>\n{}",
            form("/office/cards/assign", &officer, &fields, "Entregar"),
            form("/office/cards/order", &officer, &fields, "Encargar")
        );
    }
    show(&server, Place::Cards, "Tarjetas", move |_, _| Ok(body)).await
}

fn number(fields: &Fields) -> Result<CardNumber, Refusal> {
    fields.number("number").map(CardNumber)
}

async fn find(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    let identity = fields.text("identity").map(str::to_owned);
    let wanted = number(&fields);
    let found = server.with_database(move |database, _| match (identity, wanted) {
        (Ok(identity), _) => card_desk::of_holder(database.read(), &identity),
        (Err(_), Ok(number)) => Ok(vec![card_desk::of_number(database.read(), number)?]),
        (Err(_), Err(refusal)) => Err(refusal.into()),
    });
    let cards = match found.await {
        Ok(cards) => cards,
        Err(CentralError::Refused(refusal)) => return Ok(refused(&server, &refusal).await),
        Err(error) => return Err(error.into()),
    };
    let length = server.city().pin.length;
    show(&server, Place::Cards, "Tarjetas", move |_, time_zone| {
        let rows: Vec<_> = cards.iter().map(|card| row(card, time_zone)).collect();
        let headings = ["Tarjeta", "Generación", "Estado", "Titular", "Bloqueada", "PIN"];
        let mut body = table(&headings, &rows, "La persona no tiene ninguna tarjeta.");
        for card in cards.iter().filter(|_| officer.actor.role == Role::Registry) {
            body.push_str(&forms(card, &officer, length));
        }
        Ok(body + &finders(&officer))
    })
    .await
}

fn row(card: &Standing, time_zone: &str) -> Vec<Markup> {
    let (class, state) = if card.active { ("good", "activa") } else { ("look", "revocada") };
    let pin = if card.pin_version == 0 { "sin PIN".to_owned() } else { format!("versión {}", card.pin_version) };
    vec![
        Markup(format!("<code>{}</code>", text(card.number.0.to_string()))),
        figure(card.generation.0.to_string()),
        Markup(format!("<span class=\"tag {class}\">{state}</span>")),
        cell(if card.held { "con titular" } else { "sin titular" }),
        cell(card.blocked.map(|since| clock::local(since, time_zone)).unwrap_or_default()),
        cell(pin),
    ]
}

/// What may be done with this card now.
fn forms(card: &Standing, officer: &Officer, length: u8) -> String {
    let this = hidden("number", &card.number.0.to_string());
    let title = format!("<h2>Tarjeta …{}</h2>\n", text(card.number.last_four()));
    if !card.active {
        let undo = form("/office/cards/unblock", officer, &this, "Retirar el bloqueo");
        return if card.blocked.is_some() { title + &undo } else { String::new() };
    }
    let reasons = Reason::ALL.map(|reason| (reason.name(), reason_name(reason)));
    let block =
        form("/office/cards/block", officer, &(this.clone() + &choice("reason", "Motivo", &reasons)), "Bloquear");
    if !card.held {
        return title + &block;
    }
    let label = format!("PIN nuevo ({length} cifras), lo teclea su titular");
    let pin = this + &field("pin", &label, "password") + &field("again", "Otra vez", "password");
    title + &block + &form("/office/cards/pin", officer, &pin, "Poner el PIN")
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Lost => "perdida",
        Reason::Stolen => "robada",
        Reason::Damaged => "estropeada",
        Reason::Returned => "devuelta",
    }
}

async fn assign(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, CARDS_PAGE, move |database, _| {
        card_desk::assign(database, &officer.actor, number(&fields)?, fields.text("identity")?, clock::now())?;
        Ok("assigned")
    })
    .await
}

async fn order(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, CARDS_PAGE, move |database, _| {
        card_desk::order(database, &officer.actor, number(&fields)?, fields.text("identity")?, clock::now())?;
        Ok("ordered")
    })
    .await
}

async fn block(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, CARDS_PAGE, move |database, _| {
        let reason = Reason::of_name(fields.text("reason")?).ok_or(Refusal::FormField)?;
        let new = card_desk::block(database, &officer.actor, number(&fields)?, reason, clock::now())?;
        Ok(if new { "blocked" } else { "blocked-already" })
    })
    .await
}

async fn unblock(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, CARDS_PAGE, move |database, _| {
        card_desk::unblock(database, &officer.actor, number(&fields)?, clock::now())?;
        Ok("unblocked")
    })
    .await
}

async fn set_pin(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    let city = server.city().clone();
    // The PIN is hashed with the card's own secret, so on a connection; no more of them at a time than log-ins.
    let _place = hashing().await?;
    act(&server, CARDS_PAGE, move |database, keys| {
        let pin = Zeroizing::new(fields.typed("pin").to_owned());
        if *pin != fields.typed("again") {
            return Err(Refusal::PinDiffers.into());
        }
        pins::set(database, keys, &city, &officer.actor, number(&fields)?, &pin, clock::now())?;
        Ok("pin")
    })
    .await
}
