//! The payment terminal's side of the street.

use crate::bank::{AnswerFate, CaptureFate, DayFate, Paid, PaymentFate};
use crate::street::Street;
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
            PaymentRequest::Reserve { top_up, amount } => {
                self.terminal.reserving.insert(top_up);
                self.authorise(top_up, amount);
            }
            PaymentRequest::Abort(id) => {
                if !self.terminal.deaf && self.terminal.asked.take_if(|asked| asked.0 == id).is_some() {
                    self.pay_says(PaymentEvent::Declined(id, FailureCode::PaymentCancelled));
                }
            }
            PaymentRequest::Settle(id) => self.answer(id, Paid::Kept, PaymentEvent::Posted(id)),
            PaymentRequest::Acknowledge(id) => self.answer(id, Paid::Kept, PaymentEvent::Reserved(id)),
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
            PaymentRequest::Capture(id, approval) => self.capture(id, &approval),
            PaymentRequest::Release(id, approval) => self.release(id, approval),
            PaymentRequest::EndOfDay => self.end_of_day(),
        }
    }

    fn authorise(&mut self, id: TopUpId, amount: Cents) {
        self.terminal.authorised += 1;
        let undecided = self.terminal.paid.values().any(|paid| paid.0 == Paid::Waiting);
        assert!(!undecided, "a second payment while one waits for its answer");
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
        if !self.terminal.is(id, Paid::Waiting) || !self.terminal.there {
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
            let ready = self.terminal.ready();
            self.pay_says(ready);
        }
    }

    fn reverse(&mut self, id: TopUpId, approval: PaymentApproval) {
        assert!(!self.cards.iter().any(|card| card.holds(id)), "reversed although credited");
        self.assert_same_terminal(&approval);
        let can = self.terminal.last == Some(id) && self.terminal.there && self.terminal.tells;
        let refuses = self.terminal.keeps_all;
        let event = match self.terminal.paid.get_mut(&id).filter(|_| can && !refuses) {
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

    /// Asked about first, and never booked twice.
    fn capture(&mut self, id: TopUpId, approval: &PaymentApproval) {
        self.assert_same_terminal(approval);
        if !self.terminal.there || !self.terminal.tells {
            return self.pay_says(PaymentEvent::AnswerInDoubt(id));
        }
        let event = match (self.terminal.paid[&id].0, self.terminal.capture) {
            (Paid::Kept, _) => PaymentEvent::Posted(id),
            (Paid::Reserved, CaptureFate::Books) => {
                self.book(id);
                PaymentEvent::Posted(id)
            }
            (Paid::Reserved, CaptureFate::Breaks { booked }) => {
                if booked {
                    self.book(id);
                }
                PaymentEvent::AnswerInDoubt(id)
            }
            (Paid::Reserved, CaptureFate::Fails(code)) => PaymentEvent::CaptureFailed(id, code),
            (Paid::Waiting | Paid::Reversed, _) => PaymentEvent::CaptureFailed(id, FailureCode::PaymentRefused),
        };
        self.pay_says(event);
    }

    fn book(&mut self, id: TopUpId) {
        self.terminal.paid.get_mut(&id).unwrap().0 = Paid::Kept;
        self.terminal.receipt += 1;
        self.terminal.last = Some(id);
    }

    fn release(&mut self, id: TopUpId, approval: PaymentApproval) {
        assert!(!self.cards.iter().any(|card| card.holds(id)), "released although credited");
        self.assert_same_terminal(&approval);
        if !self.terminal.there || !self.terminal.tells {
            return self.pay_says(PaymentEvent::Resolved(id, PaymentVerdict::Unknown));
        }
        let refuses = self.terminal.keeps_all;
        let paid = &mut self.terminal.paid.get_mut(&id).unwrap().0;
        assert_ne!(*paid, Paid::Kept, "booked without a credit");
        if refuses && *paid == Paid::Reserved {
            return self.pay_says(PaymentEvent::Resolved(id, PaymentVerdict::Reserved(approval)));
        }
        *paid = Paid::Reversed;
        self.pay_says(PaymentEvent::Voided(id));
    }

    fn end_of_day(&mut self) {
        assert!(!self.is_serving(), "an end-of-day under somebody's hands");
        let waiting = self.terminal.paid.values().any(|paid| paid.0 == Paid::Waiting);
        assert!(!waiting, "an end-of-day while an approval waits for its answer");
        self.terminal.days += 1;
        match self.terminal.day {
            DayFate::Ends if self.terminal.there => self.pay_says(PaymentEvent::DayEnded),
            DayFate::Ends => self.pay_says(PaymentEvent::DayNotEnded(FailureCode::PaymentAbsent)),
            DayFate::Fails(code) => self.pay_says(PaymentEvent::DayNotEnded(code)),
            DayFate::Silent => {}
        }
    }

    /// What another payment terminal made is no business of this one.
    fn assert_same_terminal(&self, approval: &PaymentApproval) {
        assert_eq!(approval.reference.terminal, self.terminal.identity, "asked of another payment terminal");
    }

    pub(crate) fn terminal_leaves(&mut self) {
        self.terminal.there = false;
        self.say(Event::Payment(PaymentEvent::Gone));
    }

    pub(crate) fn terminal_returns(&mut self) {
        self.terminal.there = true;
        let ready = self.terminal.ready();
        self.say(Event::Payment(ready));
    }

    /// Another payment terminal takes its place: it continues the count, and knows of nothing before.
    pub(crate) fn terminal_is_replaced(&mut self) {
        self.terminal_leaves();
        self.terminal.identity = "52500077".into();
        self.terminal.last = None;
        self.terminal.asked = None;
        self.terminal_returns();
    }
}
