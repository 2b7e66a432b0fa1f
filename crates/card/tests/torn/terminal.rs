//! A terminal, the card on its reader, and central behind it. Each errand begins with a card that is laid down and read;
//! a tear strikes in the errand itself, and it is over by its end.

use crate::city::{Central, Kind, TERMINAL, credit_key, is_centrals, kiosk_keys, layout};
use crate::tear::{Tear, name_of};
use card::{Apdu, CardContents, CardError, CityCard, CreditKeys, CreditOutcome, Reply, Transport, TransportError};
use card_simulator::{AnyCard, ClassicCard, FaultPlan, FieldCard, VirtualCard};
use domain::card::{CreditVerdict, PinTries, Wishes};
use domain::device::CreditOrder;
use domain::{Cents, TerminalId, TopUpId};
use std::cell::{Ref, RefCell};
use std::rc::Rc;

/// Tells what was being done when a check fails.
pub(crate) struct Scene(String);

impl Scene {
    pub(crate) fn of(kind: Kind, errand: &str, tear: &Tear) -> Self {
        Self(format!("{kind:?}, {errand}: {tear}"))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the scene: {}", self.0);
        }
    }
}

/// The card's memory, all of it.
#[derive(PartialEq)]
pub(crate) enum Held {
    Desfire(card_simulator::memory::Memory),
    Classic(card_simulator::ClassicMemory),
}

/// One connection; it refuses to be used after an error, as every transport may.
pub(crate) struct Connection {
    card: Rc<RefCell<AnyCard>>,
    trace: Rc<RefCell<Vec<String>>>,
    atr: Vec<u8>,
    reader: &'static str,
    failed: bool,
}

impl Transport for Connection {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        assert!(!self.failed, "a connection was used after an error");
        self.trace.borrow_mut().push(name_of(command.bytes()));
        let reply = Reply::parse(self.card.borrow_mut().transmit(command.bytes()));
        self.failed = reply.is_err();
        reply
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn reader_name(&self) -> &str {
        self.reader
    }
}

pub(crate) struct Terminal {
    pub(crate) kind: Kind,
    card: Rc<RefCell<AnyCard>>,
    trace: Rc<RefCell<Vec<String>>>,
    central: Central,
    minute: u32,
}

impl Terminal {
    /// With a card that was topped up so often before.
    pub(crate) fn with(kind: Kind, past: u8) -> Self {
        Self::seeded(kind, past, 7)
    }

    /// The card's random bytes from this seed.
    pub(crate) fn seeded(kind: Kind, past: u8, seed: u64) -> Self {
        Self {
            kind,
            card: Rc::new(RefCell::new(kind.make(past).seeded(seed))),
            trace: Rc::default(),
            central: Central::at(u32::from(past)),
            minute: 30_000_000,
        }
    }

    fn connect(&self) -> Connection {
        let mut card = self.card.borrow_mut();
        FieldCard::field_off(&mut *card);
        let atr = FieldCard::atr(&*card).unwrap();
        let (card, trace) = (Rc::clone(&self.card), Rc::clone(&self.trace));
        Connection { card, trace, atr, reader: self.kind.reader(), failed: false }
    }

    /// Lays the card down and reads it.
    pub(crate) fn lay(&self) -> Result<(CityCard<Connection>, CardContents), CardError> {
        CityCard::open(self.connect(), &layout(), &mut kiosk_keys())
    }

    pub(crate) fn contents(&self) -> CardContents {
        self.lay().unwrap().1
    }

    /// From here on exchanges are counted, and at one of them the card is lifted.
    fn begin(&self, tear: Option<&Tear>) {
        self.trace.borrow_mut().clear();
        self.card.borrow_mut().set_faults(tear.map_or_else(FaultPlan::none, Tear::plan));
    }

    /// Gives the names of the exchanges of the errand.
    fn end(&self) -> Vec<String> {
        self.card.borrow_mut().set_faults(FaultPlan::none());
        self.trace.take()
    }

    /// The names of the exchanges of an errand that nothing disturbs.
    pub(crate) fn untorn(kind: Kind, past: u8, errand: impl FnOnce(&mut Self) -> Vec<String>) -> Vec<String> {
        errand(&mut Self::with(kind, past))
    }

    pub(crate) fn read(&mut self, tear: Option<&Tear>) -> (Result<CardContents, CardError>, Vec<String>) {
        self.begin(tear);
        let contents = self.lay().map(|(_, contents)| contents);
        (contents, self.end())
    }

    pub(crate) fn credit(&mut self, order: &CreditOrder, tear: Option<&Tear>) -> (CreditOutcome, Vec<String>) {
        let (mut card, _) = self.lay().unwrap();
        self.begin(tear);
        let mut key = credit_key();
        let outcome = match self.kind.is_classic() {
            true => card.credit(&mut CreditKeys::Classic(&mut self.central), order),
            false => card.credit(&mut CreditKeys::Desfire(&mut key), order),
        };
        (outcome, self.end())
    }

