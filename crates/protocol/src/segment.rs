//! The segment file: one tier's rows or changes sorted by id, immutable and named by its SHA-256 in the manifest.
//! Header (36 bytes, integers big-endian): `"CKSG" | version u8 = 2 | tier u8 | content u8 | part u8 | epoch u32 |
//! from u64 | to u64 | count u64`; then for each entry its length (u16) and its bytes. An entry is a whole row, or in a
//! delta an id alone: that row is gone. A base is cut into 64 parts by the first six bits of the id; a delta is one
//! file and covers the feed's sequences (from, to]. Reading copies nothing.

mod merge;
mod write;

pub use merge::{fold, merge};
pub use write::{BaseSegments, SegmentWriter, delta};

use crate::derive::RecordId;
use crate::row::{Row, RowError, Tier};

const MAGIC: [u8; 4] = *b"CKSG";
const VERSION: u8 = 2;
const BASE: u8 = 1;
const DELTA: u8 = 2;
const ID: usize = 16;
/// Bytes of the header.
const HEADER_BYTES: usize = 36;
/// Parts of a base, by the first six bits of the id.
pub const PARTS: u8 = 64;
/// No segment is longer, in bytes: a terminal holds one in memory while it is checked.
pub const SEGMENT_BYTES_MAX: usize = 64 << 20;

/// The part of a base in which an id's row stands.
#[must_use]
pub fn part_of(id: &RecordId) -> u8 {
    id.0[0] >> 2
}

/// The sequences that a delta covers: what changed after `from`, as it is at `to`. A base covers `(0, to]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Steps {
    /// The sequence to which it is applied, or a later one.
    pub from: u64,
    /// The sequence that is reached.
    pub to: u64,
}

/// How far some steps lead from a sequence; `None` when they leave something out.
pub(crate) fn reach(from: u64, mut steps: Vec<Steps>) -> Option<u64> {
    steps.sort_unstable();
    steps.iter().try_fold(from, |reach, next| (next.from <= reach).then(|| reach.max(next.to)))
}

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Every row of one part, as it is at `to`.
    Base {
        /// Which, below `PARTS`.
        part: u8,
    },
    /// What changed.
    Delta,
}

/// What a segment's header says beside the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which tier its rows are.
    pub tier: Tier,
    /// Base or delta.
    pub content: Content,
    /// The epoch its rows are sealed in.
    pub epoch: u32,
    /// The sequences it covers.
    pub steps: Steps,
}

/// The file is not a whole segment. A terminal discards that file alone and asks for it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Not a segment, or one of a version not known here.
    #[error("not a segment of a known version")]
    Header,
    /// Longer than any segment may be.
    #[error("a segment of more than {SEGMENT_BYTES_MAX} bytes")]
    TooLong,
    /// It ends within an entry, or goes on after the last.
    #[error("the segment ends wrongly at byte {at}")]
    Length {
        /// Where.
        at: usize,
    },
    /// Ids do not rise.
    #[error("entry {entry} is out of order")]
    Order {
        /// Which, counted from 0.
        entry: u64,
    },
    /// The entry belongs in another part of the base, or is a removal in a base.
    #[error("entry {entry} does not belong in this part of the base")]
    Part {
        /// Which, counted from 0.
        entry: u64,
    },
    /// A row is none of its tier's.
    #[error("entry {entry}: {error}")]
    Row {
        /// Which, counted from 0.
        entry: u64,
        /// Why.
        error: RowError,
    },
    /// Segments that cannot be merged: of several tiers or epochs, with a gap between them, or none at all.
    #[error("segments of different tiers or epochs, or with a gap between them")]
    Mixed,
}

/// One entry of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// This row, whole, in place of any other of its id.
    Put(Row<'a>),
    /// The row of this id is gone.
    Remove(RecordId),
}

impl<'a> Change<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    /// `RowError` when it is neither an id nor a row of the tier.
    pub fn read(tier: Tier, entry: &'a [u8]) -> Result<Self, RowError> {
        match <[u8; ID]>::try_from(entry) {
            Ok(id) => Ok(Self::Remove(RecordId(id))),
            Err(_) => Row::new(tier, entry).map(Self::Put),
        }
    }

    /// Whose row it is about.
    #[must_use]
    pub fn id(&self) -> RecordId {
        match self {
            Self::Put(row) => row.id(),
            Self::Remove(id) => *id,
        }
    }

    /// The row, if it is not gone.
    #[must_use]
    pub fn row(self) -> Option<Row<'a>> {
        match self {
            Self::Put(row) => Some(row),
            Self::Remove(_) => None,
        }
    }
}

