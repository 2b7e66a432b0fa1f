//! The chip as a reader meets it: authenticated for one sector at a time, and answering each command or refusing it. A
//! refusal ends the authentication (MF1S50YYX, 9.3): the reader begins anew.

use super::access::{Conditions, Operation};
use super::keys::{ClassicKey, ClassicKeyKind};
use super::memory::{BLOCKS, Block, ClassicMemory, SECTOR_BLOCKS};
use super::value::ValueBlock;
use crate::faults::{Cut, Rest};
use crate::picc::Entropy;
use crate::storage::{ClassicHead, Storage};
use std::collections::BTreeMap;

/// Why the chip refused. On the air all of these are the same four bits; readers tell some of them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The card has no such block.
    #[error("no such block")]
    NoBlock,
    /// Another key, or access bits that lock the sector for ever.
    #[error("authentication failed")]
    Authentication,
    /// Not authenticated for this sector, or not with a key that may.
    #[error("not allowed with this key")]
    NotAllowed,
    /// Not a value block, or the result would not fit one.
    #[error("no value block")]
    Value,
    /// The card's memory could not be saved: nothing has changed.
    #[error("the memory could not be written")]
    Memory,
}

/// Who is authenticated, for which sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Authenticated {
    sector: u8,
    kind: ClassicKeyKind,
}

/// The chip.
pub(crate) struct ClassicChip {
    pub(crate) memory: ClassicMemory,
    pub(crate) storage: Storage<ClassicHead>,
    pub(crate) entropy: Entropy,
    /// The next block write is cut.
    pub(crate) cut: Option<Cut>,
    /// Blocks whose last write was too short to be settled, with the bytes that were meant.
    unsettled: BTreeMap<u8, Block>,
    authenticated: Option<Authenticated>,
    /// The transfer buffer, volatile.
    buffer: Option<ValueBlock>,
}

impl ClassicChip {
    pub(crate) fn new(memory: ClassicMemory, entropy: Entropy) -> Self {
        Self {
            memory,
            storage: Storage::default(),
            entropy,
            cut: None,
            unsettled: BTreeMap::new(),
            authenticated: None,
            buffer: None,
        }
    }

    /// The field is gone: only the EEPROM is left.
    pub(crate) fn power_off(&mut self) {
        self.authenticated = None;
        self.buffer = None;
        self.cut = None;
    }

