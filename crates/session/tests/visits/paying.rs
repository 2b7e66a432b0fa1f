//! The payment terminal's side of the street.

use crate::street::Street;
use crate::world::{AnswerFate, Paid, PaymentFate};
use domain::device::{PaymentApproval, PaymentEvent, PaymentRequest, PaymentVerdict};
use domain::{Cents, FailureCode, TopUpId};
use session::Event;

impl Street {
    pub(crate) fn pay_says(&mut self, event: PaymentEvent) {
        self.queue.push_back(Event::Payment(event));
    }

    pub(crate) fn payment(&mut self, request: PaymentRequest) {
        match request {
            PaymentRequest::Authorise { top_up, amount } => self.authorise(top_up, amount),
            PaymentRequest::Abort(id) => {
                if !self.terminal.deaf && self.terminal.asked.take_if(|asked| asked.0 == id).is_some() {
                    self.pay_says(PaymentEvent::Declined(id, FailureCode::PaymentCancelled));
                }
            }
            PaymentRequest::Settle(id) => self.answer(id, Paid::Kept, PaymentEvent::Posted(id)),
            PaymentRequest::Refuse(id) => {
                assert!(!self.cards.iter().any(|card| card.holds(id)), "given back although credited");
                self.answer(id, Paid::Reversed, PaymentEvent::Voided(id));
            }
            PaymentRequest::Resolve(intent) => {
                let there = self.terminal.there;
                let verdict = if there { self.terminal.verdict(&intent) } else { PaymentVerdict::Unknown };
                self.pay_says(PaymentEvent::Resolved(intent.top_up, verdict));
            }
            PaymentRequest::Reverse(id, approval) => self.reverse(id, approval),
        }
    }

    fn authorise(&mut self, id: TopUpId, amount: Cents) {
        self.terminal.authorised += 1;
        if !self.terminal.there {
            return self.pay_says(PaymentEvent::Declined(id, FailureCode::PaymentAbsent));
        }
        match self.terminal.next {
            PaymentFate::Waits => self.terminal.asked = Some((id, amount)),
            PaymentFate::Approves => self.approve(id, amount),
            PaymentFate::Declines(code) => self.pay_says(PaymentEvent::Declined(id, code)),
            PaymentFate::Breaks { made } => {
                if made {
                    self.terminal.approve(id, amount);
                    self.terminal.end(id, Paid::Kept);
                }
                self.pay_says(PaymentEvent::Unknown(id));
            }
        }
    }

    fn approve(&mut self, id: TopUpId, amount: Cents) {
        let approval = self.terminal.approve(id, amount);
        self.pay_says(PaymentEvent::Approved(id, approval));
    }

    /// The bank card is held to the payment terminal.
    pub(crate) fn bank_card(&mut self) {
        let Some((id, amount)) = self.terminal.asked.take() else { return };
        self.approve(id, amount);
        self.run();
    }

    fn answer(&mut self, id: TopUpId, end: Paid, event: PaymentEvent) {
        let waiting = self.terminal.paid.get(&id).is_some_and(|paid| paid.0 == Paid::Waiting);
        if !waiting || !self.terminal.there {
            return self.pay_says(PaymentEvent::AnswerInDoubt(id));
        }
        match self.terminal.answer {
            AnswerFate::Arrives => {
                self.terminal.end(id, end);
                self.pay_says(event);
            }
            AnswerFate::LostAndKept => {
                self.terminal.end(id, Paid::Kept);
                self.pay_says(PaymentEvent::AnswerInDoubt(id));
            }
            AnswerFate::LostAndReversed => {
                self.terminal.end(id, Paid::Reversed);
                self.pay_says(PaymentEvent::AnswerInDoubt(id));
            }
        }
        if self.terminal.there {
            let last_receipt = self.terminal.receipt;
            self.pay_says(PaymentEvent::Ready { last_receipt });
        }
    }

    fn reverse(&mut self, id: TopUpId, approval: PaymentApproval) {
        assert!(!self.cards.iter().any(|card| card.holds(id)), "reversed although credited");
        let is_last = self.terminal.last == Some(id);
        let event =
            match self.terminal.paid.get_mut(&id).filter(|_| is_last && self.terminal.there && self.terminal.tells) {
                Some(paid) => {
                    paid.0 = Paid::Reversed;
                    PaymentEvent::Voided(id)
                }
                None if self.terminal.tells && self.terminal.there => {
                    PaymentEvent::Resolved(id, PaymentVerdict::Paid(approval))
                }
                None => PaymentEvent::Resolved(id, PaymentVerdict::Unknown),
            };
        self.pay_says(event);
    }

    pub(crate) fn terminal_leaves(&mut self) {
        self.terminal.there = false;
        self.say(Event::Payment(PaymentEvent::Gone));
    }

    pub(crate) fn terminal_returns(&mut self) {
        self.terminal.there = true;
        let last_receipt = self.terminal.receipt;
        self.say(Event::Payment(PaymentEvent::Ready { last_receipt }));
    }
}
