//! Blank chips on a reader, and the city they become cards of.

use card::personalise::{BlankKeys, CardOrder, PersonaliseError, Personalised, Step, Workpiece};
use card::{Apdu, CardSecret, CityCard, Reply, Transport, TransportError};
use card_simulator::memory::{Chip, Memory};
use card_simulator::{
    AnyCard, BlankDescription, CardDescription, ClassicCard, ClassicMemory, FaultPlan, FieldCard, Identity, Key,
    KeySet, KeySource, KeyVersions, Purse, Tries, VirtualCard, WishList, personalise,
};
use domain::card::{Technology, Wishes};
use domain::city_pack::{CardFiles, CardKeys, CardLayout, ClassicLayout};
use domain::{CardNumber, Cents, Day, Generation, Uid};
use keys::{AesKey, Entropy, IssuerBaseKeys, KeyError, SoftIssuer, VersionedKey};
use std::cell::RefCell;
use std::rc::Rc;

pub(crate) const UID: [u8; 7] = [0x04, 0xDE, 0x5F, 0x1E, 0xAC, 0xC0, 0x40];
pub(crate) const CHIPS: [Chip; 3] = [Chip::Ev1, Chip::Ev2, Chip::Ev3];
pub(crate) const PICC: [u8; 16] = [0x66; 16];
pub(crate) const MASTER: [u8; 16] = [0x10; 16];
pub(crate) const READ: [u8; 16] = [0x11; 16];
pub(crate) const DEBIT: [u8; 16] = [0x22; 16];
pub(crate) const CREDIT: [u8; 16] = [0x33; 16];
pub(crate) const UID_KEY: [u8; 16] = [0x44; 16];
pub(crate) const TRANSACTION_MAC: [u8; 16] = [0x55; 16];
pub(crate) const SECRET: [u8; 32] = [0x5C; 32];
pub(crate) const NUMBER: CardNumber = CardNumber(6_001_234_567);
pub(crate) const CLASSIC_UID: [u8; 4] = [0x5A, 0x1B, 0x2C, 0x3D];
pub(crate) const TODAY: Day = Day(20_414);
/// More exchanges than any personalisation needs.
pub(crate) const EXCHANGES_MAX: u32 = 400;

pub(crate) fn counting() -> Box<dyn Entropy + Send> {
    let mut next = 0_u8;
    Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        next = next.wrapping_add(1);
        buffer.fill(next);
        Ok(())
    })
}

pub(crate) fn city() -> CardLayout {
    let classic = ClassicLayout {
        mad_aid: 0x511C,
        identity_sector: 1,
        purse_sector: 2,
        top_ups_sector: 3,
        purse_max: Cents(5_000),
        top_up_max: Cents(2_000),
    };
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "demo city".into(),
        top_up_records: 4,
        movement_records: 6,
        classic: Some(classic),
    }
}

/// The issuer, the versions of whose keys are `version`.
pub(crate) fn issuer(version: u8) -> SoftIssuer {
    let one = |key| vec![VersionedKey { key: AesKey::new(key), version }];
    let base = IssuerBaseKeys {
        picc: one(PICC),
        master: one(MASTER),
        read: one(READ),
        debit: one(DEBIT),
        credit: one(CREDIT),
        uid: one(UID_KEY),
        transaction_mac: VersionedKey { key: AesKey::new(TRANSACTION_MAC), version },
    };
    SoftIssuer::new(base, &city().system_id, counting())
}

pub(crate) fn order() -> CardOrder {
    CardOrder {
        number: NUMBER,
        generation: Generation(2),
        secret: CardSecret::new(SECRET),
        purse_max: Cents(15_000),
        wishes: Wishes { language: Some(*b"ast"), speech: true, ..Wishes::default() },
        random_uid: false,
        today: TODAY,
    }
}

pub(crate) fn blank_keys() -> BlankKeys {
    BlankKeys::new(vec![], vec![], Box::new(|| counting()))
}

/// A card's memory.
#[derive(PartialEq)]
pub(crate) enum Held {
    Desfire(Memory),
    Classic(ClassicMemory),
}

/// A card on a reader; a new connection resets it.
#[derive(Clone)]
pub(crate) struct Tray(pub(crate) Rc<RefCell<AnyCard>>);

pub(crate) struct Connection(Rc<RefCell<AnyCard>>, Vec<u8>, bool);

impl Transport for Connection {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        assert!(!self.2, "a connection was used after an error");
        let reply = Reply::parse(FieldCard::exchange(&mut *self.0.borrow_mut(), command.bytes()).reply);
        self.2 = reply.is_err();
        reply
    }

    fn atr(&self) -> &[u8] {
        &self.1
    }
}

