//! Receipts, documents and the PIN before them.

use crate::money::top_up;
use crate::street::Street;
use crate::world::NAME;
use domain::FailureCode;
use domain::device::PrinterEvent;
use session::{Action, Event, PaperOrder};

fn at_pin() -> Street {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street
}

#[test]
fn a_receipt_is_printed_once_and_only_said_to_be_out_when_it_is() {
    let mut street = Street::new();
    top_up(&mut street);
    street.slow_printer = true;
    street.press("print-receipt");
    assert_eq!(street.kind(), "busy");
    let PaperOrder::Receipt { name, before, amount, after, .. } = street.prints[0].clone() else { panic!() };
    assert_eq!((before.0, amount.0, after.0), (350, 2_000, 2_350));
    street.say(Event::Printer(PrinterEvent::Printed(name)));
    assert_eq!(street.view()["screen"]["lead"]["text"], "Recoja su recibo.");
    street.act(Action::PrintReceipt);
    assert_eq!(street.prints.len(), 1);
}

#[test]
fn a_receipt_that_fails_leaves_the_top_up_done() {
    let mut street = Street::new();
    street.print = Some(FailureCode::PaperJam);
    top_up(&mut street);
    street.press("print-receipt");
    let view = street.view();
    assert_eq!(view["screen"]["kind"], "done");
    assert!(view["screen"]["lead"]["text"].as_str().unwrap().contains("I-03"));
}

#[test]
fn the_try_is_counted_on_the_card_before_the_pin_is_opened_and_success_resets_it() {
    let mut street = at_pin();
    street.type_pin("271828");
    let counted = street.logged("failures: 1");
    let opened = street.logged("OpenPin");
    let reset = street.log.iter().rposition(|line| line.contains("failures: 0")).unwrap();
    assert!(counted < opened && opened < reset);
    assert_eq!((street.cards[0].tries.failures, street.cards[0].tries.attempt), (0, 11));
    assert!(street.view().to_string().contains(NAME));
}

#[test]
fn a_wrong_pin_tells_the_tries_left_and_the_third_locks() {
    let mut street = at_pin();
    street.type_pin("111111");
    assert_eq!(street.view()["screen"]["notice"]["text"]["text"], "Le quedan 2 intentos.");
    street.type_pin("111111");
    assert_eq!(street.view()["screen"]["notice"]["text"]["text"], "Le queda un intento.");
    street.type_pin("111111");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-05");
    assert_eq!(street.cards[0].tries.failures, 3);
    street.press("home");
    street.ask_for_document();
    assert_eq!(street.kind(), "trouble");
    street.lay(1);
    street.lay(0);
    street.ask_for_document();
    assert_eq!(street.kind(), "trouble", "locked on the card, not in the visit");
}

#[test]
fn digits_are_counted_and_never_shown_and_do_not_outlive_the_pad() {
    let mut street = at_pin();
    for digit in "271".chars() {
        street.press(&format!("digit-{digit}"));
    }
    assert_eq!(street.view()["screen"]["entered"], 3);
    assert!(!street.view().to_string().contains("271"));
    street.act(Action::Home);
    assert_eq!(street.digits, "");
    street.act(Action::PinDigit { digit: 4 });
    assert_eq!(street.digits, "");
}

#[test]
fn a_card_lifted_at_the_pad_forgets_what_was_typed() {
    let mut street = at_pin();
    street.press("digit-2");
    street.lift();
    assert_eq!(street.digits, "");
    street.lay(0);
    assert_eq!(street.view()["screen"]["entered"], 0);
}

#[test]
fn a_document_is_shown_printed_and_handed_over_with_its_code() {
    let mut street = at_pin();
    street.type_pin("271828");
    street.press("print");
    let PaperOrder::Document { facts, offline, .. } = street.prints[0].clone() else { panic!() };
    assert_eq!((facts.name.as_str(), offline), (NAME, false));
    let view = street.view();
    assert_eq!(view["screen"]["kind"], "done");
    assert_eq!(view["screen"]["rows"][0]["value"]["text"], "ABCD-EFGH");
}

#[test]
fn an_offline_paper_says_so_and_the_screen_names_the_age_of_its_data() {
    let mut street = at_pin();
    street.online(false);
    street.type_pin("271828");
    let text = street.view()["screen"]["notices"].to_string();
    assert!(text.contains("Sin conexión desde hoy a las 10:00") && text.contains("N-01"), "{text}");
    street.press("print");
    assert!(matches!(street.prints[0], PaperOrder::Document { offline: true, .. }));
}

#[test]
fn a_printer_that_is_not_ready_is_said_before_the_pin_is_asked() {
    let mut street = Street::new();
    street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    street.lay(0);
    assert!(street.view()["screen"]["notices"].to_string().contains("I-02"));
    street.ask_for_document();
    assert_eq!(street.view()["screen"]["code"]["text"], "Código I-02");
    street.press("home");
    assert_eq!(street.kind(), "home");
}

#[test]
fn an_uncertain_print_is_said_and_never_repeated_by_itself() {
    let mut street = at_pin();
    street.print = Some(FailureCode::PrintUncertain);
    street.type_pin("271828");
    street.press("print");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código I-06");
    assert_eq!(street.prints.len(), 1);
}

#[test]
fn records_that_cannot_serve_are_told_apart() {
    let check = |change: fn(&mut Street), code: &str| {
        let mut street = Street::new();
        change(&mut street);
        street.lay(0);
        street.ask_for_document();
        assert_eq!(street.view()["screen"]["code"]["text"], format!("Código {code}"));
    };
    check(|street| street.cards[0].tap = Err(FailureCode::RecordMissing), "R-01");
    check(|street| street.cards[0].record_pin(0), "R-06");
    check(|street| street.cards[0].tries.pin_version = 2, "R-03");
    check(|street| street.cards[0].tries.failures = 3, "R-05");
}

#[test]
fn with_a_journal_set_aside_pin_and_charges_are_refused_and_the_rest_works() {
    let mut street = Street::new();
    street.say(Event::JournalSetAside);
    street.lay(0);
    assert!(street.view()["screen"]["balance"].is_object());
    for button in ["top-up", "documents"] {
        street.press(button);
        let view = street.view();
        assert_eq!(view["screen"]["kind"], "trouble");
        assert!(view["screen"]["code"]["text"].as_str().unwrap().contains("S-01"), "{button}");
        street.press("home");
    }
    street.press("services");
    assert_eq!(street.kind(), "details");
}
