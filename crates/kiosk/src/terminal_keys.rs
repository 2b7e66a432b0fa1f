//! The keys that a terminal makes for itself and never gives away: the TLS key with its certificate, the Ed25519 key of
//! its uploads, the X25519 key of its parcels. They lie where the journal's key does: in the Secret Service, or, for
//! demonstrations, in a file beside the journal. They are in no bundle and on no stick.

use crate::KioskError;
use crate::config::{Config, KeyConfig};
use domain::{TerminalId, Timestamp};
use protocol::first_trust::{Certificate, EnrolmentRequest};
use protocol::{BaseKey, EpochKey, HpkeSecret, Secret32};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The file's name, where there is a file.
const FILE: &str = "terminal.keys";

/// A private key (PKCS#8, DER, in hexadecimal), and the certificate for it as soon as there is one.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsPair {
    key: String,
    #[zeroize(skip)]
    pub(crate) certificate: Option<Certificate>,
}

impl TlsPair {
    /// A new key of its own.
    pub(crate) fn make() -> Result<(Self, KeyPair), String> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string())?;
        let key = data_encoding::HEXLOWER.encode(pair.serialized_der());
        Ok((Self { key, certificate: None }, pair))
    }

    /// PKCS#8, DER.
    pub(crate) fn der(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let der = data_encoding::HEXLOWER.decode(self.key.as_bytes());
        der.map(Zeroizing::new).map_err(|_| "the kept TLS key cannot be read".to_owned())
    }
}

/// The signing request for a key (PKCS#10, DER). Central takes the key from it; the name it knows itself.
pub(crate) fn signing_request(terminal: TerminalId, pair: &KeyPair) -> Result<Vec<u8>, String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("terminal {}", terminal.0));
    let request = params.serialize_request(pair).map_err(|error| error.to_string())?;
    Ok(request.der().to_vec())
}

/// The keys of an enrolled terminal.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Own {
    /// The seed of the Ed25519 key that signs uploads.
    pub(crate) signing: Secret32,
    /// The private half of the key that parcels are sealed to.
    pub(crate) parcel: HpkeSecret,
    /// What is shown to central.
    pub(crate) tls: TlsPair,
}

/// An enrolment that was asked for and not answered yet.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The keys it is for.
    pub(crate) own: Own,
    /// What was asked, byte for byte: an answer names it.
    pub(crate) request: EnrolmentRequest,
    /// SHA-256 of the one-time code it was asked with: the same code may ask the same again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_sha256: Option<Secret32>,
}

/// Everything that is kept.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// In force.
    pub(crate) own: Option<Own>,
    /// An enrolment under way.
    pub(crate) asked: Option<Asked>,
    /// A renewal under way: the next key, and its certificate once it came.
    pub(crate) next: Option<TlsPair>,
    /// What the newest parcel brought.
    #[serde(default)]
    pub(crate) parcel: Option<FromParcel>,
}

/// What came with the feed for this terminal alone.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FromParcel {
    /// The fleet's epoch keys, newest first. One that no feed needs any more is forgotten.
    pub(crate) epochs: Vec<EpochKey>,
    /// The cards' read keys, newest first; used from the next start on.
    pub(crate) read: Vec<BaseKey>,
    /// The key of real UIDs.
    pub(crate) uid: Option<BaseKey>,
    /// SHA-256 of the batch of codes that was taken last: a batch is taken once, also when the journal begins anew.
    pub(crate) codes_sha256: Option<Secret32>,
}

impl Kept {
    /// A renewed certificate that came is the one in force from now on.
    pub(crate) fn promote(&mut self) -> bool {
        let came = self.next.as_ref().is_some_and(|next| next.certificate.is_some());
        if let (true, Some(own)) = (came, &mut self.own)
            && let Some(next) = self.next.take()
        {
            own.tls = next;
            return true;
        }
        false
    }

    /// When the certificate in force ends; `None` without one.
    pub(crate) fn renewal_due(&self) -> Option<Timestamp> {
        Some(self.own.as_ref()?.tls.certificate.as_ref()?.renewal_due())
    }
}

/// Where they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeysHome {
    SecretService(TerminalId),
    File(PathBuf),
}

impl KeysHome {
    pub(crate) fn of(config: &Config, terminal: TerminalId) -> Self {
        match config.journal_key {
            KeyConfig::SecretService => Self::SecretService(terminal),
            KeyConfig::DemonstrationFile => Self::File(config.data.join(FILE)),
        }
    }

    fn entry(terminal: TerminalId) -> Result<keyring_core::Entry, KioskError> {
        store::key::secret_service(&format!("{} terminal keys", terminal.0)).map_err(mistake)
    }

    /// What is kept; nothing yet on a new terminal.
    ///
    /// # Errors
    /// `Configuration` when the home cannot be asked, or holds something else.
    pub(crate) fn read(&self) -> Result<Kept, KioskError> {
        let bytes = match self {
            Self::SecretService(terminal) => from_entry(&Self::entry(*terminal)?)?,
            Self::File(path) => from_file(path)?,
        };
        let Some(bytes) = bytes else { return Ok(Kept::default()) };
        serde_json::from_slice(&bytes).map_err(|_| mistake("what is kept there are no terminal's keys"))
    }

