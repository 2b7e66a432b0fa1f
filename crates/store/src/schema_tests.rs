use super::*;
use crate::{Journal, JournalKey, Opened, PrintOutcome, PrintState};
use domain::card::PinTries;
use domain::{CardNumber, DocumentCode, FailureCode, Generation, PrintName, TerminalId, Timestamp, TopUpId};
use protocol::FeedFloor;
use rusqlite::types::Value;
use std::path::{Path, PathBuf};

const VERSION_1: &str = include_str!("../tests/fixtures/journal-v1.sql");
const VERSION_2: &str = include_str!("../tests/fixtures/journal-v2.sql");
const VERSION_3: &str = include_str!("../tests/fixtures/journal-v3.sql");
const NOW: Timestamp = Timestamp(1_800_000_000_000);

struct Desk {
    folder: tempfile::TempDir,
    key: JournalKey,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: JournalKey::random().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    /// A journal as a version-1 kiosk left it.
    fn of_version_1() -> Self {
        Self::of_version(1)
    }

    /// A journal as a kiosk of an earlier version left it.
    fn of_version(version: i64) -> Self {
        let desk = Self::new();
        let connection = raw(&desk.path(), &desk.key);
        let left = match version {
            1 => VERSION_1,
            2 => VERSION_2,
            _ => VERSION_3,
        };
        connection.execute_batch(left).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        desk
    }

    fn open(&self) -> Opened {
        Journal::open(&self.path(), &self.key, TerminalId(7), NOW).unwrap()
    }
}

fn raw(path: &Path, key: &JournalKey) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&key.pragma()).unwrap();
    connection
}

/// Every object's name and definition, without what only spelling differs in.
fn schema_of(desk: &Desk) -> Vec<(String, String)> {
    let connection = raw(&desk.path(), &desk.key);
    let sql = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(|row| row.map(|(name, sql)| (name, plain(&sql))).unwrap()).collect()
}

fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "")
}

#[test]
fn a_migrated_journal_has_the_schema_of_a_fresh_one() {
    for version in [1, 2, 3] {
        let (old, fresh) = (Desk::of_version(version), Desk::new());
        let before = schema_of(&old);
        drop(old.open());
        drop(fresh.open());
        assert_eq!(schema_of(&old), schema_of(&fresh));
        assert_ne!(before, schema_of(&fresh), "the fixture is of an older schema");
    }
}

#[test]
fn a_migrated_journal_keeps_every_fact() {
    for version in [1, 2, 3] {
        keeps_every_fact(version);
    }
}

fn keeps_every_fact(version: i64) {
    let desk = Desk::of_version(version);
    let Opened { mut journal, ledger, report } = desk.open();
    assert_eq!((report.migrated_from, report.fresh, report.boots), (Some(version), false, 42));
    assert_eq!((report.failure(), journal.generation()), (None, 3));
    assert_eq!(journal.entries().unwrap().len(), 3);
    assert_eq!(ledger.open().map(|top_up| top_up.subject().top_up).collect::<Vec<_>>(), [TopUpId([0x2b; 16])]);
    assert_eq!(journal.floor().unwrap(), FeedFloor { key_version: 0, epoch: 2, sequence: 17 });
    let tries = PinTries { attempt: 12, failures: 2, pin_version: 3 };
    assert_eq!(journal.pin_tries(CardNumber(8_000_000_123), Generation(1)).unwrap(), Some(tries));
    assert_eq!(journal.codes_left().unwrap(), 2);
    assert_eq!(journal.take_code(NOW).unwrap(), Some(DocumentCode([0x52; 16])));
    let again = desk_reopened(&desk, journal);
    assert_eq!((again.report.migrated_from, again.report.boots), (None, 43));
}

fn desk_reopened(desk: &Desk, journal: Journal) -> Opened {
    drop(journal);
    desk.open()
}

#[test]
fn a_migrated_outbox_sends_money_first_and_forgets_nothing() {
    let desk = Desk::of_version_1();
    let journal = desk.open().journal;
    let items = journal.outbox_next(9).unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["ledger-entry", "ledger-entry", "document-issued"]);
    for item in &items {
        assert_eq!(protocol::Upload::decode(&item.bytes).unwrap().key, item.key);
    }
    drop(journal);
    let sent = "SELECT count(*), min(length(bytes)) > 0, min(hash = sha256(bytes)) FROM outbox";
    let connection = raw(&desk.path(), &desk.key);
    lend_sha256(&connection).unwrap();
    let row: (i64, bool, bool) =
        connection.query_row(sent, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(row, (4, true, true), "also what was sent keeps its bytes: it has no receipt");
}

/// All that an outbox of today says of each upload.
const OUTBOX: &str = "SELECT position, key, kind, money, made_ms, hash, bytes, state, attempts, reason, receipt
                      FROM outbox ORDER BY position";
