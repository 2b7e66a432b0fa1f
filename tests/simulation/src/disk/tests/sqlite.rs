//! SQLite on the disk: what it promises holds wherever it is cut, and every fault does what it says.

use super::*;
use rusqlite::ErrorCode;

/// Says numbers until something stops it; the last one that was acknowledged.
fn say_all(connection: &Connection, numbers: std::ops::RangeInclusive<u32>) -> u32 {
    let begun = numbers.start() - 1;
    numbers.take_while(|n| say(connection, *n).is_ok()).last().unwrap_or(begun)
}

/// One life: ten commits and a checkpoint among them, cut anywhere, and the power with it. How many commits were
/// acknowledged, and how many were there afterwards; `None` there when the database could not be read.
fn life_and_power_cut(seed: u64, synchronous: &str, bug: Option<DiskBug>) -> (u32, Option<u32>) {
    let (disk, mut dice) = (prepared(1), Dice::new(seed));
    disk.set_bug(bug);
    disk.cut_at(1 + dice.below(60));
    let mut acknowledged = 1;
    if let Ok(connection) = connect(&disk, synchronous) {
        acknowledged = say_all(&connection, 2..=5);
        if acknowledged == 5 && checkpoint(&connection).is_ok() {
            acknowledged = say_all(&connection, 6..=10);
        }
    }
    disk.power_cut(&mut dice);
    disk.set_bug(None);
    let found = connect(&disk, "FULL").and_then(|connection| {
        let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let said = heard(&connection)?;
        assert!(verdict != "ok" || said.iter().copied().eq(1..=u32::try_from(said.len()).unwrap()), "no gap: {said:?}");
        Ok((verdict == "ok").then(|| said.len().try_into().unwrap()))
    });
    (acknowledged, found.ok().flatten())
}

#[test]
fn every_acknowledged_commit_survives_a_power_cut_at_any_operation() {
    for seed in 0..1_500 {
        let (acknowledged, found) = life_and_power_cut(seed, "FULL", None);
        let found = found.expect("readable");
        // The one that was under way may be there or not.
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{acknowledged} said, {found} heard: seed {seed}");
    }
}

#[test]
fn without_syncs_acknowledged_commits_are_lost() {
    let check = |synchronous: &str, bug: Option<DiskBug>| {
        let lost = (0..300).filter(|seed| {
            let (acknowledged, found) = life_and_power_cut(*seed, synchronous, bug);
            found.is_none_or(|found| found < acknowledged)
        });
        let lost = lost.count();
        assert!(lost > 30, "{synchronous}, {bug:?}: lost in {lost} of 300");
    };
    check("OFF", None);
    check("NORMAL", None);
    check("FULL", Some(DiskBug::SynchronousOff));
    check("FULL", Some(DiskBug::SynchronousNormal));
}

#[test]
fn the_mistake_of_synchronous_normal_never_breaks_the_database() {
    for seed in 0..1_000 {
        for (synchronous, bug) in [("NORMAL", None), ("FULL", Some(DiskBug::SynchronousNormal))] {
            let (_, found) = life_and_power_cut(seed, synchronous, bug);
            assert!(found.is_some(), "{synchronous}, {bug:?}: seed {seed}");
        }
    }
}

#[test]
fn a_commit_cut_before_its_sync_is_there_after_a_kill_and_may_be_gone_after_the_power_cut() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..100 {
        let disk = prepared(2);
        let connection = connect(&disk, "FULL").unwrap();
        // The first sync of a log that begins anew is that of its header.
        disk.cut_before(Operation::Sync, FileKind::Log, 2);
        assert!(say(&connection, 3).is_err(), "not acknowledged");
        drop(connection);
        disk.kill();
        let next = connect(&disk, "FULL").unwrap();
        assert_eq!(heard(&next).unwrap(), [1, 2, 3], "the page cache outlives the process");
        disk.power_cut(&mut Dice::new(seed));
        drop(next);
        match heard(&connect(&disk, "FULL").unwrap()).unwrap().len() {
            2 => lost += 1,
            _ => kept += 1,
        }
    }
    assert!(kept > 10 && lost > 10, "{kept} kept, {lost} lost");
}

#[test]
fn the_log_is_read_up_to_the_commit_that_was_torn() {
    let mut found = [0; 6];
    for seed in 0..300 {
        let disk = prepared(0);
        let connection = connect(&disk, "OFF").unwrap();
        say_all(&connection, 1..=5);
        drop(connection);
        disk.power_cut(&mut Dice::new(seed));
        let said = heard(&connect(&disk, "FULL").unwrap()).unwrap();
        let length = u32::try_from(said.len()).unwrap();
        assert!(said.iter().copied().eq(1..=length), "a prefix: {said:?}");
        found[said.len()] += 1;
    }
    assert!(found.iter().all(|count| *count > 3), "{found:?}");
}

#[test]
fn a_full_disk_rolls_back_and_everything_before_can_be_read_and_more_be_said_later() {
    for room in 0..30 {
        let disk = prepared(3);
        let connection = connect(&disk, "FULL").unwrap();
        disk.fill(Some(room * 997));
        let last = say_all(&connection, 4..=8);
        let error = say(&connection, last + 1).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
        assert!(heard(&connection).unwrap().into_iter().eq(1..=last));
        disk.fill(None);
        say(&connection, last + 1).unwrap();
        drop(connection);
        disk.power_cut(&mut Dice::new(room));
        assert!(heard(&connect(&disk, "FULL").unwrap()).unwrap().into_iter().eq(1..=last + 1));
    }
}

