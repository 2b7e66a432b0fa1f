//! First trust: what a terminal that has made its own keys asks the city for, and the one signed answer it gets. Both
//! are JSON, to be carried on a stick or over TLS. The terminal's private keys never leave it; the secrets of the fleet
//! travel sealed to the terminal's own key, so that whoever finds the stick has nothing.
//!
//! The one thing carried apart, from mouth to ear or on paper, is the fingerprint of the city's certificate authority:
//! SHA-256 of its certificate (DER), as `openssl x509 -fingerprint -sha256` says it too.

use crate::enrolment::Enrolment;
use crate::head::FeedFloor;
use crate::hex;
use crate::hpke::{self, HpkePublic, HpkeSecret};
use crate::note::VerifierKey;
use crate::secret::{BaseKey, EpochKey, Secret32};
use data_encoding::HEXLOWER;
use domain::{TerminalId, Timestamp};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The most bytes an enrolment request or answer may have.
pub const FIRST_TRUST_BYTES_MAX: usize = 64 * 1024;

const REQUEST: &[u8] = b"citizen-kiosk enrolment request v1\0";
/// What stands before an answer's text when the authority signs it.
const ANSWER: &[u8] = b"citizen-kiosk enrolment answer v1\0";
const SECRETS: &[u8] = b"citizen-kiosk enrolment secrets v1";

/// A certificate's fingerprint: SHA-256 of its DER.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// A fingerprint as people carry it: 64 hexadecimal digits; capitals, colons and spaces are let pass.
#[must_use]
pub fn read_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    HEXLOWER.decode(digits.to_ascii_lowercase().as_bytes()).ok()?.try_into().ok()
}

/// Why a request or an answer is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirstTrustError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// What a request names is not signed by the key it names.
    #[error("the request is not signed by its own key")]
    NotItsKey,
    /// The authority is another one than the fingerprint says.
    #[error("the answer is of another city: its authority has the fingerprint {0}")]
    OtherAuthority(String),
    /// The authority did not sign this.
    #[error("the answer was changed on its way")]
    Changed,
    /// The answer is for another request.
    #[error("the answer is for another request than this terminal's last one")]
    OtherRequest,
    /// The secrets are sealed to another terminal's key.
    #[error("the answer's secrets do not open")]
    OtherKey,
}

fn malformed(error: impl std::fmt::Display) -> FirstTrustError {
    FirstTrustError::Malformed(error.to_string())
}

/// What a terminal asks for: public halves only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The number the terminal was told.
    pub terminal: TerminalId,
    /// The signing request for its TLS key (PKCS#10, DER).
    #[serde(with = "hex")]
    pub tls: Vec<u8>,
    /// The public half of the Ed25519 key that signs its uploads.
    #[serde(with = "hex")]
    pub signing_key: Vec<u8>,
    /// The public half of the X25519 key that its parcels are sealed to.
    pub parcel_key: HpkePublic,
    /// By `signing_key`, over all that stands before it.
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

impl EnrolmentRequest {
    /// Signs a request. `signing` is the seed of the Ed25519 key.
    #[must_use]
    pub fn sign(terminal: TerminalId, tls: Vec<u8>, parcel_key: HpkePublic, signing: &Secret32) -> Self {
        let key = SigningKey::from_bytes(signing.expose());
        let signing_key = key.verifying_key().to_bytes().to_vec();
        let mut request = Self { terminal, tls, signing_key, parcel_key, signature: Vec::new() };
        request.signature = key.sign(&request.signed_bytes()).to_bytes().to_vec();
        request
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.tls.len()).unwrap_or(u32::MAX).to_be_bytes();
        let terminal = self.terminal.0.to_be_bytes();
        [REQUEST, &terminal, &length, &self.tls, &self.signing_key, self.parcel_key.bytes()].concat()
    }

    /// The key of its uploads, once it has shown that it has it. Whether it has the TLS key, the signing request shows.
    ///
    /// # Errors
    /// `NotItsKey`.
    pub fn verify(&self) -> Result<[u8; 32], FirstTrustError> {
        let key: [u8; 32] = self.signing_key.as_slice().try_into().map_err(|_| FirstTrustError::NotItsKey)?;
        let verifying = VerifyingKey::from_bytes(&key).map_err(|_| FirstTrustError::NotItsKey)?;
        let signature = Signature::from_slice(&self.signature).map_err(|_| FirstTrustError::NotItsKey)?;
        verifying.verify_strict(&self.signed_bytes(), &signature).map_err(|_| FirstTrustError::NotItsKey)?;
        Ok(key)
    }

    /// What an answer names its request by.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.signed_bytes()).chain_update(&self.signature).finalize().into()
    }

    /// As a file's text.
    ///
    /// # Errors
    /// `Malformed`, which these types do not meet.
    pub fn to_json(&self) -> Result<String, FirstTrustError> {
        serde_json::to_string_pretty(self).map_err(malformed)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn from_json(text: &str) -> Result<Self, FirstTrustError> {
        serde_json::from_str(text).map_err(malformed)
    }
}

