//! The API's description (OpenAPI 3.1), generated from the handlers' own attributes. What travels as CBOR is said to be
//! so, and by which type of `protocol` it is read: a schema of JSON would be untrue of it. `docs/openapi.json` is this,
//! written by `citizen-central openapi`; a test fails when it is another, or when a route is missing here.

use super::{api, enrol, keys, metrics};
use crate::ready::Readiness;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

/// A problem (RFC 9457), the body of every answer that is none of those described. The answer has an `X-Request-Id`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described here; `protocol::Problem` writes it")]
pub(super) struct Problem {
    /// Always `about:blank`: the code says which.
    r#type: String,
    /// The HTTP status.
    status: u16,
    /// The stable name, such as `unauthorised` or `too-often`.
    #[schema(example = "unauthorised")]
    code: String,
    /// For a technician; never personal.
    detail: String,
    /// `urn:citizen:request:` and the request's id, as the log has it.
    instance: Option<String>,
}

/// Bytes that are no JSON.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it is described here")]
pub(super) struct Binary(Vec<u8>);

/// Both notes of a head (C2SP signed-note): the working keys under the root key, the checkpoint under the head key.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described here; `protocol::SignedHead` writes it")]
pub(super) struct SignedHead {
    keys: String,
    head: String,
}

struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let certificate =
            "A certificate of the city's own authority (TLS client authentication, RFC 8446 clause 4.4.2)";
        components.add_security_scheme(
            "certificate",
            SecurityScheme::MutualTls { description: Some(certificate.to_owned()), deprecated: None, extensions: None },
        );
        let mut token = Http::new(HttpAuthScheme::Bearer);
        let says = "32 bytes in hexadecimal: a card office's, or on central's own machine a terminal's";
        token.description = Some(says.to_owned());
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "citizen-central",
        description = "What terminals and card offices ask of the city's server. Bodies of `application/cbor` are maps \
                       with whole numbers as keys, as the named type of the crate `protocol` has them; signatures and \
                       seals are part of them. Every answer may be 429 with `Retry-After`.",
        license(name = "Apache-2.0 OR MIT"),
    ),
    paths(
        api::head, api::file, api::upload, api::codes, api::health,
        keys::begin, keys::finish, keys::classic,
        keys::rekey_look, keys::rekey_begin, keys::rekey_change, keys::rekey_confirm, keys::register, keys::change_pin,
        enrol::with_code, enrol::renew,
        metrics::ready, metrics::metrics,
    ),
    components(schemas(Problem, Binary, SignedHead, Readiness)),
    modifiers(&Security),
    tags(
        (name = "feed", description = "The signed feed"),
        (name = "uploads", description = "What terminals tell"),
        (name = "terminals", description = "Enrolling and renewing"),
        (name = "card keys", description = "Keys of cards that stay with central"),
        (name = "health", description = "For machines that watch"),
    ),
)]
struct Api;

/// The description, as the file has it.
#[must_use]
pub fn json() -> String {
    // It is made of text and maps of text, which JSON always has.
    Api::openapi().to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}
