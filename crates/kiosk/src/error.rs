//! Why a kiosk cannot start.

use crate::config_check::At;
use domain::FailureCode;
use std::path::PathBuf;

/// Why a kiosk cannot start. Once it runs, what fails is an event with a code.
#[derive(Debug, thiserror::Error)]
pub enum KioskError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration has a mistake; the message names line and key.
    #[error("{code}: {path}: {message}", code = FailureCode::ConfigurationInvalid)]
    Configuration {
        /// The file.
        path: PathBuf,
        /// Where in it, as far as that is known.
        at: Option<At>,
        /// Line, key and what is wrong.
        message: String,
    },
    /// Journal or cache cannot be used.
    #[error("{code}: {0}", code = .0.code())]
    Store(#[from] store::StoreError),
    /// A new terminal was given no feed by central.
    #[error("{0}: this terminal has no feed yet, and central has given it none")]
    NoFeed(FailureCode),
    /// The city pack in the feed cannot be used.
    #[error("the city pack: {0}")]
    Pack(String),
    /// A thread or the runtime could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

impl KioskError {
    /// The failure as the screen and the telephone desk name it. What keeps a terminal from starting is a matter of its
    /// setting up, unless a database says otherwise.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Store(error) => error.code(),
            Self::NoFeed(code) => *code,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => FailureCode::DiskFull,
            _ => FailureCode::ConfigurationInvalid,
        }
    }

    /// What a technician looks for: the file, and where in it.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Configuration { path, at: Some(at), .. } => Some(format!("{}: {at}", path.display())),
            Self::Configuration { path, at: None, .. } | Self::File { path, .. } => Some(path.display().to_string()),
            Self::Store(_) | Self::NoFeed(_) | Self::Pack(_) | Self::Thread(_) => None,
        }
    }
}
