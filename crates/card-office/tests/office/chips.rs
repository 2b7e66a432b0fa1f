//! What lies on the reader is not always the right chip: a list says so and waits; one that is left says how far it
//! came.

use crate::desk::{Office, Row, blank, blank_classic, identity};
use card_office::OfficeError;
use card_simulator::memory::Chip;

const ANA: u64 = 6_001_234_567;
const LUIS: u64 = 6_001_234_568;

fn list(office: &Office, more: &str) {
    office.write("list.csv", &format!("number,generation,technology\n{ANA},1,desfire\n{LUIS},1,{more}\n"));
}

#[test]
fn a_wrong_chip_is_told_and_the_right_one_is_waited_for() {
    let office = Office::new();
    list(&office, "");
    let other = Office::new();
    let taken = blank(Chip::Ev2, 9);
    other.one(&mut Row::with(&taken), 7, 1, "").well();
    let (ana, luis) = (blank(Chip::Ev2, 1), blank(Chip::Ev2, 2));
    // A Classic card for a DESFire row; then Ana's own card, and another list's, for Luis.
    let row = [blank_classic(8), ana.clone(), ana.clone(), taken.clone(), luis.clone()];
    let said = office.batch(&mut Row::of(&row), "");
    let err = said.err.clone();
    assert!(said.well().ends_with("2 made, 0 were finished before\n"));
    assert_eq!([&ana, &luis, &taken].map(identity), [Some((ANA, 1)), Some((LUIS, 1)), Some((7, 1))]);
    for told in ["O-03: row 1: the list asks", "O-02: row 2: this chip is already", "C-11: this is a finished card"] {
        assert!(err.contains(told), "{told}: {err}");
    }
    assert_eq!(err.matches("; take it away, and lay a blank card down").count(), 3, "{err}");
}

#[test]
fn a_list_that_is_left_says_how_far_it_came() {
    let office = Office::new();
    list(&office, "");
    let said = office.batch(&mut Row::of(&[blank(Chip::Ev2, 1)]), "");
    assert_eq!(said.code(), "O-01");
    assert!(said.out.ends_with("1 of 2 made; run the same command again\n"), "{}", said.out);
    assert!(said.err.contains("1 registrations are kept"), "{}", said.err);
}

#[test]
fn a_card_that_is_not_taken_away_is_said_to_lie_there() {
    let office = Office::new();
    list(&office, "");
    let said = office.batch(&mut Row::left(&blank(Chip::Ev2, 1)), "");
    assert!(matches!(said.ended, Err(OfficeError::StillThere)), "{}", said.err);
    assert_eq!(said.code(), "O-01");
    assert!(said.out.ends_with("1 of 2 made; run the same command again\n"), "{}", said.out);
}

#[test]
fn a_random_uid_on_a_classic_row_is_a_mistake_of_the_list() {
    let office = Office::new();
    list(&office, "classic");
    let card = blank(Chip::Ev2, 1);
    let said = office.batch(&mut Row::with(&card), "--random-uid");
    assert_eq!((said.code(), said.ended.unwrap_err().exit() as u8), ("O-04", 2));
    assert_eq!(identity(&card), None, "nothing was made");
    assert!(!office.path("log").exists());
}

/// Somebody's finished card binds nobody to it, whichever of its keys is another.
#[test]
fn a_card_finished_with_other_keys_is_nobodys_begun_card() {
    for key in ["picc", "master", "read", "uid", "credit", "debit"] {
        for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
            let (office, other) = (Office::new(), Office::new());
            let mut keys: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(office.path("keys.json")).unwrap()).unwrap();
            keys[key] = "9".repeat(32).into();
            other.write("keys.json", &keys.to_string());
            let card = blank(chip, 9);
            other.one(&mut Row::with(&card), 7, 1, "").well();
            let said = office.one(&mut Row::with(&card), ANA, 1, "");
            assert_eq!(said.ended.as_ref().unwrap_err().exit() as u8, 1, "{key} {chip:?}");
            let step = said.ended.unwrap_err().next_step();
            assert!(step.contains("blank card"), "{key} {chip:?}: {step}");
            office.one(&mut Row::of(&[blank(chip, 1)]), ANA, 1, "").well();
        }
    }
}
