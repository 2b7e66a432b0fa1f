//! The three orders of payment and credit: the same screens and words for whoever stands there, and nothing lost in
//! any of them.

use crate::bank::{AnswerFate, Paid, PaymentFate};
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::Cents;
use domain::device::{PaymentEvent, PaymentOrder};
use ledger::{Claim, Kind, Outcome};
use session::{Action, Event, TillProfile};

pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const ORDERS: [PaymentOrder; 3] =
    [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];

pub(crate) fn street(order: PaymentOrder) -> Street {
    Street::under(TillProfile { order, reservation_ms: HOUR_MS, end_of_day: None })
}

fn outcome(street: &Street) -> Option<Outcome> {
    let id = street.disk[0].subject.top_up;
    street.ledger().top_up(id).unwrap().outcome()
}

fn claim(street: &Street) -> Claim {
    let id = street.disk[0].subject.top_up;
    street.ledger().top_up(id).unwrap().claim()
}

#[test]
fn each_order_says_its_facts_in_turn_and_ends_complete() {
    let check = |order, kinds: &[&str]| {
        let mut street = street(order);
        top_up(&mut street);
        assert_eq!(street.kinds(), kinds, "{order:?}");
        assert_eq!((street.kind().as_str(), street.cards[0].purse), ("done", Cents(2_350)), "{order:?}");
        assert_eq!(outcome(&street), Some(Outcome::Completed), "{order:?}");
        assert!(street.terminal.kept(street.disk[0].subject.top_up));
        assert_conserved(&street);
    };
    check(PaymentOrder::Vending, &["intent", "authorised", "credit-started", "credited", "posted"]);
    check(PaymentOrder::CaptureFirst, &["intent", "authorised", "posted", "credit-started", "credited"]);
    check(PaymentOrder::PreAuthorise, &["intent", "authorised", "reserved", "credit-started", "credited", "posted"]);
}

#[test]
fn the_citizen_sees_the_same_screens_in_each_order() {
    let screens = |order| {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        street.slow_journal = true;
        top_up(&mut street);
        let mut seen = vec![street.heading()];
        street.let_durable();
        seen.push(street.heading());
        street.bank_card();
        for _ in 0..6 {
            street.let_durable();
            seen.push(street.heading());
        }
        seen.dedup();
        seen
    };
    let vending = screens(PaymentOrder::Vending);
    assert_eq!(vending, ["Acerque su tarjeta bancaria", "Recargando su tarjeta", "Recarga hecha"]);
    assert_eq!(screens(PaymentOrder::CaptureFirst), vending);
    assert_eq!(screens(PaymentOrder::PreAuthorise), vending);
}

#[test]
fn nothing_is_credited_before_the_money_is_kept_or_reserved() {
    for order in [PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise] {
        let mut street = street(order);
        street.slow_journal = true;
        top_up(&mut street);
        for _ in 0..3 {
            street.let_durable();
            let id = street.disk[0].subject.top_up;
            let safe = street.terminal.kept(id) || street.terminal.is(id, Paid::Reserved);
            assert!(safe || street.cards[0].counter() == 4, "{order:?}");
        }
        street.let_durable();
        assert_eq!(street.cards[0].counter(), 5, "{order:?}");
    }
}

#[test]
fn what_was_not_credited_is_given_back_in_each_order() {
    for order in ORDERS {
        let mut street = street(order);
        street.credit = CreditFate::NotSent;
        top_up(&mut street);
        assert_eq!(street.view()["screen"]["code"]["text"], "Código C-08", "{order:?}");
        assert_eq!(outcome(&street), Some(Outcome::Voided), "{order:?}");
        assert!(street.terminal.is(street.disk[0].subject.top_up, Paid::Reversed), "{order:?}");
        assert_conserved(&street);
    }
}

#[test]
fn for_a_card_that_is_away_when_the_bank_approves_nothing_is_kept() {
    for order in ORDERS {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        top_up(&mut street);
        street.lift();
        street.bank_card();
        assert_eq!(street.heading(), "Vuelva a poner su tarjeta", "{order:?}");
        let id = street.disk[0].subject.top_up;
        street.say(Event::Payment(PaymentEvent::HoldEnding(id)));
        assert_eq!(outcome(&street), Some(Outcome::Voided), "{order:?}");
        // What became of the payment is read, although the card was lifted long before.
        street.pass(15_000);
        assert_eq!(street.view()["screen"]["code"]["text"], "Código C-08", "{order:?}");
        street.pass(10_000);
        assert_eq!(street.kind(), "attract", "{order:?}");
    }
}

#[test]
fn a_card_laid_back_while_the_payment_terminal_waits_is_credited_in_each_order() {
    for order in ORDERS {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        top_up(&mut street);
        street.lift();
        street.bank_card();
        street.lay(0);
        assert_eq!((street.kind().as_str(), outcome(&street)), ("done", Some(Outcome::Completed)), "{order:?}");
        assert_conserved(&street);
    }
}

