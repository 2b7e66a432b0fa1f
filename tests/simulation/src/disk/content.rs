//! One file: what every process sees of it (the page cache), and what of that the medium may not have yet. Changes
//! are kept as what was there before them, in whole sectors, so that a sync is cheap and a power cut can choose.

use crate::Dice;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What a drive writes at once, in bytes. A sector may still be torn: its first bytes new, the others old.
pub(super) const SECTOR: usize = 512;

/// How many of the changes the medium has when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Survival {
    /// Only what was synced.
    Nothing,
    /// All of them: the cut came just too late to do harm.
    Everything,
    /// Those up to some moment, the last of them torn.
    InOrder,
    /// Any sectors of any of them.
    AnySectors,
}

impl Survival {
    pub(super) fn throw(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..=4 => Self::InOrder,
            _ => Self::AnySectors,
        }
    }
}

/// What a power cut took from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taken {
    pub(super) lost: u64,
    pub(super) torn: u64,
}

/// A write or a change of size that the medium may not have yet.
#[derive(Debug, Clone)]
struct Change {
    /// Its sectors.
    sectors: Range<usize>,
    /// Where what was in them lies in `Content::before`; less than the sectors where the file ended, zeros from there.
    before: Range<usize>,
    size_before: usize,
    /// They were written over with what was in them: nothing is kept, and there is nothing to take back.
    is_same: bool,
}

/// A change that was taken back, and can be made again.
struct Redo {
    sectors: Range<usize>,
    /// What it left in its sectors, up to the file's end.
    after: Vec<u8>,
    size_after: usize,
}

/// A file's content.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    cache: Vec<u8>,
    changes: Vec<Change>,
    before: Vec<u8>,
    /// Sectors that a failed fsync marked clean: what the medium has in place of what the cache shows.
    unwritten: BTreeMap<usize, Vec<u8>>,
}

impl Content {
    /// As if the file had always been these bytes.
    pub(super) fn load(&mut self, bytes: &[u8]) {
        self.cache.clear();
        self.cache.extend_from_slice(bytes);
        self.forget();
    }

    fn forget(&mut self) {
        self.changes.clear();
        self.before.clear();
        self.unwritten.clear();
    }

    pub(super) fn size(&self) -> usize {
        self.cache.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.cache
    }

    /// Copies what is there; how many bytes that were.
    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> usize {
        let there = self.cache.get(at..).unwrap_or_default();
        copy(into, there)
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        self.remember(at / SECTOR..end.div_ceil(SECTOR));
        if at > self.cache.len() {
            self.cache.resize(at, 0);
        }
        let inside = copy(self.cache.get_mut(at..).unwrap_or_default(), bytes);
        self.cache.extend_from_slice(bytes.get(inside..).unwrap_or_default());
    }

    /// Writes all bytes over themselves: every sector is on its way to the medium again.
    pub(super) fn write_over(&mut self) {
        let (before, size_before) = (self.before.len()..self.before.len(), self.cache.len());
        self.changes.push(Change { sectors: 0..size_before.div_ceil(SECTOR), before, size_before, is_same: true });
    }

    pub(super) fn truncate(&mut self, size: usize) {
        if size != self.cache.len() {
            self.remember(size / SECTOR..self.cache.len().div_ceil(SECTOR).max(size / SECTOR));
            self.cache.resize(size, 0);
        }
    }

    fn remember(&mut self, sectors: Range<usize>) {
        let start = self.before.len();
        let end = (sectors.end * SECTOR).min(self.cache.len());
        self.before.extend_from_slice(self.cache.get(sectors.start * SECTOR..end).unwrap_or_default());
        let before = start..self.before.len();
        self.changes.push(Change { sectors, before, size_before: self.cache.len(), is_same: false });
    }

    /// How many changes the medium may not have.
    pub(super) fn unsynced(&self) -> usize {
        self.changes.len()
    }

