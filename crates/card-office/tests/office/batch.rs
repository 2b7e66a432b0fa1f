//! Making cards: lists that are torn and crash, people who must never have two active cards, and a central that is
//! away.

use crate::central::Central;
use crate::desk::{Office, Row, Shared, blank, blank_classic, factory, identity, tear};
use card_simulator::memory::Chip;
use std::sync::atomic::Ordering;

const ANA: u64 = 6_001_234_567;
const LUIS: u64 = 6_001_234_568;
const EVA: u64 = 6_001_234_569;

fn list(office: &Office) {
    office.write("list.csv", &format!("number,generation,language\n{ANA},1,ast\n{LUIS},1,\n{EVA},2,es\n"));
}

fn with_central(central: &Central) -> String {
    format!("--central {} --token @token", central.url())
}

#[test]
fn a_list_becomes_cards_that_are_active_with_their_receipts() {
    let (office, central) = (Office::new(), Central::start());
    list(&office);
    let cards = [blank(Chip::Ev1, 1), blank(Chip::Ev2, 2), blank_classic(3)];
    let said = office.batch(&mut Row::of(&cards), &with_central(&central));
    let out = said.well();
    assert_eq!(cards.each_ref().map(identity)[..2], [Some((ANA, 1)), Some((LUIS, 1))]);
    assert_eq!(central.cards(), [(ANA, 1), (LUIS, 1), (EVA, 2)]);
    assert_eq!(out.matches("active").count(), 3, "{out}");
    assert!(!out.contains("not active") && out.ends_with("3 made, 0 were finished before\n"), "{out}");
    assert!(std::fs::read(office.path("kept")).unwrap().is_empty(), "nothing is left to hand over");
}

#[test]
fn chips_straight_from_their_maker_become_cards_too_even_when_they_are_lifted() {
    for exchange in [0, 9, 12, 13, 14, 15, 16] {
        let (office, central) = (Office::new(), Central::start());
        list(&office);
        let cards = [factory(Chip::Ev1, 1), factory(Chip::Ev2, 2), factory(Chip::Ev3, 3)];
        cards.iter().for_each(|card| tear(card, exchange));
        let said = office.batch(&mut Row::of(&cards), &with_central(&central));
        assert_eq!(said.err.contains("lay the same card down again"), exchange > 0, "{exchange}");
        assert!(said.well().ends_with("3 made, 0 were finished before\n"), "{exchange}");
        assert_eq!(cards.each_ref().map(identity), [Some((ANA, 1)), Some((LUIS, 1)), Some((EVA, 2))]);
    }
}

#[test]
fn the_same_list_again_makes_nothing_and_asks_for_no_card() {
    let (office, central) = (Office::new(), Central::start());
    list(&office);
    let cards = [blank(Chip::Ev2, 1), blank(Chip::Ev2, 2), blank(Chip::Ev3, 3)];
    office.batch(&mut Row::of(&cards), &with_central(&central)).well();
    let again = office.batch(&mut Row::default(), &with_central(&central)).well();
    assert_eq!(again, "0 made, 3 were finished before\n");
    assert_eq!(central.asked(), 3);
}

#[test]
fn a_card_lifted_at_any_moment_is_asked_for_again_and_finished() {
    for exchange in (1..).step_by(9) {
        let (office, central) = (Office::new(), Central::start());
        list(&office);
        let cards = [blank(Chip::Ev2, 1), blank(Chip::Ev1, 2), blank(Chip::Ev3, 3)];
        tear(&cards[1], exchange);
        let said = office.batch(&mut Row::of(&cards), &with_central(&central));
        let lifted = said.err.contains("lay the same card down again");
        said.well();
        assert_eq!(central.cards().len(), 3, "lifted at {exchange}");
        if !lifted {
            assert!(exchange > 80, "a card is made in less than {exchange} exchanges");
            return;
        }
    }
}

