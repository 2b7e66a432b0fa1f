//! Who is asking, and who may ask for what. Over TLS a terminal is whom its certificate names, looked up for each
//! request; without a certificate there are the check page, enrolment and the health, and card offices with their token.
//! The office's own pages are for whoever has logged in, in the roles that `access` names: on this machine, where plain
//! HTTP ends, and over TLS where the operator wants it.

use super::access;
use super::api::Refusal;
use super::desk::{self, LOG_IN_PATH};
use super::limits;
use super::officer::{self, OFFICER, Officer};
use crate::accounts::{self, sessions};
use crate::config::Office;
use crate::server::CityServer;
use crate::tls::TlsIo;
use crate::{Database, KeyFile, clock};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::TerminalId;
use protocol::http::{CARDS_PATH, ENROL_PATH, HEAD_PATH, HEALTH_PATH, READY_PATH};
use protocol::{Problem, ProblemCode};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;

/// How a connection came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came {
    /// From there.
    pub(super) address: IpAddr,
    pub(super) over: Over,
}

impl Came {
    /// Whether nobody reads on the way.
    pub(super) fn is_secure(self) -> bool {
        matches!(self.over, Over::Tls(_))
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Over {
    /// Plain HTTP, from this machine.
    Plain,
    /// TLS, with the certificate of this fingerprint or without one.
    Tls(Option<[u8; 32]>),
}

impl From<(&TcpStream, &SocketAddr)> for Came {
    fn from((_, address): (&TcpStream, &SocketAddr)) -> Self {
        Self { address: address.ip(), over: Over::Plain }
    }
}

impl From<(&TlsIo, &SocketAddr)> for Came {
    fn from((io, address): (&TlsIo, &SocketAddr)) -> Self {
        Self { address: address.ip(), over: Over::Tls(io.shown()) }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Somebody on this machine, over plain HTTP: a token says who.
    Local,
    /// A terminal, by its certificate.
    Terminal(TerminalId),
    /// Somebody without a certificate.
    Nobody,
}

/// For whom a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Everybody: it holds nothing, or asks for a code or an office's token itself.
    Everybody,
    /// Terminals of this city.
    Terminals,
    /// Whoever logs in, on a page of the office.
    Office,
    /// Whoever is about to.
    LogIn,
}

fn audience(path: &str) -> Audience {
    let is_check = path == "/check" || path.starts_with("/check/") || path == "/style.css";
    if is_check || [HEALTH_PATH, READY_PATH, ENROL_PATH, CARDS_PATH].contains(&path) {
        Audience::Everybody
    } else if path == LOG_IN_PATH {
        Audience::LogIn
    } else if path.starts_with("/v1/") {
        Audience::Terminals
    } else {
        Audience::Office
    }
}

pub(super) fn no_certificate() -> Problem {
    Problem::new(ProblemCode::Unauthorised, "a terminal shows its certificate here")
}

/// Why a request does not pass.
enum Denied {
    /// In the words of terminals.
    Problem(Problem),
    /// Nobody has logged in.
    LogIn,
    /// For other roles.
    Role,
}

impl<T: Into<Problem>> From<T> for Denied {
    fn from(problem: T) -> Self {
        Self::Problem(problem.into())
    }
}

/// Lets a request pass to its handler, which finds in it who asks.
pub(super) async fn pass(
    State(server): State<CityServer>,
    ConnectInfo(came): ConnectInfo<Came>,
    mut request: Request,
    next: Next,
) -> Response {
    // Before anything is looked up: to say no costs next to nothing.
    if let Err(wait) = limits::admit(server.limits(), came, &request) {
        return limits::held_back(wait);
    }
    match admitted(&server, came, &Wish::of(&request)).await {
        Ok((peer, officer)) => {
            request.extensions_mut().insert(peer);
            let asks_head = request.uri().path() == HEAD_PATH;
            let Some(officer) = officer else {
                let response = next.run(request).await;
                if let Peer::Terminal(terminal) = peer {
                    server.hear(terminal, asks_head && response.status().is_success());
                }
                return response;
            };
            request.extensions_mut().insert(officer.clone());
            OFFICER.scope(officer, next.run(request)).await
        }
        Err(Denied::Problem(problem)) => Refusal::from(problem).into_response(),
        Err(Denied::Role) => desk::not_for_this_role(&server).await,
        Err(Denied::LogIn) if is_browsing(&request) => Redirect::to(LOG_IN_PATH).into_response(),
        Err(Denied::LogIn) => {
            Refusal::from(Problem::new(ProblemCode::Unauthorised, "log in at the office's pages")).into_response()
        }
    }
}

/// Whether somebody looks at pages, rather than a program.
fn is_browsing(request: &Request) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    request.method() == Method::GET && accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// What of a request decides who may send it. A body cannot be shared between threads, so it is apart.
struct Wish {
    method: Method,
    path: String,
    /// As the router has it.
    route: Option<MatchedPath>,
    headers: HeaderMap,
}

impl Wish {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            headers: request.headers().clone(),
        }
    }
}

