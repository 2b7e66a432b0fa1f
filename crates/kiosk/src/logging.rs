//! Logs: to standard error, where systemd's journal takes them, and to a few bounded files in the data folder, which a
//! technician can carry away. No personal data is ever logged; types that could carry any redact themselves.

use crate::logfile::{self, ToKept};
use std::io::IsTerminal;
use std::path::Path;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

/// A panic anywhere ends the process: a kiosk with a dead thread would go on showing what it last showed. What panicked
/// is logged by place only, since its message may hold data.
fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name(), "a thread panicked: the program starts afresh");
        std::process::exit(70);
    }));
}

/// Starts logging for the process, and makes a panic its end. `RUST_LOG` chooses what is shown; warnings and the kiosk's own notices by default.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,kiosk=info,sync=info"));
    let subscriber = Registry::default()
        .with(filter)
        .with(fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr))
        .with(fmt::layer().with_ansi(false).with_writer(|| ToKept));
    end_on_panic();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging had been started before");
    }
}

/// From now on the log is kept in this data folder too.
pub(crate) fn keep(data: &Path) {
    logfile::keep(data);
}
