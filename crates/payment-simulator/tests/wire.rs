//! The terminal as a cash register sees it: raw bytes on a socket, written by hand from the protocol's tables.
#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test does")]

use data_encoding::HEXUPPER;
use domain::Cents;
use payment_simulator::{
    AfterRefusal, Answer, Config, Event, RepeatReceipt, ReversalCheck, ReversalReceipt, Simulator, StartError,
    TransactionState, Unanswered, Waiting, When,
};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::Receiver;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
/// Password 000000, configuration 08 (intermediate status), euro.
const REGISTER: &str = "06 00 06 000000 08 0978";
/// 20.40 euro, time 20 s, at most nine outcomes.
const PAY: &str = "06 01 0E 04 000000002040 49 0978 01 14 02 09";
const REPEAT: &str = "06 20 03 000000";
const ACK: &str = "80 00 00";
const WAIT: &str = "84 9C 00";
const NOT_ISSUED: &str = "84 66 00";

fn hex(text: &str) -> Vec<u8> {
    HEXUPPER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

struct Register(TcpStream);

impl Register {
    fn connect(simulator: &Simulator) -> Self {
        let stream = TcpStream::connect(simulator.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn registered(simulator: &Simulator) -> Self {
        let mut register = Self::connect(simulator);
        register.send(REGISTER);
        register.expect(ACK);
        register.expect("06 0F 0A 19 00 29 52500021 49 0978");
        register.send(ACK);
        register
    }

    fn send(&mut self, bytes: &str) {
        self.0.write_all(&hex(bytes)).unwrap();
    }

    /// One whole message, in hexadecimal without spaces.
    fn read(&mut self) -> String {
        let mut message = vec![0; 3];
        self.0.read_exact(&mut message).unwrap();
        assert_ne!(message[2], 0xFF, "no message here is that long");
        let mut data = vec![0; usize::from(message[2])];
        self.0.read_exact(&mut data).unwrap();
        message.extend(data);
        HEXUPPER.encode(&message)
    }

    fn expect(&mut self, bytes: &str) {
        assert_eq!(self.read(), bytes.replace(' ', ""));
    }

    /// The next 04 0F, acknowledging every 04 FF before it.
    fn outcome(&mut self) -> String {
        loop {
            let message = self.read();
            if message.starts_with("040F") {
                return message;
            }
            assert!(message.starts_with("04FF01"), "{message}");
            self.send(ACK);
        }
    }

    /// Starts a payment and brings it to its outcome.
    fn pay(&mut self) -> String {
        self.send(PAY);
        self.expect(ACK);
        self.outcome()
    }

    /// What the terminal says about its last transaction.
    fn repeat(&mut self) -> String {
        self.send(REPEAT);
        self.expect(ACK);
        let outcome = self.outcome();
        self.send(ACK);
        self.expect("06 0F 00");
        outcome
    }

    fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        }
    }
}

fn approving() -> Config {
    Config { auto_answer: Some(Answer::Approve), outcome_interval: Duration::from_millis(5), ..Config::default() }
}

fn states(simulator: &Simulator) -> Vec<TransactionState> {
    simulator.ledger().iter().map(|transaction| transaction.state).collect()
}

fn until(events: &Receiver<Event>, wanted: Event) {
    while events.recv_timeout(PATIENCE).unwrap() != wanted {}
}

#[test]
fn a_payment_goes_through_its_steps_and_is_posted_once_acknowledged() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::registered(&simulator);
    register.send(PAY);
    register.expect(ACK);
    for step in ["0A", "01", "0E", "04", "0B"] {
        register.expect(&format!("04 FF 01 {step}"));
        register.send(ACK);
    }
    let outcome = register.read();
    assert!(outcome.starts_with("040F"), "{outcome}");
    assert!(outcome[6..].starts_with("2700040000000020400B0000010C"), "{outcome}");
    for field in ["22F0F8EEEEEEEEEEEE4771", "2952500021", "490978", "870001", "8BF1F74465626974204D617374657263617264"]
    {
        assert!(outcome.contains(field), "{field} in {outcome}");
    }
    assert_eq!(states(&simulator), [TransactionState::Authorised]);
    register.send(ACK);
    register.expect("06 0F 00");
    let ledger = simulator.ledger();
    assert_eq!((ledger[0].receipt, ledger[0].amount, ledger[0].state), (1, Cents(2040), TransactionState::Posted));
}

