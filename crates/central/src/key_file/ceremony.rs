//! What is done with the city's keys on a quiet day: the root key carried off, the head key changed, an epoch drawn, old
//! epochs destroyed. Each of these changes the key file, which is then written anew over the old one.

use super::{KeyFile, write_private};
use crate::error::CentralError;
use domain::Timestamp;
use protocol::{CityKeys, EpochKey, NoteKey, Secret32};
use serde::{Deserialize, Serialize};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How long the working keys may sign; a city renews them long before.
const KEYS_LIFE_MS: i64 = 400 * DAY_MS;

/// The root key as it is carried: its city beside it, so that two cities' sticks are not confused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootFile {
    /// The city pack's id.
    pub city: String,
    /// Seed of the root key (Ed25519).
    pub root: Secret32,
}

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

pub(super) fn root_named(city: &str, seed: &Secret32) -> Result<NoteKey, CentralError> {
    NoteKey::from_seed(&format!("{city}-root"), seed.expose()).map_err(feed)
}

/// Reads a root key that was carried here.
///
/// # Errors
/// `CentralError::File` or `Content`.
pub fn read_root(path: &Path) -> Result<RootFile, CentralError> {
    let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
    let text = Zeroizing::new(text);
    serde_json::from_str(&text).map_err(|error| CentralError::content(path, error))
}

fn random() -> Result<Secret32, CentralError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())?;
    Ok(Secret32::new(*bytes))
}

impl KeyFile {
    /// The working keys, signed by the root key: anew where it is here, else as they were signed last.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the root key is offline and what it signed last has run out, or is of other keys.
    pub fn signed_keys(&self, now: Timestamp) -> Result<String, CentralError> {
        if self.root.is_some() {
            return self.sign_keys(&self.root_key()?, now);
        }
        let stale = |why: &str| {
            CentralError::NotReady(format!("{why}: sign the next working keys with renew-head-key --root FILE"))
        };
        let note = self.keys_note.as_ref().ok_or_else(|| stale("the root key never signed the working keys"))?;
        let signed = CityKeys::verify(note, &self.city, &self.root_verifier()?).map_err(feed)?;
        if now > signed.until {
            return Err(stale("the working keys have run out"));
        }
        let ours = self.city_keys(signed.until)?;
        if ours == signed { Ok(note.clone()) } else { Err(stale("the root key signed other working keys")) }
    }

    /// Until when the heads that this file signs are good.
    ///
    /// # Errors
    /// As `signed_keys`.
    pub fn keys_until(&self, now: Timestamp) -> Result<Timestamp, CentralError> {
        let note = self.signed_keys(now)?;
        Ok(CityKeys::verify(&note, &self.city, &self.root_verifier()?).map_err(feed)?.until)
    }

    fn city_keys(&self, until: Timestamp) -> Result<CityKeys, CentralError> {
        Ok(CityKeys {
            city: self.city.clone(),
            version: self.version,
            head: self.head_key().map_err(feed)?.verifier(),
            facts: self.facts_key().map_err(feed)?.verifier(),
            until,
        })
    }

    fn sign_keys(&self, root: &NoteKey, now: Timestamp) -> Result<String, CentralError> {
        self.city_keys(now.plus_ms(KEYS_LIFE_MS))?.sign(root).map_err(feed)
    }

    /// Takes the root key out of this file; what it signs now is good until it is brought again.
    ///
    /// # Errors
    /// `CentralError::NotReady` when it is not here.
    pub fn take_root(&mut self, now: Timestamp) -> Result<RootFile, CentralError> {
        let root = self.root_key()?;
        let note = self.sign_keys(&root, now)?;
        self.root_public = Some(root.verifier());
        self.keys_note = Some(note);
        let away = || CentralError::NotReady("the root key is offline already".to_owned());
        Ok(RootFile { city: self.city.clone(), root: self.root.take().ok_or_else(away)? })
    }

    /// Draws the next head key and has the root key sign it: the one in this file, or the one that was brought.
    ///
    /// # Errors
    /// `CentralError::NotReady` without a root key, or with another city's.
    pub fn renew_head(&mut self, brought: Option<&RootFile>, now: Timestamp) -> Result<u32, CentralError> {
        let root = match brought {
            Some(file) => root_named(&file.city, &file.root)?,
            None => self.root_key()?,
        };
        if root.verifier() != self.root_verifier()? {
            return Err(CentralError::NotReady("this is the root key of another city, or another one".to_owned()));
        }
        let last = || CentralError::NotReady("versions of the working keys are used up".to_owned());
        self.version = self.version.checked_add(1).ok_or_else(last)?;
        self.head = random()?;
        // Beside a root key that is in this file, each publication signs anew.
        self.keys_note = if self.root.is_some() { None } else { Some(self.sign_keys(&root, now)?) };
        Ok(self.version)
    }

    /// Draws the next epoch's key and puts it first. `above` is the highest epoch that was ever published.
    ///
    /// # Errors
    /// `CentralError::NotReady` when the epochs are used up, `Entropy`.
    pub fn draw_epoch(&mut self, above: u32) -> Result<u32, CentralError> {
        let newest = self.epochs.first().map_or(0, |key| key.epoch).max(above);
        let last = || CentralError::NotReady("epochs are used up".to_owned());
        let epoch = newest.checked_add(1).ok_or_else(last)?;
        self.epochs.insert(0, EpochKey { epoch, key: random()? });
        Ok(epoch)
    }

