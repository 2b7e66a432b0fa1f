//! Making cards of blank chips: the card is the one that the simulator makes by itself from the layout page, and a
//! card torn at any exchange is finished by running it again.

use crate::field::{CHIPS, UID, counting, layout};
use card::personalise::{BlankKeys, CardOrder, PersonaliseError, Personalised, Step, Workpiece};
use card::{Apdu, CardError, CardSecret, CityCard, Reply, Transport, TransportError};
use card_simulator::memory::{Chip, Memory};
use card_simulator::{
    AnyCard, BlankDescription, CardDescription, ClassicBaseKeys, ClassicCard, ClassicDescription, ClassicIdentity,
    ClassicKeySource, ClassicMemory, ClassicPurse, ClassicTag, FaultKind, FaultPlan, FieldCard, Identity, Key, KeySet, KeySource, KeyVersions,
    Purse, Tries, VirtualCard, When, WishList, personalise, personalise_classic,
};
use domain::card::{Technology, Wishes};
use domain::city_pack::{CardLayout, ClassicLayout};
use domain::{CardNumber, Cents, Day, FailureCode, Generation, Uid};
use keys::{AesKey, IssuerBaseKeys, SoftIssuer, VersionedKey};
use std::cell::RefCell;
use std::rc::Rc;

const PICC: [u8; 16] = [0x66; 16];
const MASTER: [u8; 16] = [0x10; 16];
const READ: [u8; 16] = [0x11; 16];
const DEBIT: [u8; 16] = [0x22; 16];
const CREDIT: [u8; 16] = [0x33; 16];
const UID_KEY: [u8; 16] = [0x44; 16];
const TRANSACTION_MAC: [u8; 16] = [0x55; 16];
const SECRET: [u8; 32] = [0x5C; 32];
const NUMBER: CardNumber = CardNumber(6_001_234_567);
const CLASSIC_UID: [u8; 4] = [0x5A, 0x1B, 0x2C, 0x3D];
const TODAY: Day = Day(20_414);
/// More exchanges than any personalisation needs.
const EXCHANGES_MAX: u32 = 400;

fn city() -> CardLayout {
    let classic = ClassicLayout {
        mad_aid: 0x511C,
        identity_sector: 1,
        purse_sector: 2,
        top_ups_sector: 3,
        purse_max: Cents(5_000),
        top_up_max: Cents(2_000),
    };
    CardLayout { classic: Some(classic), ..layout() }
}

