//! The card's side of AuthenticateEV2 and of the EV2 secure channel.
//!
//! Commands are MACed over `cmd || CmdCtr || TI || header || data`, replies over `status || CmdCtr + 1 || TI || data`;
//! the counter advances with every command, also in plain communication.

use crate::bytes::Key;
use crate::channel::{MAC_LEN, Shape};
use crate::crypto::{Block, ZERO, cbc_decrypt, cbc_encrypt, cmac, ecb, mac_truncated, padded_80, unpadded_80};
use crate::memory::CommMode;
use crate::status::Status;

/// A challenge the card has sent and whose answer it awaits.
pub(crate) struct Challenge {
    key_number: u8,
    key: Key,
    rnd_b: Block,
    /// The reader's capabilities in a First authentication; `None` in a NonFirst one.
    reader_capabilities: Option<[u8; 6]>,
}

/// An authenticated session.
pub(crate) struct Session {
    /// The key that authenticated.
    pub(crate) key_number: u8,
    encryption: Key,
    mac: Key,
    transaction: [u8; 4],
    counter: u16,
}

impl Challenge {
    /// Draws the challenge; the second value is its cryptogram for the reader.
    pub(crate) fn new(
        key_number: u8,
        key: &Key,
        rnd_b: Block,
        reader_capabilities: Option<[u8; 6]>,
    ) -> (Self, Vec<u8>) {
        let cryptogram = cbc_encrypt(key, &ZERO, &rnd_b);
        (Self { key_number, key: key.clone(), rnd_b, reader_capabilities }, cryptogram)
    }

    /// Whether this is AuthenticateEV2First.
    pub(crate) fn is_first(&self) -> bool {
        self.reader_capabilities.is_some()
    }

    /// Checks the reader's cryptogram. `transaction` is the new identifier of a First authentication; `before` is the
    /// session a NonFirst one goes on from.
    pub(crate) fn answer(
        self,
        cryptogram: &[u8],
        transaction: [u8; 4],
        before: Option<&Session>,
    ) -> Result<(Session, Vec<u8>), Status> {
        if cryptogram.len() != 32 {
            return Err(Status::Length);
        }
        let plain = cbc_decrypt(&self.key, &ZERO, cryptogram);
        let (Some(rnd_a), Some(echo)) = (plain.first_chunk::<16>(), plain.last_chunk::<16>()) else {
            return Err(Status::Length);
        };
        if *echo != rotated(&self.rnd_b) {
            return Err(Status::Authentication);
        }
        let mut reply = Vec::with_capacity(32);
        let (transaction, counter) = match (self.reader_capabilities, before) {
            (None, Some(session)) => (session.transaction, session.counter),
            (None, None) => return Err(Status::Authentication),
            (Some(_), _) => {
                reply.extend_from_slice(&transaction);
                (transaction, 0)
            }
        };
        reply.extend_from_slice(&rotated(rnd_a));
        if let Some(capabilities) = self.reader_capabilities {
            reply.extend_from_slice(&[0; 6]);
            reply.extend_from_slice(&capabilities);
        }
        let session = Session {
            key_number: self.key_number,
            encryption: session_key(&self.key, [0xA5, 0x5A], rnd_a, &self.rnd_b),
            mac: session_key(&self.key, [0x5A, 0xA5], rnd_a, &self.rnd_b),
            transaction,
            counter,
        };
        Ok((session, cbc_encrypt(&self.key, &ZERO, &reply)))
    }
}

/// Rotated left by one byte.
fn rotated(block: &Block) -> Block {
    std::array::from_fn(|i| block[(i + 1) % 16])
}

/// CMAC over the session vector SV1 (label A55A) or SV2 (label 5AA5).
fn session_key(key: &Key, label: [u8; 2], rnd_a: &Block, rnd_b: &Block) -> Key {
    let mut vector = Vec::with_capacity(32);
    vector.extend_from_slice(&label);
    vector.extend_from_slice(&[0x00, 0x01, 0x00, 0x80]);
    vector.extend_from_slice(&rnd_a[..2]);
    vector.extend(rnd_a[2..8].iter().zip(&rnd_b[..6]).map(|(a, b)| a ^ b));
    vector.extend_from_slice(&rnd_b[6..]);
    vector.extend_from_slice(&rnd_a[8..]);
    Key::new(cmac(key, &vector))
}

/// Bytes of a command on the wire, all frames together.
pub(crate) fn wire_len(shape: &Shape) -> usize {
    match shape.mode {
        CommMode::Plain => shape.clear_len(),
        CommMode::Full if shape.data_len > 0 => shape.header_len + (shape.data_len + 1).next_multiple_of(16) + MAC_LEN,
        CommMode::Mac | CommMode::Full => shape.clear_len() + MAC_LEN,
    }
}

impl Session {
    fn message(&self, first: u8, counter: u16, parts: [&[u8]; 2]) -> Vec<u8> {
        [&[first], counter.to_le_bytes().as_slice(), &self.transaction, parts[0], parts[1]].concat()
    }

    fn iv(&self, label: [u8; 2], counter: u16) -> Block {
        let mut block = ZERO;
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.transaction);
        block[6..8].copy_from_slice(&counter.to_le_bytes());
        ecb(&self.encryption, &block)
    }

    /// Checks and opens a command; returns its data in clear. `header` bytes stay in clear in every mode.
    pub(crate) fn open(&mut self, mode: CommMode, ins: u8, body: &[u8], header: usize) -> Result<Vec<u8>, Status> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(Status::CommandAborted)?;
        if mode == CommMode::Plain {
            return Ok(body.to_vec());
        }
        let (message, mac) = body.split_last_chunk::<MAC_LEN>().ok_or(Status::Length)?;
        if mac_truncated(&self.mac, &self.message(ins, counter, [message, &[]])) != *mac {
            return Err(Status::Integrity);
        }
        if mode == CommMode::Mac || message.len() <= header {
            return Ok(message.to_vec());
        }
        let (clear, sealed) = message.split_at(header);
        if !sealed.len().is_multiple_of(16) {
            return Err(Status::Length);
        }
        let plain = cbc_decrypt(&self.encryption, &self.iv([0xA5, 0x5A], counter), sealed);
        Ok([clear, unpadded_80(&plain).ok_or(Status::Integrity)?].concat())
    }

    /// Protects the data of a successful reply.
    pub(crate) fn seal(&self, mode: CommMode, data: &[u8]) -> Vec<u8> {
        let body = match mode {
            CommMode::Plain => return data.to_vec(),
            CommMode::Full if !data.is_empty() => {
                cbc_encrypt(&self.encryption, &self.iv([0x5A, 0xA5], self.counter), &padded_80(data))
            }
            CommMode::Full | CommMode::Mac => data.to_vec(),
        };
        let mac = mac_truncated(&self.mac, &self.message(Status::Ok.byte(), self.counter, [&body, &[]]));
        [body.as_slice(), &mac].concat()
    }
}

#[cfg(test)]
mod tests;
