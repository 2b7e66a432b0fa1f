//! `citizen-bench`: the marks of a visit, measured in the real window with the real reader stack. Prints tables; it
//! judges nothing. "Painted" is the window's own word, two animation frames after a view was drawn.

mod cards;
mod chromium;
mod finger;
mod kiosk;
mod memory;
mod table;
mod taps;
mod top_ups;
mod touches;

use cards::Amount;
use cards::client::Task;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use testbed::display::Display;
use testbed::{Street, StreetConfig, StreetError, io_error};

/// Measures a visit's marks.
#[derive(Parser)]
#[command(name = "citizen-bench", version)]
struct Arguments {
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Cards, Part::TopUps, Part::Taps, Part::Touches, Part::Idle, Part::Growth])]
    only: Vec<Part>,
    /// Presentations of a card to the driver that are counted.
    #[arg(long, default_value_t = 300)]
    presentations: usize,
    /// Credits of each client that are counted.
    #[arg(long, default_value_t = 500)]
    credits: usize,
    /// The client in Python.
    #[arg(long, default_value = "tests/peers/credit.py")]
    peer: PathBuf,
    /// Top-ups of each order that are counted.
    #[arg(long, default_value_t = 50)]
    top_ups: usize,
    /// Starts of the kiosk that are counted.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Taps of the card that are counted.
    #[arg(long, default_value_t = 30)]
    taps: u32,
    /// Touches that are counted.
    #[arg(long, default_value_t = 350)]
    touches: u32,
    /// Visits over which memory is watched.
    #[arg(long, default_value_t = 1_000)]
    visits: u32,
    /// Registered holders.
    #[arg(long, default_value_t = 2_000)]
    holders: u32,
    /// The built screens, for the peer.
    #[arg(long, default_value = "ui/dist")]
    ui: PathBuf,
    /// The recorded view the peer shows.
    #[arg(long, default_value = "ui/views/es/attract.json")]
    view: PathBuf,
    /// Is the client that is measured, rather than the one that measures.
    #[arg(long, value_enum, hide = true)]
    client: Option<Task>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The card driver alone: exchanges, computing, pcscd.
    Cards,
    /// Top-ups in each order: commits and computing.
    TopUps,
    /// Starts and taps.
    Taps,
    /// Touch to painted.
    Touches,
    /// Memory beside Chromium.
    Idle,
    /// Memory a visit.
    Growth,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.client.map_or_else(|| run(&arguments), cards::client::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("citizen-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), StreetError> {
    let wanted = |part| arguments.only.contains(&part);
    if wanted(Part::Cards) {
        let Arguments { presentations, credits, ref peer, .. } = *arguments;
        cards::measure(&Amount { presentations, credits, peer })?;
    }
    if wanted(Part::TopUps) {
        println!();
        top_ups::measure(arguments.top_ups)?;
    }
    if arguments.only.iter().all(|part| matches!(part, Part::Cards | Part::TopUps)) {
        return Ok(());
    }
    println!();
    let folder = tempfile::Builder::new().prefix("bench").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let config = StreetConfig { holders: arguments.holders, ..StreetConfig::new(1, folder.path()) };
    let street = Street::start(config)?;
    let display = Display::start()?;
    if wanted(Part::Taps) {
        taps::measure(&street, &display, arguments.starts, arguments.taps)?;
    }
    if wanted(Part::Idle) {
        memory::idle(&street, &display, &arguments.ui, &arguments.view)?;
    }
    if wanted(Part::Touches) || wanted(Part::Growth) {
        let places = finger::scout(&street, &display)?;
        if wanted(Part::Touches) {
            touches::measure(&street, &display, &places, arguments.touches)?;
        }
        if wanted(Part::Growth) {
            memory::growth(&street, &display, &places, arguments.visits)?;
        }
    }
    Ok(())
}
