//! One payment terminal and its owner: requests in, events out, and between them the line, which comes and goes. The
//! desk decides nothing about money. It holds an approved payment un-acknowledged until it is told to settle or to
//! refuse; when no wait is left and nobody has decided, it lets go and says that the answer is in doubt. What it has
//! left unknown it wants to be asked about before it takes another payment or ends the day.

mod payer;

use crate::{Capture, DayEnd, PaymentTerminal, Release, Reversal, TerminalError};
use domain::device::{PaymentApproval, PaymentEvent, PaymentIntent, PaymentRequest, PaymentVerdict};
use domain::{FailureCode, TopUpId};
use payer::Asked;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

/// Between attempts to connect: from the first to the last, doubling.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];
/// Between checks of an idle line.
const CHECK_EVERY: Duration = Duration::from_secs(20);

/// A technician's question whether the terminal answers; moves no money. The answer is the newest receipt number it
/// knows (0 when it knows none), or `None` when it does not answer. It waits while a payment is under way.
pub type Check = oneshot::Sender<Option<u32>>;

/// Runs a payment terminal until nobody can send requests any more. `emit` takes the events and must not block.
pub async fn drive<T: PaymentTerminal>(
    terminal: T,
    requests: Receiver<PaymentRequest>,
    emit: impl Fn(PaymentEvent) + Send + Sync,
) {
    // Nobody will ask.
    let (_, checks) = channel(1);
    drive_with_checks(terminal, requests, checks, emit).await;
}

/// As `drive`, with checks beside the requests. A check ends the wait for the next attempt to connect.
pub async fn drive_with_checks<T: PaymentTerminal>(
    terminal: T,
    requests: Receiver<PaymentRequest>,
    checks: Receiver<Check>,
    emit: impl Fn(PaymentEvent) + Send + Sync,
) {
    let (asked, waiting) = (Vec::new(), VecDeque::new());
    let mut desk = Desk { terminal, requests, checks, asked, waiting, undecided: None, told: None, emit };
    let mut retry = RETRY[0];
    loop {
        let began = Instant::now();
        let connected = desk.terminal.connect().await;
        desk.answer_checks(connected.as_ref().ok().copied());
        match connected {
            Ok(last_receipt) => {
                desk.ready(last_receipt);
                if desk.serve().await.is_break() {
                    return;
                }
                (desk.emit)(PaymentEvent::Gone);
                // Perhaps only for a moment: what is asked meanwhile waits for the new line.
                sleep_until(began + RETRY[0]).await;
                retry = RETRY[0];
            }
            Err(error) => {
                tracing::warn!(%error, "payment terminal not reachable");
                (desk.emit)(PaymentEvent::Gone);
                if desk.refuse_until(Instant::now() + retry).await.is_break() {
                    return;
                }
                retry = (retry * 2).min(RETRY[1]);
            }
        }
    }
}

struct Desk<T, E> {
    terminal: T,
    requests: Receiver<PaymentRequest>,
    checks: Receiver<Check>,
    /// Checks that wait for the next attempt to connect.
    asked: Vec<Check>,
    /// Requests that came while a payment was under way.
    waiting: VecDeque<PaymentRequest>,
    /// What this desk has left unknown, and nobody has asked about since.
    undecided: Option<TopUpId>,
    /// The receipt number last said with `Ready`.
    told: Option<u32>,
    emit: E,
}

