//! What lies below SQLite: files in memory, a page cache over them, and a drive that loses, tears, reorders, fills up
//! and lies as real ones do. One thread uses a disk at a time; nothing of it touches the machine's own disk.
//!
//! ```text
//! let disk = Disk::from_template(&template, seed)?;             // once for each terminal of a worker
//! disk.reset(&template, seed);                                  // then for each history
//! disk.cut_at(dice.below(200) + 1);                             // where the history ends, if it gets that far
//! let options = JournalOptions { key: None, vfs: Some(disk.vfs()), files: &disk.files(), .. };
//! disk.begin_opening();
//! let opened = Journal::open_on(disk.journal_path(), &options, terminal, now);
//! disk.end_opening();
//! // ... the history; when an error comes and `disk.stopped()` tells of a cut, the process is at its end:
//! drop(opened);
//! disk.kill();                                                  // or disk.power_cut(&mut dice); then open again
//! ```
//!
//! What is assumed of the medium: sectors of 512 bytes; what was synced stays; an unsynced sector is there, is not, or
//! has its first bytes only, whatever became of those written before it; names change as on a journalling file system,
//! in order and each as a whole. What is promised to SQLite is nothing (`vfs`).
//!
//! Everything here is decided by dice. Two things are not the disk's to decide: SQLite takes the salts of its log from
//! a generator of the process, and SQLCipher takes its own from the operating system. Neither changes what is written
//! when, so a seed still gives the same history.

mod content;
mod faults;
mod files;
mod folder;
mod image;
mod locks;
mod state;
#[allow(unsafe_code, reason = "SQLite calls its file system through C function pointers")]
mod vfs;

#[cfg(test)]
mod tests;

pub use faults::{Counts, Cut, DiskBug, FileKind, Operation};
pub use files::SimFiles;
pub use image::Image;

use crate::Dice;
use state::{Shared, State, lock};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// Where a terminal's journal lies on its disk.
const JOURNAL: &str = "/terminal/journal.db";

/// SQLite does not take the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SQLite refuses the simulated disk: result code {0}")]
pub struct DiskError(i32);

/// A simulated disk, with the process that uses it and the machine it is in.
///
/// A process begins with the disk, and anew with each `kill`, `power_cut`, `restore` and `reset`; what an earlier
/// process opened then gives errors, and may be dropped at any time.
pub struct Disk {
    shared: Shared,
    registered: vfs::Registered,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("vfs", &self.vfs()).finish_non_exhaustive()
    }
}

impl Disk {
    /// An empty disk. The seed is for what it decides by itself: what a failed fsync loses, what a kernel evicts.
    ///
    /// # Errors
    /// When SQLite does not take it.
    pub fn new(seed: u64) -> Result<Self, DiskError> {
        let shared = Arc::new(Mutex::new(State::new(seed)));
        let registered = vfs::Registered::new(Arc::clone(&shared)).map_err(DiskError)?;
        Ok(Self { shared, registered })
    }

    /// A disk with this content, all of it durable.
    ///
    /// # Errors
    /// As `new`.
    pub fn from_template(template: &Image, seed: u64) -> Result<Self, DiskError> {
        let disk = Self::new(seed)?;
        disk.reset(template, seed);
        Ok(disk)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }

    /// The name by which SQLite knows this disk.
    #[must_use]
    pub fn vfs(&self) -> &str {
        self.registered.name()
    }

    /// Where the journal lies on it.
    #[must_use]
    pub fn journal_path(&self) -> &'static Path {
        Path::new(JOURNAL)
    }

    /// The files beside SQLite, for the process that runs now.
    #[must_use]
    pub fn files(&self) -> SimFiles {
        SimFiles::new(Arc::clone(&self.shared))
    }

    /// As new: this content, no faults, nothing counted.
    pub fn reset(&self, template: &Image, seed: u64) {
        self.state().reset(template, seed);
    }

    /// What the medium surely has. Of a disk that was closed well that is everything.
    #[must_use]
    pub fn image(&self) -> Image {
        self.state().durable()
    }

    /// Somebody puts an image back. The machine was off; faults and counts stay.
    pub fn restore(&self, image: &Image) {
        self.state().load(image);
    }

    /// The power fails, and comes back: of what was not synced any sectors are there, in any order and torn, and the
    /// newest changes of names are not. A cut that was waiting is called off; other faults stay.
    pub fn power_cut(&self, dice: &mut Dice) {
        self.state().lose_power(dice);
    }

    /// The process ends where it is. The next one sees all that was written (but for pages that a failed fsync marked
    /// clean and the kernel evicts); a later power cut can still take what was not synced. A cut that was waiting is
    /// called off; other faults stay.
    pub fn kill(&self) {
        self.state().kill();
    }

    /// Everything stops at the n-th operation from now (1: the next): it does not happen, and it and all later ones
    /// give errors until `kill`, `power_cut`, `restore` or `reset`. Replaces a cut that was waiting.
    pub fn cut_at(&self, n: u64) {
        self.state().faults.cut_in(n, None);
    }

    /// As `cut_at`, at the n-th operation of this kind on such a file: before the log's n-th sync, for one.
    pub fn cut_before(&self, operation: Operation, file: FileKind, n: u64) {
        self.state().faults.cut_in(n, Some((operation, file)));
    }

    /// Where everything stopped; `None` while the process runs.
    #[must_use]
    pub fn stopped(&self) -> Option<Cut> {
        self.state().stopped()
    }

    /// The drive acknowledges syncs and makes nothing durable, until told otherwise (then the next sync of a file
    /// makes all of that file durable) or until it destages.
    pub fn ignore_flush(&self, ignores: bool) {
        self.state().faults.ignores_flush = ignores;
    }

    /// The drive writes down everything it has, by itself.
    pub fn destage(&self) {
        self.state().destage();
    }

    /// So many more bytes fit on the disk; then it is full, and a write that does not fit is written as far as it does.
    /// `None`: as many as anybody wants.
    pub fn fill(&self, bytes_left: Option<u64>) {
        let mut state = self.state();
        let used = state.used();
        state.faults.capacity = bytes_left.map(|left| used.saturating_add(left));
    }

    /// The n-th sync from now fails, once. As on Linux, what it was to write counts as written from then on, and no
    /// later sync writes it.
    pub fn fail_fsync_at(&self, n: u64) {
        self.state().faults.fail_sync_in(n);
    }

    /// The n-th write from now fails, once, and writes nothing.
    pub fn fail_write_at(&self, n: u64) {
        self.state().faults.fail_write_in(n);
    }

    /// The n-th read from now fails, once.
    pub fn fail_read_at(&self, n: u64) {
        self.state().faults.fail_read_in(n);
    }

    /// One bit of a file turns over, on the medium and in the cache. `false` when there is no such file or it is empty.
    pub fn rot(&self, file: FileKind, dice: &mut Dice) -> bool {
        self.state().rot(file, dice)
    }

    /// The program uses its disk with this mistake from now on.
    pub fn set_bug(&self, bug: Option<DiskBug>) {
        self.state().faults.bug = bug;
    }

    /// The journal is about to be opened. Matters to `DiskBug::NoBootBarrier` alone.
    pub fn begin_opening(&self) {
        self.state().begin_opening();
    }

    /// The journal is open, or is not.
    pub fn end_opening(&self) {
        self.state().end_opening();
    }

    /// What has happened since the disk was reset.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// How many writes, changes of size and changes of names a power cut could take now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.state().unsynced()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }
}
