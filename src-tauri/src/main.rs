//! The kiosk with its real devices: `citizen-kiosk --config FILE`; and, beside it, what is done with one of them alone.

use citizen_kiosk::WindowConfig;
use citizen_kiosk::commission::commission;
use citizen_kiosk::enrol::enrol;
use citizen_kiosk::order::{HELP, Order};
use kiosk::{Config, KioskError, closed};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    kiosk::logging::start();
    let done = match Order::read(std::env::args().skip(1)) {
        Ok(Order::Run(config)) => run(&config),
        Ok(Order::Check(config)) => check(&config),
        Ok(Order::CommissionPayment(order)) => match commission(&order) {
            Ok(code) => return code,
            Err(error) => Err(error.into()),
        },
        Ok(Order::Enrol(order)) => enrol(&order).map(|said| println!("{said}")),
        Ok(Order::Help) => {
            print!("{HELP}");
            Ok(())
        }
        Ok(Order::Version) => {
            println!("citizen-kiosk {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Err(mistake) => Err(mistake.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("citizen-kiosk: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(path: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(path)?;
    kiosk::check(&config)?;
    println!("{}: no mistake was found", path.display());
    Ok(())
}

/// Runs the kiosk. One that cannot start says so on the glass too, for a while.
fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut window = kiosk::config::WindowConfig::default();
    let started = Config::load(path).and_then(|config| {
        window = config.window;
        kiosk::start(config)
    });
    match started {
        Ok(handle) => citizen_kiosk::run(handle, on_screen(window))?,
        Err(error) => {
            tracing::error!(%error, "the kiosk cannot start");
            eprintln!("citizen-kiosk: {error}");
            show(&error, window)?;
            return Err(error.into());
        }
    }
    Ok(())
}

fn show(error: &KioskError, window: kiosk::config::WindowConfig) -> Result<(), Box<dyn Error>> {
    let handle = closed::show(closed::view(error)?, window)?;
    citizen_kiosk::run_closed(handle, on_screen(window), closed::STANDS)?;
    Ok(())
}

fn on_screen(window: kiosk::config::WindowConfig) -> WindowConfig {
    WindowConfig { full_screen: window.full_screen, width: window.width, height: window.height }
}
