//! Logs: structured, to standard error, where systemd's journal takes them. No personal data is ever logged; types
//! that could carry any redact themselves.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for the process. `RUST_LOG` chooses what is shown; warnings and the kiosk's own notices by default.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,kiosk=info,sync=info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging had been started before");
    }
}