#[test]
fn a_failed_sync_is_an_error_and_going_on_after_it_loses_what_was_acknowledged() {
    let mut lost = 0;
    for seed in 0..100 {
        let disk = Disk::from_template(&prepared(2).image(), seed).unwrap();
        let connection = connect(&disk, "FULL").unwrap();
        disk.fail_fsync_at(1);
        let error = say(&connection, 3).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
        // A program that does not stop here is told that all is well.
        let acknowledged = say(&connection, 4).and_then(|()| say(&connection, 5)).is_ok();
        disk.power_cut(&mut Dice::new(seed));
        drop(connection);
        let said = heard(&connect(&disk, "FULL").unwrap()).unwrap();
        lost += u32::from(acknowledged && !said.contains(&5));
        assert_eq!(disk.counts().failed, 1);
    }
    // SQLite writes the failed frames again, which is why so few are lost; it promises nothing here.
    assert!(lost < 100, "{lost}");
}

#[test]
fn a_failed_write_or_read_is_an_error_once() {
    let disk = prepared(2);
    let connection = connect(&disk, "FULL").unwrap();
    disk.fail_write_at(1);
    assert_eq!(say(&connection, 3).unwrap_err().sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
    say(&connection, 3).unwrap();
    drop(connection);
    disk.kill();
    disk.fail_read_at(1);
    assert!(connect(&disk, "FULL").is_err());
    assert_eq!(heard(&connect(&disk, "FULL").unwrap()).unwrap(), [1, 2, 3]);
}

#[test]
fn a_drive_that_ignores_flushes_loses_commits_until_it_destages() {
    let lost = |destages: bool| {
        let lose = |seed: &u64| {
            let disk = prepared(1);
            disk.ignore_flush(true);
            let connection = connect(&disk, "FULL").unwrap();
            assert_eq!(say_all(&connection, 2..=6), 6);
            if destages {
                disk.destage();
            }
            disk.power_cut(&mut Dice::new(*seed));
            drop(connection);
            assert!(disk.counts().ignored_syncs >= 5);
            heard(&connect(&disk, "FULL").unwrap()).unwrap().len() < 6
        };
        (0..100).filter(lose).count()
    };
    assert!(lost(false) > 30);
    assert_eq!(lost(true), 0);
}

#[test]
fn an_image_put_back_is_the_past() {
    let disk = prepared(2);
    let image = disk.image();
    let connection = connect(&disk, "FULL").unwrap();
    say(&connection, 3).unwrap();
    disk.restore(&image);
    assert!(say(&connection, 4).is_err(), "that process is dead");
    drop(connection);
    assert_eq!(heard(&connect(&disk, "FULL").unwrap()).unwrap(), [1, 2]);
}

#[test]
fn a_second_connection_is_kept_out_and_a_dead_ones_lock_is_gone() {
    let disk = prepared(1);
    let connection = connect(&disk, "FULL").unwrap();
    assert_eq!(connect(&disk, "FULL").unwrap_err().sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    disk.kill();
    connect(&disk, "FULL").unwrap();
    drop(connection);
}

#[test]
fn a_turned_bit_is_noticed_or_harmless() {
    let mut noticed = 0;
    for seed in 0..60 {
        let disk = prepared(9);
        assert!(disk.rot(FileKind::Database, &mut Dice::new(seed)));
        let read = connect(&disk, "FULL").and_then(|connection| heard(&connection));
        noticed += u32::from(read.map_or(true, |said| !said.into_iter().eq(1..=9)));
    }
    assert!((1..60).contains(&noticed), "{noticed} of 60");
    assert!(!disk().rot(FileKind::Database, &mut Dice::new(0)), "there is no file");
}

#[test]
fn a_connection_that_outlives_its_disk_gets_errors() {
    let disk = prepared(1);
    let (connection, name) = (connect(&disk, "FULL").unwrap(), disk.vfs().to_owned());
    disk.kill();
    drop(disk);
    assert!(say(&connection, 2).is_err());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    assert!(Connection::open_with_flags_and_vfs("/terminal/journal.db", flags, name.as_str()).is_err());
    drop(connection);
}

#[test]
fn the_same_seed_is_the_same_history() {
    let history = |seed| {
        let (disk, mut dice) = (prepared(1), Dice::new(seed));
        disk.cut_at(1 + dice.below(40));
        let acknowledged = connect(&disk, "FULL").map_or(0, |connection| say_all(&connection, 2..=9));
        let cut = disk.stopped();
        disk.power_cut(&mut dice);
        let said = connect(&disk, "FULL").and_then(|connection| heard(&connection)).unwrap();
        (acknowledged, cut, said, disk.counts())
    };
    (0..50).for_each(|seed| assert_eq!(history(seed), history(seed), "seed {seed}"));
}

#[test]
fn a_key_makes_no_difference_to_the_disk() {
    let keyed = |disk: &Disk| {
        let connection = Connection::open_with_flags_and_vfs(
            disk.journal_path(),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            disk.vfs(),
        )?;
        connection.execute_batch(&format!("PRAGMA key = \"x'{}'\"", "5a".repeat(32)))?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS said (n INTEGER PRIMARY KEY, padding BLOB) STRICT")?;
        Ok::<_, rusqlite::Error>(connection)
    };
    for seed in 0..60 {
        let (disk, mut dice) = (disk(), Dice::new(seed));
        drop(keyed(&disk).unwrap());
        disk.destage();
        disk.cut_at(8 + dice.below(40));
        let acknowledged = keyed(&disk).map_or(0, |connection| say_all(&connection, 1..=6));
        disk.power_cut(&mut dice);
        let said = heard(&keyed(&disk).unwrap()).unwrap().len();
        assert!((acknowledged as usize..=acknowledged as usize + 1).contains(&said), "seed {seed}");
        assert!(connect(&disk, "FULL").is_err(), "nothing can be read without the key");
    }
}
