//! Enrolment: a terminal gets its number, its certificate, the fleet's keys and its first codes. A terminal that made
//! its own keys asks with a signing request, on a stick or with a one-time code over TLS; a terminal on the same
//! machine as central, in a testbed, may have a bundle with an access token instead. The database keeps hashes of
//! tokens and codes, public keys, and every certificate that was issued.

mod address;
mod one_time;

pub use address::{check_plain, check_secure};
pub use one_time::{make_code, redeem};

use crate::audit::{self, Actor};
use crate::ca::{Authority, Issued};
use crate::ca_store::{self, Ending, Held};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::{self, KeyFile, write_private};
use crate::publish::shown;
use crate::{Database, codes, pack};
use domain::{TerminalId, Timestamp};
use protocol::first_trust::{Answer, Certificate, EnrolmentRequest, Secrets, SignedAnswer};
use protocol::{BaseKey, Enrolment, FeedFloor, Problem, ProblemCode, Secret32};
use sha2::{Digest, Sha256};
use std::path::Path;
use zeroize::Zeroizing;

/// How long certificates outlive the age at which a feed is too old for what needs the PIN, in days.
const MARGIN_DAYS: i64 = 14;
/// The longest life of a certificate that a city may set, in days.
pub const CERTIFICATE_DAYS_MAX: i64 = 400;

/// Certificates of one terminal within 24 hours, beyond which none is renewed: each has a bucket of its own, and would
/// give whoever renews for ever as many requests as they like.
const CERTIFICATES_A_DAY_MAX: i64 = 5;

/// What the technician says.
#[derive(Debug, Clone)]
pub struct EnrolmentOrder {
    /// The terminal's number.
    pub terminal: TerminalId,
    /// Where it will stand.
    pub place: String,
    /// Central's base URL as the terminal reaches it.
    pub central: String,
    /// Codes in the first batch.
    pub codes: u16,
}

fn refused(code: ProblemCode, detail: impl Into<String>) -> CentralError {
    Problem::new(code, detail).into()
}

/// Enrols a terminal with an access token for plain HTTP, or enrols it anew: its old token and its certificates are
/// void from then on.
///
/// # Errors
/// `CentralError`.
pub fn enrol(
    database: &mut Database,
    keys: &KeyFile,
    order: EnrolmentOrder,
    now: Timestamp,
) -> Result<Enrolment, CentralError> {
    let token = draw_token()?;
    database.write(|transaction| {
        register(transaction, &order, &token, now)?;
        ca_store::drop_keys(transaction, order.terminal)?;
        ca_store::end_all(transaction, order.terminal, Ending::EnrolledAnew, now)?;
        ca_store::note(transaction, order.terminal, "enrolled with a token", None, now)?;
        by_hand(transaction, "terminal enrolled", &order.terminal.0.to_string(), now)
    })?;
    let batch = codes::allocate(database, keys, order.terminal, order.codes, now)?;
    let Secrets { access_token, epoch_keys, read_base_keys, uid_key } = secrets(keys, token);
    Ok(Enrolment {
        city: keys.city.clone(),
        terminal: order.terminal,
        place: order.place,
        central: order.central,
        root_key: keys.root_verifier()?,
        access_token,
        epoch_keys,
        read_base_keys,
        uid_key,
        central_key: Some(keys.export_key()?.public().map_err(|_| CentralError::StoredSecret)?),
        recovery_key: keys.recovery,
        authorities: Vec::new(),
        floor: FeedFloor::default(),
        codes: batch.0,
    })
}

/// What is done at central's own command line, and nowhere else, is the console's act.
fn by_hand(transaction: &Transaction<'_>, what: &str, about: &str, now: Timestamp) -> Result<(), CentralError> {
    audit::note(transaction, &Actor::console(), what, about, now)
}

fn draw_token() -> Result<Secret32, CentralError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token)?;
    Ok(Secret32::new(token))
}

fn register(
    transaction: &Transaction<'_>,
    order: &EnrolmentOrder,
    token: &Secret32,
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO terminal (id, place, token_sha256, enrolled) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET place = ?2, token_sha256 = ?3, enrolled = ?4",
        params![order.terminal.0, order.place, Sha256::digest(token.expose()).as_slice(), now.0],
    )?;
    Ok(())
}

fn secrets(keys: &KeyFile, access_token: Secret32) -> Secrets {
    Secrets {
        access_token,
        epoch_keys: keys.epochs.clone(),
        read_base_keys: keys.cards.read.iter().map(|read| read.key.clone()).collect(),
        uid_key: Some(BaseKey::new(*keys.cards.uid.expose())),
    }
}

