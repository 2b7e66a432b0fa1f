//! The codec against messages that others recorded from real terminals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use data_encoding::HEXUPPER_PERMISSIVE;
use payment::zvt::apdu::{Apdu, control};
use payment::zvt::field::{Fields, bmp, from_bcd, objects, to_bcd};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let plain: String = hex.chars().filter(char::is_ascii_hexdigit).collect();
    HEXUPPER_PERMISSIVE.decode(plain.as_bytes()).unwrap()
}

fn message(hex: &str) -> Apdu {
    let mut received = bytes(hex);
    let message = Apdu::take(&mut received).unwrap();
    assert!(received.is_empty());
    message
}

/// An approved payment of 20.40 EUR, recorded for Portalum.Zvt (StatusInformationParserTest, "PaymentGood1").
const PAYMENT: &str = "04 0F 77 27 00 04 00 00 00 00 20 40 0B 00 04 70 0C 22 39 53 0D 10 06 0E 25 12 17 00 01 19 70 \
    22 F0 F8 EE EE EE EE EE EE 47 71 29 28 00 48 69 2A 31 30 30 34 36 31 37 36 33 20 20 20 20 20 20 \
    3B 36 31 31 38 30 34 00 00 3C F0 F1 F4 47 45 4E 2E 4E 52 2E 3A 36 31 31 38 30 34 49 09 78 87 04 70 \
    88 00 04 70 8A 2E 8B F1 F7 44 65 62 69 74 20 4D 61 73 74 65 72 63 61 72 64 00";
/// The payer's abort ("AbortByKey"), same source.
const ABORTED: &str =
    "04 0F 1E 27 6C 29 28 00 48 69 3C F0 F1 F9 41 62 62 72 75 63 68 20 64 75 72 63 68 20 4B 75 6E 64 65";
/// A payment with a TLV container and without a currency ("TlvInfos2"), same source.
const CONTAINER: &str = "04 0F 6C 27 00 04 00 00 00 00 20 40 0C 21 09 16 0D 11 01 0E 99 99 22 F0 F8 EE EE EE EE EE EE 47 71 \
    A0 01 29 00 00 00 06 87 00 05 0B 00 00 00 8A 06 8B F1 F1 4D 41 53 54 45 52 43 41 52 44 00 06 2E 2F 08 1F 12 01 01 \
    1F 10 01 03 60 1B 43 07 A0 00 00 00 04 10 10 44 10 44 65 62 69 74 20 4D 61 73 74 65 72 63 61 72 64 1F 2B 04 10 01 60 05";
/// A card read by a Feig terminal, recorded for EVerest/zvt (packets.rs, test_status_information).
const CARD: &str =
    "04 0F 22 27 00 06 1E 4C 0A 00 00 00 04 63 C8 B2 AE 4F 80 1F 4C 01 01 1F 4D 02 00 03 1F 4F 02 44 00 1F 50 01 00";

#[test]
fn a_recorded_payment_reads_as_its_publisher_says() {
    let message = message(PAYMENT);
    assert_eq!(message.control, control::STATUS);
    let fields = Fields::parse(&message.data);
    assert_eq!(fields.get(bmp::RESULT), Some(&[0][..]));
    assert_eq!(fields.number(bmp::AMOUNT), Some(2040));
    assert_eq!(fields.number(bmp::CURRENCY), Some(978));
    assert_eq!(fields.number(bmp::TRACE), Some(470));
    assert_eq!(fields.number(bmp::RECEIPT), Some(470));
    assert_eq!(fields.number(bmp::TERMINAL), Some(28_004_869));
    assert_eq!(fields.text(bmp::CARD_NAME).as_deref(), Some("Debit Mastercard"));
    assert_eq!(fields.text(bmp::AUTHORISATION).as_deref(), Some("611804"));
}

#[test]
fn a_recorded_abort_gives_its_code() {
    let fields = Fields::parse(&message(ABORTED).data);
    assert_eq!(fields.get(bmp::RESULT), Some(&[0x6C][..]));
    assert_eq!(fields.number(bmp::AMOUNT), None);
    assert_eq!(fields.text(0x3C).as_deref(), Some("Abbruch durch Kunde"));
}

#[test]
fn a_recorded_container_opens() {
    let check = |hex, tag, value: &[u8]| {
        let fields = Fields::parse(&message(hex).data);
        let found = objects(fields.get(bmp::CONTAINER).unwrap());
        assert!(found.contains(&(tag, value)), "{tag:X} in {found:X?}");
    };
    check(CONTAINER, 0x1F2B, &[0x10, 0x01, 0x60, 0x05]);
    check(CONTAINER, 0x2F, &[0x1F, 0x12, 0x01, 0x01, 0x1F, 0x10, 0x01, 0x03]);
    check(CARD, 0x4C, &[0, 0, 0, 4, 0x63, 0xC8, 0xB2, 0xAE, 0x4F, 0x80]);
    check(CARD, 0x1F50, &[0]);
}

#[test]
fn recorded_messages_are_written_as_they_were_read() {
    for hex in [PAYMENT, ABORTED, CONTAINER, CARD] {
        let message = message(hex);
        assert_eq!(Fields::parse(&message.data).encode(), message.data);
        assert_eq!(message.encode().unwrap(), bytes(hex));
    }
}

#[test]
fn a_long_message_has_its_length_least_significant_byte_first() {
    // The example of PA00P015: 06 D3 FF 5D 03 is a block of 0x035D = 861 bytes.
    let long = Apdu::new(control::PRINT_BLOCK, vec![0x20; 861]);
    let mut encoded = long.encode().unwrap();
    assert_eq!(encoded[..5], [0x06, 0xD3, 0xFF, 0x5D, 0x03]);
    assert_eq!(Apdu::take(&mut encoded), Some(long));
    assert_eq!(Apdu::new(control::ACK, vec![0; 65_536]).encode(), None);
    assert_eq!(Apdu::new(control::ACK, vec![0; 254]).encode().unwrap()[2], 254);
}

#[test]
fn card_data_is_in_no_debug_text() {
    assert_eq!(format!("{:?}", message(PAYMENT)), "Apdu(04 0F, 119 bytes)");
}

proptest! {
    #[test]
    fn any_data_block_is_written_as_it_was_read(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(Fields::parse(&data).encode(), data);
    }

    #[test]
    fn messages_come_out_whole_however_the_line_cuts_them(
        sizes in proptest::collection::vec(0_usize..600, 1..5),
        cut in 1_usize..50,
    ) {
        let sent: Vec<Apdu> = sizes.iter().map(|size| Apdu::new(control::STATUS, vec![7; *size])).collect();
        let line: Vec<u8> = sent.iter().flat_map(|message| message.encode().unwrap()).collect();
        let (mut received, mut found) = (Vec::new(), Vec::new());
        for piece in line.chunks(cut) {
            received.extend(piece);
            found.extend(std::iter::from_fn(|| Apdu::take(&mut received)));
        }
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn decimal_digits_read_back(number in 0_u64..1_000_000_000_000) {
        prop_assert_eq!(to_bcd::<6>(number).and_then(|digits| from_bcd(&digits)), Some(number));
    }
}

#[test]
fn what_has_no_decimal_digits_is_no_number() {
    assert_eq!(from_bcd(&[0x1A]), None);
    assert_eq!(to_bcd::<2>(10_000), None);
}
