//! The till's side of ZVT.

use super::apdu::{Apdu, control};
use super::field::{Fields, bmp, to_bcd};
use super::link::Link;
use super::status::{self, Status};
use crate::{Abort, Answered, Held, Outcome, PaymentTerminal, Reversal, TerminalError, Unacknowledged};
use domain::device::{PaymentApproval, PaymentIntent, PaymentProgress, PaymentVerdict};
use domain::{Cents, FailureCode};
use std::net::SocketAddr;
use std::time::Duration;

/// The terminal's own menus stay locked for payments and administration, receipts are the till's and made from the
/// status information, intermediate status is sent (PA00P015, 06 00, config byte).
const CONFIG_BYTE: u8 = 0xBE;
/// No print-out, but the status information of the last transaction (PA00P015, 06 20, service byte).
const SERVICE_STATUS_ONLY: u8 = 0x03;

/// How one payment terminal is reached and how it behaves; the acquirer's profile names the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZvtConfig {
    /// Where it listens; terminals commonly use port 20007 or 22000.
    pub address: SocketAddr,
    /// The till's password, six decimal digits.
    pub password: u32,
    /// ISO 4217 number of the currency; 978 is the euro.
    pub currency: u16,
    /// Seconds the terminal waits for the answer to an outcome (BMP 01).
    pub answer_timeout_s: u8,
    /// How often it may be told to wait (84 9C); some acquirers grant three. BMP 02 is one more.
    pub waits_max: u8,
    /// Whether it takes a service byte with 06 20; some older ones refuse the command with one.
    pub repeat_receipt_service: bool,
    /// For opening the line and for every acknowledgement.
    pub acknowledge_timeout: Duration,
    /// For the payer to pay.
    pub payment_timeout: Duration,
    /// For the end of a command once no payer is involved.
    pub completion_timeout: Duration,
}

impl ZvtConfig {
    /// The usual terminal at an address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            password: 0,
            currency: 978,
            answer_timeout_s: 15,
            waits_max: 3,
            repeat_receipt_service: true,
            acknowledge_timeout: Duration::from_secs(5),
            payment_timeout: Duration::from_secs(180),
            completion_timeout: Duration::from_secs(60),
        }
    }
}

/// A payment terminal that speaks ZVT.
pub struct ZvtTerminal {
    config: ZvtConfig,
    link: Option<Link>,
}

/// What the terminal says of its last transaction.
enum Last {
    /// This.
    Transaction(Status),
    /// There is none: it refused to repeat.
    None,
    /// It ended the command without saying.
    NotSaid,
}

impl std::fmt::Debug for ZvtTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZvtTerminal").field("address", &self.config.address).finish_non_exhaustive()
    }
}

fn unexpected(message: &Apdu) -> TerminalError {
    TerminalError::Protocol(format!("unexpected {message:?}"))
}

impl ZvtTerminal {
    /// A terminal that is not connected yet.
    #[must_use]
    pub fn new(config: ZvtConfig) -> Self {
        Self { config, link: None }
    }

    fn currency(&self) -> u64 {
        u64::from(self.config.currency)
    }

    fn password(&self) -> [u8; 3] {
        to_bcd(u64::from(self.config.password)).unwrap_or([0; 3])
    }

    fn link(&mut self) -> Result<&mut Link, TerminalError> {
        self.link.as_mut().ok_or(TerminalError::Line(std::io::ErrorKind::NotConnected.into()))
    }

