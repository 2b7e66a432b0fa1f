//! What can be wrong with a Classic card: writes that were torn, an office that was interrupted, a forger's hand.

use super::description::ClassicTopUp;
use super::layout;
use super::memory::{ClassicMemory, block_of};
use super::personalise::{ClassicError, Sealing, blocks};
use super::value::ValueBlock;
use domain::Cents;
use domain::city_pack::ClassicLayout;
use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassicFlaw {
    /// The main block is no value block: half old, half garbage.
    BrokenMain,
    /// The backup block is no value block.
    BrokenBackup,
    /// The seal is still that of the top-up before the newest: torn between the last two writes of a credit.
    SealBehind,
    /// The seal's MAC is wrong.
    BrokenSeal,
    /// Backup and record of a further credit are written, the main block is not: torn before the write that counts. The
    /// record's counter is the next one, and its `before` what the purse holds.
    TornMidCredit(ClassicTopUp),
    /// Somebody with key B has written more into the purse than was ever sealed.
    ForgedValue(Cents),
    /// The application directory's CRC is wrong.
    WrongMadCrc,
    /// The identity was not written: the office was interrupted before the last step.
    NoIdentity,
}

impl ClassicFlaw {
    pub(super) fn apply(
        self,
        layout: &ClassicLayout,
        sealing: &Sealing,
        memory: &mut ClassicMemory,
    ) -> Result<(), ClassicError> {
        let main = block_of(layout.purse_sector, blocks::MAIN);
        let backup = block_of(layout.purse_sector, blocks::BACKUP);
        let seal = block_of(layout.purse_sector, blocks::SEAL);
        match self {
            Self::BrokenMain => spoil(memory, main, 5),
            Self::BrokenBackup => spoil(memory, backup, 5),
            Self::SealBehind => memory.set(seal, sealing.previous(memory.uid())?),
            Self::BrokenSeal => spoil(memory, seal, 15),
            Self::TornMidCredit(record) => {
                memory.set(backup, memory.block(main));
                let slot = block_of(layout.top_ups_sector, layout::slot_of(record.counter));
                memory.set(slot, layout::top_up(&record).ok_or(ClassicError::Amount("flaws.torn_mid_credit"))?);
            }
            Self::ForgedValue(value) => {
                let value = i32::try_from(value.0).map_err(|_| ClassicError::Amount("flaws.forged_value"))?;
                // The address byte lies in the last four bytes.
                let address = memory.block(main)[12];
                memory.set(main, ValueBlock { value, address }.bytes());
            }
            Self::WrongMadCrc => spoil(memory, 1, 0),
            Self::NoIdentity => memory.set(block_of(layout.identity_sector, 0), [0; 16]),
        }
        Ok(())
    }
}

/// Turns all bits of one byte over.
fn spoil(memory: &mut ClassicMemory, block: u8, byte: usize) {
    let mut bytes = memory.block(block);
    if let Some(byte) = bytes.get_mut(byte) {
        *byte = !*byte;
    }
    memory.set(block, bytes);
}
