//! A MIFARE Classic 1K chip behind a PC/SC reader: the storage-card commands of PC/SC part 3 (3.2.2.1), by the
//! standard and not by our layout. Crypto1 runs in the reader.

use super::access::TrailerWrite;
use super::status::StorageStatus;
use super::value_block::{BLOCK_LENGTH, ValueBlock};
use crate::apdu::{Apdu, Reply};
use crate::error::CardError;
use crate::profile::{Change, ReaderProfile};
use crate::transport::{Transport, TransportError};
use domain::Uid;
use keys::classic::{ClassicKey, ClassicKeyKind};
use std::fmt;
use zeroize::Zeroizing;

const LOAD_KEY: u8 = 0x82;
const AUTHENTICATE: u8 = 0x86;
/// The form of PC/SC 2.01, before FF 86.
const AUTHENTICATE_OLD: u8 = 0x88;
const READ_BINARY: u8 = 0xB0;
const UPDATE_BINARY: u8 = 0xD6;
/// The reader's key slot that is used; each load replaces what lay there.
const SLOT: u8 = 0x00;
/// Sectors of a 1K card (MF1S50, 8.6).
const SECTORS: u8 = 16;
/// The trailer is the last of a sector's four blocks.
const BLOCKS_OF_SECTOR: u8 = 4;
const TRAILER: u8 = 3;

/// A block that carries data or a value: neither a trailer nor the maker's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataBlock(u8);

impl DataBlock {
    /// Block `index` (0 to 2) of `sector` (0 to 15); `None` for anything else and for the maker's block.
    #[must_use]
    pub const fn new(sector: u8, index: u8) -> Option<Self> {
        let exists = sector < SECTORS && index < TRAILER && (sector != 0 || index != 0);
        if exists { Some(Self(sector * BLOCKS_OF_SECTOR + index)) } else { None }
    }

    /// The block's number on the card, 1 to 62.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The sector it lies in.
    #[must_use]
    pub const fn sector(self) -> u8 {
        self.0 / BLOCKS_OF_SECTOR
    }
}

/// How this reader wants its keys, found out at the first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyPlace {
    Volatile,
    NonVolatile,
}

/// A MIFARE Classic card on a transport.
pub struct ClassicChip<T> {
    transport: T,
    profile: ReaderProfile,
    lost: bool,
    key_place: Option<KeyPlace>,
    authenticate: u8,
}

impl<T: Transport> ClassicChip<T> {
    /// A card just connected, nothing authenticated.
    pub fn new(transport: T, profile: ReaderProfile) -> Self {
        Self { transport, profile, lost: false, key_place: None, authenticate: AUTHENTICATE }
    }

    /// Whether a transport error closed this handle.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The dialect in use.
    #[must_use]
    pub fn profile(&self) -> ReaderProfile {
        self.profile
    }

    /// The UID as the reader has it (FF CA). Never an authenticator.
    ///
    /// # Errors
    /// `Transport`, or `ForeignUid` when it is neither four nor seven bytes long.
    pub fn uid(&mut self) -> Result<Uid, CardError> {
        let reply = self.transmit(&Apdu::get_uid())?;
        match reply.status() {
            [0x90, 0x00] => Uid::new(reply.data()).map_err(|_| CardError::ForeignUid),
            _ => Err(CardError::ForeignUid),
        }
    }

    /// Loads a key into the reader (FF 82) and authenticates a sector with it (FF 86, or FF 88 on old readers);
    /// `false` when the card does not answer to the key.
    ///
    /// # Errors
    /// `Transport`, or `Storage` when the reader takes no key or knows no authentication.
    pub fn authenticate(&mut self, sector: u8, kind: ClassicKeyKind, key: &ClassicKey) -> Result<bool, CardError> {
        self.load_key(key)?;
        let block = sector.saturating_mul(BLOCKS_OF_SECTOR);
        let mut status = self.authenticate_block(block, kind)?;
        if status.is_unknown_command() && self.authenticate == AUTHENTICATE {
            self.authenticate = AUTHENTICATE_OLD;
            status = self.authenticate_block(block, kind)?;
        }
        match status {
            StorageStatus::Ok => Ok(true),
            StorageStatus::Failed | StorageStatus::SecurityNotSatisfied => Ok(false),
            status => Err(CardError::Storage { command: self.authenticate, status }),
        }
    }

