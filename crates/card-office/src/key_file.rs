//! The office key file: JSON, mode 0600. A card office's has every base key of the cards and makes cards; a
//! technician's has the read key and the one for real UIDs, and looks. It stands where a SAM or an HSM belongs
//! (`keys::IssuerKeys`): whoever copies an office's file can make cards.

use crate::error::OfficeError;
use crate::files;
use card::personalise::BlankKeys;
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use keys::{AesKey, ClassicKey, Entropy, IssuerBaseKeys, KeyError, SoftIssuer, SoftKeys, VersionedKey};
use protocol::{BaseKey, Secret32};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// One version of a base key, as central's key file writes it too; what else stands there is left aside.
#[derive(Debug, Clone, Deserialize)]
struct Versioned {
    version: u8,
    key: BaseKey,
}

impl Versioned {
    fn key(&self) -> VersionedKey {
        VersionedKey { key: aes(&self.key), version: self.version }
    }
}

fn aes(key: &BaseKey) -> AesKey {
    AesKey::new(*key.expose())
}

/// One key without a version (0), or a list of versions, the newest first.
#[derive(Debug, Default)]
struct Versions(Vec<Versioned>);

/// By hand, since serde's own way of trying one form and then the other keeps copies that nobody wipes.
impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Versions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key or a list of versions")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Versions, E> {
                let key = BaseKey::deserialize(text.into_deserializer())?;
                Ok(Versions(vec![Versioned { version: 0, key }]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Versions, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Versions)
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl Versions {
    fn keys(&self, name: &'static str) -> Result<Vec<VersionedKey>, OfficeError> {
        if self.0.is_empty() { Err(OfficeError::NoKey(name)) } else { Ok(self.0.iter().map(Versioned::key).collect()) }
    }
}

/// How blank chips come from the supplier.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Transport {
    /// AES keys of DESFire chips.
    desfire: Vec<BaseKey>,
    /// Keys of Classic chips, twelve digits each.
    classic: Vec<SixBytes>,
}

struct SixBytes(ClassicKey);

impl fmt::Debug for SixBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SixBytes(redacted)")
    }
}

impl<'de> Deserialize<'de> for SixBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map(Zeroizing::new).ok();
        let six = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes.as_slice()).ok());
        six.map(|six| Self(ClassicKey::new(six))).ok_or_else(|| D::Error::custom("not twelve digits"))
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeKeys {
    /// As in the city pack; a file of another city is noticed by it.
    system_id: String,
    read: Versions,
    uid: BaseKey,
    #[serde(default)]
    picc: Versions,
    #[serde(default)]
    master: Versions,
    #[serde(default)]
    debit: Versions,
    #[serde(default)]
    credit: Versions,
    #[serde(default)]
    transaction_mac: Versions,
    /// The office's own: marks of the log, and the seal of registrations.
    #[serde(default)]
    office: Option<Secret32>,
    #[serde(default)]
    transport: Transport,
}

