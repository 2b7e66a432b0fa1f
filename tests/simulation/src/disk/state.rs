//! The disk as its users see it: operations that count, fail, and stop where a history is cut.

mod life;

use super::content::Content;
use super::faults::{Counts, Cut, DiskBug, Faults, FileKind, Operation};
use super::folder::{FileId, Folder};
use super::locks::Locks;
use crate::Dice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk, shared by its handle, its files and SQLite.
pub(super) type Shared = Arc<Mutex<State>>;

/// The disk for one operation. A panic elsewhere while it was held has left it sound: nothing here panics.
pub(super) fn lock(disk: &Mutex<State>) -> MutexGuard<'_, State> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why an operation did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The process that asks is dead, or the history was cut.
    Stopped,
    /// An input/output error.
    Failed,
    /// No room.
    Full,
    /// No such file.
    Missing,
}

/// One process's life on the disk: what it opened works only while it lives.
pub(super) type Epoch = u64;

/// Everything about a disk.
#[derive(Debug)]
pub(super) struct State {
    files: Vec<(Content, Locks)>,
    free: Vec<FileId>,
    folder: Folder,
    epoch: Epoch,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    stopped: Option<Cut>,
    /// For what happens by itself: which pages a failed fsync loses, what a kernel evicts.
    dice: Dice,
    handles: u64,
    opening: Opening,
}

/// Of a program without its boot barrier: what its opening wrote, and nobody has synced since.
#[derive(Debug, Default)]
struct Opening {
    is_under_way: bool,
    /// How much of each file's and the folder's unsynced changes is older than the opening.
    older: Option<(Vec<usize>, usize)>,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            files: Vec::new(),
            free: Vec::new(),
            folder: Folder::default(),
            epoch: 0,
            faults: Faults::default(),
            counts: Counts::default(),
            stopped: None,
            dice: Dice::new(seed),
            handles: 0,
            opening: Opening::default(),
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn stopped(&self) -> Option<Cut> {
        self.stopped
    }

    fn new_file(&mut self) -> FileId {
        if let Some(file) = self.free.pop() {
            return file;
        }
        self.files.push(<(Content, Locks)>::default());
        self.files.len() - 1
    }

    fn alive(&self, epoch: Epoch) -> Result<(), Trouble> {
        if self.stopped.is_some() || epoch != self.epoch { Err(Trouble::Stopped) } else { Ok(()) }
    }

    /// An operation is asked for: it counts, and may be the one at which everything stops.
    fn step(&mut self, epoch: Epoch, operation: Operation, file: FileKind) -> Result<(), Trouble> {
        self.alive(epoch)?;
        self.counts.operations += 1;
        if self.faults.cuts_now(operation, file) {
            self.stopped = Some(Cut { number: self.counts.operations, operation, file });
            return Err(Trouble::Stopped);
        }
        Ok(())
    }

    fn content(&mut self, file: FileId) -> Result<&mut Content, Trouble> {
        self.files.get_mut(file).map(|(content, _)| content).ok_or(Trouble::Failed)
    }

    pub(super) fn locks(&mut self, epoch: Epoch, file: FileId) -> Result<&mut Locks, Trouble> {
        self.alive(epoch)?;
        self.files.get_mut(file).map(|(_, locks)| locks).ok_or(Trouble::Failed)
    }

    /// Opens a file, or makes it; its number, and a number for this handle. No name is a file that nobody else sees.
    pub(super) fn open(&mut self, epoch: Epoch, name: Option<&str>, make: bool) -> Result<(FileId, u64), Trouble> {
        self.step(epoch, Operation::Open, name.map_or(FileKind::Other, FileKind::of))?;
        self.handles += 1;
        let known = name.and_then(|name| self.folder.find(name));
        let file = match (known, name) {
            (Some(file), _) => file,
            (None, Some(_)) if !make => return Err(Trouble::Missing),
            (None, name) => {
                let file = self.new_file();
                if let Some(name) = name {
                    self.folder.change(&[(name, Some(file))]);
                }
                file
            }
        };
        Ok((file, self.handles))
    }

