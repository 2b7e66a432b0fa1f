//! From the command line to the command.

use crate::cli::{Arguments, Command, DeskArguments};
use crate::desk::Desk;
use crate::error::OfficeError;
use crate::key_file::OfficeKeys;
use crate::{check, city, completions, inspect, man, personalise, register, rekey, wishes};
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
        Command::Completions { shell } => completions::run(*shell, desk),
        Command::Man { out } => man::run(out.as_deref(), desk),
    }
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