#[test]
fn waits_are_granted_until_they_are_used_up() {
    for (waits_max, answers, state) in [
        (3, vec![WAIT, WAIT, WAIT, ACK], TransactionState::Posted),
        (3, vec![WAIT, NOT_ISSUED], TransactionState::Reversed),
        (1, vec![WAIT, WAIT], TransactionState::Reversed),
    ] {
        let simulator = Simulator::start(Config { waits_max, ..approving() }).unwrap();
        let mut register = Register::registered(&simulator);
        let first = register.pay();
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                assert_eq!(register.outcome(), first, "the same outcome again");
            }
            register.send(answer);
        }
        match state {
            TransactionState::Posted => register.expect("06 0F 00"),
            _ => {
                register.expect("04 FF 01 05");
                register.send(ACK);
                register.expect("06 1E 01 66");
            }
        }
        assert_eq!(states(&simulator), [state], "{answers:?}");
    }
}

#[test]
fn a_command_limits_the_outcomes_and_names_the_time() {
    let simulator = Simulator::start(Config { unanswered: Unanswered::Keep, ..approving() }).unwrap();
    let mut register = Register::registered(&simulator);
    register.send("06 01 0B 04 000000000100 01 01 02 01");
    register.expect(ACK);
    register.outcome();
    register.send(WAIT);
    register.expect("06 0F 00");
    assert_eq!(states(&simulator), [TransactionState::Posted]);
    register.send("06 01 0B 04 000000000100 01 00 02 01");
    register.expect(ACK);
    register.outcome();
    register.expect("06 0F 00");
    assert_eq!(states(&simulator), [TransactionState::Posted; 2]);
}

#[test]
fn goods_not_issued_give_the_money_back() {
    for (after_refusal, last) in [(AfterRefusal::Abort, "06 1E 01 66"), (AfterRefusal::Completion, "06 0F 00")] {
        let simulator = Simulator::start(Config { after_refusal, ..approving() }).unwrap();
        let mut register = Register::registered(&simulator);
        register.pay();
        register.send(NOT_ISSUED);
        register.expect("04 FF 01 05");
        register.send(ACK);
        register.expect(last);
        assert_eq!(states(&simulator), [TransactionState::Reversed]);
    }
}

#[test]
fn a_refusal_of_bank_or_payer_leaves_no_transaction() {
    for (answer, code) in [(Answer::Decline(0x05), "05"), (Answer::Cancel, "6C")] {
        let simulator = Simulator::start(Config { auto_answer: Some(answer), ..approving() }).unwrap();
        let mut register = Register::registered(&simulator);
        assert_eq!(register.pay(), format!("040F0727{code}2952500021"));
        register.send(ACK);
        register.expect(&format!("06 1E 01 {code}"));
        assert_eq!(simulator.ledger(), []);
    }
}

#[test]
fn an_operator_answers_only_while_a_card_is_waited_for() {
    let simulator = Simulator::start(Config { auto_answer: None, ..approving() }).unwrap();
    let events = simulator.events();
    assert!(!simulator.answer(Answer::Approve));
    let mut register = Register::registered(&simulator);
    register.send(PAY);
    register.expect(ACK);
    register.expect("04 FF 01 0A");
    register.send(ACK);
    until(&events, Event::Waiting(Waiting::Card { amount: Cents(2040) }));
    assert!(simulator.answer(Answer::Approve));
    register.outcome();
    until(&events, Event::Waiting(Waiting::Register { receipt: 1, outcomes: 1 }));
    register.send(ACK);
    register.expect("06 0F 00");
    until(&events, Event::Posted { receipt: 1 });
}

#[test]
fn the_cash_register_may_abort_until_the_card_was_there() {
    let simulator = Simulator::start(Config { auto_answer: None, ..approving() }).unwrap();
    let events = simulator.events();
    let mut register = Register::registered(&simulator);
    register.send(PAY);
    register.expect(ACK);
    register.expect("04 FF 01 0A");
    register.send(ACK);
    until(&events, Event::Waiting(Waiting::Card { amount: Cents(2040) }));
    register.send("06 B0 00");
    register.expect(ACK);
    assert_eq!(register.outcome(), "040F07276C2952500021");
    register.send(ACK);
    register.expect("06 1E 01 6C");
    simulator.auto_answer(Some(Answer::Approve));
    register.pay();
    register.send("06 B0 00");
    register.send(ACK);
    register.expect("84 83 00");
    register.expect("06 0F 00");
    assert_eq!(states(&simulator), [TransactionState::Posted]);
}

