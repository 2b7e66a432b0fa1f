//! The reader's end of AuthenticateAES and the EV1 channel.

use super::{Channel, frame, mixed, rotated};
use crate::VirtualCard;
use crate::bytes::Key;
use crate::crypto::{cbc_decrypt, cbc_encrypt, cmac_from, crc32};
use crate::memory::CommMode;

/// Commands whose MAC is sent in MAC mode.
const WITH_MAC: [u8; 8] = [0x3D, 0x8D, 0x3B, 0x8B, 0xDB, 0xBA, 0x0C, 0xC8];

pub(crate) struct Ev1 {
    key: Key,
    iv: [u8; 16],
}

/// AuthenticateAES: one IV runs through the three messages.
pub(crate) fn authenticate(card: &mut VirtualCard, number: u8, key: &Key) -> Result<Ev1, u8> {
    let (cryptogram, status) = frame(card, 0xAA, &[number]);
    if status != 0xAF {
        return Err(status);
    }
    let rnd_b = cbc_decrypt(key, &[0; 16], &cryptogram);
    let rnd_a: Vec<u8> = (0x20..0x30).collect();
    let answer = cbc_encrypt(key, &tail(&cryptogram), &mixed(&rnd_a, &rnd_b));
    let (reply, status) = frame(card, 0xAF, &answer);
    if status != 0 {
        return Err(status);
    }
    assert_eq!(cbc_decrypt(key, &tail(&answer), &reply), rotated(&rnd_a));
    let session = [&rnd_a[..4], &rnd_b[..4], &rnd_a[12..], &rnd_b[12..]].concat();
    Ok(Ev1 { key: Key::new(session.try_into().unwrap()), iv: [0; 16] })
}

fn tail(data: &[u8]) -> [u8; 16] {
    *data.last_chunk().unwrap()
}

impl Ev1 {
    fn mac(&mut self, message: &[u8]) -> [u8; 8] {
        self.iv = cmac_from(&self.key, &self.iv, message);
        *self.iv.first_chunk().unwrap()
    }

    fn encipher(&mut self, mut plain: Vec<u8>) -> Vec<u8> {
        plain.resize(plain.len().next_multiple_of(16), 0);
        let sealed = cbc_encrypt(&self.key, &self.iv, &plain);
        self.iv = tail(&sealed);
        sealed
    }

    /// Without the length the CRC tells where the data ends; a CRC that begins with 00 fits one byte later too.
    fn decipher(&mut self, sealed: &[u8], len: Option<usize>) -> Option<Vec<u8>> {
        if !sealed.len().is_multiple_of(16) {
            return None;
        }
        let plain = cbc_decrypt(&self.key, &self.iv, sealed);
        self.iv = tail(sealed);
        let is_end = |end: &usize| {
            let crc = crc32(&[&plain[..*end], &[0]].concat());
            plain[*end..*end + 4] == crc && plain[*end + 4..].iter().all(|byte| *byte == 0)
        };
        let mut likely = len.map_or(1..=plain.len() - 4, |len| len..=len).rev();
        likely.find(|end| end + 4 <= plain.len() && is_end(end)).map(|end| plain[..end].to_vec())
    }
}

impl Channel for Ev1 {
    fn seal(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Vec<u8> {
        let clear = [header, data].concat();
        let message = [&[ins], clear.as_slice()].concat();
        if mode == CommMode::Full && !data.is_empty() {
            return [header, &self.encipher([data, &crc32(&message)].concat())].concat();
        }
        let mac = self.mac(&message);
        if mode == CommMode::Mac && WITH_MAC.contains(&ins) { [clear.as_slice(), &mac].concat() } else { clear }
    }

    fn seal_change_key(&mut self, header: u8, data: &[u8; 17], new_key_crc: Option<[u8; 4]>) -> Vec<u8> {
        let crc = crc32(&[&[0xC4, header], data.as_slice()].concat());
        let plain = [data.as_slice(), &crc, new_key_crc.as_ref().map_or(&[], <[u8; 4]>::as_slice)].concat();
        [&[header], self.encipher(plain).as_slice()].concat()
    }

    /// Every reply has its MAC or its CRC, that of a plain command too.
    fn open(&mut self, mode: CommMode, reply: &[u8], len: Option<usize>) -> Option<Vec<u8>> {
        if mode == CommMode::Full && reply.len() >= 16 {
            return self.decipher(reply, len);
        }
        let (data, mac) = reply.split_last_chunk::<8>()?;
        (*mac == self.mac(&[data, &[0]].concat())).then(|| data.to_vec())
    }
}
