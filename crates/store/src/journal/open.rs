//! Opening the journal: key, schema, chain, and the boot barrier; setting aside what cannot be read.

use super::{Chain, Journal};
use crate::error::{JOURNAL_UNREADABLE, is_in_use, is_unreadable};
use crate::schema::{Schema, prepare_journal};
use crate::{JournalKey, StoreError};
use domain::{FailureCode, TerminalId, Timestamp};
use ledger::Ledger;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::ffi::OsString;
use std::io::Write;
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
            StoreError::JournalRead(error) | StoreError::JournalWrite(error) if is_unreadable(&error) => {
                Self::Unreadable(error.to_string())
            }
            StoreError::JournalRead(error) | StoreError::JournalWrite(error) if is_in_use(&error) => {
                Self::Failed(StoreError::JournalInUse(error))
            }
            StoreError::JournalCorrupt(reason) => Self::Unreadable(reason),
            other => Self::Failed(other),
        }
    }
}

impl Journal {
    /// Opens the journal, or begins one. What cannot be read with this key, or contradicts itself, is renamed beside
    /// the path and a new generation begins. When this returns, one commit of this start is durable, so that nothing
    /// read from here can be lost again by a power cut; only `OpenReport::full` says otherwise.
    ///
    /// # Errors
    /// `JournalInUse` when another connection has it, `JournalTooNew` when a newer program wrote it, `JournalWrite`
    /// when the boot commit fails, `File` when the folder cannot be used. None of these touches the file.
    pub fn open(path: &Path, key: &JournalKey, terminal: TerminalId, now: Timestamp) -> Result<Opened, StoreError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
        match Self::try_open(path, key, terminal, now) {
            Ok(opened) => Ok(opened),
            Err(Unopened::Failed(error)) => Err(error),
            Err(Unopened::Unreadable(reason)) => {
                let aside = set_aside(path, now).map_err(|source| file_error(path, source))?;
                tracing::error!(path = %aside.display(), reason, "the journal cannot be read; it was set aside");
                let mut opened = Self::try_open(path, key, terminal, now).map_err(|unopened| match unopened {
                    Unopened::Failed(error) => error,
                    Unopened::Unreadable(reason) => StoreError::JournalCorrupt(reason),
                })?;
                opened.report.set_aside = Some(SetAside { path: aside, reason });
                Ok(opened)
            }
        }
    }

    fn try_open(path: &Path, key: &JournalKey, terminal: TerminalId, now: Timestamp) -> Result<Opened, Unopened> {
        let mut connection = connect(path, key).map_err(StoreError::JournalRead)?;
        let schema = prepare_journal(&mut connection)?;
        let chain = Chain::new(terminal, 0);
        let mut journal = Self { connection, generation: 0, chain, stopped: false, full: false, commits: 0 };
        journal.generation = journal.begin_generation(path, now)?;
        journal.check_pages()?;
        let ledger = journal.replay()?;
        journal.chain = ledger.chain();
        let boots = journal.boot_barrier_unless_full()?;
        if schema == Schema::Fresh {
            sync_folder(path).map_err(|source| file_error(path, source))?;
        }
        let migrated_from = match schema {
            Schema::Migrated { from } => Some(from),
            Schema::Fresh | Schema::Current => None,
        };
        let fresh = schema == Schema::Fresh;
        let earlier_aside = count_set_aside(path).map_err(|source| file_error(path, source))?;
        let report = OpenReport { fresh, migrated_from, boots, set_aside: None, earlier_aside, full: journal.full };
        Ok(Opened { journal, ledger, report })
    }

    /// The journal's generation; a new journal gets the next number, kept beside it first.
    fn begin_generation(&mut self, path: &Path, now: Timestamp) -> Result<u32, StoreError> {
        let known = self.read(|connection| {
            connection.query_row("SELECT number FROM generation", [], |row| row.get(0)).optional()
        })?;
        if let Some(number) = known {
            return Ok(number);
        }
        let number = next_generation(path).map_err(|source| file_error(path, source))?;
        self.write(|transaction| {
            transaction
                .execute("INSERT INTO generation (one, number, begun_ms) VALUES (1, ?1, ?2)", (number, now.0))?;
            Ok(number)
        })
    }

    fn check_pages(&self) -> Result<(), StoreError> {
        let verdict: String =
            self.read(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::JournalCorrupt(verdict)) }
    }

    /// The boot barrier; on a full disk the journal that could not write it can still be read. Its failed commit was
    /// rolled back, and the next opening makes another.
    fn boot_barrier_unless_full(&mut self) -> Result<u64, StoreError> {
        match self.boot_barrier() {
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
    fn boot_barrier(&mut self) -> Result<u64, StoreError> {
        let boots = self.write(|transaction| {
            let count: i64 = transaction.query_row(
                "INSERT INTO boot (one, count) VALUES (1, 1)
                 ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                [],
                |row| row.get(0),
            )?;
            Ok(super::unsigned(0, count)?)
        })?;
        self.checkpoint().map_err(StoreError::JournalWrite)?;
        Ok(boots)
    }
}

fn connect(path: &Path, key: &JournalKey) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(&key.pragma())?;
    // A journal that turns out unreadable is evidence: closing it must not write to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    // Exclusive before the first access, so that the WAL index lives in this process's memory.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// Renames the database and its log; the log first, so that a new database never finds an old log.
fn set_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let (mut stamp, mut target) = (now.0, aside_name(path, now.0));
    while target.exists() || beside(&target, "-wal").exists() {
        stamp += 1;
        target = aside_name(path, stamp);
    }
    for suffix in ["-wal", "-journal", "-shm"] {
        match std::fs::rename(beside(path, suffix), beside(&target, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, &target)?;
    sync_folder(path)?;
    Ok(target)
}

const ASIDE: &str = ".unreadable-";

fn aside_name(path: &Path, stamp: i64) -> PathBuf {
    beside(path, &format!("{ASIDE}{stamp}"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The number of the generation that begins now. It is kept in a file of its own, so that a number is never used
/// twice, whatever becomes of the journals.
fn next_generation(path: &Path) -> std::io::Result<u32> {
    let (file, staged) = (beside(path, ".generation"), beside(path, ".generation.new"));
    let newest: u32 = match std::fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => count_set_aside(path)?,
        Err(error) => return Err(error),
    };
    let next = newest.saturating_add(1);
    let mut output = std::fs::File::create(&staged)?;
    writeln!(output, "{next}")?;
    output.sync_all()?;
    std::fs::rename(&staged, &file)?;
    sync_folder(path)?;
    Ok(next)
}

/// How many unreadable journals lie set aside beside the journal at `path`: none once a technician took them away.
///
/// # Errors
/// The folder cannot be read.
pub fn count_set_aside(path: &Path) -> std::io::Result<u32> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(0) };
    let prefix = format!("{}{ASIDE}", name.to_string_lossy());
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stamp = name.strip_prefix(&prefix);
        count += u32::from(stamp.is_some_and(|stamp| stamp.bytes().all(|byte| byte.is_ascii_digit())));
    }
    Ok(count)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), source }
}
