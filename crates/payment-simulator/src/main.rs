//! A ZVT payment terminal as a program: a file and flags set its manner, lines on its input or on a port play payer,
//! bank and fate.

use clap::Parser;
use payment_simulator::{Answer, Config, RepeatReceipt, ReversalReceipt, Simulator, Unanswered, converse};
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A ZVT payment terminal on a TCP port. Reads control lines from standard input (the README lists them), and ends
/// with it.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The whole manner as JSON; flags beside it win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:20007].
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Where to take control lines too.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Answer every payment: approve, decline:CODE, cancel, silence or approve-silently.
    #[arg(long)]
    auto: Option<Answer>,
    /// Milliseconds each step of payer and bank takes [default: 800].
    #[arg(long)]
    pace_ms: Option<u64>,
    /// How often the cash register may answer "please wait".
    #[arg(long)]
    waits_max: Option<u8>,
    /// Milliseconds between two such outcomes.
    #[arg(long)]
    outcome_interval_ms: Option<u64>,
    /// Keep the money of a payment nobody answered for, instead of reversing it.
    #[arg(long)]
    keep_unanswered: bool,
    /// Answer "repeat receipt" without the status information.
    #[arg(long)]
    repeat_receipt_without_status: bool,
    /// Show a reversed payment under its own receipt number with result code B4.
    #[arg(long)]
    reversal_keeps_receipt: bool,
    /// Eight digits.
    #[arg(long)]
    terminal_id: Option<u32>,
    /// IANA name of the terminal's time zone.
    #[arg(long)]
    time_zone: Option<String>,
    /// Remember transactions in this file.
    #[arg(long)]
    state_file: Option<PathBuf>,
    /// Write the acquirer's statement to this file at each end-of-day.
    #[arg(long)]
    settlement: Option<PathBuf>,
    /// Go on when the input ends, instead of switching off.
    #[arg(long)]
    detached: bool,
}

impl Options {
    fn config(self) -> Result<Config, String> {
        let mut config = match &self.config {
            None => Config {
                listen: SocketAddr::from(([127, 0, 0, 1], 20_007)),
                pace: Duration::from_millis(800),
                ..Config::default()
            },
            Some(path) => {
                let named = |error: &dyn Error| format!("{}: {error}", path.display());
                let text = std::fs::read(path).map_err(|error| named(&error))?;
                serde_json::from_slice(&text).map_err(|error| named(&error))?
            }
        };
        put(&mut config.listen, self.listen);
        put(&mut config.pace, self.pace_ms.map(Duration::from_millis));
        put(&mut config.waits_max, self.waits_max);
        put(&mut config.outcome_interval, self.outcome_interval_ms.map(Duration::from_millis));
        put(&mut config.terminal_id, self.terminal_id);
        put(&mut config.time_zone, self.time_zone);
        put(&mut config.unanswered, self.keep_unanswered.then_some(Unanswered::Keep));
        let bare = self.repeat_receipt_without_status.then_some(RepeatReceipt::CompletionOnly);
        put(&mut config.repeat_receipt, bare);
        put(&mut config.reversal_receipt, self.reversal_keeps_receipt.then_some(ReversalReceipt::Original));
        config.control = self.control.or(config.control);
        config.auto_answer = self.auto.or(config.auto_answer);
        config.state_file = self.state_file.or(config.state_file);
        config.settlement_file = self.settlement.or(config.settlement_file);
        Ok(config)
    }
}

fn put<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error stops nothing.
            let _ = writeln!(std::io::stderr(), "payment-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let detached = options.detached;
    let simulator = Simulator::start(options.config()?)?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", simulator.addr)?;
    if let Some(control) = simulator.control {
        writeln!(out, "control on {control}")?;
    }
    converse(&simulator, std::io::stdin().lock(), out)?;
    if detached {
        loop {
            std::thread::park();
        }
    }
    Ok(())
}
