//! The codec against messages that others recorded from real terminals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use data_encoding::HEXUPPER_PERMISSIVE;
use domain::Cents;
use domain::device::{PaymentApproval, PaymentReference};
use payment::zvt::apdu::{Apdu, control};
use payment::zvt::command::{Till, Timing, open_reservations};
use payment::zvt::field::{Fields, bmp, from_bcd, to_bcd};
use payment::zvt::tlv::{Objects, tag};
use payment::zvt::{Kind, Status, open_receipts};
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
        let found = Objects::parse(fields.get(bmp::CONTAINER).unwrap());
        assert!(found.is_whole() && found.get(tag) == Some(value), "{tag:X} in {found:X?}");
    };
    check(CONTAINER, 0x1F2B, &[0x10, 0x01, 0x60, 0x05]);
    check(CONTAINER, 0x2F, &[0x1F, 0x12, 0x01, 0x01, 0x1F, 0x10, 0x01, 0x03]);
    check(CARD, 0x4C, &[0, 0, 0, 4, 0x63, 0xC8, 0xB2, 0xAE, 0x4F, 0x80]);
    check(CARD, 0x1F50, &[0]);
}

/// The completion of a registration of a terminal in vending machine mode (EVerest/zvt, test_completion_data).
const REGISTERED: &str = "06 0F 0A 19 10 29 52 52 35 35 49 09 78";
/// The till's abort taken, with a text (ecrterm, test_parsing_abort.py).
const EXTERNAL_ABORT: &str = "06 1E 2E 6C 06 2B 1F 16 05 FF 00 00 14 41 1F 17 20 41 62 62 72 75 63 68 20 64 75 72 63 68 20 65 78 74 \
    65 72 6E 65 73 20 4B 6F 6D 6D 61 6E 64 6F 21";
/// No pre-authorisation is open: the same bytes at EVerest/zvt (partial_reversal.blob) and ecrterm.
const NONE_OPEN: &str = "06 1E 04 B8 87 FF FF";
/// One is (ecrterm, test_parsing_open_reservation_responses.py).
const ONE_OPEN: &str = "06 1E 04 B8 87 01 23";

#[test]
fn recorded_commands_are_the_bytes_that_are_sent() {
    let till = Till { password: 123_456, currency: 978 };
    let check = |command: Option<Apdu>, hex: &str| assert_eq!(command.unwrap().encode().unwrap(), bytes(hex));
    // EVerest/zvt, test_end_of_day.
    check(Some(till.end_of_day()), "06 50 03 12 34 56");
    // The same with another config byte there (DE; test_registration).
    check(Some(till.registration()), "06 00 06 12 34 56 BE 09 78");
    // EVerest/zvt's and a FEIG cVEND's enquiry for open pre-authorisations.
    check(Some(open_reservations()), "06 23 03 87 FF FF");
    // PA00P015, 06 20 and 06 30, as Portalum.Zvt sends them.
    check(Some(till.repeat_receipt(false)), "06 20 03 12 34 56");
    check(Some(till.repeat_receipt(true)), "06 20 05 12 34 56 03 03");
    check(till.reversal(231), "06 30 06 12 34 56 87 02 31");
}

#[test]
fn a_release_has_the_fields_of_a_recorded_one() {
    // EVerest/zvt, test_pre_auth_reversal: payment type, receipt, currency. The payment type is the terminal's own
    // choice there (40) and left out here.
    let recorded = Fields::parse(&message("06 25 08 19 40 87 02 31 49 09 78").data);
    let ours = Till { password: 0, currency: 978 }.release(&reserved()).unwrap();
    let ours = Fields::parse(&ours.data);
    for number in [bmp::RECEIPT, bmp::CURRENCY] {
        assert_eq!(ours.get(number), recorded.get(number));
    }
    assert_eq!(ours.get(bmp::STATUS), None);
}

/// The pre-authorisation of EVerest/zvt's test_status_information: receipt 231, trace 975, attribute 750071.
fn reserved() -> PaymentApproval {
    PaymentApproval {
        reference: PaymentReference { terminal: "52523535".to_owned(), receipt: 231, trace: 975 },
        amount: Cents(2500),
        authorisation: "750071".to_owned(),
        ..PaymentApproval::default()
    }
}

