//! Each fault as the citizen meets it: its own words, its code, what to do now, what happens otherwise, and a person
//! to ask. Caused at the device, read from the view.

use crate::bank::PaymentFate;
use crate::money::top_up;
use crate::street::{Street, assert_nothing_private, buttons};
use crate::world::{CreditFate, NOON};
use domain::card::{Presentation, TopUpRecord};
use domain::device::{PrinterEvent, ReaderEvent};
use domain::{Cents, FailureCode, TerminalId, TopUpId};
use serde_json::Value;
use session::{Action, Event, Feed, Network};
use std::collections::BTreeMap;

pub(crate) fn code(street: &Street) -> Value {
    street.view()["screen"]["code"]["text"].clone()
}

/// A refused card, the fault a reader tells.
pub(crate) fn refused(street: &mut Street, presentation: u64, code: FailureCode) {
    let presentation = Presentation(presentation);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, code)));
}

fn feed_of_age(street: &mut Street, days: i64) {
    let issued = NOON.plus_ms(-days * 86_400_000);
    let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
    street.say(Event::Network(Network { online: true, since: NOON, feed }));
}

type Way = fn(&mut Street);

/// Every fault that ends an errand, with the code it must show.
const FAULTS: &[(&str, Way)] = &[
    ("C-02", |street| refused(street, 9, FailureCode::CardForeign)),
    ("C-03", |street| refused(street, 9, FailureCode::CardUnreadable)),
    ("C-04", |street| refused(street, 9, FailureCode::CardDamaged)),
    ("C-05", |street| {
        street.cards[0].tap = Err(FailureCode::CardRevoked);
        street.lay(0);
    }),
    ("C-06", |street| {
        street.cards[0].purse = Cents(505_290_770);
        street.lay(0);
        street.press("top-up");
    }),
    ("C-08", |street| {
        street.credit = CreditFate::NotSent;
        top_up(street);
    }),
    ("C-10", |street| {
        street.cards[0].purse = Cents(19_900);
        street.lay(0);
        street.press("top-up");
    }),
    ("C-12", |street| refused(street, 9, FailureCode::CardOtherCity)),
    ("P-01", |street| {
        street.terminal_leaves();
        street.lay(0);
        street.press("top-up");
    }),
    ("P-02", |street| declined(street, FailureCode::PaymentRefused)),
    ("P-03", |street| declined(street, FailureCode::PaymentCancelled)),
    ("P-05", |street| declined(street, FailureCode::PaymentMismatch)),
    ("P-06", |street| {
        crate::scenes::faults::undecided(street);
        street.press("top-up");
    }),
    ("P-08", |street| {
        let today = street.session_day();
        let record = |counter, amount| TopUpRecord {
            counter,
            day: today,
            top_up: TopUpId([u8::try_from(counter).unwrap(); 16]),
            amount: Cents(amount),
            before: Cents(0),
            terminal: TerminalId(3),
        };
        street.cards[0].records.insert(0, record(5, 15_000));
        street.lay(0);
        street.press("top-up");
    }),
    ("I-01", |street| without_printer(street, FailureCode::PrinterAbsent)),
    ("I-02", |street| without_printer(street, FailureCode::PaperOut)),
    ("I-03", |street| without_printer(street, FailureCode::PaperJam)),
    ("I-04", |street| without_printer(street, FailureCode::PrinterOpen)),
    ("I-05", |street| print_fails(street, FailureCode::PrintRefused)),
    ("I-06", |street| print_fails(street, FailureCode::PrintUncertain)),
    ("I-07", |street| without_printer(street, FailureCode::PrinterFault)),
    ("D-01", |street| {
        street.no_paper = Some(FailureCode::DocumentFailed);
        print_fails(street, FailureCode::PrintRefused);
    }),
    ("D-02", |street| {
        street.no_paper = Some(FailureCode::CodesExhausted);
        print_fails(street, FailureCode::PrintRefused);
    }),
    ("N-02", |street| {
        feed_of_age(street, 36);
        street.lay(0);
        street.press("documents");
    }),
    ("R-01", |street| record(street, FailureCode::RecordMissing)),
    ("R-02", |street| record(street, FailureCode::RecordCorrupt)),
    ("R-03", |street| {
        street.cards[0].tries.pin_version = 2;
        street.lay(0);
        street.press("documents");
    }),
    ("R-05", |street| {
        street.lay(0);
        street.ask_for_document();
        (0..3).for_each(|_| street.type_pin("111111"));
    }),
    ("R-06", |street| {
        street.cards[0].record_pin(0);
        street.lay(0);
        street.press("documents");
    }),
    ("S-01", |street| {
        street.say(Event::JournalSetAside);
        street.lay(0);
        street.press("top-up");
    }),
    ("S-03", |street| {
        street.say(Event::Disk { full: true });
        street.lay(0);
        street.press("documents");
    }),
    ("S-06", |street| {
        street.say(Event::Clock(session::ClockState::Wrong));
        street.lay(0);
        street.press("top-up");
    }),
];

