//! Opening the journal: key, schema, chain, and the boot barrier; setting aside what cannot be read.

use super::aside::{count_set_aside_on, finish_setting_aside, next_generation, set_aside};
use super::files::{JournalFiles, SystemFiles, beside, folder_of};
use super::reserve::{RESERVE_PAGES, Room};
use super::{Chain, Fold, Journal};
use crate::error::{JOURNAL_UNREADABLE, is_in_use, is_read_only, is_unreadable, is_unreadable_at_opening};
use crate::schema::{Schema, prepare_journal};
use crate::{JournalKey, StoreError};
use domain::{FailureCode, TerminalId, Timestamp};
use ledger::Ledger;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};

/// An open journal, and what was found.
#[derive(Debug)]
pub struct Opened {
    /// The journal, ready: its boot commit is durable.
    pub journal: Journal,
    /// All its entries, folded and verified.
    pub ledger: Ledger,
    /// What was found.
    pub report: OpenReport,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// There was no journal: this terminal's first, or the folder was emptied.
    pub fresh: bool,
    /// The schema version it was moved forward from.
    pub migrated_from: Option<i64>,
    /// How often it was opened, this time included; 0 when the disk was full.
    pub boots: u64,
    /// The journal that could not be read: PIN tier and charges wait until a technician has looked.
    pub set_aside: Option<SetAside>,
    /// Journals of earlier generations that still lie set aside, this time's included.
    pub earlier_aside: u32,
    /// The disk had no room for the boot commit: what was read here may be lost in a power cut, so nothing may be done
    /// on the strength of it. The journal refuses every write until it is opened again.
    pub full: bool,
    /// The reserve that finishes a top-up on a full disk is there (`Journal::reserve`). Without it nothing is begun.
    pub reserve_whole: bool,
}

impl OpenReport {
    /// The failure a technician is told of.
    #[must_use]
    pub fn failure(&self) -> Option<FailureCode> {
        self.set_aside.is_some().then_some(JOURNAL_UNREADABLE)
    }
}

/// A journal that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Why a journal did not open.
enum Unopened {
    /// It is no journal under this key, or damaged.
    Unreadable(String),
    /// Anything else: setting it aside would be wrong.
    Failed(StoreError),
}

impl From<StoreError> for Unopened {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::JournalRead(error) if is_unreadable_at_opening(&error) => Self::Unreadable(error.to_string()),
            // A migration that fails is our mistake, and no reason to set the journal aside.
            StoreError::JournalWrite(error) if is_unreadable(&error) => Self::Unreadable(error.to_string()),
            StoreError::JournalRead(error) | StoreError::JournalWrite(error) if is_in_use(&error) => {
                Self::Failed(StoreError::JournalInUse(error))
            }
            StoreError::JournalCorrupt(reason) => Self::Unreadable(reason),
            other => Self::Failed(other),
        }
    }
}

impl Unopened {
    /// SQLite takes a database whose header names a later format for one that may only be read. Of a file that this
    /// program made, that is damage, and not a matter of permissions.
    fn if_not_for_its_header(self, path: &Path, files: &dyn JournalFiles) -> Self {
        match self {
            Self::Failed(StoreError::JournalRead(error) | StoreError::JournalWrite(error))
                if is_read_only(&error) && files.read(path).is_ok_and(|bytes| names_a_later_format(&bytes)) =>
            {
                Self::Unreadable(error.to_string())
            }
            other => other,
        }
    }

    /// The schema is the present one by its number: a barrier that does not fit it has met damage.
    fn at_the_barrier(error: StoreError) -> Self {
        match error {
            StoreError::JournalWrite(error) if is_unreadable_at_opening(&error) => Self::Unreadable(error.to_string()),
            other => other.into(),
        }
    }
}

/// More than the journal has: no statement is prepared twice.
const STATEMENTS_KEPT: usize = 64;

/// How a journal is opened.
#[derive(Debug, Clone, Copy)]
pub struct JournalOptions<'a> {
    /// The key of its pages. Without one they lie open: for tests and the simulation only.
    pub key: Option<&'a JournalKey>,
    /// The SQLite VFS, by the name under which it was registered; the system's when left out.
    pub vfs: Option<&'a str>,
    /// The file system beside SQLite. It has to be the one that the VFS shows.
    pub files: &'a dyn JournalFiles,
    /// Pages of the reserve; `RESERVE_PAGES` in a terminal, 0 for none.
    pub reserve_pages: u32,
}

