//! What is kept for how long. Personal data is kept no longer than its purpose asks (Regulation (EU) 2016/679, article
//! 5(1)(e)); which purpose asks what is the city's to say, in `central.toml`, `[retention]`. The books themselves are
//! never cut: their chains prove that nothing is missing. Nothing goes that is about an open claim, a living order, or
//! a terminal about which something noticed is not explained.

use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Transaction, Value, params};
use crate::error::CentralError;
use domain::Timestamp;
use serde::Deserialize;

const DAY_MS: i64 = 86_400_000;
/// Rows of one commit: writers wait for no longer.
const TOGETHER: i64 = 2_000;
/// The fewest days: a terminal may be away for 35 days, and a validator's debit may come a year late.
const UPLOADS_MIN: u32 = 90;
const SIGHTS_MIN: u32 = 400;

/// Days of each kind; 0 keeps for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// The bytes of uploads as they came. What followed from them stays, and so do their hashes and receipts.
    pub uploads_days: u32,
    /// Issued documents in the archive, with their codes.
    pub documents_days: u32,
    /// Cards as terminals saw them.
    pub sights_days: u32,
    /// What was said of claims, from their end.
    pub evidence_days: u32,
    /// Which terminal used which key of which card.
    pub key_uses_days: u32,
    /// What people did.
    pub audit_days: u32,
    /// One-time codes of enrolment, from when they were made.
    pub enrolment_codes_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            // A financial year, and a month to close it.
            uploads_days: 400,
            // Ley 58/2003, article 66: four years.
            documents_days: 1_461,
            sights_days: 400,
            // Código de Comercio, article 30: six years.
            evidence_days: 2_192,
            key_uses_days: 400,
            audit_days: 2_192,
            enrolment_codes_days: 30,
        }
    }
}

impl RetentionSettings {
    pub(crate) fn check(&self) -> Result<(), String> {
        let too_short = |name: &str, days: u32, min: u32| {
            if days != 0 && days < min { Err(format!("{name}: 0 for ever, else at least {min}")) } else { Ok(()) }
        };
        too_short("retention.uploads_days", self.uploads_days, UPLOADS_MIN)?;
        too_short("retention.sights_days", self.sights_days, SIGHTS_MIN)
    }

    fn days(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Uploads => self.uploads_days,
            Kind::Documents => self.documents_days,
            Kind::Sights => self.sights_days,
            Kind::Evidence => self.evidence_days,
            Kind::KeyUses => self.key_uses_days,
            Kind::Audit => self.audit_days,
            Kind::EnrolmentCodes => self.enrolment_codes_days,
        }
    }
}

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
}

/// Of terminals about which something noticed is not explained.
const DOUBTFUL: &str = "(SELECT terminal FROM anomaly WHERE explained IS NULL)";

impl Kind {
    /// All of them. The audit first: the others' lines are in it.
    pub const ALL: [Self; 7] = [
        Self::Audit,
        Self::Uploads,
        Self::Documents,
        Self::Sights,
        Self::Evidence,
        Self::KeyUses,
        Self::EnrolmentCodes,
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
        }
    }

    /// The keys of what is over: `?1` is the moment before which it is.
    fn over(self) -> String {
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
        }
    }

    /// Lets a few of them go; how many there were.
    fn remove_some(self, transaction: &Transaction<'_>, before: i64) -> Result<usize, CentralError> {
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

/// What was over, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// What.
    pub kind: Kind,
    /// From before this moment; `None` where it is kept for ever.
    pub before: Option<Timestamp>,
    /// How many.
    pub count: u64,
}

/// What would go now.
///
/// # Errors
/// `CentralError::Database`.
pub fn over(database: &Database, settings: &RetentionSettings, now: Timestamp) -> Result<Vec<Over>, CentralError> {
    let one = |kind: Kind| {
        let Some(before) = before(settings, kind, now) else { return Ok(Over { kind, before: None, count: 0 }) };
        let sql = format!("SELECT count(*) FROM ({}) AS gone", kind.over());
        let count: i64 = database.read().query_row(&sql, params![before.0], |row| row.get(0))?;
        Ok(Over { kind, before: Some(before), count: u64::try_from(count).unwrap_or_default() })
    };
    Kind::ALL.into_iter().map(one).collect()
}

fn before(settings: &RetentionSettings, kind: Kind, now: Timestamp) -> Option<Timestamp> {
    let days = settings.days(kind);
    (days > 0).then(|| Timestamp(now.0.saturating_sub(i64::from(days) * DAY_MS)))
}

/// Lets go what is over. Each kind's is a line of the audit.
///
/// # Errors
/// `CentralError`; what went before stays gone, and is told in the audit.
pub fn retain(
    database: &mut Database,
    settings: &RetentionSettings,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<Over>, CentralError> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let Some(before) = before(settings, kind, now) else {
            all.push(Over { kind, before: None, count: 0 });
            continue;
        };
        let mut count = 0;
        loop {
            let removed = database.write(|transaction| {
                let removed = u64::try_from(kind.remove_some(transaction, before.0)?).unwrap_or_default();
                if removed > 0 {
                    note(transaction, actor, Over { kind, before: Some(before), count: removed }, now)?;
                }
                Ok(removed)
            })?;
            count += removed;
            // The audit is cut at once; its newest line is then the one that says so.
            if removed == 0 || kind == Kind::Audit {
                break;
            }
        }
        all.push(Over { kind, before: Some(before), count });
    }
    Ok(all)
}

fn note(transaction: &Transaction<'_>, actor: &Actor, over: Over, now: Timestamp) -> Result<(), CentralError> {
    let (kind, before) = (over.kind.name(), over.before.unwrap_or_default().0);
    let count = i64::try_from(over.count).unwrap_or(i64::MAX);
    let sql = "INSERT INTO retained (at, kind, before, removed) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![now.0, kind, before, count])?;
    audit::note(transaction, actor, "retention", &format!("{kind}: {count} from before {before}"), now)
}
