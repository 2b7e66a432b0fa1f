//! The newest status of each terminal. It is no fact: no book keeps it, and its receipt bears the number 0.

use super::{Desk, Sent};
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use domain::{TerminalId, Timestamp};
use protocol::{Problem, ProblemCode, Receipt, TerminalStatus, Upload, WaitingKind};

/// A terminal's status, as central last heard it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose.
    pub terminal: TerminalId,
    /// When the terminal wrote it, by its own clock.
    pub written: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// What it says.
    pub status: TerminalStatus,
}

/// Keeps a status unless a newer one is there. One that was written more than an hour after it came was written by a
/// clock that ran ahead: it holds up nobody who has the right time since.
pub(super) fn put(
    transaction: &Transaction<'_>,
    desk: &Desk<'_>,
    sent: &Sent,
    upload: &Upload,
    status: &TerminalStatus,
) -> Result<Receipt, CentralError> {
    if !status.is_sane() {
        return Err(Problem::new(ProblemCode::Malformed, "no terminal of ours writes such a status").into());
    }
    let waiting: Vec<_> = status.waiting.iter().map(|one| (&one.kind, one.queued, one.quarantined)).collect();
    let waiting = serde_json::to_string(&waiting).map_err(|error| CentralError::Feed(error.to_string()))?;
    let signed = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    transaction.execute(
        "INSERT INTO terminal_status (terminal, written, received, version, feed_sequence, feed_epoch, queued,
                quarantined, oldest_waiting, waiting, printer, reader, payment, free_disk_bytes, clock_ahead_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (terminal) DO UPDATE SET written = ?2, received = ?3, version = ?4, feed_sequence = ?5,
                feed_epoch = ?6, queued = ?7, quarantined = ?8, oldest_waiting = ?9, waiting = ?10, printer = ?11,
                reader = ?12, payment = ?13, free_disk_bytes = ?14, clock_ahead_ms = ?15
         WHERE terminal_status.written <= ?2 OR terminal_status.written > terminal_status.received + 3600000",
        params![
            upload.terminal,
            upload.written,
            desk.now.0,
            status.version,
            signed(status.feed_sequence),
            status.feed_epoch,
            signed(Some(status.queued())),
            signed(Some(status.quarantined())),
            status.oldest_waiting,
            waiting,
            status.printer,
            status.reader,
            status.payment,
            signed(status.free_disk_bytes),
            status.clock_ahead_ms,
        ],
    )?;
    Ok(Receipt::sign(upload.key, &sent.bytes, 0, desk.now, &desk.signer))
}

/// The newest status of every terminal that has told one, by terminal.
///
/// # Errors
/// `CentralError::Database`.
pub fn all(connection: &Connection) -> Result<Vec<Heard>, CentralError> {
    let sql =
        "SELECT terminal, written, received, version, feed_sequence, feed_epoch, oldest_waiting, waiting, printer,
                      reader, payment, free_disk_bytes, clock_ahead_ms FROM terminal_status ORDER BY terminal";
    Ok(connection.query(sql, &[], |row| {
        let waiting: String = row.get(7)?;
        let waiting: Vec<(String, u64, u64)> = serde_json::from_str(&waiting).unwrap_or_default();
        let kind = |(kind, queued, quarantined)| WaitingKind { kind, queued, quarantined };
        Ok(Heard {
            terminal: TerminalId(row.get(0)?),
            written: Timestamp(row.get(1)?),
            received: Timestamp(row.get(2)?),
            status: TerminalStatus {
                version: row.get(3)?,
                feed_sequence: row.get(4)?,
                feed_epoch: row.get(5)?,
                waiting: waiting.into_iter().map(kind).collect(),
                oldest_waiting: row.get(6)?,
                printer: row.get(8)?,
                reader: row.get(9)?,
                payment: row.get(10)?,
                free_disk_bytes: row.get(11)?,
                clock_ahead_ms: row.get(12)?,
            },
        })
    })?)
}
