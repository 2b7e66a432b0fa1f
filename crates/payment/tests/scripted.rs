//! The client against payment terminals that say what no simulator says: each test is the other side's script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use domain::{Cents, FailureCode};
use payment::zvt::apdu::{Apdu, control};
use payment::zvt::field::{Fields, bmp, to_bcd};
use payment::{Abort, Answered, Outcome, PaymentTerminal, Unacknowledged, ZvtConfig, ZvtTerminal};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const AMOUNT: Cents = Cents(2000);

/// The other side of the line.
struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    async fn hear(&mut self) -> Apdu {
        loop {
            if let Some(message) = Apdu::take(&mut self.received) {
                return message;
            }
            assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0, "the till has gone");
        }
    }

    async fn say(&mut self, message: Apdu) {
        self.stream.write_all(&message.encode().unwrap()).await.unwrap();
    }

    async fn takes(&mut self, command: [u8; 2]) {
        assert_eq!(self.hear().await.control, command);
        self.say(Apdu::bare(control::ACK)).await;
    }

    async fn ends(&mut self, message: Apdu) {
        self.say(message).await;
        assert_eq!(self.hear().await.control, control::ACK);
    }

    /// Registered, and without any receipt.
    async fn registers(&mut self) {
        self.takes(control::REGISTRATION).await;
        let identity = Fields::default().with(bmp::TERMINAL, &[0x52, 0x50, 0x00, 0x21]);
        self.ends(Apdu::new(control::COMPLETION, identity.encode())).await;
        self.takes(control::REPEAT_RECEIPT).await;
        self.ends(Apdu::new(control::ABORTED, vec![0x6C])).await;
    }
}

/// The payment with this result code and receipt number.
fn outcome(result: u8, receipt: u64) -> Apdu {
    let fields = Fields::default()
        .with(bmp::RESULT, &[result])
        .with(bmp::AMOUNT, &to_bcd::<6>(2000).unwrap())
        .with(bmp::TRACE, &to_bcd::<3>(receipt).unwrap())
        .with(bmp::CURRENCY, &[0x09, 0x78])
        .with(bmp::RECEIPT, &to_bcd::<2>(receipt).unwrap());
    Apdu::new(control::STATUS, fields.encode())
}

/// A till at a terminal that was registered with and then follows its script.
async fn till<F: Future<Output = ()> + Send + 'static>(
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> (ZvtTerminal, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = ZvtConfig::new(listener.local_addr().unwrap());
    config.payment_timeout = Duration::from_millis(300);
    config.completion_timeout = Duration::from_millis(700);
    let playing = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Peer { stream, received: Vec::new() };
        peer.registers().await;
        script(peer).await;
    });
    let mut terminal = ZvtTerminal::new(config);
    assert_eq!(terminal.connect().await.unwrap(), 0);
    (terminal, playing)
}

async fn authorise(terminal: &mut ZvtTerminal) -> Outcome {
    // Nobody gives up.
    let (_raise, abort) = Abort::new();
    let asked = terminal.authorise(AMOUNT, |_| {}, abort);
    timeout(Duration::from_secs(20), asked).await.expect("an end")
}

async fn approved(terminal: &mut ZvtTerminal) -> Unacknowledged {
    match authorise(terminal).await {
        Outcome::Approved(token) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payment_is_kept_only_when_nothing_else_is_said_of_it_before_the_end() {
    let check = async |said: Apdu, answered: Answered| {
        let (mut terminal, playing) = till(async |mut peer| {
            peer.takes(control::AUTHORISATION).await;
            peer.ends(outcome(0, 471)).await;
            peer.ends(said).await;
            peer.ends(Apdu::bare(control::COMPLETION)).await;
        })
        .await;
        let token = approved(&mut terminal).await;
        assert_eq!(terminal.settle(token).await, answered);
        playing.await.unwrap();
    };
    // It did not hear the first answer.
    check(outcome(0, 471), Answered::Done).await;
    // Reversed meanwhile; refused after all; another payment altogether.
    check(outcome(0xB4, 471), Answered::InDoubt).await;
    check(outcome(0x05, 471), Answered::InDoubt).await;
    check(outcome(0, 472), Answered::InDoubt).await;
}

/// Says `please wait` until it is told to give up.
async fn waits_until_aborted(peer: &mut Peer) {
    peer.takes(control::AUTHORISATION).await;
    loop {
        peer.say(Apdu::new(control::INTERMEDIATE, vec![0x0E])).await;
        match peer.hear().await.control {
            control::ACK => sleep(Duration::from_millis(20)).await,
            control::ABORT => return,
            other => panic!("{other:02X?}"),
        }
    }
}

#[tokio::test]
async fn a_payer_who_takes_too_long_is_given_up_however_much_the_terminal_says_meanwhile() {
    let (mut terminal, playing) = till(async |mut peer| {
        waits_until_aborted(&mut peer).await;
        assert_eq!(peer.hear().await.control, control::ACK, "of the last word before");
        peer.say(Apdu::bare(control::ACK)).await;
        peer.ends(Apdu::new(control::ABORTED, vec![0x6C])).await;
    })
    .await;
    match authorise(&mut terminal).await {
        Outcome::Declined(code) => assert_eq!(code, FailureCode::PaymentCancelled),
        other => panic!("{other:?}"),
    }
    assert!(!terminal.connected(), "no late answer may be taken for the next command's");
    playing.await.unwrap();
}

#[tokio::test]
async fn a_terminal_that_neither_ends_nor_gives_up_a_payment_is_left_and_its_outcome_is_unknown() {
    let (mut terminal, playing) = till(async |mut peer| {
        waits_until_aborted(&mut peer).await;
        loop {
            let waits = Apdu::new(control::INTERMEDIATE, vec![0x0E]).encode().unwrap();
            if peer.stream.write_all(&waits).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(matches!(authorise(&mut terminal).await, Outcome::Unknown));
    assert!(!terminal.connected());
    playing.await.unwrap();
}
