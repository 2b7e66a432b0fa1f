//! One interface over both technologies.

use crate::classic_field::{Central, ClassicTray, city, classic_order, topped_up};
use crate::field::{
    CHIPS, Connection, PURSE, TERMINAL, Tray, credit_key, description, description_of, kiosk_keys, order, top_ups,
};
use card::{Apdu, CardError, CityCard, CreditKeys, CreditOutcome, NeedsCheck, Reply, Transport, TransportError};
use card_simulator::VirtualCard;
use card_simulator::memory::{Chip, Contents};
use domain::card::{CreditVerdict, PinTries, Presentation, Technology, Wishes};
use domain::{Cents, FailureCode, Handle, TopUpId};
use keys::{KeyError, KeyRole};
use std::cell::RefCell;
use std::rc::Rc;

/// A DESFire card with the answer to reset that its reader gives.
struct WithAtr<T>(T, Vec<u8>);

impl<T: Transport> Transport for WithAtr<T> {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        self.0.transmit(command)
    }

    fn atr(&self) -> &[u8] {
        &self.1
    }
}

fn desfire(tray: &Tray, atr: &[u8]) -> CityCard<WithAtr<Connection>> {
    CityCard::open(WithAtr(tray.connect(), atr.to_vec()), &city(), &mut kiosk_keys()).unwrap().0
}

#[test]
fn each_technology_is_opened_as_what_it_is() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let atr = tray.0.borrow().atr();
        let expected = if chip == Chip::Ev1 { Technology::DesfireEv1 } else { Technology::DesfireEv2 };
        for atr in [&atr[..], &[]] {
            let card = desfire(&tray, atr);
            assert_eq!((card.technology(), card.needs_repair()), (expected, false));
        }
    }
    assert_eq!(ClassicTray::with(&topped_up(1)).open().unwrap().0.technology(), Technology::Classic);
}

#[test]
fn another_storage_card_is_foreign_whatever_it_answers() {
    let tray = ClassicTray::with(&topped_up(1));
    let four_k = data_encoding::HEXUPPER.decode(b"3B8F8001804F0CA0000003060300020000000069").unwrap();
    let opened = CityCard::open(WithAtr(tray.connect(), four_k), &city(), &mut kiosk_keys());
    assert_eq!(opened.map(|_| ()).unwrap_err().failure(), FailureCode::CardForeign);
}

#[test]
fn a_desfire_card_is_credited_resolved_and_written_through_the_one_interface() {
    for chip in CHIPS {
        let tray = Tray::with(&description_of(chip));
        let atr = tray.0.borrow().atr();
        let mut card = desfire(&tray, &atr);
        let mut key = credit_key();
        let mut keys = CreditKeys::Desfire(&mut key);
        card.prove_credit_key(&mut keys).unwrap();
        let outcome = card.credit(&mut keys, &order(1, 500, 0));
        assert!(matches!(outcome, CreditOutcome::Credited { after: Cents(1_750), .. }), "{outcome:?}");
        let verdict = card.resolve(&mut kiosk_keys(), TopUpId([1; 16]), 0).unwrap();
        assert_eq!(
            verdict,
            CreditVerdict::Credited { before: Cents(PURSE), now: Cents(PURSE + 500), by: Some(TERMINAL) }
        );
        let tries = PinTries { attempt: 9, failures: 0, pin_version: 1 };
        card.write_tries(&mut kiosk_keys(), tries, TERMINAL).unwrap();
        card.write_wishes(&mut kiosk_keys(), &Wishes::default(), TERMINAL).unwrap();
        assert_eq!(tray.0.borrow().tries(), Some(tries));
        card.check_presence().unwrap();
        assert_eq!(card.repair(&mut Central::default()), Ok(false), "a DESFire card rolls back by itself");
    }
}

#[test]
fn centrals_key_for_an_old_card_credits_no_desfire_card() {
    let tray = Tray::with(&description());
    let atr = tray.0.borrow().atr();
    let mut card = desfire(&tray, &atr);
    let mut central = Central::default();
    let outcome = card.credit(&mut CreditKeys::Classic(&mut central), &order(1, 500, 0));
    assert_eq!(outcome, CreditOutcome::NotCredited(CardError::Key(KeyError::NoKey(KeyRole::Credit)).into()));
    assert_eq!(tray.0.borrow().purse(), Some(Cents(PURSE)));
}

#[test]
fn a_classic_card_is_credited_and_resolved_through_the_one_interface() {
    let tray = ClassicTray::with(&topped_up(1));
    let (mut card, _) = tray.open().unwrap();
    let mut central = Central::at(1);
    let mut keys = CreditKeys::Classic(&mut central);
    card.prove_credit_key(&mut keys).unwrap();
    let outcome = card.credit(&mut keys, &classic_order(7, 500, 1));
    assert!(matches!(outcome, CreditOutcome::Credited { after: Cents(1_750), .. }), "{outcome:?}");
    let verdict = card.resolve(&mut kiosk_keys(), TopUpId([7; 16]), 1).unwrap();
    assert_eq!(verdict, CreditVerdict::Credited { before: Cents(1_250), now: Cents(1_750), by: None });
}

#[test]
fn a_desfire_purse_above_what_it_was_opened_with_is_read_and_flagged() {
    let tray = Tray::with(&description());
    let contents = tray.open().unwrap().1;
    let opened = contents.top_ups.first().map(|record| (record.counter, record.before, record.amount));
    assert_eq!((opened, contents.needs_check), (Some((0, Cents(0), Cents(PURSE))), None));
    let mut raised = tray.0.borrow().memory().clone();
    for file in raised.applications[0].files.values_mut() {
        if let Contents::Value(purse) = &mut file.contents {
            purse.value += 1;
        }
    }
    let tray = Tray(Rc::new(RefCell::new(VirtualCard::new(raised, description().layout))));
    let limit = NeedsCheck::AboveLastTopUp { limit: Cents(PURSE) };
    assert_eq!(tray.open().unwrap().1.needs_check, Some(limit));
}

#[test]
fn a_desfire_purse_above_its_last_top_up_is_read_and_flagged() {
    let mut description = description();
    description.top_ups = top_ups(3);
    let tray = Tray::with(&description);
    assert_eq!(tray.open().unwrap().1.needs_check, None);
    description.purse.value = Cents(PURSE + 1);
    let tray = Tray::with(&description);
    let contents = tray.open().unwrap().1;
    assert_eq!(contents.needs_check, Some(NeedsCheck::AboveLastTopUp { limit: Cents(PURSE) }));
    assert!(contents.into_snapshot(Presentation(1), Some(Handle(1))).needs_check);
}
