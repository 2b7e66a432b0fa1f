//! The strip at the bottom, and what can be laid over any screen: languages, looks, help, cover.

use crate::bank::PaymentFate;
use crate::scenes::WAYS;
use crate::street::Street;
use domain::card::Presentation;
use domain::device::ReaderEvent;
use serde_json::Value;
use session::{Action, Event};

/// The places of the strip, from the start of the line.
const PLACES: [&[&str]; 5] = [&["finish", "back"], &["language"], &["looks"], &["cover"], &["help"]];

fn ids(street: &Street) -> Vec<String> {
    let tools = street.view()["tools"].as_array().unwrap().clone();
    tools.iter().map(|tool| tool["id"].as_str().unwrap().to_owned()).collect()
}

fn overlay(street: &Street) -> Value {
    street.view()["overlay"].clone()
}

fn each_screen(mut see: impl FnMut(&str, &mut Street)) {
    for (name, way) in WAYS {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        see(name, &mut street);
    }
}

#[test]
fn the_tools_stand_in_the_same_order_on_every_screen_and_each_has_one_place() {
    each_screen(|name, street| {
        let ids = ids(street);
        let place = |id: &String| PLACES.iter().position(|place| place.contains(&id.as_str()));
        let places: Vec<usize> = ids.iter().map(|id| place(id).unwrap_or_else(|| panic!("{name}: {id}"))).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {ids:?}");
        assert_eq!(places, [0, 1, 2, 3, 4], "{name}");
    });
}

#[test]
fn the_invitation_has_its_large_language_buttons_and_nothing_to_finish_or_cover() {
    let street = Street::new();
    assert_eq!(ids(&street), ["looks", "help"]);
    let languages = street.view()["screen"]["languages"].as_array().unwrap().len();
    assert!(languages != 1, "one language is no choice");
}

#[test]
fn another_language_is_one_choice_away_on_every_screen_and_changes_all_of_it() {
    each_screen(|name, street| {
        let kind = street.kind();
        let before = street.view()["tools"][0]["label"]["text"].clone();
        street.press("language");
        let items = overlay(street)["items"].as_array().unwrap().clone();
        assert_eq!(overlay(street)["kind"], "choice", "{name}");
        assert_eq!(items.iter().filter(|item| item["selected"] == true).count(), 1, "{name}");
        street.press("language-en");
        let view = street.view();
        assert_eq!((&view["lang"], &view["overlay"]), (&"en".into(), &Value::Null), "{name}");
        assert_eq!(street.kind(), kind, "{name}: the language moved the errand");
        assert_ne!(view["tools"][0]["label"]["text"], before, "{name}");
        street.press("help");
        assert_ne!(overlay(street)["heading"]["text"], "Ayuda", "{name}");
    });
}

#[test]
fn the_language_of_a_visit_goes_with_its_card() {
    let mut street = Street::new();
    street.lay(0);
    street.press("language");
    street.press("language-en");
    street.press("finish");
    // The thanks are theirs, too.
    assert_eq!((street.kind().as_str(), &street.view()["lang"]), ("farewell", &"en".into()));
    street.lift();
    assert_eq!((street.kind().as_str(), &street.view()["lang"]), ("attract", &"es".into()));
    street.lay(0);
    street.act(Action::SelectLanguage { lang: "en".into() });
    street.lay(1);
    assert_eq!(street.view()["lang"], "es", "the next person inherits no language");
}

#[test]
fn a_language_chosen_for_a_card_that_was_refused_stays_for_the_next_try() {
    let mut street = Street::new();
    street.act(Action::SelectLanguage { lang: "en".into() });
    let presentation = Presentation(9);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, domain::FailureCode::CardForeign)));
    street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
    street.pass(5_100);
    assert_eq!((street.kind().as_str(), &street.view()["lang"]), ("attract", &"en".into()));
    street.lay(0);
    assert_eq!(street.view()["lang"], "en");
}

