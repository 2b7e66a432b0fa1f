//! The kiosk with its real devices: `citizen-kiosk --config FILE`.

use citizen_kiosk::WindowConfig;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    kiosk::logging::start();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the kiosk cannot start");
            eprintln!("citizen-kiosk: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let path = config_path(std::env::args().skip(1))?;
    let config = kiosk::Config::load(&path)?;
    let window = config.window;
    let handle = kiosk::start(config)?;
    let window = WindowConfig { full_screen: window.full_screen, width: window.width, height: window.height };
    citizen_kiosk::run(handle, window)?;
    Ok(())
}

fn config_path(mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => Ok(PathBuf::from("/etc/citizen-kiosk/kiosk.toml")),
        (Some("--config"), Some(path), None) => Ok(PathBuf::from(path)),
        _ => Err("usage: citizen-kiosk [--config FILE]".to_owned()),
    }
}