    /// Runs one step; a refusal ends the authentication.
    fn step<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let outcome = run(self);
        if outcome.is_err() {
            self.authenticated = None;
            self.buffer = None;
        }
        outcome
    }

    /// Authenticates for the sector of a block. A key B that can be read is taken, and then opens nothing.
    pub(crate) fn authenticate(&mut self, block: u8, kind: ClassicKeyKind, key: &ClassicKey) -> Result<(), Refusal> {
        self.step(|chip| {
            let sector = sector_of(block)?;
            chip.memory.conditions(sector).map_err(|_| Refusal::Authentication)?;
            let right = match kind {
                ClassicKeyKind::A => chip.memory.key_a(sector),
                ClassicKeyKind::B => chip.memory.key_b(sector),
            };
            if right != *key {
                return Err(Refusal::Authentication);
            }
            chip.authenticated = Some(Authenticated { sector, kind });
            chip.buffer = None;
            Ok(())
        })
    }

    /// The conditions of the block's sector, and the key, when that key opens it.
    fn opened(&self, block: u8) -> Result<(Conditions, ClassicKeyKind), Refusal> {
        let sector = sector_of(block)?;
        let Authenticated { kind, .. } =
            self.authenticated.filter(|known| known.sector == sector).ok_or(Refusal::NotAllowed)?;
        // Checked at each access (MF1S50YYX, 8.7.1), since a write may have broken them a moment ago.
        let conditions = self.memory.conditions(sector).map_err(|_| Refusal::NotAllowed)?;
        if kind == ClassicKeyKind::B && conditions.key_b_is_readable() {
            return Err(Refusal::NotAllowed);
        }
        Ok((conditions, kind))
    }

    /// The block may be used so, and is no trailer.
    fn allowed(&self, block: u8, operation: Operation) -> Result<(), Refusal> {
        let (conditions, kind) = self.opened(block)?;
        let allowed = !is_trailer(block) && conditions.allow(usize::from(block % SECTOR_BLOCKS), operation, kind);
        allowed.then_some(()).ok_or(Refusal::NotAllowed)
    }

    /// Reads a block; of a trailer what may be read, and zeros for the rest, key A always.
    pub(crate) fn read(&mut self, block: u8) -> Result<Block, Refusal> {
        self.step(|chip| {
            if is_trailer(block) {
                return chip.read_trailer(block);
            }
            chip.allowed(block, Operation::Read)?;
            Ok(chip.sensed(block))
        })
    }

    fn read_trailer(&self, block: u8) -> Result<Block, Refusal> {
        let (conditions, kind) = self.opened(block)?;
        let rights = conditions.trailer(kind);
        let mut shown = self.memory.block(block);
        shown[..6].fill(0);
        if !rights.access_read {
            shown[6..10].fill(0);
        }
        if !rights.key_b_read {
            shown[10..].fill(0);
        }
        Ok(shown)
    }

    /// Writes a block. The manufacturer's block is never written. Of a trailer what may be written changes, and the rest
    /// stays; when nothing may, the write is refused.
    pub(crate) fn write(&mut self, block: u8, data: Block) -> Result<(), Refusal> {
        self.step(|chip| {
            let data = if is_trailer(block) {
                chip.merged_trailer(block, data)?
            } else {
                chip.allowed(block, Operation::Write)?;
                data
            };
            chip.store(block, data)
        })
    }

    fn merged_trailer(&self, block: u8, data: Block) -> Result<Block, Refusal> {
        let (conditions, kind) = self.opened(block)?;
        let rights = conditions.trailer(kind);
        let mut merged = self.memory.block(block);
        let parts = [(0..6, rights.key_a_write), (6..10, rights.access_write), (10..16, rights.key_b_write)];
        if parts.iter().all(|(_, may)| !may) {
            return Err(Refusal::NotAllowed);
        }
        for (range, _) in parts.into_iter().filter(|(_, may)| *may) {
            merged[range.clone()].copy_from_slice(&data[range]);
        }
        Ok(merged)
    }

    /// What the chip reads of a data block now: of unsettled bytes, as they were or as they were meant.
    fn sensed(&mut self, block: u8) -> Block {
        let mut data = self.memory.block(block);
        if let Some(meant) = self.unsettled.get(&block) {
            let mut coins = [0; 16];
            (self.entropy)(&mut coins);
            for ((byte, meant), coin) in data.iter_mut().zip(meant).zip(coins) {
                if coin & 1 == 1 {
                    *byte = *meant;
                }
            }
        }
        data
    }

    fn store(&mut self, block: u8, data: Block) -> Result<(), Refusal> {
        if block == 0 {
            return Err(Refusal::NotAllowed);
        }
        let (data, unsettled) = self.written(block, data);
        let mut memory = self.memory.clone();
        memory.set(block, data);
        self.storage.save(&memory).map_err(|error| {
            tracing::warn!(%error, "the card's memory could not be saved");
            Refusal::Memory
        })?;
        self.memory = memory;
        match unsettled {
            Some(meant) => self.unsettled.insert(block, meant),
            None => self.unsettled.remove(&block),
        };
        Ok(())
    }

    /// What a write leaves in the EEPROM and, where it was too short, what was meant.
    fn written(&mut self, block: u8, meant: Block) -> (Block, Option<Block>) {
        let Some(cut) = self.cut.take() else { return (meant, None) };
        let before = self.memory.block(block);
        let written = usize::from(cut.written).min(meant.len());
        let mut left = meant;
        match cut.rest {
            Rest::Before => {
                let kept = meant.len() - written;
                left[..kept].copy_from_slice(&before[..kept]);
                (left, None)
            }
            Rest::Either if !is_trailer(block) && written < meant.len() => {
                left[written..].copy_from_slice(&before[written..]);
                (left, Some(meant))
            }
            Rest::Garbage | Rest::Either => {
                (self.entropy)(&mut left[written..]);
                (left, None)
            }
        }
    }

    /// Loads a value block into the transfer buffer, changed by `by`.
    fn load(&mut self, block: u8, operation: Operation, by: i64) -> Result<(), Refusal> {
        self.step(|chip| {
            chip.allowed(block, operation)?;
            let loaded = ValueBlock::parse(&chip.sensed(block)).ok_or(Refusal::Value)?;
            let value = i64::from(loaded.value).checked_add(by).and_then(|value| i32::try_from(value).ok());
            chip.buffer = Some(ValueBlock { value: value.ok_or(Refusal::Value)?, ..loaded });
            Ok(())
        })
    }

    /// Adds to a value block, into the transfer buffer.
    pub(crate) fn increment(&mut self, block: u8, by: u32) -> Result<(), Refusal> {
        self.load(block, Operation::Increment, i64::from(by))
    }

    /// Takes from a value block, into the transfer buffer. Values may become negative.
    pub(crate) fn decrement(&mut self, block: u8, by: u32) -> Result<(), Refusal> {
        self.load(block, Operation::Decrement, -i64::from(by))
    }

    /// Copies a value block into the transfer buffer.
    pub(crate) fn restore(&mut self, block: u8) -> Result<(), Refusal> {
        self.load(block, Operation::Decrement, 0)
    }

    /// Writes the transfer buffer, with the address byte of the block it came from, to a block of the same sector.
    pub(crate) fn transfer(&mut self, block: u8) -> Result<(), Refusal> {
        self.step(|chip| {
            chip.allowed(block, Operation::Decrement)?;
            let buffer = chip.buffer.ok_or(Refusal::NotAllowed)?;
            chip.store(block, buffer.bytes())
        })
    }
}

fn sector_of(block: u8) -> Result<u8, Refusal> {
    if block < BLOCKS { Ok(block / SECTOR_BLOCKS) } else { Err(Refusal::NoBlock) }
}

fn is_trailer(block: u8) -> bool {
    block % SECTOR_BLOCKS == SECTOR_BLOCKS - 1
}
