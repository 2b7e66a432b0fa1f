//! The EV2 channel, after AuthenticateEV2First (AN12343, 4): a command counter in every MAC and initial vector. Its
//! MACs are every second byte of the CMAC.

use super::change_key::{CHANGE_KEY, KeyChange};
use super::turn::{Turn, bare};
use super::{ChannelError, CommMode, MAC, STATUS_OK, cut, of_length};
use crate::aes_key::{AesKey, BLOCK};
use crate::ev2::SessionKeys;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(super) const IV_COMMAND: [u8; 2] = [0xA5, 0x5A];
const IV_REPLY: [u8; 2] = [0x5A, 0xA5];

/// The secure channel of one AuthenticateEV2First.
pub struct Ev2Channel {
    enc: AesKey,
    mac: AesKey,
    transaction_id: [u8; 4],
    counter: u16,
    turn: Turn,
}

impl Ev2Channel {
    /// A channel whose command counter is 0, as AuthenticateEV2First leaves it.
    #[must_use]
    pub fn new(session: SessionKeys) -> Self {
        let SessionKeys { enc, mac, transaction_id } = session;
        Self { enc, mac, transaction_id, counter: 0, turn: Turn::Reader }
    }

    /// As `Channel::renew`.
    ///
    /// # Errors
    /// `Closed`, or `Unrenewable` while a reply is awaited.
    pub fn renew(&mut self, enc: AesKey, mac: AesKey) -> Result<(), ChannelError> {
        match std::mem::replace(&mut self.turn, Turn::Closed) {
            Turn::Reader => {
                (self.enc, self.mac, self.turn) = (enc, mac, Turn::Reader);
                Ok(())
            }
            Turn::Closed => Err(ChannelError::Closed),
            Turn::Card | Turn::CardBare => Err(ChannelError::Unrenewable),
        }
    }

    /// As `Channel::seal`.
    ///
    /// # Errors
    /// `Closed`, `OutOfTurn` or `CounterExhausted`.
    pub fn seal(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.turn.sealing()?;
        if self.counter == u16::MAX {
            self.turn = Turn::Closed;
            return Err(ChannelError::CounterExhausted);
        }
        let mut message = Vec::with_capacity(header.len() + data.len() + BLOCK + MAC);
        message.extend_from_slice(header);
        if mode == CommMode::Full && !data.is_empty() {
            let mut body = padded(data);
            self.enc.cbc_encrypt(&self.initial_vector(IV_COMMAND, self.counter), &mut body);
            message.extend_from_slice(&body);
        } else {
            message.extend_from_slice(data);
        }
        if mode != CommMode::Plain {
            message.extend(self.truncated_mac(command, self.counter, &message));
        }
        Ok(message)
    }

    /// As `Channel::seal_change_key`.
    ///
    /// # Errors
    /// As `seal`.
    pub fn seal_change_key(&mut self, number: u8, change: &KeyChange) -> Result<Vec<u8>, ChannelError> {
        let message = self.seal(CommMode::Full, CHANGE_KEY, &[number], &change.ev2_plain())?;
        if change.old.is_none() {
            self.turn = Turn::CardBare;
        }
        Ok(message)
    }

    /// As `Channel::open`: advances the counter, verifies the MAC, and only then deciphers.
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
        self.counter = self.counter.checked_add(1).ok_or(ChannelError::CounterExhausted)?;
        let plain = match mode {
            CommMode::Plain => Zeroizing::new(reply.to_vec()),
            CommMode::Mac => Zeroizing::new(self.verified(reply)?.to_vec()),
            CommMode::Full => self.deciphered(self.verified(reply)?)?,
        };
        let plain = of_length(plain, expected)?;
        self.turn.proven();
        Ok(plain)
    }

    /// As `Channel::close`.
    pub fn close(&mut self) {
        self.turn = Turn::Closed;
    }

    /// How many commands the channel has carried.
    #[cfg(test)]
    pub(crate) fn command_counter(&self) -> u16 {
        self.counter
    }

    fn verified<'a>(&self, reply: &'a [u8]) -> Result<&'a [u8], ChannelError> {
        let (body, mac) = reply.split_last_chunk::<MAC>().ok_or(ChannelError::Truncated)?;
        let expected = self.truncated_mac(STATUS_OK, self.counter, body);
        if bool::from(expected.ct_eq(mac)) { Ok(body) } else { Err(ChannelError::WrongMac) }
    }

    fn deciphered(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let mut plain = Zeroizing::new(body.to_vec());
        if body.is_empty() {
            return Ok(plain);
        }
        if !body.len().is_multiple_of(BLOCK) {
            return Err(ChannelError::Truncated);
        }
        self.enc.cbc_decrypt(&self.initial_vector(IV_REPLY, self.counter), &mut plain);
        let length = unpadded_length(&plain).ok_or(ChannelError::WrongPadding)?;
        cut(&mut plain, length);
        Ok(plain)
    }

    /// `MACt(SesAuthMAC, command or status ‖ CmdCtr ‖ TI ‖ message)`.
    fn truncated_mac(&self, first: u8, counter: u16, message: &[u8]) -> [u8; MAC] {
        self.mac.truncated_cmac(&[&[first], &counter.to_le_bytes(), &self.transaction_id, message])
    }

    /// `E(SesAuthENC, label ‖ TI ‖ CmdCtr ‖ 0^8)`.
    pub(super) fn initial_vector(&self, label: [u8; 2], counter: u16) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.transaction_id);
        block[6..8].copy_from_slice(&counter.to_le_bytes());
        self.enc.encrypt_block(&block)
    }

    /// For tests of published conversations, which do not all begin with the first command.
    #[cfg(test)]
    pub(super) fn at(self, counter: u16) -> Self {
        Self { counter, ..self }
    }
}

impl fmt::Debug for Ev2Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ev2Channel").field("counter", &self.counter).field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// ISO/IEC 9797-1 method 2: 80 and zeros, a whole block when the data is aligned.
pub(super) fn padded(data: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = (data.len() / BLOCK + 1) * BLOCK;
    let mut block = Zeroizing::new(Vec::with_capacity(length));
    block.extend_from_slice(data);
    block.push(0x80);
    block.resize(length, 0);
    block
}

/// Where the data ends before its padding, which lies within the last block.
pub(super) fn unpadded_length(data: &[u8]) -> Option<usize> {
    let marker = data.iter().rposition(|&byte| byte != 0)?;
    (data.get(marker) == Some(&0x80) && data.len() - marker <= BLOCK).then_some(marker)
}
