//! What can go wrong between terminal and central, as data (RFC 9457, `application/problem+json`). The code decides
//! whether an upload is tried again or set aside; it is never deleted for any of them.

use domain::FailureCode;
use serde::{Deserialize, Serialize};

/// The kinds of problem, by what the asker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// Central cannot be reached, or did not answer in time: nothing is known of what it did.
    Unreachable,
    /// Central is there and cannot serve now.
    Unavailable,
    /// No such file, head or code.
    NotFound,
    /// Central cannot read what it was sent.
    Malformed,
    /// The access token is missing, wrong or revoked.
    Unauthorised,
    /// The idempotency key was used with other bytes, or the entry contradicts one already booked.
    Conflict,
    /// Larger than central reads.
    TooLarge,
    /// The card is unknown, not active or revoked: no key of it is used.
    CardRefused,
    /// The card does not know the key, or did not say what a card that knows it says.
    KeyRejected,
    /// This terminal or this card has used up its day.
    LimitReached,
    /// Asked more often than central answers: again after the answer's `Retry-After` (RFC 9110 clause 10.2.3).
    TooOften,
    /// The ticket is unknown, used, too old or another terminal's: begin anew.
    TicketInvalid,
    /// What the terminal says of a purse contradicts what central knows of it: the card needs a check.
    PurseDoubtful,
    /// Terminal and central are not of one city: one's certificate comes from an authority that the other does not know.
    ForeignCity,
    /// The terminal's certificate is past its last moment.
    CertificateExpired,
    /// The terminal's certificate was revoked, or a newer one of it is in use.
    CertificateRevoked,
    /// By the terminal's clock central's certificate is not good now: the clock is wrong.
    ClockDiffers,
    /// The answer is not what was asked for: wrong hash, wrong signature, unreadable.
    Untrusted,
    /// The envelope is of a version that central does not know: it is older than the terminal's program.
    UnknownVersion,
    /// The envelope is sealed to a key that central does not have: the terminal has to learn the new one.
    UnknownKey,
    /// Anything else, also of a newer central.
    #[serde(other)]
    Internal,
}

