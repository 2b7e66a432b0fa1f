//! A card as a person writes it down: the JSON from which a card is personalised.

use crate::bytes::{Key, hex_array};
use crate::flaws::Flaw;
use crate::memory::Chip;
use domain::card::{Movement, PinTries, TopUpRecord, Wishes};
use domain::city_pack::CardLayout;
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything the card office writes on one card. `Debug` tells which card it is by its last four digits only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardDescription {
    /// The chip's UID, seven bytes in hexadecimal.
    #[serde(with = "hex_array")]
    pub uid: [u8; 7],
    /// Shows a random UID in anticollision instead of the real one.
    #[serde(default)]
    pub random_uid: bool,
    /// The product.
    #[serde(default)]
    pub chip: Chip,
    /// AID, key and file numbers, as in the city pack.
    pub layout: CardLayout,
    /// The card's keys.
    pub keys: KeySource,
    /// Number, generation, secret.
    pub identity: Identity,
    /// The purse.
    pub purse: Purse,
    /// Top-ups after record 0, oldest first.
    #[serde(default)]
    pub top_ups: Vec<TopUp>,
    /// Movements after record 0, oldest first.
    #[serde(default)]
    pub movements: Vec<Debit>,
    /// PIN tries.
    #[serde(default)]
    pub tries: Tries,
    /// Wishes.
    #[serde(default)]
    pub wishes: WishList,
    /// What the card office did not finish.
    #[serde(default)]
    pub flaws: Vec<Flaw>,
}

impl fmt::Debug for CardDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardDescription").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// One key per role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// Changes the others.
    pub master: Key,
    /// Kiosks read with it.
    pub read: Key,
    /// Validators debit with it.
    pub debit: Key,
    /// Credits.
    pub credit: Key,
    /// Reads the real UID; the same on every card.
    pub uid: Key,
    /// The TransactionMAC file's; the issuer's.
    pub transaction_mac: Key,
    /// The chip's own master key; without it the chip is as it was delivered: a key of zeros, and everybody may create
    /// applications.
    #[serde(default)]
    pub picc: Option<Key>,
    /// What GetKeyVersion tells of each.
    #[serde(default)]
    pub versions: KeyVersions,
}

/// The version byte of each key. Re-keying gives a key another version; 0 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyVersions {
    /// Of the master key.
    pub master: u8,
    /// Of the read key.
    pub read: u8,
    /// Of the debit key.
    pub debit: u8,
    /// Of the credit key.
    pub credit: u8,
    /// Of the key that reads the UID.
    pub uid: u8,
    /// Of the TransactionMAC file's key.
    pub transaction_mac: u8,
    /// Of the chip's own master key.
    pub picc: u8,
}

/// Where a card's keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The city's base keys, diversified for this card (AN10922).
    Base(KeySet),
    /// This card's own keys, ready to be written.
    Card(KeySet),
}

/// The identity file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of the number.
    pub generation: Generation,
    /// The card secret, 32 bytes in hexadecimal.
    #[serde(with = "hex_array")]
    pub secret: [u8; 32],
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("number", &self.number)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// The purse file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purse {
    /// Its value.
    pub value: Cents,
    /// The most it may hold.
    pub max: Cents,
    /// GetValue needs no key.
    #[serde(default = "yes")]
    pub free_get_value: bool,
}

fn yes() -> bool {
    true
}

/// One top-up record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// Rises by one.
    pub counter: u32,
    /// Days since 1970-01-01.
    pub day: Day,
    /// The top-up.
    pub top_up: TopUpId,
    /// What was credited.
    pub amount: Cents,
    /// The purse before.
    pub before: Cents,
    /// The terminal.
    pub terminal: TerminalId,
}

impl From<TopUp> for TopUpRecord {
    fn from(record: TopUp) -> Self {
        let TopUp { counter, day, top_up, amount, before, terminal } = record;
        Self { counter, day, top_up, amount, before, terminal }
    }
}

/// One movement record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debit {
    /// Rises by one.
    pub counter: u32,
    /// Minutes since 1970-01-01T00:00Z.
    pub minute: u32,
    /// The service's number in the city pack.
    pub service: u8,
    /// What was debited.
    pub amount: Cents,
    /// The purse after.
    pub balance: Cents,
}

impl From<Debit> for Movement {
    fn from(record: Debit) -> Self {
        let Debit { counter, minute, service, amount, balance } = record;
        Self { counter, minute, service, amount, balance }
    }
}

/// The tries file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tries {
    /// Rises with every attempt.
    pub attempt: u32,
    /// Wrong attempts since the last right one.
    pub failures: u8,
    /// The version of the PIN; 0 when none was set.
    pub pin_version: u8,
}

impl From<Tries> for PinTries {
    fn from(Tries { attempt, failures, pin_version }: Tries) -> Self {
        Self { attempt, failures, pin_version }
    }
}

/// The wishes file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WishList {
    /// ISO 639 code of two or three letters, or nothing for the terminal's own language.
    pub language: Option<String>,
    /// Large letters.
    pub large_text: bool,
    /// High contrast.
    pub high_contrast: bool,
    /// Speech from the start.
    pub speech: bool,
    /// More time.
    pub more_time: bool,
    /// Two choices a screen.
    pub simple_view: bool,
}

impl WishList {
    /// As on the card; `None` when the language is not two or three ASCII letters.
    pub(crate) fn to_wishes(&self) -> Option<Wishes> {
        let language = match self.language.as_deref() {
            None => None,
            Some(code) => {
                let letters = matches!(code.len(), 2 | 3) && code.bytes().all(|byte| byte.is_ascii_lowercase());
                let mut padded = [0; 3];
                padded[..code.len().min(3)].copy_from_slice(code.as_bytes().get(..code.len().min(3))?);
                Some(letters.then_some(padded)?)
            }
        };
        Some(Wishes {
            language,
            large_text: self.large_text,
            high_contrast: self.high_contrast,
            speech: self.speech,
            more_time: self.more_time,
            simple_view: self.simple_view,
        })
    }
}
