//! One AES-128 key, and the three things a card needs of it: blocks, CBC and CMAC.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cmac::digest::common::InnerInit;
use cmac::{Cmac, Mac};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The length of an AES block, and of every key here, in bytes.
pub const BLOCK: usize = 16;

/// An AES-128 key. Wiped when dropped; its `Debug` says nothing.
///
/// The round keys are expanded once. They lie on the heap, so that moving a key leaves no copies behind.
#[derive(Clone)]
pub struct AesKey(Box<Expanded>);

#[derive(Clone, ZeroizeOnDrop)]
struct Expanded {
    bytes: [u8; BLOCK],
    /// Wipes itself.
    #[zeroize(skip)]
    cipher: Aes128,
}

impl AesKey {
    /// Takes the key's bytes; the caller wipes its own copy.
    #[must_use]
    pub fn new(mut bytes: [u8; BLOCK]) -> Self {
        let key = Self(Box::new(Expanded { bytes, cipher: Aes128::new(&Array::from(bytes)) }));
        bytes.zeroize();
        key
    }

    /// The key's bytes, to be wrapped or sealed. Never for a log.
    #[must_use]
    pub fn expose(&self) -> &[u8; BLOCK] {
        &self.0.bytes
    }

    /// AES-CMAC (NIST SP 800-38B) over the parts, one after another.
    #[must_use]
    pub fn cmac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
        let mut mac = Cmac::inner_init(&self.0.cipher);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// CMAC whose chaining begins with `iv` instead of zero, as the EV1 channel carries it on from message to message.
    #[must_use]
    pub(crate) fn chained_cmac(&self, iv: &[u8; BLOCK], parts: &[&[u8]]) -> [u8; BLOCK] {
        let mut message = Zeroizing::new(parts.concat());
        let (mut first, mut second) = self.subkeys();
        let whole = !message.is_empty() && message.len().is_multiple_of(BLOCK);
        if !whole {
            message.push(0x80);
            let length = message.len().next_multiple_of(BLOCK);
            message.resize(length, 0);
        }
        let mut chain = *iv;
        let blocks = message.as_chunks::<BLOCK>().0;
        if let Some((last, before)) = blocks.split_last() {
            for block in before {
                chain = self.encrypt_block(&xored(block, &chain));
            }
            let masked = xored(last, if whole { &first } else { &second });
            chain = self.encrypt_block(&xored(&masked, &chain));
        }
        first.zeroize();
        second.zeroize();
        chain
    }

    /// K1 and K2 of NIST SP 800-38B, 6.1.
    pub(crate) fn subkeys(&self) -> ([u8; BLOCK], [u8; BLOCK]) {
        let first = doubled(&self.encrypt_block(&[0; BLOCK]));
        let second = doubled(&first);
        (first, second)
    }

    /// `MACt` of EV2 secure messaging (AN12343, 4.1): bytes 1, 3, 5 … 15 of the CMAC.
    #[must_use]
    pub fn truncated_cmac(&self, parts: &[&[u8]]) -> [u8; 8] {
        let full = self.cmac(parts);
        let mut odd = [0; 8];
        for (to, from) in odd.iter_mut().zip(full.iter().skip(1).step_by(2)) {
            *to = *from;
        }
        odd
    }

    /// One block in electronic code book mode.
    #[must_use]
    pub fn encrypt_block(&self, block: &[u8; BLOCK]) -> [u8; BLOCK] {
        let mut array = Array::from(*block);
        self.0.cipher.encrypt_block(&mut array);
        array.into()
    }

    /// CBC without padding, in place. Bytes after the last whole block are left as they are: callers pad first.
    pub fn cbc_encrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        let cipher = &self.0.cipher;
        let mut chain = *iv;
        for block in data.as_chunks_mut::<BLOCK>().0 {
            let mut array = Array::from(xored(block, &chain));
            cipher.encrypt_block(&mut array);
            chain = array.into();
            *block = chain;
        }
    }

    /// CBC without padding, in place. Bytes after the last whole block are left as they are.
    pub fn cbc_decrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        let cipher = &self.0.cipher;
        let mut chain = *iv;
        for block in data.as_chunks_mut::<BLOCK>().0 {
            let mut array = Array::from(*block);
            cipher.decrypt_block(&mut array);
            let plain = xored(&array.into(), &chain);
            chain = *block;
            *block = plain;
        }
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(redacted)")
    }
}

