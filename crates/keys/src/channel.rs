//! EV2 secure messaging (AN12343, 4): MAC, encryption and the command counter, over whole, unchained messages.

use crate::aes_key::{AesKey, BLOCK};
use crate::ev2::SessionKeys;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a truncated MAC.
const MAC: usize = 8;
const IV_COMMAND: [u8; 2] = [0xA5, 0x5A];
const IV_REPLY: [u8; 2] = [0x5A, 0xA5];
/// The status of a good reply, as its MAC covers it.
const STATUS_OK: u8 = 0x00;

/// How a command and its reply are protected (`CommMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommMode {
    /// Not at all; only the counter advances.
    Plain,
    /// A MAC on both.
    Mac,
    /// Data encrypted, and a MAC on both.
    Full,
}

/// Why a message is not accepted. The channel is of no use afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The reply has no room for its MAC, or its ciphertext is not whole blocks.
    #[error("the reply is too short for its protection")]
    Truncated,
    /// The MAC is wrong: garbled, tampered with, or of another place in the conversation.
    #[error("the reply's MAC is wrong")]
    WrongMac,
    /// The MAC is right but the padding is not.
    #[error("the reply's padding is wrong")]
    WrongPadding,
    /// 65,535 commands were sent; authenticate again.
    #[error("the command counter is used up")]
    CounterExhausted,
    /// An earlier reply was refused.
    #[error("the channel is closed after an earlier error")]
    Closed,
}

/// The secure channel of one authentication: one conversation, command then reply.
pub struct Ev2Channel {
    enc: AesKey,
    mac: AesKey,
    transaction_id: [u8; 4],
    counter: u16,
    closed: bool,
}

impl Ev2Channel {
    /// A channel whose command counter is 0, as AuthenticateEV2First leaves it.
    #[must_use]
    pub fn new(session: SessionKeys) -> Self {
        Self { enc: session.enc, mac: session.mac, transaction_id: session.transaction_id, counter: 0, closed: false }
    }

    /// `header ‖ data` protected for the wire. `header` always travels in clear. Without data nothing is encrypted.
    ///
    /// # Errors
    /// `Closed` or `CounterExhausted`.
    pub fn seal(&self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        if self.closed {
            return Err(ChannelError::Closed);
        }
        if self.counter == u16::MAX {
            return Err(ChannelError::CounterExhausted);
        }
        let mut body = data.to_vec();
        if mode == CommMode::Full && !data.is_empty() {
            body.zeroize();
            body = padded(data);
            self.enc.cbc_encrypt(&self.initial_vector(IV_COMMAND, self.counter), &mut body);
        }
        let mut message = [header, &body].concat();
        if mode != CommMode::Plain {
            message.extend(self.truncated_mac(command, self.counter, &message));
        }
        Ok(message)
    }

    /// Takes the data of a reply of status 00: advances the counter, verifies the MAC, and only then decrypts.
    ///
    /// # Errors
    /// Any of `ChannelError`; the channel is closed by it.
    pub fn open(&mut self, mode: CommMode, reply: &[u8]) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        if self.closed {
            return Err(ChannelError::Closed);
        }
        self.closed = true;
        self.counter = self.counter.checked_add(1).ok_or(ChannelError::CounterExhausted)?;
        let plain = match mode {
            CommMode::Plain => Zeroizing::new(reply.to_vec()),
            CommMode::Mac => Zeroizing::new(self.verified(reply)?.to_vec()),
            CommMode::Full => self.decrypted(self.verified(reply)?)?,
        };
        self.closed = false;
        Ok(plain)
    }

    /// No message is accepted any more: the card answered with an error, which ends its session too.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// How many commands the channel has carried.
    #[must_use]
    pub fn command_counter(&self) -> u16 {
        self.counter
    }

    fn verified<'a>(&self, reply: &'a [u8]) -> Result<&'a [u8], ChannelError> {
        let (body, mac) = reply.split_last_chunk::<MAC>().ok_or(ChannelError::Truncated)?;
        let expected = self.truncated_mac(STATUS_OK, self.counter, body);
        if bool::from(expected.ct_eq(mac)) { Ok(body) } else { Err(ChannelError::WrongMac) }
    }

    fn decrypted(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let mut plain = Zeroizing::new(body.to_vec());
        if body.is_empty() {
            return Ok(plain);
        }
        if !body.len().is_multiple_of(BLOCK) {
            return Err(ChannelError::Truncated);
        }
        self.enc.cbc_decrypt(&self.initial_vector(IV_REPLY, self.counter), &mut plain);
        let length = unpadded_length(&plain).ok_or(ChannelError::WrongPadding)?;
        plain[length..].zeroize();
        plain.truncate(length);
        Ok(plain)
    }

    /// `MACt(SesAuthMAC, command or status ‖ CmdCtr ‖ TI ‖ message)`.
    fn truncated_mac(&self, first: u8, counter: u16, message: &[u8]) -> [u8; MAC] {
        self.mac.truncated_cmac(&[&[first], &counter.to_le_bytes(), &self.transaction_id, message])
    }

    /// `E(SesAuthENC, label ‖ TI ‖ CmdCtr ‖ 0^8)`.
    fn initial_vector(&self, label: [u8; 2], counter: u16) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.transaction_id);
        block[6..8].copy_from_slice(&counter.to_le_bytes());
        self.enc.encrypt_block(&block)
    }
}

impl fmt::Debug for Ev2Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ev2Channel")
            .field("counter", &self.counter)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// ISO/IEC 9797-1 method 2: 80 and zeros, a whole block when the data is aligned.
fn padded(data: &[u8]) -> Vec<u8> {
    let length = (data.len() / BLOCK + 1) * BLOCK;
    let mut block = Vec::with_capacity(length);
    block.extend_from_slice(data);
    block.push(0x80);
    block.resize(length, 0);
    block
}

/// Where the data ends before its padding, which lies within the last block.
fn unpadded_length(data: &[u8]) -> Option<usize> {
    let marker = data.iter().rposition(|&byte| byte != 0)?;
    (data[marker] == 0x80 && data.len() - marker <= BLOCK).then_some(marker)
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