async fn admitted(server: &CityServer, came: Came, wish: &Wish) -> Result<(Peer, Option<Officer>), Denied> {
    let (plain, certificate) = match came.over {
        Over::Plain => (true, None),
        Over::Tls(certificate) => (false, certificate),
    };
    let peer = if plain { Peer::Local } else { Peer::Nobody };
    match (audience(&wish.path), certificate) {
        (Audience::Everybody, _) => Ok((peer, None)),
        (Audience::Terminals, _) if plain => Ok((peer, None)),
        (Audience::Terminals, Some(certificate)) => {
            Ok((Peer::Terminal(server.terminal_with(certificate).await?), None))
        }
        (Audience::Terminals, None) => Err(no_certificate().into()),
        (Audience::Office | Audience::LogIn, _) if !plain && server.office() != Office::Tls => {
            Err(Problem::new(ProblemCode::Unauthorised, "the office's pages are on central's own machine").into())
        }
        (Audience::LogIn, _) => Ok((peer, None)),
        (Audience::Office, _) => {
            let officer = officer(server, plain, &wish.headers).await?.ok_or(Denied::LogIn)?;
            let Some(at) = &wish.route else { return Ok((peer, Some(officer))) };
            let may = access::may(officer.actor.role, &wish.method, at.as_str());
            if may { Ok((peer, Some(officer))) } else { Err(Denied::Role) }
        }
    }
}

/// Who has logged in; where the pages are open for a demonstration, somebody who looks on.
async fn officer(server: &CityServer, plain: bool, headers: &HeaderMap) -> Result<Option<Officer>, Problem> {
    let (shown, open) = (officer::token(headers, !plain), plain && server.office() == Office::OpenOnLoopback);
    let find = move |database: &mut Database, _: &KeyFile| {
        if let Some(token) = shown
            && let Some(account) = sessions::account_of(database, &token, clock::now())?
        {
            return Ok(Some(Officer::logged_in(account, token)));
        }
        Ok((open && !accounts::are_there(database.read())?).then(Officer::onlooker))
    };
    Ok(server.with_database(find).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_meant_for_everybody_is_open_to_everybody() {
        let check = |path: &str, expected| assert_eq!(audience(path), expected, "{path}");
        for path in
            ["/check", "/check/AAAA", "/check/AAAA/document.pdf", "/style.css", "/health", "/v1/enrol", "/v1/cards"]
        {
            check(path, Audience::Everybody);
        }
        for path in ["/v1/head", "/v1/files/00", "/v1/uploads", "/v1/terminals/7/codes", "/v1/enrol/", "/v1/anything"] {
            check(path, Audience::Terminals);
        }
        check("/office/login", Audience::LogIn);
        for path in [
            "/",
            "/office/login/",
            "/office/logout",
            "/ledger",
            "/documents",
            "/office/reconciliation",
            "/checks",
            "/metrics",
            "",
        ] {
            check(path, Audience::Office);
        }
    }
}
