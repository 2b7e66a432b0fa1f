//! What is committed, and what is not.

use super::reader::{CREDIT, DEBIT, READ, Reader, command, frame, opening_record, refused};
use super::{card, card_with};
use crate::memory::CommMode;
use crate::transaction::{session_transaction_key, transaction_mac_value};
use crate::{DebitError, Key, Status};
use domain::{Cents, TerminalId};
use serde_json::json;

const TRIES: [u8; 7] = [5, 0, 0, 0, 16, 0, 0];

fn record(counter: u8) -> [u8; 48] {
    let mut record = [0x42; 48];
    record[..4].copy_from_slice(&[counter, 0, 0, 0]);
    record
}

#[test]
fn a_credit_and_its_record_become_valid_together_at_the_commit() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(2_000).unwrap();
    reader.write_top_up(&record(1)).unwrap();
    assert_eq!(reader.value(), 1_250, "reads before the commit are of committed data");
    assert_eq!(reader.full(0xBB, &[3, 0, 0, 0, 1, 0, 0], &[]), Ok(opening_record().to_vec()));
    assert_eq!((reader.card.purse(), reader.card.top_ups().len()), (Some(Cents(1_250)), 1));
    reader.reader_id().unwrap();
    assert_eq!(reader.commit().unwrap()[..4], [1, 0, 0, 0]);
    assert_eq!(reader.value(), 3_250);
    assert_eq!(reader.full(0xBB, &[3, 0, 0, 0, 1, 0, 0], &[]), Ok(record(1).to_vec()));
    assert_eq!((card.purse(), card.top_ups()[0].counter), (Some(Cents(3_250)), 1));
}

#[test]
fn what_is_not_committed_does_not_exist() {
    type End = fn(&mut Reader<'_>);
    let ends: [(&str, End); 6] = [
        ("field lost", |reader| reader.card.field_off()),
        ("aborted", |reader| assert!(reader.send(CommMode::Mac, 0xA7, &[], &[]).is_ok())),
        ("error status", |reader| assert!(reader.full(0xBD, &[9, 0, 0, 0, 0, 0, 0], &[]).is_err())),
        ("selected again", |reader| assert_eq!(frame(reader.card, 0x5A, &[0xF5, 0x1C, 0x01]).1, 0)),
        ("authenticated again", |reader| assert_eq!(reader.authenticate(0x71, CREDIT), 0)),
        ("commit with a wrong MAC", |reader| assert!(command(reader.card, 0xC7, &[1; 9]).1 != 0)),
    ];
    for (name, end) in ends {
        let mut card = card();
        let mut reader = Reader::open(&mut card, CREDIT);
        reader.credit(2_000).unwrap();
        reader.write_top_up(&record(1)).unwrap();
        reader.reader_id().unwrap();
        end(&mut reader);
        assert!(reader.commit().is_err(), "{name}: nothing is left to commit");
        assert_eq!((card.purse(), card.top_ups().len()), (Some(Cents(1_250)), 1), "{name}");
        assert_eq!(card.transaction_mac(), Some((0, [0; 8])), "{name}");
    }
}

#[test]
fn a_commit_without_reader_identity_is_refused_and_rolls_back() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(2_000).unwrap();
    assert_eq!(reader.commit(), refused(Status::PermissionDenied));
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn a_commit_of_nothing_says_so() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.reader_id().unwrap();
    assert_eq!(reader.commit(), refused(Status::NoChanges));
}

#[test]
fn a_second_reader_identity_in_one_transaction_is_refused() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(1).unwrap();
    reader.reader_id().unwrap();
    assert_eq!(reader.reader_id(), refused(Status::PermissionDenied));
}

