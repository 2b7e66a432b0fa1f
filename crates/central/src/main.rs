//! `citizen-central`: founds a city or makes an invented one, enrols terminals and card offices, publishes the feed,
//! serves it, takes an outbox from a stick, prints the ledger, settles claims, reconciles.

#[path = "main/feed.rs"]
mod feed;
#[path = "main/founding.rs"]
mod founding;
#[path = "main/money.rs"]
mod money;
#[path = "main/office.rs"]
mod office;
#[path = "main/operate.rs"]
mod operate;
#[path = "main/quarantine.rs"]
mod quarantine;
#[path = "main/secrets.rs"]
mod secrets;
#[path = "main/serve.rs"]
mod serve;
#[path = "main/terminals.rs"]
mod terminals;

use central::audit::{self, Actor};
use central::import::{Imported, import};
use central::key_file::KeyFileLock;
use central::publish::timer;
use central::seed::{SeedPlan, seed};
use central::{
    Authority, CentralError, DataFolder, Database, KeyFile, TlsSettings, clock, epochs, journal, offices, pack, report,
    retention,
};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::civil;
use serve::Serve;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The city's server.
#[derive(Parser)]
#[command(name = "citizen-central", version)]
struct Arguments {
    /// The folder of database, keys and feed.
    #[arg(long, global = true, default_value = "central-data")]
    data: PathBuf,
    /// How lines of the log are written, to the standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

/// How lines of the log are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for whatever gathers them.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Makes an invented city in an empty data folder; the same seed makes the same city.
    Seed {
        /// The city pack's folder.
        #[arg(long, default_value = "assets/city-packs/bahia")]
        pack: PathBuf,
        /// Everything follows from it, the keys too: never for real cards.
        #[arg(long)]
        seed: u64,
        /// How many holders.
        #[arg(long, default_value_t = 2_000)]
        holders: u32,
        /// How many of them have a PIN (and a card in demo-cards.json).
        #[arg(long, default_value_t = 40)]
        pins: u32,
        /// The city's today, YYYY-MM-DD; the machine's when left out.
        #[arg(long)]
        today: Option<civil::Date>,
    },
    /// Makes the token with which a card office registers the cards it makes; an earlier one of that office is void.
    OfficeToken {
        /// The office's name, as the register of tokens has it.
        #[arg(long)]
        name: String,
        /// The token's file, for its owner only: 64 hexadecimal digits, and the city's root key in the next line.
        #[arg(long)]
        out: PathBuf,
    },
    /// Draws the next read key of the cards. The next publication hands it to every live terminal; cards are moved to it
    /// once every terminal was enrolled after this moment.
    RenewReadKey,
    /// Serves feed, uploads and pages on 127.0.0.1, and with `--tls` terminals with their certificates, until it is told
    /// to stop.
    Serve {
        /// 0 lets the system choose.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Where to write the port once it listens.
        #[arg(long)]
        port_file: Option<PathBuf>,
        /// Address and port for terminals, with TLS, such as 0.0.0.0:8443.
        #[arg(long, requires = "name")]
        tls: Option<std::net::SocketAddr>,
        /// A name or address by which terminals call central; it stands in central's own certificate. May be repeated.
        #[arg(long)]
        name: Vec<String>,
        /// Connections over TLS at a time; the next one waits.
        #[arg(long, default_value_t = 8_192)]
        connections_max: u32,
        /// Publishes by itself every so many seconds: every 15 minutes where no number follows.
        #[arg(long, num_args = 0..=1, default_missing_value = "900", value_parser = clap::value_parser!(u64).range(1..))]
        publish_every_s: Option<u64>,
        /// Lets go once a day what is kept no longer (central.toml, [retention]).
        #[arg(long)]
        retain: bool,
        /// Address and port for Prometheus, such as 127.0.0.1:9464: metrics, health and readiness.
        #[arg(long)]
        metrics: Option<std::net::SocketAddr>,
        /// For so many seconds after the word to stop it still serves, and only says that it is not ready: until a load
        /// balancer has seen it.
        #[arg(long, default_value_t = 0)]
        drain_seconds: u16,
        /// Ends when the process that started it ends.
        #[arg(long)]
        with_parent: bool,
    },
    /// Takes the outbox that a technician brought on a USB stick. Safe to repeat, and while central serves.
    ImportOutbox {
        /// The file `outbox.sealed` of the stick.
        file: PathBuf,
    },
    /// Makes the city's recovery key, once. Enrol the terminals anew afterwards: from their next start on they wrap the
    /// keys of their journals to it.
    RecoveryKey {
        /// The file of the private half, for its owner only. Carry it off this machine, twice, and delete it here.
        #[arg(long)]
        out: PathBuf,
    },
    /// Opens a terminal's journal with the recovery key, also one that was set aside, and says what is in it. The file
    /// with the wrapped key has to lie beside it.
    OpenJournal {
        /// The file of the private half.
        #[arg(long)]
        recovery_key: PathBuf,
        /// The journal: `journal.db`, or the name under which it was set aside.
        #[arg(long)]
        journal: PathBuf,
        /// Takes its uploads and entries into central's books. Safe to repeat.
        #[arg(long)]
        into_books: bool,
    },
    /// Prints the ledger as text.
    Ledger,
    /// What terminals said and no book could take.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    #[command(flatten)]
    Feed(feed::FeedCommand),
    #[command(flatten)]
    Founding(founding::FoundingCommand),
    #[command(flatten)]
    Office(office::OfficeCommand),
    #[command(flatten)]
    Money(money::MoneyCommand),
    #[command(flatten)]
    Operate(operate::OperateCommand),
    #[command(flatten)]
    Terminal(terminals::TerminalCommand),
}

