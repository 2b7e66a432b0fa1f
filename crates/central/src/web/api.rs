//! The terminals' requests.

use super::door::Peer;
use super::openapi::{Binary, Problem as ProblemBody, SignedHead};
use crate::server::CityServer;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, FromRequestParts, Path, Query, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use domain::TerminalId;
use protocol::envelope::ENVELOPE_BYTES_MAX;
use protocol::http::{CBOR, ENVELOPE, HEAD_PATH, HEALTH_PATH, PROBLEM_JSON, UPLOADS_PATH};
use protocol::outcome::encode_outcomes;
use protocol::upload::UPLOAD_BYTES_MAX;
use protocol::{Central, Problem, ProblemCode};
use serde::Deserialize;

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route(HEAD_PATH, get(head))
        .route("/v1/files/{sha256}", get(file))
        .route(UPLOADS_PATH, post(upload))
        .route("/v1/terminals/{id}/codes", post(codes))
        .route(HEALTH_PATH, get(health))
        // One byte more than the limit, so that a longer body is told apart from one that just fits.
        .layer(DefaultBodyLimit::max(ENVELOPE_BYTES_MAX + 1))
}

/// A problem as an answer (RFC 9457).
pub(super) struct Refusal(pub(super) Problem);

impl<T: Into<Problem>> From<T> for Refusal {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = self.0.to_json_of(super::requests::current().as_deref());
        (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}

pub(super) type Answer = Result<([(HeaderName, &'static str); 2], Vec<u8>), Refusal>;

pub(super) fn bytes(kind: &'static str, cache: &'static str, bytes: Vec<u8>) -> Answer {
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)], bytes))
}

/// The published head.
#[utoipa::path(get, path = HEAD_PATH, tag = "feed", security((), ("certificate" = [])), responses(
    (status = 200, description = "The newest head", body = SignedHead),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn head(State(server): State<CityServer>) -> Answer {
    bytes("application/json", "no-cache", server.head_bytes().await?)
}

/// A file of the feed: immutable, and named by its hash.
#[utoipa::path(get, path = "/v1/files/{sha256}", tag = "feed", security((), ("certificate" = [])),
    params(("sha256" = String, Path, description = "SHA-256 of the file, in hexadecimal")), responses(
    (status = 200, description = "Its bytes", body = Binary, content_type = "application/octet-stream"),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn file(State(server): State<CityServer>, Path(sha256): Path<String>) -> Answer {
    let hash = sha256.parse().map_err(|_| Problem::new(ProblemCode::NotFound, "not a file of the feed"))?;
    bytes("application/octet-stream", "public, max-age=31536000, immutable", server.file(hash).await?)
}

/// Takes an envelope of signed uploads; or, on this machine alone, one upload of a terminal that has no keys. Sent again
/// with the same idempotency key and bytes, an upload gets the same receipt.
#[utoipa::path(post, path = UPLOADS_PATH, tag = "uploads", security(("certificate" = []), ("token" = [])),
    request_body(content = Binary, content_type = ENVELOPE, description = "`protocol::envelope`, or `protocol::Upload` as CBOR \
        from a terminal without keys"),
    responses(
    (status = 200, description = "`protocol::Outcome` of each upload in its order, after the commit; or one \
        `protocol::Receipt`", body = Binary, content_type = CBOR),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn upload(
    State(server): State<CityServer>,
    Asking(terminal): Asking,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let internal = |error: protocol::upload::UploadError| Problem::new(ProblemCode::Internal, error.to_string());
    if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == ENVELOPE) {
        let outcomes = server.take_envelope(terminal, body).await?;
        return bytes(CBOR, "no-store", encode_outcomes(outcomes).map_err(internal)?);
    }
    if peer != Peer::Local {
        return Err(Problem::new(ProblemCode::Unauthorised, "uploads are signed and sealed here").into());
    }
    if body.len() > UPLOAD_BYTES_MAX {
        return Err(Problem::new(ProblemCode::TooLarge, "the upload is larger than central reads").into());
    }
    let receipt = server.take(terminal, body.to_vec()).await?;
    bytes(CBOR, "no-store", receipt.encode().map_err(internal)?)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    count: u16,
}

/// Fresh verification codes for documents.
#[utoipa::path(post, path = "/v1/terminals/{id}/codes", tag = "terminals", security(("certificate" = []), ("token" = [])),
    params(("id" = u32, Path, description = "The terminal's own number"),
           ("count" = u16, Query, description = "How many")), responses(
    (status = 200, description = "`protocol::SignedCodeBatch`", body = Binary, content_type = CBOR),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn codes(
    State(server): State<CityServer>,
    Path(id): Path<u32>,
    Query(wanted): Query<Wanted>,
    Asking(terminal): Asking,
) -> Answer {
    if terminal != TerminalId(id) {
        return Err(Problem::new(ProblemCode::Unauthorised, "the codes of another terminal").into());
    }
    bytes(CBOR, "no-store", server.code_batch(terminal, wanted.count).await?.0)
}

/// Whether the process lives and its database answers.
#[utoipa::path(get, path = HEALTH_PATH, tag = "health", responses(
    (status = 200, description = "It does", body = String, content_type = "text/plain"),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn health(State(server): State<CityServer>) -> Answer {
    server.with_database(|database, _| Ok(database.read().query_row("SELECT 1", &[], |_| Ok(()))?)).await?;
    bytes("text/plain; charset=utf-8", "no-store", b"ok\n".to_vec())
}

/// Which terminal asks: over TLS the one whose certificate was shown, as `door` has found it; on this machine the one
/// whose token is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking(pub(super) TerminalId);

impl FromRequestParts<CityServer> for Asking {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &CityServer) -> Result<Self, Refusal> {
        match parts.extensions.get::<Peer>() {
            Some(Peer::Terminal(terminal)) => Ok(Self(*terminal)),
            Some(Peer::Local) => {
                let terminal = server.terminal_of(token(&parts.headers)?).await?;
                server.hear(terminal, false);
                Ok(Self(terminal))
            }
            Some(Peer::Nobody) | None => Err(super::door::no_certificate().into()),
        }
    }
}

/// The access token (RFC 6750 clause 2.1), 32 bytes in hexadecimal.
pub(super) fn token(headers: &HeaderMap) -> Result<[u8; 32], Problem> {
    let missing = || Problem::new(ProblemCode::Unauthorised, "an access token is needed");
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let token = header.strip_prefix("Bearer ").ok_or_else(missing)?;
    HEXLOWER.decode(token.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(missing)
}
