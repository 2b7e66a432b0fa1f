//! A card of either technology, for whoever does not care which.

use crate::blank::DesfireDescription;
use crate::classic::{BlankClassic, ClassicCard, ClassicDescription, ClassicError, personalise_classic};
use crate::faults::{Exchange, FaultPlan};
use crate::field::FieldCard;
use crate::personalise::PersonaliseError;
use crate::reader_kind::ReaderKind;
use crate::storage::{self, CardKind, StorageError};
use crate::virtual_card::VirtualCard;
use domain::{CardNumber, Cents, Generation};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A card.
#[derive(Debug)]
pub enum AnyCard {
    /// MIFARE DESFire.
    Desfire(Box<VirtualCard>),
    /// MIFARE Classic 1K.
    Classic(Box<ClassicCard>),
}

/// A description of either technology: `"technology"` is `"desfire"`, which can be left out, or `"classic"`. With
/// `"blank": true` it is a card as the factory delivers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyDescription {
    /// MIFARE DESFire.
    Desfire(DesfireDescription),
    /// A Classic card of the city.
    Classic(Box<ClassicDescription>),
    /// A Classic card that no card office has seen.
    BlankClassic(BlankClassic),
}

impl<'de> Deserialize<'de> for AnyDescription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Map::<String, Value>::deserialize(deserializer)?;
        let technology = map.remove("technology").unwrap_or_else(|| "desfire".into());
        let read = match technology.as_str() {
            Some("desfire") => DesfireDescription::from_json(map.into()).map(Self::Desfire),
            Some("classic") => classic(map),
            _ => return Err(D::Error::custom("technology is \"desfire\" or \"classic\"")),
        };
        read.map_err(D::Error::custom)
    }
}

fn classic(mut map: Map<String, Value>) -> Result<AnyDescription, serde_json::Error> {
    if map.get("blank") == Some(&Value::Bool(true)) {
        return serde_json::from_value(map.into()).map(AnyDescription::BlankClassic);
    }
    if map.get("blank") == Some(&Value::Bool(false)) {
        map.remove("blank");
    }
    serde_json::from_value(map.into()).map(AnyDescription::Classic)
}

