//! A payment terminal that speaks ZVT, as the trait wants it: whatever goes wrong becomes an outcome, and the line is
//! opened anew.

use super::apdu::{Apdu, control};
use super::conversation::{Last, unexpected};
use super::link::Link;
use crate::{Abort, Answered, Held, Outcome, PaymentTerminal, Reversal, TerminalError, Unacknowledged};
use domain::device::{PaymentApproval, PaymentIntent, PaymentProgress, PaymentVerdict};
use domain::{Cents, FailureCode};
use std::net::SocketAddr;
use std::time::Duration;

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
    /// Whether it still repeats its last receipt after an end-of-day, so that having none proves that there never
    /// was one. Unless the acquirer says so, a terminal without a receipt is in doubt.
    pub keeps_last_receipt: bool,
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
            keeps_last_receipt: false,
            acknowledge_timeout: Duration::from_secs(5),
            payment_timeout: Duration::from_secs(180),
            completion_timeout: Duration::from_secs(60),
        }
    }
}

/// A payment terminal that speaks ZVT.
pub struct ZvtTerminal {
    pub(super) config: ZvtConfig,
    pub(super) link: Option<Link>,
}

impl std::fmt::Debug for ZvtTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZvtTerminal").field("address", &self.config.address).finish_non_exhaustive()
    }
}

impl ZvtTerminal {
    /// A terminal that is not connected yet.
    #[must_use]
    pub fn new(config: ZvtConfig) -> Self {
        Self { config, link: None }
    }
}

impl PaymentTerminal for ZvtTerminal {
    async fn connect(&mut self) -> Result<u32, TerminalError> {
        self.link = None;
        self.link = Some(Link::open(self.config.address, self.config.acknowledge_timeout).await?);
        match self.register().await {
            Ok(()) => self.last_receipt().await,
            Err(error) => {
                self.link = None;
                Err(error)
            }
        }
    }

    async fn last_receipt(&mut self) -> Result<u32, TerminalError> {
        match self.last().await {
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
        if aborted && !matches!(outcome, Outcome::Approved(_)) {
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
        let (currency, none_proves) = (self.currency(), self.config.keeps_last_receipt);
        let result = self.last().await.map(|last| match last {
            Last::Transaction(status) => status.verdict(intent, currency),
            Last::None if none_proves && intent.receipt_before == 0 => PaymentVerdict::NeverMade,
            Last::None | Last::NotSaid => PaymentVerdict::Unknown,
        });
        self.broken(result, PaymentVerdict::Unknown)
    }

    async fn reverse(&mut self, approval: &PaymentApproval) -> Reversal {
        let result = self.undo(approval).await;
        self.broken(result, Reversal::InDoubt)
    }
}
