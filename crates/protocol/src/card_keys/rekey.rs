//! A card's read key is changed by messages that central writes and the terminal carries.

use super::WireScheme;
use minicbor::{Decode, Encode};

/// GetKeyVersion (64) of a card's read key: is it the one the city wants?
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RekeyLook {
    /// The card's real UID.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub uid: Vec<u8>,
    /// As the card says.
    #[n(1)]
    pub version_on_card: u8,
}

/// What is to become of a card's read key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum RekeyState {
    /// It is the newest; a change whose reply was lost is thereby booked.
    #[n(0)]
    Current,
    /// A newer one is to be written.
    #[n(1)]
    Wanted {
        /// Its version.
        #[n(0)]
        version: u8,
    },
}

/// The card has sent the challenge of its master key.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RekeyBegin {
    /// Under which command: AA or 71.
    #[n(0)]
    pub scheme: WireScheme,
    /// The card's real UID.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub uid: Vec<u8>,
    /// The read key's version, as GetKeyVersion (64) gave it in this visit.
    #[n(2)]
    pub version_on_card: u8,
    /// `E(RndB)` of the master key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub challenge: [u8; 16],
}

/// What to send to the card.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RekeyChange {
    /// For the card's reply; another than the one before.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ticket: [u8; 16],
    /// The data of ChangeKey (C4): the key's number, then what only the card can open.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub message: Vec<u8>,
}

/// The card has answered ChangeKey with status 00.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RekeyConfirm {
    /// As `RekeyChange` gave it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ticket: [u8; 16],
    /// The reply's data: the card's MAC.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub reply: Vec<u8>,
}

/// The read key is changed, for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rekeyed {
    /// The version now on the card.
    #[n(0)]
    pub version: u8,
}
