//! What became of an upload: central has it in its books, keeps it for a person, or has a problem with it now.

use crate::note::{NoteKey, VerifierKey};
use crate::problem::Problem;
use crate::receipt::Receipt;
use crate::upload::UploadError;
use domain::Timestamp;
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

const KEPT_CONTEXT: &[u8] = b"citizen-kiosk kept upload v1\0";
/// The longest text in an answer, in bytes.
const TEXT_BYTES_MAX: usize = 400;

/// Central has the upload durably, and no book can take it: a person of the city looks at it. The terminal puts it aside,
/// sends it with the others no more, and asks again once a day.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// SHA-256 of the upload's bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub upload_sha256: [u8; 32],
    /// The number of its case at central.
    #[n(1)]
    pub case: u64,
    /// When central first kept it, milliseconds since 1970, UTC.
    #[n(2)]
    pub received: i64,
    /// The office's role that looks after it.
    #[n(3)]
    pub owner: String,
    /// Ed25519 of the head key over context and the fields above.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Why, for a technician; not signed, never personal.
    #[n(5)]
    pub reason: String,
    /// The problem's stable name (`ProblemCode::name`); not signed.
    #[n(6)]
    pub problem: String,
}

impl Kept {
    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = KEPT_CONTEXT.to_vec();
        out.extend(self.upload_sha256);
        out.extend(self.case.to_be_bytes());
        out.extend(self.received.to_be_bytes());
        out.extend(self.owner.as_bytes());
        out
    }

    /// The answer for an upload's bytes, signed.
    #[must_use]
    pub fn sign(
        upload: &[u8],
        case: u64,
        received: Timestamp,
        owner: &str,
        problem: &Problem,
        signer: &NoteKey,
    ) -> Self {
        let unsigned = Self {
            upload_sha256: Sha256::digest(upload).into(),
            case,
            received: received.0,
            owner: owner.to_owned(),
            signature: Vec::new(),
            reason: shortened(&problem.detail),
            problem: problem.code.name().to_owned(),
        };
        let signature = signer.sign_bytes(&unsigned.signed_bytes()).to_vec();
        Self { signature, ..unsigned }
    }

    /// Checks that the city signed it and that it is for these bytes.
    ///
    /// # Errors
    /// `UploadError`.
    pub fn verify(&self, upload: &[u8], key: &VerifierKey) -> Result<(), UploadError> {
        if Sha256::digest(upload).as_slice() != self.upload_sha256 {
            return Err(UploadError::OtherUpload);
        }
        let signature = Signature::from_slice(&self.signature).map_err(|_| UploadError::Malformed)?;
        key.key().verify_strict(&self.signed_bytes(), &signature).map_err(|_| UploadError::BadSignature)
    }
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { owner, case, problem, reason, .. } = self;
        write!(f, "{problem}: central keeps it as case {case}, for the {owner}: {reason}")
    }
}

fn shortened(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

/// What became of one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Booked, now or before.
    Taken(Receipt),
    /// Kept for a person.
    Kept(Kept),
    /// Not taken now; sent again later unless it is permanent.
    Refused(Problem),
}

/// A problem within an answer.
#[derive(Encode, Decode)]
#[cbor(map)]
struct WireProblem {
    #[n(0)]
    code: String,
    #[n(1)]
    detail: String,
}

#[derive(Encode, Decode)]
enum WireOutcome {
    #[n(0)]
    Taken(#[n(0)] Receipt),
    #[n(1)]
    Kept(#[n(0)] Kept),
    #[n(2)]
    Refused(#[n(0)] WireProblem),
}

impl From<Outcome> for WireOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Taken(receipt) => Self::Taken(receipt),
            Outcome::Kept(kept) => Self::Kept(kept),
            Outcome::Refused(problem) => {
                let (code, detail) = (problem.code.name().to_owned(), shortened(&problem.detail));
                Self::Refused(WireProblem { code, detail })
            }
        }
    }
}

impl From<WireOutcome> for Outcome {
    fn from(outcome: WireOutcome) -> Self {
        match outcome {
            WireOutcome::Taken(receipt) => Self::Taken(receipt),
            WireOutcome::Kept(kept) => Self::Kept(kept),
            WireOutcome::Refused(problem) => Self::Refused(Problem::named(&problem.code, problem.detail)),
        }
    }
}

/// The answer to an envelope: one outcome for each upload, in its order.
///
/// # Errors
/// `UploadError::Malformed`, which these types do not meet.
pub fn encode_outcomes(outcomes: Vec<Outcome>) -> Result<Vec<u8>, UploadError> {
    let wire: Vec<WireOutcome> = outcomes.into_iter().map(WireOutcome::from).collect();
    minicbor::to_vec(wire).map_err(|_| UploadError::Malformed)
}

/// Reads the answer to an envelope.
///
/// # Errors
/// `UploadError::Malformed`.
pub fn decode_outcomes(bytes: &[u8]) -> Result<Vec<Outcome>, UploadError> {
    let wire: Vec<WireOutcome> = minicbor::decode(bytes).map_err(|_| UploadError::Malformed)?;
    Ok(wire.into_iter().map(Outcome::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemCode;
    use crate::upload::IdempotencyKey;

    fn head() -> NoteKey {
        NoteKey::from_seed("bahia-head", &[1; 32]).unwrap()
    }

    fn conflict(detail: &str) -> Problem {
        Problem::new(ProblemCode::Conflict, detail)
    }

    #[test]
    fn every_outcome_survives_the_wire() {
        let receipt = Receipt::sign(IdempotencyKey([4; 16]), b"one", 7, Timestamp(1), &head());
        let kept = Kept::sign(b"two", 3, Timestamp(2), "finance", &conflict("it contradicts the books"), &head());
        let refused = Problem::new(ProblemCode::Unavailable, "later");
        let outcomes = vec![Outcome::Taken(receipt), Outcome::Kept(kept), Outcome::Refused(refused)];
        let bytes = encode_outcomes(outcomes.clone()).unwrap();
        assert_eq!(decode_outcomes(&bytes), Ok(outcomes));
        assert_eq!(decode_outcomes(b"\xA0"), Err(UploadError::Malformed));
    }

    #[test]
    fn that_an_upload_is_kept_is_the_citys_word_for_these_bytes() {
        let kept = Kept::sign(b"two", 3, Timestamp(2), "finance", &conflict(&"ñ".repeat(500)), &head());
        assert!(kept.reason.len() <= TEXT_BYTES_MAX);
        assert_eq!(kept.verify(b"two", &head().verifier()), Ok(()));
        assert_eq!(kept.verify(b"one", &head().verifier()), Err(UploadError::OtherUpload));
        let moved = Kept { owner: "registry".into(), ..kept.clone() };
        assert_eq!(moved.verify(b"two", &head().verifier()), Err(UploadError::BadSignature));
        let other = NoteKey::from_seed("bahia-head", &[2; 32]).unwrap();
        assert_eq!(kept.verify(b"two", &other.verifier()), Err(UploadError::BadSignature));
    }

    #[test]
    fn a_problem_of_a_newer_central_is_one_that_may_pass() {
        let wire = vec![WireOutcome::Refused(WireProblem { code: "quite-new".into(), detail: "x".into() })];
        let bytes = minicbor::to_vec(wire).unwrap();
        let expected = Problem::new(ProblemCode::Internal, "x");
        assert_eq!(decode_outcomes(&bytes), Ok(vec![Outcome::Refused(expected)]));
    }
}
