//! Lines that are lost, and answers that are.

use crate::register::{ACK, PAY, REPEAT, Register, approving, states, until};
use domain::Cents;
use payment_simulator::{
    Answer, Config, Event, Fault, Mishap, Moment, Simulator, TransactionState, Unanswered, Waiting, When,
};
use std::time::Duration;

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
        let reversed = last.contains("37000001") && last.contains("870002") && last.contains("0A020630");
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
fn an_answer_that_is_not_heard_reverses_or_keeps_on_a_line_that_stays() {
    for (unanswered, last, state) in [
        (Unanswered::Reverse, "06 1E 01 66", TransactionState::Reversed),
        (Unanswered::Keep, "06 0F 00", TransactionState::Posted),
    ] {
        let lost = Fault::once(Moment::Frame(0x04, 0x0F), Mishap::AnswerLost);
        let answer_timeout = Some(Duration::from_millis(50));
        let config = Config { unanswered, answer_timeout, faults: vec![lost], ..approving() };
        let simulator = Simulator::start(config).unwrap();
        let mut register = Register::quiet(&simulator);
        register.pay();
        register.send(ACK);
        register.expect(last);
        assert_eq!(states(&simulator), [state]);
        register.pay();
        register.send(ACK);
        register.expect("06 0F 00");
        assert_eq!(simulator.ledger()[1].state, TransactionState::Posted);
    }
}

#[test]
fn a_frame_is_cut_off_at_any_byte_and_the_line_with_it() {
    let simulator = Simulator::start(approving()).unwrap();
    for bytes in [0, 1, 3, 20] {
        let before = simulator.ledger().len();
        simulator.plan(Fault::once(Moment::Frame(0x04, 0x0F), Mishap::CutAt(bytes))).unwrap();
        let mut register = Register::quiet(&simulator);
        register.send(PAY);
        register.expect(ACK);
        let outcome = register.exactly(bytes);
        assert!(outcome.iter().zip([0x04, 0x0F]).all(|(byte, expected)| *byte == expected));
        assert!(register.is_closed(), "after {bytes} bytes");
        let mut register = Register::quiet(&simulator);
        register.repeat();
        assert_eq!(simulator.ledger()[before].state, TransactionState::Reversed);
    }
}

#[test]
fn the_completion_is_lost_with_a_line_that_stays() {
    let simulator = Simulator::start(approving()).unwrap();
    simulator.plan(Fault::once(Moment::Frame(0x06, 0x0F), Mishap::Unsent)).unwrap();
    let mut register = Register::connect(&simulator);
    register.send("06 00 06 000000 00 0978");
    register.expect(ACK);
    register.send(PAY);
    register.expect(ACK);
    register.outcome();
    simulator.plan(Fault::once(Moment::Frame(0x06, 0x0F), Mishap::Unsent)).unwrap();
    register.send(ACK);
    register.send(REPEAT);
    register.expect(ACK);
    assert!(register.outcome().contains("870001"));
    assert_eq!(states(&simulator), [TransactionState::Posted]);
    assert_eq!(simulator.ledger()[0].taken(), Cents(2040));
}
