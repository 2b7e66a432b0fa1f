//! Identifiers. Each is a type of its own, so that a card number can never stand where a UID is meant.

use data_encoding::{HEXLOWER, HEXUPPER};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let bytes = HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()).map_err(|_| BadId)?;
                bytes.try_into().map(Self).map_err(|_| BadId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The text is not an identifier of this kind: wrong length, or a character outside its alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub struct BadId;

hex_id!(
    /// One top-up, made at random before anything else; it travels in journal, payment, card record and upload.
    TopUpId,
    16
);

/// The number printed on the citizen's card. Not secret, but personal: its `Debug` is redacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardNumber(pub u64);

impl CardNumber {
    /// The last four digits, as receipts show it.
    #[must_use]
    pub fn last_four(self) -> String {
        format!("{:04}", self.0 % 10_000)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber(…{})", self.last_four())
    }
}

/// Which issue of the number this card is: a replaced card has the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u8);

/// The chip's unique identifier (ISO/IEC 14443-3), four or seven bytes. Never an authenticator: it can be copied.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Vec<u8>);

impl Uid {
    /// # Errors
    /// `BadId` unless four or seven bytes long.
    pub fn new(bytes: &[u8]) -> Result<Self, BadId> {
        if matches!(bytes.len(), 4 | 7) { Ok(Self(bytes.to_vec())) } else { Err(BadId) }
    }

    /// The bytes, first transmitted first.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Upper-case hexadecimal, as card offices write it. Not for logs.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXUPPER.encode(&self.0)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uid(redacted)")
    }
}

/// A kiosk, as central enrolled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TerminalId(pub u32);

hex_id!(
    /// The secure verification code (CSV) of a document: 128 random bits (Ley 40/2015 art. 42).
    DocumentCode,
    16
);

impl DocumentCode {
    /// As printed for a person to type: Crockford-like base 32 in groups of four, 26 digits.
    #[must_use]
    pub fn to_print(self) -> String {
        let plain = data_encoding::BASE32_NOPAD.encode(&self.0);
        let groups: Vec<&str> =
            plain.as_bytes().chunks(4).filter_map(|chunk| std::str::from_utf8(chunk).ok()).collect();
        groups.join("-")
    }

    /// Reads what a person typed: groups, spaces and lower case are accepted.
    ///
    /// # Errors
    /// `BadId` when it is no code.
    pub fn from_print(text: &str) -> Result<Self, BadId> {
        let plain: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        let bytes = data_encoding::BASE32_NOPAD.decode(plain.as_bytes()).map_err(|_| BadId)?;
        bytes.try_into().map(Self).map_err(|_| BadId)
    }
}

/// The unique job-name of one print (a URN), journalled before the printer hears of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrintName(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_code_survives_print_and_typing() {
        let code = DocumentCode([0xA5; 16]);
        let printed = code.to_print();
        assert_eq!(printed.len(), 26 + 6);
        assert_eq!(DocumentCode::from_print(&printed.to_lowercase().replace('-', " ")), Ok(code));
        assert_eq!(DocumentCode::from_print("AAAA"), Err(BadId));
    }

    #[test]
    fn a_top_up_id_parses_what_it_prints_and_refuses_the_rest() {
        let id = TopUpId([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "00", "zz000000000000000000000000000000"] {
            assert_eq!(bad.parse::<TopUpId>(), Err(BadId), "{bad}");
        }
    }

    #[test]
    fn personal_identifiers_are_redacted_in_debug() {
        assert_eq!(format!("{:?}", CardNumber(1_234_567_890)), "CardNumber(…7890)");
        let uid = Uid::new(&[1, 2, 3, 4]).unwrap();
        assert!(!format!("{uid:?}").contains("01"));
    }

    #[test]
    fn a_uid_has_four_or_seven_bytes() {
        assert!(Uid::new(&[0; 7]).is_ok());
        assert_eq!(Uid::new(&[0; 5]), Err(BadId));
    }
}
