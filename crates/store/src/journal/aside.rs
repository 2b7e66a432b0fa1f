//! Setting a journal aside, and the numbers of generations. A journal that cannot be read is evidence of money: it is
//! renamed with everything that belongs to it, and never deleted.
//!
//! The renames are several and a power cut may come between any two. Database and log must not part: a database whose
//! log has gone reads as an older journal, and a log without its database is deleted by SQLite. So a note is written
//! first, which says under what name they go; whoever finds the note finishes the renames before anything is opened.

use super::files::{JournalFiles, beside, folder_of};
use protocol::journal_key::WRAPPED_KEY_SUFFIX;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Stands between the journal's name and the moment it was set aside.
const ASIDE: &str = ".unreadable-";
/// The note of a journal that is being set aside.
const NOTE: &str = ".setting-aside";
/// The note's suffix once all has been renamed: the reason, kept with the evidence.
const REASON: &str = "-reason";
/// What goes with the database, which is last.
const PARTS: [&str; 5] = ["-wal", "-journal", "-shm", WRAPPED_KEY_SUFFIX, ""];

/// Sets the journal aside under a name of this moment (milliseconds since 1970), for this reason. Gives the new name.
pub(super) fn set_aside(path: &Path, stamp: i64, reason: &str, files: &dyn JournalFiles) -> io::Result<PathBuf> {
    let mut stamp = stamp;
    while PARTS.iter().any(|part| !matches!(files.exists(&beside(&aside_name(path, stamp), part)), Ok(false))) {
        stamp = stamp.checked_add(1).ok_or(ErrorKind::InvalidInput)?;
    }
    files.write(&beside(path, NOTE), format!("{stamp}\n{reason}\n").as_bytes())?;
    rename_all(path, &aside_name(path, stamp), files)
}

/// Finishes what a power cut interrupted.
pub(super) fn finish_setting_aside(path: &Path, files: &dyn JournalFiles) -> io::Result<Option<(PathBuf, String)>> {
    let note = match files.read(&beside(path, NOTE)) {
        Ok(note) => String::from_utf8_lossy(&note).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (stamp, reason) = note.split_once('\n').ok_or(ErrorKind::InvalidData)?;
    let stamp: i64 = stamp.parse().map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
    let target = rename_all(path, &aside_name(path, stamp), files)?;
    Ok(Some((target, reason.trim_end().to_owned())))
}

fn rename_all(path: &Path, target: &Path, files: &dyn JournalFiles) -> io::Result<PathBuf> {
    for part in PARTS {
        rename_if_there(&beside(path, part), &beside(target, part), files)?;
    }
    files.sync_folder(folder_of(path))?;
    rename_if_there(&beside(path, NOTE), &beside(target, REASON), files)?;
    files.sync_folder(folder_of(path))?;
    Ok(target.to_owned())
}

fn rename_if_there(from: &Path, to: &Path, files: &dyn JournalFiles) -> io::Result<()> {
    match files.rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn aside_name(path: &Path, stamp: i64) -> PathBuf {
    beside(path, &format!("{ASIDE}{stamp}"))
}

/// The number of the generation that begins now. It is kept in a file of its own, so that a number is never used
/// twice, whatever becomes of the journals.
pub(super) fn next_generation(path: &Path, files: &dyn JournalFiles) -> io::Result<u32> {
    let file = beside(path, ".generation");
    let invalid = || io::Error::from(ErrorKind::InvalidData);
    let newest: u32 = match files.read(&file) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).map_err(|_| invalid())?;
            text.trim().parse().map_err(|_| invalid())?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => count_set_aside_on(path, files)?,
        Err(error) => return Err(error),
    };
    let next = newest.checked_add(1).ok_or_else(invalid)?;
    files.write(&file, format!("{next}\n").as_bytes())?;
    Ok(next)
}

/// How many unreadable journals lie set aside beside the journal at `path`: none once a technician took them away.
///
/// # Errors
/// The folder cannot be read.
pub fn count_set_aside(path: &Path) -> io::Result<u32> {
    count_set_aside_on(path, &super::SystemFiles)
}

/// As `count_set_aside`, on this file system.
pub(super) fn count_set_aside_on(path: &Path, files: &dyn JournalFiles) -> io::Result<u32> {
    let Some(name) = path.file_name() else { return Ok(0) };
    let prefix = format!("{}{ASIDE}", name.to_string_lossy());
    let is_one = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        let stamp = name.strip_prefix(&prefix);
        stamp.is_some_and(|stamp| !stamp.is_empty() && stamp.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let count = files.list(folder_of(path))?.iter().filter(|name| is_one(name)).count();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