#[test]
fn reserving_and_booking_name_all_that_public_implementations_name() {
    let till = Till { password: 0, currency: 978 };
    let timing = Timing { answer_timeout_s: 15, outcomes_max: 4 };
    let reserve = till.reservation(Cents(2500), timing).unwrap().encode().unwrap();
    assert_eq!(reserve, bytes("06 22 0E 04 00 00 00 00 25 00 49 09 78 01 0F 02 04"));
    let book = till.book_total(&reserved()).unwrap().encode().unwrap();
    let fields = "87 02 31 04 00 00 00 00 25 00 49 09 78 0B 00 09 75 3B 37 35 30 30 37 31 00 00";
    assert_eq!(book, [bytes("06 24 1A"), bytes(fields)].concat());
    assert_eq!(till.authorisation(Cents(-1), timing), None);
    assert_eq!(till.reversal(10_000), None);
}

#[test]
fn the_list_of_open_reservations_is_read_whole_or_not_at_all() {
    let check = |hex: &str, open: Option<&[u32]>| {
        assert_eq!(open_receipts(&message(hex).data).as_deref(), open, "{hex}");
    };
    check(NONE_OPEN, Some(&[]));
    check(ONE_OPEN, Some(&[123]));
    // As ecrterm describes it, with the lengths that the values have.
    check("06 1E 0D B8 06 0A 23 08 08 02 01 23 08 02 45 67", Some(&[123, 4567]));
    check("06 1E 10 B8 87 01 23 06 0A 23 08 08 02 01 23 08 02 45 67", Some(&[123, 4567]));
    // And with the lengths it has there, which promise more than comes.
    check("06 1E 10 B8 87 01 23 06 11 23 09 08 02 45 67 08 02 78 90", None);
    // Another code, no list, no number, a number that is none.
    check("06 1E 04 6C 87 01 23", None);
    check("06 1E 01 B8", None);
    check("06 1E 00", None);
    check("06 1E 04 B8 87 0A 23", None);
}

#[test]
fn a_registration_tells_who_answers_and_in_which_mode() {
    let fields = Fields::parse(&message(REGISTERED).data);
    assert_eq!(fields.number(bmp::TERMINAL), Some(52_523_535));
    // Bit 4: vending machine mode.
    assert_eq!(fields.get(bmp::STATUS), Some(&[0x10][..]));
}

#[test]
fn a_status_tells_what_kind_of_transaction_it_is() {
    let check = |fields: &str, kind| assert_eq!(Status::parse(&bytes(fields), None).kind(), kind, "{fields}");
    check("27 00 04 00 00 00 00 20 40 0B 00 04 70", Kind::Original);
    check("27 00 04 00 00 00 00 20 40 06 04 0A 02 06 22", Kind::Original);
    check("27 00 04 00 00 00 00 20 40 37 00 04 70", Kind::Linked);
    check("27 00 04 00 00 00 00 20 40 37 00 04 70 06 04 0A 02 06 30", Kind::Undoing);
    check("27 00 04 00 00 00 00 20 40 37 00 04 70 06 04 0A 02 06 24", Kind::Booking);
    // A release as Feig's terminals report it: nothing is held any more.
    check("27 00 04 00 00 00 00 00 00 37 00 09 75", Kind::Undoing);
}

#[test]
fn recorded_messages_are_written_as_they_were_read() {
    for hex in [PAYMENT, ABORTED, CONTAINER, CARD, REGISTERED, EXTERNAL_ABORT, NONE_OPEN, ONE_OPEN] {
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
    fn any_container_is_written_as_it_was_read(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(Objects::parse(&data).encode(), data);
    }

    #[test]
    fn containers_in_containers_and_unknown_fields_come_back_byte_for_byte(
        unknown in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..6),
        list in proptest::collection::vec(any::<u8>(), 0..60),
        tail in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut objects = vec![u8::try_from(tag::RECEIPTS).unwrap(), u8::try_from(list.len()).unwrap()];
        objects.extend(&list);
        for (number, value) in &unknown {
            // Two tag bytes, and a length in two bytes even where one would do.
            objects.extend([0x1F, number & 0x7F, 0x81, u8::try_from(value.len()).unwrap()]);
            objects.extend(value);
        }
        let parsed = Objects::parse(&objects);
        prop_assert!(parsed.is_whole());
        prop_assert_eq!(parsed.get(tag::RECEIPTS), Some(&list[..]));
        prop_assert_eq!(parsed.iter().count(), unknown.len() + 1);
        prop_assert_eq!(parsed.encode(), objects.clone());

        let length = u16::try_from(objects.len()).unwrap().to_be_bytes();
        let data = [&[0x27, 0x00, 0x06, 0x82], &length[..], &objects, &[0x99], &tail].concat();
        let fields = Fields::parse(&data);
        prop_assert_eq!(fields.get(bmp::CONTAINER), Some(&objects[..]));
        prop_assert_eq!(fields.encode(), data);
    }

    #[test]
    fn nothing_received_breaks_a_reader(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let status = Status::parse(&data, None);
        let _ = (status.kind(), open_receipts(&data));
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
