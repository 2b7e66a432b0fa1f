//! MIFARE Classic 1K, the cards that the city issued before DESFire: the chip behind its reader (`chip`), its value
//! blocks, access conditions and directory, the city's layout on it (`records`), and the card in the tray (`session`,
//! `credit`). Such a card can be copied in minutes, so it carries little, has no secret, no PIN and no wishes, and is
//! topped up only while central can be reached. What makes a top-up whole on a chip without transactions is `purse`'s.

pub mod access;
pub mod chip;
mod credit;
pub mod directory;
pub mod purse;
pub mod records;
mod session;
mod settle;
pub mod status;
pub mod value_block;

pub use access::{AccessConditions, AccessError, TrailerWrite};
pub use chip::{ClassicChip, DataBlock};
pub use directory::Directory;
pub use records::StoredSeal;
pub use session::ClassicSession;
pub use status::StorageStatus;
pub use value_block::ValueBlock;

use domain::{Cents, Uid};
use keys::KeyError;
use keys::classic::{ClassicKey, PurseSeal};

/// Who may have a MIFARE Classic purse topped up: central, asked over the network for one card and one visit, or the
/// card office. Terminals hold neither of these keys.
pub trait ClassicIssuer {
    /// Key B of one sector of one card.
    ///
    /// # Errors
    /// `KeyError` when there is none to be had now.
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError>;

    /// What was found in the purse, told before anything is written because of it: the issuer compares counter, value
    /// and the seal's MAC with its books. `Some` is the right MAC of the seal that lies there, when only that MAC is
    /// wrong, as after a write of it that was cut off: it is to be written again.
    ///
    /// # Errors
    /// `KeyError` when the books say otherwise, or cannot be asked: then nothing may be written.
    fn purse_found(&mut self, uid: &Uid, found: &PurseFound) -> Result<Option<[u8; 8]>, KeyError>;

    /// The MAC that seals a purse after one top-up. Asked for the next counter before a credit, and for the present
    /// one when its seal was cut off; who answers compares both with what the books say of this card.
    ///
    /// # Errors
    /// `KeyError` when it is not to be had, or the books say otherwise.
    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError>;
}

/// A purse as a terminal found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurseFound {
    /// The counter of the last top-up that the main block has, or that it will have once it is given back what the
    /// backup holds.
    pub counter: u32,
    /// The value that goes with it.
    pub value: Cents,
    /// The seal's block as it lies there. Only the issuer can tell whether its MAC is right.
    pub seal: StoredSeal,
}
