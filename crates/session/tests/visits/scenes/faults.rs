//! What can go wrong, each fault caused at its device.

use super::Way;
use super::visit::{at_pin, to_document, to_pin};
use crate::bank::PaymentFate;
use crate::money::top_up;
use crate::street::Street;
use crate::world::{CreditFate, NOON};
use domain::card::{Presentation, TopUpRecord};
use domain::device::{PaymentEvent, PrinterEvent, ReaderEvent};
use domain::holder::PriceClass;
use domain::{Cents, Day, FailureCode, TerminalId, TopUpId};
use session::{ClockState, Event, Feed, Network};

pub(crate) const SCENES: &[(&str, Way)] = &[
    // The reader and the card.
    ("closed-c-01", |street| street.say(Event::Reader(ReaderEvent::Gone))),
    ("trouble-c-02", |street| refused(street, FailureCode::CardForeign)),
    ("trouble-c-03", |street| refused(street, FailureCode::CardUnreadable)),
    ("trouble-c-04", |street| refused(street, FailureCode::CardDamaged)),
    ("trouble-c-05", |street| record(street, FailureCode::CardRevoked)),
    ("trouble-help-c-05", |street| {
        record(street, FailureCode::CardRevoked);
        street.press("help");
    }),
    ("trouble-c-06", |street| {
        street.cards[0].purse = Cents(25_000);
        street.lay(0);
        street.press("top-up");
    }),
    ("home-purse-c-06", |street| {
        street.cards[0].purse = Cents(25_000);
        street.lay(0);
    }),
    ("trouble-c-07", |street| {
        street.slow_reader = true;
        top_up(street);
        street.held.clear();
        let presentation = Presentation(street.presentation);
        street.say(Event::Reader(ReaderEvent::CreditKeyRefused(presentation, FailureCode::CreditKeyRejected)));
    }),
    ("trouble-c-08", |street| {
        street.credit = CreditFate::NotSent;
        top_up(street);
    }),
    ("trouble-c-09", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        let elsewhere = TopUpRecord {
            counter: 5,
            day: Day(20_000),
            top_up: TopUpId([0xEF; 16]),
            amount: Cents(500),
            before: Cents(350),
            terminal: TerminalId(3),
        };
        street.cards[0].records.insert(0, elsewhere);
        street.bank_card();
    }),
    ("trouble-c-10", |street| {
        street.cards[0].purse = Cents(19_900);
        street.lay(0);
        street.press("top-up");
    }),
    ("trouble-c-12", |street| refused(street, FailureCode::CardOtherCity)),
    ("covered-c-11", |street| {
        street.lay(0);
        street.lay_on_top(1);
    }),
    ("trouble-c-11", |street| {
        street.lay(0);
        street.lay_on_top(1);
        street.pass(20_500);
    }),
    ("covered-c-03", |street| {
        street.lay(0);
        street.lift();
        refused(street, FailureCode::CardUnreadable);
    }),
    ("covered-c-01", |street| {
        street.lay(0);
        street.say(Event::Reader(ReaderEvent::Gone));
    }),
    ("closed-help", |street| {
        street.say(Event::Reader(ReaderEvent::Gone));
        street.press("help");
    }),
    // The payment terminal and the bank.
    ("attract-no-payment-p-01", |street| street.say(Event::Payment(PaymentEvent::Gone))),
    ("home-no-payment-p-01", |street| {
        street.terminal_leaves();
        street.lay(0);
    }),
    ("trouble-p-01", |street| {
        street.lay(0);
        street.press("top-up");
        street.terminal_leaves();
        street.press("pay");
    }),
    ("trouble-back-p-01", |street| {
        street.terminal_leaves();
        street.lay(0);
        street.press("top-up");
        street.terminal_returns();
    }),
    ("trouble-p-02", |street| declined(street, FailureCode::PaymentRefused)),
    ("trouble-p-03", |street| declined(street, FailureCode::PaymentCancelled)),
    ("trouble-p-05", |street| declined(street, FailureCode::PaymentMismatch)),
    ("trouble-p-06", |street| {
        undecided(street);
        street.press("top-up");
    }),
    ("home-undecided-p-06", undecided),
    ("trouble-p-08", |street| {
        let today = TopUpRecord {
            counter: 5,
            day: street.session_day(),
            top_up: TopUpId([0xEF; 16]),
            amount: Cents(15_000),
            before: Cents(350),
            terminal: TerminalId(3),
        };
        street.cards[0].records.insert(0, today);
        street.lay(0);
        street.press("top-up");
    }),
    ("trouble-p-09", |street| {
        for round in 0..31 {
            street.cards[0].purse = Cents(0);
            street.cards[0].records.truncate(1);
            street.cards[0].records[0].day = Day(20_000);
            street.lay(0);
            street.press("top-up");
            if round < 30 {
                street.press("amount-10000");
                street.press("pay");
                street.press("finish");
                street.lift();
            }
        }
    }),
    // The printer and the papers.
    ("attract-no-paper-i-02", |street| street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)))),
    ("home-no-paper-i-02", |street| {
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        street.lay(0);
    }),
    ("topped-up-no-paper", |street| {
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        top_up(street);
    }),
    ("trouble-i-01", |street| without_printer(street, FailureCode::PrinterAbsent)),
    ("trouble-i-02", |street| without_printer(street, FailureCode::PaperOut)),
    ("trouble-i-03", |street| print_fails(street, FailureCode::PaperJam)),
    ("trouble-i-04", |street| without_printer(street, FailureCode::PrinterOpen)),
    ("trouble-i-05", |street| print_fails(street, FailureCode::PrintRefused)),
    ("trouble-i-06", |street| print_fails(street, FailureCode::PrintUncertain)),
    ("trouble-i-07", |street| without_printer(street, FailureCode::PrinterFault)),
    ("trouble-d-01", |street| no_paper(street, FailureCode::DocumentFailed)),
    ("trouble-d-02", |street| no_paper(street, FailureCode::CodesExhausted)),
    ("trouble-d-03", |street| {
        street.cards[0].papers_until = None;
        print_fails(street, FailureCode::PrintRefused);
    }),
    ("trouble-d-04", |street| {
        street.cards[0].papers_until = Some(Day(20_000));
        print_fails(street, FailureCode::PrintRefused);
    }),
    ("trouble-mended-i-02", |street| {
        print_fails(street, FailureCode::PaperOut);
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        street.say(Event::Printer(PrinterEvent::Ready));
    }),
    ("topped-up-mended-i-02", |street| {
        top_up(street);
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
        street.press("print-receipt");
        street.say(Event::Printer(PrinterEvent::Ready));
    }),
    ("topped-up-receipt-uncertain-i-06", |street| {
        street.print = Some(FailureCode::PrintUncertain);
        top_up(street);
        street.press("print-receipt");
    }),
    ("printing-paused", |street| {
        street.slow_printer = true;
        street.lay(0);
        to_document(street);
        street.press("print");
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    }),
    ("printed-offline", |street| {
        street.online(false);
        street.lay(0);
        to_document(street);
        street.press("print");
    }),
    // Central and what it sends.
    ("attract-no-data-s-04", |street| {
        street.say(Event::Network(Network { online: true, since: NOON.plus_ms(-3_600_000), feed: None }));
    }),
    ("attract-too-old-n-02", |street| {
        let issued = NOON.plus_ms(-36 * 86_400_000);
        let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
        street.say(Event::Network(Network { online: true, since: NOON.plus_ms(-3_600_000), feed }));
    }),
    ("home-price-r-07", price_unknown),
    ("services-price-r-07", |street| {
        price_unknown(street);
        street.press("services");
    }),
    ("trouble-n-02", |street| {
        let issued = NOON.plus_ms(-36 * 86_400_000);
        let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
        street.say(Event::Network(Network { online: true, since: NOON.plus_ms(-3_600_000), feed }));
        at_pin(street);
    }),
    ("trouble-r-01", |street| {
        record(street, FailureCode::RecordMissing);
        to_pin(street);
    }),
    ("home-no-record-r-01", |street| record(street, FailureCode::RecordMissing)),
    ("services-no-record-r-01", |street| {
        record(street, FailureCode::RecordMissing);
        street.press("services");
    }),
    ("trouble-r-02", |street| {
        record(street, FailureCode::RecordCorrupt);
        to_pin(street);
    }),
    ("trouble-r-03", |street| {
        street.cards[0].tries.pin_version = 2;
        at_pin(street);
    }),
    ("trouble-r-05", |street| {
        at_pin(street);
        (0..3).for_each(|_| street.type_pin("111111"));
    }),
    ("trouble-r-06", |street| {
        street.cards[0].record_pin(0);
        at_pin(street);
    }),
    // The machine itself.
    ("trouble-s-01", |street| {
        street.say(Event::JournalSetAside);
        street.lay(0);
        street.press("top-up");
    }),
    ("attract-journal-s-01", |street| street.say(Event::JournalSetAside)),
    ("attract-disk-s-03", |street| street.say(Event::Disk { full: true })),
    ("trouble-s-03", |street| {
        street.say(Event::Disk { full: true });
        at_pin(street);
    }),
    ("attract-clock-s-06", |street| street.say(Event::Clock(ClockState::Wrong))),
    ("home-clock-s-06", |street| {
        street.say(Event::Clock(ClockState::Wrong));
        street.lay(0);
    }),
    ("trouble-s-06", |street| {
        street.say(Event::Clock(ClockState::Wrong));
        at_pin(street);
    }),
    // All that may be out at once.
    ("attract-outages", |street| {
        street.online(false);
        street.say(Event::Payment(PaymentEvent::Gone));
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    }),
    ("home-outages", |street| {
        street.online(false);
        street.terminal_leaves();
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PrinterAbsent)));
        street.lay(0);
    }),
];

