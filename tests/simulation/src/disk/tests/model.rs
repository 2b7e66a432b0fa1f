//! The disk itself, without SQLite.

use super::super::content::{Content, SECTOR, Survival};
use super::super::state::{State, Trouble};
use super::*;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use store::JournalFiles;

fn old_and_new() -> Content {
    let mut content = Content::default();
    content.load(&[b'o'; 4 * SECTOR]);
    content.write(SECTOR, &[b'n'; 2 * SECTOR]);
    content
}

/// Every content that power cuts of this kind leave in two sectors of old bytes with new ones written over them.
fn outcomes(survival: Survival) -> BTreeSet<(usize, usize)> {
    let new_bytes = |sector: &[u8]| {
        let new = sector.iter().take_while(|byte| **byte == b'n').count();
        assert!(sector[new..].iter().all(|byte| *byte == b'o'), "new bytes are a prefix");
        new
    };
    (0..4_000)
        .map(|seed| {
            let mut content = old_and_new();
            content.lose_power(survival, &mut Dice::new(seed));
            assert_eq!((content.size(), content.unsynced()), (4 * SECTOR, 0));
            let bytes = content.bytes();
            assert!(bytes[..SECTOR].iter().chain(&bytes[3 * SECTOR..]).all(|byte| *byte == b'o'));
            (new_bytes(&bytes[SECTOR..2 * SECTOR]), new_bytes(&bytes[2 * SECTOR..3 * SECTOR]))
        })
        .collect()
}

#[test]
fn a_cut_may_take_nothing_or_everything() {
    assert_eq!(outcomes(Survival::Nothing), BTreeSet::from([(0, 0)]));
    assert_eq!(outcomes(Survival::Everything), BTreeSet::from([(SECTOR, SECTOR)]));
}

#[test]
fn a_write_is_cut_at_any_byte() {
    let found = outcomes(Survival::InOrder);
    assert!(found.iter().all(|(first, second)| *second == 0 || *first == SECTOR), "in order");
    assert!(found.iter().any(|(first, _)| *first > 0 && *first < SECTOR), "torn in the first sector");
    assert!(found.iter().any(|(_, second)| *second > 0 && *second < SECTOR), "torn in the second");
    assert!(found.contains(&(0, 0)) && found.contains(&(SECTOR, SECTOR)));
}

#[test]
fn sectors_survive_in_any_combination_whole_or_torn() {
    let found = outcomes(Survival::AnySectors);
    let whole = [(0, 0), (0, SECTOR), (SECTOR, 0), (SECTOR, SECTOR)];
    assert!(whole.iter().all(|outcome| found.contains(outcome)), "every subset");
    assert!(found.iter().any(|(first, second)| *first < *second && *first > 0 && *second < SECTOR), "both torn");
}

#[test]
fn of_a_sector_written_twice_either_writing_survives() {
    let found: BTreeSet<u8> = (0..200)
        .map(|seed| {
            let mut content = Content::default();
            content.load(&[b'1'; SECTOR]);
            content.write(0, &[b'2'; SECTOR]);
            content.write(0, &[b'3'; SECTOR]);
            content.lose_power(Survival::AnySectors, &mut Dice::new(seed));
            content.bytes()[0]
        })
        .collect();
    assert_eq!(found, BTreeSet::from([b'1', b'2', b'3']));
}

#[test]
fn a_file_that_grew_or_shrank_has_a_size_it_once_had() {
    let sizes: BTreeSet<usize> = (0..400)
        .map(|seed| {
            let mut content = Content::default();
            content.load(&[b'o'; 3 * SECTOR]);
            content.truncate(100);
            content.write(100, &[b'n'; SECTOR]);
            content.lose_power(Survival::AnySectors, &mut Dice::new(seed));
            let bytes = content.bytes();
            assert!(bytes[..100].iter().all(|byte| *byte == b'o'));
            assert!(bytes.iter().all(|byte| [b'o', b'n', 0].contains(byte)));
            content.size()
        })
        .collect();
    assert_eq!(sizes, BTreeSet::from([100, 100 + SECTOR, 3 * SECTOR]));
}