#[test]
fn a_torn_card_finds_its_credit_or_gets_it_once_in_each_order() {
    for order in ORDERS {
        for credited in [true, false] {
            for returns_at_once in [true, false] {
                let mut street = street(order);
                street.credit = CreditFate::Torn { credited };
                top_up(&mut street);
                let text = street.view()["screen"]["claim"].to_string();
                assert!(text.contains("20,00"), "{order:?}: the amount stands beside the code: {text}");
                if !returns_at_once {
                    street.pass(95_000);
                    assert_eq!((street.kind().as_str(), claim(&street)), ("attract", Claim::Open), "{order:?}");
                }
                street.lay(0);
                assert_eq!(outcome(&street), Some(Outcome::Completed), "{order:?} {credited} {returns_at_once}");
                assert_eq!(street.cards[0].counter(), 5);
                assert_conserved(&street);
            }
        }
    }
}

#[test]
fn a_lost_answer_is_asked_about_and_no_new_payment_starts_before_it_is_known() {
    for order in ORDERS {
        for fate in [AnswerFate::LostAndKept, AnswerFate::LostAndReversed] {
            let mut street = street(order);
            street.terminal.answer = fate;
            street.terminal.tells = false;
            top_up(&mut street);
            street.lay(1);
            if order == PaymentOrder::Vending {
                street.press("top-up");
                assert_eq!(street.view()["screen"]["code"]["text"], "Código P-06");
            } else {
                assert_eq!(street.heading(), "Preguntamos si se ha cobrado", "{order:?}: the first still stands here");
                street.act(Action::TopUp);
            }
            assert_eq!(street.terminal.authorised, 1);
            street.terminal.tells = true;
            (street.terminal.answer, street.terminal.next) = (AnswerFate::Arrives, PaymentFate::Approves);
            street.pass(10_000);
            street.lay(0);
            street.pass(10_000);
            assert_conserved(&street);
        }
    }
}

#[test]
fn a_refund_that_the_payment_terminal_knows_nothing_of_is_a_claim_with_its_slip_and_the_next_sight_pays_it() {
    let mut street = street(PaymentOrder::CaptureFirst);
    street.credit = CreditFate::NotSent;
    // Another payment came after it: it was never told to give it back.
    street.terminal.tells = false;
    street.key_line_cut = true;
    top_up(&mut street);
    street.lift();
    street.pass(10_000);
    assert!(!street.kinds().contains(&"reversal-started"), "{:?}", street.kinds());
    assert_eq!((street.heading().as_str(), claim(&street)), ("El pago está hecho y falta la recarga", Claim::Open));
    let view = street.view();
    assert!(view["screen"]["claim"].to_string().contains("20,00"));
    assert!(view["screen"]["points"].to_string().contains("20,00"));
    street.pass(60_000);
    assert_eq!(street.kind(), "trouble", "the code stands until it is read");
    street.press("print-claim");
    assert_eq!(street.prints.len(), 1);
    street.press("finish");
    street.pass(40_000);
    street.lay(0);
    assert_eq!((outcome(&street), street.cards[0].purse), (Some(Outcome::Completed), Cents(2_350)));
    assert_conserved(&street);
}

#[test]
fn a_refund_that_was_begun_and_refused_is_credited_on_central_s_order_only() {
    let mut street = street(PaymentOrder::CaptureFirst);
    street.credit = CreditFate::NotSent;
    street.terminal.keeps_all = true;
    top_up(&mut street);
    street.credit = CreditFate::Done;
    let id = street.disk[0].subject.top_up;
    street.pass(20_000);
    let end = ["reversal-started", "claimed", "left-to-central"];
    assert!(street.kinds().ends_with(&end), "{:?}", street.kinds());
    street.press("finish");
    street.lift();
    street.pass(40_000);
    street.restart(Paid::Kept);
    street.lay(0);
    street.pass(10_000);
    assert_eq!((outcome(&street), street.cards[0].purse), (None, Cents(350)), "{:?}", street.kinds());
    assert!(street.ledger().blocking().is_none());
    let order = crate::orders::order(&street, 0, id, 2_000);
    street.say(session::Event::CityOrder(order));
    assert_eq!((outcome(&street), street.cards[0].purse), (Some(Outcome::Completed), Cents(2_350)));
}

/// What the payment terminal does while it is told to give a payment back.
fn forgets(street: &mut Street, id: domain::TopUpId, undone: bool) {
    if undone {
        street.terminal.paid.get_mut(&id).unwrap().0 = Paid::Reversed;
    }
    street.terminal.tells = false;
    street.say(Event::Payment(PaymentEvent::AnswerInDoubt(id)));
}

