//! What is asked of a payment terminal, and what it does and says: the driver's part of the kiosk and the machine at
//! the other end of the line, event by event.

use super::kiosk::What;
use super::street::{Street, Struck};
use super::till::{Did, Till};
use crate::bugs::Bug;
use crate::fault::Fault;
use crate::point::{Cut, Deed, Point};
use domain::device::{PaymentApproval, PaymentEvent, PaymentIntent, PaymentRequest, PaymentVerdict};
use domain::{Cents, FailureCode, TopUpId};

/// How long a payer takes at least, milliseconds.
const PAYER_MS: u64 = 1_500;
/// How long an approval is held before the payment terminal is told to wait once more.
const HOLD_MS: u64 = 11_250;
/// How long a reservation stands.
pub(crate) const RESERVATION_MS: u64 = 86_400_000;

impl Street<'_> {
    pub(super) fn pay(&mut self, at: usize, deed: Deed, request: PaymentRequest) {
        match request {
            PaymentRequest::Authorise { top_up, amount } | PaymentRequest::Reserve { top_up, amount } => {
                self.ask_for_money(at, deed, top_up, amount);
            }
            PaymentRequest::Abort(id) => self.abort(at, id),
            PaymentRequest::Settle(id) | PaymentRequest::Refuse(id) | PaymentRequest::Acknowledge(id) => {
                self.answer(at, deed, id);
            }
            PaymentRequest::Resolve(intent) => self.resolve(at, &intent),
            PaymentRequest::Reverse(id, approval) | PaymentRequest::Release(id, approval) => {
                self.give_back(at, deed, id, &approval);
            }
            PaymentRequest::Capture(id, approval) => self.capture(at, id, &approval),
            PaymentRequest::EndOfDay => self.end_day(at),
        }
    }

    fn till(&mut self, at: usize) -> Option<&mut Till> {
        self.kiosks.get_mut(at).map(|kiosk| &mut kiosk.till)
    }

    pub(super) fn has_line(&self, at: usize) -> bool {
        self.kiosks.get(at).is_some_and(|kiosk| kiosk.line)
    }

    fn ask_for_money(&mut self, at: usize, deed: Deed, top_up: TopUpId, amount: Cents) {
        let struck = self.point(at, Point::deed(deed, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        if !self.has_line(at) {
            let event = PaymentEvent::Declined(top_up, FailureCode::PaymentAbsent);
            return self.payment_says(at, event, Some(deed));
        }
        let wait = PAYER_MS + self.dice.below(2_000);
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        if let Struck::Wrong(fault) = struck {
            kiosk.fate = Some(fault);
        }
        let serial = kiosk.till.ask(top_up, amount, deed == Deed::Reserve);
        self.tell(|| format!("terminal {}: its payment terminal asks for {} cents", at + 1, amount.0));
        self.put(at, wait, What::Payer(serial));
    }

    fn abort(&mut self, at: usize, id: TopUpId) {
        let has_line = self.has_line(at);
        let Some(till) = self.till(at) else { return };
        let asks = till.work.is_some_and(|work| work.top_up == id && work.place.is_none());
        if has_line && asks && !till.ways.is_deaf {
            till.work = None;
            self.payment_says(at, PaymentEvent::Declined(id, FailureCode::PaymentCancelled), Some(Deed::Authorise));
            self.ready(at);
        }
    }

    pub(super) fn payer(&mut self, at: usize, serial: u32) {
        let lapses_ms = self.now_ms + RESERVATION_MS;
        let (has_line, bank) = (self.has_line(at), &mut self.bank);
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let Some(work) = kiosk.till.work.filter(|work| work.serial == serial && work.place.is_none()) else { return };
        let deed = if work.reserves { Deed::Reserve } else { Deed::Authorise };
        let fate = kiosk.fate.take();
        let wraps = kiosk.till.receipt >= super::till::RECEIPT_MAX;
        match fate {
            Some(Fault::Declined) => {
                kiosk.till.work = None;
                return self.declined(at, deed, work.top_up, FailureCode::PaymentRefused);
            }
            Some(Fault::ApprovedWhileDying) => {
                kiosk.till.work = None;
                self.tell(|| {
                    format!("terminal {}: the bank approves, its payment terminal dies, the approval lapses", at + 1)
                });
                self.payment_says(at, PaymentEvent::Unknown(work.top_up), Some(deed));
                return self.break_line(at);
            }
            Some(Fault::WrongAmount) => {
                kiosk.till.approve(bank, Cents(work.amount.0 + 100), lapses_ms);
                kiosk.till.give_back(bank);
                return self.declined(at, deed, work.top_up, FailureCode::PaymentMismatch);
            }
            _ => {}
        }
        if bank.of(work.top_up).any(|payment| payment.paid != super::bank::Paid::Undone) {
            return self
                .breaks(format!("charged twice: {} was asked for again while a payment of it stands", work.top_up));
        }
        let place = kiosk.till.approve(bank, work.amount, lapses_ms);
        if wraps {
            self.tally.happened(Fault::ReceiptWraps);
        }
        self.tell(|| format!("terminal {}: the bank approves {} cents", at + 1, work.amount.0));
        self.approved(at, deed, work.top_up, serial, has_line, place);
    }

    fn declined(&mut self, at: usize, deed: Deed, id: TopUpId, code: FailureCode) {
        if self.has_line(at) {
            self.payment_says(at, PaymentEvent::Declined(id, code), Some(deed));
            self.ready(at);
        }
    }

    fn approved(&mut self, at: usize, deed: Deed, id: TopUpId, serial: u32, has_line: bool, place: Option<usize>) {
        if !has_line {
            let bank = &mut self.bank;
            if let Some(kiosk) = self.kiosks.get_mut(at) {
                kiosk.till.left_alone(bank);
            }
            return;
        }
        let struck = self.point(at, Point::deed(deed, Cut::Unanswered));
        if struck == Struck::Dead || !self.has_line(at) {
            return;
        }
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        if let Some(work) = &mut kiosk.till.work {
            work.told = true;
        }
        let waits = kiosk.till.ways.waits;
        let Some(approval) = place.and_then(|place| kiosk.till.approval(&self.bank, place)) else { return };
        let event = PaymentEvent::Approved(id, approval);
        if struck == Struck::Wrong(Fault::SaidTwice) {
            self.payment_says(at, event.clone(), None);
        }
        self.payment_says(at, event, Some(deed));
        if waits == 0 {
            self.payment_says(at, PaymentEvent::HoldEnding(id), None);
        }
        self.put(at, HOLD_MS, What::Hold(serial));
    }

    /// Nobody has answered in time: it is told to wait, or it waits no longer.
    pub(super) fn hold(&mut self, at: usize, serial: u32) {
        let Some(till) = self.till(at) else { return };
        let Some(work) = till.work.as_mut().filter(|work| work.serial == serial && work.place.is_some()) else {
            return;
        };
        if work.waits_left == 0 {
            self.tally.happened(Fault::HoldRunsOut);
            self.tell(|| format!("terminal {}: its payment terminal waits no longer", at + 1));
            return self.break_line(at);
        }
        work.waits_left -= 1;
        let (last, id) = (work.waits_left == 0, work.top_up);
        if last {
            self.payment_says(at, PaymentEvent::HoldEnding(id), None);
        }
        self.put(at, HOLD_MS, What::Hold(serial));
    }

    fn holds(&self, at: usize, id: TopUpId) -> bool {
        let work = self.kiosks.get(at).and_then(|kiosk| kiosk.till.work);
        work.is_some_and(|work| work.top_up == id && work.place.is_some())
    }

    fn answer(&mut self, at: usize, deed: Deed, id: TopUpId) {
        let struck = self.point(at, Point::deed(deed, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        if !self.has_line(at) || !self.holds(at, id) {
            return self.in_doubt(at, deed, id);
        }
        let bank = &mut self.bank;
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        match struck {
            Struck::Wrong(Fault::AckLostKept) => kiosk.till.keep(bank),
            Struck::Wrong(Fault::AckLostReversed) => kiosk.till.give_back(bank),
            _ if deed == Deed::Refuse => kiosk.till.give_back(bank),
            _ => kiosk.till.keep(bank),
        }
        if struck != Struck::No {
            self.in_doubt(at, deed, id);
            return self.break_line(at);
        }
        let struck = self.point(at, Point::deed(deed, Cut::Unanswered));
        if struck == Struck::Dead {
            return;
        }
        if !self.has_line(at) {
            return self.in_doubt(at, deed, id);
        }
        let event = match deed {
            Deed::Refuse => PaymentEvent::Voided(id),
            Deed::Acknowledge => PaymentEvent::Reserved(id),
            _ => PaymentEvent::Posted(id),
        };
        self.said(at, deed, event, struck);
        self.ready(at);
    }

    fn said(&mut self, at: usize, deed: Deed, event: PaymentEvent, struck: Struck) {
        if struck == Struck::Wrong(Fault::SaidTwice) {
            self.payment_says(at, event.clone(), None);
        }
        self.payment_says(at, event, Some(deed));
    }

    fn in_doubt(&mut self, at: usize, deed: Deed, id: TopUpId) {
        let believed = self.bug == Some(Bug::LostAnswerBelieved) && deed == Deed::Settle;
        let event = if believed { PaymentEvent::Posted(id) } else { PaymentEvent::AnswerInDoubt(id) };
        self.payment_says(at, event, Some(deed));
    }

    fn resolve(&mut self, at: usize, intent: &PaymentIntent) {
        let struck = self.point(at, Point::deed(Deed::Resolve, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        let verdict = match self.kiosks.get(at) {
            Some(kiosk) if kiosk.line && struck == Struck::No => kiosk.till.verdict(&self.bank, intent, self.bug),
            _ => PaymentVerdict::Unknown,
        };
        if self.point(at, Point::deed(Deed::Resolve, Cut::Unanswered)) == Struck::Dead {
            return;
        }
        let verdict = if self.has_line(at) { verdict } else { PaymentVerdict::Unknown };
        self.tell(|| format!("terminal {}: asked again, its payment terminal says {}", at + 1, verdict_name(&verdict)));
        self.payment_says(at, PaymentEvent::Resolved(intent.top_up, verdict), Some(Deed::Resolve));
    }

    /// 06 30 and 06 25: only what is ours and its last is undone.
    fn give_back(&mut self, at: usize, deed: Deed, id: TopUpId, approval: &PaymentApproval) {
        let struck = self.point(at, Point::deed(deed, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        let unknown = PaymentEvent::Resolved(id, PaymentVerdict::Unknown);
        if !self.has_line(at) {
            return self.payment_says(at, unknown, Some(deed));
        }
        let Some(kiosk) = self.kiosks.get(at) else { return };
        let place = kiosk.till.find(&self.bank, approval);
        let last = kiosk.till.last;
        let is_open = place.is_some_and(|place| kiosk.till.open.contains(&place));
        let is_last = last.is_some_and(|last| Some(last.place) == place);
        let undone = is_last && place.is_some_and(|place| self.bank.paid(place) == super::bank::Paid::Undone);
        let any = self.bug == Some(Bug::ReversesAnyLast) && deed == Deed::Reverse;
        let place = if any { last.map(|last| last.place) } else { place };
        let may = is_open || any || (deed == Deed::Reverse && is_last);
        let event = match (struck, place) {
            _ if undone => PaymentEvent::Voided(id),
            (Struck::Wrong(Fault::ReversalRefused), _) if may => stands(id, approval, deed),
            (_, Some(place)) if may => {
                let bank = &mut self.bank;
                if let Some(kiosk) = self.kiosks.get_mut(at) {
                    kiosk.till.undo(bank, place);
                }
                self.tell(|| format!("terminal {}: its payment terminal gives the money back", at + 1));
                PaymentEvent::Voided(id)
            }
            _ if last.is_some() && deed == Deed::Reverse => stands(id, approval, deed),
            _ => unknown,
        };
        let struck = self.point(at, Point::deed(deed, Cut::Unanswered));
        if struck == Struck::Dead {
            return;
        }
        if !self.has_line(at) {
            return self.payment_says(at, PaymentEvent::AnswerInDoubt(id), Some(deed));
        }
        self.said(at, deed, event, struck);
        self.ready(at);
    }

    fn capture(&mut self, at: usize, id: TopUpId, approval: &PaymentApproval) {
        let struck = self.point(at, Point::deed(Deed::Capture, Cut::Undone));
        if struck == Struck::Dead {
            return;
        }
        self.bank.lapse(self.now_ms);
        let bank = &mut self.bank;
        let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| kiosk.line) else {
            return self.in_doubt(at, Deed::Capture, id);
        };
        let place = kiosk.till.find(bank, approval);
        let booked = kiosk.till.last.is_some_and(|last| last.did == Did::Booked && Some(last.place) == place);
        let open = place.filter(|place| kiosk.till.open.contains(place));
        let event = match open {
            _ if booked => PaymentEvent::Posted(id),
            Some(place) if struck == Struck::No && bank.paid(place) == super::bank::Paid::Reserved => {
                kiosk.till.book(bank, place);
                PaymentEvent::Posted(id)
            }
            Some(_) if self.bug == Some(Bug::CaptureAsSale) => {
                kiosk.till.ask(id, approval.amount, false);
                kiosk.till.approve(bank, approval.amount, 0);
                kiosk.till.keep(bank);
                PaymentEvent::Posted(id)
            }
            Some(_) => PaymentEvent::CaptureFailed(id, FailureCode::PaymentRefused),
            None => PaymentEvent::AnswerInDoubt(id),
        };
        let struck = self.point(at, Point::deed(Deed::Capture, Cut::Unanswered));
        if struck == Struck::Dead {
            return;
        }
        if !self.has_line(at) {
            return self.in_doubt(at, Deed::Capture, id);
        }
        self.said(at, Deed::Capture, event, struck);
        self.ready(at);
    }

    fn end_day(&mut self, at: usize) {
        if self.point(at, Point::deed(Deed::EndOfDay, Cut::Undone)) == Struck::Dead {
            return;
        }
        let has_line = self.has_line(at);
        if let Some(till) = self.till(at).filter(|_| has_line) {
            till.last = None;
        }
        let struck = self.point(at, Point::deed(Deed::EndOfDay, Cut::Unanswered));
        if struck == Struck::Dead {
            return;
        }
        let failed = PaymentEvent::DayNotEnded(FailureCode::PaymentAbsent);
        let event = if has_line && self.has_line(at) { PaymentEvent::DayEnded } else { failed };
        self.said(at, Deed::EndOfDay, event, struck);
        self.ready(at);
    }

    /// Somebody is at the payment terminal itself, or its power goes, or another one stands there.
    pub fn operator(&mut self, at: usize, does: Fault) {
        let ways = self.plan.ways;
        self.tills += 1;
        let id = self.tills;
        match does {
            Fault::OperatorSale | Fault::OperatorSameSale => {
                // A payment of just our amount, under our receipt number, is told from ours by nothing.
                let amount = if does == Fault::OperatorSale { 770 } else { self.amount_under_way() };
                let bank = &mut self.bank;
                if let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| kiosk.till.work.is_none()) {
                    kiosk.till.own_sale(bank, amount);
                }
                // The kiosk looks every twenty seconds, and says what is new.
                return self.put(at, 15_000, What::Line);
            }
            Fault::OperatorReverses => return self.operator_reverses(at),
            Fault::OperatorEndsDay => {
                if let Some(till) = self.till(at).filter(|till| till.work.is_none()) {
                    till.last = None;
                }
                return;
            }
            _ => {}
        }
        self.break_line(at);
        let amount = self.amount_under_way();
        let bank = &mut self.bank;
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        kiosk.till.left_alone(bank);
        match does {
            Fault::TillForgets => kiosk.till.last = None,
            Fault::TillReplaced => {
                // The other one may happen to continue the count, with a payment of the same amount.
                let continues = self.dice.one_in(3);
                let before = kiosk.till.taken_for;
                let receipt = if continues || self.dice.one_in(2) { kiosk.till.receipt } else { ways.receipt };
                let clock = kiosk.till.clock;
                kiosk.till = Till::used(id, super::till::Ways { receipt, ..ways }, bank);
                kiosk.till.clock = clock;
                if self.bug == Some(Bug::ReplacedTillBelieved) {
                    kiosk.till.taken_for = before;
                }
                if continues {
                    kiosk.till.own_sale(bank, amount);
                }
            }
            _ => {}
        }
    }

    fn amount_under_way(&self) -> i64 {
        let newest = self.kiosks.iter().find_map(|kiosk| kiosk.newest);
        newest.and_then(|id| self.begun.get(&id)).map_or(500, |(amount, _)| *amount)
    }

    fn operator_reverses(&mut self, at: usize) {
        let bank = &mut self.bank;
        let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| kiosk.till.work.is_none()) else { return };
        if let Some(last) = kiosk.till.last.filter(|last| last.did == Did::Made) {
            kiosk.till.undo(bank, last.place);
        }
    }
}

fn stands(id: TopUpId, approval: &PaymentApproval, deed: Deed) -> PaymentEvent {
    let verdict = if deed == Deed::Release {
        PaymentVerdict::Reserved(approval.clone())
    } else {
        PaymentVerdict::Paid(approval.clone())
    };
    PaymentEvent::Resolved(id, verdict)
}

fn verdict_name(verdict: &PaymentVerdict) -> &'static str {
    match verdict {
        PaymentVerdict::Paid(_) => "paid",
        PaymentVerdict::Reversed(_) => "reversed",
        PaymentVerdict::Reserved(_) => "reserved",
        PaymentVerdict::NeverMade => "never made",
        PaymentVerdict::Unknown => "nothing that decides",
    }
}
