//! Command and reply of ISO/IEC 7816-4: small, typed, wiped when dropped, and silent in logs.

use crate::transport::TransportError;
use std::fmt;
use zeroize::Zeroizing;

/// The class byte of ISO-wrapped DESFire commands.
const CLA_DESFIRE: u8 = 0x90;
/// The most data bytes a short APDU carries.
const DATA_MAX: usize = 255;

/// One command, ready for the wire.
pub struct Apdu(Zeroizing<Vec<u8>>);

impl Apdu {
    /// `90 INS 00 00 [Lc data] 00`; `None` when the data is longer than 255 bytes.
    #[must_use]
    pub fn desfire(instruction: u8, data: &[u8]) -> Option<Self> {
        let length = u8::try_from(data.len()).ok()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + DATA_MAX.min(data.len())));
        bytes.extend_from_slice(&[CLA_DESFIRE, instruction, 0x00, 0x00]);
        if !data.is_empty() {
            bytes.push(length);
            bytes.extend_from_slice(data);
        }
        bytes.push(0x00);
        Some(Self(bytes))
    }

    /// The reader's own command for the UID of the card in its field (PC/SC part 3, 3.2.2.1.3).
    #[must_use]
    pub fn get_uid() -> Self {
        Self(Zeroizing::new(vec![0xFF, 0xCA, 0x00, 0x00, 0x00]))
    }

    /// A command to the reader itself, as it goes on the wire (PC/SC part 3, 3.2.2.1).
    pub(crate) fn reader(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes for the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The instruction, which is no secret.
    #[must_use]
    pub fn instruction(&self) -> u8 {
        self.0.get(1).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Apdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apdu({:02X}, {} bytes)", self.instruction(), self.0.len())
    }
}

/// One reply: data and the two status bytes.
pub struct Reply {
    data: Zeroizing<Vec<u8>>,
    status: [u8; 2],
}

impl Reply {
    /// Takes a reply as received.
    ///
    /// # Errors
    /// `TransportError::ShortReply` under two bytes: pcscd reports success with no bytes when a card leaves, so
    /// what the card did is unknown.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, TransportError> {
        let mut data = Zeroizing::new(bytes);
        let status = *data.last_chunk::<2>().ok_or(TransportError::ShortReply)?;
        let length = data.len() - status.len();
        data.truncate(length);
        Ok(Self { data, status })
    }

    /// The data before the status bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// SW1 and SW2.
    #[must_use]
    pub fn status(&self) -> [u8; 2] {
        self.status
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} bytes, {:02X}{:02X})", self.data.len(), self.status[0], self.status[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_wrapped_with_and_without_data() {
        let check = |data: &[u8], expected: &[u8]| assert_eq!(Apdu::desfire(0x5A, data).unwrap().bytes(), expected);
        check(&[], &[0x90, 0x5A, 0, 0, 0]);
        check(&[1, 2, 3], &[0x90, 0x5A, 0, 0, 3, 1, 2, 3, 0]);
        assert!(Apdu::desfire(0x3D, &[0; 256]).is_none());
    }

    #[test]
    fn a_reply_under_two_bytes_is_an_unknown_outcome() {
        assert_eq!(Reply::parse(vec![]).unwrap_err(), TransportError::ShortReply);
        assert_eq!(Reply::parse(vec![0x91]).unwrap_err(), TransportError::ShortReply);
        let reply = Reply::parse(vec![7, 8, 0x91, 0xAF]).unwrap();
        assert_eq!((reply.data(), reply.status()), (&[7, 8][..], [0x91, 0xAF]));
    }

    #[test]
    fn debug_never_shows_data() {
        let apdu = Apdu::desfire(0x3D, &[0xC3; 4]).unwrap();
        assert_eq!(format!("{apdu:?}"), "Apdu(3D, 10 bytes)");
        let reply = Reply::parse(vec![0xC3, 0x91, 0x00]).unwrap();
        assert_eq!(format!("{reply:?}"), "Reply(1 bytes, 9100)");
    }
}
