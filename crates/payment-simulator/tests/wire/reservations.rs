//! Reserving, booking, giving free, lapsing.

use crate::register::{ACK, DONE, NOT_ISSUED, PAY, REPEAT, RESERVE, Register, WAIT, approving, states};
use domain::Cents;
use payment_simulator::{
    Answer, Config, Fault, Kind, Mishap, Moment, Partial, PowerCut, ReleaseAmount, Simulator, TransactionState,
    Unanswered, When,
};
use std::time::Duration;

const OPEN: &str = "06 23 03 87 FFFF";

/// A terminal that holds one reservation, receipt 1.
fn reserved(config: Config) -> (Simulator, Register) {
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(RESERVE);
    (simulator, register)
}

/// What 06 23 with FFFF answers, behind the result code.
fn open(register: &mut Register) -> String {
    let told = register.refused(OPEN);
    assert_eq!(&told[..2], "B8");
    told[2..].to_owned()
}

#[test]
fn a_reservation_is_booked_in_whole_or_in_part_and_once() {
    for (command, booked, told) in [
        ("06 24 03 87 0001", 2040, "04000000002040"),
        ("06 24 0A 87 0001 04 000000001500", 1500, "04000000001500"),
        ("06 24 10 000000 04 000000001500 49 0978 87 0001", 1500, "04000000001500"),
        ("06 23 0F 87 0001 04 000000001500 19 40 49 0978", 1500, "04000000001500"),
    ] {
        let (simulator, mut register) = reserved(approving());
        assert_eq!(states(&simulator), [TransactionState::Reserved]);
        assert_eq!(simulator.ledger()[0].kind, Kind::Reservation);
        assert_eq!(simulator.ledger()[0].taken(), Cents::ZERO);
        let outcome = register.whole(command);
        assert!(outcome.contains(told) && outcome.contains("870002") && outcome.contains("37000001"), "{outcome}");
        assert!(outcome.contains("0A020624"), "{outcome}");
        assert_eq!(
            (states(&simulator), simulator.ledger()[0].taken()),
            (vec![TransactionState::Posted], Cents(booked))
        );
        assert_eq!(register.repeat(), outcome);
        assert_eq!(register.refused(command), "B8");
        assert_eq!(open(&mut register), "87FFFF");
    }
}

#[test]
fn a_reservation_is_given_free_once() {
    let (simulator, mut register) = reserved(approving());
    let told = register.whole("06 25 08 19 40 49 0978 87 0001");
    assert!(told.contains("870002") && told.contains("37000001") && told.contains("0A020625"), "{told}");
    assert_eq!(states(&simulator), [TransactionState::Reversed]);
    assert_eq!(register.refused("06 25 03 87 0001"), "B8");
    assert_eq!(register.refused("06 24 03 87 0001"), "B8");
    assert_eq!(register.refused("06 30 06 000000 87 0001"), "B4");
}

#[test]
fn a_release_tells_nothing_or_what_was_reserved_and_names_its_command_or_not() {
    for (release_amount, names_command, amount) in [
        (ReleaseAmount::Zero, true, "04000000000000"),
        (ReleaseAmount::Reserved, true, "04000000002040"),
        (ReleaseAmount::Zero, false, "04000000000000"),
    ] {
        let (_simulator, mut register) = reserved(Config { release_amount, names_command, ..approving() });
        let told = register.whole("06 25 03 87 0001");
        assert!(told.contains(amount), "{told}");
        assert_eq!(told.contains("0A020625"), names_command, "{told}");
    }
}

#[test]
fn a_reservation_outcome_is_answered_like_a_payments() {
    for (answers, last, state) in [
        (vec![ACK], DONE, TransactionState::Reserved),
        (vec![WAIT, WAIT, ACK], DONE, TransactionState::Reserved),
        (vec![WAIT, NOT_ISSUED], "06 1E 01 66", TransactionState::Reversed),
    ] {
        let simulator = Simulator::start(approving()).unwrap();
        let mut register = Register::quiet(&simulator);
        register.begin(RESERVE);
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                register.outcome();
            }
            register.send(answer);
        }
        register.expect(last);
        assert_eq!(states(&simulator), [state], "{answers:?}");
    }
}

#[test]
fn a_reservation_nobody_answered_for_stands_or_not() {
    for (unanswered, state, list) in [
        (Unanswered::Reverse, TransactionState::Reversed, "87FFFF"),
        (Unanswered::Keep, TransactionState::Reserved, "870001"),
    ] {
        let simulator = Simulator::start(Config { unanswered, ..approving() }).unwrap();
        let mut register = Register::quiet(&simulator);
        simulator.drop_line(When::AfterOutcome);
        register.begin(RESERVE);
        assert!(register.is_closed());
        let mut register = Register::quiet(&simulator);
        assert_eq!(open(&mut register), list);
        assert_eq!(states(&simulator), [state]);
    }
}

