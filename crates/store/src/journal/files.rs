//! What the journal needs of a file system beside SQLite. The terminal's is the system's; a simulation brings its own,
//! together with a VFS for SQLite, so that both see the same disk.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file system as the journal uses it. Every path is one that was derived from the journal's own.
pub trait JournalFiles: fmt::Debug {
    /// Makes a folder and those above it; one that is there is fine.
    ///
    /// # Errors
    /// As the file system says.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// A file's length in bytes; `None` when there is none of this name.
    ///
    /// # Errors
    /// As the file system says.
    fn length(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Whether there is a file of this name.
    ///
    /// # Errors
    /// As the file system says.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.length(path)?.is_some())
    }

    /// Gives a file another name in the same folder. Durable once the folder is synced.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// A file's bytes.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Writes a file for its owner only, in place of an earlier one of this name: whole or not at all, and durable when
    /// it returns.
    ///
    /// # Errors
    /// As the file system says; then the earlier file is there still, or the new one is.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Writes a file's bytes over themselves, in place, and makes them durable. After a failed fsync the system shows
    /// bytes that the medium lacks and that no later fsync writes; this does. No such file is fine.
    ///
    /// # Errors
    /// As the file system says.
    fn write_again(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As the file system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Whether the disk gives so many bytes now. A file of this name may be made for it, and is gone afterwards. A file
    /// system that cannot tell says yes.
    ///
    /// # Errors
    /// As the file system says, other than that there is no room.
    fn has_room(&self, probe: &Path, bytes: u64) -> io::Result<bool> {
        let _ = (probe, bytes);
        Ok(true)
    }

    /// The names in a folder.
    ///
    /// # Errors
    /// As the file system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>>;
}

/// The system's own file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemFiles;

impl JournalFiles for SystemFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    fn length(&self, path: &Path) -> io::Result<Option<u64>> {
        match std::fs::metadata(path) {
            Ok(data) => Ok(Some(data.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let staged = beside(path, ".new");
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&staged, path)?;
        self.sync_folder(folder_of(path))
    }

    fn write_again(&self, path: &Path) -> io::Result<()> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes)?;
        file.write_all_at(&bytes, 0)?;
        file.sync_all()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn has_room(&self, probe: &Path, bytes: u64) -> io::Result<bool> {
        match take_room(probe, bytes) {
            Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Ok(false),
            taken => taken.map(|()| true),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }
}

/// Blocks are given when bytes are written and synced, and not before.
fn take_room(probe: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create(probe)?;
    // Without a name it goes with this handle, also when the process dies.
    std::fs::remove_file(probe)?;
    io::copy(&mut io::repeat(0xA5).take(bytes), &mut file)?;
    file.sync_all()
}

/// A name beside the journal's: its own and a suffix.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
