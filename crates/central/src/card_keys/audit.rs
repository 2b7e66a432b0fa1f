//! Every use of a key is written down before its answer leaves, and bounded: a terminal, and a card, have so many a
//! day. A terminal that is turned away for the day is written down once.

use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::uploads::{note, refuse, sql};
use domain::{CardNumber, TerminalId, Timestamp, Uid};
use protocol::{Problem, ProblemCode};

/// Uses a day, for a city that set no others: a terminal serves a card every two minutes of a long day, and a card is
/// asked for five times in a top-up of the first kind, and three more when it goes wrong.
const TERMINAL_MAX: i64 = 600;
const CARD_MAX: i64 = 30;
/// The settings that change them.
const TERMINAL_SETTING: &str = "card-keys-per-terminal";
const CARD_SETTING: &str = "card-keys-per-card";

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Finish,
    ClassicKeys,
    ClassicFound,
    ClassicSeal,
    RekeyBegin,
    RekeyChange,
    RekeyConfirm,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Finish => "finish",
            Self::ClassicKeys => "classic-keys",
            Self::ClassicFound => "classic-found",
            Self::ClassicSeal => "classic-seal",
            Self::RekeyBegin => "rekey-begin",
            Self::RekeyChange => "rekey-change",
            Self::RekeyConfirm => "rekey-confirm",
        }
    }

    /// Whether it opens something new; what follows under a ticket is bounded by it.
    fn opens(self) -> bool {
        !matches!(self, Self::Finish | Self::RekeyChange | Self::RekeyConfirm)
    }
}

/// One use.
pub(super) struct Use<'a> {
    pub(super) terminal: TerminalId,
    pub(super) uid: &'a Uid,
    pub(super) card: Option<CardNumber>,
    pub(super) role: &'static str,
    pub(super) step: Step,
}

fn limit(connection: &Connection, name: &str, default: i64) -> Result<i64, CentralError> {
    let query = "SELECT value FROM setting WHERE name = ?1";
    let set: Option<Vec<u8>> = connection.query_opt(query, params![name], |row| row.get(0))?;
    let Some(text) = set else { return Ok(default) };
    let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| CentralError::NotReady(format!("the setting {name} is no number")))
}

/// Refuses what is beyond the day's limits. Refused requests count for the terminal that made them, not for the card.
pub(super) fn check_limits(connection: &Connection, used: &Use<'_>, now: Timestamp) -> Result<(), CentralError> {
    if !used.step.opens() {
        return Ok(());
    }
    let opening = "step NOT IN ('finish', 'rekey-change', 'rekey-confirm')";
    let day = now.day().0;
    let by_terminal: i64 = connection.query_row(
        &format!("SELECT count(*) FROM card_key_use WHERE terminal = ?1 AND day = ?2 AND {opening}"),
        params![used.terminal.0, day],
        |row| row.get(0),
    )?;
    if by_terminal >= limit(connection, TERMINAL_SETTING, TERMINAL_MAX)? {
        return Err(refuse(ProblemCode::LimitReached, "this terminal has used up its day"));
    }
    let by_card: i64 = connection.query_row(
        &format!("SELECT count(*) FROM card_key_use WHERE uid = ?1 AND day = ?2 AND outcome = 'ok' AND {opening}"),
        params![used.uid.bytes(), day],
        |row| row.get(0),
    )?;
    if by_card >= limit(connection, CARD_SETTING, CARD_MAX)? {
        return Err(refuse(ProblemCode::LimitReached, "this card has used up its day"));
    }
    Ok(())
}

/// Writes the use down. Without this there is no answer.
pub(super) fn record(
    transaction: &Transaction<'_>,
    used: &Use<'_>,
    outcome: Result<(), &Problem>,
    now: Timestamp,
) -> Result<(), CentralError> {
    if outcome.is_err_and(|problem| problem.code == ProblemCode::LimitReached) {
        let detail = format!("keys of cards, day {}: {}", now.day().0, outcome.err().map_or("", |p| &p.detail));
        return note(transaction, used.terminal, "limit", &detail, now);
    }
    transaction.execute(
        "INSERT INTO card_key_use (at, day, terminal, uid, card, role, step, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            now.0,
            now.day().0,
            used.terminal.0,
            used.uid.bytes(),
            used.card.map(|number| sql(number.0)),
            used.role,
            used.step.name(),
            outcome.map_or_else(|problem| problem.code.name(), |()| "ok"),
        ],
    )?;
    Ok(())
}
