//! What ChangeKey (C4) enciphers, on either channel.

use crate::aes_key::{AesKey, BLOCK, xored};
use crate::crc::crc32;
use zeroize::Zeroizing;

/// ChangeKey's instruction byte.
pub(super) const CHANGE_KEY: u8 = 0xC4;

/// A new key for a card.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The key to be.
    pub new: AesKey,
    /// The version byte that GetKeyVersion answers afterwards.
    pub version: u8,
    /// The key that is there now; `None` when it is the one this session was opened with.
    pub old: Option<AesKey>,
}

impl KeyChange {
    /// `new ‖ version`, or `(new xor old) ‖ version`.
    fn body(&self) -> Zeroizing<Vec<u8>> {
        let key = match &self.old {
            None => Zeroizing::new(*self.new.expose()),
            Some(old) => Zeroizing::new(xored(self.new.expose(), old.expose())),
        };
        let mut body = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
        body.extend_from_slice(key.as_slice());
        body.push(self.version);
        body
    }

    /// The CRC32 of the new key, by which the card knows that the old one was the right one.
    fn proof(&self) -> Option<[u8; 4]> {
        self.old.as_ref().map(|_| crc32(&[self.new.expose()]))
    }

    /// EV2: body and proof; the channel pads and MACs.
    pub(super) fn ev2_plain(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = self.body();
        plain.extend(self.proof().into_iter().flatten());
        plain
    }

    /// EV1: body, CRC32 of command, number and body, then the proof; padded with zeros.
    pub(super) fn ev1_plain(&self, number: u8) -> Zeroizing<Vec<u8>> {
        let mut plain = self.body();
        let crc = crc32(&[&[CHANGE_KEY, number], &plain]);
        plain.extend(crc);
        plain.extend(self.proof().into_iter().flatten());
        plain.resize(2 * BLOCK, 0);
        plain
    }
}
