//! A payment or a reservation while its payer stands there: asking (06 01, 06 22), holding the approval, answering it,
//! and reversing a payment that was kept (06 30).

use super::apdu::{Apdu, control};
use super::client::ZvtTerminal;
use super::conversation::{Carried, Last};
use super::status::{self, ALREADY_REVERSED, Status};
use crate::{Abort, Answered, Held, Outcome, Reversal, TerminalError, Unacknowledged};
use domain::device::{PaymentApproval, PaymentProgress};
use domain::{Cents, FailureCode};
use tokio::time::{Instant, sleep_until};

impl ZvtTerminal {
    /// Asks with `command`, until the outcome is there or certain not to come. `aborted` is raised when the payment was
    /// given up, by the payer or because the payer took too long.
    pub(super) async fn pay(
        &mut self,
        command: Option<Apdu>,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: &mut Abort,
        aborted: &mut bool,
    ) -> Result<Outcome, TerminalError> {
        let Some(command) = command else {
            return Ok(Outcome::Declined(FailureCode::PaymentMismatch));
        };
        if let Some(code) = self.command(command).await? {
            return Ok(Outcome::Declined(status::declined(code)));
        }
        let mut until = Instant::now() + self.config.payment_timeout;
        let mut refusal = None;
        loop {
            let message = self.next_of_payment(abort, aborted, &mut until).await?;
            match message.control {
                control::INTERMEDIATE => {
                    self.say_yes().await?;
                    progress(status::progress(&message.data));
                }
                control::STATUS => {
                    let status = self.status(&message);
                    if status.result == Some(0) {
                        return self.approved(&status, amount).await;
                    }
                    self.say_yes().await?;
                    refusal = status.result.map(status::declined);
                }
                control::ABORTED => {
                    self.say_yes().await?;
                    let code = message.data.first().copied().unwrap_or(0xFF);
                    return Ok(Outcome::Declined(refusal.unwrap_or_else(|| status::declined(code))));
                }
                // Without an outcome before it a completion says nothing: in doubt, never "unpaid".
                control::COMPLETION => {
                    self.say_yes().await?;
                    return Ok(refusal.map_or(Outcome::Unknown, Outcome::Declined));
                }
                control::PRINT_LINE | control::PRINT_BLOCK => self.say_yes().await?,
                _ if message.is_answer() => {}
                _ => self.link()?.send(&Apdu::bare(control::UNSUPPORTED)).await?,
            }
        }
    }

    /// The next message; an abort by the citizen is passed on once meanwhile. A payment that has no end at `until` is
    /// given up as well, and when nothing comes of that either it is left.
    async fn next_of_payment(
        &mut self,
        abort: &mut Abort,
        aborted: &mut bool,
        until: &mut Instant,
    ) -> Result<Apdu, TerminalError> {
        let (within, grace) = (self.config.payment_timeout, self.config.completion_timeout);
        let link = self.link()?;
        loop {
            tokio::select! {
                message = link.receive() => return message,
                () = abort.raised(), if !*aborted => {}
                () = sleep_until(*until) => {
                    if *aborted {
                        return Err(TerminalError::Silent(within));
                    }
                    *until += grace;
                }
            }
            *aborted = true;
            link.send(&Apdu::bare(control::ABORT)).await?;
        }
    }

    async fn approved(&mut self, status: &Status, amount: Cents) -> Result<Outcome, TerminalError> {
        let Some(approval) = status.approval_of(amount, self.currency()) else {
            tracing::error!("the payment terminal approved something else than was asked");
            let done = self.give_back(None).await? == Answered::Done;
            return Ok(if done { Outcome::Declined(FailureCode::PaymentMismatch) } else { Outcome::Unknown });
        };
        Ok(Outcome::Approved(Unacknowledged::new(approval, self.config.waits_max)))
    }

    /// Whether it is the outcome that waits for our answer, once more.
    pub(super) fn repeats(&self, message: &Apdu, ours: &PaymentApproval) -> bool {
        message.control == control::STATUS && self.status(message).is(ours, self.currency())
    }

