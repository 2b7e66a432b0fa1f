use crate::fixture::{City, NOW, TERMINAL};
use crate::uploads::top_up;
use central::journal::{import_journal, open_journal, read_recovery_key, write_recovery_key};
use central::{CentralError, books, report, uploads};
use domain::Timestamp;
use ledger::{Entry, Ledger};
use protocol::{HpkeSecret, NoteKey, Receipt};
use std::path::{Path, PathBuf};
use std::process::Command;
use store::{Journal, JournalKey, keep_wrap};
use tempfile::TempDir;

/// A terminal whose home of the key is destroyed after five entries, of which two had reached central. Its next start
/// set the journal aside.
struct Wreck {
    folder: TempDir,
    aside: PathBuf,
    entries: Vec<Entry>,
    recovery: HpkeSecret,
}

fn head_key(city: &City) -> NoteKey {
    city.keys().head_key().unwrap()
}

fn wreck(city: &City) -> Wreck {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal.db");
    let recovery = HpkeSecret::new([7; 32]);
    let key = JournalKey::random().unwrap();
    let mut journal = Journal::open(&path, &key, TERMINAL, NOW).unwrap().journal;
    keep_wrap(&path, &key, TERMINAL, &recovery.public().unwrap()).unwrap();
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    journal.append(&entries).unwrap();
    for item in journal.outbox_next(2).unwrap() {
        uploads::take(&mut city.database(), &city.keys(), TERMINAL, &item.bytes, NOW).unwrap();
        journal.outbox_settle(&Receipt::sign(item.key, &item.bytes, 1, NOW, &head_key(city))).unwrap();
    }
    drop(journal);
    let lost = Journal::open(&path, &JournalKey::random().unwrap(), TERMINAL, Timestamp(NOW.0 + 1)).unwrap();
    let aside = lost.report.set_aside.unwrap().path;
    Wreck { folder, aside, entries, recovery }
}

fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_journal_whose_key_is_lost_opens_for_the_city_with_every_entry_and_is_not_touched() {
    let city = City::seeded(41, 20, 0);
    let wreck = wreck(&city);
    let before = bytes_of(wreck.folder.path());
    let opened = open_journal(&wreck.aside, &wreck.recovery).unwrap();
    assert_eq!((opened.terminal, opened.generation), (TERMINAL, 1));
    assert_eq!((opened.entries, opened.unsent.len(), opened.contradiction), (wreck.entries, 3, None));
    assert_eq!(bytes_of(wreck.folder.path()), before, "evidence does not change");
}

#[test]
fn its_entries_come_into_the_books_once_also_those_that_central_has_lost() {
    let city = City::seeded(42, 20, 0);
    city.enrol("http://127.0.0.1:1");
    let wreck = wreck(&city);
    let opened = open_journal(&wreck.aside, &wreck.recovery).unwrap();
    let import = |city: &City| {
        let imported = import_journal(&mut city.database(), &city.keys(), &opened, NOW).unwrap();
        (imported.taken, imported.known, imported.refused)
    };
    assert_eq!(import(&city), (3, 2, 0));
    assert_eq!(import(&city), (0, 5, 0));
    assert_eq!(books::entries(city.database().read()).unwrap(), wreck.entries);
    assert!(report::anomalies(city.database().read()).unwrap().is_empty());

    let restored = City::seeded(42, 20, 0);
    let taken = import(&restored);
    assert_eq!((taken.0, taken.2), (5, 0), "a central that was set back has all of it again");
    assert_eq!(books::entries(restored.database().read()).unwrap().len(), 5);
}

#[test]
fn another_recovery_key_or_none_opens_nothing() {
    let city = City::seeded(43, 20, 0);
    let wreck = wreck(&city);
    let refused = open_journal(&wreck.aside, &HpkeSecret::new([8; 32]));
    assert!(matches!(refused, Err(CentralError::Content { .. })), "{refused:?}");
    std::fs::remove_file(store::wrap_path(&wreck.aside)).unwrap();
    assert!(matches!(open_journal(&wreck.aside, &wreck.recovery), Err(CentralError::File { .. })));
}

#[test]
fn a_recovery_key_survives_its_file_which_is_its_owners_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("recovery.key");
    let secret = HpkeSecret::new([0xAB; 32]);
    write_recovery_key(&secret, &path).unwrap();
    assert_eq!(read_recovery_key(&path).unwrap().expose(), secret.expose());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(write_recovery_key(&secret, &path).is_err());
    std::fs::write(&path, "not a key").unwrap();
    assert!(matches!(read_recovery_key(&path), Err(CentralError::Content { .. })));
}

#[test]
fn the_program_makes_the_key_once_enrols_with_it_and_opens_a_journal() {
    let city = City::seeded(44, 20, 0);
    let data = city.data.feed().with_file_name("");
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("recovery.key");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        let output = command.arg("--data").arg(&data).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let out = key.to_str().unwrap();
    assert!(city.enrol("http://127.0.0.1:1").recovery_key.is_none());
    assert!(run(&["recovery-key", "--out", out]).0);
    assert!(!run(&["recovery-key", "--out", folder.path().join("other").to_str().unwrap()]).0, "there is one");
    let recovery = city.enrol("http://127.0.0.1:1").recovery_key.unwrap();
    assert_eq!(read_recovery_key(&key).unwrap().public().unwrap(), recovery);

    let wreck = wreck(&city);
    let own = folder.path().join("own.key");
    write_recovery_key(&wreck.recovery, &own).unwrap();
    let journal = wreck.aside.to_str().unwrap();
    let open = ["open-journal", "--recovery-key", own.to_str().unwrap(), "--journal", journal];
    let found = "terminal 3, journal 1: 5 entries, 3 uploads not receipted\n";
    assert_eq!(run(&open), (true, found.to_owned()));
    let into = [&open[..], &["--into-books"]].concat();
    assert_eq!(run(&into), (true, format!("{found}terminal 3: 3 taken, 2 known already, 0 refused\n")));
}
