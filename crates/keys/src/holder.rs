//! The trait behind which a key is held: in memory, at central, in a SAM or in an HSM. Whoever holds it runs the
//! cryptograms; only session keys come out.

use crate::ev2::SessionKeys;
use domain::Uid;

/// What a key of the citizen's card is for (`docs/card-layout.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// Reads; writes tries and wishes.
    Read,
    /// Credits.
    Credit,
    /// Reads the real UID of a random-UID card; not diversified.
    Uid,
}

/// One key of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOnCard {
    /// What for.
    pub role: KeyRole,
    /// The application, as transmitted.
    pub aid: [u8; 3],
    /// Its number in the application.
    pub number: u8,
    /// The card's real UID; `None` while only a random one is known (role `Uid`).
    pub uid: Option<Uid>,
}

/// Why there are no session keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// This holder has no such key, or no such version of it.
    #[error("no {0:?} key is held here")]
    NoKey(KeyRole),
    /// The card did not prove that it knows the key.
    #[error("the card does not know the key")]
    Rejected,
    /// `finish` without `start`.
    #[error("the authentication was not started")]
    NotStarted,
    /// A diversified key was asked for without a UID.
    #[error("a diversified key needs the card's UID")]
    UidMissing,
    /// The diversification input is empty or longer than 31 bytes.
    #[error("the diversification input is not 1 to 31 bytes")]
    InputTooLong,
    /// The source of randomness failed.
    #[error("no randomness")]
    NoEntropy,
    /// The holder (central, SAM, HSM) could not be reached or refused.
    #[error("the key's holder did not answer: {0}")]
    HolderUnavailable(String),
}

/// Holds keys of cards.
pub trait CardKeys {
    /// How many versions of a key are to be tried, the newest being version 0.
    fn versions(&self, role: KeyRole) -> usize;

    /// Prepares one authentication with one version of a key.
    ///
    /// # Errors
    /// `KeyError` when this holder cannot authenticate with that key.
    fn authentication(&mut self, key: &KeyOnCard, version: usize) -> Result<Box<dyn Authentication + '_>, KeyError>;
}

/// One AuthenticateEV2First, as the reader's side runs it.
pub trait Authentication {
    /// The card's `E(RndB)` in, the reader's `E(RndA ‖ rotl(RndB))` out.
    ///
    /// # Errors
    /// `KeyError` when the holder cannot answer.
    fn start(&mut self, challenge: &[u8; 16]) -> Result<[u8; 32], KeyError>;

    /// The card's last answer in, session keys out.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card does not know the key.
    fn finish(self: Box<Self>, answer: &[u8; 32]) -> Result<SessionKeys, KeyError>;
}

/// The injected source of randomness, so that a whole session can be replayed byte for byte.
pub trait Entropy {
    /// Fills the buffer.
    ///
    /// # Errors
    /// `KeyError::NoEntropy` when the source fails; nothing may go on without it.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), KeyError>;
}

impl<F: FnMut(&mut [u8]) -> Result<(), KeyError>> Entropy for F {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), KeyError> {
        self(buffer)
    }
}