impl<'a> JournalOptions<'a> {
    /// As a terminal opens its journal.
    #[must_use]
    pub fn of_terminal(key: &'a JournalKey) -> Self {
        Self { key: Some(key), vfs: None, files: &SystemFiles, reserve_pages: RESERVE_PAGES }
    }
}

impl Journal {
    /// Opens the terminal's journal on its own disk: `open_on` with `JournalOptions::of_terminal`.
    ///
    /// # Errors
    /// As `open_on`.
    pub fn open(path: &Path, key: &JournalKey, terminal: TerminalId, now: Timestamp) -> Result<Opened, StoreError> {
        Self::open_on(path, &JournalOptions::of_terminal(key), terminal, now)
    }

    /// Opens the journal, or begins one. What cannot be read with this key, or contradicts itself, is renamed beside
    /// the path and a new generation begins. When this returns, one commit of this start is durable, so that nothing
    /// read from here can be lost again by a power cut; only `OpenReport::full` says otherwise.
    ///
    /// # Errors
    /// `JournalInUse` when another connection has it, `JournalTooNew` when a newer program wrote it, `JournalWrite`
    /// when the boot commit fails, `File` when the folder cannot be used. None of these touches the file.
    pub fn open_on(
        path: &Path,
        options: &JournalOptions<'_>,
        terminal: TerminalId,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        let files = options.files;
        files.create_folder(folder_of(path)).map_err(|source| file_error(path, source))?;
        let interrupted = finish_setting_aside(path, files).map_err(|source| file_error(path, source))?;
        let interrupted = interrupted.map(|(path, reason)| SetAside { path, reason });
        let opened = Self::try_open(path, options, terminal, now);
        match opened.map_err(|unopened| unopened.if_not_for_its_header(path, files)) {
            Ok(mut opened) => {
                opened.report.set_aside = interrupted;
                Ok(opened)
            }
            Err(Unopened::Failed(error)) => Err(error),
            Err(Unopened::Unreadable(reason)) => {
                let aside = set_aside(path, now.0, &reason, files).map_err(|source| file_error(path, source))?;
                tracing::error!(path = %aside.display(), reason, "the journal cannot be read; it was set aside");
                let mut opened = Self::try_open(path, options, terminal, now).map_err(|unopened| match unopened {
                    Unopened::Failed(error) => error,
                    Unopened::Unreadable(reason) => StoreError::JournalCorrupt(reason),
                })?;
                opened.report.set_aside = Some(SetAside { path: aside, reason });
                Ok(opened)
            }
        }
    }

    fn try_open(
        path: &Path,
        options: &JournalOptions<'_>,
        terminal: TerminalId,
        now: Timestamp,
    ) -> Result<Opened, Unopened> {
        let files = options.files;
        let mut connection = connect(path, options)?;
        // An earlier fsync may have failed: then the log read just now has holes on the disk that no fsync fills.
        let log = beside(path, "-wal");
        files.write_again(&log).map_err(|source| file_error(&log, source))?;
        let schema = prepare_journal(&mut connection)?;
        let (chain, room) = (Chain::new(terminal, 0), Room::of(options.reserve_pages));
        let mut journal = Self {
            connection,
            generation: 0,
            chain,
            stopped: false,
            full: false,
            commits: 0,
            path: path.to_owned(),
            room,
            receipts: Vec::new(),
        };
        let (generation, boots) = journal.begin_generation(path, files, now)?;
        journal.generation = generation;
        journal.check_pages()?;
        let ledger = journal.replay()?;
        journal.chain = ledger.chain();
        // Else each opening would read a longer log: only a commit that follows a checkpoint begins it anew. The log
        // that made the tables is cut: it is as long as all of them.
        journal.fold_log(if schema == Schema::Fresh { Fold::Cut } else { Fold::Keep })?;
        let boots = journal.boot_barrier_unless_full(boots).map_err(Unopened::at_the_barrier)?;
        if schema == Schema::Fresh {
            files.sync_folder(folder_of(path)).map_err(|source| file_error(path, source))?;
        }
        journal.room.measure(&journal.connection, path, files)?;
        let migrated_from = match schema {
            Schema::Migrated { from } => Some(from),
            Schema::Fresh | Schema::Current => None,
        };
        let report = OpenReport {
            fresh: schema == Schema::Fresh,
            migrated_from,
            boots,
            set_aside: None,
            earlier_aside: count_set_aside_on(path, files).map_err(|source| file_error(path, source))?,
            full: journal.full,
            reserve_whole: journal.keep_reserve(files)?,
        };
        Ok(Opened { journal, ledger, report })
    }

