//! The finance office's acts: claims, blocks, what was noticed, balances of replaced cards. The name that stays with
//! each of them is the account's.

use super::desk::{Done, act};
use super::html::{Markup, Place, cell, choice, field, figure, form, table, text};
use super::officer::{FORM_BYTES_MAX, Officer, Posted};
use super::pages::{Shown, show};
use crate::audit::Role;
use crate::balance::{self, Waiting};
use crate::claims::settle::{self, Refused};
use crate::claims::{self, blocks};
use crate::refusal::Refusal;
use crate::report::{self, euros};
use crate::server::CityServer;
use crate::{CentralError, Database, clock};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::{get, post};
use domain::{CardNumber, Cents, Generation, Timestamp};
use ledger::{ClaimCode, Settlement};

const MONEY_PAGE: &str = "/office/money";

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route("/office/money", get(page))
        .route("/office/money/settle", post(settle_claim))
        .route("/office/money/block", post(block))
        .route("/office/money/confirm", post(confirm))
        .route("/office/money/explain", post(explain))
        .route("/office/money/balance", post(move_balance))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

async fn page(State(server): State<CityServer>, officer: Officer, Query(done): Query<Done>) -> Shown {
    show(&server, Place::Money, "Tesorería", move |database, time_zone| {
        let mut body = done.told() + &tables(database, time_zone)?;
        if officer.actor.role == Role::Finance {
            body.push_str(&forms(&officer));
        }
        Ok(body)
    })
    .await
}

fn tables(database: &Database, time_zone: &str) -> Result<String, CentralError> {
    let claims: Vec<_> = claims::open(database.read())?
        .iter()
        .map(|claim| {
            vec![
                Markup(format!("<code>{}</code>", text(ClaimCode::of(claim.top_up).to_string()))),
                cell(clock::local(claim.opened, time_zone)),
                cell(format!("…{}", claim.card.last_four())),
                figure(euros(claim.amount)),
            ]
        })
        .collect();
    let balances: Vec<_> = balance::waiting(database.read())?.iter().map(|one| balance_row(one, time_zone)).collect();
    Ok("<h2>Reclamaciones abiertas</h2>\n".to_owned()
        + &table(&["Código", "Desde", "Tarjeta", "Importe"], &claims, "Ninguna.")
        + "<h2>Saldos de tarjetas sustituidas</h2>\n"
        + &table(&["Tarjeta", "Generación", "Sustituida", "Desde cuándo", "Según lo visto"], &balances, "Ninguno."))
}

fn balance_row(one: &Waiting, time_zone: &str) -> Vec<Markup> {
    let due = one.due.map_or_else(|| "cuando los validadores confirmen".to_owned(), |due| clock::local(due, time_zone));
    vec![
        Markup(format!("<code>{}</code>", text(one.number.0.to_string()))),
        figure(one.generation.0.to_string()),
        cell(clock::local(one.replaced, time_zone)),
        cell(due),
        figure(one.left.map_or_else(|| "no se sabe".to_owned(), euros)),
    ]
}

fn forms(officer: &Officer) -> String {
    let claim = field("claim", "Código de la reclamación", "text");
    let how = [("paid-out", "se paga en caja"), ("nothing-owed", "no se debe nada")];
    let settle = form("/office/money/settle", officer, &(claim.clone() + &choice("how", "Cómo", &how)), "Liquidar");
    let block = form("/office/money/block", officer, &claim, "Bloquear su tarjeta");
    let moment = field("list", "Momento de la lista (2026-11-22T06:00:00Z)", "text");
    let confirm = form("/office/money/confirm", officer, &moment, "Confirmar que los validadores la tienen");
    let notice = field("notice", "Número del aviso", "text") + &field("reason", "Qué fue", "text");
    let explain = form("/office/money/explain", officer, &notice, "Explicar");
    let balance = field("number", "Tarjeta", "text")
        + &field("generation", "Generación antigua", "text")
        + &field("cents", "Importe en céntimos", "text");
    let balance = form("/office/money/balance", officer, &balance, "Anotar el traspaso");
    format!(
        "<h2>Liquidar una reclamación</h2>\n{settle}{block}<h2>Lista de bloqueos</h2>\n{confirm}\
         <h2>Explicar un aviso</h2>\n{explain}<h2>Traspasar un saldo</h2>\n{balance}"
    )
}

