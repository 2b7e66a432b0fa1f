//! Rate limits at the door: who asks, and in which class, as far as that is known before anything is looked up.

use super::api::Refusal;
use super::door::{Came, Over};
use crate::limits::{Asker, Class, Limits};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use protocol::http::ENROL_PATH;
use protocol::{Problem, ProblemCode};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Whether this request may go on.
///
/// # Errors
/// How long to wait.
pub(super) fn admit(limits: &Limits, came: Came, request: &Request) -> Result<(), Duration> {
    let address = Asker::from(came.address);
    match class(request) {
        Some(class) => limits.ask(class, address),
        None => match (came.over, request.headers().get(AUTHORIZATION)) {
            (Over::Tls(Some(certificate)), _) => limits.ask(Class::Known, Asker::Known(certificate)),
            // A token may be anybody's guess, so that over TLS its address counts too.
            (Over::Tls(None), Some(token)) => {
                limits.ask(Class::Address, address)?;
                limits.ask(Class::Known, of_token(token))
            }
            (Over::Tls(None), None) => limits.ask(Class::Address, address),
            (Over::Plain, Some(token)) => limits.ask(Class::Known, of_token(token)),
            // From this machine: the office behind its reverse proxy, which all comes from one address.
            (Over::Plain, None) => Ok(()),
        },
    }
}

fn of_token(token: &HeaderValue) -> Asker {
    Asker::Known(Sha256::digest(token.as_bytes()).into())
}

/// What has narrower limits, wherever it comes from.
fn class(request: &Request) -> Option<Class> {
    match request.uri().path() {
        ENROL_PATH => Some(Class::Enrol),
        path if path.ends_with("/login") && request.method() == axum::http::Method::POST => Some(Class::Login),
        _ => None,
    }
}

/// The answer: when to come again.
pub(super) fn held_back(wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    let problem = Problem::new(ProblemCode::TooOften, format!("asked too often: again in {seconds} s"));
    let mut response = Refusal::from(problem).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
