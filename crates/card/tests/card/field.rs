//! A virtual card in the field, and the city it belongs to.

use card::{Apdu, CardContents, CardError, CardSession, Reply, Transport, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{
    CardDescription, Debit, Identity, Key, KeySet, KeySource, KeyVersions, Purse, TopUp, Tries, VirtualCard, WishList,
    personalise,
};
use domain::card::Presentation;
use domain::city_pack::{CardFiles, CardKeys, CardLayout};
use domain::device::{CreditKey, CreditOrder};
use domain::{CardNumber, Cents, Day, Generation, Handle, TerminalId, TopUpId, Uid};
use keys::{AesKey, DiversificationInput, KeyError, KeyRole, OneKey, SoftKeys, diversify};
use std::cell::RefCell;
use std::rc::Rc;

pub(crate) const UID: [u8; 7] = [0x04, 0xDE, 0x5F, 0x1E, 0xAC, 0xC0, 0x40];
pub(crate) const PURSE: i64 = 1_250;
pub(crate) const PURSE_MAX: i64 = 15_000;
pub(crate) const TERMINAL: TerminalId = TerminalId(17);

const READ: [u8; 16] = [0x11; 16];
const CREDIT: [u8; 16] = [0x33; 16];
const UID_KEY: [u8; 16] = [0x44; 16];
pub(crate) const TRANSACTION_MAC: [u8; 16] = [0x55; 16];

pub(crate) fn layout() -> CardLayout {
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "demo city".into(),
        top_up_records: 4,
        movement_records: 6,
        classic: None,
    }
}

/// Every generation of the chip that the city has given out.
pub(crate) const CHIPS: [Chip; 3] = [Chip::Ev1, Chip::Ev2, Chip::Ev3];

pub(crate) fn description() -> CardDescription {
    description_of(Chip::default())
}

pub(crate) fn description_of(chip: Chip) -> CardDescription {
    CardDescription {
        uid: UID,
        random_uid: false,
        chip,
        layout: layout(),
        keys: KeySource::Base(KeySet {
            master: Key::new([0x10; 16]),
            read: Key::new(READ),
            debit: Key::new([0x22; 16]),
            credit: Key::new(CREDIT),
            uid: Key::new(UID_KEY),
            transaction_mac: Key::new(TRANSACTION_MAC),
            picc: None,
            versions: KeyVersions::default(),
        }),
        identity: Identity { number: CardNumber(6_001_234_567), generation: Generation(2), secret: [0x5C; 32] },
        purse: Purse { value: Cents(PURSE), max: Cents(PURSE_MAX), free_get_value: true },
        top_ups: vec![],
        movements: vec![],
        tries: Tries { attempt: 4, failures: 1, pin_version: 1 },
        wishes: WishList { language: Some("ast".into()), speech: true, ..WishList::default() },
        flaws: Vec::new(),
    }
}

/// Top-ups 1 to `count` of one cent each, oldest first.
pub(crate) fn top_ups(count: u8) -> Vec<TopUp> {
    let top_up = |counter: u8| TopUp {
        counter: u32::from(counter),
        day: Day(20_400),
        top_up: TopUpId([counter; 16]),
        amount: Cents(1),
        before: Cents(PURSE - i64::from(count - counter) - 1),
        terminal: TERMINAL,
    };
    (1..=count).map(top_up).collect()
}

/// Movements 1 to `count` of one cent each, oldest first, all before the top-ups.
pub(crate) fn movements(count: u8) -> Vec<Debit> {
    let debit = |counter: u8| Debit {
        counter: u32::from(counter),
        minute: 29_000_000 + u32::from(counter),
        service: 1,
        amount: Cents(1),
        balance: Cents(PURSE - i64::from(counter)),
    };
    (1..=count).map(debit).collect()
}

/// A virtual card that several connections may look at, one after another.
#[derive(Clone)]
pub(crate) struct Tray(pub(crate) Rc<RefCell<VirtualCard>>);

impl Tray {
    pub(crate) fn with(description: &CardDescription) -> Self {
        Self(Rc::new(RefCell::new(personalise(description).unwrap().seeded(7))))
    }

    /// A new connection, which resets the card.
    pub(crate) fn connect(&self) -> Connection {
        self.0.borrow_mut().field_off();
        Connection { tray: self.clone(), failed: false }
    }

    pub(crate) fn open(&self) -> Result<(CardSession<Connection>, CardContents), CardError> {
        CardSession::open(self.connect(), &layout(), &mut kiosk_keys())
    }

    pub(crate) fn session(&self) -> CardSession<Connection> {
        self.open().unwrap().0
    }
}

/// Refuses to be used after an error, as every transport may.
pub(crate) struct Connection {
    tray: Tray,
    failed: bool,
}

impl Transport for Connection {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        assert!(!self.failed, "a connection was used after an error");
        let reply = Reply::parse(self.tray.0.borrow_mut().transmit(command.bytes()));
        self.failed = reply.is_err();
        reply
    }
}

pub(crate) fn counting() -> Box<dyn keys::Entropy + Send> {
    let mut next = 0_u8;
    Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        next = next.wrapping_add(1);
        buffer.fill(next);
        Ok(())
    })
}

pub(crate) fn kiosk_keys() -> SoftKeys {
    SoftKeys::new(vec![AesKey::new(READ)], Some(AesKey::new(UID_KEY)), &layout().system_id, counting())
}

pub(crate) fn kiosk_keys_of(read: Vec<[u8; 16]>) -> SoftKeys {
    SoftKeys::new(read.into_iter().map(AesKey::new).collect(), None, &layout().system_id, counting())
}

pub(crate) fn read_key() -> [u8; 16] {
    READ
}

/// The card's own credit key, as it comes out of its sealed record.
pub(crate) fn credit_key() -> OneKey {
    OneKey::new(KeyRole::Credit, own_key(CREDIT, 3), counting())
}

pub(crate) fn wrong_credit_key() -> OneKey {
    OneKey::new(KeyRole::Credit, own_key([0x99; 16], 3), counting())
}

pub(crate) fn own_key(base: [u8; 16], number: u8) -> AesKey {
    let input = DiversificationInput::new(&Uid::new(&UID).unwrap(), layout().aid, number, &layout().system_id);
    diversify(&AesKey::new(base), &input.unwrap())
}

pub(crate) fn order(top_up: u8, cents: i64, counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Record(Handle(1)),
        top_up: TopUpId([top_up; 16]),
        amount: Cents(cents),
        counter_seen,
        purse_max: Cents(PURSE_MAX),
        day: Day(20_414),
        terminal: TERMINAL,
    }
}
