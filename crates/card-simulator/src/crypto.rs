//! AES-128 as the card uses it: CBC, CMAC (NIST SP 800-38B), the EV2 truncation and AN10922 diversification; and the
//! CRC of enciphered messages.

use crate::bytes::Key;
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// One AES block.
pub(crate) type Block = [u8; 16];

/// The zero IV.
pub(crate) const ZERO: Block = [0; 16];

fn cipher(key: &Key) -> Aes128 {
    Aes128::new(&Array::from(*key.bytes()))
}

fn encrypt_block(cipher: &Aes128, block: &Block) -> Block {
    let mut block = Array::from(*block);
    cipher.encrypt_block(&mut block);
    block.into()
}

fn decrypt_block(cipher: &Aes128, block: &Block) -> Block {
    let mut block = Array::from(*block);
    cipher.decrypt_block(&mut block);
    block.into()
}

fn xor(a: &Block, b: &Block) -> Block {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// CBC without padding; a trailing partial block is zero-padded by the caller, so `data` is whole blocks.
pub(crate) fn cbc_encrypt(key: &Key, iv: &Block, data: &[u8]) -> Vec<u8> {
    let (cipher, mut chain) = (cipher(key), *iv);
    let mut out = Vec::with_capacity(data.len());
    for block in data.as_chunks::<16>().0 {
        chain = encrypt_block(&cipher, &xor(&chain, block));
        out.extend_from_slice(&chain);
    }
    out
}

/// The inverse of [`cbc_encrypt`].
pub(crate) fn cbc_decrypt(key: &Key, iv: &Block, data: &[u8]) -> Vec<u8> {
    let (cipher, mut chain) = (cipher(key), *iv);
    let mut out = Vec::with_capacity(data.len());
    for block in data.as_chunks::<16>().0 {
        out.extend_from_slice(&xor(&decrypt_block(&cipher, block), &chain));
        chain = *block;
    }
    out
}

/// One block in ECB, which is how EV2 derives its IVs.
pub(crate) fn ecb(key: &Key, block: &Block) -> Block {
    encrypt_block(&cipher(key), block)
}

/// Doubling in GF(2^128) (SP 800-38B section 6.1).
fn doubled(block: &Block) -> Block {
    let shifted = (u128::from_be_bytes(*block)) << 1;
    let reduced = if block[0] & 0x80 == 0 { shifted } else { shifted ^ 0x87 };
    reduced.to_be_bytes()
}

fn subkeys(key: &Key) -> (Block, Block) {
    let k1 = doubled(&encrypt_block(&cipher(key), &ZERO));
    (k1, doubled(&k1))
}

/// Pads as ISO/IEC 9797-1 method 2: 80, then zeros, always at least one byte.
pub(crate) fn padded_80(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    out.resize(out.len().next_multiple_of(16), 0);
    out
}

/// Removes [`padded_80`]; `None` when there is none.
pub(crate) fn unpadded_80(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().rposition(|&byte| byte != 0)?;
    (data[end] == 0x80 && data.len() - end <= 16).then(|| &data[..end])
}

/// AES-CMAC.
pub(crate) fn cmac(key: &Key, message: &[u8]) -> Block {
    cmac_from(key, &ZERO, message)
}

/// AES-CMAC that starts from an IV, as the EV1 channel chains one message to the next.
pub(crate) fn cmac_from(key: &Key, iv: &Block, message: &[u8]) -> Block {
    let (k1, k2) = subkeys(key);
    let whole = !message.is_empty() && message.len().is_multiple_of(16);
    let mut data = if whole { message.to_vec() } else { padded_80(message) };
    mask_last(&mut data, if whole { &k1 } else { &k2 });
    last_block(&cbc_encrypt(key, iv, &data))
}

/// CRC-32 of ISO/IEC/IEEE 8802-3 without its final inversion, least significant byte first, as DESFire sends it.
pub(crate) fn crc32(data: &[u8]) -> [u8; 4] {
    let crc = data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xEDB8_8320 })
    });
    crc.to_le_bytes()
}

