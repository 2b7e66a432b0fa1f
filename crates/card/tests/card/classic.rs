//! A MIFARE Classic card that stays where it is: read, credited, refused; on every reader.

use crate::classic_field::{
    CLASSIC_PURSE, CLASSIC_UID, Central, ClassicTray, READERS, city, classic_description, classic_order, flawed,
    past_top_up, topped_up, value_bytes,
};
use crate::field::{TERMINAL, kiosk_keys, kiosk_keys_of, read_key};
use card::classic::{ClassicChip, DataBlock};
use card::{CardError, Change, CityCard, CreditOutcome, CreditRefusal, NeedsCheck, ReaderProfile};
use card_simulator::{ClassicFlaw, FaultKind, FaultPlan, When};
use domain::card::{CreditVerdict, PinTries, Technology, Wishes};
use domain::device::CreditOrder;
use domain::{CardNumber, Cents, Day, FailureCode, Generation, TopUpId, Uid};
use keys::classic::{ClassicKeyKind, PurseSeal, sector_key};
use keys::{AesKey, KeyError, KeyRole};
use std::rc::Rc;

#[test]
fn a_card_is_read_as_it_was_personalised_on_every_reader() {
    for reader in READERS {
        let tray = ClassicTray::on(&topped_up(5), reader);
        let (card, contents) = tray.open().unwrap();
        let CityCard::Classic(session) = &card else { panic!("not a Classic card") };
        assert_eq!(session.profile(), reader.2);
        assert_eq!((card.uid().bytes(), card.technology()), (&CLASSIC_UID[..], Technology::Classic));
        assert_eq!(contents.technology, Technology::Classic);
        assert_eq!(
            (contents.identity.number, contents.identity.generation),
            (CardNumber(6_000_777_001), Generation(4))
        );
        assert_eq!(contents.identity.secret, None);
        assert_eq!((contents.purse, contents.needs_check), (Some(Cents(CLASSIC_PURSE)), None));
        let top_ups: Vec<_> =
            contents.top_ups.iter().map(|record| (record.counter, record.amount, record.day)).collect();
        assert_eq!(top_ups, [5, 4, 3].map(|counter| (counter, Cents(500), Day(20_100))));
        assert!(!card.needs_repair());
    }
}

#[test]
fn without_an_answer_to_reset_the_technology_is_told_by_the_answer() {
    let tray = ClassicTray::with(&topped_up(1));
    let connection = tray.connect().without_atr();
    let (card, _) = CityCard::open(connection, &city(), &mut kiosk_keys()).unwrap();
    assert_eq!(card.technology(), Technology::Classic);
}

#[test]
fn the_older_version_of_the_read_key_still_opens_a_card() {
    let tray = ClassicTray::with(&topped_up(2));
    let mut keys = kiosk_keys_of(vec![[0xEE; 16], read_key()]);
    let (mut card, _) = CityCard::open(tray.connect(), &city(), &mut keys).unwrap();
    let verdict = card.resolve(&mut keys, TopUpId([102; 16]), 1).unwrap();
    assert!(matches!(verdict, CreditVerdict::Credited { .. }));
}

#[test]
fn a_credit_is_written_read_back_recorded_and_sealed_on_every_reader() {
    for reader in READERS {
        for count in [0, 1, 2, 3, 7] {
            let tray = ClassicTray::on(&topped_up(count), reader);
            let mut central = Central::at(count);
            let outcome = tray.session().credit(&mut central, &classic_order(9, 700, count));
            let (before, after) = (Cents(CLASSIC_PURSE), Cents(CLASSIC_PURSE + 700));
            assert_eq!(outcome, CreditOutcome::Credited { before, after, receipt: None }, "{reader:?} {count}");
            let address = u8::try_from(count + 1).unwrap();
            assert_eq!(tray.main(), Some((1_950, address)));
            let backup = tray.card.borrow().backup_block().unwrap();
            assert_eq!((backup.value, backup.address), (1_250, u8::try_from(count).unwrap()));
            let newest = tray.card.borrow().top_ups()[0];
            assert_eq!((newest.counter, newest.top_up, newest.amount), (count + 1, [9; 6], Cents(700)));
            assert_eq!((newest.before, newest.day), (before, Day(20_414)));
            let seal = PurseSeal { counter: count + 1, day: 9_457, value_after: 1_950 };
            assert!(tray.is_sealed(&central, &seal));
            assert_eq!(tray.contents().top_ups[0].counter, count + 1);
        }
    }
}

