//! Outages and odd cards, each with a screen that says what to do.

use crate::street::Street;
use domain::FailureCode;
use domain::card::Presentation;
use domain::device::{PaymentEvent, ReaderEvent};
use session::{Action, Event};

#[test]
fn without_a_reader_the_kiosk_says_that_it_is_closed_and_opens_by_itself() {
    let mut street = Street::new();
    street.lay(0);
    street.say(Event::Reader(ReaderEvent::Gone));
    assert_eq!(street.view()["overlay"]["heading"]["text"], "El lector de tarjetas no responde");
    street.pass(20_100);
    assert_eq!((street.kind().as_str(), street.wiped), ("closed", 1));
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-01");
    street.say(Event::Reader(ReaderEvent::Ready));
    assert_eq!(street.kind(), "attract");
}

#[test]
fn a_reader_that_goes_with_a_forgotten_card_does_not_ask_for_it_for_ever() {
    let mut street = Street::new();
    street.lay(0);
    street.act(Action::Finish);
    street.pass(60_000);
    assert_eq!(street.kind(), "farewell");
    street.say(Event::Reader(ReaderEvent::Gone));
    assert_eq!(street.kind(), "closed");
}

#[test]
fn offline_and_a_missing_payment_terminal_are_said_before_anybody_begins() {
    let mut street = Street::new();
    street.online(false);
    street.say(Event::Payment(PaymentEvent::Gone));
    let text = street.view()["screen"]["notices"].to_string();
    assert!(
        text.contains("10:00") && text.contains("9:00") && text.contains("N-01") && text.contains("P-01"),
        "{text}"
    );
    street.lay(0);
    let tile = street.view()["screen"]["tiles"][0].clone();
    assert_eq!((&tile["enabled"], &tile["hint"]["text"]), (&true.into(), &"Ahora no: el pago no funciona".into()));
    street.press("top-up");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código P-01");
}

#[test]
fn a_foreign_card_is_refused_and_the_kiosk_is_free_when_it_is_lifted() {
    let mut street = Street::new();
    let presentation = Presentation(9);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, FailureCode::CardForeign)));
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-02");
    street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
    street.pass(5_100);
    assert_eq!(street.kind(), "attract");
}

#[test]
fn a_revoked_card_can_only_leave() {
    let mut street = Street::new();
    street.cards[0].tap = Err(FailureCode::CardRevoked);
    street.lay(0);
    for action in [Action::Home, Action::Back, Action::TopUp, Action::Documents, Action::Services] {
        street.act(action);
        assert_eq!(street.view()["screen"]["code"]["text"], "Código C-05");
    }
    street.press("finish");
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn a_record_that_answers_for_the_presentation_before_is_looked_for_again() {
    let mut street = Street::new();
    let snapshot = street.cards[0].snapshot(Presentation(1));
    street.presentation = 1;
    // The record's answer is still on its way when the card is lifted and laid back.
    street.session.step(Event::Reader(ReaderEvent::CardRead(Box::new(snapshot))), street.now, [1; 32]);
    street.session.step(Event::Reader(ReaderEvent::CardGone(Presentation(1))), street.now, [1; 32]);
    street.lay(0);
    street.press("top-up");
    street.press("pay");
    assert_eq!(street.kind(), "done");
}
