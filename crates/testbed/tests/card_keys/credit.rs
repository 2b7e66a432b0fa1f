use super::{City, entropy, order};
use card::{CreditKeys, CreditOutcome, CreditRefusal};
use card_simulator::memory::Chip;
use central::key_file::card_key;
use domain::Cents;
use keys::remote::RemoteKeys;
use keys::{KeyError, KeyRole, OneKey};

#[test]
fn a_credit_by_central_leaves_the_card_as_one_with_the_key_at_hand_does() {
    let city = City::new(11);
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let (near, far) = (city.card(chip), city.card(chip));
        let (mut card, contents) = city.open(&near).unwrap();
        let counter = contents.top_ups.first().unwrap().counter;
        let number = city.layout.keys.credit;
        let key = card_key(&city.keys().cards.credit, card.uid(), &city.layout, number).unwrap();
        let mut own = OneKey::new(KeyRole::Credit, key, entropy());
        let by_hand = card.credit(&mut CreditKeys::Desfire(&mut own), &order(1, 500, counter));

        let (mut card, _) = city.open(&far).unwrap();
        let mut remote = RemoteKeys::new(KeyRole::Credit, city.line());
        card.prove_credit_key(&mut CreditKeys::Desfire(&mut remote)).unwrap();
        let by_central = card.credit(&mut CreditKeys::Desfire(&mut remote), &order(1, 500, counter));

        let values = |outcome: &CreditOutcome| match outcome {
            CreditOutcome::Credited { before, after, .. } => (*before, *after),
            other => panic!("{chip:?}: {other:?}"),
        };
        assert_eq!(values(&by_central), values(&by_hand), "{chip:?}");
        let (near, far) = (near.card(), far.card());
        assert_eq!((far.purse(), far.top_ups()), (near.purse(), near.top_ups()), "{chip:?}");
    }
    let uses: i64 = city
        .database()
        .read()
        .query_row("SELECT count(*) FROM card_key_use WHERE role = 'credit' AND outcome = 'ok'", &[], |row| row.get(0))
        .unwrap();
    assert_eq!(uses, 3 * 4, "begin and finish, of proof and credit, of three chips");
}

#[test]
fn without_central_nothing_is_credited_and_that_is_certain() {
    let mut city = City::new(12);
    let tray = city.card(Chip::Ev2);
    let (mut card, contents) = city.open(&tray).unwrap();
    let (counter, purse) = (contents.top_ups.first().unwrap().counter, tray.card().purse());
    city.stop();
    let mut remote = RemoteKeys::new(KeyRole::Credit, city.line());
    let outcome = card.credit(&mut CreditKeys::Desfire(&mut remote), &order(1, 500, counter));
    let CreditOutcome::NotCredited(CreditRefusal::Card(card::CardError::Key(error))) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(matches!(error, KeyError::HolderUnavailable(_)), "{error}");
    assert_eq!(tray.card().purse(), purse);
}

#[test]
fn a_card_that_was_revoked_gets_no_key() {
    let city = City::new(13);
    let tray = city.card(Chip::Ev2);
    let (mut card, _) = city.open(&tray).unwrap();
    city.database().write(|write| Ok(write.execute("UPDATE card SET state = 'revoked'", &[])?)).unwrap();
    let mut remote = RemoteKeys::new(KeyRole::Credit, city.line());
    assert!(card.prove_credit_key(&mut CreditKeys::Desfire(&mut remote)).is_err());
    assert!(tray.card().purse().is_some_and(|purse| purse > Cents::ZERO));
}