/// The issuer, the versions of whose keys are `version`.
fn issuer(version: u8) -> SoftIssuer {
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

fn order() -> CardOrder {
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

fn blank_keys() -> BlankKeys {
    BlankKeys::new(vec![], vec![], Box::new(|| counting()))
}

/// A card's memory.
#[derive(PartialEq)]
enum Held {
    Desfire(Memory),
    Classic(ClassicMemory),
}

/// A card on a reader; a new connection resets it.
#[derive(Clone)]
struct Tray(Rc<RefCell<AnyCard>>);

struct Connection(Rc<RefCell<AnyCard>>, Vec<u8>, bool);

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
    fn desfire(chip: Chip) -> Self {
        let description = BlankDescription { uid: UID, chip, layout: city() };
        Self(Rc::new(RefCell::new(VirtualCard::blank(&description).seeded(7).into())))
    }

    fn classic() -> Self {
        Self(Rc::new(RefCell::new(ClassicCard::blank(Uid::new(&CLASSIC_UID).unwrap()).seeded(7).into())))
    }

    fn connect(&self) -> Connection {
        let mut card = self.0.borrow_mut();
        card.field_off();
        let atr = FieldCard::atr(&*card).unwrap();
        Connection(Rc::clone(&self.0), atr, false)
    }

    fn make(&self, order: &CardOrder) -> Result<Personalised, PersonaliseError> {
        self.make_by(&mut issuer(1), order, &mut |_| {})
    }

    fn make_by(
        &self,
        keys: &mut SoftIssuer,
        order: &CardOrder,
        told: &mut dyn FnMut(Step),
    ) -> Result<Personalised, PersonaliseError> {
        let piece = Workpiece::look(self.connect(), &city(), keys)?;
        piece.finish(order, keys, &blank_keys(), told)
    }

    fn plan(&self, plan: FaultPlan) {
        self.0.borrow_mut().set_faults(plan);
    }

    /// Everything the card holds.
    fn memory(&self) -> Held {
        match &*self.0.borrow() {
            AnyCard::Desfire(card) => Held::Desfire(card.memory().clone()),
            AnyCard::Classic(card) => Held::Classic(card.memory().clone()),
        }
    }

    fn desfire_memory(&self) -> Memory {
        match &*self.0.borrow() {
            AnyCard::Desfire(card) => card.memory().clone(),
            AnyCard::Classic(_) => panic!("a Classic card"),
        }
    }
}

/// The card as the simulator makes it by itself.
fn described(chip: Chip) -> Memory {
    let versions =
        KeyVersions { master: 1, read: 1, debit: 1, credit: 1, uid: 1, transaction_mac: 1, picc: 1 };
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
    personalise(&description).unwrap().memory().clone()
}

/// What a kiosk reads of it.
fn check_as_a_kiosk(tray: &Tray, order: &CardOrder, technology: Technology) {
    let (card, contents) = CityCard::open(tray.connect(), &city(), &mut issuer(1)).unwrap();
    assert_eq!((card.technology(), contents.technology), (technology, technology));
    assert_eq!((contents.identity.number, contents.identity.generation), (order.number, order.generation));
    assert_eq!((contents.purse, contents.needs_check), (Some(Cents(0)), false));
    assert_eq!(contents.top_ups.iter().map(|record| record.counter).max(), Some(0));
    assert!(contents.movements.is_empty());
    let secret = contents.identity.secret.as_ref().map(CardSecret::expose);
    if technology.is_desfire() {
        assert_eq!((secret, contents.wishes), (Some(&SECRET), order.wishes));
    } else {
        assert_eq!(secret, None);
    }
}

fn technology(chip: Chip) -> Technology {
    if chip == Chip::Ev1 { Technology::DesfireEv1 } else { Technology::DesfireEv2 }
}

#[test]
fn a_blank_chip_becomes_the_card_of_the_layout_page() {
    for chip in CHIPS {
        let tray = Tray::desfire(chip);
        let made = tray.make(&order()).unwrap();
        assert_eq!((made.technology, made.was_finished, made.read_key_version), (technology(chip), false, 1));
        assert_eq!(made.secret.as_ref().map(CardSecret::expose), Some(&SECRET));
        let (ours, theirs) = (tray.desfire_memory(), described(chip));
        assert_eq!(ours.applications, theirs.applications, "{chip:?}");
        assert!(ours == theirs, "{chip:?}: the chip's own level");
        check_as_a_kiosk(&tray, &order(), technology(chip));
    }
}

#[test]
fn a_blank_classic_becomes_the_card_of_the_layout_page() {
    let tray = Tray::classic();
    let made = tray.make(&order()).unwrap();
    assert_eq!((made.technology, made.secret.is_none(), made.was_finished), (Technology::Classic, true, false));
    check_as_a_kiosk(&tray, &order(), Technology::Classic);
    let description = ClassicDescription {
        technology: ClassicTag::default(),
        uid: CLASSIC_UID.to_vec(),
        layout: city().classic.unwrap(),
        system_id: city().system_id,
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: Key::new(READ),
            credit: Key::new(CREDIT),
            transaction_mac: Key::new(TRANSACTION_MAC),
        }),
        identity: ClassicIdentity { number: NUMBER, generation: Generation(2) },
        purse: ClassicPurse { value: Cents(0), opening: None, day: TODAY },
        top_ups: vec![],
        flaws: vec![],
    };
    let theirs = personalise_classic(&description).unwrap();
    let ours = tray.0.borrow();
    let AnyCard::Classic(ours) = &*ours else { panic!("a DESFire card") };
    assert!(ours.memory() == theirs.memory());
}

