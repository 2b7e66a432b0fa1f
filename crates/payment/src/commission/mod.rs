//! Commissioning: tries on a real payment terminal what the kiosk assumes of one, and says what it saw. It charges
//! small amounts, gives each of them back, and asks before each. It owns the questions and what follows from the
//! answers; who is asked and how, is its user's matter ([`Technician`]).

mod assumption;
mod charges;
mod examination;
mod report;
mod reservations;

pub use assumption::{Assumption, Finding, Verdict};
pub use report::{Measured, Report};

use crate::ZvtConfig;
use examination::Examination;
use std::time::Duration;

/// The person beside the payment terminal.
pub trait Technician {
    /// Leave for something that charges a bank card or ends the day.
    fn allows(&mut self, what: &str) -> bool;

    /// Something to be done by hand; whether it was done.
    fn does(&mut self, what: &str) -> bool;

    /// What happens now.
    fn hears(&mut self, text: &str);
}

/// How to commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much is charged each time, in cents; more than 0.
    pub amount_cents: u32,
    /// How often a wait is asked for at most.
    pub waits_tried: u8,
    /// How long a terminal may take to come back, after a lost line or a power cut.
    pub back_within: Duration,
}

impl Default for Options {
    /// Ten cents, nine waits, three minutes.
    fn default() -> Self {
        Self { amount_cents: 10, waits_tried: 9, back_within: Duration::from_mins(3) }
    }
}

/// Commissions the payment terminal at an address, from the first registration to the end of the day.
pub async fn commission(config: ZvtConfig, options: Options, technician: &mut dyn Technician) -> Report {
    let mut examination = Examination::new(config, options, technician);
    if examination.line().await {
        examination.kept_payment().await;
        examination.given_back().await;
        examination.waits().await;
        examination.silence().await;
        examination.lost_line().await;
        examination.released().await;
        examination.booked().await;
        examination.partly_reversed().await;
        examination.end_of_day().await;
    }
    examination.report()
}

/// As [`commission`], for a program that runs nothing else.
///
/// # Errors
/// When no runtime can be had.
pub fn commission_now(config: ZvtConfig, options: Options, technician: &mut dyn Technician) -> std::io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(commission(config, options, technician)))
}
