//! What the terminal says about itself and its transactions: 04 0F, 04 FF, 06 0F, 06 1E. The order of the fields is
//! that of public traces of terminals in use.

use crate::apdu::Apdu;
use crate::choices::{Entry, Need, ReleaseAmount, ReversalReceipt, Verification};
use crate::config::{Config, unhex};
use crate::fields::{put, put_container, put_var, tlv, to_bcd};
use crate::ledger::{Kind, Transaction, TransactionState};
use crate::memory::Batch;
use domain::{Cents, Timestamp};
use jiff::tz::TimeZone;

/// Result codes (BMP 27, 06 1E, 84 xx) used here; PA00P015 chapter "Error-Messages".
pub(crate) mod code {
    /// Goods not issued, or a processing error.
    pub(crate) const PROCESSING_ERROR: u8 = 0x66;
    /// The terminal is not registered.
    pub(crate) const NOT_REGISTERED: u8 = 0x6B;
    /// Aborted by time-out or abort key.
    pub(crate) const ABORTED: u8 = 0x6C;
    /// Wrong currency.
    pub(crate) const WRONG_CURRENCY: u8 = 0x6F;
    /// Function not possible.
    pub(crate) const NOT_POSSIBLE: u8 = 0x83;
    /// The command's bytes make no sense.
    pub(crate) const PROTOCOL_ERROR: u8 = 0x9A;
    /// Please wait (as an answer to 04 0F).
    pub(crate) const PLEASE_WAIT: u8 = 0x9C;
    /// Already reversed.
    pub(crate) const ALREADY_REVERSED: u8 = 0xB4;
    /// Reversal not possible.
    pub(crate) const REVERSAL_NOT_POSSIBLE: u8 = 0xB5;
    /// More is to be booked or given free than is reserved.
    pub(crate) const WRONG_PRE_AUTHORISATION: u8 = 0xB7;
    /// No such pre-authorisation is open.
    pub(crate) const PRE_AUTHORISATION: u8 = 0xB8;
    /// Diagnosis required.
    pub(crate) const DIAGNOSIS_REQUIRED: u8 = 0xC2;
    /// Open end-of-day batch.
    pub(crate) const END_OF_DAY_REQUIRED: u8 = 0xF0;
    /// System error: the memory cannot be written.
    pub(crate) const SYSTEM_ERROR: u8 = 0xFF;
}

/// Intermediate status codes (04 FF) used here.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    WatchPinPad = 0x01,
    AskingBank = 0x04,
    Reversing = 0x05,
    InsertCard = 0x0A,
    RemoveCard = 0x0B,
    PleaseWait = 0x0E,
}

const EURO: [u8; 2] = [0x09, 0x78];
/// Masked digits are `E` (BMP 22); the last four stand.
const MASKED_PAN: [u8; 8] = [0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0x47, 0x71];
/// Paid with chip and online PIN (BMP 19).
const PAID_WITH_PIN: u8 = 0x70;
/// In the status byte (BMP 19 of 06 0F): a diagnosis is necessary.
const STATUS_DIAGNOSIS: u8 = 0x02;
/// The receipt number that stands for "none is open", and asks for the list.
pub(crate) const NO_RECEIPT: [u8; 2] = [0xFF, 0xFF];

/// What of a transaction is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    receipt: u16,
    trace: u32,
    original: Option<u32>,
    amount: Cents,
    at: Timestamp,
    /// The command that made it, where that is said (TLV tag 0A).
    command: Option<[u8; 2]>,
}

/// 04 FF.
pub(crate) fn intermediate(step: Step) -> Apdu {
    Apdu::new(0x04, 0xFF, vec![step as u8])
}

/// 06 1E.
pub(crate) fn abort(code: u8) -> Apdu {
    Apdu::new(0x06, 0x1E, vec![code])
}

/// 06 1E in answer to 06 23 with receipt number FFFF: the code B8, one open receipt number or FFFF, and when there are
/// several all of them in the container (tag 23, in it one tag 08 for each).
pub(crate) fn open_list(receipts: &[u16]) -> Apdu {
    let number = |receipt: u16| to_bcd::<2>(u64::from(receipt));
    let mut data = vec![code::PRE_AUTHORISATION];
    put(&mut data, 0x87, &receipts.first().map_or(NO_RECEIPT, |first| number(*first)));
    if receipts.len() > 1 {
        let list: Vec<u8> = receipts.iter().flat_map(|receipt| tlv(&[0x08], &number(*receipt))).collect();
        put_container(&mut data, &tlv(&[0x23], &list));
    }
    Apdu::new(0x06, 0x1E, data)
}

