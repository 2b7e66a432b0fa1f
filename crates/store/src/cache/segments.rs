//! The folder of segment files beside the database, each under its hash. A file is checked whole before it gets its
//! name; one that lies there from before a restart is checked again. Nothing is asked of the disk until the database
//! is about to count on a file: then it is made durable.

use super::fences::Fences;
use crate::StoreError;
use protocol::segment::{Content, Header};
use protocol::{FileEntry, FileHash, Segment, Tier};
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Files that are made durable at the same time.
const SYNCS_AT_ONCE: usize = 16;

/// What is known of a checked segment file.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) header: Header,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) fences: Fences,
}

/// The folder, and what was checked in it by this process.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    checked: HashMap<FileHash, Checked>,
}

/// The folder that belongs to a database: its name, then `-segments`.
pub(super) fn folder_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-segments");
    PathBuf::from(name)
}

pub(super) fn file_of(folder: &Path, sha256: FileHash) -> PathBuf {
    folder.join(sha256.to_string())
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Segment { path, source }
}

/// The segments that the database counts on.
pub(super) fn held(connection: &Connection) -> rusqlite::Result<HashSet<FileHash>> {
    let mut statement = connection.prepare_cached("SELECT sha256 FROM base")?;
    statement.query_map([], |row| row.get(0).map(FileHash))?.collect()
}

impl Segments {
    pub(super) fn beside(database: &Path) -> Self {
        Self { folder: folder_of(database), checked: HashMap::new() }
    }

    /// Whether every segment that the database counts on is there, as long as it was. Its bytes are compared when a row
    /// is looked up.
    pub(super) fn check_base(&self, connection: &Connection) -> Result<(), StoreError> {
        let read = || {
            let mut statement = connection.prepare("SELECT sha256, bytes FROM base")?;
            let rows = statement.query_map([], |row| Ok((FileHash(row.get(0)?), row.get::<_, i64>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        for (sha256, bytes) in read().map_err(StoreError::Cache)? {
            let found = std::fs::metadata(file_of(&self.folder, sha256)).map(|file| file.len());
            if found.ok().and_then(|found| i64::try_from(found).ok()) != Some(bytes) {
                return Err(StoreError::CacheDamaged(format!("segment {sha256} is missing or cut")));
            }
        }
        Ok(())
    }

    /// Checks a fetched segment and keeps it.
    pub(super) fn keep(&mut self, entry: &FileEntry, tier: Tier, bytes: &[u8]) -> Result<(), StoreError> {
        let checked = check(entry, tier, bytes)?;
        std::fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        let path = file_of(&self.folder, entry.sha256);
        let part = path.with_extension("part");
        let write = || {
            File::create(&part)?.write_all(bytes)?;
            std::fs::rename(&part, &path)
        };
        write().map_err(|source| {
            // What was begun takes room that others may need; if it cannot go now, the next sweep takes it.
            let _ = std::fs::remove_file(&part);
            StoreError::Segment { path: path.clone(), source }
        })?;
        self.checked.insert(entry.sha256, checked);
        Ok(())
    }

    /// What is known of a segment, if it is here whole. One from before a restart is checked now, and removed if it is
    /// wrong.
    pub(super) fn find(&mut self, entry: &FileEntry, tier: Tier) -> Result<Option<&Checked>, StoreError> {
        if !self.checked.contains_key(&entry.sha256) {
            let path = file_of(&self.folder, entry.sha256);
            match std::fs::metadata(&path) {
                Ok(file) if file.len() == entry.bytes => self.check_again(&path, entry, tier)?,
                Ok(_) => std::fs::remove_file(&path).map_err(failed(&path))?,
                Err(_) => {}
            }
        }
        Ok(self.checked.get(&entry.sha256))
    }

    /// What cannot be read, or is wrong, is not here: it is fetched again.
    fn check_again(&mut self, path: &Path, entry: &FileEntry, tier: Tier) -> Result<(), StoreError> {
        let bytes = std::fs::read(path).map_err(failed(path));
        match bytes.and_then(|bytes| check(entry, tier, &bytes)) {
            Ok(checked) => drop(self.checked.insert(entry.sha256, checked)),
            Err(error) => {
                tracing::warn!(segment = entry.name, %error, "a kept segment is discarded");
                std::fs::remove_file(path).map_err(failed(path))?;
            }
        }
        Ok(())
    }

    /// The bytes of a kept file, compared with its hash once more.
    pub(super) fn read(&mut self, entry: &FileEntry) -> Result<Vec<u8>, StoreError> {
        let path = file_of(&self.folder, entry.sha256);
        match std::fs::read(&path) {
            Ok(bytes) if entry.is(&bytes) => Ok(bytes),
            _ => {
                self.checked.remove(&entry.sha256);
                std::fs::remove_file(&path).map_err(failed(&path))?;
                Err(StoreError::Feed(format!("{} is not as it was kept", entry.name)))
            }
        }
    }

    /// Makes files and their names durable.
    pub(super) fn make_durable<'e>(&self, entries: impl Iterator<Item = &'e FileEntry>) -> Result<(), StoreError> {
        let paths: Vec<PathBuf> = entries.map(|entry| file_of(&self.folder, entry.sha256)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        // Each waits for a commit of the file system: those that wait at once share one.
        std::thread::scope(|scope| {
            let share = paths.len().div_ceil(SYNCS_AT_ONCE);
            let syncing: Vec<_> = paths.chunks(share).map(|paths| scope.spawn(|| sync(paths))).collect();
            syncing.into_iter().try_for_each(|thread| {
                let gone = || failed(&self.folder)(std::io::Error::other("a thread that syncs is gone"));
                thread.join().unwrap_or_else(|_| Err(gone()))
            })
        })?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed(&self.folder))
    }

    /// Removes what is not to be kept. What cannot be removed now is tried again next time.
    pub(super) fn sweep(&mut self, keep: &HashSet<FileHash>) {
        self.checked.retain(|sha256, _| keep.contains(sha256));
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return tracing::warn!(%error, "the folder of segments cannot be read"),
        };
        for file in entries.flatten() {
            let named = file.file_name().to_str().and_then(|name| name.parse().ok());
            if named.is_some_and(|sha256| keep.contains(&sha256)) {
                continue;
            }
            if let Err(error) = std::fs::remove_file(file.path()) {
                tracing::warn!(%error, path = %file.path().display(), "a segment cannot be removed");
            }
        }
    }
}

fn sync(paths: &[PathBuf]) -> Result<(), StoreError> {
    paths.iter().try_for_each(|path| File::open(path).and_then(|file| file.sync_all()).map_err(failed(path)))
}

/// The bytes are this segment, and it is what its entry says.
fn check(entry: &FileEntry, tier: Tier, bytes: &[u8]) -> Result<Checked, StoreError> {
    let wrong = |what: &dyn std::fmt::Display| StoreError::Feed(format!("{}: {what}", entry.name));
    if !entry.is(bytes) {
        return Err(wrong(&"not the file of its hash"));
    }
    let segment = Segment::parse(bytes).map_err(|error| wrong(&error))?;
    let header = segment.header();
    let told = match header.content {
        Content::Base { part } => entry.part() == Some(part),
        Content::Delta => entry.steps == Some(header.steps),
    };
    if header.tier != tier || !told {
        return Err(wrong(&"of another tier, part or range than its manifest says"));
    }
    let fences = match header.content {
        Content::Base { .. } => Fences::of(bytes, &segment),
        Content::Delta => Fences::default(),
    };
    Ok(Checked { header, rows: segment.count(), bytes: entry.bytes, fences })
}