/// Answers a terminal's signing request: it is enrolled with these keys, and what it had before is void from then on.
///
/// # Errors
/// `Problem` with `Malformed` when the request is not signed by its own keys or is another terminal's; `CentralError`.
pub fn answer(
    database: &mut Database,
    keys: &KeyFile,
    authority: &Authority,
    order: &EnrolmentOrder,
    request: &EnrolmentRequest,
    now: Timestamp,
) -> Result<SignedAnswer, CentralError> {
    answered(database, keys, authority, order, request, None, now)
}

fn answered(
    database: &mut Database,
    keys: &KeyFile,
    authority: &Authority,
    order: &EnrolmentOrder,
    request: &EnrolmentRequest,
    code: Option<&[u8; 32]>,
    now: Timestamp,
) -> Result<SignedAnswer, CentralError> {
    key_file::refuse_older(database.read(), keys)?;
    let signing = request.verify().map_err(|error| refused(ProblemCode::Malformed, error.to_string()))?;
    if request.terminal != order.terminal {
        let detail = format!("the request is terminal {}'s, not {}'s", request.terminal.0, order.terminal.0);
        return Err(refused(ProblemCode::Malformed, detail));
    }
    let token = draw_token()?;
    let issued = authority.certify(order.terminal, &request.tls, now, life_days(database)?)?;
    database.write(|transaction| {
        match code {
            Some(code) if !ca_store::use_code(transaction, code, &request.digest(), now)? => {
                return Err(one_time::unknown());
            }
            // A terminal's own step: whoever made the code has acted.
            Some(_) => {}
            None => by_hand(transaction, "terminal enrolled", &order.terminal.0.to_string(), now)?,
        }
        register(transaction, order, &token, now)?;
        ca_store::end_all(transaction, order.terminal, Ending::EnrolledAnew, now)?;
        ca_store::put_keys(transaction, order.terminal, &signing, request.parcel_key.bytes(), now)?;
        ca_store::put(transaction, order.terminal, &issued, "enrolled with a certificate")
    })?;
    let batch = codes::allocate(database, keys, order.terminal, order.codes, now)?;
    let floor = shown::floor(database.read())?;
    let answer = whole_answer(keys, authority, order, request, (token, issued), (floor, batch.0))?;
    signed(authority, &answer)
}

fn whole_answer(
    keys: &KeyFile,
    authority: &Authority,
    order: &EnrolmentOrder,
    request: &EnrolmentRequest,
    (token, issued): (Secret32, Issued),
    (floor, codes): (FeedFloor, Vec<u8>),
) -> Result<Answer, CentralError> {
    let mut ephemeral = Zeroizing::new([0; 32]);
    getrandom::fill(ephemeral.as_mut())?;
    let sealed = secrets(keys, token).seal(request, *ephemeral);
    Ok(Answer {
        city: keys.city.clone(),
        terminal: order.terminal,
        place: order.place.clone(),
        central: order.central.clone(),
        request: request.digest().to_vec(),
        certificate: travelling(issued),
        authorities: vec![authority.certificate().to_vec()],
        root_key: keys.root_verifier()?,
        central_key: keys.export_key()?.public().map_err(|_| CentralError::StoredSecret)?,
        recovery_key: keys.recovery,
        floor,
        codes,
        sealed: sealed.map_err(|error| refused(ProblemCode::Malformed, error.to_string()))?,
    })
}

fn signed(authority: &Authority, answer: &Answer) -> Result<SignedAnswer, CentralError> {
    let text = serde_json::to_string(answer).map_err(|error| CentralError::Certificate(error.to_string()))?;
    let signature = authority.sign(&SignedAnswer::signed_bytes(&text))?;
    Ok(SignedAnswer { authority: authority.certificate().to_vec(), answer: text, signature })
}

fn travelling(issued: Issued) -> Certificate {
    Certificate { der: issued.der, issued: issued.issued, expires: issued.expires }
}

/// How long a terminal's certificate lives, in days: what the city has set, or the age at which its pack refuses a feed
/// and a margin.
pub(crate) fn life_days(database: &Database) -> Result<i64, CentralError> {
    match ca_store::set_days(database.read())? {
        Some(days) => Ok(days),
        None => Ok(i64::from(pack::load(database.read())?.0.freshness.pin_tier_days) + MARGIN_DAYS),
    }
}

/// Sets how long certificates live from now on.
///
/// # Errors
/// `CentralError::NotReady` for days that cannot be.
pub fn set_certificate_days(database: &mut Database, days: i64, now: Timestamp) -> Result<(), CentralError> {
    if !(1..=CERTIFICATE_DAYS_MAX).contains(&days) {
        let text = format!("a certificate lives from 1 to {CERTIFICATE_DAYS_MAX} days");
        return Err(CentralError::NotReady(text));
    }
    database.write(|transaction| {
        ca_store::put_days(transaction, days)?;
        by_hand(transaction, "certificate days set", &days.to_string(), now)
    })
}

