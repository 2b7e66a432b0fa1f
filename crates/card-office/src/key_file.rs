//! The office key file: JSON, mode 0600. A card office's has every base key of the cards and makes cards; a
//! technician's has the read key and the one for real UIDs, and looks. It stands where a SAM or an HSM belongs
//! (`keys::IssuerKeys`): whoever copies an office's file can make cards.

use crate::error::OfficeError;
use crate::files;
use card::personalise::BlankKeys;
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use keys::{AesKey, ClassicKey, Entropy, IssuerBaseKeys, KeyError, SoftIssuer, SoftKeys, VersionedKey};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// What a key looks like in the file.
const KEY: &str = "a key of 32 hexadecimal digits";
const VERSIONS: &str = "a key of 32 hexadecimal digits, or a list of {\"version\": 0 to 255, \"key\": 32 hexadecimal \
     digits}, the newest first";
const OFFICE: &str = "64 hexadecimal digits";
const TRANSPORT: &str = "{\"desfire\": [keys of 32 hexadecimal digits], \"classic\": [keys of 12 hexadecimal digits]}";
/// The longest unknown field name that is repeated in a message.
const NAME_MAX: usize = 20;

/// So many bytes in hexadecimal digits, upper- or lower-case.
#[derive(Clone)]
struct Digits<const N: usize>(Zeroizing<[u8; N]>);

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(redacted)")
    }
}

impl<'de, const N: usize> Deserialize<'de> for Digits<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map(Zeroizing::new).ok();
        let exact = bytes.and_then(|bytes| <[u8; N]>::try_from(bytes.as_slice()).ok());
        exact.map(|exact| Self(Zeroizing::new(exact))).ok_or_else(|| D::Error::custom("not these digits"))
    }
}

/// One version of a base key, as central's key file writes it too; what else stands there is left aside.
#[derive(Debug, Clone, Deserialize)]
struct Versioned {
    version: u8,
    key: Digits<16>,
}

impl Versioned {
    fn key(&self) -> VersionedKey {
        VersionedKey { key: aes(&self.key), version: self.version }
    }
}

fn aes(key: &Digits<16>) -> AesKey {
    AesKey::new(*key.0)
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
                let key = Digits::deserialize(text.into_deserializer())?;
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
    desfire: Vec<Digits<16>>,
    /// Keys of Classic chips, twelve digits each.
    classic: Vec<Digits<6>>,
}

/// The file.
#[derive(Debug)]
pub struct OfficeKeys {
    /// As in the city pack; a file of another city is noticed by it.
    system_id: String,
    read: Versions,
    uid: Digits<16>,
    picc: Versions,
    master: Versions,
    debit: Versions,
    credit: Versions,
    transaction_mac: Versions,
    /// The office's own: marks of the log, and the seal of registrations.
    office: Option<Digits<32>>,
    transport: Transport,
}

/// The fields as they are found.
#[derive(Default)]
struct Fields {
    system_id: Option<String>,
    read: Option<Versions>,
    uid: Option<Digits<16>>,
    picc: Option<Versions>,
    master: Option<Versions>,
    debit: Option<Versions>,
    credit: Option<Versions>,
    transaction_mac: Option<Versions>,
    office: Option<Digits<32>>,
    transport: Option<Transport>,
}

impl Fields {
    /// Takes the value of one field; the error says what was expected, and never what is there.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), String> {
        match name {
            "system_id" => once(&mut self.system_id, map, "the city's system_id, a text"),
            "read" => once(&mut self.read, map, VERSIONS),
            "uid" => once(&mut self.uid, map, KEY),
            "picc" => once(&mut self.picc, map, VERSIONS),
            "master" => once(&mut self.master, map, VERSIONS),
            "debit" => once(&mut self.debit, map, VERSIONS),
            "credit" => once(&mut self.credit, map, VERSIONS),
            "transaction_mac" => once(&mut self.transaction_mac, map, VERSIONS),
            "office" => once(&mut self.office, map, OFFICE),
            "transport" => once(&mut self.transport, map, TRANSPORT),
            _ => Err("no such field is known".to_owned()),
        }
    }

    fn keys(self) -> Result<OfficeKeys, String> {
        let missing = |name: &str, expected: &str| format!("field {name} is missing: expected {expected}");
        Ok(OfficeKeys {
            system_id: self.system_id.ok_or_else(|| missing("system_id", "the city's system_id, a text"))?,
            read: self.read.ok_or_else(|| missing("read", VERSIONS))?,
            uid: self.uid.ok_or_else(|| missing("uid", KEY))?,
            picc: self.picc.unwrap_or_default(),
            master: self.master.unwrap_or_default(),
            debit: self.debit.unwrap_or_default(),
            credit: self.credit.unwrap_or_default(),
            transaction_mac: self.transaction_mac.unwrap_or_default(),
            office: self.office,
            transport: self.transport.unwrap_or_default(),
        })
    }
}

