//! The card's side of AuthenticateAES and of the EV1 secure channel, which every DESFire of the family speaks.
//!
//! One IV runs through everything: each CMAC and each cryptogram, of commands and of replies, starts where the one
//! before ended. Every reply of status 00 is MACed, that of a plain command too; a command sends its MAC only where
//! [`sends_mac`] says so, but always moves the IV. Enciphered messages carry a CRC32 instead of a MAC.

use crate::bytes::Key;
use crate::channel::{MAC_LEN, Shape};
use crate::crypto::{Block, ZERO, cbc_decrypt, cbc_encrypt, cmac_from, crc32, last_block};
use crate::memory::CommMode;
use crate::status::Status;

/// Bytes of the CRC in an enciphered message.
const CRC_LEN: usize = 4;

/// A challenge the card has sent and whose answer it awaits.
pub(crate) struct Challenge {
    key_number: u8,
    key: Key,
    rnd_b: Block,
    /// The cryptogram that went out, at whose end the reader's begins.
    sent: Block,
}

/// An authenticated session.
pub(crate) struct Session {
    /// The key that authenticated.
    pub(crate) key_number: u8,
    key: Key,
    iv: Block,
}

impl Challenge {
    /// Draws the challenge; the second value is its cryptogram for the reader.
    pub(crate) fn new(key_number: u8, key: &Key, rnd_b: Block) -> (Self, Vec<u8>) {
        let cryptogram = cbc_encrypt(key, &ZERO, &rnd_b);
        (Self { key_number, key: key.clone(), rnd_b, sent: last_block(&cryptogram) }, cryptogram)
    }

    /// Checks the reader's cryptogram of RndA and the rotated RndB; answers with the rotated RndA.
    pub(crate) fn answer(self, cryptogram: &[u8]) -> Result<(Session, Vec<u8>), Status> {
        if cryptogram.len() != 32 {
            return Err(Status::Length);
        }
        let plain = cbc_decrypt(&self.key, &self.sent, cryptogram);
        let (Some(rnd_a), Some(echo)) = (plain.first_chunk::<16>(), plain.last_chunk::<16>()) else {
            return Err(Status::Length);
        };
        if *echo != rotated(&self.rnd_b) {
            return Err(Status::Authentication);
        }
        let reply = cbc_encrypt(&self.key, &last_block(cryptogram), &rotated(rnd_a));
        let session = Session { key_number: self.key_number, key: session_key(rnd_a, &self.rnd_b), iv: ZERO };
        Ok((session, reply))
    }
}

/// Rotated left by one byte.
fn rotated(block: &Block) -> Block {
    std::array::from_fn(|i| block[(i + 1) % 16])
}

/// First and last quarters of both random numbers, the reader's before the card's.
fn session_key(rnd_a: &Block, rnd_b: &Block) -> Key {
    Key::new(std::array::from_fn(|i| match i {
        0..4 => rnd_a[i],
        4..8 => rnd_b[i - 4],
        8..12 => rnd_a[i + 4],
        _ => rnd_b[i],
    }))
}

/// Commands that change a file's data send their MAC in MAC mode; all others only move the IV.
fn sends_mac(ins: u8) -> bool {
    matches!(ins, 0x3D | 0x8D | 0x3B | 0x8B | 0xDB | 0xBA | 0x0C | 0xDC | 0x1C | 0xC8)
}

/// Bytes of a command on the wire, all frames together.
pub(crate) fn wire_len(ins: u8, shape: &Shape) -> usize {
    match shape.mode {
        CommMode::Mac if sends_mac(ins) => shape.clear_len() + MAC_LEN,
        CommMode::Full if shape.data_len > 0 => shape.header_len + (shape.data_len + CRC_LEN).next_multiple_of(16),
        CommMode::Plain | CommMode::Mac | CommMode::Full => shape.clear_len(),
    }
}

impl Session {
    fn chained_mac(&mut self, message: &[u8]) -> [u8; MAC_LEN] {
        self.iv = cmac_from(&self.key, &self.iv, message);
        std::array::from_fn(|i| self.iv[i])
    }

    /// Checks and opens a command; returns header and data in clear.
    pub(crate) fn open(&mut self, ins: u8, shape: &Shape, body: &[u8]) -> Result<Vec<u8>, Status> {
        if shape.mode == CommMode::Full && shape.data_len > 0 {
            return self.decipher(ins, shape, body);
        }
        let sent = shape.mode == CommMode::Mac && sends_mac(ins);
        let (clear, mac) = body.split_at_checked(shape.clear_len()).ok_or(Status::Length)?;
        let expected = self.chained_mac(&[&[ins], clear].concat());
        if sent && *mac != expected {
            return Err(Status::Integrity);
        }
        Ok(clear.to_vec())
    }

    /// `header ‖ E(data ‖ CRC32(ins ‖ header ‖ data) ‖ trailer ‖ zeros)`.
    fn decipher(&mut self, ins: u8, shape: &Shape, body: &[u8]) -> Result<Vec<u8>, Status> {
        let (header, sealed) = body.split_at_checked(shape.header_len).ok_or(Status::Length)?;
        let plain = cbc_decrypt(&self.key, &self.iv, sealed);
        self.iv = last_block(sealed);
        let (data, rest) = plain.split_at_checked(shape.data_len - shape.trailer_len).ok_or(Status::Length)?;
        let (crc, rest) = rest.split_first_chunk::<CRC_LEN>().ok_or(Status::Length)?;
        let (trailer, padding) = rest.split_at_checked(shape.trailer_len).ok_or(Status::Length)?;
        if *crc != crc32(&[&[ins], header, data].concat()) || padding.iter().any(|byte| *byte != 0) {
            return Err(Status::Integrity);
        }
        Ok([header, data, trailer].concat())
    }

    /// Protects the data of a successful reply: enciphered with the CRC of data and status, or with its MAC.
    pub(crate) fn seal(&mut self, mode: CommMode, data: &[u8]) -> Vec<u8> {
        let checked = [data, &[Status::Ok.byte()]].concat();
        if mode != CommMode::Full || data.is_empty() {
            let mac = self.chained_mac(&checked);
            return [data, &mac].concat();
        }
        let mut plain = [data, &crc32(&checked)].concat();
        plain.resize(plain.len().next_multiple_of(16), 0);
        let sealed = cbc_encrypt(&self.key, &self.iv, &plain);
        self.iv = last_block(&sealed);
        sealed
    }
}

#[cfg(test)]
mod tests;
