//! The program `card-simulator`, as another project would use it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_card-simulator");
const CARDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cards");

fn make_of(description: &str, card: &Path) {
    let description = Path::new(CARDS).join(description);
    let status = Command::new(PROGRAM).arg("make").arg(description).arg("--card").arg(card).status().unwrap();
    assert!(status.success());
}

fn make(card: &Path) {
    make_of("demonstration.json", card);
}

/// A program that serves in vpcd's place, and its standard input.
fn serve(listener: &TcpListener, card: &Path, more: &[&str]) -> (Child, ChildStdin) {
    let port = listener.local_addr().unwrap().port().to_string();
    let mut served = Command::new(PROGRAM)
        .args(["serve", "--port", &port, "--card"])
        .arg(card)
        .args(more)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let input = served.stdin.take().unwrap();
    (served, input)
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
    let (mut served, mut input) = serve(&listener, &card, &[]);
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
fn every_description_that_comes_along_makes_a_card() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = 0;
    for description in std::fs::read_dir(CARDS).unwrap() {
        let name = description.unwrap().file_name().into_string().unwrap();
        let card = folder.path().join(&name);
        make_of(&name, &card);
        let shown = show(&card);
        assert_eq!(shown.contains("blank"), name.starts_with("blank"), "{name}: {shown}");
        made += 1;
    }
    assert_eq!(made, 7);
}

#[test]
fn a_classic_card_shows_its_blocks_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make_of("classic.json", &card);
    let shown = show(&card);
    for line in
        ["purse      850 cents, address byte 2", "backup     650 cents", "seal       counter 2, day 20010, 1150 cents"]
    {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(!shown.contains("A1A1"), "no key is shown");
}

#[test]
fn a_classic_card_is_served_in_its_reader_s_dialect_and_swapped_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let (classic, other) = (folder.path().join("classic.json"), folder.path().join("other.json"));
    make_of("classic.json", &classic);
    make(&other);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = ["--reader", "portable", "--then", other.to_str().unwrap()];
    let (mut served, mut input) = serve(&listener, &classic, &more);
    let mut slot = accept(&listener);
    assert_eq!(ask(&mut slot, &[4]).len(), 20, "the ATR of a storage card");
    assert_eq!(ask(&mut slot, &[0xFF, 0xCA, 0, 0, 0]), [0x5A, 0x1B, 0x2C, 0x3D, 0x90, 0x00]);
    assert_eq!(ask(&mut slot, &[0xFF, 0xB1, 0, 8, 4]), [0x6A, 0x81], "a portable reader reads no values");
    writeln!(input, r#"faults [{{"when":"always","kind":"swap"}}]"#).unwrap();
    while slot_answers(&mut slot) {}
    let mut slot = accept(&listener);
    assert_eq!(ask(&mut slot, &[0xFF, 0xCA, 0, 0, 0])[..7], [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]);
    writeln!(input, "quit").unwrap();
    assert!(served.wait().unwrap().success());
}

/// Asks for the UID until the card is taken away.
fn slot_answers(slot: &mut TcpStream) -> bool {
    let get_uid = [0, 5, 0xFF, 0xCA, 0, 0, 0];
    slot.write_all(&get_uid).is_ok() && slot.read_exact(&mut [0; 8]).is_ok()
}

/// What the program says on standard error when it fails, which is one line of plain text.
fn complaint(arguments: &[&Path]) -> String {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("card-simulator: ") && !said.contains('\u{1b}'), "{said:?}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn each_failure_names_its_file_in_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let (card, words) = (folder.path().join("card.json"), ["show", "make", "--card"].map(Path::new));
    let [show, make, to] = words;
    let check = |arguments: &[&Path], file: &Path| {
        let said = complaint(arguments);
        assert!(said.contains(&file.display().to_string()), "{said}");
    };
    let (nowhere, no_json, no_card) =
        (folder.path().join("nowhere.json"), file("no-json", "{"), file("no-card", "{\"technology\": \"paper\"}"));
    check(&[show, to, &nowhere], &nowhere);
    check(&[show, to, &no_json], &no_json);
    for description in [&nowhere, &no_json, &no_card] {
        check(&[make, description, to, &card], description);
    }
    assert!(!card.exists());
}

#[test]
fn a_saved_card_is_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make_of("classic.json", &card);
    let before = std::fs::read(&card).unwrap();
    let description = Path::new(CARDS).join("demonstration.json");
    let said = complaint(&[Path::new("make"), &description, Path::new("--card"), &card]);
    assert!(said.contains("card.json") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read(&card).unwrap(), before);
    let status = Command::new(PROGRAM).arg("make").arg(description).arg("--force").arg("--card").arg(&card).status();
    assert!(status.unwrap().success());
    assert!(show(&card).contains("purse      1250 cents"));
}

#[test]
fn a_card_is_shown_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, line: &str| {
        let card = folder.path().join(name);
        make_of(name, &card);
        let shown = show(&card);
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
        assert!(!shown.contains('{') && !shown.contains("Some("), "{shown}");
    };
    check("classic.json", "top-up     no. 2 on day 20010: 500 cents added to 650, id 111213141516");
    check("demonstration.json", "tries      4 ever, 1 wrong since the last right one; PIN version 1");
    check("ev3.json", "wishes     language ast, speech");
}

#[test]
fn a_served_card_leaves_with_whoever_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.json");
    make(&card);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut served, input) = serve(&listener, &card, &[]);
    let mut slot = accept(&listener);
    drop(input);
    assert!(served.wait().unwrap().success());
    assert_eq!(slot.read(&mut [0; 1]).unwrap(), 0);
}
