//! The card's side of AuthenticateISO (1A) with the 2K3DES key that a chip's own level has from the factory, and of
//! the EV1 secure channel with 64-bit blocks, as far as the one command that is spoken in it here: ChangeKey.
//!
//! The rules are those of the AES channel ([`crate::ev1`]): one IV through all three messages of the authentication,
//! a zero IV for the session that follows, a CRC32 inside what is enciphered.

use crate::bytes::Key;
use crate::channel::Shape;
use crate::crypto::crc32;
use crate::status::Status;
use des::TdesEde2;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

type Block = [u8; BLOCK_LEN];

const BLOCK_LEN: usize = 8;
const ZERO: Block = [0; BLOCK_LEN];
const CRC_LEN: usize = 4;

/// A challenge the card has sent and whose answer it awaits.
pub(crate) struct Challenge {
    key: Key,
    rnd_b: Block,
    /// The cryptogram that went out, at whose end the reader's begins.
    sent: Block,
}

/// An authenticated session of the chip's own key, number 0.
pub(crate) struct Session {
    key: Key,
}

impl Challenge {
    /// Draws the challenge; the second value is its cryptogram for the reader.
    pub(crate) fn new(key: &Key, rnd_b: Block) -> (Self, Vec<u8>) {
        let sent = encrypt_block(key, rnd_b);
        (Self { key: key.clone(), rnd_b, sent }, sent.to_vec())
    }

    /// Checks the reader's cryptogram of RndA and the rotated RndB; answers with the rotated RndA.
    pub(crate) fn answer(self, cryptogram: &[u8]) -> Result<(Session, Vec<u8>), Status> {
        let ([first, last], []) = cryptogram.as_chunks::<BLOCK_LEN>() else { return Err(Status::Length) };
        let rnd_a = xor(&decrypt_block(&self.key, *first), &self.sent);
        if xor(&decrypt_block(&self.key, *last), first) != rotated(&self.rnd_b) {
            return Err(Status::Authentication);
        }
        let reply = encrypt_block(&self.key, xor(&rotated(&rnd_a), last));
        Ok((Session { key: session_key(&self.key, &rnd_a, &self.rnd_b) }, reply.to_vec()))
    }
}

/// The first quarters of both random numbers, the reader's before the card's; then the same again for a key whose
/// halves are equal, which makes 2K3DES single DES, or the halves' last quarters.
fn session_key(key: &Key, rnd_a: &Block, rnd_b: &Block) -> Key {
    let (left, right) = key.bytes().split_at(BLOCK_LEN);
    let from = if left == right { 0 } else { 4 };
    Key::new(std::array::from_fn(|i| match i {
        0..4 => rnd_a[i],
        4..8 => rnd_b[i - 4],
        8..12 => rnd_a[i - 8 + from],
        _ => rnd_b[i - 12 + from],
    }))
}

/// Rotated left by one byte.
fn rotated(block: &Block) -> Block {
    std::array::from_fn(|i| block[(i + 1) % BLOCK_LEN])
}

fn xor(a: &Block, b: &Block) -> Block {
    std::array::from_fn(|i| a[i] ^ b[i])
}

fn cipher(key: &Key) -> TdesEde2 {
    TdesEde2::new(&Array::from(*key.bytes()))
}

fn encrypt_block(key: &Key, block: Block) -> Block {
    let mut block = Array::from(block);
    cipher(key).encrypt_block(&mut block);
    block.into()
}

fn decrypt_block(key: &Key, block: Block) -> Block {
    let mut block = Array::from(block);
    cipher(key).decrypt_block(&mut block);
    block.into()
}

/// Bytes of an enciphered command on the wire, all frames together.
pub(crate) fn wire_len(shape: &Shape) -> usize {
    shape.header_len + (shape.data_len + CRC_LEN).next_multiple_of(BLOCK_LEN)
}

impl Session {
    /// `header ‖ E(data ‖ CRC32(ins ‖ header ‖ data) ‖ zeros)`; returns header and data in clear.
    pub(crate) fn open(&self, ins: u8, shape: &Shape, body: &[u8]) -> Result<Vec<u8>, Status> {
        let (header, sealed) = body.split_at_checked(shape.header_len).ok_or(Status::Length)?;
        let (mut plain, mut chain) = (Vec::with_capacity(sealed.len()), ZERO);
        for block in sealed.as_chunks::<BLOCK_LEN>().0 {
            plain.extend(xor(&decrypt_block(&self.key, *block), &chain));
            chain = *block;
        }
        let (data, rest) = plain.split_at_checked(shape.data_len).ok_or(Status::Length)?;
        let (crc, padding) = rest.split_first_chunk::<CRC_LEN>().ok_or(Status::Length)?;
        if *crc != crc32(&[&[ins], header, data].concat()) || padding.iter().any(|byte| *byte != 0) {
            return Err(Status::Integrity);
        }
        Ok([header, data].concat())
    }
}

#[cfg(test)]
mod tests;
