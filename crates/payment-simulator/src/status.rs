//! What the terminal says about itself and its transactions: 04 0F, 04 FF, 06 0F, 06 1E. The order of the fields is
//! that of public traces of a terminal in use.

use crate::apdu::Apdu;
use crate::config::{Config, ReversalReceipt};
use crate::fields::{put, put_var, to_bcd};
use crate::ledger::{Transaction, TransactionState};
use domain::Timestamp;
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
/// The ZVT card type of Mastercard (BMP 8A).
const CARD_TYPE: u8 = 0x06;
/// Paid with chip and online PIN (BMP 19).
const PAID_WITH_PIN: u8 = 0x70;

/// 04 FF.
pub(crate) fn intermediate(step: Step) -> Apdu {
    Apdu::new(0x04, 0xFF, vec![step as u8])
}

/// 06 1E.
pub(crate) fn abort(code: u8) -> Apdu {
    Apdu::new(0x06, 0x1E, vec![code])
}

/// 06 0F without data.
pub(crate) fn completion() -> Apdu {
    Apdu::new(0x06, 0x0F, Vec::new())
}

/// 06 0F of registration and status enquiry: status byte, terminal id, currency.
pub(crate) fn ready(config: &Config) -> Apdu {
    let mut data = Vec::new();
    put(&mut data, 0x19, &[0x00]);
    put(&mut data, 0x29, &to_bcd::<4>(u64::from(config.terminal_id)));
    put(&mut data, 0x49, &EURO);
    Apdu::new(0x06, 0x0F, data)
}

/// 04 0F of a payment that failed.
pub(crate) fn failure(config: &Config, code: u8) -> Apdu {
    let mut data = Vec::new();
    put(&mut data, 0x27, &[code]);
    put(&mut data, 0x29, &to_bcd::<4>(u64::from(config.terminal_id)));
    Apdu::new(0x04, 0x0F, data)
}

/// 04 0F of a transaction as it stands.
pub(crate) fn outcome(config: &Config, transaction: &Transaction) -> Apdu {
    let reversed = transaction.state == TransactionState::Reversed;
    let own = transaction.reversal.filter(|_| reversed);
    let (receipt, trace) = own.unwrap_or((transaction.receipt, transaction.trace));
    let denied = reversed && config.reversal_receipt == ReversalReceipt::Original;
    let mut data = Vec::new();
    put(&mut data, 0x27, &[if denied { code::ALREADY_REVERSED } else { 0 }]);
    put(&mut data, 0x04, &to_bcd::<6>(u64::try_from(transaction.amount.0).unwrap_or(0)));
    put(&mut data, 0x0B, &to_bcd::<3>(u64::from(trace)));
    if own.is_some() {
        put(&mut data, 0x37, &to_bcd::<3>(u64::from(transaction.trace)));
    }
    put_time(&mut data, config, transaction.at);
    put_card(&mut data, config, transaction);
    put(&mut data, 0x49, &EURO);
    put(&mut data, 0x87, &to_bcd::<2>(u64::from(receipt)));
    put(&mut data, 0x8A, &[CARD_TYPE]);
    let mut name = config.scheme.clone().into_bytes();
    name.truncate(98);
    name.push(0);
    put_var(&mut data, 0x8B, 2, &name);
    put(&mut data, 0x06, if own.is_some() { &[0x04, 0x0A, 0x02, 0x06, 0x30] } else { &[0x04, 0x1F, 0x12, 0x01, 0x01] });
    Apdu::new(0x04, 0x0F, data)
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
    put(data, 0x29, &to_bcd::<4>(u64::from(config.terminal_id)));
    put(data, 0x2A, b"100461763      ");
    let mut attribute = format!("{:06}", (u64::from(transaction.trace) * 7_919 + 600_000) % 1_000_000).into_bytes();
    attribute.resize(8, 0);
    put(data, 0x3B, &attribute);
}
