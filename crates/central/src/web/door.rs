//! Who is asking, and who may ask for what. Over TLS a terminal is whom its certificate names, looked up for each
//! request; without a certificate there are the check page, enrolment and the health, and card offices with their token.
//! The office's own pages are for this machine, where plain HTTP ends.

use super::api::Refusal;
use super::limits;
use crate::server::CityServer;
use crate::tls::TlsListener;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use domain::TerminalId;
use protocol::http::{CARDS_PATH, ENROL_PATH, HEAD_PATH, HEALTH_PATH, READY_PATH};
use protocol::{Problem, ProblemCode};
use std::net::IpAddr;
use tokio::net::TcpListener;

/// How a connection came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came {
    /// From there.
    pub(super) address: IpAddr,
    pub(super) over: Over,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Over {
    /// Plain HTTP, from this machine.
    Plain,
    /// TLS, with the certificate of this fingerprint or without one.
    Tls(Option<[u8; 32]>),
}

impl Connected<IncomingStream<'_, TcpListener>> for Came {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: stream.remote_addr().ip(), over: Over::Plain }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Came {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self { address: stream.remote_addr().ip(), over: Over::Tls(stream.io().shown()) }
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
    /// The office.
    Office,
}

fn audience(path: &str) -> Audience {
    let is_check = path == "/check" || path.starts_with("/check/") || path == "/style.css";
    if is_check || [HEALTH_PATH, READY_PATH, ENROL_PATH, CARDS_PATH].contains(&path) {
        Audience::Everybody
    } else if path.starts_with("/v1/") {
        Audience::Terminals
    } else {
        Audience::Office
    }
}

pub(super) fn no_certificate() -> Problem {
    Problem::new(ProblemCode::Unauthorised, "a terminal shows its certificate here")
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
    match admitted(&server, came, request.uri().path()).await {
        Ok(peer) => {
            request.extensions_mut().insert(peer);
            let asks_head = request.uri().path() == HEAD_PATH;
            let response = next.run(request).await;
            if let Peer::Terminal(terminal) = peer {
                server.hear(terminal, asks_head && response.status().is_success());
            }
            response
        }
        Err(problem) => Refusal::from(problem).into_response(),
    }
}

async fn admitted(server: &CityServer, came: Came, path: &str) -> Result<Peer, Problem> {
    let certificate = match came.over {
        Over::Plain => return Ok(Peer::Local),
        Over::Tls(certificate) => certificate,
    };
    match (audience(path), certificate) {
        (Audience::Everybody, _) => Ok(Peer::Nobody),
        (Audience::Terminals, Some(certificate)) => Ok(Peer::Terminal(server.terminal_with(certificate).await?)),
        (Audience::Terminals, None) => Err(no_certificate()),
        (Audience::Office, _) => {
            Err(Problem::new(ProblemCode::Unauthorised, "the office's pages are on central's own machine"))
        }
    }
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
        for path in ["/", "/ledger", "/documents", "/office/reconciliation", "/checks", "/metrics", ""] {
            check(path, Audience::Office);
        }
    }
}
