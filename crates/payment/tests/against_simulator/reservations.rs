//! The order that reserves first: 06 22, then 06 24 or 06 25, and what asking again proves.

use crate::till::{AMOUNT, TOP_UP, Till, config, last_state, reservation, second_payment};
use domain::FailureCode;
use domain::device::{PaymentApproval, PaymentEvent, PaymentRequest, PaymentVerdict};
use payment_simulator::{
    Answer, Config, Fault, Mishap, Moment, Operator, ReversalReceipt, Simulator, TransactionState, Unanswered, When,
};
use std::time::Duration;

async fn capture(till: &mut Till, approval: &PaymentApproval) -> PaymentEvent {
    till.ask(PaymentRequest::Capture(TOP_UP, approval.clone())).await;
    till.outcome().await
}

async fn release(till: &mut Till, approval: &PaymentApproval) -> PaymentEvent {
    till.ask(PaymentRequest::Release(TOP_UP, approval.clone())).await;
    till.outcome().await
}

fn charged(simulator: &Simulator) -> Vec<i64> {
    simulator.ledger().iter().filter_map(|transaction| transaction.booking).map(|booking| booking.amount.0).collect()
}

#[tokio::test]
async fn a_reservation_is_taken_and_booked_once_however_often_it_is_asked() {
    let (simulator, mut till, _) = second_payment(config()).await;
    let approval = till.reserved().await;
    assert_eq!((approval.amount, last_state(&simulator)), (AMOUNT, TransactionState::Reserved));
    for _ in 0..3 {
        assert_eq!(capture(&mut till, &approval).await, PaymentEvent::Posted(TOP_UP));
        assert_eq!(charged(&simulator), [AMOUNT.0]);
    }
    assert_eq!(last_state(&simulator), TransactionState::Posted);
}

#[tokio::test]
async fn a_reservation_is_released_once_however_often_it_is_asked() {
    for reversal_receipt in [ReversalReceipt::OfItsOwn, ReversalReceipt::Original] {
        let (simulator, mut till, _) = second_payment(Config { reversal_receipt, ..config() }).await;
        let approval = till.reserved().await;
        for _ in 0..3 {
            assert_eq!(release(&mut till, &approval).await, PaymentEvent::Voided(TOP_UP));
        }
        assert_eq!((last_state(&simulator), charged(&simulator)), (TransactionState::Reversed, vec![]));
    }
}

#[tokio::test]
async fn one_of_several_open_reservations_is_booked() {
    let (simulator, mut till, _) = second_payment(config()).await;
    let first = till.reserved().await;
    let second = till.reserved().await;
    assert_eq!(capture(&mut till, &first).await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(release(&mut till, &second).await, PaymentEvent::Voided(TOP_UP));
    assert_eq!(charged(&simulator), [AMOUNT.0]);
}

#[tokio::test]
async fn a_reservation_that_is_held_can_be_refused() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.reserve().await;
    till.approved().await;
    till.ask(PaymentRequest::Refuse(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Voided(TOP_UP));
    assert_eq!(last_state(&simulator), TransactionState::Reversed);
}

#[tokio::test]
async fn a_reservation_is_never_said_to_be_paid_whatever_word_takes_it() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.reserve().await;
    till.approved().await;
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Reserved(TOP_UP));
    assert_eq!(last_state(&simulator), TransactionState::Reserved);
}

#[tokio::test]
async fn a_booking_that_the_bank_refuses_leaves_the_reservation_to_be_booked_later() {
    let (simulator, mut till, _) = second_payment(Config { booking_refused: Some(0x05), ..config() }).await;
    let approval = till.reserved().await;
    let refused = PaymentEvent::CaptureFailed(TOP_UP, FailureCode::PaymentRefused);
    assert_eq!(capture(&mut till, &approval).await, refused);
    assert_eq!(charged(&simulator), Vec::<i64>::new());
    simulator.configure(|config| config.booking_refused = None).unwrap();
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::Posted(TOP_UP));
}

#[tokio::test]
async fn a_release_that_the_bank_refuses_leaves_the_reservation_standing() {
    let (_simulator, mut till, _) = second_payment(Config { reversal_refused: Some(0x05), ..config() }).await;
    let approval = till.reserved().await;
    let stands = PaymentEvent::Resolved(TOP_UP, PaymentVerdict::Reserved(approval.clone()));
    assert_eq!(release(&mut till, &approval).await, stands);
}

