//! The key file as it is now: a rotation or a new head key counts for a serving process at once, without a restart.

use crate::error::CentralError;
use crate::key_file::KeyFile;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Which file it was: every change of the keys is a new file in the old one's place.
type Mark = (u64, u64, i64, i64);

/// The keys of a data folder, read anew when their file was replaced.
#[derive(Debug)]
pub(crate) struct LiveKeys {
    path: PathBuf,
    read: Mutex<(Mark, Arc<KeyFile>)>,
}

fn mark(path: &std::path::Path) -> Result<Mark, CentralError> {
    let found = std::fs::metadata(path).map_err(|error| CentralError::file(path, error))?;
    Ok((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
}

impl LiveKeys {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// As `KeyFile::load`.
    pub(crate) fn open(path: PathBuf) -> Result<Self, CentralError> {
        // The mark first: what is replaced in between is read again.
        let read = (mark(&path)?, Arc::new(KeyFile::load(&path)?));
        Ok(Self { path, read: Mutex::new(read) })
    }

    /// The keys now.
    pub(crate) fn now(&self) -> Arc<KeyFile> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.refresh(&mut read) {
            tracing::error!(%error, "the key file cannot be read anew; the keys read before serve on");
        }
        Arc::clone(&read.1)
    }

    fn refresh(&self, read: &mut (Mark, Arc<KeyFile>)) -> Result<(), CentralError> {
        let mark = mark(&self.path)?;
        if mark != read.0 {
            *read = (mark, Arc::new(KeyFile::load(&self.path)?));
        }
        Ok(())
    }
}
