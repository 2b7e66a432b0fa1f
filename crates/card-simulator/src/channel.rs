//! The secure channels behind one face: EV1 after AuthenticateAES, EV2 after AuthenticateEV2, and what a chip's
//! factory key needs after AuthenticateISO.

use crate::ev1;
use crate::ev2;
use crate::iso;
use crate::memory::CommMode;
use crate::status::Status;

/// Bytes of a MAC on the wire, in both channels.
pub(crate) const MAC_LEN: usize = 8;

/// How a command is laid out and protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Protection.
    pub(crate) mode: CommMode,
    /// Bytes that stay in clear in every mode.
    pub(crate) header_len: usize,
    /// Bytes after the header, in clear.
    pub(crate) data_len: usize,
    /// Of these, the last ones that follow the EV1 channel's CRC instead of entering it: ChangeKey's CRC32NK.
    pub(crate) trailer_len: usize,
}

impl Shape {
    /// Header and data in clear.
    pub(crate) fn clear_len(&self) -> usize {
        self.header_len + self.data_len
    }
}

/// An authenticated session.
pub(crate) enum Session {
    /// After AuthenticateAES.
    Ev1(ev1::Session),
    /// After AuthenticateEV2First or NonFirst.
    Ev2(ev2::Session),
    /// After AuthenticateISO: ChangeKey and nothing else.
    Iso(iso::Session),
}

impl Session {
    /// The key that authenticated.
    pub(crate) fn key_number(&self) -> u8 {
        match self {
            Self::Ev1(session) => session.key_number,
            Self::Ev2(session) => session.key_number,
            Self::Iso(_) => 0,
        }
    }

    /// Bytes of the whole command on the wire, all frames together.
    pub(crate) fn wire_len(&self, ins: u8, shape: &Shape) -> usize {
        match self {
            Self::Ev1(_) => ev1::wire_len(ins, shape),
            Self::Ev2(_) => ev2::wire_len(shape),
            Self::Iso(_) => iso::wire_len(shape),
        }
    }

    /// Checks and opens a command of [`Self::wire_len`] bytes; returns header and data in clear.
    pub(crate) fn open(&mut self, ins: u8, shape: &Shape, body: &[u8]) -> Result<Vec<u8>, Status> {
        match self {
            Self::Ev1(session) => session.open(ins, shape, body),
            Self::Ev2(session) => session.open(shape.mode, ins, body, shape.header_len),
            Self::Iso(session) => session.open(ins, shape, body),
        }
    }

    /// Protects the data of a successful reply.
    pub(crate) fn seal(&mut self, mode: CommMode, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Ev1(session) => session.seal(mode, data),
            Self::Ev2(session) => session.seal(mode, data),
            // The one command of this session ends it, so that its reply is bare.
            Self::Iso(_) => data.to_vec(),
        }
    }
}