/// The bank may have charged the person before; the next one stands here.
pub(crate) fn undecided(street: &mut Street) {
    street.terminal.next = PaymentFate::Waits;
    top_up(street);
    street.terminal.deaf = true;
    street.press("cancel-payment");
    street.pass(20_500);
    street.press("finish");
    street.lay(1);
}

/// The record names a price class that the city pack does not have.
fn price_unknown(street: &mut Street) {
    if let Ok(facts) = &mut street.cards[0].tap {
        facts.price_class = PriceClass(200);
    }
    street.lay(0);
}

/// The card is laid down and the reader refuses it.
fn refused(street: &mut Street, code: FailureCode) {
    let presentation = Presentation(9);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, code)));
}

/// The card is laid down, and its record cannot serve.
fn record(street: &mut Street, code: FailureCode) {
    street.cards[0].tap = Err(code);
    street.lay(0);
}

fn declined(street: &mut Street, code: FailureCode) {
    street.terminal.next = PaymentFate::Declines(code);
    top_up(street);
}

/// The printer is not ready when a paper is chosen.
fn without_printer(street: &mut Street, code: FailureCode) {
    street.say(Event::Printer(PrinterEvent::NotReady(code)));
    at_pin(street);
}

/// The printer fails with the paper.
fn print_fails(street: &mut Street, code: FailureCode) {
    street.print = Some(code);
    street.lay(0);
    to_document(street);
    street.press("print");
}

/// The paper cannot be laid out.
fn no_paper(street: &mut Street, code: FailureCode) {
    street.no_paper = Some(code);
    print_fails(street, code);
}
