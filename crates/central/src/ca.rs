//! The city's own small certificate authority: one key, which makes the certificates of terminals and of central's own
//! server, and signs the answers of enrolments. It knows no database: what was issued is written down by
//! `ca_store`, and who may have what is decided by `enrol`.

use crate::DataFolder;
use crate::error::CentralError;
use crate::key_file::write_private;
use data_encoding::HEXLOWER;
use domain::{TerminalId, Timestamp};
use protocol::first_trust::fingerprint;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber, SigningKey,
    SubjectPublicKeyInfo,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use time::OffsetDateTime;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// How long the authority's own certificate is good for. It is pinned, and replaced by enrolling anew.
const AUTHORITY_DAYS: i64 = 30 * 365;
/// Certificates begin this long before they are made: clocks differ.
const BACKDATED_MS: i64 = 3_600_000;

/// The authority of one city.
pub struct Authority {
    city: String,
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({}, {})", self.city, HEXLOWER.encode(&self.fingerprint()))
    }
}

/// As the file has it.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Kept {
    city: String,
    /// PKCS#8, in hexadecimal.
    key: String,
    /// DER, in hexadecimal.
    certificate: String,
}

/// A certificate that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// X.509, DER.
    pub der: Vec<u8>,
    /// Its number: positive, random.
    pub serial: [u8; 16],
    /// The public key in it (SubjectPublicKeyInfo, DER).
    pub public_key: Vec<u8>,
    /// When it was made.
    pub issued: Timestamp,
    /// Its last moment.
    pub expires: Timestamp,
}

/// A server's certificate with its key.
pub(crate) struct ServerIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
}

fn failed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Certificate(error.to_string())
}

impl Authority {
    /// The authority of a data folder; made at the first call, and the same ever after.
    ///
    /// # Errors
    /// `CentralError::File`, `Content` when the file is none or another city's, `Certificate`.
    pub fn obtain(data: &DataFolder, city: &str, now: Timestamp) -> Result<Self, CentralError> {
        let path = data.authority();
        if let Some(kept) = Self::load(&path, city)? {
            return Ok(kept);
        }
        let made = Self::make(city, now)?;
        made.keep(&path)?;
        // Another process may have been first: what lies there counts.
        Self::load(&path, city)?.ok_or_else(|| CentralError::content(&path, "it was taken away"))
    }

    fn make(city: &str, now: Timestamp) -> Result<Self, CentralError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = dated(now, Timestamp(now.0.saturating_add(AUTHORITY_DAYS * DAY_MS)))?;
        params.distinguished_name.push(DnType::CommonName, format!("{city} citizen kiosk authority"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.serial_number = Some(SerialNumber::from_slice(&serial()?));
        let certificate = params.self_signed(&key).map_err(failed)?.der().clone();
        Ok(Self { city: city.to_owned(), key, certificate })
    }

    fn load(path: &Path, city: &str) -> Result<Option<Self>, CentralError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CentralError::file(path, error)),
        };
        let wrong = |error: String| CentralError::content(path, error);
        let kept: Kept = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if kept.city != city {
            return Err(wrong(format!("it is the authority of {}", kept.city)));
        }
        let bytes = |text: &str| HEXLOWER.decode(text.as_bytes()).map_err(|error| wrong(error.to_string()));
        let der = PrivatePkcs8KeyDer::from(bytes(&kept.key)?);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256);
        let key = key.map_err(|error| wrong(error.to_string()))?;
        let certificate = CertificateDer::from(bytes(&kept.certificate)?);
        Ok(Some(Self { city: kept.city.clone(), key, certificate }))
    }

    /// Writes the file unless there is one: of two processes that make an authority at once, one is first.
    fn keep(&self, path: &Path) -> Result<(), CentralError> {
        let key = HEXLOWER.encode(self.key.serialized_der());
        let kept = Kept { city: self.city.clone(), key, certificate: HEXLOWER.encode(&self.certificate) };
        let json =
            Zeroizing::new(serde_json::to_string_pretty(&kept).map_err(|error| CentralError::content(path, error))?);
        let mine = path.with_extension(format!("{}.made", std::process::id()));
        write_private(&mine, json.as_bytes())?;
        let linked = std::fs::hard_link(&mine, path);
        std::fs::remove_file(&mine).map_err(|error| CentralError::file(&mine, error))?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(CentralError::file(path, error)),
            _ => Ok(()),
        }
    }

    /// Its certificate (DER).
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its certificate as text (RFC 7468).
    #[must_use]
    pub fn pem(&self) -> String {
        let base64 = data_encoding::BASE64.encode(&self.certificate);
        let lines: Vec<&str> =
            (0..base64.len()).step_by(64).filter_map(|at| base64.get(at..base64.len().min(at + 64))).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// What a technician carries: SHA-256 of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.certificate)
    }

    /// The name of a terminal in its certificate.
    fn name_of(&self, terminal: TerminalId) -> Result<SanType, CentralError> {
        let uri = format!("citizen-kiosk://{}/terminal/{}", self.city, terminal.0);
        Ok(SanType::URI(Ia5String::try_from(uri).map_err(failed)?))
    }

    /// A terminal's certificate for the key of a signing request, which shows that the terminal has it.
    ///
    /// # Errors
    /// `Problem` with `Malformed` when the request is none, or its key is no ECDSA key on P-256; `Certificate`.
    pub fn certify(
        &self,
        terminal: TerminalId,
        request: &[u8],
        now: Timestamp,
        life_days: i64,
    ) -> Result<Issued, CentralError> {
        let malformed = |detail: String| protocol::Problem::new(protocol::ProblemCode::Malformed, detail);
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(request))
            .map_err(|error| malformed(format!("the signing request: {error}")))?;
        if request.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(malformed("the terminal's key is no ECDSA key on P-256".to_owned()).into());
        }
        self.certify_key(terminal, &request.public_key, now, life_days)
    }

    /// A further certificate for a key that was certified before.
    ///
    /// # Errors
    /// `Certificate` when `public_key` is none.
    pub fn certify_again(
        &self,
        terminal: TerminalId,
        public_key: &[u8],
        now: Timestamp,
        life_days: i64,
    ) -> Result<Issued, CentralError> {
        self.certify_key(terminal, &SubjectPublicKeyInfo::from_der(public_key).map_err(failed)?, now, life_days)
    }

    fn certify_key(
        &self,
        terminal: TerminalId,
        key: &impl PublicKeyData,
        now: Timestamp,
        life_days: i64,
    ) -> Result<Issued, CentralError> {
        let (serial, expires) = (serial()?, Timestamp(now.0.saturating_add(life_days.saturating_mul(DAY_MS))));
        let mut params = dated(now, expires)?;
        params.distinguished_name.push(DnType::CommonName, format!("{} terminal {}", self.city, terminal.0));
        params.subject_alt_names.push(self.name_of(terminal)?);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let der = self.sign_certificate(&params, key)?.to_vec();
        Ok(Issued { der, serial, public_key: key.subject_public_key_info(), issued: now, expires })
    }

    /// A fresh key and certificate for central's own server under these names or addresses.
    ///
    /// # Errors
    /// `Certificate` when a name is none.
    pub(crate) fn for_server(
        &self,
        names: &[String],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<ServerIdentity, CentralError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = dated(now, until)?;
        params.distinguished_name.push(DnType::CommonName, format!("{} central", self.city));
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(Ia5String::try_from(name.as_str()).map_err(failed)?),
            });
        }
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        params.serial_number = Some(SerialNumber::from_slice(&serial()?));
        let own = self.sign_certificate(&params, &key)?;
        // The authority comes along: a terminal that is not enrolled yet knows it by its fingerprint alone.
        let chain = vec![own, self.certificate.clone()];
        Ok(ServerIdentity { chain, key: PrivatePkcs8KeyDer::from(key.serialized_der().to_vec()) })
    }

    fn sign_certificate(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<CertificateDer<'static>, CentralError> {
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &self.key).map_err(failed)?;
        Ok(params.signed_by(key, &issuer).map_err(failed)?.der().clone())
    }

    /// Signs bytes that are no certificate: ECDSA over P-256 with SHA-256, DER.
    ///
    /// # Errors
    /// `Certificate`.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, CentralError> {
        self.key.sign(bytes).map_err(failed)
    }
}

