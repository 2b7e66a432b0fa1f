//! How a terminal becomes one of the fleet: it makes its keys, asks with a signing request (on a stick, or with a
//! one-time code over TLS), and takes up the one answer that its city has signed. Nothing of the old enrolment is given
//! up before the new one is whole.

use crate::KioskError;
use crate::config::Config;
use crate::terminal_keys::{Asked, Kept, KeysHome, Own, TlsPair, signing_request, write_private};
use domain::TerminalId;
use protocol::first_trust::{Certificate, EnrolmentRequest, FirstTrustError, SignedAnswer};
use protocol::{HpkeSecret, Problem, Secret32};
use sha2::{Digest, Sha256};
use sync::{HttpCentral, Identity, WallClock};

/// Why a terminal could not be enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// A file, the configuration, or where the keys are kept.
    #[error(transparent)]
    Kiosk(#[from] KioskError),
    /// Central refused, or could not be reached.
    #[error("{code}: {problem}", code = .0.failure(), problem = .0.detail)]
    Central(Problem),
    /// The answer is not believed.
    #[error(transparent)]
    Answer(#[from] FirstTrustError),
    /// A key or a request could not be made.
    #[error("{0}")]
    Keys(String),
    /// Nothing was asked here that this could be the answer to.
    #[error("this terminal has asked for nothing: `citizen-kiosk enrol --terminal N --request FILE` comes first")]
    NothingAsked,
    /// The certificate is for another key than this terminal's.
    #[error("the certificate is not for this terminal's key")]
    OtherKey,
}

/// What an enrolled terminal can say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The city pack's id.
    pub city: String,
    /// The terminal's number.
    pub terminal: TerminalId,
    /// Where it stands.
    pub place: String,
}

fn keys_failed(error: impl std::fmt::Display) -> EnrolError {
    EnrolError::Keys(error.to_string())
}

/// Makes new keys and a request for them. What the terminal has stays in force until an answer is taken up.
///
/// # Errors
/// `EnrolError` when the keys cannot be made or kept.
pub fn ask(config: &Config, terminal: TerminalId) -> Result<EnrolmentRequest, EnrolError> {
    ask_with(&KeysHome::of(config, terminal), terminal, None)
}

fn ask_with(
    home: &KeysHome,
    terminal: TerminalId,
    code_sha256: Option<Secret32>,
) -> Result<EnrolmentRequest, EnrolError> {
    let kept = home.read()?;
    if let (Some(asked), Some(code)) = (&kept.asked, &code_sha256)
        && asked.request.terminal == terminal
        && asked.code_sha256.as_ref().is_some_and(|known| known.expose() == code.expose())
    {
        return Ok(asked.request.clone());
    }
    let (tls, pair) = TlsPair::make().map_err(keys_failed)?;
    let (signing, parcel) = (Secret32::new(random()?), HpkeSecret::new(random()?));
    let tls_request = signing_request(terminal, &pair).map_err(keys_failed)?;
    let request = EnrolmentRequest::sign(terminal, tls_request, parcel.public().map_err(keys_failed)?, &signing);
    let asked = Asked { own: Own { signing, parcel, tls }, request: request.clone(), code_sha256 };
    home.write(&Kept { asked: Some(asked), ..kept })?;
    Ok(request)
}

fn random() -> Result<[u8; 32], EnrolError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(keys_failed)?;
    Ok(bytes)
}

/// Takes up the city's answer to the last request: the certificate goes to the terminal's keys, the rest into the
/// bundle. Safe to repeat.
///
/// # Errors
/// `EnrolError`; the old enrolment stays in force.
pub fn take_up(config: &Config, answer: &SignedAnswer, fingerprint: &[u8; 32]) -> Result<Enrolled, EnrolError> {
    let answer = answer.verify(fingerprint)?;
    let home = KeysHome::of(config, answer.terminal);
    let mut kept = home.read()?;
    let asked = kept.asked.clone().ok_or(EnrolError::NothingAsked)?;
    let mut own = asked.own;
    own.tls.certificate = Some(answer.certificate.clone());
    let bundle = answer.open(&asked.request, &own.parcel)?;
    let identity = identity_of(&own.tls, &bundle.authorities)?;
    HttpCentral::enrolled(&bundle.central, &identity, &config.sync, WallClock::default())
        .map_err(EnrolError::Central)?;
    kept.own = Some(own);
    kept.next = None;
    // The bundle is newer than any parcel.
    kept.parcel = None;
    home.write(&kept)?;
    let json = bundle.to_json().map_err(keys_failed)?;
    write_private(&config.enrolment, json.as_bytes())?;
    kept.asked = None;
    home.write(&kept)?;
    Ok(Enrolled { city: bundle.city, terminal: bundle.terminal, place: bundle.place })
}

/// Asks with a one-time code, and takes up the answer.
///
/// # Errors
/// `EnrolError`. With the same code the same request is made again: a lost answer costs no code.
pub fn by_code(
    config: &Config,
    terminal: TerminalId,
    central: &str,
    code: &str,
    fingerprint: &[u8; 32],
) -> Result<Enrolled, EnrolError> {
    let line = HttpCentral::pinned(central, *fingerprint, &config.sync, WallClock::default());
    let line = line.map_err(EnrolError::Central)?;
    let code_sha256 = Secret32::new(Sha256::digest(code.as_bytes()).into());
    let request = ask_with(&KeysHome::of(config, terminal), terminal, Some(code_sha256))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(KioskError::Thread)?;
    let answer = runtime.block_on(line.enrol(code, &request)).map_err(EnrolError::Central)?;
    take_up(config, &answer, fingerprint)
}

/// Takes up a certificate that was made again for the terminal's own key and carried here.
///
/// # Errors
/// `OtherKey`, `EnrolError::Kiosk`.
pub fn take_certificate(config: &Config, certificate: &Certificate) -> Result<Enrolled, EnrolError> {
    let bundle = crate::start::read_enrolment(&config.enrolment)?;
    let home = KeysHome::of(config, bundle.terminal);
    let mut kept = home.read()?;
    let mut own = kept.own.clone().ok_or(EnrolError::NothingAsked)?;
    own.tls.certificate = Some(certificate.clone());
    let identity = identity_of(&own.tls, &bundle.authorities)?;
    HttpCentral::enrolled(&bundle.central, &identity, &config.sync, WallClock::default())
        .map_err(|_| EnrolError::OtherKey)?;
    kept.own = Some(own);
    home.write(&kept)?;
    Ok(Enrolled { city: bundle.city, terminal: bundle.terminal, place: bundle.place })
}

/// What is shown to central.
pub(crate) fn identity_of(pair: &TlsPair, authorities: &[Vec<u8>]) -> Result<Identity, EnrolError> {
    let certificate = pair.certificate.as_ref().ok_or(EnrolError::NothingAsked)?;
    let key = pair.der().map_err(keys_failed)?;
    Ok(Identity { authorities: authorities.to_vec(), certificate: certificate.der.clone(), key })
}
