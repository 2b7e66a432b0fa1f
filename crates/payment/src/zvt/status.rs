//! What a status information (04 0F) says of a transaction, and what follows from it for a payment or a reservation of
//! ours.

use super::apdu::control;
use super::clock::{LocalMoment, TerminalClock};
use super::field::{Fields, bmp, from_bcd};
use super::payer_card::PayerCard;
use super::tlv::{Objects, tag};
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder, PaymentProgress, PaymentReference, PaymentVerdict};
use domain::{Cents, FailureCode};

/// Result code (PA00P015, chapter 10): this transaction was reversed before.
pub(super) const ALREADY_REVERSED: u8 = 0xB4;
/// Result code: something is wrong with a pre-authorisation; the list of open ones bears it too.
pub(super) const RESERVATION_ERROR: u8 = 0xB8;
/// Receipt numbers have four digits and begin again at 1.
const RECEIPT_MAX: u32 = 9999;

/// What kind of transaction a status tells of, as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing that came before is named: a payment or a reservation.
    Original,
    /// The booking of a reservation (06 24 or 06 23).
    Booking,
    /// The reversal of a payment, or the release of a reservation (06 30, 06 25).
    Undoing,
    /// It names an earlier transaction, but not what it did to it.
    Linked,
}

/// A transaction as the terminal reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub(super) result: Option<u8>,
    currency: Option<u64>,
    amount: Option<Cents>,
    pub(super) reference: PaymentReference,
    /// The trace number of what it reversed or booked.
    original_trace: Option<u32>,
    /// When it was made, by the terminal's own clock.
    pub(super) made: Option<LocalMoment>,
    /// The command that made it.
    command: Option<[u8; 2]>,
    card: PayerCard,
}

impl Status {
    /// Reads the data of a 04 0F. `identity` is the terminal that was registered with: a status need not repeat it.
    #[must_use]
    pub fn parse(data: &[u8], identity: Option<&str>) -> Self {
        let fields = Fields::parse(data);
        let small = |number| fields.number(number).and_then(|value| u32::try_from(value).ok());
        let container = Objects::parse(fields.get(bmp::CONTAINER).unwrap_or_default());
        let terminal = terminal_in(&fields).or_else(|| identity.map(str::to_owned)).unwrap_or_default();
        Self {
            result: fields.get(bmp::RESULT).and_then(|value| value.first()).copied(),
            currency: fields.number(bmp::CURRENCY),
            amount: fields.number(bmp::AMOUNT).and_then(|cents| i64::try_from(cents).ok()).map(Cents),
            reference: PaymentReference {
                terminal,
                receipt: small(bmp::RECEIPT).unwrap_or(0),
                trace: small(bmp::TRACE).unwrap_or(0),
            },
            original_trace: small(bmp::ORIGINAL_TRACE),
            made: LocalMoment::in_status(&fields),
            command: container.get(tag::COMMAND).and_then(|value| value.try_into().ok()),
            card: PayerCard::in_status(&fields, &container),
        }
    }

