//! Papers as a person reads them: text and pictures of PDFs, by poppler's tools.

use crate::{StreetError, io_error};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Dots an inch of a picture.
const DPI: &str = "110";

/// The text of a PDF as laid out, no-break spaces made plain.
///
/// # Errors
/// `pdftotext` (package poppler-utils) is missing, or the file is no PDF.
pub fn text(pdf: &Path) -> Result<String, StreetError> {
    let mut command = Command::new("pdftotext");
    command.args(["-layout", "-enc", "UTF-8"]).arg(pdf).arg("-");
    let text = run(command, "pdftotext")?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.chars().map(|letter| if matches!(letter, '\u{a0}' | '\u{202f}') { ' ' } else { letter }).collect())
}

/// A PNG of a PDF's first page beside it; returns its path.
///
/// # Errors
/// As `text`, with `pdftoppm`.
pub fn picture(pdf: &Path) -> Result<PathBuf, StreetError> {
    let stem = pdf.with_extension("");
    let mut command = Command::new("pdftoppm");
    command.args(["-png", "-singlefile", "-r", DPI]).arg(pdf).arg(&stem);
    run(command, "pdftoppm")?;
    Ok(pdf.with_extension("png"))
}

fn run(mut command: Command, program: &str) -> Result<Vec<u8>, StreetError> {
    let output = command.stdin(Stdio::null()).output().map_err(io_error(format!("{program} (poppler-utils)")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io_error(program)(std::io::Error::other(why)))
}
