//! The byte layouts of the citizen's application (`docs/card-layout.md`, version 1).

use domain::card::{Movement, PinTries, TopUpRecord, Wishes};
use domain::city_pack::{CardFiles, CardKeys, CardLayout};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId};

/// The layout version this crate writes.
pub const LAYOUT_VERSION: u8 = 1;

/// Bytes of the identity file.
pub const IDENTITY_LEN: usize = 64;
/// Bytes of a top-up record.
pub const TOP_UP_LEN: usize = 48;
/// Bytes of a movement record.
pub const MOVEMENT_LEN: usize = 24;
/// Bytes of the tries file.
pub const TRIES_LEN: usize = 16;
/// Bytes of the wishes file.
pub const WISHES_LEN: usize = 16;

/// The numbers that `docs/card-layout.md` gives as the demonstration city's.
pub(crate) fn documented() -> CardLayout {
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "bahia".to_owned(),
        top_up_records: 5,
        movement_records: 10,
        classic: None,
    }
}

/// Who commits, in byte 4 of the reader identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReaderKind {
    /// A validator on a bus, at a pool, at a parking meter.
    Validator = 2,
}

/// TMRI: terminal, kind, zeros.
pub(crate) fn reader_id(terminal: TerminalId, kind: ReaderKind) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&terminal.0.to_le_bytes());
    bytes[4] = kind as u8;
    bytes
}

/// Money on the card is an `i32`; `None` when the amount does not fit.
pub(crate) fn card_cents(amount: Cents) -> Option<i32> {
    i32::try_from(amount.0).ok()
}

pub(crate) fn identity(number: CardNumber, generation: Generation, secret: &[u8; 32]) -> Vec<u8> {
    let mut bytes = vec![0; IDENTITY_LEN];
    bytes[0] = LAYOUT_VERSION;
    bytes[1] = generation.0;
    bytes[8..16].copy_from_slice(&number.0.to_le_bytes());
    bytes[16..48].copy_from_slice(secret);
    bytes
}

/// `None` when an amount does not fit the card.
pub(crate) fn top_up(record: &TopUpRecord) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(TOP_UP_LEN);
    bytes.extend(record.counter.to_le_bytes());
    bytes.extend(record.day.0.to_le_bytes());
    bytes.extend(record.top_up.0);
    bytes.extend(card_cents(record.amount)?.to_le_bytes());
    bytes.extend(card_cents(record.before)?.to_le_bytes());
    bytes.extend(record.terminal.0.to_le_bytes());
    bytes.resize(TOP_UP_LEN, 0);
    Some(bytes)
}

/// `None` when an amount does not fit the card.
pub(crate) fn movement(record: &Movement) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(MOVEMENT_LEN);
    bytes.extend(record.counter.to_le_bytes());
    bytes.extend(record.minute.to_le_bytes());
    bytes.extend(card_cents(record.amount)?.to_le_bytes());
    bytes.extend(card_cents(record.balance)?.to_le_bytes());
    bytes.push(record.service);
    bytes.resize(MOVEMENT_LEN, 0);
    Some(bytes)
}

pub(crate) fn tries(tries: PinTries) -> Vec<u8> {
    let mut bytes = tries.attempt.to_le_bytes().to_vec();
    bytes.extend([tries.failures, tries.pin_version]);
    bytes.resize(TRIES_LEN, 0);
    bytes
}

pub(crate) fn wishes(wishes: Wishes) -> Vec<u8> {
    let flags = [wishes.large_text, wishes.high_contrast, wishes.speech, wishes.more_time, wishes.simple_view];
    let bits = flags.iter().enumerate().fold(0, |bits, (i, flag)| bits | u8::from(*flag) << i);
    let mut bytes = vec![bits];
    bytes.extend(wishes.language.unwrap_or_default());
    bytes.resize(WISHES_LEN, 0);
    bytes
}

