//! What a status information (04 0F) says of a transaction, and what follows from it for a payment of ours.

use super::field::{Fields, bmp, from_bcd, objects};
use domain::device::{PaymentApproval, PaymentIntent, PaymentProgress, PaymentReference, PaymentVerdict};
use domain::{Cents, FailureCode};

/// TLV object: the command that made the transaction.
const TAG_COMMAND: u32 = 0x0A;
/// Result code: this transaction was reversed before.
const ALREADY_REVERSED: u8 = 0xB4;
/// Receipt numbers have four digits and begin again at 1.
const RECEIPT_MAX: u32 = 9999;

/// A transaction as the terminal reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) result: Option<u8>,
    currency: Option<u64>,
    amount: Option<Cents>,
    pub(super) reference: PaymentReference,
    /// For a reversal: the trace number of what it reversed.
    original_trace: Option<u32>,
    is_reversal: bool,
    scheme: String,
    masked_pan: String,
    authorisation: String,
}

impl Status {
    pub(super) fn parse(data: &[u8]) -> Self {
        let fields = Fields::parse(data);
        let small = |number| fields.number(number).and_then(|value| u32::try_from(value).ok());
        let container = fields.get(bmp::CONTAINER).unwrap_or_default();
        let command = objects(container).into_iter().find(|(tag, _)| *tag == TAG_COMMAND);
        let original_trace = small(bmp::ORIGINAL_TRACE);
        Self {
            result: fields.get(bmp::RESULT).and_then(|value| value.first()).copied(),
            currency: fields.number(bmp::CURRENCY),
            amount: fields.number(bmp::AMOUNT).and_then(|cents| i64::try_from(cents).ok()).map(Cents),
            reference: PaymentReference {
                terminal: small(bmp::TERMINAL).map(|id| format!("{id:08}")).unwrap_or_default(),
                receipt: small(bmp::RECEIPT).unwrap_or(0),
                trace: small(bmp::TRACE).unwrap_or(0),
            },
            original_trace,
            is_reversal: original_trace.is_some() || command.is_some_and(|(_, value)| *value == [0x06, 0x30]),
            scheme: fields.text(bmp::CARD_NAME).unwrap_or_default(),
            masked_pan: fields.get(bmp::PAN).map(masked).unwrap_or_default(),
            authorisation: fields.text(bmp::AUTHORISATION).unwrap_or_default(),
        }
    }

    /// The approval of exactly this amount, or `None`: a result code of 0 alone is never "paid". A status that names
    /// no currency is in the one that was registered, which the terminal would have refused otherwise (06 00).
    pub(super) fn approval_of(&self, amount: Cents, currency: u64) -> Option<PaymentApproval> {
        let ours = self.amount == Some(amount) && self.currency.is_none_or(|found| found == currency);
        (self.result == Some(0) && ours && !self.is_reversal).then(|| self.describe(amount))
    }

    fn describe(&self, amount: Cents) -> PaymentApproval {
        PaymentApproval {
            reference: self.reference.clone(),
            amount,
            scheme: self.scheme.clone(),
            masked_pan: self.masked_pan.clone(),
            authorisation: self.authorisation.clone(),
        }
    }

    /// What this, the terminal's last transaction, says of a payment that was intended after `receipt_before`.
    pub(super) fn verdict(&self, intent: &PaymentIntent, currency: u64) -> PaymentVerdict {
        let ours = next_receipt(intent.receipt_before);
        if self.reference.receipt == intent.receipt_before && intent.receipt_before != 0 {
            return PaymentVerdict::NeverMade;
        }
        let fits = self.amount == Some(intent.amount) && self.currency.is_none_or(|found| found == currency);
        if !fits {
            return PaymentVerdict::Unknown;
        }
        match (self.result, self.is_reversal) {
            (Some(0), false) if self.reference.receipt == ours => PaymentVerdict::Paid(self.describe(intent.amount)),
            (Some(ALREADY_REVERSED), false) if self.reference.receipt == ours => {
                PaymentVerdict::Reversed(self.describe(intent.amount))
            }
            // The reversal has a receipt of its own, the one after ours.
            (Some(0), true) if self.reference.receipt == next_receipt(ours) => {
                self.original_trace.map_or(PaymentVerdict::Unknown, |trace| {
                    PaymentVerdict::Reversed(self.original(ours, trace, intent.amount))
                })
            }
            _ => PaymentVerdict::Unknown,
        }
    }

    /// Whether it is the reversal of this payment, or this payment, marked as reversed.
    pub(super) fn reverses(&self, approval: &PaymentApproval) -> bool {
        let same_terminal = self.reference.terminal == approval.reference.terminal;
        let by_trace =
            self.result == Some(0) && self.is_reversal && self.original_trace == Some(approval.reference.trace);
        let by_code = self.result == Some(ALREADY_REVERSED) && self.reference == approval.reference;
        same_terminal && (by_trace || by_code)
    }

    fn original(&self, receipt: u32, trace: u32, amount: Cents) -> PaymentApproval {
        let mut approval = self.describe(amount);
        approval.reference.receipt = receipt;
        approval.reference.trace = trace;
        approval
    }
}

fn next_receipt(receipt: u32) -> u32 {
    if receipt >= RECEIPT_MAX { 1 } else { receipt + 1 }
}

/// The last four digits and nothing else of a card number, however much of it the terminal shows.
fn masked(value: &[u8]) -> String {
    let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    // A trailing F only fills up the last byte.
    let shown: Vec<char> = digits
        .filter(|nibble| *nibble != 0xF)
        .map(|nibble| char::from_digit(nibble.into(), 10).unwrap_or('*'))
        .collect();
    let hidden = shown.len().saturating_sub(4);
    std::iter::repeat_n('*', hidden).chain(shown[hidden..].iter().copied()).collect()
}

/// Why nothing was paid, from a result code (PA00P015, "Error-IDs").
pub(super) fn declined(code: u8) -> FailureCode {
    match code {
        0x6C => FailureCode::PaymentCancelled,
        0x6F => FailureCode::PaymentMismatch,
        0x6B | 0xA0 | 0xFC => FailureCode::PaymentAbsent,
        _ => FailureCode::PaymentRefused,
    }
}

/// What the payer is to do (PA00P015, table of intermediate status codes).
pub(super) fn progress(data: &[u8]) -> PaymentProgress {
    match data.first() {
        Some(0x0A | 0x2A) => PaymentProgress::PresentCard,
        Some(0x01 | 0x02) => PaymentProgress::EnterPin,
        Some(0x04 | 0xD2 | 0xD3) => PaymentProgress::AskingBank,
        Some(0x0B | 0x41..=0x67) => PaymentProgress::TakeCard,
        _ => PaymentProgress::Working,
    }
}

/// The terminal's identity in a completion (06 0F) of the registration.
pub(super) fn terminal_of(data: &[u8]) -> Option<String> {
    let fields = Fields::parse(data);
    fields.get(bmp::TERMINAL).and_then(from_bcd).map(|id| format!("{id:08}"))
}
