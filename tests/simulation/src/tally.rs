//! What was met: faults by kind, cells of the table, facts and deeds.

use crate::fault::Fault;
use crate::point::{Cell, POINTS, Point};

const FAULTS: usize = Fault::ALL.len();

/// Counts over histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    cells: Vec<u64>,
    faults: Vec<u64>,
    /// Histories.
    pub histories: u64,
    /// Of them on SQLCipher.
    pub keyed: u64,
    /// Of them beyond the contract of hardware or people.
    pub beyond: u64,
    /// Events the sessions took.
    pub steps: u64,
    /// Top-ups whose intent was made.
    pub top_ups: u64,
    /// Of them completed.
    pub completed: u64,
    /// Of them neither credited nor paid.
    pub voided: u64,
    /// Of them credited and not paid: booked to the city's loss account.
    pub lost: u64,
    /// Of them open as a claim at the end, for the city to settle.
    pub claimed: u64,
    /// Begun, and no journal that is left tells an end: nothing happened, or somebody has noticed.
    pub endless: u64,
    /// Durable commits of the journals.
    pub commits: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            cells: vec![0; POINTS * FAULTS],
            faults: vec![0; FAULTS],
            histories: 0,
            keyed: 0,
            beyond: 0,
            steps: 0,
            top_ups: 0,
            completed: 0,
            voided: 0,
            lost: 0,
            claimed: 0,
            endless: 0,
            commits: 0,
        }
    }
}

impl Tally {
    /// A fault struck at a point.
    pub fn met(&mut self, point: Point, fault: Fault) {
        if let Some(count) = self.cells.get_mut(place(Cell { point, fault })) {
            *count += 1;
        }
        self.happened(fault);
    }

    /// A fault that has no point happened.
    pub fn happened(&mut self, fault: Fault) {
        if let Some(count) = self.faults.get_mut(fault.index()) {
            *count += 1;
        }
    }

    /// How often a fault happened.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.faults.get(fault.index()).copied().unwrap_or(0)
    }

    /// How often a cell was met.
    #[must_use]
    pub fn at(&self, cell: Cell) -> u64 {
        self.cells.get(place(cell)).copied().unwrap_or(0)
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        let sum = |mine: &mut Vec<u64>, theirs: &Vec<u64>| {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        };
        sum(&mut self.cells, &other.cells);
        sum(&mut self.faults, &other.faults);
        self.histories += other.histories;
        self.keyed += other.keyed;
        self.beyond += other.beyond;
        self.steps += other.steps;
        self.top_ups += other.top_ups;
        self.completed += other.completed;
        self.voided += other.voided;
        self.lost += other.lost;
        self.claimed += other.claimed;
        self.endless += other.endless;
        self.commits += other.commits;
    }
}

fn place(cell: Cell) -> usize {
    cell.point.index() * FAULTS + cell.fault.index()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::{Cut, Deed};

    #[test]
    fn what_two_have_counted_is_their_sum() {
        let cell = Cell { point: Point::deed(Deed::Settle, Cut::Undone), fault: Fault::AckLostKept };
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.met(cell.point, cell.fault);
        other.met(cell.point, cell.fault);
        other.happened(Fault::BusDebit);
        one.add(&other);
        assert_eq!((one.at(cell), one.of(cell.fault), one.of(Fault::BusDebit)), (2, 2, 1));
    }
}
