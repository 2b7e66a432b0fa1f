//! The status byte of a DESFire reply.

/// What the card says of a command (MF2DLHX0 data sheet; `91 SS` on the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 00
    Ok,
    /// 0C: nothing to commit or abort.
    NoChanges,
    /// 0E
    OutOfMemory,
    /// 1C
    IllegalCommand,
    /// 1E: MAC, CRC or padding wrong.
    IntegrityError,
    /// 40
    NoSuchKey,
    /// 7E
    LengthError,
    /// 9D
    PermissionDenied,
    /// 9E
    ParameterError,
    /// A0
    ApplicationNotFound,
    /// A1: the application's data is damaged.
    ApplicationIntegrity,
    /// AD: after many failures the card lets time pass before it authenticates again (EV2 and later).
    AuthenticationDelay,
    /// AE
    AuthenticationError,
    /// AF: more frames follow, or are expected.
    MoreFrames,
    /// BE: beyond a file's or a value's limits.
    BoundaryError,
    /// CA
    CommandAborted,
    /// C1: the card's data is damaged.
    CardIntegrity,
    /// CD: the card has shut itself off.
    CardDisabled,
    /// CE: no more applications.
    CountError,
    /// DE
    Duplicate,
    /// EE
    MemoryError,
    /// F0
    FileNotFound,
    /// F1: the file's data is damaged.
    FileIntegrity,
    /// Any other.
    Other(u8),
}

impl From<u8> for Status {
    fn from(code: u8) -> Self {
        match code {
            0x00 => Self::Ok,
            0x0C => Self::NoChanges,
            0x0E => Self::OutOfMemory,
            0x1C => Self::IllegalCommand,
            0x1E => Self::IntegrityError,
            0x40 => Self::NoSuchKey,
            0x7E => Self::LengthError,
            0x9D => Self::PermissionDenied,
            0x9E => Self::ParameterError,
            0xA0 => Self::ApplicationNotFound,
            0xA1 => Self::ApplicationIntegrity,
            0xAD => Self::AuthenticationDelay,
            0xAE => Self::AuthenticationError,
            0xAF => Self::MoreFrames,
            0xBE => Self::BoundaryError,
            0xCA => Self::CommandAborted,
            0xC1 => Self::CardIntegrity,
            0xCD => Self::CardDisabled,
            0xCE => Self::CountError,
            0xDE => Self::Duplicate,
            0xEE => Self::MemoryError,
            0xF0 => Self::FileNotFound,
            0xF1 => Self::FileIntegrity,
            other => Self::Other(other),
        }
    }
}
