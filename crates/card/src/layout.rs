//! The bytes of the citizen's card, as `docs/card-layout.md` defines them. All integers are little-endian.

use crate::error::CardError;
use domain::card::{Movement, PinTries, TopUpRecord, Wishes};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The layout this program reads.
pub const LAYOUT_VERSION: u8 = 1;
/// Bytes of the identity file.
pub const IDENTITY_LENGTH: u8 = 64;
/// Bytes of a top-up record.
pub const TOP_UP_LENGTH: usize = 48;
/// Bytes of a movement record.
pub const MOVEMENT_LENGTH: usize = 24;
/// Bytes of the tries file.
pub const TRIES_LENGTH: u8 = 16;
/// Bytes of the tries file that are not reserved.
pub const TRIES_FIELDS: usize = 6;
/// Bytes of the wishes file.
pub const WISHES_LENGTH: u8 = 16;
/// Bytes of the wishes file that are not reserved.
pub const WISHES_FIELDS: usize = 4;
/// CommitReaderID's kind of a kiosk.
const READER_KIND_KIOSK: u8 = 1;

/// The 32 bytes from which a card's sealed records are found and opened. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CardSecret([u8; 32]);

impl CardSecret {
    /// Takes the bytes over; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the vault.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CardSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardSecret(redacted)")
    }
}

/// The identity file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// The card secret; `None` on a card that could not keep one (MIFARE Classic).
    pub secret: Option<CardSecret>,
}

/// Reads fields one after another; too short a slice is a damaged file.
struct Fields<'a> {
    rest: &'a [u8],
    file: &'static str,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8], length: usize, file: &'static str) -> Result<Self, CardError> {
        if bytes.len() == length { Ok(Self { rest: bytes, file }) } else { Err(CardError::Layout(file)) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CardError> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(CardError::Layout(self.file))?;
        self.rest = rest;
        Ok(*field)
    }

    fn u8(&mut self) -> Result<u8, CardError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, CardError> {
        self.take().map(u32::from_le_bytes)
    }

    fn cents(&mut self) -> Result<Cents, CardError> {
        self.take().map(|bytes| Cents(i64::from(i32::from_le_bytes(bytes))))
    }
}

/// Reads the identity file.
///
/// # Errors
/// `Layout` when it is of another length or layout version.
pub fn read_identity(bytes: &[u8]) -> Result<Identity, CardError> {
    let mut fields = Fields::new(bytes, usize::from(IDENTITY_LENGTH), "identity")?;
    if fields.u8()? != LAYOUT_VERSION {
        return Err(CardError::Layout("identity"));
    }
    let generation = Generation(fields.u8()?);
    fields.take::<6>()?;
    let number = CardNumber(u64::from_le_bytes(fields.take()?));
    Ok(Identity { number, generation, secret: Some(CardSecret(fields.take()?)) })
}

/// Reads records as the card sends them (oldest first) into the order screens show (newest first).
fn read_records<R>(
    bytes: &[u8],
    length: usize,
    file: &'static str,
    read: impl Fn(&[u8]) -> Result<R, CardError>,
) -> Result<Vec<R>, CardError> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(length) {
        return Err(CardError::Layout(file));
    }
    bytes.chunks(length).rev().map(read).collect()
}

/// Reads the top-ups file, newest first; personalisation leaves at least one record.
///
/// # Errors
/// `Layout` when it is empty or not of whole records.
pub fn read_top_ups(bytes: &[u8]) -> Result<Vec<TopUpRecord>, CardError> {
    read_records(bytes, TOP_UP_LENGTH, "top-ups", read_top_up)
}

fn read_top_up(bytes: &[u8]) -> Result<TopUpRecord, CardError> {
    let mut fields = Fields::new(bytes, TOP_UP_LENGTH, "top-ups")?;
    Ok(TopUpRecord {
        counter: fields.u32()?,
        day: Day(i32::from_le_bytes(fields.take()?)),
        top_up: TopUpId(fields.take()?),
        amount: fields.cents()?,
        before: fields.cents()?,
        terminal: TerminalId(fields.u32()?),
    })
}