#[test]
fn one_session_proves_the_key_credits_and_resolves() {
    let tray = ClassicTray::with(&topped_up(0));
    let (mut session, mut central) = (tray.session(), Central::default());
    session.prove_credit_key(&mut central).unwrap();
    for number in 1..=6_u8 {
        let outcome = session.credit(&mut central, &classic_order(number, 100, u32::from(number) - 1));
        assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    }
    let mut resolve = |top_up, seen| session.resolve(&mut kiosk_keys(), TopUpId([top_up; 16]), seen).unwrap();
    let credited = |before| CreditVerdict::Credited { before: Cents(before), now: Cents(1_850), by: None };
    assert_eq!(resolve(6, 5), credited(1_750));
    assert_eq!(resolve(4, 3), credited(1_550));
    assert_eq!(resolve(99, 6), CreditVerdict::NotCredited);
    assert_eq!(resolve(99, 3), CreditVerdict::NotCredited);
    assert_eq!(resolve(99, 2), CreditVerdict::Unknown);
    assert_eq!(resolve(1, 0), CreditVerdict::Unknown);
}

#[test]
fn what_must_not_be_credited_is_not() {
    let check = |order: &CreditOrder, expected: CreditRefusal, code: FailureCode| {
        let tray = ClassicTray::with(&topped_up(3));
        let before = tray.card.borrow().memory().clone();
        let outcome = tray.session().credit(&mut Central::at(3), order);
        assert_eq!(expected.failure(), code);
        assert_eq!(outcome, CreditOutcome::NotCredited(expected));
        assert_eq!(tray.card.borrow().memory(), &before);
    };
    check(&classic_order(1, 2_001, 3), CreditRefusal::AboveTopUpMax, FailureCode::TopUpLimit);
    check(&classic_order(1, 0, 3), CreditRefusal::AmountInvalid, FailureCode::ConfigurationInvalid);
    check(&classic_order(1, 500, 2), CreditRefusal::CounterMoved { found: 3 }, FailureCode::CounterMoved);
    let limited = CreditOrder { purse_max: Cents(1_700), ..classic_order(1, 500, 3) };
    check(&limited, CreditRefusal::PurseFull, FailureCode::PurseFull);
    let early = CreditOrder { day: Day(9_000), ..classic_order(1, 500, 3) };
    check(&early, CreditRefusal::DayInvalid, FailureCode::ConfigurationInvalid);
}

#[test]
fn a_purse_is_never_raised_above_the_low_limit_of_its_kind() {
    let mut description = classic_description();
    description.purse.value = Cents(3_500);
    let tray = ClassicTray::with(&description);
    let full = tray.session().credit(&mut Central::default(), &classic_order(1, 1_501, 0));
    assert_eq!(full, CreditOutcome::NotCredited(CreditRefusal::PurseFull));
    let fits = tray.session().credit(&mut Central::default(), &classic_order(1, 1_500, 0));
    assert!(matches!(fits, CreditOutcome::Credited { after: Cents(5_000), .. }));
}

#[test]
fn without_central_nothing_is_credited_and_the_card_is_untouched() {
    let tray = ClassicTray::with(&topped_up(3));
    let before = tray.card.borrow().memory().clone();
    let mut central = Central { offline: true, ..Central::at(3) };
    let CreditOutcome::NotCredited(refusal) = tray.session().credit(&mut central, &classic_order(1, 500, 3)) else {
        panic!("credited without central")
    };
    assert_eq!(refusal.failure(), FailureCode::CentralUnreachable);
    assert_eq!(tray.card.borrow().memory(), &before);
}

#[test]
fn a_wrong_key_b_is_found_before_any_payment() {
    let tray = ClassicTray::with(&topped_up(3));
    let mut central = Central { wrong_keys: true, ..Central::at(3) };
    let mut session = tray.session();
    let error = session.prove_credit_key(&mut central).unwrap_err();
    assert_eq!(
        (&error, error.failure()),
        (&CardError::AuthenticationFailed(KeyRole::Credit), FailureCode::CreditKeyRejected)
    );
    assert!(session.resolve(&mut kiosk_keys(), TopUpId([1; 16]), 3).is_ok(), "the visit goes on");
}

#[test]
fn keys_of_the_other_technology_credit_nothing() {
    let tray = ClassicTray::with(&topped_up(3));
    let (mut card, _) = tray.open().unwrap();
    let mut key = crate::field::credit_key();
    let mut keys = card::CreditKeys::Desfire(&mut key);
    let refused = CardError::Key(KeyError::NoKey(KeyRole::Credit));
    assert_eq!(card.prove_credit_key(&mut keys), Err(refused.clone()));
    let outcome = card.credit(&mut keys, &classic_order(1, 500, 3));
    assert_eq!(outcome, CreditOutcome::NotCredited(refused.into()));
}

