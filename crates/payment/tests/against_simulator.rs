//! The desk and its ZVT client against the payment terminal's simulator, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use domain::device::{PaymentApproval, PaymentEvent, PaymentIntent, PaymentProgress, PaymentRequest, PaymentVerdict};
use domain::{Cents, FailureCode, TopUpId};
use payment::{ZvtConfig, ZvtTerminal, desk};
use payment_simulator::{
    AfterRefusal, Answer, Config, RepeatReceipt, ReversalReceipt, Simulator, TransactionState, Unanswered, When,
};
use std::time::Duration;
use tokio::sync::mpsc;

const AMOUNT: Cents = Cents(2000);
const TOP_UP: TopUpId = TopUpId([7; 16]);

struct Till {
    requests: mpsc::Sender<PaymentRequest>,
    checks: mpsc::Sender<desk::Check>,
    events: mpsc::UnboundedReceiver<PaymentEvent>,
}

impl Till {
    fn at(simulator: &Simulator) -> Self {
        Self::with(till_config(simulator))
    }

    fn with(config: ZvtConfig) -> Self {
        let (requests, inbox) = mpsc::channel(8);
        let (sender, events) = mpsc::unbounded_channel();
        let emit = move |event| {
            let _ = sender.send(event);
        };
        let (checks, asked) = mpsc::channel(8);
        tokio::spawn(desk::drive_with_checks(ZvtTerminal::new(config), inbox, asked, emit));
        Self { requests, checks, events }
    }

    /// Whether the terminal answers, and its newest receipt.
    async fn check(&self) -> Option<u32> {
        let (check, answer) = tokio::sync::oneshot::channel();
        self.checks.send(check).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), answer).await.expect("an answer").unwrap()
    }

    async fn ask(&self, request: PaymentRequest) {
        self.requests.send(request).await.unwrap();
    }

    async fn event(&mut self) -> PaymentEvent {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await.expect("an event").unwrap()
    }

    /// The next event that is neither mere progress nor readiness.
    async fn result(&mut self) -> PaymentEvent {
        loop {
            match self.event().await {
                PaymentEvent::Progress(top_up, _) => assert_eq!(top_up, TOP_UP),
                PaymentEvent::Ready { .. } => {}
                event => return event,
            }
        }
    }

    async fn ready(&mut self) -> u32 {
        loop {
            if let PaymentEvent::Ready { last_receipt } = self.event().await {
                return last_receipt;
            }
        }
    }

    async fn authorise(&self) {
        self.ask(PaymentRequest::Authorise { top_up: TOP_UP, amount: AMOUNT }).await;
    }

    async fn approved(&mut self) -> PaymentApproval {
        match self.result().await {
            PaymentEvent::Approved(TOP_UP, approval) => approval,
            other => panic!("{other:?}"),
        }
    }

    async fn resolve(&mut self, receipt_before: u32) -> PaymentVerdict {
        let intent = PaymentIntent { top_up: TOP_UP, amount: AMOUNT, receipt_before };
        self.ask(PaymentRequest::Resolve(intent)).await;
        loop {
            match self.result().await {
                PaymentEvent::Resolved(TOP_UP, verdict) => return verdict,
                PaymentEvent::Gone => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn till_config(simulator: &Simulator) -> ZvtConfig {
    let mut config = ZvtConfig::new(simulator.addr);
    config.answer_timeout_s = 1;
    config.waits_max = 1;
    config.payment_timeout = Duration::from_secs(10);
    config.completion_timeout = Duration::from_secs(5);
    config
}

fn config() -> Config {
    Config { auto_answer: Some(Answer::Approve), outcome_interval: Duration::from_millis(5), ..Config::default() }
}

/// A simulator that has one payment behind it, and a till that knows its receipt.
async fn second_payment(config: Config) -> (Simulator, Till, u32) {
    let simulator = Simulator::start(Config { auto_answer: Some(Answer::Approve), ..config }).unwrap();
    let mut till = Till::at(&simulator);
    assert_eq!(till.ready().await, 0);
    till.authorise().await;
    let first = till.approved().await;
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(till.ready().await, first.reference.receipt);
    (simulator, till, first.reference.receipt)
}

fn last_state(simulator: &Simulator) -> TransactionState {
    simulator.ledger().last().unwrap().state
}

#[tokio::test]
async fn an_approved_payment_is_held_and_then_settled() {
    let (simulator, mut till, _) = second_payment(config()).await;
    till.authorise().await;
    let approval = till.approved().await;
    assert_eq!((approval.amount, approval.reference.terminal.as_str()), (AMOUNT, "52500021"));
    assert_eq!(approval.scheme, "Debit Mastercard");
    assert!(approval.masked_pan.starts_with("***"), "{}", approval.masked_pan);
    till.ask(PaymentRequest::Settle(TOP_UP)).await;
    assert_eq!(till.result().await, PaymentEvent::Posted(TOP_UP));
    assert_eq!(simulator.ledger().len(), 2);
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
    while till.event().await != PaymentEvent::Progress(TOP_UP, PaymentProgress::PresentCard) {}
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
    while till.event().await != PaymentEvent::Progress(TOP_UP, PaymentProgress::PresentCard) {}
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
async fn another_amount_than_intended_decides_nothing() {
    let (_simulator, mut till, before) = second_payment(config()).await;
    let intent = PaymentIntent { top_up: TOP_UP, amount: Cents(1999), receipt_before: before - 1 };
    till.ask(PaymentRequest::Resolve(intent)).await;
    assert_eq!(till.result().await, PaymentEvent::Resolved(TOP_UP, PaymentVerdict::Unknown));
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
