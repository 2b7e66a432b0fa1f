//! The technician's screens, and the terminal out of order.

use super::Way;
use super::visit::at_pin;
use crate::maintenance::{SERVICE_CARD, enter};
use crate::street::Street;
use crate::world::CreditFate;
use domain::FailureCode;
use domain::device::PrinterEvent;
use domain::service::{ExportError, Part, Reason, ServiceEvent};
use session::Event;

pub(crate) const SCENES: &[(&str, Way)] = &[
    ("service-pin", |street| street.lay(SERVICE_CARD)),
    ("service-pin-forgotten", |street| {
        street.lay(SERVICE_CARD);
        street.press("forgot-pin");
    }),
    ("service-menu", enter),
    ("service-menu-one-fault", |street| {
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        enter(street);
    }),
    ("service-menu-faults", |street| {
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        street.say(Event::JournalSetAside);
        enter(street);
    }),
    ("service-menu-out-of-order", |street| {
        street.machine.out_of_order = Some(Reason::Repair);
        street.say(Event::Service(ServiceEvent::OutOfOrder(Some(Reason::Repair))));
        enter(street);
    }),
    ("service-help", |street| after(street, &["help"])),
    ("service-state", |street| after(street, &["state"])),
    ("service-state-second-page", |street| after(street, &["state", "next"])),
    ("service-state-faults", |street| {
        street.online(false);
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperJam)));
        after(street, &["state"]);
    }),
    ("service-testing-reader", |street| {
        enter(street);
        street.machine.is_silent = true;
        street.press("self-test");
    }),
    ("service-tested-reader", |street| after(street, &["self-test"])),
    ("service-tested-payment", |street| after(street, &["self-test", "next"])),
    ("service-tested-printer-fails", |street| {
        street.machine.tests.insert(Part::Printer, Err(FailureCode::PaperOut));
        after(street, &["self-test", "next", "next"]);
    }),
    ("service-sound", |street| after(street, &["self-test", "next", "next", "next"])),
    ("service-sound-not-heard", |street| after(street, &["self-test", "next", "next", "next", "not-heard"])),
    ("service-tested-network", |street| {
        after(street, &["self-test", "next", "next", "next", "heard", "next"]);
    }),
    ("service-summary", |street| {
        after(street, &["self-test", "next", "next", "next", "heard", "next", "next"]);
    }),
    ("service-summary-not-ready", |street| {
        street.machine.tests.insert(Part::Payment, Err(FailureCode::PaymentAbsent));
        after(street, &["self-test", "next", "next", "next", "not-heard", "next", "next"]);
    }),
    ("service-report-printing", |street| {
        street.slow_printer = true;
        after(street, &["self-test", "next", "next", "next", "heard", "next", "next", "print-report"]);
    }),
    ("service-report-out", |street| {
        after(street, &["self-test", "next", "next", "next", "heard", "next", "next", "print-report"]);
    }),
    ("service-paper", |street| after(street, &["paper"])),
    ("service-claims", |street| {
        street.credit = CreditFate::Torn { credited: true };
        crate::money::top_up(street);
        street.pass(200_000);
        after(street, &["claims"]);
    }),
    ("service-claims-none", |street| {
        (street.machine.overview.outbox, street.machine.overview.outbox_since) = (0, None);
        after(street, &["claims"]);
    }),
    ("service-more", |street| after(street, &["more"])),
    ("service-export", |street| after(street, &["more", "export"])),
    ("service-exporting", |street| {
        after(street, &["more", "export"]);
        street.machine.is_silent = true;
        street.press("start-export");
    }),
    ("service-exported", |street| after(street, &["more", "export", "start-export"])),
    ("service-export-no-stick", |street| {
        street.machine.export = Err(ExportError::NoStick);
        after(street, &["more", "export", "start-export"]);
    }),
    ("service-export-full", |street| {
        street.machine.export = Err(ExportError::Full);
        after(street, &["more", "export", "start-export"]);
    }),
    ("service-export-failed", |street| {
        street.machine.export = Err(ExportError::Failed);
        after(street, &["more", "export", "start-export"]);
    }),
    ("service-ruler", |street| after(street, &["more", "ruler"])),
    ("service-reasons", |street| after(street, &["switch-off"])),
    ("service-restart", |street| after(street, &["more", "restart"])),
    ("service-restarting", |street| after(street, &["more", "restart", "confirm-restart"])),
    ("service-unanswered-s-09", |street| {
        after(street, &["more", "restart", "confirm-restart"]);
        street.pass(31_000);
    }),
    ("service-not-kept-s-03", |street| {
        street.machine.keeps_nothing = Some(FailureCode::DiskFull);
        after(street, &["paper", "paper-changed"]);
    }),
    ("pin-forgotten", |street| {
        at_pin(street);
        street.press("forgot-pin");
    }),
    ("pin-copied-card-r-05", |street| {
        let number = street.cards[0].number;
        street.floors.insert(number, 99);
        street.lay(0);
        street.press("documents");
    }),
    ("closed-out-of-order-s-08", |street| {
        street.say(Event::Service(ServiceEvent::OutOfOrder(Some(Reason::Paper))));
    }),
];

fn after(street: &mut Street, buttons: &[&str]) {
    enter(street);
    buttons.iter().for_each(|button| street.press(button));
}