    pub(super) fn size_of(&self, epoch: Epoch, name: &str) -> Result<Option<usize>, Trouble> {
        self.alive(epoch)?;
        Ok(self.folder.find(name).and_then(|file| self.files.get(file)).map(|(content, _)| content.size()))
    }

    pub(super) fn names(&self, epoch: Epoch) -> Result<Vec<String>, Trouble> {
        self.alive(epoch)?;
        Ok(self.folder.names().map(|(name, _)| name.to_owned()).collect())
    }

    pub(super) fn bytes(&mut self, epoch: Epoch, name: &str) -> Result<&[u8], Trouble> {
        self.alive(epoch)?;
        if self.faults.read_fails_now() {
            self.counts.failed += 1;
            return Err(Trouble::Failed);
        }
        let file = self.folder.find(name).ok_or(Trouble::Missing)?;
        Ok(self.content(file)?.bytes())
    }

    pub(super) fn size(&mut self, epoch: Epoch, file: FileId) -> Result<usize, Trouble> {
        self.alive(epoch)?;
        Ok(self.content(file)?.size())
    }

    pub(super) fn read(&mut self, epoch: Epoch, file: FileId, at: usize, into: &mut [u8]) -> Result<usize, Trouble> {
        self.alive(epoch)?;
        if self.faults.read_fails_now() {
            self.counts.failed += 1;
            return Err(Trouble::Failed);
        }
        Ok(self.content(file)?.read(at, into))
    }

    /// Writes; on a full disk as much as there is room for.
    pub(super) fn write(
        &mut self,
        epoch: Epoch,
        (file, kind): (FileId, FileKind),
        at: usize,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        self.step(epoch, Operation::Write, kind)?;
        self.counts.writes += 1;
        if self.faults.write_fails_now() {
            self.counts.failed += 1;
            return Err(Trouble::Failed);
        }
        let room = self.room_at(file, at);
        let content = self.content(file)?;
        if bytes.len() <= room {
            content.write(at, bytes);
            return Ok(());
        }
        if let Some(fitting) = bytes.get(..room).filter(|fitting| !fitting.is_empty()) {
            content.write(at, fitting);
        }
        self.counts.full += 1;
        Err(Trouble::Full)
    }

    /// Writes a file's bytes over themselves, which needs no room.
    pub(super) fn write_over(&mut self, epoch: Epoch, (file, kind): (FileId, FileKind)) -> Result<(), Trouble> {
        self.step(epoch, Operation::Write, kind)?;
        self.counts.writes += 1;
        if self.faults.write_fails_now() {
            self.counts.failed += 1;
            return Err(Trouble::Failed);
        }
        self.content(file)?.write_over();
        Ok(())
    }

    /// How many bytes a file can take at a place.
    fn room_at(&self, file: FileId, at: usize) -> usize {
        let Some(capacity) = self.faults.capacity else { return usize::MAX };
        let used = self.used();
        let left = usize::try_from(capacity.saturating_sub(used)).unwrap_or(usize::MAX);
        let size = self.files.get(file).map_or(0, |(content, _)| content.size());
        (size.saturating_add(left)).saturating_sub(at)
    }

    /// Bytes that files with a name have.
    pub(super) fn used(&self) -> u64 {
        let sizes = self.folder.names().filter_map(|(_, file)| self.files.get(file)).map(|(content, _)| content.size());
        u64::try_from(sizes.sum::<usize>()).unwrap_or(u64::MAX)
    }

    pub(super) fn truncate(
        &mut self,
        epoch: Epoch,
        (file, kind): (FileId, FileKind),
        size: usize,
    ) -> Result<(), Trouble> {
        self.step(epoch, Operation::Truncate, kind)?;
        self.content(file)?.truncate(size);
        Ok(())
    }

    /// SQLite asks to make a file's bytes durable. `is_of_frames`: more than a log's header was written.
    pub(super) fn sync(
        &mut self,
        epoch: Epoch,
        (file, kind): (FileId, FileKind),
        is_of_frames: bool,
    ) -> Result<(), Trouble> {
        if self.is_never_asked(kind, is_of_frames) {
            self.counts.ignored_syncs += 1;
            return self.alive(epoch);
        }
        self.sync_now(epoch, (file, kind))
    }