    /// Writes the changed file anew, with the next number of changes, and overwrites the bytes of the old one. A copying
    /// file system, a journal, an SSD or a backup may still have them.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub fn save_over(&mut self, path: &Path) -> Result<(), CentralError> {
        let failed = |error| CentralError::file(path, error);
        self.changes = self.changes.saturating_add(1);
        // Held open: after the rename nobody else finds the old bytes.
        let mut old = std::fs::OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        let length = old.metadata().map_err(failed)?.len();
        let json = serde_json::to_string_pretty(self).map_err(|error| CentralError::content(path, error))?;
        write_private(path, Zeroizing::new(json).as_bytes())?;
        let mut wipe = || {
            old.seek(SeekFrom::Start(0))?;
            old.write_all(&vec![0; usize::try_from(length).unwrap_or_default()])?;
            old.sync_all()
        };
        wipe().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const NOW: Timestamp = Timestamp(1_795_345_200_000);

    fn keys() -> KeyFile {
        KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(1))
    }

    fn read(note: &str, keys: &KeyFile) -> CityKeys {
        CityKeys::verify(note, "bahia", &keys.root_verifier().unwrap()).unwrap()
    }

    #[test]
    fn without_its_root_key_the_file_signs_until_what_was_signed_last_runs_out() {
        let mut keys = keys();
        let (root, before) = (keys.root_verifier().unwrap(), keys.signed_keys(NOW).unwrap());
        let taken = keys.take_root(NOW).unwrap();
        assert!(keys.root_key().is_err() && keys.take_root(NOW).is_err());
        let json = serde_json::to_string(&keys).unwrap();
        let seed = serde_json::to_string(&taken.root).unwrap();
        assert!(!json.contains(seed.trim_matches('"')), "the root key's seed has left the file");
        let keys: KeyFile = serde_json::from_str(&json).unwrap();
        assert_eq!(keys.root_verifier().unwrap(), root);
        assert_eq!(keys.signed_keys(NOW).unwrap(), before);
        let until = keys.keys_until(NOW).unwrap();
        assert!(keys.signed_keys(until).is_ok());
        assert!(matches!(keys.signed_keys(until.plus_ms(1)), Err(CentralError::NotReady(_))));
    }

    #[test]
    fn the_next_head_key_is_signed_by_the_root_key_that_was_brought_and_by_no_other() {
        let mut keys = keys();
        let facts = keys.facts_key().unwrap().verifier();
        let taken = keys.take_root(NOW).unwrap();
        assert!(keys.renew_head(None, NOW).is_err(), "the root key is elsewhere");
        let other = KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(2)).take_root(NOW).unwrap();
        assert!(keys.renew_head(Some(&other), NOW).is_err(), "another root key");
        assert_eq!(keys.version, 1);
        let later = NOW.plus_ms(500 * DAY_MS);
        assert!(keys.signed_keys(later).is_err());
        assert_eq!(keys.renew_head(Some(&taken), later).unwrap(), 2);
        let signed = read(&keys.signed_keys(later).unwrap(), &keys);
        assert_eq!((signed.version, &signed.head), (2, &keys.head_key().unwrap().verifier()));
        assert_eq!(signed.facts, facts, "pre-issued facts stay good");
    }

    #[test]
    fn working_keys_that_the_root_key_did_not_sign_are_not_used() {
        let mut keys = keys();
        keys.take_root(NOW).unwrap();
        keys.version = 2;
        assert!(matches!(keys.signed_keys(NOW), Err(CentralError::NotReady(_))));
    }

    #[test]
    fn an_epoch_is_above_all_that_were_published_and_the_old_keys_stay_behind_it() {
        let mut keys = keys();
        assert_eq!(keys.draw_epoch(7).unwrap(), 8);
        assert_eq!(keys.draw_epoch(7).unwrap(), 9);
        let epochs: Vec<u32> = keys.epochs.iter().map(|key| key.epoch).collect();
        assert_eq!(epochs, [9, 8, 1]);
    }

    #[test]
    fn the_old_files_bytes_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let mut keys = keys();
        keys.save(&path).unwrap();
        let held = std::fs::File::open(&path).unwrap();
        keys.draw_epoch(0).unwrap();
        keys.save_over(&path).unwrap();
        let mut old = Vec::new();
        std::io::Read::read_to_end(&mut &held, &mut old).unwrap();
        assert!(old.len() > 500 && old.iter().all(|byte| *byte == 0));
        assert_eq!(KeyFile::load(&path).unwrap().epochs.len(), 2);
    }

    #[test]
    fn a_key_file_from_before_roots_were_carried_off_is_read_as_it_was() {
        let keys = keys();
        let mut old = serde_json::to_value(&keys).unwrap();
        old.as_object_mut().unwrap().remove("facts_version");
        assert!(old.get("root_public").is_none() && old.get("keys_note").is_none());
        let read: KeyFile = serde_json::from_value(old).unwrap();
        assert_eq!(read.signed_keys(NOW).unwrap(), keys.signed_keys(NOW).unwrap());
    }
}