    /// Sends a command and waits for its acknowledgement: `Some(code)` when the terminal refused it.
    async fn command(&mut self, command: Apdu) -> Result<Option<u8>, TerminalError> {
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

    async fn acknowledge(&mut self) -> Result<(), TerminalError> {
        self.link()?.send(&Apdu::bare(control::ACK)).await
    }

    /// The next message that means something here; progress and print-outs are acknowledged on the way.
    async fn next_result(&mut self, within: Duration) -> Result<Apdu, TerminalError> {
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

    async fn register(&mut self) -> Result<(), TerminalError> {
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
    async fn last(&mut self) -> Result<Last, TerminalError> {
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

    async fn pay(
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
        Ok(Outcome::Approved(approval.clone(), Unacknowledged::new(approval, self.config.waits_max)))
    }

    /// 84 66, and on until the terminal says that it is done. With an abort (06 1E) it has reversed; a completion
    /// proves it only after a status that names the reversal.
    async fn give_back(&mut self, approval: Option<&PaymentApproval>) -> Result<Answered, TerminalError> {
        self.link()?.send(&Apdu::bare(control::NOT_ISSUED)).await?;
        let mut reversed = false;
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            if message.control == control::STATUS {
                let status = Status::parse(&message.data);
                let asks_again = approval.is_some_and(|ours| {
                    status.approval_of(ours.amount, self.currency()).is_some_and(|found| found.reference == ours.reference)
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

    async fn keep(&mut self) -> Result<Answered, TerminalError> {
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

    async fn wait_once(&mut self, token: &mut Unacknowledged) -> Result<Held, TerminalError> {
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

    async fn undo(&mut self, approval: &PaymentApproval) -> Result<Reversal, TerminalError> {
        // Some terminals reverse their last payment whatever number they are given.
        match self.last().await? {
            Last::Transaction(last) if last.reverses(approval) => return Ok(Reversal::Voided),
            Last::Transaction(last)
                if last.approval_of(approval.amount, self.currency()).is_some_and(|found| {
                    found.reference == approval.reference
                }) => {}
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
    fn broken<T>(&mut self, result: Result<T, TerminalError>, then: T) -> T {
        result.unwrap_or_else(|error| {
            tracing::warn!(%error, "payment terminal");
            self.link = None;
            then
        })
    }
}

impl PaymentTerminal for ZvtTerminal {
    async fn connect(&mut self) -> Result<u32, TerminalError> {
        self.link = None;
        self.link = Some(Link::open(self.config.address, self.config.acknowledge_timeout).await?);
        let last = match self.register().await {
            Ok(()) => self.last().await,
            Err(error) => Err(error),
        };
        match last {
            Ok(Last::Transaction(status)) => Ok(status.reference.receipt),
            Ok(Last::None | Last::NotSaid) => Ok(0),
            Err(error) => {
                self.link = None;
                Err(error)
            }
        }
    }

    async fn lost(&mut self) -> TerminalError {
        loop {
            let received = match self.link() {
                Ok(link) => link.receive().await,
                Err(error) => return error,
            };
            let error = match received {
                // Late answers mean nothing any more.
                Ok(message) if message.is_answer() => continue,
                // A terminal that asks about an old payment must not be answered from here: begin anew, and resolve.
                Ok(message) => unexpected(&message),
                Err(error) => error,
            };
            self.link = None;
            return error;
        }
    }

    async fn check(&mut self) -> Result<(), TerminalError> {
        let asked = match self.command(Apdu::bare(control::STATUS_ENQUIRY)).await {
            Ok(None) => self.next_result(self.config.completion_timeout).await.map(Some),
            // Alive, if unwilling.
            Ok(Some(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let checked = match asked {
            Ok(Some(_)) => self.acknowledge().await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if checked.is_err() {
            self.link = None;
        }
        checked
    }

    fn connected(&self) -> bool {
        self.link.is_some()
    }

    async fn authorise(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        mut abort: Abort,
    ) -> Outcome {
        if self.link.is_none() {
            return Outcome::Declined(FailureCode::PaymentAbsent);
        }
        let mut aborted = false;
        let result = self.pay(amount, progress, &mut abort, &mut aborted).await;
        let outcome = self.broken(result, Outcome::Unknown);
        if aborted && !matches!(outcome, Outcome::Approved(..)) {
            // An acknowledgement of the abort may still be under way; it must not be taken for the next command's.
            self.link = None;
        }
        outcome
    }

    async fn hold(&mut self, token: &mut Unacknowledged) -> Held {
        let result = self.wait_once(token).await;
        self.broken(result, Held::Over)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.answer_timeout_s)) * 3 / 4
    }

    async fn settle(&mut self, token: Unacknowledged) -> Answered {
        let receipt = token.approval().reference.receipt;
        let result = self.keep().await;
        tracing::info!(receipt, done = result.is_ok(), "payment settled");
        self.broken(result, Answered::InDoubt)
    }

    async fn refuse(&mut self, token: Unacknowledged) -> Answered {
        let result = self.give_back(Some(token.approval())).await;
        tracing::info!(receipt = token.approval().reference.receipt, done = result.is_ok(), "payment refused");
        self.broken(result, Answered::InDoubt)
    }

    fn abandon(&mut self, token: Unacknowledged) {
        tracing::warn!(receipt = token.approval().reference.receipt, "payment not answered");
        self.link = None;
    }

    async fn outcome(&mut self, intent: &PaymentIntent) -> PaymentVerdict {
        let currency = self.currency();
        let result = self.last().await.map(|last| match last {
            Last::Transaction(status) => status.verdict(intent, currency),
            Last::None | Last::NotSaid => PaymentVerdict::Unknown,
        });
        self.broken(result, PaymentVerdict::Unknown)
    }

    async fn reverse(&mut self, approval: &PaymentApproval) -> Reversal {
        let result = self.undo(approval).await;
        self.broken(result, Reversal::InDoubt)
    }
}
