//! `card-simulator`: makes virtual cards, lays them in a virtual reader, shows what is on them.

use card_simulator::tray::bridge;
use card_simulator::{CardDescription, CardHost, FaultPlan, ForeignCard, ForeignDescription, VirtualCard, personalise};
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
#[command(version, about = "A citizen's DESFire card in software")]
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
    /// Prints purse, top-ups, movements, tries and wishes of a saved card.
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
        Command::Serve { card, port, stay } => serve(&card, port, stay),
        Command::Bridge { socket, port } => bridge::run(&socket, port),
    }
}

fn make(description: &Path, card: PathBuf) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read(description)?;
    let description: CardDescription = serde_json::from_slice(&text)?;
    personalise(&description)?.keep_in(card)?;
    Ok(())
}

fn show(path: &Path) -> Result<(), Box<dyn Error>> {
    let card = VirtualCard::load(path)?;
    let mut out = std::io::stdout().lock();
    if let Some(purse) = card.purse() {
        writeln!(out, "purse      {} cents", purse.0)?;
    }
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

fn serve(path: &Path, port: u16, stay: bool) -> Result<(), Box<dyn Error>> {
    let card = Arc::new(Mutex::new(VirtualCard::load(path)?));
    let (ours, theirs) = UnixStream::pair()?;
    let tray = CardHost::attach(ours)?;
    let vpcd = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    std::thread::spawn(move || bridge::join(theirs, vpcd));
    tray.insert(Arc::clone(&card));
    let mut over: Option<Arc<Mutex<ForeignCard>>> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
            ("insert", "") => tray.insert(Arc::clone(&card)),
            ("remove", "") => drop(tray.remove()),
            ("over", json) => match serde_json::from_str::<ForeignDescription>(json) {
                Ok(description) => {
                    let foreign = over.insert(Arc::new(Mutex::new(ForeignCard::new(description))));
                    tray.lay_over(Arc::clone(foreign));
                }
                Err(error) => tracing::warn!(%error, "nothing that can be laid there"),
            },
            ("off", "") => drop(over.take().map(|foreign| tray.take(&foreign))),
            ("quit", "") => return Ok(()),
            ("faults", json) => match serde_json::from_str::<FaultPlan>(json) {
                Ok(plan) => card.lock().unwrap_or_else(PoisonError::into_inner).set_faults(plan),
                Err(error) => tracing::warn!(%error, "no plan of faults"),
            },
            _ => tracing::warn!(line, "known are: insert, remove, faults JSON, over JSON, off, quit"),
        }
    }
    if !stay {
        return Ok(());
    }
    loop {
        std::thread::park();
    }
}