    fn authenticate_block(&mut self, block: u8, kind: ClassicKeyKind) -> Result<StorageStatus, CardError> {
        let kind = match kind {
            ClassicKeyKind::A => 0x60,
            ClassicKeyKind::B => 0x61,
        };
        let reply = if self.authenticate == AUTHENTICATE {
            self.command(&[0xFF, AUTHENTICATE, 0x00, 0x00, 0x05, 0x01, 0x00, block, kind, SLOT])
        } else {
            self.command(&[0xFF, AUTHENTICATE_OLD, 0x00, block, kind, SLOT])
        };
        Ok(StorageStatus::from(reply?.status()))
    }

    /// Readers keep keys in volatile memory, in non-volatile memory, or in either: volatile is better, since nothing
    /// stays behind when the reader loses its power.
    fn load_key(&mut self, key: &ClassicKey) -> Result<(), CardError> {
        let places = match self.key_place {
            Some(place) => vec![place],
            None => vec![KeyPlace::Volatile, KeyPlace::NonVolatile],
        };
        let mut refusal = StorageStatus::Failed;
        for place in places {
            let structure = if place == KeyPlace::Volatile { 0x00 } else { 0x20 };
            let mut command = Zeroizing::new(vec![0xFF, LOAD_KEY, structure, SLOT, 0x06]);
            command.extend_from_slice(key.expose());
            match StorageStatus::from(self.transmit(&Apdu::reader(command))?.status()) {
                StorageStatus::Ok => {
                    self.key_place = Some(place);
                    return Ok(());
                }
                status => refusal = status,
            }
        }
        Err(CardError::Storage { command: LOAD_KEY, status: refusal })
    }

    /// Overwrites the reader's copy of the last key, wherever this reader keeps its keys: after each use of a key B. A
    /// card that was lifted takes the connection with it, and the reader keeps that key until the next card of this kind
    /// is read, whose first key goes into the same place. It is the key of one sector of one card.
    pub(crate) fn forget_key(&mut self) {
        if self.key_place.is_some()
            && !self.lost
            && let Err(error) = self.load_key(&ClassicKey::new([0; 6]))
        {
            tracing::debug!(%error, "the reader keeps a key");
        }
    }

    /// Reads a block (FF B0).
    ///
    /// # Errors
    /// `Storage` when the sector's conditions or the card refuse, `Protocol` on another length, `Transport`.
    pub fn read(&mut self, block: DataBlock) -> Result<[u8; BLOCK_LENGTH], CardError> {
        let reply = self.command(&[0xFF, READ_BINARY, 0x00, block.number(), 0x10])?;
        done(READ_BINARY, &reply)?;
        reply.data().try_into().map_err(|_| CardError::Protocol(READ_BINARY))
    }

