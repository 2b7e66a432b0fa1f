//! The card's non-volatile memory: what survives the loss of the field, and what is saved as JSON.

use crate::bytes::{Key, hex_array, hex_vec, hex_vecs};
use crate::status::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How a file's data crosses the air under a key that may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommMode {
    /// In clear.
    Plain,
    /// In clear with a MAC.
    Mac,
    /// Enciphered with a MAC.
    Full,
}

impl CommMode {
    /// The byte in GetFileSettings.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Plain => 0x00,
            Self::Mac => 0x01,
            Self::Full => 0x03,
        }
    }
}

/// One access right: a key number 0 to 13, `Free` (E) or `Never` (F).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Whoever authenticated with this key.
    Key(u8),
    /// Everybody.
    Free,
    /// Nobody.
    Never,
}

impl Access {
    fn nibble(self) -> u16 {
        match self {
            Self::Key(number) => u16::from(number & 0x0F),
            Self::Free => 0xE,
            Self::Never => 0xF,
        }
    }
}

/// The four rights of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Read.
    pub read: Access,
    /// Write.
    pub write: Access,
    /// Read and write; credit of a value file; CommitReaderID of the TransactionMAC file.
    pub read_write: Access,
    /// Change of these rights.
    pub change: Access,
}

impl Rights {
    /// As in GetFileSettings: read in the highest nibble, least significant byte first.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        let nibbles = [self.read, self.write, self.read_write, self.change];
        nibbles.iter().fold(0_u16, |word, access| word << 4 | access.nibble()).to_le_bytes()
    }
}

/// How a right was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// By the authenticated key: the file's own communication mode.
    ByKey,
    /// To everybody: plain communication.
    Free,
}

/// Looks for any of `rights` that the authenticated key has.
pub(crate) fn granted(rights: &[Access], key: Option<u8>) -> Result<Grant, Status> {
    if key.is_some_and(|number| rights.contains(&Access::Key(number))) {
        return Ok(Grant::ByKey);
    }
    if rights.contains(&Access::Free) {
        return Ok(Grant::Free);
    }
    let nobody = rights.iter().all(|access| *access == Access::Never);
    Err(if nobody { Status::PermissionDenied } else { Status::Authentication })
}

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

/// A cyclic record file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CyclicFile {
    /// Bytes of a record.
    pub record_size: usize,
    /// Records the file was created with; one of them is the mirror, so that one fewer can be read.
    pub max_records: usize,
    /// The committed records, oldest first.
    #[serde(with = "hex_vecs")]
    pub records: Vec<Vec<u8>>,
}

impl CyclicFile {
    /// Appends a record, letting the oldest go when the file is full.
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
    /// Records in a ring.
    Cyclic(CyclicFile),
    /// The evidence of the last commit.
    TransactionMac(TransactionMacFile),
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard { .. } => "Standard",
            Self::Backup { .. } => "Backup",
            Self::Value(_) => "Value",
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

/// One application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// As transmitted in SelectApplication.
    #[serde(with = "hex_array")]
    pub aid: [u8; 3],
    /// KeySettings1.
    pub key_settings: u8,
    /// AES keys, by number.
    pub keys: Vec<Key>,
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

/// Which product GetVersion names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chip {
    /// MIFARE DESFire EV2.
    Ev2,
    /// MIFARE DESFire EV3.
    #[default]
    Ev3,
}

impl Chip {
    /// Hardware and software major version.
    pub(crate) fn major(self) -> (u8, u8) {
        match self {
            Self::Ev2 => (0x12, 0x02),
            Self::Ev3 => (0x33, 0x03),
        }
    }
}

/// Everything non-volatile. `Debug` shows neither the UID nor what the files hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The real UID.
    #[serde(with = "hex_array")]
    pub uid: [u8; 7],
    /// The card shows a random four-byte UID in anticollision.
    pub random_uid: bool,
    /// The product.
    pub chip: Chip,
    /// The applications.
    pub applications: Vec<Application>,
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
    fn rights_are_sent_least_significant_byte_first_with_read_on_top() {
        let rights =
            Rights { read: Access::Never, write: Access::Key(2), read_write: Access::Key(3), change: Access::Key(0) };
        assert_eq!(rights.bytes(), [0x30, 0xF2]);
    }

    #[test]
    fn a_right_is_granted_by_the_key_before_it_is_granted_to_everybody() {
        let rights = [Access::Key(2), Access::Free];
        assert_eq!(granted(&rights, Some(2)), Ok(Grant::ByKey));
        assert_eq!(granted(&rights, Some(1)), Ok(Grant::Free));
        assert_eq!(granted(&rights, None), Ok(Grant::Free));
    }

    #[test]
    fn a_right_of_another_key_asks_for_authentication_and_one_of_nobody_is_denied() {
        assert_eq!(granted(&[Access::Key(2), Access::Never], Some(1)), Err(Status::Authentication));
        assert_eq!(granted(&[Access::Key(2)], None), Err(Status::Authentication));
        assert_eq!(granted(&[Access::Never, Access::Never], Some(1)), Err(Status::PermissionDenied));
    }

    #[test]
    fn a_ring_keeps_one_record_fewer_than_it_was_created_with() {
        let mut file = CyclicFile { record_size: 1, max_records: 4, records: Vec::new() };
        for record in 0..9 {
            file.push(vec![record]);
        }
        assert_eq!(file.records, [[6], [7], [8]]);
    }
}
