//! What any bank-card terminal must be able to do. ZVT's "last receipt" is the weak case of [`PaymentTerminal::outcome`];
//! a terminal with real references (nexo, an acquirer's REST interface with idempotency keys) implements the same trait.

use domain::device::{PaymentApproval, PaymentIntent, PaymentProgress, PaymentVerdict};
use domain::{Cents, FailureCode};
use std::future::Future;
use tokio::sync::watch;

/// A terminal that cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// The line could not be opened, or broke.
    #[error("the line: {0}")]
    Line(#[from] std::io::Error),
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    Silent(std::time::Duration),
    /// It refused to register or sent what the protocol does not allow here.
    #[error("protocol: {0}")]
    Protocol(String),
}

/// How a payment that was asked for came out.
#[derive(Debug)]
pub enum Outcome {
    /// The acquirer approved exactly what was asked, and the terminal waits for an answer.
    Approved(Unacknowledged),
    /// Nothing was paid, for certain.
    Declined(FailureCode),
    /// It cannot be told; ask [`PaymentTerminal::outcome`] before any new payment.
    Unknown,
}

/// An approved payment that was not answered yet. It can be answered once: settling and refusing consume it.
#[derive(Debug)]
#[must_use = "the payment terminal waits for an answer: settle or refuse"]
pub struct Unacknowledged {
    approval: PaymentApproval,
    waits_left: u8,
}

impl Unacknowledged {
    /// A terminal's implementation hands it out with an approval; `waits` is how often it may be told to wait.
    pub fn new(approval: PaymentApproval, waits: u8) -> Self {
        Self { approval, waits_left: waits }
    }

    /// What was approved.
    #[must_use]
    pub fn approval(&self) -> &PaymentApproval {
        &self.approval
    }

    /// How often the terminal may still be told to wait.
    #[must_use]
    pub fn waits_left(&self) -> u8 {
        self.waits_left
    }

    /// Counts one wait; `false` when none is left.
    #[must_use]
    pub fn take_wait(&mut self) -> bool {
        match self.waits_left.checked_sub(1) {
            Some(left) => {
                self.waits_left = left;
                true
            }
            None => false,
        }
    }
}

/// What became of asking the terminal to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It waits again for an answer.
    Waiting,
    /// No wait is left; it still waits for an answer, for the last time.
    LastTime,
    /// It waits no longer: the payment may be kept or reversed.
    Over,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The terminal confirmed that it did as told.
    Done,
    /// It may not have heard.
    InDoubt,
}

/// What became of a reversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversal {
    /// The payment is undone, now or before.
    Voided,
    /// The terminal refused, or the payment is no longer its last one: it stands.
    Stands,
    /// The terminal cannot tell whether the payment to be reversed is its last: nothing was tried.
    NotTried,
    /// The line broke meanwhile.
    InDoubt,
}

/// What became of booking a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// The whole amount is charged, now or before.
    Booked,
    /// Not booked, for certain: the reservation stands, and may be booked later.
    Failed(FailureCode),
    /// It may be booked; ask [`PaymentTerminal::outcome`].
    InDoubt,
}

/// What became of releasing a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Nothing is held any more, now or before.
    Released,
    /// It was booked before: the money is charged.
    Booked,
    /// The terminal refused: the reservation stands.
    Stands,
    /// It cannot be told how the reservation stands: nothing was tried.
    NotTried,
    /// It may be released.
    InDoubt,
}

/// What became of an end-of-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayEnd {
    /// The turnover is with the host.
    Ended,
    /// The terminal refused.
    Refused(FailureCode),
    /// The answer was lost.
    InDoubt,
}

/// Rises when the citizen gives up before paying.
#[derive(Debug, Clone)]
pub struct Abort(watch::Receiver<bool>);

impl Abort {
    /// The signal, and the sender that raises it with `true`.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits until it is raised; for ever when it can no longer be. Safe to drop and wait for again.
    pub async fn raised(&mut self) {
        if self.0.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A bank-card terminal. One owner; one call at a time.
pub trait PaymentTerminal: Send {
    /// Opens the line and registers; gives the newest receipt number the terminal knows, 0 when it knows none.
    fn connect(&mut self) -> impl Future<Output = Result<u32, TerminalError>> + Send;

    /// The newest receipt number the terminal knows, 0 when it knows none: what the next intent must remember.
    fn last_receipt(&mut self) -> impl Future<Output = Result<u32, TerminalError>> + Send;

    /// Waits, between payments, until the line is lost. Safe to drop and call again.
    fn lost(&mut self) -> impl Future<Output = TerminalError> + Send;

    /// Asks, between payments, whether the terminal is still there: a line can be dead without being closed.
    fn check(&mut self) -> impl Future<Output = Result<(), TerminalError>> + Send;

    /// Whether the line is open, as far as is known.
    fn connected(&self) -> bool;

    /// The identity of the terminal that answers, once it has told it: another one there knows nothing of what was
    /// asked before.
    fn identity(&self) -> Option<&str>;

    /// Asks for an amount (euro cents). Nothing may be built on `Approved` before it is journalled.
    fn authorise(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: Abort,
    ) -> impl Future<Output = Outcome> + Send;

    /// Asks to hold an amount (euro cents) on the payer's card. Nothing may be built on `Approved` before it is
    /// journalled; then it is acknowledged.
    fn reserve(
        &mut self,
        amount: Cents,
        progress: impl Fn(PaymentProgress) + Send + Sync,
        abort: Abort,
    ) -> impl Future<Output = Outcome> + Send;

    /// Asks an approved payment's terminal to wait.
    fn hold(&mut self, token: &mut Unacknowledged) -> impl Future<Output = Held> + Send;

    /// How long an answer may be thought about before the terminal must be asked to wait.
    fn patience(&self) -> std::time::Duration;

    /// Keeps the money: only when the credit's outcome is durable.
    fn settle(&mut self, token: Unacknowledged) -> impl Future<Output = Answered> + Send;

    /// Takes a reservation: only when its approval is durable.
    fn acknowledge(&mut self, token: Unacknowledged) -> impl Future<Output = Answered> + Send;

    /// Gives the money back: only when proven not credited, and that durable.
    fn refuse(&mut self, token: Unacknowledged) -> impl Future<Output = Answered> + Send;

    /// Gives up answering: closes the line, so that nothing said later is taken for an answer.
    fn abandon(&mut self, token: Unacknowledged);

    /// Finds out what became of a payment or a reservation. What cannot be proven is `Unknown`.
    fn outcome(&mut self, intent: &PaymentIntent) -> impl Future<Output = PaymentVerdict> + Send;

    /// Reverses a kept payment, only if it is the terminal's last.
    fn reverse(&mut self, approval: &PaymentApproval) -> impl Future<Output = Reversal> + Send;

    /// The receipt numbers of the reservations that are neither booked nor released; `None` when the terminal does
    /// not list them.
    fn open_reservations(&mut self) -> impl Future<Output = Result<Option<Vec<u32>>, TerminalError>> + Send;

    /// Charges a reserved amount in full. Asking twice charges once.
    fn capture(&mut self, approval: &PaymentApproval) -> impl Future<Output = Capture> + Send;

    /// Holds a reserved amount no longer. Asking twice releases once.
    fn release(&mut self, approval: &PaymentApproval) -> impl Future<Output = Release> + Send;

    /// Hands the turnover to the acquirer: never while an approval waits for its answer.
    fn end_of_day(&mut self) -> impl Future<Output = DayEnd> + Send;
}