#[test]
fn a_lost_line_reverses_or_keeps_and_the_next_one_can_ask() {
    for (unanswered, when, state) in [
        (Unanswered::Reverse, When::BeforeOutcome, TransactionState::Reversed),
        (Unanswered::Reverse, When::AfterOutcome, TransactionState::Reversed),
        (Unanswered::Keep, When::BeforeOutcome, TransactionState::Posted),
        (Unanswered::Keep, When::AfterOutcome, TransactionState::Posted),
    ] {
        let simulator = Simulator::start(Config { unanswered, ..approving() }).unwrap();
        let mut register = Register::registered(&simulator);
        simulator.drop_line(when);
        register.send(PAY);
        register.expect(ACK);
        for _ in 0..5 {
            assert!(register.read().starts_with("04FF"));
            register.send(ACK);
        }
        if when == When::AfterOutcome {
            assert!(register.read().starts_with("040F"));
        }
        assert!(register.is_closed(), "{when:?}");
        let mut register = Register::registered(&simulator);
        let last = register.repeat();
        assert_eq!(states(&simulator), [state], "{unanswered:?} {when:?}");
        let reversed = last.contains("37000001") && last.contains("870002") && last.ends_with("06040A020630");
        assert_eq!(reversed, state == TransactionState::Reversed, "{last}");
    }
}

#[test]
fn a_line_lost_before_the_completion_changes_nothing_at_the_terminal() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::registered(&simulator);
    simulator.drop_line(When::BeforeCompletion);
    register.pay();
    register.send(ACK);
    assert!(register.is_closed());
    assert_eq!(states(&simulator), [TransactionState::Posted]);
}

#[test]
fn a_line_cut_at_once_while_the_card_is_waited_for_ends_the_payment_or_not() {
    for (goes_on_without_line, expected) in [(false, vec![]), (true, vec![TransactionState::Reversed])] {
        let config = Config { auto_answer: None, goes_on_without_line, ..approving() };
        let simulator = Simulator::start(config).unwrap();
        let events = simulator.events();
        let mut register = Register::registered(&simulator);
        register.send(PAY);
        register.expect(ACK);
        register.expect("04 FF 01 0A");
        register.send(ACK);
        until(&events, Event::Waiting(Waiting::Card { amount: Cents(2040) }));
        simulator.drop_line(When::Now);
        assert!(register.is_closed());
        if goes_on_without_line {
            assert!(simulator.answer(Answer::Approve));
        }
        until(&events, Event::Disconnected);
        assert_eq!(states(&simulator), expected);
    }
}

#[test]
fn a_terminal_that_fell_silent_has_taken_the_money_or_not() {
    for (answer, expected) in [(Answer::Silence, vec![]), (Answer::ApproveSilently, vec![TransactionState::Posted])] {
        let config = Config { auto_answer: Some(answer), unanswered: Unanswered::Keep, ..approving() };
        let simulator = Simulator::start(config).unwrap();
        let events = simulator.events();
        let mut register = Register::registered(&simulator);
        register.send(PAY);
        register.expect(ACK);
        register.expect("04 FF 01 0A");
        register.send(ACK);
        until(&events, Event::Waiting(Waiting::Bank));
        drop(register);
        until(&events, Event::Disconnected);
        assert_eq!(states(&simulator), expected);
    }
}

#[test]
fn repeat_receipt_may_say_nothing_about_the_payment() {
    let config = Config { repeat_receipt: RepeatReceipt::CompletionOnly, ..approving() };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::registered(&simulator);
    register.send(REPEAT);
    register.expect(ACK);
    register.expect("06 1E 01 83");
    register.pay();
    register.send(ACK);
    register.expect("06 0F 00");
    register.send(REPEAT);
    register.expect(ACK);
    register.expect("06 0F 00");
}

