//! MIFARE Classic: its keys have to be handed to the reader, so that they leave central, for one card at a time.

use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a terminal needs for a MIFARE Classic card.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum ClassicAsk {
    /// Key B of the purse's and the top-ups' sector of one card.
    #[n(0)]
    Keys {
        /// The card's UID.
        #[cbor(n(0), with = "minicbor::bytes")]
        uid: Vec<u8>,
    },
    /// The seal of one top-up of one card.
    #[n(1)]
    Seal(#[n(0)] ClassicSealAsk),
    /// Whether the purse that was found is the one that the books know. Asked before anything is written because of it.
    #[n(2)]
    Found(#[n(0)] ClassicFound),
}

/// A purse as a terminal found it, with the seal that lies there.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClassicFound {
    /// The card's UID.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub uid: Vec<u8>,
    /// The counter of the last top-up that the main block has, or will be given back.
    #[n(1)]
    pub counter: u32,
    /// The value that goes with it, euro cents.
    #[n(2)]
    pub value: u16,
    /// The seal's block: counter, day and value, each least significant byte first, and the MAC
    /// (`docs/card-layout.md`).
    #[cbor(n(3), with = "minicbor::bytes")]
    pub seal: [u8; 16],
}

/// The purse after one top-up, to be sealed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClassicSealAsk {
    /// The card's UID.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub uid: Vec<u8>,
    /// Which top-up, and how much of it; `None` to write a seal again that central has given before.
    #[n(1)]
    pub top_up: Option<ClassicTopUp>,
    /// The counter that is written.
    #[n(2)]
    pub counter: u32,
    /// Days since 2000-01-01.
    #[n(3)]
    pub day: u16,
    /// The purse afterwards, euro cents.
    #[n(4)]
    pub value_after: u16,
}

/// One top-up of a Classic card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClassicTopUp {
    /// Its id.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// Euro cents.
    #[n(1)]
    pub amount: u16,
}

/// What a terminal is given for a Classic card. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub enum ClassicGrant {
    /// The answer to `ClassicAsk::Keys`.
    #[n(0)]
    Keys {
        /// Key B of the purse's sector.
        #[cbor(n(0), with = "minicbor::bytes")]
        purse: [u8; 6],
        /// Key B of the top-ups' sector.
        #[cbor(n(1), with = "minicbor::bytes")]
        top_ups: [u8; 6],
    },
    /// The answer to `ClassicAsk::Seal`.
    #[n(1)]
    Seal {
        /// The seal's MAC.
        #[cbor(n(0), with = "minicbor::bytes")]
        mac: [u8; 8],
    },
    /// The answer to `ClassicAsk::Found`: the books agree.
    #[n(2)]
    Agreed {
        /// The right MAC of the seal that lies there, when only that is wrong: it is to be written again.
        #[cbor(n(0), with = "minicbor::bytes")]
        seal_again: Option<[u8; 8]>,
    },
}
