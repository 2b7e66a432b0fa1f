//! Outcomes that were lost, and what asking again proves.

use crate::till::{AMOUNT, TOP_UP, Till, config, intent, now, second_payment, till_config};
use domain::Cents;
use domain::device::{PaymentEvent, PaymentIntent, PaymentRequest, PaymentVerdict};
use jiff::tz::TimeZone;
use payment::{TerminalClock, ZvtConfig};
use payment_simulator::{
    AfterPower, Answer, Config, Fault, Mishap, Moment, Operator, PowerCut, RepeatReceipt, Simulator, Unanswered, When,
};

#[tokio::test]
async fn a_payment_that_nobody_decides_is_let_go_and_resolved_later() {
    for (unanswered, kept) in [(Unanswered::Keep, true), (Unanswered::Reverse, false)] {
        let (_simulator, mut till, before) = second_payment(Config { unanswered, ..config() }).await;
        till.authorise().await;
        let approval = till.approved().await;
        assert_eq!(till.result().await, PaymentEvent::HoldEnding(TOP_UP));
        assert_eq!(till.result().await, PaymentEvent::AnswerInDoubt(TOP_UP));
        till.ready().await;
        match till.resolve(before).await {
            PaymentVerdict::Paid(found) => assert!(kept && found == approval),
            PaymentVerdict::Reversed(found) => assert!(!kept && found.reference == approval.reference),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_line_lost_before_the_outcome_leaves_it_unknown_until_asked() {
    for (unanswered, kept) in [(Unanswered::Keep, true), (Unanswered::Reverse, false)] {
        let (simulator, mut till, before) = second_payment(Config { unanswered, ..config() }).await;
        simulator.drop_line(When::BeforeOutcome);
        till.authorise().await;
        assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
        till.ready().await;
        let verdict = till.resolve(before).await;
        assert_eq!(matches!(verdict, PaymentVerdict::Paid(_)), kept, "{verdict:?}");
        assert_eq!(matches!(verdict, PaymentVerdict::Reversed(_)), !kept, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_line_lost_after_the_answer_leaves_it_in_doubt_until_asked() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.drop_line(When::BeforeCompletion);
    till.authorise().await;
    let approval = till.approved().await;
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::AnswerInDoubt(TOP_UP));
    till.ready().await;
    assert_eq!(till.resolve(before).await, PaymentVerdict::Paid(approval));
}

#[tokio::test]
async fn a_line_lost_before_the_bank_was_asked_proves_that_nothing_was_paid() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.auto_answer(Some(Answer::Silence));
    till.authorise().await;
    till.until_card().await;
    simulator.drop_line(When::Now);
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    assert_eq!(till.resolve(before).await, PaymentVerdict::NeverMade);
}

#[tokio::test]
async fn a_completion_without_a_status_decides_nothing() {
    let config = Config { repeat_receipt: RepeatReceipt::CompletionOnly, unanswered: Unanswered::Keep, ..config() };
    let simulator = Simulator::start(config).unwrap();
    let mut till = Till::at(&simulator);
    assert_eq!(till.ready().await, 0);
    simulator.drop_line(When::BeforeOutcome);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    assert_eq!(till.resolve(0).await, PaymentVerdict::Unknown);
}

#[tokio::test]
async fn a_terminal_without_any_receipt_proves_something_only_where_the_acquirer_says_so() {
    let simulator = Simulator::start(Config { auto_answer: Some(Answer::Silence), ..config() }).unwrap();
    for (keeps_last_receipt, verdict) in [(false, PaymentVerdict::Unknown), (true, PaymentVerdict::NeverMade)] {
        let mut till = Till::with(ZvtConfig { keeps_last_receipt, ..till_config(&simulator) });
        assert_eq!(till.ready().await, 0);
        assert_eq!(till.resolve(0).await, verdict);
    }
}

#[tokio::test]
async fn another_amount_than_intended_decides_nothing() {
    let (_simulator, mut till, before) = second_payment(config()).await;
    let intent = PaymentIntent { amount: Cents(1999), ..intent(before - 1) };
    assert_eq!(till.resolve_as(intent).await, PaymentVerdict::Unknown);
}

#[tokio::test]
async fn receipt_numbers_begin_again_after_9999() {
    let (simulator, mut till, before) =
        second_payment(Config { first_receipt: 9999, unanswered: Unanswered::Keep, ..config() }).await;
    assert_eq!(before, 9999);
    simulator.drop_line(When::BeforeOutcome);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    assert_eq!(till.ready().await, 1);
    assert!(matches!(till.resolve(before).await, PaymentVerdict::Paid(found) if found.reference.receipt == 1));
}

#[tokio::test]
async fn another_terminal_in_its_place_decides_nothing_whatever_its_numbers_are() {
    let (simulator, mut till, before) = second_payment(Config { unanswered: Unanswered::Keep, ..config() }).await;
    simulator.drop_line(When::BeforeOutcome);
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    let ours = u16::try_from(before + 1).unwrap();
    simulator.replace(52_500_099, ours);
    simulator.operate(Operator::Pay(AMOUNT)).unwrap();
    till.ready().await;
    assert_eq!(till.resolve(before).await, PaymentVerdict::Unknown);
    // To somebody who has not written down whom he asked, it would have been ours.
    let forgetful = PaymentIntent { terminal: None, ..intent(before) };
    assert!(matches!(till.resolve_as(forgetful).await, PaymentVerdict::Paid(_)));
}

#[tokio::test]
async fn an_operators_own_payment_of_the_same_amount_before_the_intent_is_not_ours() {
    let clock = || Some(TerminalClock { zone: TimeZone::UTC, tolerance: TerminalClock::TOLERANCE });
    for (clock, minutes, ours) in [(clock(), 16, false), (clock(), 14, true), (None, 16, true)] {
        let simulator = Simulator::start(config()).unwrap();
        let mut till = Till::with(ZvtConfig { clock, ..till_config(&simulator) });
        till.ready().await;
        simulator.operate(Operator::Pay(AMOUNT)).unwrap();
        let before = simulator.ledger().last().unwrap().receipt;
        simulator.operate(Operator::Pay(AMOUNT)).unwrap();
        // Nobody told the kiosk of the second; then a citizen began, and the process died before it asked.
        let at = now().plus_ms(minutes * 60_000);
        let verdict = till.resolve_as(PaymentIntent { at, ..intent(before.into()) }).await;
        assert_eq!(matches!(verdict, PaymentVerdict::Paid(_)), ours, "{minutes} {verdict:?}");
        assert!(ours || verdict == PaymentVerdict::Unknown, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_payment_of_ours_is_found_by_receipt_and_time() {
    let (simulator, mut till, _) = second_payment(config()).await;
    drop(till);
    let clock = Some(TerminalClock { zone: TimeZone::UTC, tolerance: TerminalClock::TOLERANCE });
    till = Till::with(ZvtConfig { clock, ..till_config(&simulator) });
    till.ready().await;
    let receipt = u32::from(simulator.ledger().last().unwrap().receipt);
    assert!(matches!(till.resolve(receipt - 1).await, PaymentVerdict::Paid(_)));
    // The one before an intent of now proves that ours was never made, however old it is.
    let later = PaymentIntent { at: now().plus_ms(86_400_000), ..intent(receipt) };
    assert_eq!(till.resolve_as(later).await, PaymentVerdict::NeverMade);
}

#[tokio::test]
async fn an_operators_own_payment_in_between_decides_nothing() {
    let (simulator, mut till, before) = second_payment(config()).await;
    simulator.auto_answer(Some(Answer::Silence));
    till.authorise().await;
    till.until_card().await;
    simulator.drop_line(When::Now);
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    simulator.operate(Operator::Pay(Cents(1))).unwrap();
    assert_eq!(till.resolve(before).await, PaymentVerdict::Unknown);
}

#[tokio::test]
async fn a_power_cut_that_takes_the_memory_decides_nothing() {
    let (simulator, mut till, before) = second_payment(Config { unanswered: Unanswered::Keep, ..config() }).await;
    let cut = PowerCut { memory: AfterPower::Lost, ..PowerCut::default() };
    simulator.plan(Fault { at: Moment::BeforeOutcome, does: Mishap::PowerOff(cut), times: 1 }).unwrap();
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    assert_eq!(till.ready().await, 0);
    assert_eq!(till.resolve(before).await, PaymentVerdict::Unknown);
}

/// The limit of "the last receipt": a terminal that dies between the host's word and its own memory knows nothing of
/// the payment, and says so. What the host approved there is the bank's to undo; the acquirer's statement tells.
#[tokio::test]
async fn a_payment_that_only_the_host_knows_counts_as_never_made() {
    let (simulator, mut till, before) = second_payment(config()).await;
    let died = Mishap::PowerOff(PowerCut::default());
    simulator.plan(Fault { at: Moment::HostApproved, does: died, times: 1 }).unwrap();
    till.authorise().await;
    assert_eq!(till.result().await, PaymentEvent::Unknown(TOP_UP));
    till.ready().await;
    assert_eq!(till.resolve(before).await, PaymentVerdict::NeverMade);
    assert!(!simulator.ledger().last().unwrap().known);
}

#[tokio::test]
async fn after_a_broken_outcome_asking_tells_the_truth() {
    let faults =
        [Mishap::CutAt(9), Mishap::Truncate(5), Mishap::WrongLength(-3), Mishap::Garbage("FF 00 FF".to_owned())];
    for does in faults {
        let (simulator, till, before) = second_payment(Config { unanswered: Unanswered::Keep, ..config() }).await;
        drop(till);
        let quick = std::time::Duration::from_secs(2);
        let quick = ZvtConfig { payment_timeout: quick, completion_timeout: quick, ..till_config(&simulator) };
        let mut till = Till::with(quick);
        assert_eq!(till.ready().await, before);
        simulator.plan(Fault { at: Moment::Frame(0x04, 0x0F), does: does.clone(), times: 1 }).unwrap();
        till.authorise().await;
        match till.result().await {
            PaymentEvent::Unknown(TOP_UP) => {}
            // All that matters was readable; what came after it was not.
            PaymentEvent::Approved(TOP_UP, _) => {
                till.ask(PaymentRequest::Settle(TOP_UP)).await;
                assert_eq!(till.result().await, PaymentEvent::AnswerInDoubt(TOP_UP), "{does:?}");
            }
            other => panic!("{does:?}: {other:?}"),
        }
        let verdict = till.resolve(before).await;
        assert!(matches!(verdict, PaymentVerdict::Paid(_)), "{does:?}: {verdict:?}");
    }
}

#[tokio::test]
async fn an_answer_that_was_not_heard_is_found_out() {
    for (unanswered, kept) in [(Unanswered::Keep, true), (Unanswered::Reverse, false)] {
        let (simulator, mut till, before) = second_payment(Config { unanswered, ..config() }).await;
        simulator.plan(Fault { at: Moment::Frame(0x04, 0x0F), does: Mishap::AnswerLost, times: 0 }).unwrap();
        till.authorise().await;
        till.approved().await;
        till.ask(PaymentRequest::Settle(TOP_UP)).await;
        let said = till.outcome().await;
        simulator.forget_faults();
        match said {
            // A terminal that keeps what nobody answered ends as if it had heard.
            PaymentEvent::Posted(TOP_UP) => assert!(kept),
            PaymentEvent::AnswerInDoubt(TOP_UP) => assert!(!kept),
            other => panic!("{other:?}"),
        }
        let verdict = till.resolve(before).await;
        assert_eq!(matches!(verdict, PaymentVerdict::Paid(_)), kept, "{verdict:?}");
        assert_eq!(matches!(verdict, PaymentVerdict::Reversed(_)), !kept, "{verdict:?}");
    }
}
