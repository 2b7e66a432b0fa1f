//! The read key of a card that lies there, changed between whatever else goes on, by a central that answers when the
//! test wants.

use super::entropy;
use super::owner::Lying;
use super::request_tests::Office;
use super::tests::{Bench, description};
use crate::key_line::{Answer, RekeyLine};
use crate::machine::Input;
use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, VirtualCard, When, personalise};
use domain::Uid;
use domain::card::PinTries;
use domain::device::{CreditKey, ReaderEvent, ReaderRequest};
use keys::remote::RemoteCryptogram;
use keys::{
    AesKey, Channel, CommMode, DiversificationInput, Handshake, KeyChange, KeyError, Scheme, SoftKeys, diversify,
};
use protocol::card_keys::RekeyChange;
use session::Event;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use zeroize::Zeroizing;

const AID: [u8; 3] = [0xF5, 0x1C, 0x01];
const MASTER: [u8; 16] = [0xA0; 16];
const OLD: [u8; 16] = [0xA1; 16];
const NEW: [u8; 16] = [0xB1; 16];
const CREDIT: [u8; 16] = [0xA3; 16];
const TICKET: [u8; 16] = [0x71; 16];

fn own(base: [u8; 16], uid: &Uid, number: u8) -> AesKey {
    diversify(&AesKey::new(base), &DiversificationInput::new(uid, AID, number, "bahia").unwrap())
}

/// What central does for a change, and whether its answers arrive.
#[derive(Clone, Default)]
pub(super) struct KeyRoom(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    asked: Vec<&'static str>,
    closed: bool,
    /// Answers lie here until they are let go, when `slow`.
    slow: bool,
    lying: Vec<Box<dyn FnOnce() + Send>>,
    open: Option<(Uid, Handshake)>,
    channel: Option<Channel>,
    confirmed: u32,
}

impl KeyRoom {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.books().asked)
    }

    /// The answers arrive.
    fn let_go(&self) {
        let lying = std::mem::take(&mut self.books().lying);
        lying.into_iter().for_each(|answer| answer());
    }

    fn answer<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Books) -> Result<T, KeyError>,
    ) -> Answer<T> {
        let mut books = self.books();
        books.asked.push(what);
        let closed = books.closed;
        let result = if closed { Err(KeyError::HolderUnavailable("closed".into())) } else { work(&mut books) };
        let (done, answered) = sync_channel(1);
        let send = move || drop(done.send(result));
        if books.slow {
            books.lying.push(Box::new(send));
        } else {
            send();
        }
        Answer::new(answered, Duration::from_secs(600))
    }
}

impl RekeyLine for KeyRoom {
    fn rekey_look(&self, _: &Uid, version_on_card: u8) -> Answer<Option<u8>> {
        self.answer("look", |_| Ok((version_on_card == 0).then_some(1)))
    }

    fn rekey_begin(&self, uid: &Uid, _: u8, scheme: Scheme, challenge: [u8; 16]) -> Answer<RemoteCryptogram> {
        self.answer("begin", |books| {
            let (handshake, cryptogram) = Handshake::answer(scheme, own(MASTER, uid, 0), [0x5A; 16], &challenge);
            books.open = Some((uid.clone(), handshake));
            Ok(RemoteCryptogram { ticket: TICKET, cryptogram })
        })
    }

    fn rekey_change(&self, ticket: [u8; 16], answer: &[u8]) -> Answer<RekeyChange> {
        assert_eq!(ticket, TICKET);
        self.answer("change", |books| {
            let (uid, handshake) = books.open.take().unwrap();
            let mut channel = Channel::new(handshake.finish(answer)?).unwrap();
            let change = KeyChange { new: own(NEW, &uid, 1), version: 1, old: Some(own(OLD, &uid, 1)) };
            let message = channel.seal_change_key(1, &change).unwrap();
            books.channel = Some(channel);
            Ok(RekeyChange { ticket, message })
        })
    }

