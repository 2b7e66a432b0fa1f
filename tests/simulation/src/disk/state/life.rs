//! Beginnings and ends: a disk is set up, a process dies, the power fails, the drive catches up.

use super::super::content::Survival;
use super::super::faults::{Counts, DiskBug, Faults};
use super::super::image::Image;
use super::super::locks::Locks;
use super::{Opening, State};
use crate::Dice;

impl State {
    /// The disk of this image, with nothing wrong and nothing counted.
    pub(in crate::disk) fn reset(&mut self, image: &Image, seed: u64) {
        self.faults = Faults::default();
        self.counts = Counts::default();
        self.dice = Dice::new(seed);
        self.load(image);
    }

    /// Another content, as after the machine was off.
    pub(in crate::disk) fn load(&mut self, image: &Image) {
        self.start_again();
        self.opening = Opening::default();
        self.folder.clear();
        self.collect();
        for (name, bytes) in image.files() {
            let file = self.new_file();
            self.folder.place(name, file);
            if let Some((content, _)) = self.files.get_mut(file) {
                content.load(bytes);
            }
        }
    }

    /// What the medium surely has.
    pub(in crate::disk) fn durable(&self) -> Image {
        let names = self.folder.durable();
        let files = names.names().filter_map(|(name, file)| {
            let (content, _) = self.files.get(file)?;
            Some((name.to_owned(), content.durable().into()))
        });
        Image::of(files.collect())
    }

    /// A new process: what the last one opened is dead, what it locked is free.
    fn start_again(&mut self) {
        self.epoch += 1;
        self.stopped = None;
        self.faults.no_cut();
        self.opening.is_under_way = false;
        for (_, locks) in &mut self.files {
            *locks = Locks::default();
        }
    }

    /// Files that no name stands for and no process has open any more.
    fn collect(&mut self) {
        self.free.clear();
        for file in 0..self.files.len() {
            if !self.folder.names().any(|(_, named)| named == file) {
                if let Some((content, _)) = self.files.get_mut(file) {
                    content.load(&[]);
                }
                self.free.push(file);
            }
        }
    }

    pub(in crate::disk) fn kill(&mut self) {
        self.counts.kills += 1;
        for (content, _) in &mut self.files {
            content.evict(&mut self.dice);
        }
        self.start_again();
    }

    pub(in crate::disk) fn lose_power(&mut self, dice: &mut Dice) {
        self.counts.power_cuts += 1;
        self.take_back_opening();
        let overall = Survival::throw(dice);
        for (content, _) in &mut self.files {
            let survival = match overall {
                Survival::Nothing | Survival::Everything => overall,
                Survival::InOrder | Survival::AnySectors => Survival::throw(dice),
            };
            let taken = content.lose_power(survival, dice);
            self.counts.lost_sectors += taken.lost;
            self.counts.torn_sectors += taken.torn;
        }
        match overall {
            Survival::Nothing => {
                self.counts.lost_names += u64::try_from(self.folder.unsynced()).unwrap_or(u64::MAX);
                self.folder.take_back(0);
            }
            Survival::Everything => self.folder.sync(),
            Survival::InOrder | Survival::AnySectors => {
                let lost = self.folder.lose_power(dice);
                self.counts.lost_names += u64::try_from(lost).unwrap_or(u64::MAX);
            }
        }
        self.start_again();
        self.collect();
    }

    /// The drive writes down everything it has.
    pub(in crate::disk) fn destage(&mut self) {
        self.opening.older = None;
        self.files.iter_mut().for_each(|(content, _)| content.sync());
        self.folder.sync();
    }

    pub(in crate::disk) fn unsynced(&self) -> usize {
        self.files.iter().map(|(content, _)| content.unsynced()).sum::<usize>() + self.folder.unsynced()
    }

    pub(in crate::disk) fn begin_opening(&mut self) {
        if self.faults.bug == Some(DiskBug::NoBootBarrier) {
            self.opening.is_under_way = true;
            let older = || {
                let contents = self.files.iter().map(|(content, _)| content.unsynced());
                (contents.collect(), self.folder.unsynced())
            };
            if self.opening.older.is_none() {
                self.opening.older = Some(older());
            }
        }
    }

    pub(in crate::disk) fn end_opening(&mut self) {
        self.opening.is_under_way = false;
    }

    fn take_back_opening(&mut self) {
        let Some((contents, names)) = self.opening.older.take() else { return };
        for (file, (content, _)) in self.files.iter_mut().enumerate() {
            content.take_back(contents.get(file).copied().unwrap_or(0));
        }
        self.folder.take_back(names);
    }
}
