//! The terminal's journal on the disk: its crash rules, one by one.

use super::*;
use domain::{TerminalId, Timestamp};
use protocol::UploadBody;
use store::{Journal, JournalOptions, Opened, StoreError};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn open(disk: &Disk) -> Result<Opened, StoreError> {
    open_with(disk, 0)
}

fn open_with(disk: &Disk, reserve_pages: u32) -> Result<Opened, StoreError> {
    let files = disk.files();
    let options = JournalOptions { key: None, vfs: Some(disk.vfs()), files: &files, reserve_pages };
    disk.begin_opening();
    let opened = Journal::open_on(disk.journal_path(), &options, TerminalId(7), NOW);
    disk.end_opening();
    opened
}

/// One durable commit.
fn tell(journal: &mut Journal) -> Result<(), StoreError> {
    tell_at_length(journal, 300)
}

fn tell_at_length(journal: &mut Journal, length: usize) -> Result<(), StoreError> {
    journal.enqueue(UploadBody::LedgerEntry(vec![1; length]), NOW).map(drop)
}

fn told(journal: &Journal) -> u64 {
    journal.outbox_counts().unwrap().queued
}

fn template() -> Image {
    let disk = disk();
    drop(open(&disk).unwrap());
    disk.power_cut(&mut Dice::new(0));
    disk.image()
}

/// What may be there when a journal is read: everything acknowledged, and perhaps the commit that was under way.
#[derive(Default)]
struct Told {
    acknowledged: u64,
    unsure: u64,
}

impl Told {
    /// What a start reads is durable from then on.
    fn read(&mut self, journal: &Journal, seed: u64) {
        let read = told(journal);
        let (least, most) = (self.acknowledged, self.acknowledged + self.unsure);
        assert!((least..=most).contains(&read), "seed {seed}: {read} read, {least} to {most} told");
        *self = Self { acknowledged: read, unsure: 0 };
    }

    /// Tells until something fails, or 20 times.
    fn tell_on(&mut self, journal: &mut Journal, dice: &mut Dice) {
        for _ in 0..20 {
            if tell_at_length(journal, dice.index(3_000)).is_err() {
                self.unsure = 1;
                return;
            }
            self.acknowledged += 1;
        }
    }
}

/// Lives of one journal on a disk with every honest fault, each ended by a kill or a power cut.
fn lives(disk: &Disk, template: &Image, reserve_pages: u32, seed: u64) -> Counts {
    let (mut dice, mut all) = (Dice::new(seed), Told::default());
    disk.reset(template, seed);
    for _ in 0..4 {
        disk.cut_at(1 + dice.below(90));
        if dice.one_in(3) {
            disk.fail_fsync_at(1 + dice.below(20));
        }
        if dice.one_in(5) {
            disk.fail_write_at(1 + dice.below(60));
        }
        disk.fill(dice.one_in(3).then(|| dice.below(9_000)));
        if let Ok(Opened { mut journal, .. }) = open_with(disk, reserve_pages) {
            // On a full disk nothing is promised of what was read.
            if !journal.is_full() {
                all.read(&journal, seed);
            }
            all.tell_on(&mut journal, &mut dice);
        }
        if dice.one_in(2) { disk.power_cut(&mut dice) } else { disk.kill() }
    }
    disk.fill(None);
    disk.power_cut(&mut dice);
    disk.fail_fsync_at(u64::MAX);
    disk.fail_write_at(u64::MAX);
    let opened = open_with(disk, reserve_pages).unwrap();
    assert_eq!(opened.report.set_aside, None, "seed {seed}");
    all.read(&opened.journal, seed);
    disk.counts()
}

#[test]
fn what_the_journal_acknowledged_survives_every_fault_of_an_honest_disk() {
    for reserve_pages in [0, 8] {
        let disk = disk();
        drop(open_with(&disk, reserve_pages).unwrap());
        disk.destage();
        let (template, mut met) = (disk.image(), Counts::default());
        for seed in 0..600 {
            let counts = lives(&disk, &template, reserve_pages, seed);
            met.full += counts.full;
            met.failed += counts.failed;
            met.torn_sectors += counts.torn_sectors;
        }
        let full = if reserve_pages == 0 { 50 } else { 2 };
        assert!(met.full > full && met.failed > 200 && met.torn_sectors > 300, "{reserve_pages}: {met:?}");
    }
}

/// A commit cut before its sync, a kill, a start that reads it, a power cut: how often the next start has it no more.
fn lost_after_being_read(bug: Option<DiskBug>) -> u32 {
    let (template, disk, mut lost) = (template(), disk(), 0);
    for seed in 0..200 {
        disk.reset(&template, seed);
        disk.set_bug(bug);
        let mut opened = open(&disk).unwrap();
        tell(&mut opened.journal).unwrap();
        disk.cut_before(Operation::Sync, FileKind::Log, 1);
        tell(&mut opened.journal).unwrap_err();
        disk.kill();
        let next = open(&disk).unwrap();
        assert_eq!(told(&next.journal), 2, "it is read, and acted upon");
        disk.power_cut(&mut Dice::new(seed));
        let after = told(&open(&disk).unwrap().journal);
        assert!((1..=2).contains(&after));
        lost += u32::from(after == 1);
    }
    lost
}

