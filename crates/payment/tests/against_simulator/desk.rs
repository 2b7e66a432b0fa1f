//! The desk itself: checks, lines that come and go, and what it refuses to do while something is open.

use crate::till::{AMOUNT, TOP_UP, Till, config, second_payment, till_config};
use domain::device::{PaymentEvent, PaymentRequest};
use domain::{FailureCode, TopUpId};
use payment::ZvtConfig;
use payment_simulator::{Simulator, When};
use std::time::Duration;

const OTHER: TopUpId = TopUpId([8; 16]);

#[tokio::test]
async fn a_terminal_that_takes_no_service_byte_is_asked_without() {
    let (simulator, mut till, before) = second_payment(config()).await;
    drop(till.requests);
    while till.events.recv().await.is_some() {}
    till = Till::with(ZvtConfig { repeat_receipt_service: false, ..till_config(&simulator) });
    assert_eq!(till.ready().await, before);
}

#[tokio::test]
async fn a_technicians_check_is_answered_and_moves_no_money() {
    let (simulator, till, before) = second_payment(config()).await;
    assert_eq!(till.check().await, Some(before));
    assert_eq!(simulator.ledger().len(), 1);
}

#[tokio::test]
async fn a_check_of_a_terminal_that_is_gone_says_so_and_does_not_wait_for_the_next_attempt() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let mut till = Till::with(ZvtConfig { acknowledge_timeout: Duration::from_secs(1), ..ZvtConfig::new(address) });
    assert_eq!(till.event().await, PaymentEvent::Gone);
    let started = std::time::Instant::now();
    for _ in 0..8 {
        assert_eq!(till.check().await, None);
    }
    // Eight waits between attempts would have been far longer.
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_check_waits_until_a_payment_under_way_has_ended() {
    let (_simulator, mut till, before) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    let (check, answer) = tokio::sync::oneshot::channel();
    till.checks.send(check).await.unwrap();
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(answer.await.unwrap(), Some(before + 1));
}

#[tokio::test]
async fn a_payment_that_an_operator_made_is_told_of_before_the_next_intent() {
    let (simulator, mut till, before) = second_payment(config()).await;
    assert_eq!(till.check().await, Some(before));
    simulator.operate(payment_simulator::Operator::Pay(domain::Cents(500))).unwrap();
    assert_eq!(till.check().await, Some(before + 1));
    assert_eq!(till.ready().await, before + 1);
}

#[tokio::test]
async fn a_power_cut_comes_back_by_itself() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.power_cycle();
    assert_eq!(till.result().await, PaymentEvent::Gone);
    assert_eq!(till.ready().await, before);
}

#[tokio::test]
async fn without_a_terminal_nothing_is_paid_for_certain() {
    let address = {
        let simulator = Simulator::start(config()).unwrap();
        simulator.addr
    };
    let mut till = Till::with(ZvtConfig::new(address));
    assert_eq!(till.result().await, PaymentEvent::Gone);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Declined(TOP_UP, FailureCode::PaymentAbsent));
}

#[tokio::test]
async fn no_payment_is_taken_before_somebody_asked_what_became_of_the_last() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.drop_line(When::BeforeOutcome);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    for request in [
        PaymentRequest::Authorise { top_up: OTHER, amount: AMOUNT },
        PaymentRequest::Reserve { top_up: OTHER, amount: AMOUNT },
    ] {
        till.ask(request).await;
        assert_eq!(till.result().await, PaymentEvent::Declined(OTHER, FailureCode::PaymentBlocked));
    }
    assert_eq!(simulator.ledger().len(), 2);
    till.resolve(before).await;
    till.authorise().await;
    till.approved().await;
}

#[tokio::test]
async fn a_payment_given_up_while_it_waits_for_another_is_never_asked_for() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    till.ask(PaymentRequest::Authorise { top_up: OTHER, amount: AMOUNT }).await;
    till.ask(PaymentRequest::Abort(OTHER)).await;
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(till.result().await, PaymentEvent::Declined(OTHER, FailureCode::PaymentCancelled));
    assert_eq!(simulator.ledger().len(), 2);
}

#[tokio::test]
async fn giving_up_too_late_leaves_the_approval_to_be_answered() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    till.ask(PaymentRequest::Abort(TOP_UP)).await;
    till.ask(PaymentRequest::Refuse(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Voided(TOP_UP));
    assert_eq!(simulator.ledger().len(), 2);
}