#[test]
fn without_central_cards_are_made_and_registered_later() {
    let (office, central) = (Office::new(), Central::start());
    list(&office);
    let cards = [blank(Chip::Ev2, 1), blank(Chip::Ev2, 2), blank_classic(3)];
    let out = office.batch(&mut Row::of(&cards), "");
    assert!(out.err.contains("3 registrations are kept"), "{}", out.err);
    assert_eq!(out.well().matches("not active until it is registered").count(), 3);
    let register = format!(
        "--city @city.toml --keys @keys.json register --log @log --registrations @kept {}",
        with_central(&central)
    );
    assert_eq!(office.run(&mut Row::default(), &register).well(), "3 registered, 0 known already, 0 refused\n");
    assert_eq!(central.cards(), [(ANA, 1), (LUIS, 1), (EVA, 2)]);
    assert_eq!(office.run(&mut Row::default(), &register).well(), "0 registered, 0 known already, 0 refused\n");
    assert_eq!(office.batch(&mut Row::default(), "").well(), "0 made, 3 were finished before\n");
}

#[test]
fn a_receipt_that_was_lost_is_asked_for_again_with_the_same_bytes() {
    let (office, central) = (Office::new(), Central::start());
    central.lost.store(1, Ordering::SeqCst);
    let card = blank(Chip::Ev2, 1);
    let said = office.one(&mut Row::of(&[card]), ANA, 1, &with_central(&central));
    assert_eq!((said.code(), said.ended.unwrap_err().exit() as u8), ("N-01", 4));
    assert_eq!(central.cards(), [(ANA, 1)], "central had booked it");
    let again = office.one(&mut Row::default(), ANA, 1, &with_central(&central)).well();
    assert_eq!(again, "0 made, 1 were finished before\n");
    assert!(std::fs::read(office.path("kept")).unwrap().is_empty());
}

#[test]
fn a_receipt_that_the_city_did_not_sign_makes_no_card_active() {
    let (office, central) = (Office::new(), Central::start());
    central.is_replaced();
    let said = office.one(&mut Row::of(&[blank(Chip::Ev2, 1)]), ANA, 1, &with_central(&central));
    assert!(said.out.contains("not active until it is registered"), "{}", said.out);
    let Err(card_office::OfficeError::Central(problem)) = said.ended else { panic!("{}", said.out) };
    assert_eq!(problem.code, protocol::ProblemCode::Untrusted);
    let again = office.one(&mut Row::default(), ANA, 1, &with_central(&Central::start())).well();
    assert_eq!(again, "0 made, 1 were finished before\n", "it was kept for the real one");
}

/// The program ends between two of its writes; each was on the disk before the next step was taken.
#[test]
fn a_crash_between_any_two_writes_goes_on_with_the_same_chip() {
    for (lines, sealed) in [(1, false), (1, true), (2, true)] {
        let (office, central) = (Office::new(), Central::start());
        let (card, other) = (blank(Chip::Ev2, 1), blank(Chip::Ev2, 2));
        office.one(&mut Row::with(&card), ANA, 1, "").well();
        let log = std::fs::read_to_string(office.path("log")).unwrap();
        let before: String = log.split_inclusive('\n').take(lines).collect();
        std::fs::write(office.path("log"), before).unwrap();
        if !sealed {
            std::fs::write(office.path("kept"), "").unwrap();
        }
        if lines == 1 {
            assert_eq!(office.one(&mut Row::with(&other), ANA, 1, &with_central(&central)).code(), "O-02");
        }
        office.one(&mut Row::with(&card), ANA, 1, &with_central(&central)).well();
        assert_eq!((central.cards(), identity(&other)), (vec![(ANA, 1)], None), "{lines} lines, sealed: {sealed}");
        assert!(std::fs::read(office.path("kept")).unwrap().is_empty());
    }
}

#[test]
fn a_person_whose_card_was_begun_gets_no_other_chip() {
    let office = Office::new();
    let (first, second) = (blank(Chip::Ev2, 1), blank(Chip::Ev2, 2));
    begun_and_lifted(&office, &first);
    let refused = office.one(&mut Row::with(&second), ANA, 1, "");
    assert_eq!(refused.code(), "O-02");
    assert_eq!(identity(&second), None, "the second chip was not touched");
    // The one that was begun goes on.
    office.one(&mut Row::with(&first), ANA, 1, "").well();
    assert_eq!(identity(&first), Some((ANA, 1)));
}

/// A card is begun, lifted in the middle, and never comes back.
fn begun_and_lifted(office: &Office, card: &Shared) {
    tear(card, 60);
    let mut row = Row::once(card);
    assert_eq!(office.one(&mut row, ANA, 1, "").code(), "O-01");
}

