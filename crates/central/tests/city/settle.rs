use crate::fixture::officer;
use crate::money::{A, AFTER, AMOUNT, B, BEFORE, OURS, SEEN, Street, intent};
use central::claims::blocks;
use central::claims::settle::{self, Refused};
use central::reconcile::Cause;
use central::{CentralError, registry, settings};
use domain::{Cents, FailureCode, TopUpId};
use ledger::{ClaimCode, Fact, Payment, Settlement};

const OTHER: TopUpId = TopUpId([1; 16]);

fn pay_out(street: &Street) -> Result<Cents, Refused> {
    settled(street, Settlement::PaidOut)
}

fn settled(street: &Street, how: Settlement) -> Result<Cents, Refused> {
    let result = settle::settle(&mut street.city.database(), OURS, how, &officer("Ana Prado"), street.now);
    result.map_err(|error| match error {
        CentralError::Claim(refused) => refused,
        other => panic!("{other}"),
    })
}

fn block(street: &Street) {
    let mut database = street.city.database();
    assert!(blocks::block(&mut database, street.card, street.generation, &officer("Ana Prado"), street.now).unwrap());
}

fn confirm(street: &Street) -> usize {
    blocks::confirm(&mut street.city.database(), street.now, &officer("Luis Mar"), street.now).unwrap()
}

#[test]
fn cash_leaves_the_desk_only_after_the_orders_expiry_and_a_block_that_has_reached_every_validator() {
    let mut street = Street::open();
    street.claim(OURS);
    street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    assert_eq!(pay_out(&street), Err(Refused::NotBlocked));
    block(&street);
    assert_eq!(street.standing().0, "open");
    assert_eq!(pay_out(&street), Err(Refused::Ordered(241)));
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None, "a blocked card gets no order");
    street.later(11);
    assert_eq!(pay_out(&street), Err(Refused::BlockOnItsWay));
    // A list from before the block confirms nothing.
    let before = street.now.plus_ms(-12 * 86_400_000);
    assert_eq!(blocks::confirm(&mut street.city.database(), before, &officer("Luis Mar"), street.now).unwrap(), 0);
    assert!(
        blocks::confirm(&mut street.city.database(), street.now.plus_ms(1), &officer("Luis Mar"), street.now).is_err()
    );
    assert_eq!(pay_out(&street), Err(Refused::BlockOnItsWay));
    assert_eq!(confirm(&street), 1);
    assert_eq!(pay_out(&street), Ok(AMOUNT));
    assert_eq!(street.standing(), ("paid-out", "nothing"));
    assert_eq!(street.sums(), [2_000, 0, 0, 0, -2_000]);
    assert_eq!(pay_out(&street).unwrap_err().to_string(), "the claim is paid-out already");
    let officer = "SELECT count(*) FROM settlement WHERE officer = 'Ana Prado' AND how = 'paid-out' AND amount = 2000";
    assert_eq!(street.count(officer), 1);
    street.settlement("2026-11-22,52500021,0471,000471,2000,payment,settled\n");
    assert_eq!(street.found(), []);
}

#[test]
fn a_block_is_never_lifted_and_reaches_the_terminals_with_the_next_feed() {
    let street = Street::open();
    let revoked = || registry::revoked(street.city.database().read()).unwrap();
    assert!(!revoked().contains(&(street.card, street.generation)));
    block(&street);
    let mut database = street.city.database();
    assert!(!blocks::block(&mut database, street.card, street.generation, &officer("Luis Mar"), street.now).unwrap());
    let first = blocks::of(database.read(), street.card, street.generation).unwrap().unwrap();
    assert_eq!((first.officer.as_str(), first.reached), ("Ana Prado", None));
    database.write(|transaction| Ok(transaction.execute("UPDATE card SET state = 'active'", &[])?)).unwrap();
    assert!(revoked().contains(&(street.card, street.generation)));
    assert!(
        blocks::block(&mut database, domain::CardNumber(1), street.generation, &officer("Ana Prado"), street.now)
            .is_err()
    );
}

#[test]
fn a_claim_on_a_payment_that_nobody_knows_is_not_paid_out_but_may_be_closed_with_nothing_owed() {
    let mut street = Street::open();
    street.says(A, OURS, [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }]);
    street.says(A, OURS, [Fact::Claimed, Fact::LeftToCentral]);
    block(&street);
    confirm(&street);
    assert_eq!(pay_out(&street), Err(Refused::NotPaid(Payment::Unknown)));
    assert_eq!(settled(&street, Settlement::NothingOwed), Ok(Cents::ZERO));
    assert_eq!((street.standing(), street.sums()), (("nothing-owed", "nothing"), [0; 5]));
}

