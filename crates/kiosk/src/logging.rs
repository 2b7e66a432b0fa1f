//! Logs: structured, to standard error, where systemd's journal takes them. No personal data is ever logged; types
//! that could carry any redact themselves.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

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
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .finish();
    end_on_panic();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging had been started before");
    }
}
