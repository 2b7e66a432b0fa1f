//! Sealing and opening of records: compress, pad the whole row to a bucket, XChaCha20-Poly1305. Opening tells a wrong
//! PIN, a stale row and a corrupt one apart, since each means something else to the citizen.

use crate::compress::{CompressError, Dictionary};
use crate::derive::{DeriveError, PinKey, pin_tier_key, record_id, tap_key};
use crate::record::{PinRecord, RecordError, TapRecord};
use crate::row::{Header, NONCE, PinStamp, Row, RowError, Tier};
use crate::secret::{CardSecret, EpochKey};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::{FailureCode, Generation};
use zeroize::Zeroizing;

/// What all rows of one publication share.
#[derive(Debug, Clone, Copy)]
pub struct SealContext<'a> {
    /// The fleet's key.
    pub epoch: &'a EpochKey,
    /// The feed's sequence: feed-wide, so that it shows no person's activity.
    pub sequence: u64,
    /// The feed's dictionary.
    pub dictionary: &'a Dictionary,
}

/// A record could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Longer than the largest bucket, even compressed.
    #[error("the record needs {needed} bytes, the largest bucket holds {largest}")]
    TooLong {
        /// Bytes of the row it would need.
        needed: usize,
        /// The largest bucket.
        largest: usize,
    },
    /// No key.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// No compression.
    #[error(transparent)]
    Compress(#[from] CompressError),
    /// The cipher refused; not met at these lengths.
    #[error("the cipher refused")]
    Cipher,
}

/// A row could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The row belongs to another card, tier or epoch.
    #[error("the row is not this card's in this epoch")]
    NotThisCard,
    /// The pin row is older or newer than the tap record and the card say; no try is used up.
    #[error("the pin row is {row:?}, expected {expected:?}")]
    Stale {
        /// What the row says.
        row: PinStamp,
        /// What the tap record says.
        expected: PinStamp,
    },
    /// The stamps agree but the tag does not: the PIN is wrong.
    #[error("the PIN is wrong")]
    WrongPin,
    /// From a newer central: kept, not served.
    #[error("the row or its record is of a version not known here")]
    UnknownVersion,
    /// Damaged: wrong length, tag (tap tier), padding, compression or CBOR.
    #[error("the row is corrupt")]
    Corrupt,
    /// A key could not be derived (out of memory).
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

impl OpenError {
    /// What citizen and technician are told.
    #[must_use]
    pub fn failure(self) -> FailureCode {
        match self {
            Self::Stale { .. } => FailureCode::RecordStale,
            Self::WrongPin => FailureCode::PinWrong,
            Self::NotThisCard | Self::UnknownVersion | Self::Corrupt | Self::Derive(_) => FailureCode::RecordCorrupt,
        }
    }
}

impl From<RowError> for OpenError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Length(_) => Self::Corrupt,
            RowError::Unknown { .. } => Self::UnknownVersion,
        }
    }
}

impl From<RecordError> for OpenError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::UnknownVersion(_) | RecordError::UnknownRole(_) => Self::UnknownVersion,
            RecordError::Malformed => Self::Corrupt,
        }
    }
}

/// The compressed record, its length before it and zeros behind, so that the row fills its bucket.
fn padded(tier: Tier, compressed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let needed = tier.overhead() + 2 + compressed.len();
    let largest = tier.buckets().last().copied().unwrap_or_default();
    let too_long = SealError::TooLong { needed, largest };
    let Some(bucket) = tier.buckets().iter().find(|bucket| **bucket >= needed) else { return Err(too_long) };
    let length = u16::try_from(compressed.len()).map_err(|_| too_long)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bucket - tier.overhead()));
    plain.extend(length.to_be_bytes());
    plain.extend(compressed);
    plain.resize(bucket - tier.overhead(), 0);
    Ok(plain)
}

fn unpadded(plain: &[u8]) -> Result<&[u8], OpenError> {
    let (length, rest) = plain.split_first_chunk::<2>().ok_or(OpenError::Corrupt)?;
    let (record, padding) =
        rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(OpenError::Corrupt)?;
    if padding.iter().all(|byte| *byte == 0) { Ok(record) } else { Err(OpenError::Corrupt) }
}

fn seal(
    context: &SealContext<'_>,
    header: &Header,
    key: &[u8; 32],
    record: &[u8],
    nonce: [u8; NONCE],
) -> Result<Vec<u8>, SealError> {
    let plain = padded(header.tier(), &context.dictionary.compress(record)?)?;
    let aad = header.authenticated();
    let sealed = XChaCha20Poly1305::new(&(*key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: &aad })
        .map_err(|_| SealError::Cipher)?;
    let mut row = header.encode();
    row.extend(nonce);
    row.extend(sealed);
    Ok(row)
}

