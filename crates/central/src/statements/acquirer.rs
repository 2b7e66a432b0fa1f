//! The acquirer's settlement files: one line a transaction of a payment terminal. The state of a transaction only ever
//! moves forward, so that an older file imported late takes nothing back. What a line says of a payment that the
//! terminal could not decide, central learns from it.

use super::dialect::{Dialect, Row};
use super::{File, Imported, Line, import_lines, learn};
use crate::Database;
use crate::audit::Actor;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use domain::{Cents, Day, Timestamp};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// A payment (06 01).
    Payment,
    /// A pre-authorisation (06 22): no money by itself.
    Reservation,
    /// A pre-authorisation's booking (06 24).
    Booking,
    /// A reversal (06 30, or the payment terminal's own); its amount is negative.
    Reversal,
}

impl LineKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Reservation, Self::Booking, Self::Reversal];

    /// The stable name, as files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Reservation => "reservation",
            Self::Booking => "booking",
            Self::Reversal => "reversal",
        }
    }
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineState {
    /// Approved, and the till's answer has not come.
    Authorised,
    /// Reserved.
    Reserved,
    /// Taken, in a batch that is not closed yet.
    Open,
    /// A reservation that was booked.
    Booked,
    /// Taken and settled.
    Settled,
    /// A reservation that was released.
    Released,
    /// A reservation that lapsed.
    Expired,
    /// Undone.
    Reversed,
}

impl LineState {
    /// All of them, each after those it can follow.
    pub const ALL: [Self; 8] = [
        Self::Authorised,
        Self::Reserved,
        Self::Open,
        Self::Booked,
        Self::Settled,
        Self::Released,
        Self::Expired,
        Self::Reversed,
    ];

    /// The stable name, as files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::Reserved => "reserved",
            Self::Open => "open",
            Self::Booked => "booked",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }

    /// The money was taken and stays.
    #[must_use]
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Open | Self::Booked | Self::Settled)
    }

    /// Nothing was taken, or it went back.
    #[must_use]
    pub fn is_undone(self) -> bool {
        matches!(self, Self::Released | Self::Expired | Self::Reversed)
    }
}

/// One transaction as the acquirer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementLine {
    /// Central's number of it.
    pub id: i64,
    /// Its day at the payment terminal.
    pub day: Day,
    /// The payment terminal's identity, eight digits.
    pub payment_terminal: String,
    /// Receipt number.
    pub receipt: u32,
    /// Trace number.
    pub trace: u32,
    /// What it is about.
    pub kind: LineKind,
    /// How much; negative for a reversal.
    pub amount: Cents,
    /// How far it has come.
    pub state: LineState,
}

const NEEDED: [&str; 7] = ["date", "terminal_id", "receipt", "trace", "amount_cents", "kind", "state"];

/// Imports a settlement file.
///
/// # Errors
/// `CentralError::Rejected` when the file as a whole cannot be read; else the database's. Single lines that cannot be
/// taken are in the result.
pub fn import(
    database: &mut Database,
    file: File<'_>,
    dialect: &Dialect,
    actor: &Actor,
    now: Timestamp,
) -> Result<Imported, CentralError> {
    let rows = dialect.rows(file.bytes, &NEEDED, &[]).map_err(CentralError::Rejected)?;
    database.write(|transaction| {
        let imported =
            import_lines(transaction, "settlement", file, rows, actor, now, |id, row| match read(dialect, row) {
                Ok(line) => take(transaction, id, row.line, &line),
                Err(reason) => Ok(Err(reason)),
            })?;
        learn::from_lines(transaction, now)?;
        Ok(imported)
    })
}

