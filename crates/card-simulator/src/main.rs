//! `card-simulator`: makes virtual cards, lays them in a virtual reader, shows what is on them.

mod show;

use card_simulator::tray::bridge;
use card_simulator::{
    AnyCard, AnyDescription, CardHost, FaultPlan, Field, ForeignCard, ForeignDescription, ReaderKind,
};
use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// vpcd's first reader (0x8C7B).
const VPCD_PORT: u16 = 35_963;

#[derive(Parser)]
#[command(version, about = "A citizen's DESFire or MIFARE Classic card in software")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Personalises a card of a description (JSON) and saves it.
    Make {
        /// The description; README.md shows one.
        description: PathBuf,
        /// Where the card is saved.
        #[arg(long)]
        card: PathBuf,
        /// Replaces a card that is saved there already.
        #[arg(long)]
        force: bool,
    },
    /// Prints what a saved card holds: purse, top-ups, movements, tries and wishes, or value blocks and seal. No keys.
    Show {
        /// The saved card.
        #[arg(long)]
        card: PathBuf,
    },
    /// Lays a saved card in vpcd's reader and saves it after each commit. Reads commands from standard input:
    /// `remove`, `insert`, `faults JSON`, `over JSON` (lays something of no city on it), `off` (takes that away),
    /// `quit`; ends with it.
    Serve {
        /// The saved card.
        #[arg(long)]
        card: PathBuf,
        /// vpcd's port on this machine.
        #[arg(long, default_value_t = VPCD_PORT)]
        port: u16,
        /// Whose commands the reader knows. A DESFire card answers alike on all of them.
        #[arg(long, value_enum, default_value_t)]
        reader: ReaderKind,
        /// A second saved card, which a planned swap lays there.
        #[arg(long)]
        then: Option<PathBuf>,
        /// Goes on when standard input ends, as a service's does at once.
        #[arg(long)]
        stay: bool,
    },
    /// Joins the tray of another process, behind a Unix socket, to vpcd. Runs until it is killed.
    Bridge {
        /// The tray's socket.
        #[arg(long)]
        socket: PathBuf,
        /// vpcd's port on this machine.
        #[arg(long, default_value_t = VPCD_PORT)]
        port: u16,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as with `| head -1`.
        Err(error) if is_closed_output(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error; a closed one stops nothing.
fn say(line: &dyn std::fmt::Display) {
    let _said = writeln!(std::io::stderr(), "card-simulator: {line}");
}

fn is_closed_output(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Make { description, card, force } => make(&description, card, force),
        Command::Show { card } => show::show(&card),
        Command::Serve { card, port, reader, then, stay } => serve(&card, then.as_deref(), port, reader, stay),
        Command::Bridge { socket, port } => bridge::run(&socket, port),
    }
}

fn make(description: &Path, card: PathBuf, force: bool) -> Result<(), Box<dyn Error>> {
    let named = |error: &dyn Error| format!("{}: {error}", description.display());
    let text = std::fs::read(description).map_err(|error| named(&error))?;
    let described: AnyDescription = serde_json::from_slice(&text).map_err(|error| named(&error))?;
    let mut made = described.make().map_err(|error| named(&error))?;
    if !force && card.symlink_metadata().is_ok() {
        return Err(format!("{}: a file is there already; --force replaces it", card.display()).into());
    }
    Ok(made.keep_in(card)?)
}

type Shared<C> = Arc<Mutex<C>>;

fn load(path: &Path, reader: ReaderKind) -> Result<Shared<AnyCard>, Box<dyn Error>> {
    let mut card = AnyCard::load(path)?;
    card.set_reader(reader);
    Ok(Arc::new(Mutex::new(card)))
}

fn serve(path: &Path, then: Option<&Path>, port: u16, reader: ReaderKind, stay: bool) -> Result<(), Box<dyn Error>> {
    let card = load(path, reader)?;
    let next = then.map(|path| load(path, reader)).transpose()?;
    let (ours, theirs) = UnixStream::pair()?;
    let tray = CardHost::attach(ours)?;
    let vpcd = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    std::thread::spawn(move || bridge::join(theirs, vpcd));
    let mut served = Served { tray, card, next, over: None };
    served.insert();
    if served.obey(std::io::stdin().lock())? || !stay {
        return Ok(());
    }
    loop {
        std::thread::park();
    }
}

/// A tray, and what can be laid into it.
struct Served {
    tray: CardHost,
    card: Shared<AnyCard>,
    next: Option<Shared<AnyCard>>,
    over: Option<Shared<ForeignCard>>,
}

impl Served {
    fn insert(&self) {
        let field = Field::of(Arc::clone(&self.card));
        let field = match &self.next {
            Some(next) => field.then(Arc::clone(next)),
            None => field,
        };
        self.tray.insert(Arc::new(Mutex::new(field)));
    }

    /// Obeys until the input ends, or until `quit`, which gives `true`.
    fn obey(&mut self, input: impl BufRead) -> std::io::Result<bool> {
        for line in input.lines() {
            let line = line?;
            match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
                ("insert", "") => self.insert(),
                ("remove", "") => drop(self.tray.remove()),
                ("over", json) => self.lay_over(json),
                ("off", "") => drop(self.over.take().map(|foreign| self.tray.take(&foreign))),
                ("quit", "") => return Ok(true),
                ("faults", json) => self.plan(json),
                _ => say(&format!("{line:?}: known are insert, remove, faults JSON, over JSON, off, quit")),
            }
        }
        Ok(false)
    }

    fn lay_over(&mut self, json: &str) {
        match serde_json::from_str::<ForeignDescription>(json) {
            Ok(description) => {
                let foreign = self.over.insert(Arc::new(Mutex::new(ForeignCard::new(description))));
                self.tray.lay_over(Arc::clone(foreign));
            }
            Err(error) => say(&format!("over: nothing that can be laid there: {error}")),
        }
    }

    fn plan(&self, json: &str) {
        match serde_json::from_str::<FaultPlan>(json) {
            Ok(plan) => self.card.lock().unwrap_or_else(PoisonError::into_inner).set_faults(plan),
            Err(error) => say(&format!("faults: no plan of faults: {error}")),
        }
    }
}