    /// The medium has everything, but for sectors that an earlier failure marked clean and nobody wrote again.
    pub(super) fn sync(&mut self) {
        if !self.unwritten.is_empty() {
            for sector in self.changes.iter().flat_map(|change| change.sectors.clone()) {
                self.unwritten.remove(&sector);
            }
        }
        self.changes.clear();
        self.before.clear();
    }

    /// A sync that failed: as on Linux, the pages count as written afterwards, whether or not the medium has them, and
    /// no later sync writes them again. The file's size is metadata and was written.
    pub(super) fn fail_sync(&mut self, dice: &mut Dice) {
        let chance = dice.pick(&[1, 2, 0]).copied().unwrap_or(1);
        let sectors: BTreeSet<usize> = self.changes.iter().flat_map(|change| change.sectors.clone()).collect();
        let lost: BTreeSet<usize> = sectors.into_iter().filter(|_| chance > 0 && dice.one_in(chance)).collect();
        let mut unwritten = std::mem::take(&mut self.unwritten);
        for change in self.changes.iter().filter(|change| !change.is_same) {
            for sector in change.sectors.clone().filter(|sector| lost.contains(sector)) {
                unwritten.entry(sector).or_insert_with(|| self.sector_before(change, sector));
            }
        }
        self.forget();
        self.unwritten = unwritten;
    }

    fn sector_before(&self, change: &Change, sector: usize) -> Vec<u8> {
        let kept = self.before.get(change.before.clone()).unwrap_or_default();
        let start = (sector - change.sectors.start) * SECTOR;
        let mut bytes = kept.get(start..(start + SECTOR).min(kept.len())).unwrap_or_default().to_vec();
        bytes.resize(SECTOR, 0);
        bytes
    }

    /// The kernel needs memory: pages that count as clean are dropped, and read from the medium when next asked for.
    pub(super) fn evict(&mut self, dice: &mut Dice) {
        let mut unwritten = std::mem::take(&mut self.unwritten);
        unwritten.retain(|sector, bytes| {
            let stays = dice.one_in(2);
            if !stays {
                self.put(*sector, bytes);
            }
            stays
        });
        self.unwritten = unwritten;
    }

    /// Writes bytes into a sector, as far as the file reaches.
    fn put(&mut self, sector: usize, bytes: &[u8]) {
        copy(self.cache.get_mut(sector * SECTOR..).unwrap_or_default(), bytes);
    }

    /// Takes back all changes after the first `kept` ones.
    pub(super) fn take_back(&mut self, kept: usize) {
        while self.changes.len() > kept {
            self.take_back_one();
        }
    }

    fn take_back_one(&mut self) -> Option<Redo> {
        let change = self.changes.pop()?;
        let start = (change.sectors.start * SECTOR).min(self.cache.len());
        let end = (change.sectors.end * SECTOR).min(self.cache.len());
        let after = self.cache.get(start..end).unwrap_or_default().to_vec();
        let redo = Redo { sectors: change.sectors.clone(), after, size_after: self.cache.len() };
        if change.is_same {
            return Some(redo);
        }
        self.cache.resize(change.size_before, 0);
        let before = self.before.get(change.before.clone()).unwrap_or_default();
        copy(self.cache.get_mut(change.sectors.start * SECTOR..).unwrap_or_default(), before);
        self.before.truncate(change.before.start);
        Some(redo)
    }

    /// What the medium surely has.
    pub(super) fn durable(&self) -> Vec<u8> {
        let mut medium = self.clone();
        medium.lose_power(Survival::Nothing, &mut Dice::new(0));
        medium.cache
    }

    /// The power fails, and what the medium has is what there is.
    pub(super) fn lose_power(&mut self, survival: Survival, dice: &mut Dice) -> Taken {
        if survival == Survival::Everything && self.unwritten.is_empty() {
            self.forget();
            return Taken::default();
        }
        let mut redo: Vec<Redo> = std::iter::from_fn(|| self.take_back_one()).collect();
        redo.reverse();
        for (sector, bytes) in std::mem::take(&mut self.unwritten) {
            self.put(sector, &bytes);
        }
        let taken = match survival {
            Survival::Nothing => Taken { lost: redo.iter().map(sectors_of).sum(), torn: 0 },
            Survival::Everything => self.redo_up_to(&redo, redo.len(), dice),
            Survival::InOrder => self.redo_up_to(&redo, dice.index(redo.len() + 1), dice),
            Survival::AnySectors => self.redo_sectors(&redo, dice),
        };
        self.forget();
        taken
    }

