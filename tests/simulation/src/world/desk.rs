//! Where the runner's effects go: onto the terminal's queue. Nothing happens here; it happens when it is due.

use super::kiosk::{Due, Kiosk, What};
use crate::bugs::Bug;
use crate::point::Deed;
use crate::runner::Outlets;
use domain::Handle;
use domain::card::{CardReport, Presentation};
use domain::device::{CreditOrder, Cue, PaymentRequest, PrinterEvent, PrinterRequest, ReaderRequest};
use domain::service::ServiceRequest;
use ledger::{Entry, Fact, Kind};
use session::{Effect, Event, PaperEvent, PaperOrder};
use std::collections::BTreeSet;

/// How long things take, milliseconds.
const WRITE_MS: u64 = 4;
const LINE_MS: u64 = 60;
const CARD_MS: u64 = 150;
const RECORD_MS: u64 = 20;

/// The outlets of one terminal during one step.
pub struct Desk<'a> {
    /// The terminal.
    pub kiosk: &'a mut Kiosk,
    /// Now, on the monotonic clock.
    pub now_ms: u64,
    /// Breaks ties on the queue.
    pub order: &'a mut u64,
    /// The mistake that is made on purpose.
    pub bug: Option<Bug>,
    /// Whether the credit that is asked for is the second of its visit.
    pub again: bool,
    /// The top-up is another terminal's, finished on the city's order.
    pub on_order: bool,
    /// Codes of claims that citizens hold on paper.
    pub slips: &'a mut BTreeSet<String>,
    /// The printer does not print.
    pub printer_fails: bool,
    /// Cards asked for at the record store: their number, for central's open top-ups.
    pub taps: &'a mut Vec<Presentation>,
}

impl Desk<'_> {
    fn put(&mut self, after_ms: u64, what: What) {
        *self.order += 1;
        self.kiosk.queue.push(Due { at_ms: self.now_ms + after_ms, order: *self.order, what });
    }
}

/// What a request to the payment terminal is in the table.
fn deed_of(request: &PaymentRequest) -> Deed {
    match request {
        PaymentRequest::Authorise { .. } => Deed::Authorise,
        PaymentRequest::Reserve { .. } => Deed::Reserve,
        PaymentRequest::Acknowledge(_) => Deed::Acknowledge,
        PaymentRequest::Settle(_) => Deed::Settle,
        PaymentRequest::Refuse(_) => Deed::Refuse,
        PaymentRequest::Reverse(..) => Deed::Reverse,
        PaymentRequest::Capture(..) => Deed::Capture,
        PaymentRequest::Release(..) => Deed::Release,
        PaymentRequest::EndOfDay => Deed::EndOfDay,
        // An abort moves nothing and goes the same way as a question.
        PaymentRequest::Resolve(_) | PaymentRequest::Abort(_) => Deed::Resolve,
    }
}

impl Outlets for Desk<'_> {
    fn reader(&mut self, request: ReaderRequest) {
        self.put(CARD_MS, What::Read(Deed::AskCard, request));
    }

    fn credit(&mut self, order: CreditOrder) {
        let deed = match (self.on_order, self.again) {
            (true, _) => Deed::OrderCredit,
            (false, true) => Deed::CreditAgain,
            (false, false) => Deed::Credit,
        };
        self.put(CARD_MS, What::Credit(deed, order));
    }

    fn payment(&mut self, request: PaymentRequest) {
        self.put(LINE_MS, What::Pay(deed_of(&request), request));
    }

    fn printer(&mut self, request: PrinterRequest) {
        if let PrinterRequest::Print { name, .. } = request {
            let event = if self.printer_fails {
                PrinterEvent::NotPrinted(name, domain::FailureCode::PaperOut)
            } else {
                PrinterEvent::Printed(name)
            };
            self.put(2_000, What::Say(Event::Printer(event), None));
        }
    }

    fn journal(&mut self, entry: Entry) {
        if self.bug == Some(Bug::ToldBeforeDurable) {
            self.put(0, What::Say(Event::Durable(entry.seq), None));
        }
        let is_intent = entry.fact.kind() == Kind::Intent;
        if self.bug == Some(Bug::NoIntent) && is_intent {
            let seq = entry.seq;
            self.kiosk.late_intent = Some(Box::new(entry));
            return self.put(0, What::Say(Event::Durable(seq), None));
        }
        if let Fact::Intent { .. } = entry.fact {
            self.kiosk.newest = Some(entry.subject.top_up);
            self.kiosk.said.clear();
        }
        // What was promised too early comes as late as a busy disk lets it.
        let takes = if self.bug == Some(Bug::ToldBeforeDurable) { 400 } else { WRITE_MS };
        let at_ms = (self.now_ms + takes).max(self.kiosk.writes_from_ms + 1);
        self.kiosk.writes_from_ms = at_ms;
        *self.order += 1;
        self.kiosk.queue.push(Due { at_ms, order: *self.order, what: What::Write(Box::new(entry)) });
    }

    // Taken before it comes here (`Street::run_effect`).
    fn report(&mut self, report: CardReport) {
        self.put(WRITE_MS, What::Report(Box::new(report)));
    }

    fn records(&mut self, effect: Effect) {
        if let Effect::OpenTap { presentation, .. } = effect {
            self.taps.push(presentation);
        }
    }

    fn paper(&mut self, order: PaperOrder) {
        if let PaperOrder::Claim { code, .. } = &order {
            self.slips.insert(code.to_string());
        }
        let name = order.name().clone();
        let ready = PaperEvent::Ready { name, document: Handle(7), pages: 1, code: None };
        self.put(RECORD_MS, What::Say(Event::Paper(ready), None));
    }

    fn service(&mut self, _: ServiceRequest) {}
    fn sound(&mut self, _: Cue) {}
    fn wipe(&mut self, _: Option<Handle>) {}
    fn forget(&mut self, _: Handle) {}
    fn clear_pin(&mut self) {}
}
