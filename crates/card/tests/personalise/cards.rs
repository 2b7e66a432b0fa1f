//! Making cards of blank chips: the card is the one that the simulator makes by itself from the layout page, and a
//! card torn at any exchange is finished by running it again.

use crate::chips::{
    CHIPS, CLASSIC_UID, CREDIT, EXCHANGES_MAX, NUMBER, READ, SECRET, TODAY, TRANSACTION_MAC, Tray, UID,
    check_as_a_kiosk, city, counting, described, issuer, order, technology,
};
use card::personalise::{BlankKeys, CardOrder, PersonaliseError, Personalised, Step, Workpiece};
use card::{CardError, CardSecret};
use card_simulator::memory::Chip;
use card_simulator::{
    AnyCard, BlankDescription, ClassicBaseKeys, ClassicDescription, ClassicIdentity, ClassicKeySource, ClassicPurse,
    ClassicTag, FaultKind, FaultPlan, Key, VirtualCard, When, personalise_classic,
};
use domain::card::Technology;
use domain::{CardNumber, Cents, FailureCode, Generation};
use keys::{AesKey, IssuerBaseKeys, SoftIssuer, VersionedKey};
use std::cell::RefCell;
use std::rc::Rc;

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
fn a_chip_straight_from_its_maker_becomes_the_same_card() {
    for chip in CHIPS {
        let tray = Tray::factory(chip);
        assert!(tray.desfire_memory().master_is_des);
        let made = tray.make(&order()).unwrap();
        assert_eq!((made.technology, made.was_finished, made.read_key_version), (technology(chip), false, 1));
        assert!(tray.desfire_memory() == described(chip), "{chip:?}");
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
fn so_is_one_straight_from_its_maker() {
    for chip in CHIPS {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
            check_torn_everywhere(|| Tray::factory(chip), kind, &order());
        }
    }
}

/// Then the key's version byte does not tell the city's from the maker's.
#[test]
fn so_is_one_straight_from_its_maker_whose_keys_are_to_be_of_version_0() {
    for (ins, kind) in [(0xC4, FaultKind::TearBefore), (0xC4, FaultKind::TearAfter), (0x54, FaultKind::TearAfter)] {
        let tray = Tray::factory(Chip::Ev2);
        tray.plan(FaultPlan::once(When::Ins(ins), kind));
        tray.make_by(&mut issuer(0), &order(), &mut |_| {}).unwrap_err();
        assert_eq!(tray.desfire_memory().master_is_des, ins == 0xC4 && kind == FaultKind::TearBefore);
        tray.plan(FaultPlan::none());
        let made = tray.make_by(&mut issuer(0), &order(), &mut |_| {}).unwrap();
        assert_eq!((made.was_finished, tray.desfire_memory().master_is_des), (false, false));
    }
}

#[test]
fn another_issuers_card_with_the_makers_key_is_not_taken_over() {
    let check = |settings, expected| {
        let mut memory = Tray::factory(Chip::Ev2).desfire_memory();
        memory.applications = described(Chip::Ev2).applications;
        memory.applications[0].aid = [0xD1, 0xD2, 0xD3];
        memory.settings = settings;
        let tray = Tray(Rc::new(RefCell::new(VirtualCard::new(memory.clone(), city()).seeded(7).into())));
        assert_eq!(tray.make(&order()).unwrap_err(), expected);
        assert!(tray.desfire_memory() == memory);
    };
    check(0x0F, PersonaliseError::NotBlank("list of applications"));
    check(0x0D, PersonaliseError::NoTransportKey);
}

#[test]
fn a_chip_whose_des_key_is_not_the_makers_is_left_alone() {
    let mut memory = Tray::factory(Chip::Ev3).desfire_memory();
    memory.master.key = Key::new([0x5A; 16]);
    let tray = Tray(Rc::new(RefCell::new(VirtualCard::new(memory.clone(), city()).seeded(7).into())));
    assert_eq!(tray.make(&order()).unwrap_err(), PersonaliseError::NoTransportKey);
    assert!(tray.desfire_memory() == memory);
}

#[test]
fn so_is_one_that_hides_its_uid() {
    let order = CardOrder { random_uid: true, ..order() };
    for chip in CHIPS {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
            check_torn_everywhere(|| Tray::desfire(chip), kind, &order);
        }
    }
}

#[test]
fn a_classic_card_torn_at_any_exchange_is_finished_by_the_next_run() {
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        check_torn_everywhere(Tray::classic, kind, &order());
    }
}

#[test]
fn a_card_torn_again_and_again_is_finished_in_the_end() {
    let blanks: [fn() -> Tray; 4] =
        [|| Tray::desfire(Chip::Ev1), || Tray::desfire(Chip::Ev3), || Tray::factory(Chip::Ev2), Tray::classic];
    for blank in blanks {
        let untorn = blank();
        untorn.make(&order()).unwrap();
        let tray = blank();
        let mut runs = 0;
        loop {
            runs += 1;
            tray.plan(FaultPlan::once(When::Exchange(5 + 4 * runs), FaultKind::TearAfter));
            if tray.make(&order()).is_ok() {
                break;
            }
        }
        assert!(runs > 5, "{runs} runs");
        assert!(tray.memory() == untorn.memory(), "{runs} runs");
    }
}

/// A block half-written is written again. A trailer half-written may have locked its sector for ever: then it is said
/// that the chip is lost, and never that it is finished.
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
                    assert!(tray.make(&order()).is_err(), "once given up is for ever");
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
        for other in
            [CardOrder { number: CardNumber(7), ..order() }, CardOrder { generation: Generation(3), ..order() }]
        {
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
