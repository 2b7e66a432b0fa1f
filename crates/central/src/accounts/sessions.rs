//! Who is logged in. The browser has 256 random bits, the database their hash alone; a session ends by itself when
//! nobody used it for half an hour, and after a working day in any case.

use super::Account;
use crate::Database;
use crate::audit;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use data_encoding::HEXLOWER;
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use protocol::Secret32;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Unused for so long, a session is over.
pub const IDLE_MS: i64 = 30 * 60_000;
/// A session is over after so long in any case.
pub const WHOLE_MS: i64 = 10 * 3_600_000;
/// The last use is written down this often at most.
const SEEN_MS: i64 = 60_000;

/// Begins a session; the token goes to the browser and nowhere else.
///
/// # Errors
/// `CentralError::Entropy` or the database's.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    account: &Account,
    now: Timestamp,
) -> Result<Secret32, CentralError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token)?;
    let token = Secret32::new(token);
    let long_ago = now.0 - WHOLE_MS;
    transaction.execute("DELETE FROM office_session WHERE began < ?1", params![long_ago])?;
    transaction.execute(
        "INSERT INTO office_session (token_sha256, account, began, seen) VALUES (?1, ?2, ?3, ?3)",
        params![hash(&token), account.id, now.0],
    )?;
    Ok(token)
}

fn hash(token: &Secret32) -> [u8; 32] {
    Sha256::digest(token.expose()).into()
}

/// Whose session it is, while it lasts; using it makes it last.
///
/// # Errors
/// `CentralError::Database`.
pub fn account_of(database: &mut Database, token: &Secret32, now: Timestamp) -> Result<Option<Account>, CentralError> {
    let found = database.read().query_opt(
        "SELECT account.id, account.name, account.role, account.made, account.disabled, began, seen
         FROM office_session JOIN account ON account.id = office_session.account WHERE token_sha256 = ?1",
        params![hash(token)],
        |row| Ok((super::account(row)?, row.get::<i64>(5)?, row.get::<i64>(6)?)),
    )?;
    let Some((account, began, seen)) = found else { return Ok(None) };
    if account.disabled.is_some() || now.0 - began >= WHOLE_MS || now.0 - seen >= IDLE_MS {
        return Ok(None);
    }
    if now.0 - seen >= SEEN_MS {
        let update = "UPDATE office_session SET seen = ?2 WHERE token_sha256 = ?1";
        database.write(|transaction| Ok(transaction.execute(update, params![hash(token), now.0])?))?;
    }
    Ok(Some(account))
}

/// Ends a session: the account logs out.
///
/// # Errors
/// `CentralError::Database`.
pub fn end(database: &mut Database, account: &Account, token: &Secret32, now: Timestamp) -> Result<(), CentralError> {
    database.write(|transaction| {
        transaction.execute("DELETE FROM office_session WHERE token_sha256 = ?1", params![hash(token)])?;
        audit::note(transaction, &account.actor(), "logged out", &account.name, now)
    })
}

pub(super) fn end_all(connection: &Connection, account: i64) -> Result<(), CentralError> {
    connection.execute("DELETE FROM office_session WHERE account = ?1", params![account])?;
    Ok(())
}

/// What every form of a session carries: whoever does not know the token cannot make it.
#[must_use]
pub fn form_token(token: &Secret32) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.expose()) else { return String::new() };
    mac.update(b"v1 form");
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Whether a form carries it.
#[must_use]
pub fn is_of_form(token: &Secret32, carried: &str) -> bool {
    let expected = form_token(token);
    !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(carried.as_bytes()))
}
