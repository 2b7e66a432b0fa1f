//! What lies in the tray when pcscd sees nothing of it: swaps, disturbed readings, cards out of sight.

use super::owner::Owner;
use super::request_tests::{CLASSIC, Office};
use super::{Asked, Line, Setup, Tray, entropy};
use crate::machine::{Input, Inputs};
use crate::meter::Meter;
use crate::vault::Vault;
use card::{Apdu, ReaderNotice, Reply, Transport, TransportError};
use card_simulator::{
    CardDescription, Exchange, FaultKind, FaultPlan, FieldCard, ForeignCard, ForeignDescription, VirtualCard, When,
    personalise,
};
use domain::city_pack::CardLayout;
use domain::device::ReaderEvent;
use domain::{CardNumber, FailureCode, TerminalId};
use keys::{AesKey, SoftKeys};
use session::Event;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) type Laid = Arc<Mutex<dyn FieldCard>>;

/// A reader that sees its field as it is and tells what the test lets it tell.
pub(super) struct Field {
    lying: Arc<Mutex<Option<Laid>>>,
    notices: Receiver<ReaderNotice>,
}

impl Tray for Field {
    fn next(&mut self, _timeout: Duration) -> ReaderNotice {
        self.notices.try_recv().unwrap_or(ReaderNotice::Idle)
    }

    fn connect(&self, _exchange_timeout: Duration) -> Result<Line, TransportError> {
        let card = self.lying.lock().unwrap().clone().ok_or(TransportError::CardGone)?;
        card.lock().unwrap().field_off();
        let atr = card.lock().unwrap().atr().ok_or(TransportError::CardGone)?;
        Ok(Box::new(Connection { lying: Arc::clone(&self.lying), atr }))
    }

    fn waker(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(|| {})
    }
}

/// An old handle goes on talking to whatever lies there, as pcscd's do.
struct Connection {
    lying: Arc<Mutex<Option<Laid>>>,
    atr: Vec<u8>,
}

impl Transport for Connection {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let card = self.lying.lock().unwrap().clone().ok_or(TransportError::CardGone)?;
        let reply = card.lock().unwrap().exchange(command.bytes()).reply;
        Reply::parse(reply)
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }
}

pub(super) struct Bench {
    pub(super) owner: Owner<Field>,
    pub(super) lying: Arc<Mutex<Option<Laid>>>,
    notices: Sender<ReaderNotice>,
    pub(super) events: Receiver<Input>,
    _requests: Sender<Asked>,
}

pub(super) fn description() -> CardDescription {
    let text = include_str!("../../../card-simulator/cards/demonstration.json");
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    // The keys of the city, from which the card's own follow.
    let keys = value["keys"]["card"].take();
    value["keys"] = serde_json::json!({ "base": keys });
    serde_json::from_value(value).unwrap()
}

pub(super) fn card(number: u64) -> Arc<Mutex<VirtualCard>> {
    let mut description = description();
    description.identity.number = CardNumber(number);
    description.uid[6] = u8::try_from(number).unwrap();
    Arc::new(Mutex::new(personalise(&description).unwrap()))
}

fn bank_card() -> Arc<Mutex<ForeignCard>> {
    Arc::new(Mutex::new(ForeignCard::new(ForeignDescription::BankCard { uid: vec![4, 1, 2, 3, 4, 5, 6] })))
}

impl Bench {
    pub(super) fn new() -> Self {
        let lying = Arc::default();
        let (notices, told) = channel();
        let (inputs, events) = channel();
        let (requests, received) = channel();
        let read = vec![AesKey::new([0xA1; 16])];
        let setup = Setup {
            layout: CardLayout { classic: Some(CLASSIC), ..description().layout },
            terminal: TerminalId(7),
            keys: SoftKeys::new(read, Some(AesKey::new([0xA4; 16])), "bahia", entropy()),
            issuer: Box::new(Office::default()),
            profile: None,
            vault: Vault::default(),
            inputs: Inputs(inputs),
            exchange_timeout: Duration::from_secs(1),
            meter: Meter::default(),
        };
        let field = Field { lying: Arc::clone(&lying), notices: told };
        Self { owner: Owner::new(field, setup, received), lying, notices, events, _requests: requests }
    }

    /// What lies in the field from now on, without a word from pcscd.
    pub(super) fn lay(&self, card: Option<Laid>) {
        *self.lying.lock().unwrap() = card;
    }

    pub(super) fn send(&self, notice: ReaderNotice) {
        self.notices.send(notice).unwrap();
    }

    /// pcscd says something.
    pub(super) fn notice(&mut self, notice: ReaderNotice) -> Vec<String> {
        self.send(notice);
        self.turn()
    }

    /// One turn of the reader's thread, and what it said.
    fn turn(&mut self) -> Vec<String> {
        assert!(self.owner.turn());
        self.events.try_iter().filter_map(|input| shown(&input)).collect()
    }
}

/// An event in short, presentations left out.
fn shown(input: &Input) -> Option<String> {
    let Input::Event(Event::Reader(event)) = input else { return None };
    Some(match event {
        ReaderEvent::CardArrived(_) => "arrived".to_owned(),
        ReaderEvent::CardRead(card) => format!("read {}", card.number.0),
        ReaderEvent::CardRefused(_, code) => format!("refused {code}"),
        ReaderEvent::CardGone(_) => "gone".to_owned(),
        other => format!("{other:?}"),
    })
}

