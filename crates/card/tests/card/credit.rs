//! Crediting a card that stays where it is.

use crate::field::{
    CHIPS, PURSE, PURSE_MAX, TERMINAL, TRANSACTION_MAC, Tray, UID, credit_key, description, description_of, kiosk_keys,
    order, own_key, top_ups, wrong_credit_key,
};
use card::{CardError, CreditOutcome, CreditRefusal};
use card_simulator::memory::Chip;
use domain::card::CreditVerdict;
use domain::device::ReaderEvent;
use domain::{Cents, FailureCode, TopUpId, Uid};
use keys::KeyRole;
use keys::transaction_mac::{TransactionKeys, TransactionMacInput};

const READ_RECORDS_ISO: u8 = 0xAB;
const WRITE_RECORD_ISO: u8 = 0x8B;

fn credit(tray: &Tray, order: &domain::device::CreditOrder) -> CreditOutcome {
    tray.session().credit(&mut credit_key(), order)
}

#[test]
fn a_credit_and_its_record_are_committed_and_read_back() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let outcome = credit(&tray, &order(1, 500, 0));
        let CreditOutcome::Credited { receipt, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(receipt.is_some(), chip != Chip::Ev1, "an EV1 has no TransactionMAC");
        let event = outcome.into_event(TopUpId([1; 16]));
        let (before, after) = (Cents(PURSE), Cents(PURSE + 500));
        assert_eq!(event, ReaderEvent::Credited { top_up: TopUpId([1; 16]), before, after });
        assert_eq!(tray.0.borrow().purse(), Some(after));
        let newest = tray.0.borrow().top_ups()[0];
        assert_eq!((newest.counter, newest.top_up, newest.amount), (1, TopUpId([1; 16]), Cents(500)));
        assert_eq!((newest.before, newest.terminal), (before, TERMINAL));
    }
}

#[test]
fn one_session_proves_the_key_credits_and_reads_on() {
    CHIPS.into_iter().for_each(one_session_on);
}

fn one_session_on(chip: Chip) {
    let tray = Tray::with(&description_of(chip));
    let mut session = tray.session();
    session.prove_credit_key(&mut credit_key()).unwrap();
    assert!(matches!(session.credit(&mut credit_key(), &order(1, 500, 0)), CreditOutcome::Credited { .. }));
    assert!(matches!(session.credit(&mut credit_key(), &order(2, 700, 1)), CreditOutcome::Credited { .. }));
    let verdict = session.resolve(&mut kiosk_keys(), TopUpId([1; 16]), 0).unwrap();
    assert_eq!(
        verdict,
        CreditVerdict::Credited { before: Cents(PURSE), now: Cents(PURSE + 1_200), by: Some(TERMINAL) }
    );
    assert_eq!(session.resolve(&mut kiosk_keys(), TopUpId([3; 16]), 2).unwrap(), CreditVerdict::NotCredited);
    assert_eq!(session.resolve(&mut kiosk_keys(), TopUpId([3; 16]), 1).unwrap(), CreditVerdict::NotCredited);
}

#[test]
fn a_wrong_credit_key_is_found_before_any_payment() {
    let tray = Tray::with(&description());
    let mut session = tray.session();
    let error = session.prove_credit_key(&mut wrong_credit_key()).unwrap_err();
    assert_eq!(error, CardError::AuthenticationFailed(KeyRole::Credit));
    assert_eq!(error.failure(), FailureCode::CreditKeyRejected);
    assert!(session.top_ups(&mut kiosk_keys()).is_ok(), "the visit goes on");
}

#[test]
fn what_must_not_be_credited_is_not() {
    let check = |order: &domain::device::CreditOrder, expected: CreditRefusal| {
        let tray = Tray::with(&description());
        assert_eq!(credit(&tray, order), CreditOutcome::NotCredited(expected));
        assert_eq!(tray.0.borrow().purse(), Some(Cents(PURSE)));
        assert_eq!(tray.0.borrow().top_ups().len(), 1);
    };
    check(&order(1, 500, 1), CreditRefusal::CounterMoved { found: 0 });
    check(&order(1, PURSE_MAX - PURSE + 1, 0), CreditRefusal::PurseFull);
    check(&order(1, 0, 0), CreditRefusal::AmountInvalid);
    let lower = domain::device::CreditOrder { purse_max: Cents(PURSE - 1), ..order(1, 500, 0) };
    check(&lower, CreditRefusal::PurseImplausible);
}