    fn rekey_confirm(&self, ticket: [u8; 16], reply: &[u8]) -> Answer<u8> {
        assert_eq!(ticket, TICKET);
        self.answer("confirm", |books| {
            books.channel.take().unwrap().open(CommMode::Mac, reply, Some(0)).map_err(|_| KeyError::Rejected)?;
            books.confirmed += 1;
            Ok(1)
        })
    }
}

const ALL: [&str; 4] = ["look", "begin", "change", "confirm"];

fn older(chip: Chip) -> Arc<Mutex<VirtualCard>> {
    let mut description = description();
    description.chip = chip;
    Arc::new(Mutex::new(personalise(&description).unwrap()))
}

fn soft(read: &[[u8; 16]]) -> SoftKeys {
    let read = read.iter().map(|key| AesKey::new(*key)).collect();
    SoftKeys::new(read, Some(AesKey::new([0xA4; 16])), "bahia", entropy())
}

/// A kiosk with both read keys.
fn bench(office: &Office) -> Bench {
    let mut bench = Bench::at(office);
    bench.owner.setup.keys = soft(&[NEW, OLD]);
    bench
}

impl Bench {
    /// Nothing was asked for long.
    fn quiet(&mut self) {
        if let Lying::Read { read_key, .. } = &mut self.owner.lying {
            read_key.forget_the_last_request();
        }
    }

    /// Turns of the reader's thread, and what they told the session.
    fn turns(&mut self, count: usize) -> Vec<ReaderEvent> {
        (0..count).for_each(|_| assert!(self.owner.turn()));
        let event = |input| match input {
            Input::Event(Event::Reader(event)) => Some(event),
            _ => None,
        };
        self.events.try_iter().filter_map(event).collect()
    }

    fn is_settled(&self) -> bool {
        matches!(&self.owner.lying, Lying::Read { read_key, .. } if read_key.is_settled())
    }
}

/// Whether the card can be read with this read key alone.
fn opens(card: &Arc<Mutex<VirtualCard>>, key: [u8; 16]) -> bool {
    let mut bench = Bench::new();
    bench.owner.setup.keys = soft(&[key]);
    bench.lay(Some(card.clone()));
    bench.send(::card::ReaderNotice::CardArrived);
    bench.turns(1).iter().any(|event| matches!(event, ReaderEvent::CardRead(_)))
}

#[test]
fn a_card_with_an_older_key_gets_the_newest_while_nothing_is_asked_of_it() {
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let (office, card) = (Office::default(), older(chip));
        let mut bench = bench(&office);
        bench.read(card.clone());
        assert_eq!(bench.turns(5), [], "too early");
        assert_eq!(office.key_room.asked(), [""; 0]);
        bench.quiet();
        assert_eq!(bench.turns(6), [], "the citizen hears nothing of it");
        assert_eq!(office.key_room.asked(), ALL);
        assert!(bench.is_settled() && opens(&card, NEW) && !opens(&card, OLD), "{chip:?}");
        bench.read(card.clone());
        bench.quiet();
        bench.turns(3);
        assert_eq!(office.key_room.asked(), [""; 0], "it has the newest");
    }
}

#[test]
fn while_central_thinks_the_card_is_looked_at_as_ever() {
    for (held, _) in ALL.iter().enumerate() {
        let (office, card) = (Office::default(), older(Chip::Ev2));
        let mut bench = bench(&office);
        bench.read(card.clone());
        bench.quiet();
        office.key_room.books().slow = true;
        bench.turns(1);
        for _ in 0..held {
            office.key_room.let_go();
            bench.turns(1);
        }
        assert_eq!(bench.turns(20), [], "it waits for {}", ALL[held]);
        assert_eq!(office.key_room.asked(), ALL[..=held]);
        bench.lay(None);
        assert!(matches!(bench.turns(1)[..], [ReaderEvent::CardGone(_)]), "{}", ALL[held]);
        office.key_room.let_go();
        bench.lay(None);
        bench.turns(1);
        assert_eq!(office.key_room.asked(), [""; 0]);
        assert_eq!(opens(&card, NEW), ALL[held] == "confirm");
    }
}

