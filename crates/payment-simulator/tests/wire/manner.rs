//! Registration, refusals, and a manner that is changed while it runs.

use crate::register::{ACK, PAY, REGISTER, REPEAT, Register, approving};
use payment_simulator::{Config, Need, Simulator, StartError};

#[test]
fn nonsense_and_foreign_money_are_refused() {
    let simulator = Simulator::start(Config { password: Some(123_456), ..approving() }).unwrap();
    let mut register = Register::connect(&simulator);
    for (command, refusal) in [
        (REGISTER, "84 9A 00"),
        ("06 00 06 123456 08 0840", "84 6F 00"),
        ("06 01 07 04 000000000100", "84 6B 00"),
        ("06 93 03 123456", "84 6B 00"),
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
fn a_broken_state_file_or_an_unknown_zone_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.json");
    std::fs::write(&path, "{").unwrap();
    let broken = Simulator::start(Config { state_file: Some(path), ..approving() });
    assert!(matches!(broken, Err(StartError::StateFile(_))), "{broken:?}");
    let lost = Simulator::start(Config { time_zone: "Europe/Atlantis".to_owned(), ..approving() });
    assert!(matches!(lost, Err(StartError::TimeZone(_))), "{lost:?}");
}

#[test]
fn a_busy_terminal_refuses_every_command_with_its_code() {
    let simulator = Simulator::start(Config { busy: Some(0xA0), ..approving() }).unwrap();
    let mut register = Register::connect(&simulator);
    for command in [REGISTER, PAY, REPEAT, "05 01 00", "06 50 03 000000"] {
        register.send(command);
        register.expect("84 A0 00");
    }
    simulator.configure(|config| config.busy = None).unwrap();
    register.send(REGISTER);
    register.expect(ACK);
}

#[test]
fn the_manner_is_changed_by_name_while_the_terminal_runs() {
    let simulator = Simulator::start(approving()).unwrap();
    let set = |changes: &str| match serde_json::from_str(changes).unwrap() {
        serde_json::Value::Object(changes) => simulator.set(&changes),
        _ => unreachable!("the tests write objects"),
    };
    set(r#"{"needs": "end-of-day", "waits": "unlimited", "auto_answer": "decline:05"}"#).unwrap();
    assert_eq!(simulator.config().needs, Some(Need::EndOfDay));
    let lost = simulator.configure(|config| config.time_zone = "Europe/Atlantis".to_owned());
    assert!(lost.unwrap_err().contains("Atlantis"));
    simulator.configure(|config| config.state_file = Some("elsewhere.json".into())).unwrap();
    assert_eq!(simulator.config().state_file, None, "that is fixed at the start");
    for (changes, mistake) in [(r#"{"listen": "127.0.0.1:1"}"#, "fixed"), (r#"{"needs": "sleep"}"#, "sleep")] {
        assert!(set(changes).unwrap_err().contains(mistake));
    }
    let mut register = Register::quiet(&simulator);
    assert_eq!(register.refused(PAY), "F0");
    set(r#"{"needs": null}"#).unwrap();
    assert_eq!(register.refused(PAY), "05");
}