#[test]
fn what_was_synced_stays_and_what_was_not_is_no_part_of_an_image() {
    let mut content = old_and_new();
    assert_eq!(content.durable(), [b'o'; 4 * SECTOR]);
    content.sync();
    content.truncate(2 * SECTOR);
    assert_eq!(content.durable().len(), 4 * SECTOR);
    content.lose_power(Survival::Nothing, &mut Dice::new(1));
    assert_eq!(content.bytes()[SECTOR..3 * SECTOR], [b'n'; 2 * SECTOR]);
}

#[test]
fn a_failed_sync_marks_clean_what_the_medium_lacks_and_a_later_one_does_not_help() {
    let mut lost = 0;
    for seed in 0..60 {
        let mut content = old_and_new();
        content.fail_sync(&mut Dice::new(seed));
        assert_eq!(content.bytes()[SECTOR], b'n', "it reads as written");
        content.sync();
        let sectors = content.durable().chunks(SECTOR).filter(|sector| sector[0] == b'n').count();
        lost += usize::from(sectors < 2);
        content.lose_power(Survival::Everything, &mut Dice::new(seed));
        assert_eq!(content.bytes().chunks(SECTOR).filter(|sector| sector[0] == b'n').count(), sectors);
    }
    assert!((20..60).contains(&lost), "{lost} of 60 lost something");
}

#[test]
fn what_is_written_again_after_a_failed_sync_becomes_durable() {
    for seed in 0..20 {
        let mut content = old_and_new();
        content.fail_sync(&mut Dice::new(seed));
        content.write(SECTOR, &[b'N'; 2 * SECTOR]);
        content.sync();
        assert_eq!(content.durable()[SECTOR..3 * SECTOR], [b'N'; 2 * SECTOR]);
    }
}

#[test]
fn pages_that_a_failed_sync_marked_clean_may_be_read_back_old() {
    let evicted = (0..60).filter(|seed| {
        let (mut content, mut dice) = (old_and_new(), Dice::new(*seed));
        content.fail_sync(&mut dice);
        content.evict(&mut dice);
        content.bytes()[SECTOR] == b'o'
    });
    assert!(evicted.count() > 5);
}

#[test]
fn names_vanish_from_the_newest_on_and_never_halfway() {
    let path = |name: &str| Path::new("/terminal").join(name);
    let seen: BTreeSet<Vec<String>> = (0..300)
        .map(|seed| {
            let disk = disk();
            let files = disk.files();
            files.write(&path("a"), b"a").unwrap();
            files.rename(&path("a"), &path("b")).unwrap();
            files.rename(&path("b"), &path("c")).unwrap();
            disk.power_cut(&mut Dice::new(seed));
            let names = disk.files().list(Path::new("/terminal")).unwrap();
            names.into_iter().map(|name| name.into_string().unwrap()).collect()
        })
        .collect();
    assert_eq!(seen, [["a"], ["b"], ["c"]].map(|names| names.map(str::to_owned).to_vec()).into());
}

#[test]
fn a_file_written_as_a_whole_is_the_old_or_the_new_one_wherever_it_is_cut() {
    let path = Path::new("/terminal/journal.db.generation");
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let (disk, mut dice) = (disk(), Dice::new(seed));
        disk.files().write(path, b"1\n").unwrap();
        disk.cut_at(1 + dice.below(7));
        let done = disk.files().write(path, b"22\n").is_ok();
        disk.power_cut(&mut dice);
        let bytes = disk.files().read(path).unwrap();
        assert!(!done || bytes == b"22\n", "what was acknowledged is there");
        seen.insert((done, bytes));
    }
    assert_eq!(seen, [(false, b"1\n".to_vec()), (false, b"22\n".to_vec()), (true, b"22\n".to_vec())].into());
}