#[test]
fn what_is_asked_of_the_card_comes_first_and_the_change_begins_anew() {
    for (held, _) in ALL.iter().enumerate() {
        for chip in [Chip::Ev1, Chip::Ev3] {
            let (office, card) = (Office::default(), older(chip));
            let mut bench = bench(&office);
            let read = bench.read(card.clone());
            bench.quiet();
            office.key_room.books().slow = true;
            bench.turns(1);
            for _ in 0..held {
                office.key_room.let_go();
                bench.turns(1);
            }
            let tries = PinTries { attempt: read.tries.attempt + 1, ..read.tries };
            let said = bench.ask(&ReaderRequest::WriteTries(read.presentation, tries));
            assert_eq!(said, ReaderEvent::TriesWritten(read.presentation, tries), "{}", ALL[held]);
            assert_eq!(card.lock().unwrap().tries(), Some(tries));
            office.key_room.books().slow = false;
            office.key_room.let_go();
            bench.turns(3);
            bench.quiet();
            bench.turns(6);
            assert!(bench.is_settled() && opens(&card, NEW), "{chip:?} {}", ALL[held]);
            assert_eq!(office.key_room.books().confirmed, 1);
        }
    }
}

#[test]
fn a_card_lifted_at_any_exchange_of_it_is_read_and_changed_at_the_next_visit() {
    let mut torn = 0;
    for exchange in 1..=13 {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
            let (office, card) = (Office::default(), older(Chip::Ev2));
            let mut bench = bench(&office);
            bench.read(card.clone());
            bench.quiet();
            card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
            bench.turns(8);
            torn += u32::from(card.lock().unwrap().faults().faults.is_empty());
            card.lock().unwrap().set_faults(FaultPlan::none());
            bench.read(card.clone());
            bench.quiet();
            bench.turns(6);
            assert!(bench.is_settled() && opens(&card, NEW), "{exchange} {kind:?}");
        }
    }
    assert_eq!(torn, 26, "each of them happens");
}

#[test]
fn no_key_is_changed_between_the_proof_and_the_credit() {
    let (office, card) = (Office::default(), older(Chip::Ev2));
    let mut bench = bench(&office);
    let read = bench.read(card.clone());
    let uid = Uid::new(&description().uid).unwrap();
    let key = Zeroizing::new(own(CREDIT, &uid, 3).expose().to_vec());
    let key = CreditKey::Record(bench.owner.setup.vault.put(key));
    let proven = bench.ask(&ReaderRequest::ProveCreditKey(read.presentation, key));
    assert_eq!(proven, ReaderEvent::CreditKeyProven(read.presentation));
    bench.quiet();
    bench.turns(4);
    assert_eq!(office.key_room.asked(), [""; 0]);
    let mut order = super::request_tests::order(read.presentation, read.top_up_counter());
    (order.key, order.purse_max) = (key, domain::Cents(15_000));
    assert!(matches!(bench.ask(&ReaderRequest::Credit(order)), ReaderEvent::Credited { .. }));
    bench.turns(2);
    assert_eq!(office.key_room.asked(), [""; 0], "too early");
    bench.quiet();
    bench.turns(6);
    assert_eq!(office.key_room.asked(), ALL);
}

#[test]
fn without_central_the_card_keeps_its_key_and_central_is_asked_once_a_visit() {
    let (office, card) = (Office::default(), older(Chip::Ev3));
    let mut bench = bench(&office);
    office.key_room.books().closed = true;
    for _ in 0..2 {
        let read = bench.read(card.clone());
        bench.quiet();
        assert_eq!(bench.turns(9), []);
        assert_eq!(office.key_room.asked(), ["look"]);
        let tries = PinTries { attempt: card.lock().unwrap().tries().unwrap().attempt + 1, ..read.tries };
        let said = bench.ask(&ReaderRequest::WriteTries(read.presentation, tries));
        assert_eq!(said, ReaderEvent::TriesWritten(read.presentation, tries));
    }
    office.key_room.books().closed = false;
    bench.read(card.clone());
    bench.quiet();
    bench.turns(6);
    assert!(opens(&card, NEW));
}
