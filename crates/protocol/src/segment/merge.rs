//! Deltas into one delta, and a delta into a base.

use super::{Change, Content, Header, Segment, SegmentError, SegmentWriter, Steps, part_of, reach};
use crate::derive::RecordId;
use std::collections::BTreeMap;

/// Merges deltas of one tier and epoch into one that covers all their steps. Of an id that several of them name, the
/// one that reaches furthest counts; of two that reach equally far, the later in the slice.
///
/// # Errors
/// `SegmentError::Mixed` when they are not deltas of one tier and epoch that follow each other without a gap;
/// `TooLong` when one file cannot hold them: then they stay as they are.
pub fn merge(deltas: &[Segment<'_>]) -> Result<Vec<u8>, SegmentError> {
    let steps = covered(deltas)?;
    let mut oldest_first: Vec<&Segment<'_>> = deltas.iter().collect();
    oldest_first.sort_by_key(|delta| delta.header().steps.to);
    let mut newest = BTreeMap::<RecordId, Change<'_>>::new();
    for delta in oldest_first {
        newest.extend(delta.changes().map(|change| (change.id(), change)));
    }
    let first = deltas.first().ok_or(SegmentError::Mixed)?.header();
    let mut writer = SegmentWriter::new(Header { steps, ..first });
    for change in newest.values() {
        writer.push(change)?;
    }
    writer.finish()
}

fn covered(deltas: &[Segment<'_>]) -> Result<Steps, SegmentError> {
    let first = deltas.first().ok_or(SegmentError::Mixed)?.header();
    let same =
        |header: &Header| header.content == Content::Delta && (header.tier, header.epoch) == (first.tier, first.epoch);
    let mut steps: Vec<Steps> = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let header = delta.header();
        if !same(&header) {
            return Err(SegmentError::Mixed);
        }
        steps.push(header.steps);
    }
    let from = steps.iter().map(|steps| steps.from).min().ok_or(SegmentError::Mixed)?;
    let to = reach(from, steps).ok_or(SegmentError::Mixed)?;
    Ok(Steps { from, to })
}

/// Writes the next base of a part: the old one with a (merged) delta folded in.
///
/// # Errors
/// `SegmentError::Mixed` when `base` is no base, `delta` is none that continues it, or they are of different tiers or
/// epochs; `TooLong` when the part grew too large.
pub fn fold(base: &Segment<'_>, delta: &Segment<'_>) -> Result<Vec<u8>, SegmentError> {
    let (old, new) = (base.header(), delta.header());
    let Content::Base { part } = old.content else { return Err(SegmentError::Mixed) };
    let continues = new.content == Content::Delta && new.steps.from <= old.steps.to && new.steps.to >= old.steps.to;
    if (old.tier, old.epoch) != (new.tier, new.epoch) || !continues {
        return Err(SegmentError::Mixed);
    }
    let mut writer = SegmentWriter::new(Header { steps: Steps { from: 0, to: new.steps.to }, ..old });
    let mut rows = base.rows().peekable();
    for change in delta.changes().filter(|change| part_of(&change.id()) == part) {
        let id = change.id();
        while let Some(row) = rows.next_if(|row| row.id() < id) {
            writer.push(&Change::Put(row))?;
        }
        rows.next_if(|row| row.id() == id);
        if let Change::Put(_) = change {
            writer.push(&change)?;
        }
    }
    for row in rows {
        writer.push(&Change::Put(row))?;
    }
    writer.finish()
}
