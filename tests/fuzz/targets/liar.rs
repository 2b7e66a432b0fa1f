//! A card that says whatever the fuzzer likes, behind a secure channel that is right: so the bytes reach what lies
//! above it. Every authentication succeeds, with keys that both sides know.

use card::{Apdu, Reply, Transport, TransportError};
use domain::Uid;
use keys::classic::{ClassicKey, ClassicKeyKind, ClassicKeys};
use keys::{AesKey, Authentication, CardKeys, KeyError, KeyOnCard, KeyRole, Scheme, Session, SessionKeys};

const ENC: [u8; 16] = [0x22; 16];
const MAC: [u8; 16] = [0x33; 16];
const TRANSACTION_ID: [u8; 4] = [1, 2, 3, 4];
/// Bytes of a GetValue without a MAC.
const FREE_GET_VALUE: usize = 7;
/// Exchanges after which the card falls silent, so that each run ends.
const EXCHANGES_MAX: u32 = 200;

/// Keys that take every card for a genuine one.
pub(crate) struct Gullible;

impl CardKeys for Gullible {
    fn versions(&self, _: KeyRole) -> usize {
        1
    }

    fn authentication(&mut self, _: &KeyOnCard, _: usize, _: Scheme) -> Result<Box<dyn Authentication + '_>, KeyError> {
        Ok(Box::new(Self))
    }
}

impl Authentication for Gullible {
    fn start(&mut self, _: &[u8; 16]) -> Result<[u8; 32], KeyError> {
        Ok([0; 32])
    }

    fn finish(self: Box<Self>, answer: &[u8]) -> Result<Session, KeyError> {
        let (enc, mac) = (AesKey::new(ENC), AesKey::new(MAC));
        match answer.len() {
            32 => Ok(Session::Ev2(SessionKeys { enc, mac, transaction_id: TRANSACTION_ID })),
            _ => Err(KeyError::Rejected),
        }
    }
}

impl ClassicKeys for Gullible {
    fn sector_key(&mut self, _: &Uid, _: u8, _: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
        Ok(ClassicKey::new([0xA0; 6]))
    }
}

/// The card. Each of its replies is a piece of `script`: a length byte, then so many bytes; a length of FF is an error
/// status, which follows it.
pub(crate) struct Liar<'a> {
    script: &'a [u8],
    atr: &'static [u8],
    counter: u16,
    exchanges: u32,
}

impl<'a> Liar<'a> {
    pub(crate) fn desfire(script: &'a [u8]) -> Self {
        Self { script, atr: &[0x3B, 0x81, 0x80, 0x01, 0x80, 0x80], counter: 0, exchanges: 0 }
    }

    /// PC/SC part 3's ATR of a MIFARE Classic 1K.
    pub(crate) fn classic(script: &'a [u8]) -> Self {
        const ATR: &[u8] = &[0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 3, 6, 3, 0, 1, 0, 0, 0, 0, 0x6A];
        Self { script, atr: ATR, counter: 0, exchanges: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.script.split_first()?;
        self.script = rest;
        Some(*first)
    }

    /// The next piece, or the error status that stands for one.
    fn piece(&mut self) -> Result<&'a [u8], u8> {
        match self.byte() {
            None => Err(0x1E),
            Some(0xFF) => Err(self.byte().unwrap_or(0x9D)),
            Some(length) => {
                let (piece, rest) = self.script.split_at(self.script.len().min(usize::from(length)));
                self.script = rest;
                Ok(piece)
            }
        }
    }

    fn answer(&mut self, command: &Apdu) -> Vec<u8> {
        match command.instruction() {
            0x71 => [&[0; 16][..], &[0x91, 0xAF]].concat(),
            0xAF => [&[0; 32][..], &[0x91, 0x00]].concat(),
            0x5A => {
                self.counter = 0;
                vec![0x91, 0x00]
            }
            _ => match self.piece() {
                Ok(plain) => [self.sealed(command, plain), vec![0x91, 0x00]].concat(),
                Err(status) => vec![0x91, status],
            },
        }
    }

    /// As an EV2 card protects this command's reply (AN12343, 3.4).
    fn sealed(&mut self, command: &Apdu, plain: &[u8]) -> Vec<u8> {
        self.counter = self.counter.wrapping_add(1);
        let mut body = plain.to_vec();
        match command.instruction() {
            // GetValue is free in the layout, hence plain but under the credit key: then the command has a MAC.
            0x6C if command.bytes().len() == FREE_GET_VALUE => return body,
            0x51 | 0x6C | 0xAD | 0xBD | 0xAB | 0xBB if !plain.is_empty() => {
                body.push(0x80);
                body.resize(body.len().next_multiple_of(16), 0);
                let enc = AesKey::new(ENC);
                let mut block = [0; 16];
                block[..2].copy_from_slice(&[0x5A, 0xA5]);
                block[2..6].copy_from_slice(&TRANSACTION_ID);
                block[6..8].copy_from_slice(&self.counter.to_le_bytes());
                enc.cbc_encrypt(&enc.encrypt_block(&block), &mut body);
            }
            _ => {}
        }
        let mac = AesKey::new(MAC).truncated_cmac(&[&[0], &self.counter.to_le_bytes(), &TRANSACTION_ID, &body]);
        body.extend(mac);
        body
    }

    /// The reader's own commands: the UID, and all of a storage card's.
    fn reader(&mut self) -> Vec<u8> {
        match self.piece() {
            Ok(data) => [data, &[0x90, 0x00]].concat(),
            Err(status) => vec![0x63, status],
        }
    }
}

impl Transport for Liar<'_> {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        self.exchanges += 1;
        if self.exchanges > EXCHANGES_MAX {
            return Err(TransportError::CardGone);
        }
        let bytes = command.bytes();
        let reply = if bytes.first() == Some(&0xFF) { self.reader() } else { self.answer(command) };
        Reply::parse(reply)
    }

    fn atr(&self) -> &[u8] {
        self.atr
    }
}
