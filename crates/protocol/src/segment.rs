//! The segment file: one tier's rows sorted by id, immutable and named by its SHA-256 in the manifest.
//! Header (28 bytes, integers big-endian): `"CKSG" | version u8 | tier u8 | reserved u16 | epoch u32 | sequence u64 |
//! rows u64`; then for each row its length (u16) and its bytes. Reading copies nothing.

use crate::derive::RecordId;
use crate::row::{Row, RowError, Tier};

const MAGIC: [u8; 4] = *b"CKSG";
const VERSION: u8 = 1;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 28;

/// The file is not a whole segment. A terminal discards that file alone and asks for it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Not a segment, or one of a version not known here.
    #[error("not a segment of a known version")]
    Header,
    /// It ends within a row, or goes on after the last.
    #[error("the segment ends wrongly at byte {at}")]
    Length {
        /// Where.
        at: usize,
    },
    /// Ids do not rise.
    #[error("row {row} is out of order")]
    Order {
        /// Which, counted from 0.
        row: u64,
    },
    /// A row is none of its tier's lengths.
    #[error("row {row}: {error}")]
    Row {
        /// Which, counted from 0.
        row: u64,
        /// Why.
        error: RowError,
    },
}

/// A checked segment over borrowed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    tier: Tier,
    epoch: u32,
    sequence: u64,
    count: u64,
    rows: &'a [u8],
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], SegmentError> {
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).ok_or(SegmentError::Header)
}

impl<'a> Segment<'a> {
    /// Checks the whole file: header, lengths, order, count.
    ///
    /// # Errors
    /// `SegmentError`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SegmentError> {
        let [version, tier] = field(bytes, 4)?;
        let tier = Tier::from_byte(tier).ok_or(SegmentError::Header)?;
        if field(bytes, 0)? != MAGIC || version != VERSION {
            return Err(SegmentError::Header);
        }
        let segment = Self {
            tier,
            epoch: u32::from_be_bytes(field(bytes, 8)?),
            sequence: u64::from_be_bytes(field(bytes, 12)?),
            count: u64::from_be_bytes(field(bytes, 20)?),
            rows: bytes.get(HEADER_BYTES..).ok_or(SegmentError::Header)?,
        };
        segment.check()?;
        Ok(segment)
    }

    fn check(&self) -> Result<(), SegmentError> {
        let (mut at, mut previous) = (0, None::<RecordId>);
        for row in 0..self.count {
            let (bytes, next) = take_row(self.rows, at).ok_or(SegmentError::Length { at: HEADER_BYTES + at })?;
            let id = Row::new(self.tier, bytes).map_err(|error| SegmentError::Row { row, error })?.id();
            if previous.is_some_and(|previous| previous >= id) {
                return Err(SegmentError::Order { row });
            }
            (at, previous) = (next, Some(id));
        }
        if at == self.rows.len() { Ok(()) } else { Err(SegmentError::Length { at: HEADER_BYTES + at }) }
    }

    /// Writes a segment; sorts the rows by id.
    ///
    /// # Errors
    /// `SegmentError` when a row is none of the tier's lengths or an id comes twice.
    pub fn write(tier: Tier, epoch: u32, sequence: u64, rows: &mut [Vec<u8>]) -> Result<Vec<u8>, SegmentError> {
        rows.sort_unstable();
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mut out = Vec::with_capacity(HEADER_BYTES + rows.iter().map(|row| row.len() + 2).sum::<usize>());
        out.extend(MAGIC);
        out.extend([VERSION, tier.byte(), 0, 0]);
        out.extend(epoch.to_be_bytes());
        out.extend(sequence.to_be_bytes());
        out.extend(count.to_be_bytes());
        for (row, bytes) in (0..).zip(rows.iter()) {
            let error = RowError::Length(bytes.len());
            let length = u16::try_from(bytes.len()).map_err(|_| SegmentError::Row { row, error })?;
            out.extend(length.to_be_bytes());
            out.extend(bytes);
        }
        Segment::parse(&out)?;
        Ok(out)
    }

    /// Which tier its rows are.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The epoch its rows are sealed in.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The feed sequence it was published in.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The rows, by rising id.
    pub fn rows(&self) -> impl Iterator<Item = Row<'a>> + 'a {
        let (rows, tier, mut at) = (self.rows, self.tier, 0);
        std::iter::from_fn(move || {
            let (bytes, next) = take_row(rows, at)?;
            at = next;
            Row::new(tier, bytes).ok()
        })
    }
}

fn take_row(rows: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length: [u8; 2] = rows.get(at..at + 2)?.try_into().ok()?;
    let (start, length) = (at + 2, usize::from(u16::from_be_bytes(length)));
    Some((rows.get(start..start + length)?, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u8) -> Vec<u8> {
        let mut row = vec![0; 192];
        row[0] = id;
        row
    }

    fn file() -> Vec<u8> {
        Segment::write(Tier::Tap, 3, 8, &mut [row(9), row(1), row(5)]).unwrap()
    }

    #[test]
    fn rows_come_back_sorted_and_borrowed() {
        let bytes = file();
        let segment = Segment::parse(&bytes).unwrap();
        assert_eq!((segment.tier(), segment.epoch(), segment.sequence(), segment.count()), (Tier::Tap, 3, 8, 3));
        let ids: Vec<u8> = segment.rows().map(|row| row.id().0[0]).collect();
        assert_eq!(ids, [1, 5, 9]);
        let range = bytes.as_ptr_range();
        assert!(segment.rows().all(|row| range.contains(&row.bytes().as_ptr())));
    }

    #[test]
    fn a_cut_or_lengthened_file_is_refused_at_every_length() {
        let bytes = file();
        for length in 0..bytes.len() {
            assert!(Segment::parse(&bytes[..length]).is_err(), "{length}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(matches!(Segment::parse(&longer), Err(SegmentError::Length { .. })));
    }

    #[test]
    fn a_doubled_id_or_a_row_of_another_tier_is_refused() {
        let twice = Segment::write(Tier::Tap, 1, 1, &mut [row(1), row(1)]);
        assert_eq!(twice, Err(SegmentError::Order { row: 1 }));
        let mut bytes = file();
        bytes[5] = Tier::Pin.byte();
        assert!(matches!(Segment::parse(&bytes), Err(SegmentError::Row { .. })));
        bytes[4] = 7;
        assert_eq!(Segment::parse(&bytes).err(), Some(SegmentError::Header));
    }

    #[test]
    fn an_empty_segment_is_whole() {
        let bytes = Segment::write(Tier::Pin, 1, 1, &mut []).unwrap();
        assert_eq!(Segment::parse(&bytes).unwrap().rows().count(), 0);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            // Whatever lies behind a good header, reading ends and stays inside the file.
            let mut file = b"CKSG\x01\x01\x00\x00".to_vec();
            file.extend(&bytes);
            if let Ok(segment) = Segment::parse(&file) {
                proptest::prop_assert_eq!(u64::try_from(segment.rows().count()), Ok(segment.count()));
            }
        }
    }
}
