//! The log on the terminal's own disk, for the technician's stick: a few files of bounded size in `data/logs`, the
//! oldest given up for a new one. Standard error has the same lines. What cannot be written here is given up too: a
//! log must never be the reason why a terminal stops.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folder in the data folder.
pub(crate) const FOLDER: &str = "logs";
/// A file that has grown to this many bytes is followed by a new one.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files kept, the one being written among them: 8 MiB in all.
const FILES_MAX: u32 = 8;

/// Where lines go once the data folder is known.
static KEPT: Mutex<Option<LogFile>> = Mutex::new(None);

fn kept() -> MutexGuard<'static, Option<LogFile>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on lines are kept in this data folder too.
pub(crate) fn keep(data: &Path) {
    match LogFile::open(&data.join(FOLDER), FILE_BYTES_MAX) {
        Ok(file) => *kept() = Some(file),
        Err(error) => tracing::warn!(%error, "no log is kept on the disk"),
    }
}

/// The kept files of a data folder, the newest first.
pub(crate) fn files(data: &Path) -> Vec<PathBuf> {
    let folder = data.join(FOLDER);
    (0..FILES_MAX).map(|age| file_name(&folder, age)).filter(|path| path.is_file()).collect()
}

/// A writer to the kept log, for `tracing`: each call is one line, or several whole ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToKept;

impl Write for ToKept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(file) = kept().as_mut() {
            file.line(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct LogFile {
    folder: PathBuf,
    bytes_max: u64,
    /// `None` after a failure: the next line tries again.
    file: Option<File>,
    written: u64,
}

impl LogFile {
    fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut log = Self { folder: folder.to_owned(), bytes_max, file: None, written: 0 };
        log.begin()?;
        Ok(log)
    }

    /// Goes on with the newest file.
    fn begin(&mut self) -> io::Result<()> {
        let file = File::options().append(true).create(true).mode(0o600).open(file_name(&self.folder, 0))?;
        self.written = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) {
        if let Err(error) = self.try_line(line) {
            self.file = None;
            // Nowhere to log that but standard error, which has the line itself.
            let _ = writeln!(io::stderr(), "the log on the disk cannot be written: {error}");
        }
    }

    fn try_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.written > 0 && self.written.saturating_add(length) > self.bytes_max {
            self.file = None;
            self.age()?;
        }
        if self.file.is_none() {
            self.begin()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(line)?;
            self.written = self.written.saturating_add(length);
        }
        Ok(())
    }

    /// Every file is one older; the oldest is overwritten by the next one.
    fn age(&mut self) -> io::Result<()> {
        for age in (0..FILES_MAX - 1).rev() {
            match std::fs::rename(file_name(&self.folder, age), file_name(&self.folder, age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.written = 0;
        Ok(())
    }
}

fn file_name(folder: &Path, age: u32) -> PathBuf {
    match age {
        0 => folder.join("kiosk.log"),
        age => folder.join(format!("kiosk.{age}.log")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn lines_stay_whole_and_the_size_of_all_files_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::open(folder.path(), 100).unwrap();
        for number in 0..200 {
            log.line(format!("line {number:04} of the log\n").as_bytes());
        }
        let files = all(folder.path());
        assert_eq!(files.len(), usize::try_from(FILES_MAX).unwrap());
        for (name, text) in &files {
            assert!(text.len() <= 100 && text.lines().all(|line| line.len() == 20), "{name}: {text}");
        }
        assert!(files.iter().any(|(name, text)| name == "kiosk.log" && text.contains("0199")));
        assert!(!files.iter().any(|(_, text)| text.contains("line 0000")), "the oldest is given up");
    }

    #[test]
    fn a_restart_goes_on_in_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        LogFile::open(folder.path(), 100).unwrap().line(b"before\n");
        LogFile::open(folder.path(), 100).unwrap().line(b"after\n");
        assert_eq!(all(folder.path()), [("kiosk.log".to_owned(), "before\nafter\n".to_owned())]);
    }

    #[test]
    fn a_line_longer_than_a_file_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::open(folder.path(), 10).unwrap();
        log.line(b"a line of more than ten\n");
        log.line(b"next\n");
        let texts: Vec<String> = all(folder.path()).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["a line of more than ten\n", "next\n"]);
    }

    #[test]
    fn a_folder_that_went_away_costs_lines_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        let mut log = LogFile::open(&logs, 10).unwrap();
        log.line(b"one line\n");
        std::fs::remove_dir_all(&logs).unwrap();
        log.line(b"lost to the disk\n");
        std::fs::create_dir(&logs).unwrap();
        log.line(b"kept\n");
        assert_eq!(all(&logs), [("kiosk.log".to_owned(), "kept\n".to_owned())]);
    }
}
