//! A kiosk that could not start, and shows it: the one screen, in words that need no city pack, with the line that a
//! technician looks for.

use crate::config::WindowConfig;
use crate::machine::Input;
use crate::{Handle, KioskError};
use locale::{Catalog, LocaleError};
use session::View;
use session::wire::{Painting, Setup};
use std::sync::mpsc::channel;
use std::time::Duration;
use sync::WallClock;

/// How long the screen stands before the program ends and systemd starts it anew: the mistake may be mended by then.
pub const STANDS: Duration = Duration::from_secs(60);

/// Words and time of a terminal whose city is not known yet.
const LANGUAGE: &str = "es";
const TIME_ZONE: &str = "Europe/Madrid";

/// The screen of a kiosk that could not start.
///
/// # Errors
/// The built-in words cannot be read.
pub fn view(error: &KioskError) -> Result<View, LocaleError> {
    let language = Catalog::new(&[LANGUAGE.to_owned()], TIME_ZONE, |_| None)?.language(LANGUAGE);
    let clock = language.time_of_day(WallClock::default().now());
    Ok(session::closed_view(&language, error.code(), error.place(), clock))
}

/// A handle whose every screen is this one; what is touched changes nothing.
///
/// # Errors
/// `KioskError::Thread`.
pub fn show(view: View, window: WindowConfig) -> Result<Handle, KioskError> {
    let (inputs, received) = channel();
    let body = move || {
        let mut seq = 0;
        for input in received {
            match input {
                Input::Attach(screen) => {
                    seq += 1;
                    screen(Painting { seq, view: view.clone() });
                }
                Input::Stop(done) => {
                    // Whoever asked may not wait.
                    let _ = done.send(());
                    return;
                }
                _ => {}
            }
        }
    };
    std::thread::Builder::new().name("closed".into()).spawn(body).map_err(KioskError::Thread)?;
    let setup = Setup { px_per_mm: window.px_per_mm, emblem: String::new(), still: window.still };
    Ok(Handle { inputs, setup })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_mistake_is_shown_with_code_file_line_and_key_again_and_again() {
        let error = KioskError::Configuration {
            path: PathBuf::from("/etc/citizen-kiosk/kiosk.toml"),
            at: Some(crate::config_check::At { line: 3, key: "colour".into() }),
            message: "unknown field".into(),
        };
        let handle = show(view(&error).unwrap(), WindowConfig::default()).unwrap();
        for seq in 1..=2 {
            let (sender, painted) = channel();
            let _setup = handle.attach(Box::new(move |painting| drop(sender.send(painting))));
            let painting = painted.recv().unwrap();
            assert_eq!(painting.seq, seq);
            let session::view::Screen::Closed { code, detail, points, .. } = painting.view.screen else {
                panic!("another screen")
            };
            assert!(code.text.contains("S-05"), "{}", code.text);
            assert_eq!(detail.unwrap().text, "/etc/citizen-kiosk/kiosk.toml: 3: colour");
            assert!(!points.is_empty(), "a human way out");
        }
        handle.stop();
    }
}