#[test]
fn a_refund_whose_answer_was_lost_with_all_the_payment_terminal_knew_is_never_credited_and_blocks_nobody() {
    for (order, restarts, undone) in [
        (PaymentOrder::CaptureFirst, false, true),
        (PaymentOrder::CaptureFirst, true, true),
        (PaymentOrder::CaptureFirst, true, false),
        (PaymentOrder::PreAuthorise, true, true),
    ] {
        let mut street = street(order);
        (street.credit, street.slow_journal) = (CreditFate::NotSent, true);
        top_up(&mut street);
        let id = street.disk[0].subject.top_up;
        while !street.kinds().contains(&"reversal-started") {
            street.let_durable();
        }
        // Written, and not durable: nothing is told yet.
        let told =
            |street: &Street| street.log.iter().any(|line| line.contains("Reverse(") || line.contains("Release("));
        assert!(!told(&street), "{order:?}: {:?}", street.log);
        street.terminal.there = false;
        street.slow_journal = false;
        street.let_durable();
        assert!(told(&street), "{order:?}");
        street.terminal.there = true;
        forgets(&mut street, id, undone);
        if restarts {
            street.lift();
            street.restart(Paid::Kept);
        }
        street.pass(20_000);
        let top_up = street.ledger().top_up(id).unwrap().clone();
        assert_eq!(top_up.claim(), Claim::Open, "{order:?}: {:?}", street.kinds());
        assert!(street.ledger().blocking().is_none(), "{order:?}");
        let by_central = order == PaymentOrder::CaptureFirst;
        assert_eq!(top_up.has(Kind::LeftToCentral), by_central, "a reservation only lapses: {:?}", street.kinds());
        street.credit = CreditFate::Done;
        street.lift();
        street.pass(40_000);
        street.lay(0);
        street.pass(10_000);
        assert_eq!(street.cards[0].purse, Cents(350), "{order:?}: {:?}", street.kinds());
    }
}

#[test]
fn whoever_waits_for_a_refund_gets_a_code_after_twenty_seconds() {
    let mut street = street(PaymentOrder::CaptureFirst);
    street.credit = CreditFate::NotSent;
    street.slow_journal = true;
    top_up(&mut street);
    (0..3).for_each(|_| street.let_durable());
    street.terminal_leaves();
    street.slow_journal = false;
    (0..3).for_each(|_| street.let_durable());
    assert_eq!(street.heading(), "Anulamos el pago");
    street.pass(21_000);
    assert_eq!(street.heading(), "Seguimos anulando el pago");
    assert!(street.view()["screen"]["claim"].is_object());
    street.press("finish");
    street.terminal_returns();
    assert_eq!(outcome(&street), Some(Outcome::Voided));
    assert_conserved(&street);
}

#[test]
fn another_payment_terminal_in_the_place_of_the_first_decides_nothing() {
    for order in ORDERS {
        let mut street = street(order);
        street.terminal.next = PaymentFate::Waits;
        top_up(&mut street);
        let id = street.disk[0].subject.top_up;
        street.terminal.approve(id, Cents(2_000));
        street.terminal.end(id, Paid::Kept);
        street.terminal_leaves();
        street.say(Event::Payment(PaymentEvent::Unknown(id)));
        // The new one knows of no payment, and happens to stand at the very receipt before ours.
        let truth = std::mem::take(&mut street.terminal.paid);
        street.terminal.receipt = 470;
        street.terminal_is_replaced();
        street.pass(20_000);
        assert!(!street.kinds().contains(&"never-made"), "{order:?}: {:?}", street.kinds());
        assert_eq!(claim(&street), Claim::Open, "{order:?}");
        assert!(street.kinds().contains(&"left-to-central"), "{order:?}: {:?}", street.kinds());
        street.terminal.paid = truth;
        street.terminal.last = None;
        street.terminal.next = PaymentFate::Approves;
        street.press("finish");
        street.lay(1);
        street.press("top-up");
        street.press("pay");
        assert_eq!(street.kind(), "done", "{order:?}: left to central, it blocks nobody");
    }
}

#[test]
fn the_payment_terminals_identity_is_journalled_with_the_intent() {
    let mut street = Street::new();
    top_up(&mut street);
    let intent = format!("{:?}", street.disk[0].fact);
    assert!(intent.contains("payment_terminal: Some(\"52500021\")"), "{intent}");
}

#[test]
fn a_crash_before_any_step_ends_defined_in_each_order() {
    for order in [PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise] {
        for waiting in [Paid::Kept, Paid::Reversed] {
            for returns in [true, false] {
                let dies = |at: u32| {
                    let mut street = street(order);
                    street.dies_at = Some(street.steps + at);
                    top_up(&mut street);
                    let died = street.has_died();
                    street.restart(waiting);
                    if returns {
                        street.lay(0);
                    }
                    street.pass(200_000);
                    street.lift();
                    street.pass(200_000);
                    assert!(!returns || street.ledger().open().count() == 0, "{order:?} {at}: {:?}", street.kinds());
                    assert_conserved(&street);
                    died
                };
                let mut at = 0;
                while dies(at) {
                    at += 1;
                }
                assert!(at > 8, "{order:?} was over after {at} steps");
            }
        }
    }
}
