//! The city's keys in one file of mode 0600. This file stands where a hardware security module belongs: whoever reads
//! it can sign feeds, open every record and make cards. A city in service keeps the root key offline and the rest in
//! an HSM; the functions here are the ones such a module would offer.

use crate::error::CentralError;
use domain::Uid;
use domain::city_pack::CardLayout;
use keys::{AesKey, DiversificationInput, diversify};
use protocol::{BaseKey, EpochKey, NoteError, NoteKey, Secret32};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The base keys of the city's cards (AES-128).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardBaseKeys {
    /// Changes the others.
    pub master: BaseKey,
    /// Kiosks.
    pub read: BaseKey,
    /// Validators.
    pub debit: BaseKey,
    /// Credits.
    pub credit: BaseKey,
    /// Real UIDs; not diversified.
    pub uid: BaseKey,
    /// TransactionMAC.
    pub transaction_mac: BaseKey,
}

/// All keys of the city.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The city pack's id.
    pub city: String,
    /// Rises when a working key changes.
    pub version: u32,
    /// Seed of the root key (Ed25519).
    pub root: Secret32,
    /// Seed of the head key.
    pub head: Secret32,
    /// Seed of the facts key.
    pub facts: Secret32,
    /// Seals what the database stores of cards and PINs.
    pub storage: Secret32,
    /// Newest first.
    pub epochs: Vec<EpochKey>,
    /// The cards' base keys.
    pub cards: CardBaseKeys,
}

fn drawn<const N: usize>(rng: &mut impl Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl KeyFile {
    /// Draws all keys.
    pub fn draw(city: &str, rng: &mut impl Rng) -> Self {
        let cards = CardBaseKeys {
            master: BaseKey::new(drawn(rng)),
            read: BaseKey::new(drawn(rng)),
            debit: BaseKey::new(drawn(rng)),
            credit: BaseKey::new(drawn(rng)),
            uid: BaseKey::new(drawn(rng)),
            transaction_mac: BaseKey::new(drawn(rng)),
        };
        Self {
            city: city.to_owned(),
            version: 1,
            root: Secret32::new(drawn(rng)),
            head: Secret32::new(drawn(rng)),
            facts: Secret32::new(drawn(rng)),
            storage: Secret32::new(drawn(rng)),
            epochs: vec![EpochKey { epoch: 1, key: Secret32::new(drawn(rng)) }],
            cards,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `CentralError::File` or `Content`.
    pub fn load(path: &Path) -> Result<Self, CentralError> {
        let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
        let text = zeroize::Zeroizing::new(text);
        serde_json::from_str(&text).map_err(|error| CentralError::content(path, error))
    }

    /// Writes the file for its own user only.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub fn save(&self, path: &Path) -> Result<(), CentralError> {
        let json = serde_json::to_string_pretty(self).map_err(|error| CentralError::content(path, error))?;
        write_private(path, zeroize::Zeroizing::new(json).as_bytes())
    }

    /// The root key. In service it signs working keys offline.
    ///
    /// # Errors
    /// `NoteError` when the city's id cannot name a key.
    pub fn root_key(&self) -> Result<NoteKey, NoteError> {
        NoteKey::from_seed(&format!("{}-root", self.city), self.root.expose())
    }

    /// The key of heads, receipts and batches.
    ///
    /// # Errors
    /// As `root_key`.
    pub fn head_key(&self) -> Result<NoteKey, NoteError> {
        NoteKey::from_seed(&format!("{}-head-{}", self.city, self.version), self.head.expose())
    }

    /// The key of pre-issued facts.
    ///
    /// # Errors
    /// As `root_key`.
    pub fn facts_key(&self) -> Result<NoteKey, NoteError> {
        NoteKey::from_seed(&format!("{}-facts-{}", self.city, self.version), self.facts.expose())
    }

    /// The epoch records are sealed in now.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the file holds none.
    pub fn epoch(&self) -> Result<&EpochKey, CentralError> {
        self.epochs.first().ok_or_else(|| CentralError::NotReady("the key file holds no epoch key".to_owned()))
    }
}

/// One card's own key of a base key (`docs/card-layout.md`, "Diversification").
///
/// # Errors
/// `CentralError::Feed` when the pack's system id is too long.
pub fn card_key(base: &BaseKey, uid: &Uid, layout: &CardLayout, number: u8) -> Result<AesKey, CentralError> {
    let input = DiversificationInput::new(uid, layout.aid, number, &layout.system_id)
        .map_err(|error| CentralError::Feed(format!("diversification: {error}")))?;
    Ok(diversify(&AesKey::new(*base.expose()), &input))
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// `CentralError::File`.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| CentralError::file(path, error))
}
