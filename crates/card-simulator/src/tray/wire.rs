//! What host and bridge say to each other: kind (1), stay (4, big-endian), connection (4, big-endian), length (2,
//! big-endian), payload.
//!
//! A *stay* is one laying-down of a card. Whatever belongs to an earlier stay is dropped on both ends, so that an
//! answer of a removed card can never reach the reader in the name of the next one. A *connection* is one of the
//! bridge's with vpcd, of which a stay has several when pcscd is restarted under the card; an answer goes back to the
//! connection its command came from, or nowhere.

use std::io::{self, Read, Write};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) stay: u32,
    /// 0 where it does not matter.
    pub(super) connection: u32,
    pub(super) payload: Vec<u8>,
}

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Host to bridge: a card lies in the tray; connect to vpcd.
    Inserted = 1,
    /// Host to bridge: the tray is empty; close the connection.
    Removed = 2,
    /// Host to bridge: the card's answer.
    Answer = 3,
    /// Bridge to host: what vpcd sent.
    Command = 4,
    /// Bridge to host: vpcd closed the connection; the card is without field.
    FieldLost = 5,
}

impl TryFrom<u8> for Kind {
    type Error = io::Error;

    fn try_from(byte: u8) -> io::Result<Self> {
        let kinds = [Self::Inserted, Self::Removed, Self::Answer, Self::Command, Self::FieldLost];
        let found = kinds.into_iter().find(|kind| *kind as u8 == byte);
        found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unknown kind of message"))
    }
}

impl Message {
    pub(super) fn bare(kind: Kind, stay: u32) -> Self {
        Self { kind, stay, connection: 0, payload: Vec::new() }
    }

    /// In one piece, so that writers on several threads need no lock between parts.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let length = u16::try_from(self.payload.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let (stay, connection) = (self.stay.to_be_bytes(), self.connection.to_be_bytes());
        let header = [&[self.kind as u8][..], &stay, &connection, &length.to_be_bytes()].concat();
        to.write_all(&[header.as_slice(), &self.payload].concat())
    }

    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut header = [0; 11];
        from.read_exact(&mut header)?;
        let [kind, a, b, c, d, e, f, g, h, high, low] = header;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        from.read_exact(&mut payload)?;
        let (stay, connection) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Ok(Self { kind: kind.try_into()?, stay, connection, payload })
    }
}
