//! The printer's section of the kiosk's configuration.

use serde::Deserialize;
use std::time::Duration;

/// How to reach the printer, and how long to be patient. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Such as `ipp://127.0.0.1:631/ipp/print`.
    pub uri: String,
    /// The requesting-user-name (RFC 8011 clause 4.2.1); it marks the kiosk's own jobs.
    #[serde(default = "defaults::user")]
    pub user: String,
    /// The paper, as PWG 5101.1 names it.
    #[serde(default = "defaults::media")]
    pub media: String,
    /// For one request without a document.
    #[serde(default = "defaults::request_timeout")]
    pub request_timeout_ms: u64,
    /// For sending one document.
    #[serde(default = "defaults::document_timeout")]
    pub document_timeout_ms: u64,
    /// Between two looks at a job.
    #[serde(default = "defaults::poll_interval")]
    pub poll_interval_ms: u64,
    /// Between two looks at an idle printer.
    #[serde(default = "defaults::look_interval")]
    pub look_interval_ms: u64,
    /// For a printer that answers nothing, before its job is given up as unknown.
    #[serde(default = "defaults::lookup_limit")]
    pub lookup_limit_ms: u64,
    /// For a printer that stands still (no paper, jam, open) with the document in it.
    #[serde(default = "defaults::blocked_limit")]
    pub blocked_limit_ms: u64,
    /// For the whole of one print.
    #[serde(default = "defaults::total_limit")]
    pub total_limit_ms: u64,
}

mod defaults {
    pub(super) fn user() -> String {
        "citizen-kiosk".to_owned()
    }
    pub(super) fn media() -> String {
        "iso_a4_210x297mm".to_owned()
    }
    pub(super) fn request_timeout() -> u64 {
        4_000
    }
    pub(super) fn document_timeout() -> u64 {
        20_000
    }
    pub(super) fn poll_interval() -> u64 {
        150
    }
    pub(super) fn look_interval() -> u64 {
        5_000
    }
    pub(super) fn lookup_limit() -> u64 {
        10_000
    }
    pub(super) fn blocked_limit() -> u64 {
        45_000
    }
    pub(super) fn total_limit() -> u64 {
        120_000
    }
}

impl Config {
    /// Everything but the address as it is by default.
    #[must_use]
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            user: defaults::user(),
            media: defaults::media(),
            request_timeout_ms: defaults::request_timeout(),
            document_timeout_ms: defaults::document_timeout(),
            poll_interval_ms: defaults::poll_interval(),
            look_interval_ms: defaults::look_interval(),
            lookup_limit_ms: defaults::lookup_limit(),
            blocked_limit_ms: defaults::blocked_limit(),
            total_limit_ms: defaults::total_limit(),
        }
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }

    pub(crate) fn lookup_limit(&self) -> Duration {
        Duration::from_millis(self.lookup_limit_ms)
    }

    pub(crate) fn blocked_limit(&self) -> Duration {
        Duration::from_millis(self.blocked_limit_ms)
    }

    pub(crate) fn total_limit(&self) -> Duration {
        Duration::from_millis(self.total_limit_ms)
    }
}

/// The configuration names no printer.
#[derive(Debug, thiserror::Error)]
pub enum BadPrinter {
    /// Not a URI.
    #[error("printing.uri is no printer's address: {0}")]
    Uri(String),
    /// Longer than IPP allows.
    #[error("printing.{0} is too long")]
    TooLong(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_enough_and_a_misspelt_key_is_refused() {
        let read = |text: &str| toml::from_str::<Config>(text);
        assert_eq!(read("uri = 'ipp://127.0.0.1/ipp/print'").unwrap(), Config::new("ipp://127.0.0.1/ipp/print"));
        assert!(read("uri = 'ipp://127.0.0.1/ipp/print'\npoll_intervall_ms = 5").is_err());
        assert!(read("").is_err());
    }
}
