//! The city's older cards: MIFARE Classic 1K. This module owns the chip (64 blocks, access conditions, value blocks), how
//! the city lays its number, purse and top-ups on it, and the making of such cards from a description, broken ones too.
//! Crypto1 is not played: it runs between reader and card, below everything that a PC/SC client can see or do. What the
//! readers' own commands look like is `reader_kind`'s.
//!
//! Written from the public data sheet (MF1S50YYX), AN10787 (the application directory) and AN10922 (key
//! diversification).

mod access;
mod card;
mod chip;
mod description;
mod flaws;
mod inspect;
mod keys;
mod layout;
mod mad;
mod memory;
mod personalise;
mod value;

#[cfg(test)]
mod tests;

pub use access::{BrokenAccessBits, Conditions};
pub use card::ClassicCard;
pub use chip::Refusal;
pub use description::{
    BlankClassic, ClassicBaseKeys, ClassicCardKeys, ClassicDescription, ClassicIdentity, ClassicKeySource,
    ClassicPurse, ClassicTag, ClassicTopUp, SectorKeys,
};
pub use flaws::ClassicFlaw;
pub use inspect::Seal;
pub use keys::{ClassicKey, ClassicKeyKind, seal_mac, sector_key};
pub use mad::mad_crc;
pub use memory::{Block, ClassicMemory};
pub use personalise::{ClassicError, personalise_classic};
pub use value::ValueBlock;

pub(crate) use chip::ClassicChip;