fn declined(street: &mut Street, code: FailureCode) {
    street.terminal.next = PaymentFate::Declines(code);
    top_up(street);
}

fn without_printer(street: &mut Street, code: FailureCode) {
    street.say(Event::Printer(PrinterEvent::NotReady(code)));
    street.lay(0);
    street.press("documents");
}

fn print_fails(street: &mut Street, code: FailureCode) {
    street.print = Some(code);
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
}

fn record(street: &mut Street, code: FailureCode) {
    street.cards[0].tap = Err(code);
    street.lay(0);
    street.press("documents");
}

#[test]
fn each_fault_has_its_code_a_next_step_what_happens_otherwise_and_a_person_to_ask() {
    for (id, way) in FAULTS {
        let mut street = Street::new();
        way(&mut street);
        let screen = street.view()["screen"].clone();
        assert_eq!((&screen["kind"], code(&street)), (&"trouble".into(), format!("Código {id}").into()), "{screen:#}");
        let points = screen["points"].as_array().unwrap();
        assert_eq!(points.len(), 3, "{id}");
        assert!(points[2]["text"]["text"].as_str().unwrap().contains("985 000 000"), "{id}");
        assert_nothing_private(&street);
    }
}

#[test]
fn no_two_faults_share_their_words() {
    let mut said: BTreeMap<String, &str> = BTreeMap::new();
    for (id, way) in FAULTS {
        let mut street = Street::new();
        way(&mut street);
        let heading = street.heading();
        assert_ne!(heading, "Algo no ha ido bien", "{id}");
        if let Some(other) = said.insert(heading.clone(), id) {
            panic!("{other} and {id} both say: {heading}");
        }
    }
}

#[test]
fn a_fault_of_one_errand_leaves_the_others_open() {
    for (id, way) in FAULTS.iter().filter(|(id, _)| !matches!(*id, "C-02" | "C-03" | "C-04" | "C-05" | "C-12")) {
        let mut street = Street::new();
        way(&mut street);
        street.press("home");
        street.press("services");
        assert_eq!(street.kind(), "details", "{id}");
        street.press("home");
        street.press("movements");
        assert_eq!(street.kind(), "details", "{id}");
    }
}

#[test]
fn a_tile_that_leads_nowhere_now_says_so_and_leads_to_the_reason() {
    for (id, way) in FAULTS {
        let mut street = Street::new();
        way(&mut street);
        street.act(Action::Home);
        let view = street.view();
        let Some(tiles) = view["screen"]["tiles"].as_array() else { continue };
        for tile in tiles {
            assert_eq!(tile["enabled"], true, "{id}: {tile}");
            assert_ne!(tile["hint"]["text"], "", "{id}");
        }
    }
}

