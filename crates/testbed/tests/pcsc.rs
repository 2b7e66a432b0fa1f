//! The virtual card through the real pcscd, seen by a real PC/SC client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use card::{Apdu, ReaderNotice, ReaderWatcher, Transport};
use card_simulator::{CardDescription, CardHost, FaultKind, FaultPlan, VirtualCard, When, personalise};
use pcsc::{Card, Context, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::pcsc::{PcscSandbox, READER, SOCKET_VARIABLE, SandboxError, as_client, bridge_beside_this_program};

const WAIT: Duration = Duration::from_secs(10);
const GET_UID: [u8; 5] = [0xFF, 0xCA, 0, 0, 0];
const SELECT: [u8; 9] = [0x90, 0x5A, 0, 0, 3, 0xF5, 0x1C, 0x01, 0];
const GET_VERSION: [u8; 5] = [0x90, 0x60, 0, 0, 0];
const MORE: [u8; 5] = [0x90, 0xAF, 0, 0, 0];
const AUTHENTICATE: [u8; 8] = [0x90, 0x71, 0, 0, 2, 1, 0, 0];

fn card() -> Arc<Mutex<VirtualCard>> {
    let description = include_str!("../../card-simulator/cards/demonstration.json");
    let description: CardDescription = serde_json::from_str(description).unwrap();
    Arc::new(Mutex::new(personalise(&description).unwrap()))
}

/// Waits until the tray's state has (or has not) a card; pcscd looks every 400 ms.
fn await_card(context: &Context, present: bool) {
    let name = CString::new(READER).unwrap();
    let mut states = [ReaderState::new(name, State::UNAWARE)];
    loop {
        context.get_status_change(WAIT, &mut states).expect("the tray changes in time");
        let state = states[0].event_state();
        assert!(!state.contains(State::UNKNOWN), "no reader {READER}");
        if state.contains(State::PRESENT) == present {
            return;
        }
        states[0].sync_current_state();
    }
}

fn connect(context: &Context) -> Card {
    await_card(context, true);
    let name = CString::new(READER).unwrap();
    context.connect(&name, ShareMode::Exclusive, Protocols::ANY).unwrap()
}

fn ask(card: &Card, apdu: &[u8]) -> Vec<u8> {
    let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
    card.transmit(apdu, &mut buffer).unwrap().to_vec()
}

fn client(test: &str, body: impl FnOnce(&Context, &CardHost)) {
    let folder = tempfile::tempdir().unwrap();
    let result = as_client(test, folder.path(), |tray| {
        let tray = CardHost::listen(tray).unwrap();
        body(&Context::establish(Scope::User).unwrap(), &tray);
    });
    result.unwrap();
}

#[test]
fn a_card_in_the_tray_answers_a_pcsc_client() {
    client("a_card_in_the_tray_answers_a_pcsc_client", |context, tray| {
        tray.insert(card());
        let card = connect(context);
        let status = card.status2_owned().unwrap();
        assert_eq!(status.atr(), [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]);
        assert_eq!(ask(&card, &GET_UID), [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00]);
        assert_eq!(ask(&card, &GET_VERSION), [4, 1, 1, 0x33, 0, 0x18, 5, 0x91, 0xAF]);
        assert_eq!(ask(&card, &MORE).len(), 9);
        assert_eq!(ask(&card, &MORE)[..7], [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]);
        assert_eq!(ask(&card, &SELECT), [0x91, 0x00]);
        let challenge = ask(&card, &AUTHENTICATE);
        assert_eq!((challenge.len(), &challenge[16..]), (18, &[0x91, 0xAF][..]));
        assert_ne!(ask(&card, &SELECT), ask(&card, &AUTHENTICATE), "a broken-off authentication is an error");
    });
}

#[test]
fn a_lifted_card_is_gone_for_the_client_and_comes_back_when_laid_down() {
    client("a_lifted_card_is_gone_for_the_client_and_comes_back_when_laid_down", |context, tray| {
        let citizen = card();
        for _ in 0..2 {
            tray.insert(Arc::clone(&citizen));
            assert_eq!(ask(&connect(context), &SELECT), [0x91, 0x00]);
            tray.remove();
            await_card(context, false);
        }
    });
}

#[test]
fn a_torn_card_leaves_the_exchange_without_an_answer() {
    client("a_torn_card_leaves_the_exchange_without_an_answer", |context, tray| {
        let citizen = card();
        tray.insert(Arc::clone(&citizen));
        let card = connect(context);
        assert_eq!(ask(&card, &SELECT), [0x91, 0x00]);
        citizen.lock().unwrap().set_faults(FaultPlan::once(When::Ins(0x60), FaultKind::TearAfter));
        let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
        let answer = card.transmit(&GET_VERSION, &mut buffer);
        assert!(answer.is_err() || answer.is_ok_and(<[u8]>::is_empty), "outcome unknown");
        await_card(context, false);
        assert!(!tray.is_occupied());
    });
}

#[test]
fn the_service_can_be_restarted_under_a_card() {
    let folder = tempfile::tempdir().unwrap();
    let mut sandbox = PcscSandbox::start(folder.path(), &bridge_beside_this_program().unwrap()).unwrap();
    let tray = CardHost::listen(&sandbox.tray_socket()).unwrap();
    tray.insert(card());
    sandbox.stop_service().unwrap();
    assert!(!is_open(&sandbox.socket_name()));
    sandbox.start_service().unwrap();
    assert!(is_open(&sandbox.socket_name()));
    drop(sandbox);
    assert!(!is_open(&folder.path().join("run/pcscd.comm")), "nothing is left running");
}

#[test]
fn a_killed_service_comes_back_and_the_reader_can_be_pulled_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut sandbox = PcscSandbox::start(folder.path(), &bridge_beside_this_program().unwrap()).unwrap();
    sandbox.kill_service().unwrap();
    assert!(sandbox.socket_name().exists(), "a crash cleans nothing up");
    assert!(!is_open(&sandbox.socket_name()));
    sandbox.start_service().unwrap();
    sandbox.unplug_reader().unwrap();
    assert!(is_open(&sandbox.socket_name()));
    sandbox.plug_reader().unwrap();
    assert!(is_open(&sandbox.socket_name()));
}