    /// 84 66, and on until the terminal says that it is done. With an abort (06 1E) it has reversed; a completion
    /// proves it only after a status that names the reversal.
    pub(super) async fn give_back(&mut self, approval: Option<&PaymentApproval>) -> Result<Answered, TerminalError> {
        self.link()?.send(&Apdu::bare(control::NOT_ISSUED)).await?;
        let mut reversed = false;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            if approval.is_some_and(|ours| self.repeats(&message, ours)) {
                self.link()?.send(&Apdu::bare(control::NOT_ISSUED)).await?;
                continue;
            }
            if message.control == control::STATUS {
                let status = self.status(&message);
                reversed |= approval.is_some_and(|ours| status.reverses(ours));
            }
            self.say_yes().await?;
            match message.control {
                control::ABORTED => return Ok(Answered::Done),
                control::COMPLETION if reversed => return Ok(Answered::Done),
                control::COMPLETION => return Ok(Answered::InDoubt),
                _ => {}
            }
        }
    }

    /// 80 00, and on until the terminal says that it is done. It is done as told only when it has said nothing else of
    /// the payment meanwhile.
    pub(super) async fn keep(&mut self, approval: &PaymentApproval) -> Result<Answered, TerminalError> {
        let mut otherwise = false;
        loop {
            self.say_yes().await?;
            let message = self.next_result(self.config.completion_timeout).await?;
            match message.control {
                control::COMPLETION => {
                    // The answer was taken already; a lost last acknowledgement changes nothing.
                    let last = self.say_yes().await;
                    if last.is_err() {
                        self.link = None;
                    }
                    return Ok(if otherwise { Answered::InDoubt } else { Answered::Done });
                }
                control::ABORTED => {
                    self.say_yes().await?;
                    return Ok(Answered::InDoubt);
                }
                // Said once more, it did not hear: say it again.
                _ => otherwise |= !self.repeats(&message, approval),
            }
        }
    }

    /// 84 9C, and on until the outcome is said again.
    pub(super) async fn wait_once(&mut self, token: &mut Unacknowledged) -> Result<Held, TerminalError> {
        if !token.take_wait() {
            return Ok(Held::LastTime);
        }
        self.link()?.send(&Apdu::bare(control::WAIT)).await?;
        let message = self.next_result(self.config.completion_timeout).await?;
        if !self.repeats(&message, token.approval()) {
            self.link = None;
            return Ok(Held::Over);
        }
        Ok(if token.waits_left() == 0 { Held::LastTime } else { Held::Waiting })
    }

    /// 06 30, only while the payment is the terminal's last: some reverse their last one whatever number they are
    /// given.
    pub(super) async fn undo(&mut self, approval: &PaymentApproval) -> Result<Reversal, TerminalError> {
        if self.is_elsewhere(approval) {
            return Ok(Reversal::NotTried);
        }
        let currency = self.currency();
        let last = match self.last().await? {
            Last::Transaction(last) if last.reverses(approval) => return Ok(Reversal::Voided),
            Last::Transaction(last) if last.is(approval, currency) || last.books(approval, currency) => last,
            Last::Transaction(_) | Last::None => return Ok(Reversal::Stands),
            Last::NotSaid => return Ok(Reversal::NotTried),
        };
        // The payment itself, or the booking of what was reserved, under the booking's own numbers.
        let target = PaymentApproval { reference: last.reference, ..approval.clone() };
        let Some(command) = self.till().reversal(target.reference.receipt) else {
            return Ok(Reversal::NotTried);
        };
        Ok(match self.carry_out(command).await? {
            Carried::Said(status) if status.reverses(&target) => Reversal::Voided,
            // Refused as reversed before, against what 06 20 has just told: nobody knows.
            Carried::Said(_) | Carried::Unsaid | Carried::Refused(ALREADY_REVERSED) => Reversal::InDoubt,
            Carried::Refused(_) => Reversal::Stands,
        })
    }

    /// What was approved, was approved by another terminal than this one.
    pub(super) fn is_elsewhere(&self, approval: &PaymentApproval) -> bool {
        self.identity.as_ref().is_some_and(|here| *here != approval.reference.terminal)
    }
}
