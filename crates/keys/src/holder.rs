//! The trait behind which a key is held: in memory, at central, in a SAM or in an HSM. Whoever holds it runs the
//! cryptograms; only session keys come out.

use crate::aes_key::AesKey;
use crate::ev2::SessionKeys;
use domain::Uid;

/// How a card is authenticated. All schemes prove the key on both sides; the secure channel afterwards differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// AuthenticateAES (AA): every DESFire; opens the EV1 channel.
    Aa,
    /// AuthenticateEV2First (71): EV2 and later; opens the EV2 channel.
    Ev2First,
    /// AuthenticateEV2NonFirst (77): another key within an open EV2 channel, whose counter goes on.
    Ev2NonFirst,
}

impl Scheme {
    /// The command's instruction byte.
    #[must_use]
    pub fn command(self) -> u8 {
        match self {
            Self::Aa => 0xAA,
            Self::Ev2First => 0x71,
            Self::Ev2NonFirst => 0x77,
        }
    }

    /// Bytes of the card's last answer.
    #[must_use]
    pub fn answer_length(self) -> usize {
        match self {
            Self::Aa | Self::Ev2NonFirst => 16,
            Self::Ev2First => 32,
        }
    }
}

/// What a key of the citizen's card is for (`docs/card-layout.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// The application's own master: changes its keys and files.
    Master,
    /// Reads; writes tries and wishes.
    Read,
    /// Debits; writes movements.
    Debit,
    /// Credits.
    Credit,
    /// Reads the real UID of a random-UID card; not diversified.
    Uid,
    /// The chip's own master key: application 000000, key 0.
    Picc,
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
    /// `start` a second time.
    #[error("the authentication was started already")]
    AlreadyStarted,
    /// A diversified key was asked for without a UID.
    #[error("a diversified key needs the card's UID")]
    UidMissing,
    /// The diversification input is empty or longer than 31 bytes.
    #[error("the diversification input is not 1 to 31 bytes")]
    InputTooLong,
    /// The source of randomness failed.
    #[error("no randomness")]
    NoEntropy,
    /// The holder (central, SAM, HSM) could not be reached, or did not understand.
    #[error("the key's holder did not answer: {0}")]
    HolderUnavailable(String),
    /// The holder was reached and will not.
    #[error("the key's holder refuses: {0}")]
    Refused(Refusal),
    /// The card left while its key's holder was asked.
    #[error("the card left while the key's holder was asked")]
    CardLeft,
}

/// Why a holder that was reached gives no session for a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The card is unknown, not active or revoked.
    #[error("the card is not served")]
    Card,
    /// The terminal or the card has used up its day.
    #[error("a limit is reached")]
    Limit,
    /// The card's purse contradicts the holder's books.
    #[error("the purse needs a check")]
    Purse,
}

/// Holds keys of cards.
pub trait CardKeys {
    /// How many versions of a key are to be tried, the newest being version 0.
    fn versions(&self, role: KeyRole) -> usize;

    /// Prepares one authentication with one version of a key.
    ///
    /// # Errors
    /// `KeyError` when this holder cannot authenticate with that key.
    fn authentication(
        &mut self,
        key: &KeyOnCard,
        version: usize,
        scheme: Scheme,
    ) -> Result<Box<dyn Authentication + '_>, KeyError>;
}

/// One authentication, as the reader's side runs it.
pub trait Authentication {
    /// The card's `E(RndB)` in, the reader's `E(RndA ‖ rotl(RndB))` out.
    ///
    /// # Errors
    /// `KeyError` when the holder cannot answer.
    fn start(&mut self, challenge: &[u8; 16]) -> Result<[u8; 32], KeyError>;

    /// The card's last answer in (`Scheme::answer_length` bytes), the session out.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card does not know the key.
    fn finish(self: Box<Self>, answer: &[u8]) -> Result<Session, KeyError>;
}

/// What an authentication leaves. The card's own key is not in it.
#[derive(Debug)]
pub enum Session {
    /// After AA: the session key of the EV1 channel.
    Ev1(AesKey),
    /// After 71.
    Ev2(SessionKeys),
    /// After 77: two new keys; the channel keeps TI and the command counter.
    Ev2Renewed {
        /// `SesAuthENCKey`.
        enc: AesKey,
        /// `SesAuthMACKey`.
        mac: AesKey,
    },
}

impl Session {
    /// Whether this is what an authentication of that kind leaves.
    #[must_use]
    pub fn is_of(&self, scheme: Scheme) -> bool {
        matches!(
            (self, scheme),
            (Self::Ev1(_), Scheme::Aa)
                | (Self::Ev2(_), Scheme::Ev2First)
                | (Self::Ev2Renewed { .. }, Scheme::Ev2NonFirst)
        )
    }
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