#[test]
fn a_classic_card_keeps_neither_tries_nor_wishes() {
    let tray = ClassicTray::with(&topped_up(3));
    let (mut card, _) = tray.open().unwrap();
    let check = |refused: Result<(), CardError>| assert_eq!(refused.unwrap_err().failure(), FailureCode::CardOld);
    check(card.write_tries(&mut kiosk_keys(), PinTries::default(), TERMINAL));
    check(card.write_wishes(&mut kiosk_keys(), &Wishes::default(), TERMINAL));
}

#[test]
fn a_purse_that_contradicts_itself_is_read_flagged_and_never_topped_up() {
    let check = |flaw, expected: NeedsCheck| {
        let tray = ClassicTray::with(&flawed(3, flaw));
        let contents = tray.contents();
        assert_eq!(contents.needs_check, Some(expected));
        assert_eq!(contents.identity.number, CardNumber(6_000_777_001), "the card is still served");
        let before = tray.card.borrow().memory().clone();
        let outcome = tray.session().credit(&mut Central::at(3), &classic_order(1, 500, 3));
        let CreditOutcome::NotCredited(refusal) = outcome else { panic!("{outcome:?}") };
        assert_eq!(refusal.failure(), FailureCode::PurseImplausible);
        assert_eq!(tray.card.borrow().memory(), &before);
    };
    check(ClassicFlaw::ForgedValue(Cents(1_501)), NeedsCheck::AboveLastTopUp { limit: Cents(1_500) });
    check(ClassicFlaw::ForgedValue(Cents(505_290_770)), NeedsCheck::AboveMaximum { max: Cents(5_000) });
    check(ClassicFlaw::ForgedValue(Cents(-1)), NeedsCheck::Negative);
    check(ClassicFlaw::BrokenMain, NeedsCheck::PurseUnreadable);
}

#[test]
fn cards_that_are_not_ours_or_not_finished_are_told_apart() {
    let check = |description: &card_simulator::ClassicDescription, expected: FailureCode| {
        let error = ClassicTray::with(description).open().map(|_| ()).unwrap_err();
        assert_eq!(error.failure(), expected, "{error}");
    };
    let mut other = topped_up(1);
    other.system_id = "another city".into();
    check(&other, FailureCode::CardOtherCity);
    let mut library = topped_up(1);
    library.layout.mad_aid = 0x4801;
    check(&library, FailureCode::CardForeign);
    check(&flawed(1, ClassicFlaw::NoIdentity), FailureCode::CardDamaged);
    check(&flawed(1, ClassicFlaw::WrongMadCrc), FailureCode::CardDamaged);
    let mut nowhere = city();
    nowhere.classic = None;
    let tray = ClassicTray::with(&topped_up(1));
    let error = CityCard::open(tray.connect(), &nowhere, &mut kiosk_keys()).map(|_| ()).unwrap_err();
    assert_eq!(error, CardError::NoApplication);
}

#[test]
fn a_card_swapped_behind_the_readers_back_is_noticed() {
    let tray = ClassicTray::with(&topped_up(3));
    let (mut card, _) = tray.open().unwrap();
    card.check_presence().unwrap();
    let mut other = topped_up(3);
    other.uid = vec![1, 2, 3, 4];
    *tray.card.borrow_mut() = card_simulator::personalise_classic(&other).unwrap();
    assert_eq!(card.check_presence(), Err(CardError::Swapped));
    let before = tray.card.borrow().memory().clone();
    let mut central = Central::at(3);
    let outcome = card.credit(&mut card::CreditKeys::Classic(&mut central), &classic_order(1, 500, 3));
    assert_eq!(outcome, CreditOutcome::NotCredited(CardError::Swapped.into()));
    assert_eq!(tray.card.borrow().memory(), &before);
}

#[test]
fn a_seal_one_behind_and_a_broken_backup_are_mended_by_the_next_credit() {
    for flaw in [ClassicFlaw::SealBehind, ClassicFlaw::BrokenBackup] {
        let tray = ClassicTray::with(&flawed(3, flaw));
        let mut session = tray.session();
        assert_eq!(session.needs_repair(), flaw == ClassicFlaw::SealBehind, "{flaw:?}");
        let mut central = Central::at(3);
        let outcome = session.credit(&mut central, &classic_order(1, 500, 3));
        assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
        assert!(tray.is_sealed(&central, &PurseSeal { counter: 4, day: 9_457, value_after: 1_750 }));
        assert!(!tray.session().needs_repair());
    }
}

