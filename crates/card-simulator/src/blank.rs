//! A card as it comes from the chip's maker, before any card office has seen it.

use crate::bytes::hex_array;
use crate::description::CardDescription;
use crate::layout;
use crate::memory::{Chip, Memory};
use crate::personalise::{PersonaliseError, personalise};
use crate::virtual_card::VirtualCard;
use domain::city_pack::CardLayout;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Error;
use std::fmt;

/// An empty chip: no application, and a master key of zeros, version 0. It is an AES key, as a supplier sets it on
/// request, or the 2K3DES key that chips leave their factory with ([`VirtualCard::factory`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlankDescription {
    /// The chip's UID, seven bytes in hexadecimal.
    #[serde(with = "hex_array")]
    pub uid: [u8; 7],
    /// The product.
    #[serde(default)]
    pub chip: Chip,
    /// By which its owner looks at it once it is personalised; the documented one unless told.
    #[serde(default = "layout::documented")]
    pub layout: CardLayout,
}

impl fmt::Debug for BlankDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlankDescription").field("chip", &self.chip).finish_non_exhaustive()
    }
}

impl VirtualCard {
    /// An empty chip, its random numbers from the operating system.
    #[must_use]
    pub fn blank(description: &BlankDescription) -> Self {
        Self::new(Memory::blank(description.chip, description.uid), description.layout.clone())
    }

    /// The same with the factory's master key: only AuthenticateISO knows it, and only ChangeKey follows that.
    #[must_use]
    pub fn factory(description: &BlankDescription) -> Self {
        let mut memory = Memory::blank(description.chip, description.uid);
        memory.master_is_des = true;
        Self::new(memory, description.layout.clone())
    }
}

/// A DESFire card as a person writes it down: with `"blank": true` an empty chip, with `"factory": true` beside it
/// one that still has its factory's key, otherwise a personalised one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesfireDescription {
    /// Before the card office, with an AES master key.
    Blank(BlankDescription),
    /// Straight from the factory.
    Factory(BlankDescription),
    /// After it.
    Personalised(Box<CardDescription>),
}

impl DesfireDescription {
    /// # Errors
    /// When the JSON is neither description.
    pub fn from_json(mut value: Value) -> Result<Self, Error> {
        let blank = value.as_object_mut().and_then(|fields| fields.remove("blank"));
        match blank.map(serde_json::from_value).transpose()? {
            Some(true) => {
                let factory = value.as_object_mut().and_then(|fields| fields.remove("factory"));
                let factory = factory.map(serde_json::from_value).transpose()?.unwrap_or(false);
                let description = serde_json::from_value(value)?;
                Ok(if factory { Self::Factory(description) } else { Self::Blank(description) })
            }
            Some(false) | None => Ok(Self::Personalised(serde_json::from_value(value)?)),
        }
    }

    /// Makes the card.
    ///
    /// # Errors
    /// When the description is not one of a possible card.
    pub fn make(&self) -> Result<VirtualCard, PersonaliseError> {
        match self {
            Self::Blank(description) => Ok(VirtualCard::blank(description)),
            Self::Factory(description) => Ok(VirtualCard::factory(description)),
            Self::Personalised(description) => personalise(description),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blank_card_is_written_in_a_line() {
        let made = DesfireDescription::from_json(json!({"blank": true, "chip": "ev1", "uid": "04A1B2C3D4E5F6"}));
        let card = made.unwrap().make().unwrap();
        assert_eq!((card.memory().chip, card.uid()[0], card.memory().applications.len()), (Chip::Ev1, 0x04, 0));
        assert_eq!(card.purse(), None);
    }

    #[test]
    fn a_factory_card_is_a_blank_one_with_another_kind_of_key() {
        let made = |factory: Value| {
            let value = json!({"blank": true, "factory": factory, "chip": "ev2", "uid": "04A1B2C3D4E5F6"});
            DesfireDescription::from_json(value).map(|description| description.make().unwrap().memory().master_is_des)
        };
        assert!(made(json!(true)).unwrap());
        assert!(!made(json!(false)).unwrap());
        assert!(made(json!("yes")).unwrap_err().to_string().contains("boolean"));
        let personalised = json!({"factory": true, "uid": "04A1B2C3D4E5F6"});
        assert!(DesfireDescription::from_json(personalised).unwrap_err().to_string().contains("factory"));
    }

    #[test]
    fn what_is_not_blank_is_described_in_full() {
        let full = crate::tests::description();
        assert!(matches!(DesfireDescription::from_json(full), Ok(DesfireDescription::Personalised(_))));
        let refused = |value| DesfireDescription::from_json(value).unwrap_err().to_string();
        assert!(refused(json!({"blank": false, "uid": "04A1B2C3D4E5F6"})).contains("layout"));
        assert!(refused(json!({"blank": true, "uid": "04A1B2C3D4E5F6", "purse": {}})).contains("purse"));
        assert!(refused(json!({"blank": 1, "uid": "04A1B2C3D4E5F6"})).contains("boolean"));
    }
}
