//! The one thing a chip as its maker delivers it needs: its own master key (AID 000000, key 0) is a 2K3DES key of zeros
//! and becomes an AES key. AuthenticateISO (1A) from the reader's side, and the ChangeKey message (C4) that its session
//! carries, by libfreefare, proxmark3 and the published conversations of real cards. Nothing else is offered: the
//! handshake answers with the factory's key alone, and is used up by the one message it seals.

use crate::channel::KeyChange;
use crate::crc::crc32;
use crate::holder::KeyError;
use des::TdesEde2;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The length of a DES block, of RndA and of RndB, in bytes.
pub const FACTORY_BLOCK: usize = 8;
/// The key of every chip that was delivered without another agreement.
const FACTORY_KEY: [u8; 2 * FACTORY_BLOCK] = [0; 2 * FACTORY_BLOCK];
/// ChangeKey's instruction byte.
const CHANGE_KEY: u8 = 0xC4;
/// The chip's key 0, which is to be an AES key: on the chip's level the number says so.
const MASTER_AES: u8 = 0x80;

type Block = [u8; FACTORY_BLOCK];

/// The reader's half of AuthenticateISO with the factory's key, after the card's challenge was answered. Wiped when
/// dropped.
pub struct FactoryHandshake {
    cipher: Cipher,
    rnd_a: Zeroizing<Block>,
    rnd_b: Zeroizing<Block>,
    /// Both halves of the key are equal, so that 2K3DES is DES, and so is the session's key.
    is_des: bool,
    /// One initial vector runs through all three messages.
    iv: Block,
}

impl FactoryHandshake {
    /// Answers the card's challenge `E(RndB)` with `E(RndA ‖ rotl(RndB))`. `rnd_a` is fresh randomness.
    #[must_use]
    pub fn answer(rnd_a: Block, challenge: &Block) -> (Self, [u8; 2 * FACTORY_BLOCK]) {
        Self::answer_under(FACTORY_KEY, rnd_a, challenge)
    }

    fn answer_under(key: [u8; 2 * FACTORY_BLOCK], rnd_a: Block, challenge: &Block) -> (Self, [u8; 2 * FACTORY_BLOCK]) {
        let key = Zeroizing::new(key);
        let cipher = Cipher::new(&key);
        let mut rnd_b = Zeroizing::new(*challenge);
        cipher.cbc_decrypt(&[0; FACTORY_BLOCK], rnd_b.as_mut());
        let mut cryptogram = [0; 2 * FACTORY_BLOCK];
        cryptogram[..FACTORY_BLOCK].copy_from_slice(&rnd_a);
        cryptogram[FACTORY_BLOCK..].copy_from_slice(rotated(&rnd_b).as_slice());
        let iv = cipher.cbc_encrypt(challenge, &mut cryptogram);
        let is_des = key[..FACTORY_BLOCK] == key[FACTORY_BLOCK..];
        (Self { cipher, rnd_a: Zeroizing::new(rnd_a), rnd_b, is_des, iv }, cryptogram)
    }

    /// Checks the card's last answer, eight bytes `E(rotl(RndA))`, and gives the whole message of the one ChangeKey
    /// (C4) that makes the chip's master key `change.new`: 80, then 24 bytes enciphered. `change.old` is not asked for:
    /// it is the factory's key, which this session was opened with.
    ///
    /// The card's reply is bare and proves nothing: authenticate with the new key.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card did not know the factory's key: RndA does not come back.
    pub fn seal_change_key(self, answer: &[u8], change: &KeyChange) -> Result<Vec<u8>, KeyError> {
        let returned: &Block = answer.try_into().map_err(|_| KeyError::Rejected)?;
        let mut returned = Zeroizing::new(*returned);
        self.cipher.cbc_decrypt(&self.iv, returned.as_mut());
        if !bool::from(returned.as_slice().ct_eq(rotated(&self.rnd_a).as_slice())) {
            return Err(KeyError::Rejected);
        }
        let mut body = plain(change);
        Cipher::new(&self.session_key()).cbc_encrypt(&[0; FACTORY_BLOCK], &mut body);
        Ok([&[MASTER_AES], body.as_slice()].concat())
    }

    /// DES: `RndA[0..4] ‖ RndB[0..4]`, twice over. 2K3DES: that, then `RndA[4..8] ‖ RndB[4..8]`.
    fn session_key(&self) -> Zeroizing<[u8; 2 * FACTORY_BLOCK]> {
        let last = if self.is_des { 0..4 } else { 4..8 };
        let mut key = Zeroizing::new([0; 2 * FACTORY_BLOCK]);
        key[..4].copy_from_slice(&self.rnd_a[..4]);
        key[4..8].copy_from_slice(&self.rnd_b[..4]);
        key[8..12].copy_from_slice(&self.rnd_a[last.clone()]);
        key[12..].copy_from_slice(&self.rnd_b[last]);
        key
    }
}

impl fmt::Debug for FactoryHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactoryHandshake(redacted)")
    }
}

impl Drop for FactoryHandshake {
    fn drop(&mut self) {
        self.iv.zeroize();
    }
}

/// `new ‖ version ‖ CRC32(C4 ‖ 80 ‖ new ‖ version)`, padded with zeros to whole blocks.
fn plain(change: &KeyChange) -> Zeroizing<Vec<u8>> {
    let new = change.new.expose();
    let crc = crc32(&[&[CHANGE_KEY, MASTER_AES], new, &[change.version]]);
    let mut plain = Zeroizing::new(Vec::with_capacity(3 * FACTORY_BLOCK));
    plain.extend_from_slice(new);
    plain.push(change.version);
    plain.extend(crc);
    plain.resize(3 * FACTORY_BLOCK, 0);
    plain
}

/// One byte to the left, the first becoming the last.
fn rotated(block: &Block) -> Zeroizing<Block> {
    let mut turned = Zeroizing::new(*block);
    turned.rotate_left(1);
    turned
}

/// 2K3DES in CBC; DES where both halves of the key are equal. The subkeys lie on the heap, so that moving it leaves no
/// copies behind, and are wiped when dropped.
struct Cipher(Box<TdesEde2>);

impl Cipher {
    fn new(key: &[u8; 2 * FACTORY_BLOCK]) -> Self {
        Self(Box::new(TdesEde2::new(&Array::from(*key))))
    }

    /// In place; gives the last ciphertext block, from which the next message goes on.
    fn cbc_encrypt(&self, iv: &Block, data: &mut [u8]) -> Block {
        let mut chain = *iv;
        for block in data.as_chunks_mut::<FACTORY_BLOCK>().0 {
            let mut array = Array::from(xored(block, &chain));
            self.0.encrypt_block(&mut array);
            chain = array.into();
            *block = chain;
        }
        chain
    }

    fn cbc_decrypt(&self, iv: &Block, data: &mut [u8]) {
        let mut chain = *iv;
        for block in data.as_chunks_mut::<FACTORY_BLOCK>().0 {
            let mut array = Array::from(*block);
            self.0.decrypt_block(&mut array);
            let plain = xored(&array.into(), &chain);
            chain = *block;
            *block = plain;
        }
    }
}

fn xored(left: &Block, right: &Block) -> Block {
    (u64::from_ne_bytes(*left) ^ u64::from_ne_bytes(*right)).to_ne_bytes()
}

#[cfg(test)]
mod tests;
