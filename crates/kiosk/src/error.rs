//! Why a kiosk cannot start.

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
        /// Line, key and what is wrong.
        message: String,
    },
    /// Journal or cache cannot be used.
    #[error("{code}: {0}", code = .0.code())]
    Store(#[from] store::StoreError),
    /// The city pack in the feed cannot be used.
    #[error("the city pack: {0}")]
    Pack(String),
    /// A thread or the runtime could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}
