//! How long a terminal waits for an answer, and how often.

use crate::register::{ACK, DONE, NOT_ISSUED, Register, WAIT, approving, states};
use payment_simulator::{Config, Simulator, TransactionState, Unanswered, Waits};
use std::time::Duration;

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
fn a_terminal_may_ask_again_every_few_milliseconds_without_end() {
    let config = Config { waits: Waits::Unlimited, outcome_interval: Duration::from_millis(2), ..approving() };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::quiet(&simulator);
    let first = register.pay();
    for _ in 0..300 {
        register.send(WAIT);
        assert_eq!(register.outcome(), first);
    }
    register.send(ACK);
    register.expect(DONE);
    assert_eq!(states(&simulator), [TransactionState::Posted]);
}

#[test]
fn a_terminal_may_not_know_the_wish_to_wait() {
    for (waits, last, state) in [
        (Waits::TakenAsDone, DONE, TransactionState::Posted),
        (Waits::TakenAsRefusal, "06 1E 01 66", TransactionState::Reversed),
    ] {
        let simulator = Simulator::start(Config { waits, ..approving() }).unwrap();
        let mut register = Register::quiet(&simulator);
        register.pay();
        register.send(WAIT);
        register.expect(last);
        assert_eq!(states(&simulator), [state]);
    }
}
