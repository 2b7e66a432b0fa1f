//! A payment from the command to its last message.

use crate::register::{ACK, NOT_ISSUED, PAY, Register, approving, states, until};
use domain::Cents;
use payment_simulator::{
    AfterRefusal, Answer, Config, Entry, Event, Misreport, Simulator, TransactionState, Verification, Waiting,
};
use std::time::{Duration, Instant};

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
fn every_refusal_of_the_network_operator_is_passed_on() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    for code in [0x01, 0x05, 0x33, 0x5B, 0x63, 0x64, 0x6E, 0x78, 0xC3] {
        simulator.auto_answer(Some(Answer::Decline(code)));
        assert_eq!(register.refused(PAY), format!("{code:02X}"));
    }
    assert_eq!(simulator.ledger(), []);
}

#[test]
fn a_slow_bank_is_slow() {
    let simulator = Simulator::start(approving()).unwrap();
    simulator.configure(|config| config.pace = Duration::from_millis(40)).unwrap();
    let mut register = Register::quiet(&simulator);
    let begun = Instant::now();
    register.whole(PAY);
    assert!(begun.elapsed() >= Duration::from_millis(120), "{:?}", begun.elapsed());
}

#[test]
fn a_status_information_may_tell_another_amount_currency_receipt_terminal_or_result() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    for (misreports, part) in [
        (Misreport { amount: Some(Cents(20_400)), ..Misreport::default() }, "04000000020400"),
        (Misreport { currency: Some(840), ..Misreport::default() }, "490840"),
        (Misreport { receipt: Some(77), ..Misreport::default() }, "870077"),
        (Misreport { terminal: Some(52_500_099), ..Misreport::default() }, "2952500099"),
        (Misreport { result: Some(0x99), ..Misreport::default() }, "040F7F2799"),
    ] {
        simulator.configure(|config| config.misreports = misreports).unwrap();
        let told = register.whole(PAY);
        let length = u8::from_str_radix(&told[4..6], 16).unwrap();
        assert!(told.replacen(&format!("040F{length:02X}"), "040F7F", 1).contains(part), "{part} in {told}");
        simulator.configure(|config| config.misreports = Misreport::default()).unwrap();
        assert!(!register.repeat().contains(part), "{part}");
    }
}

#[test]
fn how_the_card_was_read_and_the_payer_verified_is_told() {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    for (entry, verification, aid, container) in [
        (Entry::Chip, Verification::OnlinePin, "A0000000041010", "06131F1001021F12010160094307A0000000041010"),
        (Entry::Contactless, Verification::Nothing, "A0000000031010", "06131F1001001F12010260094307A0000000031010"),
        (Entry::Stripe, Verification::Signature, "", "06081F1001011F120100"),
    ] {
        let change = |config: &mut Config| {
            (config.entry, config.verification, config.aid) = (entry, verification, aid.to_owned());
        };
        simulator.configure(change).unwrap();
        let told = register.whole(PAY);
        assert!(told.ends_with(container), "{container} in {told}");
    }
}
