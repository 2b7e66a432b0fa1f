//! What the card office makes of a blank Classic card.

use super::access::Conditions;
use super::card::ClassicCard;
use super::description::{
    BlankClassic, ClassicCardKeys, ClassicDescription, ClassicKeySource, ClassicPurse, ClassicTopUp, SectorKeys,
};
use super::keys::{ClassicKey, ClassicKeyKind, seal_key, seal_mac, sector_key};
use super::memory::{Block, ClassicMemory, block_of};
use super::value::ValueBlock;
use super::{layout, mad};
use crate::bytes::Key;
use domain::city_pack::ClassicLayout;
use domain::{Cents, Day, Uid};

/// Blocks of the purse's sector.
pub(super) mod blocks {
    /// The value that counts.
    pub(in crate::classic) const MAIN: u8 = 0;
    /// The value before the newest top-up.
    pub(in crate::classic) const BACKUP: u8 = 1;
    /// What central sealed at the newest top-up.
    pub(in crate::classic) const SEAL: u8 = 2;
}

/// The user byte of our own trailers, which means nothing.
const USER_BYTE: u8 = 0x00;

/// Longest part of the system id that fits a diversification input with a UID of seven bytes.
const SYSTEM_ID_MAX: usize = 16;

/// A description that no card can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClassicError {
    /// The UID has neither four nor seven bytes.
    #[error("a Classic card's UID has four or seven bytes")]
    Uid,
    /// The sectors are not three different ones of 1 to 15.
    #[error("the layout's sectors must be 1 to 15, each once")]
    Sectors,
    /// The system id is too long.
    #[error("the layout's system id is longer than 16 bytes")]
    SystemId,
    /// An amount or a day that the card cannot write.
    #[error("{0} does not fit the card")]
    Amount(&'static str),
    /// The counters of the top-ups do not rise by one from 1 or later.
    #[error("the top-ups' counters must rise by one, and the first is not 0")]
    Counters,
    /// `seal_behind` of a card that was never topped up.
    #[error("no top-up whose seal could be missing")]
    NoTopUp,
}

/// Makes the card.
///
/// # Errors
/// [`ClassicError`] for a description that no card can be made of.
pub fn personalise_classic(description: &ClassicDescription) -> Result<ClassicCard, ClassicError> {
    let uid = Uid::new(&description.uid).map_err(|_| ClassicError::Uid)?;
    let layout = description.layout;
    check(description)?;
    let keys = keys_of(description, &uid);
    let mut memory = ClassicMemory::blank(uid);
    write_directory(&mut memory, &layout, &keys);
    write_purse(&mut memory, description, &keys)?;
    write_top_ups(&mut memory, description, &keys)?;
    let identity = layout::identity(description.identity.number, description.identity.generation);
    memory.set(block_of(layout.identity_sector, 0), identity);
    let SectorKeys { a, b } = &keys.identity;
    memory.set_trailer(layout.identity_sector, a, Conditions::DATA, USER_BYTE, b);
    let sealing = Sealing::of(description, &keys);
    for flaw in &description.flaws {
        flaw.apply(&layout, &sealing, &mut memory)?;
    }
    Ok(ClassicCard::new(memory, Some(layout)))
}

impl ClassicCard {
    /// A card as the factory delivers it.
    ///
    /// # Errors
    /// When the UID has neither four nor seven bytes.
    pub fn described(blank: &BlankClassic) -> Result<Self, ClassicError> {
        let uid = Uid::new(&blank.uid).map_err(|_| ClassicError::Uid)?;
        Ok(Self::new(ClassicMemory::blank(uid), blank.layout))
    }
}

fn check(description: &ClassicDescription) -> Result<(), ClassicError> {
    let layout = description.layout;
    let sectors = [layout.identity_sector, layout.purse_sector, layout.top_ups_sector];
    let [a, b, c] = sectors;
    if !sectors.iter().all(|sector| (1..=15).contains(sector)) || a == b || b == c || a == c {
        return Err(ClassicError::Sectors);
    }
    if description.system_id.len() > SYSTEM_ID_MAX {
        return Err(ClassicError::SystemId);
    }
    if !(Cents::ZERO..=layout.purse_max).contains(&description.purse.value) {
        return Err(ClassicError::Amount("purse.value"));
    }
    let counters = || description.top_ups.iter().map(|record| record.counter);
    let rising = counters().zip(counters().skip(1)).all(|(one, next)| one.checked_add(1) == Some(next));
    (rising && counters().all(|counter| counter != 0)).then_some(()).ok_or(ClassicError::Counters)
}

fn keys_of(description: &ClassicDescription, uid: &Uid) -> ClassicCardKeys {
    match &description.keys {
        ClassicKeySource::Card(keys) => keys.clone(),
        ClassicKeySource::Base(base) => {
            let (layout, id) = (&description.layout, description.system_id.as_str());
            let a = |sector| sector_key(&base.read, uid, sector, ClassicKeyKind::A, id);
            let b = |sector| sector_key(&base.credit, uid, sector, ClassicKeyKind::B, id);
            let both = |sector| SectorKeys { a: a(sector), b: b(sector) };
            ClassicCardKeys {
                directory_b: b(0),
                identity: both(layout.identity_sector),
                purse: both(layout.purse_sector),
                top_ups: both(layout.top_ups_sector),
                seal: seal_key(&base.transaction_mac, uid, id),
            }
        }
    }
}

