//! A file that is read record by record, and the report of what was not taken.

use super::header::Header;
use super::lines::{Lines, LinesError};
use super::mapping::Encoding;
use super::records::{Record, Records};
use crate::error::CentralError;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) delimiter: char,
    pub(crate) quote: char,
    pub(crate) encoding: Encoding,
    pub(crate) header: bool,
}

/// An open file, behind its header.
pub(crate) struct Sheet {
    path: PathBuf,
    records: Records<BufReader<File>>,
}

impl Sheet {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// `CentralError::File`, or `Content` for a file of another encoding.
    pub(crate) fn open(path: &Path, form: Form) -> Result<(Self, Header), CentralError> {
        let file = File::open(path).map_err(|error| CentralError::file(path, error))?;
        let lines = Lines::new(BufReader::new(file), form.encoding).map_err(|error| of_file(path, error))?;
        let mut sheet = Self { path: path.to_owned(), records: Records::new(lines, form.delimiter, form.quote) };
        if !form.header {
            return Ok((sheet, Header::new(None)));
        }
        let names = sheet.next()?.and_then(|record| record.fields.ok());
        Ok((sheet, Header::new(Some(names.unwrap_or_default()))))
    }

    /// The next record; `None` behind the last.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, CentralError> {
        self.records.next().map_err(|error| of_file(&self.path, error))
    }
}

fn of_file(path: &Path, error: LinesError) -> CentralError {
    match error {
        LinesError::Io(error) => CentralError::file(path, error),
        LinesError::Utf16 => CentralError::content(path, error),
    }
}

/// The rejected lines, for the office that wrote the file: line, column, code, and the key column where the mapping
/// names one.
pub(crate) struct Report(Option<Open>);

struct Open {
    path: PathBuf,
    file: BufWriter<File>,
    /// Somebody has to look at it.
    tells: bool,
}

const HEADER: &[u8] = b"line,column,code,key\r\n";

impl Report {
    /// A report where a path is given. One that is there stays, unless it tells of nothing.
    ///
    /// # Errors
    /// `CentralError::NotReady` when one is there, `File` when none can be made: then nothing has been imported.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, CentralError> {
        let Some(path) = path else { return Ok(Self(None)) };
        // Of an import that was killed before it rejected anything.
        let is_empty = std::fs::read(path).is_ok_and(|there| HEADER.starts_with(&there));
        if path.exists() && !is_empty {
            let text = format!("{} is there already: name another report. Nothing was imported", path.display());
            return Err(CentralError::NotReady(text));
        }
        let begin = || {
            let mut options = OpenOptions::new();
            let made = options.write(true).create_new(!is_empty).truncate(is_empty).mode(0o600).open(path)?;
            let mut file = BufWriter::new(made);
            file.write_all(HEADER)?;
            file.flush()?;
            Ok(file)
        };
        let file = begin().map_err(|error| CentralError::file(path, error))?;
        Ok(Self(Some(Open { path: path.to_owned(), file, tells: false })))
    }

    /// Tells of a line.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub(crate) fn reject(&mut self, line: u64, column: &str, code: &str, key: &str) -> Result<(), CentralError> {
        let Some(Open { path, file, tells }) = &mut self.0 else { return Ok(()) };
        *tells = true;
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let told = write!(file, "{line},{},{code},{}\r\n", quoted(column), quoted(key));
        told.map_err(|error| CentralError::file(path, error))
    }

    /// Ends the report.
    ///
    /// # Errors
    /// `CentralError::File`.
    pub(crate) fn finish(&mut self) -> Result<(), CentralError> {
        let Some(Open { path, file, .. }) = &mut self.0 else { return Ok(()) };
        file.flush().map_err(|error| CentralError::file(path, error))
    }
}

impl Drop for Open {
    /// A report that tells of nothing is none: the same command works tomorrow.
    fn drop(&mut self) {
        if !self.tells {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