#[test]
fn the_purse_keeps_its_limits() {
    let check = |key, ins, cents: i32, status: Result<Vec<u8>, u8>| {
        let mut card = card();
        assert_eq!(Reader::open(&mut card, key).full(ins, &[2], &cents.to_le_bytes()), status, "{cents}");
    };
    check(CREDIT, 0x0C, 13_750, Ok(vec![]));
    check(CREDIT, 0x0C, 13_751, refused(Status::Boundary));
    check(CREDIT, 0x0C, i32::MAX, refused(Status::Boundary));
    check(CREDIT, 0x0C, -1, refused(Status::Parameter));
    check(DEBIT, 0xDC, 1_250, Ok(vec![]));
    check(DEBIT, 0xDC, 1_251, refused(Status::Boundary));
    check(DEBIT, 0xDC, -1, refused(Status::Parameter));
}

#[test]
fn two_credits_of_one_transaction_are_limited_by_their_sum() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(10_000).unwrap();
    assert_eq!(reader.credit(3_751), refused(Status::Boundary));
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn writes_to_a_record_file_in_one_transaction_go_to_one_record() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.full(0x3B, &[3, 0, 0, 0, 4, 0, 0], &[9, 0, 0, 0]).unwrap();
    reader.full(0x3B, &[3, 24, 0, 0, 4, 0, 0], &[0xE8, 3, 0, 0]).unwrap();
    reader.reader_id().unwrap();
    reader.commit().unwrap();
    let top_ups = card.top_ups();
    assert_eq!((top_ups.len(), top_ups[0].counter, top_ups[0].amount), (2, 9, Cents(1_000)));
}

#[test]
fn the_ring_lets_the_oldest_record_go() {
    let mut card = card();
    for counter in 1..=7 {
        let mut reader = Reader::open(&mut card, CREDIT);
        reader.write_top_up(&record(counter)).unwrap();
        reader.reader_id().unwrap();
        reader.commit().unwrap();
    }
    let counters: Vec<u32> = card.top_ups().iter().map(|record| record.counter).collect();
    assert_eq!(counters, [7, 6, 5, 4, 3]);
    let mut reader = Reader::open(&mut card, READ);
    let all = reader.full(0xBB, &[3, 0, 0, 0, 0, 0, 0], &[]).unwrap();
    assert_eq!((all.len(), all[0], all[4 * 48]), (5 * 48, 3, 7), "oldest first");
    assert_eq!(reader.full(0xBB, &[3, 2, 0, 0, 2, 0, 0], &[]).unwrap()[0], 4, "counted from the newest");
}

