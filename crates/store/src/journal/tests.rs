use super::*;
use crate::{ClockFloor, JournalKey, Opened, PrintOutcome, PrintState};
use domain::card::PinTries;
use domain::device::PaymentApproval;
use domain::{CardNumber, Cents, Day, DocumentCode, FailureCode, Generation, PrintName, TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, Ledger, Subject};
use protocol::{FeedFloor, IdempotencyKey, NoteKey, Receipt, Upload, UploadBody};
use std::path::{Path, PathBuf};

const TERMINAL: TerminalId = TerminalId(7);
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

    fn open(&self) -> Opened {
        Journal::open(&self.path(), &self.key, TERMINAL, NOW).unwrap()
    }

    /// What a power cut at this moment would leave: the files as they are now, without closing anything.
    fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Self { folder, key: self.key.clone() }
    }
}

fn top_up(byte: u8) -> TopUpId {
    TopUpId([byte; 16])
}

fn intend(ledger: &mut Ledger, id: TopUpId) -> Entry {
    let subject = Subject { top_up: id, card: CardNumber(33), generation: Generation(1), amount: Cents(10_00) };
    let intent = Fact::Intent { counter_seen: 4, purse_seen: Cents(50), receipt_before: 9, day: Day(20_000) };
    ledger.intend(NOW, subject, intent).unwrap()
}

fn declined(ledger: &mut Ledger, id: TopUpId) -> Entry {
    ledger.record(NOW, id, Fact::Declined { code: FailureCode::PaymentRefused }).unwrap()
}

fn approval() -> PaymentApproval {
    PaymentApproval { amount: Cents(10_00), ..PaymentApproval::default() }
}

fn pragma(journal: &Journal, name: &str) -> String {
    let value: rusqlite::types::Value = journal.connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_commit_waits_for_its_fsync_and_nobody_else_has_the_file() {
    let desk = Desk::new();
    let journal = desk.open().journal;
    assert_eq!(pragma(&journal, "synchronous"), "2");
    assert_eq!(pragma(&journal, "journal_mode"), "wal");
    assert_eq!(pragma(&journal, "locking_mode"), "exclusive");
    assert_eq!(pragma(&journal, "wal_autocheckpoint"), "0");
    let second = Journal::open(&desk.path(), &desk.key, TERMINAL, NOW);
    assert!(matches!(second, Err(StoreError::JournalInUse(_))), "{second:?}");
    assert!(desk.path().exists());
}

#[test]
fn what_was_appended_is_on_the_disk_when_append_returns() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entries = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    for entry in &entries {
        journal.append(std::slice::from_ref(entry)).unwrap();
    }
    let after = desk.copied();
    let reopened = after.open();
    assert_eq!(reopened.journal.entries().unwrap(), entries);
    assert_eq!(reopened.ledger, ledger);
    assert_eq!(reopened.journal.chain(), journal.chain());
    assert_eq!(reopened.report.boots, 2);
}

#[test]
fn an_entry_and_its_upload_come_in_one_commit() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entry = intend(&mut ledger, top_up(1));
    journal.append(std::slice::from_ref(&entry)).unwrap();
    let [item] = &desk.copied().open().journal.outbox_next(9).unwrap()[..] else { panic!("one upload") };
    let upload = Upload::decode(&item.bytes).unwrap();
    assert_eq!(upload.body, UploadBody::LedgerEntry(entry.encode()));
    assert_eq!((upload.terminal(), upload.journal_generation, upload.key), (TERMINAL, 1, item.key));

    journal.connection.commit_hook(Some(|| true)).unwrap();
    let lost = journal.append(&[declined(&mut ledger, top_up(1))]);
    assert!(lost.is_err());
    let reopened = desk.copied().open().journal;
    assert_eq!(reopened.entries().unwrap().len(), 1);
    assert_eq!(reopened.outbox_counts().unwrap().queued, 1);
}

#[test]
fn a_failed_commit_is_fatal_and_never_tried_again() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.connection.commit_hook(Some(|| true)).unwrap();
    let entry = intend(&mut ledger, top_up(1));
    let error = journal.append(std::slice::from_ref(&entry)).unwrap_err();
    assert!(error.is_fatal());
    assert_eq!(error.code(), FailureCode::JournalWriteFailed);
    journal.connection.commit_hook(None::<fn() -> bool>).unwrap();
    assert!(journal.is_stopped());
    assert!(matches!(journal.append(&[entry]), Err(StoreError::JournalStopped)));
    assert!(matches!(journal.codes_left(), Err(StoreError::JournalStopped)));
    assert_eq!(desk.copied().open().journal.entries().unwrap(), []);
}

