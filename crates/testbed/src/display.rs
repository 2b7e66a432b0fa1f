//! A screen where there is none: Xvfb in portrait, on a display number of its own choosing.

use crate::children::Owned;
use crate::{StreetError, io_error};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

/// The terminal's screen: full HD, standing.
const SCREEN: &str = "1080x1920x24";

/// A virtual screen; it goes with this handle.
#[derive(Debug)]
pub struct Display {
    name: String,
    _server: Owned,
}

impl Display {
    /// Starts one and waits until it takes clients.
    ///
    /// # Errors
    /// Xvfb (package xvfb) is not installed, or ends.
    pub fn start() -> Result<Self, StreetError> {
        let mut server = Owned::spawn(Path::new("Xvfb"), |command| {
            command.args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]);
            command.stdout(Stdio::piped());
        })
        .map_err(io_error("Xvfb"))?;
        let mut number = String::new();
        if let Some(output) = server.stdout() {
            BufReader::new(output).read_line(&mut number).map_err(io_error("Xvfb"))?;
        }
        if number.trim().is_empty() {
            return Err(StreetError::Missing { program: "Xvfb".to_owned(), remedy: "install the package xvfb" });
        }
        Ok(Self { name: format!(":{}", number.trim()), _server: server })
    }

    /// The value of `DISPLAY` for its clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether this process has a screen to open windows on.
#[must_use]
pub fn is_present() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("DISPLAY") || set("WAYLAND_DISPLAY")
}
