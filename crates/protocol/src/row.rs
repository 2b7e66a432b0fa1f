//! The row of a sealed record as it stands in a segment and in the cache:
//! `id[16] | version | suite | epoch u32 | sequence u64 | (pin tier: PIN version u8 | content u64) | nonce[24] |
//! ciphertext | tag[16]`, integers big-endian. All but nonce, ciphertext and tag is authenticated (the tier too,
//! which the segment's header names).

use crate::derive::RecordId;

/// The envelope's version.
pub const VERSION: u8 = 1;
/// XChaCha20-Poly1305 with HKDF-SHA256 keys.
pub const SUITE: u8 = 1;
pub(crate) const NONCE: usize = 24;
pub(crate) const TAG: usize = 16;
const FIXED: usize = 16 + 1 + 1 + 4 + 8;
const STAMP: usize = 1 + 8;
/// Rows of this version have one of their tier's lengths; one of a newer central is kept up to this length, in bytes.
const ROW_BYTES_MAX: usize = 4096;

/// What is needed to open a record: the card, or the card and its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The card alone.
    Tap,
    /// Card and PIN.
    Pin,
}

impl Tier {
    /// The tier in ids, authenticated data and segment headers.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Tap => 1,
            Self::Pin => 2,
        }
    }

    /// The tier for a byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Tap),
            2 => Some(Self::Pin),
            _ => None,
        }
    }

    /// Row lengths in bytes: every row has one of these, so that a length tells nothing of a person.
    #[must_use]
    pub fn buckets(self) -> &'static [usize] {
        match self {
            Self::Tap => &[192, 256, 512],
            Self::Pin => &[512, 1024, 2048],
        }
    }

    /// Bytes of id, header, nonce and tag.
    pub(crate) fn overhead(self) -> usize {
        let stamp = if self == Self::Pin { STAMP } else { 0 };
        FIXED + stamp + NONCE + TAG
    }
}

/// What a pin row's header says: compared with the tap record and the card before a PIN is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinStamp {
    /// Rises with each change of the PIN; 0 was never set.
    pub pin_version: u8,
    /// Rises with each change of the record's content.
    pub content: u64,
}

/// The row is shorter than its header, of no bucket's length, or of a version or suite this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not a row of this tier.
    #[error("a row of {0} bytes is none of this tier")]
    Length(usize),
    /// From a newer central: keep it, do not serve it.
    #[error("envelope version {version}, suite {suite} are not known")]
    Unknown {
        /// The envelope's version.
        version: u8,
        /// The envelope's suite.
        suite: u8,
    },
}

/// The clear part of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: RecordId,
    pub(crate) epoch: u32,
    pub(crate) sequence: u64,
    pub(crate) stamp: Option<PinStamp>,
}

impl Header {
    pub(crate) fn tier(&self) -> Tier {
        if self.stamp.is_some() { Tier::Pin } else { Tier::Tap }
    }

    /// The clear bytes at the front of the row.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED + STAMP);
        out.extend(self.id.0);
        out.extend([VERSION, SUITE]);
        out.extend(self.epoch.to_be_bytes());
        out.extend(self.sequence.to_be_bytes());
        if let Some(stamp) = self.stamp {
            out.push(stamp.pin_version);
            out.extend(stamp.content.to_be_bytes());
        }
        out
    }

    /// `version || suite || id || epoch || sequence || tier`, then PIN version and content number in the pin tier.
    pub(crate) fn authenticated(&self) -> Vec<u8> {
        let mut out = vec![VERSION, SUITE];
        out.extend(self.id.0);
        out.extend(self.epoch.to_be_bytes());
        out.extend(self.sequence.to_be_bytes());
        out.push(self.tier().byte());
        if let Some(stamp) = self.stamp {
            out.push(stamp.pin_version);
            out.extend(stamp.content.to_be_bytes());
        }
        out
    }
}

/// One sealed row, borrowed from a segment or the cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    tier: Tier,
    bytes: &'a [u8],
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({:?}, {} bytes)", self.tier, self.bytes.len())
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

impl<'a> Row<'a> {
    /// Takes the bytes as a row of this tier, of whatever version.
    ///
    /// # Errors
    /// `RowError::Length` when the length is none of the tier's buckets, or for an unknown version none a row may have.
    pub fn new(tier: Tier, bytes: &'a [u8]) -> Result<Self, RowError> {
        let length = RowError::Length(bytes.len());
        let fits = match array(bytes, 16).ok_or(length)? {
            [VERSION, SUITE] => tier.buckets().contains(&bytes.len()),
            _ => bytes.len() <= ROW_BYTES_MAX,
        };
        if fits { Ok(Self { tier, bytes }) } else { Err(length) }
    }

    /// The whole row, id included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The tier it was taken as.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RecordId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.bytes[..16]);
        RecordId(id)
    }

    /// The epoch and feed sequence it was sealed in.
    ///
    /// # Errors
    /// `RowError::Unknown` for a version or suite of a newer central.
    pub fn sealed_in(&self) -> Result<(u32, u64), RowError> {
        self.header().map(|header| (header.epoch, header.sequence))
    }

    /// PIN version and content number of a pin row; `None` for a tap row. Unauthenticated until it is opened: good
    /// only for refusing an old row without costing a try.
    ///
    /// # Errors
    /// `RowError::Unknown` for a version or suite of a newer central.
    pub fn pin_stamp(&self) -> Result<Option<PinStamp>, RowError> {
        self.header().map(|header| header.stamp)
    }

    pub(crate) fn header(&self) -> Result<Header, RowError> {
        let length = RowError::Length(self.bytes.len());
        let [version, suite] = array(self.bytes, 16).ok_or(length)?;
        if (version, suite) != (VERSION, SUITE) {
            return Err(RowError::Unknown { version, suite });
        }
        let epoch = array(self.bytes, 18).map(u32::from_be_bytes).ok_or(length)?;
        let sequence = array(self.bytes, 22).map(u64::from_be_bytes).ok_or(length)?;
        let stamp = match self.tier {
            Tier::Tap => None,
            Tier::Pin => {
                let [pin_version] = array(self.bytes, FIXED).ok_or(length)?;
                let content = array(self.bytes, FIXED + 1).map(u64::from_be_bytes).ok_or(length)?;
                Some(PinStamp { pin_version, content })
            }
        };
        Ok(Header { id: self.id(), epoch, sequence, stamp })
    }

    /// Nonce, then ciphertext and tag.
    pub(crate) fn sealed(&self) -> Option<([u8; NONCE], &'a [u8])> {
        let start = self.tier.overhead() - NONCE - TAG;
        Some((array(self.bytes, start)?, self.bytes.get(start + NONCE..)?))
    }
}
