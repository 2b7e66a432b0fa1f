//! `citizen-soak`: a day at the tray. A thousand cards are laid down, swapped, torn off, while the reader is pulled out
//! and pcscd restarted, and the kiosk must hold no more files, threads and memory at the end than after the first
//! hundred. It is run by `make soak`, takes about an hour, and exits with 1 when something leaked or got stuck.

mod held;
mod mischief;

use clap::Parser;
use held::Held;
use mischief::Mischief;
use std::process::ExitCode;
use testbed::{Headless, Street, StreetConfig, StreetError, io_error};

/// Presentations until everything that is made once has been made.
const WARM: u32 = 100;
/// Presentations between two lines of the table.
const EVERY: u32 = 100;
/// Memory that may come and go between two looks, in kilobytes.
const PLAY_KB: u64 = 4 * 1024;

/// Lays down cards until something leaks.
#[derive(Parser)]
#[command(name = "citizen-soak", version)]
struct Arguments {
    /// Cards laid down.
    #[arg(long, default_value_t = 1_000)]
    presentations: u32,
    /// City, citizens and mischief follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("citizen-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing leaked.
fn run(arguments: &Arguments) -> Result<bool, StreetError> {
    let folder = tempfile::Builder::new().prefix("soak").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let street = Street::start(StreetConfig::new(arguments.seed, folder.path()))?;
    let mut kiosk = Headless::start(&street)?;
    kiosk.wait_screen("attract")?;
    let mut mischief = Mischief::new(&street, arguments.seed)?;
    let mut warm = None;
    println!("{:>13}  the kiosk holds", "presentations");
    for number in 1..=arguments.presentations {
        mischief.present(&mut kiosk)?;
        if number % EVERY == 0 || number == WARM {
            let held = Held::by(kiosk.id())?;
            println!("{number:>13}  {held}");
            if number >= WARM {
                warm.get_or_insert(held);
            }
        }
    }
    println!("{mischief}");
    let (Some(before), now) = (warm, Held::by(kiosk.id())?) else { return Ok(true) };
    Ok(judged(before, now, arguments.presentations.saturating_sub(WARM)))
}

/// A kilobyte a presentation would be a megabyte a day: nothing yet, and noticed here.
fn judged(before: Held, now: Held, presentations: u32) -> bool {
    let memory_max = before.private_kb + PLAY_KB + u64::from(presentations);
    let leaks = [
        (now.files > before.files, "files"),
        (now.threads > before.threads, "threads"),
        (now.private_kb > memory_max, "memory"),
    ];
    for (_, what) in leaks.iter().filter(|(leaked, _)| *leaked) {
        println!("LEAK of {what}: {before}, then {now}");
    }
    let leaked = leaks.iter().any(|(leaked, _)| *leaked);
    if !leaked {
        println!("no leak over {presentations} presentations");
    }
    !leaked
}
