use crate::backend::Backend;
use crate::fixture::{City, Place, TODAY, pack_folder};
use central::seed::{SeedPlan, seed};
use central::{CentralError, registry};
use domain::holder::PriceClass;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_same_seed_makes_the_same_city_and_another_seed_another() {
    let (one, again, other) = (City::seeded(7, 120, 1), City::seeded(7, 120, 1), City::seeded(8, 120, 1));
    assert_eq!(one.seeded.content_hash, again.seeded.content_hash);
    assert_ne!(one.seeded.content_hash, other.seeded.content_hash);
    let cards = |city: &City| std::fs::read_to_string(city.data.demo_cards()).unwrap();
    assert_eq!(cards(&one), cards(&again));
    assert_ne!(cards(&one), cards(&other));
}

#[test]
fn a_seed_makes_the_same_city_on_either_database() {
    let here = City::seeded(7, 120, 1);
    let in_a_file = City::at(Place::on(Backend::Sqlite), 7, 120, 1);
    assert_eq!(here.seeded.content_hash, in_a_file.seeded.content_hash);
}

#[test]
fn a_city_has_as_many_holders_and_pins_as_asked_and_every_class_of_price() {
    let city = City::seeded(3, 700, 2);
    assert_eq!((city.seeded.holders, city.seeded.pins), (700, 2));
    let (mut classes, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let (database, keys) = (city.database(), city.keys());
    registry::for_each_card(database.read(), &keys.storage, |card| {
        classes.insert(PriceClass(card.holder.price_class));
        numbers.insert(card.number);
        assert!(card.holder.born < card.holder.registered || card.holder.born.0 + 1 >= card.holder.registered.0);
        assert!(card.holder.registered <= TODAY);
        Ok(())
    })
    .unwrap();
    assert_eq!(numbers.len(), 700);
    assert_eq!(classes.len(), 6);
}

#[test]
fn demonstration_cards_can_be_personalised() {
    let city = City::seeded(4, 80, 3);
    let cards = city.demo_cards();
    assert_eq!(cards.len(), 3);
    for demo in cards {
        assert!(!demo.name.is_empty());
        assert_eq!(demo.pin.len(), 6);
        assert!(demo.pin.chars().all(|digit| digit.is_ascii_digit()));
        card_simulator::personalise(&demo.card).unwrap();
    }
}

#[test]
fn a_city_is_never_overwritten() {
    let city = City::seeded(5, 20, 0);
    let plan = SeedPlan { seed: 6, holders: 20, pins: 0, today: TODAY };
    assert!(matches!(seed(&city.data, &pack_folder(), &plan), Err(CentralError::NotReady(_))));
    assert_eq!(city.keys().city, "bahia");
}

#[test]
fn keys_and_pins_are_readable_by_their_owner_only() {
    let city = City::seeded(5, 20, 1);
    for path in [city.data.keys(), city.data.demo_cards()] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (shown, keys) = (format!("{:?}", city.keys()), city.keys());
    let hex: String = keys.storage.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(shown.contains("Secret32(redacted)") && !shown.contains(&hex));
}