/// Takes little-endian fields off the front of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn cents(&mut self) -> Option<Cents> {
        self.take().map(|bytes| Cents(i64::from(i32::from_le_bytes(bytes))))
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
}

pub(crate) fn read_top_up(bytes: &[u8]) -> Option<TopUpRecord> {
    let mut fields = Fields(bytes);
    Some(TopUpRecord {
        counter: fields.number()?,
        day: Day(i32::from_le_bytes(fields.take()?)),
        top_up: TopUpId(fields.take()?),
        amount: fields.cents()?,
        before: fields.cents()?,
        terminal: TerminalId(fields.number()?),
    })
}

pub(crate) fn read_movement(bytes: &[u8]) -> Option<Movement> {
    let mut fields = Fields(bytes);
    Some(Movement {
        counter: fields.number()?,
        minute: fields.number()?,
        amount: fields.cents()?,
        balance: fields.cents()?,
        service: u8::from_le_bytes(fields.take()?),
    })
}

pub(crate) fn read_tries(bytes: &[u8]) -> Option<PinTries> {
    let mut fields = Fields(bytes);
    let attempt = fields.number()?;
    let [failures, pin_version] = fields.take()?;
    Some(PinTries { attempt, failures, pin_version })
}

pub(crate) fn read_wishes(bytes: &[u8]) -> Option<Wishes> {
    let mut fields = Fields(bytes);
    let [bits] = fields.take()?;
    let language: [u8; 3] = fields.take()?;
    let bit = |i: u8| bits & (1 << i) != 0;
    Some(Wishes {
        language: (language != [0; 3]).then_some(language),
        large_text: bit(0),
        high_contrast: bit(1),
        speech: bit(2),
        more_time: bit(3),
        simple_view: bit(4),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_top_up_record_lies_as_the_layout_says() {
        let record = TopUpRecord {
            counter: 0x0102_0304,
            day: Day(-2),
            top_up: TopUpId([0xAA; 16]),
            amount: Cents(2_000),
            before: Cents(150),
            terminal: TerminalId(7),
        };
        let bytes = top_up(&record).unwrap();
        assert_eq!(bytes.len(), TOP_UP_LEN);
        assert_eq!(bytes[..8], [4, 3, 2, 1, 0xFE, 0xFF, 0xFF, 0xFF]);
        assert_eq!(bytes[8..24], [0xAA; 16]);
        assert_eq!(bytes[24..36], [0xD0, 7, 0, 0, 150, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(read_top_up(&bytes), Some(record));
    }

    #[test]
    fn a_movement_record_lies_as_the_layout_says() {
        let record = Movement { counter: 5, minute: 0x0100, service: 9, amount: Cents(95), balance: Cents(405) };
        let bytes = movement(&record).unwrap();
        let mut expected = vec![5, 0, 0, 0, 0, 1, 0, 0, 95, 0, 0, 0, 0x95, 1, 0, 0, 9];
        expected.resize(MOVEMENT_LEN, 0);
        assert_eq!(bytes, expected);
        assert_eq!(read_movement(&bytes), Some(record));
    }

    #[test]
    fn wishes_and_tries_survive_the_card() {
        let wished = Wishes { language: Some(*b"ast"), speech: true, simple_view: true, ..Wishes::default() };
        assert_eq!(wishes(wished)[..4], [0b1_0100, b'a', b's', b't']);
        assert_eq!(read_wishes(&wishes(wished)), Some(wished));
        assert_eq!(read_wishes(&wishes(Wishes::default())), Some(Wishes::default()));
        let counted = PinTries { attempt: 70_000, failures: 2, pin_version: 1 };
        assert_eq!(read_tries(&tries(counted)), Some(counted));
    }

    #[test]
    fn an_amount_no_card_can_hold_is_refused() {
        let record = Movement { counter: 0, minute: 0, service: 0, amount: Cents(1 << 40), balance: Cents(0) };
        assert_eq!(movement(&record), None);
    }
}
