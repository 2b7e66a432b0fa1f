//! The status byte of a DESFire reply.

/// The second byte of `91 xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Done.
    Ok = 0x00,
    /// Nothing to commit or to abort.
    NoChanges = 0x0C,
    /// There is no room for what was to be created.
    OutOfMemory = 0x0E,
    /// The command is unknown, or not for this chip.
    IllegalCommand = 0x1C,
    /// MAC or padding is wrong.
    Integrity = 0x1E,
    /// There is no key of this number.
    NoSuchKey = 0x40,
    /// The command has the wrong length.
    Length = 0x7E,
    /// Nobody may do that, or not in this state.
    PermissionDenied = 0x9D,
    /// A parameter is out of range.
    Parameter = 0x9E,
    /// There is no such application.
    ApplicationNotFound = 0xA0,
    /// The authentication failed, or another one is needed.
    Authentication = 0xAE,
    /// More frames follow, or are expected.
    AdditionalFrame = 0xAF,
    /// Beyond the end of the file, or beyond the value's limits.
    Boundary = 0xBE,
    /// A chained command or reply was broken off.
    CommandAborted = 0xCA,
    /// There are as many applications as the chip can hold.
    Count = 0xCE,
    /// There is one of this number already.
    Duplicate = 0xDE,
    /// The non-volatile memory failed.
    Memory = 0xEE,
    /// There is no such file.
    FileNotFound = 0xF0,
}

impl Status {
    /// The byte on the wire.
    #[must_use]
    pub fn byte(self) -> u8 {
        self as u8
    }
}
