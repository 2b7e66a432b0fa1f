//! A till at the simulator, for all tests here.

use domain::device::{
    PaymentApproval, PaymentEvent, PaymentIntent, PaymentOrder, PaymentProgress, PaymentRequest, PaymentVerdict,
};
use domain::{Cents, Timestamp, TopUpId};
use payment::{ZvtConfig, ZvtTerminal, desk};
use payment_simulator::{Answer, Config, Simulator, TransactionState};
use std::time::Duration;
use tokio::sync::mpsc;

pub(crate) const AMOUNT: Cents = Cents(2000);
pub(crate) const TOP_UP: TopUpId = TopUpId([7; 16]);
/// The simulator's identity, unless a test says otherwise.
pub(crate) const TERMINAL: &str = "52500021";

pub(crate) struct Till {
    pub(crate) requests: mpsc::Sender<PaymentRequest>,
    pub(crate) checks: mpsc::Sender<desk::Check>,
    pub(crate) events: mpsc::UnboundedReceiver<PaymentEvent>,
}

impl Till {
    pub(crate) fn at(simulator: &Simulator) -> Self {
        Self::with(till_config(simulator))
    }

    pub(crate) fn with(config: ZvtConfig) -> Self {
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
    pub(crate) async fn check(&self) -> Option<u32> {
        let (check, answer) = tokio::sync::oneshot::channel();
        self.checks.send(check).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), answer).await.expect("an answer").unwrap()
    }

    pub(crate) async fn ask(&self, request: PaymentRequest) {
        self.requests.send(request).await.unwrap();
    }

    pub(crate) async fn event(&mut self) -> PaymentEvent {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await.expect("an event").unwrap()
    }

    /// The next event that is neither mere progress nor readiness.
    pub(crate) async fn result(&mut self) -> PaymentEvent {
        loop {
            match self.event().await {
                PaymentEvent::Progress(top_up, _) => assert_eq!(top_up, TOP_UP),
                PaymentEvent::Ready { .. } => {}
                event => return event,
            }
        }
    }

    /// The next result that is not the line's coming and going.
    pub(crate) async fn outcome(&mut self) -> PaymentEvent {
        loop {
            match self.result().await {
                PaymentEvent::Gone => {}
                event => return event,
            }
        }
    }

    pub(crate) async fn ready(&mut self) -> u32 {
        loop {
            if let PaymentEvent::Ready { last_receipt, terminal } = self.event().await {
                assert!(terminal.len() == 8, "{terminal}");
                return last_receipt;
            }
        }
    }

    pub(crate) async fn authorise(&self) {
        self.ask(PaymentRequest::Authorise { top_up: TOP_UP, amount: AMOUNT }).await;
    }

    pub(crate) async fn reserve(&self) {
        self.ask(PaymentRequest::Reserve { top_up: TOP_UP, amount: AMOUNT }).await;
    }

    pub(crate) async fn until_card(&mut self) {
        while self.event().await != PaymentEvent::Progress(TOP_UP, PaymentProgress::PresentCard) {}
    }

    pub(crate) async fn approved(&mut self) -> PaymentApproval {
        match self.result().await {
            PaymentEvent::Approved(TOP_UP, approval) => approval,
            other => panic!("{other:?}"),
        }
    }

    /// A reservation that was acknowledged.
    pub(crate) async fn reserved(&mut self) -> PaymentApproval {
        self.reserve().await;
        let approval = self.approved().await;
        self.ask(PaymentRequest::Acknowledge(TOP_UP)).await;
        assert_eq!(self.result().await, PaymentEvent::Reserved(TOP_UP));
        approval
    }

    pub(crate) async fn resolve(&mut self, receipt_before: u32) -> PaymentVerdict {
        self.resolve_as(intent(receipt_before)).await
    }

    pub(crate) async fn resolve_as(&mut self, intent: PaymentIntent) -> PaymentVerdict {
        self.ask(PaymentRequest::Resolve(intent)).await;
        match self.outcome().await {
            PaymentEvent::Resolved(TOP_UP, verdict) => verdict,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn intent(receipt_before: u32) -> PaymentIntent {
    let (order, terminal) = (PaymentOrder::Vending, Some(TERMINAL.to_owned()));
    PaymentIntent { top_up: TOP_UP, amount: AMOUNT, at: now(), receipt_before, order, terminal }
}

/// A payment takes less time than the clocks may differ.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

pub(crate) fn reservation(receipt_before: u32) -> PaymentIntent {
    PaymentIntent { order: PaymentOrder::PreAuthorise, ..intent(receipt_before) }
}

pub(crate) fn till_config(simulator: &Simulator) -> ZvtConfig {
    let mut config = ZvtConfig::new(simulator.addr);
    config.answer_timeout_s = 1;
    config.waits_max = 1;
    config.payment_timeout = Duration::from_secs(10);
    config.completion_timeout = Duration::from_secs(5);
    config
}

pub(crate) fn config() -> Config {
    Config { auto_answer: Some(Answer::Approve), outcome_interval: Duration::from_millis(5), ..Config::default() }
}

/// A simulator that has one payment behind it, and a till that knows its receipt.
pub(crate) async fn second_payment(config: Config) -> (Simulator, Till, u32) {
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

pub(crate) fn last_state(simulator: &Simulator) -> TransactionState {
    simulator.ledger().last().unwrap().state
}