    /// What kind of transaction it is. A release is known by its amount of zero even where no command is named, as
    /// Feig's terminals report it (EVerest/zvt); a booking is never guessed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (self.command, self.original_trace) {
            (Some(control::REVERSAL | control::RESERVATION_REVERSAL), _) => Kind::Undoing,
            (Some(control::BOOK_TOTAL | control::PARTIAL_REVERSAL), _) => Kind::Booking,
            (_, None) => Kind::Original,
            (_, Some(_)) if self.amount == Some(Cents(0)) => Kind::Undoing,
            (_, Some(_)) => Kind::Linked,
        }
    }

    fn fits(&self, amount: Cents, currency: u64) -> bool {
        self.amount == Some(amount) && self.currency.is_none_or(|found| found == currency)
    }

    /// The approval of exactly this amount, or `None`: a result code of 0 alone is never "paid". A status that names
    /// no currency is in the one that was registered, which the terminal would have refused otherwise (06 00).
    pub(super) fn approval_of(&self, amount: Cents, currency: u64) -> Option<PaymentApproval> {
        let original = self.result == Some(0) && self.kind() == Kind::Original;
        (original && self.fits(amount, currency)).then(|| self.describe(amount))
    }

    /// What was taken or given back, when it succeeded.
    pub(super) fn moved(&self) -> Option<Cents> {
        self.amount.filter(|_| self.result == Some(0))
    }

    /// Whether it is this approval, once more.
    pub(super) fn is(&self, approval: &PaymentApproval, currency: u64) -> bool {
        self.approval_of(approval.amount, currency).is_some_and(|found| found.reference == approval.reference)
    }

    fn describe(&self, amount: Cents) -> PaymentApproval {
        PaymentApproval { reference: self.reference.clone(), amount, ..self.card.approval() }
    }

    /// What this, the terminal's last transaction, says of what was intended. `open` are the receipts of its open
    /// reservations, where it lists them; a payment needs none.
    pub(super) fn verdict(&self, intent: &PaymentIntent, currency: u64, open: Option<&[u32]>) -> PaymentVerdict {
        // Another terminal in its place decides nothing, whatever its numbers are.
        let elsewhere = terminal_before(intent).is_some_and(|before| before != self.reference.terminal);
        match intent.order {
            _ if elsewhere => PaymentVerdict::Unknown,
            PaymentOrder::Vending | PaymentOrder::CaptureFirst => self.of_payment(intent, currency),
            PaymentOrder::PreAuthorise => {
                open.map_or(PaymentVerdict::Unknown, |open| self.of_reservation(intent, currency, open))
            }
        }
    }

    fn is_before(&self, intent: &PaymentIntent) -> bool {
        self.reference.receipt == intent.receipt_before && intent.receipt_before != 0
    }

    /// Whether it comes after the intent by its receipt, and was made before by its time. A status without a time
    /// proves nothing by it.
    pub(super) fn is_older(&self, intent: &PaymentIntent, clock: &TerminalClock) -> bool {
        !self.is_before(intent) && self.made.is_some_and(|made| clock.is_before(made, intent.at))
    }

    fn of_payment(&self, intent: &PaymentIntent, currency: u64) -> PaymentVerdict {
        if self.is_before(intent) {
            return PaymentVerdict::NeverMade;
        }
        let ours = next_receipt(intent.receipt_before);
        let place = (self.reference.receipt == ours, self.reference.receipt == next_receipt(ours));
        match (self.result, self.kind(), place) {
            _ if !self.fits(intent.amount, currency) => PaymentVerdict::Unknown,
            (Some(0), Kind::Original, (true, _)) => PaymentVerdict::Paid(self.describe(intent.amount)),
            (Some(ALREADY_REVERSED), Kind::Original, (true, _)) => {
                PaymentVerdict::Reversed(self.describe(intent.amount))
            }
            // The reversal has a receipt of its own, the one after ours.
            (Some(0), Kind::Undoing | Kind::Linked, (_, true)) => self.original(ours, intent, PaymentVerdict::Reversed),
            _ => PaymentVerdict::Unknown,
        }
    }

    /// A reservation that is still on the list is proven by its own status only: a number alone could be somebody
    /// else's reservation, made at the terminal itself.
    fn of_reservation(&self, intent: &PaymentIntent, currency: u64, open: &[u32]) -> PaymentVerdict {
        let ours = next_receipt(intent.receipt_before);
        let listed = open.contains(&ours);
        if self.is_before(intent) {
            return if listed { PaymentVerdict::Unknown } else { PaymentVerdict::NeverMade };
        }
        let fits = self.fits(intent.amount, currency);
        let (own, next) = (self.reference.receipt == ours, self.reference.receipt == next_receipt(ours));
        match (self.result, self.kind(), listed) {
            (Some(0), Kind::Original, true) if own && fits => PaymentVerdict::Reserved(self.describe(intent.amount)),
            (Some(ALREADY_REVERSED), Kind::Original, false) if own && fits => {
                PaymentVerdict::Reversed(self.describe(intent.amount))
            }
            (Some(0), Kind::Booking, false) if next && fits => self.original(ours, intent, PaymentVerdict::Paid),
            (Some(0), Kind::Undoing, false) if next && self.is_nothing_or(intent.amount) => {
                self.original(ours, intent, PaymentVerdict::Reversed)
            }
            _ => PaymentVerdict::Unknown,
        }
    }

    fn is_nothing_or(&self, amount: Cents) -> bool {
        self.amount.is_some_and(|found| found == amount || found == Cents(0))
    }

    /// The verdict on the transaction with `receipt` that this one names by its trace number.
    fn original(
        &self,
        receipt: u32,
        intent: &PaymentIntent,
        verdict: fn(PaymentApproval) -> PaymentVerdict,
    ) -> PaymentVerdict {
        let Some(trace) = self.original_trace else { return PaymentVerdict::Unknown };
        let mut approval = self.describe(intent.amount);
        approval.reference.receipt = receipt;
        approval.reference.trace = trace;
        verdict(approval)
    }

    /// Whether it is the reversal of this payment, or this payment, marked as reversed.
    pub(super) fn reverses(&self, approval: &PaymentApproval) -> bool {
        let by_trace = matches!(self.kind(), Kind::Undoing | Kind::Linked) && self.follows(approval);
        by_trace || self.is_marked_reversed(approval)
    }

    /// Whether it is the release of this reservation, or this reservation, marked as reversed.
    pub(super) fn releases(&self, approval: &PaymentApproval) -> bool {
        let by_trace = self.kind() == Kind::Undoing && self.follows(approval) && self.is_nothing_or(approval.amount);
        by_trace || self.is_marked_reversed(approval)
    }

    /// Whether it is the booking of this reservation in full.
    pub(super) fn books(&self, approval: &PaymentApproval, currency: u64) -> bool {
        self.kind() == Kind::Booking && self.follows(approval) && self.fits(approval.amount, currency)
    }

    /// It succeeded, at the same terminal, on the transaction with this trace number.
    fn follows(&self, approval: &PaymentApproval) -> bool {
        let same_terminal = self.reference.terminal == approval.reference.terminal;
        self.result == Some(0) && same_terminal && self.original_trace == Some(approval.reference.trace)
    }

    fn is_marked_reversed(&self, approval: &PaymentApproval) -> bool {
        self.result == Some(ALREADY_REVERSED) && self.reference == approval.reference
    }

    /// Whether, as the answer to a command on this reservation, it says that the command was carried out: a trace
    /// number that it names must be the reservation's, and its amount one of those that can be meant.
    pub(super) fn answers(&self, approval: &PaymentApproval, currency: u64, amounts: &[Cents]) -> bool {
        let same_terminal = self.reference.terminal == approval.reference.terminal;
        let linked = self.original_trace.is_none_or(|trace| trace == approval.reference.trace);
        let fits = amounts.iter().any(|amount| self.fits(*amount, currency));
        self.result == Some(0) && same_terminal && linked && fits
    }
}

