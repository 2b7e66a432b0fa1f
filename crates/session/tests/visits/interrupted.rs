//! The program ends under somebody who stands there: when it is back and the card is read, what came of the top-up is
//! said before all else; without certainty there is a code to take along.

use crate::bank::{Paid, PaymentFate};
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::street::Street;
use crate::till_orders::{ORDERS, street};
use domain::device::PaymentOrder;
use ledger::{Claim, Outcome};

#[test]
fn a_payment_that_was_given_back_is_said_to_be() {
    for order in ORDERS {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        top_up(&mut street);
        street.restart(Paid::Reversed);
        street.lay(0);
        let view = street.view();
        assert_eq!(view["screen"]["code"]["text"], "Código S-07", "{order:?}");
        assert_eq!(street.heading(), "El terminal se reinició durante la recarga");
        assert!(view["screen"]["lead"]["text"].as_str().unwrap().contains("20,00"));
        street.press("home");
        street.lift();
        street.pass(20_000);
        street.lay(0);
        assert_eq!(street.kind(), "home", "{order:?}: said once");
    }
}

#[test]
fn a_payment_nobody_can_tell_of_gets_its_code_and_its_slip() {
    for order in ORDERS {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        top_up(&mut street);
        street.terminal.tells = false;
        street.restart(Paid::Kept);
        street.lay(0);
        assert_eq!(street.heading(), "Preguntamos si se ha cobrado", "{order:?}");
        street.pass(12_000);
        assert_eq!(street.heading(), "No sabemos si el banco ha cobrado", "{order:?}");
        assert!(street.view()["screen"]["claim"].is_object());
        street.press("print-claim");
        assert_eq!(street.prints.len(), 1);
        street.press("finish");
        assert_eq!(street.kind(), "farewell");
        assert_conserved(&street);
    }
}

#[test]
fn a_credit_that_had_arrived_is_shown_as_done() {
    for order in ORDERS {
        let mut street = street(order);
        street.slow_reader = true;
        top_up(&mut street);
        // The key is proven, and the card is credited; the answer never comes.
        let proven = street.held.pop_front().unwrap();
        street.say(proven);
        assert_eq!(street.cards[0].counter(), 5, "{order:?}");
        street.restart(Paid::Kept);
        street.lay(0);
        assert_eq!(street.kind(), "done", "{order:?}");
        assert_eq!(street.view()["screen"]["hero"]["value"]["text"], "23,50\u{a0}€");
        street.pass(60_000);
        let id = street.disk[0].subject.top_up;
        assert_eq!(street.ledger().top_up(id).unwrap().outcome(), Some(Outcome::Completed), "{order:?}");
        assert_conserved(&street);
    }
}

#[test]
fn whoever_lays_another_card_down_is_told_nothing_of_it() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.restart(Paid::Reversed);
    street.lay(1);
    assert_eq!(street.kind(), "home");
    assert!(!street.view().to_string().contains("20,00"));
}

#[test]
fn an_older_claim_is_a_notice_with_its_code_and_no_screen_of_its_own() {
    let mut street = street(PaymentOrder::Vending);
    street.terminal.next = PaymentFate::Breaks { made: true };
    street.terminal.tells = false;
    top_up(&mut street);
    street.pass(10_000);
    street.press("finish");
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.ledger().top_up(id).unwrap().claim(), Claim::Open);
    street.restart(Paid::Kept);
    street.terminal.tells = false;
    street.lay(0);
    assert_eq!(street.kind(), "home");
    let notices = street.view()["screen"]["notices"].to_string();
    assert!(notices.contains(&ledger::ClaimCode::of(id).to_string()), "{notices}");
}

#[test]
fn a_credit_that_was_journalled_before_the_end_is_a_notice_on_the_home_screen() {
    let mut street = Street::new();
    street.slow_journal = true;
    top_up(&mut street);
    while street.kinds().last() != Some(&"credited") {
        street.let_durable();
    }
    street.restart(Paid::Kept);
    street.lay(0);
    assert_eq!((street.kind().as_str(), street.prints.len()), ("home", 0));
    let notices = street.view()["screen"]["notices"].to_string();
    assert!(notices.contains("20,00\u{a0}€ está hecha"), "{notices}");
    assert_conserved(&street);
}
