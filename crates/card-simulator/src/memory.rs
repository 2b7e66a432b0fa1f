//! The card's non-volatile memory: what survives the loss of the field, and what is saved as JSON.

mod rights;

use crate::bytes::{Key, hex_array, hex_vec, hex_vecs};
use crate::status::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub use rights::{Access, CommMode, Rights};
pub(crate) use rights::{Grant, granted};

/// A value file. Amounts are the file's own unit, cents on a purse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueFile {
    /// The least the value may be.
    pub lower: i32,
    /// The most the value may be.
    pub upper: i32,
    /// The value.
    pub value: i32,
    /// LimitedCredit is allowed.
    pub limited_credit: bool,
    /// What LimitedCredit may still give back: the debits of the last transaction.
    pub limited_credit_left: i32,
    /// GetValue is free.
    pub free_get_value: bool,
}

/// A record file, linear or cyclic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFile {
    /// Bytes of a record.
    pub record_size: usize,
    /// Records the file was created with; in a cyclic one the last is the mirror, so that one fewer can be read.
    pub max_records: usize,
    /// The committed records, oldest first.
    #[serde(with = "hex_vecs")]
    pub records: Vec<Vec<u8>>,
}

impl RecordFile {
    /// Appends a record to a cyclic file, letting the oldest go when it is full.
    pub(crate) fn push(&mut self, record: Vec<u8>) {
        self.records.push(record);
        while self.records.len() >= self.max_records.max(2) {
            self.records.remove(0);
        }
    }
}

/// The TransactionMAC file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionMacFile {
    /// AppTransactionMACKey, the issuer's.
    pub key: Key,
    /// Its version.
    pub key_version: u8,
    /// TMC: commits so far.
    pub counter: u32,
    /// TMV of the last commit.
    #[serde(with = "hex_array")]
    pub value: [u8; 8],
    /// The reader identity of the last commit.
    #[serde(with = "hex_array")]
    pub reader_id: [u8; 16],
}

/// What a file holds. `Debug` tells the type only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Contents {
    /// Written at once, without a mirror.
    Standard {
        /// The bytes.
        #[serde(with = "hex_vec")]
        data: Vec<u8>,
    },
    /// Written to a mirror until the commit.
    Backup {
        /// The committed bytes.
        #[serde(with = "hex_vec")]
        data: Vec<u8>,
    },
    /// A purse.
    Value(ValueFile),
    /// Records until it is full.
    Linear(RecordFile),
    /// Records in a ring.
    Cyclic(RecordFile),
    /// The evidence of the last commit.
    TransactionMac(TransactionMacFile),
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard { .. } => "Standard",
            Self::Backup { .. } => "Backup",
            Self::Value(_) => "Value",
            Self::Linear(_) => "Linear",
            Self::Cyclic(_) => "Cyclic",
            Self::TransactionMac(_) => "TransactionMac",
        })
    }
}

/// One file of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Communication under a key.
    pub comm: CommMode,
    /// Who may do what.
    pub rights: Rights,
    /// What it holds.
    pub contents: Contents,
}

impl File {
    /// Bytes of the chip's memory it takes: mirrors included, in pages of 32.
    pub(crate) fn footprint(&self) -> usize {
        let bytes = match &self.contents {
            Contents::Standard { data } => data.len(),
            Contents::Backup { data } => data.len().saturating_mul(2),
            Contents::Linear(file) | Contents::Cyclic(file) => file.record_size.saturating_mul(file.max_records),
            Contents::Value(_) | Contents::TransactionMac(_) => PAGE_LEN,
        };
        bytes.checked_next_multiple_of(PAGE_LEN).unwrap_or(usize::MAX)
    }
}

/// An AES key and the version byte that GetKeyVersion tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredKey")]
pub struct CardKey {
    /// The key.
    pub key: Key,
    /// Its version.
    pub version: u8,
}

impl CardKey {
    /// As the chip leaves its factory: zeros, version 0.
    #[must_use]
    pub fn factory() -> Self {
        Self { key: Key::new([0; 16]), version: 0 }
    }
}

/// A saved key; images of before keys had versions hold the key alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredKey {
    Bare(Key),
    Versioned { key: Key, version: u8 },
}

