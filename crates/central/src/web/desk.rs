//! Logging in and out, one's own password, and the log of acts.

use super::door::Came;
use super::html::{Markup, Place, cell, field, figure, form, hidden, table, text};
use super::officer::{FORM_BYTES_MAX, Fields, Officer, Posted, cookie, token};
use super::pages::{Shown, show, verdict};
use crate::accounts::{log_in, sessions};
use crate::audit::{self, Line, Role};
use crate::error::CentralError;
use crate::refusal::Refusal;
use crate::server::CityServer;
use crate::{Database, KeyFile, accounts, clock};
use axum::Form;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use protocol::Secret32;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

/// Where one logs in.
pub(super) const LOG_IN_PATH: &str = "/office/login";
/// Lines of the log on a page.
const LINES: u32 = 200;
/// Passwords that are tried at one moment: each takes 64 MiB.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route("/office/login", get(ask).post(log_in))
        .route("/office/logout", post(log_out))
        .route("/office/password", get(password).post(change_password))
        .route("/office/audit", get(lines))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// A page that says why something was not done.
pub(super) async fn refused(server: &CityServer, refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::FormField => StatusCode::BAD_REQUEST,
        Refusal::LogIn => StatusCode::UNAUTHORIZED,
        Refusal::FormForeign => StatusCode::FORBIDDEN,
        Refusal::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::CONFLICT,
    };
    let words = refusal.words().1;
    let mut response = not_done(server, status, words, refusal.code()).await;
    if let Refusal::TooSoon(seconds) = refusal {
        response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
    }
    response
}

/// A page that says why, in these words; `code` is for whoever is called for help.
pub(super) async fn not_done(server: &CityServer, status: StatusCode, words: &str, code: &str) -> Response {
    let body = verdict("bad", "No se ha hecho", &[words, &format!("Código: {code}")]);
    match show(server, Place::LogIn, "No se ha hecho", move |_, _| Ok(body + BACK)).await {
        Ok(page) => (status, page).into_response(),
        Err(problem) => problem.into_response(),
    }
}

const BACK: &str = "<p><a class=\"button\" href=\"/\">Volver al resumen</a></p>\n";

pub(super) async fn not_for_this_role(server: &CityServer) -> Response {
    not_done(server, StatusCode::FORBIDDEN, "Esta página no es para su función.", "role").await
}

/// Runs an act of the office and leads back to its page, which then says what was done.
pub(super) async fn act(
    server: &CityServer,
    back: &str,
    work: impl FnOnce(&mut Database, &KeyFile) -> Result<&'static str, CentralError> + Send + 'static,
) -> Shown {
    match server.with_database(work).await {
        Ok(done) => Ok(Redirect::to(&format!("{back}?done={done}")).into_response()),
        Err(CentralError::Refused(refusal)) => Ok(refused(server, &refusal).await),
        Err(CentralError::Claim(refused)) => {
            let words = super::desk_money::claim_words(&refused);
            Ok(not_done(server, StatusCode::CONFLICT, &words, "claim").await)
        }
        Err(error) => Err(error.into()),
    }
}

/// What was done just now.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

impl Done {
    /// As markup; a word that nobody sent says nothing.
    pub(super) fn told(&self) -> String {
        let words = match self.done.as_deref() {
            Some("password") => "La contraseña está cambiada. Vuelva a entrar.",
            Some("assigned") => "La tarjeta ya es de su titular. Saldrá en la próxima publicación.",
            Some("ordered") => "La tarjeta está encargada: será del titular cuando se registre.",
            Some("blocked") => "La tarjeta está bloqueada. Publique y avise a los validadores.",
            Some("blocked-already") => "La tarjeta ya estaba bloqueada.",
            Some("unblocked") => "El bloqueo está retirado.",
            Some("pin") => "El PIN está puesto. Valdrá desde la próxima publicación.",
            Some("settled") => "La reclamación está liquidada.",
            Some("confirmed") => "Los bloqueos están confirmados.",
            Some("explained") => "El aviso está explicado.",
            Some("moved") => "El traspaso del saldo está anotado.",
            _ => return String::new(),
        };
        verdict("good", "Hecho", &[words])
    }
}

async fn ask(
    State(server): State<CityServer>,
    ConnectInfo(came): ConnectInfo<Came>,
    Query(done): Query<Done>,
) -> Shown {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(CentralError::from)?;
    // There is no session yet; the form is of this browser all the same.
    let before = Secret32::new(bytes);
    let fields = hidden("csrf", &sessions::form_token(&before))
        + &field("name", "Nombre", "text")
        + &field("password", "Contraseña", "password");
    let body = format!(
        "{}<form action=\"{LOG_IN_PATH}\" method=\"post\">{fields}<button>Entrar</button></form>\n",
        done.told()
    );
    let page = show(&server, Place::LogIn, "Entrar", move |_, _| Ok(body)).await?;
    Ok(([(SET_COOKIE, cookie(Some(&before), came.is_secure()))], page).into_response())
}

async fn log_in(
    State(server): State<CityServer>,
    ConnectInfo(came): ConnectInfo<Came>,
    headers: HeaderMap,
    form: Result<Form<HashMap<String, String>>, axum::extract::rejection::FormRejection>,
) -> Shown {
    let fields = match form {
        Ok(Form(fields)) => Fields(fields),
        Err(_) => return Ok(refused(&server, &Refusal::FormField).await),
    };
    let secure = came.is_secure();
    let before = token(&headers, secure);
    if !before.is_some_and(|token| sessions::is_of_form(&token, fields.typed("csrf"))) {
        return Ok(refused(&server, &Refusal::FormForeign).await);
    }
    match begin(&server, came, fields).await {
        Ok(token) => Ok(([(SET_COOKIE, cookie(Some(&token), secure))], Redirect::to("/")).into_response()),
        Err(CentralError::Refused(refusal)) => Ok(refused(&server, &refusal).await),
        Err(error) => Err(error.into()),
    }
}

