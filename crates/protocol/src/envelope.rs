//! A batch of signed uploads, sealed once to central's public key (HPKE, RFC 9180), so that its price is paid once for
//! all of them. On the wire:
//!
//! ```text
//! envelope  "CKUP" | version (1 byte) | key id (8 bytes) | terminal (4 bytes, big end first) | HPKE
//! within    { length (4 bytes, big end first) | signature (64 bytes) | upload } once or more, to the last byte
//! ```
//!
//! The key id is the beginning of SHA-256 of the public key. Everything before the sealed part is its associated data,
//! and the city stands in the HPKE `info`: an envelope opens for one city, one key, one terminal and one version, or
//! not at all. Whoever sealed it HPKE does not say; the signatures within do.

use crate::hpke::{self, ENCAPSULATED_BYTES, HpkePublic, HpkeSecret, TAG_BYTES};
use crate::signed_upload::{SIGNATURE_BYTES, SignedUpload};
use crate::upload::UPLOAD_BYTES_MAX;
use domain::TerminalId;
use sha2::{Digest, Sha256};
use std::fmt;

/// The media type of an envelope.
pub const ENVELOPE: &str = "application/vnd.citizen-kiosk.uploads";
/// The most uploads of one envelope.
pub const ENVELOPE_UPLOADS_MAX: usize = 256;
/// The largest envelope that central reads, in bytes: the largest upload fits, with what is around it.
pub const ENVELOPE_BYTES_MAX: usize = UPLOAD_BYTES_MAX + 1024;

const MAGIC: &[u8; 4] = b"CKUP";
const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const HEADER_BYTES: usize = MAGIC.len() + 1 + KEY_ID_BYTES + 4;
const INFO: &[u8] = b"citizen-kiosk uploads v1\0";
/// What an upload costs beside its bytes.
const FRAME_BYTES: usize = 4 + SIGNATURE_BYTES;

/// Why an envelope is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an envelope, cut off, or empty.
    #[error("not an envelope of uploads")]
    Malformed,
    /// Of a newer program.
    #[error("an envelope of version {0} is not known")]
    UnknownVersion(u8),
    /// Sealed to a key that is not here.
    #[error("the envelope is sealed to the key {0}, which is not here")]
    UnknownKey(KeyId),
    /// Changed on its way, of another city, or with another terminal's number on it.
    #[error("the envelope does not open: changed, or another city's")]
    Sealed,
    /// More than an envelope holds.
    #[error("the envelope is larger than central reads")]
    TooLarge,
}

/// Which key of central's an envelope is sealed to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; KEY_ID_BYTES]);

