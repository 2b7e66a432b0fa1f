//! The top-up: its order, its failures, and what the citizen sees of them.

use crate::bank::{AnswerFate, PaymentFate};
use crate::crashes::assert_conserved;
use crate::street::Street;
use crate::world::CreditFate;
use domain::{Cents, FailureCode};
use ledger::{Claim, Outcome};

pub(crate) fn top_up(street: &mut Street) {
    street.lay(0);
    street.press("top-up");
    street.press("pay");
}

fn outcome(street: &Street) -> Option<Outcome> {
    let id = street.disk.last().unwrap().subject.top_up;
    street.ledger().top_up(id).unwrap().outcome()
}

fn claim(street: &Street) -> Claim {
    let id = street.disk.last().unwrap().subject.top_up;
    street.ledger().top_up(id).unwrap().claim()
}

#[test]
fn each_step_of_a_top_up_follows_its_durable_entry_and_the_sum_is_shown() {
    let mut street = Street::new();
    top_up(&mut street);
    assert_eq!(street.kinds(), ["intent", "authorised", "credit-started", "credited", "posted"]);
    let order = [
        "ProveCreditKey",
        "Intent {",
        "Authorise {",
        "Authorised {",
        "CreditStarted",
        "Money(Permit { top_up: TopUpId",
        "Credited {",
        "Settle(",
    ];
    let places: Vec<usize> = order.iter().map(|what| street.logged(what)).collect();
    assert!(places[..5].is_sorted() && places[6] < places[7], "{places:?}");
    let view = street.view();
    assert_eq!(view["screen"]["kind"], "done");
    assert_eq!(view["screen"]["hero"]["value"]["text"], "23,50\u{a0}€");
    assert_eq!(view["screen"]["sum"][0]["value"]["text"], "3,50\u{a0}€");
    assert_eq!(view["screen"]["hero"]["counting"].as_array().unwrap().last().unwrap(), "23,50\u{a0}€");
    assert_eq!((street.cards[0].purse, outcome(&street)), (Cents(2_350), Some(Outcome::Completed)));
}

#[test]
fn nothing_moves_while_the_journal_is_slow() {
    let mut street = Street::new();
    street.slow_journal = true;
    top_up(&mut street);
    let mut moved = Vec::new();
    for _ in 0..5 {
        moved.push((
            street.terminal.authorised,
            street.cards[0].counter(),
            street.terminal.paid.values().filter(|paid| paid.0 != crate::bank::Paid::Waiting).count(),
            street.kind(),
        ));
        street.let_durable();
    }
    let expected = [(0, 4, 0, "busy"), (1, 4, 0, "busy"), (1, 4, 0, "busy"), (1, 5, 0, "busy"), (1, 5, 1, "done")];
    assert_eq!(moved, expected.map(|(asked, counter, answered, kind)| (asked, counter, answered, kind.to_owned())));
}

#[test]
fn two_top_ups_in_one_visit_both_count() {
    let mut street = Street::new();
    top_up(&mut street);
    street.press("home");
    street.press("top-up");
    street.press("amount-500");
    street.press("pay");
    assert_eq!((street.kind(), street.cards[0].purse), ("done".to_owned(), Cents(2_850)));
}

#[test]
fn a_payment_that_was_not_made_is_said_and_costs_nothing() {
    for (code, id) in [(FailureCode::PaymentRefused, "P-02"), (FailureCode::PaymentCancelled, "P-03")] {
        let mut street = Street::new();
        street.terminal.next = PaymentFate::Declines(code);
        top_up(&mut street);
        assert_eq!(street.view()["screen"]["code"]["text"], format!("Código {id}"));
        assert_eq!(outcome(&street), Some(Outcome::Voided));
        street.press("again");
        assert_eq!(street.kind(), "amount");
    }
}

#[test]
fn a_payment_given_up_before_the_terminal_is_asked_is_never_asked_for() {
    let mut street = Street::new();
    street.slow_journal = true;
    top_up(&mut street);
    street.press("cancel-payment");
    street.let_durable();
    street.let_durable();
    assert_eq!((street.terminal.authorised, outcome(&street)), (0, Some(Outcome::Voided)));
    assert_eq!(street.view()["screen"]["code"]["text"], "Código P-03");
}

#[test]
fn a_payment_given_up_at_the_terminal_ends_there() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.press("cancel-payment");
    assert_eq!((street.kind(), outcome(&street)), ("trouble".to_owned(), Some(Outcome::Voided)));
}

