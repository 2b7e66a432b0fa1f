//! What an upload goes through between the journal and the wire: signed by its terminal, and sealed with others to
//! central's public key at the moment of sending. The journal keeps the plain text until the receipt, so that a change
//! of central's key only means that the next attempt is sealed to the new one.

use domain::TerminalId;
use protocol::{HpkePublic, Outgoing, Problem, ProblemCode, Secret32, UploadSigner, envelope};
use std::sync::{PoisonError, RwLock};

/// A terminal's key for its uploads, and central's for all of them.
#[derive(Debug)]
pub struct Sealing {
    city: String,
    signer: UploadSigner,
    central: RwLock<HpkePublic>,
}

impl Sealing {
    /// `city` is the city pack's id, `signing` the seed of the key that the terminal was enrolled with, `central` the
    /// public key that its enrolment names.
    #[must_use]
    pub fn new(city: &str, terminal: TerminalId, signing: &Secret32, central: HpkePublic) -> Self {
        let signer = UploadSigner::new(terminal, signing);
        Self { city: city.to_owned(), signer, central: RwLock::new(central) }
    }

    /// From now on uploads are sealed to another key of central's.
    pub fn change_key(&self, central: HpkePublic) {
        *self.central.write().unwrap_or_else(PoisonError::into_inner) = central;
    }

    /// Signs, for what leaves by another way than an envelope.
    #[must_use]
    pub fn signer(&self) -> &UploadSigner {
        &self.signer
    }

    /// Uploads as they are sent.
    ///
    /// # Errors
    /// `TooLarge` for more than an envelope holds, `Internal` without randomness, `Malformed` when central's key is none.
    pub fn envelope(&self, batch: &[Outgoing]) -> Result<Vec<u8>, Problem> {
        let mut ephemeral = [0; 32];
        getrandom::fill(&mut ephemeral).map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))?;
        let signed: Vec<_> = batch.iter().map(|one| self.signer.signed(one.bytes.clone())).collect();
        let central = *self.central.read().unwrap_or_else(PoisonError::into_inner);
        envelope::seal(&self.city, self.signer.terminal(), &signed, &central, ephemeral).map_err(|error| {
            let code = match error {
                envelope::EnvelopeError::TooLarge => ProblemCode::TooLarge,
                _ => ProblemCode::Internal,
            };
            Problem::new(code, error.to_string())
        })
    }
}
