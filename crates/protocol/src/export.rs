//! The outbox as a technician carries it to central on a stick, when the network is gone for good: the waiting uploads,
//! sealed so that a finder of the stick reads nothing and only this terminal can have written it.
//!
//! The file is a header and frames. Header of form 2: magic `CKEXPORT`, version, terminal, moment of writing, and what
//! lets central find the file's secret (HPKE to central's public key, exporter interface: RFC 9180, section 5.3). Form
//! 3, of a terminal that has keys of its own, is form 2 with the terminal's signature before each upload
//! (`signed_upload`). The
//! key is `HKDF-SHA256(salt = secret, ikm = SHA-256 of the access token, info = "v2 export" || header)`: whoever finds
//! the stick lacks the secret, and whoever knows central's public key lacks the token, of which central keeps the hash.
//! Form 1, of a terminal whose enrolment has no public key of central's, takes the epoch key for the secret, and its
//! header has the epoch and 32 random bytes. Each frame is a length
//! and one upload under XChaCha20-Poly1305; the nonce is the frame's number and whether it is the last (the STREAM
//! construction), which is safe since the header makes each file's key its own. The last frame holds
//! the number of uploads: a file that was cut off is told from a whole one, and what it holds is still good.

use crate::hpke::{ENCAPSULATED_BYTES, HpkePublic, HpkeSecret, receive_secret, send_secret};
use crate::secret::Secret32;
use crate::signed_upload::{SIGNATURE_BYTES, SignedUpload};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::{TerminalId, Timestamp};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"CKEXPORT";
const SALT: usize = 32;
/// What the secret of form 2 is for.
const INFO: &[u8] = b"citizen-kiosk export";
/// The largest frame that is read, in bytes: one upload, its signature and its tag.
const FRAME_BYTES_MAX: usize = crate::upload::UPLOAD_BYTES_MAX + SIGNATURE_BYTES + 16;

/// An export is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Not an export.
    #[error("not an exported outbox")]
    Malformed,
    /// Of a newer program.
    #[error("an export of version {0} is not known")]
    UnknownVersion(u8),
    /// It does not open: of another terminal, of an earlier enrolment, or changed.
    #[error("the export does not open: another terminal's, of an earlier enrolment, or changed")]
    Sealed,
    /// The end is missing: the stick was pulled or was full.
    #[error("the export was cut off: its end is missing")]
    CutOff,
}

/// To what an export is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// Form 1: to the fleet's key of an epoch.
    Epoch {
        /// Which.
        epoch: u32,
        /// What makes the file's key its own.
        salt: [u8; SALT],
    },
    /// Form 2: to central's public key.
    Central {
        /// What lets central find the file's secret.
        encapsulated: [u8; ENCAPSULATED_BYTES],
    },
    /// Form 3: to central's public key, every upload signed.
    Signed {
        /// What lets central find the file's secret.
        encapsulated: [u8; ENCAPSULATED_BYTES],
    },
}

/// What stands in front, readable by anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportHeader {
    /// Whose outbox.
    pub terminal: TerminalId,
    /// When it was written, by the terminal's clock.
    pub made: Timestamp,
    /// To what it is sealed.
    pub form: ExportForm,
}

impl ExportHeader {
    /// The header of a new export to an epoch's key, which is its secret; `salt` is fresh randomness.
    #[must_use]
    pub fn to_epoch(terminal: TerminalId, made: Timestamp, epoch: u32, salt: [u8; SALT]) -> Self {
        Self { terminal, made, form: ExportForm::Epoch { epoch, salt } }
    }

    /// The header of a new export to central's public key, and its secret; `ephemeral` is fresh randomness.
    ///
    /// # Errors
    /// `ExportError::Sealed` when that is no key.
    pub fn to_central(
        terminal: TerminalId,
        made: Timestamp,
        central: &HpkePublic,
        ephemeral: [u8; 32],
    ) -> Result<(Self, Secret32), ExportError> {
        let (encapsulated, secret) = send_secret(central, INFO, ephemeral).map_err(|_| ExportError::Sealed)?;
        let header = Self { terminal, made, form: ExportForm::Central { encapsulated } };
        Ok((header, Secret32::new(*secret)))
    }

