//! The configuration: one TOML file, each crate's section defined by that crate. A mistake is reported with its line
//! and key, and nothing is guessed.

use crate::card_keys::CardKeysConfig;
use crate::config_check::{self, At};
pub use crate::payment_config::{ClockTime, OrderConfig, PaymentConfig};
use crate::{HealthConfig, KioskError, ServiceConfig, SoundConfig};
use card::ReaderProfile;
use serde::Deserialize;
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
    /// Where the cards' keys are kept.
    #[serde(default)]
    pub card_keys: CardKeysConfig,
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
    /// When clock and disk are no longer believed in.
    #[serde(default)]
    pub health: HealthConfig,
    /// The terminal's sounds.
    #[serde(default)]
    pub sound: SoundConfig,
    /// What a technician needs.
    #[serde(default)]
    pub service: ServiceConfig,
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

impl WindowConfig {
    /// The scale in hundredths of a CSS pixel a millimetre.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be between 1 and 20")]
    pub fn scale_hundredths(&self) -> u32 {
        (self.px_per_mm * 100.0).round() as u32
    }
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
    /// Words of its PC/SC name, alternatives separated by `|`, the best first (`card::ReaderChoice`); empty for the
    /// only one.
    pub name: String,
    /// The longest a single exchange may take, in milliseconds.
    pub exchange_timeout_ms: u64,
    /// How value blocks of MIFARE Classic cards are changed through it: `auto` by its name, else `acs`, `omnikey`,
    /// `feitian` or `portable`.
    pub profile: String,
}

impl ReaderConfig {
    /// By its name.
    const AUTO: &str = "auto";

    /// The profile that is set; `None` where the reader's name decides.
    #[must_use]
    pub fn profile(&self) -> Option<ReaderProfile> {
        self.profile.parse().ok()
    }

    pub(crate) fn profile_is_known(&self) -> bool {
        self.profile == Self::AUTO || self.profile().is_some()
    }
}

impl Default for ReaderConfig {
    fn default() -> Self {
        Self { name: String::new(), exchange_timeout_ms: 1_500, profile: Self::AUTO.to_owned() }
    }
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
        let wrong = |at, message| KioskError::Configuration { path: path.to_owned(), at, message };
        let config: Self = toml::from_str(text).map_err(|error| wrong(At::parsed(text, &error), error.to_string()))?;
        match config_check::mistake(&config, text) {
            None => Ok(config),
            Some((at, must)) => {
                let message = if at.line > 0 { format!("line {at}: {must}") } else { format!("{at}: {must}") };
                Err(wrong(Some(at), message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "enrolment = 'e'\ndata = 'd'\n[journal_key]\nkind = 'demonstration-file'\n\
        [payment]\naddress = '127.0.0.1:20007'\n[printer]\nuri = 'ipp://127.0.0.1/ipp/print'\n";

    fn check(text: &str, at: (usize, &str), says: &[&str]) {
        let error = Config::parse(Path::new("kiosk.toml"), text).unwrap_err();
        let message = error.to_string();
        for part in says.iter().chain(&["S-05", "kiosk.toml"]) {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let KioskError::Configuration { at: Some(found), .. } = error else { panic!("{message} has no place") };
        assert_eq!((found.line, found.key.as_str()), at, "{message}");
    }

    #[test]
    fn a_mistake_is_reported_with_its_line_and_key() {
        check("enrolment = 'e'\ndata = 'd'\ncolour = 'blue'\n", (3, "colour"), &["line 3", "colour"]);
        check("enrolment = 'e'\ndata = 'd'\n[window]\nwidth = 'wide'\n", (4, "width"), &["line 4", "width"]);
        check("data = 'd'\n", (0, "enrolment"), &["enrolment"]);
    }

    #[test]
    fn a_value_that_cannot_be_used_is_reported_like_a_wrong_type() {
        assert!(Config::parse(Path::new("kiosk.toml"), GOOD).is_ok());
        let with = |section: &str, line: &str| {
            let header = format!("[{section}]\n");
            if GOOD.contains(&header) {
                GOOD.replace(&header, &format!("{header}{line}\n"))
            } else {
                format!("{GOOD}{header}{line}\n")
            }
        };
        check(&with("window", "px_per_mm = 0.5"), (10, "px_per_mm"), &["between 1 and 20"]);
        check(&with("window", "px_per_mm = nan"), (10, "px_per_mm"), &["between 1 and 20"]);
        check(&with("payment", "password = 1000000"), (6, "password"), &["six digits"]);
        check(&with("payment", "order = 'credit-first'"), (6, "order"), &["line 6", "pre-authorise"]);
        check(&with("payment", "waits = 255"), (6, "waits"), &["at most 99"]);
        check(&with("payment", "answer_timeout_s = 0"), (6, "answer_timeout_s"), &["more than 0"]);
        check(&with("payment", "payment_timeout_s = 0"), (6, "payment_timeout_s"), &["more than 0"]);
        check(&with("payment", "completion_timeout_s = 0"), (6, "completion_timeout_s"), &["more than 0"]);
        check(&with("payment", "reservation_hours = 0"), (6, "reservation_hours"), &["between 1 and 720"]);
        check(&with("payment", "end_of_day = '3:30'"), (6, "end_of_day"), &["3:30", "03:30"]);
        check(&with("payment", "end_of_day = '03:30'"), (0, "payment.end_of_day_latest"), &["end_of_day"]);
        let window = "end_of_day = '03:30'\nend_of_day_latest = '03:30'";
        check(&with("payment", window), (7, "end_of_day_latest"), &["another time"]);
        check(&with("reader", "exchange_timeout_ms = 0"), (10, "exchange_timeout_ms"), &["more than 0"]);
        check(&with("reader", "profile = 'acme'"), (10, "profile"), &["omnikey"]);
        check(&with("printer", "total_limit_ms = 0"), (8, "total_limit_ms"), &["more than 0"]);
        check(&with("sync", "retry_longest_s = 1"), (10, "retry_longest_s"), &["retry_first_s"]);
        check(&with("health", "disk_reserve_mb = 0"), (10, "disk_reserve_mb"), &["more than 0"]);
        check(&GOOD.replace("ipp://", "http://"), (8, "uri"), &["ipp://"]);
        check(&GOOD.replace(":20007", ":0"), (6, "address"), &["port"]);
        check(&with("sync", "retry_first_s = 90"), (0, "sync.retry_longest_s"), &["retry_first_s"]);
    }
}
