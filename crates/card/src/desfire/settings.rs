//! What files and applications are made of: communication mode, access rights, kind and size, as GetFileSettings
//! tells them and the Create commands take them.

use crate::error::CardError;
use keys::CommMode;

/// Who may do something with a file: one nibble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever authenticated with this key, 0 to 13.
    Key(u8),
    /// Everybody (E).
    Free,
    /// Nobody (F).
    Never,
}

impl Access {
    fn nibble(self) -> u8 {
        match self {
            Self::Key(number) => number & 0x0F,
            Self::Free => 0x0E,
            Self::Never => 0x0F,
        }
    }

    fn from_nibble(nibble: u8) -> Self {
        match nibble & 0x0F {
            0x0E => Self::Free,
            0x0F => Self::Never,
            number => Self::Key(number),
        }
    }
}

/// The four rights of a file. In DESFire's terms `read` of a value file may also debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRights {
    /// Read; GetValue and Debit of a value file.
    pub read: Access,
    /// Write; GetValue, Debit and LimitedCredit of a value file.
    pub write: Access,
    /// Both; the only right that credits. Of a TransactionMAC file: CommitReaderID.
    pub read_write: Access,
    /// Changes these rights.
    pub change: Access,
}

impl AccessRights {
    /// As on the wire: one 16-bit number with *read* in the highest nibble, LSB first.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        [self.read_write.nibble() << 4 | self.change.nibble(), self.read.nibble() << 4 | self.write.nibble()]
    }

    fn from_bytes([low, high]: [u8; 2]) -> Self {
        Self {
            read: Access::from_nibble(high >> 4),
            write: Access::from_nibble(high),
            read_write: Access::from_nibble(low >> 4),
            change: Access::from_nibble(low),
        }
    }
}

/// The byte of a communication mode in file settings.
pub(super) fn mode_byte(mode: CommMode) -> u8 {
    match mode {
        CommMode::Plain => 0x00,
        CommMode::Mac => 0x01,
        CommMode::Full => 0x03,
    }
}

fn mode_of(byte: u8) -> CommMode {
    match byte & 0x03 {
        0x01 => CommMode::Mac,
        0x03 => CommMode::Full,
        // 00 and 02 are both plain.
        _ => CommMode::Plain,
    }
}

/// Three bytes, LSB first; `None` above 16,777,215.
pub(super) fn u24(number: u32) -> Option<[u8; 3]> {
    match number.to_le_bytes() {
        [a, b, c, 0] => Some([a, b, c]),
        _ => None,
    }
}

/// What GetFileSettings tells of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSettings {
    /// How its data is protected on the wire.
    pub mode: CommMode,
    /// Who may do what.
    pub rights: AccessRights,
    /// What it is.
    pub kind: FileKind,
}

/// The type of a file, with its measures in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Standard data, written at once and without roll-back.
    Standard {
        /// Bytes.
        size: u32,
    },
    /// Data with a mirror, valid after a commit.
    Backup {
        /// Bytes.
        size: u32,
    },
    /// A value.
    Value {
        /// No debit below.
        lower: i32,
        /// No credit above.
        upper: i32,
        /// What LimitedCredit may still give back.
        limited_credit_left: i32,
        /// LimitedCredit is on.
        limited_credit: bool,
        /// Anybody may read the value.
        free_get_value: bool,
    },
    /// Records until the file is full.
    Linear(Records),
    /// Records, the oldest giving way.
    Cyclic(Records),
    /// TMC and TMV.
    TransactionMac {
        /// 02: AES.
        key_option: u8,
        /// Of the issuer's key.
        key_version: u8,
    },
}

/// The measures of a record file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records {
    /// Bytes of one record.
    pub size: u32,
    /// As created; a cyclic file shows one less, since one is the mirror.
    pub capacity: u32,
    /// Records that can be read now.
    pub count: u32,
}

/// Takes numbers off the front of a reply.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u24(&mut self) -> Option<u32> {
        self.take().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    fn records(&mut self) -> Option<Records> {
        Some(Records { size: self.u24()?, capacity: self.u24()?, count: self.u24()? })
    }
}

impl FileSettings {
    /// Reads the reply of GetFileSettings (MF2DLHX0, 11.4.2). What an EV2 or EV3 adds behind it (further sets of
    /// rights, secure dynamic messaging) is not of our layout and left aside.
    ///
    /// # Errors
    /// `Protocol` when it is of no known type, or too short for it.
    pub fn parse(reply: &[u8]) -> Result<Self, CardError> {
        Self::read(&mut Fields(reply)).ok_or(CardError::Protocol(super::command::GET_FILE_SETTINGS))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let kind = fields.u8()?;
        let mode = mode_of(fields.u8()?);
        let rights = AccessRights::from_bytes(fields.take()?);
        let kind = match kind {
            0x00 => FileKind::Standard { size: fields.u24()? },
            0x01 => FileKind::Backup { size: fields.u24()? },
            0x02 => {
                let (lower, upper, limited_credit_left) = (fields.i32()?, fields.i32()?, fields.i32()?);
                let options = fields.u8()?;
                let (limited_credit, free_get_value) = (options & 0x01 != 0, options & 0x02 != 0);
                FileKind::Value { lower, upper, limited_credit_left, limited_credit, free_get_value }
            }
            0x03 => FileKind::Linear(fields.records()?),
            0x04 => FileKind::Cyclic(fields.records()?),
            0x05 => FileKind::TransactionMac { key_option: fields.u8()?, key_version: fields.u8()? },
            _ => return None,
        };
        Some(Self { mode, rights, kind })
    }