fn read(dialect: &Dialect, row: &Row) -> Result<SettlementLine, String> {
    let terminal = row.text("terminal_id");
    if terminal.is_empty() || terminal.len() > 8 || !terminal.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("column terminal_id: up to eight digits".to_owned());
    }
    let words = |column: &str| format!("column {column}: a word that is not known");
    let kind = dialect.kind(row.text("kind"));
    let kind = LineKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| words("kind"))?;
    let state = dialect.state(row.text("state"));
    let state = LineState::ALL.into_iter().find(|known| known.name() == state).ok_or_else(|| words("state"))?;
    let amount = dialect.cents(row.text("amount_cents")).map_err(|reason| format!("column amount_cents: {reason}"))?;
    if (amount.is_negative() != (kind == LineKind::Reversal)) || amount == Cents::ZERO {
        return Err("column amount_cents: above zero, and below zero for a reversal".to_owned());
    }
    Ok(SettlementLine {
        id: 0,
        day: dialect.day(row.text("date"))?,
        payment_terminal: format!("{terminal:0>8}"),
        receipt: row.whole("receipt")?,
        trace: row.whole("trace")?,
        kind,
        amount,
        state,
    })
}

fn take(
    transaction: &Transaction<'_>,
    file: i64,
    number: u64,
    line: &SettlementLine,
) -> Result<Result<Line, String>, CentralError> {
    let known = transaction.query_opt(
        "SELECT id, amount, state FROM settlement_line
             WHERE payment_terminal = ?1 AND day = ?2 AND kind = ?3 AND receipt = ?4 AND trace = ?5",
        params![line.payment_terminal, line.day.0, line.kind.name(), line.receipt, line.trace],
        |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?)),
    )?;
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    match known {
        Some((_, amount, _)) if amount != line.amount.0 => {
            Ok(Err("the same transaction was imported with another amount".to_owned()))
        }
        Some((id, _, state)) => {
            let before = LineState::ALL.into_iter().find(|one| one.name() == state);
            if before >= Some(line.state) {
                return Ok(Ok(Line::Known));
            }
            transaction.execute(
                "UPDATE settlement_line SET state = ?2, file = ?3, line = ?4 WHERE id = ?1",
                params![id, line.state.name(), file, number],
            )?;
            Ok(Ok(Line::Taken))
        }
        None => {
            transaction.execute(
                "INSERT INTO settlement_line (day, payment_terminal, receipt, trace, kind, amount, state, file, line)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    line.day.0,
                    line.payment_terminal,
                    line.receipt,
                    line.trace,
                    line.kind.name(),
                    line.amount.0,
                    line.state.name(),
                    file,
                    number
                ],
            )?;
            Ok(Ok(Line::Taken))
        }
    }
}

/// Every transaction the acquirer has told of, by day.
///
/// # Errors
/// `CentralError::Database`.
pub fn lines(connection: &Connection) -> Result<Vec<SettlementLine>, CentralError> {
    Ok(connection.query(&format!("{LINE} ORDER BY day, id"), &[], line)?)
}

/// The transactions under one receipt of a payment terminal, by day.
pub(crate) fn lines_under(
    connection: &Connection,
    payment_terminal: &str,
    receipt: u32,
) -> Result<Vec<SettlementLine>, CentralError> {
    let query = format!("{LINE} WHERE payment_terminal = ?1 AND receipt = ?2 ORDER BY day, id");
    Ok(connection.query(&query, params![payment_terminal, receipt], line)?)
}

const LINE: &str = "SELECT id, day, payment_terminal, receipt, trace, kind, amount, state FROM settlement_line";

fn line(row: &crate::db::Row<'_>) -> crate::db::Result<SettlementLine> {
    let (kind, state): (String, String) = (row.get(5)?, row.get(7)?);
    Ok(SettlementLine {
        id: row.get(0)?,
        day: Day(row.get(1)?),
        payment_terminal: row.get(2)?,
        receipt: row.get(3)?,
        trace: row.get(4)?,
        // Only known words are ever stored.
        kind: LineKind::ALL.into_iter().find(|one| one.name() == kind).unwrap_or(LineKind::Payment),
        amount: Cents(row.get(6)?),
        state: LineState::ALL.into_iter().find(|one| one.name() == state).unwrap_or(LineState::Authorised),
    })
}