impl ProblemCode {
    /// The stable name, on the wire and in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unavailable => "unavailable",
            Self::NotFound => "not-found",
            Self::Malformed => "malformed",
            Self::Unauthorised => "unauthorised",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::CardRefused => "card-refused",
            Self::KeyRejected => "key-rejected",
            Self::LimitReached => "limit-reached",
            Self::TooOften => "too-often",
            Self::TicketInvalid => "ticket-invalid",
            Self::PurseDoubtful => "purse-doubtful",
            Self::ForeignCity => "foreign-city",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateRevoked => "certificate-revoked",
            Self::ClockDiffers => "clock-differs",
            Self::Untrusted => "untrusted",
            Self::UnknownVersion => "unknown-version",
            Self::UnknownKey => "unknown-key",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status it travels under (RFC 9110 clause 15).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorised | Self::CertificateExpired => 401,
            Self::CardRefused | Self::CertificateRevoked => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::PurseDoubtful => 409,
            Self::TicketInvalid => 410,
            Self::TooLarge => 413,
            Self::KeyRejected => 422,
            Self::UnknownKey => 421,
            Self::LimitReached | Self::TooOften => 429,
            Self::UnknownVersion => 501,
            Self::Internal => 500,
            Self::Unreachable | Self::ForeignCity | Self::ClockDiffers | Self::Untrusted => 502,
            Self::Unavailable => 503,
        }
    }

    /// For an answer without a problem body.
    #[must_use]
    pub fn from_status(status: u16) -> Self {
        match status {
            400 | 415 | 422 => Self::Malformed,
            401 | 403 => Self::Unauthorised,
            404 => Self::NotFound,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            408 | 425 | 429 | 503 | 504 => Self::Unavailable,
            502 => Self::Unreachable,
            _ => Self::Internal,
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code:?}: {detail}")]
pub struct Problem {
    /// What kind.
    pub code: ProblemCode,
    /// For a technician; never shown to a citizen, never personal.
    pub detail: String,
}

impl Problem {
    /// A problem.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// A problem by its code's stable name; `Internal` for one that is not known.
    pub fn named(code: &str, detail: impl Into<String>) -> Self {
        let code = serde_json::from_value(code.into()).unwrap_or(ProblemCode::Internal);
        Self::new(code, detail)
    }

    /// Whether the same upload, sent again unchanged, can never be taken: it goes to quarantine with this reason.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self.code, ProblemCode::Malformed | ProblemCode::Conflict | ProblemCode::TooLarge)
    }

    /// What a technician's panel shows.
    #[must_use]
    pub fn failure(&self) -> FailureCode {
        match self.code {
            ProblemCode::Untrusted => FailureCode::FeedUntrusted,
            ProblemCode::ForeignCity => FailureCode::CentralForeign,
            ProblemCode::CertificateExpired => FailureCode::CertificateExpired,
            ProblemCode::CertificateRevoked => FailureCode::CertificateRevoked,
            ProblemCode::ClockDiffers => FailureCode::ClockWrong,
            _ => FailureCode::CentralUnreachable,
        }
    }

    /// Whether central might as well not be there: nobody answers, or nothing is said to this terminal.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        use ProblemCode as P;
        matches!(
            self.code,
            P::Unreachable
                | P::Unavailable
                | P::TooOften
                | P::ForeignCity
                | P::CertificateExpired
                | P::CertificateRevoked
                | P::ClockDiffers
        )
    }

    /// The body of an answer.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.to_json_of(None)
    }

    /// The same, which names the request it is the answer to (RFC 9457 clause 3.1.5): the log has it too.
    #[must_use]
    pub fn to_json_of(&self, request: Option<&str>) -> Vec<u8> {
        let mut body = serde_json::json!({
            "type": "about:blank",
            "status": self.code.status(),
            "code": self.code,
            "detail": self.detail,
        });
        if let (Some(request), Some(members)) = (request, body.as_object_mut()) {
            members.insert("instance".to_owned(), format!("urn:citizen:request:{request}").into());
        }
        body.to_string().into_bytes()
    }

    /// Reads an answer's body; falls back to its status when the body is no problem.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        serde_json::from_slice(body)
            .unwrap_or_else(|_| Self::new(ProblemCode::from_status(status), format!("status {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_the_wire_and_a_bare_status_is_understood() {
        let problem = Problem::new(ProblemCode::Conflict, "key used before");
        assert_eq!(Problem::from_answer(409, &problem.to_json()), problem);
        assert_eq!(Problem::from_answer(503, b"<html>").code, ProblemCode::Unavailable);
        assert_eq!(Problem::from_answer(500, br#"{"code":"new-one","detail":"x"}"#).code, ProblemCode::Internal);
    }

    #[test]
    fn a_problem_has_one_name_on_the_wire_and_in_tables() {
        use ProblemCode as P;
        let all = [
            P::Unreachable,
            P::Unavailable,
            P::NotFound,
            P::Malformed,
            P::Unauthorised,
            P::Conflict,
            P::TooLarge,
            P::CardRefused,
            P::KeyRejected,
            P::LimitReached,
            P::TooOften,
            P::TicketInvalid,
            P::PurseDoubtful,
            P::ForeignCity,
            P::CertificateExpired,
            P::CertificateRevoked,
            P::ClockDiffers,
            P::Untrusted,
            P::UnknownVersion,
            P::UnknownKey,
            P::Internal,
        ];
        for code in all {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert_eq!(Problem::from_answer(code.status(), &Problem::new(code, "x").to_json()).code, code);
        }
    }

    #[test]
    fn only_what_can_never_be_taken_is_permanent() {
        use ProblemCode as P;
        let permanent = [P::Malformed, P::Conflict, P::TooLarge];
        let refused = [P::CardRefused, P::KeyRejected, P::LimitReached, P::TicketInvalid, P::PurseDoubtful];
        assert!(!refused.iter().any(|code| Problem::new(*code, "").is_permanent()));
        let passing = [P::Unreachable, P::Unavailable, P::NotFound, P::Unauthorised, P::Untrusted, P::Internal];
        assert!(![P::UnknownVersion, P::UnknownKey].iter().any(|code| Problem::new(*code, "").is_permanent()));
        let certificates = [P::ForeignCity, P::CertificateExpired, P::CertificateRevoked, P::ClockDiffers];
        assert!(certificates.iter().all(|code| !Problem::new(*code, "").is_permanent()));
        assert!(certificates.iter().all(|code| Problem::new(*code, "").is_silence()));
        assert!(permanent.iter().all(|code| Problem::new(*code, "").is_permanent()));
        assert!(!passing.iter().any(|code| Problem::new(*code, "").is_permanent()));
    }
}
