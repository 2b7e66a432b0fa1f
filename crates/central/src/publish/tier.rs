//! The files of one tier from publication to publication: a base, and the deltas that lead from there to now. Deltas of a
//! day are merged once the day is over; when the deltas outgrow half of the base, they are folded into a new one. Nothing
//! is opened or sealed for that. Deltas that lead up to the base stay for some days, so that a terminal that is nearly up
//! to date does not load a base because central has folded one.

use super::folder::{Folder, KEPT_MS};
use crate::error::CentralError;
use domain::Timestamp;
use protocol::row::Tier;
use protocol::segment::{PARTS, fold, merge};
use protocol::{BaseSegments, FileEntry, FileKind, Manifest, Segment, SegmentError, Steps};
use std::collections::HashMap;

/// No base is folded for fewer bytes of deltas: in a small town every delta is as long as the base.
const FOLD_BYTES_MIN: u64 = 512 << 10;
/// Deltas of one day that are merged before it is over.
const TODAY_MAX: usize = 128;
/// Deltas behind the base, days merged, that are merged once more.
const DELTAS_MAX: usize = 160;
/// Of these the newest stay as they are.
const DELTAS_KEPT: usize = 32;

/// The files of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TierFiles {
    tier: Tier,
    epoch: u32,
    pub(super) base: Vec<FileEntry>,
    pub(super) base_sequence: u64,
    /// The one that reaches furthest last.
    pub(super) deltas: Vec<FileEntry>,
}

/// When each publication was issued.
pub(super) type Issued = HashMap<u64, Timestamp>;

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

fn steps(entry: &FileEntry) -> Steps {
    entry.steps.unwrap_or(Steps { from: 0, to: 0 })
}

fn bytes(entries: &[FileEntry]) -> u64 {
    entries.iter().map(|entry| entry.bytes).sum()
}

impl TierFiles {
    /// As the last manifest has them.
    pub(super) fn of(manifest: &Manifest, tier: Tier) -> Self {
        let base = manifest.of_kind(FileKind::base(tier)).cloned().collect();
        let mut deltas: Vec<FileEntry> = manifest.of_kind(FileKind::delta(tier)).cloned().collect();
        deltas.sort_by_key(|entry| steps(entry).to);
        Self { tier, epoch: manifest.epoch, base, base_sequence: manifest.base_sequence(tier), deltas }
    }

    /// A new base of these rows.
    pub(super) fn lay_out(
        folder: &Folder,
        tier: Tier,
        epoch: u32,
        sequence: u64,
        mut rows: Vec<Vec<u8>>,
    ) -> Result<Self, CentralError> {
        rows.sort_unstable();
        let mut base = Vec::with_capacity(usize::from(PARTS));
        for segment in BaseSegments::new(tier, epoch, sequence, rows.iter()) {
            let (part, bytes) = segment.map_err(feed)?;
            let entry = FileEntry::of_base(tier, part, &bytes);
            folder.put(&entry, &bytes)?;
            base.push(entry);
        }
        Ok(Self { tier, epoch, base, base_sequence: sequence, deltas: Vec::new() })
    }

    /// The sequence whose rows a terminal has with all of this.
    pub(super) fn reach(&self) -> u64 {
        self.deltas.iter().map(|entry| steps(entry).to).max().unwrap_or_default().max(self.base_sequence)
    }

    /// One more delta.
    pub(super) fn push(&mut self, folder: &Folder, steps: Steps, bytes: &[u8]) -> Result<(), CentralError> {
        let entry = FileEntry::of_delta(self.tier, steps, bytes);
        folder.put(&entry, bytes)?;
        self.deltas.push(entry);
        Ok(())
    }