/// Tears at each exchange in turn, lays the card down again, and compares it with one that was never torn.
fn check_torn_everywhere(blank: impl Fn() -> Tray, kind: FaultKind, order: &CardOrder) {
    let untorn = blank();
    untorn.make(order).unwrap();
    let expected = untorn.memory();
    for exchange in 1..EXCHANGES_MAX {
        let tray = blank();
        tray.plan(FaultPlan::once(When::Exchange(exchange), kind));
        match tray.make(order) {
            Ok(_) => {
                assert!(exchange > 20, "it was over after {exchange} exchanges");
                return;
            }
            Err(error) => assert_eq!(error.failure(), FailureCode::CardUnreadable, "at {exchange}: {error}"),
        }
        tray.plan(FaultPlan::none());
        let again = tray.make(order).unwrap_or_else(|error| panic!("{kind:?} at {exchange}: {error}"));
        assert!(tray.memory() == expected, "{kind:?} at {exchange}");
        assert_eq!(again.secret.as_ref().map(|secret| *secret.expose()), expected_secret(&again));
    }
    panic!("it never ends");
}

fn expected_secret(made: &Personalised) -> Option<[u8; 32]> {
    made.technology.is_desfire().then_some(SECRET)
}

#[test]
fn a_desfire_card_torn_at_any_exchange_is_finished_by_the_next_run() {
    for chip in CHIPS {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
            check_torn_everywhere(|| Tray::desfire(chip), kind, &order());
        }
    }
}

#[test]
fn so_is_one_that_hides_its_uid() {
    let order = CardOrder { random_uid: true, ..order() };
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        check_torn_everywhere(|| Tray::desfire(Chip::Ev2), kind, &order);
    }
}

#[test]
fn a_classic_card_torn_at_any_exchange_is_finished_by_the_next_run() {
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        check_torn_everywhere(Tray::classic, kind, &order());
    }
}

/// A block half-written is written again. A trailer half-written may have locked its sector for ever: then it is said
/// that the chip is lost, and nothing is ever called finished that is not.
#[test]
fn a_classic_block_torn_in_the_middle_is_finished_or_given_up() {
    let untorn = Tray::classic();
    untorn.make(&order()).unwrap();
    let expected = untorn.memory();
    let (mut finished, mut given_up) = (0, 0);
    for written in [1, 6, 9, 15] {
        for exchange in 1..EXCHANGES_MAX {
            let tray = Tray::classic();
            tray.plan(FaultPlan::once(When::Exchange(exchange), FaultKind::TearMidWrite(written)));
            if tray.make(&order()).is_ok() {
                break;
            }
            tray.plan(FaultPlan::none());
            match tray.make(&order()) {
                Ok(_) => {
                    finished += 1;
                    assert!(tray.memory() == expected, "{written} bytes at {exchange}");
                }
                Err(PersonaliseError::NoTransportKey | PersonaliseError::Card(CardError::Storage { .. })) => {
                    given_up += 1;
                    assert!(CityCard::open(tray.connect(), &city(), &mut issuer(1)).is_err());
                }
                Err(error) => panic!("{written} bytes at {exchange}: {error}"),
            }
        }
    }
    assert!(finished > 100 && given_up > 0 && given_up <= 16, "{finished} finished, {given_up} given up");
}

#[test]
fn a_finished_card_is_read_and_never_written() {
    for tray in [Tray::desfire(Chip::Ev1), Tray::desfire(Chip::Ev3), Tray::classic()] {
        tray.make(&order()).unwrap();
        let before = tray.memory();
        let other_secret = CardOrder { secret: CardSecret::new([9; 32]), ..order() };
        let again = tray.make(&other_secret).unwrap();
        assert!(again.was_finished);
        assert_eq!(again.secret.as_ref().map(|secret| *secret.expose()), expected_secret(&again));
        for other in [CardOrder { number: CardNumber(7), ..order() }, CardOrder { generation: Generation(3), ..order() }] {
            assert_eq!(tray.make(&other).unwrap_err(), PersonaliseError::OtherCard);
        }
        assert!(tray.memory() == before);
    }
}

