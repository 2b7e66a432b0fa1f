//! A terminal enrols itself with a one-time code, and asks for its next certificate.

use super::api::{Answer, Asking, bytes};
use super::door::Came;
use super::openapi::{Binary, Problem as ProblemBody};
use crate::enrol;
use crate::limits::Asker;
use crate::server::CityServer;
use crate::{CentralError, clock};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::routing::post;
use axum::{Extension, Router};
use domain::TerminalId;
use protocol::first_trust::{EnrolmentRequest, FIRST_TRUST_BYTES_MAX};
use protocol::http::{ENROL_PATH, JSON, PKCS10, PROBLEM_JSON};
use protocol::{Problem, ProblemCode};
use serde::Deserialize;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Wrong codes from one address, or one network of IPv6, that are answered within `WINDOW`.
const WRONG_MAX: u32 = 10;
/// So many of them are remembered at a time: the others have their narrow bucket all the same.
const REMEMBERED_MAX: usize = 65_536;
const WINDOW: Duration = Duration::from_secs(600);

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route(ENROL_PATH, post(with_code))
        .route("/v1/terminals/{id}/certificate", post(renew))
        .layer(DefaultBodyLimit::max(FIRST_TRUST_BYTES_MAX))
        .layer(Extension(Arc::<Throttle>::default()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeemed {
    code: String,
    request: EnrolmentRequest,
}

/// A terminal enrols itself with its one-time code, before it has a certificate.
#[utoipa::path(post, path = ENROL_PATH, tag = "terminals",
    request_body(content = Object, content_type = JSON,
                 description = "`{\"code\": …, \"request\": protocol::first_trust::EnrolmentRequest}`"), responses(
    (status = 200, description = "`protocol::first_trust::SignedAnswer`", body = Object),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn with_code(
    State(server): State<CityServer>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ConnectInfo(came): ConnectInfo<Came>,
    body: Bytes,
) -> Answer {
    throttle.admits(came.address, Instant::now())?;
    let asked: Redeemed =
        serde_json::from_slice(&body).map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
    let (code, request) = (Zeroizing::new(asked.code), asked.request);
    let authority = Arc::clone(server.authority());
    let answer = server
        .with_database(move |database, keys| enrol::redeem(database, keys, &authority, &code, &request, clock::now()))
        .await;
    if let Err(CentralError::Problem(problem)) = &answer
        && problem.code == ProblemCode::Unauthorised
    {
        throttle.wrong(came.address, Instant::now());
    }
    let text = answer?.to_json().map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(JSON, "no-store", text.into_bytes())
}

/// A terminal's next certificate.
#[utoipa::path(post, path = "/v1/terminals/{id}/certificate", tag = "terminals", security(("certificate" = [])),
    params(("id" = u32, Path, description = "The terminal's own number")),
    request_body(content = Binary, content_type = PKCS10, description = "A signing request (RFC 2986, DER)"), responses(
    (status = 200, description = "`protocol::first_trust::Certificate`", body = Object),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn renew(
    State(server): State<CityServer>,
    Path(id): Path<u32>,
    Asking(terminal): Asking,
    body: Bytes,
) -> Answer {
    if terminal != TerminalId(id) {
        return Err(Problem::new(ProblemCode::Unauthorised, "the certificate of another terminal").into());
    }
    let authority = Arc::clone(server.authority());
    let work = move |database: &mut crate::Database, _: &crate::KeyFile| {
        enrol::renew(database, &authority, terminal, &body, clock::now())
    };
    let certificate = server.with_database(work).await?;
    let json =
        serde_json::to_vec(&certificate).map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(JSON, "no-store", json)
}

/// Counts wrong codes of each address. A code has 120 bits, so this saves work rather than codes, and needs no count of
/// all: that would let a few strangers keep everybody from enrolling.
#[derive(Default)]
pub(super) struct Throttle(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    since: Option<Instant>,
    of: HashMap<Asker, u32>,
}

impl Throttle {
    fn counts(&self, now: Instant) -> MutexGuard<'_, Counts> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            *counts = Counts { since: Some(now), ..Counts::default() };
        }
        counts
    }

    fn admits(&self, address: IpAddr, now: Instant) -> Result<(), Problem> {
        let counts = self.counts(now);
        if counts.of.get(&Asker::from(address)).is_none_or(|wrong| *wrong < WRONG_MAX) {
            return Ok(());
        }
        Err(Problem::new(ProblemCode::LimitReached, "too many wrong codes: wait ten minutes"))
    }

    fn wrong(&self, address: IpAddr, now: Instant) {
        let (mut counts, asker) = (self.counts(now), Asker::from(address));
        if counts.of.len() < REMEMBERED_MAX || counts.of.contains_key(&asker) {
            *counts.of.entry(asker).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn wrong_codes_are_answered_a_few_times_and_again_after_a_while() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let of = |last: u8| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        for _ in 0..WRONG_MAX {
            throttle.admits(of(1), start).unwrap();
            throttle.wrong(of(1), start);
        }
        assert_eq!(throttle.admits(of(1), start).unwrap_err().code, ProblemCode::LimitReached);
        assert!(throttle.admits(of(2), start).is_ok(), "another address is not punished");
        assert!(throttle.admits(of(1), start + WINDOW).is_ok());
    }

    #[test]
    fn wrong_codes_of_one_network_and_of_many_addresses_hold_up_nobody_else() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in 0..WRONG_MAX {
            throttle.wrong(of(&format!("2001:db8:1:2::{host:x}")), start);
        }
        assert!(throttle.admits(of("2001:db8:1:2::ffff"), start).is_err(), "the hosts of a network are one");
        assert!(throttle.admits(of("2001:db8:1:3::1"), start).is_ok());
        for host in 0..=255 {
            for _ in 0..WRONG_MAX {
                throttle.wrong(of(&format!("192.0.2.{host}")), start);
            }
        }
        assert!(throttle.admits(of("198.51.100.7"), start).is_ok(), "others enrol meanwhile");
        for host in 0..REMEMBERED_MAX + 10 {
            throttle.wrong(of(&format!("2001:db8:{:x}:{:x}::1", host >> 16, host & 0xFFFF)), start);
        }
        assert_eq!(throttle.counts(start).of.len(), REMEMBERED_MAX, "what is remembered has its limit");
    }
}
