//! Cards as the office makes them, and as they come back.

use super::*;
use crate::{AnyCard, ClassicFlaw, DebitError, ValueBlock, mad_crc, seal_mac};
use domain::{CardNumber, Cents, Day, Generation};

fn flawed(flaw: &Value) -> ClassicCard {
    card_with(|value| value["flaws"] = json!([flaw]))
}

/// The key of the demonstration card's seal, by the formula of the layout.
fn seal_is_right(card: &ClassicCard) -> bool {
    let input = [card.uid().bytes(), &[0xFE], b"bahia"].concat();
    let key = crate::diversified(&Key::new([0xAF; 16]), &input);
    let seal = card.seal().unwrap();
    let (after, day) = (u16::try_from(seal.value_after.0).unwrap(), u16::try_from(seal.day.0 - 10_957).unwrap());
    seal.mac == seal_mac(&key, card.uid(), seal.counter, after, day)
}

#[test]
fn a_card_is_made_as_described() {
    let card = card();
    assert_eq!(card.identity(), Some((CardNumber(1_234_567_891), Generation(1))));
    assert_eq!(card.main_block(), Some(ValueBlock { value: 850, address: 2 }));
    assert_eq!(card.backup_block(), Some(ValueBlock { value: 650, address: 1 }));
    let seal = card.seal().unwrap();
    assert_eq!((seal.counter, seal.day, seal.value_after), (2, Day(20_010), Cents(1_150)));
    assert!(seal_is_right(&card));
    let records: Vec<_> = card.top_ups().iter().map(|record| (record.counter, record.amount, record.before)).collect();
    assert_eq!(records, [(2, Cents(500), Cents(650)), (1, Cents(1_000), Cents(0))]);
}

#[test]
fn the_newest_three_top_ups_are_on_the_card() {
    let card = card_with(|value| {
        let record = |counter: u32| json!({ "counter": counter, "day": 20_000, "top_up": "0102030405AA", "amount": 100, "before": 0 });
        value["top_ups"] = (250..=258).map(record).collect();
        value["purse"]["value"] = json!(100);
    });
    let counters: Vec<u32> = card.top_ups().iter().map(|record| record.counter).collect();
    assert_eq!(counters, [258, 257, 256]);
    assert_eq!(card.main_block().map(|main| main.address), Some(2), "the counter's low byte");
}

#[test]
fn a_card_without_top_ups_is_sealed_as_issued() {
    let card = card_with(|value| {
        value["top_ups"] = json!([]);
        value["purse"] = json!({ "value": 300, "opening": 1_000, "day": 19_000 });
    });
    let seal = card.seal().unwrap();
    assert_eq!((seal.counter, seal.day, seal.value_after), (0, Day(19_000), Cents(1_000)));
    assert!(seal_is_right(&card) && card.top_ups().is_empty());
    assert_eq!(card.backup_block(), card.main_block());
}

#[test]
fn anybody_finds_the_city_s_sectors_in_the_directory() {
    let mut card = card();
    assert_eq!(open_with(&mut card, 1, 0x60, &ClassicKey::new([0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5])), OK);
    let (first, second) = (read(&mut card, 1), read(&mut card, 2));
    assert_eq!(first[2..8], unhex("1C51 1C51 1C51")[..]);
    assert_eq!(first[0], mad_crc(&[&first[1..16], &second[..16]].concat()));
    assert_eq!(read(&mut card, 3), answered("000000000000 787788C1 000000000000"));
}

#[test]
fn a_validator_takes_from_the_main_block_and_touches_nothing_else() {
    let mut card = card();
    let before = card.memory().clone();
    assert_eq!(card.debit(Cents(150)), Ok(Cents(700)));
    assert_eq!(card.main_block(), Some(ValueBlock { value: 700, address: 2 }));
    for block in (0..64).filter(|block| *block != MAIN) {
        assert_eq!(card.memory().block(block), before.block(block), "block {block}");
    }
    assert_eq!(card.debit(Cents(701)), Err(DebitError::Amount));
    assert_eq!(card.debit(Cents(-1)), Err(DebitError::Amount));
    assert_eq!(flawed(&json!("broken_main")).debit(Cents(1)), Err(DebitError::Layout));
    assert_eq!(blank().debit(Cents(1)), Err(DebitError::Layout));
}

