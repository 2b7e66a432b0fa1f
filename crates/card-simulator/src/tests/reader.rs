//! A reader for these tests: the other end of the secure channel, over a `VirtualCard`.

use crate::bytes::Key;
use crate::crypto::{ZERO, cbc_decrypt, cbc_encrypt, cmac, ecb, mac_truncated, padded_80, unpadded_80};
use crate::memory::CommMode;
use crate::{Status, VirtualCard};

const AID: [u8; 3] = [0xF5, 0x1C, 0x01];
pub(crate) const READ: u8 = 1;
pub(crate) const DEBIT: u8 = 2;
pub(crate) const CREDIT: u8 = 3;
pub(crate) const UID: u8 = 4;

/// An authenticated conversation.
pub(crate) struct Reader<'a> {
    pub(crate) card: &'a mut VirtualCard,
    encryption: Key,
    mac: Key,
    transaction: [u8; 4],
    counter: u16,
}

/// One frame or a chain of them: card, command, data to data and status.
type Transmit = fn(&mut VirtualCard, u8, &[u8]) -> (Vec<u8>, u8);

/// What stands for the status of an answer that never came; no card has such a status.
pub(crate) const LOST: u8 = 0xFF;

/// One wrapped frame; data and status.
pub(crate) fn frame(card: &mut VirtualCard, ins: u8, data: &[u8]) -> (Vec<u8>, u8) {
    let mut apdu = vec![0x90, ins, 0, 0];
    if !data.is_empty() {
        apdu.push(u8::try_from(data.len()).unwrap());
        apdu.extend(data);
    }
    apdu.push(0);
    let mut reply = card.transmit(&apdu);
    let Some(status) = reply.pop() else { return (reply, LOST) };
    assert_eq!(reply.pop(), Some(0x91));
    (reply, status)
}

/// A whole command, chained in both directions.
pub(crate) fn command(card: &mut VirtualCard, ins: u8, data: &[u8]) -> (Vec<u8>, u8) {
    let mut chunks = data.chunks(59);
    let (mut whole, mut status) = frame(card, ins, chunks.next().unwrap_or_default());
    for chunk in chunks {
        if status != 0xAF {
            return (whole, status);
        }
        (whole, status) = frame(card, 0xAF, chunk);
    }
    while status == 0xAF {
        let (part, next) = frame(card, 0xAF, &[]);
        whole.extend(part);
        status = next;
    }
    (whole, status)
}

fn rotated(block: &[u8]) -> Vec<u8> {
    [&block[1..], &block[..1]].concat()
}

fn key_of(number: u8) -> Key {
    Key::new([0xA0 + number; 16])
}

impl<'a> Reader<'a> {
    /// Selects the application and authenticates.
    pub(crate) fn open(card: &'a mut VirtualCard, key_number: u8) -> Self {
        assert_eq!(frame(card, 0x5A, &AID).1, 0);
        let mut reader =
            Self { card, encryption: Key::new(ZERO), mac: Key::new(ZERO), transaction: [0; 4], counter: 0 };
        assert_eq!(reader.authenticate(0x71, key_number), 0);
        reader
    }

