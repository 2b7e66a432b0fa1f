//! An outbox that came on a stick: opened with central's own key (or the epoch's, as older enrolments seal it) and what
//! stands for the terminal's token, and every upload taken by the
//! same code as one that came by HTTP, so that a repeat, by stick or by network, changes nothing.

use crate::Database;
use crate::ca_store;
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::numbers::{self, Numbered};
use crate::uploads::{self, Proof, Sent, refuse};
use domain::{TerminalId, Timestamp};
use protocol::{ExportError, ExportForm, ExportHeader, ExportReader, ProblemCode, Secret32, UploadVerifier};

/// What became of an exported outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whose.
    pub terminal: TerminalId,
    /// When the terminal wrote it.
    pub made: Timestamp,
    /// Uploads that central did not have yet.
    pub taken: u32,
    /// Uploads that it had.
    pub known: u32,
    /// Uploads that it refused, each noticed as one that came by network would be.
    pub refused: u32,
    /// Why it could not be read to its end; what came before was taken.
    pub cut: Option<ExportError>,
}

/// Takes the uploads of an exported outbox.
///
/// # Errors
/// A `Problem` when nothing of it can be opened: `Malformed` for another file, `Unauthorised` for a terminal that is
/// not enrolled, or was enrolled anew since. All else is central's own, and the import can be repeated.
pub fn import(database: &mut Database, keys: &KeyFile, file: &[u8], now: Timestamp) -> Result<Imported, CentralError> {
    let (header, frames) =
        ExportHeader::decode(file).map_err(|error| refuse(ProblemCode::Malformed, error.to_string()))?;
    let token = token_sha256(database, header.terminal)?;
    let secret = secret_of(keys, &header)?;
    let verifier = verifier_of(database, &header)?;
    let mut imported = Imported::none(header.terminal, header.made);
    for frame in ExportReader::new(&header, frames, &secret, &token).map_err(sealed)? {
        match frame {
            Ok(frame) => match sent(&header, verifier.as_ref(), frame) {
                Some(sent) => take(database, keys, &mut imported, sent, now)?,
                None => imported.refused += 1,
            },
            Err(error) if error == ExportError::Sealed && imported.count() == 0 => return Err(sealed(error)),
            Err(error) => imported.cut = Some(error),
        }
    }
    Ok(imported)
}

/// By what the uploads of a file are verified. A terminal that has keys of its own signs what it writes on a stick, too;
/// one with a token has nothing to sign with.
fn verifier_of(database: &Database, header: &ExportHeader) -> Result<Option<Verifier>, CentralError> {
    let unsigned = "this terminal signs its uploads, and these are not: export them anew with its present program";
    match (ca_store::keys_of(database.read(), header.terminal)?, header.form) {
        (Some((key, _)), ExportForm::Signed { .. }) => {
            let verifier = UploadVerifier::new(header.terminal, &key);
            Ok(Some((verifier.map_err(|error| refuse(ProblemCode::Unauthorised, error.to_string()))?, key)))
        }
        (None, ExportForm::Epoch { .. } | ExportForm::Central { .. }) => Ok(None),
        (Some(_), _) => Err(refuse(ProblemCode::Unauthorised, unsigned)),
        (None, _) => Err(refuse(ProblemCode::Unauthorised, "the terminal has no key for its uploads any more")),
    }
}

type Verifier = (UploadVerifier, [u8; 32]);

/// The upload of a frame; `None` when its terminal did not sign it.
fn sent(header: &ExportHeader, verifier: Option<&Verifier>, frame: Vec<u8>) -> Option<Sent> {
    let Some((verifier, key)) = verifier else { return Some(Sent::unsigned(header.terminal, frame)) };
    let signed = protocol::export::read_signed(&frame).ok()?;
    if verifier.verify(&signed.bytes, &signed.signature).is_err() {
        tracing::warn!(terminal = header.terminal.0, "an upload on a stick is not signed by its terminal");
        return None;
    }
    let proof = Proof { signature: signed.signature, key: *key };
    Some(Sent { terminal: header.terminal, bytes: signed.bytes, proof: Some(proof) })
}

fn sealed(error: ExportError) -> CentralError {
    refuse(ProblemCode::Unauthorised, error.to_string())
}

/// The secret of a file: the epoch's key, or what was sealed to central's own key.
fn secret_of(keys: &KeyFile, header: &ExportHeader) -> Result<Secret32, CentralError> {
    match header.form {
        ExportForm::Epoch { epoch, .. } => {
            let known = keys.epochs.iter().find(|known| known.epoch == epoch);
            let gone = || refuse(ProblemCode::Unauthorised, format!("the key of epoch {epoch} is no longer here"));
            Ok(known.ok_or_else(gone)?.key.clone())
        }
        ExportForm::Central { .. } | ExportForm::Signed { .. } => {
            header.secret_of_central(&keys.export_key()?).map_err(sealed)
        }
    }
}

impl Imported {
    /// None of the uploads of this terminal yet.
    pub(crate) fn none(terminal: TerminalId, made: Timestamp) -> Self {
        Self { terminal, made, taken: 0, known: 0, refused: 0, cut: None }
    }

    fn count(&self) -> u32 {
        self.taken + self.known + self.refused
    }
}

/// Takes one upload, and counts what became of it.
pub(crate) fn take(
    database: &mut Database,
    keys: &KeyFile,
    imported: &mut Imported,
    sent: Sent,
    now: Timestamp,
) -> Result<(), CentralError> {
    let before = numbers::highest(database.read(), Numbered::Upload)?;
    match uploads::take_sent(database, keys, sent, now) {
        // A status is no fact: it has no number, and is counted as one that is known.
        Ok(receipt) if receipt.number > before => imported.taken += 1,
        Ok(_) => imported.known += 1,
        Err(CentralError::Problem(problem) | CentralError::Kept(_, problem)) => {
            tracing::warn!(terminal = imported.terminal.0, %problem, "an upload from a stick was refused");
            imported.refused += 1;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn token_sha256(database: &Database, terminal: TerminalId) -> Result<[u8; 32], CentralError> {
    let found =
        database
            .read()
            .query_opt("SELECT token_sha256 FROM terminal WHERE id = ?1", params![terminal.0], |row| row.get(0))?;
    found.ok_or_else(|| refuse(ProblemCode::Unauthorised, format!("terminal {} is not enrolled", terminal.0)))
}
