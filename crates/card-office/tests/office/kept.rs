//! Sealed registrations: none is lost without a receipt, and a refusal binds nobody for ever.

use crate::central::Central;
use crate::desk::{Office, Row, Said, blank, identity};
use card_simulator::memory::Chip;

const ANA: u64 = 6_001_234_567;
const LUIS: u64 = 6_001_234_568;

fn with_central(central: &Central) -> String {
    format!("--central {} --token @token", central.url())
}

fn register(office: &Office, central: &Central, log: &str, kept: &str) -> Said {
    let line = format!("register --log @{log} --registrations @{kept} {}", with_central(central));
    office.run(&mut Row::default(), &format!("--city @city.toml --keys @keys.json {line}"))
}

fn exit(said: &Said) -> u8 {
    said.ended.as_ref().err().map_or(0, |error| error.exit() as u8)
}

#[test]
fn registrations_that_the_log_does_not_know_are_kept_and_named() {
    let (office, central) = (Office::new(), Central::start());
    office.one(&mut Row::of(&[blank(Chip::Ev2, 1)]), ANA, 1, "").well();
    let sealed = std::fs::read(office.path("kept")).unwrap();
    office.write("other.log", "");
    let said = register(&office, &central, "other.log", "kept");
    assert_eq!((said.code(), exit(&said)), ("O-06", 3));
    let error = said.ended.unwrap_err();
    assert!(error.to_string().starts_with("1 registration(s) kept and not sent"), "{error}");
    assert!(error.next_step().contains("the log that was written with them"));
    assert_eq!(std::fs::read(office.path("kept")).unwrap(), sealed, "none is lost");
    assert_eq!(central.asked(), 0);
    register(&office, &central, "log", "kept").well();
    assert_eq!(central.cards(), [(ANA, 1)]);
}

#[test]
fn a_registration_whose_line_was_torn_off_is_kept_until_the_card_is_noted_again() {
    let (office, central) = (Office::new(), Central::start());
    let card = blank(Chip::Ev2, 1);
    office.one(&mut Row::with(&card), ANA, 1, "").well();
    let sealed = std::fs::read(office.path("kept")).unwrap();
    let log = std::fs::read_to_string(office.path("log")).unwrap();
    std::fs::write(office.path("log"), &log[..log.len() - 10]).unwrap();
    let said = register(&office, &central, "log", "kept");
    assert_eq!((said.code(), exit(&said)), ("O-06", 3));
    let error = said.ended.unwrap_err();
    assert!(error.to_string().contains("as begun, not as finished"), "{error}");
    assert!(error.next_step().contains("personalise again"));
    assert_eq!(std::fs::read(office.path("kept")).unwrap(), sealed, "none is lost");
    office.one(&mut Row::with(&card), ANA, 1, &with_central(&central)).well();
    assert_eq!(central.cards(), [(ANA, 1)]);
    assert!(std::fs::read(office.path("kept")).unwrap().is_empty());
}

#[test]
fn handing_over_makes_no_file_that_was_not_there() {
    let (office, central) = (Office::new(), Central::start());
    office.one(&mut Row::of(&[blank(Chip::Ev2, 1)]), ANA, 1, "").well();
    for (log, kept) in [("lug", "kept"), ("log", "kipt")] {
        let said = register(&office, &central, log, kept);
        assert_eq!((said.code(), exit(&said)), ("O-06", 3));
        assert!(said.ended.unwrap_err().to_string().ends_with("no such file or folder"));
        assert!(!office.path("lug").exists() && !office.path("kipt").exists());
    }
}

#[test]
fn a_refused_registration_frees_its_person_for_the_next_generation() {
    let (office, central) = (Office::new(), Central::start());
    central.occupy(ANA, 1);
    let rows = |generation: u8| format!("number,generation\n{ANA},{generation}\n{LUIS},1\n");
    office.write("list.csv", &rows(1));
    let cards = [blank(Chip::Ev2, 1), blank(Chip::Ev2, 2)];
    let said = office.batch(&mut Row::of(&cards), &with_central(&central));
    assert_eq!((said.code(), exit(&said)), ("O-07", 4));
    assert!(said.out.contains("never active, since central refuses it"), "{}", said.out);
    assert!(!said.err.contains("O-07") && !said.err.contains("kept"), "told at the end, once: {}", said.err);
    // The same list again: nothing more is made, nor asked.
    let again = office.batch(&mut Row::default(), &with_central(&central));
    assert_eq!(again.code(), "O-07");
    assert!(again.out.ends_with("0 made, 1 were finished before, 1 were refused by central before\n"), "{}", again.out);
    assert_eq!(central.asked(), 2);
    office.write("list.csv", &rows(2));
    let third = blank(Chip::Ev2, 3);
    let corrected = office.batch(&mut Row::with(&third), &with_central(&central)).well();
    assert!(corrected.ends_with("1 made, 1 were finished before\n"), "{corrected}");
    assert_eq!((identity(&third), central.cards()), (Some((ANA, 2)), vec![(ANA, 1), (ANA, 2), (LUIS, 1)]));
    assert!(!std::fs::read(office.path("kept")).unwrap().is_empty(), "the refused one has no receipt");
    let said = register(&office, &central, "log", "kept");
    assert!(said.out.starts_with("0 registered, 2 known already, 1 refused"), "{}", said.out);
}

#[test]
fn what_was_refused_is_asked_for_again_when_it_is_handed_over() {
    let (office, central) = (Office::new(), Central::start());
    central.occupy(ANA, 1);
    office.one(&mut Row::of(&[blank(Chip::Ev2, 1)]), ANA, 1, &with_central(&central));
    assert_eq!(register(&office, &central, "log", "kept").code(), "O-07");
    // The registry was corrected.
    let corrected = Central::start();
    assert_eq!(register(&office, &corrected, "log", "kept").well(), "1 registered, 0 known already, 0 refused\n");
    assert_eq!(corrected.cards(), [(ANA, 1)]);
    assert!(std::fs::read(office.path("kept")).unwrap().is_empty());
    assert_eq!(office.one(&mut Row::default(), ANA, 1, "").well(), "0 made, 1 were finished before\n");
}

#[test]
fn each_refusal_is_told_once() {
    let (office, central) = (Office::new(), Central::start());
    office.write("list.csv", &format!("number,generation\n{ANA},1\n{LUIS},1\n"));
    central.occupy(ANA, 1);
    central.occupy(LUIS, 1);
    let said = office.batch(&mut Row::of(&[blank(Chip::Ev2, 1), blank(Chip::Ev2, 2)]), &with_central(&central));
    let last = said.ended.unwrap_err().to_string();
    assert!(last.contains("…4568") && said.err.matches("O-07").count() == 1, "{}", said.err);
    assert!(said.err.contains("O-07: central refuses card …4567"), "{}", said.err);
}
