//! The tray against a vpcd played by the test.

use super::bridge;
use super::host::{CardHost, TrayEvent};
use crate::tests::card;
use crate::{ClassicCard, FaultKind, FaultPlan, Field, ForeignCard, ForeignDescription, VirtualCard, When};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const GET_UID: [u8; 5] = [0xFF, 0xCA, 0, 0, 0];
const SELECT: [u8; 9] = [0x90, 0x5A, 0, 0, 3, 0xF5, 0x1C, 0x01, 0];

/// vpcd's listener, and a tray that is bridged to it.
fn street() -> (TcpListener, CardHost) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let vpcd = listener.local_addr().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || bridge::join(theirs, vpcd));
    (listener, CardHost::attach(ours).unwrap())
}

fn shared(card: VirtualCard) -> Arc<Mutex<VirtualCard>> {
    Arc::new(Mutex::new(card))
}

/// vpcd's side of one card.
struct Slot(TcpStream);

impl Slot {
    fn accept(listener: &TcpListener) -> Self {
        let (connection, _) = listener.accept().unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(connection)
    }

    /// Length and body apart, as Debian's vpcd sends them.
    fn send(&mut self, message: &[u8]) {
        self.0.write_all(&u16::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(message).unwrap();
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    fn ask(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.send(message);
        self.receive()
    }

    /// The connection is closed, not merely silent.
    fn is_closed(&mut self) -> bool {
        matches!(self.receive(), Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset))
    }
}

#[test]
fn an_inserted_card_answers_vpcd_and_a_removed_one_hangs_up() {
    let (listener, tray) = street();
    tray.insert(shared(card()));
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&[4]).unwrap(), [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]);
    slot.send(&[1]);
    assert_eq!(slot.ask(&GET_UID).unwrap()[..7], [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]);
    assert!(tray.is_occupied());
    assert!(tray.remove());
    assert!(slot.is_closed());
    assert!(!tray.remove());
}

#[test]
fn a_reset_by_vpcd_is_a_loss_of_the_field() {
    for control in [0, 1, 2] {
        let (listener, tray) = street();
        tray.insert(shared(card()));
        let mut slot = Slot::accept(&listener);
        assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
        slot.send(&[control]);
        assert_eq!(slot.ask(&[0x90, 0x6F, 0, 0, 0]).unwrap(), [0x91, 0x9D], "control {control}");
    }
}

#[test]
fn each_laying_down_is_a_connection_of_its_own() {
    let (listener, tray) = street();
    let card = shared(card());
    for _ in 0..3 {
        tray.insert(Arc::clone(&card));
        let mut slot = Slot::accept(&listener);
        assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
        tray.remove();
        assert!(slot.is_closed());
    }
}

#[test]
fn a_card_that_is_swapped_for_another_is_replaced_by_it() {
    let (listener, tray) = street();
    tray.insert(shared(card()));
    let mut first = Slot::accept(&listener);
    let other = crate::tests::card_with(|value| value["uid"] = "04000000000001".into());
    tray.insert(shared(other));
    assert!(first.is_closed());
    let mut second = Slot::accept(&listener);
    assert_eq!(second.ask(&GET_UID).unwrap()[..7], [4, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn two_cards_disturb_each_other_until_one_is_taken() {
    let (listener, tray) = street();
    let (first, second) =
        (shared(card()), shared(crate::tests::card_with(|value| value["uid"] = "04000000000001".into())));
    for (taken, uid) in [(&second, [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]), (&first, [4, 0, 0, 0, 0, 0, 1])] {
        tray.insert(Arc::clone(&first));
        let mut slot = Slot::accept(&listener);
        assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
        tray.lay_over(Arc::clone(&second));
        assert!(slot.is_closed(), "no exchange goes through");
        assert!(tray.is_occupied());
        assert!(tray.take(taken));
        assert!(!tray.take(taken), "it is no longer there");
        let mut slot = Slot::accept(&listener);
        assert_eq!(slot.ask(&[0x90, 0x6F, 0, 0, 0]).unwrap(), [0x91, 0x9D], "what was selected before is gone");
        assert_eq!(slot.ask(&GET_UID).unwrap()[..7], uid);
        tray.remove();
        assert!(slot.is_closed());
    }
}

#[test]
fn a_mute_card_is_felt_and_hangs_up_when_it_is_powered() {
    let (listener, tray) = street();
    tray.insert(Arc::new(Mutex::new(ForeignCard::new(ForeignDescription::Mute))));
    for _ in 0..2 {
        let mut slot = Slot::accept(&listener);
        assert_eq!(slot.ask(&[4]).unwrap(), [0x3B, 0x80, 0x80, 0x01, 0x01], "it is felt");
        slot.send(&[1]);
        assert!(slot.is_closed());
    }
    assert!(tray.is_occupied());
}

#[test]
fn a_silent_phone_is_waited_for_until_it_is_taken_away() {
    let (listener, tray) = street();
    tray.insert(Arc::new(Mutex::new(ForeignCard::new(ForeignDescription::Phone { answers: false }))));
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&GET_UID).unwrap()[0], 0x08);
    slot.send(&SELECT);
    tray.remove();
    assert!(slot.is_closed());
}

#[test]
fn a_tear_closes_the_connection_in_the_middle_of_the_exchange() {
    for (kind, selected) in [(FaultKind::TearBefore, false), (FaultKind::TearAfter, true)] {
        let (listener, tray) = street();
        let events = tray.events();
        let card = shared(card());
        card.lock().unwrap().set_faults(FaultPlan::once(When::Ins(0x5A), kind));
        tray.insert(Arc::clone(&card));
        let mut slot = Slot::accept(&listener);
        slot.send(&SELECT);
        assert!(slot.is_closed(), "{kind:?} {selected}");
        let torn = events.iter().find(|event| *event == TrayEvent::Torn);
        assert_eq!((torn, tray.is_occupied()), (Some(TrayEvent::Torn), false));
        tray.insert(card);
        assert_eq!(Slot::accept(&listener).ask(&SELECT).unwrap(), [0x91, 0x00], "laid down again it answers");
    }
}

#[test]
fn a_planned_swap_puts_the_next_card_in_the_tray_at_once() {
    let (listener, tray) = street();
    let events = tray.events();
    let first = shared(card());
    first.lock().unwrap().set_faults(FaultPlan::once(When::Ins(0x5A), FaultKind::Swap));
    let other = shared(crate::tests::card_with(|value| value["uid"] = "04000000000001".into()));
    tray.insert(Arc::new(Mutex::new(Field::of(first).then(other))));
    let mut slot = Slot::accept(&listener);
    slot.send(&SELECT);
    assert!(slot.is_closed());
    assert!(events.iter().any(|event| event == TrayEvent::Swapped));
    assert!(tray.is_occupied());
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&GET_UID).unwrap()[..7], [4, 0, 0, 0, 0, 0, 1]);
    assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
}

