//! The finance office's page: the differences that reconciliation finds, the claims, the journals; and the differences
//! as CSV. Who may see it is decided by what stands in front of this server.

use super::html::{Markup, Place, cell, figure, table, text};
use super::pages::{Shown, show};
use crate::claims::{self, ClaimLine, Waits};
use crate::error::CentralError;
use crate::reconcile::{self, Cause, Difference, JournalHead, Owner};
use crate::report::euros;
use crate::server::CityServer;
use crate::{Database, clock};
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use data_encoding::HEXLOWER;
use ledger::ClaimCode;

pub(super) fn routes() -> Router<CityServer> {
    Router::new().route("/office/reconciliation", get(page)).route("/office/reconciliation.csv", get(csv))
}

async fn page(State(server): State<CityServer>) -> Shown {
    show(&server, Place::Reconciliation, "Conciliación", body).await
}

async fn csv(State(server): State<CityServer>) -> Shown {
    let bytes = server
        .with_database(|database, _| {
            let found = database.at_one_moment(|connection| reconcile::differences(connection, clock::now()))?;
            reconcile::csv(&found)
        })
        .await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"reconciliation.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

fn body(database: &Database, time_zone: &str) -> Result<String, CentralError> {
    let differences = database.at_one_moment(|connection| reconcile::differences(connection, clock::now()))?;
    let mut out = String::from("<h2>Diferencias</h2>\n");
    let rows: Vec<_> = differences.iter().map(|difference| difference_row(difference, time_zone)).collect();
    let headings = ["Desde", "Causa", "A cargo de", "Importe", "Recarga", "Tarjeta", "Terminal", "Detalle"];
    out.push_str(&table(&headings, &rows, "Ninguna: libros, tarjetas, banco y diarios coinciden."));
    out.push_str("<p><a class=\"button\" href=\"/office/reconciliation.csv\">Descargar como CSV</a></p>\n");
    out.push_str("<h2>Reclamaciones abiertas</h2>\n");
    let rows: Vec<_> = claims::open(database.read())?.iter().map(|claim| claim_row(claim, time_zone)).collect();
    let headings = ["Desde", "Código", "Tarjeta", "Terminal", "Importe", "Espera a"];
    out.push_str(&table(&headings, &rows, "Ninguna."));
    out.push_str("<h2>Diarios</h2>\n");
    let rows: Vec<_> = reconcile::heads(database.read())?.iter().map(|head| head_row(head, time_zone)).collect();
    let headings = ["Terminal", "Diario", "Último asiento", "Asientos", "Escrito", "Huella"];
    out.push_str(&table(&headings, &rows, "Todavía no hay asientos."));
    Ok(out)
}

fn difference_row(difference: &Difference, time_zone: &str) -> Vec<Markup> {
    let code = difference.top_up.map(|top_up| ClaimCode::of(top_up).to_string()).unwrap_or_default();
    let card = difference.card_last_four.as_ref().map(|last| format!("…{last}")).unwrap_or_default();
    vec![
        cell(clock::local(difference.since, time_zone)),
        Markup(format!("<span class=\"tag look\">{}</span>", text(cause_name(difference.cause)))),
        cell(owner_name(difference.cause.owner())),
        figure(euros(difference.amount)),
        Markup(format!("<code>{}</code>", text(code))),
        cell(card),
        cell(difference.terminal.map(|terminal| terminal.0.to_string()).unwrap_or_default()),
        cell(&difference.detail),
    ]
}

fn claim_row(claim: &ClaimLine, time_zone: &str) -> Vec<Markup> {
    vec![
        cell(clock::local(claim.opened, time_zone)),
        Markup(format!("<code>{}</code>", text(ClaimCode::of(claim.top_up).to_string()))),
        cell(format!("…{}", claim.card.last_four())),
        cell(claim.terminal.0.to_string()),
        figure(euros(claim.amount)),
        cell(waits_name(claim.waits)),
    ]
}

fn head_row(head: &JournalHead, time_zone: &str) -> Vec<Markup> {
    let whose = if head.terminal == crate::view::CENTRAL { "central".to_owned() } else { head.terminal.0.to_string() };
    let print = HEXLOWER.encode(head.head.get(..6).unwrap_or_default());
    vec![
        cell(whose),
        figure(head.generation.to_string()),
        figure(head.newest.to_string()),
        figure(head.entries.to_string()),
        cell(clock::local(head.at, time_zone)),
        Markup(format!("<code>{}</code>", text(print))),
    ]
}

fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::PaidNotBooked => "cobrada, no contabilizada",
        Cause::BookedNotPaid => "contabilizada, no cobrada",
        Cause::CreditedNotPaid => "abonada, no cobrada",
        Cause::CaptureOwed => "abonada, reserva por cobrar",
        Cause::PurseHigherThanBooks => "monedero por encima de los libros",
        Cause::PurseLowerThanBooks => "monedero por debajo de los libros",
        Cause::Gap => "faltan asientos",
        Cause::Rollback => "diario retrocedido",
        Cause::SecondCredit => "abonada dos veces",
        Cause::UnknownPayment => "cobro desconocido en nuestro terminal",
        Cause::WrongAmount => "importe distinto",
        Cause::ClaimOpenTooLong => "abierta demasiado tiempo",
        Cause::LeftOver => "terminada con saldo pendiente",
        Cause::RefusedUpload => "envío rechazado",
        Cause::Undecided => "sin decidir",
        Cause::PurseNeedsCheck => "monedero por revisar",
    }
}

fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Finance => "Tesorería",
        Owner::Technician => "Servicio técnico",
        Owner::Acquirer => "Banco adquirente",
        Owner::TransportOperator => "Operador de transporte",
        Owner::CardOffice => "Oficina de tarjetas",
    }
}

fn waits_name(waits: Waits) -> &'static str {
    match waits {
        Waits::Payment => "la palabra del banco",
        Waits::Card => "que se vea la tarjeta",
        Waits::Order => "que un terminal cumpla la orden",
        Waits::Finance => "Tesorería",
        Waits::Nothing => "nada",
    }
}
