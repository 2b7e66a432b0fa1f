//! Frames as they should not be, and as they may be.

use crate::register::{ACK, DONE, PAY, Register, approving, states};
use data_encoding::HEXUPPER;
use payment_simulator::{Config, Fault, Mishap, Moment, Simulator, TransactionState};
use std::time::{Duration, Instant};

const OUTCOME: Moment = Moment::Frame(0x04, 0x0F);

/// A terminal with one planned fault, and the outcome as it should have come.
fn paying(fault: Fault) -> (Simulator, Register, String) {
    let simulator = Simulator::start(approving()).unwrap();
    let mut register = Register::quiet(&simulator);
    let right = register.whole(PAY).replace("870001", "870002").replace("0B000001", "0B000002");
    simulator.plan(fault).unwrap();
    register.send(PAY);
    (simulator, register, right)
}

/// As far as the time, which differs, in hexadecimal digits.
fn beginning(outcome: &str) -> &str {
    let from = outcome.find("2700").unwrap();
    &outcome[from..from + 4 + 14 + 8]
}

#[test]
fn a_long_length_is_used_for_a_short_frame() {
    let (_simulator, mut register, right) = paying(Fault::always(Moment::AnyFrame, Mishap::Extended));
    register.expect("80 00 FF 00 00");
    let outcome = register.read();
    let length = right.len() / 2 - 3;
    assert!(outcome.starts_with(&format!("040FFF{length:02X}00")), "{outcome}");
    assert_eq!(beginning(&outcome), beginning(&right));
    register.send("80 00 FF 00 00");
    register.expect("06 0F FF 00 00");
}

#[test]
fn a_frame_comes_in_many_segments() {
    let (_simulator, mut register, right) = paying(Fault::always(Moment::AnyFrame, Mishap::Split(1)));
    register.expect(ACK);
    assert_eq!(beginning(&register.read()), beginning(&right));
    register.send(ACK);
    register.expect(DONE);
}

#[test]
fn two_frames_come_in_one_segment() {
    let (_simulator, mut register, right) = paying(Fault::once(Moment::Frame(0x80, 0x00), Mishap::Joined));
    // Nothing comes before the outcome is there; then both at once.
    let both = HEXUPPER.encode(&register.exactly(3 + right.len() / 2));
    assert!(both.starts_with("800000040F"), "{both}");
    register.send(ACK);
    register.expect(DONE);
}

#[test]
fn a_status_information_comes_twice() {
    for answers in [1, 2] {
        let (simulator, mut register, _) = paying(Fault::once(OUTCOME, Mishap::Twice));
        register.expect(ACK);
        let first = register.read();
        assert_eq!(register.read(), first);
        for _ in 0..answers {
            register.send(ACK);
        }
        register.expect(DONE);
        assert_eq!(states(&simulator), [TransactionState::Posted; 2]);
        register.whole(PAY);
    }
}

#[test]
fn a_wrong_length_promises_bytes_that_never_come_or_hides_some() {
    for by in [4_i8, -4] {
        let (_simulator, mut register, right) = paying(Fault::once(OUTCOME, Mishap::WrongLength(by)));
        register.expect(ACK);
        let outcome = HEXUPPER.encode(&register.exactly(right.len() / 2));
        let length = i64::from_str_radix(&right[4..6], 16).unwrap() + i64::from(by);
        assert_eq!(outcome[..6], format!("040F{length:02X}"));
        assert_eq!(beginning(&outcome), beginning(&right));
    }
}

#[test]
fn a_truncated_frame_is_followed_by_silence_on_a_line_that_stays() {
    let (simulator, mut register, _) = paying(Fault::once(OUTCOME, Mishap::Truncate(5)));
    register.expect(ACK);
    assert_eq!(HEXUPPER.encode(&register.exactly(5))[..4], *"040F");
    register.send(ACK);
    register.send("05 01 00");
    register.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(!register.is_closed(), "silence is no goodbye");
    assert_eq!(states(&simulator), [TransactionState::Posted; 2]);
    assert!(Register::quiet(&simulator).repeat().contains("870002"));
}

#[test]
fn garbage_comes_before_a_frame() {
    let (_simulator, mut register, right) = paying(Fault::once(OUTCOME, Mishap::Garbage("FF FF 00".to_owned())));
    register.expect(ACK);
    assert_eq!(HEXUPPER.encode(&register.exactly(3)), "FFFF00");
    assert_eq!(beginning(&register.read()), beginning(&right));
}

#[test]
fn a_frame_comes_late_or_never() {
    let begun = Instant::now();
    let (_simulator, mut register, _) = paying(Fault::once(Moment::Frame(0x80, 0x00), Mishap::DelayMs(150)));
    register.expect(ACK);
    assert!(begun.elapsed() >= Duration::from_millis(150));
    let (_simulator, mut register, _) = paying(Fault::once(Moment::Frame(0x80, 0x00), Mishap::Unsent));
    assert!(register.read().starts_with("040F"), "the acknowledgement never comes");
}

#[test]
fn fields_and_containers_nobody_knows_are_added() {
    let config = Config {
        extra_fields: "D1 F0 F3 616263 A7 F0 F1 00".to_owned(),
        extra_containers: "1F 7E 02 BEEF E4 03 1F 7F 00".to_owned(),
        ..approving()
    };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::quiet(&simulator);
    let told = register.whole(PAY);
    assert!(told.contains("D1F0F3616263A7F0F100061D1F7E02BEEFE4031F7F001F1001"), "{told}");
    assert_eq!(usize::from_str_radix(&told[4..6], 16).unwrap(), told.len() / 2 - 3);
    assert!(register.repeat().contains("1F7E02BEEF"));
}

#[test]
fn an_outcome_of_more_than_254_bytes_has_the_long_length() {
    let container = format!("1F7E81C8{}", "AB".repeat(200));
    let simulator = Simulator::start(Config { extra_containers: container, ..approving() }).unwrap();
    let mut register = Register::quiet(&simulator);
    let told = register.whole(PAY);
    assert!(told.starts_with("040FFF"), "{told}");
    assert!(told.contains("0681") && told.contains(&"AB".repeat(200)), "{told}");
}
