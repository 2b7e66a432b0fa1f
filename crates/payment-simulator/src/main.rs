//! A ZVT payment terminal as a program: flags set its manner, lines on its input play payer, bank and fate.

use clap::Parser;
use payment_simulator::{Answer, Config, RepeatReceipt, ReversalReceipt, Simulator, Unanswered, When};
use std::error::Error;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A ZVT payment terminal on a TCP port.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:20007")]
    listen: SocketAddr,
    /// Answer every payment: approve, decline:CODE, cancel, silence or approve-silently.
    #[arg(long, value_parser = answer)]
    auto: Option<Answer>,
    /// Milliseconds each step of payer and bank takes.
    #[arg(long, default_value_t = 800)]
    pace_ms: u64,
    /// How often the cash register may answer "please wait".
    #[arg(long, default_value_t = 3)]
    waits_max: u8,
    /// Milliseconds between two such outcomes.
    #[arg(long, default_value_t = 2_000)]
    outcome_interval_ms: u64,
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
    #[arg(long, default_value_t = 52_500_021)]
    terminal_id: u32,
    /// IANA name of the terminal's time zone.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// Remember transactions in this file.
    #[arg(long)]
    state_file: Option<PathBuf>,
    /// Go on when the input ends, instead of switching off.
    #[arg(long)]
    detached: bool,
}

impl From<Options> for Config {
    fn from(options: Options) -> Self {
        let unanswered = if options.keep_unanswered { Unanswered::Keep } else { Unanswered::Reverse };
        let default = Self::default();
        let repeat_receipt = match options.repeat_receipt_without_status {
            true => RepeatReceipt::CompletionOnly,
            false => RepeatReceipt::StatusInformation,
        };
        let reversal_receipt = match options.reversal_keeps_receipt {
            true => ReversalReceipt::Original,
            false => ReversalReceipt::OfItsOwn,
        };
        Self {
            listen: options.listen,
            auto_answer: options.auto,
            pace: Duration::from_millis(options.pace_ms),
            waits_max: options.waits_max,
            outcome_interval: Duration::from_millis(options.outcome_interval_ms),
            unanswered,
            repeat_receipt,
            reversal_receipt,
            terminal_id: options.terminal_id,
            time_zone: options.time_zone,
            state_file: options.state_file,
            ..default
        }
    }
}

/// Reads an answer as flags and input lines write it.
fn answer(text: &str) -> Result<Answer, String> {
    Ok(match text.split_once(':').unwrap_or((text, "")) {
        ("approve", "") => Answer::Approve,
        ("cancel", "") => Answer::Cancel,
        ("silence", "") => Answer::Silence,
        ("approve-silently", "") => Answer::ApproveSilently,
        ("decline", code) => match u8::from_str_radix(code, 16) {
            Ok(code @ 1..) => Answer::Decline(code),
            _ => return Err("decline needs a result code in hexadecimal, such as decline:05".to_owned()),
        },
        _ => return Err(format!("no such answer: {text}")),
    })
}

/// Carries out one input line; the reply is for a person.
fn obey(simulator: &Simulator, line: &str) -> String {
    match line {
        "ledger" => format!("{:#?}", simulator.ledger()),
        "waiting" => format!("{:?}", simulator.waiting()),
        "power" => {
            simulator.power_cycle();
            "on again".to_owned()
        }
        "drop" => armed(simulator, When::Now),
        "drop-before-outcome" => armed(simulator, When::BeforeOutcome),
        "drop-after-outcome" => armed(simulator, When::AfterOutcome),
        "drop-before-completion" => armed(simulator, When::BeforeCompletion),
        _ => match answer(line) {
            Ok(answer) if simulator.answer(answer) => "answered".to_owned(),
            Ok(_) => "no payment waits for a card".to_owned(),
            Err(error) => error,
        },
    }
}

fn armed(simulator: &Simulator, when: When) -> String {
    simulator.drop_line(when);
    format!("the line drops: {when:?}")
}

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::parse();
    let detached = options.detached;
    let simulator = Simulator::start(options.into())?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", simulator.addr)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            writeln!(out, "{}", obey(&simulator, line.trim()))?;
        }
    }
    if detached {
        loop {
            std::thread::park();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_nonsense_is_refused() {
        assert_eq!(answer("approve"), Ok(Answer::Approve));
        assert_eq!(answer("decline:6E"), Ok(Answer::Decline(0x6E)));
        for bad in ["", "decline", "decline:00", "decline:zz", "approve:1", "perhaps"] {
            assert!(answer(bad).is_err(), "{bad}");
        }
    }
}
