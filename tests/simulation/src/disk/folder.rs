//! The disk's one folder: which names there are. As on a journalling file system, a power cut takes unsynced changes
//! of names from the newest on, never one from among older ones, and a rename happens or not.

use crate::Dice;

/// A file, as the disk numbers it.
pub(super) type FileId = usize;

/// What names meant before a change.
#[derive(Debug, Clone)]
struct Renaming(Vec<(String, Option<FileId>)>);

/// Names and what they stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    names: Vec<(String, FileId)>,
    unsynced: Vec<Renaming>,
}

impl Folder {
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.unsynced.clear();
    }

    /// As if the file had always been there.
    pub(super) fn place(&mut self, name: &str, file: FileId) {
        self.set(name, Some(file));
    }

    pub(super) fn find(&self, name: &str) -> Option<FileId> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, file)| *file)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, FileId)> {
        self.names.iter().map(|(name, file)| (name.as_str(), *file))
    }

    /// Gives names new meanings in one step.
    pub(super) fn change(&mut self, changes: &[(&str, Option<FileId>)]) {
        let before = changes.iter().map(|(name, _)| ((*name).to_owned(), self.find(name))).collect();
        self.unsynced.push(Renaming(before));
        for (name, file) in changes {
            self.set(name, *file);
        }
    }

    fn set(&mut self, name: &str, file: Option<FileId>) {
        let known = self.names.iter().position(|(known, _)| known == name);
        match (known, file) {
            (Some(at), Some(file)) => {
                if let Some(entry) = self.names.get_mut(at) {
                    entry.1 = file;
                }
            }
            (Some(at), None) => {
                self.names.remove(at);
            }
            (None, Some(file)) => self.names.push((name.to_owned(), file)),
            (None, None) => {}
        }
    }

    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    pub(super) fn sync(&mut self) {
        self.unsynced.clear();
    }

    /// Takes back all changes after the first `kept` ones.
    pub(super) fn take_back(&mut self, kept: usize) {
        while self.unsynced.len() > kept {
            let Some(Renaming(before)) = self.unsynced.pop() else { return };
            for (name, file) in before {
                self.set(&name, file);
            }
        }
    }

    /// The names that the medium surely has.
    pub(super) fn durable(&self) -> Self {
        let mut medium = self.clone();
        medium.take_back(0);
        medium
    }

    /// Keeps the first of the unsynced changes; how many are gone.
    pub(super) fn lose_power(&mut self, dice: &mut Dice) -> usize {
        let (all, kept) = (self.unsynced.len(), dice.index(self.unsynced.len() + 1));
        self.take_back(kept);
        self.unsynced.clear();
        all - kept
    }
}
