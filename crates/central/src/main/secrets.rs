//! What a person types and nobody may see: from a file, or from the terminal without an echo. Never an argument: those
//! stand in the list of processes and in the shell's history.

use central::CentralError;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1_024;

/// The echo comes back however this ends.
struct Silence(Option<Termios>);

impl Silence {
    fn begin() -> Self {
        let stdin = std::io::stdin();
        let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_flags.remove(LocalFlags::ECHO);
            // A terminal that keeps its echo still reads.
            let _ = tcsetattr(&stdin, SetArg::TCSAFLUSH, &silent);
        }
        Self(before)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

fn line(prompt: &str) -> Result<Zeroizing<String>, CentralError> {
    let failed = |error| CentralError::file(Path::new("stdin"), error);
    let mut out = std::io::stderr();
    write!(out, "{prompt}: ").and_then(|()| out.flush()).map_err(failed)?;
    let mut typed = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX));
    let silence = Silence::begin();
    let mut stdin = std::io::stdin().lock();
    let read = stdin.read_line(&mut typed);
    drop(silence);
    read.and_then(|_| writeln!(out)).map_err(failed)?;
    Ok(Zeroizing::new(typed.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The first line of a file, or what is typed twice.
pub(crate) fn read(what: &str, file: Option<&Path>) -> Result<Zeroizing<String>, CentralError> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
        let text = Zeroizing::new(text);
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
    }
    let (first, again) = (line(what)?, line(&format!("{what}, again"))?);
    if first == again { Ok(first) } else { Err(CentralError::NotReady(format!("{what}: typed differently"))) }
}
