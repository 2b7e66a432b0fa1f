//! What can go wrong in the street, for the person who set it up.

use std::io;
use std::time::Duration;

/// Something in the street does not work.
#[derive(Debug, thiserror::Error)]
pub enum StreetError {
    /// A file, a socket or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program that must have been built or installed.
    #[error("{program} is missing: {remedy}")]
    Missing {
        /// Which.
        program: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Central.
    #[error("central: {0}")]
    Central(#[from] central::CentralError),
    /// The private PC/SC service.
    #[error("the card tray: {0}")]
    Tray(#[from] crate::pcsc::SandboxError),
    /// The payment terminal.
    #[error("the payment terminal: {0}")]
    Payment(#[from] payment_simulator::StartError),
    /// The invented card.
    #[error("the invented card: {0}")]
    Card(String),
    /// Something awaited did not come.
    #[error("{what} did not come within {} s; last seen: {seen}", .patience.as_secs())]
    Late {
        /// What was awaited.
        what: String,
        /// For how long.
        patience: Duration,
        /// What was there instead.
        seen: String,
    },
    /// Something to touch that is not there, or is off.
    #[error("there is no button {id} that can be touched; seen: {seen}")]
    NoButton {
        /// Its id.
        id: String,
        /// What was there.
        seen: String,
    },
    /// The kiosk's process ended.
    #[error("the kiosk has ended; its log ends: {0}")]
    KioskEnded(String),
    /// The driver of the window.
    #[error("WebDriver: {0}")]
    WebDriver(String),
    /// The books do not agree.
    #[error("the books disagree:\n{0}")]
    Books(String),
}

/// An error about something that was tried.
pub fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> StreetError {
    let what = what.into();
    move |source| StreetError::Io { what, source }
}
