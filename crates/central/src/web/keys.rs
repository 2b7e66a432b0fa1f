//! Requests about keys of cards, and the card offices' registrations.

use super::api::{Answer, Asking, bytes, token};
use super::openapi::{Binary, Problem as ProblemBody};
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
    CARDS_PATH, CBOR, KEYS_BEGIN_PATH, KEYS_CLASSIC_PATH, KEYS_FINISH_PATH, PROBLEM_JSON, REKEY_BEGIN_PATH,
    REKEY_CHANGE_PATH, REKEY_CONFIRM_PATH, REKEY_LOOK_PATH, SEALED,
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
    ($($(#[$about:meta])* $name:ident at $path:ident: $ask:ident gives $given:literal;)*) => {$(
        $(#[$about])*
        #[utoipa::path(post, path = $path, tag = "card keys", security(("certificate" = []), ("token" = [])),
            request_body(content = Binary, content_type = CBOR,
                         description = concat!("`protocol::card_keys::", stringify!($ask), "`")), responses(
            (status = 200, description = concat!("`protocol::card_keys::", $given, "`"), body = Binary,
             content_type = CBOR),
            (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
        ))]
        pub(super) async fn $name(State(server): State<CityServer>, asking: Asking, body: Bytes) -> Answer {
            answered(&server, asking, &body, $ask::decode, |desk, ask| encoded(desk.$name(ask)?.encode())).await
        }
    )*};
}

handlers!(
    /// The challenge of a card's credit key is answered.
    begin at KEYS_BEGIN_PATH: BeginAuthentication gives "Cryptogram";
    /// The session keys, when the card has proved itself.
    finish at KEYS_FINISH_PATH: FinishAuthentication gives "GrantedSession";
    /// Sector keys and a seal of a MIFARE Classic card.
    classic at KEYS_CLASSIC_PATH: ClassicAsk gives "ClassicGrant";
    /// Whether a card's read key is to be changed.
    rekey_look at REKEY_LOOK_PATH: RekeyLook gives "RekeyState";
    /// The challenge of the card's master key is answered.
    rekey_begin at REKEY_BEGIN_PATH: RekeyBegin gives "Cryptogram";
    /// The sealed ChangeKey.
    rekey_change at REKEY_CHANGE_PATH: FinishAuthentication gives "RekeyChange";
    /// The card's reply to it is proved and booked.
    rekey_confirm at REKEY_CONFIRM_PATH: RekeyConfirm gives "Rekeyed";
);

/// A card office registers a card it made.
#[utoipa::path(post, path = CARDS_PATH, tag = "card keys", security(("token" = [])),
    request_body(content = Binary, content_type = CBOR, description = "`protocol::cards::CardRegistration`, sealed"),
    responses(
    (status = 200, description = "`protocol::Receipt`, signed", body = Binary, content_type = CBOR),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn register(State(server): State<CityServer>, headers: HeaderMap, body: Bytes) -> Answer {
    let token = token(&headers)?;
    let receipt = server.register(token, Zeroizing::new(body.to_vec())).await?;
    let receipt = receipt.encode().map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(CBOR, "no-store", receipt)
}

/// The PIN of a card is changed by whoever has it and knows the old one.
#[utoipa::path(post, path = "/v1/cards/{number}/pin", tag = "card keys", params(("number" = u64, Path)),
    security(("certificate" = []), ("token" = [])),
    request_body(content = Binary, content_type = SEALED, description = "`protocol::PinChange`, sealed to central"),
    responses(
    (status = 200, description = "`protocol::PinChanged`, signed", body = Binary, content_type = CBOR),
    (status = "default", description = "A problem", body = ProblemBody, content_type = PROBLEM_JSON),
))]
pub(super) async fn change_pin(
    State(server): State<CityServer>,
    Path(number): Path<u64>,
    Asking(terminal): Asking,
    body: Bytes,
) -> Answer {
    let changed = server.change_pin(terminal, CardNumber(number), body.to_vec()).await?;
    let changed = changed.encode().map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
    bytes(CBOR, "no-store", changed)
}