    /// The same header over uploads that are signed: form 3 for form 2.
    #[must_use]
    pub fn signed(self) -> Self {
        let form = match self.form {
            ExportForm::Central { encapsulated } => ExportForm::Signed { encapsulated },
            other => other,
        };
        Self { form, ..self }
    }

    /// The secret of an export of form 2 or 3, as central finds it.
    ///
    /// # Errors
    /// `ExportError::Sealed` when the header holds none.
    pub fn secret_of_central(&self, with: &HpkeSecret) -> Result<Secret32, ExportError> {
        let (ExportForm::Central { encapsulated } | ExportForm::Signed { encapsulated }) = &self.form else {
            return Err(ExportError::Sealed);
        };
        let secret = receive_secret(with, INFO, encapsulated).map_err(|_| ExportError::Sealed)?;
        Ok(Secret32::new(*secret))
    }

    /// As the file begins.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.version());
        bytes.extend(self.terminal.0.to_be_bytes());
        match &self.form {
            ExportForm::Epoch { epoch, salt } => {
                bytes.extend(epoch.to_be_bytes());
                bytes.extend(self.made.0.to_be_bytes());
                bytes.extend(salt);
            }
            ExportForm::Central { encapsulated } | ExportForm::Signed { encapsulated } => {
                bytes.extend(self.made.0.to_be_bytes());
                bytes.extend(encapsulated);
            }
        }
        bytes
    }

    fn version(&self) -> u8 {
        match self.form {
            ExportForm::Epoch { .. } => 1,
            ExportForm::Central { .. } => 2,
            ExportForm::Signed { .. } => 3,
        }
    }

    /// Reads the header and gives the frames behind it.
    ///
    /// # Errors
    /// `Malformed` or `UnknownVersion`.
    pub fn decode(file: &[u8]) -> Result<(Self, &[u8]), ExportError> {
        let rest = file.strip_prefix(MAGIC).ok_or(ExportError::Malformed)?;
        let (&[version], rest) = part::<1>(rest)?;
        let (terminal, rest) = part::<4>(rest)?;
        let terminal = TerminalId(u32::from_be_bytes(*terminal));
        match version {
            1 => {
                let (epoch, rest) = part::<4>(rest)?;
                let (made, rest) = part::<8>(rest)?;
                let (salt, rest) = part::<SALT>(rest)?;
                let made = Timestamp(i64::from_be_bytes(*made));
                Ok((Self::to_epoch(terminal, made, u32::from_be_bytes(*epoch), *salt), rest))
            }
            2 | 3 => {
                let (made, rest) = part::<8>(rest)?;
                let (encapsulated, rest) = part::<ENCAPSULATED_BYTES>(rest)?;
                let made = Timestamp(i64::from_be_bytes(*made));
                let header = Self { terminal, made, form: ExportForm::Central { encapsulated: *encapsulated } };
                Ok((if version == 3 { header.signed() } else { header }, rest))
            }
            other => Err(ExportError::UnknownVersion(other)),
        }
    }

    fn cipher(&self, secret: &Secret32, token_sha256: &[u8; 32]) -> Result<XChaCha20Poly1305, ExportError> {
        let label: &[u8] = match self.form {
            ExportForm::Epoch { .. } => b"v1 export",
            ExportForm::Central { .. } => b"v2 export",
            ExportForm::Signed { .. } => b"v3 export",
        };
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(secret.expose()), token_sha256)
            .expand_multi_info(&[label, &self.encode()], key.as_mut())
            .map_err(|_| ExportError::Sealed)?;
        Ok(XChaCha20Poly1305::new(&(*key).into()))
    }
}

fn part<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), ExportError> {
    bytes.split_first_chunk::<N>().ok_or(ExportError::Malformed)
}

/// What stands for an access token where the token itself is not kept.
#[must_use]
pub fn token_sha256(token: &Secret32) -> [u8; 32] {
    Sha256::digest(token.expose()).into()
}

fn nonce(number: u64, last: bool) -> XNonce {
    let mut nonce = [0; 24];
    nonce[15] = u8::from(last);
    nonce[16..].copy_from_slice(&number.to_be_bytes());
    XNonce::from(nonce)
}

