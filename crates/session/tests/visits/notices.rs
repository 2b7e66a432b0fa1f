//! Partial outages: said on the invitation and on the home screen, with what still works.

use crate::bank::PaymentFate;
use crate::street::{Street, assert_nothing_private};
use crate::world::NOON;
use domain::FailureCode;
use domain::device::{PaymentEvent, PrinterEvent};
use domain::holder::PriceClass;
use serde_json::Value;
use session::{ClockState, Event, Feed, Network, PaperOrder};

fn notices(street: &Street) -> Vec<Value> {
    street.view()["screen"]["notices"].as_array().unwrap().clone()
}

/// The notice with this code: its title and its text in one.
fn notice(street: &Street, code: &str) -> String {
    let found = notices(street).into_iter().find(|notice| notice["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code} in {:#?}", notices(street)));
    format!("{} {}", found["title"]["text"].as_str().unwrap(), found["text"]["text"].as_str().unwrap())
}

fn away(street: &mut Street, out_ms: i64, feed_ms: i64) {
    let issued = NOON.plus_ms(-feed_ms);
    let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
    street.say(Event::Network(Network { online: false, since: NOON.plus_ms(-out_ms), feed }));
}

const DAY_MS: i64 = 86_400_000;

#[test]
fn an_outage_of_the_network_says_since_when_how_old_the_data_is_and_how_long_papers_are_still_given() {
    let check = |out_ms, feed_ms, words: &[&str]| {
        let mut street = Street::new();
        away(&mut street, out_ms, feed_ms);
        for place in ["attract", "home"] {
            let said = notice(&street, "N-01");
            for word in words {
                assert!(said.contains(word), "{place}: {word} in {said}");
            }
            street.lay(0);
        }
    };
    check(60_000, 7_200_000, &["desde hoy a las 10:59", "actualizaron hoy", "9:00", "34 días más"]);
    check(DAY_MS, DAY_MS, &["21/11/2026", "34 días más"]);
    check(33 * DAY_MS, 33 * DAY_MS + 3_600_000, &["un día más"]);
    check(34 * DAY_MS, 34 * DAY_MS + 3_600_000, &["Hoy es el último día"]);
    check(36 * DAY_MS, 36 * DAY_MS, &["ya no se imprimen"]);
}

#[test]
fn a_month_without_central_refuses_papers_with_a_next_step_and_nothing_else() {
    let mut street = Street::new();
    away(&mut street, 36 * DAY_MS, 36 * DAY_MS);
    street.lay(0);
    assert_eq!(street.view()["screen"]["tiles"][1]["hint"]["text"], "Ahora no: faltan datos");
    street.press("documents");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código N-02");
    street.press("home");
    street.press("top-up");
    street.press("pay");
    assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5));
}

#[test]
fn a_feed_past_its_last_moment_lowers_what_may_be_topped_up_until_a_newer_one_comes() {
    let mut street = Street::new();
    let offered = |street: &Street| -> Vec<String> {
        let choices = street.view()["screen"]["choices"].as_array().unwrap().clone();
        choices.iter().map(|choice| choice["id"].as_str().unwrap().to_owned()).collect()
    };
    let lowered = ["amount-500", "amount-1000", "amount-2000", "amount-3000"];
    away(&mut street, 25 * 3_600_000, 25 * 3_600_000);
    street.lay(0);
    street.press("top-up");
    assert_eq!(offered(&street), lowered);
    away(&mut street, 23 * 3_600_000, 23 * 3_600_000);
    assert_eq!(offered(&street), [&lowered[..], &["amount-5000", "amount-10000"]].concat());
    street.press("amount-5000");
    away(&mut street, 25 * 3_600_000, 25 * 3_600_000);
    assert_eq!(
        street.view()["screen"]["confirm"]["enabled"],
        false,
        "an amount chosen under the newer feed is not paid"
    );
}

#[test]
fn data_that_grows_too_old_while_a_document_is_on_the_screen_is_not_printed() {
    let mut street = Street::new();
    away(&mut street, DAY_MS, DAY_MS);
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    away(&mut street, 36 * DAY_MS, 36 * DAY_MS);
    street.press("print");
    assert_eq!((street.view()["screen"]["code"]["text"].clone(), street.prints.len()), ("Código N-02".into(), 0));
}

#[test]
fn a_terminal_without_data_says_that_it_is_being_loaded_and_shows_the_balance() {
    let mut street = Street::new();
    street.cards[0].tap = Err(FailureCode::RecordMissing);
    street.say(Event::Network(Network { online: true, since: NOON, feed: None }));
    assert!(notice(&street, "S-04").contains("cargando"));
    street.lay(0);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "3,50\u{a0}€");
    notice(&street, "S-04");
}

