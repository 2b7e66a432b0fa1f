//! The conversations of a till with its payment terminal, each up to its end or its first mistake.

use super::apdu::{Apdu, control};
use super::client::ZvtTerminal;
use super::field::{Fields, bmp, to_bcd};
use super::link::Link;
use super::status::{self, Status};
use crate::{Abort, Answered, Held, Outcome, Reversal, TerminalError, Unacknowledged};
use domain::device::{PaymentApproval, PaymentProgress};
use domain::{Cents, FailureCode};
use std::time::Duration;

/// The terminal's own menus stay locked for payments and administration, receipts are the till's and made from the
/// status information, intermediate status is sent (PA00P015, 06 00, config byte).
const CONFIG_BYTE: u8 = 0xBE;
/// No print-out, but the status information of the last transaction (PA00P015, 06 20, service byte).
const SERVICE_STATUS_ONLY: u8 = 0x03;

/// What the terminal says of its last transaction.
pub(super) enum Last {
    /// This.
    Transaction(Status),
    /// There is none: it refused to repeat.
    None,
    /// It ended the command without saying.
    NotSaid,
}

pub(super) fn unexpected(message: &Apdu) -> TerminalError {
    TerminalError::Protocol(format!("unexpected {message:?}"))
}

impl ZvtTerminal {
    pub(super) fn currency(&self) -> u64 {
        u64::from(self.config.currency)
    }

    fn password(&self) -> [u8; 3] {
        to_bcd(u64::from(self.config.password)).unwrap_or([0; 3])
    }

    pub(super) fn link(&mut self) -> Result<&mut Link, TerminalError> {
        self.link.as_mut().ok_or(TerminalError::Line(std::io::ErrorKind::NotConnected.into()))
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

    pub(super) async fn acknowledge(&mut self) -> Result<(), TerminalError> {
        self.link()?.send(&Apdu::bare(control::ACK)).await
    }

    /// The next message that means something here; progress and print-outs are acknowledged on the way.
    pub(super) async fn next_result(&mut self, within: Duration) -> Result<Apdu, TerminalError> {
        loop {
            let message = self.link()?.receive_within(within).await?;
            match message.control {
                control::STATUS | control::COMPLETION | control::ABORTED => return Ok(message),
                control::INTERMEDIATE | control::PRINT_LINE | control::PRINT_BLOCK => self.acknowledge().await?,
                _ if message.is_answer() => {}
                _ => self.link()?.send(&Apdu::bare(control::UNSUPPORTED)).await?,
            }
        }
    }

    pub(super) async fn register(&mut self) -> Result<(), TerminalError> {
        let currency = to_bcd::<2>(self.currency()).unwrap_or([0x09, 0x78]);
        let data = [&self.password()[..], &[CONFIG_BYTE], &currency].concat();
        if let Some(code) = self.command(Apdu::new(control::REGISTRATION, data)).await? {
            return Err(TerminalError::Protocol(format!("registration refused: {code:02X}")));
        }
        let end = self.next_result(self.config.completion_timeout).await?;
        self.acknowledge().await?;
        match end.control {
            control::COMPLETION => {
                tracing::info!(terminal = status::terminal_of(&end.data), "payment terminal registered");
                Ok(())
            }
            _ => Err(unexpected(&end)),
        }
    }

    /// 06 20. The answer may be a completion without any status: that says nothing.
    pub(super) async fn last(&mut self) -> Result<Last, TerminalError> {
        let mut data = self.password().to_vec();
        if self.config.repeat_receipt_service {
            data.extend([bmp::SERVICE, SERVICE_STATUS_ONLY]);
        }
        if self.command(Apdu::new(control::REPEAT_RECEIPT, data)).await?.is_some() {
            return Ok(Last::NotSaid);
        }
        let mut last = Last::NotSaid;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            self.acknowledge().await?;
            match message.control {
                control::STATUS => last = Last::Transaction(Status::parse(&message.data)),
                control::COMPLETION => return Ok(last),
                _ => return Ok(Last::None),
            }
        }
    }

    fn authorisation(&self, amount: Cents) -> Option<Apdu> {
        let amount = to_bcd::<6>(u64::try_from(amount.0).ok()?)?;
        let fields = Fields::default()
            .with(bmp::AMOUNT, &amount)
            .with(bmp::CURRENCY, &to_bcd::<2>(self.currency())?)
            .with(bmp::TIMEOUT, &[self.config.answer_timeout_s])
            .with(bmp::STATUS_MAX, &[self.config.waits_max.saturating_add(1)]);
        Some(Apdu::new(control::AUTHORISATION, fields.encode()))
    }