    /// Reads a block as a value block; `None` when it is none.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_value(&mut self, block: DataBlock) -> Result<Option<ValueBlock>, CardError> {
        Ok(ValueBlock::read(&self.read(block)?))
    }

    /// Writes a block (FF D6).
    ///
    /// # Errors
    /// `Storage` when the sector's conditions or the card refuse, `Transport`. After either the block may hold the
    /// old bytes, the new ones or neither.
    pub fn write(&mut self, block: DataBlock, bytes: &[u8; BLOCK_LENGTH]) -> Result<(), CardError> {
        self.update(block.number(), bytes)
    }

    /// Writes a sector's trailer: keys and conditions, which [`TrailerWrite`] has checked.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_trailer(&mut self, sector: u8, trailer: &TrailerWrite) -> Result<(), CardError> {
        let block = sector.saturating_mul(BLOCKS_OF_SECTOR).saturating_add(TRAILER);
        self.update(block, trailer.bytes())
    }

    fn update(&mut self, block: u8, bytes: &[u8; BLOCK_LENGTH]) -> Result<(), CardError> {
        let mut command = Zeroizing::new(vec![0xFF, UPDATE_BINARY, 0x00, block, 0x10]);
        command.extend_from_slice(bytes);
        let reply = self.transmit(&Apdu::reader(command))?;
        done(UPDATE_BINARY, &reply)
    }

    /// Adds to or takes from a value block, by the reader's own command or portably; the address byte stays.
    ///
    /// # Errors
    /// `Layout` when the block is no value block or the result would not fit it, else as [`Self::write`].
    pub fn change(&mut self, block: DataBlock, change: Change) -> Result<(), CardError> {
        if let Some(command) = self.profile.change(block.number(), change) {
            let reply = self.transmit(&command)?;
            if !StorageStatus::from(reply.status()).is_unknown_command() {
                return done(command.instruction(), &reply);
            }
        }
        let before = self.read_value(block)?.ok_or(CardError::Layout("purse"))?;
        let value = match change {
            Change::Increment(cents) => before.value.checked_add_unsigned(cents),
            Change::Decrement(cents) => before.value.checked_sub_unsigned(cents),
        };
        let value = value.ok_or(CardError::Layout("purse"))?;
        self.write(block, &ValueBlock { value, ..before }.to_bytes())
    }

    /// Makes `to` hold what `from` holds, address byte included, by the reader's own command or portably, and reads
    /// it back. `from` is known to hold `content`.
    ///
    /// # Errors
    /// `ReadBackDiffers`, else as [`Self::write`].
    pub fn copy(&mut self, from: DataBlock, to: DataBlock, content: ValueBlock) -> Result<(), CardError> {
        if let Some(command) = self.profile.copy(from.number(), to.number()) {
            let status = StorageStatus::from(self.transmit(&command)?.status());
            // Chips differ in whose address byte a transfer leaves behind (MF1S50, 8.6.2.1 says only that it does not
            // change): what is not an exact copy is written.
            if status == StorageStatus::Ok && self.read_value(to)? == Some(content) {
                return Ok(());
            }
            if !status.is_unknown_command() && status != StorageStatus::Ok {
                return Err(CardError::Storage { command: command.instruction(), status });
            }
        }
        self.write_value(to, content)
    }

    /// Writes a value block whole and reads it back.
    ///
    /// # Errors
    /// `ReadBackDiffers`, else as [`Self::write`].
    pub fn write_value(&mut self, block: DataBlock, content: ValueBlock) -> Result<(), CardError> {
        self.write(block, &content.to_bytes())?;
        if self.read_value(block)? == Some(content) { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }

    fn command(&mut self, bytes: &[u8]) -> Result<Reply, CardError> {
        self.transmit(&Apdu::reader(Zeroizing::new(bytes.to_vec())))
    }

    fn transmit(&mut self, command: &Apdu) -> Result<Reply, CardError> {
        if self.lost {
            return Err(TransportError::Closed.into());
        }
        let reply = self.transport.transmit(command);
        self.lost = reply.is_err();
        Ok(reply?)
    }
}

impl<T> fmt::Debug for ClassicChip<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicChip").field("profile", &self.profile).field("lost", &self.lost).finish_non_exhaustive()
    }
}

fn done(command: u8, reply: &Reply) -> Result<(), CardError> {
    match StorageStatus::from(reply.status()) {
        StorageStatus::Ok => Ok(()),
        status => Err(CardError::Storage { command, status }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_block_is_never_a_trailer_nor_the_makers() {
        let check = |sector, index, expected| {
            assert_eq!(DataBlock::new(sector, index).map(DataBlock::number), expected);
        };
        check(0, 0, None);
        check(0, 1, Some(1));
        check(2, 0, Some(8));
        check(2, 3, None);
        check(15, 2, Some(62));
        check(16, 0, None);
        assert_eq!(DataBlock::new(7, 2).map(DataBlock::sector), Some(7));
    }
}
