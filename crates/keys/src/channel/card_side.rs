//! The card's side of both channels, small and on its own: nothing here is shared with the reader's side but the AES
//! block cipher. CMAC, CRC and the modes are written again from the publications, slowly and plainly.

use super::CommMode;
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

type Block = [u8; 16];

pub(super) enum Card {
    Ev1 { key: Block, iv: Block },
    Ev2 { enc: Block, mac: Block, transaction_id: [u8; 4], counter: u16 },
}

/// Commands whose CMAC is on the wire in MAC mode on EV1.
const EV1_WRITES: [u8; 10] = [0x3D, 0x8D, 0x3B, 0x8B, 0xDB, 0xBA, 0x0C, 0x1C, 0xDC, 0xC8];

impl Card {
    /// Takes a command apart; `Err` is what a card would answer with an integrity error.
    pub(super) fn take(
        &mut self,
        mode: CommMode,
        command: u8,
        header: usize,
        data: usize,
        message: &[u8],
    ) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Ev1 { key, iv } => ev1_take(key, iv, mode, command, (header, data), message),
            Self::Ev2 { enc, mac, transaction_id, counter } => {
                let place = [counter.to_le_bytes().as_slice(), transaction_id].concat();
                *counter += 1;
                let body = match mode {
                    CommMode::Plain => message,
                    CommMode::Mac | CommMode::Full => {
                        let (body, tag) = message.split_at_checked(message.len().wrapping_sub(8)).ok_or("length")?;
                        let full = cmac(mac, &[0; 16], &[&[command], place.as_slice(), body].concat());
                        if tag != odd(&full) {
                            return Err("MAC");
                        }
                        body
                    }
                };
                let (clear, rest) = body.split_at_checked(header).ok_or("length")?;
                if mode != CommMode::Full || data == 0 {
                    return if rest.len() == data { Ok([clear, rest].concat()) } else { Err("length") };
                }
                let start = [&[0xA5, 0x5A], &place[2..], &place[..2], &[0; 8]].concat();
                let iv = encrypt(enc, &start.try_into().unwrap());
                let plain = cbc_decrypt(enc, &iv, rest);
                let padding = [vec![0x80], vec![0; rest.len() - data - 1]].concat();
                if plain[data..] == padding { Ok([clear, &plain[..data]].concat()) } else { Err("padding") }
            }
        }
    }

    /// The reply of status 00.
    pub(super) fn answer(&mut self, mode: CommMode, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Ev1 { key, iv } => {
                let checked = [data, &[0]].concat();
                if mode == CommMode::Full && !data.is_empty() {
                    let mut plain = [data, &crc(&checked)].concat();
                    plain.resize(plain.len().div_ceil(16) * 16, 0);
                    let cipher = cbc_encrypt(key, iv, &plain);
                    iv.copy_from_slice(&cipher[cipher.len() - 16..]);
                    cipher
                } else {
                    *iv = cmac(key, iv, &checked);
                    [data, &iv[..8]].concat()
                }
            }
            Self::Ev2 { enc, mac, transaction_id, counter } => {
                let place = [counter.to_le_bytes().as_slice(), transaction_id].concat();
                let mut body = data.to_vec();
                if mode == CommMode::Full && !data.is_empty() {
                    body.push(0x80);
                    body.resize(body.len().div_ceil(16) * 16, 0);
                    let start = [&[0x5A, 0xA5], &place[2..], &place[..2], &[0; 8]].concat();
                    body = cbc_encrypt(enc, &encrypt(enc, &start.try_into().unwrap()), &body);
                }
                if mode != CommMode::Plain {
                    let full = cmac(mac, &[0; 16], &[&[0], place.as_slice(), &body].concat());
                    body.extend(odd(&full));
                }
                body
            }
        }
    }
}

