//! What happens when nothing happens.

use crate::bank::PaymentFate;
use crate::street::Street;
use domain::device::ReaderEvent;
use session::{Action, Event};

fn warned(street: &Street) -> bool {
    street.view()["overlay"]["kind"] == "time-warning"
}

#[test]
fn the_warning_comes_after_a_minute_two_with_large_letters_and_three_where_the_card_asks() {
    for (large, more, ms) in [(false, false, 60_000), (true, false, 120_000), (false, true, 180_000)] {
        let mut street = Street::new();
        street.cards[0].wishes.large_text = large;
        street.cards[0].wishes.more_time = more;
        street.lay(0);
        street.pass(ms - 100);
        assert!(!warned(&street), "{ms}");
        street.pass(200);
        assert!(warned(&street), "{ms}");
        assert_eq!(street.view()["overlay"]["seconds"], 30);
        street.press("stay");
        assert!(!warned(&street));
        street.pass(ms + 30_500);
        assert_eq!((street.kind().as_str(), street.wiped), ("farewell", 1));
    }
}

#[test]
fn timers_stand_still_while_paying_and_printing() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    crate::money::top_up(&mut street);
    street.pass(170_000);
    assert!(!warned(&street) && street.is_serving());
    street.bank_card();
    street.slow_printer = true;
    street.press("print-receipt");
    street.pass(170_000);
    assert!(!warned(&street) && street.is_serving());
    street.pass(20_000);
    assert_eq!(street.view()["screen"]["kind"], "done");
}

#[test]
fn a_torn_card_is_waited_for_longer_than_a_lifted_one() {
    let mut street = Street::new();
    street.credit = crate::world::CreditFate::Torn { credited: true };
    crate::money::top_up(&mut street);
    street.pass(89_000);
    assert!(street.is_serving());
    street.pass(2_000);
    assert!(!street.is_serving());
}

#[test]
fn a_card_that_is_neither_read_nor_refused_is_refused() {
    let mut street = Street::new();
    street.say(Event::Reader(ReaderEvent::CardArrived(domain::card::Presentation(5))));
    assert_eq!(street.kind(), "busy");
    street.pass(11_000);
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-03");
}

#[test]
fn letters_chosen_before_the_card_stay_for_the_visit_and_go_with_it() {
    let mut street = Street::new();
    street.act(Action::ToggleLetters);
    street.lay(0);
    assert_eq!(street.view()["largeText"], true);
    street.act(Action::Finish);
    // The thanks are theirs, too.
    assert_eq!(street.view()["largeText"], true);
    street.lift();
    assert_eq!(street.view()["largeText"], false);
    street.act(Action::ToggleLetters);
    street.pass(70_000);
    assert_eq!(street.view()["largeText"], false);
}

#[test]
fn a_card_laid_back_while_something_was_asked_of_it_leaves_no_dead_screen() {
    let mut street = Street::new();
    street.lay(0);
    street.press("documents");
    street.press("volante-individual");
    "271828".chars().for_each(|digit| street.press(&format!("digit-{digit}")));
    // Lifted and laid back before the reader answers.
    street.session.step(Event::Act(Action::PinConfirm), street.now, [1; 32]);
    street.lay(0);
    assert_eq!(street.view()["screen"]["confirm"]["enabled"], false);
    street.type_pin("271828");
    assert_eq!(street.kind(), "details");
}
