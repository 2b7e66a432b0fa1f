//! Registrations of finished cards, sealed, until central has receipted them. Each holds a card secret, so the file is
//! sealed under a key of the office's own: whoever finds the disk reads nothing.
//!
//! A frame is its length (two bytes, big-endian), a nonce (24), and XChaCha20-Poly1305 over the bytes that go to
//! central. The file grows frame by frame and is emptied when central has receipted all of them.

use crate::error::OfficeError;
use crate::files::{Appendable, MayMake};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use protocol::CardRegistration;
use std::path::Path;
use zeroize::Zeroizing;

/// Bound into every frame.
const CONTEXT: &[u8] = b"citizen-card registration 1";
const LENGTH: usize = 2;
const NONCE: usize = 24;

/// The file, open for writing.
pub struct Registrations {
    file: Appendable,
    cipher: XChaCha20Poly1305,
    waiting: Vec<CardRegistration>,
}

impl Registrations {
    /// Opens the file, or makes it where that may be. A last frame that was cut off is taken away: its card is still noted as begun.
    ///
    /// # Errors
    /// `InUse`, `Unsafe`, `File`, or `Content` when a whole frame does not open: another office's, or changed.
    pub fn open(path: &Path, key: &[u8; 32], may_make: MayMake) -> Result<Self, OfficeError> {
        let cipher = XChaCha20Poly1305::new(&(*key).into());
        let (mut file, content) = Appendable::open(path, may_make)?;
        let mut waiting = Vec::new();
        let mut rest = content.as_slice();
        while let Some((frame, after)) = split_frame(rest) {
            let registration = open_frame(&cipher, frame);
            waiting.push(registration.ok_or_else(|| {
                OfficeError::content(path, "a registration does not open: another office's key, or changed")
            })?);
            rest = after;
        }
        if !rest.is_empty() {
            file.cut(content.len() - rest.len())?;
        }
        Ok(Self { file, cipher, waiting })
    }

    /// Seals one more, and returns once it is on the disk.
    ///
    /// # Errors
    /// `File`, or `Content` for a registration that central would not read.
    pub fn keep(&mut self, registration: CardRegistration) -> Result<(), OfficeError> {
        let bad = |reason: &str| OfficeError::content(self.file.path(), reason);
        let plain = registration.encode().map_err(|error| bad(&error.to_string()))?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| bad("no randomness"))?;
        let payload = Payload { msg: &plain, aad: CONTEXT };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| bad("cannot be sealed"))?;
        let length = u16::try_from(NONCE + sealed.len()).map_err(|_| bad("too long"))?;
        self.file.append(&[&length.to_be_bytes()[..], &nonce, &sealed].concat())?;
        self.waiting.push(registration);
        Ok(())
    }

    /// All that are kept, in the order of making.
    #[must_use]
    pub fn waiting(&self) -> &[CardRegistration] {
        &self.waiting
    }

    /// Empties the file: everything in it was receipted.
    ///
    /// # Errors
    /// `File`.
    pub fn clear(&mut self) -> Result<(), OfficeError> {
        self.file.cut(0)?;
        self.waiting.clear();
        Ok(())
    }
}

impl std::fmt::Debug for Registrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registrations").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// The next whole frame, without its length, and what follows.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn open_frame(cipher: &XChaCha20Poly1305, frame: &[u8]) -> Option<CardRegistration> {
    let (nonce, sealed) = frame.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: CONTEXT };
    let plain = Zeroizing::new(cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
    CardRegistration::decode(&plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CardNumber, Generation, Uid};
    use protocol::CardSecret;
    use protocol::cards::WireTechnology;

    const KEY: [u8; 32] = [9; 32];

    fn card(last: u8) -> CardRegistration {
        CardRegistration {
            number: CardNumber(6_001_234_500 + u64::from(last)),
            generation: Generation(1),
            uid: Uid::new(&[last; 7]).unwrap(),
            technology: WireTechnology::DesfireEv2,
            secret: Some(CardSecret::new([0xAB; 32])),
            read_key_version: 1,
        }
    }

    #[test]
    fn what_was_kept_is_there_after_a_restart_and_reads_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registrations");
        let mut kept = Registrations::open(&path, &KEY, MayMake::Yes).unwrap();
        kept.keep(card(1)).unwrap();
        kept.keep(card(2)).unwrap();
        drop(kept);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|window| window == [0xAB; 8]));
        let mut again = Registrations::open(&path, &KEY, MayMake::Yes).unwrap();
        let numbers: Vec<u64> = again.waiting().iter().map(|card| card.number.0).collect();
        assert_eq!(numbers, [6_001_234_501, 6_001_234_502]);
        again.clear().unwrap();
        assert!(std::fs::read(&path).unwrap().is_empty());
    }

    #[test]
    fn a_frame_cut_anywhere_is_as_if_it_had_not_been_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registrations");
        let mut kept = Registrations::open(&path, &KEY, MayMake::Yes).unwrap();
        kept.keep(card(1)).unwrap();
        let first = std::fs::read(&path).unwrap().len();
        kept.keep(card(2)).unwrap();
        drop(kept);
        let whole = std::fs::read(&path).unwrap();
        for cut in first..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(Registrations::open(&path, &KEY, MayMake::Yes).unwrap().waiting().len(), 1, "cut at {cut}");
            assert_eq!(std::fs::read(&path).unwrap().len(), first, "cut at {cut}");
        }
    }

    #[test]
    fn another_offices_key_or_a_changed_file_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registrations");
        Registrations::open(&path, &KEY, MayMake::Yes).unwrap().keep(card(1)).unwrap();
        assert!(matches!(Registrations::open(&path, &[8; 32], MayMake::Yes), Err(OfficeError::Content { .. })));
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Registrations::open(&path, &KEY, MayMake::Yes), Err(OfficeError::Content { .. })));
    }
}