impl From<StoredKey> for CardKey {
    fn from(stored: StoredKey) -> Self {
        match stored {
            StoredKey::Bare(key) => Self { key, version: 0 },
            StoredKey::Versioned { key, version } => Self { key, version },
        }
    }
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// As transmitted in SelectApplication.
    #[serde(with = "hex_array")]
    pub aid: [u8; 3],
    /// KeySettings1.
    pub key_settings: u8,
    /// AES keys, by number.
    pub keys: Vec<CardKey>,
    /// Files, by number.
    pub files: BTreeMap<u8, File>,
}

impl Application {
    pub(crate) fn file(&self, number: u8) -> Result<&File, Status> {
        self.files.get(&number).ok_or(Status::FileNotFound)
    }

    /// The TransactionMAC file, of which an application has one at most.
    pub(crate) fn transaction_mac(&self) -> Option<(u8, &File, &TransactionMacFile)> {
        self.files.iter().find_map(|(number, file)| match &file.contents {
            Contents::TransactionMac(contents) => Some((*number, file, contents)),
            _ => None,
        })
    }
}

/// Which product it is: what GetVersion names, and which commands it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chip {
    /// MIFARE DESFire EV1: AuthenticateAES only, no TransactionMAC, no frames chained by ISO/IEC 14443-4.
    Ev1,
    /// MIFARE DESFire EV2.
    Ev2,
    /// MIFARE DESFire EV3.
    #[default]
    Ev3,
}

impl Chip {
    /// Hardware and software version, major before minor.
    pub(crate) fn versions(self) -> ([u8; 2], [u8; 2]) {
        match self {
            Self::Ev1 => ([0x01, 0x00], [0x01, 0x04]),
            Self::Ev2 => ([0x12, 0x00], [0x02, 0x00]),
            Self::Ev3 => ([0x33, 0x00], [0x03, 0x00]),
        }
    }
}

/// Bytes of a page of the chip's memory.
const PAGE_LEN: usize = 32;

/// User memory of a 4K chip, in bytes.
const USER_MEMORY_LEN: usize = 4_096;

/// Everybody may list, create and delete; the master key and these settings may be changed.
pub(crate) const FACTORY_SETTINGS: u8 = 0x0F;

fn factory_settings() -> u8 {
    FACTORY_SETTINGS
}

/// Everything non-volatile. `Debug` shows neither the UID nor what the files hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The real UID.
    #[serde(with = "hex_array")]
    pub uid: [u8; 7],
    /// The card shows a random four-byte UID in anticollision.
    pub random_uid: bool,
    /// FormatPICC was switched off for ever.
    #[serde(default)]
    pub format_disabled: bool,
    /// The product.
    pub chip: Chip,
    /// The chip's own master key.
    #[serde(default = "CardKey::factory")]
    pub master: CardKey,
    /// It is still the factory's: a 2K3DES key, which opens nothing but the way to an AES key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub master_is_des: bool,
    /// KeySettings1 of the chip.
    #[serde(default = "factory_settings")]
    pub settings: u8,
    /// The applications.
    pub applications: Vec<Application>,
}

impl Memory {
    /// An empty chip, its master key already an AES key, of zeros.
    #[must_use]
    pub fn blank(chip: Chip, uid: [u8; 7]) -> Self {
        Self {
            uid,
            random_uid: false,
            format_disabled: false,
            chip,
            master: CardKey::factory(),
            master_is_des: false,
            settings: FACTORY_SETTINGS,
            applications: Vec::new(),
        }
    }

    /// What is created still fits the chip.
    pub(crate) fn fits(&self) -> bool {
        let files = self.applications.iter().flat_map(|application| application.files.values());
        let used = files.map(File::footprint).fold(0_usize, usize::saturating_add);
        used <= USER_MEMORY_LEN
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("chip", &self.chip)
            .field("applications", &self.applications)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_saved_before_keys_had_versions_is_of_version_0() {
        let old: CardKey = serde_json::from_str("\"A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1\"").unwrap();
        assert_eq!(old, CardKey { key: Key::new([0xA1; 16]), version: 0 });
        let newer = CardKey { version: 7, ..old };
        let saved = serde_json::to_string(&newer).unwrap();
        assert_eq!(serde_json::from_str::<CardKey>(&saved).unwrap(), newer);
    }

    #[test]
    fn a_ring_keeps_one_record_fewer_than_it_was_created_with() {
        let mut file = RecordFile { record_size: 1, max_records: 4, records: Vec::new() };
        for record in 0..9 {
            file.push(vec![record]);
        }
        assert_eq!(file.records, [[6], [7], [8]]);
    }
}
