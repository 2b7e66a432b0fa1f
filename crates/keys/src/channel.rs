//! The secure channel of one authentication: one conversation, a command and then its reply, over whole, unchained
//! messages. `Ev1Channel` follows AuthenticateAES, `Ev2Channel` AuthenticateEV2First; callers hold a `Channel` and
//! need not know which. Whatever a channel refuses closes it for good: so does the card, after an error of its own.

mod change_key;
mod ev1;
mod ev2;
mod turn;

use crate::holder::Session;
pub use change_key::KeyChange;
pub use ev1::Ev1Channel;
pub use ev2::Ev2Channel;
use zeroize::Zeroizing;

/// Bytes of a MAC on the wire, of either channel.
const MAC: usize = 8;
/// The status of a good reply, as MAC and CRC cover it.
const STATUS_OK: u8 = 0x00;

/// How a command and its reply are protected (`CommMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommMode {
    /// EV2: not at all, only the counter advances. EV1: the reply carries a MAC, the command is covered by it.
    Plain,
    /// A MAC on both. EV1: on the command only where it writes.
    Mac,
    /// Data enciphered. EV2: and a MAC on both; EV1: with a CRC32 inside.
    Full,
}

/// Why a message is not accepted. The channel is of no use afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The reply has no room for its MAC, or its ciphertext is not whole blocks.
    #[error("the reply is too short for its protection")]
    Truncated,
    /// The MAC is wrong: garbled, tampered with, or of another place in the conversation.
    #[error("the reply's MAC is wrong")]
    WrongMac,
    /// EV1: the CRC32 of the deciphered reply is wrong, for the same reasons.
    #[error("the reply's CRC is wrong")]
    WrongCrc,
    /// The MAC is right but the padding is not.
    #[error("the reply's padding is wrong")]
    WrongPadding,
    /// The reply is genuine and holds more or less than was asked for.
    #[error("the reply has another length than was asked for")]
    WrongLength,
    /// EV1: the CRC fits two ends of an enciphered reply whose length was not asked for.
    #[error("the reply has two possible ends")]
    AmbiguousEnd,
    /// 65,535 commands were sent; authenticate again.
    #[error("the command counter is used up")]
    CounterExhausted,
    /// A command before the last one's reply, or a reply without a command.
    #[error("a message out of turn")]
    OutOfTurn,
    /// Only an open EV2 channel can be renewed, and only by AuthenticateEV2NonFirst.
    #[error("no channel of this kind can be had from this authentication")]
    Unrenewable,
    /// An earlier message was refused, or the session's own key was changed.
    #[error("the channel is closed")]
    Closed,
}

/// The secure channel of either generation.
#[derive(Debug)]
pub enum Channel {
    /// After AuthenticateAES.
    Ev1(Ev1Channel),
    /// After AuthenticateEV2First.
    Ev2(Ev2Channel),
}

impl Channel {
    /// The channel that a first authentication opens.
    ///
    /// # Errors
    /// `Unrenewable` when the session is that of AuthenticateEV2NonFirst, which opens none: see `renew`.
    pub fn new(session: Session) -> Result<Self, ChannelError> {
        match session {
            Session::Ev1(key) => Ok(Self::Ev1(Ev1Channel::new(key))),
            Session::Ev2(keys) => Ok(Self::Ev2(Ev2Channel::new(keys))),
            Session::Ev2Renewed { .. } => Err(ChannelError::Unrenewable),
        }
    }

    /// Goes on with the keys of AuthenticateEV2NonFirst; TI and the command counter are kept.
    ///
    /// # Errors
    /// `Unrenewable` for any other session, on an EV1 channel, or while a reply is awaited; `Closed`. The channel is
    /// closed by it.
    pub fn renew(&mut self, session: Session) -> Result<(), ChannelError> {
        match (self, session) {
            (Self::Ev2(channel), Session::Ev2Renewed { enc, mac }) => channel.renew(enc, mac),
            (channel, _) => {
                channel.close();
                Err(ChannelError::Unrenewable)
            }
        }
    }

    /// `header ‖ data` protected for the wire. `header` always travels in clear; without data nothing is enciphered.
    ///
    /// # Errors
    /// `Closed`, `OutOfTurn` or `CounterExhausted`.
    pub fn seal(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        match self {
            Self::Ev1(channel) => channel.seal(mode, command, header, data),
            Self::Ev2(channel) => channel.seal(mode, command, header, data),
        }
    }

    /// The whole message of ChangeKey (C4): the key's number in clear, the rest enciphered. `number` is as sent: the
    /// chip's own master key is named 80 (an AES key) there.
    ///
    /// After a change of the key that this session was opened with (`change.old` is `None`) the card's reply is bare;
    /// `open` accepts nothing but that, and the channel is closed. The reply then proves nothing: authenticate again.
    ///
    /// # Errors
    /// As `seal`.
    pub fn seal_change_key(&mut self, number: u8, change: &KeyChange) -> Result<Vec<u8>, ChannelError> {
        match self {
            Self::Ev1(channel) => channel.seal_change_key(number, change),
            Self::Ev2(channel) => channel.seal_change_key(number, change),
        }
    }

    /// Takes the data of a reply of status 00 and proves it. `expected` is the plain data's length in bytes. Without it
    /// EV1 finds the end of enciphered data by its CRC, and refuses about one reply in 256, which has two possible
    /// ends: say it wherever it is known.
    ///
    /// # Errors
    /// Any of `ChannelError`; the channel is closed by it.
    pub fn open(
        &mut self,
        mode: CommMode,
        reply: &[u8],
        expected: Option<usize>,
    ) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        match self {
            Self::Ev1(channel) => channel.open(mode, reply, expected),
            Self::Ev2(channel) => channel.open(mode, reply, expected),
        }
    }

    /// No message is accepted any more: the card answered with an error, which ends its session too.
    pub fn close(&mut self) {
        match self {
            Self::Ev1(channel) => channel.close(),
            Self::Ev2(channel) => channel.close(),
        }
    }

    /// Whether the card speaks EV2: the ISO-chaining commands, AuthenticateEV2NonFirst and TransactionMAC exist.
    #[must_use]
    pub fn is_ev2(&self) -> bool {
        matches!(self, Self::Ev2(_))
    }
}

/// The plain data, if it has the length that was asked for.
fn of_length(data: Zeroizing<Vec<u8>>, expected: Option<usize>) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
    if expected.is_none_or(|expected| expected == data.len()) { Ok(data) } else { Err(ChannelError::WrongLength) }
}

/// Wipes what follows the data and cuts it off.
fn cut(data: &mut Zeroizing<Vec<u8>>, length: usize) {
    data.iter_mut().skip(length).for_each(|byte| *byte = 0);
    data.truncate(length);
}

#[cfg(test)]
mod card_side;
#[cfg(test)]
mod ev1_vectors;
#[cfg(test)]
mod ev2_vectors;
#[cfg(test)]
mod properties;