    /// AuthenticateEV2First or NonFirst.
    pub(crate) fn authenticate(&mut self, ins: u8, key_number: u8) -> u8 {
        let key = key_of(key_number);
        let first = ins == 0x71;
        let request = if first { vec![key_number, 0] } else { vec![key_number] };
        let (cryptogram, status) = frame(self.card, ins, &request);
        if status != 0xAF {
            return status;
        }
        let rnd_b = cbc_decrypt(&key, &ZERO, &cryptogram);
        let rnd_a = [0x1A; 16];
        let answer = cbc_encrypt(&key, &ZERO, &[&rnd_a[..], &rotated(&rnd_b)].concat());
        let (reply, status) = frame(self.card, 0xAF, &answer);
        if status != 0 {
            return status;
        }
        let reply = cbc_decrypt(&key, &ZERO, &reply);
        let echo = if first { &reply[4..20] } else { &reply[..] };
        assert_eq!(echo, rotated(&rnd_a));
        if first {
            self.transaction = reply[..4].try_into().unwrap();
            self.counter = 0;
        }
        let vector = |label: [u8; 2]| {
            let mixed: Vec<u8> = rnd_a[2..8].iter().zip(&rnd_b[..6]).map(|(a, b)| a ^ b).collect();
            let vector = [&label[..], &[0, 1, 0, 0x80], &rnd_a[..2], &mixed, &rnd_b[6..], &rnd_a[8..]].concat();
            Key::new(cmac(&key, &vector))
        };
        self.encryption = vector([0xA5, 0x5A]);
        self.mac = vector([0x5A, 0xA5]);
        0
    }

    fn iv(&self, label: [u8; 2]) -> [u8; 16] {
        let input = [&label[..], &self.transaction, &self.counter.to_le_bytes(), &[0; 8]].concat();
        ecb(&self.encryption, &input.try_into().unwrap())
    }

    fn mac_of(&self, first: u8, data: &[u8]) -> [u8; 8] {
        let message = [&[first], &self.counter.to_le_bytes()[..], &self.transaction, data].concat();
        mac_truncated(&self.mac, &message)
    }

    /// A command in a mode, chained as it needs; the opened reply or the status.
    pub(crate) fn send(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        self.send_by(command, mode, ins, header, data)
    }

    /// A command in full mode that must be done in one frame.
    pub(crate) fn one_frame(&mut self, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        self.send_by(frame, CommMode::Full, ins, header, data)
    }

    fn send_by(
        &mut self,
        transmit: Transmit,
        mode: CommMode,
        ins: u8,
        header: &[u8],
        data: &[u8],
    ) -> Result<Vec<u8>, u8> {
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
        let (reply, status) = transmit(self.card, ins, &body);
        self.counter += 1;
        if status != 0 {
            return Err(status);
        }
        if mode == CommMode::Plain {
            return Ok(reply);
        }
        let (sealed, mac) = reply.split_last_chunk::<8>().unwrap();
        assert_eq!(*mac, self.mac_of(0, sealed), "the reply's MAC");
        if mode == CommMode::Mac || sealed.is_empty() {
            return Ok(sealed.to_vec());
        }
        let plain = cbc_decrypt(&self.encryption, &self.iv([0x5A, 0xA5]), sealed);
        Ok(unpadded_80(&plain).unwrap().to_vec())
    }

    pub(crate) fn full(&mut self, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        self.send(CommMode::Full, ins, header, data)
    }

    pub(crate) fn value(&mut self) -> i32 {
        i32::from_le_bytes(self.full(0x6C, &[2], &[]).unwrap().try_into().unwrap())
    }

    pub(crate) fn credit(&mut self, cents: i32) -> Result<Vec<u8>, u8> {
        self.full(0x0C, &[2], &cents.to_le_bytes())
    }

    /// WriteRecord of 48 bytes to the top-ups file.
    pub(crate) fn write_top_up(&mut self, record: &[u8; 48]) -> Result<Vec<u8>, u8> {
        self.full(0x3B, &[3, 0, 0, 0, 48, 0, 0], record)
    }

    pub(crate) fn reader_id(&mut self) -> Result<Vec<u8>, u8> {
        self.send(CommMode::Mac, 0xC8, &[0x77; 16], &[])
    }

    /// CommitTransaction with evidence.
    pub(crate) fn commit(&mut self) -> Result<Vec<u8>, u8> {
        self.send(CommMode::Mac, 0xC7, &[1], &[])
    }
}

/// The byte of a status, for comparing with what a reader saw.
pub(crate) fn refused(status: Status) -> Result<Vec<u8>, u8> {
    Err(status.byte())
}
