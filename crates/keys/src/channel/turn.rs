//! Whose turn it is. Two commands sealed under one counter or initial vector would weaken the cipher, and a reply
//! that nobody asked for is a replay: both end the conversation.

use super::ChannelError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// A command may be sealed.
    Reader,
    /// A reply is awaited.
    Card,
    /// A bare reply is awaited: the session's own key was changed.
    CardBare,
    /// The conversation is over.
    Closed,
}

impl Turn {
    /// Before a command is sealed.
    pub(super) fn sealing(&mut self) -> Result<(), ChannelError> {
        match self {
            Self::Reader => {
                *self = Self::Card;
                Ok(())
            }
            Self::Card | Self::CardBare => {
                *self = Self::Closed;
                Err(ChannelError::OutOfTurn)
            }
            Self::Closed => Err(ChannelError::Closed),
        }
    }

    /// Before a reply is looked at. The channel is closed until it is `proven`. Gives whether the reply is bare.
    pub(super) fn opening(&mut self) -> Result<bool, ChannelError> {
        match std::mem::replace(self, Self::Closed) {
            Self::Card => Ok(false),
            Self::CardBare => Ok(true),
            Self::Reader => Err(ChannelError::OutOfTurn),
            Self::Closed => Err(ChannelError::Closed),
        }
    }

    /// The reply was genuine.
    pub(super) fn proven(&mut self) {
        *self = Self::Reader;
    }
}

/// A reply of a session whose key is gone carries nothing.
pub(super) fn bare(reply: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, ChannelError> {
    if reply.is_empty() { Ok(zeroize::Zeroizing::default()) } else { Err(ChannelError::WrongLength) }
}
