//! The reader under a MIFARE Classic card. Such a card knows no APDUs: reader and card speak Crypto1, and a PC/SC client
//! speaks to the reader in pseudo-APDUs (PC/SC part 3, 3.2.2). Keys, reading and writing are alike everywhere; counting
//! with value blocks is not.

use crate::classic::{Block, ClassicChip, ClassicKey, ClassicKeyKind, Refusal, ValueBlock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose commands the reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ReaderKind {
    /// ACS ACR122U and ACR1252: FF D7 stores, increments, decrements (value most significant byte first, written to the
    /// same block) and, with 03, copies a value block within its sector; FF B1 reads a value. Every failure is 63 00.
    #[default]
    Acs,
    /// HID OMNIKEY 5022: FF D4 increments, FF D8 decrements (value least significant byte first). No store, no copy.
    Omnikey,
    /// Feitian R502, as far as libnfc's driver tells: FF D8 stores. It sends FF D7 for increment and decrement alike
    /// and without an operation, so that nobody can say which of the two would be done: refused here.
    Feitian,
    /// Nothing beyond PC/SC: whoever counts must read, check and write.
    Portable,
}

/// Done.
const DONE: [u8; 2] = [0x90, 0x00];
const FAILED: [u8; 2] = [0x63, 0x00];
const WRONG_LENGTH: [u8; 2] = [0x67, 0x00];
const SECURITY_STATUS: [u8; 2] = [0x69, 0x82];
const KEY_NUMBER: [u8; 2] = [0x69, 0x88];
const NOT_SUPPORTED: [u8; 2] = [0x6A, 0x81];
const NO_BLOCK: [u8; 2] = [0x6A, 0x82];
const WRONG_PARAMETERS: [u8; 2] = [0x6B, 0x00];

/// Key structure of FF 82: the key stays in the reader without power (PC/SC part 3, 3.2.2.1.4).
const NON_VOLATILE: u8 = 0x20;

/// What a pseudo-APDU asks for.
enum Command {
    Uid,
    LoadKey { place: Place, key: ClassicKey },
    Authenticate { block: u8, kind: u8, slot: u8 },
    Read { block: u8, length: u8 },
    Write { block: u8, data: Block },
    Store { block: u8, value: i32 },
    Increment { block: u8, by: u32 },
    Decrement { block: u8, by: u32 },
    ReadValue { block: u8 },
    Copy { from: u8, to: u8 },
}

/// Where a key lies in the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    volatile: bool,
    slot: u8,
}

/// A reader and the keys it was given.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    kind: ReaderKind,
    keys: BTreeMap<Place, ClassicKey>,
}

impl Reader {
    /// One that knows no keys yet.
    pub(crate) fn of(kind: ReaderKind) -> Self {
        Self { kind, keys: BTreeMap::new() }
    }

    /// Without power: volatile keys are gone.
    pub(crate) fn power_off(&mut self) {
        self.keys.retain(|place, _| !place.volatile);
    }

    /// The card has refused, or bit errors made it seem so.
    pub(crate) fn refused(&self) -> Vec<u8> {
        FAILED.to_vec()
    }

    /// One pseudo-APDU and its answer.
    pub(crate) fn answer(&mut self, chip: &mut ClassicChip, apdu: &[u8]) -> Vec<u8> {
        match self.kind.parse(apdu).and_then(|command| self.run(chip, command)) {
            Ok(mut data) => {
                data.extend(DONE);
                data
            }
            Err(word) => word.to_vec(),
        }
    }