#[test]
fn a_broken_chip_can_be_given_up_until_its_registration_is_written() {
    let office = Office::new();
    let (first, second) = (blank(Chip::Ev2, 1), blank(Chip::Ev2, 2));
    begun_and_lifted(&office, &first);
    let abandon = format!("--abandon {ANA}");
    office.one(&mut Row::with(&second), ANA, 1, &abandon).well();
    assert_eq!(identity(&second), Some((ANA, 1)));
    let refused = office.one(&mut Row::of(&[blank(Chip::Ev2, 3)]), ANA, 1, &abandon);
    assert_eq!(refused.code(), "O-02");
}

#[test]
fn one_chip_never_becomes_two_peoples_card() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    office.one(&mut Row::with(&card), ANA, 1, "").well();
    assert_eq!(office.one(&mut Row::with(&card), LUIS, 1, "").code(), "O-02");
    // Also where another log made it.
    std::fs::remove_file(office.path("log")).unwrap();
    assert_eq!(office.one(&mut Row::with(&card), LUIS, 1, "").code(), "C-11");
    assert_eq!(identity(&card), Some((ANA, 1)));
    // And Luis is not bound to that chip.
    office.one(&mut Row::of(&[blank(Chip::Ev2, 2)]), LUIS, 1, "").well();
}

#[test]
fn a_replacement_has_the_next_generation_and_waits_for_the_first_to_be_settled() {
    let (office, central) = (Office::new(), Central::start());
    office.one(&mut Row::of(&[blank(Chip::Ev2, 1)]), ANA, 1, "").well();
    let unsettled = office.one(&mut Row::of(&[blank(Chip::Ev2, 2)]), ANA, 2, "");
    assert_eq!(unsettled.code(), "O-02");
    office.one(&mut Row::default(), ANA, 1, &with_central(&central)).well();
    office.one(&mut Row::of(&[blank(Chip::Ev2, 2)]), ANA, 2, &with_central(&central)).well();
    assert_eq!(central.cards(), [(ANA, 1), (ANA, 2)]);
    let back = office.one(&mut Row::of(&[blank(Chip::Ev2, 3)]), ANA, 1, "");
    assert_eq!(back.code(), "O-02");
}

#[test]
fn what_central_refuses_stays_kept_and_does_not_hold_up_the_list() {
    let (office, central) = (Office::new(), Central::start());
    list(&office);
    central.occupy(ANA, 1);
    let cards = [blank(Chip::Ev2, 1), blank(Chip::Ev2, 2), blank(Chip::Ev2, 3)];
    let said = office.batch(&mut Row::of(&cards), &with_central(&central));
    assert_eq!((said.code(), said.out.matches(", active").count()), ("O-07", 2), "{}", said.out);
    assert_eq!(central.cards(), [(ANA, 1), (LUIS, 1), (EVA, 2)]);
    assert_eq!(central.asked(), 3, "a refusal is not asked for again in the same run");
    assert!(!std::fs::read(office.path("kept")).unwrap().is_empty());
}

#[test]
fn the_kind_of_card_is_the_one_of_the_list() {
    let office = Office::new();
    office.write("list.csv", &format!("number,generation,technology\n{ANA},1,classic\n"));
    let card = blank(Chip::Ev2, 1);
    assert_eq!(office.batch(&mut Row::with(&card), "").code(), "O-03");
    assert_eq!(identity(&card), None);
    office.batch(&mut Row::of(&[blank_classic(2)]), "").well();
}

#[test]
fn nothing_written_or_said_shows_a_number_a_uid_or_a_secret() {
    let office = Office::new();
    list(&office);
    let cards = [blank(Chip::Ev2, 0xC1), blank(Chip::Ev2, 0xC2), blank_classic(0xC3)];
    let said = office.batch(&mut Row::of(&cards), "");
    let all = format!("{}{}{}", office.written(), said.out, said.err).to_lowercase();
    for shown in ["6001234567", "0401020304", "c1c1", "5a0102"] {
        assert!(!all.contains(shown), "{shown}");
    }
    assert!(all.contains("4567"));
}

#[test]
fn a_mistake_in_the_list_is_told_before_any_card_is_touched() {
    let office = Office::new();
    office.write("list.csv", &format!("number,generation\n{ANA},1\n{ANA},1\n"));
    let card = blank(Chip::Ev2, 1);
    let said = office.batch(&mut Row::with(&card), "");
    assert_eq!((said.code(), said.ended.unwrap_err().exit() as u8), ("O-04", 2));
    assert_eq!(identity(&card), None);
}
