//! A virtual MIFARE Classic card, the readers it may lie on, and central.

use crate::field::{TERMINAL, kiosk_keys, layout};
use card::classic::{PurseFound, ValueBlock};
use card::{
    Apdu, CardContents, CardError, CityCard, ClassicIssuer, ClassicSession, CreditOutcome, ReaderProfile, Reply,
    Transport, TransportError,
};
use card_simulator::{
    ClassicBaseKeys, ClassicCard, ClassicDescription, ClassicFlaw, ClassicIdentity, ClassicKeySource, ClassicPurse,
    ClassicTag, ClassicTopUp, FaultPlan, Key, ReaderKind, personalise_classic,
};
use domain::card::{CreditVerdict, Presentation};
use domain::city_pack::{CardLayout, ClassicLayout};
use domain::device::{CreditKey, CreditOrder};
use domain::{CardNumber, Cents, Day, Generation, TopUpId, Uid};
use keys::classic::{ClassicKey, ClassicKeyKind, PurseSeal, purse_seal_mac, sector_key};
use keys::{AesKey, KeyError};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub(crate) const CLASSIC_UID: [u8; 4] = [0xDE, 0xAD, 0x51, 0x02];
pub(crate) const CLASSIC_PURSE: i64 = 1_250;
pub(crate) const SECTORS: ClassicLayout = ClassicLayout {
    mad_aid: 0x511C,
    identity_sector: 1,
    purse_sector: 2,
    top_ups_sector: 3,
    purse_max: Cents(5_000),
    top_up_max: Cents(2_000),
};
/// The readers, by the names that choose their profiles.
pub(crate) const READERS: [(ReaderKind, &str, ReaderProfile); 4] = [
    (ReaderKind::Acs, "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00", ReaderProfile::Acs),
    (ReaderKind::Omnikey, "HID Global OMNIKEY 5022 Smart Card Reader 00 00", ReaderProfile::Omnikey),
    (ReaderKind::Feitian, "Feitian R502 00 00", ReaderProfile::Feitian),
    (ReaderKind::Portable, "Some Maker's Reader 00 00", ReaderProfile::Portable),
];

const CREDIT: [u8; 16] = [0x33; 16];
const SEAL: [u8; 16] = [0x55; 16];

pub(crate) fn city() -> CardLayout {
    CardLayout { classic: Some(SECTORS), ..layout() }
}

pub(crate) fn classic_description() -> ClassicDescription {
    ClassicDescription {
        technology: ClassicTag::Classic,
        uid: CLASSIC_UID.to_vec(),
        layout: SECTORS,
        system_id: layout().system_id,
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: Key::new(crate::field::read_key()),
            credit: Key::new(CREDIT),
            transaction_mac: Key::new(SEAL),
        }),
        identity: ClassicIdentity { number: CardNumber(6_000_777_001), generation: Generation(4) },
        purse: ClassicPurse { value: Cents(CLASSIC_PURSE), opening: None, day: Day(20_000) },
        top_ups: vec![],
        flaws: vec![],
    }
}

/// The same card after `count` top-ups of 5 €, from which 2.50 € of each were spent.
pub(crate) fn topped_up(count: u32) -> ClassicDescription {
    let mut description = classic_description();
    description.top_ups = (1..=count).map(|counter| past_top_up(counter, CLASSIC_PURSE - 250)).collect();
    description
}

pub(crate) fn past_top_up(counter: u32, before: i64) -> ClassicTopUp {
    let id = u8::try_from(100 + counter).unwrap();
    ClassicTopUp { counter, day: Day(20_100), top_up: [id; 6], amount: Cents(500), before: Cents(before) }
}

pub(crate) fn flawed(count: u32, flaw: ClassicFlaw) -> ClassicDescription {
    ClassicDescription { flaws: vec![flaw], ..topped_up(count) }
}

/// A virtual card that several connections may look at, one after another, on one reader.
#[derive(Clone)]
pub(crate) struct ClassicTray {
    pub(crate) card: Rc<RefCell<ClassicCard>>,
    reader: &'static str,
    pub(crate) carried: Rc<Cell<u32>>,
}

impl ClassicTray {
    pub(crate) fn with(description: &ClassicDescription) -> Self {
        Self::on(description, READERS[3])
    }

