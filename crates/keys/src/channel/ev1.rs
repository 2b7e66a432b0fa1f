//! The EV1 channel, after AuthenticateAES. One initial vector runs through everything that is said: each CMAC and each
//! last ciphertext block becomes the next one's initial vector, plain commands and replies included. Its MACs are the
//! first eight bytes of the CMAC.

use super::change_key::KeyChange;
use super::turn::{Turn, bare};
use super::{ChannelError, CommMode, MAC, STATUS_OK, cut, of_length};
use crate::aes_key::{AesKey, BLOCK};
use crate::crc::crc32;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the CRC inside enciphered data.
const CRC: usize = 4;
/// Begins the padding of a reply whose length was not asked for; known lengths are padded with zeros.
const PADDING_MARKER: u8 = 0x80;

/// The secure channel of one AuthenticateAES.
pub struct Ev1Channel {
    key: AesKey,
    iv: [u8; BLOCK],
    turn: Turn,
}

impl Ev1Channel {
    /// A channel whose initial vector is zero, as AuthenticateAES leaves it.
    #[must_use]
    pub fn new(session_key: AesKey) -> Self {
        Self { key: session_key, iv: [0; BLOCK], turn: Turn::Reader }
    }

    /// As `Channel::seal`. In `CommMode::Full` without data, and in `CommMode::Plain`, the command is only covered by
    /// the running initial vector. In `CommMode::Mac` that CMAC is appended where the command writes.
    ///
    /// # Errors
    /// `Closed` or `OutOfTurn`.
    pub fn seal(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.turn.sealing()?;
        if mode == CommMode::Full && !data.is_empty() {
            let mut body = Zeroizing::new(Vec::with_capacity(data.len() + CRC + BLOCK));
            body.extend_from_slice(data);
            body.extend(crc32(&[&[command], header, data]));
            let whole = body.len().next_multiple_of(BLOCK);
            body.resize(whole, 0);
            return Ok(self.enciphered(header, body));
        }
        self.iv = self.key.chained_cmac(&self.iv, &[&[command], header, data]);
        let mut message = [header, data].concat();
        if mode == CommMode::Mac && carries_mac(command) {
            message.extend_from_slice(&self.iv[..MAC]);
        }
        Ok(message)
    }

    /// As `Channel::seal_change_key`.
    ///
    /// # Errors
    /// As `seal`.
    pub fn seal_change_key(&mut self, number: u8, change: &KeyChange) -> Result<Vec<u8>, ChannelError> {
        self.turn.sealing()?;
        if change.old.is_none() {
            self.turn = Turn::CardBare;
        }
        Ok(self.enciphered(&[number], change.ev1_plain(number)))
    }

    /// As `Channel::open`.
    ///
    /// # Errors
    /// Any of `ChannelError` that concerns a reply; the channel is closed by it.
    pub fn open(
        &mut self,
        mode: CommMode,
        reply: &[u8],
        expected: Option<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        if self.turn.opening()? {
            return bare(reply);
        }
        // Where there is nothing to encipher, as after a write, the reply carries a MAC in every mode.
        let plain = if mode == CommMode::Full && reply.len() != MAC {
            self.deciphered(reply, expected)?
        } else {
            of_length(self.verified(reply)?, expected)?
        };
        self.turn.proven();
        Ok(plain)
    }

    /// As `Channel::close`.
    pub fn close(&mut self) {
        self.turn = Turn::Closed;
    }

    /// For tests of published conversations, which show it.
    #[cfg(test)]
    pub(super) fn iv(&self) -> [u8; BLOCK] {
        self.iv
    }

    /// `body` is whole blocks.
    fn enciphered(&mut self, header: &[u8], mut body: Zeroizing<Vec<u8>>) -> Vec<u8> {
        self.key.cbc_encrypt(&self.iv, &mut body);
        self.go_on_from(&body);
        [header, &body].concat()
    }

