//! What can go wrong with a card, in the detail a technician needs, and the one place where it becomes a code.

use crate::classic::StorageStatus;
use crate::desfire::Status;
use crate::plausibility::NeedsCheck;
use crate::transport::TransportError;
use domain::FailureCode;
use keys::{ChannelError, KeyError, KeyRole, Refusal};

/// Why an operation on a card failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// No reply is known; the session is lost.
    #[error("transport: {0}")]
    Transport(#[from] TransportError),
    /// The card refused the command; its session and transaction are gone with it.
    #[error("the card answered {status:?} to {command:02X}")]
    Refused {
        /// The command's instruction byte.
        command: u8,
        /// What the card said.
        status: Status,
    },
    /// A reply that no DESFire card gives: wrong length, status class or number of frames.
    #[error("unexpected reply to {0:02X}")]
    Protocol(u8),
    /// A reply failed its MAC, CRC or padding.
    #[error("secure channel: {0}")]
    Channel(#[from] ChannelError),
    /// The card has no application of this city.
    #[error("not a card of this city")]
    NoApplication,
    /// The UID is neither a seven-byte nor a random one.
    #[error("not a UID of a DESFire card")]
    ForeignUid,
    /// Another card lies there than the session was opened with.
    #[error("another card lies there")]
    Swapped,
    /// Card and terminal did not agree on a key: for the read and UID keys, a card of another city on our application.
    #[error("the {0:?} key does not authenticate")]
    AuthenticationFailed(KeyRole),
    /// The key's holder could not run the authentication.
    #[error("key: {0}")]
    Key(#[from] KeyError),
    /// A command that needs an authentication was called without one.
    #[error("not authenticated")]
    NotAuthenticated,
    /// A file does not hold what the layout says.
    #[error("the {0} file is not as personalised")]
    Layout(&'static str),
    /// The attempt number would fall.
    #[error("the attempt number only rises")]
    TriesFall,
    /// What was read back after a commit is not what was written.
    #[error("the read-back differs")]
    ReadBackDiffers,
    /// The reader did not carry out a storage-card command (MIFARE Classic).
    #[error("the reader answered {status:?} to {command:02X}")]
    Storage {
        /// The command's instruction byte.
        command: u8,
        /// What the reader said.
        status: StorageStatus,
    },
    /// The city pack names sectors that a 1K card has not.
    #[error("the city pack names sectors that no card has")]
    SectorsInvalid,
    /// Asked of a MIFARE Classic card what it does not keep.
    #[error("a MIFARE Classic card keeps no {0}")]
    NotOnClassic(&'static str),
    /// The last write of a MIFARE Classic purse may have been cut off, so that it may read otherwise the next time:
    /// nothing is said of its top-up before it is mended.
    #[error("the purse must be mended before it can be asked")]
    Unsettled,
    /// The purse contradicts itself or its limits.
    #[error("needs a check: {0}")]
    NeedsCheck(#[from] NeedsCheck),
}

impl CardError {
    /// Whether the session must be opened anew before the card is asked again.
    #[must_use]
    pub fn loses_the_handle(&self) -> bool {
        matches!(self, Self::Transport(_) | Self::Swapped)
    }

    /// The code for screens, logs and the telephone desk.
    #[must_use]
    pub fn failure(&self) -> FailureCode {
        match self {
            // An authentication delay passes while the card lies there and is tried again.
            Self::Transport(_)
            | Self::Channel(_)
            | Self::Key(KeyError::CardLeft)
            | Self::Refused { status: Status::AuthenticationDelay, .. } => FailureCode::CardUnreadable,
            Self::AuthenticationFailed(KeyRole::Credit) | Self::Key(KeyError::NoKey(KeyRole::Credit)) => {
                FailureCode::CreditKeyRejected
            }
            Self::Swapped => FailureCode::CardSwapped,
            Self::Unsettled => FailureCode::CardTorn,
            Self::AuthenticationFailed(_) => FailureCode::CardOtherCity,
            Self::NoApplication | Self::ForeignUid => FailureCode::CardForeign,
            Self::Key(KeyError::HolderUnavailable(_)) => FailureCode::CentralUnreachable,
            Self::Key(KeyError::Refused(Refusal::Card)) => FailureCode::CreditKeyRejected,
            Self::Key(KeyError::Refused(Refusal::Limit)) => FailureCode::TopUpLimit,
            Self::Key(KeyError::Refused(Refusal::Purse)) => FailureCode::PurseImplausible,
            // Readers say so of a card that has left as of one that refuses.
            Self::Storage { status: StorageStatus::Failed, .. } => FailureCode::CardUnreadable,
            Self::NeedsCheck(_) => FailureCode::PurseImplausible,
            Self::NotOnClassic(_) => FailureCode::CardOld,
            Self::Key(_) | Self::SectorsInvalid => FailureCode::ConfigurationInvalid,
            Self::Refused { .. }
            | Self::Protocol(_)
            | Self::NotAuthenticated
            | Self::Layout(_)
            | Self::Storage { .. }
            | Self::TriesFall
            | Self::ReadBackDiffers => FailureCode::CardDamaged,
        }
    }
}