#[test]
fn each_trouble_of_the_printer_has_its_title() {
    let mut titles = std::collections::BTreeSet::new();
    let kinds = [
        (FailureCode::PrinterAbsent, "I-01"),
        (FailureCode::PaperOut, "I-02"),
        (FailureCode::PaperJam, "I-03"),
        (FailureCode::PrinterOpen, "I-04"),
        (FailureCode::PrinterFault, "I-07"),
    ];
    for (kind, code) in kinds {
        let mut street = Street::new();
        street.say(Event::Printer(PrinterEvent::NotReady(kind)));
        assert!(titles.insert(notice(&street, code)), "{code} says what another says");
    }
}

#[test]
fn what_forbids_charges_is_said_once_with_its_reason() {
    let check = |event: Event, code: &str| {
        let mut street = Street::new();
        street.say(Event::Payment(PaymentEvent::Gone));
        street.say(event.clone());
        assert_eq!(notices(&street).len(), 1, "{code}");
        let said = notice(&street, code);
        assert!(said.contains("Lo demás funciona"), "{said}");
        street.lay(0);
        assert_eq!(notice(&street, code), said);
        for tile in ["top-up", "documents"] {
            street.press(tile);
            assert_eq!(street.view()["screen"]["code"]["text"], format!("Código {code}"), "{tile}");
            street.press("home");
        }
        street.press("services");
        assert_eq!(street.kind(), "details");
    };
    check(Event::JournalSetAside, "S-01");
    check(Event::Disk { full: true }, "S-03");
    check(Event::Clock(ClockState::Wrong), "S-06");
}

#[test]
fn a_wrong_clock_and_a_full_disk_pass_as_they_came() {
    let mut street = Street::new();
    street.say(Event::Clock(ClockState::Wrong));
    assert_eq!(street.view()["frame"]["clock"], "", "a wrong time is not shown");
    street.say(Event::Clock(ClockState::Right));
    street.say(Event::Disk { full: true });
    street.say(Event::Disk { full: false });
    assert_eq!(notices(&street), Vec::<Value>::new());
    crate::money::top_up(&mut street);
    assert_eq!(street.kind(), "done");
}

#[test]
fn a_clock_that_goes_wrong_between_the_proof_of_the_key_and_the_payment_charges_nothing() {
    let mut street = Street::new();
    street.slow_reader = true;
    crate::money::top_up(&mut street);
    street.say(Event::Clock(ClockState::Wrong));
    street.let_answer();
    assert_eq!(street.view()["screen"]["code"]["text"], "Código S-06");
    assert!(street.disk.is_empty() && street.terminal.authorised == 0);
}

#[test]
fn a_payment_that_is_not_decided_yet_is_said_to_the_next_person_without_whose_it_is() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    crate::money::top_up(&mut street);
    street.terminal.deaf = true;
    street.press("cancel-payment");
    street.pass(20_500);
    street.press("finish");
    street.lift();
    let said = notice(&street, "P-06");
    assert!(said.contains("Lo demás funciona"), "{said}");
    assert_nothing_private(&street);
}

#[test]
fn a_price_class_the_city_pack_does_not_know_shows_the_general_prices_and_says_so() {
    let mut street = Street::new();
    let mut ordinary = Street::new();
    let class = |street: &mut Street, class| {
        street.cards[0].tap.as_mut().unwrap().price_class = PriceClass(class);
        street.lay(0);
    };
    class(&mut street, 200);
    class(&mut ordinary, 0);
    notice(&street, "R-07");
    for street in [&mut street, &mut ordinary] {
        street.press("services");
    }
    notice(&street, "R-07");
    assert_eq!(notices(&ordinary), Vec::<Value>::new());
    assert_eq!(street.view()["screen"]["rows"], ordinary.view()["screen"]["rows"]);
}

#[test]
fn a_card_without_a_record_sees_the_general_prices_and_is_told_that_they_are() {
    let mut street = Street::new();
    street.cards[0].tap = Err(FailureCode::RecordMissing);
    street.lay(0);
    street.press("services");
    assert!(notice(&street, "R-01").contains("precios generales"));
}

#[test]
fn a_paper_issued_offline_says_on_the_screen_when_its_code_can_be_checked() {
    for (online, said) in [(true, false), (false, true)] {
        let mut street = Street::new();
        street.online(online);
        street.lay(0);
        street.ask_for_document();
        street.type_pin("271828");
        street.press("print");
        assert!(matches!(street.prints[0], PaperOrder::Document { offline, .. } if offline != online));
        let hint = street.view()["screen"]["rows"][0]["hint"]["text"].clone();
        assert_eq!(hint.is_string(), said, "{hint}");
    }
}

#[test]
fn a_printer_that_stops_in_the_middle_asks_for_patience_and_not_for_a_pull() {
    let mut street = Street::new();
    street.slow_printer = true;
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
    street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    let lead = street.view()["screen"]["lead"]["text"].clone();
    assert_eq!(lead, "La impresora se ha parado. No tire del papel y espere.");
}
