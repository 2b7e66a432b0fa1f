use super::{City, Tray, order};
use card::{CreditKeys, CreditOutcome};
use card_simulator::{
    ClassicBaseKeys, ClassicCard, ClassicDescription, ClassicIdentity, ClassicKeySource, ClassicPurse, ClassicTag,
    FaultKind, FaultPlan, Key, When, personalise_classic,
};
use central::{cards, clock, offices, report};
use domain::device::CreditOrder;
use domain::{CardNumber, Cents, Day, Generation, Uid};
use kiosk::key_line::ClassicOrder;
use protocol::CardRegistration;
use protocol::cards::WireTechnology;
use std::sync::{Arc, Mutex};

const UID: [u8; 4] = [0xC1, 0xA5, 0x51, 0xC0];
const NUMBER: CardNumber = CardNumber(3_300_999_017);

/// A Classic card of the city, registered by its office.
fn classic(city: &City) -> Tray<ClassicCard> {
    let key = |key: &protocol::BaseKey| Key::new(*key.expose());
    let cards = &city.keys().cards;
    let description = ClassicDescription {
        technology: ClassicTag::Classic,
        uid: UID.to_vec(),
        layout: city.layout.classic.unwrap(),
        system_id: city.layout.system_id.clone(),
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: key(&cards.read[0].key),
            credit: key(&cards.credit),
            transaction_mac: key(&cards.transaction_mac),
        }),
        identity: ClassicIdentity { number: NUMBER, generation: Generation(1) },
        purse: ClassicPurse { value: Cents(1_250), opening: None, day: Day(20_000) },
        top_ups: vec![],
        flaws: vec![],
    };
    let registration = CardRegistration {
        number: NUMBER,
        generation: Generation(1),
        uid: Uid::new(&UID).unwrap(),
        technology: WireTechnology::Classic,
        secret: None,
        read_key_version: 0,
    };
    let mut database = city.database();
    let token = offices::make_token(&mut database, "Oficina", clock::now()).unwrap();
    let office = offices::of_token(database.read(), token.expose()).unwrap();
    let bytes = registration.encode().unwrap();
    cards::register(&mut database, &city.keys(), office, &bytes, clock::now()).unwrap();
    Tray(Arc::new(Mutex::new(personalise_classic(&description).unwrap().seeded(7))))
}

fn credit(city: &City, tray: &Tray<ClassicCard>, order: &CreditOrder, faults: FaultPlan) -> CreditOutcome {
    let (mut card, _) = city.open(tray).unwrap();
    let top_up = ClassicOrder { top_up: order.top_up, amount: order.amount, counter: order.counter_seen + 1 };
    let mut central = city.line().classic(city.layout.classic.unwrap(), Some(top_up));
    card.prove_credit_key(&mut CreditKeys::Classic(&mut central)).unwrap();
    tray.card().set_faults(faults);
    let outcome = card.credit(&mut CreditKeys::Classic(&mut central), order);
    tray.card().set_faults(FaultPlan::none());
    outcome
}

fn values(outcome: &CreditOutcome) -> Option<(i64, i64)> {
    match outcome {
        CreditOutcome::Credited { before, after, .. } => Some((before.0, after.0)),
        _ => None,
    }
}

fn anomalies(city: &City) -> usize {
    report::anomalies(city.database().read()).unwrap().len()
}

#[test]
fn a_classic_card_is_topped_up_online_again_and_again() {
    let city = City::new(21);
    let tray = classic(&city);
    let first = credit(&city, &tray, &order(1, 500, 0), FaultPlan::none());
    assert_eq!(values(&first), Some((1_250, 1_750)), "{first:?}");
    tray.card().debit(Cents(350)).unwrap();
    let second = credit(&city, &tray, &order(2, 2_000, 1), FaultPlan::none());
    assert_eq!(values(&second), Some((1_400, 3_400)), "{second:?}");
    let seal = tray.card().seal().unwrap();
    assert_eq!((seal.counter, seal.value_after), (2, Cents(3_400)));
    assert_eq!(anomalies(&city), 0);
}

#[test]
fn a_seal_that_was_cut_off_is_given_again_at_the_next_visit() {
    let city = City::new(22);
    let mut cut = 0;
    for exchange in 1..60 {
        let tray = classic_again(&city, exchange);
        let (id, faults) =
            (u8::try_from(exchange).unwrap(), FaultPlan::once(When::Exchange(exchange), FaultKind::TearBefore));
        let outcome = credit(&city, &tray, &order(id, 500, 0), faults);
        let (mut card, _) = city.open(&tray).unwrap();
        if values(&outcome).is_some() && card.needs_repair() {
            cut += 1;
            let mut central = city.line().classic(city.layout.classic.unwrap(), None);
            assert!(card.repair(&mut central).unwrap(), "exchange {exchange}");
            let seal = tray.card().seal().unwrap();
            assert_eq!((seal.counter, seal.value_after), (1, Cents(1_750)));
        }
    }
    assert!(cut > 0, "no exchange cut the seal off");
    assert_eq!(anomalies(&city), 0);
}

/// The same card again, which central has forgotten the top-ups of.
fn classic_again(city: &City, exchange: u32) -> Tray<ClassicCard> {
    city.database()
        .write(|write| {
            write.execute("DELETE FROM classic_purse", &[])?;
            Ok(write.execute("DELETE FROM card_key_use", &[])?)
        })
        .unwrap();
    if exchange == 1 {
        return classic(city);
    }
    city.database().write(|write| Ok(write.execute("DELETE FROM issued_card", &[])?)).unwrap();
    classic(city)
}

#[test]
fn a_copy_of_a_classic_card_is_noticed_at_its_first_top_up() {
    let city = City::new(23);
    let tray = classic(&city);
    let (memory, layout) = {
        let card = tray.card();
        (card.memory().clone(), card.layout())
    };
    let copy = Tray(Arc::new(Mutex::new(ClassicCard::new(memory, layout))));
    assert!(values(&credit(&city, &tray, &order(1, 500, 0), FaultPlan::none())).is_some());
    let outcome = credit(&city, &copy, &order(2, 500, 0), FaultPlan::none());
    assert!(matches!(outcome, CreditOutcome::NotCredited(_)), "{outcome:?}");
    assert_eq!(copy.card().purse(), Some(Cents(1_250)), "nothing was written");
    assert_eq!(anomalies(&city), 1);
}
