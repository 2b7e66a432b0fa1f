//! A change at a terminal: the old PIN's key has to be the one that central keeps. Wrong ones are counted by card and
//! day, whichever terminal asks, and the answer to a repeat is the first one.

use super::{find, store};
use crate::Database;
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::store_key::{self, Stored};
use crate::uploads::{note, refuse, sql};
use domain::{CardNumber, TerminalId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use protocol::{PinChange, PinChanged, ProblemCode};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Wrong PINs of one card that central answers on one day (UTC). A terminal stops at three, and the card with it: more
/// than that is not a citizen.
pub const FAILURES_A_DAY_MAX: i64 = 10;

/// Wrong PINs of all cards that central answers one terminal on one day (UTC): whoever has a terminal's keys asks no
/// card.
pub const TERMINAL_FAILURES_A_DAY_MAX: i64 = 50;

fn terminal_failures(transaction: &Transaction<'_>, terminal: TerminalId, now: Timestamp) -> Result<i64, CentralError> {
    let query = "SELECT failures FROM pin_failure_at WHERE terminal = ?1 AND day = ?2";
    let found = transaction.query_opt(query, params![terminal.0, now.day().0], |row| row.get(0))?;
    Ok(found.unwrap_or_default())
}

/// What a repeat must be byte for byte, without keeping what stands for a PIN.
fn fingerprint(keys: &KeyFile, change: &PinChange) -> Result<[u8; 32], CentralError> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(keys.storage.expose());
    let mut mac = mac.map_err(|_| CentralError::StoredSecret)?;
    for part in [&b"v1 pin change"[..], &change.number.0.to_be_bytes(), &[change.generation.0]] {
        mac.update(part);
    }
    mac.update(change.old.expose());
    mac.update(change.new.expose());
    Ok(mac.finalize().into_bytes().into())
}

/// Changes a PIN as an authenticated terminal asks.
///
/// # Errors
/// A `Problem`: `Malformed` for what does not open, `CardRefused` for a card that has no PIN or does not count,
/// `KeyRejected` for a wrong old PIN, `LimitReached` after too many of those on one day, `Conflict` for a key that was
/// used otherwise and for a PIN that is the old one. All else is central's own.
pub fn change(
    database: &mut Database,
    keys: &KeyFile,
    terminal: TerminalId,
    number: CardNumber,
    sealed: &[u8],
    now: Timestamp,
) -> Result<PinChanged, CentralError> {
    let asked = PinChange::open(sealed, terminal, number, &keys.export_key()?)
        .map_err(|error| refuse(ProblemCode::Malformed, error.to_string()))?;
    let print = fingerprint(keys, &asked)?;
    let (version, at) = database.write(|transaction| {
        if let Some(first) = first_answer(transaction, &asked, print)? {
            return Ok(Ok(first));
        }
        // A wrong PIN is no error of the transaction: its count stays.
        if terminal_failures(transaction, terminal, now)? >= TERMINAL_FAILURES_A_DAY_MAX {
            let detail = format!("wrong PINs of many cards on day {}", now.day().0);
            note(transaction, terminal, "pin-guesses", &detail, now)?;
            return Ok(Err(refuse(ProblemCode::LimitReached, "too many wrong PINs at this terminal today")));
        }
        let outcome = taken(transaction, keys, &asked, now)?;
        if matches!(&outcome, Err(CentralError::Problem(problem)) if problem.code == ProblemCode::KeyRejected) {
            let insert = "INSERT INTO pin_failure_at (terminal, day, failures) VALUES (?1, ?2, 1)
                          ON CONFLICT (terminal, day) DO UPDATE SET failures = pin_failure_at.failures + 1";
            transaction.execute(insert, params![terminal.0, now.day().0])?;
        }
        match outcome {
            Ok(version) => {
                transaction.execute(
                    "INSERT INTO pin_change (key, terminal, card, generation, sha256, changed, pin_version)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![asked.key.0, terminal.0, sql(number.0), asked.generation.0, print, now.0, version],
                )?;
                Ok(Ok((version, now)))
            }
            Err(wrong) => Ok(Err(wrong)),
        }
    })??;
    let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    Ok(PinChanged::sign(&asked, version, at, &signer))
}

fn first_answer(
    transaction: &Transaction<'_>,
    asked: &PinChange,
    print: [u8; 32],
) -> Result<Option<(u8, Timestamp)>, CentralError> {
    let found = transaction.query_opt(
        "SELECT sha256, pin_version, changed FROM pin_change WHERE key = ?1",
        params![asked.key.0],
        |row| Ok((row.get::<[u8; 32]>(0)?, row.get(1)?, row.get(2)?)),
    )?;
    match found {
        None => Ok(None),
        Some((first, version, changed)) if first == print => Ok(Some((version, Timestamp(changed)))),
        Some(_) => Err(refuse(ProblemCode::Conflict, "this change's key was used otherwise")),
    }
}

fn taken(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    asked: &PinChange,
    now: Timestamp,
) -> Result<Result<u8, CentralError>, CentralError> {
    let refused = |detail: &str| Ok(Err(refuse(ProblemCode::CardRefused, detail)));
    let Some(card) = find(transaction, asked.number)?.filter(|card| card.generation == asked.generation) else {
        return refused("no such card is active");
    };
    let Some(stored) = &card.pin_key else { return refused("the card has no PIN yet: the office sets the first") };
    let (number, day) = (sql(asked.number.0), now.day().0);
    let key = params![number, asked.generation.0, day];
    let query = "SELECT failures FROM pin_failure WHERE card = ?1 AND generation = ?2 AND day = ?3";
    let failures: i64 = transaction.query_opt(query, key, |row| row.get(0))?.unwrap_or_default();
    if failures >= FAILURES_A_DAY_MAX {
        return Ok(Err(refuse(ProblemCode::LimitReached, "too many wrong PINs of this card today")));
    }
    let right = store_key::open(&keys.storage, Stored::PinKey, asked.number, stored)?;
    if !bool::from(right.as_slice().ct_eq(asked.old.expose())) {
        let insert = "INSERT INTO pin_failure (card, generation, day, failures) VALUES (?1, ?2, ?3, 1)
                      ON CONFLICT (card, generation, day) DO UPDATE SET failures = pin_failure.failures + 1";
        transaction.execute(insert, key)?;
        return Ok(Err(refuse(ProblemCode::KeyRejected, "the old PIN is another one")));
    }
    if bool::from(right.as_slice().ct_eq(asked.new.expose())) {
        return Ok(Err(refuse(ProblemCode::Conflict, "the new PIN is the old one")));
    }
    store(transaction, keys, asked.number, &card, &asked.new).map(Ok)
}
