//! What has a time of its own: which rows of it are over, and letting them go.

use super::holders;
use crate::db::{Transaction, Value, params};
use crate::error::CentralError;
use domain::Timestamp;

/// Rows of one commit: writers wait for no longer.
const TOGETHER: i64 = 2_000;

/// What has a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of uploads.
    Uploads,
    /// Issued documents.
    Documents,
    /// Sights of cards.
    Sights,
    /// Evidence of closed claims.
    Evidence,
    /// Uses of cards' keys.
    KeyUses,
    /// The audit.
    Audit,
    /// Codes of enrolment.
    EnrolmentCodes,
    /// What was booked.
    Bookings,
    /// Changes of PINs.
    PinChanges,
    /// Wrong PINs of cards.
    PinFailures,
    /// Wrong PINs at terminals.
    PinFailuresAtTerminals,
    /// Bytes of quarantined uploads whose case has ended.
    Quarantine,
    /// Holders who moved away.
    Holders,
}

/// Of terminals about which something noticed is not explained.
const DOUBTFUL: &str = "(SELECT terminal FROM anomaly WHERE explained IS NULL)";

/// The day of that moment.
const DAY: &str = "CAST(?1 AS BIGINT) / 86400000";

impl Kind {
    /// All of them. The audit first: the others' lines are in it.
    pub const ALL: [Self; 13] = [
        Self::Audit,
        Self::Uploads,
        Self::Documents,
        Self::Sights,
        Self::Evidence,
        Self::KeyUses,
        Self::EnrolmentCodes,
        Self::Bookings,
        Self::PinChanges,
        Self::PinFailures,
        Self::PinFailuresAtTerminals,
        Self::Quarantine,
        Self::Holders,
    ];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Documents => "documents",
            Self::Sights => "sights",
            Self::Evidence => "evidence",
            Self::KeyUses => "key uses",
            Self::Audit => "audit",
            Self::EnrolmentCodes => "enrolment codes",
            Self::Bookings => "bookings",
            Self::PinChanges => "pin changes",
            Self::PinFailures => "wrong pins of cards",
            Self::PinFailuresAtTerminals => "wrong pins at terminals",
            Self::Quarantine => "quarantine",
            Self::Holders => "holders",
        }
    }

    /// The keys of what is over: `?1` is the moment before which it is.
    pub(super) fn over(self) -> String {
        match self {
            Self::Uploads => format!(
                "SELECT key FROM upload WHERE received < ?1 AND length(bytes) > 0 AND terminal NOT IN {DOUBTFUL}
                 AND number NOT IN (SELECT e.upload FROM entry AS e JOIN claim AS c ON c.top_up = e.top_up
                                    WHERE c.state = 'open')
                 AND NOT (kind IN ('card-seen', 'claim-evidence') AND (terminal, received) IN
                          (SELECT s.terminal, s.received FROM card_seen AS s JOIN claim AS c
                               ON c.card = s.card AND c.generation = s.generation WHERE c.state = 'open'))"
            ),
            Self::Documents => format!("SELECT code FROM document WHERE received < ?1 AND terminal NOT IN {DOUBTFUL}"),
            // The oldest and the newest sight of a purse are what the books are compared with: what goes lies between
            // two that stay, both of them old.
            Self::Sights => format!(
                "SELECT s.id FROM card_seen AS s WHERE s.received < ?1 AND s.needs_check = 0
                 AND s.terminal NOT IN {DOUBTFUL}
                 AND NOT EXISTS (SELECT 1 FROM claim AS c WHERE c.card = s.card AND c.generation = s.generation
                                 AND c.state = 'open')
                 AND NOT EXISTS (SELECT 1 FROM credit_order AS o WHERE o.card = s.card
                                 AND o.generation = s.generation AND o.ended IS NULL)
                 AND EXISTS (SELECT 1 FROM card_seen AS e WHERE e.card = s.card AND e.generation = s.generation
                             AND e.purse IS NOT NULL AND (e.counter, coalesce(e.movement_counter, -1), e.id)
                                                         < (s.counter, coalesce(s.movement_counter, -1), s.id))
                 AND EXISTS (SELECT 1 FROM card_seen AS l WHERE l.card = s.card AND l.generation = s.generation
                             AND l.purse IS NOT NULL AND l.received < ?1
                             AND (l.counter, coalesce(l.movement_counter, -1), l.id)
                                 > (s.counter, coalesce(s.movement_counter, -1), s.id))"
            ),
            Self::Evidence => "SELECT e.id FROM evidence AS e JOIN claim AS c ON c.top_up = e.top_up
                               WHERE c.state <> 'open' AND c.closed < ?1"
                .to_owned(),
            Self::KeyUses => format!(
                "SELECT id FROM card_key_use WHERE at < ?1 AND terminal NOT IN {DOUBTFUL}
                 AND (card IS NULL OR card NOT IN (SELECT card FROM claim WHERE state = 'open'))"
            ),
            // A chain is cut at its beginning only, and never to nothing: the next line follows from the last.
            Self::Audit => "SELECT id FROM audit WHERE at < ?1 AND id < (SELECT max(id) FROM audit)
                            AND id < (SELECT coalesce(min(id), 9223372036854775807) FROM audit WHERE at >= ?1)"
                .to_owned(),
            Self::EnrolmentCodes => {
                "SELECT code_sha256 FROM enrolment_code WHERE made < ?1 AND expires < ?1".to_owned()
            }
            Self::Bookings => "SELECT holder, starts, service FROM booking WHERE starts < ?1".to_owned(),
            Self::PinChanges => {
                format!("SELECT key FROM pin_change WHERE changed < ?1 AND terminal NOT IN {DOUBTFUL}")
            }
            Self::PinFailures => format!("SELECT card, generation, day FROM pin_failure WHERE day < {DAY}"),
            Self::PinFailuresAtTerminals => {
                format!("SELECT terminal, day FROM pin_failure_at WHERE day < {DAY} AND terminal NOT IN {DOUBTFUL}")
            }
            Self::Quarantine => format!(
                "SELECT id FROM quarantine WHERE state <> 'open' AND ended < ?1 AND length(sealed) > 0
                 AND terminal NOT IN {DOUBTFUL}"
            ),
            Self::Holders => holders::OVER.to_owned(),
        }
    }

    /// Lets a few of them go; how many there were.
    pub(super) fn remove_some(
        self,
        transaction: &Transaction<'_>,
        before: i64,
        now: Timestamp,
    ) -> Result<usize, CentralError> {
        let some = format!("{} LIMIT {TOGETHER}", self.over());
        let run = |sql: &str| transaction.execute(sql, params![before]);
        let removed = match self {
            Self::Uploads => {
                let sql = format!("UPDATE upload SET bytes = ?2 WHERE key IN ({some})");
                transaction.execute(&sql, &[Value::Int(before), Value::Blob(&[])])?
            }
            Self::Documents => {
                // Their codes first: the same ones, since nothing changes between.
                let ordered = format!("{} ORDER BY code LIMIT {TOGETHER}", self.over());
                run(&format!("DELETE FROM code WHERE code IN ({ordered})"))?;
                run(&format!("DELETE FROM document WHERE code IN ({ordered})"))?
            }
            Self::Sights => {
                // Their records first, which refer to them: the same ones, since nothing changes between.
                let ordered = format!("{} ORDER BY s.id LIMIT {TOGETHER}", self.over());
                run(&format!("DELETE FROM seen_record WHERE seen IN ({ordered})"))?;
                run(&format!("DELETE FROM card_seen WHERE id IN ({ordered})"))?
            }
            Self::Evidence => run(&format!("DELETE FROM evidence WHERE id IN ({some})"))?,
            Self::KeyUses => run(&format!("DELETE FROM card_key_use WHERE id IN ({some})"))?,
            Self::Audit => cut_audit(transaction, &self.over(), before)?,
            Self::EnrolmentCodes => run(&format!("DELETE FROM enrolment_code WHERE code_sha256 IN ({some})"))?,
            Self::Bookings => run(&format!("DELETE FROM booking WHERE (holder, starts, service) IN ({some})"))?,
            Self::PinChanges => run(&format!("DELETE FROM pin_change WHERE key IN ({some})"))?,
            Self::PinFailures => run(&format!("DELETE FROM pin_failure WHERE (card, generation, day) IN ({some})"))?,
            Self::PinFailuresAtTerminals => {
                run(&format!("DELETE FROM pin_failure_at WHERE (terminal, day) IN ({some})"))?
            }
            Self::Quarantine => {
                let sql = format!("UPDATE quarantine SET sealed = ?2 WHERE id IN ({some})");
                transaction.execute(&sql, &[Value::Int(before), Value::Blob(&[])])?
            }
            Self::Holders => holders::remove_some(transaction, before, now)?,
        };
        Ok(removed)
    }
}

/// The whole of what is over at once; where the chain goes on stays known.
fn cut_audit(transaction: &Transaction<'_>, over: &str, before: i64) -> Result<usize, CentralError> {
    let anchor = format!("SELECT id, hash FROM audit WHERE id = (SELECT max(id) FROM ({over}) AS gone)");
    let read = |row: &crate::db::Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?));
    let Some((id, hash)) = transaction.query_opt(&anchor, params![before], read)? else { return Ok(0) };
    transaction.execute("INSERT INTO audit_anchor (id, hash) VALUES (?1, ?2)", params![id, hash])?;
    Ok(transaction.execute("DELETE FROM audit WHERE id <= ?1", params![id])?)
}
