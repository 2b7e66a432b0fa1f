//! One interface over every card of the city: what lies in the tray is opened by its technology and then read,
//! credited and asked alike.

use crate::classic::{ClassicIssuer, ClassicSession};
use crate::credit::{CreditOutcome, CreditRefusal};
use crate::error::CardError;
use crate::profile::ReaderProfile;
use crate::session::{CardContents, CardSession};
use crate::transport::Transport;
use crate::{Apdu, Reply, TransportError};
use domain::card::{CreditVerdict, PinTries, Technology, Wishes};
use domain::city_pack::CardLayout;
use domain::device::CreditOrder;
use domain::{TerminalId, TopUpId, Uid};
use keys::classic::ClassicKeys;
use keys::{CardKeys, KeyError, KeyRole};
use std::fmt;

/// The ATR of a storage card (PC/SC part 3, 3.1.3.2.3.2): up to the registered identifier of the PC/SC workgroup.
const STORAGE_CARD: [u8; 12] = [0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06];
/// ISO/IEC 14443-3 type A, MIFARE Classic 1K (PC/SC part 3 supplement: standard, then card name).
const CLASSIC_1K: [u8; 3] = [0x03, 0x00, 0x01];
/// SelectApplication.
const SELECT_APPLICATION: u8 = 0x5A;
/// SW1 of every wrapped DESFire reply.
const SW1_DESFIRE: u8 = 0x91;

/// The keys that a terminal reads cards with.
pub trait TerminalKeys: CardKeys + ClassicKeys {}

impl<K: CardKeys + ClassicKeys> TerminalKeys for K {}

/// Who lets a card be credited.
pub enum CreditKeys<'a> {
    /// The card's own credit key, out of its sealed record or at central.
    Desfire(&'a mut dyn CardKeys),
    /// Central, for a MIFARE Classic card.
    Classic(&'a mut dyn ClassicIssuer),
}

impl fmt::Debug for CreditKeys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Desfire(_) => "CreditKeys::Desfire",
            Self::Classic(_) => "CreditKeys::Classic",
        })
    }
}

/// A card of the city, opened.
#[derive(Debug)]
pub enum CityCard<T> {
    /// MIFARE DESFire EV1, EV2, EV3.
    Desfire(CardSession<T>),
    /// MIFARE Classic 1K.
    Classic(ClassicSession<T>),
}

impl<T: Transport> CityCard<T> {
    /// Opens and reads whatever lies there, by its answer to reset; where that is not known, by its answer to
    /// SelectApplication. The reader's profile is chosen by its name.
    ///
    /// # Errors
    /// `CardError`; `CardError::failure` tells a foreign card from a damaged one and from one that was lifted.
    pub fn open<K: TerminalKeys>(
        transport: T,
        layout: &CardLayout,
        keys: &mut K,
    ) -> Result<(Self, CardContents), CardError> {
        let profile = ReaderProfile::of_reader(transport.reader_name());
        Self::open_with(transport, layout, keys, profile)
    }

