//! Logging in. Every try counts as failed until its password was right, so that tries at the same moment count too.
//! After a few failures the next try has to wait, for this account from this address, ever longer; the same account
//! from elsewhere does not, so that a stranger locks nobody out.

use super::{Account, password, sessions};
use crate::Database;
use crate::audit;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::refusal::Refusal;
use domain::Timestamp;
use protocol::Secret32;
use std::net::IpAddr;

/// Failures that cost nothing, of one account from one address and of an address as a whole.
const FREE: i64 = 3;
const FREE_OF_ADDRESS: i64 = 30;
/// The longest waits.
const WAIT_MAX_MS: i64 = 15 * 60_000;
const WAIT_OF_ADDRESS_MAX_MS: i64 = 60_000;
/// Failures are forgotten after so long.
const FORGOTTEN_MS: i64 = 24 * 3_600_000;
/// The rows that stand for a whole address, and for names that are no account's.
const WHOLE_ADDRESS: i64 = 0;
const NOBODY: i64 = -1;

/// A try that was let in, and counted.
pub struct Attempt {
    account: Option<Account>,
    stored: Option<String>,
    address: String,
}

/// One household has one network, of IPv6 with 64 bits: its hosts choose their address.
fn of_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn wait_ms(failures: i64, free: i64, wait_max: i64) -> i64 {
    let over = u32::try_from(failures - free).unwrap_or_default().min(20);
    if failures < free { 0 } else { (1_000_i64 << over).min(wait_max) }
}

/// How long this row lets one wait, in milliseconds from now.
fn left_ms(connection: &Connection, account: i64, address: &str, now: Timestamp) -> Result<i64, CentralError> {
    let found = connection.query_opt(
        "SELECT failures, last FROM login_failure WHERE account = ?1 AND address = ?2 AND last > ?3",
        params![account, address, now.0 - FORGOTTEN_MS],
        |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
    )?;
    let (free, wait_max) = match account {
        WHOLE_ADDRESS => (FREE_OF_ADDRESS, WAIT_OF_ADDRESS_MAX_MS),
        _ => (FREE, WAIT_MAX_MS),
    };
    // What a clock that ran ahead has dated holds nobody up until that moment comes: the next try dates it anew.
    let found = found.filter(|(_, last)| *last <= now.0);
    Ok(found.map_or(0, |(failures, last)| last + wait_ms(failures, free, wait_max) - now.0))
}

fn count(transaction: &Transaction<'_>, account: i64, address: &str, now: Timestamp) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO login_failure (account, address, failures, last) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (account, address) DO UPDATE SET failures = login_failure.failures + 1, last = ?3",
        params![account, address, now.0],
    )?;
    Ok(())
}

/// Lets a try in and counts it.
///
/// # Errors
/// `CentralError::Refused` with `TooSoon`; else the database's.
pub fn attempt(database: &mut Database, name: &str, address: IpAddr, now: Timestamp) -> Result<Attempt, CentralError> {
    let address = of_address(address);
    database.write(|transaction| {
        let found = super::find(transaction, name)?;
        let id = found.as_ref().map_or(NOBODY, |(account, _)| account.id);
        let left = left_ms(transaction, id, &address, now)?.max(left_ms(transaction, WHOLE_ADDRESS, &address, now)?);
        if left > 0 {
            return Err(Refusal::TooSoon(left.div_euclid(1_000) + 1).into());
        }
        transaction.execute("DELETE FROM login_failure WHERE last <= ?1", params![now.0 - FORGOTTEN_MS])?;
        count(transaction, id, &address, now)?;
        count(transaction, WHOLE_ADDRESS, &address, now)?;
        let open = found.filter(|(account, _)| account.disabled.is_none());
        let (account, stored) = open.unzip();
        Ok(Attempt { account, stored, address })
    })
}

impl Attempt {
    /// Whether the password is right. Takes a fifth of a second and 64 MiB: call it where blocking is allowed.
    #[must_use]
    pub fn is_right(&self, typed: &str) -> bool {
        password::is_right(typed, self.stored.as_deref())
    }

    /// Begins a session when the password was right; notes it either way.
    ///
    /// # Errors
    /// `CentralError::Refused` with `LogIn` when it was wrong; else the database's.
    pub fn finish(self, database: &mut Database, is_right: bool, now: Timestamp) -> Result<Secret32, CentralError> {
        let begun = database.write(|transaction| {
            let Some(account) = &self.account else {
                tracing::warn!(address = self.address, "a log-in with a name that is no account's");
                return Ok(None);
            };
            if !is_right {
                audit::note(transaction, &account.actor(), "log-in refused", &self.address, now)?;
                return Ok(None);
            }
            transaction.execute(
                "DELETE FROM login_failure WHERE account = ?1 AND address = ?2",
                params![account.id, self.address],
            )?;
            // This try was counted for the address as well, and was none of a stranger's.
            transaction.execute(
                "UPDATE login_failure SET failures = failures - 1 WHERE account = ?1 AND address = ?2",
                params![WHOLE_ADDRESS, self.address],
            )?;
            audit::note(transaction, &account.actor(), "logged in", &self.address, now)?;
            sessions::begin(transaction, account, now).map(Some)
        })?;
        begun.ok_or_else(|| Refusal::LogIn.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_their_longest() {
        let check = |failures, expected| assert_eq!(wait_ms(failures, FREE, WAIT_MAX_MS), expected, "{failures}");
        for free in 0..FREE {
            check(free, 0);
        }
        check(FREE, 1_000);
        check(FREE + 1, 2_000);
        check(FREE + 5, 32_000);
        check(FREE + 10, WAIT_MAX_MS);
        check(1_000_000, WAIT_MAX_MS);
    }

    #[test]
    fn the_hosts_of_a_network_count_as_one() {
        let check = |address: &str, expected: &str| assert_eq!(of_address(address.parse().unwrap()), expected);
        check("192.0.2.7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64");
        check("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64");
    }
}
