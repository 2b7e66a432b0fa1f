//! The outbox as a technician carries it to central on a stick, when the network is gone for good: the waiting uploads,
//! sealed so that a finder of the stick reads nothing and only this terminal can have written it.
//!
//! The file is a header and frames. Header: magic `CKEXPORT`, version, terminal, epoch, moment of writing, 32 random
//! bytes. The key is `HKDF-SHA256(salt = epoch key, ikm = SHA-256 of the access token, info = "v1 export" || header)`:
//! terminal and central both have what it takes, central without ever having kept the token. Each frame is a length
//! and one upload under XChaCha20-Poly1305; the nonce is the frame's number and whether it is the last (the STREAM
//! construction), which is safe since the header's random bytes make each file's key its own. The last frame holds
//! the number of uploads: a file that was cut off is told from a whole one, and what it holds is still good.

use crate::secret::{EpochKey, Secret32};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::{TerminalId, Timestamp};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"CKEXPORT";
/// The version this program writes.
pub const EXPORT_VERSION: u8 = 1;
const SALT: usize = 32;
const HEADER: usize = MAGIC.len() + 1 + 4 + 4 + 8 + SALT;
/// The largest frame that is read, in bytes: one upload and its tag.
const FRAME_BYTES_MAX: usize = crate::upload::UPLOAD_BYTES_MAX + 16;

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

/// What stands in front, readable by anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportHeader {
    /// Whose outbox.
    pub terminal: TerminalId,
    /// Under which epoch key it is sealed.
    pub epoch: u32,
    /// When it was written, by the terminal's clock.
    pub made: Timestamp,
    salt: [u8; SALT],
}

impl ExportHeader {
    /// The header of a new export; `salt` is fresh randomness.
    #[must_use]
    pub fn new(terminal: TerminalId, epoch: u32, made: Timestamp, salt: [u8; SALT]) -> Self {
        Self { terminal, epoch, made, salt }
    }