/// Seals a tap record into a row. `nonce` must never be used twice under one epoch: draw it at random.
///
/// # Errors
/// `SealError`.
pub fn seal_tap(
    context: &SealContext<'_>,
    secret: &CardSecret,
    record: &TapRecord,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let id = record_id(context.epoch, secret, Tier::Tap)?;
    let header = Header { id, epoch: context.epoch.epoch, sequence: context.sequence, stamp: None };
    seal(context, &header, &*tap_key(context.epoch, secret)?, &record.encode(), nonce)
}

/// A card as the pin tier needs it: its secret, its generation and what Argon2id made of its PIN.
#[derive(Debug, Clone, Copy)]
pub struct PinCard<'a> {
    /// The card secret.
    pub secret: &'a CardSecret,
    /// Which issue of the number.
    pub generation: Generation,
    /// `pin_key(secret, PIN)`.
    pub pin: &'a PinKey,
}

/// Seals a pin record into a row, stamped with PIN version and content number. `nonce` as for `seal_tap`.
///
/// # Errors
/// `SealError`.
pub fn seal_pin(
    context: &SealContext<'_>,
    card: &PinCard<'_>,
    stamp: PinStamp,
    record: &PinRecord,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let id = record_id(context.epoch, card.secret, Tier::Pin)?;
    let header = Header { id, epoch: context.epoch.epoch, sequence: context.sequence, stamp: Some(stamp) };
    let key = pin_tier_key(context.epoch, card.secret, card.pin, card.generation)?;
    seal(context, &header, &key, &record.encode(), nonce)
}

fn checked_header(epoch: &EpochKey, secret: &CardSecret, row: &Row<'_>) -> Result<Header, OpenError> {
    let header = row.header()?;
    let expected = record_id(epoch, secret, row.tier())?;
    if header.epoch == epoch.epoch && header.id == expected { Ok(header) } else { Err(OpenError::NotThisCard) }
}

fn open(
    key: &[u8; 32],
    header: &Header,
    row: &Row<'_>,
    dictionary: &Dictionary,
    on_tag: OpenError,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, sealed) = row.sealed().ok_or(OpenError::Corrupt)?;
    let plain = XChaCha20Poly1305::new(&(*key).into())
        .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &header.authenticated() })
        .map(Zeroizing::new)
        .map_err(|_| on_tag)?;
    dictionary.expand(unpadded(&plain)?).map_err(|_| OpenError::Corrupt)
}

/// Opens a tap row with the card alone.
///
/// # Errors
/// `OpenError`, never `Stale` or `WrongPin`.
pub fn open_tap(
    epoch: &EpochKey,
    secret: &CardSecret,
    row: &[u8],
    dictionary: &Dictionary,
) -> Result<TapRecord, OpenError> {
    let row = Row::new(Tier::Tap, row)?;
    let header = checked_header(epoch, secret, &row)?;
    let record = open(&*tap_key(epoch, secret)?, &header, &row, dictionary, OpenError::Corrupt)?;
    Ok(TapRecord::decode(&record)?)
}

/// Asks whether a pin row is worth a try: it must be stamped as the tap record says. Call it before a try is counted
/// on the card.
///
/// # Errors
/// `OpenError::Stale` when not; `UnknownVersion` or `Corrupt` when the row is no row.
pub fn check_pin_row(row: &[u8], expected: PinStamp) -> Result<(), OpenError> {
    match Row::new(Tier::Pin, row)?.pin_stamp()? {
        Some(stamp) if stamp == expected => Ok(()),
        Some(stamp) => Err(OpenError::Stale { row: stamp, expected }),
        None => Err(OpenError::Corrupt),
    }
}

/// Opens a pin row with card and PIN. `expected` comes from the opened tap record.
///
/// # Errors
/// `OpenError::Stale` before anything else; then a tag failure is `WrongPin`.
pub fn open_pin(
    epoch: &EpochKey,
    card: &PinCard<'_>,
    expected: PinStamp,
    row: &[u8],
    dictionary: &Dictionary,
) -> Result<PinRecord, OpenError> {
    check_pin_row(row, expected)?;
    let row = Row::new(Tier::Pin, row)?;
    let header = checked_header(epoch, card.secret, &row)?;
    let key = pin_tier_key(epoch, card.secret, card.pin, card.generation)?;
    let record = open(&key, &header, &row, dictionary, OpenError::WrongPin)?;
    Ok(PinRecord::decode(&record)?)
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
