//! From the command line to the command.

use crate::cli::{Arguments, Command, DeskArguments};
use crate::desk::Desk;
use crate::error::OfficeError;
use crate::key_file::OfficeKeys;
use crate::{check, city, inspect, personalise, register, rekey, wishes};
use clap::CommandFactory;
use domain::city_pack::CityPack;

/// Carries out one command.
///
/// # Errors
/// `OfficeError`, which has the exit code, the code to show and the next step.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let office = &arguments.desk;
    match &arguments.command {
        Command::Inspect(inspect) => inspect::run(office, inspect, desk),
        Command::Personalise(order) => personalise::run(office, order, desk),
        Command::Register(registrations) => register::run(office, registrations, desk),
        Command::Wishes { action } => wishes::run(office, action, desk),
        Command::Rekey(line) => rekey::run(office, line, desk),
        Command::Check(check) => check::run(office, check, desk),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "citizen-card", &mut desk.out);
            Ok(())
        }
        Command::Man => man(desk),
    }
}

/// The man page: the tool's own part, then each command's.
fn man(desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let failed = |error| OfficeError::file("standard output".as_ref(), error);
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut desk.out).map_err(failed)?;
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let name = format!("citizen-card {}", part.get_name());
        let man = clap_mangen::Man::new(part.clone().display_name(name));
        man.render_name_section(&mut desk.out).map_err(failed)?;
        man.render_synopsis_section(&mut desk.out).map_err(failed)?;
        man.render_description_section(&mut desk.out).map_err(failed)?;
        man.render_options_section(&mut desk.out).map_err(failed)?;
    }
    Ok(())
}

/// The city pack, which this command needs.
pub(crate) fn city(office: &DeskArguments, command: &'static str) -> Result<CityPack, OfficeError> {
    let path = office.city.as_deref().ok_or(OfficeError::Missing { command, argument: "--city" })?;
    city::load(path)
}

/// The city pack and its keys, which this command needs.
pub(crate) fn city_and_keys(
    office: &DeskArguments,
    command: &'static str,
) -> Result<(CityPack, OfficeKeys), OfficeError> {
    let city = city(office, command)?;
    let path = office.keys.as_deref().ok_or(OfficeError::Missing { command, argument: "--keys" })?;
    let keys = OfficeKeys::load(path, &city.card.system_id)?;
    Ok((city, keys))
}
