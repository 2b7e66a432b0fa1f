//! Linear and cyclic record files: write, update, clear.

use super::issuing::blank;
use super::reader::{AID, Reader, SCHEMES, Scheme, refused};
use crate::memory::{Access, Application, CardKey, Chip, CommMode, Contents, File, RecordFile, Rights};
use crate::{CardDescription, Debit, Status, TopUp, VirtualCard, personalise};
use domain::{Cents, Day, TerminalId, TopUpId};
use std::collections::BTreeMap;

const LINEAR: u8 = 1;
const CYCLIC: u8 = 2;

/// Both kinds of file, four records each, with all rights under key 0.
fn card() -> VirtualCard {
    let master = Access::Key(0);
    let rights = Rights { read: master, write: master, read_write: master, change: master };
    let records = RecordFile { record_size: 2, max_records: 4, records: Vec::new() };
    let file = |contents| File { comm: CommMode::Full, rights, contents };
    let files =
        BTreeMap::from([(LINEAR, file(Contents::Linear(records.clone()))), (CYCLIC, file(Contents::Cyclic(records)))]);
    let mut card = blank(Chip::Ev3);
    let mut memory = card.memory().clone();
    memory.applications.push(Application { aid: AID, key_settings: 0x0B, keys: vec![CardKey::factory()], files });
    card.picc.install_memory(memory).unwrap();
    card
}

fn open(card: &mut VirtualCard, scheme: Scheme) -> Reader<'_> {
    Reader::at(card, AID, scheme, 0, &CardKey::factory().key).unwrap()
}

fn write(reader: &mut Reader<'_>, file: u8, record: u8) -> Result<Vec<u8>, u8> {
    reader.full(0x3B, &[file, 0, 0, 0, 2, 0, 0], &[record; 2])?;
    reader.mac(0xC7, &[])
}

fn all(reader: &mut Reader<'_>, file: u8) -> Result<Vec<u8>, u8> {
    reader.full(0xBB, &[file, 0, 0, 0, 0, 0, 0], &[])
}

fn filled(card: &mut VirtualCard, scheme: Scheme) -> Reader<'_> {
    let mut reader = open(card, scheme);
    for record in 1..=4 {
        write(&mut reader, LINEAR, record).unwrap();
        write(&mut reader, CYCLIC, record).unwrap();
    }
    reader
}

#[test]
fn a_linear_file_fills_up_and_a_cyclic_one_goes_round() {
    for scheme in SCHEMES {
        let mut card = card();
        let mut reader = filled(&mut card, scheme);
        assert_eq!(all(&mut reader, LINEAR), Ok(vec![1, 1, 2, 2, 3, 3, 4, 4]));
        assert_eq!(all(&mut reader, CYCLIC), Ok(vec![2, 2, 3, 3, 4, 4]));
        assert_eq!(reader.full(0xBB, &[LINEAR, 1, 0, 0, 2, 0, 0], &[]), Ok(vec![2, 2, 3, 3]), "from the newest back");
        assert_eq!(write(&mut reader, LINEAR, 5), refused(Status::Boundary));
    }
}

#[test]
fn a_record_is_updated_at_the_commit_and_one_of_a_file_at_a_time() {
    for scheme in SCHEMES {
        let mut card = card();
        let mut reader = filled(&mut card, scheme);
        let second = [LINEAR, 1, 0, 0, 1, 0, 0, 1, 0, 0];
        reader.full(0xDB, &second, &[0xEE]).unwrap();
        assert_eq!(all(&mut reader, LINEAR), Ok(vec![1, 1, 2, 2, 3, 3, 4, 4]), "not yet");
        reader.mac(0xC7, &[]).unwrap();
        assert_eq!(all(&mut reader, LINEAR), Ok(vec![1, 1, 2, 2, 3, 0xEE, 4, 4]));
        reader.full(0xBA, &[CYCLIC, 0, 0, 0, 0, 0, 0, 2, 0, 0], &[9, 9]).unwrap();
        reader.mac(0xC7, &[]).unwrap();
        assert_eq!(all(&mut reader, CYCLIC), Ok(vec![2, 2, 3, 3, 9, 9]));
        reader.full(0xDB, &second, &[1]).unwrap();
        let other = reader.full(0xDB, &[LINEAR, 0, 0, 0, 0, 0, 0, 1, 0, 0], &[1]);
        assert_eq!(other, refused(Status::PermissionDenied), "there is one mirror");
    }
}

#[test]
fn an_update_beyond_the_records_or_the_record_is_refused() {
    let check = |header: [u8; 10], data: &[u8]| {
        let mut card = card();
        let mut reader = filled(&mut card, Scheme::Ev2);
        assert_eq!(reader.full(0xDB, &header, data), refused(Status::Boundary), "{header:?}");
    };
    check([LINEAR, 4, 0, 0, 0, 0, 0, 1, 0, 0], &[1]);
    check([CYCLIC, 3, 0, 0, 0, 0, 0, 1, 0, 0], &[1]);
    check([LINEAR, 0, 0, 0, 1, 0, 0, 2, 0, 0], &[1, 1]);
    check([LINEAR, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0], &[1]);
}

#[test]
fn clearing_empties_a_file_at_the_commit_and_not_before() {
    for scheme in SCHEMES {
        let mut card = card();
        let mut reader = filled(&mut card, scheme);
        reader.mac(0xEB, &[CYCLIC]).unwrap();
        assert_eq!(all(&mut reader, CYCLIC), Ok(vec![2, 2, 3, 3, 4, 4]));
        reader.mac(0xC7, &[]).unwrap();
        assert_eq!(reader.mac(0xF5, &[CYCLIC]).unwrap()[10..], [0, 0, 0]);
        assert_eq!(all(&mut reader, CYCLIC), refused(Status::Boundary));
        let mut reader = open(&mut card, scheme);
        write(&mut reader, CYCLIC, 8).unwrap();
        reader.mac(0xEB, &[LINEAR]).unwrap();
        reader.mac(0xA7, &[]).unwrap();
        assert_eq!(all(&mut reader, LINEAR), Ok(vec![1, 1, 2, 2, 3, 3, 4, 4]), "aborted");
        reader.mac(0xEB, &[CYCLIC]).unwrap();
        let mixed = reader.full(0x3B, &[CYCLIC, 0, 0, 0, 2, 0, 0], &[5, 5]);
        assert_eq!(mixed, refused(Status::PermissionDenied), "not both in one transaction");
    }
}

#[test]
fn record_0_carries_what_the_purse_was_opened_with() {
    let opened = |description: &CardDescription| {
        let card = personalise(description).unwrap();
        let record = card.top_ups().into_iter().find(|record| record.counter == 0).unwrap();
        assert_eq!((record.before, record.top_up), (Cents(0), TopUpId([0; 16])));
        record.amount
    };
    let mut description: CardDescription = serde_json::from_value(super::description()).unwrap();
    assert_eq!(opened(&description), Cents(1_250), "what it holds");
    let debit =
        |counter, balance| Debit { counter, minute: 1, service: 3, amount: Cents(150), balance: Cents(balance) };
    description.movements = vec![debit(1, 1_400), debit(2, 1_250)];
    assert_eq!(opened(&description), Cents(1_550), "and what was debited since");
    let top_up = TopUpId([7; 16]);
    let (amount, before) = (Cents(500), Cents(900));
    description.top_ups = vec![TopUp { counter: 1, day: Day(20_000), top_up, amount, before, terminal: TerminalId(1) }];
    assert_eq!(opened(&description), Cents(900), "what the first top-up found");
}
