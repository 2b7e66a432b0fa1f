//! `citizen-card`: see `card_office`.

use card_office::cli::Arguments;
use card_office::{Desk, Exit, OfficeError, PcscTray, run};
use clap::Parser;
use domain::Timestamp;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Code, what happened, and the next step.
fn complain(error: &OfficeError) {
    let mut err = std::io::stderr().lock();
    let _told = writeln!(err, "citizen-card: {}: {error}\nnext: {}", error.code(), error.next_step());
}

fn error_is_closed_output(error: &OfficeError) -> bool {
    matches!(error, OfficeError::File { error, .. } if error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn main() -> ExitCode {
    // clap answers a mistake in the command line with 2, as ours.
    let arguments = Arguments::parse();
    let exchange = Duration::from_millis(arguments.desk.exchange.into());
    let mut tray = PcscTray::new(&arguments.desk.reader, exchange);
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let wait = Duration::from_secs(arguments.desk.wait.into());
    let mut desk = Desk { tray: &mut tray, out: &mut out, err: &mut err, now, wait };
    match run(&arguments, &mut desk) {
        Ok(()) => Exit::Done.into(),
        // Whoever reads our output has seen enough, as with `| head -1`.
        Err(error) if error_is_closed_output(&error) && arguments.command.only_shows() => Exit::Done.into(),
        Err(error) => {
            complain(&error);
            error.exit().into()
        }
    }
}
