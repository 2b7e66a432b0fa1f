//! The terminal is switched off while somebody stands before it, or with a card that lies there.

use super::SERVICE_CARD;
use crate::bank::PaymentFate;
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::random::{Dice, assert_whole, happens, settle};
use crate::street::{Street, assert_nothing_private};
use domain::card::Presentation;
use domain::device::ReaderEvent;
use domain::service::{Reason, ServiceEvent};
use session::{Action, Event};

/// The word comes late: somebody else is there already.
fn switch_off(street: &mut Street) {
    street.machine.out_of_order = Some(Reason::Repair);
    street.say(Event::Service(ServiceEvent::OutOfOrder(Some(Reason::Repair))));
}

#[test]
fn a_citizens_visit_ends_when_the_terminal_is_switched_off_and_the_card_is_asked_for() {
    for way in [&[][..], &["services"], &["top-up"], &["documents"], &["documents", "volante-individual"]] {
        let mut street = Street::new();
        street.lay(0);
        way.iter().for_each(|button| street.press(button));
        switch_off(&mut street);
        assert_eq!((street.kind().as_str(), street.wiped, street.is_serving()), ("farewell", 1, false), "{way:?}");
        assert_nothing_private(&street);
        street.lift();
        assert_eq!(street.kind(), "closed", "{way:?}");
    }
}

#[test]
fn a_top_up_under_way_is_brought_to_its_end_and_read_about_first() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    switch_off(&mut street);
    assert!(street.is_serving());
    street.bank_card();
    assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5));
    street.press("print-receipt");
    assert_eq!(street.kind(), "done");
    street.act(Action::Home);
    assert_eq!((street.kind().as_str(), street.is_serving()), ("farewell", false));
}

#[test]
fn a_paper_under_way_comes_out_first() {
    let mut street = Street::new();
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street.slow_printer = true;
    street.press("print");
    switch_off(&mut street);
    assert_eq!(street.kind(), "busy");
    street.pass(181_000);
    // It is not known to be out whole: that is said first.
    assert_eq!((street.kind().as_str(), street.is_serving()), ("trouble", true));
    street.act(Action::Home);
    assert_eq!((street.kind().as_str(), street.is_serving()), ("farewell", false));
}

#[test]
fn only_the_record_tells_whether_whoever_stands_there_is_a_technician() {
    for (card, kind) in [(0, "farewell"), (SERVICE_CARD, "pin")] {
        let mut street = Street::new();
        let presentation = street.lay_with_a_slow_record(card);
        switch_off(&mut street);
        assert_eq!(street.kind(), "busy");
        street.open_record(presentation);
        assert_eq!(street.kind(), kind);
    }
}

#[test]
fn a_technicians_visit_goes_on() {
    let mut street = super::in_maintenance();
    street.press("state");
    switch_off(&mut street);
    assert_eq!((street.kind().as_str(), street.wiped), ("details", 0));
}

#[test]
fn a_card_that_is_never_read_on_a_terminal_out_of_order_is_asked_for_and_not_called_unreadable() {
    let mut street = Street::new();
    switch_off(&mut street);
    let presentation = Presentation(9);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.pass(10_100);
    assert_eq!(street.kind(), "farewell");
    street.pass(31_000);
    assert_eq!(street.log.iter().filter(|line| *line == "Sound(CardForgotten)").count(), 3);
    street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
    assert_eq!(street.kind(), "closed");
}

#[test]
fn any_history_in_which_the_terminal_is_switched_off_and_on_serves_nobody_meanwhile_and_loses_nothing() {
    let mut ended = 0;
    for seed in 0..120 {
        let mut dice = Dice(seed);
        let mut street = Street::new();
        for _ in 0..60 {
            if dice.roll(12) == 0 {
                let before = street.wiped;
                street.machine.out_of_order = dice.one(&[None, Some(Reason::Paper)]);
                street.say(Event::Service(ServiceEvent::OutOfOrder(street.machine.out_of_order)));
                ended += street.wiped - before;
            }
            happens(&mut street, &mut dice);
            assert_whole(&street);
            let open = ["home", "amount", "menu", "pin", "details", "attract"];
            let off = street.machine.out_of_order.is_some();
            assert!(!off || !open.contains(&street.kind().as_str()), "seed {seed}: {:#}", street.view());
        }
        street.machine.out_of_order = None;
        street.say(Event::Service(ServiceEvent::OutOfOrder(None)));
        settle(&mut street);
        assert_eq!((street.is_serving(), street.kind().as_str()), (false, "attract"), "seed {seed}");
        assert_conserved(&street);
    }
    assert!(ended > 20, "visits were ended: {ended}");
}
