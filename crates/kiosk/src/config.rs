//! The configuration: one TOML file, each crate's section defined by that crate. A mistake is reported with its line
//! and key, and nothing is guessed.

use crate::KioskError;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The enrolment bundle.
    pub enrolment: PathBuf,
    /// Where the databases lie.
    pub data: PathBuf,
    /// Where the journal's key is kept.
    pub journal_key: KeyConfig,
    /// The window.
    #[serde(default)]
    pub window: WindowConfig,
    /// The card reader.
    #[serde(default)]
    pub reader: ReaderConfig,
    /// The payment terminal.
    pub payment: PaymentConfig,
    /// The printer.
    pub printer: printing::Config,
    /// The way to central.
    #[serde(default)]
    pub sync: sync::SyncSettings,
}

/// Where the journal's key is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum KeyConfig {
    /// In the Secret Service of the desktop session, through the keyring interface.
    SecretService,
    /// In a file beside the journal: for demonstrations only.
    DemonstrationFile,
}

/// How the window lies on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowConfig {
    /// Fill the screen.
    pub full_screen: bool,
    /// Width in CSS pixels when it does not.
    pub width: u32,
    /// Height in CSS pixels when it does not.
    pub height: u32,
    /// CSS pixels a millimetre of this screen; the maintenance ruler gives it.
    pub px_per_mm: f32,
    /// Nothing moves.
    pub still: bool,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self { full_screen: true, width: 1080, height: 1920, px_per_mm: 3.21, still: false }
    }
}

/// Which reader.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReaderConfig {
    /// Part of its PC/SC name; empty for the only one.
    pub name: String,
    /// The longest a single exchange may take, in milliseconds.
    pub exchange_timeout_ms: u64,
}

impl Default for ReaderConfig {
    fn default() -> Self {
        Self { name: String::new(), exchange_timeout_ms: 1_500 }
    }
}

/// Which payment terminal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentConfig {
    /// Where it listens for ZVT.
    pub address: SocketAddr,
    /// The till's password, six decimal digits.
    #[serde(default)]
    pub password: u32,
    /// It keeps its last receipt through a power cut: then "no receipt" proves that nothing was paid. Leave it off
    /// until commissioning has shown it.
    #[serde(default)]
    pub keeps_last_receipt: bool,
}

impl Config {
    /// Reads a file. Relative paths in it are taken from its folder.
    ///
    /// # Errors
    /// `File` when it cannot be read, `Configuration` with line and key of the first mistake.
    pub fn load(path: &Path) -> Result<Self, KioskError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| KioskError::File { path: path.to_owned(), source })?;
        let mut config = Self::parse(path, &text)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.enrolment = folder.join(&config.enrolment);
        config.data = folder.join(&config.data);
        Ok(config)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, KioskError> {
        toml::from_str(text)
            .map_err(|error| KioskError::Configuration { path: path.to_owned(), message: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_reported_with_its_line_and_key() {
        let check = |text: &str, expected: &[&str]| {
            let message = Config::parse(Path::new("kiosk.toml"), text).unwrap_err().to_string();
            for part in expected {
                assert!(message.contains(part), "{message} lacks {part}");
            }
        };
        check("enrolment = 'e'\ndata = 'd'\ncolour = 'blue'\n", &["S-05", "line 3", "colour"]);
        check("enrolment = 'e'\ndata = 'd'\n[window]\nwidth = 'wide'\n", &["line 4", "width"]);
        check("data = 'd'\n", &["enrolment"]);
    }
}
