//! What the terminal remembers, and what it tells of it.

use crate::register::{ACK, DONE, END_OF_DAY, REPEAT, Register, approving, states};
use payment_simulator::{
    Config, RepeatReceipt, ReversalCheck, ReversalReceipt, Simulator, TransactionState, Unanswered,
};

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
fn some_makes_refuse_the_service_byte() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    let first = register.pay();
    register.send(ACK);
    register.expect(DONE);
    let with_service = "06 20 05 000000 03 03";
    assert_eq!(register.whole(with_service), first);
    simulator.configure(|config| config.refuses_service_byte = true).unwrap();
    register.send(with_service);
    register.expect("84 9A 00");
    assert_eq!(register.repeat(), first);
}

#[test]
fn an_end_of_day_may_empty_the_memory_of_the_last_receipt() {
    for (end_of_day_empties_last, known) in [(false, true), (true, false)] {
        let simulator = Simulator::start(Config { end_of_day_empties_last, ..approving() }).unwrap();
        let mut register = Register::quiet(&simulator);
        register.pay();
        register.send(ACK);
        register.expect(DONE);
        register.whole(END_OF_DAY);
        if known {
            assert!(register.repeat().contains("870001"));
        } else {
            assert_eq!(register.refused(REPEAT), "83");
        }
        let after_the_day = register.refused("06 30 06 000000 87 0001");
        assert_eq!(after_the_day, "B5", "a settled payment cannot be reversed");
    }
}

#[test]
fn a_terminal_in_its_place_has_another_identity_and_other_numbers() {
    let config = Config { unanswered: Unanswered::Keep, first_receipt: 9_999, ..approving() };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::quiet(&simulator);
    assert!(register.pay().contains("2952500021"));
    simulator.replace(52_500_099, 9_999);
    assert!(register.is_closed());
    let mut register = Register::connect(&simulator);
    register.send("06 00 06 000000 00 0978");
    register.expect(ACK);
    register.expect("06 0F 0A 19 00 29 52500099 49 0978");
    assert_eq!(register.refused(REPEAT), "83");
    let told = register.pay();
    assert!(told.contains("2952500099") && told.contains("879999"), "{told}");
    register.send(ACK);
    register.expect(DONE);
    assert!(register.pay().contains("870001"), "the number wraps");
    assert_eq!(
        simulator.ledger().iter().map(|one| one.terminal).collect::<Vec<_>>(),
        [52_500_021, 52_500_099, 52_500_099]
    );
}