impl KeyId {
    /// The name of a public key.
    #[must_use]
    pub fn of(key: &HpkePublic) -> Self {
        let hash: [u8; 32] = Sha256::digest(key.bytes()).into();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&hash[..KEY_ID_BYTES]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// An envelope as it came, not opened yet. What stands outside is anybody's word until it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// To which key.
    pub key: KeyId,
    /// Who says to have sealed it.
    pub terminal: TerminalId,
    header: &'a [u8],
    sealed: &'a [u8],
}

/// How many bytes an upload of this length takes in an envelope.
#[must_use]
pub fn framed_bytes(upload: usize) -> usize {
    upload.saturating_add(FRAME_BYTES)
}

/// How many bytes of framed uploads an envelope holds.
pub const FRAMED_BYTES_MAX: usize = ENVELOPE_BYTES_MAX - HEADER_BYTES - ENCAPSULATED_BYTES - TAG_BYTES;

fn info(city: &str) -> Vec<u8> {
    [INFO, city.as_bytes()].concat()
}

fn header(key: KeyId, terminal: TerminalId) -> Vec<u8> {
    [&MAGIC[..], &[VERSION], &key.0, &terminal.0.to_be_bytes()].concat()
}

/// Seals signed uploads of one terminal for central. `ephemeral` is fresh randomness.
///
/// # Errors
/// `TooLarge` for more than an envelope holds, `Malformed` for none, `Sealed` when central's key is none.
pub fn seal(
    city: &str,
    terminal: TerminalId,
    uploads: &[SignedUpload],
    central: &HpkePublic,
    ephemeral: [u8; 32],
) -> Result<Vec<u8>, EnvelopeError> {
    let length: usize = uploads.iter().map(|upload| framed_bytes(upload.bytes.len())).sum();
    if uploads.len() > ENVELOPE_UPLOADS_MAX || length > FRAMED_BYTES_MAX {
        return Err(EnvelopeError::TooLarge);
    }
    if uploads.is_empty() {
        return Err(EnvelopeError::Malformed);
    }
    let mut plain = Vec::with_capacity(length);
    for upload in uploads {
        let length = u32::try_from(upload.bytes.len()).map_err(|_| EnvelopeError::TooLarge)?;
        plain.extend(length.to_be_bytes());
        plain.extend(upload.signature);
        plain.extend(&upload.bytes);
    }
    let header = header(KeyId::of(central), terminal);
    let sealed = hpke::seal(central, &info(city), &header, &plain, ephemeral).map_err(|_| EnvelopeError::Sealed)?;
    Ok([header, sealed].concat())
}

impl<'a> Envelope<'a> {
    /// Reads what stands outside.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `UnknownVersion`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLarge);
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(EnvelopeError::Malformed)?;
        match rest.first() {
            Some(&VERSION) => {}
            Some(other) => return Err(EnvelopeError::UnknownVersion(*other)),
            None => return Err(EnvelopeError::Malformed),
        }
        let (header, sealed) = bytes.split_at_checked(HEADER_BYTES).ok_or(EnvelopeError::Malformed)?;
        let (_, rest) = rest.split_first().ok_or(EnvelopeError::Malformed)?;
        let (key, rest) = rest.split_first_chunk::<KEY_ID_BYTES>().ok_or(EnvelopeError::Malformed)?;
        let (terminal, _) = rest.split_first_chunk::<4>().ok_or(EnvelopeError::Malformed)?;
        if sealed.len() <= ENCAPSULATED_BYTES + TAG_BYTES {
            return Err(EnvelopeError::Malformed);
        }
        Ok(Self { key: KeyId(*key), terminal: TerminalId(u32::from_be_bytes(*terminal)), header, sealed })
    }

    /// Opens it with the one of central's keys that it names. The signatures within are not verified yet.
    ///
    /// # Errors
    /// `UnknownKey`, `Sealed`; `Malformed` or `TooLarge` for what a terminal of ours would not have sealed.
    pub fn open(&self, city: &str, keys: &[HpkeSecret]) -> Result<Vec<SignedUpload>, EnvelopeError> {
        let is_meant = |key: &&HpkeSecret| key.public().is_ok_and(|public| KeyId::of(&public) == self.key);
        let key = keys.iter().find(is_meant).ok_or(EnvelopeError::UnknownKey(self.key))?;
        let plain = hpke::open(key, &info(city), self.header, self.sealed).map_err(|_| EnvelopeError::Sealed)?;
        uploads(&plain)
    }
}

