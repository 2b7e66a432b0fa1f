//! `citizen-testbed demo`: a visit at the kiosk, played by a person with a screen and by itself without one.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use testbed::control::{self, Control};
use testbed::demo::{DemoConfig, play, street_config};
use testbed::street::WindowSize;
use testbed::{Street, StreetError, display, io_error};

/// The street around a citizen kiosk.
#[derive(Parser)]
#[command(name = "citizen-testbed", version)]
struct Arguments {
    #[command(subcommand)]
    command: Order,
}

#[derive(Subcommand)]
enum Order {
    /// Opens the kiosk with a control page beside it; without a display, plays a visit by itself and leaves pictures,
    /// papers and the ledger.
    Demo {
        /// City and citizen follow from it; drawn when left out.
        #[arg(long)]
        seed: Option<u64>,
        /// Where the demonstration that plays itself leaves what it made.
        #[arg(long, default_value = "target/demo")]
        out: PathBuf,
        /// Opens the window and the control page; needs a display.
        #[arg(long, conflicts_with = "unattended")]
        interactive: bool,
        /// Plays by itself even where there is a display.
        #[arg(long)]
        unattended: bool,
    },
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Order::Demo { seed, out, interactive, unattended } = Arguments::parse().command;
    let seed = seed.unwrap_or_else(|| rand::random_range(1..1_000_000));
    let result = if interactive || (display::is_present() && !unattended) {
        attend(seed)
    } else {
        play(&DemoConfig { seed, out }, &mut |line| println!("{line}"))
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("citizen-testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn attend(seed: u64) -> Result<(), StreetError> {
    println!("Setting up the street (seed {seed})…");
    let dir = tempfile::tempdir().map_err(io_error("a temporary folder"))?;
    let street = Street::start(street_config(seed, dir.path(), WindowSize::Desk))?;
    let control = Arc::new(Control::start(street)?);
    let runtime = tokio::runtime::Runtime::new().map_err(io_error("the control page"))?;
    let served = runtime.block_on(control::serve(Arc::clone(&control), |address| {
        let url = format!("http://{address}/");
        println!("The kiosk is in its window; the street is at {url}\nClose the window or press Ctrl+C to end.");
        open_in_browser(&url);
    }));
    // What the page's threads still hold of the street ends with them.
    drop(runtime);
    served
}

/// Where there is no browser the printed address does.
fn open_in_browser(url: &str) {
    let quiet = || Stdio::null();
    let opened = Command::new("xdg-open").arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = opened {
        tracing::info!(%error, "no browser was opened");
    }
}
