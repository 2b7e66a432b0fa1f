//! Payments as they should go, in the vending order and captured first.

use crate::till::{AMOUNT, TERMINAL, TOP_UP, Till, config, last_state, second_payment};
use domain::FailureCode;
use domain::device::{CardEntry, PayerCheck, PaymentEvent, PaymentProgress, PaymentRequest, PaymentVerdict};
use payment_simulator::{
    AfterRefusal, Answer, Config, Entry, Fault, Mishap, Moment, ReversalReceipt, Simulator, TransactionState,
    Verification,
};

#[tokio::test]
async fn an_approved_payment_is_held_and_then_settled() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    let approval = till.approved().await;
    assert_eq!((approval.amount, approval.reference.terminal.as_str()), (AMOUNT, TERMINAL));
    assert_eq!(approval.scheme, "Debit Mastercard");
    assert!(approval.masked_pan.starts_with("***"), "{}", approval.masked_pan);
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(simulator.ledger().len(), 2);
}

#[tokio::test]
async fn an_approval_says_what_a_receipt_must_show_of_the_bank_card() {
    let check = async |entry, verification, aid: &str, expected: (CardEntry, PayerCheck)| {
        let config = Config { entry, verification, aid: aid.into(), ..config() };
        let (_simulator, mut till, _) = second_payment(config).await;
        till.authorise().await;
        let approval = till.approved().await;
        assert_eq!((approval.entry, approval.check), expected);
        assert_eq!(approval.application, aid);
        till.ask(PaymentRequest::Settle(TOP_UP)).await;
        assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    };
    let visa = "A0000000031010";
    check(Entry::Contactless, Verification::Nothing, visa, (CardEntry::Contactless, PayerCheck::Nothing)).await;
    check(Entry::Contactless, Verification::OnlinePin, visa, (CardEntry::Contactless, PayerCheck::Pin)).await;
    check(Entry::Chip, Verification::OfflinePin, "A0000000041010", (CardEntry::Chip, PayerCheck::Pin)).await;
    check(Entry::Stripe, Verification::Signature, "", (CardEntry::Stripe, PayerCheck::Signature)).await;
}