#[test]
fn a_card_swapped_unseen_is_gone_and_another_has_come() {
    let mut bench = Bench::new();
    bench.lay(Some(card(1)));
    assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "read 1"]);
    assert_eq!(bench.turn(), Vec::<String>::new(), "it lies still");
    bench.lay(Some(card(2)));
    assert_eq!(bench.turn(), ["gone"]);
    assert_eq!(bench.turn(), ["arrived", "read 2"]);
    bench.lay(Some(bank_card()));
    assert_eq!(bench.turn(), ["gone"]);
    assert_eq!(bench.turn(), ["arrived", "refused C-02"]);
}

#[test]
fn a_refused_card_is_looked_at_again_and_told_only_when_something_changes() {
    let mut bench = Bench::new();
    bench.lay(Some(bank_card()));
    assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "refused C-02"]);
    assert_eq!(bench.turn(), Vec::<String>::new());
    let mut elsewhere = description();
    elsewhere.layout.system_id = "another city".to_owned();
    bench.lay(Some(Arc::new(Mutex::new(personalise(&elsewhere).unwrap()))));
    assert_eq!(bench.turn(), ["refused C-12"]);
    bench.lay(Some(card(3)));
    assert_eq!(bench.turn(), ["arrived", "read 3"]);
    assert_eq!(bench.notice(ReaderNotice::CardGone), ["gone"]);
}

/// A card, and how often it was asked to authenticate.
struct Counted(Arc<Mutex<VirtualCard>>, Arc<AtomicU32>);

impl FieldCard for Counted {
    fn atr(&self) -> Option<Vec<u8>> {
        FieldCard::atr(&*self.0.lock().unwrap())
    }

    fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        self.1.fetch_add(u32::from(matches!(apdu, [0x90, 0x71 | 0xAA, ..])), Ordering::Relaxed);
        self.0.lock().unwrap().exchange(apdu)
    }

    fn field_off(&mut self) {
        self.0.lock().unwrap().field_off();
    }
}

#[test]
fn a_card_of_another_city_is_not_authenticated_again_and_again_while_it_lies_there() {
    for random_uid in [false, true] {
        let mut elsewhere = description();
        elsewhere.layout.system_id = "another city".to_owned();
        elsewhere.random_uid = random_uid;
        let asked = Arc::new(AtomicU32::new(0));
        let foreign = Counted(Arc::new(Mutex::new(personalise(&elsewhere).unwrap())), Arc::clone(&asked));
        let foreign: Laid = Arc::new(Mutex::new(foreign));
        let mut bench = Bench::new();
        bench.lay(Some(foreign.clone()));
        assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "refused C-12"]);
        let first = asked.load(Ordering::Relaxed);
        assert!(first > 0);
        for _ in 0..20 {
            assert_eq!(bench.turn(), Vec::<String>::new());
        }
        assert_eq!(asked.load(Ordering::Relaxed), first, "random UID: {random_uid}");
        assert_eq!(bench.notice(ReaderNotice::CardGone), ["gone"]);
        assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "refused C-12"]);
        assert_eq!(asked.load(Ordering::Relaxed), 2 * first, "lifted and laid down, it is tried again");
        bench.lay(Some(card(3)));
        assert_eq!(bench.turn(), ["arrived", "read 3"]);
    }
}

#[test]
fn one_disturbed_exchange_refuses_nobody() {
    for exchange in 1..=20 {
        for bit in [0, 9, 17] {
            let (mut bench, card) = (Bench::new(), card(4));
            card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(exchange), FaultKind::FlipBit(bit)));
            bench.lay(Some(card));
            let said = bench.notice(ReaderNotice::CardArrived);
            assert_eq!(said, ["arrived", "read 4"], "bit {bit} of exchange {exchange}");
        }
    }
}

#[test]
fn a_card_out_of_sight_that_the_reader_still_feels_is_unreadable_after_a_while() {
    let mut bench = Bench::new();
    let own = card(5);
    bench.lay(Some(own.clone()));
    assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "read 5"]);
    // Another card lies on it now: nothing goes through, and pcscd says nothing.
    own.lock().unwrap().set_faults(FaultPlan::once(When::Always, FaultKind::TearBefore));
    assert_eq!(bench.turn(), ["gone"]);
    assert_eq!(bench.turn(), Vec::<String>::new(), "it may be back at once");
    bench.owner.forget_patience();
    assert_eq!(bench.turn(), ["arrived", format!("refused {}", FailureCode::CardUnreadable).as_str()]);
    own.lock().unwrap().set_faults(FaultPlan::none());
    assert_eq!(bench.turn(), ["arrived", "read 5"]);
}

#[test]
fn a_reader_that_goes_takes_its_card_with_it() {
    let mut bench = Bench::new();
    bench.lay(Some(card(6)));
    assert_eq!(bench.notice(ReaderNotice::Ready), ["Ready"]);
    assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "read 6"]);
    bench.lay(None);
    assert_eq!(bench.notice(ReaderNotice::Gone), ["gone", "Gone"]);
    bench.lay(Some(card(6)));
    assert_eq!(bench.notice(ReaderNotice::Ready), ["Ready"]);
    assert_eq!(bench.notice(ReaderNotice::CardArrived), ["arrived", "read 6"]);
}
