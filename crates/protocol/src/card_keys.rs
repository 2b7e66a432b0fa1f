//! Keys of cards that stay with central: what a terminal asks for, and what it is given. A terminal that has no credit
//! key for a card relays the card's cryptograms and gets session keys back, good for that one session; a MIFARE Classic
//! card's key B is given for one card and its seal for one top-up; a read key is changed by messages that only central
//! can write. Base keys, and the master key of any card, never travel.
//!
//! Every request is CBOR, authorised by the terminal's access token ([`crate::http`]).

mod classic;
mod rekey;

use crate::problem::Problem;
pub use classic::{ClassicAsk, ClassicFound, ClassicGrant, ClassicSealAsk, ClassicTopUp};
use minicbor::{Decode, Encode};
pub use rekey::{RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState, Rekeyed};
use std::fmt;
use std::future::Future;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How long central keeps a ticket, in milliseconds. A card answers within some ten of them.
pub const TICKET_LIFE_MS: u32 = 10_000;
/// The longest of these requests and answers, in bytes.
pub const CARD_KEYS_BYTES_MAX: usize = 1_024;

/// Not the CBOR of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message about card keys")]
pub struct BadMessage;

/// The command an authentication runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum WireScheme {
    /// AuthenticateAES (AA).
    #[n(0)]
    Aa,
    /// AuthenticateEV2First (71).
    #[n(1)]
    Ev2First,
    /// AuthenticateEV2NonFirst (77).
    #[n(2)]
    Ev2NonFirst,
}

/// What a key is for (`docs/card-layout.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum WireRole {
    /// The application's master key.
    #[n(0)]
    Master,
    /// Reads.
    #[n(1)]
    Read,
    /// Debits.
    #[n(2)]
    Debit,
    /// Credits: the only one whose session keys central gives away.
    #[n(3)]
    Credit,
    /// Reads the real UID.
    #[n(4)]
    Uid,
    /// The chip's own master key.
    #[n(5)]
    Picc,
}

/// A card has sent its challenge: what is the answer?
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BeginAuthentication {
    /// With which key.
    #[n(0)]
    pub role: WireRole,
    /// Under which command.
    #[n(1)]
    pub scheme: WireScheme,
    /// The application, as transmitted.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub aid: [u8; 3],
    /// The key's number in it.
    #[n(3)]
    pub number: u8,
    /// Which version of the base key: 0 is the newest.
    #[n(4)]
    pub version: u8,
    /// The card's real UID, seven bytes.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub uid: Vec<u8>,
    /// `E(RndB)`.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub challenge: [u8; 16],
}

/// Central's answer to a challenge.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cryptogram {
    /// Names this authentication, once, for `TICKET_LIFE_MS`.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ticket: [u8; 16],
    /// `E(RndA ‖ rotl(RndB))`, for the card.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub cryptogram: [u8; 32],
}

/// The card has answered the cryptogram.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FinishAuthentication {
    /// As `Cryptogram` gave it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ticket: [u8; 16],
    /// 32 bytes after 71, else 16.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub answer: Vec<u8>,
}

/// Session keys of one authentication. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub enum GrantedSession {
    /// After AA.
    #[n(0)]
    Ev1 {
        /// The session key.
        #[cbor(n(0), with = "minicbor::bytes")]
        key: [u8; 16],
    },
    /// After 71.
    #[n(1)]
    Ev2 {
        /// SesAuthENCKey.
        #[cbor(n(0), with = "minicbor::bytes")]
        enc: [u8; 16],
        /// SesAuthMACKey.
        #[cbor(n(1), with = "minicbor::bytes")]
        mac: [u8; 16],
        /// TI.
        #[cbor(n(2), with = "minicbor::bytes")]
        transaction_id: [u8; 4],
    },
    /// After 77: the terminal's channel keeps transaction identifier and counter.
    #[n(2)]
    Ev2Renewed {
        /// SesAuthENCKey.
        #[cbor(n(0), with = "minicbor::bytes")]
        enc: [u8; 16],
        /// SesAuthMACKey.
        #[cbor(n(1), with = "minicbor::bytes")]
        mac: [u8; 16],
    },
}

macro_rules! messages {
    ($($name:ident),*) => {$(
        impl $name {
            /// As bytes (CBOR); wiped when dropped, since some hold keys.
            ///
            /// # Errors
            /// `BadMessage`, which these types do not meet.
            pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BadMessage> {
                minicbor::to_vec(self).map(Zeroizing::new).map_err(|_| BadMessage)
            }

            /// Reads the bytes.
            ///
            /// # Errors
            /// `BadMessage`.
            pub fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
                minicbor::decode(bytes).map_err(|_| BadMessage)
            }
        }
    )*};
}

messages!(
    BeginAuthentication,
    Cryptogram,
    FinishAuthentication,
    GrantedSession,
    ClassicAsk,
    ClassicGrant,
    RekeyLook,
    RekeyState,
    RekeyBegin,
    RekeyChange,
    RekeyConfirm,
    Rekeyed
);

/// Cryptograms, UIDs and keys stay out of logs.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}

redacted!(
    BeginAuthentication,
    Cryptogram,
    FinishAuthentication,
    GrantedSession,
    ClassicAsk,
    ClassicFound,
    ClassicSealAsk,
    ClassicGrant,
    RekeyLook,
    RekeyBegin,
    RekeyChange,
    RekeyConfirm
);

/// Central as the holder of card keys, asked by one terminal. Refusals are `Problem`s: `CardRefused` for a card that
/// is unknown, not active or revoked, `LimitReached`, `TicketInvalid`, `PurseDoubtful`.
pub trait CardKeyHolder: Send + Sync {
    /// Answers a card's challenge.
    fn begin(&self, ask: &BeginAuthentication) -> impl Future<Output = Result<Cryptogram, Problem>> + Send;

    /// Gives the session keys, when the card proved that it knows the key. A ticket serves once.
    fn finish(&self, answer: &FinishAuthentication) -> impl Future<Output = Result<GrantedSession, Problem>> + Send;

    /// Gives what a Classic card's top-up needs.
    fn classic(&self, ask: &ClassicAsk) -> impl Future<Output = Result<ClassicGrant, Problem>> + Send;

    /// Whether a card's read key is to be changed.
    fn rekey_look(&self, look: &RekeyLook) -> impl Future<Output = Result<RekeyState, Problem>> + Send;

    /// Answers the challenge of a card's master key.
    fn rekey_begin(&self, ask: &RekeyBegin) -> impl Future<Output = Result<Cryptogram, Problem>> + Send;

    /// Gives the sealed ChangeKey, when the card proved that it is the one.
    fn rekey_change(&self, answer: &FinishAuthentication) -> impl Future<Output = Result<RekeyChange, Problem>> + Send;

    /// Checks the card's reply and books the new version.
    fn rekey_confirm(&self, confirm: &RekeyConfirm) -> impl Future<Output = Result<Rekeyed, Problem>> + Send;
}

#[cfg(test)]
#[path = "card_keys_tests.rs"]
mod tests;