#[test]
fn a_full_disk_is_named_and_stops_the_journal() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let pages: i64 = journal.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    journal.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<DocumentCode> = (0..=255).map(|byte| DocumentCode([byte; 16])).collect();
    let mut result = Ok(0);
    for round in 0..64_u8 {
        let codes: Vec<DocumentCode> = many.iter().map(|code| salted(*code, round)).collect();
        result = journal.add_codes(&codes);
        if result.is_err() {
            break;
        }
    }
    let error = result.unwrap_err();
    assert_eq!(error.code(), FailureCode::DiskFull);
    assert!(error.is_fatal() && journal.is_stopped());
}

fn salted(code: DocumentCode, salt: u8) -> DocumentCode {
    let mut bytes = code.0;
    bytes[0] = salt;
    DocumentCode(bytes)
}

#[test]
fn nothing_is_booked_twice_and_nothing_out_of_the_chain() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let mut other = ledger.clone();
    let entry = intend(&mut ledger, top_up(1));
    journal.append(std::slice::from_ref(&entry)).unwrap();
    let check = |journal: &mut Journal, entry: Entry, expected: Refusal| {
        let refused = journal.append(&[entry]);
        assert!(matches!(refused, Err(StoreError::Refused(refusal)) if refusal == expected), "{refused:?}");
    };
    check(&mut journal, entry, Refusal::AlreadyBooked);
    check(&mut journal, intend(&mut other, top_up(2)), Refusal::OutOfChain);
    let next = declined(&mut ledger, top_up(1));
    check(&mut journal, Entry { prev: [9; 32], ..next.clone() }, Refusal::OutOfChain);
    check(&mut journal, Entry { seq: 3, ..next.clone() }, Refusal::OutOfChain);
    journal.append(&[next]).unwrap();
    assert_eq!(journal.entries().unwrap().len(), 2);
    assert_eq!(journal.outbox_counts().unwrap().queued, 2);
}

#[test]
fn the_database_itself_holds_one_entry_of_a_kind() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let sql = "INSERT INTO entry SELECT seq + 1, top_up, kind, hash, bytes FROM entry";
    let error = journal.connection.execute(sql, []).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation));
}

#[test]
fn open_top_ups_come_back_whole_and_ended_ones_do_not() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let ended = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    let open =
        [intend(&mut ledger, top_up(2)), ledger.record(NOW, top_up(2), Fact::Authorised { approval: approval() }).unwrap()];
    journal.append(&ended).unwrap();
    journal.append(&open).unwrap();
    assert_eq!(desk.copied().open().journal.open_top_ups().unwrap(), [open]);
}

#[test]
fn a_journal_under_another_key_is_set_aside_whole_and_a_new_generation_begins() {
    let mut desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    drop(journal);
    let before = std::fs::read(desk.path()).unwrap();
    let right = std::mem::replace(&mut desk.key, JournalKey::random().unwrap());

    let Opened { journal, ledger, report } = desk.open();
    assert_eq!(journal.generation(), 2);
    assert_eq!(ledger, Ledger::new(TERMINAL, 2));
    assert_eq!(report.failure(), Some(FailureCode::JournalUnreadable));
    assert_eq!(report.earlier_aside, 1);
    drop(journal);

    let aside = report.set_aside.unwrap().path;
    assert_eq!(std::fs::read(&aside).unwrap(), before);
    let evidence = Journal::open(&aside, &right, TERMINAL, NOW).unwrap();
    assert_eq!(evidence.journal.generation(), 1);
    assert_eq!(evidence.journal.entries().unwrap().len(), 1);

    let again = desk.open();
    assert_eq!((again.journal.generation(), again.report.failure()), (2, None));
}

#[test]
fn damage_anywhere_in_the_file_sets_it_aside() {
    let check = |at: u64, fill: u8| {
        let desk = Desk::new();
        let Opened { mut journal, mut ledger, .. } = desk.open();
        journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
        journal.checkpoint().unwrap();
        drop(journal);
        overwrite(&desk.path(), at, fill);
        let Opened { journal, report, .. } = desk.open();
        assert_eq!(journal.generation(), 2, "damage at {at}");
        assert!(report.set_aside.is_some());
    };
    let length = {
        let desk = Desk::new();
        drop(desk.open());
        std::fs::metadata(desk.path()).unwrap().len()
    };
    check(0, 0);
    check(length / 2, 0x55);
    check(length - 64, 0xAA);
}

