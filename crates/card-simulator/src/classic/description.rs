//! A Classic card as a person writes it down (JSON).

use super::flaws::ClassicFlaw;
use super::keys::ClassicKey;
use crate::bytes::{Key, hex_array, hex_vec};
use crate::description::KeySet;
use domain::city_pack::ClassicLayout;
use domain::{CardNumber, Cents, Day, Generation};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `"technology": "classic"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassicTag {
    /// MIFARE Classic 1K.
    #[default]
    Classic,
}

/// A card as the factory delivers it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlankClassic {
    /// What it is.
    #[serde(default)]
    pub technology: ClassicTag,
    /// `true`; the other cards do without.
    pub blank: bool,
    /// The chip's UID, four or seven bytes in hexadecimal.
    #[serde(with = "hex_vec")]
    pub uid: Vec<u8>,
    /// Where its owner looks for things once it is personalised; nowhere unless told.
    #[serde(default)]
    pub layout: Option<ClassicLayout>,
}

impl fmt::Debug for BlankClassic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlankClassic")
    }
}

/// Everything the card office writes on one card. `Debug` tells which card it is by its last four digits only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicDescription {
    /// What it is.
    #[serde(default)]
    pub technology: ClassicTag,
    /// The chip's UID, four or seven bytes in hexadecimal.
    #[serde(with = "hex_vec")]
    pub uid: Vec<u8>,
    /// Sectors and limits, as in the city pack.
    pub layout: ClassicLayout,
    /// As in the city pack: enters the keys of this card; at most 16 bytes.
    pub system_id: String,
    /// The card's keys.
    pub keys: ClassicKeySource,
    /// Number and generation.
    pub identity: ClassicIdentity,
    /// The purse.
    pub purse: ClassicPurse,
    /// Top-ups, oldest first, their counters rising by one; the newest three are on the card.
    #[serde(default)]
    pub top_ups: Vec<ClassicTopUp>,
    /// What is wrong with the card, in this order.
    #[serde(default)]
    pub flaws: Vec<ClassicFlaw>,
}

impl fmt::Debug for ClassicDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicDescription").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Where a card's keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassicKeySource {
    /// The city's base keys, diversified for this card (AN10922).
    Base(ClassicBaseKeys),
    /// This card's own keys, ready to be written.
    Card(ClassicCardKeys),
}

/// The city's base keys that a Classic card comes of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicBaseKeys {
    /// Of key A.
    pub read: Key,
    /// Of key B.
    pub credit: Key,
    /// Of the purse's seal.
    pub transaction_mac: Key,
}

impl From<&KeySet> for ClassicBaseKeys {
    fn from(keys: &KeySet) -> Self {
        let KeySet { read, credit, transaction_mac, .. } = keys.clone();
        Self { read, credit, transaction_mac }
    }
}

/// The keys of one card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicCardKeys {
    /// Key B of sector 0; its key A is the directory's public one.
    pub directory_b: ClassicKey,
    /// Of the identity sector.
    pub identity: SectorKeys,
    /// Of the purse's sector.
    pub purse: SectorKeys,
    /// Of the top-ups' sector.
    pub top_ups: SectorKeys,
    /// The seal's.
    pub seal: Key,
}

/// The two keys of a sector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectorKeys {
    /// Reads, and takes from a purse.
    pub a: ClassicKey,
    /// Writes.
    pub b: ClassicKey,
}

/// The identity sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicIdentity {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of the number.
    pub generation: Generation,
}

/// The purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicPurse {
    /// What it holds now.
    pub value: Cents,
    /// What it was issued with, which the seal of a card without top-ups holds; `value` when nothing is said.
    #[serde(default)]
    pub opening: Option<Cents>,
    /// The day it was issued on, in days since 1970-01-01: the seal's on a card without top-ups.
    #[serde(default = "first_day")]
    pub day: Day,
}

fn first_day() -> Day {
    super::layout::day_of(0)
}

/// One top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicTopUp {
    /// Rises by one; the first top-up has 1.
    pub counter: u32,
    /// Days since 1970-01-01.
    pub day: Day,
    /// The first six bytes of the top-up's id.
    #[serde(with = "hex_array")]
    pub top_up: [u8; 6],
    /// What was credited.
    pub amount: Cents,
    /// The purse before.
    pub before: Cents,
}
