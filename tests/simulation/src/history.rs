//! One history, from its plan to its verdict.

use crate::bugs::Bug;
use crate::disk::{Disk, DiskError, Image};
use crate::model;
use crate::plan::Plan;
use crate::tally::Tally;
use crate::world::city;
use crate::world::street::Street;
use domain::{TerminalId, Timestamp};
use store::{Journal, JournalOptions};

/// How a history ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What must never happen and did; nothing when all is well.
    pub broken: Vec<String>,
    /// The story, if it was asked for.
    pub story: Vec<String>,
}

/// Why nothing can be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The city's files.
    #[error(transparent)]
    City(#[from] city::CityError),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The first journal.
    #[error("a first journal: {0}")]
    Journal(#[from] store::StoreError),
}

/// What one worker keeps from history to history: disks, and the journals they begin with.
pub struct Bench {
    disks: Vec<Disk>,
    open: Vec<Image>,
    keyed: Vec<Image>,
}

impl Bench {
    /// Disks for as many terminals as a history may have.
    ///
    /// # Errors
    /// `SetupError`.
    pub fn new() -> Result<Self, SetupError> {
        city::prepare()?;
        let mut bench = Self { disks: Vec::new(), open: Vec::new(), keyed: Vec::new() };
        for id in 1..=3 {
            bench.open.push(first_journal(id, false)?);
            bench.keyed.push(first_journal(id, true)?);
            bench.disks.push(Disk::new(u64::from(id))?);
        }
        Ok(bench)
    }

    /// Runs one history.
    pub fn run(&mut self, plan: &Plan, bug: Option<Bug>, tally: &mut Tally, tells: bool) -> Verdict {
        let templates = if plan.keyed { &self.keyed } else { &self.open };
        let kiosks = plan.kiosks.min(self.disks.len());
        for (disk, template) in self.disks.iter().zip(templates).take(kiosks) {
            disk.reset(template, plan.seed);
        }
        let rest = self.disks.split_off(kiosks);
        let disks = std::mem::take(&mut self.disks);
        let mut street = Street::new(plan.clone(), disks, bug, tally, tells);
        for step in &plan.steps {
            street.take(*step);
            if !street.broken.is_empty() {
                break;
            }
        }
        if street.broken.is_empty() {
            street.rest();
        }
        model::check(&mut street);
        let verdict = Verdict { broken: street.broken, story: street.story.unwrap_or_default() };
        street.tally.histories += 1;
        street.tally.keyed += u64::from(plan.keyed);
        street.tally.beyond += u64::from(plan.is_beyond_contract());
        street.tally.steps += street.steps;
        self.disks = street.kiosks.into_iter().map(|kiosk| kiosk.disk).collect();
        self.disks.extend(rest);
        verdict
    }
}

/// A journal as a terminal has it before its first day.
fn first_journal(terminal: u32, keyed: bool) -> Result<Image, SetupError> {
    let disk = Disk::new(0)?;
    let files = disk.files();
    let options = JournalOptions {
        key: if keyed { city::key() } else { None },
        vfs: Some(disk.vfs()),
        files: &files,
        reserve_pages: city::RESERVE_PAGES,
    };
    let opened = Journal::open_on(disk.journal_path(), &options, TerminalId(terminal), Timestamp(0))?;
    drop(opened);
    disk.destage();
    Ok(disk.image())
}
