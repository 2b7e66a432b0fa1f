//! The PIN that is forgotten, locked or copied: the way out, and the floor under its attempts.

use crate::street::Street;
use crate::world::Card;
use domain::card::PinTries;
use session::Action;

fn at_pin() -> Street {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street
}

fn rows(street: &Street) -> Vec<String> {
    let view = street.view();
    let rows = view["screen"]["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| row["label"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn who_has_forgotten_the_pin_reads_where_to_get_a_new_one_and_comes_back_to_the_pad() {
    let mut street = at_pin();
    street.press("digit-2");
    street.press("forgot-pin");
    assert_eq!((street.kind().as_str(), street.digits.as_str()), ("details", ""), "no digit is left behind");
    assert_eq!(rows(&street), ["Dónde", "Qué llevar", "Teléfono", "Sin PIN"]);
    street.press("pin-again");
    assert_eq!((street.kind().as_str(), &street.view()["screen"]["entered"]), ("pin", &0.into()));
    street.press("forgot-pin");
    street.press("back");
    assert_eq!(street.kind(), "pin");
    street.press("forgot-pin");
    street.press("home");
    assert_eq!(street.kind(), "home");
}

#[test]
fn forgetting_costs_no_try_and_the_pin_still_opens() {
    let mut street = at_pin();
    street.press("forgot-pin");
    street.press("pin-again");
    assert_eq!(street.cards[0].tries.attempt, 10);
    street.type_pin("271828");
    assert_eq!(street.kind(), "details");
}

#[test]
fn the_pin_cannot_be_forgotten_while_it_is_being_checked_or_elsewhere() {
    let mut street = at_pin();
    street.slow_reader = true;
    street.type_pin("271828");
    street.act(Action::ForgotPin);
    assert_eq!(street.kind(), "pin");
    street.let_answer();
    assert_eq!(street.kind(), "details");
    street.act(Action::ForgotPin);
    assert!(!street.view().to_string().contains("PIN nuevo"));
}

#[test]
fn a_locked_or_missing_pin_names_the_office_the_telephone_and_what_works_without() {
    let check = |change: fn(&mut Card), code: &str| {
        let mut street = Street::new();
        change(&mut street.cards[0]);
        street.lay(0);
        street.press("documents");
        let screen = street.view()["screen"].to_string();
        for part in [code, "oficina", "Llame al", "recarga", "PIN"] {
            assert!(screen.contains(part), "{part} in {screen}");
        }
    };
    check(|card| card.tries.failures = 3, "R-05");
    check(|card| card.record_pin(0), "R-06");
}

#[test]
fn a_pin_set_anew_at_the_office_frees_a_locked_card_and_its_first_try_writes_the_new_version() {
    let check = |before: PinTries| {
        let mut street = Street::new();
        street.cards[0].tries = before;
        street.cards[0].record_pin(2);
        street.lay(0);
        street.ask_for_document();
        street.type_pin("111111");
        let counted = PinTries { attempt: before.attempt + 1, failures: 1, pin_version: 2 };
        assert_eq!((street.kind().as_str(), street.cards[0].tries), ("pin", counted));
        street.type_pin("271828");
        let done = PinTries { attempt: before.attempt + 2, failures: 0, pin_version: 2 };
        assert_eq!((street.kind().as_str(), street.cards[0].tries), ("details", done));
    };
    check(PinTries { attempt: 10, failures: 3, pin_version: 1 });
    check(PinTries { attempt: 0, failures: 0, pin_version: 0 });
}

#[test]
fn a_record_with_an_older_pin_than_the_card_frees_nothing() {
    let mut street = Street::new();
    street.cards[0].tries = PinTries { attempt: 10, failures: 3, pin_version: 2 };
    street.lay(0);
    street.press("documents");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-03");
}

#[test]
fn a_card_with_fewer_attempts_than_the_journal_remembers_is_locked() {
    let mut street = at_pin();
    street.type_pin("111111");
    assert_eq!(street.cards[0].tries.attempt, 11);
    street.lift();
    street.pass(6_000);
    // Set back to the image taken before the wrong try.
    street.cards[0].tries = PinTries { attempt: 10, failures: 0, pin_version: 1 };
    street.lay(0);
    street.press("documents");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-05");
    assert!(!street.log.iter().any(|line| line.contains("attempt: 12")));
}

#[test]
fn the_floor_locks_a_copied_service_card_too() {
    let mut street = Street::new();
    let card = &street.cards[crate::maintenance::SERVICE_CARD];
    let (number, attempt) = (card.number, card.tries.attempt);
    street.floors.insert(number, attempt + 1);
    street.lay(crate::maintenance::SERVICE_CARD);
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-05");
}

#[test]
fn a_floor_that_the_card_has_reached_changes_nothing() {
    let mut street = Street::new();
    let number = street.cards[0].number;
    street.floors.insert(number, 10);
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    assert_eq!(street.kind(), "details");
}

#[test]
fn a_record_that_is_still_on_its_way_is_waited_for_and_never_called_missing() {
    let mut street = Street::new();
    let presentation = street.lay_with_a_slow_record(0);
    let papers = |street: &Street| {
        let view = street.view();
        let tiles = view["screen"]["tiles"].as_array().unwrap();
        let tile = tiles.iter().find(|tile| tile["id"] == "documents").unwrap();
        (tile["enabled"].clone(), tile["hint"]["text"].clone())
    };
    let (enabled, hint) = papers(&street);
    assert_eq!(enabled, false);
    for action in [Action::Documents, Action::ChooseDocument { document: "volante-individual".into() }] {
        street.act(action);
        assert_eq!(street.kind(), "home");
    }
    street.open_record(presentation);
    assert_eq!(papers(&street), (true.into(), hint), "the hint is the ordinary one all along");
    street.ask_for_document();
    assert_eq!(street.kind(), "pin");
}
