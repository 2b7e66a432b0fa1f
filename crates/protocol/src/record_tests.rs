//! Records on the wire, in both directions and across versions.

use super::*;

#[test]
fn records_survive_the_wire_and_the_domain() {
    let tap = samples::tap();
    assert_eq!(TapRecord::decode(&tap.encode()).unwrap(), tap);
    let (facts, key) = tap.to_facts();
    assert_eq!(TapRecord::from_facts(&facts, key.as_ref()), tap);
    let pin = samples::pin();
    assert_eq!(PinRecord::decode(&pin.encode()).unwrap(), pin);
    assert_eq!(PinRecord::from_facts(&pin.to_facts()), pin);
}

#[test]
fn an_unknown_version_is_named_and_a_malformed_record_refused() {
    let mut bytes = samples::tap().encode().to_vec();
    bytes[0] = 9;
    assert!(matches!(TapRecord::decode(&bytes), Err(RecordError::UnknownVersion(9))));
    assert!(matches!(TapRecord::decode(&[1, 0xFF]), Err(RecordError::Malformed)));
    assert!(matches!(TapRecord::decode(&[]), Err(RecordError::Malformed)));
}

#[test]
fn fields_of_a_newer_central_are_skipped() {
    // {0: 3, 1: [], 3: 0, 4: 0, 6: 5, 40: "later"}
    let bytes = b"\x01\xA6\x00\x03\x01\x80\x03\x00\x04\x00\x06\x05\x18\x28\x65later";
    let record = TapRecord::decode(bytes).unwrap();
    assert_eq!((record.price_class, record.as_of, record.credit_key), (3, 5, None));
}

#[test]
fn a_record_without_a_role_is_a_holders_and_an_unknown_role_stays_opaque() {
    let role_of = |role| {
        let mut record = samples::tap();
        record.role = role;
        TapRecord::decode(&record.encode()).map(|record| record.to_facts().0.role)
    };
    assert_eq!(role_of(None).unwrap(), Role::Holder);
    assert_eq!(role_of(Some(1)).unwrap(), Role::Technician);
    assert!(matches!(role_of(Some(2)), Err(RecordError::UnknownRole(2))));
    // As central wrote it before there were roles: {0: 3, 1: [], 3: 0, 4: 0, 6: 5}
    let before = TapRecord::decode(b"\x01\xA5\x00\x03\x01\x80\x03\x00\x04\x00\x06\x05").unwrap();
    assert_eq!(before.to_facts().0.role, Role::Holder);
}

#[test]
fn a_service_card_survives_the_wire() {
    let facts = TapFacts { role: Role::Technician, ..samples::tap().to_facts().0 };
    assert_eq!(TapRecord::decode(&TapRecord::from_facts(&facts, None).encode()).unwrap().to_facts().0, facts);
}

#[test]
fn a_document_of_an_unknown_kind_is_left_out() {
    let mut record = samples::pin();
    record.documents[0].kind = "volante-colectivo".into();
    assert!(record.to_facts().documents.is_empty());
}

/// A tap record with an open top-up and its order, as central wrote it under version 1.
const OPEN: &str = include_str!("../tests/data/tap-record-open-1.hex");

#[test]
fn open_top_ups_come_with_the_orders_that_the_city_signed() {
    use crate::credit_order::tests::{key, order};
    let bytes = data_encoding::HEXLOWER.decode(OPEN.trim().as_bytes()).unwrap();
    let record = TapRecord::decode(&bytes).unwrap();
    assert_eq!(*record.encode(), bytes);
    let open = OpenTopUp { top_up: order().top_up, amount: order().amount, order: None };
    assert_eq!(record.to_facts().0.open, [open]);
    assert_eq!(record.verified_open(&[key(2).verifier()]), [open]);
    let ordered = OpenTopUp { order: Some(order()), ..open };
    assert_eq!(record.verified_open(&[key(2).verifier(), key(1).verifier()]), [ordered]);
}

#[test]
fn an_order_that_is_for_another_top_up_or_amount_is_left_out() {
    use crate::credit_order::tests::{key, order};
    let signed = SignedCreditOrder::sign(&order(), &key(1)).unwrap();
    let check = |top_up, amount, expected| {
        let mut record = samples::tap();
        record.open = vec![WireOpenTopUp::new(top_up, amount, Some(signed.clone()))];
        let read = TapRecord::decode(&record.encode()).unwrap();
        assert_eq!(read.verified_open(&[key(1).verifier()])[0].order, expected);
    };
    check(order().top_up, order().amount, Some(order()));
    check(TopUpId([1; 16]), order().amount, None);
    check(order().top_up, Cents(2_001), None);
}

#[test]
fn a_record_of_before_there_were_claims_has_none_and_one_without_claims_is_written_as_before() {
    let before = b"\x01\xA5\x00\x03\x01\x80\x03\x00\x04\x00\x06\x05";
    let record = TapRecord::decode(before).unwrap();
    assert!(record.open.is_empty() && record.to_facts().0.open.is_empty());
    assert_eq!(record.encode().as_slice(), before);
}
