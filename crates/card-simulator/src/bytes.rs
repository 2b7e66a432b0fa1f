//! Bytes that are written as hexadecimal in JSON, and keys that never show themselves.

use data_encoding::HEXUPPER_PERMISSIVE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroize;

/// An AES-128 key: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// Wraps 16 key bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXUPPER_PERMISSIVE.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex_array::deserialize(deserializer).map(Self)
    }
}

/// For `#[serde(with = "hex_array")]` on `[u8; N]`: upper-case hexadecimal, either case accepted.
pub(crate) mod hex_array {
    use super::{Deserialize, Deserializer, HEXUPPER_PERMISSIVE, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXUPPER_PERMISSIVE.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| D::Error::custom("not hexadecimal"))?;
        let len = bytes.len();
        bytes.try_into().map_err(|_| D::Error::custom(format_args!("{len} bytes where {N} are wanted")))
    }
}

/// For `#[serde(with = "hex_vec")]` on `Vec<u8>`.
pub(crate) mod hex_vec {
    use super::{Deserialize, Deserializer, HEXUPPER_PERMISSIVE, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXUPPER_PERMISSIVE.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| D::Error::custom("not hexadecimal"))
    }
}

/// For `#[serde(with = "hex_vecs")]` on `Vec<Vec<u8>>`.
pub(crate) mod hex_vecs {
    use super::{Deserialize, Deserializer, HEXUPPER_PERMISSIVE, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(records: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(records.iter().map(|record| HEXUPPER_PERMISSIVE.encode(record)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let decoded = texts.iter().map(|text| HEXUPPER_PERMISSIVE.decode(text.as_bytes())).collect::<Result<_, _>>();
        decoded.map_err(|_| D::Error::custom("not hexadecimal"))
    }
}

/// Three bytes, least significant first, as DESFire writes offsets and lengths.
pub(crate) fn u24(bytes: [u8; 3]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16
}

/// The inverse of [`u24`]; a size beyond three bytes is capped, which no file of a card reaches.
pub(crate) fn u24_bytes(value: usize) -> [u8; 3] {
    let [a, b, c, ..] = u32::try_from(value).unwrap_or(u32::MAX).min(0x00FF_FFFF).to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    HEXUPPER_PERMISSIVE.decode(plain.as_bytes()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", Key::new([0xAB; 16])), "Key(redacted)");
    }

    #[test]
    fn a_key_survives_json_in_either_case_and_a_short_one_is_refused() {
        let key: Key = serde_json::from_str("\"000102030405060708090a0B0c0D0e0F\"").unwrap();
        let again: Key = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(key, again);
        assert!(serde_json::from_str::<Key>("\"00\"").is_err());
    }

    #[test]
    fn three_byte_numbers_are_least_significant_first() {
        assert_eq!(u24([0x19, 0x02, 0x01]), 0x01_0219);
        assert_eq!(u24_bytes(0x01_0219), [0x19, 0x02, 0x01]);
    }
}
