//! A terminal's journal in the city's hands: opened with the offline recovery key, from the disk of a terminal whose own
//! home of the key is lost, also one that was set aside. The evidence is not touched: what is opened is a copy.

use crate::Database;
use crate::error::CentralError;
use crate::import::{self, Imported};
use crate::key_file::KeyFile;
use crate::uploads::Sent;
use data_encoding::HEXLOWER;
use domain::{TerminalId, Timestamp};
use ledger::{Entry, Ledger};
use protocol::journal_key::WRAPPED_KEY_SUFFIX;
use protocol::{HpkeSecret, IdempotencyKey, Upload, UploadBody, WrappedKey};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What lies in a journal.
#[derive(Debug)]
pub struct OpenedJournal {
    /// Whose.
    pub terminal: TerminalId,
    /// Which of this terminal's journals.
    pub generation: u32,
    /// Its entries, oldest first.
    pub entries: Vec<Entry>,
    /// Uploads that central never receipted, as written, oldest first.
    pub unsent: Vec<Vec<u8>>,
    /// Why the entries do not follow from one another, where they do not. Each is what the terminal wrote all the same.
    pub contradiction: Option<String>,
}

/// Opens the journal at `path` (`journal.db`, or what it was set aside as) with the city's recovery key. The wrapped key
/// lies beside it.
///
/// # Errors
/// `CentralError::File` when a file is missing, `Content` when the wrapped key is for another recovery key or the file is
/// no journal under it.
pub fn open_journal(path: &Path, recovery: &HpkeSecret) -> Result<OpenedJournal, CentralError> {
    let wrap = beside(path, WRAPPED_KEY_SUFFIX);
    let bytes = std::fs::read(&wrap).map_err(|error| CentralError::file(&wrap, error))?;
    let wrapped = WrappedKey::decode(&bytes).ok_or_else(|| CentralError::content(&wrap, "not a wrapped key"))?;
    let key = wrapped.open(recovery).map_err(|error| CentralError::content(&wrap, error))?;
    let copy = Copied::of(path)?;
    let read = read(&copy.journal(), &key).map_err(|error| CentralError::content(path, error))?;
    let (generation, entries, unsent) = read;
    let entries: Vec<Entry> = entries
        .iter()
        .map(|bytes| Entry::decode(bytes).map_err(|error| CentralError::content(path, error)))
        .collect::<Result<_, _>>()?;
    let replayed = Ledger::replay(wrapped.terminal, generation, &entries);
    let contradiction = replayed.err().map(|error| error.to_string());
    Ok(OpenedJournal { terminal: wrapped.terminal, generation, entries, unsent, contradiction })
}

type Rows = (u32, Vec<Vec<u8>>, Vec<Vec<u8>>);

fn read(path: &Path, key: &[u8; 32]) -> rusqlite::Result<Rows> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let digits = Zeroizing::new(HEXLOWER.encode(key));
    connection.execute_batch(&Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", digits.as_str())))?;
    // The log's index lives in this process's memory.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let generation = connection.query_row("SELECT number FROM generation", [], |row| row.get(0)).optional()?;
    let all = |sql: &str| -> rusqlite::Result<Vec<Vec<u8>>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let entries = all("SELECT bytes FROM entry ORDER BY seq")?;
    let unsent = all("SELECT bytes FROM outbox WHERE state <> 'sent' ORDER BY position")?;
    Ok((generation.unwrap_or_default(), entries, unsent))
}

/// Takes what the journal holds into central's books: its entries in their order, each under its own upload's key where
/// that was never receipted, then all else that waited. Safe to repeat.
///
/// # Errors
/// `CentralError`: central's own, and the import can be repeated.
pub fn import_journal(
    database: &mut Database,
    keys: &KeyFile,
    opened: &OpenedJournal,
    now: Timestamp,
) -> Result<Imported, CentralError> {
    let mut imported = Imported::none(opened.terminal, now);
    let (mut waiting, mut others) = (BTreeMap::new(), Vec::new());
    for bytes in &opened.unsent {
        match Upload::decode(bytes) {
            Ok(Upload { body: UploadBody::LedgerEntry(entry), .. }) => drop(waiting.insert(entry, bytes.clone())),
            _ => others.push(bytes),
        }
    }
    for entry in &opened.entries {
        let bytes = entry.encode();
        let upload = waiting.remove(&bytes).map_or_else(|| upload_of(opened, entry, bytes), Ok)?;
        import::take(database, keys, &mut imported, Sent::unsigned(opened.terminal, upload), now)?;
    }
    for upload in waiting.values().chain(others) {
        import::take(database, keys, &mut imported, Sent::unsigned(opened.terminal, upload.clone()), now)?;
    }
    Ok(imported)
}

/// An entry whose upload was cut to its hash once central had receipted it. Central knows it by its top-up and kind, and
/// books it only if it has lost it since. The key follows from the entry, so that a repeat is one.
fn upload_of(opened: &OpenedJournal, entry: &Entry, bytes: Vec<u8>) -> Result<Vec<u8>, CentralError> {
    let hash = Sha256::new().chain_update(b"opened journal").chain_update(&bytes).finalize();
    let mut key = [0; 16];
    key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    let upload = Upload {
        terminal: opened.terminal.0,
        journal_generation: opened.generation,
        key: IdempotencyKey(key),
        written: entry.at.0,
        body: UploadBody::LedgerEntry(bytes),
    };
    upload.encode().map_err(|error| CentralError::NotReady(error.to_string()))
}

/// A copy of a journal and its log, which goes with this handle: SQLite folds a log into its database, and evidence is
/// not to change.
struct Copied(PathBuf);

impl Copied {
    fn of(path: &Path) -> Result<Self, CentralError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let folder = std::env::temp_dir().join(format!("citizen-journal-{}", HEXLOWER.encode(&random)));
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| CentralError::file(&folder, error))?;
        let copied = Self(folder);
        for suffix in ["", "-wal"] {
            let from = beside(path, suffix);
            match std::fs::copy(&from, beside(&copied.journal(), suffix)) {
                Err(error) if suffix.is_empty() || error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(CentralError::file(&from, error));
                }
                _ => {}
            }
        }
        Ok(copied)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a journal's copy, which is encrypted, is left behind");
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads the private half of the recovery key from its file.
///
/// # Errors
/// `CentralError::File`, or `Content` when it is none.
pub fn read_recovery_key(path: &Path) -> Result<HpkeSecret, CentralError> {
    let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
    let text = Zeroizing::new(text);
    let bytes = HEXLOWER.decode(text.trim().as_bytes()).map(Zeroizing::new);
    let bytes = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    bytes.map(HpkeSecret::new).ok_or_else(|| CentralError::content(path, "not a recovery key: 64 hexadecimal digits"))
}

/// Writes the private half of the recovery key, for its owner only. An earlier file of this name is left alone.
///
/// # Errors
/// `CentralError::File`.
pub fn write_recovery_key(secret: &HpkeSecret, path: &Path) -> Result<(), CentralError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let line = Zeroizing::new(format!("{}\n", Zeroizing::new(HEXLOWER.encode(secret.expose())).as_str()));
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| CentralError::file(path, error))
}
