//! The page of the fleet: every terminal, the ones that somebody should look at first.

use super::html::{Markup, Place, cell, figure, table, text};
use super::pages::{Shown, show};
use crate::error::CentralError;
use crate::fleet::{self, FleetSettings, TerminalState};
use crate::server::CityServer;
use crate::{Database, clock};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use domain::Timestamp;

const HOUR_MS: i64 = 3_600_000;

pub(super) fn routes() -> Router<CityServer> {
    Router::new().route("/office/fleet", get(page))
}

async fn page(State(server): State<CityServer>) -> Shown {
    server.flush_heard().await;
    let settings = server.data().fleet();
    show(&server, Place::Fleet, "Terminales", move |database, zone| body(database, zone, settings)).await
}

fn body(database: &Database, time_zone: &str, settings: FleetSettings) -> Result<String, CentralError> {
    let now = clock::now();
    let mut states = fleet::states(database.read())?;
    states.sort_by_key(|state| (condition(state, now, settings).0, state.terminal));
    let rows: Vec<_> = states.iter().map(|state| row(state, time_zone, now, settings)).collect();
    let headings = [
        "Terminal",
        "Lugar",
        "Estado",
        "Último contacto",
        "Último envío",
        "Envíos",
        "En espera",
        "Feed entregado",
        "Certificado",
    ];
    Ok(table(&headings, &rows, "Todavía no hay terminales."))
}

/// How urgent, how it is marked, and in words.
fn condition(state: &TerminalState, now: Timestamp, settings: FleetSettings) -> (u8, &'static str, String) {
    if !state.enrolled {
        return (4, "end", "retirado".to_owned());
    }
    if state.is_silent(now, settings) {
        return (0, "look", format!("en silencio desde hace {} h", state.silent_ms(now) / HOUR_MS));
    }
    if state.certificate_has_ended(now) {
        return (1, "look", "certificado caducado".to_owned());
    }
    if state.certificate_ends_soon(now, settings) {
        return (2, "look", "el certificado caduca pronto".to_owned());
    }
    (3, "good", "bien".to_owned())
}

fn row(state: &TerminalState, time_zone: &str, now: Timestamp, settings: FleetSettings) -> Vec<Markup> {
    let moment = |at: Option<Timestamp>| cell(at.map_or_else(|| "—".to_owned(), |at| clock::local(at, time_zone)));
    let (_, class, words) = condition(state, now, settings);
    vec![
        figure(state.terminal.0.to_string()),
        cell(&state.place),
        Markup(format!("<span class=\"tag {class}\">{}</span>", text(words))),
        moment(state.heard),
        moment(state.uploaded),
        figure(state.uploads.to_string()),
        figure(state.status.as_ref().map_or_else(|| "—".to_owned(), |status| status.queued.to_string())),
        figure(state.sequence.map_or_else(|| "—".to_owned(), |sequence| sequence.to_string())),
        moment(state.certificate),
    ]
}
