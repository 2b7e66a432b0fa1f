//! The payment terminal's end-of-day. It is 11:00 when the street opens; the day ends at half past, and waits for what
//! is undecided until noon.

use crate::bank::{DayFate, Paid, PaymentFate};
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::scenes::logged::Logged;
use crate::street::Street;
use crate::world::CreditFate;
use domain::FailureCode;
use domain::device::PaymentOrder;
use ledger::{Claim, Kind};
use session::{EndOfDay, TillProfile};

const MINUTE_MS: u64 = 60_000;

pub(crate) fn profile(order: PaymentOrder) -> TillProfile {
    let end_of_day = Some(EndOfDay { from_minute: 690, latest_minute: 720 });
    TillProfile { order, reservation_ms: 3_600_000, end_of_day }
}

pub(crate) fn street() -> Street {
    Street::under(profile(PaymentOrder::Vending))
}

/// Asked for, and the payment terminal cannot tell what became of it.
fn undecided(street: &mut Street) {
    street.terminal.next = PaymentFate::Waits;
    top_up(street);
    street.terminal.tells = false;
    street.terminal_leaves();
    let id = street.disk[0].subject.top_up;
    street.say(session::Event::Payment(domain::device::PaymentEvent::Unknown(id)));
    street.pass(21_000);
    street.press("finish");
    street.lift();
}

#[test]
fn the_day_is_ended_at_its_hour_and_not_again_before_the_next() {
    let mut street = street();
    street.pass(29 * MINUTE_MS);
    assert_eq!(street.terminal.days, 0);
    street.pass(2 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
    street.pass(23 * 60 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
    street.pass(60 * MINUTE_MS);
    assert_eq!(street.terminal.days, 2);
}

#[test]
fn without_an_hour_the_payment_terminal_is_left_to_itself() {
    let mut street = Street::new();
    street.pass(25 * 60 * MINUTE_MS);
    assert_eq!(street.terminal.days, 0);
}

#[test]
fn whoever_is_served_comes_first() {
    let mut street = street();
    street.pass(29 * MINUTE_MS + 30_000);
    street.lay(0);
    street.pass(10 * MINUTE_MS);
    assert_eq!(street.terminal.days, 0, "the card still lies there");
    street.lift();
    street.pass(2 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
}

#[test]
fn an_undecided_payment_is_waited_for_until_the_latest_minute_and_then_left_to_central() {
    let mut street = street();
    undecided(&mut street);
    street.pass(40 * MINUTE_MS);
    street.terminal_returns();
    assert_eq!(street.terminal.days, 0);
    street.pass(5_000);
    street.terminal_leaves();
    street.pass(20 * MINUTE_MS);
    let asked = |street: &Street| street.log.iter().filter(|line| line.contains("Payment(Resolve")).count();
    let before = asked(&street);
    assert!(!street.kinds().contains(&"left-to-central"));
    street.terminal_returns();
    street.pass(2 * MINUTE_MS);
    assert!(asked(&street) > before, "asked once more");
    assert!(street.kinds().contains(&"left-to-central"), "{:?}", street.kinds());
    assert_eq!(street.terminal.days, 1);
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.ledger().top_up(id).unwrap().claim(), Claim::Open);
    assert_conserved(&street);
}

#[test]
fn a_payment_that_is_decided_in_time_is_followed_by_the_end_of_the_day() {
    let mut street = street();
    undecided(&mut street);
    street.pass(35 * MINUTE_MS);
    street.terminal.tells = true;
    street.terminal_returns();
    street.pass(2 * MINUTE_MS);
    assert_eq!(street.kinds().last(), Some(&"never-made"));
    assert_eq!(street.terminal.days, 1);
}

#[test]
fn a_card_in_doubt_is_a_claim_and_keeps_the_day_from_nothing() {
    let mut street = street();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.pass(32 * MINUTE_MS);
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.ledger().top_up(id).unwrap().claim(), Claim::Open);
    assert!(!street.ledger().top_up(id).unwrap().has(Kind::LeftToCentral));
    assert_eq!(street.terminal.days, 1);
}

#[test]
fn a_day_that_did_not_end_is_tried_again_later() {
    for fate in [DayFate::Fails(FailureCode::PaymentRefused), DayFate::Silent] {
        let mut street = street();
        street.terminal.day = fate;
        street.pass(31 * MINUTE_MS);
        assert_eq!(street.terminal.days, 1);
        street.pass(3 * MINUTE_MS);
        assert_eq!(street.terminal.days, 1);
        street.terminal.day = DayFate::Ends;
        street.pass(15 * MINUTE_MS);
        assert_eq!(street.terminal.days, 2, "{fate:?}");
        street.pass(60 * MINUTE_MS);
        assert_eq!(street.terminal.days, 2, "{fate:?}");
    }
}

#[test]
fn why_a_day_did_not_end_stands_in_the_log_once() {
    let warnings = Logged::from(tracing::Level::WARN);
    tracing::subscriber::with_default(warnings.clone(), || {
        let mut street = street();
        street.terminal.day = DayFate::Fails(FailureCode::PaymentRefused);
        street.pass(60 * MINUTE_MS);
        assert!(street.terminal.days > 3);
    });
    let lines = warnings.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("code=P-02"), "{lines:?}");
}

#[test]
fn nobody_pays_while_the_day_is_being_ended_and_the_screen_says_when_it_is_over() {
    let mut street = street();
    street.terminal.day = DayFate::Silent;
    street.pass(31 * MINUTE_MS);
    street.lay(0);
    assert!(street.view()["screen"]["notices"].to_string().contains("P-10"));
    street.press("top-up");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código P-10");
    street.say(session::Event::Payment(domain::device::PaymentEvent::DayEnded));
    street.press("again");
    street.press("pay");
    assert_eq!(street.kind(), "done");
}

#[test]
fn a_start_after_the_hour_does_not_end_the_day_again_and_one_within_it_does() {
    let mut street = street();
    street.pass(70 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
    street.restart(Paid::Kept);
    street.pass(20 * 60 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
    let mut street = self::street();
    street.terminal_leaves();
    street.pass(40 * MINUTE_MS);
    street.restart(Paid::Kept);
    street.pass(2 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
}

#[test]
fn a_wrong_clock_ends_no_day() {
    let mut street = street();
    street.say(session::Event::Clock(session::ClockState::Wrong));
    street.pass(120 * MINUTE_MS);
    assert_eq!(street.terminal.days, 0);
}

#[test]
fn an_hour_may_reach_beyond_midnight() {
    let end_of_day = Some(EndOfDay { from_minute: 1_410, latest_minute: 30 });
    let mut street = Street::under(TillProfile { end_of_day, ..TillProfile::default() });
    street.pass(12 * 60 * MINUTE_MS);
    street.lay(0);
    street.pass(25 * MINUTE_MS);
    assert_eq!(street.terminal.days, 0, "23:25");
    street.pass(60 * MINUTE_MS);
    street.lift();
    street.pass(MINUTE_MS);
    assert_eq!(street.terminal.days, 1, "after midnight, for the day before");
    street.pass(22 * 60 * MINUTE_MS);
    assert_eq!(street.terminal.days, 1);
}
