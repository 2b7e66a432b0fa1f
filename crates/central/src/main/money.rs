//! The finance office's commands: claims, blocks, files of acquirer and validators, reconciliation.

use crate::{say, say_each};
use central::audit::{self, Actor, Role};
use central::claims::{self, blocks, settle};
use central::key_file::write_private;
use central::reconcile::{self, Difference};
use central::report::{self, euros};
use central::settings::{self, MoneySettings};
use central::statements::dialect::Dialect;
use central::statements::{File, Imported, acquirer, validators};
use central::{CentralError, DataFolder, Database, clock, pack};
use clap::{Args, Subcommand};
use domain::{CardNumber, Generation, Timestamp};
use ledger::{ClaimCode, Settlement};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum MoneyCommand {
    /// Lists the claims that are open, and what each waits for.
    Claims {
        /// The closed ones as well.
        #[arg(long)]
        all: bool,
    },
    /// For the finance role: settles a claim away from the card. Pays it out, which needs the last order's expiry and
    /// a block of the card that has reached every validator; or closes one that is owed nothing.
    SettleClaim {
        /// The claim's code, or the top-up's id.
        #[arg(long)]
        claim: String,
        /// Who decides; kept with the claim.
        #[arg(long)]
        officer: String,
        /// Nothing is owed: the acquirer's statement has no payment.
        #[arg(long)]
        nothing_owed: bool,
    },
    /// Blocks a card for good. Publish afterwards, and give the block list to the validators.
    BlockCard {
        #[command(flatten)]
        card: CardChoice,
        /// Who decides.
        #[arg(long)]
        officer: String,
    },
    /// Confirms that every validator has the block list as it was at a moment.
    ConfirmBlocks {
        /// The moment of that list, RFC 3339, such as 2026-11-22T06:00:00Z.
        #[arg(long)]
        list_of: jiff::Timestamp,
        /// Who confirms.
        #[arg(long)]
        officer: String,
    },
    /// Takes a settlement file of the acquirer (CSV). Safe to repeat; files may overlap.
    ImportSettlement(ImportOrder),
    /// Takes a file of the validators' debits (CSV). Safe to repeat; files may overlap.
    ImportDebits(ImportOrder),
    /// Compares books, cards, acquirer, validators and journals, and lists every difference.
    Reconcile {
        /// Writes them as CSV as well.
        #[arg(long)]
        csv: Option<PathBuf>,
    },
    /// Explains something that was noticed: it stays in the books, and reconciliation lists it no more.
    Explain {
        /// The number behind "notice".
        #[arg(long)]
        notice: i64,
        /// Who explains.
        #[arg(long)]
        officer: String,
        /// What it was.
        #[arg(long)]
        reason: String,
    },
    /// Writes the list of cards that are good no more, for the validators, and says the moment that `confirm-blocks` takes
    /// once all of them have it.
    BlockList {
        /// The file (CSV), which must not be there yet. For its owner only.
        #[arg(long)]
        out: PathBuf,
    },
    /// Shows how many days are waited for what; or sets one of them.
    MoneyDays {
        /// Which.
        #[arg(requires = "days")]
        name: Option<String>,
        /// How many days.
        days: Option<i64>,
    },
}

/// Which card.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct CardChoice {
    /// The card of this claim: its code, or the top-up's id.
    #[arg(long, conflicts_with = "card")]
    claim: Option<String>,
    /// The printed number.
    #[arg(long, requires = "generation")]
    card: Option<u64>,
    /// Which issue of it.
    #[arg(long, requires = "card")]
    generation: Option<u8>,
}

/// A file, and how it is written.
#[derive(Args)]
pub(crate) struct ImportOrder {
    /// The CSV file.
    file: PathBuf,
    /// How it is written (TOML): separator, encoding, amounts, dates, columns, words. See docs/operate.md.
    #[arg(long)]
    dialect: Option<PathBuf>,
}

pub(crate) fn run(data: &DataFolder, command: MoneyCommand) -> Result<(), CentralError> {
    let mut database = Database::open(data.database())?;
    let now = clock::now();
    match command {
        MoneyCommand::Claims { all } => list_claims(&database, all),
        MoneyCommand::SettleClaim { claim, officer, nothing_owed } => {
            let top_up = settle::find(database.read(), &claim)?;
            let how = if nothing_owed { Settlement::NothingOwed } else { Settlement::PaidOut };
            let amount = settle::settle(&mut database, top_up, how, &at_console(&officer), now)?;
            say(&format!("claim {} is settled: {} to be paid", ClaimCode::of(top_up), euros(amount)))
        }
        MoneyCommand::BlockCard { card, officer } => {
            let (card, generation) = chosen(&database, &card)?;
            let new = blocks::block(&mut database, card, generation, &at_console(&officer), now)?;
            let what =
                if new { "is blocked for good: publish, and tell the validators" } else { "was blocked already" };
            say(&format!("card …{} {what}", card.last_four()))
        }
        MoneyCommand::ConfirmBlocks { list_of, officer } => {
            let list_of = Timestamp(list_of.as_millisecond());
            let confirmed = blocks::confirm(&mut database, list_of, &at_console(&officer), now)?;
            say(&format!("{confirmed} blocks have reached every validator"))
        }
        MoneyCommand::ImportSettlement(order) => {
            import(&order, |file, dialect| acquirer::import(&mut database, file, dialect, &Actor::console(), now))
        }
        MoneyCommand::ImportDebits(order) => {
            let zone = pack::load(database.read())?.0.time_zone;
            let console = Actor::console();
            import(&order, |file, dialect| validators::import(&mut database, file, dialect, &zone, &console, now))
        }
        MoneyCommand::Reconcile { csv } => run_reconcile(&database, csv.as_deref(), now),
        MoneyCommand::Explain { notice, officer, reason } => {
            if !report::explain(&mut database, notice, &at_console(&officer), &reason, now)? {
                return Err(CentralError::NotReady(format!("there is no notice {notice} to be explained")));
            }
            say(&format!("notice {notice} is explained"))
        }
        MoneyCommand::BlockList { out } => block_list(&mut database, &out, now),
        MoneyCommand::MoneyDays { name, days } => {
            if let (Some(name), Some(days)) = (name, days) {
                settings::set(&mut database, &name, days, &Actor::console(), now)?;
            }
            let named = MoneySettings::load(database.read())?.named();
            named.iter().try_for_each(|(name, days)| say(&format!("{name:<16} {days:>3}")))
        }
    }
}