fn is_open(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = PcscSandbox::start(folder.path(), Path::new("/nowhere/card-simulator")).err().unwrap();
    assert!(matches!(&refused, SandboxError::Missing { what, .. } if what == "/nowhere/card-simulator"), "{refused}");
    let refused = PcscSandbox::start(Path::new("/run"), &bridge_beside_this_program().unwrap()).err().unwrap();
    assert!(matches!(refused, SandboxError::Folder(_)), "{refused}");
}

/// In the child: which notice of a watcher is told to the parent, one a line.
const WATCHER: &str = "TESTBED_WATCHER";

/// A child that ends with the test.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reader_whose_service_hangs_is_gone_and_comes_back_when_it_goes_on() {
    if std::env::var_os(WATCHER).is_some() {
        return watch();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut sandbox = PcscSandbox::start(folder.path(), &bridge_beside_this_program().unwrap()).unwrap();
    let tray = CardHost::listen(&sandbox.tray_socket()).unwrap();
    let mut client = Command::new(std::env::current_exe().unwrap())
        .args(["a_reader_whose_service_hangs_is_gone_and_comes_back_when_it_goes_on", "--exact", "--nocapture"])
        .env(SOCKET_VARIABLE, sandbox.socket_name())
        .env(WATCHER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let _client = Client(client);
    let mut expect = |notices: &[&str]| {
        for notice in notices {
            let told =
                lines.by_ref().map(Result::unwrap).find_map(|line| line.strip_prefix("notice ").map(str::to_owned));
            assert_eq!(told.as_deref(), Some(*notice));
        }
    };
    expect(&["Ready"]);
    tray.insert(card());
    expect(&["CardArrived", "answers true"]);
    sandbox.freeze_service().unwrap();
    expect(&["CardGone", "Gone", "Woken"]);
    sandbox.thaw_service().unwrap();
    expect(&["Ready", "CardArrived", "answers true"]);
}

/// Tells what it notices until it is killed; wakes itself once the reader is gone, as a request would.
fn watch() {
    let mut watcher = ReaderWatcher::new(READER);
    // Without this bound a test whose parent died would go on.
    let until = Instant::now() + 6 * WAIT;
    while Instant::now() < until {
        let notice = watcher.next(WAIT);
        println!("\nnotice {notice:?}");
        match notice {
            ReaderNotice::CardArrived => {
                let uid = watcher.connect(WAIT).and_then(|mut card| card.transmit(&Apdu::get_uid()));
                println!("\nnotice answers {}", uid.is_ok());
            }
            ReaderNotice::Gone => watcher.waker().wake(),
            _ => {}
        }
    }
}
