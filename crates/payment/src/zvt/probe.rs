//! The conversation in single steps, for a commissioning that does on purpose what a till must never do: leave an
//! outcome unanswered, drop the line, name a wrong receipt.

use super::apdu::{Apdu, control};
use super::client::{ZvtConfig, ZvtTerminal};
use super::command::Timing;
use super::conversation::{Carried, Last};
use super::status::Status;
use crate::{Abort, Outcome, PaymentTerminal, TerminalError};
use domain::device::{PaymentApproval, PaymentIntent, PaymentProgress, PaymentReference, PaymentVerdict};
use domain::{Cents, FailureCode, Timestamp};
use std::time::Duration;

/// What a payer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approach {
    /// 06 01.
    Payment,
    /// 06 22.
    Reservation,
}

/// What the terminal says next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The same outcome again.
    Again,
    /// An outcome, but not the same.
    Other,
    /// 06 0F.
    Done,
    /// 06 1E.
    Aborted(u8),
    /// Nothing in time.
    Nothing,
    /// The line is gone.
    Lost,
}

/// How asking a payer ended.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Approved, and un-answered.
    Approved(PaymentApproval),
    /// Not approved.
    Declined(FailureCode),
    /// It cannot be told.
    Unknown,
}

/// A payment terminal under examination.
pub(crate) struct Probe(ZvtTerminal);

impl Probe {
    pub(crate) fn new(config: ZvtConfig) -> Self {
        Self(ZvtTerminal::new(config))
    }

    pub(crate) fn config(&self) -> &ZvtConfig {
        &self.0.config
    }

    /// Whether 06 20 is asked with a service byte from now on.
    pub(crate) fn repeat_with_service(&mut self, service: bool) {
        self.0.config.repeat_receipt_service = service;
    }

    /// 06 00 on a new line.
    pub(crate) async fn open(&mut self) -> Result<(), TerminalError> {
        self.0.open().await
    }

    pub(crate) fn close(&mut self) {
        self.0.link = None;
    }

    pub(crate) fn identity(&self) -> Option<&str> {
        self.0.identity()
    }

    /// What the registration said of the terminal (BMP 19).
    pub(crate) fn status_byte(&self) -> Option<u8> {
        self.0.status_byte
    }

    /// The command carried out last asked for the payer's card.
    pub(crate) fn wanted_card(&self) -> bool {
        self.0.card_wanted
    }

    /// 05 01.
    pub(crate) async fn enquire(&mut self) -> Result<(), TerminalError> {
        self.0.check().await
    }

    /// 06 20: the last transaction's numbers and its result code; `None` when it tells none.
    pub(crate) async fn last(&mut self, service: bool) -> Result<Option<(PaymentReference, u8)>, TerminalError> {
        Ok(match self.0.last_with(service).await? {
            Last::Transaction(Status { reference, result, .. }) => Some((reference, result.unwrap_or(0xFF))),
            Last::None | Last::NotSaid => None,
        })
    }

    /// Milliseconds from now to when the last transaction was made, by the terminal's clock: `None` when it does not
    /// say, or nobody said where that clock stands.
    pub(crate) async fn last_ahead_ms(&mut self) -> Result<Option<i64>, TerminalError> {
        let (last, now) = (self.0.last().await?, Timestamp(jiff::Timestamp::now().as_millisecond()));
        Ok(match (last, &self.0.config.clock) {
            (Last::Transaction(status), Some(clock)) => status.made.and_then(|made| clock.ahead_ms(made, now)),
            _ => None,
        })
    }

    /// Asks a payer, up to an approval that is not answered.
    pub(crate) async fn ask(
        &mut self,
        approach: Approach,
        amount: Cents,
        timing: Timing,
        progress: impl Fn(PaymentProgress) + Send + Sync,
    ) -> Result<Asked, TerminalError> {
        let command = match approach {
            Approach::Payment => self.0.till().authorisation(amount, timing),
            Approach::Reservation => self.0.till().reservation(amount, timing),
        };
        // Nobody gives up here.
        let (_raise, mut abort) = Abort::new();
        Ok(match self.0.pay(command, amount, progress, &mut abort, &mut false).await? {
            Outcome::Approved(token) => Asked::Approved(token.approval().clone()),
            Outcome::Declined(code) => Asked::Declined(code),
            Outcome::Unknown => Asked::Unknown,
        })
    }

    /// 84 9C.
    pub(crate) async fn wait(&mut self) -> Result<(), TerminalError> {
        self.0.link()?.send(&Apdu::bare(control::WAIT)).await
    }

    /// What comes next, within so long. An ending is acknowledged; an outcome is not.
    pub(crate) async fn hear(&mut self, ours: &PaymentApproval, within: Duration) -> Heard {
        let message = match self.0.next_result(within).await {
            Ok(message) => message,
            Err(TerminalError::Silent(_)) => return Heard::Nothing,
            Err(_) => return Heard::Lost,
        };
        match message.control {
            control::STATUS if self.0.repeats(&message, ours) => Heard::Again,
            control::STATUS => Heard::Other,
            ending => {
                // Nobody reads whether it arrived; the next command would tell.
                let _ = self.0.say_yes().await;
                if ending == control::COMPLETION {
                    return Heard::Done;
                }
                Heard::Aborted(message.data.first().copied().unwrap_or(0xFF))
            }
        }
    }

    /// 80 00 until the terminal is done.
    pub(crate) async fn keep(&mut self, ours: &PaymentApproval) -> Result<bool, TerminalError> {
        Ok(self.0.keep(ours).await? == crate::Answered::Done)
    }

    /// 84 66 until the terminal is done.
    pub(crate) async fn give_back(&mut self, ours: &PaymentApproval) -> Result<bool, TerminalError> {
        Ok(self.0.give_back(Some(ours)).await? == crate::Answered::Done)
    }

    /// 06 30 with this receipt, whatever was last: the code when the terminal refused it.
    pub(crate) async fn reverse(&mut self, receipt: u32) -> Result<Option<u8>, TerminalError> {
        let Some(command) = self.0.till().reversal(receipt) else { return Ok(Some(0xFF)) };
        Ok(match self.0.carry_out(command).await? {
            Carried::Refused(code) => Some(code),
            Carried::Said(_) | Carried::Unsaid => None,
        })
    }

    /// 06 23 with an amount: the amount that the terminal then tells of; `None` when it refused.
    pub(crate) async fn reverse_part(
        &mut self,
        approval: &PaymentApproval,
        part: Cents,
    ) -> Result<Option<Cents>, TerminalError> {
        let Some(command) = self.0.till().partial_reversal(approval, part) else { return Ok(None) };
        Ok(match self.0.carry_out(command).await? {
            Carried::Said(status) => status.moved(),
            Carried::Refused(_) | Carried::Unsaid => None,
        })
    }

    pub(crate) async fn outcome(&mut self, intent: &PaymentIntent) -> PaymentVerdict {
        self.0.outcome(intent).await
    }

    /// The terminal as a till has it, for what a till does too.
    pub(crate) fn till(&mut self) -> &mut ZvtTerminal {
        &mut self.0
    }
}
