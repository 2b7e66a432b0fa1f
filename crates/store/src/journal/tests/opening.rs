use super::*;

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
fn a_full_disk_is_named_and_stops_a_journal_that_has_no_reserve() {
    let desk = Desk::new();
    let mut journal = without_reserve(&desk);
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

fn without_reserve(desk: &Desk) -> Journal {
    let options = JournalOptions { reserve_pages: 0, ..JournalOptions::of_terminal(&desk.key) };
    Journal::open_on(&desk.path(), &options, TERMINAL, NOW).unwrap().journal
}

#[test]
fn a_journal_opened_on_a_full_disk_can_be_read_and_takes_nothing() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entry = intend(&mut ledger, top_up(1));
    journal.append(std::slice::from_ref(&entry)).unwrap();
    journal.full = true;
    assert_eq!(journal.entries().unwrap(), [entry]);
    let refused = journal.raise_clock(NOW).unwrap_err();
    assert_eq!(refused.code(), FailureCode::DiskFull);
    assert!(!refused.is_fatal(), "the process goes on, and serves what needs no write");
}

fn salted(code: DocumentCode, salt: u8) -> DocumentCode {
    let mut bytes = code.0;
    bytes[0] = salt;
    DocumentCode(bytes)
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
fn damage_anywhere_in_what_is_used_of_the_file_sets_it_aside() {
    let length = {
        let desk = Desk::new();
        without_reserve(&desk).checkpoint().unwrap();
        std::fs::metadata(desk.path()).unwrap().len()
    };
    let check = |at: u64, fill: u8| {
        let desk = Desk::new();
        let mut journal = without_reserve(&desk);
        journal.append(&[intend(&mut Ledger::new(TERMINAL, 1), top_up(1))]).unwrap();
        journal.checkpoint().unwrap();
        drop(journal);
        overwrite(&desk.path(), at, fill);
        let Opened { journal, report, .. } = desk.open();
        assert_eq!(journal.generation(), 2, "damage at {at}");
        assert!(report.set_aside.is_some());
    };
    check(0, 0);
    check(length / 2, 0x55);
    check(length - 64, 0xAA);
}

#[test]
fn damage_in_the_reserve_does_no_harm() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    journal.checkpoint().unwrap();
    drop(journal);
    let middle = std::fs::metadata(desk.path()).unwrap().len() / 8192 * 4096;
    overwrite(&desk.path(), middle + 100, 0x55);
    let Opened { mut journal, ledger: found, report } = desk.open();
    assert_eq!((report.set_aside, &found), (None, &ledger));
    for byte in 2..120 {
        let id = top_up(byte);
        journal.append(&[declined(&mut ledger, top_up(byte - 1)), intend(&mut ledger, id)]).unwrap();
    }
    drop(journal);
    assert_eq!(desk.open().ledger, ledger);
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
    let entries = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1)), intend(&mut ledger, top_up(2))];
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
    assert!(matches!(refused, Err(StoreError::JournalTooNew { found: 5, known: 4 })), "{refused:?}");
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
fn the_log_is_written_over_and_grows_no_longer_than_the_reserve() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let log = || std::fs::metadata(desk.folder.path().join("journal.db-wal")).unwrap().len();
    let before = log();
    for moment in 0..i64::from(crate::RESERVE_PAGES) * 2 {
        journal.raise_clock(Timestamp(moment)).unwrap();
    }
    assert_eq!(log(), before);
}

#[test]
fn an_opening_costs_one_commit_and_says_so() {
    let desk = Desk::new();
    drop(desk.open());
    let mut journal = desk.open().journal;
    assert_eq!(journal.commits(), 1);
    journal.raise_clock(NOW).unwrap();
    assert_eq!(journal.commits(), 2);
}

#[test]
fn a_journal_without_a_key_is_in_all_else_like_one_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let options = JournalOptions { key: None, vfs: None, files: &SystemFiles, reserve_pages: 0 };
    let open = || Journal::open_on(&path, &options, TERMINAL, NOW).unwrap();
    let Opened { mut journal, mut ledger, report } = open();
    assert!(report.reserve_whole, "none was asked for");
    for (name, expected) in
        [("synchronous", "2"), ("journal_mode", "wal"), ("locking_mode", "exclusive"), ("wal_autocheckpoint", "0")]
    {
        assert_eq!(pragma(&journal, name), expected);
    }
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    drop(journal);
    assert!(std::fs::read(&path).unwrap().starts_with(b"SQLite format 3"));
    assert_eq!(open().ledger, ledger);
}

#[test]
fn a_header_that_names_a_later_format_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let options = JournalOptions { key: None, vfs: None, files: &SystemFiles, reserve_pages: 0 };
    let Opened { mut journal, mut ledger, .. } = Journal::open_on(&path, &options, TERMINAL, NOW).unwrap();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    journal.checkpoint().unwrap();
    drop(journal);
    std::fs::remove_file(folder.path().join("journal.db-wal")).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[18] = 0x82;
    std::fs::write(&path, &bytes).unwrap();
    let Opened { journal, report, .. } = Journal::open_on(&path, &options, TERMINAL, NOW).unwrap();
    assert_eq!(journal.generation(), 2);
    let aside = report.set_aside.unwrap();
    assert_eq!(std::fs::read(&aside.path).unwrap(), bytes, "the evidence is as it was: {}", aside.reason);
}

#[test]
fn a_vfs_that_is_not_registered_is_an_error_and_sets_nothing_aside() {
    let desk = Desk::new();
    drop(desk.open());
    let options = JournalOptions { vfs: Some("nowhere"), ..JournalOptions::of_terminal(&desk.key) };
    assert!(Journal::open_on(&desk.path(), &options, TERMINAL, NOW).is_err());
    assert_eq!(count_set_aside(&desk.path()).unwrap(), 0);
}