#[test]
fn a_mended_printer_prints_what_was_asked_for_without_asking_again() {
    let mut street = Street::new();
    print_fails(&mut street, FailureCode::PaperJam);
    street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperJam)));
    let again = |street: &Street| street.view()["screen"]["actions"].to_string().contains("print-again");
    assert!(!again(&street));
    street.print = None;
    street.say(Event::Printer(PrinterEvent::Ready));
    assert!(again(&street));
    assert_eq!((street.heading().as_str(), code(&street)), ("La impresora vuelve a funcionar", "Código I-03".into()));
    street.press("print-again");
    assert_eq!(street.kind(), "details", "the values again, and no second PIN");
    street.press("print");
    assert_eq!((street.kind().as_str(), street.prints.len()), ("done", 2));
}

#[test]
fn a_printer_mended_before_a_document_was_chosen_leads_to_the_choice() {
    let mut street = Street::new();
    without_printer(&mut street, FailureCode::PaperOut);
    street.say(Event::Printer(PrinterEvent::Ready));
    street.press("print-again");
    assert_eq!(street.kind(), "menu");
}

#[test]
fn a_receipt_that_failed_is_offered_again_once_the_printer_is_mended() {
    let mut street = Street::new();
    top_up(&mut street);
    street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    street.press("print-receipt");
    let view = street.view();
    assert!(view["screen"]["lead"]["text"].as_str().unwrap().contains("I-02"));
    let ids: Vec<_> = buttons(&view["screen"]).into_iter().map(|button| button["id"].clone()).collect();
    assert_eq!(ids, ["show-receipt", "home"]);
    street.say(Event::Printer(PrinterEvent::Ready));
    street.press("print-receipt");
    assert_eq!(street.view()["screen"]["lead"]["text"], "Recoja su recibo.");
    assert_eq!(street.prints.len(), 1);
}

#[test]
fn a_payment_terminal_that_comes_back_takes_the_top_up_up_again() {
    let mut street = Street::new();
    street.terminal_leaves();
    street.lay(0);
    street.press("top-up");
    street.terminal_returns();
    assert_eq!(street.heading(), "Ya se puede recargar aquí");
    street.press("again");
    assert_eq!(street.kind(), "amount");
}

#[test]
fn a_terminal_that_has_credited_enough_today_says_so() {
    let mut street = Street::new();
    for place in [0, 1].into_iter().cycle().take(400) {
        street.cards[place].purse = Cents(0);
        street.cards[place].records.truncate(1);
        street.cards[place].records[0].day = domain::Day(20_000);
        street.lay(place);
        street.press("top-up");
        if street.kind() == "trouble" {
            break;
        }
        street.press("amount-10000");
        if street.view()["screen"]["confirm"]["enabled"] == false {
            assert_eq!(street.heading(), "Hoy este terminal admite menos. Elija menos. (P-09)");
            street.press("amount-500");
        }
        street.press("pay");
    }
    assert_eq!(code(&street), "Código P-09");
}

#[test]
fn a_closed_terminal_names_other_ways_and_can_still_be_read_in_another_language() {
    let mut street = Street::new();
    street.say(Event::Reader(ReaderEvent::Gone));
    let view = street.view();
    assert_eq!((&view["screen"]["kind"], code(&street)), (&"closed".into(), "Código C-01".into()));
    let points = view["screen"]["points"].to_string();
    for word in ["otro terminal", "oficina", "985 000 000"] {
        assert!(points.contains(word), "{word} in {points}");
    }
    street.press("language");
    street.press("language-en");
    assert_eq!(street.view()["lang"], "en");
}

#[test]
fn a_kiosk_that_cannot_start_says_which_file_line_and_key() {
    let language = locale::Catalog::new(&["es".to_owned()], "Europe/Madrid", |_| None).unwrap().language("es");
    let detail = "kiosk.toml:14: reader.name".to_owned();
    let view = session::closed_view(&language, FailureCode::ConfigurationInvalid, Some(detail), "11:00".into());
    let view = serde_json::to_value(view).unwrap();
    assert_eq!(view["screen"]["code"]["text"], "Código S-05");
    assert_eq!(view["screen"]["detail"]["text"], "kiosk.toml:14: reader.name");
    assert_eq!(view["screen"]["points"].as_array().unwrap().len(), 2);
}
