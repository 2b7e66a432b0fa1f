//! Whose data is on the screen, and for how long.

use crate::money::top_up;
use crate::scenes::WAYS;
use crate::street::{Street, assert_nothing_private};
use crate::world::{NAME, STREET};

#[test]
fn lifting_the_card_takes_private_data_off_every_screen_at_once_and_laying_it_back_returns_it() {
    for (name, way) in WAYS {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        let before = street.view();
        street.lift();
        assert_nothing_private(&street);
        street.pass(4_000);
        street.lay(0);
        let after = street.view();
        assert_eq!(after["screen"]["kind"], before["screen"]["kind"], "{name}");
        assert_eq!(after["overlay"], before["overlay"], "{name}");
    }
}

#[test]
fn a_lifted_card_ends_the_visit_after_five_seconds_and_wipes_it() {
    for (name, way) in WAYS.iter().filter(|(name, _)| !matches!(*name, "paying" | "printing")) {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        street.lift();
        street.pass(4_900);
        assert!(street.is_serving(), "{name}");
        street.pass(200);
        assert!(!street.is_serving(), "{name}");
        // A paper that came out is asked for: nobody can see whether it was taken.
        let after = if *name == "printed" { "farewell" } else { "attract" };
        assert_eq!((street.kind().as_str(), street.wiped, street.digits.as_str()), (after, 1, ""), "{name}");
        assert_nothing_private(&street);
    }
}

#[test]
fn another_card_never_inherits_a_visit() {
    for (name, way) in WAYS {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        street.lay(1);
        if *name == "paying" {
            // Nobody's payment is taken from them: the second card waits.
            assert_nothing_private(&street);
            assert_eq!((street.heading().as_str(), street.wiped), ("Deje una sola tarjeta", 0));
            street.press("cancel-payment");
            street.press("finish");
            street.lift();
            street.pass(1_000);
            street.lay(1);
        }
        let view = street.view();
        assert_eq!(view["screen"]["kind"], "home", "{name}");
        assert_eq!(view["screen"]["balance"]["value"]["text"], "12,40\u{a0}€", "{name}");
        assert_eq!((street.wiped, street.digits.as_str()), (1, ""), "{name}");
        assert!(!view.to_string().contains(NAME) && !view.to_string().contains(STREET), "{name}");
        street.press("documents");
        street.press("volante-individual");
        assert_eq!(street.kind(), "pin", "{name}: the PIN of the first opened the second");
    }
}

#[test]
fn covering_hides_everything_and_leaves_only_the_way_out() {
    let mut street = Street::new();
    street.lay(0);
    street.press("cover");
    assert_nothing_private(&street);
    street.act(session::Action::TopUp);
    assert_nothing_private(&street);
    street.press("uncover");
    assert_eq!(street.kind(), "home");
}

#[test]
fn finishing_leaves_nothing_behind_on_any_screen() {
    for (name, way) in WAYS.iter().filter(|(name, _)| !matches!(*name, "paying" | "printing")) {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        street.act(session::Action::Finish);
        assert_eq!((street.kind().as_str(), street.wiped, street.digits.as_str()), ("farewell", 1, ""), "{name}");
        assert_nothing_private(&street);
        street.lift();
        street.pass(36_000);
        assert_eq!(street.kind(), "attract", "{name}");
    }
}

#[test]
fn a_paper_that_is_ready_after_its_visit_is_forgotten() {
    let mut street = Street::new();
    street.lay(0);
    let name = domain::PrintName("urn:x".into());
    street.act(session::Action::Finish);
    let ready = session::PaperEvent::Ready { name, document: domain::Handle(701), pages: 1, code: None };
    street.say(session::Event::Paper(ready));
    street.logged("Forget(Handle(701))");
}

#[test]
fn what_a_late_record_brings_is_forgotten() {
    let mut street = Street::new();
    let facts = street.cards[0].tap.clone().unwrap();
    street.say(session::Event::Tap(domain::card::Presentation(77), Ok(Box::new(facts))));
    street.logged("Forget(Handle(900))");
}

#[test]
fn a_category_is_never_named() {
    let mut street = Street::new();
    top_up(&mut street);
    street.press("home");
    street.press("services");
    let text = street.view().to_string().to_lowercase();
    for word in ["jubilad", "parad", "desemple", "familia numerosa", "renta baja", "class"] {
        assert!(!text.contains(word), "{word}");
    }
}
