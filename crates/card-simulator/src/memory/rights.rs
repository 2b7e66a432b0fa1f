//! Who may do what with a file, and how its data crosses the air.

use crate::status::Status;
use serde::{Deserialize, Serialize};

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

    fn from_nibble(nibble: u8) -> Self {
        match nibble & 0x0F {
            0xE => Self::Free,
            0xF => Self::Never,
            number => Self::Key(number),
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

    /// The inverse of [`Self::bytes`].
    pub(crate) fn from_bytes([low, high]: [u8; 2]) -> Self {
        Self {
            read: Access::from_nibble(high >> 4),
            write: Access::from_nibble(high),
            read_write: Access::from_nibble(low >> 4),
            change: Access::from_nibble(low),
        }
    }

    /// The highest key number named.
    pub(crate) fn highest_key(self) -> Option<u8> {
        let number = |access| match access {
            Access::Key(number) => Some(number),
            Access::Free | Access::Never => None,
        };
        [self.read, self.write, self.read_write, self.change].into_iter().filter_map(number).max()
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
    fn rights_come_back_from_their_bytes() {
        for word in [0x1FF0_u16, 0xF230, 0x1330, 0xEFE0, 0x0000, 0xFFFF] {
            assert_eq!(Rights::from_bytes(word.to_le_bytes()).bytes(), word.to_le_bytes());
        }
        assert_eq!(Rights::from_bytes([0x30, 0xF2]).highest_key(), Some(3));
        assert_eq!(Rights::from_bytes([0xEF, 0xFE]).highest_key(), None);
    }
}