impl Tray {
    pub(crate) fn desfire(chip: Chip) -> Self {
        let description = BlankDescription { uid: UID, chip, layout: city() };
        Self(Rc::new(RefCell::new(VirtualCard::blank(&description).seeded(7).into())))
    }

    /// As its maker delivers it: its own key is not an AES key yet.
    pub(crate) fn factory(chip: Chip) -> Self {
        let description = BlankDescription { uid: UID, chip, layout: city() };
        Self(Rc::new(RefCell::new(VirtualCard::factory(&description).seeded(7).into())))
    }

    pub(crate) fn classic() -> Self {
        Self(Rc::new(RefCell::new(ClassicCard::blank(Uid::new(&CLASSIC_UID).unwrap()).seeded(7).into())))
    }

    pub(crate) fn connect(&self) -> Connection {
        let mut card = self.0.borrow_mut();
        card.field_off();
        let atr = FieldCard::atr(&*card).unwrap();
        Connection(Rc::clone(&self.0), atr, false)
    }

    pub(crate) fn make(&self, order: &CardOrder) -> Result<Personalised, PersonaliseError> {
        self.make_by(&mut issuer(1), order, &mut |_| {})
    }

    pub(crate) fn make_by(
        &self,
        keys: &mut SoftIssuer,
        order: &CardOrder,
        told: &mut dyn FnMut(Step),
    ) -> Result<Personalised, PersonaliseError> {
        let piece = Workpiece::look(self.connect(), &city(), keys)?;
        piece.finish(order, keys, &blank_keys(), told)
    }

    pub(crate) fn plan(&self, plan: FaultPlan) {
        self.0.borrow_mut().set_faults(plan);
    }

    /// Everything the card holds.
    pub(crate) fn memory(&self) -> Held {
        match &*self.0.borrow() {
            AnyCard::Desfire(card) => Held::Desfire(card.memory().clone()),
            AnyCard::Classic(card) => Held::Classic(card.memory().clone()),
        }
    }

    pub(crate) fn desfire_memory(&self) -> Memory {
        match &*self.0.borrow() {
            AnyCard::Desfire(card) => card.memory().clone(),
            AnyCard::Classic(_) => panic!("a Classic card"),
        }
    }
}

/// The card as the simulator makes it by itself.
pub(crate) fn described(chip: Chip) -> Memory {
    let versions = KeyVersions { master: 1, read: 1, debit: 1, credit: 1, uid: 1, transaction_mac: 1, picc: 1 };
    let description = CardDescription {
        uid: UID,
        random_uid: false,
        chip,
        layout: city(),
        keys: KeySource::Base(KeySet {
            master: Key::new(MASTER),
            read: Key::new(READ),
            debit: Key::new(DEBIT),
            credit: Key::new(CREDIT),
            uid: Key::new(UID_KEY),
            transaction_mac: Key::new(TRANSACTION_MAC),
            picc: Some(Key::new(PICC)),
            versions,
        }),
        identity: Identity { number: NUMBER, generation: Generation(2), secret: SECRET },
        purse: Purse { value: Cents(0), max: Cents(15_000), free_get_value: true },
        top_ups: vec![],
        movements: vec![],
        tries: Tries { attempt: 0, failures: 0, pin_version: 0 },
        wishes: WishList { language: Some("ast".into()), speech: true, ..WishList::default() },
        flaws: Vec::new(),
    };
    let mut memory = personalise(&description).unwrap().memory().clone();
    // The simulator leaves the chip's own settings as delivered.
    memory.settings = 0x0B;
    memory
}

/// What a kiosk reads of it.
pub(crate) fn check_as_a_kiosk(tray: &Tray, order: &CardOrder, technology: Technology) {
    let (card, contents) = CityCard::open(tray.connect(), &city(), &mut issuer(1)).unwrap();
    assert_eq!((card.technology(), contents.technology), (technology, technology));
    assert_eq!((contents.identity.number, contents.identity.generation), (order.number, order.generation));
    assert_eq!((contents.purse, contents.needs_check), (Some(Cents(0)), None));
    assert_eq!(contents.top_ups.iter().map(|record| record.counter).max(), Some(0));
    assert!(contents.movements.is_empty());
    let secret = contents.identity.secret.as_ref().map(CardSecret::expose);
    if technology.is_desfire() {
        assert_eq!((secret, contents.wishes), (Some(&SECRET), order.wishes));
    } else {
        assert_eq!(secret, None);
    }
}

pub(crate) fn technology(chip: Chip) -> Technology {
    if chip == Chip::Ev1 { Technology::DesfireEv1 } else { Technology::DesfireEv2 }
}
