//! Trying the parts of the terminal, through the thread or task that owns each. No test moves money, and none waits
//! for ever.

use crate::machine::Clock;
use crate::printer::{Press, PrinterDesk};
use crate::reader::ReaderDesk;
use domain::service::{Finding, Part};
use domain::{FailureCode, Timestamp};
use payment::desk::Check;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sync::{HttpCentral, SyncState};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

/// The longest a test may take; a printer or a payment that is under way is waited for so long.
const TEST_MAX: Duration = Duration::from_secs(20);

/// The ways to what can be tested.
pub(crate) struct Parts {
    pub(crate) reader: ReaderDesk,
    pub(crate) printer: PrinterDesk,
    pub(crate) payment: PaymentLine,
    pub(crate) central: HttpCentral,
}

/// The way to the payment terminal's task, for questions that move no money.
#[derive(Clone)]
pub(crate) struct PaymentLine {
    pub(crate) checks: mpsc::Sender<Check>,
    /// Its own identity, once a payment has told it.
    pub(crate) identity: Arc<Mutex<Option<String>>>,
}

impl PaymentLine {
    /// A payment has told who the terminal is.
    pub(crate) fn is(&self, identity: &str) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity.to_owned());
    }

    async fn check(&self) -> Option<u32> {
        let (check, answer) = oneshot::channel();
        self.checks.send(check).await.ok()?;
        answer.await.ok().flatten()
    }
}

impl Parts {
    /// Tries a part, until then at the latest.
    pub(super) async fn test(
        &self,
        part: Part,
        until: Instant,
        states: &watch::Receiver<SyncState>,
        clock: Clock,
    ) -> Result<Finding, FailureCode> {
        let until = until.min(Instant::now() + TEST_MAX);
        let test = match part {
            Part::Reader => timeout_at(until, self.reader()).await,
            Part::Payment => timeout_at(until, self.payment()).await,
            Part::Printer => timeout_at(until, self.printer()).await,
            Part::Network => {
                let feed = states.borrow().last_feed.map(|feed| feed.issued);
                timeout_at(until, self.network(feed, clock)).await
            }
            // Only an ear can tell: a machine that is asked cannot answer.
            Part::Sound => Ok(Err(FailureCode::ServiceUnanswered)),
        };
        test.unwrap_or(Err(absent(part)))
    }

    async fn reader(&self) -> Result<Finding, FailureCode> {
        self.reader.check().await.map(|name| Finding::Reader { name })
    }

    async fn payment(&self) -> Result<Finding, FailureCode> {
        let last_receipt = self.payment.check().await.ok_or(FailureCode::PaymentAbsent)?;
        let terminal = self.payment.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Finding::Payment { terminal, last_receipt })
    }

    async fn printer(&self) -> Result<Finding, FailureCode> {
        let found = self.printer.call(Press::check).await;
        found.unwrap_or(Err(FailureCode::PrinterAbsent)).map(|name| Finding::Printer { name })
    }

    async fn network(&self, feed_issued: Option<Timestamp>, clock: Clock) -> Result<Finding, FailureCode> {
        let look = self.central.look().await.map_err(|problem| {
            tracing::info!(%problem, "central did not answer the technician's test");
            problem.failure()
        })?;
        let took_ms = u32::try_from(look.took.as_millis()).unwrap_or(u32::MAX);
        let now = clock.now().wall;
        Ok(Finding::Network {
            took_ms,
            feed_issued,
            clock_ahead_ms: look.date.map(|date| ahead_ms(now, date, took_ms)),
        })
    }
}

/// What a part lacks that does not answer.
pub(super) fn absent(part: Part) -> FailureCode {
    match part {
        Part::Reader => FailureCode::ReaderAbsent,
        Part::Payment => FailureCode::PaymentAbsent,
        Part::Printer => FailureCode::PrinterAbsent,
        Part::Network => FailureCode::CentralUnreachable,
        Part::Sound => FailureCode::ServiceUnanswered,
    }
}

/// How far this clock is ahead of central's. Central tells whole seconds, so it is half a second later than it says on
/// average, and its answer was half the exchange on its way. What remains below a second is not known.
fn ahead_ms(now: Timestamp, date: Timestamp, took_ms: u32) -> i64 {
    let ahead = now.0 - date.0 - 500 - i64::from(took_ms / 2);
    if ahead.abs() < 1_000 { 0 } else { ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_by_less_than_central_can_tell_is_right() {
        let check = |now, date, took, expected| {
            assert_eq!(ahead_ms(Timestamp(now), Timestamp(date), took), expected, "{now} {date}");
        };
        check(10_000, 10_000, 4, 0);
        check(10_999, 10_000, 4, 0);
        check(9_400, 10_000, 4, -1_102);
        check(70_500, 10_000, 0, 60_000);
        check(10_500, 70_000, 0, -60_000);
    }
}
