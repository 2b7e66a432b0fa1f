//! The program as another project would use it: the README's examples, its control lines, and kills.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of a test fail by panicking, as the test does"
)]

use payment_simulator::{Answer, Config, Fault, Mishap, Moment, Need, Operator, Simulator, TransactionState};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::Duration;

const README: &str = include_str!("../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_payment-simulator");

/// The code blocks of the README that are marked so.
fn blocks(mark: &str) -> Vec<&'static str> {
    let opening = format!("```{mark}\n");
    README.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_example_of_the_readme_runs() -> Result<(), Box<dyn Error>> {
    // A terminal that approves everything, on a free port of 127.0.0.1.
    let terminal = Simulator::start(Config { auto_answer: Some(Answer::Approve), ..Config::default() })?;
    let mut line = TcpStream::connect(terminal.addr)?;

    // The second outcome (04 0F) is cut off after seven bytes, and the line with it.
    terminal.plan(Fault { at: Moment::Frame(0x04, 0x0F), does: Mishap::CutAt(7), times: 1 })?;

    // Registration: password 000000, no intermediate status, euro. Then 20.40 euro are to be paid.
    line.write_all(&[0x06, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x09, 0x78])?;
    let mut answer = [0; 3 + 13];
    line.read_exact(&mut answer)?;
    assert_eq!(answer[..5], [0x80, 0x00, 0x00, 0x06, 0x0F]);
    line.write_all(&[0x80, 0x00, 0x00, 0x06, 0x01, 0x07, 0x04, 0x00, 0x00, 0x00, 0x00, 0x20, 0x40])?;
    let mut outcome = Vec::new();
    line.read_to_end(&mut outcome)?;
    assert_eq!(outcome[..5], [0x80, 0x00, 0x00, 0x04, 0x0F]);
    assert_eq!(outcome.len(), 3 + 7);

    // Nobody answered: the terminal has given the money back by itself. The bank's view of it, and its statement:
    while terminal.ledger()[0].state == TransactionState::Authorised {}
    assert_eq!(terminal.ledger()[0].state, TransactionState::Reversed);
    assert!(terminal.settlement().contains("52500021,0001,000001,2040,payment,reversed"));

    // Somebody pays at the terminal itself, and then it wants its end-of-day.
    terminal.operate(Operator::Pay(domain::Cents(500)))?;
    terminal.configure(|config| config.needs = Some(Need::EndOfDay))?;
    Ok(())
}

#[test]
fn the_example_of_the_readme_is_the_one_that_runs() {
    let mut own = include_str!("program.rs").lines().map(str::trim);
    let [example] = blocks("rust")[..] else { panic!("one example") };
    for line in example.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("use ")) {
        assert!(own.any(|own| own == line), "not run, or not in this order: {line}");
    }
}

#[test]
fn the_plan_and_the_configuration_of_the_readme_can_be_carried_out() {
    let [config, plan] = blocks("json")[..] else { panic!("a configuration and a plan") };
    let mut config: Config = serde_json::from_str(config).unwrap();
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.control = None;
    config.state_file = None;
    let simulator = Simulator::start(config).unwrap();
    let faults: Vec<Fault> = serde_json::from_str(plan).unwrap();
    assert_eq!(faults.len(), 4);
    for fault in faults {
        simulator.plan(fault).unwrap();
    }
}

