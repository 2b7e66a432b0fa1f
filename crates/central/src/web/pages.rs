//! The pages: what the city has, its ledger, its archive of issued documents, and the public check of a code.

use super::api::Refusal;
use super::html::{Markup, Place, STYLE, cell, figure, page, table, text};
use super::officer::Officer;
use crate::error::CentralError;
use crate::report::{self, Deposit, euros};
use crate::server::CityServer;
use crate::{Database, books, clock, pack};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::{Day, DocumentCode};
use ledger::{Account, Entry, Outcome};
use protocol::{Problem, ProblemCode, VolanteFacts, verify_facts};
use serde::Deserialize;
use std::fmt::Write;

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route("/", get(summary))
        .route("/ledger", get(ledger))
        .route("/documents", get(documents))
        .route("/check", get(ask))
        .route("/check/{code}", get(check))
        .route("/check/{code}/document.pdf", get(pdf))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
}

pub(super) type Shown = Result<Response, Refusal>;

pub(super) fn shown(html: String) -> Response {
    ([(CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

pub(super) async fn show(
    server: &CityServer,
    place: Place,
    title: &'static str,
    body: impl FnOnce(&Database, &str) -> Result<String, CentralError> + Send + 'static,
) -> Shown {
    let (time_zone, officer) = (server.city().time_zone.clone(), Officer::current());
    let html = server
        .with_database(move |database, _| {
            let (city, body) = (pack::city_name(database.read())?, body(database, &time_zone)?);
            Ok(page(&city, place, title, &body, officer.as_ref()))
        })
        .await?;
    Ok(shown(html))
}

async fn summary(State(server): State<CityServer>) -> Shown {
    show(&server, Place::Summary, "Resumen", summary_body).await
}

fn summary_body(database: &Database, time_zone: &str) -> Result<String, CentralError> {
    let figures = report::figures(database.read())?;
    let mut out = String::from("<dl class=\"figures\">\n");
    let mut add = |name: &str, value: String| {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", text(name), text(value));
    };
    add("Titulares", figures.holders.to_string());
    add("Tarjetas activas", figures.cards.to_string());
    add("Terminales", figures.terminals.to_string());
    add("Envíos recibidos", figures.uploads.to_string());
    add("Documentos depositados", report::deposit_count(database.read())?.to_string());
    out.push_str("</dl>\n<h2>Última publicación</h2>\n");
    match figures.published {
        None => out.push_str("<p class=\"empty\">Todavía no se ha publicado nada.</p>\n"),
        Some((sequence, issued, tap, pin)) => {
            let issued = clock::local(issued, time_zone);
            let _ = writeln!(
                out,
                "<p>Número {sequence}, del {issued}: {tap} registros de tarjeta y {pin} con PIN, sellados.</p>"
            );
        }
    }
    out.push_str("<h2>Para revisar</h2>\n");
    out.push_str(&anomaly_table(database, time_zone)?);
    Ok(out)
}

/// How many of the newest notices a page shows.
const NOTICED: u32 = 200;

fn anomaly_table(database: &Database, time_zone: &str) -> Result<String, CentralError> {
    let (newest, more) = report::newest_anomalies(database.read(), NOTICED)?;
    let rows: Vec<_> = newest
        .into_iter()
        .map(|anomaly| {
            vec![
                cell(clock::local(anomaly.noticed, time_zone)),
                cell(anomaly.terminal.0.to_string()),
                Markup(format!("<span class=\"tag look\">{}</span>", text(anomaly_name(&anomaly.kind)))),
                cell(anomaly.detail),
            ]
        })
        .collect();
    let table = table(&["Notado", "Terminal", "Qué", "Detalle"], &rows, "Nada: todos los diarios cuadran.");
    Ok(if more == 0 { table } else { format!("{table}<p>Y {more} avisos anteriores.</p>\n") })
}

fn anomaly_name(kind: &str) -> &str {
    match kind {
        "gap" => "faltan asientos",
        "rollback" => "diario retrocedido",
        "broken" => "cadena rota",
        "refused" => "envío rechazado",
        "second-credit" => "abonada dos veces",
        "other-subject" => "recarga con otros datos",
        "undecided" => "sin decidir",
        "pin-guesses" => "muchos PIN fallidos",
        other => other,
    }
}

/// How many rows of a table a page shows, and the last page that is counted out.
const ROWS: u32 = 200;
const LAST_PAGE: u32 = 1_000;

/// Which page of a long table.
#[derive(Deserialize, Clone, Copy)]
struct Turned {
    page: Option<u32>,
}

impl Turned {
    fn number(self) -> u32 {
        self.page.unwrap_or(1).clamp(1, LAST_PAGE)
    }

    /// Rows on the pages before it.
    fn behind(self) -> u32 {
        (self.number() - 1) * ROWS
    }

    /// What follows this page's rows, of so many in all.
    fn rest(self, path: &str, shown: usize, all: u64) -> String {
        let seen = u64::from(self.behind()).saturating_add(u64::try_from(shown).unwrap_or(u64::MAX));
        match all.saturating_sub(seen) {
            0 => String::new(),
            more if self.number() == LAST_PAGE => format!("<p>Y {more} anteriores.</p>\n"),
            more => {
                let next = self.number() + 1;
                format!("<p>Y {more} anteriores. <a href=\"{path}?page={next}\">Página {next}</a></p>\n")
            }
        }
    }
}

async fn ledger(State(server): State<CityServer>, Query(turned): Query<Turned>) -> Shown {
    show(&server, Place::Ledger, "Libro", move |database, zone| ledger_body(database, zone, turned)).await
}

fn ledger_body(database: &Database, time_zone: &str, turned: Turned) -> Result<String, CentralError> {
    let entries = books::some_entries(database.read(), ROWS, turned.behind())?;
    let top_ups = entries.iter().map(|entry| entry.subject.top_up).collect();
    let of_top_ups = books::entries_of(database.read(), &top_ups)?;
    let balances = books::balances(database.read())?;
    let mut out = String::from("<dl class=\"figures\">\n");
    for account in Account::ALL {
        let _ = writeln!(
            out,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            text(account_name(account)),
            text(euros(balances.get(account)))
        );
    }
    let _ =
        writeln!(out, "</dl>\n<p>Suma de todas las cuentas: <strong>{}</strong></p>", text(euros(balances.total())));
    out.push_str("<h2>Recargas</h2>\n");
    out.push_str(&top_up_table(&of_top_ups, time_zone));
    out.push_str("<h2>Asientos</h2>\n");
    let rows: Vec<_> = entries.iter().map(|entry| entry_row(entry, time_zone)).collect();
    let headings = ["Momento", "Terminal", "Diario", "Asiento", "Recarga", "Tarjeta", "Hecho", "Importe", "Apuntes"];
    out.push_str(&table(&headings, &rows, "Todavía no hay asientos."));
    out.push_str(&turned.rest("/ledger", rows.len(), books::entry_count(database.read())?));
    Ok(out)
}

fn top_up_table(entries: &[Entry], time_zone: &str) -> String {
    let rows: Vec<_> = report::top_ups(entries)
        .into_iter()
        .rev()
        .map(|line| {
            let (class, end) = outcome(line.outcome);
            vec![
                cell(clock::local(line.began, time_zone)),
                cell(line.terminal.0.to_string()),
                Markup(format!("<code>{}</code>", text(line.top_up.to_string()))),
                cell(format!("…{}", line.card_last_four)),
                figure(euros(line.amount)),
                Markup(format!("<span class=\"tag {class}\">{end}</span>")),
            ]
        })
        .collect();
    table(&["Empezada", "Terminal", "Recarga", "Tarjeta", "Importe", "Final"], &rows, "Todavía no hay recargas.")
}

fn outcome(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        None => ("look", "abierta"),
        Some(Outcome::Completed) => ("good", "completada"),
        Some(Outcome::Voided) => ("", "anulada, sin cobro"),
        Some(Outcome::Lost) => ("look", "a pérdidas"),
        Some(Outcome::Settled) => ("good", "liquidada"),
    }
}

fn account_name(account: Account) -> &'static str {
    match account {
        Account::Acquirer => "Adquirente",
        Account::Transit => "En tránsito",
        Account::Purses => "Monederos",
        Account::Claims => "Reclamaciones",
        Account::Loss => "Pérdidas",
        Account::Cash => "Caja",
    }
}

fn entry_row(entry: &Entry, time_zone: &str) -> Vec<Markup> {
    let postings = entry
        .postings
        .iter()
        .map(|posting| format!("{} {}", text(account_name(posting.account)), text(euros(posting.amount))));
    let top_up: String = entry.subject.top_up.to_string().chars().take(8).collect();
    vec![
        cell(clock::local(entry.at, time_zone)),
        cell(entry.terminal.0.to_string()),
        cell(entry.journal_generation.to_string()),
        figure(entry.seq.to_string()),
        Markup(format!("<code>{}…</code>", text(top_up))),
        cell(format!("…{}", entry.subject.card.last_four())),
        cell(entry.fact.kind().name()),
        figure(euros(entry.subject.amount)),
        Markup(postings.collect::<Vec<_>>().join("<br>")),
    ]
}

async fn documents(State(server): State<CityServer>, Query(turned): Query<Turned>) -> Shown {
    show(&server, Place::Documents, "Documentos", move |database, zone| documents_body(database, zone, turned)).await
}

/// The code opens the document to whoever has it, so the list shows only its beginning.
fn documents_body(database: &Database, time_zone: &str, turned: Turned) -> Result<String, CentralError> {
    let rows: Vec<_> = report::some_deposits(database.read(), ROWS, turned.behind())?
        .into_iter()
        .map(|deposit| {
            let beginning: String = deposit.code.to_print().chars().take(4).collect();
            let network = if deposit.offline { "sin conexión" } else { "con conexión" };
            vec![
                cell(clock::local(deposit.issued, time_zone)),
                cell(clock::local(deposit.received, time_zone)),
                cell(deposit.terminal.0.to_string()),
                cell(kind_name(&deposit.kind)),
                Markup(format!("<code>{}-…</code>", text(beginning))),
                cell(network),
                figure(format!("{} B", deposit.pdf_bytes)),
            ]
        })
        .collect();
    let headings = ["Expedido", "Recibido", "Terminal", "Documento", "Código", "Terminal estaba", "PDF"];
    let rest = turned.rest("/documents", rows.len(), report::deposit_count(database.read())?);
    Ok(table(&headings, &rows, "Todavía no se ha depositado ningún documento.") + &rest)
}

fn kind_name(kind: &str) -> &str {
    if kind == "volante-individual" { "Volante de empadronamiento individual" } else { kind }
}

#[derive(Deserialize)]
struct Asked {
    code: Option<String>,
}

const FORM: &str = "<form action=\"/check\" method=\"get\">\
    <label for=\"code\">Código de verificación (CSV)\
    <input id=\"code\" name=\"code\" autocomplete=\"off\" spellcheck=\"false\" required></label>\
    <button>Comprobar el documento</button></form>\n";

async fn ask(State(server): State<CityServer>, Query(asked): Query<Asked>) -> Shown {
    match asked.code.as_deref().map(DocumentCode::from_print) {
        Some(Ok(code)) => Ok(Redirect::to(&format!("/check/{}", code.to_print())).into_response()),
        Some(Err(_)) => show(&server, Place::Check, "Comprobar un documento", |_, _| Ok(not_a_code())).await,
        None => {
            let help = "<p>Escriba el código que figura en el documento, con guiones o sin ellos.</p>\n";
            show(&server, Place::Check, "Comprobar un documento", move |_, _| Ok(format!("{help}{FORM}"))).await
        }
    }
}

fn not_a_code() -> String {
    verdict(
        "bad",
        "Esto no es un código de verificación",
        &["Compruebe que lo ha escrito completo: son 26 letras y cifras."],
    ) + FORM
}

pub(super) fn verdict(class: &str, title: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("<p>{}</p>", text(line))).collect();
    format!("<section class=\"verdict {class}\" role=\"status\"><h2>{}</h2>{lines}</section>\n", text(title))
}

async fn check(State(server): State<CityServer>, Path(code): Path<String>) -> Shown {
    let Ok(code) = DocumentCode::from_print(&code) else {
        return show(&server, Place::Check, "Comprobar un documento", |_, _| Ok(not_a_code())).await;
    };
    let time_zone = server.city().time_zone.clone();
    let html = server
        .with_database(move |database, keys| {
            let key = keys.facts_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier();
            let body = match report::deposit_of(database.read(), code)? {
                None => not_received(),
                Some(deposit) => match verify_facts(&deposit.facts, &key) {
                    Ok(facts) => deposited(&deposit, &facts, &time_zone),
                    Err(_) => verdict(
                        "bad",
                        "Los datos archivados no superan la comprobación",
                        &["Avise a la oficina de atención ciudadana."],
                    ),
                },
            };
            Ok(page(&pack::city_name(database.read())?, Place::Check, "Comprobar un documento", &body, None))
        })
        .await?;
    Ok(shown(html))
}

/// The same for a code that was never given out: nobody learns which codes exist.
fn not_received() -> String {
    verdict(
        "wait",
        "Todavía no recibido",
        &[
            "No acepte el documento solo por este código.",
            "Un terminal sin conexión puede tardar en enviar lo que ha expedido. Vuelva a comprobarlo más tarde.",
        ],
    ) + FORM
}

fn deposited(deposit: &Deposit, facts: &VolanteFacts, time_zone: &str) -> String {
    let date = |day: i32| clock::date(Day(day)).strftime("%d/%m/%Y").to_string();
    let mut out = verdict(
        "good",
        "Documento recibido y auténtico",
        &["Compare estos datos con los del papel: deben ser idénticos."],
    );
    out.push_str("<dl class=\"facts\">\n");
    let mut add = |name: &str, value: &str| {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", text(name), text(value));
    };
    add("Documento", kind_name(&deposit.kind));
    add("Código", &deposit.code.to_print());
    add("Titular", &facts.name);
    add("Documento de identidad", &facts.identity_number);
    add("Fecha de nacimiento", &date(facts.born));
    add("Domicilio", &facts.street);
    add("Localidad", &facts.place);
    add("Distrito y sección", &facts.district);
    add("Empadronamiento en este domicilio", &date(facts.registered));
    add("Datos del", &date(facts.data_day));
    add("Expedido", &clock::local(deposit.issued, time_zone));
    add("Terminal", &deposit.terminal.0.to_string());
    add("Recibido", &clock::local(deposit.received, time_zone));
    out.push_str("</dl>\n");
    let _ = writeln!(
        out,
        "<p><a class=\"button\" href=\"/check/{}/document.pdf\">Ver el documento archivado (PDF)</a></p>",
        text(deposit.code.to_print())
    );
    out
}

async fn pdf(State(server): State<CityServer>, Path(code): Path<String>) -> Shown {
    let unknown = || Problem::new(ProblemCode::NotFound, "no document under this code");
    let code = DocumentCode::from_print(&code).map_err(|_| unknown())?;
    let found = server.with_database(move |database, _| report::pdf_of(database.read(), code)).await?;
    let bytes = found.ok_or_else(unknown)?;
    let headers = [
        (CONTENT_TYPE, "application/pdf"),
        (CONTENT_DISPOSITION, "inline; filename=\"documento.pdf\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}
