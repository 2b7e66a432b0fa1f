//! The library as the README shows it to other projects.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use card_simulator::{AnyCard, AnyDescription, FaultKind, FaultPlan, Field, FieldCard, When};
use std::error::Error;
use std::sync::{Arc, Mutex};

const README: &str = include_str!("../README.md");

/// The code blocks of the README that are marked so.
fn blocks(mark: &str) -> Vec<&'static str> {
    let opening = format!("```{mark}\n");
    README.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_example_of_the_readme_runs() -> Result<(), Box<dyn Error>> {
    let description: AnyDescription = serde_json::from_str(include_str!("../cards/classic.json"))?;
    let AnyCard::Classic(mut card) = description.make()? else { return Ok(()) };

    // The reader's own commands: load key A of the directory, authenticate for block 1, read it.
    card.transmit(&[0xFF, 0x82, 0x00, 0x00, 0x06, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5]);
    assert_eq!(card.transmit(&[0xFF, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, 0x01, 0x60, 0x00]), [0x90, 0x00]);
    assert_eq!(card.transmit(&[0xFF, 0xB0, 0x00, 0x01, 0x10]).len(), 18);

    // The next write of a block stops after five bytes, and the card is gone.
    card.set_faults(FaultPlan::once(When::Ins(0xD6), FaultKind::TearMidWrite(5)));
    assert_eq!(card.purse().map(|cents| cents.0), Some(850)); // what its owner sees without any key

    // A reader in process, with a second card that a planned swap lays there.
    let other: AnyDescription = serde_json::from_str(include_str!("../cards/ev1.json"))?;
    card.set_faults(FaultPlan::once(When::Exchange(1), FaultKind::Swap));
    let mut field = Field::of(Arc::new(Mutex::new(*card))).then(Arc::new(Mutex::new(other.make()?)));
    assert!(field.exchange(&[0xFF, 0xCA, 0x00, 0x00, 0x00]).reply.is_empty());
    assert_eq!(field.exchange(&[0xFF, 0xCA, 0x00, 0x00, 0x00]).reply.len(), 9);
    Ok(())
}

#[test]
fn the_example_of_the_readme_is_the_one_that_runs() {
    let mut own = include_str!("library.rs").lines().map(str::trim);
    let [example] = blocks("rust")[..] else { panic!("one example") };
    for line in example.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("use ")) {
        assert!(own.any(|own| own == line), "not run, or not in this order: {line}");
    }
}

#[test]
fn every_description_of_the_readme_makes_a_card() {
    let made: Vec<AnyCard> = blocks("json")
        .into_iter()
        .map(|json| serde_json::from_str::<AnyDescription>(json).expect(json).make().expect(json))
        .collect();
    assert_eq!(made.len(), 5);
    let classic = made.iter().filter(|card| matches!(card, AnyCard::Classic(_)));
    assert_eq!(classic.map(|card| card.purse().map(|cents| cents.0)).collect::<Vec<_>>(), [Some(850), None]);
}

#[test]
fn the_plan_of_the_readme_is_one() {
    let plans: Vec<FaultPlan> = blocks("").into_iter().filter_map(|block| serde_json::from_str(block).ok()).collect();
    let expected = FaultPlan::once(When::Ins(0xC7), FaultKind::TearAfter).and(When::Exchange(4), FaultKind::Delay(500));
    assert_eq!(plans, [expected]);
    let named: Vec<FaultKind> =
        ["\"tear_before\"", "\"swap\"", r#"{"tear_mid_write": 5}"#, r#"{"flip_command_bit": 3}"#, r#"{"status": 238}"#]
            .into_iter()
            .map(|json| serde_json::from_str(json).unwrap())
            .collect();
    assert_eq!(named[2..], [FaultKind::TearMidWrite(5), FaultKind::FlipCommandBit(3), FaultKind::Status(0xEE)]);
}