/// 06 0F without data.
pub(crate) fn completion() -> Apdu {
    Apdu::new(0x06, 0x0F, Vec::new())
}

/// 06 0F of registration and status enquiry: status byte, terminal id, currency.
pub(crate) fn ready(config: &Config, terminal: u32) -> Apdu {
    let mut data = Vec::new();
    put(&mut data, 0x19, &[if config.needs == Some(Need::Diagnosis) { STATUS_DIAGNOSIS } else { 0 }]);
    put(&mut data, 0x29, &to_bcd::<4>(u64::from(terminal)));
    put(&mut data, 0x49, &EURO);
    Apdu::new(0x06, 0x0F, data)
}

/// 04 0F of what failed.
pub(crate) fn failure(terminal: u32, code: u8) -> Apdu {
    let mut data = Vec::new();
    put(&mut data, 0x27, &[code]);
    put(&mut data, 0x29, &to_bcd::<4>(u64::from(terminal)));
    Apdu::new(0x04, 0x0F, data)
}

/// 04 0F of a transaction as it stands: its reversal, its booking, or itself.
pub(crate) fn outcome(config: &Config, transaction: &Transaction) -> Apdu {
    let told = told(config, transaction);
    let reversed = transaction.state == TransactionState::Reversed;
    let denied = reversed && config.reversal_receipt == ReversalReceipt::Original;
    let lies = &config.misreports;
    let result = if denied { code::ALREADY_REVERSED } else { 0 };
    let currency = lies.currency.map_or(EURO, |currency| to_bcd(u64::from(currency)));
    let mut data = Vec::new();
    put(&mut data, 0x27, &[lies.result.unwrap_or(result)]);
    put(&mut data, 0x04, &to_bcd::<6>(cents(lies.amount.unwrap_or(told.amount))));
    put(&mut data, 0x0B, &to_bcd::<3>(u64::from(told.trace)));
    if let Some(original) = told.original {
        put(&mut data, 0x37, &to_bcd::<3>(u64::from(original)));
    }
    put_time(&mut data, config, told.at);
    put_card(&mut data, config, transaction);
    put(&mut data, 0x49, &currency);
    put(&mut data, 0x87, &to_bcd::<2>(u64::from(lies.receipt.unwrap_or(told.receipt))));
    put(&mut data, 0x8A, &[scheme(&config.scheme).0]);
    let mut name = config.scheme.clone().into_bytes();
    name.truncate(98);
    name.push(0);
    put_var(&mut data, 0x8B, 2, &name);
    data.extend(unhex(&config.extra_fields).unwrap_or_default());
    put_container(&mut data, &container(config, told.command));
    Apdu::new(0x04, 0x0F, data)
}

/// 04 0F of an end-of-day: total, trace, time, and the batch by scheme (BMP 60: first and last receipt number, then a
/// count and a sum for each of girocard, JCB, Eurocard, American Express, Visa, Diners and all others).
pub(crate) fn day_totals(config: &Config, batch: &Batch) -> Apdu {
    let mut data = Vec::new();
    put(&mut data, 0x27, &[0]);
    put(&mut data, 0x04, &to_bcd::<6>(cents(batch.total)));
    put(&mut data, 0x0B, &to_bcd::<3>(u64::from(batch.trace)));
    put_time(&mut data, config, batch.at);
    let mut totals = Vec::new();
    totals.extend(to_bcd::<2>(u64::from(batch.receipts.0)));
    totals.extend(to_bcd::<2>(u64::from(batch.receipts.1)));
    for row in 0..7 {
        let own = row == scheme(&config.scheme).1;
        totals.push(if own { u8::try_from(batch.count).unwrap_or(u8::MAX) } else { 0 });
        totals.extend(to_bcd::<6>(if own { cents(batch.total) } else { 0 }));
    }
    put_var(&mut data, 0x60, 3, &totals);
    Apdu::new(0x04, 0x0F, data)
}

