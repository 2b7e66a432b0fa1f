//! A payment terminal that speaks ZVT, as the trait wants it: whatever goes wrong becomes an outcome, and the line is
//! opened anew.

use super::apdu::{Apdu, control};
use super::clock::TerminalClock;
use super::conversation::{Last, unexpected};
use super::link::Link;
use super::status::{Status, terminal_before};
use crate::{
    Abort, Answered, Capture, DayEnd, Held, Outcome, PaymentTerminal, Release, Reversal, TerminalError, Unacknowledged,
};
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder, PaymentProgress, PaymentVerdict};
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
    /// By which clock it goes, where that is known: what it made before an intent of ours is not ours.
    pub clock: Option<TerminalClock>,
    /// For opening the line and for every acknowledgement.
    pub acknowledge_timeout: Duration,
    /// For the payer to pay, from the command to its outcome; then it is given up.
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
            clock: None,
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
    /// Who answers there (BMP 29), since the last registration.
    pub(super) identity: Option<String>,
    /// What it said of itself then (BMP 19).
    pub(super) status_byte: Option<u8>,
    /// The command under way, or the last one, asked for the payer's card.
    pub(super) card_wanted: bool,
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
        Self { config, link: None, identity: None, status_byte: None, card_wanted: false }
    }

    /// A new line, and the registration on it.
    pub(super) async fn open(&mut self) -> Result<(), TerminalError> {
        self.link = None;
        self.link = Some(Link::open(self.config.address, self.config.acknowledge_timeout).await?);
        let registered = self.register().await;
        if registered.is_err() {
            self.link = None;
        }
        registered
    }

    async fn ask(
        &mut self,
        command: Option<Apdu>,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        mut abort: Abort,
    ) -> Outcome {
        if self.link.is_none() {
            return Outcome::Declined(FailureCode::PaymentAbsent);
        }
        let mut aborted = false;
        let result = self.pay(command, amount, progress, &mut abort, &mut aborted).await;
        let outcome = self.broken(result, Outcome::Unknown);
        if aborted && !matches!(outcome, Outcome::Approved(_)) {
            // An acknowledgement of the abort may still be under way; it must not be taken for the next command's.
            self.link = None;
        }
        outcome
    }

    /// What the terminal's last transaction, and for a reservation its list of open ones, say of an intent.
    async fn judge(&mut self, intent: &PaymentIntent) -> Result<PaymentVerdict, TerminalError> {
        let open = match intent.order {
            PaymentOrder::PreAuthorise => self.list().await?,
            PaymentOrder::Vending | PaymentOrder::CaptureFirst => None,
        };
        let none_proves = self.config.keeps_last_receipt && intent.receipt_before == 0;
        Ok(match self.last().await? {
            Last::Transaction(status) if self.is_of_before(&status, intent) => PaymentVerdict::Unknown,
            Last::Transaction(status) => status.verdict(intent, self.currency(), open.as_deref()),
            Last::None if none_proves && self.is_where(intent) && open.is_none_or(|open| open.is_empty()) => {
                PaymentVerdict::NeverMade
            }
            Last::None | Last::NotSaid => PaymentVerdict::Unknown,
        })
    }

    /// Whether it was made before the intent although its receipt says after: somebody's own, at the terminal's menu.
    fn is_of_before(&self, status: &Status, intent: &PaymentIntent) -> bool {
        self.config.clock.as_ref().is_some_and(|clock| status.is_older(intent, clock))
    }

    /// Whether the intent was made for the terminal that answers now, or does not say.
    fn is_where(&self, intent: &PaymentIntent) -> bool {
        terminal_before(intent).is_none_or(|before| self.identity.as_deref() == Some(before))
    }
}

impl PaymentTerminal for ZvtTerminal {
    async fn connect(&mut self) -> Result<u32, TerminalError> {
        self.open().await?;
        self.last_receipt().await
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
            Ok(Some(_)) => self.say_yes().await,
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

    fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    async fn authorise(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: Abort,
    ) -> Outcome {
        self.ask(self.till().authorisation(amount, self.timing()), amount, progress, abort).await
    }

    async fn reserve(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: Abort,
    ) -> Outcome {
        self.ask(self.till().reservation(amount, self.timing()), amount, progress, abort).await
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
        let result = self.keep(token.approval()).await;
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

    async fn acknowledge(&mut self, token: Unacknowledged) -> Answered {
        let receipt = token.approval().reference.receipt;
        let result = self.keep(token.approval()).await;
        tracing::info!(receipt, done = result.is_ok(), "reservation taken");
        self.broken(result, Answered::InDoubt)
    }

    async fn outcome(&mut self, intent: &PaymentIntent) -> PaymentVerdict {
        let result = self.judge(intent).await;
        self.broken(result, PaymentVerdict::Unknown)
    }

    async fn reverse(&mut self, approval: &PaymentApproval) -> Reversal {
        let result = self.undo(approval).await;
        self.broken(result, Reversal::InDoubt)
    }

    async fn open_reservations(&mut self) -> Result<Option<Vec<u32>>, TerminalError> {
        let listed = self.list().await;
        if listed.is_err() {
            self.link = None;
        }
        listed
    }

    async fn capture(&mut self, approval: &PaymentApproval) -> Capture {
        let result = self.book(approval).await;
        tracing::info!(receipt = approval.reference.receipt, ?result, "reservation booked");
        self.broken(result, Capture::InDoubt)
    }

    async fn release(&mut self, approval: &PaymentApproval) -> Release {
        let result = self.let_go(approval).await;
        tracing::info!(receipt = approval.reference.receipt, ?result, "reservation released");
        self.broken(result, Release::InDoubt)
    }

    async fn end_of_day(&mut self) -> DayEnd {
        let result = self.close_day().await;
        tracing::info!(?result, "end of day");
        self.broken(result, DayEnd::InDoubt)
    }
}