#[tokio::test]
async fn a_booking_without_a_line_says_nothing_of_the_one_before_it() {
    let (simulator, mut till, _) = second_payment(config()).await;
    let approval = till.reserved().await;
    simulator.drop_line(When::BeforeCompletion);
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
    assert_eq!(charged(&simulator), [AMOUNT.0]);
    drop(simulator);
    assert_eq!(till.result().await, PaymentEvent::Gone);
    // Gone for good: the second attempt to connect failed.
    assert_eq!(till.result().await, PaymentEvent::Gone);
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found_and_not_made_again() {
    for moment in [When::BeforeOutcome, When::AfterOutcome, When::BeforeCompletion] {
        let (simulator, mut till, before) = second_payment(config()).await;
        let approval = till.reserved().await;
        simulator.drop_line(moment);
        assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP), "{moment:?}");
        let verdict = till.resolve_as(reservation(before)).await;
        assert!(
            matches!(&verdict, PaymentVerdict::Paid(found) if found.reference == approval.reference),
            "{verdict:?}"
        );
        assert_eq!(capture(&mut till, &approval).await, PaymentEvent::Posted(TOP_UP));
        assert_eq!(charged(&simulator), [AMOUNT.0]);
    }
}

#[tokio::test]
async fn a_release_whose_answer_was_lost_is_found_and_not_made_again() {
    for reversal_receipt in [ReversalReceipt::OfItsOwn, ReversalReceipt::Original] {
        let (simulator, mut till, before) = second_payment(Config { reversal_receipt, ..config() }).await;
        let approval = till.reserved().await;
        simulator.drop_line(When::BeforeOutcome);
        assert_eq!(release(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
        let verdict = till.resolve_as(reservation(before)).await;
        assert!(matches!(&verdict, PaymentVerdict::Reversed(found) if found.reference == approval.reference));
        assert_eq!(release(&mut till, &approval).await, PaymentEvent::Voided(TOP_UP));
        assert_eq!(last_state(&simulator), TransactionState::Reversed);
    }
}

#[tokio::test]
async fn a_booking_that_never_arrived_leaves_a_reservation() {
    let (simulator, mut till, before) = second_payment(config()).await;
    let approval = till.reserved().await;
    // The acknowledgement of the list's enquiry breaks the line before anything is booked.
    simulator.plan(Fault { at: Moment::Frame(0x06, 0x1E), does: Mishap::Drop, times: 1 }).unwrap();
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
    assert_eq!(till.resolve_as(reservation(before)).await, PaymentVerdict::Reserved(approval.clone()));
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(charged(&simulator), [AMOUNT.0]);
}

#[tokio::test]
async fn a_reservation_whose_outcome_was_lost_is_found_or_proven_undone() {
    for (unanswered, kept) in [(Unanswered::Keep, true), (Unanswered::Reverse, false)] {
        let (simulator, mut till, before) = second_payment(Config { unanswered, ..config() }).await;
        simulator.drop_line(When::BeforeOutcome);
        till.reserve().await;
        assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
        let verdict = till.resolve_as(reservation(before)).await;
        assert_eq!(matches!(verdict, PaymentVerdict::Reserved(_)), kept, "{verdict:?}");
        assert_eq!(matches!(verdict, PaymentVerdict::Reversed(_)), !kept, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_reservation_that_the_bank_was_never_asked_for_was_never_made() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.auto_answer(Some(Answer::Silence));
    till.reserve().await;
    till.until_card().await;
    simulator.drop_line(When::Now);
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    assert_eq!(till.resolve_as(reservation(before)).await, PaymentVerdict::NeverMade);
}

#[tokio::test]
async fn a_reservation_covered_by_a_later_transaction_is_not_guessed_from_its_number() {
    let (simulator, mut till, before) = second_payment(Config { unanswered: Unanswered::Keep, ..config() }).await;
    simulator.drop_line(When::BeforeOutcome);
    till.reserve().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    simulator.operate(Operator::Pay(AMOUNT)).unwrap();
    assert_eq!(till.resolve_as(reservation(before)).await, PaymentVerdict::Unknown);
}

#[tokio::test]
async fn another_terminal_in_its_place_neither_books_nor_releases() {
    let (simulator, mut till, before) = second_payment(config()).await;
    let approval = till.reserved().await;
    simulator.replace(52_500_099, 1);
    assert_eq!(till.result().await, PaymentEvent::Gone);
    till.ready().await;
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
    assert_eq!(till.resolve_as(reservation(before)).await, PaymentVerdict::Unknown);
    let unknown = PaymentEvent::Resolved(TOP_UP, PaymentVerdict::Unknown);
    assert_eq!(release(&mut till, &approval).await, unknown);
    assert_eq!(charged(&simulator), Vec::<i64>::new());
}

#[tokio::test]
async fn a_reservation_that_lapsed_is_neither_booked_nor_said_to_be() {
    let lifetime = Duration::from_secs(3600);
    let (simulator, mut till, _) = second_payment(Config { reservation_lifetime: lifetime, ..config() }).await;
    let approval = till.reserved().await;
    simulator.put_clock_forward(lifetime * 2);
    assert_eq!(capture(&mut till, &approval).await, PaymentEvent::AnswerInDoubt(TOP_UP));
    assert_eq!(charged(&simulator), Vec::<i64>::new());
}