impl Command {
    /// Whether it may begin with an empty folder.
    fn makes_a_city(&self) -> bool {
        use {founding::FoundingCommand as Founding, operate::OperateCommand as Operate};
        matches!(
            self,
            Self::Seed { .. } | Self::Founding(Founding::Found { .. }) | Self::Operate(Operate::Restore { .. })
        )
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    begin_log(arguments.log_format);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Libraries that would write what they carry: parameters of statements, requests, handshakes. They may warn.
const SILENCED: [&str; 5] = ["tokio_postgres", "postgres_types", "hyper", "rustls", "h2"];

/// `RUST_LOG` says how much. Each line of a request bears the request's id.
fn begin_log(format: LogFormat) {
    let mut filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    for library in SILENCED {
        if let Ok(directive) = format!("{library}=warn").parse() {
            filter = filter.add_directive(directive);
        }
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
}

fn run(Arguments { data, command, .. }: Arguments) -> Result<(), CentralError> {
    if let Command::Operate(operate::OperateCommand::Openapi { out }) = &command {
        return operate::write_openapi(out);
    }
    if !command.makes_a_city() && !data.is_dir() {
        let text = format!("there is no city in {}: --data says where it is", data.display());
        return Err(CentralError::NotReady(text));
    }
    let data = DataFolder::new(&data)?;
    match command {
        Command::Seed { pack, seed, holders, pins, today } => {
            let today = today.map_or_else(|| clock::now().day(), clock::day);
            run_seed(&data, &pack, &SeedPlan { seed, holders, pins, today })
        }
        Command::OfficeToken { name, out } => {
            let token = offices::make_token(&mut Database::open(data.database())?, &name, clock::now())?;
            offices::write_token(&token, &KeyFile::load(&data.keys())?, &out)?;
            say(&format!("{name} may register cards: {}", out.display()))
        }
        Command::RenewReadKey => {
            let _alone = KeyFileLock::take(&data.keys())?;
            let mut keys = KeyFile::load(&data.keys())?;
            let mut database = Database::open(data.database())?;
            let version = epochs::renew_read_key(&data, &mut database, &mut keys, &Actor::console(), clock::now())?;
            say(&format!("read key {version} is the newest; publish hands it to the terminals"))
        }
        Command::Serve {
            port,
            port_file,
            tls,
            name,
            connections_max,
            publish_every_s,
            retain,
            metrics,
            drain_seconds,
            with_parent,
        } => {
            publish_every_s.map_or(Ok(()), |every| timer::start(data.clone(), Duration::from_secs(every)))?;
            if retain {
                retention::timer::start(data.clone())?;
            }
            let tls = tls.map(|address| TlsSettings {
                connections_max: usize::try_from(connections_max).unwrap_or(usize::MAX),
                ..TlsSettings::new(address, name)
            });
            let drain = std::time::Duration::from_secs(drain_seconds.into());
            serve::run(data, &Serve { port, port_file, tls, metrics, drain, with_parent })
        }
        Command::ImportOutbox { file } => run_import(&data, &file),
        Command::RecoveryKey { out } => make_recovery_key(&data, &out),
        Command::OpenJournal { recovery_key, journal, into_books } => {
            run_open_journal(&data, &recovery_key, &journal, into_books)
        }
        Command::Feed(command) => feed::run(&data, command),
        Command::Founding(command) => founding::run(&data, command),
        Command::Quarantine(command) => quarantine::run(&data, command),
        Command::Office(command) => office::run(&data, command),
        Command::Money(command) => money::run(&data, command),
        Command::Operate(command) => operate::run(&data, command),
        Command::Terminal(command) => terminals::run(&data, command),
        Command::Ledger => {
            let database = Database::open(data.database())?;
            let (city, _) = pack::load(database.read())?;
            say(report::ledger_text(&database, &city.time_zone)?.trim_end())
        }
    }
}

/// Says each, or that there are none.
fn say_each(what: &str, lines: impl Iterator<Item = String>) -> Result<(), CentralError> {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return say(&format!("no {what}"));
    }
    lines.try_for_each(|line| say(&line))
}

/// A line in the log of acts, of what was done here.
fn note(database: &mut Database, what: &str, about: &str) -> Result<(), CentralError> {
    database.write(|transaction| audit::note(transaction, &Actor::console(), what, about, clock::now()))
}

fn say(line: &str) -> Result<(), CentralError> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|error| CentralError::file(Path::new("stdout"), error))
}