fn dated(now: Timestamp, until: Timestamp) -> Result<CertificateParams, CentralError> {
    let moment = |ms: i64| OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000)).map_err(failed);
    let mut params = CertificateParams::default();
    params.not_before = moment(now.0.saturating_sub(BACKDATED_MS))?;
    params.not_after = moment(until.0)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// RFC 5280 clause 4.1.2.2: positive, unguessable, at most 20 octets.
fn serial() -> Result<[u8; 16], CentralError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[0] = bytes[0] & 0x7F | 0x40;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_authority_is_made_once_for_its_owner_alone_and_belongs_to_one_city() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(&folder.path().join("central")).unwrap();
        let first = Authority::obtain(&data, "bahia", Timestamp(1_795_345_200_000)).unwrap();
        let again = Authority::obtain(&data, "bahia", Timestamp(1_895_345_200_000)).unwrap();
        assert_eq!(first.certificate(), again.certificate());
        let mode = std::fs::metadata(data.authority()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(Authority::obtain(&data, "otra", Timestamp(0)), Err(CentralError::Content { .. })));
        let shown = format!("{first:?}");
        assert!(!shown.contains(&HEXLOWER.encode(&first.key.serialized_der()[40..60])), "{shown}");
    }

    #[test]
    fn a_key_of_another_kind_and_a_request_that_is_none_get_no_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(&folder.path().join("central")).unwrap();
        let now = Timestamp(1_795_345_200_000);
        let authority = Authority::obtain(&data, "bahia", now).unwrap();
        let ask = |algorithm| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
        };
        let certify = |request: &[u8]| authority.certify(TerminalId(7), request, now, 49);
        let good = ask(&PKCS_ECDSA_P256_SHA256);
        let issued = certify(&good).unwrap();
        assert_eq!(issued.expires.0, now.0 + 49 * DAY_MS);
        assert!(matches!(certify(&ask(&rcgen::PKCS_ED25519)), Err(CentralError::Problem(_))));
        let mut changed = good.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        for bad in [&changed[..], &good[..20], b""] {
            assert!(matches!(certify(bad), Err(CentralError::Problem(_))));
        }
        let again = authority.certify_again(TerminalId(7), &issued.public_key, now, 49).unwrap();
        assert_eq!(again.public_key, issued.public_key);
        assert_ne!(again.serial, issued.serial);
    }
}
