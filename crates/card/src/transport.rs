//! What carries APDUs to a card.

use crate::apdu::{Apdu, Reply};

/// Why no reply is known. In every case the command may or may not have been carried out: the handle is dropped, the
/// card connected anew, its UID read and authenticated again before anything is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The card was lifted.
    #[error("the card left the field")]
    CardGone,
    /// Under two bytes came back.
    #[error("the reply has no status")]
    ShortReply,
    /// No reply within the time allowed. PC/SC itself would wait for ever.
    #[error("no reply in time")]
    TimedOut,
    /// An earlier error closed this handle.
    #[error("the handle was dropped after an error")]
    Closed,
    /// The card was reset or lost its power under the handle, as after a suspend: it lies there and has forgotten
    /// everything that was open. Connect anew.
    #[error("the card was reset")]
    Reset,
    /// Something lies there that the reader cannot wake: a card that lies badly, or two that disturb each other.
    #[error("the card does not answer the reader")]
    Unresponsive,
    /// Another handle holds the card: an exchange that was given up has not come back yet.
    #[error("the reader is still busy")]
    Busy,
    /// So many exchanges hang in the reader's driver that no further one is begun.
    #[error("too many exchanges hang in the reader's driver")]
    Hanging,
    /// The reader or pcscd reported something else.
    #[error("the reader reports: {0}")]
    Reader(pcsc::Error),
}

/// One connection to one card: a command, then its reply.
///
/// An implementation must not be used again after it returned an error; `Desfire` never does.
pub trait Transport {
    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// `TransportError`; the outcome of the command is then unknown.
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError>;

    /// The answer to reset that the card was connected with, by which PC/SC tells a storage card (MIFARE Classic)
    /// from a chip card (PC/SC part 3, 3.1.3.2.3); empty where it is not known.
    fn atr(&self) -> &[u8] {
        &[]
    }

    /// The PC/SC name of the reader, by which the profile of its value operations is chosen; empty where it is not
    /// known.
    fn reader_name(&self) -> &str {
        ""
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        (**self).transmit(command)
    }

    fn atr(&self) -> &[u8] {
        (**self).atr()
    }

    fn reader_name(&self) -> &str {
        (**self).reader_name()
    }
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        (**self).transmit(command)
    }

    fn atr(&self) -> &[u8] {
        (**self).atr()
    }

    fn reader_name(&self) -> &str {
        (**self).reader_name()
    }
}
