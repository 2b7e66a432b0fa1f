//! Where a terminal's card keys lie between starts: the *read* base key in one or two versions, and the key for real
//! UIDs. They come with the enrolment bundle. With `secret-service` they go into the Secret Service at the first start
//! and out of the bundle as soon as they have been read back; with `bundle-file` they stay in it.

#[cfg(test)]
mod tests;

use crate::KioskError;
use crate::config::Config;
use keys::{AesKey, Entropy, SoftKeys};
use protocol::{BaseKey, Enrolment};
use serde::Deserialize;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// The first byte of the kept secret.
const FORMAT: u8 = 1;
/// Bytes of one key.
const KEY: usize = 16;
/// What precedes the keys in the kept secret: format, how many *read* keys, whether there is one for real UIDs.
const HEADER: usize = 3;

/// Where the cards' keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum CardKeysConfig {
    /// In the Secret Service of the desktop session, through the keyring interface.
    SecretService,
    /// In the enrolment bundle: whoever reads that file has them.
    #[default]
    BundleFile,
}

/// The cards' keys that a terminal holds. Wiped when dropped, never printed.
pub(crate) struct CardKeySet {
    /// Newest first.
    read: Vec<AesKey>,
    uid: Option<AesKey>,
}

impl CardKeySet {
    /// For the reader's owner.
    pub(crate) fn soft(&self, system_id: &str, entropy: Box<dyn Entropy + Send>) -> SoftKeys {
        SoftKeys::new(self.read.clone(), self.uid.clone(), system_id, entropy)
    }

    /// What a bundle brings; `None` when its keys are kept elsewhere.
    fn brought(enrolment: &Enrolment) -> Option<Self> {
        let key = |key: &BaseKey| AesKey::new(*key.expose());
        let read: Vec<AesKey> = enrolment.read_base_keys.iter().map(key).collect();
        (!read.is_empty()).then(|| Self { read, uid: enrolment.uid_key.as_ref().map(key) })
    }

    fn secret(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let read = u8::try_from(self.read.len()).map_err(|_| "more versions of the read key than can be kept")?;
        let mut secret = Zeroizing::new(vec![FORMAT, read, u8::from(self.uid.is_some())]);
        for key in self.read.iter().chain(&self.uid) {
            secret.extend_from_slice(key.expose());
        }
        Ok(secret)
    }

    fn from_secret(secret: &[u8]) -> Option<Self> {
        let (&[FORMAT, read, uid], keys) = secret.split_first_chunk::<HEADER>()? else { return None };
        let (keys, rest) = keys.as_chunks::<KEY>();
        let whole = rest.is_empty() && read > 0 && uid <= 1 && keys.len() == usize::from(read) + usize::from(uid);
        let (read, uid) = keys.split_at_checked(usize::from(read)).filter(|_| whole)?;
        let key = |bytes: &[u8; KEY]| AesKey::new(*bytes);
        Some(Self { read: read.iter().map(key).collect(), uid: uid.first().map(key) })
    }
}

impl fmt::Debug for CardKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardKeySet").field("read_versions", &self.read.len()).finish_non_exhaustive()
    }
}

/// The keys, from where the configuration says they are. The enrolment holds none of them afterwards.
///
/// # Errors
/// `Configuration` when there are none, or the Secret Service cannot be asked: the bundle's keys are not used then.
pub(crate) fn obtain(config: &Config, enrolment: &mut Enrolment) -> Result<CardKeySet, KioskError> {
    let brought = CardKeySet::brought(enrolment);
    enrolment.read_base_keys.clear();
    enrolment.uid_key = None;
    match config.card_keys {
        CardKeysConfig::BundleFile => brought.ok_or_else(|| mistake(NONE_IN_BUNDLE)),
        CardKeysConfig::SecretService => {
            let name = format!("{} card keys", enrolment.terminal.0);
            let entry = store::key::secret_service(&name).map_err(mistake)?;
            let came = brought.is_some();
            let keys = settled(&entry, brought).map_err(mistake)?;
            if came {
                empty_bundle(&config.enrolment, enrolment);
            }
            Ok(keys)
        }
    }
}

/// Whether the keys are where the configuration says, as far as that can be told from the bundle.
///
/// # Errors
/// `Configuration` when they should be in the bundle and are not.
pub(crate) fn check(config: &Config, enrolment: &Enrolment) -> Result<(), KioskError> {
    let missing = config.card_keys == CardKeysConfig::BundleFile && enrolment.read_base_keys.is_empty();
    if missing { Err(mistake(NONE_IN_BUNDLE)) } else { Ok(()) }
}

const NONE_IN_BUNDLE: &str = "the enrolment bundle holds no card keys: say where they are kept, or enrol the terminal";
const NONE_AT_ALL: &str =
    "the Secret Service holds no card keys and the enrolment bundle brings none: enrol the terminal again";

fn mistake(message: impl Into<String>) -> KioskError {
    KioskError::Configuration { path: "[card_keys]".into(), at: None, message: message.into() }
}

/// Keeps what a bundle brought, or gives what is kept. A bundle that brings keys is the newer one: one that was
/// settled brings none any more.
///
/// # Errors
/// Why nothing can be kept or had.
fn settled(entry: &keyring_core::Entry, brought: Option<CardKeySet>) -> Result<CardKeySet, String> {
    let kept = match entry.get_secret() {
        Ok(secret) => Some(Zeroizing::new(secret)),
        Err(keyring_core::Error::NoEntry) => None,
        Err(error) => return Err(store::key::describe(&error)),
    };
    let Some(keys) = brought else {
        let kept = kept.ok_or(NONE_AT_ALL)?;
        return CardKeySet::from_secret(&kept).ok_or_else(|| "what the Secret Service keeps is no card key".to_owned());
    };
    let secret = keys.secret()?;
    if kept.as_ref() != Some(&secret) {
        entry.set_secret(&secret).map_err(|error| store::key::describe(&error))?;
        let back = Zeroizing::new(entry.get_secret().map_err(|error| store::key::describe(&error))?);
        if *back != *secret {
            return Err("the Secret Service gives other card keys back than it was given".to_owned());
        }
    }
    Ok(keys)
}

/// Writes the bundle again without the keys that are kept elsewhere now. `enrolment` holds none of them any more.
fn empty_bundle(path: &Path, enrolment: &Enrolment) {
    match rewritten(path, enrolment) {
        Ok(()) => tracing::info!(path = %path.display(), "the card keys were taken out of the enrolment bundle"),
        Err(error) => tracing::warn!(
            path = %path.display(), %error,
            "the card keys are kept in the Secret Service and still lie in the enrolment bundle too"
        ),
    }
}

/// Whole or not at all, with the rights the file had. What a link leads to is written, not the link.
pub(crate) fn rewritten(path: &Path, enrolment: &Enrolment) -> std::io::Result<()> {
    let json = enrolment.to_json().map_err(std::io::Error::other)?;
    let path = std::fs::canonicalize(path)?;
    let mode = std::fs::metadata(&path)?.permissions().mode() & 0o777;
    let staged = path.with_extension("new");
    match std::fs::remove_file(&staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&staged)?;
    file.write_all(json.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&staged, &path)?;
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