#[test]
fn an_unknown_payment_is_asked_about_and_finished_either_way() {
    for (made, kind, end) in [(true, "done", Outcome::Completed), (false, "trouble", Outcome::Voided)] {
        let mut street = Street::new();
        street.terminal.next = PaymentFate::Breaks { made };
        top_up(&mut street);
        assert_eq!((street.kind().as_str(), outcome(&street)), (kind, Some(end)));
        assert_conserved(&street);
    }
}

#[test]
fn a_terminal_that_cannot_tell_leaves_a_claim_and_lets_the_citizen_go() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Breaks { made: true };
    street.terminal.tells = false;
    top_up(&mut street);
    street.pass(10_000);
    assert_eq!((street.kind().as_str(), claim(&street)), ("trouble", Claim::Open));
    street.press("print-claim");
    assert_eq!(street.prints.len(), 1);
    street.press("finish");
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn a_terminal_that_goes_with_the_payment_leaves_a_claim_which_its_return_settles() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    let (id, amount) = street.terminal.asked.take().unwrap();
    street.terminal.approve(id, amount);
    street.terminal.end(id, crate::bank::Paid::Kept);
    street.terminal.there = false;
    street.say(session::Event::Payment(domain::device::PaymentEvent::Unknown(id)));
    street.terminal_leaves();
    street.pass(25_000);
    assert_eq!((street.kind().as_str(), claim(&street)), ("trouble", Claim::Open));
    street.terminal_returns();
    assert_eq!((street.kind().as_str(), outcome(&street)), ("done", Some(Outcome::Completed)));
    assert_conserved(&street);
}

#[test]
fn a_card_put_back_finds_its_credit_or_gets_it_once() {
    for credited in [true, false] {
        let mut street = Street::new();
        street.credit = CreditFate::Torn { credited };
        top_up(&mut street);
        assert_eq!(street.heading(), "La tarjeta se retiró antes de terminar");
        street.lay(0);
        assert_eq!((street.kind().as_str(), outcome(&street)), ("done", Some(Outcome::Completed)));
        assert_eq!((street.cards[0].purse, street.cards[0].counter()), (Cents(2_350), 5));
        assert_conserved(&street);
    }
}

#[test]
fn a_card_that_never_comes_back_leaves_a_claim_that_its_next_sight_settles() {
    for credited in [true, false] {
        let mut street = Street::new();
        street.credit = CreditFate::Torn { credited };
        top_up(&mut street);
        street.pass(95_000);
        assert_eq!((street.kind().as_str(), claim(&street)), ("attract", Claim::Open));
        assert_eq!(street.terminal.paid.values().next().unwrap().0, crate::bank::Paid::Kept);
        street.lay(1);
        assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "12,40\u{a0}€");
        street.lay(0);
        assert_eq!(outcome(&street), Some(Outcome::Completed));
        assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "23,50\u{a0}€");
        assert!(street.view()["screen"]["notices"].to_string().contains("20,00\u{a0}€"));
        assert_conserved(&street);
    }
}

#[test]
fn a_card_put_back_after_the_slip_was_printed_is_still_credited_once() {
    for credited in [true, false] {
        let mut street = Street::new();
        street.credit = CreditFate::Torn { credited };
        top_up(&mut street);
        street.slow_printer = true;
        street.press("print-claim");
        let name = street.prints[0].name().clone();
        street.lay(0);
        street.say(session::Event::Printer(domain::device::PrinterEvent::Printed(name)));
        assert_eq!((street.kind().as_str(), outcome(&street)), ("done", Some(Outcome::Completed)));
        assert_conserved(&street);
    }
}

#[test]
fn a_card_lifted_before_the_commit_gives_the_money_back() {
    let mut street = Street::new();
    street.credit = CreditFate::NotSent;
    top_up(&mut street);
    assert_eq!(outcome(&street), Some(Outcome::Voided));
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-08");
    assert_conserved(&street);
}

#[test]
fn the_end_of_the_hold_keeps_the_money_of_a_doubtful_credit_and_gives_back_an_untried_one() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: true };
    top_up(&mut street);
    let id = street.disk[0].subject.top_up;
    street.say(session::Event::Payment(domain::device::PaymentEvent::HoldEnding(id)));
    assert!(street.terminal.kept(id));
    street.lay(0);
    assert_eq!(outcome(&street), Some(Outcome::Completed));

    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.lift();
    street.bank_card();
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.heading(), "Vuelva a poner su tarjeta");
    street.say(session::Event::Payment(domain::device::PaymentEvent::HoldEnding(id)));
    assert_eq!(outcome(&street), Some(Outcome::Voided));
}

