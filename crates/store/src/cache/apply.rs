//! Loading a staged feed: the base's segments, the deltas' rows, the public files and the head with its cursor, in one
//! durable commit.

use super::fences::mark;
use super::segments::Segments;
use super::stage::{TIERS, held_files, is_held, kind_name, no_way};
use super::{Cache, HeldHead};
use crate::StoreError;
use protocol::segment::Content;
use protocol::{Change, FileEntry, Manifest, Segment, Tier, TierPlan};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

impl Cache {
    /// Puts a complete feed in place of the former one in one durable commit: rows, files, head. Readers see it when
    /// they look again, which they may only once the journal's floor is raised to it.
    ///
    /// # Errors
    /// `Feed` when a file is missing or does not fit, `Cache` or `Segment` when it cannot be written; the former feed
    /// stays.
    pub fn apply(&mut self, head: &HeldHead, manifest: &Manifest) -> Result<(), StoreError> {
        let cursor = self.cursor()?;
        let mut plans = Vec::new();
        for tier in TIERS {
            let plan = manifest.plan(tier, cursor).map_err(no_way)?;
            check_staged(&mut self.segments, tier, &plan, manifest)?;
            plans.push((tier, plan));
        }
        // The database counts on these files from its commit on.
        self.segments.make_durable(plans.iter().flat_map(|(_, plan)| plan.base.iter().flatten().copied()))?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::Cache)?;
        for (tier, plan) in &plans {
            load_tier(&transaction, &mut self.segments, *tier, plan)?;
        }
        replace_files(&transaction, manifest)?;
        replace_head(&transaction, head, manifest).map_err(StoreError::Cache)?;
        transaction.commit().map_err(StoreError::Cache)
    }
}

/// Every file of the plan is here and of this manifest's epoch, and the base of its sequence.
fn check_staged(
    segments: &mut Segments,
    tier: Tier,
    plan: &TierPlan<'_>,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    for entry in plan.files() {
        let checked = segments.find(entry, tier)?;
        let header = checked.ok_or_else(|| StoreError::Feed(format!("{} was not staged", entry.name)))?.header;
        let of_base = matches!(header.content, Content::Base { .. });
        let fits = header.epoch == manifest.epoch
            && of_base == entry.steps.is_none()
            && (!of_base || header.steps.to == manifest.base_sequence(tier));
        if !fits {
            return Err(StoreError::Feed(format!("{} is of another epoch or base than its manifest", entry.name)));
        }
    }
    Ok(())
}

fn load_tier(
    transaction: &Transaction<'_>,
    segments: &mut Segments,
    tier: Tier,
    plan: &TierPlan<'_>,
) -> Result<(), StoreError> {
    if let Some(base) = &plan.base {
        let forget = match tier {
            Tier::Tap => "DELETE FROM tap_change",
            Tier::Pin => "DELETE FROM pin_change",
        };
        transaction.execute(forget, []).map_err(StoreError::Cache)?;
        transaction.execute("DELETE FROM base WHERE tier = ?1", [tier.byte()]).map_err(StoreError::Cache)?;
        for entry in base {
            load_base(transaction, segments, tier, entry)?;
        }
    }
    for entry in &plan.deltas {
        let bytes = segments.read(entry)?;
        let delta = Segment::parse(&bytes).map_err(|error| StoreError::Feed(format!("{}: {error}", entry.name)))?;
        load_delta(transaction, &delta).map_err(StoreError::Cache)?;
    }
    Ok(())
}

fn load_base(
    transaction: &Transaction<'_>,
    segments: &mut Segments,
    tier: Tier,
    entry: &FileEntry,
) -> Result<(), StoreError> {
    let missing = || StoreError::Feed(format!("{} was not staged", entry.name));
    let checked = segments.find(entry, tier)?.ok_or_else(missing)?;
    let part = entry.part().ok_or_else(missing)?;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let sql = "INSERT INTO base (tier, part, sha256, bytes, rows, fences) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let fences = checked.fences.encode();
    let row = params![tier.byte(), part, entry.sha256.0, number(checked.bytes), number(checked.rows), fences];
    transaction.prepare_cached(sql).and_then(|mut insert| insert.execute(row)).map_err(StoreError::Cache)?;
    Ok(())
}

fn load_delta(transaction: &Transaction<'_>, delta: &Segment<'_>) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(match delta.header().tier {
        Tier::Tap => "INSERT OR REPLACE INTO tap_change (id, row, mark) VALUES (?1, ?2, ?3)",
        Tier::Pin => "INSERT OR REPLACE INTO pin_change (id, row, mark) VALUES (?1, ?2, ?3)",
    })?;
    for change in delta.changes() {
        match change {
            Change::Put(row) => upsert.execute((row.id().0, row.bytes(), mark(row.bytes())))?,
            Change::Remove(id) => upsert.execute((id.0, None::<&[u8]>, None::<&[u8]>))?,
        };
    }
    Ok(())
}

/// Drops the public files that the new feed no longer has, then loads what it has anew.
fn replace_files(transaction: &Transaction<'_>, manifest: &Manifest) -> Result<(), StoreError> {
    let mut held = held_files(transaction).map_err(StoreError::Cache)?;
    let mut wanted = Vec::new();
    for entry in &manifest.files {
        let Some(kind) = kind_name(entry.kind) else { continue };
        if is_held(&held, kind, entry) {
            held.remove(&(kind.to_owned(), entry.name.clone()));
        } else {
            wanted.push((kind, entry));
        }
    }
    for (position, _) in held.into_values() {
        transaction.execute("DELETE FROM file WHERE position = ?1", [position]).map_err(StoreError::Cache)?;
    }
    for (kind, entry) in wanted {
        load_file(transaction, kind, entry)?;
    }
    transaction.execute("DELETE FROM staged", []).map_err(StoreError::Cache)?;
    Ok(())
}

fn load_file(transaction: &Transaction<'_>, kind: &str, entry: &FileEntry) -> Result<(), StoreError> {
    let sql = "SELECT bytes FROM staged WHERE sha256 = ?1";
    let staged: Option<Vec<u8>> =
        transaction.query_row(sql, [entry.sha256.0], |row| row.get(0)).optional().map_err(StoreError::Cache)?;
    let bytes = staged.ok_or_else(|| StoreError::Feed(format!("{} was not staged", entry.name)))?;
    let sql = "INSERT INTO file (kind, name, sha256, bytes) VALUES (?1, ?2, ?3, ?4)";
    let loaded = transaction.execute(sql, (kind, &entry.name, entry.sha256.0, bytes));
    loaded.map(drop).map_err(|error| contradiction(entry, error))
}

/// Two files of one name: the feed is at fault, not the cache.
fn contradiction(entry: &FileEntry, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        StoreError::Feed(format!("{}: {error}", entry.name))
    } else {
        StoreError::Cache(error)
    }
}

fn replace_head(transaction: &Transaction<'_>, head: &HeldHead, manifest: &Manifest) -> rusqlite::Result<()> {
    let sequence = i64::try_from(manifest.sequence).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT OR REPLACE INTO head (one, keys_note, head_note, manifest, loaded_ms, epoch, sequence)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        params![head.signed.keys, head.signed.head, head.manifest, head.loaded.0, manifest.epoch, sequence],
    )?;
    Ok(())
}
