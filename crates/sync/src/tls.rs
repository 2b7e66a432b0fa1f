//! TLS between terminal and central (RFC 8446; RFC 5246 is spoken too): the terminal believes the city's own
//! certificate authority and no other, shows its own certificate, and says in a `Problem` what a technician can do
//! something about when the two do not come together.

use crate::WallClock;
use protocol::{Problem, ProblemCode};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// What a terminal shows to central, and by what it knows central. Its `Debug` shows no key.
#[derive(Clone)]
pub struct Identity {
    /// The certificates of the city's authority (DER), the only ones a server of this city can come from.
    pub authorities: Vec<Vec<u8>>,
    /// The terminal's own certificate (DER).
    pub certificate: Vec<u8>,
    /// Its private key (PKCS#8, DER).
    pub key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("authorities", &self.authorities.len()).finish_non_exhaustive()
    }
}

/// The terminal's clock, as certificates are judged by.
#[derive(Debug)]
struct ByClock(WallClock);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn unusable(error: impl fmt::Display) -> Problem {
    Problem::new(ProblemCode::Malformed, format!("the terminal's certificates cannot be used: {error}"))
}

/// A client that shows the terminal's certificate and takes a server of its city only.
///
/// # Errors
/// `Malformed` when a certificate or the key is none.
pub(crate) fn enrolled(identity: &Identity, clock: WallClock) -> Result<ClientConfig, Problem> {
    let mut roots = RootCertStore::empty();
    for authority in &identity.authorities {
        roots.add(CertificateDer::from(authority.clone())).map_err(unusable)?;
    }
    let chain = vec![CertificateDer::from(identity.certificate.clone())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(ByClock(clock)));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    builder.with_root_certificates(roots).with_client_auth_cert(chain, key).map_err(unusable)
}

/// A client that shows nothing yet and takes the one city whose authority has this SHA-256.
///
/// # Errors
/// `Malformed`, which is not met.
pub(crate) fn pinned(fingerprint: [u8; 32], clock: WallClock) -> Result<ClientConfig, Problem> {
    let verifier = Pinned { fingerprint, provider: provider() };
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(ByClock(clock)));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Believes an authority by its fingerprint, and its servers by name and date as everybody does.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let is_pinned =
            |certificate: &&CertificateDer<'_>| protocol::first_trust::fingerprint(certificate) == self.fingerprint;
        let authority = intermediates.iter().find(is_pinned).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        let verifier = verifier.build().map_err(|_| unknown())?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why no connection came about, when TLS is why.
pub(crate) fn refusal(error: &(dyn Error + 'static)) -> Option<Problem> {
    let tls = of_tls(error)?;
    let code = match tls {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(alert) => of_alert(*alert)?,
        _ => return None,
    };
    Some(Problem::new(code, tls.to_string()))
}

fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // An input-output error names what it carries only here, not as its source.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(tls) = carried.and_then(|carried| of_tls(carried)) {
            return Some(tls);
        }
        next = error.source();
    }
    None
}

/// What is wrong with central's certificate. Central makes itself a fresh one at each start and renews it long before
/// its end: one that is not valid now means that this terminal's clock is wrong.
fn of_certificate(error: &CertificateError) -> ProblemCode {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            ProblemCode::ClockDiffers
        }
        _ => ProblemCode::ForeignCity,
    }
}

/// What central says of this terminal's certificate (RFC 8446 clause 6.2).
fn of_alert(alert: AlertDescription) -> Option<ProblemCode> {
    use AlertDescription as A;
    match alert {
        A::CertificateExpired => Some(ProblemCode::CertificateExpired),
        A::CertificateRevoked => Some(ProblemCode::CertificateRevoked),
        A::UnknownCA | A::BadCertificate | A::DecryptError | A::UnsupportedCertificate => {
            Some(ProblemCode::ForeignCity)
        }
        A::CertificateRequired => Some(ProblemCode::Unauthorised),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_refuses_says_what_to_do_about_it() {
        use ProblemCode as P;
        let check = |error: rustls::Error, expected: Option<ProblemCode>| {
            let carried = std::io::Error::other(std::io::Error::other(error.clone()));
            assert_eq!(refusal(&carried).map(|problem| problem.code), expected, "{error}");
        };
        let certificate = |error| rustls::Error::InvalidCertificate(error);
        check(certificate(CertificateError::Expired), Some(P::ClockDiffers));
        check(certificate(CertificateError::NotValidYet), Some(P::ClockDiffers));
        check(certificate(CertificateError::UnknownIssuer), Some(P::ForeignCity));
        check(certificate(CertificateError::NotValidForName), Some(P::ForeignCity));
        check(rustls::Error::AlertReceived(AlertDescription::CertificateExpired), Some(P::CertificateExpired));
        check(rustls::Error::AlertReceived(AlertDescription::CertificateRevoked), Some(P::CertificateRevoked));
        check(rustls::Error::AlertReceived(AlertDescription::UnknownCA), Some(P::ForeignCity));
        check(rustls::Error::AlertReceived(AlertDescription::CertificateRequired), Some(P::Unauthorised));
        check(rustls::Error::AlertReceived(AlertDescription::InternalError), None);
        assert_eq!(refusal(&std::io::Error::other("reset")), None);
    }

    #[test]
    fn an_identity_shows_no_key() {
        let identity =
            Identity { authorities: vec![vec![1]], certificate: vec![2], key: Zeroizing::new(vec![0xA5; 40]) };
        let shown = format!("{identity:?}");
        assert!(!shown.contains("165") && !shown.to_lowercase().contains("a5"), "{shown}");
        assert!(enrolled(&identity, WallClock::default()).is_err(), "these are no certificates");
    }
}
