//! `man`: one page with every command as a section, or a folder with a page for each command.

use crate::cli::Arguments;
use crate::desk::Desk;
use crate::error::OfficeError;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io::Write;
use std::path::Path;

/// Prints the page, or writes the pages into a folder.
///
/// # Errors
/// `File` when the folder cannot be written or standard output is closed.
pub fn run(folder: Option<&Path>, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    match folder {
        Some(folder) => pages(folder, desk),
        None => {
            let page = page().map_err(|error| OfficeError::file("standard output".as_ref(), error))?;
            desk.say(page.trim_end())
        }
    }
}

/// A page for each command, which name one another.
fn pages(folder: &Path, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let failed = |error| OfficeError::file(folder, error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command().disable_help_subcommand(true), folder).map_err(failed)?;
    desk.say(&format!("the pages are in {}", folder.display()))
}

/// One page. It names no other page, since it is the only one.
fn page() -> std::io::Result<String> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut bytes = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    sections(&command, &mut page)?;
    bytes.clear();
    man.render_extra_section(&mut bytes)?;
    page.push_str(&String::from_utf8_lossy(&bytes).replace(".SH EXTRA", ".SH \"EXIT STATUS AND READERS\""));
    Ok(page)
}

/// A section for each command below this one, and for those below them.
fn sections(command: &Command, page: &mut String) -> std::io::Result<()> {
    for part in command.get_subcommands() {
        page.push_str(&section(part)?);
        sections(part, page)?;
    }
    Ok(())
}

/// One command: its headings become those of a second order.
fn section(command: &Command) -> std::io::Result<String> {
    // Reader, city and keys stand once, above.
    let own = command.clone().mut_args(|argument| {
        let shared = argument.is_global_set();
        argument.hide(shared)
    });
    let mut bytes = Vec::new();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    writeln!(bytes, ".SH \"{}\"", name.replace('-', "\\-"))?;
    let man = Man::new(own);
    man.render_description_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).replace("\n.SH ", "\n.SS ");
    Ok(text.replace(".SS DESCRIPTION\n", ""))
}
