//! What lies in the tray beside or in place of the card of a visit, and a reader that goes for a moment.

use crate::bank::PaymentFate;
use crate::crashes::assert_conserved;
use crate::faults::{code, refused};
use crate::money::top_up;
use crate::street::{Street, assert_nothing_private};
use crate::world::CreditFate;
use domain::FailureCode;
use domain::card::Presentation;
use domain::device::ReaderEvent;
use ledger::{Claim, ClaimCode};
use session::{Action, Event};

#[test]
fn a_second_card_laid_on_the_first_is_asked_away_and_inherits_nothing() {
    let mut street = Street::new();
    street.lay(0);
    street.press("services");
    street.lay_on_top(1);
    let view = street.view();
    assert_eq!(view["overlay"]["heading"]["text"], "Deje una sola tarjeta");
    assert!(view["overlay"]["lead"]["text"].as_str().unwrap().contains("C-11"));
    assert_nothing_private(&street);
    street.act(Action::Home);
    street.act(Action::TopUp);
    assert_nothing_private(&street);
    // The second is taken away, and the first is still there.
    street.lift();
    street.pass(1_000);
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.wiped), ("details", 0));
    assert_eq!(street.log.iter().filter(|line| line.starts_with("OpenTap")).count(), 1, "the second was never opened");
}

#[test]
fn two_cards_left_in_the_tray_end_the_visit_and_serve_neither() {
    let mut street = Street::new();
    street.lay(0);
    street.lay_on_top(1);
    street.pass(20_500);
    assert_eq!((code(&street), street.wiped), ("Código C-11".into(), 1));
    street.lift();
    street.pass(5_100);
    assert_eq!(street.kind(), "attract");
    street.lay(1);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "12,40\u{a0}€");
}

#[test]
fn two_cards_that_cannot_be_told_apart_are_asked_apart() {
    let mut street = Street::new();
    street.lay(0);
    refused(&mut street, 9, FailureCode::CardUnreadable);
    let view = street.view();
    assert_eq!(view["overlay"]["heading"]["text"], "No podemos leer su tarjeta");
    assert!(view["overlay"]["lead"]["text"].as_str().unwrap().contains("C-03"));
    assert_nothing_private(&street);
    street.say(Event::Reader(ReaderEvent::CardGone(Presentation(9))));
    street.pass(1_000);
    street.tray = None;
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.wiped), ("home", 0));
}

#[test]
fn a_bank_card_laid_on_a_visit_is_asked_away_and_the_payment_goes_on() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.lift();
    refused(&mut street, 9, FailureCode::CardForeign);
    assert_eq!(street.heading(), "Deje una sola tarjeta");
    street.bank_card();
    assert_eq!(street.heading(), "Deje una sola tarjeta");
    street.say(Event::Reader(ReaderEvent::CardGone(Presentation(9))));
    assert_eq!(street.heading(), "Vuelva a poner su tarjeta");
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5));
}

#[test]
fn another_citizens_card_ends_nobodys_payment() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.lay(1);
    assert_eq!((street.heading().as_str(), street.wiped), ("Deje una sola tarjeta", 0));
    assert_nothing_private(&street);
    street.bank_card();
    assert_eq!(street.heading(), "Deje una sola tarjeta");
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5));
    assert_eq!(street.cards[1].counter(), 4);
    // It is done: the next one may come.
    street.lay(1);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "12,40\u{a0}€");
}

#[test]
fn another_citizens_card_takes_nobodys_claim_from_the_screen_before_its_slip_is_out() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.pass(2_000);
    street.lay(1);
    let code = street.view()["screen"]["claim"]["value"]["text"].clone();
    assert_eq!(code, ClaimCode::of(street.disk[0].subject.top_up).to_string());
    assert_nothing_private(&street);
    street.press("print-claim");
    assert_eq!((street.prints.len(), street.wiped), (1, 0));
    street.lift();
    street.pass(1_000);
    street.lay(1);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "12,40\u{a0}€");
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.ledger().top_up(id).unwrap().claim(), Claim::Open);
    assert_conserved(&street);
}

#[test]
fn a_claim_that_nobody_prints_keeps_the_next_card_waiting_for_ninety_seconds_at_most() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.lay(1);
    street.pass(91_000);
    assert_eq!((code(&street), street.wiped), ("Código C-11".into(), 1));
    street.lift();
    street.pass(6_000);
    street.lay(1);
    assert_eq!(street.kind(), "home");
}

