//! The city's keys in one file of mode 0600. This file stands where a hardware security module belongs: whoever reads
//! it can sign feeds, open every record and make cards. A city in service keeps the root key offline and the rest in
//! an HSM; the functions here are the ones such a module would offer.

mod ceremony;
mod copies;
mod disk;

pub use ceremony::{RootFile, read_root};
pub(crate) use copies::{adopt, note_used};
pub use copies::{note_change, refuse_older};
pub use disk::{KeyFileLock, write_private};

use crate::error::CentralError;
use domain::city_pack::CardLayout;
use domain::{Timestamp, Uid};
use hmac::{Hmac, KeyInit, Mac};
use keys::{AesKey, DiversificationInput, Entropy, IssuerBaseKeys, KeyError, SoftIssuer, VersionedKey, diversify};
use protocol::{BaseKey, EpochKey, HpkePublic, HpkeSecret, NoteError, NoteKey, Secret32, VerifierKey};
use rand::Rng;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// The base keys of the city's cards (AES-128).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardBaseKeys {
    /// Changes the others.
    pub master: BaseKey,
    /// Kiosks, newest first. A card moves to the newest one online; terminals hold them all.
    #[serde(deserialize_with = "versions")]
    pub read: Vec<VersionedBaseKey>,
    /// Validators.
    pub debit: BaseKey,
    /// Credits.
    pub credit: BaseKey,
    /// Real UIDs; not diversified.
    pub uid: BaseKey,
    /// TransactionMAC.
    pub transaction_mac: BaseKey,
}

/// One version of a base key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionedBaseKey {
    /// The version byte that cards tell (GetKeyVersion, 64).
    pub version: u8,
    /// The key.
    pub key: BaseKey,
    /// When it was drawn. Terminals that were enrolled before do not have it.
    pub drawn: Timestamp,
}

/// A key file from before read keys had versions holds one key as text: the cards carry it as version 0.
fn versions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VersionedBaseKey>, D::Error> {
    struct Either;
    impl<'de> Visitor<'de> for Either {
        type Value = Vec<VersionedBaseKey>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a read key, or a list of them")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let key = BaseKey::deserialize(text.into_deserializer())?;
            Ok(vec![VersionedBaseKey { version: 0, key, drawn: Timestamp(0) }])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }
    let found = deserializer.deserialize_any(Either)?;
    let mut known = BTreeSet::new();
    if found.is_empty() || !found.iter().all(|key| known.insert(key.version)) {
        return Err(D::Error::custom("read keys: one at least, each of another version"));
    }
    Ok(found)
}

