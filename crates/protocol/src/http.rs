//! How the conversation travels over HTTP, so that client and server cannot disagree. Over TLS a terminal is who its
//! certificate says (RFC 8446 clause 4.4.2), and gets nothing without one, save by enrolling. Over plain HTTP, which
//! leads to the same machine only, head and files are open (signed, sealed), and the rest needs the terminal's access
//! token as `Authorization: Bearer <hexadecimal>`.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /v1/head` | `SignedHead` as JSON |
//! | `GET /v1/files/{sha256}` | the file's bytes |
//! | `POST /v1/uploads`, body an envelope of signed uploads (`envelope`) | an `Outcome` for each as CBOR |
//! | `POST /v1/uploads`, body `Upload` as CBOR, over plain HTTP only | `Receipt` as CBOR |
//! | `POST /v1/terminals/{id}/codes?count=N`, no body | a signed batch as CBOR |
//! | `POST /v1/card-keys/begin`, body `BeginAuthentication` | `Cryptogram` |
//! | `POST /v1/card-keys/finish`, body `FinishAuthentication` | `GrantedSession` |
//! | `POST /v1/card-keys/classic`, body `ClassicAsk` | `ClassicGrant` |
//! | `POST /v1/card-keys/rekey/look`, body `RekeyLook` | `RekeyState` |
//! | `POST /v1/card-keys/rekey/begin`, body `RekeyBegin` | `Cryptogram` |
//! | `POST /v1/card-keys/rekey/change`, body `FinishAuthentication` | `RekeyChange` |
//! | `POST /v1/card-keys/rekey/confirm`, body `RekeyConfirm` | `Rekeyed` |
//! | `POST /v1/cards/{number}/pin`, body a sealed `PinChange` | `PinChanged` as CBOR |
//! | `POST /v1/enrol`, body `{"code", "request": EnrolmentRequest}` as JSON, without a certificate | `SignedAnswer` as JSON |
//! | `POST /v1/terminals/{id}/certificate`, body a signing request (PKCS#10, DER) | `Certificate` as JSON |
//! | `POST /v1/cards`, body `CardRegistration`, with a card office's token | `Receipt` |
//!
//! Whatever is about keys and cards is CBOR both ways.
//!
//! Anything else than 200 has a `Problem` as its body.

use crate::manifest::FileHash;
use domain::{CardNumber, TerminalId};

/// The head.
pub const HEAD_PATH: &str = "/v1/head";
/// Where uploads go.
pub const UPLOADS_PATH: &str = "/v1/uploads";
/// A card's challenge is answered.
pub const KEYS_BEGIN_PATH: &str = "/v1/card-keys/begin";
/// Session keys are given.
pub const KEYS_FINISH_PATH: &str = "/v1/card-keys/finish";
/// Keys and seals of MIFARE Classic cards.
pub const KEYS_CLASSIC_PATH: &str = "/v1/card-keys/classic";
/// Whether a read key is to be changed.
pub const REKEY_LOOK_PATH: &str = "/v1/card-keys/rekey/look";
/// The challenge of a master key is answered.
pub const REKEY_BEGIN_PATH: &str = "/v1/card-keys/rekey/begin";
/// The sealed ChangeKey.
pub const REKEY_CHANGE_PATH: &str = "/v1/card-keys/rekey/change";
/// The card's reply to it.
pub const REKEY_CONFIRM_PATH: &str = "/v1/card-keys/rekey/confirm";
/// Where card offices register cards.
pub const CARDS_PATH: &str = "/v1/cards";
/// Where a terminal enrols with its one-time code.
pub const ENROL_PATH: &str = "/v1/enrol";
/// Whether central is there at all.
pub const HEALTH_PATH: &str = "/health";
/// Whether this node of central should be sent requests now.
pub const READY_PATH: &str = "/ready";
/// The media type of uploads, receipts and batches.
pub const CBOR: &str = "application/cbor";
pub use crate::envelope::ENVELOPE;
/// The media type of what is sealed.
pub const SEALED: &str = "application/octet-stream";
/// The media type of enrolments.
pub const JSON: &str = "application/json";
/// The media type of signing requests (RFC 5967).
pub const PKCS10: &str = "application/pkcs10";
/// The media type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The path of a file of the feed.
#[must_use]
pub fn file_path(sha256: FileHash) -> String {
    format!("/v1/files/{sha256}")
}

/// The path and query that ask for fresh codes.
#[must_use]
pub fn codes_path(terminal: TerminalId, count: u16) -> String {
    format!("/v1/terminals/{}/codes?count={count}", terminal.0)
}

/// The path where a terminal changes the PIN of a card.
#[must_use]
pub fn pin_path(card: CardNumber) -> String {
    format!("{CARDS_PATH}/{}/pin", card.0)
}

/// The path where a terminal asks for its next certificate.
#[must_use]
pub fn renewal_path(terminal: TerminalId) -> String {
    format!("/v1/terminals/{}/certificate", terminal.0)
}

/// The value of the `Authorization` header (RFC 6750 clause 2.1).
#[must_use]
pub fn bearer(token: &crate::secret::Secret32) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(format!("Bearer {}", data_encoding::HEXLOWER.encode(token.expose())))
}
