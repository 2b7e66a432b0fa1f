use super::*;
use std::cell::Cell;
use std::ffi::OsString;
use std::io;

/// The system's files until the power goes: `left` changes are made, and none after them.
#[derive(Debug)]
struct Failing {
    left: Cell<u32>,
}

impl Failing {
    fn change(&self) -> io::Result<()> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        self.left.set(left);
        Ok(())
    }
}

impl JournalFiles for Failing {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        SystemFiles.create_folder(folder)
    }

    fn length(&self, path: &Path) -> io::Result<Option<u64>> {
        SystemFiles.length(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        SystemFiles.rename(from, to)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        SystemFiles.read(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change()?;
        SystemFiles.write(path, bytes)
    }

    fn write_again(&self, path: &Path) -> io::Result<()> {
        SystemFiles.write_again(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.change()?;
        SystemFiles.sync_folder(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        SystemFiles.list(folder)
    }
}

/// A journal whose newest entries are in its log only, opened with another key; the power goes after so many changes.
/// Whether the opening came to its end.
fn set_aside_until_the_power_goes(changes: u32) -> bool {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    drop(journal);
    std::fs::write(wrap_path(&desk.path()), "wrapped").unwrap();

    let other = JournalKey::random().unwrap();
    let files = Failing { left: Cell::new(changes) };
    let options = JournalOptions { files: &files, ..JournalOptions::of_terminal(&other) };
    let whole = Journal::open_on(&desk.path(), &options, TERMINAL, NOW).is_ok();

    let later = Timestamp(NOW.0 + 1);
    let again = Journal::open(&desk.path(), &other, TERMINAL, later).unwrap();
    assert!(again.journal.generation() >= 2, "{changes}");
    assert_eq!((again.report.earlier_aside, again.ledger.chain().next_seq), (1, 1), "{changes}");
    drop(again);

    let aside =
        desk.folder.path().join(format!("journal.db.unreadable-{}", if changes == 0 { later.0 } else { NOW.0 }));
    let evidence = Journal::open(&aside, &desk.key, TERMINAL, NOW).unwrap();
    assert_eq!(evidence.journal.entries().unwrap().len(), 2, "log and database went together: {changes}");
    assert_eq!(std::fs::read(wrap_path(&aside)).unwrap(), b"wrapped");
    let reason = std::fs::read_to_string(desk.folder.path().join(format!("{}-reason", aside.display()))).unwrap();
    assert!(reason.contains("not a database"), "{reason}");
    whole
}

#[test]
fn a_power_cut_while_a_journal_is_set_aside_parts_nothing() {
    let ended: Vec<bool> = (0..16).map(set_aside_until_the_power_goes).collect();
    assert!(!ended[0] && ended[15], "{ended:?}");
}

#[test]
fn an_opening_that_finishes_setting_aside_reports_it() {
    let desk = Desk::new();
    drop(desk.open());
    let path = desk.path();
    std::fs::write(desk.folder.path().join("journal.db.setting-aside"), "5\nbroken\n").unwrap();
    let report = desk.open().report;
    let aside = report.set_aside.unwrap();
    assert_eq!((aside.path, aside.reason.as_str()), (path.with_file_name("journal.db.unreadable-5"), "broken"));
    assert_eq!(desk.open().report.set_aside, None);
}

/// A word of the schema's text becomes another of the same length, as a flipped bit would make it.
#[test]
fn a_journal_whose_schema_is_damaged_is_set_aside_and_not_opened_in_vain_for_ever() {
    for (word, damaged) in [("length(", "lengvh("), ("count INTEGER", "cotnt INTEGER")] {
        let desk = Desk::new();
        let options = JournalOptions { key: None, vfs: None, files: &SystemFiles, reserve_pages: 0 };
        let mut journal = Journal::open_on(&desk.path(), &options, TERMINAL, NOW).unwrap().journal;
        journal.checkpoint().unwrap();
        drop(journal);
        let mut bytes = std::fs::read(desk.path()).unwrap();
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(word.as_bytes())).collect();
        assert!(!places.is_empty(), "{word} stands in the schema");
        for at in places {
            bytes[at..at + word.len()].copy_from_slice(damaged.as_bytes());
        }
        std::fs::write(desk.path(), bytes).unwrap();
        std::fs::remove_file(desk.folder.path().join("journal.db-wal")).unwrap();
        let report = Journal::open_on(&desk.path(), &options, TERMINAL, NOW).unwrap().report;
        assert!(report.set_aside.is_some(), "{word}: {report:?}");
    }
}