    pub(super) async fn pay(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: &mut Abort,
        aborted: &mut bool,
    ) -> Result<Outcome, TerminalError> {
        let Some(command) = self.authorisation(amount) else {
            return Ok(Outcome::Declined(FailureCode::PaymentMismatch));
        };
        if let Some(code) = self.command(command).await? {
            return Ok(Outcome::Declined(status::declined(code)));
        }
        let mut refusal = None;
        loop {
            let message = self.next_of_payment(abort, aborted).await?;
            match message.control {
                control::INTERMEDIATE => {
                    self.acknowledge().await?;
                    progress(status::progress(&message.data));
                }
                control::STATUS => {
                    let status = Status::parse(&message.data);
                    if status.result == Some(0) {
                        return self.approved(&status, amount).await;
                    }
                    self.acknowledge().await?;
                    refusal = status.result.map(status::declined);
                }
                control::ABORTED => {
                    self.acknowledge().await?;
                    let code = message.data.first().copied().unwrap_or(0xFF);
                    return Ok(Outcome::Declined(refusal.unwrap_or_else(|| status::declined(code))));
                }
                // Without an outcome before it a completion says nothing: in doubt, never "unpaid".
                control::COMPLETION => {
                    self.acknowledge().await?;
                    return Ok(refusal.map_or(Outcome::Unknown, Outcome::Declined));
                }
                control::PRINT_LINE | control::PRINT_BLOCK => self.acknowledge().await?,
                _ if message.is_answer() => {}
                _ => self.link()?.send(&Apdu::bare(control::UNSUPPORTED)).await?,
            }
        }
    }

    /// The next message; an abort by the citizen is passed on once meanwhile.
    async fn next_of_payment(&mut self, abort: &mut Abort, aborted: &mut bool) -> Result<Apdu, TerminalError> {
        let within = self.config.payment_timeout;
        let link = self.link()?;
        loop {
            tokio::select! {
                message = link.receive_within(within) => return message,
                () = abort.raised(), if !*aborted => {
                    *aborted = true;
                    link.send(&Apdu::bare(control::ABORT)).await?;
                }
            }
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

    /// 84 66, and on until the terminal says that it is done. With an abort (06 1E) it has reversed; a completion
    /// proves it only after a status that names the reversal.
    pub(super) async fn give_back(&mut self, approval: Option<&PaymentApproval>) -> Result<Answered, TerminalError> {
        self.link()?.send(&Apdu::bare(control::NOT_ISSUED)).await?;
        let mut reversed = false;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            if message.control == control::STATUS {
                let status = Status::parse(&message.data);
                let asks_again = approval.is_some_and(|ours| {
                    status
                        .approval_of(ours.amount, self.currency())
                        .is_some_and(|found| found.reference == ours.reference)
                });
                if asks_again {
                    self.link()?.send(&Apdu::bare(control::NOT_ISSUED)).await?;
                    continue;
                }
                reversed |= approval.is_some_and(|ours| status.reverses(ours));
            }
            self.acknowledge().await?;
            match message.control {
                control::ABORTED => return Ok(Answered::Done),
                control::COMPLETION if reversed => return Ok(Answered::Done),
                control::COMPLETION => return Ok(Answered::InDoubt),
                _ => {}
            }
        }
    }

    pub(super) async fn keep(&mut self) -> Result<Answered, TerminalError> {
        loop {
            self.acknowledge().await?;
            match self.next_result(self.config.completion_timeout).await?.control {
                control::COMPLETION => {
                    // The money is kept already; a lost last acknowledgement changes nothing.
                    let last = self.acknowledge().await;
                    if last.is_err() {
                        self.link = None;
                    }
                    return Ok(Answered::Done);
                }
                control::ABORTED => {
                    self.acknowledge().await?;
                    return Ok(Answered::InDoubt);
                }
                // It asks once more: it did not hear. Say it again.
                _ => {}
            }
        }
    }

    pub(super) async fn wait_once(&mut self, token: &mut Unacknowledged) -> Result<Held, TerminalError> {
        if !token.take_wait() {
            return Ok(Held::LastTime);
        }
        self.link()?.send(&Apdu::bare(control::WAIT)).await?;
        let message = self.next_result(self.config.completion_timeout).await?;
        let ours = token.approval();
        let again = message.control == control::STATUS
            && Status::parse(&message.data)
                .approval_of(ours.amount, self.currency())
                .is_some_and(|found| found.reference == ours.reference);
        if !again {
            self.link = None;
            return Ok(Held::Over);
        }
        Ok(if token.waits_left() == 0 { Held::LastTime } else { Held::Waiting })
    }

    pub(super) async fn undo(&mut self, approval: &PaymentApproval) -> Result<Reversal, TerminalError> {
        // Some terminals reverse their last payment whatever number they are given.
        match self.last().await? {
            Last::Transaction(last) if last.reverses(approval) => return Ok(Reversal::Voided),
            Last::Transaction(last)
                if last
                    .approval_of(approval.amount, self.currency())
                    .is_some_and(|found| found.reference == approval.reference) => {}
            Last::Transaction(_) | Last::None => return Ok(Reversal::Stands),
            Last::NotSaid => return Ok(Reversal::NotTried),
        }
        let Some(receipt) = to_bcd::<2>(u64::from(approval.reference.receipt)) else {
            return Ok(Reversal::NotTried);
        };
        let data = [&self.password()[..], &Fields::default().with(bmp::RECEIPT, &receipt).encode()].concat();
        if self.command(Apdu::new(control::REVERSAL, data)).await?.is_some() {
            return Ok(Reversal::Stands);
        }
        let mut voided = false;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            self.acknowledge().await?;
            match message.control {
                control::STATUS => voided = Status::parse(&message.data).reverses(approval),
                control::COMPLETION if voided => return Ok(Reversal::Voided),
                control::COMPLETION => return Ok(Reversal::InDoubt),
                _ => return Ok(Reversal::Stands),
            }
        }
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
