//! What the till asks, as bytes. Each function names its section of PA00P015 revision 13, chapter 2; where public
//! implementations differ, the comment says how, and the fields that all of them send are sent.

use super::apdu::{Apdu, control};
use super::field::{Fields, bmp, to_bcd};
use domain::Cents;
use domain::device::PaymentApproval;

/// The terminal's own menus stay locked for payments and administration, receipts are the till's and made from the
/// status information, intermediate status is sent (06 00, config byte).
const CONFIG_BYTE: u8 = 0xBE;
/// No print-out, but the status information of the last transaction (06 20, service byte).
const SERVICE_STATUS_ONLY: u8 = 0x03;
/// Instead of a receipt number: which pre-authorisations are open (06 23, "Enquire if Pre-Authorisations exist").
const ALL_RECEIPTS: [u8; 2] = [0xFF, 0xFF];

/// How a command's payer and answers are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Seconds the terminal waits for the answer to an outcome (BMP 01).
    pub answer_timeout_s: u8,
    /// How often it may send the outcome (BMP 02).
    pub outcomes_max: u8,
}

/// What every command of one till shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Till {
    /// Its password, six decimal digits.
    pub password: u32,
    /// ISO 4217 number of the currency.
    pub currency: u16,
}

impl Till {
    fn password(self) -> [u8; 3] {
        to_bcd(u64::from(self.password)).unwrap_or([0; 3])
    }

    fn currency(self) -> [u8; 2] {
        to_bcd(u64::from(self.currency)).unwrap_or([0x09, 0x78])
    }

    /// 06 00: `<password> <config-byte> <currency>`.
    #[must_use]
    pub fn registration(self) -> Apdu {
        let data = [&self.password()[..], &[CONFIG_BYTE], &self.currency()].concat();
        Apdu::new(control::REGISTRATION, data)
    }

    /// 06 01: amount and currency, BMP 01 and 02. `None` for an amount that has no twelve digits or is negative.
    #[must_use]
    pub fn authorisation(self, amount: Cents, timing: Timing) -> Option<Apdu> {
        self.payment(control::AUTHORISATION, amount, timing)
    }

    /// 06 22: the same fields as 06 01.
    #[must_use]
    pub fn reservation(self, amount: Cents, timing: Timing) -> Option<Apdu> {
        self.payment(control::RESERVATION, amount, timing)
    }

    fn payment(self, control: [u8; 2], amount: Cents, timing: Timing) -> Option<Apdu> {
        let fields = Fields::default()
            .with(bmp::AMOUNT, &digits(amount)?)
            .with(bmp::CURRENCY, &self.currency())
            .with(bmp::TIMEOUT, &[timing.answer_timeout_s])
            .with(bmp::STATUS_MAX, &[timing.outcomes_max]);
        Some(Apdu::new(control, fields.encode()))
    }

    /// 06 20: `<password> [03 <service-byte>]`.
    #[must_use]
    pub fn repeat_receipt(self, service: bool) -> Apdu {
        let mut data = self.password().to_vec();
        if service {
            data.extend([bmp::SERVICE, SERVICE_STATUS_ONLY]);
        }
        Apdu::new(control::REPEAT_RECEIPT, data)
    }

    /// 06 30: `<password> 87 <receipt>`. `None` for a receipt of more than four digits.
    #[must_use]
    pub fn reversal(self, receipt: u32) -> Option<Apdu> {
        let fields = Fields::default().with(bmp::RECEIPT, &to_bcd::<2>(u64::from(receipt))?);
        Some(Apdu::new(control::REVERSAL, [&self.password()[..], &fields.encode()].concat()))
    }

    /// 06 50: `<password>`.
    #[must_use]
    pub fn end_of_day(self) -> Apdu {
        Apdu::new(control::END_OF_DAY, self.password().to_vec())
    }

    /// 06 24: receipt, amount, currency, trace number and authorisation attribute of the pre-authorisation, without
    /// a password. Booking a *reservation* wants trace and attribute; implementations for particular terminals send one
    /// of the two.
    #[must_use]
    pub fn book_total(self, approval: &PaymentApproval) -> Option<Apdu> {
        let mut fields = self
            .of_reservation(approval, approval.amount)?
            .with(bmp::TRACE, &to_bcd::<3>(u64::from(approval.reference.trace))?);
        if let Some(attribute) = attribute(&approval.authorisation) {
            fields = fields.with(bmp::AUTHORISATION, &attribute);
        }
        Some(Apdu::new(control::BOOK_TOTAL, fields.encode()))
    }

    /// 06 23 with an amount. "Partial reversal of a pre-authorisation / booking of a reservation": some terminals give
    /// the amount back, others book it. Only a commissioning sends it, to see which.
    #[must_use]
    pub fn partial_reversal(self, approval: &PaymentApproval, amount: Cents) -> Option<Apdu> {
        Some(Apdu::new(control::PARTIAL_REVERSAL, self.of_reservation(approval, amount)?.encode()))
    }

    /// 06 25: receipt and currency, without a password.
    #[must_use]
    pub fn release(self, approval: &PaymentApproval) -> Option<Apdu> {
        let fields = Fields::default()
            .with(bmp::RECEIPT, &to_bcd::<2>(u64::from(approval.reference.receipt))?)
            .with(bmp::CURRENCY, &self.currency());
        Some(Apdu::new(control::RESERVATION_REVERSAL, fields.encode()))
    }

    fn of_reservation(self, approval: &PaymentApproval, amount: Cents) -> Option<Fields> {
        let receipt = to_bcd::<2>(u64::from(approval.reference.receipt))?;
        let fields = Fields::default().with(bmp::RECEIPT, &receipt).with(bmp::AMOUNT, &digits(amount)?);
        Some(fields.with(bmp::CURRENCY, &self.currency()))
    }
}

/// 06 23 with receipt FF FF: answered by 06 1E with the receipts (`super::status::open_receipts`).
#[must_use]
pub fn open_reservations() -> Apdu {
    Apdu::new(control::PARTIAL_REVERSAL, Fields::default().with(bmp::RECEIPT, &ALL_RECEIPTS).encode())
}

fn digits(amount: Cents) -> Option<[u8; 6]> {
    to_bcd(u64::try_from(amount.0).ok()?)
}

/// Eight bytes, filled up with zeros; `None` when there is no attribute, or none of this length.
fn attribute(text: &str) -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    bytes.get_mut(..text.len()).filter(|room| !room.is_empty())?.copy_from_slice(text.as_bytes());
    Some(bytes)
}