#[tokio::test]
async fn the_payer_is_told_what_to_do() {
    let simulator = Simulator::start(config()).unwrap();
    let mut till = Till::at(&simulator);
    till.ready().await;
    till.authorise().await;
    let mut steps = Vec::new();
    loop {
        match till.event().await {
            PaymentEvent::Progress(TOP_UP, step) => steps.push(step),
            PaymentEvent::Approved(..) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(steps.contains(&PaymentProgress::PresentCard), "{steps:?}");
    assert!(steps.contains(&PaymentProgress::AskingBank), "{steps:?}");
}

#[tokio::test]
async fn a_refused_answer_gives_the_money_back() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    till.ask(PaymentRequest::Refuse(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Voided(TOP_UP));
    assert_ne!(last_state(&simulator), simulator.ledger()[0].state);
}

#[tokio::test]
async fn a_refusal_that_ends_without_proof_is_resolved_by_asking() {
    for receipt in [ReversalReceipt::OfItsOwn, ReversalReceipt::Original] {
        let config = Config { after_refusal: AfterRefusal::Completion, reversal_receipt: receipt, ..config() };
        let (_simulator, mut till, before) = second_payment(config).await;
        till.authorise().await;
        let approval = till.approved().await;
        till.ask(PaymentRequest::Refuse(TOP_UP)).await;
        match till.result().await {
            PaymentEvent::Voided(TOP_UP) => {}
            PaymentEvent::AnswerInDoubt(TOP_UP) => {
                let PaymentVerdict::Reversed(found) = till.resolve(before).await else { panic!("{receipt:?}") };
                assert_eq!((found.reference, found.amount), (approval.reference, AMOUNT));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn declines_and_cancels_are_certain() {
    let check = async |answer, code| {
        let simulator = Simulator::start(Config { auto_answer: Some(answer), ..config() }).unwrap();
        let mut till = Till::at(&simulator);
        till.ready().await;
        till.authorise().await;
        assert_eq!(till.result().await, PaymentEvent::Declined(TOP_UP, code));
        assert!(simulator.ledger().is_empty());
    };
    check(Answer::Decline(5), FailureCode::PaymentRefused).await;
    check(Answer::Cancel, FailureCode::PaymentCancelled).await;
}

#[tokio::test]
async fn the_citizen_can_give_up_before_paying() {
    let simulator = Simulator::start(Config { auto_answer: None, ..config() }).unwrap();
    let mut till = Till::at(&simulator);
    till.ready().await;
    till.authorise().await;
    till.until_card().await;
    till.ask(PaymentRequest::Abort(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Declined(TOP_UP, FailureCode::PaymentCancelled));
    simulator.auto_answer(Some(Answer::Approve));
    till.ready().await;
    till.authorise().await;
    till.approved().await;
}

#[tokio::test]
async fn holding_lasts_as_many_waits_as_granted_and_says_when_it_ends() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    till.approved().await;
    assert_eq!(till.result().await, PaymentEvent::HoldEnding(TOP_UP));
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(simulator.ledger().len(), 2);
}

#[tokio::test]
async fn a_kept_payment_is_reversed_once_and_only_while_it_is_the_last() {
    for receipt in [ReversalReceipt::OfItsOwn, ReversalReceipt::Original] {
        let (simulator, mut till, _) = second_payment(Config { reversal_receipt: receipt, ..config() }).await;
        till.authorise().await;
        let approval = till.approved().await;
        till.ask(PaymentRequest::Settle(TOP_UP)).await;
        assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
        let kept = last_state(&simulator);

        let mut older = approval.clone();
        older.reference.receipt -= 1;
        older.reference.trace -= 1;
        till.ask(PaymentRequest::Reverse(TOP_UP, older.clone())).await;
        assert_eq!(till.result().await, PaymentEvent::Resolved(TOP_UP, PaymentVerdict::Paid(older)));
        assert_eq!(last_state(&simulator), kept);

        for _ in 0..2 {
            till.ask(PaymentRequest::Reverse(TOP_UP, approval.clone())).await;
            assert_eq!(till.result().await, PaymentEvent::Voided(TOP_UP));
        }
        assert_ne!(last_state(&simulator), kept);
    }
}

#[tokio::test]
async fn what_is_captured_first_is_kept_at_once_and_reversed_when_it_was_not_credited() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    let approval = till.approved().await;
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(last_state(&simulator), TransactionState::Posted);
    till.ask(PaymentRequest::Reverse(TOP_UP, approval)).await;
    assert_eq!(till.result().await, PaymentEvent::Voided(TOP_UP));
    assert_eq!(last_state(&simulator), TransactionState::Reversed);
}

#[tokio::test]
async fn another_amount_or_currency_than_asked_is_given_back() {
    let check = async |change: fn(&mut Config)| {
        let (simulator, mut till, _) = second_payment(config()).await;
        simulator.configure(change).unwrap();
        till.authorise().await;
        assert_eq!(till.result().await, PaymentEvent::Declined(TOP_UP, FailureCode::PaymentMismatch));
        assert_eq!(last_state(&simulator), TransactionState::Reversed);
    };
    check(|config| config.misreports.amount = Some(domain::Cents(1))).await;
    check(|config| config.misreports.currency = Some(840)).await;
}

#[tokio::test]
async fn an_outcome_that_is_said_twice_is_one_payment() {
    let (simulator, mut till, _) = second_payment(config()).await;
    let twice = Fault { at: Moment::Frame(0x04, 0x0F), does: Mishap::Twice, times: 1 };
    for (answer, state) in [
        (PaymentRequest::Settle(TOP_UP), TransactionState::Posted),
        (PaymentRequest::Refuse(TOP_UP), TransactionState::Reversed),
    ] {
        let before = simulator.ledger().len();
        simulator.plan(twice.clone()).unwrap();
        till.authorise().await;
        till.approved().await;
        till.ask(answer).await;
        let done = till.result().await;
        assert!(matches!(done, PaymentEvent::Posted(TOP_UP) | PaymentEvent::Voided(TOP_UP)), "{done:?}");
        assert_eq!((last_state(&simulator), simulator.ledger().len()), (state, before + 1));
        till.ready().await;
    }
}

#[tokio::test]
async fn messages_in_pieces_in_one_piece_or_with_a_long_length_are_understood() {
    let (status, yes) = (Moment::Frame(0x04, 0x0F), Moment::Frame(0x80, 0x00));
    for (at, does) in [(status, Mishap::Split(1)), (status, Mishap::Extended), (yes, Mishap::Joined)] {
        let (simulator, mut till, _) = second_payment(config()).await;
        simulator.plan(Fault { at, does: does.clone(), times: 1 }).unwrap();
        till.authorise().await;
        let approval = till.approved().await;
        assert_eq!(approval.amount, AMOUNT, "{does:?}");
        till.ask(PaymentRequest::Settle(TOP_UP)).await;
        assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP), "{does:?}");
    }
}