/// A checked segment over borrowed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    header: Header,
    count: u64,
    entries: &'a [u8],
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], SegmentError> {
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).ok_or(SegmentError::Header)
}

fn header(bytes: &[u8]) -> Result<(Header, u64), SegmentError> {
    let [version, tier, content, part] = field(bytes, 4)?;
    if field(bytes, 0)? != MAGIC || version != VERSION {
        return Err(SegmentError::Header);
    }
    let content = match (content, part) {
        (BASE, part) if part < PARTS => Content::Base { part },
        (DELTA, 0) => Content::Delta,
        _ => return Err(SegmentError::Header),
    };
    let steps = Steps { from: u64::from_be_bytes(field(bytes, 12)?), to: u64::from_be_bytes(field(bytes, 20)?) };
    let covers = match content {
        Content::Base { .. } => steps.from == 0,
        Content::Delta => steps.from < steps.to,
    };
    if !covers {
        return Err(SegmentError::Header);
    }
    let tier = Tier::from_byte(tier).ok_or(SegmentError::Header)?;
    let epoch = u32::from_be_bytes(field(bytes, 8)?);
    Ok((Header { tier, content, epoch, steps }, u64::from_be_bytes(field(bytes, 28)?)))
}

impl<'a> Segment<'a> {
    /// Checks the whole file: header, lengths, order, parts, count.
    ///
    /// # Errors
    /// `SegmentError`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SegmentError> {
        if bytes.len() > SEGMENT_BYTES_MAX {
            return Err(SegmentError::TooLong);
        }
        let (header, count) = header(bytes)?;
        let segment = Self { header, count, entries: bytes.get(HEADER_BYTES..).ok_or(SegmentError::Header)? };
        segment.check()?;
        Ok(segment)
    }

    fn check(&self) -> Result<(), SegmentError> {
        let (mut at, mut previous) = (0, None::<RecordId>);
        for entry in 0..self.count {
            let (bytes, next) = take_entry(self.entries, at).ok_or(SegmentError::Length { at: HEADER_BYTES + at })?;
            let change = Change::read(self.header.tier, bytes).map_err(|error| SegmentError::Row { entry, error })?;
            self.header.content.check(&change, entry)?;
            let id = change.id();
            if previous.is_some_and(|previous| previous >= id) {
                return Err(SegmentError::Order { entry });
            }
            (at, previous) = (next, Some(id));
        }
        if at == self.entries.len() { Ok(()) } else { Err(SegmentError::Length { at: HEADER_BYTES + at }) }
    }

    /// What the header says.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// How many entries.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The entries by rising id, each with the byte of the file at which it begins (with its length).
    pub fn changes_at(&self) -> impl Iterator<Item = (usize, Change<'a>)> + 'a {
        let (entries, tier, mut at) = (self.entries, self.header.tier, 0);
        std::iter::from_fn(move || {
            let (bytes, next) = take_entry(entries, at)?;
            let begins = HEADER_BYTES + at;
            at = next;
            Change::read(tier, bytes).ok().map(|change| (begins, change))
        })
    }

    /// The entries by rising id.
    pub fn changes(&self) -> impl Iterator<Item = Change<'a>> + 'a {
        self.changes_at().map(|(_, change)| change)
    }

    /// The rows by rising id, without what is gone.
    pub fn rows(&self) -> impl Iterator<Item = Row<'a>> + 'a {
        self.changes().filter_map(Change::row)
    }
}

impl Content {
    fn check(self, change: &Change<'_>, entry: u64) -> Result<(), SegmentError> {
        let fits = match (self, change) {
            (Self::Base { part }, Change::Put(row)) => part_of(&row.id()) == part,
            (Self::Base { .. }, Change::Remove(_)) => false,
            (Self::Delta, _) => true,
        };
        if fits { Ok(()) } else { Err(SegmentError::Part { entry }) }
    }
}

/// Finds a row among whole entries cut out of a segment, as `changes_at` tells where they begin.
#[must_use]
pub fn find_row<'a>(entries: &'a [u8], id: &RecordId) -> Option<&'a [u8]> {
    let mut at = 0;
    while let Some((bytes, next)) = take_entry(entries, at) {
        match bytes.get(..ID)?.cmp(&id.0) {
            std::cmp::Ordering::Less => at = next,
            std::cmp::Ordering::Equal => return Some(bytes),
            std::cmp::Ordering::Greater => return None,
        }
    }
    None
}

fn take_entry(entries: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length: [u8; 2] = entries.get(at..at + 2)?.try_into().ok()?;
    let (start, length) = (at + 2, usize::from(u16::from_be_bytes(length)));
    Some((entries.get(start..start + length)?, start + length))
}

#[cfg(test)]
mod tests;