fn overwrite(path: &Path, at: u64, fill: u8) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[fill; 64]).unwrap();
}

#[test]
fn a_broken_chain_sets_the_journal_aside() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entries =
        [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1)), intend(&mut ledger, top_up(2))];
    journal.append(&entries).unwrap();
    journal.connection.execute("DELETE FROM entry WHERE seq = 2", []).unwrap();
    drop(journal);
    let report = desk.open().report;
    assert!(report.set_aside.unwrap().reason.contains("entry 3"), "the gap is named");
}

#[test]
fn a_journal_of_a_newer_program_is_refused_and_left_alone() {
    let desk = Desk::new();
    let journal = desk.open().journal;
    journal.connection.pragma_update(None, "user_version", crate::JOURNAL_VERSION + 1).unwrap();
    drop(journal);
    let refused = Journal::open(&desk.path(), &desk.key, TERMINAL, NOW);
    assert!(matches!(refused, Err(StoreError::JournalTooNew { found: 3, known: 2 })), "{refused:?}");
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().filter(|e| aside(e.as_ref().unwrap())).count(), 0);
}

fn aside(entry: &std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().contains("unreadable")
}

#[test]
fn a_journal_that_vanished_begins_a_new_generation() {
    let desk = Desk::new();
    drop(desk.open());
    for suffix in ["", "-wal"] {
        let _ = std::fs::remove_file(desk.folder.path().join(format!("journal.db{suffix}")));
    }
    let Opened { journal, report, .. } = desk.open();
    assert!(report.fresh);
    assert_eq!(journal.generation(), 2);
}

#[test]
fn a_receipt_cuts_an_upload_to_its_hash_and_fits_no_other() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let item = journal.outbox_next(1).unwrap().remove(0);
    let city = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let receipt = |key, bytes: &[u8]| Receipt::sign(key, bytes, 1, NOW, &city);
    for wrong in [receipt(item.key, b"other bytes"), receipt(IdempotencyKey([0; 16]), &item.bytes)] {
        assert!(matches!(journal.outbox_settle(&wrong), Err(StoreError::Refused(Refusal::Unknown))));
    }
    let right = receipt(item.key, &item.bytes);
    journal.outbox_settle(&right).unwrap();
    journal.outbox_settle(&right).unwrap();
    assert_eq!(journal.outbox_next(9).unwrap(), []);
    let kept: (Option<Vec<u8>>, Vec<u8>) = journal
        .connection
        .query_row("SELECT bytes, hash FROM outbox", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (None, right.upload_sha256.to_vec()));
}

#[test]
fn a_poison_upload_stands_aside_with_its_reason_and_can_be_released() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entries = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    journal.append(&entries).unwrap();
    let poison = journal.outbox_next(1).unwrap().remove(0);
    journal.outbox_attempted(poison.key).unwrap();
    journal.outbox_quarantine(poison.key, "409 contradicts").unwrap();
    assert_eq!(journal.outbox_next(9).unwrap().len(), 1);
    assert_eq!(journal.outbox_quarantined().unwrap(), [(poison.key, "409 contradicts".to_owned())]);
    let counts = journal.outbox_counts().unwrap();
    assert_eq!((counts.queued, counts.quarantined, counts.oldest), (1, 1, Some(NOW)));
    journal.outbox_release(poison.key).unwrap();
    let back = journal.outbox_next(1).unwrap().remove(0);
    assert_eq!((back.key, back.bytes, back.attempts), (poison.key, poison.bytes, 2));
}

#[test]
fn money_is_sent_before_what_was_written_earlier() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let document = protocol::DocumentIssued::new(
        DocumentCode([5; 16]),
        domain::document::DocumentKind::VolanteIndividual,
        vec![1],
        NOW,
        true,
        b"%PDF".to_vec(),
    );
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    let deposit = UploadBody::DocumentIssued(document);
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, Some(deposit.clone())).unwrap();
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, Some(deposit)).unwrap();
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    let items = journal.outbox_next(9).unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["ledger-entry", "ledger-entry", "document-issued"]);
}

