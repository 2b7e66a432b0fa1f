//! One-time codes: made by a person, typed in at a terminal, which then enrols itself over TLS. The database keeps their
//! hashes.

use super::{EnrolmentOrder, answered, by_hand, refused};
use crate::Database;
use crate::ca::Authority;
use crate::ca_store::{self, KeptCode};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use data_encoding::BASE32_NOPAD;
use domain::Timestamp;
use protocol::ProblemCode;
use protocol::first_trust::{EnrolmentRequest, SignedAnswer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of randomness in a code.
const CODE_BYTES: usize = 15;
/// Digits in a group of a code.
const CODE_GROUP: usize = 4;

/// Makes a code with which this terminal enrols itself, once, within `life_ms`. An unused earlier one is void.
///
/// # Errors
/// `CentralError`.
pub fn make_code(
    database: &mut Database,
    order: &EnrolmentOrder,
    life_ms: i64,
    now: Timestamp,
) -> Result<Zeroizing<String>, CentralError> {
    let mut bytes = Zeroizing::new([0; CODE_BYTES]);
    getrandom::fill(bytes.as_mut())?;
    let digits = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_ref()));
    let kept = KeptCode {
        terminal: order.terminal,
        place: order.place.clone(),
        central: order.central.clone(),
        codes: order.codes,
        expires: Timestamp(now.0.saturating_add(life_ms)),
        request: None,
    };
    database.write(|transaction| {
        ca_store::put_code(transaction, &code_hash(&digits), &kept, now)?;
        by_hand(transaction, "enrolment code made", &order.terminal.0.to_string(), now)
    })?;
    let groups: Vec<&str> =
        (0..digits.len()).step_by(CODE_GROUP).filter_map(|at| digits.get(at..at + CODE_GROUP)).collect();
    Ok(Zeroizing::new(groups.join("-")))
}

/// Capitals or not, with or without dashes and spaces.
fn code_hash(code: &str) -> [u8; 32] {
    let plain = code.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase());
    let plain = Zeroizing::new(plain.collect::<String>());
    Sha256::digest(plain.as_bytes()).into()
}

/// One answer for a code that is wrong, used or too old: nobody learns which.
pub(super) fn unknown() -> CentralError {
    refused(ProblemCode::Unauthorised, "this code is not good, or no longer")
}

/// Answers a terminal's signing request that comes with a one-time code. The same request may come again: its answer
/// may have been lost.
///
/// # Errors
/// `Problem` with `Unauthorised` when the code is wrong, used or too old; else as `answer`.
pub fn redeem(
    database: &mut Database,
    keys: &KeyFile,
    authority: &Authority,
    code: &str,
    request: &EnrolmentRequest,
    now: Timestamp,
) -> Result<SignedAnswer, CentralError> {
    let hash = code_hash(code);
    let kept = ca_store::code(database.read(), &hash)?.filter(|kept| now < kept.expires).ok_or_else(unknown)?;
    if kept.request.as_ref().is_some_and(|used| *used != request.digest()) {
        return Err(unknown());
    }
    let KeptCode { terminal, place, central, codes, .. } = kept;
    let order = EnrolmentOrder { terminal, place, central, codes };
    answered(database, keys, authority, &order, request, Some(&hash), now)
}
