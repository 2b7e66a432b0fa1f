//! What a reader says of a storage-card command (PC/SC part 3, 3.2.2.1).

/// SW1 SW2 of a storage-card command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageStatus {
    /// 90 00.
    Ok,
    /// 63 00: the card did not answer, refused, or has left; readers do not tell these apart.
    Failed,
    /// 65 81: the block could not be written.
    MemoryFailure,
    /// 67 00: the reader expects another length.
    WrongLength,
    /// 69 82: not authenticated for this block.
    SecurityNotSatisfied,
    /// 6A 81, 6D 00 or 6E 00: the reader has no such function.
    NotSupported,
    /// 6A 82: no such block.
    NoSuchBlock,
    /// Anything else.
    Other([u8; 2]),
}

impl StorageStatus {
    /// Whether the reader does not know the command, so that another form of it may be tried.
    #[must_use]
    pub fn is_unknown_command(self) -> bool {
        // A reader that expects another length knows another form of the command.
        matches!(self, Self::NotSupported | Self::WrongLength)
    }
}

impl From<[u8; 2]> for StorageStatus {
    fn from(status: [u8; 2]) -> Self {
        match status {
            [0x90, 0x00] => Self::Ok,
            [0x63, 0x00] => Self::Failed,
            [0x65, 0x81] => Self::MemoryFailure,
            [0x67, 0x00] => Self::WrongLength,
            [0x69, 0x82] => Self::SecurityNotSatisfied,
            [0x6A, 0x81] | [0x6D | 0x6E, 0x00] => Self::NotSupported,
            [0x6A, 0x82] => Self::NoSuchBlock,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_word_has_its_meaning() {
        let check = |sw1, sw2, expected| assert_eq!(StorageStatus::from([sw1, sw2]), expected);
        check(0x90, 0x00, StorageStatus::Ok);
        check(0x63, 0x00, StorageStatus::Failed);
        check(0x69, 0x82, StorageStatus::SecurityNotSatisfied);
        check(0x6A, 0x81, StorageStatus::NotSupported);
        check(0x6A, 0x82, StorageStatus::NoSuchBlock);
        check(0x6D, 0x00, StorageStatus::NotSupported);
        check(0x69, 0x86, StorageStatus::Other([0x69, 0x86]));
    }

    #[test]
    fn only_an_unknown_command_is_tried_in_another_form() {
        assert!(StorageStatus::NotSupported.is_unknown_command());
        assert!(!StorageStatus::Failed.is_unknown_command());
        assert!(!StorageStatus::SecurityNotSatisfied.is_unknown_command());
    }
}
