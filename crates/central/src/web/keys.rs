//! Requests about keys of cards, and the card offices' registrations.

use super::api::{Answer, Asking, bytes, token};
use crate::card_keys::KeyDesk;
use crate::error::CentralError;
use crate::server::CityServer;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::HeaderMap;
use axum::routing::post;
use domain::CardNumber;
use protocol::card_keys::{
    BadMessage, BeginAuthentication, CARD_KEYS_BYTES_MAX, ClassicAsk, FinishAuthentication, RekeyBegin, RekeyConfirm,
    RekeyLook,
};
use protocol::cards::REGISTRATION_BYTES_MAX;
use protocol::http::{
    CARDS_PATH, CBOR, KEYS_BEGIN_PATH, KEYS_CLASSIC_PATH, KEYS_FINISH_PATH, REKEY_BEGIN_PATH, REKEY_CHANGE_PATH,
    REKEY_CONFIRM_PATH, REKEY_LOOK_PATH,
};
use protocol::{Central, Problem, ProblemCode};
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<CityServer> {
    Router::new()
        .route(KEYS_BEGIN_PATH, post(begin))
        .route(KEYS_FINISH_PATH, post(finish))
        .route(KEYS_CLASSIC_PATH, post(classic))
        .route(REKEY_LOOK_PATH, post(rekey_look))
        .route(REKEY_BEGIN_PATH, post(rekey_begin))
        .route(REKEY_CHANGE_PATH, post(rekey_change))
        .route(REKEY_CONFIRM_PATH, post(rekey_confirm))
        .route(CARDS_PATH, post(register))
        .route("/v1/cards/{number}/pin", post(change_pin))
        .layer(DefaultBodyLimit::max(CARD_KEYS_BYTES_MAX.max(REGISTRATION_BYTES_MAX)))
}

/// One request of a terminal: read, worked on, answered.
async fn answered<Q: Send + 'static>(
    server: &CityServer,
    Asking(terminal): Asking,
    body: &[u8],
    read: impl Fn(&[u8]) -> Result<Q, BadMessage>,
    work: impl FnOnce(&mut KeyDesk<'_>, &Q) -> Result<Zeroizing<Vec<u8>>, CentralError> + Send + 'static,
) -> Answer {
    let asked = read(body).map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
    let answer = server.with_keys(terminal, move |desk| work(desk, &asked)).await?;
    bytes(CBOR, "no-store", answer.to_vec())
}

fn encoded(bytes: Result<Zeroizing<Vec<u8>>, BadMessage>) -> Result<Zeroizing<Vec<u8>>, CentralError> {
    bytes.map_err(|error| CentralError::Feed(error.to_string()))
}

macro_rules! handlers {
    ($($name:ident: $ask:ident),*) => {$(
        async fn $name(State(server): State<CityServer>, asking: Asking, body: Bytes) -> Answer {
            answered(&server, asking, &body, $ask::decode, |desk, ask| encoded(desk.$name(ask)?.encode())).await
        }
    )*};
}

handlers!(
    begin: BeginAuthentication,
    finish: FinishAuthentication,
    classic: ClassicAsk,
    rekey_look: RekeyLook,
    rekey_begin: RekeyBegin,
    rekey_change: FinishAuthentication,
    rekey_confirm: RekeyConfirm
);

async fn register(State(server): State<CityServer>, headers: HeaderMap, body: Bytes) -> Answer {
    let token = token(&headers)?;
    let receipt = server.register(token, Zeroizing::new(body.to_vec())).await?;
    let receipt = receipt.encode().map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(CBOR, "no-store", receipt)
}

async fn change_pin(
    State(server): State<CityServer>,
    Path(number): Path<u64>,
    Asking(terminal): Asking,
    body: Bytes,
) -> Answer {
    let changed = server.change_pin(terminal, CardNumber(number), body.to_vec()).await?;
    let changed = changed.encode().map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(CBOR, "no-store", changed)
}
