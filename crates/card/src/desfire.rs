//! DESFire commands, by the data sheet and not by our layout, on whichever secure channel the card has: the one of
//! EV2 and later, or that of EV1.
//!
//! `authenticate` opens the channel, `files`, `records` and `transaction` work in it, `inspect` asks what a card is
//! and has, `issue` makes applications, files and keys, and `factory` is the one step before that on a chip straight
//! from its maker. `framing` carries all of it.

mod authenticate;
pub(crate) mod command;
mod factory;
mod files;
mod framing;
mod inspect;
mod issue;
mod records;
#[cfg(test)]
pub(crate) mod script;
mod settings;
mod status;
mod transaction;
#[cfg(test)]
mod vectors;

use crate::apdu::Apdu;
use crate::error::CardError;
use crate::transport::Transport;
use domain::Uid;
use framing::Wire;
pub use inspect::{Chip, Half, Version};
use keys::{Channel, CommMode, Scheme};
pub use settings::{Access, AccessRights, FileKind, FileSettings, KeySettings, NewFile};
pub use status::Status;
use std::fmt;
pub use transaction::CommitReceipt;
use zeroize::Zeroizing;

/// The card's own level, above all applications: SelectApplication with zeros.
pub const PICC: [u8; 3] = [0; 3];

/// A DESFire card on a transport.
pub struct Desfire<T> {
    wire: Wire<T>,
    channel: Option<Channel>,
    /// How this card authenticates, once it has: 71 or AA.
    scheme: Option<Scheme>,
    selected: [u8; 3],
}

impl<T: Transport> Desfire<T> {
    /// A card just connected: nothing selected, nothing authenticated.
    pub fn new(transport: T) -> Self {
        Self { wire: Wire::new(transport), channel: None, scheme: None, selected: PICC }
    }

    /// Whether a transport error closed this handle.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.wire.is_lost()
    }

    /// Whether a secure channel is open.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.channel.is_some()
    }

    /// Whether the open channel is that of EV2 and later.
    #[must_use]
    pub fn is_ev2(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_ev2)
    }

    /// The answer to reset; empty where the transport knows none.
    #[must_use]
    pub fn atr(&self) -> &[u8] {
        self.wire.atr()
    }

    /// Gives the transport back, for another use of the same connection.
    pub fn into_transport(self) -> T {
        self.wire.into_transport()
    }

    /// The UID as the reader saw it: fixed, or random and then of no use but to know so. Never an authenticator.
    ///
    /// # Errors
    /// `Transport`, or `ForeignUid` when it is neither four nor seven bytes long.
    pub fn anticollision_uid(&mut self) -> Result<Uid, CardError> {
        let reply = self.wire.transmit(&Apdu::get_uid())?;
        match reply.status() {
            [0x90, 0x00] => Uid::new(reply.data()).map_err(|_| CardError::ForeignUid),
            _ => Err(CardError::ForeignUid),
        }
    }

    /// SelectApplication (5A). Drops any session and open transaction.
    ///
    /// # Errors
    /// `NoApplication` when the card has none of this AID, else `Transport` or `Protocol`.
    pub fn select_application(&mut self, aid: [u8; 3]) -> Result<(), CardError> {
        self.channel = None;
        self.selected = aid;
        match self.wire.exchange(command::SELECT_APPLICATION, &aid) {
            Ok(_) => Ok(()),
            // Whatever a foreign card says here, it is not one of ours.
            Err(CardError::Refused { .. } | CardError::Protocol(_)) => Err(CardError::NoApplication),
            Err(error) => Err(error),
        }
    }

    /// One command on the secure channel whose reply has `length` bytes of data. Any error ends the session: so does
    /// the card after an error status.
    fn secure_read(
        &mut self,
        mode: CommMode,
        command: u8,
        header: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let data = self.secure(mode, mode, command, (header, &[]), Some(length))?;
        if data.len() == length { Ok(data) } else { Err(CardError::Protocol(command)) }
    }

    /// One command on the secure channel whose reply has no data.
    fn secure_write(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<(), CardError> {
        // A reply without data is never enciphered: on both channels it is a MAC, on EV1 also in CommMode.Plain.
        let reply = if mode == CommMode::Plain { mode } else { CommMode::Mac };
        let rest = self.secure(mode, reply, command, (header, data), Some(0))?;
        if rest.is_empty() { Ok(()) } else { Err(CardError::Protocol(command)) }
    }

    /// `message`: header, which travels in clear, and data.
    fn secure(
        &mut self,
        mode: CommMode,
        reply_mode: CommMode,
        command: u8,
        (header, data): (&[u8], &[u8]),
        expected: Option<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let mut channel = self.channel.take().ok_or(CardError::NotAuthenticated)?;
        let message = Zeroizing::new(channel.seal(mode, command, header, data)?);
        let reply = self.wire.exchange(command, &message)?;
        let plain = channel.open(reply_mode, &reply, expected)?;
        self.channel = Some(channel);
        Ok(plain)
    }

    /// A command about the card rather than its data: with a MAC where a session is open, else in clear. All of them
    /// fit one frame; of the reply `expected` is the length, where it is known.
    fn manage(
        &mut self,
        command: u8,
        parameters: &[u8],
        expected: Option<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let reply = if self.is_authenticated() {
            self.secure(CommMode::Mac, CommMode::Mac, command, (parameters, &[]), expected)?
        } else {
            self.wire.exchange(command, parameters)?
        };
        match expected {
            Some(length) if reply.len() != length => Err(CardError::Protocol(command)),
            _ => Ok(reply),
        }
    }
}

impl<T> fmt::Debug for Desfire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desfire").field("authenticated", &self.channel.is_some()).finish_non_exhaustive()
    }
}