#[test]
fn a_top_up_that_never_reached_its_commit_is_none() {
    let next = past_top_up(4, CLASSIC_PURSE);
    let tray = ClassicTray::with(&flawed(3, ClassicFlaw::TornMidCredit(next)));
    assert_eq!(tray.contents().top_ups.iter().map(|record| record.counter).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(tray.resolve(104, 3), CreditVerdict::NotCredited);
    let outcome = tray.session().credit(&mut Central::at(4), &classic_order(1, 500, 3));
    assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    assert_eq!(tray.resolve(104, 3), CreditVerdict::NotCredited);
}

/// The validators' operation, by each maker's command and portably; the counter in the address byte stays.
#[test]
fn a_value_block_is_changed_alike_on_every_reader() {
    for reader in READERS {
        for profile in [reader.2, ReaderProfile::Portable] {
            let tray = ClassicTray::on(&topped_up(3), reader);
            let mut chip = ClassicChip::new(tray.connect(), profile);
            let (base, uid) = (AesKey::new(read_key()), Uid::new(&CLASSIC_UID).unwrap());
            let key = sector_key(&base, &uid, 2, ClassicKeyKind::A, "demo city").unwrap();
            assert_eq!(chip.authenticate(2, ClassicKeyKind::A, &key), Ok(true));
            let main = DataBlock::new(2, 0).unwrap();
            let changed = chip.change(main, Change::Decrement(150));
            if profile.name() == "acs" || profile.name() == "omnikey" {
                assert_eq!(changed, Ok(()));
                assert_eq!(tray.main(), Some((1_100, 3)));
            } else {
                // Key A may decrement and not write: a reader without the operation is no validator's.
                assert!(matches!(changed, Err(CardError::Storage { .. })), "{changed:?}");
                assert_eq!(tray.main(), Some((1_250, 3)));
            }
        }
    }
}

#[test]
fn both_sides_write_the_same_bytes() {
    let tray = ClassicTray::with(&topped_up(3));
    assert_eq!(tray.card.borrow().memory().block(8), value_bytes(1_250, 3));
}

#[test]
fn a_reader_that_keeps_its_keys_is_left_without_the_card_s_key_b() {
    let tray = ClassicTray::with(&topped_up(3));
    let connection = tray.connect().with_lasting_keys_only();
    let loaded = Rc::clone(&connection.loaded);
    let (mut card, _) = CityCard::open(connection, &city(), &mut kiosk_keys()).unwrap();
    let mut central = Central::at(3);
    let outcome = card.credit(&mut card::CreditKeys::Classic(&mut central), &classic_order(1, 500, 3));
    assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    assert_eq!(*loaded.borrow(), [0; 6]);
}

#[test]
fn no_reader_is_left_with_a_cards_key_b() {
    type Errand = fn(&mut CityCard<crate::classic_field::ClassicConnection>, &mut Central);
    let prove: Errand = |card, central| card.prove_credit_key(&mut card::CreditKeys::Classic(central)).unwrap();
    let repair: Errand = |card, central| assert_eq!(card.repair(central), Ok(false));
    let credit: Errand =
        |card, central| drop(card.credit(&mut card::CreditKeys::Classic(central), &classic_order(1, 500, 3)));
    for errand in [prove, repair, credit] {
        for lasting in [false, true] {
            let tray = ClassicTray::with(&topped_up(3));
            let connection = if lasting { tray.connect().with_lasting_keys_only() } else { tray.connect() };
            let loaded = Rc::clone(&connection.loaded);
            let (mut card, _) = CityCard::open(connection, &city(), &mut kiosk_keys()).unwrap();
            errand(&mut card, &mut Central::at(3));
            assert_eq!(*loaded.borrow(), [0; 6]);
        }
    }
}

#[test]
fn a_key_b_left_by_a_card_that_was_lifted_is_gone_with_the_next_card() {
    let tray = ClassicTray::with(&topped_up(3));
    let connection = tray.connect();
    let loaded = Rc::clone(&connection.loaded);
    let (mut card, _) = CityCard::open(connection, &city(), &mut kiosk_keys()).unwrap();
    tray.card.borrow_mut().set_faults(FaultPlan::once(When::Ins(0xB0), FaultKind::TearBefore));
    assert!(card.repair(&mut Central::at(3)).is_err());
    let left = loaded.borrow().clone();
    assert_ne!(left, [0; 6], "it could not be told to forget");
    let next = tray.connect();
    let loaded = Rc::clone(&next.loaded);
    CityCard::open(next, &city(), &mut kiosk_keys()).map(drop).unwrap();
    assert_ne!(*loaded.borrow(), left);
}