    pub(crate) fn ask(
        &mut self,
        top_up: TopUpId,
        counter_seen: u32,
        tear: Option<&Tear>,
    ) -> (Result<CreditVerdict, CardError>, Vec<String>) {
        let (mut card, _) = self.lay().unwrap();
        self.begin(tear);
        let verdict = card.resolve(&mut kiosk_keys(), top_up, counter_seen);
        (verdict, self.end())
    }

    /// What became of a top-up; what it left to mend is mended first.
    pub(crate) fn resolve(&mut self, order: &CreditOrder) -> CreditVerdict {
        let mended = (0..60).any(|_| !self.needs_repair() || self.repair(None).0.is_ok());
        assert!(mended, "it is never mended");
        self.ask(order.top_up, order.counter_seen, None).0.unwrap()
    }

    pub(crate) fn tries(&mut self, tries: PinTries, tear: Option<&Tear>) -> (Result<(), CardError>, Vec<String>) {
        self.write(tear, |card| card.write_tries(&mut kiosk_keys(), tries, TERMINAL))
    }

    /// `None` erases them.
    pub(crate) fn wishes(
        &mut self,
        wishes: Option<Wishes>,
        tear: Option<&Tear>,
    ) -> (Result<(), CardError>, Vec<String>) {
        self.write(tear, |card| match (card, wishes) {
            (card, Some(wishes)) => card.write_wishes(&mut kiosk_keys(), &wishes, TERMINAL),
            (CityCard::Desfire(card), None) => card.erase_wishes(&mut kiosk_keys(), TERMINAL),
            (CityCard::Classic(_), None) => Err(CardError::NotOnClassic("wishes")),
        })
    }

    fn write(
        &mut self,
        tear: Option<&Tear>,
        errand: impl FnOnce(&mut CityCard<Connection>) -> Result<(), CardError>,
    ) -> (Result<(), CardError>, Vec<String>) {
        let (mut card, _) = self.lay().unwrap();
        self.begin(tear);
        let written = errand(&mut card);
        assert_eq!(card.is_lost(), self.is_torn());
        (written, self.end())
    }

    pub(crate) fn repair(&mut self, tear: Option<&Tear>) -> (Result<bool, CardError>, Vec<String>) {
        let (mut card, _) = self.lay().unwrap();
        self.begin(tear);
        let repaired = card.repair(&mut self.central);
        (repaired, self.end())
    }

    pub(crate) fn needs_repair(&self) -> bool {
        self.lay().unwrap().0.needs_repair()
    }

    /// A validator takes from the purse, if it takes the card.
    pub(crate) fn ride(&mut self, cents: Cents) -> bool {
        self.minute += 1;
        match &mut *self.card.borrow_mut() {
            AnyCard::Desfire(card) => card.debit(cents, 1, self.minute, TerminalId(90)).is_ok(),
            AnyCard::Classic(card) => card.debit(cents).is_ok(),
        }
    }

    // What the card's owner sees, without the driver.

    pub(crate) fn is_torn(&self) -> bool {
        self.card.borrow().is_torn()
    }

    pub(crate) fn memory(&self) -> Held {
        match &*self.card.borrow() {
            AnyCard::Desfire(card) => Held::Desfire(card.memory().clone()),
            AnyCard::Classic(card) => Held::Classic(card.memory().clone()),
        }
    }

    pub(crate) fn purse(&self) -> Option<Cents> {
        self.card.borrow().purse()
    }

    pub(crate) fn desfire(&self) -> Ref<'_, VirtualCard> {
        Ref::map(self.card.borrow(), |card| match card {
            AnyCard::Desfire(card) => card.as_ref(),
            AnyCard::Classic(_) => panic!("a Classic card"),
        })
    }

    pub(crate) fn classic(&self) -> Ref<'_, ClassicCard> {
        Ref::map(self.card.borrow(), |card| match card {
            AnyCard::Classic(card) => card.as_ref(),
            AnyCard::Desfire(_) => panic!("a DESFire card"),
        })
    }

    /// Whether the card committed this top-up, asked right afterwards: purse and record are one transaction on DESFire;
    /// on Classic the main block's address byte is the commit.
    pub(crate) fn committed(&self, order: &CreditOrder) -> bool {
        if self.kind.is_classic() {
            let [number, ..] = (order.counter_seen + 1).to_le_bytes();
            return self.classic().main_block().is_some_and(|main| main.address == number);
        }
        self.desfire().top_ups().iter().any(|record| record.top_up == order.top_up)
    }

    /// Whether central's seal of this top-up lies on the card; DESFire needs none.
    pub(crate) fn is_sealed(&self, counter: u32) -> bool {
        !self.kind.is_classic()
            || self.classic().seal().is_some_and(|seal| seal.counter == counter && is_centrals(&seal))
    }
}