fn ev1_take(
    key: &Block,
    iv: &mut Block,
    mode: CommMode,
    command: u8,
    (header, data): (usize, usize),
    message: &[u8],
) -> Result<Vec<u8>, &'static str> {
    if mode == CommMode::Full && data > 0 {
        let (clear, cipher) = message.split_at_checked(header).ok_or("length")?;
        if cipher.is_empty() || !cipher.len().is_multiple_of(16) {
            return Err("length");
        }
        let plain = cbc_decrypt(key, iv, cipher);
        iv.copy_from_slice(&cipher[cipher.len() - 16..]);
        let expected = crc(&[&[command], clear, &plain[..data]].concat());
        let sound = plain[data..data + 4] == expected && plain[data + 4..].iter().all(|&byte| byte == 0);
        return if sound { Ok([clear, &plain[..data]].concat()) } else { Err("CRC") };
    }
    let tagged = mode == CommMode::Mac && EV1_WRITES.contains(&command);
    let (body, tag) = message.split_at_checked(header + data).ok_or("length")?;
    *iv = cmac(key, iv, &[&[command], body].concat());
    let expected: &[u8] = if tagged { &iv[..8] } else { &[] };
    if tag == expected { Ok(body.to_vec()) } else { Err("MAC") }
}

fn encrypt(key: &Block, block: &Block) -> Block {
    let mut block = Array::from(*block);
    Aes128::new(&Array::from(*key)).encrypt_block(&mut block);
    block.into()
}

fn decrypt(key: &Block, block: &Block) -> Block {
    let mut block = Array::from(*block);
    Aes128::new(&Array::from(*key)).decrypt_block(&mut block);
    block.into()
}

fn sum(left: &[u8], right: &[u8]) -> Block {
    std::array::from_fn(|at| left[at] ^ right[at])
}

pub(super) fn cbc_encrypt(key: &Block, iv: &Block, plain: &[u8]) -> Vec<u8> {
    let mut chain = *iv;
    plain
        .chunks(16)
        .flat_map(|block| {
            chain = encrypt(key, &sum(block, &chain));
            chain
        })
        .collect()
}

fn cbc_decrypt(key: &Block, iv: &Block, cipher: &[u8]) -> Vec<u8> {
    let mut chain = iv.to_vec();
    cipher
        .chunks(16)
        .flat_map(|block| {
            let plain = sum(&decrypt(key, block.try_into().unwrap()), &chain);
            chain = block.to_vec();
            plain
        })
        .collect()
}

/// Bit by bit, as SP 800-38B draws it.
fn shifted(block: &Block) -> Block {
    let bits: Vec<bool> = block.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let mut out = [0; 16];
    for (at, bit) in bits.iter().skip(1).enumerate() {
        out[at / 8] |= u8::from(*bit) << (7 - at % 8);
    }
    if bits[0] {
        out[15] ^= 0x87;
    }
    out
}

fn cmac(key: &Block, iv: &Block, message: &[u8]) -> Block {
    let first = shifted(&encrypt(key, &[0; 16]));
    let mut padded = message.to_vec();
    let mask = if !message.is_empty() && message.len().is_multiple_of(16) {
        first
    } else {
        padded.push(0x80);
        while !padded.len().is_multiple_of(16) {
            padded.push(0);
        }
        shifted(&first)
    };
    let last = padded.len() - 16;
    let masked = sum(&padded[last..], &mask);
    padded[last..].copy_from_slice(&masked);
    let cipher = cbc_encrypt(key, iv, &padded);
    cipher[last..].try_into().unwrap()
}

fn odd(full: &Block) -> Vec<u8> {
    [1, 3, 5, 7, 9, 11, 13, 15].map(|at| full[at]).to_vec()
}

/// A bit at a time, without a table.
fn crc(message: &[u8]) -> [u8; 4] {
    let mut register = 0xFFFF_FFFF_u32;
    for byte in message {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            register = if register & 1 == 1 { register >> 1 ^ 0xEDB8_8320 } else { register >> 1 };
        }
    }
    register.to_le_bytes()
}