    pub(crate) fn on(
        description: &ClassicDescription,
        (kind, reader, _): (ReaderKind, &'static str, ReaderProfile),
    ) -> Self {
        let card = personalise_classic(description).unwrap().seeded(7).on(kind);
        Self { card: Rc::new(RefCell::new(card)), reader, carried: Rc::default() }
    }

    pub(crate) fn connect(&self) -> ClassicConnection {
        let mut card = self.card.borrow_mut();
        card.field_off();
        ClassicConnection {
            tray: self.clone(),
            atr: card.atr(),
            failed: false,
            lasting_keys_only: false,
            loaded: Rc::default(),
        }
    }

    pub(crate) fn open(&self) -> Result<(CityCard<ClassicConnection>, CardContents), CardError> {
        CityCard::open(self.connect(), &city(), &mut kiosk_keys())
    }

    pub(crate) fn session(&self) -> ClassicSession<ClassicConnection> {
        match self.open().unwrap().0 {
            CityCard::Classic(session) => session,
            CityCard::Desfire(_) => panic!("not a Classic card"),
        }
    }

    pub(crate) fn contents(&self) -> CardContents {
        self.open().unwrap().1
    }

    /// Opens the card, then credits under the faults.
    pub(crate) fn credit_under(&self, central: &mut Central, faults: FaultPlan, order: &CreditOrder) -> CreditOutcome {
        let mut session = self.session();
        central.crediting = Some(order.counter_seen + 1);
        self.card.borrow_mut().set_faults(faults);
        let outcome = session.credit(central, order);
        self.card.borrow_mut().set_faults(FaultPlan::none());
        outcome
    }

    /// What became of a top-up; what it left to mend is mended first.
    pub(crate) fn resolve(&self, top_up: u8, counter_seen: u32) -> CreditVerdict {
        let mut session = self.session();
        if session.needs_repair() {
            session.repair(&mut Trusting).unwrap();
        }
        self.session().resolve(&mut kiosk_keys(), TopUpId([top_up; 16]), counter_seen).unwrap()
    }

    pub(crate) fn main(&self) -> Option<(i32, u8)> {
        self.card.borrow().main_block().map(|block| (block.value, block.address))
    }

    /// Whether the seal is the one that central gives for the last top-up.
    pub(crate) fn is_sealed(&self, central: &Central, seal: &PurseSeal) -> bool {
        let held = self.card.borrow().seal().unwrap();
        let day = u16::try_from(held.day.0 - 10_957).unwrap();
        (held.counter, day, held.value_after.0) == (seal.counter, seal.day, i64::from(seal.value_after))
            && held.mac == central.mac(seal)
    }
}

/// Refuses to be used after an error, as every transport may.
pub(crate) struct ClassicConnection {
    tray: ClassicTray,
    atr: Vec<u8>,
    failed: bool,
    lasting_keys_only: bool,
    /// The last key that was loaded.
    pub(crate) loaded: Rc<RefCell<Vec<u8>>>,
}

impl ClassicConnection {
    /// As through a reader that has no volatile memory for keys.
    pub(crate) fn with_lasting_keys_only(self) -> Self {
        Self { lasting_keys_only: true, ..self }
    }

    /// As through a reader that tells no answer to reset.
    pub(crate) fn without_atr(self) -> Self {
        Self { atr: vec![], ..self }
    }
}

impl Transport for ClassicConnection {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        assert!(!self.failed, "a connection was used after an error");
        self.tray.carried.set(self.tray.carried.get() + 1);
        match command.bytes() {
            [0xFF, 0x82, 0x00, ..] if self.lasting_keys_only => return Reply::parse(vec![0x69, 0x86]),
            [0xFF, 0x82, _, _, 0x06, key @ ..] => *self.loaded.borrow_mut() = key.to_vec(),
            _ => {}
        }
        let reply = Reply::parse(self.tray.card.borrow_mut().transmit(command.bytes()));
        self.failed = reply.is_err();
        reply
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn reader_name(&self) -> &str {
        self.tray.reader
    }
}

/// Central, which gives keys B and seals, and keeps a shadow of the counter: it never seals one that went back, nor one
/// that jumped.
#[derive(Debug, Default)]
pub(crate) struct Central {
    pub(crate) sealed: u32,
    /// The counter of the top-up that the visit is about: only its seal may be given anew with other values.
    pub(crate) crediting: Option<u32>,
    pub(crate) seals: Vec<PurseSeal>,
    pub(crate) offline: bool,
    pub(crate) wrong_keys: bool,
    /// The books say otherwise of whatever is found.
    pub(crate) refuses: bool,
    /// What was told of the purse.
    pub(crate) found: Vec<PurseFound>,
}

/// One that believes all, for the mending before a question.
struct Trusting;

impl ClassicIssuer for Trusting {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        Central::default().sector_key_b(uid, sector)
    }

    fn purse_found(&mut self, uid: &Uid, found: &PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        Central::default().purse_found(uid, found)
    }

    fn purse_seal(&mut self, _: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        Ok(Central::default().mac(seal))
    }
}

impl Central {
    pub(crate) fn at(counter: u32) -> Self {
        Self { sealed: counter, ..Self::default() }
    }

    pub(crate) fn mac(&self, seal: &PurseSeal) -> [u8; 8] {
        let uid = Uid::new(&CLASSIC_UID).unwrap();
        purse_seal_mac(&AesKey::new(SEAL), &uid, &layout().system_id, seal).unwrap()
    }
}

impl ClassicIssuer for Central {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        if self.offline {
            return Err(KeyError::HolderUnavailable("no network".into()));
        }
        let base = if self.wrong_keys { [0x99; 16] } else { CREDIT };
        sector_key(&AesKey::new(base), uid, sector, ClassicKeyKind::B, &layout().system_id)
    }

    fn purse_found(&mut self, _: &Uid, found: &PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        self.found.push(*found);
        if self.offline || self.refuses {
            return Err(KeyError::HolderUnavailable("no network, or the books say otherwise".into()));
        }
        let right = self.mac(&found.seal.seal);
        Ok((found.seal.seal.counter == found.counter && right != found.seal.mac).then_some(right))
    }

    fn purse_seal(&mut self, _uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        assert!(seal.counter == self.sealed || seal.counter == self.sealed + 1, "{seal:?} after {}", self.sealed);
        let again = self.seals.last().filter(|last| last.counter == seal.counter);
        if self.crediting != Some(seal.counter) && again.is_some_and(|last| last != seal) {
            return Err(KeyError::HolderUnavailable("the books say otherwise".into()));
        }
        self.sealed = seal.counter;
        self.seals.push(*seal);
        Ok(self.mac(seal))
    }
}

pub(crate) fn classic_order(top_up: u8, cents: i64, counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Central,
        top_up: TopUpId([top_up; 16]),
        amount: Cents(cents),
        counter_seen,
        purse_max: Cents(15_000),
        day: Day(20_414),
        terminal: TERMINAL,
    }
}

/// The main block's bytes as our side writes them.
pub(crate) fn value_bytes(value: i32, address: u8) -> [u8; 16] {
    ValueBlock { value, address }.to_bytes()
}