    fn run(&mut self, chip: &mut ClassicChip, command: Command) -> Result<Vec<u8>, [u8; 2]> {
        let kind = self.kind;
        let word = |refusal| kind.word(refusal);
        match command {
            Command::Uid => return Ok(chip.memory.uid().bytes().to_vec()),
            Command::LoadKey { place, key } => {
                if place.slot > kind.last_slot(place.volatile) {
                    return Err(kind.no_such_key());
                }
                self.keys.insert(place, key);
            }
            Command::Authenticate { block, kind: letter, slot } => {
                let which = key_kind(letter).ok_or(kind.word(Refusal::Authentication))?;
                let key = self.key(slot).ok_or(kind.no_such_key())?;
                chip.authenticate(block, which, &key).map_err(word)?;
            }
            Command::Read { block, length } => {
                let data = chip.read(block).map_err(word)?;
                return Ok(data.iter().copied().take(usize::from(length)).collect());
            }
            Command::Write { block, data } => chip.write(block, data).map_err(word)?,
            Command::Store { block, value } => {
                chip.write(block, ValueBlock { value, address: block }.bytes()).map_err(word)?;
            }
            Command::Increment { block, by } => {
                chip.increment(block, by).and_then(|()| chip.transfer(block)).map_err(word)?;
            }
            Command::Decrement { block, by } => {
                chip.decrement(block, by).and_then(|()| chip.transfer(block)).map_err(word)?;
            }
            Command::ReadValue { block } => {
                let data = chip.read(block).map_err(word)?;
                let read = ValueBlock::parse(&data).ok_or(word(Refusal::Value))?;
                return Ok(read.value.to_be_bytes().to_vec());
            }
            Command::Copy { from, to } => {
                chip.restore(from).and_then(|()| chip.transfer(to)).map_err(word)?;
            }
        }
        Ok(Vec::new())
    }

    /// A slot's key; a volatile one hides a lasting one of the same number.
    fn key(&self, slot: u8) -> Option<ClassicKey> {
        [true, false].into_iter().find_map(|volatile| self.keys.get(&Place { volatile, slot })).cloned()
    }
}

fn key_kind(letter: u8) -> Option<ClassicKeyKind> {
    match letter {
        0x60 => Some(ClassicKeyKind::A),
        0x61 => Some(ClassicKeyKind::B),
        _ => None,
    }
}

impl ReaderKind {
    /// The highest slot for keys.
    fn last_slot(self, volatile: bool) -> u8 {
        match self {
            Self::Acs | Self::Feitian if volatile => 1,
            _ => 0x1F,
        }
    }

    fn no_such_key(self) -> [u8; 2] {
        match self {
            Self::Acs | Self::Feitian => FAILED,
            Self::Omnikey | Self::Portable => KEY_NUMBER,
        }
    }

    /// How this reader says what the card refused.
    fn word(self, refusal: Refusal) -> [u8; 2] {
        match (self, refusal) {
            (Self::Acs | Self::Feitian, _) => FAILED,
            (_, Refusal::NoBlock) => NO_BLOCK,
            (_, Refusal::NotAllowed) => SECURITY_STATUS,
            (Self::Portable, Refusal::Authentication) => SECURITY_STATUS,
            (_, Refusal::Authentication | Refusal::Value | Refusal::Memory) => FAILED,
        }
    }

    fn parse(self, apdu: &[u8]) -> Result<Command, [u8; 2]> {
        let &[0xFF, ins, p1, p2, ref body @ ..] = apdu else {
            return Err(if apdu.len() < 4 { WRONG_LENGTH } else { NOT_SUPPORTED });
        };
        match ins {
            0xCA => get_data(p1, p2),
            0x82 => load_key(p1, p2, body),
            0x86 => authenticate(body),
            0x88 => authenticate_old(p1, p2, body),
            0xB0 | 0xB1 | 0xD4 | 0xD6..=0xD8 if p1 != 0 => Err(WRONG_PARAMETERS),
            0xB0 => read(p2, body),
            0xD6 => Ok(Command::Write { block: p2, data: body_of(body)? }),
            _ => match self {
                Self::Acs => acs(ins, p2, body),
                Self::Omnikey => omnikey(ins, p2, body),
                Self::Feitian => feitian(ins, p2, body),
                Self::Portable => Err(NOT_SUPPORTED),
            },
        }
    }
}

