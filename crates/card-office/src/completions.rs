//! `completions`: what a shell offers at the next word.

use crate::cli::Arguments;
use crate::desk::Desk;
use crate::error::OfficeError;
use clap::CommandFactory;
use clap_complete::Shell;

/// The program's name.
const NAME: &str = "citizen-card";
/// How the bash script names the program where it enters a command, and where it answers for one.
const BASH_ENTERS: &str = "citizen__card";
const BASH_ANSWERS: &str = "citizen__subcmd__card";

/// Prints a shell's completions.
///
/// # Errors
/// `File` when standard output is closed.
pub fn run(shell: Shell, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    desk.say(script(shell).trim_end())
}

/// A shell's completions.
#[must_use]
pub fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    // clap_complete takes the hyphen of a program's name for the border of a command in the second place only, so that
    // bash would offer nothing below the first level.
    if shell == Shell::Bash { script.replace(BASH_ANSWERS, BASH_ENTERS) } else { script }
}