#[test]
fn what_was_torn_is_on_the_card() {
    let card = flawed(&json!("broken_main"));
    assert_eq!((card.main_block(), card.backup_block().is_some()), (None, true));
    let card = flawed(&json!("broken_backup"));
    assert_eq!((card.main_block().is_some(), card.backup_block()), (true, None));
    let card = flawed(&json!("seal_behind"));
    let seal = card.seal().unwrap();
    assert_eq!((seal.counter, seal.day, seal.value_after), (1, Day(20_000), Cents(1_000)));
    assert!(seal_is_right(&card));
    let record = json!({ "counter": 3, "day": 20_020, "top_up": "AABBCCDDEEFF", "amount": 700, "before": 850 });
    let card = flawed(&json!({ "torn_mid_credit": record }));
    assert_eq!(card.top_ups().first().map(|record| record.counter), Some(3));
    assert_eq!(card.main_block(), Some(ValueBlock { value: 850, address: 2 }));
    assert_eq!(card.backup_block(), card.main_block());
    assert_eq!(card.seal().map(|seal| seal.counter), Some(2));
}

#[test]
fn what_was_forged_or_left_undone_is_on_the_card() {
    let card = flawed(&json!({ "forged_value": 4_900 }));
    assert_eq!(card.main_block(), Some(ValueBlock { value: 4_900, address: 2 }));
    assert!(seal_is_right(&card) && card.seal().unwrap().value_after < Cents(4_900));
    assert!(!seal_is_right(&flawed(&json!("broken_seal"))));
    assert_eq!(flawed(&json!("no_identity")).identity(), None);
    let card = flawed(&json!("wrong_mad_crc"));
    let directory = [card.memory().block(1), card.memory().block(2)].concat();
    assert_ne!(directory[0], mad_crc(&directory[1..]));
}

#[test]
fn the_first_top_up_s_missing_seal_is_the_issue_s() {
    let card = card_with(|value| {
        value["top_ups"].as_array_mut().unwrap().truncate(1);
        value["flaws"] = json!(["seal_behind"]);
    });
    let seal = card.seal().unwrap();
    assert_eq!((seal.counter, seal.value_after), (0, Cents(0)));
    assert!(seal_is_right(&card));
}

#[test]
fn impossible_descriptions_are_refused() {
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut value = description();
        change(&mut value);
        let description: crate::AnyDescription = serde_json::from_value(value).unwrap();
        let made: Result<AnyCard, _> = description.make();
        assert_eq!(made.unwrap_err().to_string(), expected);
    };
    check(&|value| value["uid"] = json!("0102030405"), "a Classic card's UID has four or seven bytes");
    check(&|value| value["layout"]["purse_sector"] = json!(1), "the layout's sectors must be 1 to 15, each once");
    check(&|value| value["layout"]["purse_sector"] = json!(0), "the layout's sectors must be 1 to 15, each once");
    check(&|value| value["layout"]["purse_sector"] = json!(16), "the layout's sectors must be 1 to 15, each once");
    check(&|value| value["system_id"] = json!("seventeen letters"), "the layout's system id is longer than 16 bytes");
    check(&|value| value["purse"]["value"] = json!(5_001), "purse.value does not fit the card");
    check(&|value| value["purse"]["value"] = json!(-1), "purse.value does not fit the card");
    check(&|value| value["top_ups"][1]["amount"] = json!(65_536), "top_ups does not fit the card");
    check(&|value| value["top_ups"][1]["day"] = json!(0), "top_ups does not fit the card");
    let counters = "the top-ups' counters must rise by one, and the first is not 0";
    check(&|value| value["top_ups"][1]["counter"] = json!(3), counters);
    check(&|value| value["top_ups"][0]["counter"] = json!(0), counters);
    check(
        &|value| {
            value["top_ups"] = json!([]);
            value["flaws"] = json!(["seal_behind"]);
        },
        "no top-up whose seal could be missing",
    );
}

#[test]
fn neither_a_description_nor_a_card_shows_what_is_private() {
    let description: ClassicDescription = serde_json::from_value(description()).unwrap();
    let card = card();
    let shown = format!("{description:?} {card:?} {:?} {:?}", card.memory(), description.keys);
    for private in ["5A", "90", "A1", "161", "123456"] {
        assert!(!shown.contains(private), "{private} in {shown}");
    }
}

#[test]
fn flaws_are_written_as_json() {
    let text = r#"["broken_main",{"forged_value":4900}]"#;
    let flaws: Vec<ClassicFlaw> = serde_json::from_str(text).unwrap();
    assert_eq!(flaws, [ClassicFlaw::BrokenMain, ClassicFlaw::ForgedValue(Cents(4_900))]);
    assert_eq!(serde_json::to_string(&flaws).unwrap(), text);
}
