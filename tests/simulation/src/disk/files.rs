//! The journal's files beside SQLite, on the simulated disk: each step of writing one can be cut, fail or be lost, as
//! on the terminal's own file system.

use super::faults::FileKind;
use super::state::{Epoch, Shared, State, Trouble, lock};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::MutexGuard;
use store::JournalFiles;

/// A process's view of the disk's files. It is dead once the process was killed or the power was cut: the next process
/// takes its own by `Disk::files`.
#[derive(Clone)]
pub struct SimFiles {
    disk: Shared,
    epoch: Epoch,
}

impl std::fmt::Debug for SimFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimFiles").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl SimFiles {
    pub(super) fn new(disk: Shared) -> Self {
        let epoch = lock(&disk).epoch();
        Self { disk, epoch }
    }

    fn disk(&self) -> MutexGuard<'_, State> {
        lock(&self.disk)
    }

    /// As the system's: under another name first, synced, renamed, and the folder synced.
    fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let (staged, mut disk) = (format!("{name}.new"), self.disk());
        let (number, _) = disk.open(self.epoch, Some(&staged), true)?;
        let file = (number, FileKind::of(&staged));
        disk.truncate(self.epoch, file, 0)?;
        disk.write(self.epoch, file, 0, bytes)?;
        disk.sync_now(self.epoch, file)?;
        disk.rename(self.epoch, &staged, name)?;
        disk.sync_folder(self.epoch, FileKind::Other)
    }

    /// The same bytes in the same place: every sector is on its way to the medium again.
    fn write_over(&self, name: &str) -> Result<(), Trouble> {
        let mut disk = self.disk();
        let (number, _) = disk.open(self.epoch, Some(name), false)?;
        let file = (number, FileKind::of(name));
        disk.write_over(self.epoch, file)?;
        disk.sync_now(self.epoch, file)
    }
}

fn name_of(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| ErrorKind::InvalidInput.into())
}

fn error_of(trouble: Trouble) -> io::Error {
    match trouble {
        Trouble::Stopped => io::Error::other("the process was stopped"),
        Trouble::Failed => io::Error::other("input/output error"),
        Trouble::Full => ErrorKind::StorageFull.into(),
        Trouble::Missing => ErrorKind::NotFound.into(),
    }
}

impl JournalFiles for SimFiles {
    /// There is one folder, and it is there.
    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        self.disk().names(self.epoch).map(drop).map_err(error_of)
    }

    fn length(&self, path: &Path) -> io::Result<Option<u64>> {
        let size = self.disk().size_of(self.epoch, name_of(path)?).map_err(error_of)?;
        Ok(size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk().rename(self.epoch, name_of(from)?, name_of(to)?).map_err(error_of)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut disk = self.disk();
        disk.bytes(self.epoch, name_of(path)?).map(<[u8]>::to_vec).map_err(error_of)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write_whole(name_of(path)?, bytes).map_err(error_of)
    }

    fn write_again(&self, path: &Path) -> io::Result<()> {
        match self.write_over(name_of(path)?) {
            Err(Trouble::Missing) => Ok(()),
            done => done.map_err(error_of),
        }
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        self.disk().sync_folder(self.epoch, FileKind::Other).map_err(error_of)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let names = self.disk().names(self.epoch).map_err(error_of)?;
        let inside = names.iter().filter_map(|name| Path::new(name).strip_prefix(folder).ok());
        Ok(inside.map(|name| name.as_os_str().to_owned()).collect())
    }
}