fn once<'de, A: MapAccess<'de>, V: Deserialize<'de>>(
    place: &mut Option<V>,
    map: &mut A,
    expected: &str,
) -> Result<(), String> {
    let value = map.next_value().map_err(|_| format!("expected {expected}"))?;
    if place.replace(value).is_some() { Err("it is there twice".to_owned()) } else { Ok(()) }
}

/// Reads the object by hand: the parser's own messages repeat what is written, which here are keys. The reason is left
/// in the cell.
struct Reader<'a>(&'a RefCell<Option<String>>);

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = OfficeKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OfficeKeys, A::Error> {
        let told = |reason: String| {
            self.0.replace(Some(reason));
            A::Error::custom("told")
        };
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<String>()?.map(Zeroizing::new) {
            fields.take(&name, &mut map).map_err(|reason| told(format!("field {}: {reason}", shown(&name))))?;
        }
        fields.keys().map_err(told)
    }
}

/// A name that is one; a key in its place is not repeated.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= NAME_MAX && name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
    if is_name { name } else { "(of another name)" }
}

fn parse(text: &str) -> Result<OfficeKeys, String> {
    let told = RefCell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Reader(&told)).and_then(|keys| json.end().map(|()| keys));
    read.map_err(|error| {
        let reason = told.take().unwrap_or_else(|| "not one JSON object".to_owned());
        format!("line {}: {reason}", error.line())
    })
}

impl OfficeKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// `Unsafe`, `File`, or `Content` when it is not one, or of another city than `system_id`.
    pub fn load(path: &Path, system_id: &str) -> Result<Self, OfficeError> {
        let text = files::read_private(path)?;
        let keys = parse(&text).map_err(|reason| OfficeError::content(path, reason))?;
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
        let classic = self.transport.classic.iter().map(|key| ClassicKey::new(*key.0)).collect();
        BlankKeys::new(picc, classic, Box::new(entropy))
    }

    /// A key of the office's own for one purpose.
    ///
    /// # Errors
    /// `NoKey` in a file without an office key.
    pub fn office(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, OfficeError> {
        let secret = self.office.as_ref().ok_or(OfficeError::NoKey("office"))?;
        Ok(Zeroizing::new(keyed(&secret.0, &[b"citizen-card ", purpose.as_bytes()])))
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
    fn digits_are_upper_or_lower_case() {
        for read in ["AABBCCDDEEFF00112233445566778899", "aabbccddeeff00112233445566778899"] {
            let keys = load(&format!(r#"{{"system_id": "demo", "read": "{read}", "uid": "{}"}}"#, key('F'))).unwrap();
            assert_eq!(*keys.read.0[0].key.0, *HEXLOWER_PERMISSIVE.decode(read.as_bytes()).unwrap());
        }
    }

    #[test]
    fn a_mistake_names_the_field_and_what_was_expected_and_never_the_key() {
        let check = |more: &str, reason: &str| {
            let error = load(&format!(r#"{{"system_id": "demo", {more}}}"#)).unwrap_err();
            assert!(error.to_string().contains(reason), "{more}: {error}");
            assert!(!error.to_string().contains("777"), "{error}");
            assert_eq!(error.exit(), crate::error::Exit::Office);
        };
        let seven = key('7');
        let good = format!(r#""read": "{seven}", "uid": "{seven}""#);
        check(&format!(r#""read": "{seven}", "uid": "7{seven}""#), "field uid: expected a key of 32");
        check(&format!(r#""read": "{seven}x", "uid": "{seven}""#), "field read: expected a key of 32");
        check(&format!(r#""read": 7777, "uid": "{seven}""#), "field read: expected");
        check(&format!(r#""read": [{{"version": 777, "key": "{seven}"}}], "uid": "{seven}""#), "field read: expected");
        check(&format!(r#""uid": "{seven}""#), "field read is missing: expected");
        check(&format!(r#"{good}, "office": "{seven}""#), "field office: expected 64 hexadecimal digits");
        check(&format!(r#"{good}, "uid": "{seven}""#), "field uid: it is there twice");
        check(&format!(r#"{good}, "colour": "{seven}""#), "field colour: no such field is known");
        check(&format!(r#"{good}, "{seven}": 1"#), "no such field is known");
        check(&format!(r#"{good}, "transport": {{"classic": ["{seven}"]}}"#), "field transport: expected {\"desfire\"");
        check(&format!(r#""read": [], "uid": "{seven}""#), "no read key");
        check(&format!(r#"{good} {seven}"#), "line 1: not one JSON object");
    }

    #[test]
    fn the_keys_of_another_city_are_noticed() {
        let error = load(&format!(r#"{{"system_id": "other", "read": "{0}", "uid": "{0}"}}"#, key('7'))).unwrap_err();
        assert!(error.to_string().contains("another city"), "{error}");
    }
}