impl<T: PaymentTerminal, E: Fn(PaymentEvent) + Send + Sync> Desk<T, E> {
    /// Serves requests until the line is lost (`Continue`) or nobody can send any (`Break`).
    async fn serve(&mut self) -> ControlFlow<()> {
        loop {
            if !self.terminal.connected() {
                return ControlFlow::Continue(());
            }
            if let Some(request) = self.waiting.pop_front() {
                self.carry_out(request).await;
                continue;
            }
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.carry_out(request).await,
                    None => return ControlFlow::Break(()),
                },
                Some(check) = self.checks.recv() => self.check(check).await,
                error = self.terminal.lost() => {
                    tracing::warn!(%error, "payment terminal gone");
                    return ControlFlow::Continue(());
                }
                () = sleep(CHECK_EVERY) => {
                    if let Err(error) = self.look_again().await {
                        tracing::warn!(%error, "payment terminal does not answer");
                        return ControlFlow::Continue(());
                    }
                }
            }
        }
    }

    /// Answers requests while there is no line; a check ends that, and is answered by the attempt it causes.
    async fn refuse_until(&mut self, end: Instant) -> ControlFlow<()> {
        loop {
            if let Some(request) = self.waiting.pop_front() {
                self.without_line(&request);
                continue;
            }
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.without_line(&request),
                    None => return ControlFlow::Break(()),
                },
                Some(check) = self.checks.recv() => {
                    self.asked.push(check);
                    return ControlFlow::Continue(());
                }
                () = sleep_until(end) => return ControlFlow::Continue(()),
            }
        }
    }

    /// The sign of life of an idle line; and whether somebody has used the terminal's own menu meanwhile, so that the
    /// next intent names the receipt that really was before it.
    async fn look_again(&mut self) -> Result<(), TerminalError> {
        self.terminal.check().await?;
        let last_receipt = self.terminal.last_receipt().await?;
        self.seen(last_receipt);
        Ok(())
    }

    fn seen(&mut self, last_receipt: u32) {
        if self.told != Some(last_receipt) {
            self.ready(last_receipt);
        }
    }

    /// Asks the terminal; when the line turns out dead, the next attempt to connect is the answer.
    async fn check(&mut self, check: Check) {
        let answered = match self.terminal.check().await {
            Ok(()) => self.terminal.last_receipt().await,
            Err(error) => Err(error),
        };
        match answered {
            // Who asked may have gone; that is no reason to stop.
            Ok(last_receipt) => {
                self.seen(last_receipt);
                let _ = check.send(Some(last_receipt));
            }
            Err(error) => {
                tracing::warn!(%error, "payment terminal does not answer a check");
                self.asked.push(check);
            }
        }
    }

    fn answer_checks(&mut self, last_receipt: Option<u32>) {
        while let Ok(check) = self.checks.try_recv() {
            self.asked.push(check);
        }
        for check in self.asked.drain(..) {
            let _ = check.send(last_receipt);
        }
    }

    fn without_line(&mut self, request: &PaymentRequest) {
        match *request {
            // Never asked for: certain.
            PaymentRequest::Authorise { top_up, .. } | PaymentRequest::Reserve { top_up, .. } => {
                self.declined(top_up, FailureCode::PaymentAbsent);
            }
            PaymentRequest::Abort(_) => {}
            // A booking may have been made by the request before this one, whose answer was lost.
            PaymentRequest::Settle(top_up)
            | PaymentRequest::Refuse(top_up)
            | PaymentRequest::Acknowledge(top_up)
            | PaymentRequest::Capture(top_up, _) => (self.emit)(PaymentEvent::AnswerInDoubt(top_up)),
            PaymentRequest::Resolve(PaymentIntent { top_up, .. })
            | PaymentRequest::Reverse(top_up, _)
            | PaymentRequest::Release(top_up, _) => {
                self.asked_about(top_up);
                (self.emit)(PaymentEvent::Resolved(top_up, PaymentVerdict::Unknown));
            }
            PaymentRequest::EndOfDay => (self.emit)(PaymentEvent::DayNotEnded(FailureCode::PaymentAbsent)),
        }
    }

    fn declined(&self, top_up: TopUpId, code: FailureCode) {
        (self.emit)(PaymentEvent::Declined(top_up, code));
    }

    async fn carry_out(&mut self, request: PaymentRequest) {
        match request {
            PaymentRequest::Authorise { top_up, amount } => self.pay(Asked::Payment, top_up, amount).await,
            PaymentRequest::Reserve { top_up, amount } => self.pay(Asked::Reservation, top_up, amount).await,
            // Nothing is under way.
            PaymentRequest::Abort(_) => {}
            // The token is gone: with the line, or after the last wait.
            PaymentRequest::Settle(top_up) | PaymentRequest::Refuse(top_up) | PaymentRequest::Acknowledge(top_up) => {
                (self.emit)(PaymentEvent::AnswerInDoubt(top_up));
            }
            PaymentRequest::Resolve(intent) => {
                let verdict = self.terminal.outcome(&intent).await;
                self.asked_about(intent.top_up);
                (self.emit)(PaymentEvent::Resolved(intent.top_up, verdict));
            }
            PaymentRequest::Reverse(top_up, approval) => self.reverse(top_up, approval).await,
            PaymentRequest::Capture(top_up, approval) => self.capture(top_up, &approval).await,
            PaymentRequest::Release(top_up, approval) => self.release(top_up, approval).await,
            PaymentRequest::EndOfDay => self.end_day().await,
        }
    }

    /// Somebody asked: whatever the answer was, what follows is decided elsewhere.
    fn asked_about(&mut self, top_up: TopUpId) {
        self.undecided.take_if(|undecided| *undecided == top_up);
    }

    /// Says how something ended, and remembers what was left unknown.
    fn ended(&mut self, event: PaymentEvent) {
        match &event {
            PaymentEvent::Unknown(top_up) | PaymentEvent::AnswerInDoubt(top_up) => self.undecided = Some(*top_up),
            _ => {}
        }
        (self.emit)(event);
    }

    async fn reverse(&mut self, top_up: TopUpId, approval: PaymentApproval) {
        self.asked_about(top_up);
        let event = match self.terminal.reverse(&approval).await {
            Reversal::Voided => PaymentEvent::Voided(top_up),
            Reversal::Stands => PaymentEvent::Resolved(top_up, PaymentVerdict::Paid(approval)),
            Reversal::NotTried => PaymentEvent::Resolved(top_up, PaymentVerdict::Unknown),
            Reversal::InDoubt => PaymentEvent::AnswerInDoubt(top_up),
        };
        self.ended(event);
        self.ready_again().await;
    }

    async fn capture(&mut self, top_up: TopUpId, approval: &PaymentApproval) {
        self.asked_about(top_up);
        let event = match self.terminal.capture(approval).await {
            Capture::Booked => PaymentEvent::Posted(top_up),
            Capture::Failed(code) => PaymentEvent::CaptureFailed(top_up, code),
            Capture::InDoubt => PaymentEvent::AnswerInDoubt(top_up),
        };
        self.ended(event);
        self.ready_again().await;
    }

    async fn release(&mut self, top_up: TopUpId, approval: PaymentApproval) {
        self.asked_about(top_up);
        let event = match self.terminal.release(&approval).await {
            Release::Released => PaymentEvent::Voided(top_up),
            Release::Booked => PaymentEvent::Resolved(top_up, PaymentVerdict::Paid(approval)),
            Release::Stands => PaymentEvent::Resolved(top_up, PaymentVerdict::Reserved(approval)),
            Release::NotTried => PaymentEvent::Resolved(top_up, PaymentVerdict::Unknown),
            Release::InDoubt => PaymentEvent::AnswerInDoubt(top_up),
        };
        self.ended(event);
        self.ready_again().await;
    }

    async fn end_day(&mut self) {
        if self.undecided.is_some() {
            (self.emit)(PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked));
            return;
        }
        let event = match self.terminal.end_of_day().await {
            DayEnd::Ended => PaymentEvent::DayEnded,
            DayEnd::Refused(code) => PaymentEvent::DayNotEnded(code),
            DayEnd::InDoubt => PaymentEvent::DayNotEnded(FailureCode::PaymentUnknown),
        };
        (self.emit)(event);
        self.ready_again().await;
    }

    fn ready(&mut self, last_receipt: u32) {
        self.told = Some(last_receipt);
        let terminal = self.terminal.identity().unwrap_or_default().to_owned();
        (self.emit)(PaymentEvent::Ready { last_receipt, terminal });
    }

    /// After a payment or a reversal the newest receipt is another one. A line that broke says so by itself.
    async fn ready_again(&mut self) {
        if self.terminal.connected()
            && let Ok(last_receipt) = self.terminal.last_receipt().await
        {
            self.ready(last_receipt);
        }
    }
}