#[test]
fn tries_are_written_under_the_read_key() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, READ);
    reader.full(0x3D, &TRIES, &[5, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    reader.reader_id().unwrap();
    reader.commit().unwrap();
    assert_eq!(reader.full(0xBD, &TRIES, &[]).unwrap()[..6], [5, 0, 0, 0, 2, 1]);
    assert_eq!(card.tries().map(|tries| tries.attempt), Some(5));
}

#[test]
fn the_evidence_is_the_issuers_mac_over_the_whole_transaction() {
    let mut card = card();
    let uid = card.memory().uid;
    let key = Key::new([0xAF; 16]);
    let mut reader = Reader::open(&mut card, CREDIT);
    assert_eq!(reader.value(), 1_250);
    reader.credit(2_000).unwrap();
    reader.write_top_up(&record(1)).unwrap();
    let previous = reader.reader_id().unwrap();
    let evidence = reader.commit().unwrap();
    let zeros = |len| vec![0; len];
    let input = [
        vec![0x6C, 2, 0xE2, 4, 0, 0],
        zeros(10),
        vec![0x0C, 2, 0xD0, 7, 0, 0],
        zeros(10),
        vec![0x3B, 3, 0, 0, 0, 48, 0, 0],
        zeros(8),
        record(1).to_vec(),
        vec![0xC8],
        vec![0x77; 16],
        previous.clone(),
        zeros(15),
    ]
    .concat();
    assert_eq!(evidence[4..], transaction_mac_value(&key, 1, &uid, &input));
    let encryption = session_transaction_key(&key, 0xA5, 1, &uid);
    assert_eq!(crate::crypto::cbc_decrypt(&encryption, &[0; 16], &previous), [0; 16], "no reader before");
    let file = reader.send(CommMode::Plain, 0xBD, &[15, 0, 0, 0, 0, 0, 0], &[]);
    assert_eq!(file, Ok(evidence), "the file shows what the commit answered");
    reader.credit(1).unwrap();
    let previous = reader.reader_id().unwrap();
    let encryption = session_transaction_key(&key, 0xA5, 2, &uid);
    assert_eq!(crate::crypto::cbc_decrypt(&encryption, &[0; 16], &previous), [0x77; 16]);
}

#[test]
fn a_validator_debits_and_leaves_its_record() {
    let mut card = card();
    let movement = card.debit(Cents(95), 2, 29_000_000, TerminalId(501)).unwrap();
    assert_eq!((movement.counter, movement.balance), (1, Cents(1_155)));
    assert_eq!((card.purse(), card.movements()[0]), (Some(Cents(1_155)), movement));
    assert_eq!(card.transaction_mac().map(|(counter, _)| counter), Some(1));
    assert_eq!(card.debit(Cents(1_156), 2, 29_000_001, TerminalId(501)), Err(DebitError::Amount));
    assert_eq!(card.debit(Cents(-1), 2, 29_000_001, TerminalId(501)), Err(DebitError::Amount));
    assert_eq!((card.purse(), card.movements().len()), (Some(Cents(1_155)), 2));
}

#[test]
fn a_debit_elsewhere_ends_the_kiosks_session() {
    let mut card = card();
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(2_000).unwrap();
    reader.card.debit(Cents(95), 2, 29_000_000, TerminalId(501)).unwrap();
    assert!(reader.commit().is_err());
    assert_eq!(card.purse(), Some(Cents(1_155)));
}

#[test]
fn a_value_may_be_negative_where_its_file_says_so() {
    for (chip, scheme) in super::issuing::KINDS {
        let mut card = super::issuing::blank(chip);
        let factory = crate::memory::CardKey::factory().key;
        let mut reader = Reader::at(&mut card, super::reader::CHIP, scheme, 0, &factory).unwrap();
        reader.mac(0xCA, &[0xF5, 0x1C, 0x01, 0x0B, 0x81]).unwrap();
        let mut reader = Reader::at(&mut card, super::reader::AID, scheme, 0, &factory).unwrap();
        let amounts = [-500_i32, 1_000, 100].map(i32::to_le_bytes).concat();
        reader.mac(0xCC, &[&[2, 3, 0, 0], amounts.as_slice(), &[1]].concat()).unwrap();
        let mut change = |ins, cents: i32| reader.full(ins, &[2], &cents.to_le_bytes());
        change(0xDC, 400).unwrap();
        change(0xDC, 200).unwrap();
        reader.mac(0xC7, &[]).unwrap();
        assert_eq!(reader.value(), -500);
        reader.full(0x1C, &[2], &600_i32.to_le_bytes()).unwrap();
        reader.mac(0xC7, &[]).unwrap();
        assert_eq!(reader.value(), 100, "a limited credit gives back all debits of the transaction before");
        assert_eq!(reader.full(0x1C, &[2], &1_i32.to_le_bytes()), refused(Status::Boundary), "once");
    }
}

#[test]
fn limited_credit_gives_back_what_the_last_transaction_debited() {
    let mut card = card_with(|value| value["purse"]["value"] = json!(1_000));
    let (_, application) = card.application().unwrap();
    let mut application = application.clone();
    if let Some(crate::memory::Contents::Value(file)) = application.files.get_mut(&2).map(|file| &mut file.contents) {
        file.limited_credit = true;
    }
    card.picc.install(0, application).unwrap();
    card.debit(Cents(300), 1, 1, TerminalId(1)).unwrap();
    let back =
        |card: &mut crate::VirtualCard, cents: i32| Reader::open(card, DEBIT).full(0x1C, &[2], &cents.to_le_bytes());
    assert_eq!(back(&mut card, 301), refused(Status::Boundary));
    assert_eq!(back(&mut card, 300), Ok(vec![]));
}