/// All keys of the city.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The city pack's id.
    pub city: String,
    /// Rises when a working key changes.
    pub version: u32,
    /// Seed of the root key (Ed25519). None once it was carried off this machine: then `root_public` and `keys_note`
    /// stand in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Secret32>,
    /// The public half of a root key that is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_public: Option<VerifierKey>,
    /// The working keys, as the root key signed them last (`CityKeys`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_note: Option<String>,
    /// Seed of the head key.
    pub head: Secret32,
    /// Seed of the facts key.
    pub facts: Secret32,
    /// The facts key's own version: it stays when another working key changes, and what it has signed stays good.
    #[serde(default = "first_version")]
    pub facts_version: u32,
    /// Seals what the database stores of cards and PINs.
    pub storage: Secret32,
    /// Newest first.
    pub epochs: Vec<EpochKey>,
    /// The cards' base keys.
    pub cards: CardBaseKeys,
    /// How often this file was changed: of two copies the one with the lower number is the older.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes: u64,
    /// The public half of the recovery key, to which terminals wrap the keys of their journals; the private half is
    /// kept offline. None before `make_recovery_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<HpkePublic>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn first_version() -> u32 {
    1
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
            read: vec![VersionedBaseKey { version: 0, key: BaseKey::new(drawn(rng)), drawn: Timestamp(0) }],
            debit: BaseKey::new(drawn(rng)),
            credit: BaseKey::new(drawn(rng)),
            uid: BaseKey::new(drawn(rng)),
            transaction_mac: BaseKey::new(drawn(rng)),
        };
        Self {
            city: city.to_owned(),
            version: 1,
            root: Some(Secret32::new(drawn(rng))),
            root_public: None,
            keys_note: None,
            head: Secret32::new(drawn(rng)),
            facts: Secret32::new(drawn(rng)),
            facts_version: first_version(),
            storage: Secret32::new(drawn(rng)),
            epochs: vec![EpochKey { epoch: 1, key: Secret32::new(drawn(rng)) }],
            cards,
            changes: 0,
            recovery: None,
        }
    }

    /// Makes the city's recovery key, once: its public half stays in this file, the private half is given back and kept
    /// nowhere.
    ///
    /// # Errors
    /// `CentralError::NotReady` when there is one: journals are wrapped to it. `Entropy`.
    pub fn make_recovery_key(&mut self) -> Result<HpkeSecret, CentralError> {
        if let Some(known) = &self.recovery {
            return Err(CentralError::NotReady(format!("there is a recovery key already: {known}")));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())?;
        let secret = HpkeSecret::new(*bytes);
        self.recovery = Some(secret.public().map_err(|_| CentralError::StoredSecret)?);
        Ok(secret)
    }

    /// Central's own key, to whose public half terminals seal what is carried here by hand. It follows from the storage
    /// key, so that key files of before there was one have it.
    ///
    /// # Errors
    /// `CentralError::StoredSecret`, which this length does not meet.
    pub fn export_key(&self) -> Result<HpkeSecret, CentralError> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.storage.expose());
        let mut mac = mac.map_err(|_| CentralError::StoredSecret)?;
        mac.update(b"v1 export key");
        Ok(HpkeSecret::new(mac.finalize().into_bytes().into()))
    }

    /// The newest read key.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the file holds none.
    pub fn newest_read(&self) -> Result<&VersionedBaseKey, CentralError> {
        self.cards.read.first().ok_or_else(|| CentralError::NotReady("the key file holds no read key".to_owned()))
    }

    /// Draws the next read key and puts it first. The older ones stay: cards carry them until they are changed.
    ///
    /// # Errors
    /// `CentralError::NotReady` when all 256 versions are used up, `Entropy`.
    pub fn renew_read_key(&mut self, now: Timestamp) -> Result<u8, CentralError> {
        let version = self.newest_read()?.version.checked_add(1);
        let version = version.ok_or_else(|| CentralError::NotReady("read keys have no version left".to_owned()))?;
        let mut bytes = Zeroizing::new([0; 16]);
        getrandom::fill(bytes.as_mut())?;
        let key = VersionedBaseKey { version, key: BaseKey::new(*bytes), drawn: now };
        self.cards.read.insert(0, key);
        Ok(version)
    }

    /// The card keys as an issuer uses them; the chips' own master key is not among central's.
    #[must_use]
    pub fn issuer(&self, system_id: &str) -> SoftIssuer {
        let one = |key: &BaseKey| VersionedKey { key: AesKey::new(*key.expose()), version: 0 };
        let read = self.cards.read.iter();
        let base = IssuerBaseKeys {
            picc: Vec::new(),
            master: vec![one(&self.cards.master)],
            read: read.map(|key| VersionedKey { version: key.version, ..one(&key.key) }).collect(),
            debit: vec![one(&self.cards.debit)],
            credit: vec![one(&self.cards.credit)],
            uid: vec![one(&self.cards.uid)],
            transaction_mac: one(&self.cards.transaction_mac),
        };
        SoftIssuer::new(base, system_id, entropy())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `CentralError::File` or `Content`.
    pub fn load(path: &Path) -> Result<Self, CentralError> {
        let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
        let text = Zeroizing::new(text);
        serde_json::from_str(&text).map_err(|error| CentralError::content(path, error))
    }

    /// Writes the file for its own user only.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub fn save(&self, path: &Path) -> Result<(), CentralError> {
        let json = serde_json::to_string_pretty(self).map_err(|error| CentralError::content(path, error))?;
        write_private(path, Zeroizing::new(json).as_bytes())
    }

    /// The root key, where this file still has it. In service it signs working keys offline.
    ///
    /// # Errors
    /// `CentralError::NotReady` when it is elsewhere, `Feed` when the city's id cannot name a key.
    pub fn root_key(&self) -> Result<NoteKey, CentralError> {
        let away = || CentralError::NotReady("the root key is offline: this needs its file".to_owned());
        ceremony::root_named(&self.city, self.root.as_ref().ok_or_else(away)?)
    }

    /// The public half of the root key, wherever the key is.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the file has neither.
    pub fn root_verifier(&self) -> Result<VerifierKey, CentralError> {
        match &self.root_public {
            Some(public) => Ok(public.clone()),
            None => Ok(self.root_key()?.verifier()),
        }
    }

    /// The key of heads, receipts and batches.
    ///
    /// # Errors
    /// `NoteError` when the city's id cannot name a key.
    pub fn head_key(&self) -> Result<NoteKey, NoteError> {
        NoteKey::from_seed(&format!("{}-head-{}", self.city, self.version), self.head.expose())
    }

    /// The key of pre-issued facts.
    ///
    /// # Errors
    /// As `head_key`.
    pub fn facts_key(&self) -> Result<NoteKey, NoteError> {
        NoteKey::from_seed(&format!("{}-facts-{}", self.city, self.facts_version), self.facts.expose())
    }

    /// The epoch records are sealed in now.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the file holds none.
    pub fn epoch(&self) -> Result<&EpochKey, CentralError> {
        self.epochs.first().ok_or_else(|| CentralError::NotReady("the key file holds no epoch key".to_owned()))
    }
}