/// The same of an outbox of version 1, which knew neither reasons nor receipts.
const OUTBOX_1: &str =
    "SELECT row_number() OVER (ORDER BY made_ms, rowid), key, kind, kind = 'ledger-entry', made_ms, sha256(bytes),
            bytes, CASE sent WHEN 0 THEN 'queued' ELSE 'sent' END, 0, NULL, NULL
     FROM outbox ORDER BY made_ms, rowid";

#[test]
fn an_outbox_of_every_earlier_version_keeps_every_column_of_every_upload() {
    for (version, sql) in [(1, OUTBOX_1), (2, OUTBOX), (3, OUTBOX)] {
        let desk = Desk::of_version(version);
        let before = rows_of(&desk, sql);
        let states: Vec<&Value> = before.iter().map(|row| &row[7]).collect();
        let text = |state: &str| Value::Text(state.to_owned());
        let expected = if version == 1 { vec!["queued", "sent"] } else { vec!["queued", "quarantined", "sent"] };
        assert!(expected.iter().all(|state| states.contains(&&text(state))), "{version}: {states:?}");
        let reasons = before.iter().filter(|row| row[9] != Value::Null && row[8] == Value::Integer(3)).count();
        let receipts = before.iter().filter(|row| row[10] != Value::Null && row[6] == Value::Null).count();
        let of_each = usize::from(version > 1);
        assert_eq!((reasons, receipts), (of_each, of_each), "{version}: the fixture has one of each");
        drop(desk.open());
        assert_eq!(rows_of(&desk, OUTBOX), before, "{version}");
    }
}

/// What a kiosk of any earlier version had not sent is signed, sealed, opened, receipted and settled as if it had been
/// written today.
#[test]
fn an_outbox_of_every_earlier_version_is_sent_signed_and_sealed() {
    use protocol::{HpkeSecret, NoteKey, Receipt, Secret32, UploadSigner, envelope};
    for version in [1, 2, 3] {
        let desk = Desk::of_version(version);
        let mut journal = desk.open().journal;
        let items = journal.outbox_next(9).unwrap();
        assert_eq!(items.len(), 3, "{version}");
        let (signer, central) = (UploadSigner::new(TerminalId(7), &Secret32::new([1; 32])), HpkeSecret::new([2; 32]));
        let signed: Vec<_> = items.iter().map(|item| signer.signed(item.bytes.clone())).collect();
        let public = central.public().unwrap();
        let sealed = envelope::seal("bahia", TerminalId(7), &signed, &public, [3; 32]).unwrap();
        let opened = envelope::Envelope::read(&sealed).unwrap().open("bahia", &[central]).unwrap();
        assert_eq!(opened, signed, "{version}");
        let head = NoteKey::from_seed("bahia-head", &[4; 32]).unwrap();
        for (item, upload) in items.iter().zip(&opened) {
            assert_eq!(protocol::Upload::decode(&upload.bytes).unwrap().key, item.key);
            journal.outbox_settle(&Receipt::sign(item.key, &upload.bytes, 1, NOW, &head)).unwrap();
        }
        assert_eq!(journal.outbox_next(9).unwrap(), [], "{version}");
    }
}

#[test]
fn a_migrated_print_of_unknown_outcome_is_uncertain_and_an_unfinished_one_open() {
    let desk = Desk::of_version_1();
    let journal = desk.open().journal;
    let name = |last: u8| PrintName(format!("urn:uuid:00000000-0000-4000-8000-00000000000{last}"));
    let check = |last, expected| assert_eq!(journal.print_state(&name(last)).unwrap(), Some(expected), "{last}");
    check(1, PrintState::Ended(PrintOutcome::Printed));
    check(2, PrintState::Ended(PrintOutcome::Uncertain(FailureCode::PrintUncertain)));
    check(3, PrintState::Open);
    assert_eq!(journal.open_prints().unwrap(), [name(3)]);
}

#[test]
fn a_migration_that_cannot_finish_leaves_the_old_journal_as_it_was() {
    let desk = Desk::of_version_1();
    let connection = raw(&desk.path(), &desk.key);
    connection.execute_batch("CREATE TABLE outbox_1 (x)").unwrap();
    drop(connection);
    let before = rows_of(&desk, "SELECT * FROM outbox");
    let refused = Journal::open(&desk.path(), &desk.key, TerminalId(7), NOW);
    assert!(matches!(refused, Err(StoreError::JournalWrite(_))), "{refused:?}");
    assert_eq!(rows_of(&desk, "SELECT * FROM outbox"), before);
    assert_eq!(rows_of(&desk, "PRAGMA user_version"), [[Value::Integer(1)]]);
}

fn rows_of(desk: &Desk, sql: &str) -> Vec<Vec<Value>> {
    let connection = raw(&desk.path(), &desk.key);
    lend_sha256(&connection).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}
