//! The card reader's and the printer's side of the street.

use crate::street::Street;
use crate::world::{Card, CreditFate};
use domain::card::Presentation;
use domain::device::{CreditOrder, PrinterEvent, PrinterRequest, ReaderEvent, ReaderRequest};
use domain::{FailureCode, Handle};
use session::{Event, PaperEvent, PaperOrder};

impl Street {
    pub(crate) fn card(&mut self, presentation: Presentation) -> Option<&mut Card> {
        let here = presentation.0 == self.presentation;
        self.tray.filter(|_| here).and_then(|place| self.cards.get_mut(place))
    }

    pub(crate) fn reader_says(&mut self, event: ReaderEvent) {
        let answers = if self.slow_reader { &mut self.held } else { &mut self.queue };
        answers.push_back(Event::Reader(event));
    }

    /// What the card was asked is answered now.
    pub(crate) fn let_answer(&mut self) {
        self.slow_reader = false;
        while let Some(event) = self.held.pop_front() {
            self.say(event);
        }
    }

    pub(crate) fn reader(&mut self, request: &ReaderRequest) {
        let event = match *request {
            ReaderRequest::Credit(_) => panic!("a credit without a permit"),
            ReaderRequest::ProveCreditKey(presentation, key) if self.line_cut(key) => {
                ReaderEvent::CreditKeyRefused(presentation, FailureCode::CentralUnreachable)
            }
            ReaderRequest::ProveCreditKey(presentation, _) => match self.card(presentation) {
                Some(_) => ReaderEvent::CreditKeyProven(presentation),
                None => ReaderEvent::CreditKeyRefused(presentation, FailureCode::CardUnreadable),
            },
            ReaderRequest::Resolve { presentation, top_up, counter_seen } => match self.card(presentation) {
                Some(card) => ReaderEvent::Resolved(top_up, card.verdict(top_up, counter_seen)),
                None => ReaderEvent::ResolveFailed(top_up, FailureCode::CardUnreadable),
            },
            ReaderRequest::WriteTries(presentation, tries) => match self.card(presentation) {
                Some(card) => {
                    card.tries = tries;
                    let number = card.number;
                    self.floors.insert(number, tries.attempt);
                    ReaderEvent::TriesWritten(presentation, tries)
                }
                None => ReaderEvent::TriesNotWritten(presentation, FailureCode::CardUnreadable),
            },
            ReaderRequest::WriteWishes(presentation, wishes) => return self.write_wishes(presentation, wishes),
        };
        self.reader_says(event);
    }

    pub(crate) fn credit(&mut self, order: &CreditOrder) {
        if self.line_cut(order.key) {
            let code = FailureCode::CentralUnreachable;
            return self.reader_says(ReaderEvent::NotCredited(order.top_up, code));
        }
        let id = order.top_up;
        let subject = self.disk.iter().find(|entry| entry.subject.top_up == id).unwrap().subject;
        let fate = std::mem::replace(&mut self.credit, CreditFate::Done);
        let Some(card) = self.card(order.presentation) else {
            return self.reader_says(ReaderEvent::NotCredited(id, FailureCode::CardTorn));
        };
        assert_eq!(card.number, subject.card, "credited on another card");
        match fate {
            CreditFate::Done => {
                let event = match card.credit(order) {
                    Some((before, after)) => ReaderEvent::Credited { top_up: id, before, after },
                    None => ReaderEvent::NotCredited(id, FailureCode::CounterMoved),
                };
                self.reader_says(event);
            }
            CreditFate::NotSent => self.reader_says(ReaderEvent::NotCredited(id, FailureCode::CardTorn)),
            CreditFate::Torn { credited } => {
                if credited {
                    card.credit(order);
                }
                self.tray = None;
                self.reader_says(ReaderEvent::CreditInDoubt(id));
                self.reader_says(ReaderEvent::CardGone(order.presentation));
            }
        }
    }

    pub(crate) fn open_pin(&mut self, presentation: Presentation) {
        let digits = std::mem::take(&mut self.digits);
        let Some(card) = self.card(presentation) else {
            return self.queue.push_back(Event::Pin(presentation, Err(FailureCode::RecordMissing)));
        };
        assert!(card.tries.failures > 0, "a PIN was tried before the try was counted on the card");
        let right = digits == card.pin;
        let result = if right { Ok(Box::new(card.pin_facts())) } else { Err(FailureCode::PinWrong) };
        self.queue.push_back(Event::Pin(presentation, result));
    }

    pub(crate) fn paper(&mut self, order: PaperOrder) {
        let (name, code) =
            (order.name().clone(), matches!(order, PaperOrder::Document { .. }).then(|| "ABCD-EFGH".to_owned()));
        self.prints.push(order);
        if let Some(code) = self.no_paper {
            return self.queue.push_back(Event::Paper(PaperEvent::Failed(name, code)));
        }
        self.queue.push_back(Event::Paper(PaperEvent::Ready { name, document: Handle(700), pages: 1, code }));
    }

    pub(crate) fn print(&mut self, request: PrinterRequest) {
        let PrinterRequest::Print { name, .. } = request else { return };
        if self.slow_printer {
            return;
        }
        let event = match self.print {
            None => PrinterEvent::Printed(name),
            Some(FailureCode::PrintUncertain) => PrinterEvent::Uncertain(name, FailureCode::PrintUncertain),
            Some(code) => PrinterEvent::NotPrinted(name, code),
        };
        self.queue.push_back(Event::Printer(event));
    }
}
