//! What somebody does at the terminal itself, between two commands of the cash register.

use crate::register::{ACK, DONE, PAY, REPEAT, Register, approving, states, until};
use domain::Cents;
use payment_simulator::{Answer, Config, Event, MenuError, Operator, Simulator, TransactionState, Waiting};

#[test]
fn a_payment_of_the_operators_own_comes_between_ours() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    simulator.operate(Operator::Pay(Cents(2040))).unwrap();
    let last = register.repeat();
    assert!(last.contains("870002") && last.contains("04000000002040"), "{last}");
    assert_eq!(register.refused("06 30 06 000000 87 0001"), "B5", "ours is not the last any more");
    let own: Vec<bool> = simulator.ledger().iter().map(|one| one.by_operator).collect();
    assert_eq!(own, [false, true]);
    assert!(register.whole(PAY).contains("870003"));
}

#[test]
fn the_operator_reverses_our_payment() {
    let simulator = Simulator::start(approving()).unwrap();
    assert_eq!(simulator.operate(Operator::Reverse), Err(MenuError::NothingToReverse));
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    simulator.operate(Operator::Reverse).unwrap();
    assert_eq!(simulator.operate(Operator::Reverse), Err(MenuError::NothingToReverse));
    assert_eq!(states(&simulator), [TransactionState::Reversed]);
    let last = register.repeat();
    assert!(last.contains("37000001") && last.contains("870002") && last.contains("0A020630"), "{last}");
}

#[test]
fn the_operator_closes_the_day_between_payment_and_reversal() {
    let simulator = Simulator::start(Config { end_of_day_empties_last: true, ..approving() }).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    simulator.operate(Operator::EndOfDay).unwrap();
    assert_eq!(register.refused("06 30 06 000000 87 0001"), "B5");
    assert_eq!(register.refused(REPEAT), "83");
    assert_eq!(states(&simulator), [TransactionState::Posted]);
}

#[test]
fn the_menu_is_closed_while_a_payment_goes_on() {
    let simulator = Simulator::start(Config { auto_answer: None, ..approving() }).unwrap();
    let events = simulator.events();
    let mut register = Register::quiet(&simulator);
    register.send(PAY);
    register.expect(ACK);
    until(&events, Event::Waiting(Waiting::Card { amount: Cents(2040) }));
    assert_eq!(simulator.operate(Operator::EndOfDay), Err(MenuError::Busy));
    assert!(simulator.answer(Answer::Approve));
    register.outcome();
    register.send(ACK);
    register.expect(DONE);
}
