//! The printer's owner: prints what the vault holds, journals how it ended, and tells how it stands.

use crate::desk::Desk;
use crate::journal::{JournalDesk, survive};
use crate::machine::{Clock, Input, Inputs};
use crate::vault::Vault;
use domain::device::{PrinterEvent, PrinterRequest};
use domain::{FailureCode, Handle, PrintName};
use printing::{PrintOutcome, Printer, Readiness};
use session::Event;

/// What the printer's thread owns.
pub(crate) struct Press {
    pub(crate) printer: Box<dyn Printer>,
    pub(crate) vault: Vault,
    pub(crate) journal: JournalDesk,
    pub(crate) inputs: Inputs,
    pub(crate) clock: Clock,
    pub(crate) told: Option<PrinterEvent>,
}

/// Where work for it is handed in.
pub(crate) type PrinterDesk = Desk<Press>;

/// Carries out a request.
pub(crate) fn request(desk: &PrinterDesk, request: PrinterRequest) {
    desk.hand_in(move |press| match request {
        PrinterRequest::Print { name, document, pages } => press.print(&name, document, pages),
        PrinterRequest::Resolve(name) => {
            let outcome = press.printer.resolve(&name);
            press.ended(&name, outcome);
        }
    });
}

impl Press {
    /// Asks how the printer stands, and says so when that has changed.
    pub(crate) fn look(&mut self) {
        let event = match self.printer.ready() {
            Readiness::Ready => PrinterEvent::Ready,
            Readiness::NotReady(code) => PrinterEvent::NotReady(code),
        };
        if self.told.as_ref() != Some(&event) {
            self.told = Some(event.clone());
            self.say(event);
        }
    }

    /// Asks the printer for a technician; its make and model, where it tells.
    pub(crate) fn check(&mut self) -> Result<Option<String>, FailureCode> {
        self.look();
        match self.told {
            Some(PrinterEvent::NotReady(code)) => Err(code),
            _ => Ok(self.printer.name()),
        }
    }

    fn print(&mut self, name: &PrintName, document: Handle, pages: u32) {
        let Some(pdf) = self.vault.get(document) else {
            // The visit ended before the printer heard of it.
            return self.ended(name, PrintOutcome::NotPrinted(FailureCode::PrintRefused));
        };
        let inputs = self.inputs.clone();
        let printing = name.clone();
        let mut progress = move |_| {
            inputs.send(Input::Event(Event::Printer(PrinterEvent::Printing(printing.clone()))));
        };
        let outcome = self.printer.print(name, &pdf, pages, &mut progress);
        self.ended(name, outcome);
        self.look();
    }

    /// Journalled first: what is said of paper is known after a restart too.
    fn ended(&mut self, name: &PrintName, outcome: PrintOutcome) {
        let kept = match outcome {
            PrintOutcome::Printed => store::PrintOutcome::Printed,
            PrintOutcome::NotPrinted(code) => store::PrintOutcome::NotPrinted(code),
            PrintOutcome::Uncertain(code) => store::PrintOutcome::Uncertain(code),
        };
        let event = match outcome {
            PrintOutcome::Printed => PrinterEvent::Printed(name.clone()),
            PrintOutcome::NotPrinted(code) => PrinterEvent::NotPrinted(name.clone(), code),
            PrintOutcome::Uncertain(code) => PrinterEvent::Uncertain(name.clone(), code),
        };
        let (name, inputs, now) = (name.clone(), self.inputs.clone(), self.clock.now().wall);
        self.journal.hand_in(move |journal| {
            survive(&journal.print_outcome(&name, kept, now, None));
            inputs.send(Input::Event(Event::Printer(event)));
        });
    }

    fn say(&self, event: PrinterEvent) {
        self.inputs.send(Input::Event(Event::Printer(event)));
    }
}