#[test]
fn a_hold_that_ends_before_the_doubt_is_durable_is_answered_after_it() {
    let mut street = Street::new();
    street.slow_journal = true;
    top_up(&mut street);
    street.let_durable();
    street.let_durable();
    street.credit = CreditFate::Torn { credited: false };
    street.let_durable();
    let id = street.disk[0].subject.top_up;
    assert_eq!(street.kinds().last(), Some(&"in-doubt"));
    street.say(session::Event::Payment(domain::device::PaymentEvent::HoldEnding(id)));
    assert!(!street.terminal.kept(id));
    street.let_durable();
    assert!(street.terminal.kept(id));
}

#[test]
fn an_answer_in_doubt_during_the_credit_neither_repeats_nor_denies_it() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    street.slow_reader = true;
    street.bank_card();
    let id = street.disk[0].subject.top_up;
    street.terminal.end(id, crate::bank::Paid::Kept);
    street.say(session::Event::Payment(domain::device::PaymentEvent::AnswerInDoubt(id)));
    assert_eq!(street.kinds().last(), Some(&"answer-in-doubt"));
    street.let_answer();
    assert_eq!((street.cards[0].counter(), outcome(&street)), (5, Some(Outcome::Completed)));
    assert_eq!(street.log.iter().filter(|line| line.contains("Credit(CreditOrder")).count(), 1);
    assert!(!street.kinds().contains(&"not-credited"));
}

#[test]
fn a_proof_of_the_card_waits_for_the_journal() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.slow_reader = true;
    street.lay(0);
    let id = street.disk[0].subject.top_up;
    street.terminal.end(id, crate::bank::Paid::Kept);
    street.slow_journal = true;
    street.say(session::Event::Payment(domain::device::PaymentEvent::AnswerInDoubt(id)));
    street.let_durable();
    // The verdict comes between the entry and its durability.
    street.let_answer();
    street.slow_journal = false;
    street.let_durable();
    assert_eq!((street.cards[0].counter(), outcome(&street)), (5, Some(Outcome::Completed)));
    assert_conserved(&street);
}

#[test]
fn a_lost_answer_after_the_credit_ends_complete_or_as_the_citys_loss() {
    for (fate, end) in [(AnswerFate::LostAndKept, Outcome::Completed), (AnswerFate::LostAndReversed, Outcome::Lost)] {
        let mut street = Street::new();
        street.terminal.answer = fate;
        top_up(&mut street);
        assert_eq!((street.kind().as_str(), outcome(&street)), ("done", Some(end)));
    }
}

#[test]
fn another_card_never_gets_the_credit_of_the_first() {
    let mut street = Street::new();
    street.slow_journal = true;
    top_up(&mut street);
    street.let_durable();
    street.let_durable();
    assert_eq!(street.kinds().last(), Some(&"credit-started"));
    street.slow_journal = false;
    street.lay(1);
    street.let_durable();
    assert_eq!((street.cards[1].purse, outcome(&street)), (Cents(1_240), Some(Outcome::Voided)));
    assert!(
        street.view()["screen"].to_string().contains("20,00"),
        "what came of it is said first: {:#}",
        street.view()
    );
    street.lift();
    street.pass(1_000);
    street.lay(1);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "12,40\u{a0}€");
    assert_conserved(&street);
}

#[test]
fn a_claim_is_taken_up_after_a_restart_that_had_nothing_to_write() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.pass(95_000);
    let written = street.disk.len();
    street.restart(crate::bank::Paid::Kept);
    assert_eq!(street.disk.len(), written);
    street.lay(0);
    assert_eq!((street.cards[0].purse, outcome(&street)), (Cents(2_350), Some(Outcome::Completed)));
}

#[test]
fn a_purse_no_city_allows_is_never_topped_up() {
    let mut street = Street::new();
    street.cards[0].purse = Cents(505_290_770);
    street.lay(0);
    assert!(!street.view().to_string().contains("5.052.907,70"));
    street.press("top-up");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código C-06");
    assert!(street.disk.is_empty());
}

#[test]
fn an_amount_beyond_a_limit_cannot_be_paid() {
    let mut street = Street::new();
    street.cards[0].purse = Cents(19_000);
    street.lay(0);
    street.press("top-up");
    let view = street.view();
    assert_eq!(view["screen"]["confirm"]["enabled"], false);
    street.act(session::Action::Pay);
    assert!(street.disk.is_empty());
    street.press("amount-1000");
    assert_eq!(street.view()["screen"]["confirm"]["enabled"], true);
}