#[test]
fn only_the_last_receipt_is_reversed_and_only_once() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::registered(&simulator);
    for _ in 0..2 {
        register.pay();
        register.send(ACK);
        register.expect("06 0F 00");
    }
    let mut reverse = |receipt: &str| {
        register.send(&format!("06 30 06 000000 87 {receipt}"));
        register.expect(ACK);
        let answer = register.read();
        if answer.starts_with("040F") {
            register.send(ACK);
            register.expect("06 0F 00");
        }
        answer
    };
    assert_eq!(reverse("0001"), "061E01B5");
    let outcome = reverse("0002");
    assert!(outcome.contains("37000002") && outcome.contains("870003"), "{outcome}");
    assert_eq!(reverse("0002"), "061E01B4");
    assert_eq!(states(&simulator), [TransactionState::Posted, TransactionState::Reversed]);
}

#[test]
fn some_makes_reverse_the_last_payment_whatever_the_number() {
    let config = Config {
        reversal_check: ReversalCheck::IgnoresNumber,
        reversal_receipt: ReversalReceipt::Original,
        ..approving()
    };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::registered(&simulator);
    register.pay();
    register.send(ACK);
    register.expect("06 0F 00");
    register.send("06 30 06 000000 87 4711");
    register.expect(ACK);
    let outcome = register.outcome();
    assert_eq!(&outcome[6..10], "27B4");
    assert!(outcome.contains("870001"), "{outcome}");
    register.send(ACK);
    register.expect("06 0F 00");
    assert_eq!(states(&simulator), [TransactionState::Reversed]);
}

#[test]
fn a_power_cut_forgets_the_registration_and_remembers_the_money() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        state_file: Some(folder.path().join("terminal.json")),
        unanswered: Unanswered::Keep,
        first_receipt: 9_999,
        ..approving()
    };
    let simulator = Simulator::start(config.clone()).unwrap();
    let mut register = Register::registered(&simulator);
    register.pay();
    simulator.power_cycle();
    assert!(register.is_closed());
    assert_eq!(states(&simulator), [TransactionState::Posted]);
    let mut register = Register::connect(&simulator);
    register.send(PAY);
    register.expect("84 6B 00");
    drop(simulator);

    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::registered(&simulator);
    assert!(register.repeat().contains("879999"));
    assert!(register.pay().contains("870001"));
    assert_eq!(simulator.ledger().len(), 2);
}

#[test]
fn nonsense_and_foreign_money_are_refused() {
    let simulator = Simulator::start(Config { password: Some(123_456), ..approving() }).unwrap();
    let mut register = Register::connect(&simulator);
    for (command, refusal) in [
        (REGISTER, "84 9A 00"),
        ("06 00 06 123456 08 0840", "84 6F 00"),
        ("06 01 07 04 000000000100", "84 6B 00"),
        ("06 93 03 123456", "84 83 00"),
    ] {
        register.send(command);
        register.expect(refusal);
    }
    register.send("06 00 06 123456 08 0978");
    register.expect(ACK);
    register.read();
    register.send(ACK);
    for (command, refusal) in [
        ("06 01 0A 04 000000000100 49 0840", "84 6F 00"),
        ("06 01 07 04 00000000010A", "84 9A 00"),
        ("06 01 07 04 000000000000", "84 9A 00"),
        ("06 01 02 77 01", "84 9A 00"),
        ("06 30 06 000000 87 0001", "84 9A 00"),
    ] {
        register.send(command);
        register.expect(refusal);
    }
}

#[test]
fn a_new_cash_register_takes_the_place_of_an_idle_one() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut first = Register::registered(&simulator);
    let mut second = Register::registered(&simulator);
    assert!(first.is_closed());
    second.pay();
}

#[test]
fn without_the_wish_for_intermediate_status_none_is_sent() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::connect(&simulator);
    register.send("06 00 06 000000 00 0978");
    register.expect(ACK);
    register.read();
    register.send(ACK);
    register.send(PAY);
    register.expect(ACK);
    assert!(register.read().starts_with("040F"));
}

#[test]
fn a_broken_state_file_or_an_unknown_zone_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.json");
    std::fs::write(&path, "{").unwrap();
    let broken = Simulator::start(Config { state_file: Some(path), ..approving() });
    assert!(matches!(broken, Err(StartError::StateFile(_))), "{broken:?}");
    let lost = Simulator::start(Config { time_zone: "Europe/Atlantis".to_owned(), ..approving() });
    assert!(matches!(lost, Err(StartError::TimeZone(_))), "{lost:?}");
}