#[test]
fn a_purse_above_what_its_last_top_up_left_is_never_topped_up() {
    for chip in CHIPS {
        let mut description = description_of(chip);
        description.top_ups = top_ups(2);
        description.purse.value = Cents(PURSE + 1);
        let tray = Tray::with(&description);
        let outcome = credit(&tray, &order(3, 500, 2));
        assert_eq!(outcome, CreditOutcome::NotCredited(CreditRefusal::PurseImplausible));
        assert_eq!(tray.0.borrow().purse(), Some(Cents(PURSE + 1)));
    }
}

#[test]
fn the_cards_own_limit_refuses_what_the_order_would_allow() {
    let tray = Tray::with(&description());
    let generous = domain::device::CreditOrder { purse_max: Cents(1_000_000), ..order(1, PURSE_MAX, 0) };
    let event = credit(&tray, &generous).into_event(TopUpId([1; 16]));
    assert_eq!(event, ReaderEvent::NotCredited(TopUpId([1; 16]), FailureCode::PurseFull));
    assert_eq!(tray.0.borrow().purse(), Some(Cents(PURSE)));
}

#[test]
fn a_purse_that_hides_its_value_is_still_resolved() {
    for chip in CHIPS {
        let mut description = description_of(chip);
        description.purse.free_get_value = false;
        let tray = Tray::with(&description);
        assert!(matches!(credit(&tray, &order(1, 500, 0)), CreditOutcome::Credited { .. }));
        let mut session = tray.session();
        let credited = CreditVerdict::Credited { before: Cents(PURSE), now: Cents(PURSE + 500), by: Some(TERMINAL) };
        assert_eq!(session.resolve(&mut kiosk_keys(), TopUpId([1; 16]), 0), Ok(credited));
        let again = session.resolve(&mut kiosk_keys(), TopUpId([2; 16]), 1);
        assert_eq!(again, Ok(CreditVerdict::NotCredited), "the session goes on");
    }
}

#[test]
fn a_file_that_has_rolled_on_leaves_the_verdict_to_central() {
    let tray = Tray::with(&description());
    for number in 1..=6_u8 {
        let outcome = credit(&tray, &order(number, 100, u32::from(number) - 1));
        assert!(matches!(outcome, CreditOutcome::Credited { .. }), "{outcome:?}");
    }
    let resolve = |top_up, seen| tray.session().resolve(&mut kiosk_keys(), TopUpId([top_up; 16]), seen).unwrap();
    assert_eq!(resolve(99, 0), CreditVerdict::Unknown);
    assert_eq!(resolve(99, 4), CreditVerdict::NotCredited);
    let credited = CreditVerdict::Credited { before: Cents(PURSE + 300), now: Cents(PURSE + 600), by: Some(TERMINAL) };
    assert_eq!(resolve(4, 3), credited);
}

/// The issuer recomputes what the card signed: two implementations of the TransactionMAC agree.
#[test]
fn the_issuer_can_prove_each_credit() {
    let tray = Tray::with(&description());
    let own = own_key(TRANSACTION_MAC, 0xFF);
    let before = tray.0.borrow().top_ups();
    let CreditOutcome::Credited { receipt: Some(receipt), .. } = credit(&tray, &order(1, 500, 0)) else {
        panic!("not credited")
    };
    let top_ups = tray.0.borrow().top_ups();
    let encode = |record| card::layout::write_top_up(record).unwrap();
    let input = |amount: i32| {
        TransactionMacInput::new()
            .value_operation(0x6C, 2, i32::try_from(PURSE).unwrap())
            .data_operation(READ_RECORDS_ISO, 3, [0; 3], [1, 0, 0], &encode(&before[0]))
            .value_operation(0x0C, 2, amount)
            .data_operation(WRITE_RECORD_ISO, 3, [0; 3], [48, 0, 0], &encode(&top_ups[0]))
            .commit_reader_id(&card::layout::reader_id(TERMINAL), &receipt.previous_reader)
    };
    let keys = TransactionKeys::derive(&own, &Uid::new(&UID).unwrap(), receipt.counter).unwrap();
    assert!(keys.verify(&input(500), &receipt.mac));
    assert!(!keys.verify(&input(501), &receipt.mac));
}
