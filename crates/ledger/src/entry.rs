//! One line of the terminal's journal of money.

use crate::{Fact, Posting, Subject, codec};
use domain::{TerminalId, Timestamp};
use sha2::{Digest, Sha256};

/// One fact with its place in the journal's chain and its double entry. Its encoding is made here and nowhere else:
/// the journal stores these bytes, the upload carries them and central keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place: 1 for a journal's first entry, then without gaps.
    pub seq: u64,
    /// SHA-256 of the encoded entry before; zeros for the first.
    pub prev: [u8; 32],
    /// Whose journal.
    pub terminal: TerminalId,
    /// Which journal of that terminal: an unreadable one is set aside and the next generation begins.
    pub journal_generation: u32,
    /// When, by the wall clock; the order is `seq`, never this.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// What is now known.
    pub fact: Fact,
    /// The double entry of the fact; sums to zero, and is empty where no money moves.
    pub postings: Vec<Posting>,
}

/// Bytes that are not an entry's canonical encoding.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not CBOR of the expected shape.
    #[error("not an entry: {0}")]
    Malformed(#[from] minicbor::decode::Error),
    /// A valid shape with an unknown kind, account, failure code or version.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// The same entry could be written in other bytes: refused, since a hash covers them.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// The postings do not sum to zero.
    #[error("the postings do not sum to zero")]
    Unbalanced,
}

impl Entry {
    /// The canonical bytes: a CBOR array (RFC 8949, section 4.2.1, deterministic), laid out in `docs/money.md`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// `DecodeError` for anything that `encode` would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let entry = codec::decode(bytes)?;
        if entry.encode() != bytes {
            return Err(DecodeError::NotCanonical);
        }
        let sum: i128 = entry.postings.iter().map(|posting| i128::from(posting.amount.0)).sum();
        if sum == 0 { Ok(entry) } else { Err(DecodeError::Unbalanced) }
    }

    /// SHA-256 of the canonical bytes: the next entry's `prev`.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
