//! Reservations that are booked late, twice asked for, or never.

use crate::bank::{CaptureFate, Paid};
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::street::Street;
use crate::till_orders::{HOUR_MS, street};
use crate::world::CreditFate;
use domain::device::PaymentOrder;
use domain::{Cents, FailureCode};
use ledger::{Claim, Kind, Outcome};
use session::Event;

fn claim(street: &Street) -> Claim {
    let id = street.disk[0].subject.top_up;
    street.ledger().top_up(id).unwrap().claim()
}

fn outcome(street: &Street) -> Option<Outcome> {
    let id = street.disk[0].subject.top_up;
    street.ledger().top_up(id).unwrap().outcome()
}

#[test]
fn a_booking_that_fails_is_owed_and_tried_again_at_growing_intervals() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.terminal.capture = CaptureFate::Fails(FailureCode::PaymentRefused);
    top_up(&mut street);
    assert_eq!((street.kind().as_str(), street.kinds().last()), ("done", Some(&"capture-owed")));
    let asked = |street: &Street| street.log.iter().filter(|line| line.contains("Capture(")).count();
    assert_eq!(asked(&street), 1);
    street.pass(29_000);
    assert_eq!(asked(&street), 1);
    street.pass(2_000);
    assert_eq!(asked(&street), 2);
    street.pass(30_000);
    assert_eq!(asked(&street), 2, "twice as long");
    street.pass(31_000);
    assert_eq!(asked(&street), 3);
    street.terminal.capture = CaptureFate::Books;
    street.pass(200_000);
    assert_eq!((outcome(&street), asked(&street)), (Some(Outcome::Completed), 4));
    assert_conserved(&street);
}

#[test]
fn a_capture_that_is_owed_keeps_nobody_else_from_paying() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.terminal.capture = CaptureFate::Fails(FailureCode::PaymentRefused);
    top_up(&mut street);
    street.terminal.capture = CaptureFate::Books;
    street.lay(1);
    street.press("top-up");
    street.press("pay");
    assert_eq!((street.kind().as_str(), street.cards[1].counter()), ("done", 5));
}

#[test]
fn a_reservation_that_lapses_unbooked_is_the_citys_loss_and_never_the_citizens() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.terminal.capture = CaptureFate::Fails(FailureCode::PaymentRefused);
    top_up(&mut street);
    street.pass(2 * HOUR_MS);
    assert_eq!(street.kinds().last(), Some(&"loss-capture-expired"));
    assert_eq!((outcome(&street), street.cards[0].purse), (Some(Outcome::Lost), Cents(2_350)));
    assert_conserved(&street);
}

#[test]
fn a_booking_whose_answer_was_lost_is_never_made_twice() {
    for booked in [true, false] {
        let mut street = street(PaymentOrder::PreAuthorise);
        street.terminal.capture = CaptureFate::Breaks { booked };
        top_up(&mut street);
        assert_eq!(street.kind(), "done");
        street.terminal.capture = CaptureFate::Books;
        street.pass(10_000);
        assert_eq!(outcome(&street), Some(Outcome::Completed), "{booked}");
        assert_conserved(&street);
    }
}

#[test]
fn a_reservation_that_cannot_be_released_lapses_and_the_citizen_knows_that_nothing_is_charged() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.credit = CreditFate::NotSent;
    street.terminal.keeps_all = true;
    top_up(&mut street);
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-08");
    assert!(street.view()["screen"]["lead"]["text"].as_str().unwrap().contains("No se le cobra nada"));
    street.lift();
    street.pass(2 * HOUR_MS);
    assert_eq!(outcome(&street), Some(Outcome::Voided));
    assert!(!street.ledger().top_up(street.disk[0].subject.top_up).unwrap().has(Kind::LossCaptureExpired));
}

#[test]
fn a_reservation_booked_by_hand_before_it_lapsed_is_not_taken_for_lapsed() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.credit = CreditFate::NotSent;
    street.terminal.tells = false;
    top_up(&mut street);
    let id = street.disk[0].subject.top_up;
    street.lift();
    street.pass(60_000);
    assert_eq!(claim(&street), Claim::Open, "{:?}", street.kinds());
    street.terminal.tells = true;
    street.terminal.paid.get_mut(&id).unwrap().0 = Paid::Kept;
    street.pass(2 * HOUR_MS);
    assert!(street.kinds().contains(&"posted") && !street.kinds().contains(&"voided"), "{:?}", street.kinds());
}

#[test]
fn by_a_wrong_clock_no_reservation_lapses() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.terminal.capture = CaptureFate::Fails(FailureCode::PaymentRefused);
    top_up(&mut street);
    street.say(Event::Clock(session::ClockState::Wrong));
    street.pass(2 * HOUR_MS);
    assert_eq!(street.kinds().last(), Some(&"capture-owed"));
    street.say(Event::Clock(session::ClockState::Right));
    street.pass(HOUR_MS);
    assert_eq!(street.kinds().last(), Some(&"loss-capture-expired"));
}

#[test]
fn a_booking_that_was_tried_again_and_not_answered_is_asked_about_before_the_next_payment() {
    let mut street = street(PaymentOrder::PreAuthorise);
    street.terminal.capture = CaptureFate::Fails(FailureCode::PaymentRefused);
    top_up(&mut street);
    street.terminal.capture = CaptureFate::Breaks { booked: true };
    street.pass(31_000);
    street.lay(1);
    street.press("top-up");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código P-06", "{:?}", street.kinds());
    street.terminal.capture = CaptureFate::Books;
    street.pass(10_000);
    assert_eq!(outcome(&street), Some(Outcome::Completed));
    street.lift();
    street.pass(10_000);
    street.lay(1);
    street.press("top-up");
    street.press("pay");
    assert_eq!(street.kind(), "done");
}
