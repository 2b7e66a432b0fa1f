//! What all conversations of a till with its payment terminal share: commands and their acknowledgement, the messages
//! in between, the registration, the last receipt, the end-of-day.

use super::apdu::{Apdu, control};
use super::client::ZvtTerminal;
use super::command::{Till, Timing};
use super::field::{Fields, bmp};
use super::link::Link;
use super::status::{self, ALREADY_REVERSED, Status};
use crate::{DayEnd, TerminalError};
use domain::device::PaymentProgress;
use std::time::Duration;

/// What the terminal says of its last transaction.
pub(super) enum Last {
    /// This.
    Transaction(Status),
    /// There is none: it refused to repeat.
    None,
    /// It ended the command without saying.
    NotSaid,
}

/// How a command ended that no payer takes part in.
pub(super) enum Carried {
    /// With this status: a success, or the transaction marked as reversed.
    Said(Status),
    /// Refused, with this code.
    Refused(u8),
    /// Without a word on its outcome.
    Unsaid,
}

pub(super) fn unexpected(message: &Apdu) -> TerminalError {
    TerminalError::Protocol(format!("unexpected {message:?}"))
}

impl ZvtTerminal {
    pub(super) fn currency(&self) -> u64 {
        u64::from(self.config.currency)
    }

    pub(super) fn till(&self) -> Till {
        Till { password: self.config.password, currency: self.config.currency }
    }

    pub(super) fn timing(&self) -> Timing {
        let outcomes_max = self.config.waits_max.saturating_add(1);
        Timing { answer_timeout_s: self.config.answer_timeout_s, outcomes_max }
    }

    pub(super) fn link(&mut self) -> Result<&mut Link, TerminalError> {
        self.link.as_mut().ok_or(TerminalError::Line(std::io::ErrorKind::NotConnected.into()))
    }

    pub(super) fn status(&self, message: &Apdu) -> Status {
        Status::parse(&message.data, self.identity.as_deref())
    }

    /// Sends a command and waits for its acknowledgement: `Some(code)` when the terminal refused it.
    pub(super) async fn command(&mut self, command: Apdu) -> Result<Option<u8>, TerminalError> {
        let within = self.config.acknowledge_timeout;
        let link = self.link()?;
        link.send(&command).await?;
        let answer = link.receive_within(within).await?;
        match answer.control {
            control::ACK | control::ACK_OTHER => Ok(None),
            [0x84, code] => Ok(Some(code)),
            _ => Err(unexpected(&answer)),
        }
    }

    /// 80 00.
    pub(super) async fn say_yes(&mut self) -> Result<(), TerminalError> {
        self.link()?.send(&Apdu::bare(control::ACK)).await
    }

    /// The next message that means something here; progress and print-outs are acknowledged on the way.
    pub(super) async fn next_result(&mut self, within: Duration) -> Result<Apdu, TerminalError> {
        loop {
            let message = self.link()?.receive_within(within).await?;
            match message.control {
                control::STATUS | control::COMPLETION | control::ABORTED => return Ok(message),
                control::INTERMEDIATE => {
                    self.card_wanted |= status::progress(&message.data) == PaymentProgress::PresentCard;
                    self.say_yes().await?;
                }
                control::PRINT_LINE | control::PRINT_BLOCK => self.say_yes().await?,
                _ if message.is_answer() => {}
                _ => self.link()?.send(&Apdu::bare(control::UNSUPPORTED)).await?,
            }
        }
    }

    /// 06 00, and with it the terminal's identity.
    pub(super) async fn register(&mut self) -> Result<(), TerminalError> {
        self.identity = None;
        if let Some(code) = self.command(self.till().registration()).await? {
            return Err(TerminalError::Protocol(format!("registration refused: {code:02X}")));
        }
        let end = self.next_result(self.config.completion_timeout).await?;
        self.say_yes().await?;
        if end.control != control::COMPLETION {
            return Err(unexpected(&end));
        }
        let fields = Fields::parse(&end.data);
        self.identity = status::terminal_in(&fields);
        self.status_byte = fields.get(bmp::STATUS).and_then(|value| value.first()).copied();
        tracing::info!(terminal = self.identity, status = self.status_byte, "payment terminal registered");
        Ok(())
    }

    /// 06 20. The answer may be a completion without any status: that says nothing.
    pub(super) async fn last(&mut self) -> Result<Last, TerminalError> {
        self.last_with(self.config.repeat_receipt_service).await
    }

    pub(super) async fn last_with(&mut self, service: bool) -> Result<Last, TerminalError> {
        if self.command(self.till().repeat_receipt(service)).await?.is_some() {
            return Ok(Last::NotSaid);
        }
        let mut last = Last::NotSaid;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            self.say_yes().await?;
            match message.control {
                control::STATUS => last = Last::Transaction(self.learn(&message)),
                control::COMPLETION => return Ok(last),
                _ => return Ok(Last::None),
            }
        }
    }

    /// A registration may have kept the identity to itself; the first status then tells it.
    fn learn(&mut self, message: &Apdu) -> Status {
        let status = self.status(message);
        if self.identity.is_none() && !status.reference.terminal.is_empty() {
            self.identity = Some(status.reference.terminal.clone());
        }
        status
    }

    /// Sends a command that no payer takes part in, and follows it to its end.
    pub(super) async fn carry_out(&mut self, command: Apdu) -> Result<Carried, TerminalError> {
        self.card_wanted = false;
        if let Some(code) = self.command(command).await? {
            return Ok(Carried::Refused(code));
        }
        let mut said: Option<Status> = None;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            self.say_yes().await?;
            match (message.control, said) {
                (control::STATUS, _) => said = Some(self.status(&message)),
                (control::COMPLETION, Some(Status { result: Some(code @ 1..), .. })) if code != ALREADY_REVERSED => {
                    return Ok(Carried::Refused(code));
                }
                (control::COMPLETION, Some(status)) => return Ok(Carried::Said(status)),
                (control::COMPLETION, None) => return Ok(Carried::Unsaid),
                (_, said) => {
                    let told = said.and_then(|status| status.result).filter(|code| *code != 0);
                    return Ok(Carried::Refused(told.or(message.data.first().copied()).unwrap_or(0xFF)));
                }
            }
        }
    }

    /// 06 50. Its completion is its outcome: the status before it only counts the turnover.
    pub(super) async fn close_day(&mut self) -> Result<DayEnd, TerminalError> {
        let command = self.till().end_of_day();
        Ok(match self.carry_out(command).await? {
            Carried::Said(_) | Carried::Unsaid => DayEnd::Ended,
            Carried::Refused(code) => DayEnd::Refused(status::declined(code)),
        })
    }

    /// Whatever went wrong, this conversation is over: the next one begins with a new line.
    pub(super) fn broken<T>(&mut self, result: Result<T, TerminalError>, then: T) -> T {
        result.unwrap_or_else(|error| {
            tracing::warn!(%error, "payment terminal");
            self.link = None;
            then
        })
    }
}