#[test]
fn a_reader_that_goes_for_a_moment_keeps_the_visit_covered_and_gives_it_back() {
    let mut street = Street::new();
    street.lay(0);
    street.press("services");
    street.say(Event::Reader(ReaderEvent::Gone));
    let view = street.view();
    assert!(view["overlay"]["lead"]["text"].as_str().unwrap().contains("C-01"));
    assert_nothing_private(&street);
    street.pass(8_000);
    street.say(Event::Reader(ReaderEvent::Ready));
    street.tray = None;
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.wiped), ("details", 0));
}

#[test]
fn how_long_a_card_takes_to_be_read_does_not_make_it_the_next_visits() {
    let mut street = Street::new();
    street.lay(0);
    let (gone, arrived) = (Presentation(street.presentation), Presentation(street.presentation + 1));
    street.presentation += 1;
    street.say(Event::Reader(ReaderEvent::CardGone(gone)));
    street.say(Event::Reader(ReaderEvent::CardArrived(arrived)));
    street.pass(1_500);
    let snapshot = street.cards[1].snapshot(arrived);
    street.say(Event::Reader(ReaderEvent::CardRead(Box::new(snapshot))));
    assert_eq!(street.view()["overlay"]["heading"]["text"], "Deje una sola tarjeta");
    assert_eq!(street.wiped, 0);
}

fn refusals_heard(street: &Street) -> usize {
    street.log.iter().filter(|line| *line == "Sound(Refused)").count()
}

/// The same two cards, read now as the one and now as the other.
fn flicker(street: &mut Street, seconds: u64) {
    let codes = [FailureCode::CardUnreadable, FailureCode::CardForeign];
    for code in (0..seconds).zip(codes.into_iter().cycle()).map(|(_, code)| code) {
        street.say(Event::Reader(ReaderEvent::CardRefused(Presentation(9), code)));
        street.pass(1_000);
    }
}

#[test]
fn two_cards_that_flicker_between_codes_get_no_more_time_and_are_heard_once() {
    let mut street = Street::new();
    street.lay(0);
    flicker(&mut street, 19);
    assert_eq!((street.wiped, refusals_heard(&street)), (0, 1));
    let lead = street.view()["overlay"]["lead"]["text"].as_str().unwrap().to_owned();
    assert!(lead.contains("C-03"), "what lies there is named anew: {lead}");
    flicker(&mut street, 2);
    assert_eq!(street.wiped, 1, "over after twenty seconds");
}

#[test]
fn a_reader_that_flickers_gives_a_visit_no_more_time_either() {
    let mut street = Street::new();
    street.lay(0);
    for _ in 0..21 {
        street.say(Event::Reader(ReaderEvent::Gone));
        street.say(Event::Reader(ReaderEvent::Ready));
        street.pass(1_000);
    }
    assert_eq!((street.wiped, refusals_heard(&street)), (1, 1));
}

#[test]
fn a_refused_card_that_flickers_without_a_visit_is_named_anew_and_heard_once() {
    let mut street = Street::new();
    refused(&mut street, 9, FailureCode::CardForeign);
    flicker(&mut street, 5);
    assert_eq!((code(&street), refusals_heard(&street)), ("Código C-03".into(), 1));
    street.say(Event::Reader(ReaderEvent::CardRefused(Presentation(9), FailureCode::CardForeign)));
    assert_eq!(code(&street), "Código C-02");
}

#[test]
fn why_a_card_was_refused_can_be_read_for_five_seconds_after_it_was_lifted() {
    let mut street = Street::new();
    refused(&mut street, 9, FailureCode::CardUnreadable);
    street.pass(400);
    street.say(Event::Reader(ReaderEvent::CardGone(Presentation(9))));
    street.pass(4_900);
    assert_eq!(code(&street), "Código C-03");
    street.pass(200);
    assert_eq!(street.kind(), "attract");
}

#[test]
fn the_next_card_does_not_wait_for_what_is_said_of_the_one_before() {
    let mut street = Street::new();
    refused(&mut street, 9, FailureCode::CardForeign);
    street.say(Event::Reader(ReaderEvent::CardGone(Presentation(9))));
    street.pass(1_000);
    street.lay(0);
    street.pass(10_000);
    assert_eq!(street.kind(), "home");
    street.lift();
    street.pass(5_100);
    refused(&mut street, 10, FailureCode::CardForeign);
    street.say(Event::Reader(ReaderEvent::CardGone(Presentation(10))));
    refused(&mut street, 11, FailureCode::CardDamaged);
    street.pass(60_000);
    assert_eq!(code(&street), "Código C-04", "it still lies there");
}
