//! Writing segments, as central does: whatever is written here reads back.

use super::{BASE, Change, Content, DELTA, HEADER_BYTES, Header, MAGIC, PARTS, SEGMENT_BYTES_MAX, VERSION, part_of};
use super::{SegmentError, Steps};
use crate::derive::RecordId;
use crate::row::{Row, RowError, Tier};
use std::fmt;
use std::iter::Peekable;

/// One segment in the making. Entries come by rising id.
#[derive(Debug)]
pub struct SegmentWriter {
    header: Header,
    count: u64,
    last: Option<RecordId>,
    out: Vec<u8>,
}

impl SegmentWriter {
    /// Begins a segment.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let (content, part) = match header.content {
            Content::Base { part } => (BASE, part),
            Content::Delta => (DELTA, 0),
        };
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(MAGIC);
        out.extend([VERSION, header.tier.byte(), content, part]);
        out.extend(header.epoch.to_be_bytes());
        out.extend(header.steps.from.to_be_bytes());
        out.extend(header.steps.to.to_be_bytes());
        out.extend([0; 8]);
        Self { header, count: 0, last: None, out }
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// `SegmentError` when it does not follow the one before, does not belong here, or there is no room.
    pub fn push(&mut self, change: &Change<'_>) -> Result<(), SegmentError> {
        let (id, entry) = (change.id(), self.count);
        self.header.content.check(change, entry)?;
        if self.last.is_some_and(|last| last >= id) {
            return Err(SegmentError::Order { entry });
        }
        let bytes = match change {
            Change::Put(row) => row.bytes(),
            Change::Remove(id) => &id.0,
        };
        let error = RowError::Length(bytes.len());
        let length = u16::try_from(bytes.len()).map_err(|_| SegmentError::Row { entry, error })?;
        if self.out.len() + 2 + bytes.len() > SEGMENT_BYTES_MAX {
            return Err(SegmentError::TooLong);
        }
        self.out.extend(length.to_be_bytes());
        self.out.extend(bytes);
        (self.last, self.count) = (Some(id), entry + 1);
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// `SegmentError::Header` when the header was none that could be read back.
    pub fn finish(mut self) -> Result<Vec<u8>, SegmentError> {
        let count = self.out.get_mut(HEADER_BYTES - 8..HEADER_BYTES).ok_or(SegmentError::Header)?;
        count.copy_from_slice(&self.count.to_be_bytes());
        super::header(&self.out)?;
        Ok(self.out)
    }
}

/// Writes a delta from rows and removals in any order.
///
/// # Errors
/// `SegmentError` when an id comes twice, the steps lead nowhere, or there is too much for one file.
pub fn delta(tier: Tier, epoch: u32, steps: Steps, changes: &mut [Change<'_>]) -> Result<Vec<u8>, SegmentError> {
    changes.sort_unstable_by_key(Change::id);
    let mut writer = SegmentWriter::new(Header { tier, content: Content::Delta, epoch, steps });
    for change in changes.iter() {
        writer.push(change)?;
    }
    writer.finish()
}

/// Cuts rows into the 64 segments of a base: an iterator of part and file, one file in memory at a time. The rows come
/// by rising id; a part without rows is a file as well.
pub struct BaseSegments<I: Iterator> {
    rows: Peekable<I>,
    tier: Tier,
    epoch: u32,
    sequence: u64,
    part: u8,
}

impl<I: Iterator> fmt::Debug for BaseSegments<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseSegments({:?}, next part {})", self.tier, self.part)
    }
}

impl<R: AsRef<[u8]>, I: Iterator<Item = R>> BaseSegments<I> {
    /// The base of a tier as it is at this sequence.
    pub fn new(tier: Tier, epoch: u32, sequence: u64, rows: impl IntoIterator<Item = R, IntoIter = I>) -> Self {
        Self { rows: rows.into_iter().peekable(), tier, epoch, sequence, part: 0 }
    }

    fn write(&mut self, part: u8) -> Result<Vec<u8>, SegmentError> {
        let steps = Steps { from: 0, to: self.sequence };
        let (tier, epoch) = (self.tier, self.epoch);
        let mut writer = SegmentWriter::new(Header { tier, content: Content::Base { part }, epoch, steps });
        let last = part + 1 == PARTS;
        // What does not belong behind the last part goes to it, and is refused there by name.
        while let Some(row) = self.rows.next_if(|row| last || part_in(row.as_ref()) <= part) {
            let row = Row::new(tier, row.as_ref());
            let row = row.map_err(|error| SegmentError::Row { entry: writer.count, error })?;
            writer.push(&Change::Put(row))?;
        }
        writer.finish()
    }
}

/// The part of a row's id; 0 for what is too short to be a row, and refused as such.
fn part_in(row: &[u8]) -> u8 {
    row.first_chunk().map_or(0, |id| part_of(&RecordId(*id)))
}

impl<R: AsRef<[u8]>, I: Iterator<Item = R>> Iterator for BaseSegments<I> {
    type Item = Result<(u8, Vec<u8>), SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.part;
        if part >= PARTS {
            return None;
        }
        let written = self.write(part);
        // A base with a part missing is none: the first mistake ends it.
        self.part = if written.is_ok() { part + 1 } else { PARTS };
        Some(written.map(|bytes| (part, bytes)))
    }
}