/// Writes a top-up record; `None` when an amount does not fit the card's 32 bits.
#[must_use]
pub fn write_top_up(record: &TopUpRecord) -> Option<[u8; TOP_UP_LENGTH]> {
    let mut bytes = [0; TOP_UP_LENGTH];
    bytes[0..4].copy_from_slice(&record.counter.to_le_bytes());
    bytes[4..8].copy_from_slice(&record.day.0.to_le_bytes());
    bytes[8..24].copy_from_slice(&record.top_up.0);
    bytes[24..28].copy_from_slice(&i32::try_from(record.amount.0).ok()?.to_le_bytes());
    bytes[28..32].copy_from_slice(&i32::try_from(record.before.0).ok()?.to_le_bytes());
    bytes[32..36].copy_from_slice(&record.terminal.0.to_le_bytes());
    Some(bytes)
}

/// Reads the movements file, newest first. Record 0, which personalisation wrote, is no movement and is left out.
///
/// # Errors
/// `Layout` when it is empty or not of whole records.
pub fn read_movements(bytes: &[u8]) -> Result<Vec<Movement>, CardError> {
    let mut movements = read_records(bytes, MOVEMENT_LENGTH, "movements", read_movement)?;
    movements.retain(|movement| movement.counter != 0);
    Ok(movements)
}

fn read_movement(bytes: &[u8]) -> Result<Movement, CardError> {
    let mut fields = Fields::new(bytes, MOVEMENT_LENGTH, "movements")?;
    Ok(Movement {
        counter: fields.u32()?,
        minute: fields.u32()?,
        amount: fields.cents()?,
        balance: fields.cents()?,
        service: fields.u8()?,
    })
}

/// Reads the tries file.
///
/// # Errors
/// `Layout` when it is of another length.
pub fn read_tries(bytes: &[u8]) -> Result<PinTries, CardError> {
    let mut fields = Fields::new(bytes, usize::from(TRIES_LENGTH), "tries")?;
    Ok(PinTries { attempt: fields.u32()?, failures: fields.u8()?, pin_version: fields.u8()? })
}

/// Writes the tries file.
#[must_use]
pub fn write_tries(tries: PinTries) -> [u8; TRIES_LENGTH as usize] {
    let mut bytes = [0; TRIES_LENGTH as usize];
    bytes[0..4].copy_from_slice(&tries.attempt.to_le_bytes());
    bytes[4] = tries.failures;
    bytes[5] = tries.pin_version;
    bytes
}

/// Reads the wishes file. A language that is none is no wish: a card is not refused for it.
///
/// # Errors
/// `Layout` when it is of another length.
pub fn read_wishes(bytes: &[u8]) -> Result<Wishes, CardError> {
    let mut fields = Fields::new(bytes, usize::from(WISHES_LENGTH), "wishes")?;
    let bits = fields.u8()?;
    let language = Some(fields.take::<3>()?).filter(|&code| is_language(code));
    let bit = |number: u8| bits & (1 << number) != 0;
    Ok(Wishes {
        language,
        large_text: bit(0),
        high_contrast: bit(1),
        speech: bit(2),
        more_time: bit(3),
        simple_view: bit(4),
    })
}

fn is_language(code: [u8; 3]) -> bool {
    code[..2].iter().all(u8::is_ascii_lowercase) && (code[2] == 0 || code[2].is_ascii_lowercase())
}

/// Writes the wishes file.
#[must_use]
pub fn write_wishes(wishes: &Wishes) -> [u8; WISHES_LENGTH as usize] {
    let mut bytes = [0; WISHES_LENGTH as usize];
    let bits = [wishes.large_text, wishes.high_contrast, wishes.speech, wishes.more_time, wishes.simple_view];
    bytes[0] = bits.iter().rev().fold(0, |sum, &bit| sum << 1 | u8::from(bit));
    bytes[1..4].copy_from_slice(&wishes.language.unwrap_or_default());
    bytes
}

