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
        self.run_and(plan, bug, tally, tells, |_| {})
    }

    /// As `run`; at rest, and before the verdict, somebody reaches in.
    fn run_and(
        &mut self,
        plan: &Plan,
        bug: Option<Bug>,
        tally: &mut Tally,
        tells: bool,
        reach_in: impl FnOnce(&mut Street<'_>),
    ) -> Verdict {
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
            reach_in(&mut street);
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

/// A journal as a terminal has it before its first day: made at the works, and opened once since.
fn first_journal(terminal: u32, keyed: bool) -> Result<Image, SetupError> {
    let disk = Disk::new(0)?;
    open_once(&disk, terminal, keyed)?;
    open_once(&disk, terminal, keyed)?;
    disk.destage();
    Ok(disk.image())
}

fn open_once(disk: &Disk, terminal: u32, keyed: bool) -> Result<(), SetupError> {
    let files = disk.files();
    let options = JournalOptions {
        key: if keyed { city::key() } else { None },
        vfs: Some(disk.vfs()),
        files: &files,
        reserve_pages: city::RESERVE_PAGES,
    };
    Journal::open_on(disk.journal_path(), &options, TerminalId(terminal), Timestamp(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Choice, Manner, Step};
    use crate::world::bank::Paid;
    use domain::Cents;
    use domain::device::PaymentOrder;

    /// A plain top-up, and what the verdict is when the truth is changed behind everybody's back.
    fn verdict(reach_in: impl FnOnce(&mut Street<'_>)) -> Vec<String> {
        let mut plan = Plan::of(3, &Choice { order: Some(PaymentOrder::Vending), keyed_percent: 0 });
        plan.steps = vec![Step::Visit { kiosk: 0, card: 0, amount: 500, manner: Manner::CALM }];
        (plan.armed, plan.kiosks) = (Vec::new(), 1);
        Bench::new().unwrap().run_and(&plan, None, &mut Tally::default(), false, reach_in).broken
    }

    #[test]
    fn the_model_notices_each_truth_that_is_not_as_booked() {
        assert_eq!(verdict(|_| {}), Vec::<String>::new());
        let cent_gone = verdict(|street| street.cards[0].purse = Cents(street.cards[0].purse.0 - 1));
        assert!(cent_gone.iter().any(|what| what.contains("holds")), "{cent_gone:?}");
        let uncharged = verdict(|street| {
            street
                .bank
                .payments
                .iter_mut()
                .filter(|payment| payment.top_up.is_some())
                .for_each(|payment| payment.paid = Paid::Undone);
        });
        assert!(uncharged.iter().any(|what| what.contains("credited and not charged")), "{uncharged:?}");
        let twice = verdict(|street| {
            let again = street.bank.payments.last().cloned();
            street.bank.payments.extend(again);
        });
        assert!(twice.iter().any(|what| what.contains("charged 2 times")), "{twice:?}");
        let uncredited = verdict(|street| {
            let (_, amount) = street.cards[0].credits.remove(0);
            street.cards[0].purse = Cents(street.cards[0].purse.0 - amount.0);
        });
        assert!(uncredited.iter().any(|what| what.contains("charged and not credited")), "{uncredited:?}");
        let credited_twice = verdict(|street| {
            let again = street.cards[0].credits[0];
            street.cards[0].credits.push(again);
            street.cards[0].purse = Cents(street.cards[0].purse.0 + again.1.0);
        });
        assert!(credited_twice.iter().any(|what| what.contains("credited 2 times")), "{credited_twice:?}");
    }
}