    /// The last ciphertext block is the next initial vector.
    fn go_on_from(&mut self, ciphertext: &[u8]) {
        if let Some(last) = ciphertext.last_chunk::<BLOCK>() {
            self.iv = *last;
        }
    }

    fn verified(&mut self, reply: &[u8]) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let (body, mac) = reply.split_last_chunk::<MAC>().ok_or(ChannelError::Truncated)?;
        self.iv = self.key.chained_cmac(&self.iv, &[body, &[STATUS_OK]]);
        if !bool::from(self.iv[..MAC].ct_eq(mac)) {
            return Err(ChannelError::WrongMac);
        }
        Ok(Zeroizing::new(body.to_vec()))
    }

    /// `data ‖ CRC32(data ‖ status) ‖ padding`.
    fn deciphered(&mut self, reply: &[u8], expected: Option<usize>) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        if reply.is_empty() || !reply.len().is_multiple_of(BLOCK) {
            return Err(ChannelError::Truncated);
        }
        let mut plain = Zeroizing::new(reply.to_vec());
        self.key.cbc_decrypt(&self.iv, &mut plain);
        self.go_on_from(reply);
        let length = match expected {
            Some(length) => known_end(&plain, length)?,
            None => found_end(&plain)?,
        };
        cut(&mut plain, length);
        Ok(plain)
    }
}

/// Commands that carry their CMAC in `CommMode::Mac`: those that write data, records (by either chaining) or values,
/// and CommitReaderID.
fn carries_mac(command: u8) -> bool {
    matches!(command, 0x3D | 0x8D | 0x3B | 0x8B | 0xDB | 0xBA | 0x0C | 0xDC | 0x1C | 0xC8)
}

/// Whether a good CRC follows the first `length` bytes.
fn has_crc(plain: &[u8], length: usize) -> bool {
    let Some((data, rest)) = plain.split_at_checked(length) else { return false };
    let Some(crc) = rest.first_chunk::<CRC>() else { return false };
    bool::from(crc32(&[data, &[STATUS_OK]]).ct_eq(crc))
}

fn known_end(plain: &[u8], length: usize) -> Result<usize, ChannelError> {
    if (length + CRC).next_multiple_of(BLOCK) != plain.len() {
        return Err(ChannelError::WrongLength);
    }
    if !has_crc(plain, length) {
        return Err(ChannelError::WrongCrc);
    }
    let zeros = plain.iter().skip(length + CRC).all(|&byte| byte == 0);
    if zeros { Ok(length) } else { Err(ChannelError::WrongPadding) }
}

/// The end that CRC and padding agree on: within the last block, since padding never fills a whole one. Some cards
/// begin the padding of a reply of unasked length with 80, and a whole block of it then.
///
/// A CRC that begins with 00 also fits data longer by a 00, if padding follows: about one reply in 256 has two ends.
fn found_end(plain: &[u8]) -> Result<usize, ChannelError> {
    let longest = plain.len().checked_sub(CRC).ok_or(ChannelError::Truncated)?;
    let mut ends = (0..=BLOCK.min(longest)).map(|padding| longest - padding).filter(|&length| {
        let padding = plain.get(length + CRC..).unwrap_or_default();
        is_padding(padding) && has_crc(plain, length)
    });
    match (ends.next(), ends.next()) {
        (Some(end), None) => Ok(end),
        (Some(_), Some(_)) => Err(ChannelError::AmbiguousEnd),
        (None, _) => Err(ChannelError::WrongCrc),
    }
}

fn is_padding(padding: &[u8]) -> bool {
    match padding.split_first() {
        None => true,
        Some((&first, rest)) => {
            (first == 0 && padding.len() < BLOCK || first == PADDING_MARKER) && rest.iter().all(|&byte| byte == 0)
        }
    }
}

impl Drop for Ev1Channel {
    fn drop(&mut self) {
        self.iv.zeroize();
    }
}

impl fmt::Debug for Ev1Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ev1Channel").field("turn", &self.turn).finish_non_exhaustive()
    }
}