fn run_seed(data: &DataFolder, pack: &Path, plan: &SeedPlan) -> Result<(), CentralError> {
    let seeded = seed(data, pack, plan)?;
    data.open_for_demonstration()?;
    Authority::obtain(data, &KeyFile::load(&data.keys())?.city, clock::now())?;
    say(&format!("{} holders, {} with a PIN, content {}", seeded.holders, seeded.pins, seeded.content_hash))
}

fn run_import(data: &DataFolder, path: &Path) -> Result<(), CentralError> {
    let bytes = std::fs::read(path).map_err(|error| CentralError::file(path, error))?;
    let keys = KeyFile::load(&data.keys())?;
    let mut database = Database::open(data.database())?;
    let imported = import(&mut database, &keys, &bytes, clock::now())?;
    say_imported(&mut database, "outbox imported", path, &imported)?;
    match imported.cut {
        None => Ok(()),
        Some(error) => Err(CentralError::content(path, error)),
    }
}

fn say_imported(database: &mut Database, what: &str, path: &Path, imported: &Imported) -> Result<(), CentralError> {
    let name = audit::file_name(path);
    note(database, what, &format!("{name}: terminal {}, {} taken", imported.terminal.0, imported.taken))?;
    say(&format!(
        "terminal {}: {} taken, {} known already, {} refused",
        imported.terminal.0, imported.taken, imported.known, imported.refused
    ))
}

fn make_recovery_key(data: &DataFolder, out: &Path) -> Result<(), CentralError> {
    let _alone = KeyFileLock::take(&data.keys())?;
    let mut keys = KeyFile::load(&data.keys())?;
    let mut database = Database::open(data.database())?;
    epochs::make_recovery_key(data, &mut database, &mut keys, out, &Actor::console(), clock::now())?;
    say(&format!("the recovery key is in {}: keep it offline, and enrol the terminals anew", out.display()))
}

fn run_open_journal(data: &DataFolder, key: &Path, path: &Path, into_books: bool) -> Result<(), CentralError> {
    let opened = journal::open_journal(path, &journal::read_recovery_key(key)?)?;
    say(&format!(
        "terminal {}, journal {}: {} entries, {} uploads not receipted",
        opened.terminal.0,
        opened.generation,
        opened.entries.len(),
        opened.unsent.len()
    ))?;
    if let Some(why) = &opened.contradiction {
        say(&format!("its entries contradict one another: {why}"))?;
    }
    if !into_books {
        return Ok(());
    }
    let keys = KeyFile::load(&data.keys())?;
    let mut database = Database::open(data.database())?;
    let imported = journal::import_journal(&mut database, &keys, &opened, clock::now())?;
    say_imported(&mut database, "journal imported", path, &imported)
}