fn told(config: &Config, transaction: &Transaction) -> Told {
    let own = Told {
        receipt: transaction.receipt,
        trace: transaction.trace,
        original: None,
        amount: transaction.amount,
        at: transaction.at,
        command: (transaction.kind == Kind::Reservation).then_some([0x06, 0x22]),
    };
    let reversed = transaction.state == TransactionState::Reversed;
    if let Some((receipt, trace)) = transaction.reversal.filter(|_| reversed) {
        let released = transaction.kind == Kind::Reservation && transaction.booking.is_none();
        let amount = match config.release_amount {
            ReleaseAmount::Zero if released => Cents::ZERO,
            _ => transaction.booking.map_or(transaction.amount, |booking| booking.amount),
        };
        return Told {
            receipt,
            trace,
            original: Some(transaction.posted_trace()),
            amount,
            at: transaction.reversed_at.unwrap_or(transaction.at),
            command: Some(if released { [0x06, 0x25] } else { [0x06, 0x30] }),
        };
    }
    match transaction.booking {
        Some(booking) => Told {
            receipt: booking.receipt,
            trace: booking.trace,
            original: Some(transaction.trace),
            amount: booking.amount,
            at: booking.at,
            command: Some([0x06, 0x24]),
        },
        None => own,
    }
}

fn cents(amount: Cents) -> u64 {
    u64::try_from(amount.0).unwrap_or(0)
}

/// A scheme's ZVT card type (BMP 8A) and its row in BMP 60.
fn scheme(name: &str) -> (u8, usize) {
    let name = name.to_ascii_lowercase();
    let known = [("girocard", 0x05, 0), ("jcb", 0x0E, 1), ("mastercard", 0x06, 2), ("american", 0x08, 3)];
    let more = [("visa", 0x0A, 4), ("diners", 0x0C, 5), ("maestro", 0x2E, 6)];
    let found = known.iter().chain(&more).find(|(part, ..)| name.contains(part));
    found.map_or((0xFF, 6), |(_, card_type, row)| (*card_type, *row))
}

/// The TLV objects: what was added, how the payer was verified, how the card was read, its application, the command.
fn container(config: &Config, command: Option<[u8; 2]>) -> Vec<u8> {
    let mut objects = unhex(&config.extra_containers).unwrap_or_default();
    if let Some(command) = command.filter(|_| config.names_command) {
        objects.extend(tlv(&[0x0A], &command));
    }
    let verified = match config.verification {
        Verification::Nothing => 0x00,
        Verification::Signature => 0x01,
        Verification::OnlinePin => 0x02,
        Verification::OfflinePin => 0x03,
    };
    objects.extend(tlv(&[0x1F, 0x10], &[verified]));
    let entry = match config.entry {
        Entry::Stripe => 0x00,
        Entry::Chip => 0x01,
        Entry::Contactless => 0x02,
    };
    objects.extend(tlv(&[0x1F, 0x12], &[entry]));
    let aid = unhex(&config.aid).filter(|aid| !aid.is_empty());
    objects.extend(aid.map(|aid| tlv(&[0x60], &tlv(&[0x43], &aid))).unwrap_or_default());
    objects
}

/// BMP 0C (HHMMSS) and 0D (MMDD), in the terminal's own zone.
fn put_time(data: &mut Vec<u8>, config: &Config, at: Timestamp) {
    let zone = TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC);
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone);
    let digits = |number: i8| u64::try_from(number).unwrap_or(0);
    let clock = digits(time.hour()) * 10_000 + digits(time.minute()) * 100 + digits(time.second());
    put(data, 0x0C, &to_bcd::<3>(clock));
    put(data, 0x0D, &to_bcd::<2>(digits(time.month()) * 100 + digits(time.day())));
}

/// What is said of the card and the authorisation: expiry, sequence, payment type, masked number, terminal, contract
/// number, authorisation attribute.
fn put_card(data: &mut Vec<u8>, config: &Config, transaction: &Transaction) {
    put(data, 0x0E, &[0x29, 0x12]);
    put(data, 0x17, &[0x00, 0x01]);
    put(data, 0x19, &[PAID_WITH_PIN]);
    put_var(data, 0x22, 2, &MASKED_PAN);
    let terminal = config.misreports.terminal.unwrap_or(transaction.terminal);
    put(data, 0x29, &to_bcd::<4>(u64::from(terminal)));
    put(data, 0x2A, b"100461763      ");
    let mut attribute = format!("{:06}", (u64::from(transaction.trace) * 7_919 + 600_000) % 1_000_000).into_bytes();
    attribute.resize(8, 0);
    put(data, 0x3B, &attribute);
}
