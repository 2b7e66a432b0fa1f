//! From an envelope to uploads that their terminal vouches for. Three have to say the same: whoever is authenticated on
//! the line, the number on the envelope, and the key that signed each upload within.

use super::{Proof, Sent};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::TerminalId;
use protocol::envelope::{Envelope, EnvelopeError};
use protocol::{Problem, ProblemCode, UploadVerifier};

fn refuse(code: ProblemCode, detail: impl std::fmt::Display) -> CentralError {
    Problem::new(code, detail.to_string()).into()
}

fn refusal(error: EnvelopeError) -> CentralError {
    let code = match error {
        EnvelopeError::Malformed => ProblemCode::Malformed,
        EnvelopeError::UnknownVersion(_) => ProblemCode::UnknownVersion,
        EnvelopeError::UnknownKey(_) => ProblemCode::UnknownKey,
        // What does not open may have been changed on its way: it is sealed anew at the next attempt.
        EnvelopeError::Sealed => ProblemCode::Unauthorised,
        EnvelopeError::TooLarge => ProblemCode::TooLarge,
    };
    refuse(code, error)
}

/// The uploads of an envelope that came from `terminal`, which was enrolled with this public key; each with what became
/// of its signature.
///
/// # Errors
/// A `Problem` for the envelope as a whole: `Malformed`, `TooLarge`, `UnknownVersion`, `UnknownKey`; `Unauthorised` for
/// one that does not open, or is another terminal's.
pub(crate) fn opened(
    keys: &KeyFile,
    terminal: TerminalId,
    signing: &[u8; 32],
    bytes: &[u8],
) -> Result<Vec<Result<Sent, Problem>>, CentralError> {
    let envelope = Envelope::read(bytes).map_err(refusal)?;
    if envelope.terminal != terminal {
        return Err(refuse(ProblemCode::Unauthorised, "the envelope is another terminal's"));
    }
    let uploads = envelope.open(&keys.city, &[keys.export_key()?]).map_err(refusal)?;
    let verifier = UploadVerifier::new(terminal, signing).map_err(|error| refuse(ProblemCode::Unauthorised, error))?;
    let check = |upload: protocol::SignedUpload| match verifier.verify(&upload.bytes, &upload.signature) {
        Ok(()) => {
            let proof = Proof { signature: upload.signature, key: *signing };
            Ok(Sent { terminal, bytes: upload.bytes, proof: Some(proof) })
        }
        Err(error) => Err(Problem::new(ProblemCode::Unauthorised, error.to_string())),
    };
    Ok(uploads.into_iter().map(check).collect())
}