async fn begin(server: &CityServer, came: Came, fields: Fields) -> Result<Secret32, CentralError> {
    let name = fields.typed("name").to_owned();
    let attempt =
        server.with_database(move |database, _| log_in::attempt(database, &name, came.address, clock::now())).await?;
    let stopped = |error: &dyn std::fmt::Display| CentralError::NotReady(error.to_string());
    let place = hashing().await?;
    let tried = tokio::task::spawn_blocking(move || (attempt.is_right(fields.typed("password")), attempt));
    let (is_right, attempt) = tried.await.map_err(|error| stopped(&error))?;
    drop(place);
    server.with_database(move |database, _| attempt.finish(database, is_right, clock::now())).await
}

async fn log_out(State(server): State<CityServer>, ConnectInfo(came): ConnectInfo<Came>, posted: Posted) -> Shown {
    if let Some((account, token)) = posted.officer.session {
        server.with_database(move |database, _| sessions::end(database, &account, &token, clock::now())).await?;
    }
    Ok(([(SET_COOKIE, cookie(None, came.is_secure()))], Redirect::to(LOG_IN_PATH)).into_response())
}

async fn password(State(server): State<CityServer>, officer: Officer) -> Shown {
    let fields = field("old", "Contraseña actual", "password")
        + &field("new", "Contraseña nueva (12 caracteres o más)", "password")
        + &field("again", "Otra vez la nueva", "password");
    let body = match officer.session {
        None => "<p class=\"empty\">Nadie ha entrado.</p>\n".to_owned(),
        Some(_) => form("/office/password", &officer, &fields, "Cambiar"),
    };
    show(&server, Place::Password, "Contraseña", move |_, _| Ok(body)).await
}

/// The old one is asked for, with the same patience as a log-in: a session that was left open is no password.
async fn change_password(
    State(server): State<CityServer>,
    ConnectInfo(came): ConnectInfo<Came>,
    Posted { officer, fields }: Posted,
) -> Shown {
    if fields.typed("new") != fields.typed("again") {
        return Ok(refused(&server, &Refusal::FormField).await);
    }
    let new = Zeroizing::new(fields.typed("new").to_owned());
    let old = HashMap::from([
        ("name".to_owned(), officer.actor.name.clone()),
        ("password".to_owned(), fields.typed("old").to_owned()),
    ]);
    match begin(&server, came, Fields(old)).await {
        Ok(_) => {}
        Err(CentralError::Refused(refusal)) => return Ok(refused(&server, &refusal).await),
        Err(error) => return Err(error.into()),
    }
    let hash = hashed(officer.actor.name.clone(), new).await;
    act(&server, LOG_IN_PATH, move |database, _| {
        accounts::set_hash(database, &officer.actor, &officer.actor.name, &hash?, clock::now())?;
        Ok("password")
    })
    .await
}

/// The hash of a new password, in its turn and before a connection is taken.
async fn hashed(name: String, new: Zeroizing<String>) -> Result<String, CentralError> {
    let stopped = |error: &dyn std::fmt::Display| CentralError::NotReady(error.to_string());
    let _place = hashing().await?;
    let hash = tokio::task::spawn_blocking(move || accounts::password::hash(&name, &new));
    hash.await.map_err(|error| stopped(&error))?
}

/// A place among those who hash now.
pub(super) async fn hashing() -> Result<SemaphorePermit<'static>, CentralError> {
    HASHING.acquire().await.map_err(|error| CentralError::NotReady(error.to_string()))
}

async fn lines(State(server): State<CityServer>, officer: Officer) -> Shown {
    show(&server, Place::Audit, "Actos", move |database, time_zone| audit_body(database, time_zone, &officer)).await
}

fn audit_body(database: &Database, time_zone: &str, officer: &Officer) -> Result<String, CentralError> {
    let is_auditor = officer.actor.role == Role::Auditor;
    let (lines, whole) = if is_auditor {
        (audit::newest(database.read(), LINES)?, whole_chain(database)?)
    } else {
        (audit::newest_of(database.read(), &officer.actor, LINES)?, "<p>Solo sus propios actos.</p>\n".to_owned())
    };
    let rows: Vec<_> = lines.iter().map(|line| line_row(line, time_zone)).collect();
    Ok(whole + &table(&["Acto", "Momento", "Quién", "Función", "Qué", "Sobre qué"], &rows, "Todavía no hay actos."))
}

fn whole_chain(database: &Database) -> Result<String, CentralError> {
    let broken = database.at_one_moment(audit::first_broken)?;
    Ok(match broken {
        None => verdict("good", "El registro está completo", &["La cadena de huellas cuadra de principio a fin."]),
        Some(line) => verdict(
            "bad",
            "El registro no cuadra",
            &[&format!("Desde el acto {line} falta o cambió algo. Avise a quien administra el servidor.")],
        ),
    })
}

fn line_row(line: &Line, time_zone: &str) -> Vec<Markup> {
    vec![
        figure(line.id.to_string()),
        cell(clock::local(line.at, time_zone)),
        cell(&line.actor.name),
        cell(role_name(line.actor.role)),
        Markup(format!("<code>{}</code>", text(&line.what))),
        cell(&line.about),
    ]
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Registry => "Padrón y tarjetas",
        Role::Finance => "Tesorería",
        Role::Technician => "Servicio técnico",
        Role::Auditor => "Intervención",
        Role::Console => "Consola",
    }
}