#[test]
fn a_classic_card_torn_in_the_middle_of_a_write_leaves_the_tray() {
    let (listener, tray) = street();
    let events = tray.events();
    let classic = ClassicCard::blank(domain::Uid::new(&[1, 2, 3, 4]).unwrap()).seeded(7);
    let classic = Arc::new(Mutex::new(classic));
    classic.lock().unwrap().set_faults(FaultPlan::once(When::Ins(0xD6), FaultKind::TearMidWrite(3)));
    tray.insert(Arc::clone(&classic));
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&[4]).unwrap(), classic.lock().unwrap().atr());
    slot.send(&[1]);
    assert_eq!(slot.ask(&[0xFF, 0x82, 0, 0, 6, 255, 255, 255, 255, 255, 255]).unwrap(), [0x90, 0x00]);
    assert_eq!(slot.ask(&[0xFF, 0x86, 0, 0, 5, 1, 0, 4, 0x60, 0]).unwrap(), [0x90, 0x00]);
    slot.send(&[&[0xFF, 0xD6, 0, 4, 16][..], &[7; 16]].concat());
    assert!(slot.is_closed());
    assert!(events.iter().any(|event| event == TrayEvent::Torn));
    let left = classic.lock().unwrap().memory().block(4);
    assert!(left[..3] == [7; 3] && left[3..] != [7; 13] && left[3..] != [0; 13]);
    tray.insert(classic);
    assert_eq!(Slot::accept(&listener).ask(&GET_UID).unwrap(), [1, 2, 3, 4, 0x90, 0x00], "laid down again it answers");
}

#[test]
fn a_late_answer_comes_late_and_not_at_all_once_the_card_is_gone() {
    let (listener, tray) = street();
    let card = shared(card());
    let plan = FaultPlan::once(When::Exchange(1), FaultKind::Delay(80));
    card.lock().unwrap().set_faults(plan.and(When::Exchange(2), FaultKind::Delay(3_600_000)));
    tray.insert(card);
    let mut slot = Slot::accept(&listener);
    let start = Instant::now();
    assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
    assert!(start.elapsed() >= Duration::from_millis(80));
    slot.send(&SELECT);
    tray.remove();
    assert!(slot.is_closed());
}

#[test]
fn a_card_meets_a_restarted_service_again_without_its_session() {
    let (listener, tray) = street();
    tray.insert(shared(card()));
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
    drop(slot);
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&[0x90, 0x6F, 0, 0, 0]).unwrap(), [0x91, 0x9D]);
}

#[test]
fn an_answer_that_a_restarted_service_did_not_ask_for_never_reaches_it() {
    let (listener, tray) = street();
    let card = shared(card());
    card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::Delay(80)));
    tray.insert(card);
    let mut slot = Slot::accept(&listener);
    slot.send(&SELECT);
    drop(slot);
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&GET_UID).unwrap()[..7], [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6]);
    assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00], "one answer a question");
}

#[test]
fn a_bridge_that_joins_late_finds_the_card_in_the_tray() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tray");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let waiting = socket.clone();
    thread::spawn(move || bridge::run(&waiting, port));
    let tray = CardHost::listen(&socket).unwrap();
    tray.insert(shared(card()));
    let mut slot = Slot::accept(&listener);
    assert_eq!(slot.ask(&SELECT).unwrap(), [0x91, 0x00]);
    drop(tray);
    assert!(slot.is_closed(), "the card leaves with its host");
    assert!(!socket.exists());
    let tray = CardHost::listen(&socket).unwrap();
    tray.insert(shared(card()));
    assert_eq!(Slot::accept(&listener).ask(&SELECT).unwrap(), [0x91, 0x00], "the bridge outlives a host");
}