#[test]
fn who_confirms_that_a_block_has_reached_every_validator_does_not_pay_out() {
    let mut street = Street::open();
    street.claim(OURS);
    block(&street);
    blocks::confirm(&mut street.city.database(), street.now, &officer(" ana prado "), street.now).unwrap();
    assert_eq!(pay_out(&street), Err(Refused::OnePerson));
    assert_eq!(street.standing().0, "open");
    let other =
        settle::settle(&mut street.city.database(), OURS, Settlement::PaidOut, &officer("Luis Mar"), street.now);
    assert_eq!(other.unwrap(), AMOUNT);
}

#[test]
fn a_payment_that_the_acquirer_has_undone_is_neither_ordered_nor_paid_out() {
    let mut street = Street::open();
    street.claim(OURS);
    // Reversed by hand at the payment terminal: the terminal's journal does not know of it.
    street.settlement("2026-11-22,52500021,0471,000471,2000,payment,reversed\n");
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None);
    assert_eq!(street.standing(), ("open", "finance"));
    block(&street);
    confirm(&street);
    assert_eq!(pay_out(&street), Err(Refused::Undone));
    assert_eq!(street.found(), [(Cause::BookedNotPaid, 2_000)]);
    assert_eq!(settled(&street, Settlement::NothingOwed), Ok(Cents::ZERO));
    assert_eq!((street.standing(), street.sums()), (("nothing-owed", "nothing"), [0; 5]));
    assert_eq!(street.found(), []);
}

#[test]
fn nobody_blocks_or_confirms_without_a_name() {
    let street = Street::open();
    let mut database = street.city.database();
    let is_nobody = |error| matches!(error, CentralError::Claim(Refused::NoOfficer));
    assert!(is_nobody(
        blocks::block(&mut database, street.card, street.generation, &officer(" "), street.now).unwrap_err()
    ));
    assert!(is_nobody(blocks::confirm(&mut database, street.now, &officer(""), street.now).unwrap_err()));
    assert_eq!(street.count("SELECT count(*) FROM card_block"), 0);
}

#[test]
fn a_blocked_cards_claim_waits_for_the_finance_office_at_once() {
    let mut street = Street::open();
    street.claim(OURS);
    street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    assert_eq!(street.standing(), ("open", "order"));
    block(&street);
    assert_eq!(street.standing(), ("open", "finance"));
}

#[test]
fn a_kept_payment_is_never_closed_as_nothing_owed() {
    let mut street = Street::open();
    street.claim(OURS);
    assert_eq!(settled(&street, Settlement::NothingOwed), Err(Refused::Paid));
}

#[test]
fn a_credit_that_comes_to_light_after_the_cash_is_a_difference() {
    let mut street = Street::open();
    street.claim(OURS);
    block(&street);
    confirm(&street);
    pay_out(&street).unwrap();
    street.settlement("2026-11-22,52500021,0471,000471,2000,payment,settled\n");
    street.says(A, OURS, [Fact::Credited { before: BEFORE, after: AFTER }]);
    assert_eq!(street.sums(), [2_000, -2_000, 2_000, 0, -2_000]);
    assert_eq!(street.found(), [(Cause::LeftOver, 2_000)]);
}

#[test]
fn a_card_that_holds_the_credit_is_not_paid_out() {
    let mut street = Street::open();
    street.claim(OURS);
    block(&street);
    confirm(&street);
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]);
    assert_eq!(pay_out(&street).unwrap_err().to_string(), "the claim is credited already");
}

#[test]
fn a_claim_is_found_by_its_code_and_by_its_id_and_an_officer_has_a_name() {
    let mut street = Street::open();
    street.claim(OURS);
    let database = street.city.database();
    let code = ClaimCode::of(OURS).to_string();
    for name in [code.clone(), code.to_lowercase().replace('-', ""), OURS.to_string()] {
        assert_eq!(settle::find(database.read(), &name).unwrap(), OURS, "{name}");
    }
    for name in ["", "K7M", &TopUpId([3; 16]).to_string()] {
        assert!(matches!(settle::find(database.read(), name), Err(CentralError::Claim(Refused::NoClaim))), "{name}");
    }
    let nobody = settle::settle(&mut street.city.database(), OURS, Settlement::PaidOut, &officer("  "), street.now);
    assert!(matches!(nobody, Err(CentralError::Claim(Refused::NoOfficer))));
}

#[test]
fn the_city_says_how_long_an_order_holds() {
    let mut street = Street::open();
    settings::set(&mut street.city.database(), "order-days", 3, &officer("ana"), street.now).unwrap();
    let line = central::audit::newest(street.city.database().read(), 1).unwrap().remove(0);
    assert_eq!((line.what.as_str(), line.about.as_str()), ("money days set", "order-days: 3"));
    street.claim(OURS);
    let order = street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    assert_eq!(order.expires, street.now.plus_ms(3 * 86_400_000));
    for (name, days) in [("order-days", 0), ("order-days", 400), ("colour", 3)] {
        assert!(
            settings::set(&mut street.city.database(), name, days, &officer("ana"), street.now).is_err(),
            "{name} {days}"
        );
    }
}
