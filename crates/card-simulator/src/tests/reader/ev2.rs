//! The reader's end of AuthenticateEV2 and the EV2 channel.

use super::{Channel, frame, mixed, rotated};
use crate::VirtualCard;
use crate::bytes::Key;
use crate::crypto::{ZERO, cbc_decrypt, cbc_encrypt, cmac, ecb, mac_truncated, padded_80, unpadded_80};
use crate::memory::CommMode;

pub(crate) struct Ev2 {
    encryption: Key,
    mac: Key,
    transaction: [u8; 4],
    counter: u16,
}

/// AuthenticateEV2First, or NonFirst with the identifier and the counter of the session it goes on from.
pub(crate) fn authenticate(
    card: &mut VirtualCard,
    number: u8,
    key: &Key,
    before: Option<([u8; 4], u16)>,
) -> Result<Ev2, u8> {
    let (ins, request) = if before.is_none() { (0x71, vec![number, 0]) } else { (0x77, vec![number]) };
    let (cryptogram, status) = frame(card, ins, &request);
    if status != 0xAF {
        return Err(status);
    }
    let rnd_b = cbc_decrypt(key, &ZERO, &cryptogram);
    let rnd_a = [0x1A; 16];
    let answer = cbc_encrypt(key, &ZERO, &mixed(&rnd_a, &rnd_b));
    let (reply, status) = frame(card, 0xAF, &answer);
    if status != 0 {
        return Err(status);
    }
    let reply = cbc_decrypt(key, &ZERO, &reply);
    let (transaction, counter, echo) = match before {
        None => (reply[..4].try_into().unwrap(), 0, &reply[4..20]),
        Some((transaction, counter)) => (transaction, counter, &reply[..]),
    };
    assert_eq!(echo, rotated(&rnd_a));
    let vector = |label: [u8; 2]| {
        let mixed: Vec<u8> = rnd_a[2..8].iter().zip(&rnd_b[..6]).map(|(a, b)| a ^ b).collect();
        let vector = [&label[..], &[0, 1, 0, 0x80], &rnd_a[..2], &mixed, &rnd_b[6..], &rnd_a[8..]].concat();
        Key::new(cmac(key, &vector))
    };
    Ok(Ev2 { encryption: vector([0xA5, 0x5A]), mac: vector([0x5A, 0xA5]), transaction, counter })
}

impl Ev2 {
    fn iv(&self, label: [u8; 2]) -> [u8; 16] {
        let input = [&label[..], &self.transaction, &self.counter.to_le_bytes(), &[0; 8]].concat();
        ecb(&self.encryption, &input.try_into().unwrap())
    }

    fn mac_of(&self, first: u8, data: &[u8]) -> [u8; 8] {
        let message = [&[first], &self.counter.to_le_bytes()[..], &self.transaction, data].concat();
        mac_truncated(&self.mac, &message)
    }
}

impl Channel for Ev2 {
    fn seal(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Vec<u8> {
        let mut body = header.to_vec();
        if mode == CommMode::Full && !data.is_empty() {
            body.extend(cbc_encrypt(&self.encryption, &self.iv([0xA5, 0x5A]), &padded_80(data)));
        } else {
            body.extend(data);
        }
        if mode != CommMode::Plain {
            let mac = self.mac_of(ins, &body);
            body.extend(mac);
        }
        self.counter += 1;
        body
    }

    fn seal_change_key(&mut self, header: u8, data: &[u8; 17], new_key_crc: Option<[u8; 4]>) -> Vec<u8> {
        let data = [data.as_slice(), new_key_crc.as_ref().map_or(&[], <[u8; 4]>::as_slice)].concat();
        self.seal(CommMode::Full, 0xC4, &[header], &data)
    }

    fn open(&mut self, mode: CommMode, reply: &[u8], _: Option<usize>) -> Option<Vec<u8>> {
        if mode == CommMode::Plain {
            return Some(reply.to_vec());
        }
        let (sealed, mac) = reply.split_last_chunk::<8>()?;
        if *mac != self.mac_of(0, sealed) {
            return None;
        }
        if mode == CommMode::Mac || sealed.is_empty() {
            return Some(sealed.to_vec());
        }
        let plain = cbc_decrypt(&self.encryption, &self.iv([0x5A, 0xA5]), sealed);
        unpadded_80(&plain).map(<[u8]>::to_vec)
    }

    fn going_on(&self) -> Option<([u8; 4], u16)> {
        Some((self.transaction, self.counter))
    }
}
