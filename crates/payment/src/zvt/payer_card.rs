//! What a status says of the payer's card and of how it was used, as a receipt must show it (PA00P015, chapter 13, and
//! chapter 9, "TLV-Container").

use super::field::{Fields, bmp};
use super::tlv::{Objects, tag};
use domain::device::{CardEntry, PayerCheck, PaymentApproval};
use std::fmt::Write as _;

/// Bytes of an application's identifier (ISO/IEC 7816-4, 12.2.3).
const APPLICATION_ID_BYTES: std::ops::RangeInclusive<usize> = 5..=16;

/// The payer's card, without anything that could be used to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayerCard {
    scheme: String,
    masked_pan: String,
    authorisation: String,
    entry: CardEntry,
    check: PayerCheck,
    application: String,
}

impl PayerCard {
    pub(super) fn in_status(fields: &Fields, container: &Objects) -> Self {
        // Some makes put technology and verification into the payment-type object.
        let inner = Objects::parse(container.get(tag::PAYMENT_TYPE).unwrap_or_default());
        let byte = |tag| container.get(tag).or_else(|| inner.get(tag)).and_then(|value| value.first()).copied();
        let application = Objects::parse(container.get(tag::APPLICATION).unwrap_or_default());
        let scheme = fields.text(bmp::CARD_NAME).filter(|name| !name.is_empty());
        Self {
            scheme: scheme.or_else(|| application.get(tag::APPLICATION_NAME).map(label)).unwrap_or_default(),
            masked_pan: fields.get(bmp::PAN).map(masked).unwrap_or_default(),
            authorisation: fields.text(bmp::AUTHORISATION).unwrap_or_default(),
            entry: entry(byte(tag::CARD_TECHNOLOGY)),
            check: check(byte(tag::VERIFICATION)),
            application: application.get(tag::APPLICATION_ID).map(identifier).unwrap_or_default(),
        }
    }

    /// An approval with what is known of the card; the rest is its user's.
    pub(super) fn approval(&self) -> PaymentApproval {
        PaymentApproval {
            scheme: self.scheme.clone(),
            masked_pan: self.masked_pan.clone(),
            authorisation: self.authorisation.clone(),
            entry: self.entry,
            check: self.check,
            application: self.application.clone(),
            ..PaymentApproval::default()
        }
    }
}

fn entry(technology: Option<u8>) -> CardEntry {
    match technology {
        Some(0x00) => CardEntry::Stripe,
        Some(0x01) => CardEntry::Chip,
        Some(0x02) => CardEntry::Contactless,
        _ => CardEntry::Unsaid,
    }
}

/// A PIN with a signature beside it (05 to 07) is a PIN.
fn check(verification: Option<u8>) -> PayerCheck {
    match verification {
        Some(0x00) => PayerCheck::Nothing,
        Some(0x01) => PayerCheck::Signature,
        Some(0x02..=0x07) => PayerCheck::Pin,
        _ => PayerCheck::Unsaid,
    }
}

/// Hexadecimal; empty when it cannot be an identifier.
fn identifier(value: &[u8]) -> String {
    let mut text = String::new();
    for byte in value.iter().filter(|_| APPLICATION_ID_BYTES.contains(&value.len())) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// The application's preferred name, as far as it is ASCII.
fn label(value: &[u8]) -> String {
    let shown = value.iter().filter(|byte| byte.is_ascii_graphic() || **byte == b' ');
    shown.map(|byte| char::from(*byte)).collect::<String>().trim().to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn card(container: &[u8]) -> PaymentApproval {
        let fields = Fields::default().with(bmp::PAN, &[0x47, 0x61, 0x73, 0x90, 0x01, 0x01, 0x01, 0x19]);
        PayerCard::in_status(&fields, &Objects::parse(container)).approval()
    }

    #[test]
    fn a_card_number_that_a_terminal_shows_whole_is_shown_by_its_last_four_digits() {
        assert_eq!(card(&[]).masked_pan, "************0119");
        assert_eq!(masked(&[0xEE, 0xEE, 0xE1, 0x23, 0x4F]), "*****1234");
        assert_eq!(masked(&[0x12]), "12");
        assert_eq!(masked(&[]), "");
    }

    #[test]
    fn technology_and_verification_are_found_outside_and_inside_of_the_payment_type() {
        let check = |container: &[u8], entry, check| {
            let found = card(container);
            assert_eq!((found.entry, found.check), (entry, check), "{container:02X?}");
        };
        check(&[], CardEntry::Unsaid, PayerCheck::Unsaid);
        check(&[0x1F, 0x12, 1, 0, 0x1F, 0x10, 1, 1], CardEntry::Stripe, PayerCheck::Signature);
        check(&[0x1F, 0x12, 1, 2, 0x1F, 0x10, 1, 0], CardEntry::Contactless, PayerCheck::Nothing);
        check(&[0x2F, 8, 0x1F, 0x12, 1, 1, 0x1F, 0x10, 1, 3], CardEntry::Chip, PayerCheck::Pin);
        check(&[0x1F, 0x12, 1, 9, 0x1F, 0x10, 1, 0xFF], CardEntry::Unsaid, PayerCheck::Unsaid);
        check(&[0x1F, 0x12, 0, 0x1F, 0x10, 0], CardEntry::Unsaid, PayerCheck::Unsaid);
    }

    #[test]
    fn an_application_is_its_identifier_and_gives_its_name_where_the_scheme_has_none() {
        let named = [0x60, 12, 0x43, 5, 0xA0, 0, 0, 0, 0x04, 0x44, 3, b'M', b'C', 0xE9];
        let found = card(&named);
        assert_eq!((found.application.as_str(), found.scheme.as_str()), ("A000000004", "MC"));
        // Too short for an identifier.
        assert_eq!(card(&[0x60, 4, 0x43, 2, 0xA0, 0]).application, "");
    }
}