/// This terminal as CommitReaderID names it (TMRI).
#[must_use]
pub fn reader_id(terminal: TerminalId) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0..4].copy_from_slice(&terminal.0.to_le_bytes());
    bytes[4] = READER_KIND_KIOSK;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_top_up_record_lies_where_the_layout_says() {
        let record = TopUpRecord {
            counter: 0x0102,
            day: Day(20_000),
            top_up: TopUpId([0xAB; 16]),
            amount: Cents(500),
            before: Cents(1234),
            terminal: TerminalId(7),
        };
        let bytes = write_top_up(&record).unwrap();
        assert_eq!(bytes[..8], [0x02, 0x01, 0, 0, 0x20, 0x4E, 0, 0]);
        assert_eq!(bytes[8..24], [0xAB; 16]);
        assert_eq!(bytes[24..36], [0xF4, 1, 0, 0, 0xD2, 4, 0, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[36..], [0; 12]);
        assert_eq!(read_top_up(&bytes), Ok(record));
    }

    #[test]
    fn an_amount_beyond_the_value_file_is_not_written() {
        let record = TopUpRecord {
            counter: 1,
            day: Day(0),
            top_up: TopUpId([1; 16]),
            amount: Cents(i64::from(i32::MAX) + 1),
            before: Cents(0),
            terminal: TerminalId(1),
        };
        assert_eq!(write_top_up(&record), None);
    }

    #[test]
    fn identity_reads_what_the_layout_says_and_no_other_version() {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        bytes[1] = 3;
        bytes[8..16].copy_from_slice(&6_001_234_567_u64.to_le_bytes());
        bytes[16..48].copy_from_slice(&[0x5C; 32]);
        let identity = read_identity(&bytes).unwrap();
        assert_eq!((identity.number, identity.generation), (CardNumber(6_001_234_567), Generation(3)));
        assert_eq!(identity.secret.as_ref().map(CardSecret::expose), Some(&[0x5C; 32]));
        assert!(!format!("{identity:?}").contains("92"), "the secret stays out of debug output");
        bytes[0] = 2;
        assert_eq!(read_identity(&bytes), Err(CardError::Layout("identity")));
        assert_eq!(read_identity(&bytes[..63]), Err(CardError::Layout("identity")));
    }

    #[test]
    fn records_come_newest_first_and_an_empty_file_is_damage() {
        let movement = |counter: u8| {
            let mut bytes = [0; MOVEMENT_LENGTH];
            bytes[0] = counter;
            bytes
        };
        let file = [movement(0), movement(1), movement(2)].concat();
        let counters: Vec<u32> = read_movements(&file).unwrap().iter().map(|movement| movement.counter).collect();
        assert_eq!(counters, [2, 1], "record 0 is the personalisation's");
        assert_eq!(read_movements(&[]), Err(CardError::Layout("movements")));
        assert_eq!(read_movements(&file[1..]), Err(CardError::Layout("movements")));
    }

    #[test]
    fn a_language_that_is_none_is_no_wish() {
        let mut bytes = [0; 16];
        bytes[1..4].copy_from_slice(b"es\0");
        assert_eq!(read_wishes(&bytes).unwrap().language, Some(*b"es\0"));
        bytes[1..4].copy_from_slice(b"E1\0");
        assert_eq!(read_wishes(&bytes).unwrap().language, None);
    }

    proptest! {
        #[test]
        fn tries_read_back(attempt: u32, failures: u8, pin_version: u8) {
            let tries = PinTries { attempt, failures, pin_version };
            prop_assert_eq!(read_tries(&write_tries(tries)), Ok(tries));
        }

        #[test]
        fn wishes_read_back(bits in 0..32_u8, language in prop::option::of("[a-z]{3}")) {
            let mut bytes = [0; 16];
            bytes[0] = bits;
            bytes[1..4].copy_from_slice(language.as_deref().unwrap_or("\0\0\0").as_bytes());
            prop_assert_eq!(write_wishes(&read_wishes(&bytes).unwrap()), bytes);
        }
    }
}
