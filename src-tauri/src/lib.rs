//! The shell: one window, three commands and one channel. It passes actions from the screens to the kiosk and views
//! from the kiosk to the screens, locks the window down, loads a page that died, hangs or is worn out again, and decides nothing a
//! citizen sees. Which devices the kiosk has was decided before: the shell is handed a running [`kiosk::Handle`].

mod commands;
pub mod commission;
pub mod enrol;
mod lockdown;
pub mod order;
mod pulse;
mod revival;
mod wear;
mod window;

pub use window::WindowConfig;

use pulse::Pulse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tauri::RunEvent;

/// Why the window could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// Tauri or the web view refused.
    #[error("the window cannot be opened: {0}")]
    Tauri(#[from] tauri::Error),
}

/// The exit code of a start that failed.
const EXIT_START: i32 = 1;

/// The page's pulse, felt by commands and window alike.
#[derive(Clone)]
pub(crate) struct Heart(Arc<Mutex<Pulse>>);

impl Heart {
    /// A panic elsewhere ends the process anyway.
    pub(crate) fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the window around a running kiosk and stays until it is closed; then stops the kiosk.
///
/// # Errors
/// `ShellError` when the window cannot be opened: no display, or no web view.
pub fn run(kiosk: kiosk::Handle, config: WindowConfig) -> Result<(), ShellError> {
    open(kiosk, config, None)
}

/// Opens the window around a kiosk that could not start, and ends the program with exit code 1 once the screen has
/// stood for `stands`.
///
/// # Errors
/// As `run`.
pub fn run_closed(kiosk: kiosk::Handle, config: WindowConfig, stands: Duration) -> Result<(), ShellError> {
    open(kiosk, config, Some(stands))
}

fn open(kiosk: kiosk::Handle, config: WindowConfig, stands: Option<Duration>) -> Result<(), ShellError> {
    let at_end = kiosk.clone();
    let heart = Heart(Arc::new(Mutex::new(Pulse::new(Instant::now()))));
    let app = tauri::Builder::default()
        .manage(kiosk)
        .manage(heart.clone())
        .invoke_handler(tauri::generate_handler![commands::ui_ready, commands::act, commands::heartbeat])
        .setup(move |app| {
            window::open(app, &config, &heart)?;
            if let Some(stands) = stands {
                let app = app.handle().clone();
                std::thread::Builder::new().name("closed".into()).spawn(move || {
                    std::thread::sleep(stands);
                    app.exit(EXIT_START);
                })?;
            }
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(move |_, event| {
        if let RunEvent::Exit = event {
            at_end.stop();
        }
    });
    Ok(())
}
