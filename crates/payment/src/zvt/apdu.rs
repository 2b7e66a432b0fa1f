//! The APDU: two bytes of control field, a length, data. The length is one byte, or FF and two bytes, least
//! significant first (PA00P015, "APDU structure").

use std::fmt;

/// One message in either direction. Its `Debug` shows the control field only: the data may hold a card number.
#[derive(Clone, PartialEq, Eq)]
pub struct Apdu {
    /// Class and instruction of a command; acknowledgement class and code of an answer.
    pub control: [u8; 2],
    /// The data block, up to 65,535 bytes.
    pub data: Vec<u8>,
}

impl fmt::Debug for Apdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apdu({:02X} {:02X}, {} bytes)", self.control[0], self.control[1], self.data.len())
    }
}

/// Control fields used here (chapter 14, "Summary of Commands"; each has a section of its own in chapters 2 to 5).
pub mod control {
    /// Status information: a transaction's outcome.
    pub const STATUS: [u8; 2] = [0x04, 0x0F];
    /// Intermediate status: what the payer is to do.
    pub const INTERMEDIATE: [u8; 2] = [0x04, 0xFF];
    /// Status enquiry: whether the terminal is there; it says nothing of payments.
    pub const STATUS_ENQUIRY: [u8; 2] = [0x05, 0x01];
    /// Registration.
    pub const REGISTRATION: [u8; 2] = [0x06, 0x00];
    /// Authorisation: take a payment.
    pub const AUTHORISATION: [u8; 2] = [0x06, 0x01];
    /// Completion.
    pub const COMPLETION: [u8; 2] = [0x06, 0x0F];
    /// Abort by the terminal.
    pub const ABORTED: [u8; 2] = [0x06, 0x1E];
    /// Repeat receipt: the last transaction's outcome once more.
    pub const REPEAT_RECEIPT: [u8; 2] = [0x06, 0x20];
    /// Pre-authorisation, also called reservation: hold an amount on the payer's card.
    pub const RESERVATION: [u8; 2] = [0x06, 0x22];
    /// Partial reversal of a pre-authorisation; with receipt FF FF, the list of open ones.
    pub const PARTIAL_REVERSAL: [u8; 2] = [0x06, 0x23];
    /// Book total: charge a pre-authorised amount.
    pub const BOOK_TOTAL: [u8; 2] = [0x06, 0x24];
    /// Pre-authorisation reversal: hold nothing any more.
    pub const RESERVATION_REVERSAL: [u8; 2] = [0x06, 0x25];
    /// Reversal.
    pub const REVERSAL: [u8; 2] = [0x06, 0x30];
    /// End-of-day: hand the turnover to the host.
    pub const END_OF_DAY: [u8; 2] = [0x06, 0x50];
    /// Abort by the till.
    pub const ABORT: [u8; 2] = [0x06, 0xB0];
    /// Print one line.
    pub const PRINT_LINE: [u8; 2] = [0x06, 0xD1];
    /// Print a block of text.
    pub const PRINT_BLOCK: [u8; 2] = [0x06, 0xD3];
    /// Positive acknowledgement.
    pub const ACK: [u8; 2] = [0x80, 0x00];
    /// Positive acknowledgement, as some terminals send it.
    pub const ACK_OTHER: [u8; 2] = [0x84, 0x00];
    /// Goods not issued: give the money back.
    pub const NOT_ISSUED: [u8; 2] = [0x84, 0x66];
    /// Command not supported.
    pub const UNSUPPORTED: [u8; 2] = [0x84, 0x83];
    /// Please wait and ask again.
    pub const WAIT: [u8; 2] = [0x84, 0x9C];
}

impl Apdu {
    /// A message with data.
    #[must_use]
    pub fn new(control: [u8; 2], data: Vec<u8>) -> Self {
        Self { control, data }
    }

    /// A message without data.
    #[must_use]
    pub fn bare(control: [u8; 2]) -> Self {
        Self::new(control, Vec::new())
    }

    /// Whether it is an answer to a command rather than a command.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self.control[0], 0x80 | 0x84)
    }

    /// The bytes on the wire; `None` beyond 65,535 bytes of data.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = self.control.to_vec();
        match u8::try_from(self.data.len()) {
            Ok(length) if length < 0xFF => bytes.push(length),
            _ => {
                bytes.push(0xFF);
                bytes.extend(u16::try_from(self.data.len()).ok()?.to_le_bytes());
            }
        }
        bytes.extend(&self.data);
        Some(bytes)
    }

    /// Takes the first message off the bytes received so far; `None` until it is whole.
    #[must_use]
    pub fn take(received: &mut Vec<u8>) -> Option<Self> {
        let (start, length) = match *received.get(..5).unwrap_or(received) {
            [_, _, 0xFF, low, high] => (5, usize::from(u16::from_le_bytes([low, high]))),
            [_, _, length, ..] if length != 0xFF => (3, usize::from(length)),
            _ => return None,
        };
        let whole = received.get(..start + length)?;
        let message = Self { control: [whole[0], whole[1]], data: whole[start..].to_vec() };
        received.drain(..start + length);
        Some(message)
    }
}
