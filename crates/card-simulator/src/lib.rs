//! The citizen's card on the other side of the wire: a MIFARE DESFire EV1, EV2 or EV3 with AES, its secure messaging,
//! transactions, access rights and TransactionMAC, or a MIFARE Classic 1K and the reader that speaks for it; played in
//! process or, through vpcd, behind a real PC/SC service. It also owns the faults a card can suffer, the making of cards
//! from a description, blank and half-made ones too, and what else people lay on a reader. It is written from the chips'
//! public documentation and shares no code with the kiosk's own card driver, so that both sides cannot be wrong alike.
//! It leaves the city's people, their keys and the control of a whole street to others.

mod any_card;
mod blank;
mod bytes;
mod channel;
mod classic;
mod crypto;
mod description;
mod entropy;
mod ev1;
mod ev2;
mod faults;
mod field;
mod flaws;
mod foreign;
mod inspect;
mod iso;
pub mod layout;
pub mod memory;
mod personalise;
mod picc;
mod reader_kind;
mod status;
mod storage;
mod transaction;
pub mod tray;
mod virtual_card;

#[cfg(test)]
mod tests;

pub use any_card::{AnyCard, AnyDescription, DescriptionError};
pub use blank::{BlankDescription, DesfireDescription};
pub use bytes::Key;
pub use classic::{
    BlankClassic, Block, BrokenAccessBits, ClassicBaseKeys, ClassicCard, ClassicCardKeys, ClassicDescription,
    ClassicError, ClassicFlaw, ClassicIdentity, ClassicKey, ClassicKeyKind, ClassicKeySource, ClassicMemory,
    ClassicPurse, ClassicTag, ClassicTopUp, Conditions, Refusal, Seal, SectorKeys, ValueBlock, mad_crc,
    personalise_classic, seal_mac, sector_key,
};
pub use crypto::diversified;
pub use description::{
    CardDescription, Debit, Identity, KeySet, KeySource, KeyVersions, Purse, TopUp, Tries, WishList,
};
pub use faults::{Exchange, Fault, FaultKind, FaultPlan, When};
pub use field::{Field, FieldCard};
pub use flaws::{FileRole, Flaw};
pub use foreign::{ForeignCard, ForeignDescription};
pub use inspect::DebitError;
pub use memory::Chip;
pub use personalise::{PersonaliseError, personalise};
pub use picc::Entropy;
pub use reader_kind::ReaderKind;
pub use status::Status;
pub use storage::StorageError;
pub use tray::{CardHost, TrayEvent};
pub use virtual_card::VirtualCard;
