//! The office's commands at central's own machine: accounts, the log of acts, cards, PINs, the import of the register.

use super::{say, say_each, secrets};
use central::audit::{self, Actor, Role};
use central::bookings_import::{self, BookingsOrder};
use central::card_desk::{self, Reason};
use central::holders_import::{self, ImportOrder};
use central::report::euros;
use central::{CentralError, DataFolder, Database, KeyFile, accounts, balance, clock, pack, pins};
use clap::{Args, Subcommand, ValueEnum};
use domain::{CardNumber, Cents, Generation};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum OfficeCommand {
    /// Who may log in at the office's pages.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Shows the newest acts; with `--check`, reads the whole log and says whether a line was changed or is missing.
    Audit {
        /// Reads the whole log.
        #[arg(long)]
        check: bool,
        /// How many lines.
        #[arg(long, default_value_t = 50)]
        lines: u32,
    },
    /// Whose a card is, blocks, balances of replaced cards.
    #[command(subcommand)]
    Card(CardCommand),
    /// Sets a card's PIN: the citizen types it twice. Publish afterwards.
    Pin {
        /// The printed number.
        #[arg(long)]
        card: u64,
        /// The PIN's file instead of the terminal.
        #[arg(long)]
        pin_file: Option<PathBuf>,
    },
    /// Takes holders, and the numbers of their cards, from a CSV file of the register. Safe to repeat.
    ImportHolders(ImportHolders),
    /// Takes what holders have booked from a CSV file of the booking system. Safe to repeat.
    ImportBookings(ImportBookings),
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Makes an account; the password is read from the terminal, or from a file.
    Add {
        /// Small letters, digits, dots, hyphens.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long)]
        role: AccountRole,
        /// The password's file instead of the terminal.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Lists the accounts.
    List,
    /// Closes an account for good; whoever is logged in is not any more.
    Disable {
        /// Its name.
        #[arg(long)]
        name: String,
    },
    /// Gives an account a new password; its sessions end.
    Password {
        /// Its name.
        #[arg(long)]
        name: String,
        /// The password's file instead of the terminal.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AccountRole {
    Registry,
    Finance,
    Technician,
    Auditor,
}

impl From<AccountRole> for Role {
    fn from(role: AccountRole) -> Self {
        match role {
            AccountRole::Registry => Self::Registry,
            AccountRole::Finance => Self::Finance,
            AccountRole::Technician => Self::Technician,
            AccountRole::Auditor => Self::Auditor,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum CardCommand {
    /// Shows what a number stands for.
    Show {
        /// The printed number.
        #[arg(long)]
        card: u64,
    },
    /// Gives a registered card to its holder.
    Assign(Whose),
    /// Orders a card for a holder: it becomes theirs when a card office registers it.
    Order(Whose),
    /// Blocks a card that was lost, stolen, broken or given back. Publish afterwards, and tell the validators.
    Block {
        /// The printed number.
        #[arg(long)]
        card: u64,
        /// lost, stolen, damaged or returned.
        #[arg(long)]
        reason: String,
    },
    /// Takes a block back that was a mistake, as long as nobody can have acted on it.
    Unblock {
        /// The printed number.
        #[arg(long)]
        card: u64,
    },
    /// Lists what is left on replaced cards, and from when on it may be moved.
    Balances,
    /// Notes that such a balance was moved.
    BalanceMoved {
        /// The printed number.
        #[arg(long)]
        card: u64,
        /// The old card's.
        #[arg(long)]
        generation: u8,
        /// How much, in cents.
        #[arg(long)]
        cents: i64,
    },
}

#[derive(Args)]
pub(crate) struct Whose {
    /// The printed number.
    #[arg(long)]
    card: u64,
    /// The holder's identity number.
    #[arg(long)]
    identity: String,
}

#[derive(Args)]
pub(crate) struct ImportHolders {
    /// The CSV file.
    #[arg(long)]
    file: PathBuf,
    /// Which column is which field, and how the file is written (TOML). See docs/office.md.
    #[arg(long)]
    mapping: PathBuf,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where to write the rejected lines: line, column, code. For its owner only; a file that is there stays.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The file holds everybody: who is not in it is counted as missing.
    #[arg(long)]
    complete: bool,
    /// Marks the missing as moved away and revokes their cards.
    #[arg(long, requires = "complete")]
    apply_removals: bool,
    /// Refuses when more of all holders would go.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100))]
    removals_max_percent: u8,
}

#[derive(Args)]
pub(crate) struct ImportBookings {
    /// The CSV file.
    #[arg(long)]
    file: PathBuf,
    /// Which column is which field, and how the file is written (TOML). See docs/office.md.
    #[arg(long)]
    mapping: PathBuf,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where to write the rejected lines: line, column, code. For its owner only; a file that is there stays.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The file holds every booking from today on: what is not in it is cancelled.
    #[arg(long)]
    complete: bool,
    /// Refuses when more of all bookings from today on would be cancelled.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    cancelled_max_percent: u8,
}

pub(crate) fn run(data: &DataFolder, command: OfficeCommand) -> Result<(), CentralError> {
    let (mut database, actor, now) = (Database::open(data.database())?, Actor::console(), clock::now());
    match command {
        OfficeCommand::Account(command) => run_account(&mut database, &actor, command),
        OfficeCommand::Audit { check, lines } => run_audit(&database, check, lines),
        OfficeCommand::Card(command) => run_card(&mut database, &actor, command),
        OfficeCommand::Pin { card, pin_file } => {
            let keys = KeyFile::load(&data.keys())?;
            let (city, _) = pack::load(database.read())?;
            let pin = secrets::read("PIN", pin_file.as_deref())?;
            let version = pins::set(&mut database, &keys, &city, &actor, CardNumber(card), &pin, now)?;
            say(&format!("the card has PIN {version}: publish"))
        }
        OfficeCommand::ImportHolders(order) => run_import(&mut database, &actor, &order),
        OfficeCommand::ImportBookings(order) => run_bookings(&mut database, &actor, &order),
    }
}

fn run_account(database: &mut Database, actor: &Actor, command: AccountCommand) -> Result<(), CentralError> {
    let now = clock::now();
    match command {
        AccountCommand::Add { name, role, password_file } => {
            let password = secrets::read("password", password_file.as_deref())?;
            accounts::add(database, actor, &name, role.into(), &password, now)?;
            say(&format!("{} may log in", accounts::plain(&name)))
        }
        AccountCommand::List => accounts::all(database.read())?.iter().try_for_each(|account| {
            let state = if account.disabled.is_some() { "disabled" } else { "open" };
            say(&format!("{:<32} {:<10} {state}", account.name, account.role.name()))
        }),
        AccountCommand::Disable { name } => {
            let new = accounts::disable(database, actor, &name, now)?;
            say(&format!("{name} {}", if new { "is disabled" } else { "was disabled already" }))
        }
        AccountCommand::Password { name, password_file } => {
            let password = secrets::read("password", password_file.as_deref())?;
            accounts::set_password(database, actor, &name, &password, now)?;
            say(&format!("{name} has a new password"))
        }
    }
}

fn run_audit(database: &Database, check: bool, lines: u32) -> Result<(), CentralError> {
    if check {
        return match database.at_one_moment(audit::first_broken)? {
            None => say("the log is whole"),
            Some(line) => Err(CentralError::NotReady(format!("from line {line} on the log was changed"))),
        };
    }
    let zone = pack::load(database.read())?.0.time_zone;
    audit::newest(database.read(), lines)?.iter().rev().try_for_each(|line| {
        let (at, role) = (clock::local(line.at, &zone), line.actor.role.name());
        say(&format!("{:>6}  {at}  {} ({role})  {}: {}", line.id, line.actor.name, line.what, line.about))
    })
}

fn run_card(database: &mut Database, actor: &Actor, command: CardCommand) -> Result<(), CentralError> {
    let now = clock::now();
    match command {
        CardCommand::Show { card } => {
            let card = card_desk::of_number(database.read(), CardNumber(card))?;
            let state = if card.active { "active" } else { "revoked" };
            let held = if card.held { "held" } else { "nobody's" };
            say(&format!("generation {}, {state}, {held}, PIN version {}", card.generation.0, card.pin_version))
        }
        CardCommand::Assign(Whose { card, identity }) => {
            card_desk::assign(database, actor, CardNumber(card), &identity, now)?;
            say("the card is its holder's: publish")
        }
        CardCommand::Order(Whose { card, identity }) => {
            card_desk::order(database, actor, CardNumber(card), &identity, now)?;
            say("the card is ordered: personalise it")
        }
        CardCommand::Block { card, reason } => {
            let unknown = || CentralError::NotReady("a reason is lost, stolen, damaged or returned".to_owned());
            let reason = Reason::of_name(&reason).ok_or_else(unknown)?;
            let new = card_desk::block(database, actor, CardNumber(card), reason, now)?;
            say(if new { "the card is blocked: publish, and tell the validators" } else { "it was blocked already" })
        }
        CardCommand::Unblock { card } => {
            card_desk::unblock(database, actor, CardNumber(card), now)?;
            say("the block is taken back")
        }
        CardCommand::Balances => list_balances(database),
        CardCommand::BalanceMoved { card, generation, cents } => {
            balance::moved(database, actor, CardNumber(card), Generation(generation), Cents(cents), now)?;
            say("noted")
        }
    }
}

fn list_balances(database: &Database) -> Result<(), CentralError> {
    let zone = pack::load(database.read())?.0.time_zone;
    let waiting = balance::waiting(database.read())?;
    say_each(
        "balances",
        waiting.iter().map(|one| {
            let due = one.due.map_or_else(|| "the validators' word".to_owned(), |due| clock::local(due, &zone));
            let left = one.left.map_or_else(|| "unknown".to_owned(), euros);
            format!("card …{} generation {}  {left:>12}  from {due}", one.number.last_four(), one.generation.0)
        }),
    )
}

fn run_import(database: &mut Database, actor: &Actor, order: &ImportHolders) -> Result<(), CentralError> {
    let begun = std::time::Instant::now();
    let done = holders_import::run(
        database,
        actor,
        &ImportOrder {
            file: &order.file,
            mapping: &order.mapping,
            report: order.report.as_deref(),
            dry_run: order.dry_run,
            complete: order.complete,
            apply_removals: order.apply_removals,
            removals_max_percent: order.removals_max_percent,
        },
        clock::now(),
    )?;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("{done}, in {seconds:.1} s{}", if order.dry_run { "; nothing was written" } else { "" }))?;
    if done.rejected == 0 { Ok(()) } else { Err(rejected(&order.file)) }
}

fn run_bookings(database: &mut Database, actor: &Actor, order: &ImportBookings) -> Result<(), CentralError> {
    let begun = std::time::Instant::now();
    let wanted = BookingsOrder {
        file: &order.file,
        mapping: &order.mapping,
        report: order.report.as_deref(),
        dry_run: order.dry_run,
        complete: order.complete,
        cancelled_max_percent: order.cancelled_max_percent,
    };
    let done = bookings_import::run(database, actor, &wanted, clock::now())?;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("{done}, in {seconds:.1} s{}", if order.dry_run { "; nothing was written" } else { "" }))?;
    if done.rejected == 0 { Ok(()) } else { Err(rejected(&order.file)) }
}

fn rejected(path: &Path) -> CentralError {
    CentralError::content(path, "some lines were rejected")
}
