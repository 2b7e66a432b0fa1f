//! Uploads and receipts on the wire, as they were and as they are.

use super::*;
use crate::credit_order::SignedCreditOrder;
use crate::note::NoteKey;
use crate::receipt::Receipt;

fn report() -> CardReport {
    let record = TopUpRecord {
        counter: 5,
        day: Day(20_779),
        top_up: TopUpId([0x9C; 16]),
        amount: Cents(2_000),
        before: Cents(150),
        terminal: TerminalId(3),
    };
    CardReport {
        card: CardNumber(3_300_000_017),
        generation: Generation(1),
        counter: 5,
        purse: Some(Cents(2_150)),
        records: vec![record],
        movement_counter: Some(31),
        needs_check: false,
        claim: Some(TopUpId([0x9C; 16])),
        at: Timestamp(1_795_345_200_000),
    }
}

fn uploads() -> Vec<Upload> {
    let record = WireTopUpRecord { counter: 2, day: 20_000, top_up: [1; 16], amount: 500, before: 20, terminal: 3 };
    let evidence = ClaimEvidence { card: 9, generation: 1, top_up: [1; 16], purse: Some(520), records: vec![record] };
    let kind = DocumentKind::VolanteIndividual;
    let issued = DocumentIssued::new(DocumentCode([5; 16]), kind, vec![1, 2], Timestamp(77), true, b"%PDF".to_vec());
    [
        UploadBody::LedgerEntry(vec![1, 2, 3]),
        UploadBody::DocumentIssued(issued),
        UploadBody::ClaimEvidence(evidence),
        UploadBody::CardSeen(CardSeen::from(&report())),
        UploadBody::Status(TerminalStatus { version: "1.0".into(), ..TerminalStatus::default() }),
    ]
    .into_iter()
    .map(|body| Upload { terminal: 3, journal_generation: 1, key: IdempotencyKey([4; 16]), written: 99, body })
    .collect()
}

#[test]
fn every_kind_of_upload_survives_the_wire() {
    for upload in uploads() {
        assert_eq!(Upload::decode(&upload.encode().unwrap()), Ok(upload));
    }
    assert_eq!(Upload::decode(b"\xA0"), Err(UploadError::Malformed));
    let longer = [uploads()[0].encode().unwrap(), vec![0]].concat();
    assert_eq!(Upload::decode(&longer), Err(UploadError::Malformed), "one upload has one form");
}

#[test]
fn a_receipt_holds_for_its_upload_and_its_city_only() {
    let key = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let bytes = uploads()[0].encode().unwrap();
    let receipt = Receipt::sign(IdempotencyKey([4; 16]), &bytes, 7, Timestamp(1), &key);
    let receipt = Receipt::decode(&receipt.encode().unwrap()).unwrap();
    assert_eq!(receipt.verify(&bytes, &key.verifier()), Ok(()));
    assert_eq!(receipt.verify(b"other", &key.verifier()), Err(UploadError::OtherUpload));
    let renumbered = Receipt { number: 8, ..receipt };
    assert_eq!(renumbered.verify(&bytes, &key.verifier()), Err(UploadError::BadSignature));
}

/// An upload of a card that was seen, and a receipt, as written when each kind was new.
const CARD_SEEN: &str = include_str!("../tests/data/upload-card-seen.hex");
const RECEIPT: &str = include_str!("../tests/data/receipt-without-order.hex");

#[test]
fn the_committed_report_of_a_card_is_read_and_written_as_it_stands() {
    let bytes = HEXLOWER.decode(CARD_SEEN.trim().as_bytes()).unwrap();
    let upload = Upload::decode(&bytes).unwrap();
    assert_eq!(upload.encode().unwrap(), bytes);
    assert_eq!(upload.body.name(), "card-seen");
    let UploadBody::CardSeen(seen) = &upload.body else { panic!("{upload:?}") };
    assert_eq!(CardReport::from(seen), report());
}

#[test]
fn a_report_of_a_card_that_tells_little_survives_the_wire() {
    let little = CardReport { purse: None, records: Vec::new(), movement_counter: None, claim: None, ..report() };
    let bytes = minicbor::to_vec(CardSeen::from(&little)).unwrap();
    let read: CardSeen = minicbor::decode(&bytes).unwrap();
    assert_eq!(CardReport::from(&read), little);
}

#[test]
fn a_receipt_of_before_there_were_orders_is_read_and_one_without_order_is_written_as_before() {
    let key = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let bytes = HEXLOWER.decode(RECEIPT.trim().as_bytes()).unwrap();
    let receipt = Receipt::decode(&bytes).unwrap();
    assert_eq!((receipt.order.clone(), receipt.encode().unwrap()), (None, bytes));
    assert_eq!(receipt.verify(b"an upload", &key.verifier()), Ok(()));
}

#[test]
fn an_order_rides_on_a_receipt_without_touching_its_signature() {
    use crate::credit_order::tests::order;
    let key = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let signed = SignedCreditOrder::sign(&order(), &key).unwrap();
    let receipt = Receipt::sign(IdempotencyKey([4; 16]), b"an upload", 7, Timestamp(1), &key);
    let with = Receipt::decode(&receipt.clone().with_order(Some(signed)).encode().unwrap()).unwrap();
    assert_eq!(with.verify(b"an upload", &key.verifier()), Ok(()));
    assert_eq!(with.order.as_ref().and_then(|order| order.verify(&key.verifier()).ok()), Some(order()));
    assert_eq!(with.with_order(None), receipt);
}

#[test]
fn a_deposit_whose_paper_was_changed_is_not_whole() {
    let UploadBody::DocumentIssued(mut issued) = uploads().remove(1).body else { panic!("order") };
    assert!(issued.is_whole());
    issued.pdf.push(0);
    assert!(!issued.is_whole());
}