fn write_directory(memory: &mut ClassicMemory, layout: &ClassicLayout, keys: &ClassicCardKeys) {
    let [first, second] = mad::directory(layout);
    memory.set(1, first);
    memory.set(2, second);
    let public = ClassicKey::new(mad::KEY_A);
    memory.set_trailer(0, &public, Conditions::DATA, mad::GENERAL_PURPOSE, &keys.directory_b);
}

/// Main block as it is now; backup as it was before the newest top-up, or the same on a card that had none.
fn write_purse(
    memory: &mut ClassicMemory,
    description: &ClassicDescription,
    keys: &ClassicCardKeys,
) -> Result<(), ClassicError> {
    let (layout, purse) = (description.layout, description.purse);
    let newest = description.top_ups.last();
    let counter = newest.map_or(0, |record| record.counter);
    let main = value_block(purse.value, counter, "purse.value")?;
    let backup = match newest {
        Some(record) => value_block(record.before, counter.saturating_sub(1), "top_ups")?,
        None => main,
    };
    let seal = Sealing::of(description, keys).newest(memory.uid())?;
    for (index, block) in [(blocks::MAIN, main), (blocks::BACKUP, backup), (blocks::SEAL, seal)] {
        memory.set(block_of(layout.purse_sector, index), block);
    }
    memory.set_trailer(layout.purse_sector, &keys.purse.a, Conditions::PURSE, USER_BYTE, &keys.purse.b);
    Ok(())
}

fn value_block(value: Cents, counter: u32, what: &'static str) -> Result<Block, ClassicError> {
    let value = i32::try_from(value.0).map_err(|_| ClassicError::Amount(what))?;
    Ok(ValueBlock { value, address: layout::address(counter) }.bytes())
}

fn write_top_ups(
    memory: &mut ClassicMemory,
    description: &ClassicDescription,
    keys: &ClassicCardKeys,
) -> Result<(), ClassicError> {
    let sector = description.layout.top_ups_sector;
    for record in &description.top_ups {
        let block = layout::top_up(record).ok_or(ClassicError::Amount("top_ups"))?;
        memory.set(block_of(sector, layout::slot_of(record.counter)), block);
    }
    memory.set_trailer(sector, &keys.top_ups.a, Conditions::DATA, USER_BYTE, &keys.top_ups.b);
    Ok(())
}

/// What central sealed on this card, and when.
pub(super) struct Sealing<'a> {
    key: &'a Key,
    purse: ClassicPurse,
    top_ups: &'a [ClassicTopUp],
}

impl<'a> Sealing<'a> {
    fn of(description: &'a ClassicDescription, keys: &'a ClassicCardKeys) -> Self {
        Self { key: &keys.seal, purse: description.purse, top_ups: &description.top_ups }
    }

    fn newest(&self, uid: &Uid) -> Result<Block, ClassicError> {
        match self.top_ups.last() {
            Some(record) => self.after(uid, record),
            None => {
                let opening = self.purse.opening.unwrap_or(self.purse.value);
                self.seal(uid, 0, opening, self.purse.day, "purse.opening")
            }
        }
    }

    /// The seal before the newest top-up: that of the top-up before it, or of the issue.
    pub(super) fn previous(&self, uid: &Uid) -> Result<Block, ClassicError> {
        match self.top_ups {
            [] => Err(ClassicError::NoTopUp),
            [.., before, _] => self.after(uid, before),
            [first] => {
                let opening = self.purse.opening.unwrap_or(first.before);
                let counter = first.counter.saturating_sub(1);
                self.seal(uid, counter, opening, self.purse.day, "purse.opening")
            }
        }
    }

    fn after(&self, uid: &Uid, record: &ClassicTopUp) -> Result<Block, ClassicError> {
        let after = record.before.checked_add(record.amount).ok_or(ClassicError::Amount("top_ups"))?;
        self.seal(uid, record.counter, after, record.day, "top_ups")
    }

    /// Counter (4), day (2), value after (2), MAC (8).
    fn seal(&self, uid: &Uid, counter: u32, after: Cents, day: Day, what: &'static str) -> Result<Block, ClassicError> {
        let wrong = ClassicError::Amount(what);
        let (after, day) = (layout::card_amount(after).ok_or(wrong)?, layout::card_day(day).ok_or(wrong)?);
        let mac = seal_mac(self.key, uid, counter, after, day);
        let mut block = [0; 16];
        block.copy_from_slice(&[&counter.to_le_bytes()[..], &day.to_le_bytes(), &after.to_le_bytes(), &mac].concat());
        Ok(block)
    }
}