    /// The journal's generation, and how often it was opened before; a new journal gets the next number, kept beside it
    /// first.
    fn begin_generation(
        &mut self,
        path: &Path,
        files: &dyn JournalFiles,
        now: Timestamp,
    ) -> Result<(u32, u64), StoreError> {
        let known = self.read(|connection| {
            let sql = "SELECT number, (SELECT count FROM boot) FROM generation";
            let read = |row: &rusqlite::Row<'_>| {
                let boots = row.get::<_, Option<i64>>(1)?.unwrap_or_default();
                Ok((row.get(0)?, super::unsigned(1, boots)?))
            };
            connection.query_row(sql, [], read).optional()
        })?;
        if let Some(known) = known {
            return Ok(known);
        }
        let number = next_generation(path, files).map_err(|source| file_error(path, source))?;
        self.write(|transaction| {
            transaction
                .execute("INSERT INTO generation (one, number, begun_ms) VALUES (1, ?1, ?2)", (number, now.0))?;
            Ok((number, 0))
        })
    }

    fn check_pages(&self) -> Result<(), StoreError> {
        let verdict: String =
            self.read(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::JournalCorrupt(verdict)) }
    }

    /// The boot barrier; on a full disk the journal that could not write it can still be read. Its failed commit was
    /// rolled back, and the next opening makes another.
    fn boot_barrier_unless_full(&mut self, before: u64) -> Result<u64, StoreError> {
        match self.boot_barrier(before) {
            Err(error) if error.code() == FailureCode::DiskFull => {
                tracing::error!(code = %error.code(), "no room for the journal's boot commit: it is only read");
                (self.stopped, self.full) = (false, true);
                Ok(0)
            }
            result => result,
        }
    }

    /// A kill between write and fsync leaves a commit that this start can read and the next power cut takes away.
    /// One commit of our own, synced behind it, and everything read is there to stay.
    fn boot_barrier(&mut self, before: u64) -> Result<u64, StoreError> {
        let boots = before.saturating_add(1);
        self.write(|transaction| {
            transaction.execute("REPLACE INTO boot (one, count) VALUES (1, ?1)", [super::signed(boots)?])?;
            Ok(boots)
        })
    }
}

/// Before anything was read, a failure speaks against VFS or folder, never against the file.
fn connect(path: &Path, options: &JournalOptions<'_>) -> Result<Connection, Unopened> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    };
    let connection = connection.map_err(|error| match is_unreadable(&error) || is_in_use(&error) {
        true => StoreError::JournalRead(error).into(),
        false => Unopened::Failed(StoreError::JournalRead(error)),
    })?;
    prepare(&connection, options).map_err(StoreError::JournalRead)?;
    Ok(connection)
}

fn prepare(connection: &Connection, options: &JournalOptions<'_>) -> rusqlite::Result<()> {
    if let Some(key) = options.key {
        connection.execute_batch(&key.pragma())?;
    }
    // A journal that turns out unreadable is evidence: closing it must not write to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Plans that depend on the statements alone: else a limit or a state given as a parameter is planned anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(std::time::Duration::ZERO)?;
    // Exclusive before the first access, so that the WAL index lives in this process's memory.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // In the place of SQLite's own hook, so that it makes no checkpoint by itself.
    connection.wal_hook(Some(super::note_log_frames));
    Ok(())
}

/// Byte 18, the file format's write version, is 1 or 2 ("Database File Format", section 1.3.2). Under a key the header is
/// sealed with its page.
fn names_a_later_format(database: &[u8]) -> bool {
    database.starts_with(b"SQLite format 3\0") && database.get(18).is_some_and(|version| *version > 2)
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), source }
}
