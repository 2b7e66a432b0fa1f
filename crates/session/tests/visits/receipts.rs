//! The receipt: on paper, on the telephone, or none; on paper once.

use crate::bank::Paid;
use crate::money::top_up;
use crate::street::{Street, assert_nothing_private, buttons};
use domain::FailureCode;
use domain::device::PrinterEvent;
use session::{Action, Event};

fn topped_up() -> Street {
    let mut street = Street::new();
    top_up(&mut street);
    street
}

fn offered(street: &Street) -> Vec<String> {
    let view = street.view();
    let ids = buttons(&view["screen"]).into_iter().map(|button| button["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn lines(street: &Street) -> Vec<String> {
    let view = street.view();
    let lines = view["screen"]["lines"].as_array().unwrap();
    lines.iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_credit_offers_paper_code_and_none() {
    let mut street = topped_up();
    assert_eq!(offered(&street), ["print-receipt", "show-receipt", "home"]);
    let view = street.view();
    assert_eq!(view["screen"]["actions"][2]["label"]["text"], "Sin recibo");
    street.press("home");
    assert_eq!((street.kind().as_str(), street.prints.len()), ("home", 0));
}

#[test]
fn the_code_says_what_the_paper_says_and_names_nobody() {
    let mut street = topped_up();
    street.press("show-receipt");
    let view = street.view();
    assert_eq!(view["screen"]["kind"], "receipt");
    let side = view["screen"]["code"]["side"].as_u64().unwrap();
    assert!((40..=93).contains(&side), "{side} modules: too fine for a telephone");
    assert!(view["screen"]["code"]["path"].as_str().unwrap().starts_with("M4 4h7"));
    let lines = lines(&street).join("\n");
    for said in [
        "Ciudad de la Bahía",
        "COPIA PARA EL CLIENTE",
        "3,50\u{a0}€",
        "20,00\u{a0}€",
        "23,50\u{a0}€",
        "22/11/2026",
        "M01",
        "Visa Débito **** 7711",
        "Sin contacto · PIN verificado",
        "A0000000031010",
        "611804",
        "52500021",
        "000471",
        "Recibo del banco: 0471",
        "No es una factura.",
    ] {
        assert!(lines.contains(said), "{said} is missing in:\n{lines}");
    }
    assert!(!lines.contains("0017") && !lines.contains(crate::world::NAME), "{lines}");
    assert!(lines.len() < 640, "{} bytes", lines.len());
}

#[test]
fn the_code_goes_with_the_card() {
    let mut street = topped_up();
    street.press("show-receipt");
    street.lift();
    assert_nothing_private(&street);
    assert!(street.view()["screen"].get("code").is_none());
}

#[test]
fn after_the_code_paper_is_to_be_had_all_the_same() {
    let mut street = topped_up();
    street.press("show-receipt");
    street.press("on-paper");
    assert_eq!(street.kind(), "done");
    assert_eq!(street.view()["screen"]["hero"]["counting"].as_array().unwrap().len(), 0, "counted once");
    street.press("print-receipt");
    assert_eq!((street.prints.len(), offered(&street)), (1, vec!["home".to_owned()]));
}

#[test]
fn the_paper_comes_once_whatever_is_pressed() {
    let mut street = topped_up();
    street.slow_printer = true;
    street.press("print-receipt");
    street.act(Action::PrintReceipt);
    let name = street.prints[0].name().clone();
    street.say(Event::Printer(PrinterEvent::Printed(name)));
    for action in [Action::PrintReceipt, Action::ShowReceipt, Action::PrintReceipt, Action::Back, Action::PrintReceipt]
    {
        street.act(action);
    }
    assert_eq!(street.prints.len(), 1);
}

#[test]
fn a_paper_that_may_have_come_out_is_not_printed_again_but_the_code_is_there() {
    let mut street = topped_up();
    street.print = Some(FailureCode::PrintUncertain);
    street.press("print-receipt");
    assert_eq!(offered(&street), ["show-receipt", "home"]);
    street.act(Action::PrintReceipt);
    assert_eq!(street.prints.len(), 1);
    street.press("show-receipt");
    assert_eq!((street.kind().as_str(), offered(&street)), ("receipt", vec!["home".to_owned()]));
}

#[test]
fn a_paper_that_certainly_did_not_come_is_offered_again_beside_the_code() {
    let mut street = topped_up();
    street.print = Some(FailureCode::PrintRefused);
    street.press("print-receipt");
    assert_eq!(offered(&street), ["print-receipt", "show-receipt", "home"]);
}

#[test]
fn a_restart_prints_no_receipt_again() {
    let mut street = topped_up();
    street.press("print-receipt");
    street.restart(Paid::Kept);
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.prints.len()), ("home", 1));
}
