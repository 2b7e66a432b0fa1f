//! The key of a terminal's journal, wrapped for the city: beside the journal lies a small file that only the city's
//! offline recovery key opens. When the terminal's own home of the key is lost (a new board, a wiped TPM), the journal
//! is set aside together with this file, and the city reads it all the same.
//!
//! The file: magic `CKJKEY01`, terminal, the recovery key's public half, a check value of the wrapped key, and the key
//! sealed by HPKE, to which all that stands before it is bound.

use crate::hpke::{self, HpkeError, HpkePublic, HpkeSecret};
use domain::TerminalId;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What the wrapped key's file has behind the journal's name.
pub const WRAPPED_KEY_SUFFIX: &str = ".recovery";

const MAGIC: &[u8; 8] = b"CKJKEY01";
const INFO: &[u8] = b"citizen-kiosk journal key";
const CHECK_BYTES: usize = 8;

/// A journal's key, wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Whose journal.
    pub terminal: TerminalId,
    /// To which recovery key.
    pub recovery: HpkePublic,
    check: [u8; CHECK_BYTES],
    sealed: Vec<u8>,
}

impl WrappedKey {
    /// Wraps a journal's key. `ephemeral` is fresh randomness.
    ///
    /// # Errors
    /// `HpkeError` when the recovery key is none.
    pub fn wrap(
        key: &[u8; 32],
        terminal: TerminalId,
        recovery: &HpkePublic,
        ephemeral: [u8; 32],
    ) -> Result<Self, HpkeError> {
        let mut wrapped = Self { terminal, recovery: *recovery, check: check_of(key), sealed: Vec::new() };
        wrapped.sealed = hpke::seal(recovery, INFO, &wrapped.header(), key, ephemeral)?;
        Ok(wrapped)
    }

    /// Whether this is this key of this terminal, wrapped to this recovery key.
    #[must_use]
    pub fn is_of(&self, key: &[u8; 32], terminal: TerminalId, recovery: &HpkePublic) -> bool {
        self.terminal == terminal && self.recovery == *recovery && self.check == check_of(key)
    }

    fn header(&self) -> Vec<u8> {
        [&MAGIC[..], &self.terminal.0.to_be_bytes(), self.recovery.bytes(), &self.check].concat()
    }

    /// As the file has it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [self.header(), self.sealed.clone()].concat()
    }

    /// Reads the file's bytes; `None` when they are something else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (terminal, rest) = rest.split_first_chunk::<4>()?;
        let (recovery, rest) = rest.split_first_chunk::<32>()?;
        let (check, sealed) = rest.split_first_chunk::<CHECK_BYTES>()?;
        Some(Self {
            terminal: TerminalId(u32::from_be_bytes(*terminal)),
            recovery: HpkePublic::new(*recovery),
            check: *check,
            sealed: sealed.to_vec(),
        })
    }

    /// The journal's key, for whoever has the city's recovery key.
    ///
    /// # Errors
    /// `HpkeError` when it is wrapped to another recovery key, or changed.
    pub fn open(&self, recovery: &HpkeSecret) -> Result<Zeroizing<[u8; 32]>, HpkeError> {
        let key = hpke::open(recovery, INFO, &self.header(), &self.sealed)?;
        <[u8; 32]>::try_from(key.as_slice()).map(Zeroizing::new).map_err(|_| HpkeError)
    }
}

/// Tells whether a wrap is of this key, and nothing else about it: the key is 32 random bytes.
fn check_of(key: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new().chain_update(b"citizen-kiosk journal key check").chain_update(key).finalize();
    let mut check = [0; CHECK_BYTES];
    check.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [0x5A; 32];
    const TERMINAL: TerminalId = TerminalId(7);

    fn recovery(byte: u8) -> HpkeSecret {
        HpkeSecret::new([byte; 32])
    }

    fn wrapped() -> WrappedKey {
        WrappedKey::wrap(&KEY, TERMINAL, &recovery(1).public().unwrap(), [9; 32]).unwrap()
    }

    #[test]
    fn a_wrapped_key_survives_its_file_and_opens_for_the_city_alone() {
        let bytes = wrapped().encode();
        let back = WrappedKey::decode(&bytes).unwrap();
        assert_eq!(back, wrapped());
        assert_eq!(*back.open(&recovery(1)).unwrap(), KEY);
        assert!(back.open(&recovery(2)).is_err());
        assert!(!bytes.windows(32).any(|window| window == KEY));
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let bytes = wrapped().encode();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(WrappedKey::decode(&bad).is_none_or(|wrap| wrap.open(&recovery(1)).is_err()), "byte {at}");
            assert!(
                WrappedKey::decode(&bytes[..at]).is_none_or(|wrap| wrap.open(&recovery(1)).is_err()),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn a_wrap_knows_whose_it_is() {
        let public = |byte| recovery(byte).public().unwrap();
        assert!(wrapped().is_of(&KEY, TERMINAL, &public(1)));
        assert!(!wrapped().is_of(&[0x5B; 32], TERMINAL, &public(1)));
        assert!(!wrapped().is_of(&KEY, TerminalId(8), &public(1)));
        assert!(!wrapped().is_of(&KEY, TERMINAL, &public(2)));
    }
}
