//! Secrets as fixed-length values: wiped on drop, redacted in `Debug`, readable only through `expose`.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes the bytes over.
            #[must_use]
            pub fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes, for the one computation that needs them.
            #[must_use]
            pub fn expose(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }

        /// As lower-case hexadecimal; only key files and enrolment bundles do this.
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = Zeroizing::new(HEXLOWER.encode(&self.0));
                serializer.serialize_str(&text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Zeroizing::new(String::deserialize(deserializer)?);
                let bytes = HEXLOWER
                    .decode(text.as_bytes())
                    .map(Zeroizing::new)
                    .map_err(|_| serde::de::Error::custom("not hexadecimal"))?;
                <[u8; $len]>::try_from(bytes.as_slice())
                    .map(Self)
                    .map_err(|_| serde::de::Error::custom(concat!("not ", $len, " bytes")))
            }
        }
    };
}
pub(crate) use secret;

secret!(
    /// The 32-byte secret of one card, drawn at personalisation; readable only after authentication.
    CardSecret,
    32
);
secret!(
    /// A card's AES-128 key, diversified by its UID.
    CreditKey,
    16
);
secret!(
    /// A secret of 32 bytes with no narrower meaning: a signing seed, an access token.
    Secret32,
    32
);
secret!(
    /// An AES-128 base key from which the cards' keys are diversified.
    BaseKey,
    16
);

/// The fleet's key of one epoch, and the epoch's number. Rotated monthly and at once after a theft.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochKey {
    /// Rises with each rotation.
    pub epoch: u32,
    /// Random; never derived.
    pub key: Secret32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_and_survives_its_key_file() {
        let key = EpochKey { epoch: 3, key: Secret32::new([0xAB; 32]) };
        assert!(!format!("{key:?}").to_lowercase().contains("ab, ab"));
        assert!(format!("{key:?}").contains("redacted"));
        let json = serde_json::to_string(&key).unwrap();
        let back: EpochKey = serde_json::from_str(&json).unwrap();
        assert_eq!((back.epoch, back.key.expose()), (3, &[0xAB; 32]));
        assert!(serde_json::from_str::<Secret32>("\"abcd\"").is_err());
    }
}
