//! The end-of-day: what it needs, what refuses it, and what is left after it.

use crate::till::{TOP_UP, Till, config, second_payment};
use domain::FailureCode;
use domain::device::{PaymentEvent, PaymentRequest};
use payment::ZvtConfig;
use payment_simulator::{Config, Simulator, When};

#[tokio::test]
async fn a_day_is_ended_when_nothing_is_open() {
    for (empties, kept) in [(false, true), (true, false)] {
        let (simulator, mut till, before) =
            second_payment(Config { end_of_day_empties_last: empties, ..config() }).await;
        till.ask(PaymentRequest::EndOfDay).await;
        assert_eq!(till.result().await, PaymentEvent::DayEnded);
        assert_eq!(till.ready().await, if kept { before } else { 0 });
        assert!(simulator.ledger().iter().all(|transaction| transaction.settled.is_some()));
    }
}

#[tokio::test]
async fn a_day_that_the_terminal_does_not_end_is_reported() {
    let (simulator, mut till, _) = second_payment(Config { end_of_day_refused: Some(0x77), ..config() }).await;
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentRefused));
    simulator.configure(|config| config.end_of_day_refused = None).unwrap();
    simulator.drop_line(When::BeforeOutcome);
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentUnknown));
}

#[tokio::test]
async fn no_day_is_ended_while_an_approval_waits_for_its_answer() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked));
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert!(simulator.ledger().iter().all(|transaction| transaction.settled.is_none()));
}

#[tokio::test]
async fn no_day_is_ended_while_a_payer_is_asked() {
    let (simulator, mut till, _) = second_payment(config()).await;
    simulator.auto_answer(None);
    till.authorise().await;
    till.until_card().await;
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked));
}

#[tokio::test]
async fn no_day_is_ended_while_a_payment_is_undecided_at_the_terminal() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.drop_line(When::BeforeOutcome);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentBlocked));
    till.resolve(before).await;
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayEnded);
}

#[tokio::test]
async fn a_terminal_that_is_not_there_ends_no_day() {
    let address = Simulator::start(config()).unwrap().addr;
    let mut till = Till::with(ZvtConfig::new(address));
    assert_eq!(till.result().await, PaymentEvent::Gone);
    till.ask(PaymentRequest::EndOfDay).await;
    assert_eq!(till.result().await, PaymentEvent::DayNotEnded(FailureCode::PaymentAbsent));
}
