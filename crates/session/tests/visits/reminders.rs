//! What is left behind, and the time one has.

use crate::street::Street;
use domain::FailureCode;
use domain::card::Presentation;
use domain::device::ReaderEvent;
use session::{Action, Event};

fn cues(street: &Street, cue: &str) -> usize {
    street.log.iter().filter(|line| **line == format!("Sound({cue})")).count()
}

fn urgent(street: &Street) -> bool {
    let view = street.view();
    assert_eq!(view["screen"]["kind"], "farewell", "{view:#}");
    view["screen"]["urgent"] == true
}

#[test]
fn a_forgotten_card_is_asked_for_at_5_15_and_30_seconds_and_then_in_silence() {
    let mut street = Street::new();
    street.lay(0);
    street.press("finish");
    let mut heard = Vec::new();
    for _ in 0..120 {
        street.pass(1_000);
        heard.push(cues(&street, "CardForgotten"));
    }
    let first = |count| heard.iter().position(|now| *now == count).map(|second| second + 1);
    assert_eq!((first(1), first(2), first(3), first(4)), (Some(5), Some(15), Some(30), None));
    assert!(urgent(&street), "the screen goes on asking");
    assert_eq!(street.heading(), "No olvide su tarjeta");
    street.lift();
    assert_eq!(street.kind(), "attract");
}

#[test]
fn a_card_taken_in_time_is_never_asked_for() {
    let mut street = Street::new();
    street.lay(0);
    street.press("finish");
    assert!(!urgent(&street));
    street.pass(4_000);
    street.lift();
    street.pass(60_000);
    assert_eq!((street.kind().as_str(), cues(&street, "CardForgotten")), ("attract", 0));
}

#[test]
fn a_card_left_by_somebody_who_walked_away_is_asked_for_as_well() {
    let mut street = Street::new();
    street.lay(0);
    street.pass(60_000 + 30_000 + 5_500);
    assert!(urgent(&street));
    assert_eq!((cues(&street, "TimeWarning"), cues(&street, "CardForgotten")), (1, 1));
}

#[test]
fn a_paper_is_asked_for_after_its_card_is_gone_because_nobody_sees_whether_it_was_taken() {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
    street.lift();
    street.pass(5_100);
    assert!(!urgent(&street));
    assert_eq!(street.heading(), "Gracias. Recoja sus papeles");
    street.pass(5_000);
    assert!(urgent(&street));
    street.pass(25_500);
    assert_eq!(cues(&street, "CardForgotten"), 3);
    street.pass(5_000);
    assert_eq!(street.kind(), "attract");
}

#[test]
fn a_paper_that_perhaps_came_out_is_asked_for_like_one_that_did() {
    let mut street = Street::new();
    street.print = Some(FailureCode::PrintUncertain);
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
    street.press("finish");
    assert_eq!(street.view()["screen"]["lead"]["text"], "Está en la bandeja. Recoja también sus papeles.");
    street.lift();
    assert!(!urgent(&street));
    street.pass(5_100);
    assert!(urgent(&street));
    assert_eq!(street.heading(), "No olvide sus papeles");
}

#[test]
fn a_payment_given_up_at_ones_own_wish_is_no_refusal_to_the_ear() {
    let mut street = Street::new();
    street.terminal.next = crate::bank::PaymentFate::Waits;
    crate::money::top_up(&mut street);
    street.press("cancel-payment");
    assert_eq!((street.kind().as_str(), cues(&street, "Refused")), ("trouble", 0));
}

#[test]
fn the_next_card_is_served_while_a_paper_is_still_asked_for() {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
    street.press("finish-now");
    street.lift();
    street.lay(1);
    assert_eq!(street.kind(), "home");
    street.pass(40_000);
    assert_eq!(cues(&street, "CardForgotten"), 0);
}

#[test]
fn time_is_given_as_often_as_it_is_asked_for_by_any_touch() {
    let mut street = Street::new();
    street.lay(0);
    for round in 0..12 {
        street.pass(60_100);
        assert_eq!(street.view()["overlay"]["kind"], "time-warning", "{round}");
        assert_eq!(cues(&street, "TimeWarning"), round + 1, "one sound a warning");
        street.pass(25_000);
        // Not only the button that says so.
        street.act(if round % 2 == 0 { Action::Stay } else { Action::ToggleHelp });
        assert_ne!(street.view()["overlay"]["kind"], "time-warning", "{round}");
    }
    assert_eq!((street.kind().as_str(), street.wiped), ("home", 0));
}

#[test]
fn a_refused_card_stays_named_as_long_as_it_lies_there() {
    for code in [FailureCode::CardForeign, FailureCode::CardOtherCity, FailureCode::CardDamaged] {
        let mut street = Street::new();
        let presentation = Presentation(9);
        street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
        street.say(Event::Reader(ReaderEvent::CardRefused(presentation, code)));
        street.pass(600_000);
        assert_eq!(street.view()["screen"]["code"]["text"], format!("Código {code}"));
        assert_eq!(cues(&street, "Refused"), 1, "said once");
        street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
        street.pass(5_100);
        assert_eq!(street.kind(), "attract");
    }
}

#[test]
fn what_is_done_and_what_is_refused_sound_different_and_the_same_for_everybody() {
    let mut street = Street::new();
    crate::money::top_up(&mut street);
    assert_eq!((cues(&street, "Done"), cues(&street, "Refused")), (1, 0));
    street.terminal.next = crate::bank::PaymentFate::Declines(FailureCode::PaymentRefused);
    street.press("home");
    street.press("top-up");
    street.press("pay");
    assert_eq!((cues(&street, "Done"), cues(&street, "Refused")), (1, 1));
}

/// Farewell, with a paper out and the card gone.
fn paper_asked_for() -> Street {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.press("print");
    street.press("finish-now");
    street.lift();
    street
}

#[test]
fn who_has_the_paper_says_so_and_is_not_asked_any_more() {
    let mut street = paper_asked_for();
    street.pass(6_000);
    assert!(urgent(&street));
    street.press("taken");
    assert_eq!(street.kind(), "attract");
    street.pass(60_000);
    assert_eq!(cues(&street, "CardForgotten"), 1);
}

#[test]
fn while_the_card_lies_there_nobody_can_say_that_all_is_taken() {
    let mut street = Street::new();
    street.lay(0);
    street.act(Action::PaperTaken);
    assert_eq!(street.kind(), "home");
    street.press("finish");
    assert_eq!(street.view()["screen"]["actions"], serde_json::json!([]));
    street.act(Action::PaperTaken);
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn a_panel_left_open_does_not_hide_what_is_asked_for() {
    for (panel, wait_ms) in [("help", 5_100), ("looks", 60_100)] {
        let mut street = Street::new();
        street.lay(0);
        street.press("finish");
        if wait_ms > 30_000 {
            // The last reminder by sound was given.
            street.pass(31_000);
        }
        street.press(panel);
        assert!(!street.view()["overlay"].is_null());
        street.pass(wait_ms);
        assert!(street.view()["overlay"].is_null() && urgent(&street), "{panel}");
    }
}

#[test]
fn a_paper_of_before_is_not_asked_for_when_a_refused_card_is_lifted() {
    let mut street = paper_asked_for();
    street.press("taken");
    let presentation = Presentation(90);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, FailureCode::CardForeign)));
    street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
    street.pass(5_100);
    assert_eq!((street.kind().as_str(), cues(&street, "CardForgotten")), ("attract", 0));
}
