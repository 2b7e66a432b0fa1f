//! What a terminal is given when the city enrols it: a JSON file carried by a technician, readable by the kiosk's
//! user only. It holds everything first trust needs, and the secrets that make the terminal one of the fleet.

use crate::head::FeedFloor;
use crate::hex;
use crate::hpke::HpkePublic;
use crate::note::VerifierKey;
use crate::secret::{BaseKey, EpochKey, Secret32};
use domain::TerminalId;
use serde::{Deserialize, Serialize};

/// The bundle. Its `Debug` shows no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The city pack's id, which every note of this city names.
    pub city: String,
    /// This terminal.
    pub terminal: TerminalId,
    /// Where it stands, for receipts.
    pub place: String,
    /// Central's base URL, without a path.
    pub central: String,
    /// The city's root key: the one thing that is trusted without a signature.
    pub root_key: VerifierKey,
    /// The token that uploads and code requests carry.
    pub access_token: Secret32,
    /// The fleet's epoch keys, newest first; a look-up tries them in this order. Empty once the terminal keeps them
    /// elsewhere.
    #[serde(default)]
    pub epoch_keys: Vec<EpochKey>,
    /// The AES-128 base key from which a card's *read* key is diversified; newest first. No other base key of the
    /// cards ever reaches a terminal, save the one for real UIDs. Empty once the terminal keeps them elsewhere.
    #[serde(default)]
    pub read_base_keys: Vec<BaseKey>,
    /// The AES-128 key that reads the real UID of random-UID cards; not diversified. Absent once the terminal keeps it
    /// elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_key: Option<BaseKey>,
    /// Central's public key: what is carried to it by hand is sealed to this. Absent in older bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub central_key: Option<HpkePublic>,
    /// The public half of the city's offline recovery key: the journal's key is wrapped to it a second time. Absent
    /// where the city has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_key: Option<HpkePublic>,
    /// The certificates of the city's authority (DER): by them the terminal knows central, and shows its own certificate.
    /// None in a bundle for plain HTTP, where the access token is all there is.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hex::list")]
    pub authorities: Vec<Vec<u8>>,
    /// Below this no feed is taken, from the first one on.
    #[serde(default)]
    pub floor: FeedFloor,
    /// The first batch of verification codes, signed (hexadecimal of the bytes `CodeBatch::verify` reads); it goes
    /// into the journal at first start.
    #[serde(with = "hex")]
    pub codes: Vec<u8>,
}

/// The bundle cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not an enrolment bundle: {0}")]
pub struct EnrolmentError(#[from] serde_json::Error);

impl Enrolment {
    /// As the file's text.
    ///
    /// # Errors
    /// `EnrolmentError`, which these types do not meet.
    pub fn to_json(&self) -> Result<zeroize::Zeroizing<String>, EnrolmentError> {
        Ok(zeroize::Zeroizing::new(serde_json::to_string_pretty(self)?))
    }

    /// Whether this terminal speaks TLS with a certificate of its own.
    #[must_use]
    pub fn has_certificate(&self) -> bool {
        !self.authorities.is_empty()
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// `EnrolmentError`, naming line and column.
    pub fn from_json(text: &str) -> Result<Self, EnrolmentError> {
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteKey;

    fn bundle() -> Enrolment {
        Enrolment {
            city: "bahia".into(),
            terminal: TerminalId(7),
            place: "Plaza Mayor".into(),
            central: "http://127.0.0.1:1".into(),
            root_key: NoteKey::from_seed("bahia-root", &[1; 32]).unwrap().verifier(),
            access_token: Secret32::new([0xA1; 32]),
            epoch_keys: vec![EpochKey { epoch: 1, key: Secret32::new([0xA2; 32]) }],
            read_base_keys: vec![BaseKey::new([0xA3; 16])],
            uid_key: Some(BaseKey::new([0xA4; 16])),
            central_key: Some(HpkePublic::new([0xB1; 32])),
            recovery_key: Some(HpkePublic::new([0xB2; 32])),
            authorities: vec![vec![0xC1; 4]],
            floor: FeedFloor { key_version: 1, epoch: 2, sequence: 3 },
            codes: vec![1, 2],
        }
    }

    #[test]
    fn a_bundle_survives_its_file_and_shows_no_secret() {
        let bundle = bundle();
        let json = bundle.to_json().unwrap();
        let back = Enrolment::from_json(&json).unwrap();
        assert_eq!(*back.to_json().unwrap(), *json);
        assert_eq!(back.access_token.expose(), &[0xA1; 32]);
        let shown = format!("{bundle:?}");
        for secret in ["161", "162", "163", "164", "a1a1", "a2a2", "a3a3", "a4a4"] {
            assert!(!shown.contains(secret), "{secret}");
        }
        assert!(Enrolment::from_json("{}").is_err());
    }

    #[test]
    fn a_bundle_without_public_keys_is_still_one_and_one_that_has_them_keeps_them() {
        let json = bundle().to_json().unwrap();
        let whole = Enrolment::from_json(&json).unwrap();
        assert_eq!((whole.central_key, whole.recovery_key), (bundle().central_key, bundle().recovery_key));
        let mut old: serde_json::Value = serde_json::from_str(&json).unwrap();
        let fields = old.as_object_mut().unwrap();
        fields.remove("central_key").unwrap();
        fields.remove("recovery_key").unwrap();
        fields.remove("authorities").unwrap();
        fields.remove("floor").unwrap();
        let back = Enrolment::from_json(&old.to_string()).unwrap();
        assert!(back.central_key.is_none() && back.recovery_key.is_none() && !back.has_certificate());
        assert!(whole.has_certificate() && whole.floor == bundle().floor && back.floor == FeedFloor::default());
        assert!(!back.to_json().unwrap().contains("recovery_key"));
    }

    #[test]
    fn a_bundle_whose_card_keys_are_kept_elsewhere_is_still_one() {
        let json = bundle().to_json().unwrap();
        let mut without: serde_json::Value = serde_json::from_str(&json).unwrap();
        let fields = without.as_object_mut().unwrap();
        fields.remove("read_base_keys").unwrap();
        fields.remove("uid_key").unwrap();
        let back = Enrolment::from_json(&without.to_string()).unwrap();
        assert!(back.read_base_keys.is_empty() && back.uid_key.is_none());
        assert!(!back.to_json().unwrap().contains("uid_key"));
    }
}
