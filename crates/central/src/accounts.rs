//! The office's accounts: who may log in, and in which role. An account is disabled and never deleted, since the log of
//! acts names it for ever.

pub mod log_in;
pub mod password;
pub mod sessions;

use crate::Database;
use crate::audit::{self, Actor, Role};
use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use crate::refusal::Refusal;
use domain::Timestamp;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// What is typed to log in.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when there is one.
    pub made: Timestamp,
    /// Since when nobody logs in with it.
    pub disabled: Option<Timestamp>,
}

impl Account {
    /// Who acts when this account is logged in.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), role: self.role }
    }
}

const ACCOUNTS: &str = "SELECT id, name, role, made, disabled, password FROM account";

fn account(row: &Row<'_>) -> crate::db::Result<Account> {
    let role: String = row.get(2)?;
    Ok(Account {
        id: row.get(0)?,
        name: row.get(1)?,
        role: Role::of_name(&role).unwrap_or(Role::Auditor),
        made: Timestamp(row.get(3)?),
        disabled: row.get::<Option<i64>>(4)?.map(Timestamp),
    })
}

/// The name as accounts have it: small letters, without blanks around it.
#[must_use]
pub fn plain(name: &str) -> String {
    name.trim().to_lowercase()
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    (2..=32).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// The account of this name, with its password's hash.
fn find(connection: &Connection, name: &str) -> Result<Option<(Account, String)>, CentralError> {
    let read = |row: &Row<'_>| Ok((account(row)?, row.get(5)?));
    Ok(connection.query_opt(&format!("{ACCOUNTS} WHERE name = ?1"), params![plain(name)], read)?)
}

fn known(transaction: &Transaction<'_>, name: &str) -> Result<Account, CentralError> {
    Ok(find(transaction, name)?.ok_or(Refusal::AccountUnknown)?.0)
}

/// Every account, by name.
///
/// # Errors
/// `CentralError::Database`.
pub fn all(connection: &Connection) -> Result<Vec<Account>, CentralError> {
    Ok(connection.query(&format!("{ACCOUNTS} ORDER BY name"), params![], account)?)
}

/// Whether there is any.
///
/// # Errors
/// `CentralError::Database`.
pub fn are_there(connection: &Connection) -> Result<bool, CentralError> {
    Ok(connection.query_opt("SELECT 1 FROM account LIMIT 1", params![], |_| Ok(()))?.is_some())
}

/// Makes an account. Hashing the password takes a fifth of a second, on purpose.
///
/// # Errors
/// `CentralError::Refused` with `AccountName`, `AccountTaken`, `PasswordLength` or `PasswordWeak`; else the database's.
pub fn add(
    database: &mut Database,
    actor: &Actor,
    name: &str,
    role: Role,
    password: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    let name = plain(name);
    if !is_name(&name) || role == Role::Console {
        return Err(Refusal::AccountName.into());
    }
    let hash = password::hash(&name, password)?;
    database.write(|transaction| {
        if find(transaction, &name)?.is_some() {
            return Err(Refusal::AccountTaken.into());
        }
        transaction.execute(
            "INSERT INTO account (name, role, password, made) VALUES (?1, ?2, ?3, ?4)",
            params![name, role.name(), hash, now.0],
        )?;
        audit::note(transaction, actor, "account added", &format!("{name} ({})", role.name()), now)
    })
}

/// Nobody logs in with it from now on, and whoever is logged in is not any more. `false` when it was disabled already.
///
/// # Errors
/// `CentralError::Refused` with `AccountUnknown`; else the database's.
pub fn disable(database: &mut Database, actor: &Actor, name: &str, now: Timestamp) -> Result<bool, CentralError> {
    database.write(|transaction| {
        let account = known(transaction, name)?;
        if account.disabled.is_some() {
            return Ok(false);
        }
        transaction.execute("UPDATE account SET disabled = ?2 WHERE id = ?1", params![account.id, now.0])?;
        sessions::end_all(transaction, account.id)?;
        audit::note(transaction, actor, "account disabled", &account.name, now)?;
        Ok(true)
    })
}

/// Gives a new password; every session of the account ends. A disabled account stays disabled.
///
/// # Errors
/// `CentralError::Refused` with `AccountUnknown`, `PasswordLength` or `PasswordWeak`; else the database's.
pub fn set_password(
    database: &mut Database,
    actor: &Actor,
    name: &str,
    password: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    let hash = password::hash(&plain(name), password)?;
    set_hash(database, actor, name, &hash, now)
}

/// The same, of a password that was hashed before a connection was taken.
///
/// # Errors
/// `CentralError::Refused` with `AccountUnknown`; else the database's.
pub(crate) fn set_hash(
    database: &mut Database,
    actor: &Actor,
    name: &str,
    hash: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    database.write(|transaction| {
        let account = known(transaction, name)?;
        transaction.execute("UPDATE account SET password = ?2 WHERE id = ?1", params![account.id, hash])?;
        sessions::end_all(transaction, account.id)?;
        audit::note(transaction, actor, "password changed", &account.name, now)
    })
}
