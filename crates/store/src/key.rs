//! The journal's key, and where it is kept between starts.

use crate::StoreError;
use data_encoding::HEXLOWER;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The key's length in bytes.
const KEY_BYTES: usize = 32;

/// One byte more than a key, so that a longer file is noticed.
const KEY_FILE_MAX: u64 = 33;

/// The name under which a credential store files the key.
const SERVICE: &str = "citizen-kiosk";

/// The raw 32-byte key of the journal's pages (SQLCipher, AES-256). Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct JournalKey([u8; KEY_BYTES]);

impl JournalKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// `Entropy` when there is none.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The key as SQLCipher takes a raw one: no derivation, 64 hexadecimal digits.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(HEXLOWER.encode(&self.0));
        Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", digits.as_str()))
    }

    /// The bytes, for the one who wraps them.
    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = bytes.try_into().map_err(|_| StoreError::Key(format!("{} bytes, not 32", bytes.len())))?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalKey(redacted)")
    }
}

/// Where the key stays between starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHome {
    /// The desktop's credential store (freedesktop Secret Service), under this terminal's name.
    SecretService {
        /// Distinguishes terminals that share a login.
        terminal: String,
    },
    /// A plain file beside the journal: whoever has the disk has the key. For demonstrations only.
    File(PathBuf),
}

/// A key, and whether it was made just now.
#[derive(Debug)]
pub struct KeptKey {
    /// The key.
    pub key: JournalKey,
    /// There was none before: a journal that already lies there cannot be read with it.
    pub made_now: bool,
}

impl KeyHome {
    /// The terminal's key; made and kept if the home answers that it has none. A home that does not answer, or
    /// holds something else than a key, is an error: a new key would cut the terminal off from its own journal.
    ///
    /// # Errors
    /// `Key` when the home cannot be asked, `Entropy` when no key can be made.
    pub fn obtain(&self) -> Result<KeptKey, StoreError> {
        match self {
            Self::SecretService { terminal } => from_credential(&secret_service(terminal).map_err(StoreError::Key)?),
            Self::File(path) => {
                tracing::warn!(
                    path = %path.display(),
                    "DEMONSTRATION ONLY: the journal's key lies unprotected in a file beside the journal"
                );
                from_file(path)
            }
        }
    }
}

/// What the desktop's credential store (freedesktop Secret Service) keeps for this program under a name.
///
/// # Errors
/// Why there is no such store.
pub fn secret_service(name: &str) -> Result<keyring_core::Entry, String> {
    match keyring::Entry::new(SERVICE, name) {
        Ok(entry) => Ok(entry.inner),
        Err(keyring::Error::NoDefaultStore) => Err(match keyring::Entry::store_status() {
            Ok(()) => "no credential store".to_owned(),
            Err(error) => format!("no Secret Service: {error}"),
        }),
        Err(error) => Err(describe(&error)),
    }
}

/// The key kept in any credential of the keyring interface.
///
/// # Errors
/// As `KeyHome::obtain`.
pub fn from_credential(entry: &keyring_core::Entry) -> Result<KeptKey, StoreError> {
    match entry.get_secret() {
        Ok(secret) => {
            let secret = Zeroizing::new(secret);
            Ok(KeptKey { key: JournalKey::from_slice(&secret)?, made_now: false })
        }
        Err(keyring_core::Error::NoEntry) => {
            let key = JournalKey::random()?;
            entry.set_secret(&key.0).map_err(|error| StoreError::Key(error.to_string()))?;
            confirm(entry, &key)?;
            Ok(KeptKey { key, made_now: true })
        }
        Err(error) => Err(StoreError::Key(describe(&error))),
    }
}

/// Reads the key back before anything is written under it.
fn confirm(entry: &keyring_core::Entry, key: &JournalKey) -> Result<(), StoreError> {
    let kept = Zeroizing::new(entry.get_secret().map_err(|error| StoreError::Key(describe(&error)))?);
    if kept.as_slice() == key.0 { Ok(()) } else { Err(StoreError::Key("the store gives another key back".into())) }
}

/// An error's text without the secret that two of its variants carry.
#[must_use]
pub fn describe(error: &keyring_core::Error) -> String {
    match error {
        keyring_core::Error::BadEncoding(_) | keyring_core::Error::BadDataFormat(..) => "malformed".to_owned(),
        other => other.to_string(),
    }
}

fn from_file(path: &Path) -> Result<KeptKey, StoreError> {
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    match std::fs::File::open(path) {
        Ok(file) => {
            let mode = file.metadata().map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(StoreError::Key(format!("{} is readable by others", path.display())));
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
            file.take(KEY_FILE_MAX).read_to_end(&mut bytes).map_err(failed)?;
            Ok(KeptKey { key: JournalKey::from_slice(&bytes)?, made_now: false })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = JournalKey::random()?;
            write_key(path, &key).map_err(failed)?;
            Ok(KeptKey { key, made_now: true })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Written whole under another name first, so that a power cut leaves either no key or the key.
fn write_key(path: &Path, key: &JournalKey) -> std::io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let staged = path.with_extension("new");
    match std::fs::remove_file(&staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
    file.write_all(&key.0)?;
    file.sync_all()?;
    std::fs::rename(&staged, path)?;
    std::fs::File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::api::CredentialStoreApi;

    fn mock_entry(store: &keyring_core::mock::Store) -> keyring_core::Entry {
        store.build(SERVICE, "terminal 7", None).unwrap()
    }

    #[test]
    fn a_credential_store_keeps_the_key_it_was_given_first() {
        let store = keyring_core::mock::Store::new().unwrap();
        let first = from_credential(&mock_entry(&store)).unwrap();
        let second = from_credential(&mock_entry(&store)).unwrap();
        assert!(first.made_now);
        assert!(!second.made_now);
        assert!(first.key == second.key);
    }

    #[test]
    fn a_locked_credential_store_is_an_error_and_never_a_new_key() {
        let store = keyring_core::mock::Store::new().unwrap();
        let kept = from_credential(&mock_entry(&store)).unwrap();
        let entry = mock_entry(&store);
        let locked = keyring_core::Error::NoStorageAccess("locked".into());
        entry.as_any().downcast_ref::<keyring_core::mock::Cred>().unwrap().set_error(locked);
        assert!(matches!(from_credential(&entry), Err(StoreError::Key(_))));
        assert!(from_credential(&entry).unwrap().key == kept.key);
    }

    #[test]
    fn a_secret_that_is_no_key_is_left_alone() {
        let store = keyring_core::mock::Store::new().unwrap();
        mock_entry(&store).set_secret(b"short").unwrap();
        assert!(matches!(from_credential(&mock_entry(&store)), Err(StoreError::Key(_))));
        assert_eq!(mock_entry(&store).get_secret().unwrap(), b"short");
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = KeyHome::File(folder.path().join("data/journal.key"));
        let first = home.obtain().unwrap();
        let second = home.obtain().unwrap();
        assert!(first.made_now && !second.made_now && first.key == second.key);
        let path = folder.path().join("data/journal.key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(home.obtain(), Err(StoreError::Key(_))));
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = JournalKey([0xAB; KEY_BYTES]);
        assert_eq!(format!("{key:?}"), "JournalKey(redacted)");
    }
}