#[test]
fn the_open_reservations_are_listed() {
    let (simulator, mut register) = reserved(approving());
    assert_eq!(open(&mut register), "870001");
    register.whole(PAY);
    register.whole(RESERVE);
    assert_eq!(open(&mut register), "870001060A2308080200010802 0003".replace(' ', ""));
    register.whole("06 24 03 87 0001");
    assert_eq!(open(&mut register), "870003");
    simulator.power_cycle();
    assert_eq!(open(&mut Register::quiet(&simulator)), "870003", "a reservation outlives the power");
}

#[test]
fn a_reservation_lapses_after_its_time() {
    let (simulator, mut register) = reserved(Config { reservation_lifetime: Duration::from_secs(3600), ..approving() });
    simulator.put_clock_forward(Duration::from_secs(3500));
    assert_eq!(states(&simulator), [TransactionState::Reserved]);
    simulator.put_clock_forward(Duration::from_secs(101));
    assert_eq!(states(&simulator), [TransactionState::Expired]);
    assert_eq!(open(&mut register), "87FFFF");
    assert_eq!(register.refused("06 24 03 87 0001"), "B8");
    assert_eq!(register.refused("06 25 03 87 0001"), "B8");
}

#[test]
fn more_than_is_reserved_is_not_booked() {
    let (simulator, mut register) = reserved(approving());
    for command in ["06 24 0A 87 0001 04 000000002041", "06 23 0A 87 0001 04 000000002041"] {
        assert_eq!(register.refused(command), "B7");
    }
    assert_eq!(states(&simulator), [TransactionState::Reserved]);
}

#[test]
fn a_part_may_be_given_free_instead_of_booked() {
    let (simulator, mut register) = reserved(Config { partial: Partial::Releases, ..approving() });
    let told = register.whole("06 23 0A 87 0001 04 000000001000");
    assert!(told.contains("04000000001040"), "{told}");
    assert_eq!(states(&simulator), [TransactionState::Reserved]);
    assert_eq!(register.refused("06 24 0A 87 0001 04 000000001500"), "B7");
    assert_eq!(register.refused("06 23 0A 87 0001 04 000000001040"), "B7");
    register.whole("06 24 03 87 0001");
    assert_eq!(simulator.ledger()[0].taken(), Cents(1040));
}

#[test]
fn the_bank_refuses_a_booking_until_it_does_not() {
    let (simulator, mut register) = reserved(approving());
    for code in [0x05, 0x33] {
        simulator.configure(|config| config.booking_refused = Some(code)).unwrap();
        assert_eq!(register.refused("06 24 03 87 0001"), format!("{code:02X}"));
        assert_eq!(states(&simulator), [TransactionState::Reserved]);
    }
    simulator.configure(|config| config.booking_refused = None).unwrap();
    register.whole("06 24 03 87 0001");
    assert_eq!(states(&simulator), [TransactionState::Posted]);
}

#[test]
fn a_booking_stands_whatever_becomes_of_the_line() {
    for fault in [
        Fault::once(Moment::BeforeOutcome, Mishap::Drop),
        Fault::once(Moment::AfterOutcome, Mishap::Drop),
        Fault::once(Moment::BeforeCompletion, Mishap::Drop),
        Fault::once(Moment::Frame(0x04, 0x0F), Mishap::CutAt(9)),
        Fault::once(Moment::BeforeOutcome, Mishap::PowerOff(PowerCut::default())),
    ] {
        let (simulator, mut register) = reserved(approving());
        simulator.plan(fault.clone()).unwrap();
        register.send("06 24 03 87 0001");
        while !register.is_closed_after_answers() {}
        let mut register = Register::quiet(&simulator);
        let last = register.repeat();
        assert!(last.contains("870002") && last.contains("0A020624"), "{fault:?}: {last}");
        assert_eq!(states(&simulator), [TransactionState::Posted], "{fault:?}");
        assert_eq!(register.refused("06 24 03 87 0001"), "B8");
    }
}

#[test]
fn a_booking_is_reversed_like_a_payment() {
    let (simulator, mut register) = reserved(approving());
    register.whole("06 24 03 87 0001");
    assert_eq!(register.refused("06 30 06 000000 87 0001"), "B5", "the booking has its own number");
    let told = register.whole("06 30 06 000000 87 0002");
    assert!(told.contains("370000 02".replace(' ', "").as_str()) && told.contains("0A020630"), "{told}");
    assert_eq!(simulator.ledger()[0].taken(), Cents::ZERO);
}

#[test]
fn a_refused_reservation_leaves_nothing() {
    let simulator = Simulator::start(Config { auto_answer: Some(Answer::Decline(0x05)), ..approving() }).unwrap();
    let mut register = Register::quiet(&simulator);
    assert_eq!(register.refused(RESERVE), "05");
    assert_eq!(register.refused(REPEAT), "83");
    assert_eq!(simulator.ledger(), []);
    for (command, refusal) in [
        ("06 22 07 04 000000000000", "84 9A 00"),
        ("06 22 0A 04 000000000100 49 0840", "84 6F 00"),
        ("06 24 02 77 01", "84 9A 00"),
        ("06 24 07 04 000000000100", "84 9A 00"),
        ("06 25 00", "84 9A 00"),
        ("06 25 06 87 0001 49 0840", "84 6F 00"),
    ] {
        register.send(command);
        register.expect(refusal);
    }
}