/// The receipts of the open reservations, from the data of the 06 1E that answers their enquiry; `None` when any byte
/// of it is not understood, because a reservation that is not found must be one that is not there.
#[must_use]
pub fn open_receipts(data: &[u8]) -> Option<Vec<u32>> {
    let (&RESERVATION_ERROR, rest) = data.split_first()? else { return None };
    let fields = Fields::parse(rest);
    let mut open = Vec::new();
    let first = fields.get(bmp::RECEIPT);
    match first {
        Some([0xFF, 0xFF]) | None => {}
        Some(receipt) => open.push(from_bcd(receipt)?),
    }
    let list = match fields.get(bmp::CONTAINER) {
        Some(container) => listed(container)?,
        None => Vec::new(),
    };
    open.extend(list.iter().filter(|receipt| Some(*receipt) != open.first()).copied().collect::<Vec<_>>());
    if !fields.is_whole() || (first.is_none() && list.is_empty()) {
        return None;
    }
    open.into_iter().map(|receipt| u32::try_from(receipt).ok()).collect()
}

/// Every receipt in the container's list; an empty one when it holds no list at all.
fn listed(container: &[u8]) -> Option<Vec<u64>> {
    let container = Objects::parse(container);
    let list = Objects::parse(container.get(tag::RECEIPTS).unwrap_or_default());
    let whole = container.is_whole() && list.is_whole();
    let receipts = list.iter().map(|object| (object.tag == tag::RECEIPT).then(|| from_bcd(&object.value)).flatten());
    whole.then(|| receipts.collect()).flatten()
}

/// The terminal that the intent names, if it names one.
pub(super) fn terminal_before(intent: &PaymentIntent) -> Option<&str> {
    intent.terminal.as_deref().filter(|terminal| !terminal.is_empty())
}

fn next_receipt(receipt: u32) -> u32 {
    if receipt >= RECEIPT_MAX { 1 } else { receipt + 1 }
}

/// Why nothing was paid, from a result code (PA00P015, chapter 10, "Error-Messages").
pub(super) fn declined(code: u8) -> FailureCode {
    match code {
        0x6C => FailureCode::PaymentCancelled,
        0x6F => FailureCode::PaymentMismatch,
        0x6B | 0xA0 | 0xFC => FailureCode::PaymentAbsent,
        RESERVATION_ERROR => FailureCode::PaymentBlocked,
        _ => FailureCode::PaymentRefused,
    }
}

/// What the payer is to do (PA00P015, chapter 3, "Intermediate Status-Information"). A card that could not be read
/// is presented again, and a wrong PIN is entered again.
pub(super) fn progress(data: &[u8]) -> PaymentProgress {
    match data.first() {
        Some(0x0A | 0x0C | 0x2A) => PaymentProgress::PresentCard,
        Some(0x01 | 0x02 | 0x15) => PaymentProgress::EnterPin,
        Some(0x04 | 0xD2 | 0xD3 | 0xF2) => PaymentProgress::AskingBank,
        Some(0x0B | 0x41..=0x67) => PaymentProgress::TakeCard,
        _ => PaymentProgress::Working,
    }
}

/// The terminal's identity (BMP 29), eight digits, in a completion of the registration or a status.
pub(super) fn terminal_in(fields: &Fields) -> Option<String> {
    fields.get(bmp::TERMINAL).and_then(from_bcd).map(|id| format!("{id:08}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_payer_is_to_do_is_told_by_the_intermediate_status() {
        let check = |codes: &[u8], step| {
            for code in codes {
                assert_eq!(progress(&[*code]), step, "{code:02X}");
            }
        };
        check(&[0x0A, 0x0C, 0x2A], PaymentProgress::PresentCard);
        check(&[0x01, 0x02, 0x15], PaymentProgress::EnterPin);
        check(&[0x04, 0xD2, 0xD3, 0xF2], PaymentProgress::AskingBank);
        check(&[0x0B, 0x41, 0x4B, 0x55, 0x67], PaymentProgress::TakeCard);
        check(&[0x00, 0x03, 0x0E, 0x17, 0x68, 0xE0, 0xE1, 0xFF], PaymentProgress::Working);
        assert_eq!(progress(&[]), PaymentProgress::Working);
    }
}