#[test]
fn letters_and_contrast_are_tried_until_they_fit_and_then_kept() {
    let mut street = Street::new();
    street.lay(0);
    street.press("looks");
    street.press("letters");
    assert_eq!(overlay(&street)["items"][0]["selected"], true);
    street.press("contrast");
    street.press("letters");
    let view = street.view();
    assert_eq!((&view["largeText"], &view["theme"]), (&false.into(), &"high-contrast".into()));
    street.press("close");
    assert_eq!((overlay(&street), &street.view()["theme"]), (Value::Null, &"high-contrast".into()));
}

#[test]
fn looking_for_help_or_a_language_changes_nothing_while_money_is_on_its_way() {
    for tool in ["language", "looks", "help"] {
        let mut street = Street::new();
        street.terminal.next = PaymentFate::Waits;
        crate::money::top_up(&mut street);
        let log = street.log.len();
        street.press(tool);
        street.press(tool);
        assert_eq!(street.log.len(), log, "{tool} asked for something");
        street.press(tool);
        street.bank_card();
        assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5), "{tool}");
        assert_eq!(overlay(&street), Value::Null, "{tool}: the result is not hidden");
    }
}

#[test]
fn each_place_has_help_of_its_own_that_ends_with_the_telephone() {
    let mut said = std::collections::BTreeMap::new();
    each_screen(|name, street| {
        street.press("help");
        let paragraphs = overlay(street)["paragraphs"].as_array().unwrap().clone();
        assert!(paragraphs.last().unwrap()["text"].as_str().unwrap().contains("985 000 000"), "{name}");
        said.insert(name.to_owned(), paragraphs[0]["text"].to_string());
    });
    for (one, other) in [("home", "services"), ("services", "movements"), ("amount", "paying"), ("pin", "document")] {
        assert_ne!(said[one], said[other], "{one} and {other}");
    }
    assert_ne!(said["printing"], said["paying"]);
}

#[test]
fn a_lifted_card_is_seen_at_once_whatever_lay_over_the_screen() {
    let mut street = Street::new();
    street.lay(0);
    street.press("help");
    street.lift();
    assert_eq!(overlay(&street)["kind"], "cover");
}

#[test]
fn while_covered_another_language_can_be_chosen_and_nothing_private_comes_back() {
    let mut street = Street::new();
    street.lay(0);
    street.press("cover");
    street.press("language");
    crate::street::assert_nothing_private(&street);
    street.press("language-en");
    assert_eq!(overlay(&street)["kind"], "cover");
    street.press("uncover");
    assert_eq!(street.kind(), "home");
}

#[test]
fn a_list_goes_forward_to_its_last_page_and_back_page_by_page() {
    let mut street = Street::new();
    street.lay(0);
    street.press("services");
    let first = street.view()["screen"]["rows"].clone();
    let hint = |street: &Street| street.view()["screen"]["actions"][0]["hint"]["text"].clone();
    assert_eq!(hint(&street), "Página 2 de 4");
    for _ in 0..3 {
        street.press("next");
    }
    assert_eq!(street.view()["screen"]["actions"].as_array().unwrap().len(), 1, "there is nothing after the last");
    for _ in 0..3 {
        street.press("back");
        assert_eq!(street.kind(), "details");
    }
    assert_eq!(street.view()["screen"]["rows"], first);
    street.press("back");
    assert_eq!(street.kind(), "home");
}

#[test]
fn a_pin_that_is_known_already_is_no_step_of_the_next_document() {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    assert_eq!(street.view()["screen"]["step"]["label"]["text"], "Paso 2 de 3");
    street.type_pin("271828");
    assert_eq!(street.view()["screen"]["step"]["label"]["text"], "Paso 3 de 3");
    street.press("back");
    street.press("back");
    street.press("documents");
    assert_eq!(street.view()["screen"]["step"]["label"]["text"], "Paso 1 de 2");
    street.press("volante-individual");
    assert_eq!(street.view()["screen"]["step"]["label"]["text"], "Paso 2 de 2");
}
