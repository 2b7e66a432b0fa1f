//! What a city sets for its money: how long an order holds, and how long reconciliation waits before it speaks.

use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use domain::Timestamp;

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// Days, each from 1 to 366.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneySettings {
    /// How long central's order to finish a claim holds.
    pub order_days: i64,
    /// How late a validator's debit may come.
    pub debit_days: i64,
    /// How late a payment may come in the acquirer's files.
    pub statement_days: i64,
    /// How late a terminal may upload what it did.
    pub upload_days: i64,
    /// How long a claim may be open.
    pub claim_days: i64,
}

impl Default for MoneySettings {
    fn default() -> Self {
        Self { order_days: 10, debit_days: 7, statement_days: 5, upload_days: 3, claim_days: 30 }
    }
}

/// The names of the settings, as the command takes them.
pub const NAMES: [&str; 5] = ["order-days", "debit-days", "statement-days", "upload-days", "claim-days"];
/// The most any of them may be.
const DAYS_MAX: i64 = 366;

impl MoneySettings {
    /// What the city has set, and the defaults for the rest.
    ///
    /// # Errors
    /// `CentralError::NotReady` when a stored value is none.
    pub fn load(connection: &Connection) -> Result<Self, CentralError> {
        let mut settings = Self::default();
        for name in NAMES {
            if let Some(bytes) = read(connection, &stored_name(name))? {
                let days = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok());
                settings.set(name, days.unwrap_or_default())?;
            }
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, days: i64) -> Result<(), CentralError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(CentralError::NotReady(format!("{name} is from 1 to {DAYS_MAX} days")));
        }
        match name {
            "order-days" => self.order_days = days,
            "debit-days" => self.debit_days = days,
            "statement-days" => self.statement_days = days,
            "upload-days" => self.upload_days = days,
            "claim-days" => self.claim_days = days,
            _ => return Err(CentralError::NotReady(format!("there is no setting {name}: {}", NAMES.join(", ")))),
        }
        Ok(())
    }

    /// Each setting by name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, i64); 5] {
        let days = [self.order_days, self.debit_days, self.statement_days, self.upload_days, self.claim_days];
        std::array::from_fn(|at| {
            (NAMES.get(at).copied().unwrap_or_default(), days.get(at).copied().unwrap_or_default())
        })
    }
}

/// A value of the table of settings.
///
/// # Errors
/// `CentralError::Database`.
pub(crate) fn read(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, CentralError> {
    Ok(connection.query_opt("SELECT value FROM setting WHERE name = ?1", params![name], |row| row.get(0))?)
}

/// Writes a value of the table of settings.
///
/// # Errors
/// `CentralError::Database`.
pub(crate) fn put(transaction: &Transaction<'_>, name: &str, value: &[u8]) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        params![name, value],
    )?;
    Ok(())
}

fn stored_name(name: &str) -> String {
    format!("money.{name}")
}

/// Sets one of them.
///
/// # Errors
/// `CentralError::NotReady` for an unknown name or a number of days that cannot be.
pub fn set(database: &mut Database, name: &str, days: i64, actor: &Actor, now: Timestamp) -> Result<(), CentralError> {
    MoneySettings::default().set(name, days)?;
    database.write(|transaction| {
        put(transaction, &stored_name(name), days.to_string().as_bytes())?;
        audit::note(transaction, actor, "money days set", &format!("{name}: {days}"), now)
    })
}
