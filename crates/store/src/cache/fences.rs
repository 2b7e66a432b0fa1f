//! Where in a segment file an id would stand: the first id and the place of every sixteenth row, and a mark of the bytes
//! up to the next. One read of a few kilobytes answers a look-up, and what the disk has changed since it was checked
//! is known as damage before anyone takes it for a wrong PIN.

use protocol::{RecordId, Segment};
use sha2::{Digest, Sha256};

/// Rows between two fences: a few kilobytes, read and hashed in some microseconds.
const ROWS: usize = 16;
const ID: usize = 16;
const MARK: usize = 8;
const BYTES: usize = ID + 4 + MARK;

/// The first bytes of the SHA-256 of what was checked. It tells damage, not malice: sealed rows are authenticated.
pub(super) type Mark = [u8; MARK];

pub(super) fn mark(bytes: &[u8]) -> Mark {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fence {
    first: [u8; ID],
    at: u32,
    mark: Mark,
}

/// The fences of one segment file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fences(Vec<Fence>);

/// Some whole rows of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The byte at which it begins.
    pub(super) at: u64,
    /// Its length; `None` when it goes on to the file's end.
    pub(super) bytes: Option<usize>,
    /// What its bytes were.
    pub(super) mark: Mark,
}

impl Fences {
    /// Takes the fences of a checked segment over the file's bytes.
    pub(super) fn of(file: &[u8], segment: &Segment<'_>) -> Self {
        let places: Vec<(usize, RecordId)> =
            segment.changes_at().step_by(ROWS).map(|(at, change)| (at, change.id())).collect();
        let ends = places.iter().skip(1).map(|(at, _)| *at).chain([file.len()]);
        let fence = |(&(at, first), end): (&(usize, RecordId), usize)| {
            let mark = mark(file.get(at..end).unwrap_or_default());
            // A segment has at most 64 MiB.
            Fence { first: first.0, at: u32::try_from(at).unwrap_or(u32::MAX), mark }
        };
        Self(places.iter().zip(ends).map(fence).collect())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * BYTES);
        for fence in &self.0 {
            out.extend(fence.first);
            out.extend(fence.at.to_be_bytes());
            out.extend(fence.mark);
        }
        out
    }

    /// `None` when these are no fences.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let fence = |bytes: &[u8]| {
            let (first, rest) = bytes.split_first_chunk::<ID>()?;
            let (at, rest) = rest.split_first_chunk::<4>()?;
            Some(Fence { first: *first, at: u32::from_be_bytes(*at), mark: rest.try_into().ok()? })
        };
        bytes.chunks(BYTES).map(fence).collect::<Option<Vec<_>>>().map(Self)
    }

    /// The only rows among which an id can stand.
    pub(super) fn block(&self, id: &RecordId) -> Option<Block> {
        let after = self.0.partition_point(|fence| fence.first <= id.0);
        let fence = self.0.get(after.checked_sub(1)?)?;
        let bytes = match self.0.get(after) {
            Some(next) => Some(usize::try_from(next.at.checked_sub(fence.at)?).ok()?),
            None => None,
        };
        Some(Block { at: fence.at.into(), bytes, mark: fence.mark })
    }
}