/// Reads what lies within an envelope.
///
/// # Errors
/// `Malformed`, `TooLarge`.
pub fn uploads(mut plain: &[u8]) -> Result<Vec<SignedUpload>, EnvelopeError> {
    let mut uploads = Vec::new();
    while !plain.is_empty() {
        let (length, rest) = plain.split_first_chunk::<4>().ok_or(EnvelopeError::Malformed)?;
        let (signature, rest) = rest.split_first_chunk::<SIGNATURE_BYTES>().ok_or(EnvelopeError::Malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| EnvelopeError::TooLarge)?;
        if length > UPLOAD_BYTES_MAX || uploads.len() >= ENVELOPE_UPLOADS_MAX {
            return Err(EnvelopeError::TooLarge);
        }
        let (bytes, rest) = rest.split_at_checked(length).ok_or(EnvelopeError::Malformed)?;
        uploads.push(SignedUpload { bytes: bytes.to_vec(), signature: *signature });
        plain = rest;
    }
    if uploads.is_empty() { Err(EnvelopeError::Malformed) } else { Ok(uploads) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret32;
    use crate::signed_upload::UploadSigner;

    const SEVEN: TerminalId = TerminalId(7);

    fn key() -> HpkeSecret {
        HpkeSecret::new([9; 32])
    }

    fn signed(count: u8) -> Vec<SignedUpload> {
        let signer = UploadSigner::new(SEVEN, &Secret32::new([1; 32]));
        (0..count).map(|byte| signer.signed(vec![byte; 5])).collect()
    }

    fn sealed(uploads: &[SignedUpload]) -> Result<Vec<u8>, EnvelopeError> {
        seal("bahia", SEVEN, uploads, &key().public().unwrap(), [3; 32])
    }

    fn opened(bytes: &[u8]) -> Result<Vec<SignedUpload>, EnvelopeError> {
        Envelope::read(bytes)?.open("bahia", &[HpkeSecret::new([8; 32]), key()])
    }

    #[test]
    fn what_was_sealed_comes_out_in_its_order() {
        let bytes = sealed(&signed(3)).unwrap();
        assert_eq!(Envelope::read(&bytes).unwrap().terminal, SEVEN);
        assert_eq!(opened(&bytes), Ok(signed(3)));
        assert!(!bytes.windows(5).any(|window| window == [2; 5]), "nothing of it is readable");
    }

    #[test]
    fn half_an_envelope_and_any_changed_byte_are_refused() {
        let bytes = sealed(&signed(2)).unwrap();
        for length in 0..bytes.len() {
            assert!(opened(&bytes[..length]).is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(opened(&bad).is_err(), "{at}");
        }
        assert_eq!(opened(&[&bytes[..], &[0]].concat()), Err(EnvelopeError::Sealed));
    }

    #[test]
    fn it_opens_for_its_city_key_terminal_and_version_only() {
        let bytes = sealed(&signed(1)).unwrap();
        let envelope = Envelope::read(&bytes).unwrap();
        assert_eq!(envelope.open("otra", &[key()]), Err(EnvelopeError::Sealed));
        let id = KeyId::of(&key().public().unwrap());
        assert_eq!(envelope.open("bahia", &[HpkeSecret::new([8; 32])]), Err(EnvelopeError::UnknownKey(id)));
        let changed = |at: usize, to: u8| {
            let mut bad = bytes.clone();
            bad[at] = to;
            opened(&bad)
        };
        assert_eq!(changed(4, 2), Err(EnvelopeError::UnknownVersion(2)));
        assert_eq!(changed(HEADER_BYTES - 1, 8), Err(EnvelopeError::Sealed), "another terminal's number");
        assert_eq!(changed(0, b'X'), Err(EnvelopeError::Malformed));
    }

    #[test]
    fn an_envelope_holds_so_much_and_no_more() {
        let many = |count: u8, length: usize| -> Vec<SignedUpload> {
            signed(count).into_iter().map(|one| SignedUpload { bytes: vec![1; length], ..one }).collect()
        };
        assert_eq!(opened(&sealed(&many(1, UPLOAD_BYTES_MAX)).unwrap()), Ok(many(1, UPLOAD_BYTES_MAX)));
        assert_eq!(sealed(&many(2, UPLOAD_BYTES_MAX / 2 + 1024)), Err(EnvelopeError::TooLarge));
        let most: Vec<SignedUpload> = signed(255).into_iter().chain(signed(1)).collect();
        assert_eq!(opened(&sealed(&most).unwrap()).map(|uploads| uploads.len()), Ok(ENVELOPE_UPLOADS_MAX));
        assert_eq!(sealed(&[&most[..], &signed(1)].concat()), Err(EnvelopeError::TooLarge));
        assert_eq!(sealed(&[]), Err(EnvelopeError::Malformed));
        assert_eq!(opened(&vec![b'C'; ENVELOPE_BYTES_MAX + 1]), Err(EnvelopeError::TooLarge));
    }

    #[test]
    fn what_a_terminal_of_ours_would_not_have_sealed_is_refused_behind_a_good_seal_too() {
        let central = key().public().unwrap();
        let header = header(KeyId::of(&central), SEVEN);
        let check = |plain: &[u8], expected| {
            let sealed = hpke::seal(&central, &info("bahia"), &header, plain, [3; 32]).unwrap();
            assert_eq!(opened(&[&header[..], &sealed].concat()), Err(expected));
        };
        check(&[], EnvelopeError::Malformed);
        check(&[0, 0, 0, 1], EnvelopeError::Malformed);
        check(&[&[0, 0, 0, 2][..], &[0; 64], &[1]].concat(), EnvelopeError::Malformed);
        check(&[&[0, 0, 0, 1][..], &[0; 64], &[1, 9]].concat(), EnvelopeError::Malformed);
        check(&[&[0xFF; 4][..], &[0; 64], &[1]].concat(), EnvelopeError::TooLarge);
        check(&[[0; 68]; 257].concat(), EnvelopeError::TooLarge);
    }
}
