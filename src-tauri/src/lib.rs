//! The shell: one window, three commands and one channel. It passes actions from the screens to the kiosk and views
//! from the kiosk to the screens, locks the window down, and decides nothing. Which devices the kiosk has was decided
//! before: the shell is handed a running [`kiosk::Handle`].

mod commands;
mod lockdown;
mod window;

pub use window::WindowConfig;

use tauri::RunEvent;

/// Why the window could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// Tauri or the web view refused.
    #[error("the window cannot be opened: {0}")]
    Tauri(#[from] tauri::Error),
}

/// Opens the window around a running kiosk and stays until it is closed; then stops the kiosk.
///
/// # Errors
/// `ShellError` when the window cannot be opened: no display, or no web view.
pub fn run(kiosk: kiosk::Handle, config: WindowConfig) -> Result<(), ShellError> {
    let at_end = kiosk.clone();
    let app = tauri::Builder::default()
        .manage(kiosk)
        .invoke_handler(tauri::generate_handler![commands::ui_ready, commands::act, commands::heartbeat])
        .setup(move |app| {
            window::open(app, &config)?;
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