#[test]
fn what_a_start_has_read_is_never_lost_again_and_without_the_boot_barrier_it_is() {
    assert_eq!(lost_after_being_read(None), 0);
    let lost = lost_after_being_read(Some(DiskBug::NoBootBarrier));
    assert!((20..200).contains(&lost), "{lost} of 200");
}

#[test]
fn without_the_boot_barrier_nothing_else_is_lost() {
    let (template, disk) = (template(), disk());
    for seed in 0..200 {
        disk.reset(&template, seed);
        disk.set_bug(Some(DiskBug::NoBootBarrier));
        let mut dice = Dice::new(seed);
        for round in 0..3_u64 {
            let mut journal = open(&disk).unwrap().journal;
            assert_eq!(told(&journal), round * 2, "seed {seed}");
            tell(&mut journal).unwrap();
            tell(&mut journal).unwrap();
            if dice.one_in(2) { disk.power_cut(&mut dice) } else { disk.kill() }
        }
    }
}

#[test]
fn a_failed_fsync_stops_the_journal_and_what_the_next_start_reads_is_never_lost() {
    let (template, disk) = (template(), disk());
    for seed in 0..300 {
        disk.reset(&template, seed);
        let mut dice = Dice::new(seed);
        let mut opened = open(&disk).unwrap();
        (0..dice.below(3)).for_each(|_| tell(&mut opened.journal).unwrap());
        disk.fail_fsync_at(1);
        assert!(matches!(tell(&mut opened.journal), Err(StoreError::JournalWrite(_))));
        assert!(matches!(tell(&mut opened.journal), Err(StoreError::JournalStopped)));
        disk.kill();
        let mut next = open(&disk).unwrap();
        let mut acknowledged = told(&next.journal);
        for _ in 0..dice.below(3) {
            tell(&mut next.journal).unwrap();
            acknowledged += 1;
        }
        disk.power_cut(&mut dice);
        assert_eq!(told(&open(&disk).unwrap().journal), acknowledged, "seed {seed}");
    }
}

#[test]
fn after_a_failed_fsync_the_next_start_may_be_cut_anywhere() {
    let (template, disk, mut cut) = (template(), disk(), 0);
    for seed in 0..1_000 {
        disk.reset(&template, seed);
        let mut dice = Dice::new(seed);
        // Some of it in the database already, some in the log.
        let mut acknowledged = 0;
        for _ in 0..2 {
            let mut opened = open(&disk).unwrap();
            for _ in 0..dice.below(5) {
                tell_at_length(&mut opened.journal, dice.index(9_000)).unwrap();
                acknowledged += 1;
            }
            disk.kill();
        }
        let mut opened = open(&disk).unwrap();
        for _ in 0..dice.below(3) {
            tell_at_length(&mut opened.journal, dice.index(9_000)).unwrap();
            acknowledged += 1;
        }
        disk.fail_fsync_at(1);
        tell_at_length(&mut opened.journal, dice.index(9_000)).unwrap_err();
        disk.kill();
        disk.cut_at(1 + dice.below(20));
        cut += u32::from(open(&disk).is_err());
        disk.power_cut(&mut dice);
        let opened = open(&disk).unwrap();
        assert_eq!(opened.report.set_aside, None, "seed {seed}");
        let read = told(&opened.journal);
        assert!((acknowledged..=acknowledged + 1).contains(&read), "seed {seed}: {acknowledged} told, {read} read");
    }
    assert!(cut > 50, "{cut}");
}

#[test]
fn a_damaged_journal_is_set_aside_whole_wherever_the_power_is_cut() {
    let (template, disk, mut interrupted) = (template(), disk(), 0);
    for seed in 0..300 {
        disk.reset(&template, seed);
        let mut dice = Dice::new(seed);
        let mut journal = open(&disk).unwrap().journal;
        (0..4).for_each(|_| tell(&mut journal).unwrap());
        drop(journal);
        disk.destroy_headers();
        disk.cut_at(1 + dice.below(30));
        interrupted += u32::from(open(&disk).is_err());
        disk.power_cut(&mut dice);
        let opened = open(&disk).unwrap();
        assert_eq!((opened.journal.generation(), opened.report.earlier_aside), (2, 1), "seed {seed}");
        let names: Vec<String> = disk.image().files().map(|(name, _)| name.to_owned()).collect();
        let aside = |suffix: &str| names.iter().any(|name| name.contains(".unreadable-") && name.ends_with(suffix));
        assert!(aside("-wal") && names.iter().any(|name| name.ends_with("journal.db.generation")), "{names:?}");
    }
    assert!(interrupted > 50, "{interrupted}");
}

impl Disk {
    /// The first bytes of database and log are no database's any more, on the medium too.
    fn destroy_headers(&self) {
        let mut state = self.state();
        let epoch = state.epoch();
        for (name, kind) in [(JOURNAL.to_owned(), FileKind::Database), (format!("{JOURNAL}-wal"), FileKind::Log)] {
            let (file, _) = state.open(epoch, Some(&name), false).unwrap();
            state.write(epoch, (file, kind), 0, &[0x55; 100]).unwrap();
            state.sync_now(epoch, (file, kind)).unwrap();
        }
    }
}
