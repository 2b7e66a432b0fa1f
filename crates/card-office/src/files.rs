//! Files that are the office's own: read only when nobody else can, written so that a power cut leaves whole lines.

use crate::error::OfficeError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest key file, token file or list that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads a file that only its owner may read.
///
/// # Errors
/// `Unsafe` when the group or others may read it, `File`, or `Content` when it is no text.
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, OfficeError> {
    let failed = |error| OfficeError::file(path, error);
    let file = File::open(path).map_err(failed)?;
    check_private(&file, path)?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Reads a public file.
///
/// # Errors
/// `File`.
pub fn read_public(path: &Path) -> Result<String, OfficeError> {
    let failed = |error| OfficeError::file(path, error);
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn check_private(file: &File, path: &Path) -> Result<(), OfficeError> {
    let mode = file.metadata().map_err(|error| OfficeError::file(path, error))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(OfficeError::Unsafe(path.to_owned())) }
}

/// Whether a file that is missing is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayMake {
    /// It is: the first cards are made.
    Yes,
    /// It is not: a missing one is a mistyped name.
    No,
}

/// A private file that only grows; one process at a time.
#[derive(Debug)]
pub struct Appendable {
    file: File,
    path: PathBuf,
}

impl Appendable {
    /// Opens it, or makes it (mode 0600) where `may_make` says so, and gives its whole content.
    ///
    /// # Errors
    /// `Unsafe`, `InUse` or `File`.
    pub fn open(path: &Path, may_make: MayMake) -> Result<(Self, Zeroizing<Vec<u8>>), OfficeError> {
        let failed = |error| OfficeError::file(path, error);
        let make = may_make == MayMake::Yes;
        let mut file =
            OpenOptions::new().read(true).append(true).create(make).mode(0o600).open(path).map_err(failed)?;
        check_private(&file, path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OfficeError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut content = Zeroizing::new(Vec::new());
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.read_to_end(&mut content).map_err(failed)?;
        if content.is_empty() {
            // A file that was just made has a name only once its folder is on the disk.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok((Self { file, path: path.to_owned() }, content))
    }

    /// Appends, and returns once it is on the disk.
    ///
    /// # Errors
    /// `File`: it may be there or not, or in part.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), OfficeError> {
        self.file.write_all(bytes).and_then(|()| self.file.sync_all()).map_err(|error| self.failed(error))
    }

    /// Cuts off what follows the first `length` bytes: the torn end of a write that nothing was built upon.
    ///
    /// # Errors
    /// `File`.
    pub fn cut(&mut self, length: usize) -> Result<(), OfficeError> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.file.set_len(length).and_then(|()| self.file.sync_all()).map_err(|error| self.failed(error))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, error: std::io::Error) -> OfficeError {
        OfficeError::file(&self.path, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, "{}").unwrap();
        let check = |mode, good| {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_private(&path).is_ok(), good, "{mode:o}");
        };
        check(0o600, true);
        check(0o400, true);
        check(0o640, false);
        check(0o604, false);
    }

    #[test]
    fn what_is_appended_is_there_and_one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(matches!(Appendable::open(&path, MayMake::No), Err(OfficeError::File { .. })));
        assert!(!path.exists());
        let (mut log, content) = Appendable::open(&path, MayMake::Yes).unwrap();
        assert!(content.is_empty());
        log.append(b"one\ntw").unwrap();
        assert!(matches!(Appendable::open(&path, MayMake::Yes), Err(OfficeError::InUse(_))));
        log.cut(4).unwrap();
        log.append(b"two\n").unwrap();
        drop(log);
        assert_eq!(Appendable::open(&path, MayMake::No).unwrap().1.as_slice(), b"one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