#[test]
fn everything_stops_at_the_cut_and_a_new_process_goes_on() {
    let disk = disk();
    let files = disk.files();
    disk.cut_before(Operation::Sync, FileKind::Other, 2);
    files.write(Path::new("/terminal/one"), b"1").unwrap();
    assert_eq!(disk.stopped(), None);
    assert!(files.write(Path::new("/terminal/two"), b"2").is_err());
    assert_eq!(disk.stopped(), Some(Cut { number: 10, operation: Operation::Sync, file: FileKind::Other }));
    assert!(files.read(Path::new("/terminal/one")).is_err(), "the process is at its end");
    disk.kill();
    assert_eq!(disk.stopped(), None);
    assert!(files.read(Path::new("/terminal/one")).is_err(), "and stays there");
    assert_eq!(disk.files().read(Path::new("/terminal/one")).unwrap(), b"1");
    assert_eq!(disk.files().read(Path::new("/terminal/two.new")).unwrap(), b"2", "written, though not synced");
    assert_eq!((disk.counts().kills, disk.counts().operations), (1, 10));
}

#[test]
fn a_full_disk_takes_what_fits_and_deleting_makes_room() {
    let mut state = State::new(1);
    let (file, _) = state.open(0, Some("/terminal/a"), true).unwrap();
    state.write(0, (file, FileKind::Other), 0, &[1; 100]).unwrap();
    state.faults.capacity = Some(150);
    assert_eq!(state.write(0, (file, FileKind::Other), 90, &[2; 100]), Err(Trouble::Full));
    assert_eq!(state.size(0, file), Ok(150));
    assert_eq!(state.write(0, (file, FileKind::Other), 0, &[3; 150]), Ok(()), "what is there can be written over");
    assert_eq!(state.counts.full, 1);
    let (other, _) = state.open(0, Some("/terminal/b"), true).unwrap();
    assert_eq!(state.write(0, (other, FileKind::Other), 0, &[1]), Err(Trouble::Full));
    state.delete(0, "/terminal/a").unwrap();
    assert_eq!(state.write(0, (other, FileKind::Other), 0, &[1; 150]), Ok(()));
}

#[test]
fn files_beside_sqlite_fail_as_the_systems_do() {
    let (disk, path) = (disk(), Path::new("/terminal/a"));
    let files = disk.files();
    let kind = |error: std::io::Error| error.kind();
    assert_eq!(files.read(path).map_err(kind), Err(ErrorKind::NotFound));
    assert_eq!(files.rename(path, path).map_err(kind), Err(ErrorKind::NotFound));
    assert!(!files.exists(path).unwrap());
    disk.fill(Some(0));
    assert_eq!(files.write(path, b"1").map_err(kind), Err(ErrorKind::StorageFull));
    disk.fill(None);
    disk.fail_write_at(1);
    assert_eq!(files.write(path, b"1").map_err(kind), Err(ErrorKind::Other));
    files.write(path, b"12").unwrap();
    assert_eq!(files.length(path).unwrap(), Some(2));
    disk.fail_read_at(1);
    assert_eq!(files.read(path).map_err(kind), Err(ErrorKind::Other));
    assert_eq!(files.read(path).unwrap(), b"12");
}

#[test]
fn a_disk_can_be_used_again_and_its_name_too() {
    let first = disk();
    let name = first.vfs().to_owned();
    let other = disk();
    assert_ne!(other.vfs(), name);
    first.files().write(Path::new("/terminal/a"), b"1").unwrap();
    let image = first.image();
    assert_eq!(image.files().collect::<Vec<_>>(), [("/terminal/a", b"1".as_slice())]);
    other.reset(&image, 3);
    assert_eq!(other.files().read(Path::new("/terminal/a")).unwrap(), b"1");
    assert_eq!((other.counts(), other.used()), (Counts::default(), 1));
}