/// A description that no card can be made of.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// Of a DESFire card.
    #[error(transparent)]
    Desfire(#[from] PersonaliseError),
    /// Of a Classic card.
    #[error(transparent)]
    Classic(#[from] ClassicError),
}

impl AnyDescription {
    /// Makes the card.
    ///
    /// # Errors
    /// When no such card is possible.
    pub fn make(&self) -> Result<AnyCard, DescriptionError> {
        Ok(match self {
            Self::Desfire(description) => description.make()?.into(),
            Self::Classic(description) => personalise_classic(description)?.into(),
            Self::BlankClassic(description) => ClassicCard::described(description)?.into(),
        })
    }
}

impl From<VirtualCard> for AnyCard {
    fn from(card: VirtualCard) -> Self {
        Self::Desfire(Box::new(card))
    }
}

impl From<ClassicCard> for AnyCard {
    fn from(card: ClassicCard) -> Self {
        Self::Classic(Box::new(card))
    }
}

impl AnyCard {
    /// Loads a card that [`Self::keep_in`] saved; it goes on being saved there.
    ///
    /// # Errors
    /// When the file cannot be read or is no card image.
    pub fn load(path: &Path) -> Result<Self, StorageError> {
        Ok(match storage::kind(path)? {
            CardKind::Desfire => VirtualCard::load(path)?.into(),
            CardKind::Classic => ClassicCard::load(path)?.into(),
        })
    }

    /// The same card with its random numbers from a seed, so that a session can be repeated byte for byte.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        match self {
            Self::Desfire(card) => card.seeded(seed).into(),
            Self::Classic(card) => card.seeded(seed).into(),
        }
    }

    /// One APDU. A planned delay is slept here. An empty answer is a card that has left the field.
    pub fn transmit(&mut self, apdu: &[u8]) -> Vec<u8> {
        match self {
            Self::Desfire(card) => card.transmit(apdu),
            Self::Classic(card) => card.transmit(apdu),
        }
    }

    /// Saves the card's memory as JSON now and whenever it changes.
    ///
    /// # Errors
    /// When the file cannot be written now.
    pub fn keep_in(&mut self, path: PathBuf) -> Result<(), StorageError> {
        match self {
            Self::Desfire(card) => card.keep_in(path),
            Self::Classic(card) => card.keep_in(path),
        }
    }

    /// Carries the card to a reader of this kind. DESFire answers on all of them alike.
    pub fn set_reader(&mut self, kind: ReaderKind) {
        match self {
            Self::Desfire(card) => card.field_off(),
            Self::Classic(card) => card.set_reader(kind),
        }
    }

    /// Replaces the planned faults and counts exchanges from 1 again.
    pub fn set_faults(&mut self, plan: FaultPlan) {
        match self {
            Self::Desfire(card) => card.set_faults(plan),
            Self::Classic(card) => card.set_faults(plan),
        }
    }

    /// The faults that may still strike.
    #[must_use]
    pub fn faults(&self) -> &FaultPlan {
        match self {
            Self::Desfire(card) => card.faults(),
            Self::Classic(card) => card.faults(),
        }
    }

    /// A planned tear has struck; every exchange is empty until the card is laid down again.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        match self {
            Self::Desfire(card) => card.is_torn(),
            Self::Classic(card) => card.is_torn(),
        }
    }

    /// The chip's real UID.
    #[must_use]
    pub fn uid(&self) -> Vec<u8> {
        match self {
            Self::Desfire(card) => card.uid().to_vec(),
            Self::Classic(card) => card.uid().bytes().to_vec(),
        }
    }

    /// The printed number and its generation; `None` when the card has none.
    #[must_use]
    pub fn identity(&self) -> Option<(CardNumber, Generation)> {
        match self {
            Self::Desfire(card) => card.identity(),
            Self::Classic(card) => card.identity(),
        }
    }

    /// The purse; `None` when the card has none, or a broken one.
    #[must_use]
    pub fn purse(&self) -> Option<Cents> {
        match self {
            Self::Desfire(card) => card.purse(),
            Self::Classic(card) => card.purse(),
        }
    }

    fn field_card(&mut self) -> &mut dyn FieldCard {
        match self {
            Self::Desfire(card) => card.as_mut(),
            Self::Classic(card) => card.as_mut(),
        }
    }
}

impl FieldCard for AnyCard {
    fn atr(&self) -> Option<Vec<u8>> {
        match self {
            Self::Desfire(card) => Some(card.atr()),
            Self::Classic(card) => Some(card.atr()),
        }
    }

    fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        self.field_card().exchange(apdu)
    }

    fn field_off(&mut self) {
        self.field_card().field_off();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FaultKind, When};

    /// Both technologies, as they lie in `cards/`.
    fn cards() -> [AnyCard; 2] {
        [include_str!("../cards/demonstration.json"), include_str!("../cards/classic.json")]
            .map(|text| serde_json::from_str::<AnyDescription>(text).unwrap().make().unwrap().seeded(7))
    }

    #[test]
    fn both_technologies_tell_their_owner_the_same_things() {
        let shown = cards().map(|card| (card.uid().len(), card.identity().map(|(number, _)| number.0), card.purse()));
        assert_eq!(shown[0], (7, Some(1_234_567_890), Some(Cents(1_250))));
        assert_eq!(shown[1], (4, Some(1_234_567_891), Some(Cents(850))));
    }

    #[test]
    fn both_are_torn_and_laid_down_again_alike() {
        for mut card in cards() {
            card.set_reader(ReaderKind::Portable);
            card.set_faults(FaultPlan::once(When::Exchange(2), FaultKind::TearBefore));
            let get_uid = [0xFF, 0xCA, 0, 0, 0];
            let uid = card.transmit(&get_uid);
            assert!(uid.starts_with(&card.uid()));
            assert!(card.transmit(&get_uid).is_empty() && card.is_torn());
            assert!(card.faults().faults.is_empty());
            card.field_off();
            assert_eq!(card.transmit(&get_uid), uid);
        }
    }
}
