//! Power cuts, and what is left of the memory.

use crate::register::{ACK, PAY, REPEAT, Register, approving, states, until};
use domain::Cents;
use payment_simulator::{
    AfterPower, Config, Event, Fault, Mishap, Moment, PowerCut, Simulator, TransactionState, Unanswered, Waiting,
};
use std::net::TcpStream;
use std::time::Duration;

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
fn a_terminal_that_is_off_listens_to_nobody_and_comes_back_at_the_same_place() {
    let simulator = Simulator::start(approving()).unwrap();
    let events = simulator.events();
    let mut register = Register::registered(&simulator);
    register.whole(PAY);
    simulator.power_cut_soon(PowerCut { off: Duration::from_millis(300), memory: AfterPower::Kept });
    until(&events, Event::SwitchedOff);
    assert_eq!(simulator.waiting(), Waiting::Off);
    assert!(register.is_closed());
    while TcpStream::connect(simulator.addr).is_ok() {
        assert_eq!(simulator.waiting(), Waiting::Off, "it listened while it was off");
    }
    until(&events, Event::PoweredUp);
    let mut register = Register::registered(&simulator);
    assert!(register.repeat().contains("870001"));
}

#[test]
fn a_memory_is_lost_and_the_acquirer_forgets_nothing() {
    let simulator = Simulator::start(Config { first_receipt: 40, ..approving() }).unwrap();
    let mut register = Register::registered(&simulator);
    register.whole(PAY);
    simulator.power_cut(PowerCut { off: Duration::ZERO, memory: AfterPower::Lost });
    let mut register = Register::quiet(&simulator);
    assert_eq!(register.refused(REPEAT), "83");
    assert_eq!(register.refused("06 30 06 000000 87 0040"), "B5");
    assert!(register.whole(PAY).contains("870040"), "the numbers begin again");
    assert_eq!(states(&simulator), [TransactionState::Posted; 2]);
}

#[test]
fn the_host_approved_while_the_terminal_died() {
    for (unanswered, state) in
        [(Unanswered::Reverse, TransactionState::Reversed), (Unanswered::Keep, TransactionState::Posted)]
    {
        let died = Fault::once(Moment::HostApproved, Mishap::PowerOff(PowerCut::default()));
        let simulator = Simulator::start(Config { unanswered, faults: vec![died], ..approving() }).unwrap();
        let events = simulator.events();
        let mut register = Register::quiet(&simulator);
        register.send(PAY);
        register.expect(ACK);
        assert!(register.is_closed());
        until(&events, Event::PoweredUp);
        let mut register = Register::quiet(&simulator);
        assert_eq!(register.refused(REPEAT), "83", "the terminal never knew of it");
        let ledger = simulator.ledger();
        assert_eq!((ledger[0].state, ledger[0].known, ledger[0].receipt), (state, false, 1));
        assert!(register.whole(PAY).contains("870001"), "its receipt number comes again");
    }
}

#[test]
fn the_power_goes_at_each_moment_of_a_payment() {
    for (moment, state) in [
        (Moment::Frame(0x80, 0x00), None),
        (Moment::BeforeOutcome, Some(TransactionState::Reversed)),
        (Moment::AfterOutcome, Some(TransactionState::Reversed)),
        (Moment::BeforeCompletion, Some(TransactionState::Posted)),
    ] {
        let simulator = Simulator::start(approving()).unwrap();
        let events = simulator.events();
        let mut register = Register::quiet(&simulator);
        simulator.plan(Fault::once(moment, Mishap::PowerOff(PowerCut::default()))).unwrap();
        register.send(PAY);
        while !register.is_closed_after_answers() {}
        until(&events, Event::PoweredUp);
        assert_eq!(states(&simulator), Vec::from_iter(state), "{moment}");
        let taken = if state == Some(TransactionState::Posted) { Cents(2040) } else { Cents::ZERO };
        assert_eq!(simulator.ledger().iter().map(|one| one.taken().0).sum::<i64>(), taken.0);
        assert!(Register::quiet(&simulator).whole(PAY).starts_with("040F"));
    }
}

#[test]
fn a_memory_that_cannot_be_kept_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { state_file: Some(folder.path().join("nowhere/terminal.json")), ..approving() };
    let error = Simulator::start(config).map(drop).unwrap_err();
    assert!(error.to_string().contains("state file"), "{error}");
}