fn mask_last(data: &mut [u8], mask: &Block) {
    let start = data.len().saturating_sub(16);
    for (byte, mask) in data[start..].iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// The last whole block, which is where the next message of a chain goes on.
pub(crate) fn last_block(data: &[u8]) -> Block {
    data.last_chunk::<16>().copied().unwrap_or(ZERO)
}

/// The EV2 truncation: bytes 1, 3, 5, … 15 of the CMAC.
pub(crate) fn mac_truncated(key: &Key, message: &[u8]) -> [u8; 8] {
    let full = cmac(key, message);
    std::array::from_fn(|i| full[2 * i + 1])
}

/// Diversifies an AES-128 key (AN10922 section 2.2). `div` is 1 to 31 bytes; the message is always two blocks, so a
/// short one is not plain CMAC.
#[must_use]
pub fn diversified(base: &Key, div: &[u8]) -> Key {
    let (k1, k2) = subkeys(base);
    let mut message = vec![0x01];
    message.extend_from_slice(div);
    let whole = message.len() == 32;
    if !whole {
        message.push(0x80);
        message.resize(32, 0);
    }
    mask_last(&mut message, if whole { &k1 } else { &k2 });
    Key::new(last_block(&cbc_encrypt(base, &ZERO, &message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    fn key(text: &str) -> Key {
        Key::new(unhex(text).try_into().unwrap())
    }

    #[test]
    fn cmac_matches_nist_sp800_38b() {
        let key = key("2B7E151628AED2A6ABF7158809CF4F3C");
        let message = unhex(
            "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710",
        );
        let check = |len: usize, expected| assert_eq!(cmac(&key, &message[..len]).to_vec(), unhex(expected), "{len}");
        check(0, "BB1D6929E95937287FA37D129B756746");
        check(16, "070A16B46B4D4144F79BDD9DD04A287C");
        check(40, "DFA66747DE9AE63030CA32611497C827");
        check(64, "51F0BEBF7E3B9D92FC49741779363CFE");
    }

    #[test]
    fn diversification_matches_an10922_section_2_2_1() {
        let base = key("00112233445566778899AABBCCDDEEFF");
        let (k1, k2) = subkeys(&base);
        assert_eq!(k1.to_vec(), unhex("FBC9F75C9413C041DFEE452D3F0706D1"));
        assert_eq!(k2.to_vec(), unhex("F793EEB928278083BFDC8A5A7E0E0D25"));
        let derived = diversified(&base, &unhex("04782E21801D803042F54E585020416275"));
        assert_eq!(derived.bytes().to_vec(), unhex("A8DD63A3B89D54B37CA802473FDA9175"));
    }

    #[test]
    fn diversification_of_a_short_input_matches_an10957_and_is_not_plain_cmac() {
        let base = key("F3F9377698707B688EAF84ABE39E3791");
        let div = unhex("04DEADBEEFFEED");
        assert_eq!(diversified(&base, &div).bytes().to_vec(), unhex("0BB408BAFF98B6EE9F2E1585777F6A51"));
        let plain = cmac(&base, &[&[0x01], div.as_slice()].concat());
        assert_eq!(plain.to_vec(), unhex("721E2C01E81AF85D815633969CEA2607"));
    }

    #[test]
    fn a_full_length_diversification_input_uses_the_first_subkey() {
        let base = key("00112233445566778899AABBCCDDEEFF");
        let div = [0x5A; 31];
        let whole = cmac(&base, &[&[0x01], div.as_slice()].concat());
        assert_eq!(diversified(&base, &div).bytes(), &whole);
    }

    #[test]
    fn the_crc_matches_the_jekkos_change_key_sample_and_an12343_table_39() {
        let command = [&[0xC4, 0x00][..], &[0x11; 16], &[0x00]].concat();
        assert_eq!(crc32(&command).to_vec(), unhex("CB01B365"), "0x65B301CB, least significant byte first");
        let new_key = unhex("01234567890123456789012345678901");
        assert_eq!(crc32(&new_key).to_vec(), unhex("A0A60868"));
    }

    #[test]
    fn padding_is_always_there_and_comes_off_again() {
        for len in 0..40 {
            let data = vec![0x80; len];
            let padded = padded_80(&data);
            assert_eq!(padded.len() % 16, 0);
            assert!(padded.len() > data.len());
            assert_eq!(unpadded_80(&padded), Some(data.as_slice()));
        }
        assert_eq!(unpadded_80(&[0; 16]), None);
        assert_eq!(unpadded_80(&[1; 16]), None);
    }
}
