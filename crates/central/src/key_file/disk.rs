//! How a key file is written, and by one at a time.

use crate::error::CentralError;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// `CentralError::File`.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        // Without it a power cut may bring the old name back.
        File::open(folder_of(path))?.sync_all()
    };
    write().map_err(|error| CentralError::file(path, error))
}

fn folder_of(path: &Path) -> &Path {
    let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or_else(|| Path::new("."))
}

/// Held while somebody changes a key file, from reading it to having written it: of two changes at the same time one
/// would be lost. It goes with the process.
#[derive(Debug)]
pub struct KeyFileLock(#[expect(dead_code, reason = "the lock goes with the file")] File);

impl KeyFileLock {
    /// Waits until nobody else changes the key file at this path, and keeps others from it: `keys.lock` beside it.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub fn take(path: &Path) -> Result<Self, CentralError> {
        let path = path.with_extension("lock");
        let failed = |error| CentralError::file(&path, error);
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_file::KeyFile;
    use domain::Timestamp;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn a_private_file_is_written_durably_wherever_its_name_leads() {
        let check = |path: &str, folder: &str| assert_eq!(folder_of(Path::new(path)), Path::new(folder));
        check("keys.json", ".");
        check("city/keys.json", "city");
        check("/keys.json", "/");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert!(write_private(&folder.path().join("none/keys.json"), b"three").is_err());
    }

    #[test]
    fn who_changes_the_key_file_waits_for_who_changes_it_already() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let draw = |path: &Path| {
            let _alone = KeyFileLock::take(path).unwrap();
            let mut keys = KeyFile::load(path).unwrap();
            keys.renew_read_key(Timestamp(5)).unwrap();
            keys.save_over(path).unwrap();
        };
        KeyFile::draw("bahia", &mut ChaCha20Rng::seed_from_u64(1)).save(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| draw(&path));
            }
        });
        assert_eq!(KeyFile::load(&path).unwrap().newest_read().unwrap().version, 8, "no change was lost");
    }
}
