//! The program `card-simulator`, as another project would use it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_card-simulator");
const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cards/demonstration.json");

fn make(card: &Path) {
    let status = Command::new(PROGRAM).args(["make", DESCRIPTION, "--card"]).arg(card).status().unwrap();
    assert!(status.success());
}

fn show(card: &Path) -> String {
    let output = Command::new(PROGRAM).arg("show").arg("--card").arg(card).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (slot, _) = listener.accept().unwrap();
    slot.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    slot
}

fn ask(slot: &mut TcpStream, message: &[u8]) -> Vec<u8> {
    slot.write_all(&u16::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
    slot.write_all(message).unwrap();
    let mut length = [0; 2];
    slot.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    slot.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn a_made_card_shows_its_purse() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make(&card);
    let shown = show(&card);
    assert!(shown.contains("purse      1250 cents"), "{shown}");
    assert!(!shown.contains("5C5C"), "no secret is shown");
}

#[test]
fn a_served_card_answers_vpcd_and_obeys_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make(&card);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut served = Command::new(PROGRAM)
        .args(["serve", "--port", &port, "--card"])
        .arg(&card)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = served.stdin.take().unwrap();
    let mut slot = accept(&listener);
    assert_eq!(ask(&mut slot, &[4]), [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]);
    writeln!(input, "remove").unwrap();
    assert_eq!(slot.read(&mut [0; 1]).unwrap(), 0, "the card hangs up");
    writeln!(input, "insert").unwrap();
    let mut slot = accept(&listener);
    assert_eq!(ask(&mut slot, &[0xFF, 0xCA, 0, 0, 0])[..7], [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]);
    writeln!(input, r#"over {{"kind":"bank-card","uid":"04AABBCCDDEEFF"}}"#).unwrap();
    assert_eq!(slot.read(&mut [0; 1]).unwrap(), 0, "two cards: neither can be heard");
    writeln!(input, "off").unwrap();
    let mut slot = accept(&listener);
    assert_eq!(ask(&mut slot, &[4]), [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]);
    writeln!(input, r#"faults [{{"when":{{"ins":96}},"kind":{{"status":238}}}}]"#).unwrap();
    writeln!(input, "quit").unwrap();
    assert!(served.wait().unwrap().success());
}

#[test]
fn a_card_that_is_not_there_is_named_as_the_reason() {
    let output = Command::new(PROGRAM).args(["show", "--card", "nowhere.json"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.json"));
}

#[test]
fn a_served_card_leaves_with_whoever_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make(&card);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut served = Command::new(PROGRAM)
        .args(["serve", "--port", &port, "--card"])
        .arg(&card)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut slot = accept(&listener);
    drop(served.stdin.take());
    assert!(served.wait().unwrap().success());
    assert_eq!(slot.read(&mut [0; 1]).unwrap(), 0);
}
