//! A payment the citizen gives up, at a payment terminal that answers, answers late, or never answers.

use crate::bank::{Paid, PaymentFate};
use crate::crashes::assert_conserved;
use crate::street::Street;
use domain::device::PaymentEvent;
use domain::{FailureCode, TopUpId};
use ledger::{Claim, Outcome};
use session::{Action, Event};

/// Given up, and the payment terminal says nothing.
fn given_up() -> (Street, TopUpId) {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    crate::money::top_up(&mut street);
    street.terminal.deaf = true;
    let (id, _) = street.terminal.asked.unwrap();
    street.press("cancel-payment");
    (street, id)
}

fn claim(street: &Street, id: TopUpId) -> Claim {
    street.ledger().top_up(id).unwrap().claim()
}

fn outcome(street: &Street, id: TopUpId) -> Option<Outcome> {
    street.ledger().top_up(id).unwrap().outcome()
}

#[test]
fn whoever_gives_up_waits_at_most_twenty_seconds_and_leaves_with_a_claim() {
    let (mut street, id) = given_up();
    assert_eq!(street.heading(), "Cancelando el pago");
    street.pass(19_000);
    assert_eq!((street.heading().as_str(), claim(&street, id)), ("Cancelando el pago", Claim::None));
    street.pass(1_500);
    let view = street.view();
    assert_eq!((&view["screen"]["kind"], claim(&street, id)), (&"trouble".into(), Claim::Open));
    assert_eq!(view["screen"]["code"]["text"], "Código P-04");
    assert!(view["screen"]["claim"].is_object());
    assert_eq!(street.kinds(), ["intent", "payment-unknown", "claimed"]);
    street.press("print-claim");
    street.press("finish");
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn giving_up_again_and_again_asks_the_payment_terminal_once_more_but_never_waits_longer() {
    let (mut street, id) = given_up();
    for _ in 0..4 {
        street.pass(4_000);
        street.act(Action::CancelPayment);
    }
    street.pass(4_500);
    assert_eq!(claim(&street, id), Claim::Open);
}

#[test]
fn no_other_payment_starts_before_the_first_is_known() {
    let (mut street, _) = given_up();
    street.pass(21_000);
    street.press("finish");
    street.lay(1);
    street.press("top-up");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código P-06");
    assert_eq!(street.terminal.authorised, 1);
}

#[test]
fn a_late_no_ends_the_claim_as_never_made() {
    let (mut street, id) = given_up();
    street.pass(21_000);
    street.terminal.asked = None;
    street.say(Event::Payment(PaymentEvent::Declined(id, FailureCode::PaymentCancelled)));
    street.pass(5_000);
    assert_eq!(outcome(&street, id), Some(Outcome::Voided));
    assert_conserved(&street);
}

#[test]
fn a_late_yes_is_never_credited_on_its_word_and_ends_as_the_terminal_ends_it() {
    for (end, outcome_then) in [(Paid::Reversed, Some(Outcome::Voided)), (Paid::Kept, None)] {
        let (mut street, id) = given_up();
        street.pass(21_000);
        // The bank answers after all; nobody settles, so the terminal lets go by itself.
        street.bank_card();
        assert_eq!(street.cards[0].counter(), 4, "credited on a payment that may still be undone");
        street.terminal.end(id, end);
        street.say(Event::Payment(PaymentEvent::AnswerInDoubt(id)));
        street.pass(10_000);
        assert_eq!(street.cards[0].counter(), if end == Paid::Kept { 5 } else { 4 }, "{end:?}");
        let known = outcome(&street, id);
        assert!(known == outcome_then || known == Some(Outcome::Completed), "{end:?}: {known:?}");
        assert_conserved(&street);
    }
}

#[test]
fn a_late_yes_after_the_card_is_gone_is_kept_for_its_next_sight() {
    let (mut street, id) = given_up();
    street.pass(21_000);
    street.press("finish");
    street.lift();
    street.bank_card();
    street.terminal.end(id, Paid::Kept);
    street.say(Event::Payment(PaymentEvent::AnswerInDoubt(id)));
    street.pass(10_000);
    assert_eq!((claim(&street, id), street.cards[0].counter()), (Claim::Open, 4));
    street.lay(0);
    assert_eq!((outcome(&street, id), street.cards[0].counter()), (Some(Outcome::Completed), 5));
    assert_conserved(&street);
}

#[test]
fn a_power_cut_while_nobody_answers_leaves_the_claim() {
    for paid in [Paid::Kept, Paid::Reversed] {
        let (mut street, id) = given_up();
        street.pass(21_000);
        street.bank_card();
        street.restart(paid);
        street.pass(30_000);
        street.lay(0);
        street.pass(30_000);
        let expected = if paid == Paid::Kept { Outcome::Completed } else { Outcome::Voided };
        assert_eq!(outcome(&street, id), Some(expected), "{paid:?}");
        assert_conserved(&street);
    }
}
