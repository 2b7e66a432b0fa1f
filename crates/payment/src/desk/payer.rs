//! A payment or a reservation while its payer stands there: asked for, held un-acknowledged, and answered once it is
//! decided.

use super::Desk;
use crate::{Abort, Answered, Held, Outcome, PaymentTerminal, Unacknowledged};
use domain::device::{PaymentEvent, PaymentRequest};
use domain::{Cents, FailureCode, TopUpId};
use tokio::time::{Instant, sleep_until, timeout_at};

/// What a payer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Payment,
    Reservation,
}

/// What was decided about an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Keep,
    GiveBack,
}

impl<T: PaymentTerminal, E: Fn(PaymentEvent) + Send + Sync> Desk<T, E> {
    pub(super) async fn pay(&mut self, asked: Asked, top_up: TopUpId, amount: Cents) {
        if self.undecided.is_some() {
            return self.declined(top_up, FailureCode::PaymentBlocked);
        }
        if self.was_given_up(top_up) {
            return self.declined(top_up, FailureCode::PaymentCancelled);
        }
        match self.ask(asked, top_up, amount).await {
            Outcome::Approved(token) => {
                (self.emit)(PaymentEvent::Approved(top_up, token.approval().clone()));
                let event = self.answer(asked, top_up, token).await;
                self.ended(event);
            }
            Outcome::Declined(code) => self.declined(top_up, code),
            Outcome::Unknown => self.ended(PaymentEvent::Unknown(top_up)),
        }
        self.ready_again().await;
    }

    /// The citizen gave up while the payment still waited for the one before it: it was never asked for.
    fn was_given_up(&mut self, top_up: TopUpId) -> bool {
        let given_up = |request: &PaymentRequest| matches!(request, PaymentRequest::Abort(which) if *which == top_up);
        let found = self.waiting.iter().position(given_up);
        found.and_then(|place| self.waiting.remove(place)).is_some()
    }

    async fn ask(&mut self, asked: Asked, top_up: TopUpId, amount: Cents) -> Outcome {
        let (raise, abort) = Abort::new();
        let emit = &self.emit;
        let progress = |step| emit(PaymentEvent::Progress(top_up, step));
        let terminal = &mut self.terminal;
        let mut payment = std::pin::pin!(async move {
            match asked {
                Asked::Payment => terminal.authorise(amount, progress, abort).await,
                Asked::Reservation => terminal.reserve(amount, progress, abort).await,
            }
        });
        loop {
            tokio::select! {
                outcome = &mut payment => return outcome,
                Some(request) = self.requests.recv() => match request {
                    PaymentRequest::Abort(which) if which == top_up => {
                        raise.send_replace(true);
                    }
                    PaymentRequest::EndOfDay => emit(PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked)),
                    request => self.waiting.push_back(request),
                },
            }
        }
    }

    /// Holds an approval until it is decided, as long as the terminal waits.
    async fn answer(&mut self, asked: Asked, top_up: TopUpId, mut token: Unacknowledged) -> PaymentEvent {
        let mut last_time = token.waits_left() == 0;
        loop {
            if last_time {
                (self.emit)(PaymentEvent::HoldEnding(top_up));
            }
            let until = Instant::now() + self.terminal.patience();
            return match self.decision(top_up, until).await {
                Some(decision) => self.say(asked, decision, top_up, token).await,
                None if last_time => {
                    self.terminal.abandon(token);
                    PaymentEvent::AnswerInDoubt(top_up)
                }
                None => match self.terminal.hold(&mut token).await {
                    Held::Waiting => continue,
                    Held::LastTime => {
                        last_time = true;
                        continue;
                    }
                    Held::Over => PaymentEvent::AnswerInDoubt(top_up),
                },
            };
        }
    }

    /// Answers an approval. What keeping it means depends on what was asked for, not on the word that decided it.
    async fn say(&mut self, asked: Asked, decision: Decision, top_up: TopUpId, token: Unacknowledged) -> PaymentEvent {
        let (answered, done) = match (decision, asked) {
            (Decision::Keep, Asked::Payment) => (self.terminal.settle(token).await, PaymentEvent::Posted(top_up)),
            (Decision::Keep, Asked::Reservation) => {
                (self.terminal.acknowledge(token).await, PaymentEvent::Reserved(top_up))
            }
            (Decision::GiveBack, _) => (self.terminal.refuse(token).await, PaymentEvent::Voided(top_up)),
        };
        match answered {
            Answered::Done => done,
            Answered::InDoubt => PaymentEvent::AnswerInDoubt(top_up),
        }
    }

    /// What is decided in time, if anything.
    async fn decision(&mut self, top_up: TopUpId, until: Instant) -> Option<Decision> {
        loop {
            let request = match self.waiting.iter().position(|request| decides(request, top_up).is_some()) {
                Some(place) => self.waiting.remove(place),
                None => match timeout_at(until, self.requests.recv()).await {
                    Ok(Some(request)) => Some(request),
                    Ok(None) => {
                        // Nobody will decide any more; the journal will, after the next start.
                        sleep_until(until).await;
                        return None;
                    }
                    Err(_) => return None,
                },
            }?;
            match (decides(&request, top_up), request) {
                (Some(decision), _) => return Some(decision),
                // Too late to give up: the outcome is there, and is answered by settling or refusing.
                (None, PaymentRequest::Abort(which)) if which == top_up => {}
                (None, PaymentRequest::EndOfDay) => {
                    (self.emit)(PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked));
                }
                (None, request) => self.waiting.push_back(request),
            }
        }
    }
}

/// What a request decides about an approval.
fn decides(request: &PaymentRequest, top_up: TopUpId) -> Option<Decision> {
    match request {
        PaymentRequest::Settle(which) | PaymentRequest::Acknowledge(which) if *which == top_up => Some(Decision::Keep),
        PaymentRequest::Refuse(which) if *which == top_up => Some(Decision::GiveBack),
        _ => None,
    }
}