/// Multiplication by x in GF(2^128), without a branch on secret bits.
fn doubled(block: &[u8; BLOCK]) -> [u8; BLOCK] {
    let shifted = (u128::from_be_bytes(*block) << 1).to_be_bytes();
    let mut reduction = [0; BLOCK];
    reduction[BLOCK - 1] = 0x87 & (block[0] >> 7).wrapping_neg();
    xored(&shifted, &reduction)
}

/// Two blocks, bit by bit.
pub(crate) fn xored(left: &[u8; BLOCK], right: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut sum = *left;
    for (byte, other) in sum.iter_mut().zip(right) {
        *byte ^= other;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};

    #[test]
    fn cmac_agrees_with_nist_sp_800_38b() {
        let key = AesKey::new(array("2B7E151628AED2A6ABF7158809CF4F3C"));
        let message = bytes(
            "6BC1BEE22E409F96E93D7E117393172A AE2D8A571E03AC9C9EB76FAC45AF8E51 \
             30C81C46A35CE411E5FBC1191A0A52EF F69F2445DF4F9B17AD2B417BE66C3710",
        );
        let check = |length: usize, expected| assert_eq!(key.cmac(&[&message[..length]]), array(expected), "{length}");
        check(0, "BB1D6929E95937287FA37D129B756746");
        check(16, "070A16B46B4D4144F79BDD9DD04A287C");
        check(40, "DFA66747DE9AE63030CA32611497C827");
        check(64, "51F0BEBF7E3B9D92FC49741779363CFE");
    }

    #[test]
    fn subkeys_agree_with_nist_sp_800_38b() {
        let (first, second) = AesKey::new(array("2B7E151628AED2A6ABF7158809CF4F3C")).subkeys();
        assert_eq!(first, array("FBEED618357133667C85E08F7236A8DE"));
        assert_eq!(second, array("F7DDAC306AE266CCF90BC11EE46D513B"));
    }

    #[test]
    fn cmac_of_parts_is_the_cmac_of_the_whole() {
        let key = AesKey::new([7; BLOCK]);
        assert_eq!(key.cmac(&[b"one", b"", b"two"]), key.cmac(&[b"onetwo"]));
    }

    #[test]
    fn a_chain_that_begins_with_zero_is_the_plain_cmac() {
        let key = AesKey::new([0x3C; BLOCK]);
        for length in 0..70 {
            let message = vec![0xA7; length];
            assert_eq!(key.chained_cmac(&[0; BLOCK], &[&message]), key.cmac(&[&message]), "{length} bytes");
        }
    }

    #[test]
    fn a_chain_goes_on_from_its_initial_vector() {
        let key = AesKey::new([0x3C; BLOCK]);
        let (iv, message) = ([0x99; BLOCK], [0xA7; 40]);
        let mut folded = message;
        for (byte, other) in folded.iter_mut().zip(iv) {
            *byte ^= other;
        }
        assert_eq!(key.chained_cmac(&iv, &[&message]), key.cmac(&[&folded]));
    }

    #[test]
    fn truncation_keeps_the_odd_bytes_as_an12343_page_15_does() {
        let key = AesKey::new(array("FD9E26C9766F07C1D07106C0F8F3671F"));
        let message = bytes("510000569D4B24");
        assert_eq!(key.cmac(&[&message]), array("ED5CB7A932EF8D7C2E91B42A1139F11B"));
        assert_eq!(key.truncated_cmac(&[&message]), array("5CA9EF7C912A391B"));
    }

    #[test]
    fn cbc_reads_back_what_it_wrote_and_chains() {
        let key = AesKey::new([9; BLOCK]);
        let mut data = [5; 3 * BLOCK];
        key.cbc_encrypt(&[1; BLOCK], &mut data);
        assert_ne!(data[..BLOCK], data[BLOCK..2 * BLOCK]);
        key.cbc_decrypt(&[1; BLOCK], &mut data);
        assert_eq!(data, [5; 3 * BLOCK]);
    }

    #[test]
    fn a_key_never_shows_itself_in_debug() {
        assert_eq!(format!("{:?}", AesKey::new([0xAB; BLOCK])), "AesKey(redacted)");
    }
}