    /// Keeps them, whole or not at all.
    ///
    /// # Errors
    /// `Configuration`, `File`.
    pub(crate) fn write(&self, kept: &Kept) -> Result<(), KioskError> {
        let bytes = Zeroizing::new(serde_json::to_vec(kept).map_err(|error| mistake(error.to_string()))?);
        match self {
            Self::SecretService(terminal) => to_entry(&Self::entry(*terminal)?, &bytes),
            Self::File(path) => write_private(path, &bytes),
        }
    }

    /// Reads what is kept, changes it and keeps it again. Whoever changes it while the kiosk runs does so on the one
    /// thread that owns it.
    ///
    /// # Errors
    /// As `read` and `write`; what is kept stays then.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Kept) -> R) -> Result<R, KioskError> {
        let mut kept = self.read()?;
        let result = change(&mut kept);
        self.write(&kept)?;
        Ok(result)
    }
}

fn mistake(message: impl Into<String>) -> KioskError {
    KioskError::Configuration { path: "the terminal's keys".into(), at: None, message: message.into() }
}

fn from_entry(entry: &keyring_core::Entry) -> Result<Option<Zeroizing<Vec<u8>>>, KioskError> {
    match entry.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(keyring_core::Error::NoEntry) => Ok(None),
        Err(error) => Err(mistake(store::key::describe(&error))),
    }
}

fn to_entry(entry: &keyring_core::Entry, bytes: &[u8]) -> Result<(), KioskError> {
    entry.set_secret(bytes).map_err(|error| mistake(store::key::describe(&error)))?;
    match from_entry(entry)? {
        Some(back) if back.as_slice() == bytes => Ok(()),
        _ => Err(mistake("the Secret Service gives other keys back than it was given")),
    }
}

fn from_file(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KioskError> {
    let failed = |source| KioskError::File { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            Err(mistake(format!("{} is readable by others", path.display())))
        }
        Ok(_) => Ok(Some(Zeroizing::new(std::fs::read(path).map_err(failed)?))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Writes a file for its owner alone: under another name first, so that a power cut leaves the old one or the new one.
///
/// # Errors
/// `File`.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KioskError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staged = path.with_extension("new");
    let write = || {
        std::fs::create_dir_all(folder)?;
        match std::fs::remove_file(&staged) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&staged, path)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| KioskError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::api::CredentialStoreApi;

    fn kept() -> Kept {
        let (tls, _) = TlsPair::make().unwrap();
        let (signing, parcel) = (Secret32::new([0xA1; 32]), HpkeSecret::new([0xA2; 32]));
        Kept { own: Some(Own { signing, parcel, tls }), ..Kept::default() }
    }

    fn certificate(byte: u8) -> Certificate {
        Certificate { der: vec![byte], issued: Timestamp(0), expires: Timestamp(300) }
    }

    #[test]
    fn keys_are_kept_for_their_owner_alone_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join(FILE);
        let home = KeysHome::File(path.clone());
        assert!(home.read().unwrap().own.is_none());
        let first = kept();
        home.write(&first).unwrap();
        let back = home.read().unwrap().own.unwrap();
        assert_eq!(*back.tls.der().unwrap(), *first.own.as_ref().unwrap().tls.der().unwrap());
        assert_eq!(back.signing.expose(), &[0xA1; 32]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(home.read().is_err(), "a file that others can read is not used");
    }

    #[test]
    fn a_secret_service_that_is_locked_or_holds_something_else_is_an_error() {
        let store = keyring_core::mock::Store::new().unwrap();
        let entry = store.build("citizen-kiosk", "7 terminal keys", None).unwrap();
        assert!(from_entry(&entry).unwrap().is_none());
        to_entry(&entry, b"keys").unwrap();
        assert_eq!(*from_entry(&entry).unwrap().unwrap(), b"keys");
        let locked = keyring_core::Error::NoStorageAccess("locked".into());
        entry.as_any().downcast_ref::<keyring_core::mock::Cred>().unwrap().set_error(locked);
        assert!(from_entry(&entry).is_err());
    }

    #[test]
    fn only_a_renewal_whose_certificate_came_takes_the_place_of_the_old_one() {
        let mut kept = kept();
        let own = |kept: &Kept| kept.own.as_ref().unwrap().tls.certificate.clone();
        assert!(!kept.promote() && kept.renewal_due().is_none());
        let (mut next, _) = TlsPair::make().unwrap();
        kept.next = Some(next.clone());
        assert!(!kept.promote() && kept.next.is_some() && own(&kept).is_none());
        next.certificate = Some(certificate(9));
        kept.next = Some(next);
        assert!(kept.promote() && kept.next.is_none());
        assert_eq!(own(&kept), Some(certificate(9)));
        assert_eq!(kept.renewal_due(), Some(Timestamp(200)));
    }
}
