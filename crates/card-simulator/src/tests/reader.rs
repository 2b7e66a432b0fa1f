//! A reader for these tests: the other end of both secure channels, over a `VirtualCard`.

mod ev1;
mod ev2;

use crate::bytes::Key;
use crate::crypto::crc32;
use crate::memory::CommMode;
use crate::{Status, VirtualCard};

pub(crate) const AID: [u8; 3] = [0xF5, 0x1C, 0x01];
/// The level of the chip itself.
pub(crate) const CHIP: [u8; 3] = [0; 3];
pub(crate) const MASTER: u8 = 0;
pub(crate) const READ: u8 = 1;
pub(crate) const DEBIT: u8 = 2;
pub(crate) const CREDIT: u8 = 3;
pub(crate) const UID: u8 = 4;

/// How to authenticate: AuthenticateAES or AuthenticateEV2First.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Aes,
    Ev2,
}

pub(crate) const SCHEMES: [Scheme; 2] = [Scheme::Aes, Scheme::Ev2];

/// One end of a secure channel.
trait Channel {
    fn seal(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Vec<u8>;
    /// `data` is the key (or its difference) and the version; the CRC32 of the new key alone follows for another key.
    fn seal_change_key(&mut self, header: u8, data: &[u8; 17], new_key_crc: Option<[u8; 4]>) -> Vec<u8>;
    /// `None` when the reply is not what the card sent. `len` is what was asked for, where that was said.
    fn open(&mut self, mode: CommMode, reply: &[u8], len: Option<usize>) -> Option<Vec<u8>>;
    /// What AuthenticateEV2NonFirst goes on with.
    fn going_on(&self) -> Option<([u8; 4], u16)> {
        None
    }
}

/// Record 0 of the top-ups file: the purse was opened with 12.50 euros.
pub(crate) fn opening_record() -> [u8; 48] {
    let mut record = [0; 48];
    record[24..28].copy_from_slice(&1_250_i32.to_le_bytes());
    record
}

/// An authenticated conversation.
pub(crate) struct Reader<'a> {
    pub(crate) card: &'a mut VirtualCard,
    channel: Box<dyn Channel>,
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

/// Bytes a reply will have, as far as the command tells.
fn length_asked(ins: u8, header: &[u8]) -> Option<usize> {
    match (ins, header) {
        (0xBD | 0xAD, [.., a, b, c]) => Some(crate::bytes::u24([*a, *b, *c])).filter(|length| *length > 0),
        (0x6C, _) => Some(4),
        (0x51, _) => Some(7),
        _ => None,
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn rotated(block: &[u8]) -> Vec<u8> {
    [&block[1..], &block[..1]].concat()
}

/// RndA and the rotated RndB, which both schemes encipher.
fn mixed(rnd_a: &[u8], rnd_b: &[u8]) -> Vec<u8> {
    [rnd_a, &rotated(rnd_b)].concat()
}

pub(crate) fn key_of(number: u8) -> Key {
    Key::new([0xA0 + number; 16])
}

impl<'a> Reader<'a> {
    /// Selects the city's application and authenticates by EV2.
    pub(crate) fn open(card: &'a mut VirtualCard, key_number: u8) -> Self {
        Self::by(Scheme::Ev2, card, key_number)
    }

    /// Selects the city's application and authenticates.
    pub(crate) fn by(scheme: Scheme, card: &'a mut VirtualCard, key_number: u8) -> Self {
        Self::at(card, AID, scheme, key_number, &key_of(key_number)).unwrap()
    }

    /// Selects an application, or the chip, and authenticates with this key.
    pub(crate) fn at(
        card: &'a mut VirtualCard,
        aid: [u8; 3],
        scheme: Scheme,
        number: u8,
        key: &Key,
    ) -> Result<Self, u8> {
        let (_, status) = frame(card, 0x5A, &aid);
        if status != 0 {
            return Err(status);
        }
        let channel: Box<dyn Channel> = match scheme {
            Scheme::Aes => Box::new(ev1::authenticate(card, number, key)?),
            Scheme::Ev2 => Box::new(ev2::authenticate(card, number, key, None)?),
        };
        Ok(Self { card, channel })
    }

    /// Another authentication in the same application, by AA, 71 or 77; its status.
    pub(crate) fn authenticate(&mut self, ins: u8, number: u8) -> u8 {
        self.authenticate_with(ins, number, &key_of(number)).err().unwrap_or(0)
    }

    /// The same with a key of one's own.
    pub(crate) fn authenticate_with(&mut self, ins: u8, number: u8, key: &Key) -> Result<(), u8> {
        let before = self.channel.going_on().filter(|_| ins == 0x77);
        self.channel = match ins {
            0xAA => Box::new(ev1::authenticate(self.card, number, key)?),
            0x77 if before.is_none() => return Err(frame(self.card, 0x77, &[number]).1),
            _ => Box::new(ev2::authenticate(self.card, number, key, before)?),
        };
        Ok(())
    }

    /// A command in a mode, chained as it needs; the opened reply or the status.
    pub(crate) fn send(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        self.send_by(command, mode, ins, header, data)
    }

    /// A command in one frame when it is a twin of longer frames, chained otherwise.
    pub(crate) fn send_whole(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        let by = if matches!(ins, 0xAD | 0x8D) { frame } else { command };
        self.send_by(by, mode, ins, header, data)
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
        let body = self.channel.seal(mode, ins, header, data);
        let (reply, status) = transmit(self.card, ins, &body);
        if status != 0 {
            return Err(status);
        }
        Ok(self.channel.open(mode, &reply, length_asked(ins, header)).expect("the reply's protection"))
    }

    /// A command in a mode, chained as it needs or in one frame, whose answer has one bit turned over on its way;
    /// what the reader makes of it.
    pub(crate) fn misheard(&mut self, bit: usize, mode: CommMode, ins: u8, header: &[u8]) -> Option<Vec<u8>> {
        let body = self.channel.seal(mode, ins, header, &[]);
        let (mut reply, status) = command(self.card, ins, &body);
        assert_eq!(status, 0);
        flip(&mut reply, bit);
        self.channel.open(mode, &reply, length_asked(ins, header))
    }

    /// A command with one bit turned over on its way; the status.
    pub(crate) fn bent(&mut self, bit: usize, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> u8 {
        let mut body = self.channel.seal(mode, ins, header, data);
        flip(&mut body, bit);
        command(self.card, ins, &body).1
    }

    /// A command of any kind, whose answer nobody opens.
    pub(crate) fn say(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) {
        let body = self.channel.seal(mode, ins, header, data);
        command(self.card, ins, &body);
    }

    /// A command that is sent a second time after it was answered; that second status.
    pub(crate) fn repeated(&mut self, mode: CommMode, ins: u8, header: &[u8], data: &[u8]) -> u8 {
        let body = self.channel.seal(mode, ins, header, data);
        assert_eq!(command(self.card, ins, &body).1, 0);
        command(self.card, ins, &body).1
    }

    pub(crate) fn full(&mut self, ins: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, u8> {
        self.send(CommMode::Full, ins, header, data)
    }

    /// A command in MAC mode whose parameters are all header.
    pub(crate) fn mac(&mut self, ins: u8, header: &[u8]) -> Result<Vec<u8>, u8> {
        self.send(CommMode::Mac, ins, header, &[])
    }

    /// ChangeKey. `old` is the key that is there, or none when it is the one of this session; then the answer is bare.
    pub(crate) fn change_key(&mut self, header: u8, new: &Key, version: u8, old: Option<&Key>) -> Result<(), u8> {
        let mut data = [version; 17];
        for (i, byte) in data[..16].iter_mut().enumerate() {
            *byte = new.bytes()[i] ^ old.map_or(0, |old| old.bytes()[i]);
        }
        let body = self.channel.seal_change_key(header, &data, old.map(|_| crc32(new.bytes())));
        let (reply, status) = command(self.card, 0xC4, &body);
        match (status, old) {
            (0, None) => assert_eq!(reply, [0; 0], "the session has ended"),
            (0, Some(_)) => assert_eq!(self.channel.open(CommMode::Mac, &reply, None), Some(vec![])),
            _ => return Err(status),
        }
        Ok(())
    }

    /// DeleteApplication of the selected one, whose session is gone before it could protect the answer.
    pub(crate) fn delete_own(&mut self, aid: &[u8; 3]) -> u8 {
        let body = self.channel.seal(CommMode::Mac, 0xDA, aid, &[]);
        let (reply, status) = command(self.card, 0xDA, &body);
        assert_eq!(reply, [0; 0]);
        status
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