#[test]
fn a_print_name_is_used_once_and_an_unfinished_print_is_found_again() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    let again = journal.print_intent(&name, NOW, None);
    assert!(matches!(again, Err(StoreError::Refused(Refusal::NameReused))));
    let mut journal = desk.copied().open().journal;
    assert_eq!(journal.open_prints().unwrap(), [name.clone()]);
    let steps = [
        (PrintOutcome::Uncertain(FailureCode::PaperJam), PrintOutcome::Uncertain(FailureCode::PaperJam)),
        (PrintOutcome::Printed, PrintOutcome::Printed),
        (PrintOutcome::NotPrinted(FailureCode::PaperOut), PrintOutcome::Printed),
    ];
    for (said, known) in steps {
        journal.print_outcome(&name, said, NOW, None).unwrap();
        assert_eq!(journal.print_state(&name).unwrap(), Some(PrintState::Ended(known)));
    }
    assert_eq!(journal.open_prints().unwrap(), []);
    let unknown = journal.print_outcome(&PrintName("urn:uuid:2".into()), PrintOutcome::Printed, NOW, None);
    assert!(matches!(unknown, Err(StoreError::Refused(Refusal::Unknown))));
}

#[test]
fn a_code_is_given_out_once_also_across_a_restart() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let codes = [DocumentCode([1; 16]), DocumentCode([2; 16])];
    assert_eq!(journal.add_codes(&codes).unwrap(), 2);
    assert_eq!(journal.take_code(NOW).unwrap(), Some(codes[0]));
    let mut journal = desk.copied().open().journal;
    assert_eq!(journal.add_codes(&codes).unwrap(), 0);
    assert_eq!(journal.codes_left().unwrap(), 1);
    assert_eq!(journal.take_code(NOW).unwrap(), Some(codes[1]));
    assert_eq!(journal.take_code(NOW).unwrap(), None);
}

#[test]
fn the_feed_floor_only_rises() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    assert_eq!(journal.floor().unwrap(), FeedFloor::default());
    let floor = |key_version, epoch, sequence| FeedFloor { key_version, epoch, sequence };
    journal.raise_floor(floor(1, 2, 3)).unwrap();
    for lower in [floor(0, 2, 3), floor(1, 1, 9), floor(2, 2, 2)] {
        let refused = journal.raise_floor(lower);
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::GoesBack))), "{lower:?}");
    }
    journal.raise_floor(floor(1, 2, 3)).unwrap();
    journal.raise_floor(floor(1, 2, 4)).unwrap();
    assert_eq!(desk.copied().open().journal.floor().unwrap(), floor(1, 2, 4));
}

#[test]
fn a_clock_behind_a_moment_seen_before_is_noticed() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    assert_eq!(journal.check_clock(Timestamp(0)).unwrap(), ClockFloor::Fine);
    journal.raise_clock(Timestamp(100)).unwrap();
    journal.raise_clock(Timestamp(50)).unwrap();
    assert_eq!(journal.check_clock(Timestamp(100)).unwrap(), ClockFloor::Fine);
    assert_eq!(journal.check_clock(Timestamp(99)).unwrap(), ClockFloor::Behind { floor: Timestamp(100) });
}

#[test]
fn pin_tries_never_go_back_to_an_older_attempt() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let (card, generation) = (CardNumber(u64::MAX), Generation(2));
    assert_eq!(journal.pin_tries(card, generation).unwrap(), None);
    let tries = |attempt, failures| PinTries { attempt, failures, pin_version: 1 };
    journal.note_pin_tries(card, generation, tries(5, 2)).unwrap();
    journal.note_pin_tries(card, generation, tries(4, 0)).unwrap();
    assert_eq!(desk.copied().open().journal.pin_tries(card, generation).unwrap(), Some(tries(5, 2)));
    journal.note_pin_tries(card, generation, tries(5, 0)).unwrap();
    assert_eq!(journal.pin_tries(card, generation).unwrap(), Some(tries(5, 0)));
    assert_eq!(journal.pin_tries(card, Generation(3)).unwrap(), None);
}

#[test]
fn the_write_ahead_log_is_emptied_as_commits_go_by() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let log = desk.folder.path().join("journal.db-wal");
    let mut emptied = false;
    for moment in 0..i64::from(COMMITS_PER_CHECKPOINT) {
        journal.raise_clock(Timestamp(moment)).unwrap();
        emptied |= std::fs::metadata(&log).unwrap().len() == 0;
    }
    assert!(emptied);
}