#[test]
fn every_key_every_line_and_every_mishap_is_in_the_readme() {
    let serde_json::Value::Object(keys) = serde_json::to_value(Config::default()).unwrap() else { unreachable!() };
    let lines = payment_simulator::KNOWN.split(", ").map(|line| line.split([' ', ':']).next().unwrap());
    let mishaps = [
        "drop",
        "power-off",
        "delay-ms",
        "cut-at",
        "truncate",
        "wrong-length",
        "garbage",
        "extended",
        "split",
        "joined",
        "twice",
        "unsent",
        "answer-lost",
    ];
    let moments = ["host-approved", "before-outcome", "after-outcome", "before-completion", "frame:040F"];
    let words = keys.keys().map(String::as_str).chain(lines).chain(mishaps).chain(moments);
    let missing: Vec<&str> = words
        .filter(|word| !README.contains(&format!("`{word}")) && !README.contains(&format!("\"{word}\"")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// A running program; killed when dropped.
struct Program {
    child: Child,
    addr: SocketAddr,
    control: SocketAddr,
}

impl Program {
    fn start(arguments: &[&str], state: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--pace-ms", "0", "--state-file"])
            .arg(state)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |before: &str| {
            let line = said.next().unwrap().unwrap();
            line.strip_prefix(before).expect(&line).parse().unwrap()
        };
        let (addr, control) = (address("listening on "), address("control on "));
        Self { child, addr, control }
    }

    fn ask(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(self.control).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).unwrap();
        reply.trim_end().to_owned()
    }

    fn ledger(&self) -> Vec<payment_simulator::Transaction> {
        serde_json::from_str(&self.ask("ledger")).unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message(line: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 3];
    line.read_exact(&mut message)?;
    let mut data = vec![0; usize::from(message[2])];
    line.read_exact(&mut data)?;
    message.extend(data);
    Ok(message)
}

fn registered(program: &Program) -> TcpStream {
    let mut line = TcpStream::connect(program.addr).unwrap();
    line.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    line.write_all(&[0x06, 0x00, 0x06, 0, 0, 0, 0, 0x09, 0x78]).unwrap();
    assert_eq!(message(&mut line).unwrap(), [0x80, 0, 0]);
    assert_eq!(message(&mut line).unwrap()[..2], [0x06, 0x0F]);
    line.write_all(&[0x80, 0, 0]).unwrap();
    line
}

/// Pays 10 euro and so many cents; tells of each frame it hears. `true` when the payment was brought to its end.
fn pay(line: &mut TcpStream, cents: u8, heard: &Sender<()>) -> bool {
    let bcd = (cents / 10) << 4 | (cents % 10);
    let command = [0x06, 0x01, 0x07, 0x04, 0, 0, 0, 0, 0x10, bcd];
    let steps: [&[u8]; 3] = [&command, &[], &[0x80, 0, 0]];
    steps.iter().all(|step| line.write_all(step).is_ok() && message(line).is_ok() && heard.send(()).is_ok())
}

#[test]
fn what_was_said_on_the_line_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("terminal.json");
    let mut said = 0;
    // A soak asks for more; the cents of the amount tell the rounds apart.
    let kills = std::env::var("PAYMENT_SIMULATOR_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25_u8);
    for round in 0..kills.min(99) {
        let program = Program::start(&["--auto", "approve", "--keep-unanswered"], &state);
        let before = program.ledger().len();
        let mut line = registered(&program);
        let mut other = line.try_clone().unwrap();
        let (heard, frames) = std::sync::mpsc::channel();
        let paying = std::thread::spawn(move || (0..40).take_while(|_| pay(&mut other, round, &heard)).count());
        // Somewhere around the next frame.
        frames.iter().take(usize::from(1 + round % 7)).for_each(drop);
        program.kill();
        let last = paying.join().unwrap();
        said += last;
        assert!(message(&mut line).is_err());
        let again = Program::start(&["--keep-unanswered"], &state);
        let ledger = again.ledger();
        let completed = ledger.iter().filter(|one| one.amount.0 == 1_000 + i64::from(round)).count();
        assert!(completed == last || completed == last + 1, "{last} were completed, {completed} are remembered");
        assert_eq!(ledger.len(), before + completed);
        assert!(ledger.iter().all(|one| one.state == TransactionState::Posted));
        for (index, one) in ledger.iter().enumerate() {
            assert_eq!(usize::from(one.receipt), index + 1, "no number is given twice, and none is left out");
        }
        again.kill();
    }
    assert!(said > 0, "some payments ended before the kill");
}

#[test]
fn the_control_port_does_what_the_handle_does() {
    let folder = tempfile::tempdir().unwrap();
    let statement = folder.path().join("statement.csv");
    let program = Program::start(&["--auto", "approve"], &folder.path().join("terminal.json"));
    let check = |line: &str, reply: &str| assert_eq!(program.ask(line), reply, "{line}");
    check("waiting", "Idle");
    check("faults", "[]");
    check(r#"fault {"at": "frame:040F", "does": "twice"}"#, "ok");
    check("faults", r#"[{"at":"frame:040F","does":"twice","times":1}]"#);
    check("no-faults", "ok");
    check(r#"set {"booking_refused": 5, "entry": "contactless"}"#, "ok");
    assert!(program.ask("config").contains(r#""booking_refused":5"#));
    check("operator pay 250", "ok");
    check("operator reverse", "ok");
    check("operator reverse", "error: there is nothing to reverse");
    check("operator end-of-day", "ok");
    check("auto none", "ok");
    check("auto decline:05", "ok");
    check("approve", "error: no payment waits for a card");
    check("clock 60", "ok");
    check("drop-after-outcome", "ok");
    check(r#"power {"off_ms": 20, "memory": "kept"}"#, "ok");
    check("replace 52500099 700", "ok");
    check("operator pay 100", "ok");
    check(&format!("settlement {}", statement.display()), "ok");
    assert!(std::fs::read_to_string(&statement).unwrap().contains(",52500099,0700,000001,100,payment,open"));
    for mistake in [
        "fault {}",
        "set []",
        "set {\"listen\": 1}",
        "auto perhaps",
        "operator sleep",
        "operator pay 0",
        "replace x",
        "replace 123456789",
        "clock soon",
        "power {\"off\": 1}",
        "sing",
        "sing a song",
    ] {
        let reply = program.ask(mistake);
        assert!(reply.starts_with("error: "), "{mistake}: {reply}");
    }
    assert_eq!(program.ledger().len(), 2);
    let mut stream = TcpStream::connect(program.control).unwrap();
    writeln!(stream, "settlement").unwrap();
    let csv: Vec<String> =
        BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    assert_eq!(csv.len(), 4, "{csv:?}");
}

#[test]
fn a_program_ends_with_its_input_and_says_what_is_wrong_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(&[], &folder.path().join("terminal.json"));
    drop(program.child.stdin.take());
    assert!(program.child.wait().unwrap().success());
    let nonsense = folder.path().join("config.json");
    std::fs::write(&nonsense, r#"{"waits": "sometimes"}"#).unwrap();
    for (arguments, mistake) in [
        (vec!["--config", nonsense.to_str().unwrap()], "config.json"),
        (vec!["--listen", "127.0.0.1:0", "--time-zone", "Europe/Atlantis"], "Atlantis"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("payment-simulator: ") && said.contains(mistake), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
