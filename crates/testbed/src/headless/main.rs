//! `citizen-kiosk-headless --config FILE`: the kiosk on its real devices, without a window. Each painting is a line of
//! JSON on standard output and counts as painted; each line on standard input is an action, or `clock MS`: from then on
//! the kiosk's wall clock is that many milliseconds ahead of the system's. It ends with its input.

use clap::Parser;
use domain::Timestamp;
use kiosk::{Config, Handle, WallClock, closed};
use session::Action;
use session::wire::Painting;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::channel;

/// A kiosk without a window.
#[derive(Parser)]
#[command(name = "citizen-kiosk-headless", version)]
struct Arguments {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// Milliseconds by which the wall clock is ahead of the system's.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    clock: i64,
}

/// By how much the wall clock is ahead.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

fn shifted() -> Timestamp {
    WallClock::default().now().plus_ms(AHEAD_MS.load(Ordering::Relaxed))
}

fn main() -> ExitCode {
    kiosk::logging::start();
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "the kiosk cannot be played");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    AHEAD_MS.store(arguments.clock, Ordering::Relaxed);
    let clock = WallClock::new(shifted);
    let started = Config::load(&arguments.config).and_then(|config| kiosk::start_by(config, clock));
    let (kiosk, code) = match started {
        Ok(kiosk) => (kiosk, ExitCode::SUCCESS),
        Err(error) => {
            tracing::error!(%error, "the kiosk cannot start");
            eprintln!("citizen-kiosk-headless: {error}");
            (closed::show(closed::view(&error)?, kiosk::config::WindowConfig::default())?, ExitCode::FAILURE)
        }
    };
    write_paintings(&kiosk)?;
    for line in std::io::stdin().lock().lines() {
        obey(&kiosk, &line?);
    }
    kiosk.stop();
    Ok(code)
}

fn obey(kiosk: &Handle, line: &str) {
    if let Some(ahead) = line.strip_prefix("clock ").and_then(|ahead| ahead.trim().parse().ok()) {
        return AHEAD_MS.store(ahead, Ordering::Relaxed);
    }
    match serde_json::from_str::<Action>(line) {
        Ok(action) => kiosk.act(action),
        Err(error) => tracing::warn!(%error, "a line is no action"),
    }
}

fn write_paintings(kiosk: &Handle) -> Result<(), Box<dyn Error>> {
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
    Ok(())
}