    /// Everything up to a moment, and a piece of what came next.
    fn redo_up_to(&mut self, redo: &[Redo], whole: usize, dice: &mut Dice) -> Taken {
        for change in redo.iter().take(whole) {
            self.cache.resize(change.size_after, 0);
            let sectors = change.sectors.clone();
            sectors.for_each(|sector| self.put(sector, part(change, sector)));
        }
        let Some(cut) = redo.get(whole) else { return Taken::default() };
        let lost = redo.iter().skip(whole).map(sectors_of).sum();
        let length = if dice.one_in(4) { 0 } else { dice.index(cut.after.len() + 1) };
        let (whole_sectors, torn_bytes) = (length / SECTOR, length % SECTOR);
        if cut.size_after >= self.cache.len() && length > 0 {
            // The file may have grown over the piece, or to its full size.
            let reached = (cut.sectors.start * SECTOR + length).max(self.cache.len());
            self.cache.resize(if dice.one_in(2) { reached.min(cut.size_after) } else { cut.size_after }, 0);
        }
        let start = cut.sectors.start;
        for sector in start..start + whole_sectors {
            self.put(sector, part(cut, sector));
        }
        let torn = part(cut, start + whole_sectors);
        self.put(start + whole_sectors, torn.get(..torn_bytes.min(torn.len())).unwrap_or_default());
        Taken { lost, torn: u64::from(torn_bytes > 0) }
    }

    /// Each sector of each change by itself, in any order: kept, lost or torn; the size at any moment.
    fn redo_sectors(&mut self, redo: &[Redo], dice: &mut Dice) -> Taken {
        let (kept_in_ten, mut taken) = (1 + dice.below(9), Taken::default());
        let durable_size = self.cache.len();
        let longest = redo.iter().map(|change| change.size_after).max().unwrap_or(0).max(durable_size);
        self.cache.resize(longest, 0);
        for change in redo {
            for sector in change.sectors.clone() {
                // What a truncated file keeps beyond its end is no matter of sectors.
                let bytes = part(change, sector);
                if bytes.is_empty() {
                    continue;
                }
                if dice.below(10) >= kept_in_ten {
                    taken.lost += 1;
                } else if dice.one_in(6) {
                    taken.torn += 1;
                    let length = dice.index(bytes.len());
                    self.put(sector, bytes.get(..length).unwrap_or_default());
                } else {
                    self.put(sector, bytes);
                }
            }
        }
        let moment = dice.index(redo.len() + 1);
        let size = moment.checked_sub(1).and_then(|index| redo.get(index)).map_or(durable_size, |it| it.size_after);
        self.cache.truncate(size);
        taken
    }

    /// Turns one bit over, on the medium too; `false` when the file is empty.
    pub(super) fn rot(&mut self, dice: &mut Dice) -> bool {
        let at = dice.index(self.cache.len());
        let bit = 1 << dice.index(8);
        let Some(byte) = self.cache.get_mut(at) else { return false };
        *byte ^= bit;
        true
    }
}

/// As many bytes as both have; how many those are.
fn copy(to: &mut [u8], from: &[u8]) -> usize {
    let count = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

fn sectors_of(change: &Redo) -> u64 {
    u64::try_from(change.sectors.len()).unwrap_or(u64::MAX)
}

/// What a change left in one of its sectors; empty beyond the file's end.
fn part(change: &Redo, sector: usize) -> &[u8] {
    let start = sector.saturating_sub(change.sectors.start) * SECTOR;
    let end = (start + SECTOR).min(change.after.len());
    change.after.get(start..end).unwrap_or_default()
}
