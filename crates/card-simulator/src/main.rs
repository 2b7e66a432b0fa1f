//! `card-simulator`: makes virtual cards, lays them in a virtual reader, shows what is on them.

use card_simulator::tray::bridge;
use card_simulator::{
    AnyCard, AnyDescription, CardHost, ClassicCard, FaultPlan, Field, ForeignCard, ForeignDescription, ReaderKind,
    VirtualCard,
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
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "card-simulator stops");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Make { description, card } => make(&description, card),
        Command::Show { card } => show(&card),
        Command::Serve { card, port, reader, then, stay } => serve(&card, then.as_deref(), port, reader, stay),
        Command::Bridge { socket, port } => bridge::run(&socket, port),
    }
}

fn make(description: &Path, card: PathBuf) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read(description)?;
    let description: AnyDescription = serde_json::from_slice(&text)?;
    description.make()?.keep_in(card)?;
    Ok(())
}

fn show(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    match AnyCard::load(path)? {
        AnyCard::Desfire(card) => show_desfire(&card, &mut out)?,
        AnyCard::Classic(card) => show_classic(&card, &mut out)?,
    }
    Ok(())
}

fn show_desfire(card: &VirtualCard, out: &mut impl Write) -> std::io::Result<()> {
    let Some(purse) = card.purse() else { return writeln!(out, "no purse: blank, or of another layout") };
    writeln!(out, "purse      {} cents", purse.0)?;
    for record in card.top_ups() {
        writeln!(out, "top-up     {record:?}")?;
    }
    for record in card.movements() {
        writeln!(out, "movement   {record:?}")?;
    }
    if let (Some(tries), Some(wishes)) = (card.tries(), card.wishes()) {
        writeln!(out, "tries      {tries:?}\nwishes     {wishes:?}")?;
    }
    if let Some((counter, _)) = card.transaction_mac() {
        writeln!(out, "commits    {counter}")?;
    }
    Ok(())
}

fn show_classic(card: &ClassicCard, out: &mut impl Write) -> std::io::Result<()> {
    let Some(seal) = card.seal() else { return writeln!(out, "no purse: blank") };
    for (name, block) in [("purse ", card.main_block()), ("backup", card.backup_block())] {
        match block {
            Some(block) => writeln!(out, "{name}     {} cents, address byte {}", block.value, block.address)?,
            None => writeln!(out, "{name}     no value block")?,
        }
    }
    writeln!(out, "seal       counter {}, day {}, {} cents", seal.counter, seal.day.0, seal.value_after.0)?;
    for record in card.top_ups() {
        writeln!(out, "top-up     {record:?}")?;
    }
    Ok(())
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
                _ => tracing::warn!(line, "known are: insert, remove, faults JSON, over JSON, off, quit"),
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
            Err(error) => tracing::warn!(%error, "nothing that can be laid there"),
        }
    }

    fn plan(&self, json: &str) {
        match serde_json::from_str::<FaultPlan>(json) {
            Ok(plan) => self.card.lock().unwrap_or_else(PoisonError::into_inner).set_faults(plan),
            Err(error) => tracing::warn!(%error, "no plan of faults"),
        }
    }
}