    /// Merges, drops and folds what is due.
    pub(super) fn tidy(&mut self, folder: &Folder, issued: &Issued, now: Timestamp) -> Result<(), CentralError> {
        let at = |entry: &FileEntry| issued.get(&steps(entry).to).copied().unwrap_or_default();
        let base_sequence = self.base_sequence;
        self.deltas.retain(|entry| steps(entry).to > base_sequence || at(entry) >= now.plus_ms(-KEPT_MS));
        let today = now.day();
        let mut days: Vec<(bool, domain::Day, Vec<FileEntry>)> = Vec::new();
        for entry in std::mem::take(&mut self.deltas) {
            let (behind, day) = (steps(&entry).to > base_sequence, at(&entry).day());
            match days.last_mut() {
                Some((same, of, entries)) if (*same, *of) == (behind, day) => entries.push(entry),
                _ => days.push((behind, day, vec![entry])),
            }
        }
        for (_, day, entries) in days {
            let due = if day < today { entries.len() > 1 } else { entries.len() > TODAY_MAX };
            let merged = if due { self.merged(folder, &entries)? } else { None };
            self.deltas.extend(merged.map_or(entries, |(entry, _)| vec![entry]));
        }
        self.shorten(folder)?;
        self.fold_when_due(folder)
    }

    /// So that no manifest outgrows its limits, however seldom a base is folded.
    fn shorten(&mut self, folder: &Folder) -> Result<(), CentralError> {
        let first = self.deltas.iter().position(|entry| steps(entry).to > self.base_sequence);
        let (Some(first), count) = (first, self.deltas.len()) else { return Ok(()) };
        if count - first <= DELTAS_MAX {
            return Ok(());
        }
        let last = count - DELTAS_KEPT;
        let old: Vec<FileEntry> = self.deltas.drain(first..last).collect();
        let merged = self.merged(folder, &old)?.map_or(old, |(entry, _)| vec![entry]);
        self.deltas.splice(first..first, merged);
        Ok(())
    }

    /// Several deltas as one; `None` when one file cannot hold them.
    fn merged(&self, folder: &Folder, entries: &[FileEntry]) -> Result<Option<(FileEntry, Vec<u8>)>, CentralError> {
        let files = entries.iter().map(|entry| folder.read(entry)).collect::<Result<Vec<_>, _>>()?;
        let segments = files.iter().map(|bytes| Segment::parse(bytes)).collect::<Result<Vec<_>, _>>().map_err(feed)?;
        match merge(&segments) {
            Ok(bytes) => {
                let entry =
                    FileEntry::of_delta(self.tier, Segment::parse(&bytes).map_err(feed)?.header().steps, &bytes);
                folder.put(&entry, &bytes)?;
                Ok(Some((entry, bytes)))
            }
            Err(SegmentError::TooLong) => Ok(None),
            Err(error) => Err(feed(error)),
        }
    }

    fn fold_when_due(&mut self, folder: &Folder) -> Result<(), CentralError> {
        let behind = self.deltas.iter().filter(|entry| steps(entry).to > self.base_sequence);
        let behind: Vec<FileEntry> = behind.cloned().collect();
        if bytes(&behind) <= (bytes(&self.base) / 2).max(FOLD_BYTES_MIN) {
            return Ok(());
        }
        let too_long = || CentralError::Feed("the deltas are too long to be folded".to_owned());
        let (_, delta) = self.merged(folder, &behind)?.ok_or_else(too_long)?;
        let delta = Segment::parse(&delta).map_err(feed)?;
        let mut base = Vec::with_capacity(self.base.len());
        for entry in &self.base {
            let part = entry.part().ok_or_else(|| feed("a base segment without a part"))?;
            let old = folder.read(entry)?;
            let bytes = fold(&Segment::parse(&old).map_err(feed)?, &delta).map_err(feed)?;
            let entry = FileEntry::of_base(self.tier, part, &bytes);
            folder.put(&entry, &bytes)?;
            base.push(entry);
        }
        tracing::info!(tier = ?self.tier, epoch = self.epoch, to = delta.header().steps.to, "a new base was folded");
        (self.base, self.base_sequence) = (base, delta.header().steps.to);
        Ok(())
    }
}
