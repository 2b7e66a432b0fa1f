//! Founding a real city, changing its pack, and its technicians.

use super::{say, secrets};
use central::audit::Actor;
use central::technicians::{self, Listed, Staff};
use central::{CentralError, DataFolder, Database, KeyFile, clock, founding, pack};
use clap::{Args, Subcommand};
use domain::CardNumber;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum FoundingCommand {
    /// Founds a real city in an empty data folder: its keys, drawn from this machine's randomness, its pack, and nobody
    /// in it yet.
    Found {
        /// The city pack's folder.
        #[arg(long)]
        pack: PathBuf,
    },
    /// Puts a changed city pack in place of the one there is, once it was checked. Publish afterwards.
    SetPack {
        /// The city pack's folder. Its version has risen.
        folder: PathBuf,
    },
    /// Service cards, which open a terminal's maintenance.
    #[command(subcommand)]
    Technician(TechnicianCommand),
}

#[derive(Subcommand)]
pub(crate) enum TechnicianCommand {
    /// Makes a registered card a technician's: they type its first PIN twice. Publish afterwards.
    Add(Add),
    /// Lists the service cards.
    List,
    /// Revokes a service card for good. Publish afterwards.
    Remove {
        /// The printed number.
        #[arg(long)]
        card: u64,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// The printed number.
    #[arg(long)]
    card: u64,
    /// As the staff register has it.
    #[arg(long)]
    name: String,
    /// The number there.
    #[arg(long)]
    staff_number: String,
    /// The PIN's file instead of the terminal.
    #[arg(long)]
    pin_file: Option<PathBuf>,
}

/// What is done after a city was founded, in this order.
const NEXT: [&str; 7] = [
    "recovery-key --out FILE: the key that opens backups and journals. Carry it away, twice",
    "root-key --export FILE: the root key goes offline. Carry it away, twice",
    "backup --out FOLDER: the first one",
    "account add --name NAME --role ROLE, office-token --name NAME --out FILE: who works here",
    "technician add: a service card for each technician, once a card office has registered it",
    "import-holders --file CSV --mapping TOML: the register",
    "publish, then serve --publish-every-s --retain --tls ADDRESS --name NAME, and enrol the terminals",
];

pub(crate) fn run(data: &DataFolder, command: FoundingCommand) -> Result<(), CentralError> {
    match command {
        FoundingCommand::Found { pack } => found(data, &pack),
        FoundingCommand::SetPack { folder } => set_pack(data, &folder),
        FoundingCommand::Technician(command) => technician(data, command),
    }
}

fn found(data: &DataFolder, pack: &Path) -> Result<(), CentralError> {
    let city = founding::found(data, pack, &Actor::console(), clock::now())?;
    say(&format!("{city} is founded in {}, and nobody is in it. Next (docs/operate.md):", data.path().display()))?;
    (1..).zip(NEXT).try_for_each(|(at, step)| say(&format!("{at}. {step}")))
}

fn set_pack(data: &DataFolder, folder: &Path) -> Result<(), CentralError> {
    let checked = pack::read_checked(folder)?;
    let mut database = Database::open(data.database())?;
    match pack::change(&mut database, &checked, &Actor::console(), clock::now())? {
        Some(version) => say(&format!("pack version {version} is stored: publish, and start serve and terminals anew")),
        None => say("this pack is stored already"),
    }
}

fn technician(data: &DataFolder, command: TechnicianCommand) -> Result<(), CentralError> {
    let (mut database, actor, now) = (Database::open(data.database())?, Actor::console(), clock::now());
    match command {
        TechnicianCommand::Add(Add { card, name, staff_number, pin_file }) => {
            let keys = KeyFile::load(&data.keys())?;
            let (city, _) = pack::load(database.read())?;
            let pin = secrets::read("PIN", pin_file.as_deref())?;
            let staff = Staff { name: &name, number: &staff_number };
            technicians::add(&mut database, (&keys, &city), &actor, CardNumber(card), staff, &pin, now)?;
            say("the card is a service card: publish")
        }
        TechnicianCommand::List => technicians::all(database.read())?.iter().try_for_each(|listed| say(&line(listed))),
        TechnicianCommand::Remove { card } => {
            let new = technicians::remove(&mut database, &actor, CardNumber(card), now)?;
            say(if new { "the service card is revoked: publish" } else { "it was revoked already" })
        }
    }
}

fn line(listed: &Listed) -> String {
    let Listed { number, generation, name, staff_number, active } = listed;
    let state = if *active { "active" } else { "revoked" };
    format!("…{}\tgeneration {}\t{staff_number}\t{name}\t{state}", number.last_four(), generation.0)
}