    /// As `sync`, of a program that means it.
    pub(super) fn sync_now(&mut self, epoch: Epoch, (file, kind): (FileId, FileKind)) -> Result<(), Trouble> {
        self.step(epoch, Operation::Sync, kind)?;
        if self.faults.sync_fails_now() {
            self.counts.failed += 1;
            let mut dice = self.dice.fork();
            self.content(file)?.fail_sync(&mut dice);
            return Err(Trouble::Failed);
        }
        if self.faults.ignores_flush || self.opening.is_under_way {
            self.counts.ignored_syncs += 1;
        } else if self.opening.older.is_some() {
            self.counts.syncs += 1;
            self.destage();
        } else {
            self.counts.syncs += 1;
            self.content(file)?.sync();
        }
        Ok(())
    }

    /// A program with one of the deliberate mistakes does not ask for this sync at all.
    fn is_never_asked(&self, kind: FileKind, is_of_frames: bool) -> bool {
        match self.faults.bug {
            Some(DiskBug::SynchronousOff) => kind.is_of_sqlite(),
            // A log that begins anew syncs its header all the same, and a checkpoint the log (`begin_checkpoint`).
            Some(DiskBug::SynchronousNormal) => kind == FileKind::Log && is_of_frames,
            Some(DiskBug::NoBootBarrier) | None => false,
        }
    }

    /// SQLite has synced its log and moves it into the database. To a program that does not sync its commits, this is
    /// the log's only sync: the one before it could not be told from a commit's.
    pub(super) fn begin_checkpoint(&mut self, epoch: Epoch) {
        let log = self.folder.names().find(|(name, _)| FileKind::of(name) == FileKind::Log).map(|(_, file)| file);
        if let (Some(DiskBug::SynchronousNormal), Some(log)) = (self.faults.bug, log) {
            // When this stops everything, SQLite hears of it from its next operation.
            let _: Result<(), Trouble> = self.sync_now(epoch, (log, FileKind::Log));
        }
    }

    pub(super) fn sync_folder(&mut self, epoch: Epoch, by: FileKind) -> Result<(), Trouble> {
        if self.faults.bug == Some(DiskBug::SynchronousOff) && by.is_of_sqlite() {
            self.counts.ignored_syncs += 1;
            return self.alive(epoch);
        }
        self.step(epoch, Operation::SyncFolder, by)?;
        if self.faults.ignores_flush || self.opening.is_under_way {
            self.counts.ignored_syncs += 1;
        } else if self.opening.older.is_some() {
            self.destage();
        } else {
            self.folder.sync();
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, epoch: Epoch, name: &str) -> Result<(), Trouble> {
        self.step(epoch, Operation::Delete, FileKind::of(name))?;
        if self.folder.find(name).is_none() {
            return Err(Trouble::Missing);
        }
        self.folder.change(&[(name, None)]);
        Ok(())
    }

    pub(super) fn rename(&mut self, epoch: Epoch, from: &str, to: &str) -> Result<(), Trouble> {
        self.step(epoch, Operation::Rename, FileKind::of(from))?;
        let file = self.folder.find(from).ok_or(Trouble::Missing)?;
        self.folder.change(&[(from, None), (to, Some(file))]);
        Ok(())
    }

    /// One bit of a file of this kind turns over; `false` when there is none with a byte in it.
    pub(super) fn rot(&mut self, kind: FileKind, dice: &mut Dice) -> bool {
        let found = self.folder.names().find(|(name, _)| FileKind::of(name) == kind).map(|(_, file)| file);
        let content = found.and_then(|file| self.files.get_mut(file));
        content.is_some_and(|(content, _)| content.rot(dice))
    }

    /// The same random bytes in every run, for whoever asks SQLite's file system for some.
    pub(super) fn random(&mut self, into: &mut [u8]) {
        self.dice.fill(into);
    }
}