/// Who decides, as typed: the log shows that nobody logged in.
fn at_console(officer: &str) -> Actor {
    Actor { name: officer.to_owned(), role: Role::Console }
}

fn block_list(database: &mut Database, out: &Path, now: Timestamp) -> Result<(), CentralError> {
    if out.exists() {
        return Err(CentralError::NotReady(format!("{} is there already", out.display())));
    }
    let list = blocks::list(database, &Actor::console(), now)?;
    write_private(out, list.csv.as_bytes())?;
    say(&format!("{} cards: {}", list.cards, out.display()))?;
    say(&format!("when every validator has it: confirm-blocks --list-of {} --officer NAME", clock::instant(list.of)))
}

fn list_claims(database: &Database, every: bool) -> Result<(), CentralError> {
    let zone = pack::load(database.read())?.0.time_zone;
    let listed = if every { claims::all(database.read())? } else { claims::open(database.read())? };
    let lines = listed.iter().map(|claim| {
        format!(
            "{}  {}  terminal {}  card …{}  {:>12}  {}, waits for {}  {}",
            ClaimCode::of(claim.top_up),
            clock::local(claim.opened, &zone),
            claim.terminal.0,
            claim.card.last_four(),
            euros(claim.amount),
            claim.state.name(),
            claim.waits.name(),
            claim.top_up,
        )
    });
    say_each("claims", lines)
}

fn chosen(database: &Database, choice: &CardChoice) -> Result<(CardNumber, Generation), CentralError> {
    if let Some(name) = &choice.claim {
        let top_up = settle::find(database.read(), name)?;
        let claim = claims::of(database.read(), top_up)?.ok_or(settle::Refused::NoClaim)?;
        return Ok((claim.card, claim.generation));
    }
    match (choice.card, choice.generation) {
        (Some(card), Some(generation)) => Ok((CardNumber(card), Generation(generation))),
        _ => Err(settle::Refused::NoClaim.into()),
    }
}

/// Imports a file; ends with an error when lines were rejected, after all others were taken.
fn import(
    order: &ImportOrder,
    take: impl FnOnce(File<'_>, &Dialect) -> Result<Imported, CentralError>,
) -> Result<(), CentralError> {
    let path = &order.file;
    let bytes = std::fs::read(path).map_err(|error| CentralError::file(path, error))?;
    let dialect = order.dialect.as_deref().map(Dialect::load).transpose()?.unwrap_or_default();
    let name = audit::file_name(path);
    let imported = take(File { name: &name, bytes: &bytes }, &dialect)?;
    let Imported { taken, known, rejected } = &imported;
    say(&format!("{taken} taken, {known} known already, {} rejected", rejected.len()))?;
    for one in rejected {
        say(&format!("line {}: {}", one.line, one.reason))?;
    }
    if rejected.is_empty() { Ok(()) } else { Err(CentralError::content(path, "some lines were rejected")) }
}

fn run_reconcile(database: &Database, csv: Option<&Path>, now: Timestamp) -> Result<(), CentralError> {
    let found = database.at_one_moment(|connection| reconcile::differences(connection, now))?;
    if let Some(path) = csv {
        let bytes = reconcile::csv(&found)?;
        std::fs::write(path, bytes).map_err(|error| CentralError::file(path, error))?;
    }
    let zone = pack::load(database.read())?.0.time_zone;
    for difference in &found {
        say(&told(difference, &zone))?;
    }
    say(&format!("{} differences", found.len()))
}

fn told(difference: &Difference, zone: &str) -> String {
    let place = difference.terminal.map_or_else(String::new, |terminal| format!("  terminal {}", terminal.0));
    let claim = difference.top_up.map_or_else(String::new, |top_up| format!("  {}", ClaimCode::of(top_up)));
    format!(
        "{:<24} {:<18} {:>12}  {}{place}{claim}  {}",
        difference.cause.name(),
        difference.cause.owner().name(),
        euros(difference.amount),
        clock::local(difference.since, zone),
        difference.detail
    )
}