/// Randomness from the operating system.
pub(crate) fn entropy() -> Box<dyn Entropy + Send> {
    Box::new(|buffer: &mut [u8]| getrandom::fill(buffer).map_err(|_| KeyError::NoEntropy))
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn a_key_file_from_before_versions_is_read_and_its_key_is_version_0() {
        let mut keys = KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(1));
        let mut old = serde_json::to_value(&keys).unwrap();
        let only = old["cards"]["read"][0]["key"].clone();
        old["cards"]["read"] = only;
        let read: KeyFile = serde_json::from_value(old).unwrap();
        let shown = |keys: &KeyFile| -> Vec<(u8, [u8; 16])> {
            keys.cards.read.iter().map(|key| (key.version, *key.key.expose())).collect()
        };
        assert_eq!(shown(&read), shown(&keys));
        assert_eq!(keys.renew_read_key(Timestamp(5)).unwrap(), 1);
        let back: KeyFile = serde_json::from_value(serde_json::to_value(&keys).unwrap()).unwrap();
        assert_eq!(shown(&back), shown(&keys));
        assert_eq!(shown(&back)[1], shown(&read)[0], "the older key stays, behind the newer one");
        assert_ne!(shown(&back)[0].1, shown(&back)[1].1);
    }

    #[test]
    fn a_recovery_key_is_made_once_and_only_its_public_half_is_kept() {
        let mut keys = KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(1));
        let before = serde_json::to_string(&keys).unwrap();
        assert!(!before.contains("recovery"), "as a key file of before there was one");
        let secret = keys.make_recovery_key().unwrap();
        assert_eq!(keys.recovery, Some(secret.public().unwrap()));
        assert!(matches!(keys.make_recovery_key(), Err(CentralError::NotReady(_))));
        let file = serde_json::to_string(&keys).unwrap();
        let back: KeyFile = serde_json::from_str(&file).unwrap();
        assert_eq!(back.recovery, keys.recovery);
        assert!(!file.contains(serde_json::to_string(&secret).unwrap().as_str()));
    }

    #[test]
    fn the_export_key_is_the_same_at_every_start_and_another_in_another_city() {
        let keys = |seed| KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(seed));
        let public = |seed| keys(seed).export_key().unwrap().public().unwrap();
        assert_eq!(public(1), public(1));
        assert_ne!(public(1), public(2));
    }

    #[test]
    fn a_key_file_without_a_read_key_or_with_a_version_twice_is_refused() {
        let keys = serde_json::to_value(KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(1))).unwrap();
        let with = |read: serde_json::Value| {
            let mut file = keys.clone();
            file["cards"]["read"] = read;
            serde_json::from_value::<KeyFile>(file).is_ok()
        };
        let one = keys["cards"]["read"][0].clone();
        assert!(with(serde_json::json!([one])));
        assert!(!with(serde_json::json!([])));
        assert!(!with(serde_json::json!([one, one])));
    }
}
