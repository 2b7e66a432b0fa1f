//! Commissioning a payment terminal from the command line: questions to the technician on the error stream, the report
//! on the output. What is tried and what follows from it is `payment::commission`'s matter.

use crate::order::CommissionOrder;
use kiosk::{Config, KioskError};
use payment::commission::{Options, Report, Technician, commission_now};
use std::io::{BufRead, Write};
use std::process::ExitCode;

/// No order can be used.
const NO_ORDER: u8 = 2;
/// A charge is left to be reversed by hand.
const LEFT_CHARGED: u8 = 3;

/// A commissioning that could not begin or could not be reported.
#[derive(Debug, thiserror::Error)]
pub enum CommissionError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] KioskError),
    /// There is no such time zone.
    #[error("{0} is no time zone, such as Europe/Madrid")]
    TimeZone(String),
    /// No runtime, or nowhere to write the report.
    #[error(transparent)]
    Machine(#[from] std::io::Error),
}

/// Tries the configured payment terminal, asks and reports.
///
/// # Errors
/// [`CommissionError`]; what the payment terminal does is no error, but reported.
pub fn commission(order: &CommissionOrder) -> Result<ExitCode, CommissionError> {
    let payment = Config::load(&order.config)?.payment;
    let zvt = match &order.time_zone {
        None => payment.zvt_here(),
        Some(zone) => payment.zvt_in(zone),
    };
    if let (None, Some(zone)) = (&zvt.clock, &order.time_zone) {
        return Err(CommissionError::TimeZone(zone.clone()));
    }
    let options = Options { amount_cents: order.amount_cents, ..Options::default() };
    let report = {
        let (answers, questions) = (std::io::stdin().lock(), std::io::stderr());
        let mut desk = Desk { answers, questions, yes: order.yes };
        desk.hears(&format!("Trying the payment terminal at {}. The kiosk must not run meanwhile.", payment.address));
        commission_now(zvt, options, &mut desk)?
    };
    let text = if order.json { format!("{:#}\n", report.json()) } else { report.table() };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(exit_code(&report))
}

fn exit_code(report: &Report) -> ExitCode {
    if !report.left_charged.is_empty() {
        return ExitCode::from(LEFT_CHARGED);
    }
    report.order().map_or(ExitCode::from(NO_ORDER), |_| ExitCode::SUCCESS)
}

/// The technician at a terminal of text.
struct Desk<R, W> {
    answers: R,
    questions: W,
    yes: bool,
}

impl<R: BufRead, W: Write> Desk<R, W> {
    /// Only a yes is a yes; the end of the input is a no.
    fn asks(&mut self, question: &str) -> bool {
        let mut answer = String::new();
        let asked = write!(self.questions, "{question} [y/N] ").and_then(|()| self.questions.flush());
        let read = asked.and_then(|()| self.answers.read_line(&mut answer));
        read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }
}

impl<R: BufRead, W: Write> Technician for Desk<R, W> {
    fn allows(&mut self, what: &str) -> bool {
        if self.yes {
            self.hears(what);
            return true;
        }
        self.asks(what)
    }

    fn does(&mut self, what: &str) -> bool {
        self.asks(what)
    }

    fn hears(&mut self, text: &str) {
        // Nobody reads it any more; the report still comes.
        let _ = writeln!(self.questions, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(answers: &'static str, yes: bool) -> Desk<&'static [u8], Vec<u8>> {
        Desk { answers: answers.as_bytes(), questions: Vec::new(), yes }
    }

    #[test]
    fn nothing_is_charged_without_a_yes() {
        let check = |answers, yes, allowed| assert_eq!(desk(answers, yes).allows("Charge?"), allowed, "{answers:?}");
        check("y\n", false, true);
        check("yes\n", false, true);
        check("n\n", false, false);
        check("\n", false, false);
        check("", false, false);
        check("", true, true);
    }

    #[test]
    fn what_is_done_by_hand_is_asked_even_of_somebody_who_allowed_everything() {
        assert!(!desk("", true).does("Switch it off and on again"));
        let mut asked = desk("y\n", true);
        assert!(asked.does("Switch it off and on again"));
        assert_eq!(asked.questions, b"Switch it off and on again [y/N] ");
    }
}
