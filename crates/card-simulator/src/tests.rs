//! Whole conversations with a card, in process.

mod channels;
mod ev1;
mod factory;
mod faults;
mod field;
mod issuing;
mod management;
mod model;
mod noise;
mod reader;
mod recorded;
mod records;
mod rekeying;
mod rights;
mod transactions;

use crate::{CardDescription, VirtualCard, personalise};
use serde_json::{Value, json};

/// A demonstration card; `change` edits its description before it is made.
pub(crate) fn card_with(change: impl FnOnce(&mut Value)) -> VirtualCard {
    let mut value = description();
    change(&mut value);
    let description: CardDescription = serde_json::from_value(value).unwrap();
    personalise(&description).unwrap().seeded(7)
}

/// The demonstration card with 12.50 euro.
pub(crate) fn card() -> VirtualCard {
    card_with(|_| {})
}

pub(crate) fn description() -> Value {
    serde_json::from_str(include_str!("../cards/demonstration.json")).unwrap()
}

#[test]
fn base_keys_are_diversified_as_the_layout_says() {
    let card = card_with(|value| {
        let keys = value["keys"]["card"].take();
        value["keys"] = json!({ "base": keys });
    });
    let keys = &card.memory().applications[0].keys;
    let div = [&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0xF5, 0x1C, 0x01, 1][..], b"bahia"].concat();
    assert_eq!(keys[1].key, crate::diversified(&crate::Key::new([0xA1; 16]), &div));
    assert_eq!(keys[4].key, crate::Key::new([0xA4; 16]), "the key that reads the UID cannot depend on it");
}

#[test]
fn the_chips_key_is_diversified_without_an_application_and_keys_have_versions() {
    let card = card_with(|value| {
        let mut keys = value["keys"]["card"].take();
        keys["picc"] = json!("C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0");
        keys["versions"] = json!({ "read": 2, "picc": 5, "transaction_mac": 7 });
        value["keys"] = json!({ "base": keys });
    });
    let div = [&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0, 0, 0, 0][..], b"bahia"].concat();
    let master = &card.memory().master;
    assert_eq!((&master.key, master.version), (&crate::diversified(&crate::Key::new([0xC0; 16]), &div), 5));
    let application = &card.memory().applications[0];
    assert_eq!(application.keys.iter().map(|key| key.version).collect::<Vec<_>>(), [0, 2, 0, 0, 0]);
    assert_eq!(application.transaction_mac().map(|(_, _, file)| file.key_version), Some(7));
    assert_eq!(self::card().memory().master, crate::memory::CardKey::factory(), "as it was made");
}

#[test]
fn a_fresh_card_shows_its_description_to_its_owner() {
    let card = card();
    assert_eq!(card.purse(), Some(domain::Cents(1_250)));
    assert_eq!(card.top_ups().len(), 1);
    assert_eq!(card.movements()[0].balance, domain::Cents(1_250));
    assert_eq!(card.tries().map(|tries| (tries.attempt, tries.failures, tries.pin_version)), Some((4, 1, 1)));
    assert_eq!(card.wishes().and_then(|wishes| wishes.language), Some(*b"ast"));
    assert_eq!(card.identity().map(|(number, generation)| (number.0, generation.0)), Some((1_234_567_890, 2)));
}

#[test]
fn impossible_descriptions_are_refused() {
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut value = description();
        change(&mut value);
        let description: CardDescription = serde_json::from_value(value).unwrap();
        assert_eq!(personalise(&description).unwrap_err().to_string(), expected);
    };
    check(&|value| value["purse"]["value"] = json!(15_001), "purse.value does not fit the card");
    check(&|value| value["purse"]["value"] = json!(-1), "purse.value does not fit the card");
    check(&|value| value["purse"]["max"] = json!(1_u64 << 31), "purse.max does not fit the card");
    check(&|value| value["layout"]["keys"]["uid"] = json!(3), "the layout's key numbers must be 0 to 4, each once");
    check(
        &|value| value["layout"]["files"]["purse"] = json!(1),
        "the layout's file numbers must differ and be at most 31",
    );
    check(&|value| value["wishes"]["language"] = json!("Español"), "the language of the wishes is no ISO 639 code");
    check(
        &|value| value["layout"]["system_id"] = json!("seventeen letters"),
        "the layout's system id is longer than 16 bytes",
    );
}

#[test]
fn neither_a_description_nor_a_memory_shows_what_is_private() {
    let description: CardDescription = serde_json::from_value(description()).unwrap();
    let shown = format!("{description:?} {:?}", card().memory());
    for private in ["5C", "92", "161", "A1", "123456"] {
        assert!(!shown.contains(private), "{private} in {shown}");
    }
}