impl OfficeKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// `Unsafe`, `File`, or `Content` when it is not one, or of another city than `system_id`.
    pub fn load(path: &Path, system_id: &str) -> Result<Self, OfficeError> {
        let text = files::read_private(path)?;
        let keys: Self = serde_json::from_str(&text).map_err(|error| {
            // Line and kind only: the parser's words could repeat a key.
            let kind = if error.is_data() { "a field is unknown, missing or of the wrong kind" } else { "not JSON" };
            OfficeError::content(path, format!("line {}: {kind}", error.line()))
        })?;
        if keys.system_id != system_id {
            return Err(OfficeError::content(path, "these are the keys of another city (system_id)"));
        }
        if keys.read.0.is_empty() {
            return Err(OfficeError::NoKey("read"));
        }
        Ok(keys)
    }

    /// What a kiosk has too: enough to look at cards and to write wishes.
    #[must_use]
    pub fn reading(&self) -> SoftKeys {
        let read = self.read.0.iter().map(|versioned| aes(&versioned.key)).collect();
        SoftKeys::new(read, Some(aes(&self.uid)), &self.system_id, entropy())
    }

    /// Everything that makes a card.
    ///
    /// # Errors
    /// `NoKey` names what the file lacks.
    pub fn issuer(&self) -> Result<SoftIssuer, OfficeError> {
        let transaction_mac = self.transaction_mac.keys("transaction_mac")?.into_iter().next();
        let base = IssuerBaseKeys {
            picc: self.picc.keys("picc")?,
            master: self.master.keys("master")?,
            read: self.read.keys("read")?,
            debit: self.debit.keys("debit")?,
            credit: self.credit.keys("credit")?,
            uid: vec![VersionedKey { key: aes(&self.uid), version: 0 }],
            transaction_mac: transaction_mac.ok_or(OfficeError::NoKey("transaction_mac"))?,
        };
        Ok(SoftIssuer::new(base, &self.system_id, entropy()))
    }

    /// The transport keys, and with them the ones that chips have by default.
    #[must_use]
    pub fn blank(&self) -> BlankKeys {
        let picc = self.transport.desfire.iter().map(aes).collect();
        let classic = self.transport.classic.iter().map(|key| key.0.clone()).collect();
        BlankKeys::new(picc, classic, Box::new(entropy))
    }

    /// A key of the office's own for one purpose.
    ///
    /// # Errors
    /// `NoKey` in a file without an office key.
    pub fn office(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, OfficeError> {
        let secret = self.office.as_ref().ok_or(OfficeError::NoKey("office"))?;
        Ok(Zeroizing::new(keyed(secret.expose(), &[b"citizen-card ", purpose.as_bytes()])))
    }
}

/// HMAC-SHA256 (RFC 2104) over the parts.
pub(crate) fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length: 32 bytes are never refused.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The operating system's randomness.
#[must_use]
pub fn entropy() -> Box<dyn Entropy + Send> {
    Box::new(|buffer: &mut [u8]| getrandom::fill(buffer).map_err(|_| KeyError::NoEntropy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn load(json: &str) -> Result<OfficeKeys, OfficeError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, json).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        OfficeKeys::load(&path, "demo")
    }

    fn key(digit: char) -> String {
        digit.to_string().repeat(32)
    }

    #[test]
    fn a_technicians_file_reads_and_makes_no_card() {
        let json = format!(r#"{{"system_id": "demo", "read": "{}", "uid": "{}"}}"#, key('1'), key('2'));
        let keys = load(&json).unwrap();
        assert!(matches!(keys.issuer(), Err(OfficeError::NoKey("transaction_mac"))));
        assert!(matches!(keys.office("log"), Err(OfficeError::NoKey("office"))));
    }

    #[test]
    fn an_offices_file_has_them_all() {
        let read = format!(
            r#"[{{"version": 2, "key": "{}", "drawn": 5}}, {{"version": 1, "key": "{}", "drawn": 0}}]"#,
            key('1'),
            key('a')
        );
        let json = format!(
            r#"{{"system_id": "demo", "read": {read}, "uid": "{0}", "picc": "{0}", "master": "{0}", "debit": "{0}",
                "credit": "{0}", "transaction_mac": "{0}", "office": "{0}{0}",
                "transport": {{"desfire": ["{0}"], "classic": ["A0A1A2A3A4A5"]}}}}"#,
            key('2')
        );
        let keys = load(&json).unwrap();
        assert!(keys.issuer().is_ok());
        assert_ne!(keys.office("log").unwrap(), keys.office("registrations").unwrap());
    }

    #[test]
    fn a_mistake_is_told_without_the_key() {
        for bad in [
            format!(r#"{{"system_id": "demo", "read": "{}", "uid": "7{}"}}"#, key('1'), key('7')),
            format!(r#"{{"system_id": "demo", "read": "{}x", "uid": "{}"}}"#, key('7'), key('7')),
            format!(r#"{{"system_id": "demo", "uid": "{}"}}"#, key('7')),
            format!(r#"{{"system_id": "other", "read": "{0}", "uid": "{0}"}}"#, key('7')),
            format!(r#"{{"system_id": "demo", "read": [], "uid": "{}"}}"#, key('7')),
        ] {
            let error = load(&bad).unwrap_err();
            assert!(!error.to_string().contains("777"), "{error}");
            assert_eq!(error.exit(), crate::error::Exit::Office);
        }
    }
}