/// The next certificate of an enrolled terminal, for a new key. The one it has stays good until this one is used.
///
/// # Errors
/// As `Authority::certify`; `LimitReached` for one that was given more than five within 24 hours.
pub fn renew(
    database: &mut Database,
    authority: &Authority,
    terminal: TerminalId,
    request: &[u8],
    now: Timestamp,
) -> Result<Certificate, CentralError> {
    let issued = authority.certify(terminal, request, now, life_days(database)?)?;
    database.write(|transaction| {
        let query = "SELECT count(*) FROM certificate WHERE terminal = ?1 AND issued > ?2";
        let since = now.0.saturating_sub(crate::ca::DAY_MS);
        let recent: i64 = transaction.query_row(query, params![terminal.0, since], |row| row.get(0))?;
        if recent > CERTIFICATES_A_DAY_MAX {
            return Err(refused(ProblemCode::LimitReached, "this terminal has had enough certificates for today"));
        }
        ca_store::put(transaction, terminal, &issued, "certificate renewed")
    })?;
    Ok(travelling(issued))
}

/// A further certificate for the key that a terminal has, to be carried or sent to one that cannot ask. `None` for a
/// terminal that has no certificate which counts.
///
/// # Errors
/// `CentralError`.
pub fn reissue(
    database: &mut Database,
    authority: &Authority,
    terminal: TerminalId,
    now: Timestamp,
) -> Result<Option<Certificate>, CentralError> {
    let Some((_, _, public_key)) = ca_store::to_certify_again(database.read(), terminal)? else { return Ok(None) };
    let issued = authority.certify_again(terminal, &public_key, now, life_days(database)?)?;
    database.write(|transaction| {
        ca_store::put(transaction, terminal, &issued, "certificate issued again")?;
        by_hand(transaction, "certificate issued again", &terminal.0.to_string(), now)
    })?;
    Ok(Some(travelling(issued)))
}

/// Whose certificate this is: looked up anew for each request, so that what is revoked is revoked at once and on every
/// node.
///
/// # Errors
/// `Problem` with `CertificateRevoked`, `CertificateExpired`, or `Unauthorised` when it was never issued here.
pub fn terminal_of(
    database: &mut Database,
    fingerprint: &[u8; 32],
    now: Timestamp,
) -> Result<TerminalId, CentralError> {
    let unknown = || refused(ProblemCode::Unauthorised, "this certificate was not issued here");
    let held: Held = ca_store::held(database.read(), fingerprint)?.ok_or_else(unknown)?;
    if let Some(ending) = &held.ended {
        return Err(refused(ProblemCode::CertificateRevoked, format!("this certificate was {ending}")));
    }
    if now >= held.expires {
        return Err(refused(ProblemCode::CertificateExpired, "this certificate has run out"));
    }
    if held.first_used.is_none() {
        ca_store::mark_used(database, &held, now)?;
    }
    Ok(held.terminal)
}

/// Withdraws a terminal that was stolen or taken down: its token, its certificates and its one-time codes are void at
/// once, and the change of the read key no longer waits for it. Its books stay, and enrolling it anew brings it back.
/// Of one that has a code only, that is void. `false` when there is neither.
///
/// # Errors
/// `CentralError`.
pub fn withdraw(
    database: &mut Database,
    terminal: TerminalId,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool, CentralError> {
    database.write(|transaction| {
        // A code that was never typed in, or a used one with its request, would undo the withdrawal in silence.
        let codes = ca_store::drop_codes(transaction, terminal)?;
        // No token has this hash.
        let query = "UPDATE terminal SET token_sha256 = ?2 WHERE id = ?1";
        if transaction.execute(query, params![terminal.0, [0_u8; 0].as_slice()])? + codes == 0 {
            return Ok(false);
        }
        ca_store::end_all(transaction, terminal, Ending::Revoked, now)?;
        ca_store::drop_keys(transaction, terminal)?;
        ca_store::note(transaction, terminal, "withdrawn", None, now)?;
        audit::note(transaction, actor, "terminal withdrawn", &terminal.0.to_string(), now)?;
        Ok(true)
    })
}

/// Writes the bundle for its owner only.
///
/// # Errors
/// `CentralError::File`.
pub fn write_bundle(bundle: &Enrolment, path: &Path) -> Result<(), CentralError> {
    let json = bundle.to_json().map_err(|error| CentralError::content(path, error))?;
    write_private(path, json.as_bytes())
}