/// Writes an export, frame by frame.
pub struct ExportSealer {
    cipher: XChaCha20Poly1305,
    written: u64,
}

impl ExportSealer {
    /// A sealer for the frames behind this header, whose secret is the epoch's key or came with the header.
    ///
    /// # Errors
    /// `ExportError::Sealed` when no key can be derived, which these lengths do not meet.
    pub fn new(header: &ExportHeader, secret: &Secret32, token_sha256: &[u8; 32]) -> Result<Self, ExportError> {
        Ok(Self { cipher: header.cipher(secret, token_sha256)?, written: 0 })
    }

    /// The frame of one upload (`Upload::encode`).
    ///
    /// # Errors
    /// `ExportError::Malformed` for an upload longer than central reads.
    pub fn seal(&mut self, upload: &[u8]) -> Result<Vec<u8>, ExportError> {
        let frame = self.frame(upload, false)?;
        self.written += 1;
        Ok(frame)
    }

    /// The frame of one signed upload, in an export of form 3.
    ///
    /// # Errors
    /// As `seal`.
    pub fn seal_signed(&mut self, upload: &SignedUpload) -> Result<Vec<u8>, ExportError> {
        self.seal(&Zeroizing::new([&upload.signature[..], &upload.bytes].concat()))
    }

    /// The last frame, without which the file counts as cut off.
    ///
    /// # Errors
    /// As `seal`.
    pub fn finish(self) -> Result<Vec<u8>, ExportError> {
        self.frame(&self.written.to_be_bytes(), true)
    }

    fn frame(&self, plain: &[u8], last: bool) -> Result<Vec<u8>, ExportError> {
        let sealed = self.cipher.encrypt(&nonce(self.written, last), plain).map_err(|_| ExportError::Malformed)?;
        if sealed.len() > FRAME_BYTES_MAX {
            return Err(ExportError::Malformed);
        }
        let length = u32::try_from(sealed.len()).map_err(|_| ExportError::Malformed)?;
        Ok([&length.to_be_bytes()[..], &sealed].concat())
    }
}

/// Reads the uploads of an export, in the order they were written. The first error ends it; what came before is
/// authentic all the same.
pub struct ExportReader<'a> {
    cipher: XChaCha20Poly1305,
    rest: &'a [u8],
    read: u64,
    ended: bool,
}

impl<'a> ExportReader<'a> {
    /// A reader of the frames behind this header, whose secret is the epoch's key or `secret_of_central`.
    ///
    /// # Errors
    /// `ExportError::Sealed` when no key can be derived, which these lengths do not meet.
    pub fn new(
        header: &ExportHeader,
        frames: &'a [u8],
        secret: &Secret32,
        token_sha256: &[u8; 32],
    ) -> Result<Self, ExportError> {
        Ok(Self { cipher: header.cipher(secret, token_sha256)?, rest: frames, read: 0, ended: false })
    }

    fn frame(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(ExportError::CutOff)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| ExportError::Malformed)?;
        if length > FRAME_BYTES_MAX {
            return Err(ExportError::Malformed);
        }
        let (sealed, rest) = rest.split_at_checked(length).ok_or(ExportError::CutOff)?;
        self.rest = rest;
        if let Ok(upload) = self.cipher.decrypt(&nonce(self.read, false), sealed) {
            self.read += 1;
            return Ok(Some(upload));
        }
        let count = self.cipher.decrypt(&nonce(self.read, true), sealed).map_err(|_| ExportError::Sealed)?;
        let whole = count == self.read.to_be_bytes() && self.rest.is_empty();
        if whole { Ok(None) } else { Err(ExportError::Malformed) }
    }
}

/// The upload in a frame of form 3.
///
/// # Errors
/// `ExportError::Malformed` for less than a signature.
pub fn read_signed(frame: &[u8]) -> Result<SignedUpload, ExportError> {
    let (signature, bytes) = part::<SIGNATURE_BYTES>(frame)?;
    Ok(SignedUpload { signature: *signature, bytes: bytes.to_vec() })
}

impl Iterator for ExportReader<'_> {
    type Item = Result<Vec<u8>, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let frame = self.frame().transpose();
        self.ended = !matches!(frame, Some(Ok(_)));
        frame
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
