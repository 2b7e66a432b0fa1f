//! `citizen-kiosk-headless --config FILE`: the kiosk on its real devices, without a window. Each painting is a line of
//! JSON on standard output and counts as painted; each line on standard input is an action. It ends with its input.

use clap::Parser;
use kiosk::Config;
use session::Action;
use session::wire::Painting;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::channel;

/// A kiosk without a window.
#[derive(Parser)]
#[command(name = "citizen-kiosk-headless", version)]
struct Arguments {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
}

fn main() -> ExitCode {
    kiosk::logging::start();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the kiosk cannot start");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let kiosk = kiosk::start(Config::load(&arguments.config)?)?;
    let (paintings, painted) = channel::<Painting>();
    // The setup is the window's business.
    let _setup = kiosk.attach(Box::new(move |painting| {
        // The writer is gone only when nobody reads any more.
        let _ = paintings.send(painting);
    }));
    let screens = kiosk.clone();
    std::thread::Builder::new().name("lines-out".to_owned()).spawn(move || {
        let mut out = std::io::stdout().lock();
        for painting in painted {
            let line = serde_json::to_string(&painting).unwrap_or_default();
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                return;
            }
            screens.painted(painting.seq);
        }
    })?;
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str::<Action>(&line?) {
            Ok(action) => kiosk.act(action),
            Err(error) => tracing::warn!(%error, "a line is no action"),
        }
    }
    kiosk.stop();
    Ok(())
}