/// A terminal's certificate, and until when it is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The certificate (X.509, DER).
    #[serde(with = "hex")]
    pub der: Vec<u8>,
    /// When it was made.
    pub issued: Timestamp,
    /// Its last moment.
    pub expires: Timestamp,
}

impl Certificate {
    /// From when on a terminal asks for the next one: when two thirds of its life are over. The last third is for
    /// outages.
    #[must_use]
    pub fn renewal_due(&self) -> Timestamp {
        let life = self.expires.0.saturating_sub(self.issued.0);
        Timestamp(self.issued.0.saturating_add(life / 3 * 2))
    }
}

/// Everything a terminal begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The city pack's id.
    pub city: String,
    /// The terminal's number.
    pub terminal: TerminalId,
    /// Where it stands.
    pub place: String,
    /// Central's base URL.
    pub central: String,
    /// The digest of the request this answers.
    #[serde(with = "hex")]
    pub request: Vec<u8>,
    /// The terminal's certificate.
    pub certificate: Certificate,
    /// The certificates of the city's authority.
    #[serde(with = "hex::list")]
    pub authorities: Vec<Vec<u8>>,
    /// The city's root key.
    pub root_key: VerifierKey,
    /// Central's public key.
    pub central_key: HpkePublic,
    /// The public half of the city's recovery key, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_key: Option<HpkePublic>,
    /// Below this no feed is taken, from the first one on.
    pub floor: FeedFloor,
    /// The first batch of verification codes, signed.
    #[serde(with = "hex")]
    pub codes: Vec<u8>,
    /// `Secrets`, sealed to the request's parcel key.
    #[serde(with = "hex")]
    pub sealed: Vec<u8>,
}

/// What of an answer is nobody else's business.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// What only this terminal and central know.
    pub access_token: Secret32,
    /// The fleet's epoch keys, newest first.
    pub epoch_keys: Vec<EpochKey>,
    /// The cards' read keys, newest first.
    pub read_base_keys: Vec<BaseKey>,
    /// The key of real UIDs.
    pub uid_key: Option<BaseKey>,
}

impl Secrets {
    /// Seals them for one request. `ephemeral` is fresh randomness.
    ///
    /// # Errors
    /// `OtherKey` when the request's parcel key is none.
    pub fn seal(&self, request: &EnrolmentRequest, ephemeral: [u8; 32]) -> Result<Vec<u8>, FirstTrustError> {
        let json = Zeroizing::new(serde_json::to_vec(self).map_err(malformed)?);
        hpke::seal(&request.parcel_key, SECRETS, &request.digest(), &json, ephemeral)
            .map_err(|_| FirstTrustError::OtherKey)
    }
}

impl Answer {
    /// The terminal's bundle, for whoever has the private half of its parcel key.
    ///
    /// # Errors
    /// `OtherRequest`, `OtherKey`, `Malformed`.
    pub fn open(self, request: &EnrolmentRequest, parcel: &HpkeSecret) -> Result<Enrolment, FirstTrustError> {
        if self.request != request.digest() || self.terminal != request.terminal {
            return Err(FirstTrustError::OtherRequest);
        }
        let secrets = hpke::open(parcel, SECRETS, &request.digest(), &self.sealed);
        let secrets = secrets.map_err(|_| FirstTrustError::OtherKey)?;
        let Secrets { access_token, epoch_keys, read_base_keys, uid_key } =
            serde_json::from_slice(&secrets).map_err(malformed)?;
        Ok(Enrolment {
            city: self.city,
            terminal: self.terminal,
            place: self.place,
            central: self.central,
            root_key: self.root_key,
            access_token,
            epoch_keys,
            read_base_keys,
            uid_key,
            central_key: Some(self.central_key),
            recovery_key: self.recovery_key,
            authorities: self.authorities,
            floor: self.floor,
            codes: self.codes,
        })
    }
}