#[test]
fn a_half_made_card_may_become_somebody_elses() {
    let tray = Tray::desfire(Chip::Ev2);
    tray.plan(FaultPlan::once(When::Ins(0x5F), FaultKind::TearBefore));
    tray.make(&CardOrder { number: CardNumber(7), secret: CardSecret::new([9; 32]), ..order() }).unwrap_err();
    tray.plan(FaultPlan::none());
    tray.make(&order()).unwrap();
    assert_eq!(tray.desfire_memory(), described(Chip::Ev2));
}

#[test]
fn keys_of_version_0_are_told_from_blank_ones_by_using_them() {
    let tray = Tray::desfire(Chip::Ev2);
    tray.plan(FaultPlan::once(When::Ins(0xCB), FaultKind::TearAfter));
    tray.make_by(&mut issuer(0), &order(), &mut |_| {}).unwrap_err();
    tray.plan(FaultPlan::none());
    let made = tray.make_by(&mut issuer(0), &order(), &mut |_| {}).unwrap();
    assert_eq!((made.was_finished, made.read_key_version), (false, 0));
}

#[test]
fn a_chip_with_the_citys_transport_key_is_opened_with_it_and_no_other_is() {
    let transport = AesKey::new([0x77; 16]);
    let description = BlankDescription { uid: UID, chip: Chip::Ev2, layout: city() };
    let mut memory = VirtualCard::blank(&description).memory().clone();
    memory.master.key = Key::new([0x77; 16]);
    let tray = Tray(Rc::new(RefCell::new(VirtualCard::new(memory, city()).seeded(7).into())));
    assert_eq!(tray.make(&order()).unwrap_err(), PersonaliseError::NoTransportKey);
    let blank = BlankKeys::new(vec![transport], vec![], Box::new(|| counting()));
    let piece = Workpiece::look(tray.connect(), &city(), &mut issuer(1)).unwrap();
    assert_eq!(piece.uid().bytes(), UID);
    piece.finish(&order(), &mut issuer(1), &blank, &mut |_| {}).unwrap();
    assert_eq!(tray.desfire_memory(), described(Chip::Ev2));
}

#[test]
fn another_citys_application_under_our_aid_is_left_alone() {
    let tray = Tray::desfire(Chip::Ev2);
    tray.make(&CardOrder { number: CardNumber(7), ..order() }).unwrap();
    let before = tray.memory();
    let one = |key| vec![VersionedKey { key: AesKey::new(key), version: 1 }];
    let mut other = SoftIssuer::new(
        IssuerBaseKeys {
            picc: one([1; 16]),
            master: one([2; 16]),
            read: one([3; 16]),
            debit: one([4; 16]),
            credit: one([5; 16]),
            uid: one([6; 16]),
            transaction_mac: VersionedKey { key: AesKey::new([7; 16]), version: 1 },
        },
        "other city",
        counting(),
    );
    let refused = tray.make_by(&mut other, &order(), &mut |_| {}).unwrap_err();
    assert_eq!(refused.failure(), FailureCode::CardOtherCity);
    assert!(tray.memory() == before);
}

#[test]
fn the_steps_are_told_in_their_order() {
    let check = |tray: &Tray, order: &CardOrder, expected: &[Step]| {
        let mut steps = Vec::new();
        tray.make_by(&mut issuer(1), order, &mut |step| steps.push(step)).unwrap();
        assert_eq!(steps, expected);
    };
    let random = CardOrder { random_uid: true, ..order() };
    check(&Tray::desfire(Chip::Ev3), &random, &Step::ALL);
    let tray = Tray::classic();
    check(&tray, &order(), &[Step::Application, Step::Files, Step::Records, Step::Identity, Step::ReadBack]);
    check(&tray, &order(), &[Step::ReadBack]);
    assert_eq!(Tray::classic().make(&random).unwrap_err(), PersonaliseError::NoRandomUid);
}