    /// As the file begins.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend(MAGIC);
        bytes.push(EXPORT_VERSION);
        bytes.extend(self.terminal.0.to_be_bytes());
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.made.0.to_be_bytes());
        bytes.extend(self.salt);
        bytes
    }

    /// Reads the header and gives the frames behind it.
    ///
    /// # Errors
    /// `Malformed` or `UnknownVersion`.
    pub fn decode(file: &[u8]) -> Result<(Self, &[u8]), ExportError> {
        let rest = file.strip_prefix(MAGIC).ok_or(ExportError::Malformed)?;
        let (&[version], rest) = part::<1>(rest)?;
        if version != EXPORT_VERSION {
            return Err(ExportError::UnknownVersion(version));
        }
        let (terminal, rest) = part::<4>(rest)?;
        let (epoch, rest) = part::<4>(rest)?;
        let (made, rest) = part::<8>(rest)?;
        let (salt, rest) = part::<SALT>(rest)?;
        let header = Self {
            terminal: TerminalId(u32::from_be_bytes(*terminal)),
            epoch: u32::from_be_bytes(*epoch),
            made: Timestamp(i64::from_be_bytes(*made)),
            salt: *salt,
        };
        Ok((header, rest))
    }

    fn cipher(&self, epoch: &EpochKey, token_sha256: &[u8; 32]) -> Result<XChaCha20Poly1305, ExportError> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(epoch.key.expose()), token_sha256)
            .expand_multi_info(&[b"v1 export", &self.encode()], key.as_mut())
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
    /// A sealer for the frames behind this header.
    ///
    /// # Errors
    /// `ExportError::Sealed` when no key can be derived, which these lengths do not meet.
    pub fn new(header: &ExportHeader, epoch: &EpochKey, token_sha256: &[u8; 32]) -> Result<Self, ExportError> {
        Ok(Self { cipher: header.cipher(epoch, token_sha256)?, written: 0 })
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
    /// A reader of the frames behind this header.
    ///
    /// # Errors
    /// `ExportError::Sealed` when no key can be derived, which these lengths do not meet.
    pub fn new(
        header: &ExportHeader,
        frames: &'a [u8],
        epoch: &EpochKey,
        token_sha256: &[u8; 32],
    ) -> Result<Self, ExportError> {
        Ok(Self { cipher: header.cipher(epoch, token_sha256)?, rest: frames, read: 0, ended: false })
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
mod tests {
    use super::*;

    const TOKEN: [u8; 32] = [0xA1; 32];

    fn epoch(byte: u8) -> EpochKey {
        EpochKey { epoch: 3, key: Secret32::new([byte; 32]) }
    }

    fn header(salt: u8) -> ExportHeader {
        ExportHeader::new(TerminalId(7), 3, Timestamp(1_795_000_000_000), [salt; SALT])
    }

    fn export(uploads: &[&[u8]]) -> Vec<u8> {
        let header = header(9);
        let mut sealer = ExportSealer::new(&header, &epoch(1), &TOKEN).unwrap();
        let mut file = header.encode();
        for upload in uploads {
            file.extend(sealer.seal(upload).unwrap());
        }
        file.extend(sealer.finish().unwrap());
        file
    }

    type Uploads = Vec<Vec<u8>>;

    /// All uploads, or those before the first mistake and the mistake.
    fn open(file: &[u8], key: u8, token: &[u8; 32]) -> Result<Uploads, (Uploads, ExportError)> {
        let (header, frames) = ExportHeader::decode(file).map_err(|error| (Vec::new(), error))?;
        let mut uploads = Vec::new();
        for upload in ExportReader::new(&header, frames, &epoch(key), token).unwrap() {
            match upload {
                Ok(upload) => uploads.push(upload),
                Err(error) => return Err((uploads, error)),
            }
        }
        Ok(uploads)
    }

    #[test]
    fn an_export_opens_for_central_and_shows_nothing_to_a_finder() {
        let (one, two): (&[u8], &[u8]) = (b"an upload with a street in it", b"another");
        let file = export(&[one, two]);
        assert_eq!(open(&file, 1, &TOKEN).unwrap(), [one.to_vec(), two.to_vec()]);
        assert!(!file.windows(6).any(|window| window == b"street"));
        let (read, _) = ExportHeader::decode(&file).unwrap();
        assert_eq!((read.terminal, read.epoch, read.made), (TerminalId(7), 3, Timestamp(1_795_000_000_000)));
        assert_eq!(open(&export(&[]), 1, &TOKEN).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn another_token_or_epoch_opens_nothing() {
        let file = export(&[b"one"]);
        assert_eq!(open(&file, 1, &[0xA2; 32]), Err((vec![], ExportError::Sealed)));
        assert_eq!(open(&file, 2, &TOKEN), Err((vec![], ExportError::Sealed)));
    }

    #[test]
    fn a_changed_byte_is_refused_wherever_it_is() {
        let file = export(&[b"one", b"two"]);
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(open(&bad, 1, &TOKEN).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_says_so_and_gives_what_it_has() {
        let file = export(&[b"one", b"two"]);
        let first = HEADER + 4 + 3 + 16;
        for end in HEADER..file.len() {
            let (uploads, error) = open(&file[..end], 1, &TOKEN).unwrap_err();
            assert_eq!(error, ExportError::CutOff, "cut at {end}");
            assert_eq!(uploads.first().map(Vec::as_slice), (end >= first).then_some(&b"one"[..]), "cut at {end}");
        }
        for end in 0..HEADER {
            assert_eq!(open(&file[..end], 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
        }
    }

    #[test]
    fn frames_cannot_be_left_out_swapped_or_appended() {
        let file = export(&[b"one", b"two"]);
        let (head, rest) = file.split_at(HEADER);
        let (first, rest) = rest.split_at(4 + 3 + 16);
        let (second, last) = rest.split_at(4 + 3 + 16);
        for parts in [[head, second, first, last], [head, second, last, &[]], [head, first, last, &[]]] {
            assert_eq!(open(&parts.concat(), 1, &TOKEN).unwrap_err().1, ExportError::Sealed);
        }
        let longer = [&file, &b"x"[..]].concat();
        assert_eq!(open(&longer, 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
    }

    #[test]
    fn a_newer_version_is_named_and_other_files_are_refused() {
        let mut file = export(&[]);
        file[MAGIC.len()] = 2;
        assert_eq!(open(&file, 1, &TOKEN).unwrap_err().1, ExportError::UnknownVersion(2));
        assert_eq!(open(b"%PDF-1.7", 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
    }
}
