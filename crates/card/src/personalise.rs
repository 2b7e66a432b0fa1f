//! Making a card of the city out of a blank chip (`docs/card-layout.md`), so that a card torn away at any exchange is
//! finished by running it again.
//!
//! Two rules make that so. Every step first looks what the chip holds: a key may be the old one or the new one, a file
//! may be there or not. And what makes the card a card, the identity, is closed last: without it nothing is finished,
//! and no kiosk takes it for one of ours. A finished card is never written again; it is read, and either it is the one
//! that was ordered or it is somebody else's.

mod blank;
mod classic;
mod contents;
mod desfire;
mod unlock;

use crate::error::CardError;
use crate::layout::CardSecret;
use crate::purse;
use crate::transport::Transport;
pub use blank::{BlankKeys, EntropySource};
use domain::card::{Technology, Wishes};
use domain::city_pack::CardLayout;
use domain::{CardNumber, Cents, Day, FailureCode, Generation, Uid};
use keys::{ClassicKeys, IssuerKeys, KeyError, KeyRole};
use std::fmt;

/// The card that is wanted.
#[derive(Debug, Clone)]
pub struct CardOrder {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// Freshly drawn, for a card that has none yet. A finished card keeps its own; a Classic card has none.
    pub secret: CardSecret,
    /// The city's purse maximum, which becomes the value file's upper limit.
    pub purse_max: Cents,
    /// What helps the holder, with their consent.
    pub wishes: Wishes,
    /// A new random UID in every field; it cannot be undone.
    pub random_uid: bool,
    /// Today: the day of a Classic purse's first seal.
    pub today: Day,
}

/// A card that is finished and was read back the way a kiosk reads it.
#[derive(Debug, Clone)]
pub struct Personalised {
    /// The chip's real UID.
    pub uid: Uid,
    /// What it is made of.
    pub technology: Technology,
    /// The secret that lies on the card; `None` on Classic.
    pub secret: Option<CardSecret>,
    /// The version byte of its read key; 0 on Classic.
    pub read_key_version: u8,
    /// It was finished before: nothing was written.
    pub was_finished: bool,
}

/// Where a personalisation stands, for a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The chip's own master key, and the application.
    Application,
    /// The application's keys.
    Keys,
    /// Files; sectors of a Classic card.
    Files,
    /// Record 0 and the wishes.
    Records,
    /// The TransactionMAC file.
    TransactionMac,
    /// Random UID.
    RandomUid,
    /// The identity.
    Identity,
    /// Reading it as a kiosk does.
    ReadBack,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Self; 8] = [
        Self::Application,
        Self::Keys,
        Self::Files,
        Self::Records,
        Self::TransactionMac,
        Self::RandomUid,
        Self::Identity,
        Self::ReadBack,
    ];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Keys => "keys",
            Self::Files => "files",
            Self::Records => "records",
            Self::TransactionMac => "transaction MAC",
            Self::RandomUid => "random UID",
            Self::Identity => "identity",
            Self::ReadBack => "read back",
        }
    }
}

/// Why a card was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonaliseError {
    /// An exchange failed, or the card refused. Running it again goes on where it stopped, unless the chip is broken.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The issuer's keys could not be used.
    #[error("key: {0}")]
    Key(#[from] KeyError),
    /// A finished card with another number or generation.
    #[error("this is a finished card of another number")]
    OtherCard,
    /// The chip holds something that is neither blank nor ours, half-made.
    #[error("the chip's {0} is neither blank nor as this city makes it")]
    NotBlank(&'static str),
    /// Neither the city's key nor any transport key opens the chip.
    #[error("no key opens the chip's own level")]
    NoTransportKey,
    /// Neither the city's key nor the blank one: another city's application under our AID.
    #[error("the {0:?} key is neither blank nor this city's")]
    KeyUnknown(KeyRole),
    /// Classic cards have no random UID.
    #[error("this kind of card has no random UID")]
    NoRandomUid,
    /// The city pack asks for something no card can have.
    #[error("the city pack's card layout cannot be: {0}")]
    Layout(&'static str),
}

impl PersonaliseError {
    /// The code for screens, logs and the telephone desk.
    #[must_use]
    pub fn failure(&self) -> FailureCode {
        match self {
            Self::Card(error) => error.failure(),
            Self::Key(_) | Self::Layout(_) | Self::NoRandomUid => FailureCode::ConfigurationInvalid,
            Self::OtherCard => FailureCode::CardSwapped,
            Self::NotBlank(_) | Self::NoTransportKey => FailureCode::CardForeign,
            Self::KeyUnknown(_) => FailureCode::CardOtherCity,
        }
    }
}

/// What the office must hold: the issuer's keys, in both technologies.
pub trait OfficeKeys: IssuerKeys + ClassicKeys {}

impl<K: IssuerKeys + ClassicKeys> OfficeKeys for K {}

/// A chip on the reader that was looked at and not yet written: its UID is known, so that whoever makes cards can
/// write down which chip this one is before the first byte of it changes.
pub struct Workpiece<T> {
    chip: Chip<T>,
}

enum Chip<T> {
    Desfire(desfire::Blank<T>),
    Classic(classic::Blank<T>),
}

impl<T: Transport> Workpiece<T> {
    /// Looks at what lies there. Nothing is written.
    ///
    /// # Errors
    /// `Card` when it is neither technology or does not answer; `KeyUnknown` when it hides its UID and no key of this
    /// city gets it.
    pub fn look<K: OfficeKeys>(mut transport: T, layout: &CardLayout, keys: &mut K) -> Result<Self, PersonaliseError> {
        let chip = if purse::is_classic(&mut transport, layout.aid)? {
            Chip::Classic(classic::Blank::look(transport, layout)?)
        } else {
            Chip::Desfire(desfire::Blank::look(transport, layout, keys)?)
        };
        Ok(Self { chip })
    }

    /// The chip's real UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        match &self.chip {
            Chip::Desfire(chip) => chip.uid(),
            Chip::Classic(chip) => chip.uid(),
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn technology(&self) -> Technology {
        match &self.chip {
            Chip::Desfire(chip) => chip.technology(),
            Chip::Classic(_) => Technology::Classic,
        }
    }

    /// Makes the card, or goes on making it, and reads it back. `told` hears each step as it begins.
    ///
    /// # Errors
    /// `PersonaliseError`. After `Card` with a transport error the chip is half-made: look at it again and go on.
    pub fn finish<K: OfficeKeys>(
        self,
        order: &CardOrder,
        keys: &mut K,
        blank: &BlankKeys,
        told: &mut dyn FnMut(Step),
    ) -> Result<Personalised, PersonaliseError> {
        match self.chip {
            Chip::Desfire(chip) => chip.finish(order, keys, blank, told),
            Chip::Classic(chip) => chip.finish(order, keys, blank, told),
        }
    }
}

impl<T> fmt::Debug for Workpiece<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workpiece")
    }
}
