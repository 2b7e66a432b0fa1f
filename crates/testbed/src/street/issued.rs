//! Cards that the card office has made and registered, and that no feed knows yet: of the first kind, and new ones
//! whose record is still to come.

use super::Street;
use crate::StreetError;
use card_simulator::{
    AnyDescription, ClassicBaseKeys, ClassicCard, ClassicKeySource, KeySource, VirtualCard, personalise_classic,
};
use domain::{CardNumber, Generation, Uid};
use protocol::CardRegistration;
use protocol::cards::WireTechnology;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// Numbers of cards that have no holder yet.
const CLASSIC_NUMBER: CardNumber = CardNumber(6_009_000_017);
const NEW_NUMBER: CardNumber = CardNumber(6_009_000_025);
const CLASSIC_UID: &[u8] = &[0x5A, 0x1B, 0x2C, 0x3D];
const NEW_UID: [u8; 7] = [0x04, 0x5A, 0x1B, 0x2C, 0x3D, 0x4E, 0x5F];
const NEW_SECRET: [u8; 32] = [0xC4; 32];

impl Street {
    /// A MIFARE Classic card of this city, with 8.50 euros and two top-ups in its past.
    ///
    /// # Errors
    /// `StreetError::Card` when the city never had such cards; `StreetError::Central`.
    pub fn issue_classic_card(&self) -> Result<Arc<Mutex<ClassicCard>>, StreetError> {
        let wrong = |error: &dyn std::fmt::Display| StreetError::Card(error.to_string());
        let layout = &self.description.layout;
        let described = json!({
            "technology": "classic",
            "uid": data_encoding::HEXUPPER.encode(CLASSIC_UID),
            "layout": layout.classic,
            "system_id": layout.system_id,
            "keys": ClassicKeySource::Base(ClassicBaseKeys::from(&self.city.base_keys()?)),
            "identity": { "number": CLASSIC_NUMBER.0, "generation": 1 },
            "purse": { "value": 850, "opening": 0 },
            "top_ups": [
                { "counter": 1, "day": 20_000, "top_up": "010203040506", "amount": 1_000, "before": 0 },
                { "counter": 2, "day": 20_010, "top_up": "111213141516", "amount": 500, "before": 650 },
            ],
        });
        let AnyDescription::Classic(description) = serde_json::from_value(described).map_err(|error| wrong(&error))?
        else {
            return Err(StreetError::Card("another kind of card".to_owned()));
        };
        let card = personalise_classic(&description).map_err(|error| wrong(&error))?;
        self.city.issue(&CardRegistration {
            number: CLASSIC_NUMBER,
            generation: Generation(1),
            uid: Uid::new(CLASSIC_UID).map_err(|error| wrong(&error))?,
            technology: WireTechnology::Classic,
            secret: None,
            read_key_version: 0,
        })?;
        Ok(Arc::new(Mutex::new(card)))
    }

    /// A new DESFire card, made today: the feed that the kiosk serves from has no record of it.
    ///
    /// # Errors
    /// `StreetError::Card`, `StreetError::Central`.
    pub fn issue_new_card(&self) -> Result<Arc<Mutex<VirtualCard>>, StreetError> {
        let keys = self.city.base_keys()?;
        let read_key_version = keys.versions.read;
        let card = self.make_card(|description| {
            description.uid = NEW_UID;
            description.keys = KeySource::Base(keys);
            description.identity.number = NEW_NUMBER;
            description.identity.generation = Generation(1);
            description.identity.secret = NEW_SECRET;
        })?;
        self.city.issue(&CardRegistration {
            number: NEW_NUMBER,
            generation: Generation(1),
            uid: Uid::new(&NEW_UID).map_err(|error| StreetError::Card(error.to_string()))?,
            technology: WireTechnology::DesfireEv2,
            secret: Some(protocol::CardSecret::new(NEW_SECRET)),
            read_key_version,
        })?;
        Ok(card)
    }
}
