//! What can be wrong with a disk, and where a history is cut.

/// What is asked of a disk. Each of these counts, and each is a point at which a history can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A file is opened, or made.
    Open,
    /// Bytes are written to the page cache.
    Write,
    /// A file's bytes are made durable.
    Sync,
    /// A file's size is set.
    Truncate,
    /// A name is taken away.
    Delete,
    /// A name is given to another file.
    Rename,
    /// The folder's names are made durable.
    SyncFolder,
}

/// What a file is to SQLite, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// The database.
    Database,
    /// Its write-ahead log.
    Log,
    /// Its rollback journal, used before it is in WAL mode.
    RollbackJournal,
    /// Anything beside SQLite, and the folder.
    Other,
}

impl FileKind {
    pub(super) fn of(name: &str) -> Self {
        if name.ends_with("-wal") {
            Self::Log
        } else if name.ends_with("-journal") {
            Self::RollbackJournal
        } else if name.ends_with(".db") {
            Self::Database
        } else {
            Self::Other
        }
    }

    pub(super) fn is_of_sqlite(self) -> bool {
        self != Self::Other
    }
}

/// Where everything stopped: this operation was asked for and did not happen, nor did anything after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    /// Its number, counted from 1 since the disk was reset.
    pub number: u64,
    /// What was asked for.
    pub operation: Operation,
    /// Of which file.
    pub file: FileKind,
}

/// A deliberate mistake that lies in how a program uses its disk. A simulation has to find each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskBug {
    /// `PRAGMA synchronous = OFF`: SQLite never syncs.
    SynchronousOff,
    /// `PRAGMA synchronous = NORMAL`: a commit does not sync the log, only a checkpoint does.
    SynchronousNormal,
    /// An opening makes nothing durable: what is written between `begin_opening` and `end_opening` is the first to be
    /// lost, until something is synced after it.
    NoBootBarrier,
}

/// What has happened on a disk since it was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Operations of all kinds, those that failed included.
    pub operations: u64,
    /// Writes.
    pub writes: u64,
    /// Syncs of files that did what they say.
    pub syncs: u64,
    /// Syncs that were acknowledged and did nothing.
    pub ignored_syncs: u64,
    /// Operations that a full disk refused.
    pub full: u64,
    /// Operations that failed with an input/output error that was asked for.
    pub failed: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Processes killed.
    pub kills: u64,
    /// Sectors that power cuts took.
    pub lost_sectors: u64,
    /// Sectors that power cuts tore.
    pub torn_sectors: u64,
    /// Changes of names that power cuts took.
    pub lost_names: u64,
}

/// Faults that lie in wait, each counted down to its operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    cuts: Option<Countdown>,
    sync_fails: Option<u64>,
    write_fails: Option<u64>,
    read_fails: Option<u64>,
    /// How many bytes all files together may have.
    pub(super) capacity: Option<u64>,
    pub(super) ignores_flush: bool,
    pub(super) bug: Option<DiskBug>,
}

#[derive(Debug, Clone, Copy)]
struct Countdown {
    left: u64,
    only: Option<(Operation, FileKind)>,
}

impl Faults {
    pub(super) fn cut_in(&mut self, left: u64, only: Option<(Operation, FileKind)>) {
        self.cuts = Some(Countdown { left, only });
    }

    pub(super) fn no_cut(&mut self) {
        self.cuts = None;
    }

    pub(super) fn fail_sync_in(&mut self, left: u64) {
        self.sync_fails = Some(left);
    }

    pub(super) fn fail_write_in(&mut self, left: u64) {
        self.write_fails = Some(left);
    }

    pub(super) fn fail_read_in(&mut self, left: u64) {
        self.read_fails = Some(left);
    }

    /// Whether the history ends at this operation.
    pub(super) fn cuts_now(&mut self, operation: Operation, file: FileKind) -> bool {
        let Some(countdown) = &mut self.cuts else { return false };
        if countdown.only.is_some_and(|only| only != (operation, file)) {
            return false;
        }
        countdown.left = countdown.left.saturating_sub(1);
        let now = countdown.left == 0;
        if now {
            self.cuts = None;
        }
        now
    }

    pub(super) fn sync_fails_now(&mut self) -> bool {
        is_due(&mut self.sync_fails)
    }

    pub(super) fn write_fails_now(&mut self) -> bool {
        is_due(&mut self.write_fails)
    }

    pub(super) fn read_fails_now(&mut self) -> bool {
        is_due(&mut self.read_fails)
    }
}

/// Counts down, and clears what has come.
fn is_due(countdown: &mut Option<u64>) -> bool {
    let Some(left) = countdown else { return false };
    *left = left.saturating_sub(1);
    let due = *left == 0;
    if due {
        *countdown = None;
    }
    due
}