async fn settle_claim(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, MONEY_PAGE, move |database, _| {
        let how = match fields.text("how")? {
            "paid-out" => Settlement::PaidOut,
            "nothing-owed" => Settlement::NothingOwed,
            _ => return Err(Refusal::FormField.into()),
        };
        let top_up = settle::find(database.read(), fields.text("claim")?)?;
        settle::settle(database, top_up, how, &officer.actor, clock::now())?;
        Ok("settled")
    })
    .await
}

async fn block(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, MONEY_PAGE, move |database, _| {
        let top_up = settle::find(database.read(), fields.text("claim")?)?;
        let claim = claims::of(database.read(), top_up)?.ok_or(Refused::NoClaim)?;
        let new = blocks::block(database, claim.card, claim.generation, &officer.actor, clock::now())?;
        Ok(if new { "blocked" } else { "blocked-already" })
    })
    .await
}

async fn confirm(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, MONEY_PAGE, move |database, _| {
        let (moment, now): (jiff::Timestamp, _) = (fields.number("list")?, clock::now());
        let list = Timestamp(moment.as_millisecond());
        if list > now {
            return Err(Refusal::FormField.into());
        }
        blocks::confirm(database, list, &officer.actor, now)?;
        Ok("confirmed")
    })
    .await
}

async fn explain(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    act(&server, MONEY_PAGE, move |database, _| {
        let notice: i64 = fields.number("notice")?;
        let explained = report::explain(database, notice, &officer.actor, fields.text("reason")?, clock::now())?;
        if explained { Ok("explained") } else { Err(Refusal::FormField.into()) }
    })
    .await
}

async fn move_balance(State(server): State<CityServer>, Posted { officer, fields }: Posted) -> Shown {
    let most = server.city().purse.max;
    act(&server, MONEY_PAGE, move |database, _| {
        let (number, generation) = (CardNumber(fields.number("number")?), Generation(fields.number("generation")?));
        let amount = Cents(fields.number("cents")?);
        if amount > most {
            return Err(Refusal::FormField.into());
        }
        balance::moved(database, &officer.actor, number, generation, amount, clock::now())?;
        Ok("moved")
    })
    .await
}

/// Why a claim is not settled now, and what is missing.
pub(super) fn claim_words(refused: &Refused) -> String {
    match refused {
        Refused::NoClaim => "No hay ninguna reclamación con ese código.".to_owned(),
        Refused::Ambiguous => "Varias reclamaciones tienen ese código. Indique el número de la recarga.".to_owned(),
        Refused::Closed(_) => "La reclamación ya está cerrada.".to_owned(),
        Refused::Incomplete => {
            "Faltan asientos del diario en que empezó. Espere a que el terminal los envíe.".to_owned()
        }
        Refused::NotPaid(_) => "No consta que el banco se haya quedado con el cobro.".to_owned(),
        Refused::Undone => "Según el banco, el cobro se devolvió.".to_owned(),
        Refused::Paid => "El banco se quedó con el cobro: se debe algo.".to_owned(),
        Refused::Ordered(hours) => format!("Todavía vale una orden de abono, otras {hours} horas."),
        Refused::NotBlocked => "La tarjeta no está bloqueada. Bloquéela antes.".to_owned(),
        Refused::BlockOnItsWay => "Falta confirmar que el bloqueo ha llegado a todos los validadores.".to_owned(),
        Refused::Credited => "La tarjeta ya tiene el abono.".to_owned(),
        Refused::OnePerson => "Hacen falta dos personas: quien confirmó el bloqueo no paga.".to_owned(),
        Refused::NoOfficer => "Falta el nombre de quien decide.".to_owned(),
    }
}