    /// The same with a profile that was configured.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with<K: TerminalKeys>(
        mut transport: T,
        layout: &CardLayout,
        keys: &mut K,
        profile: ReaderProfile,
    ) -> Result<(Self, CardContents), CardError> {
        if is_classic(&mut transport, layout.aid)? {
            let (session, contents) = ClassicSession::open(transport, layout, keys, profile)?;
            return Ok((Self::Classic(session), contents));
        }
        let (session, contents) = CardSession::open(transport, layout, keys)?;
        Ok((Self::Desfire(session), contents))
    }

    /// The card's real UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        match self {
            Self::Desfire(card) => card.uid(),
            Self::Classic(card) => card.uid(),
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn technology(&self) -> Technology {
        match self {
            Self::Desfire(card) => card.technology(),
            Self::Classic(_) => Technology::Classic,
        }
    }

    /// Whether a transport error ended this session.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Desfire(card) => card.is_lost(),
            Self::Classic(card) => card.is_lost(),
        }
    }

    /// Asks the reader whether this card still lies there.
    ///
    /// # Errors
    /// `Transport` when it was lifted, `Swapped` when another card answers: this session is over in both cases.
    pub fn check_presence(&mut self) -> Result<(), CardError> {
        match self {
            Self::Desfire(card) => card.check_presence(),
            Self::Classic(card) => card.check_presence(),
        }
    }

    /// Whether a top-up that was cut off left something to mend, which [`Self::repair`] does online.
    #[must_use]
    pub fn needs_repair(&self) -> bool {
        match self {
            // A DESFire card rolls back by itself.
            Self::Desfire(_) => false,
            Self::Classic(card) => card.needs_repair(),
        }
    }

    /// Mends what a top-up that was cut off has left; `true` when there was something.
    ///
    /// # Errors
    /// `CardError`; it can be tried again.
    pub fn repair(&mut self, issuer: &mut dyn ClassicIssuer) -> Result<bool, CardError> {
        match self {
            Self::Desfire(_) => Ok(false),
            Self::Classic(card) => card.repair(issuer),
        }
    }

    /// Authenticates once for a credit, which proves that card and key belong together before any payment.
    ///
    /// # Errors
    /// `CardError`; `AuthenticationFailed(Credit)` when they do not.
    pub fn prove_credit_key(&mut self, keys: &mut CreditKeys<'_>) -> Result<(), CardError> {
        match (self, keys) {
            (Self::Desfire(card), CreditKeys::Desfire(keys)) => card.prove_credit_key(*keys),
            (Self::Classic(card), CreditKeys::Classic(issuer)) => card.prove_credit_key(*issuer),
            _ => Err(another_kind_of_key()),
        }
    }

    /// Credits the purse with its record, and reads it back.
    pub fn credit(&mut self, keys: &mut CreditKeys<'_>, order: &CreditOrder) -> CreditOutcome {
        match (self, keys) {
            (Self::Desfire(card), CreditKeys::Desfire(keys)) => card.credit(*keys, order),
            (Self::Classic(card), CreditKeys::Classic(issuer)) => card.credit(*issuer, order),
            _ => CreditOutcome::NotCredited(CreditRefusal::Card(another_kind_of_key())),
        }
    }

    /// What the card says of a top-up whose intent was journalled with counter `counter_seen`.
    ///
    /// # Errors
    /// `CardError` when the card cannot be asked; nothing is decided then.
    pub fn resolve<K: TerminalKeys>(
        &mut self,
        keys: &mut K,
        top_up: TopUpId,
        counter_seen: u32,
    ) -> Result<CreditVerdict, CardError> {
        match self {
            Self::Desfire(card) => card.resolve(keys, top_up, counter_seen),
            Self::Classic(card) => card.resolve(keys, top_up, counter_seen),
        }
    }

    /// Commits the PIN tries and reads them back.
    ///
    /// # Errors
    /// `NotOnClassic` on a MIFARE Classic card, which has no PIN; `TriesFall` when the attempt number on the card is
    /// higher, else `CardError`.
    pub fn write_tries(
        &mut self,
        keys: &mut dyn CardKeys,
        tries: PinTries,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        match self {
            Self::Desfire(card) => card.write_tries(keys, tries, terminal),
            Self::Classic(_) => Err(CardError::NotOnClassic("PIN")),
        }
    }

    /// Commits the wishes and reads them back. No wishes at all are a file of zeros, its reserved bytes too: nothing of
    /// a person's is left.
    ///
    /// # Errors
    /// `NotOnClassic` on a MIFARE Classic card, which keeps none; else `CardError`.
    pub fn write_wishes(
        &mut self,
        keys: &mut dyn CardKeys,
        wishes: &Wishes,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        match self {
            Self::Desfire(card) if *wishes == Wishes::default() => card.erase_wishes(keys, terminal),
            Self::Desfire(card) => card.write_wishes(keys, wishes, terminal),
            Self::Classic(_) => Err(CardError::NotOnClassic("wishes")),
        }
    }
}

fn another_kind_of_key() -> CardError {
    CardError::Key(KeyError::NoKey(KeyRole::Credit))
}

/// What an answer to reset says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Classic,
    OtherStorageCard,
    ChipCard,
    Unknown,
}

/// Whether a MIFARE Classic 1K lies there; else it is a chip card, which may be a DESFire.
///
/// # Errors
/// `NoApplication` for any other storage card, or `Transport`.
pub fn is_classic<T: Transport>(transport: &mut T, aid: [u8; 3]) -> Result<bool, CardError> {
    match kind(transport.atr()) {
        Kind::Classic => Ok(true),
        Kind::OtherStorageCard => Err(CardError::NoApplication),
        Kind::ChipCard => Ok(false),
        Kind::Unknown => Ok(!is_chip_card(transport, aid)?),
    }
}

fn kind(atr: &[u8]) -> Kind {
    match atr.strip_prefix(&STORAGE_CARD) {
        Some(rest) if rest.starts_with(&CLASSIC_1K) => Kind::Classic,
        Some(_) => Kind::OtherStorageCard,
        None if atr.is_empty() => Kind::Unknown,
        None => Kind::ChipCard,
    }
}

/// Whether what lies there answers as DESFire does. A reader answers for a storage card, which knows no such command.
fn is_chip_card<T: Transport>(transport: &mut T, aid: [u8; 3]) -> Result<bool, TransportError> {
    let Some(select) = Apdu::desfire(SELECT_APPLICATION, &aid) else { return Ok(true) };
    let reply: Reply = transport.transmit(&select)?;
    Ok(reply.status()[0] == SW1_DESFIRE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hex: &str, expected: Kind) {
        assert_eq!(kind(&data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap()), expected, "{hex}");
    }

    #[test]
    fn the_answer_to_reset_tells_what_lies_there() {
        check("3B8F8001804F0CA000000306030001000000006A", Kind::Classic);
        check("3B8F8001804F0CA0000003060300020000000069", Kind::OtherStorageCard);
        check("3B8F8001804F0CA0000003060300030000000068", Kind::OtherStorageCard);
        check("3B8180018080", Kind::ChipCard);
        check("", Kind::Unknown);
    }
}
