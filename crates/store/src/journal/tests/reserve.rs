use super::*;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

#[test]
fn a_new_journal_takes_its_reserve_at_once_and_keeps_it() {
    let desk = Desk::new();
    let opened = desk.open();
    assert!(opened.report.reserve_whole);
    let state = opened.journal.reserve().unwrap();
    assert!(state.whole && state.free_pages >= RESERVE_PAGES && state.log_frames >= RESERVE_PAGES - 8, "{state:?}");
    drop(opened);
    let mut journal = desk.open().journal;
    assert_eq!(journal.commits(), 1, "nothing had to be filled");
    assert!(journal.reserve().unwrap().whole);
    assert!(journal.keep_reserve(&SystemFiles).unwrap());
    assert_eq!(journal.commits(), 1);
}

#[test]
fn a_reserve_that_is_used_up_is_filled_again_when_there_is_time() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let mut lowest = u32::MAX;
    for byte in 0..=255 {
        journal.append(&[intend(&mut ledger, top_up(byte)), declined(&mut ledger, top_up(byte))]).unwrap();
        lowest = lowest.min(journal.reserve().unwrap().free_pages);
        assert!(journal.keep_reserve(&SystemFiles).unwrap());
    }
    assert!(lowest < RESERVE_PAGES, "pages of the reserve were used");
    assert_eq!(desk.copied().open().ledger, ledger);
}

#[test]
fn what_begins_is_refused_without_a_reserve_and_what_ends_is_not() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    use_up(&mut journal);

    let refused = [
        journal.append(&[intend(&mut Ledger::new(TERMINAL, 1), top_up(2))]).unwrap_err(),
        journal.enqueue(evidence(), NOW).unwrap_err(),
        journal.print_intent(&PrintName("urn:uuid:2".into()), NOW, Some(evidence())).unwrap_err(),
        journal.add_codes(&[DocumentCode([1; 16])]).unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::NoReserve), "{error}");
        assert_eq!((error.code(), error.is_fatal()), (FailureCode::DiskFull, false));
    }
    journal.append(&finish(&mut ledger, top_up(1))).unwrap();
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, None).unwrap();
    journal.print_intent(&PrintName("urn:uuid:3".into()), NOW, None).unwrap();
    assert_eq!(desk.copied().open().ledger, ledger);

    assert!(journal.keep_reserve(&SystemFiles).unwrap());
    journal.append(&[intend(&mut ledger, top_up(2))]).unwrap();
}

fn evidence() -> UploadBody {
    let records = Vec::new();
    UploadBody::ClaimEvidence(protocol::ClaimEvidence { card: 1, generation: 1, top_up: [1; 16], purse: None, records })
}

/// Takes more than half of the reserve's pages.
fn use_up(journal: &mut Journal) {
    let pages = i64::from(RESERVE_PAGES / 2 + 16);
    journal.connection.execute("CREATE TABLE held AS SELECT zeroblob(?1 * 4096) AS held", [pages]).unwrap();
    let state = journal.reserve().unwrap();
    assert!(!state.whole && state.free_pages > 64, "{state:?}");
}

#[test]
fn a_filler_that_a_crash_left_is_room_again_at_the_next_opening() {
    let desk = Desk::new();
    let journal = desk.open().journal;
    let before = journal.reserve().unwrap().free_pages;
    let filler = i64::from(RESERVE_PAGES) * 4096;
    journal.connection.execute("INSERT INTO reserve (filler) VALUES (zeroblob(?1))", [filler]).unwrap();
    drop(journal);
    assert!(desk.open().journal.reserve().unwrap().free_pages >= before);
}

const FOLDER: &str = "CITIZEN_TEST_SMALL_DISK";
const THIS: &str = "journal::tests::reserve::an_open_top_up_is_finished_on_a_disk_that_is_really_full";
/// Mounts a disk of 16 MiB that only this process and its children see, and runs the program on it.
const INSIDE: &str = r#"mount -t tmpfs -o size=16m tmpfs "$1" && shift && exec "$@""#;

/// On a small disk of its own, in this very test once more: SQLite follows links, so it has to be inside.
#[test]
fn an_open_top_up_is_finished_on_a_disk_that_is_really_full() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return on_a_small_disk(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |rights: &str| {
        let mut command = Command::new("unshare");
        command.args([rights, "sh", "-c", INSIDE, "sh"]).arg(folder.path()).arg(std::env::current_exe().unwrap());
        command.args(["--exact", THIS, "--nocapture"]).env(FOLDER, folder.path()).stdin(Stdio::null());
        command.output().unwrap()
    };
    let mut output = run("-m");
    if !output.status.success() && output.stdout.is_empty() {
        output = run("-Urm");
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("finished on a full disk"), "{said}");
}

fn on_a_small_disk(folder: &Path) {
    let key = JournalKey::random().unwrap();
    let open = || Journal::open(&folder.join("journal.db"), &key, TERMINAL, NOW).unwrap();
    let Opened { mut journal, mut ledger, report } = open();
    assert!(report.reserve_whole);
    fill(folder);
    let mut begun = 0_u16;
    let refused = loop {
        let id = numbered(begun);
        let before = ledger.clone();
        if let Err(error) = journal.append(&[intend(&mut ledger, id)]) {
            ledger = before;
            break error;
        }
        begun += 1;
        // The process dies, and its successor takes the top-up to its end.
        drop(journal);
        let reopened = open();
        assert!(!reopened.report.full, "the boot commit had room");
        assert_eq!(reopened.ledger, ledger);
        journal = reopened.journal;
        for entry in finish(&mut ledger, id) {
            journal.append(&[entry]).unwrap();
        }
    };
    assert!(matches!(refused, StoreError::NoReserve) && begun > 4, "{begun}: {refused}");
    assert!(!journal.is_stopped() && !journal.reserve().unwrap().whole);
    std::fs::remove_file(folder.join("filler")).unwrap();
    assert!(journal.keep_reserve(&SystemFiles).unwrap(), "there is room again");
    journal.append(&[intend(&mut ledger, numbered(u16::MAX))]).unwrap();
    drop(journal);
    assert_eq!(open().ledger, ledger);
    println!("{begun} top-ups finished on a full disk");
}

fn numbered(number: u16) -> TopUpId {
    let [high, low] = number.to_be_bytes();
    TopUpId([high, low, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
}

fn fill(folder: &Path) {
    let mut filler = std::fs::File::create(folder.join("filler")).unwrap();
    for chunk in [&[0; 65_536][..], &[0; 4_096], &[0; 1]] {
        let error = std::iter::from_fn(|| Some(filler.write_all(chunk))).find_map(Result::err).unwrap();
        assert!(matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::WriteZero), "{error}");
    }
}