    /// The record measures of a linear or cyclic file.
    #[must_use]
    pub fn records(&self) -> Option<Records> {
        match self.kind {
            FileKind::Linear(records) | FileKind::Cyclic(records) => Some(records),
            _ => None,
        }
    }
}

/// A file to be created; a TransactionMAC file has a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewFile {
    /// Standard data.
    Standard {
        /// Bytes.
        size: u32,
    },
    /// Data with a mirror.
    Backup {
        /// Bytes.
        size: u32,
    },
    /// A value.
    Value {
        /// No debit below.
        lower: i32,
        /// No credit above.
        upper: i32,
        /// To begin with.
        value: i32,
        /// LimitedCredit is on.
        limited_credit: bool,
        /// Anybody may read the value.
        free_get_value: bool,
    },
    /// Records until the file is full.
    Linear {
        /// Bytes of one record.
        record_size: u32,
        /// Records.
        capacity: u32,
    },
    /// Records, the oldest giving way.
    Cyclic {
        /// Bytes of one record.
        record_size: u32,
        /// One more than shall be readable.
        capacity: u32,
    },
}

/// What GetKeySettings tells of an application or of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySettings {
    /// KeySettings1: who may change keys and settings, and list.
    pub settings: u8,
    /// How many keys there are.
    pub keys: u8,
    /// Whether they are AES keys.
    pub aes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXUPPER;

    fn check(reply: &str, expected: Option<FileSettings>) {
        let bytes = HEXUPPER.decode(reply.replace(' ', "").as_bytes()).unwrap();
        assert_eq!(FileSettings::parse(&bytes).ok(), expected, "{reply}");
        for length in 0..bytes.len() {
            assert!(FileSettings::parse(&bytes[..length]).is_err(), "{reply} cut to {length}");
        }
    }

    fn rights(read: Access, write: Access, read_write: Access) -> AccessRights {
        AccessRights { read, write, read_write, change: Access::Key(0) }
    }

    #[test]
    fn each_kind_of_file_is_read() {
        use Access::{Free, Key, Never};
        let full = |rights, kind| Some(FileSettings { mode: CommMode::Full, rights, kind });
        check("00 03 F0 1F 400000", full(rights(Key(1), Never, Never), FileKind::Standard { size: 64 }));
        check("01 03 10 11 100000", full(rights(Key(1), Key(1), Key(1)), FileKind::Backup { size: 16 }));
        let value = FileKind::Value {
            lower: 0,
            upper: 15_000,
            limited_credit_left: 0,
            limited_credit: false,
            free_get_value: true,
        };
        check("02 03 30 F2 00000000 983A0000 00000000 02", full(rights(Never, Key(2), Key(3)), value));
        let cyclic = FileKind::Cyclic(Records { size: 48, capacity: 7, count: 2 });
        check("04 03 30 13 300000 070000 020000", full(rights(Key(1), Key(3), Key(3)), cyclic));
        let linear = FileKind::Linear(Records { size: 1, capacity: 2, count: 0 });
        check("03 03 30 13 010000 020000 000000", full(rights(Key(1), Key(3), Key(3)), linear));
        let plain = FileSettings {
            mode: CommMode::Plain,
            rights: rights(Free, Never, Free),
            kind: FileKind::TransactionMac { key_option: 2, key_version: 0 },
        };
        check("05 00 E0 EF 02 00", Some(plain));
    }

    #[test]
    fn a_file_of_no_known_type_is_not_guessed_at() {
        assert!(FileSettings::parse(&[6; 20]).is_err());
    }

    #[test]
    fn rights_are_written_as_the_layout_says() {
        let check = |rights: AccessRights, expected| assert_eq!(rights.bytes(), expected);
        check(rights(Access::Key(1), Access::Never, Access::Never), [0xF0, 0x1F]);
        check(rights(Access::Never, Access::Key(2), Access::Key(3)), [0x30, 0xF2]);
        // AN12343, p. 83: the rights 101F of its TransactionMAC file.
        check(rights(Access::Key(1), Access::Never, Access::Key(1)), [0x10, 0x1F]);
    }

    #[test]
    fn numbers_of_more_than_three_bytes_are_refused() {
        assert_eq!(u24(0x01_02_03), Some([3, 2, 1]));
        assert_eq!(u24(0x0100_0000), None);
    }
}