/// An answer as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAnswer {
    /// The certificate of the authority that signed it (DER).
    #[serde(with = "hex")]
    pub authority: Vec<u8>,
    /// The answer's text, byte for byte what was signed.
    pub answer: String,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5; DER as in RFC 3279 clause 2.2.3).
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

impl SignedAnswer {
    /// The bytes that are signed for an answer's text.
    #[must_use]
    pub fn signed_bytes(answer: &str) -> Vec<u8> {
        [ANSWER, answer.as_bytes()].concat()
    }

    /// The answer, when the authority with this fingerprint signed it.
    ///
    /// # Errors
    /// `OtherAuthority`, `Changed`, `Malformed`.
    pub fn verify(&self, expected: &[u8; 32]) -> Result<Answer, FirstTrustError> {
        let found = fingerprint(&self.authority);
        if found != *expected {
            return Err(FirstTrustError::OtherAuthority(HEXLOWER.encode(&found)));
        }
        let certificate = CertificateDer::from(self.authority.as_slice());
        let authority = webpki::EndEntityCert::try_from(&certificate).map_err(malformed)?;
        let signed = Self::signed_bytes(&self.answer);
        authority
            .verify_signature(webpki::ring::ECDSA_P256_SHA256, &signed, &self.signature)
            .map_err(|_| FirstTrustError::Changed)?;
        serde_json::from_str(&self.answer).map_err(malformed)
    }

    /// As a file's text.
    ///
    /// # Errors
    /// `Malformed`, which these types do not meet.
    pub fn to_json(&self) -> Result<String, FirstTrustError> {
        serde_json::to_string_pretty(self).map_err(malformed)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn from_json(text: &str) -> Result<Self, FirstTrustError> {
        serde_json::from_str(text).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> EnrolmentRequest {
        let parcel = HpkeSecret::new([3; 32]).public().unwrap();
        EnrolmentRequest::sign(TerminalId(7), vec![0x30, 1, 2], parcel, &Secret32::new([5; 32]))
    }

    #[test]
    fn a_request_is_believed_only_as_its_own_key_signed_it() {
        let good = request();
        let back = EnrolmentRequest::from_json(&good.to_json().unwrap()).unwrap();
        assert_eq!(back, good);
        assert_eq!(back.verify().unwrap().as_slice(), back.signing_key);
        let check = |change: fn(&mut EnrolmentRequest)| {
            let mut bad = request();
            change(&mut bad);
            assert_eq!(bad.verify(), Err(FirstTrustError::NotItsKey));
            assert_ne!(bad.digest(), good.digest());
        };
        check(|bad| bad.terminal = TerminalId(8));
        check(|bad| bad.tls.push(0));
        check(|bad| bad.parcel_key = HpkePublic::new([9; 32]));
        check(|bad| bad.signature[0] ^= 1);
        check(|bad| bad.signing_key.truncate(31));
    }

    #[test]
    fn the_terminals_secrets_are_not_in_its_request() {
        let text = request().to_json().unwrap();
        for secret in [[3_u8; 32], [5; 32]] {
            assert!(!text.contains(&HEXLOWER.encode(&secret)));
        }
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_and_people_write_it() {
        let bytes = fingerprint(b"certificate");
        let plain = HEXLOWER.encode(&bytes);
        let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(read_fingerprint(&plain), Some(bytes));
        assert_eq!(read_fingerprint(&colons.join(":")), Some(bytes));
        assert_eq!(read_fingerprint(&format!("{} {}", &plain[..32], &plain[32..])), Some(bytes));
        for wrong in ["", "abcd", &plain[1..], "zz"] {
            assert_eq!(read_fingerprint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let certificate = Certificate { der: Vec::new(), issued: Timestamp(1_000), expires: Timestamp(4_000) };
        assert_eq!(certificate.renewal_due(), Timestamp(3_000));
    }
}