/// Lc and exactly so many bytes.
fn body_of<const N: usize>(body: &[u8]) -> Result<[u8; N], [u8; 2]> {
    let (length, data) = body.split_first().ok_or(WRONG_LENGTH)?;
    let data: [u8; N] = data.try_into().map_err(|_| WRONG_LENGTH)?;
    (usize::from(*length) == N).then_some(data).ok_or(WRONG_LENGTH)
}

/// FF CA 00 00: the UID. FF CA 01 00 asks for an ATS, which these cards have not.
fn get_data(p1: u8, p2: u8) -> Result<Command, [u8; 2]> {
    match (p1, p2) {
        (0, 0) => Ok(Command::Uid),
        _ => Err(NOT_SUPPORTED),
    }
}

/// FF 82 structure slot 06 key.
fn load_key(structure: u8, slot: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    let key = ClassicKey::new(body_of(body)?);
    let volatile = match structure {
        0 => true,
        NON_VOLATILE => false,
        _ => return Err(NOT_SUPPORTED),
    };
    Ok(Command::LoadKey { place: Place { volatile, slot }, key })
}

/// FF 86 00 00 05, version 01, block (two bytes, most significant first), 60 or 61, slot.
fn authenticate(body: &[u8]) -> Result<Command, [u8; 2]> {
    match body_of(body)? {
        [1, 0, block, kind, slot] => Ok(Command::Authenticate { block, kind, slot }),
        _ => Err(WRONG_PARAMETERS),
    }
}

/// FF 88 00 block, 60 or 61, slot: of the readers' older manuals.
fn authenticate_old(p1: u8, block: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    match (p1, body) {
        (0, &[kind, slot]) => Ok(Command::Authenticate { block, kind, slot }),
        (0, _) => Err(WRONG_LENGTH),
        _ => Err(WRONG_PARAMETERS),
    }
}

/// FF B0 00 block length; 0 is a whole block.
fn read(block: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    match body {
        [0] => Ok(Command::Read { block, length: 16 }),
        &[length @ 1..=16] => Ok(Command::Read { block, length }),
        _ => Err(WRONG_LENGTH),
    }
}

/// FF D7 00 block 05 (00 store, 01 increment, 02 decrement) value; FF D7 00 from 02 03 to; FF B1 00 block 04.
fn acs(ins: u8, block: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    match (ins, body) {
        (0xB1, [0 | 4]) => Ok(Command::ReadValue { block }),
        (0xB1, _) => Err(WRONG_LENGTH),
        (0xD7, &[2, 3, to]) => Ok(Command::Copy { from: block, to }),
        (0xD7, _) => {
            let [operation, value @ ..] = body_of::<5>(body)?;
            let by = u32::from_be_bytes(value);
            match operation {
                0 => Ok(Command::Store { block, value: i32::from_be_bytes(value) }),
                1 => Ok(Command::Increment { block, by }),
                2 => Ok(Command::Decrement { block, by }),
                _ => Err(FAILED),
            }
        }
        _ => Err(NOT_SUPPORTED),
    }
}

/// FF D4 00 block 04 value, FF D8 00 block 04 value.
fn omnikey(ins: u8, block: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    match ins {
        0xD4 => Ok(Command::Increment { block, by: u32::from_le_bytes(body_of(body)?) }),
        0xD8 => Ok(Command::Decrement { block, by: u32::from_le_bytes(body_of(body)?) }),
        _ => Err(NOT_SUPPORTED),
    }
}

/// FF D8 00 block 04 value, least significant byte first.
fn feitian(ins: u8, block: u8, body: &[u8]) -> Result<Command, [u8; 2]> {
    match ins {
        0xD8 => Ok(Command::Store { block, value: i32::from_le_bytes(body_of(body)?) }),
        _ => Err(NOT_SUPPORTED),
    }
}
