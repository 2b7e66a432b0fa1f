//! A second file: who is missing, whose card is whose, and an import that broke off.

use crate::cards::{card, register};
use crate::holders::{AUREA, Desk, MAPPING, NEL, counts, csv};
use central::holders_import::ImportOrder;
use central::refusal::Refusal;
use central::{CentralError, audit, card_desk, registry};
use domain::CardNumber;

#[test]
fn who_is_missing_from_a_complete_file_is_told_and_goes_only_when_asked_and_within_the_limit() {
    let desk = Desk::open(646);
    let file = csv(&[NEL, AUREA]);
    let complete = |order: &mut ImportOrder<'_>| order.complete = true;
    let done = desk.import_with(MAPPING, file.as_bytes(), complete).unwrap();
    assert_eq!((done.added, done.missing, done.removed), (2, 4, 0));
    assert!(registry::revoked(desk.city.database().read()).unwrap().is_empty());
    let apply = |order: &mut ImportOrder<'_>| {
        (order.complete, order.apply_removals) = (true, true);
    };
    let refused = desk.import_with(MAPPING, file.as_bytes(), apply).unwrap_err();
    assert!(matches!(refused, CentralError::Refused(Refusal::TooManyMissing)), "{refused}");
    let apply = |order: &mut ImportOrder<'_>| {
        (order.complete, order.apply_removals, order.removals_max_percent) = (true, true, 70);
    };
    let unread = csv(&[NEL, AUREA, "3;12345678A"]);
    let refused = desk.import_with(MAPPING, unread.as_bytes(), apply).unwrap_err();
    assert!(matches!(refused, CentralError::Refused(Refusal::LinesUnread)), "{refused}");
    let done = desk.import_with(MAPPING, file.as_bytes(), |order| {
        apply(order);
        order.dry_run = true;
    });
    assert_eq!((done.as_ref().unwrap().missing, done.unwrap().removed), (4, 0));
    let done = desk.import_with(MAPPING, file.as_bytes(), apply).unwrap();
    assert_eq!((done.unchanged, done.missing, done.removed), (2, 4, 4));
    assert_eq!(desk.count("holder"), 6, "nobody is deleted");
    assert_eq!(registry::revoked(desk.city.database().read()).unwrap().len(), 4);
    let again = desk.import_with(MAPPING, file.as_bytes(), apply).unwrap();
    assert_eq!((again.unchanged, again.missing, again.removed), (2, 0, 0));
}

#[test]
fn a_line_that_is_rejected_for_something_else_makes_nobody_missing_and_who_comes_back_is_there_again() {
    let desk = Desk::open(647);
    desk.import(&[NEL, AUREA]);
    let apply = |order: &mut ImportOrder<'_>| {
        (order.complete, order.apply_removals, order.removals_max_percent) = (true, true, 100);
    };
    let file = csv(&[&NEL.replace("JOVEN", "DUQUE")]);
    let done = desk.import_with(MAPPING, file.as_bytes(), apply).unwrap();
    assert_eq!((done.rejected, done.missing, done.removed), (1, 5, 5));
    let moved = card_desk::of_holder(desk.city.database().read(), "X0000000T").unwrap_err();
    assert!(matches!(moved, CentralError::Refused(Refusal::HolderMoved)));
    assert!(card_desk::of_holder(desk.city.database().read(), "12345678Z").is_ok());
    assert_eq!(desk.import(&[NEL, AUREA]), counts(2, 0, 1, 1, 0));
    assert!(card_desk::of_holder(desk.city.database().read(), "X0000000T").is_ok());
}

#[test]
fn cards_of_the_file_are_given_or_ordered_and_never_taken_from_another() {
    let desk = Desk::open(648);
    let with = |line: &str, number: u64| {
        line.replace(";N;;", &format!(";N;{number};")).replace(";S;;", &format!(";S;{number};"))
    };
    let taken: u64 =
        desk.city.database().read().query_row("SELECT max(number) FROM card", &[], |row| row.get(0)).unwrap();
    register(&desk.city, &card(3_300_999_017, 1, 9)).unwrap();
    let lines = [with(NEL, 3_300_999_017), with(AUREA, 3_300_999_025)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(desk.import(&lines), counts(2, 2, 0, 0, 0));
    assert_eq!(desk.import(&lines), counts(2, 0, 0, 2, 0));
    let standing = |number| card_desk::of_number(desk.city.database().read(), CardNumber(number));
    assert!(standing(3_300_999_017).unwrap().held);
    assert!(standing(3_300_999_025).is_err(), "still to be made");
    register(&desk.city, &card(3_300_999_025, 1, 10)).unwrap();
    assert!(standing(3_300_999_025).unwrap().held);
    assert_eq!(desk.import(&lines), counts(2, 0, 0, 2, 0));
    let report = desk.path("rejected.csv");
    let file =
        csv(&[&with(NEL, taken), &with(AUREA, taken), &with(&NEL.replace("12.345.678-Z", "00000000T"), 3_300_999_017)]);
    let done = desk.reported(&file, &report).unwrap();
    assert_eq!(done, counts(3, 0, 0, 0, 3));
    let told = std::fs::read_to_string(&report).unwrap();
    assert!(told.contains("3,\"TARJETA\",duplicate") && told.contains("2,\"TARJETA\",card-taken"), "{told}");
    assert!(told.contains("4,\"TARJETA\",card-taken"), "{told}");
    let file = csv(&[&with(NEL, 3_300_999_033)]);
    assert_eq!(desk.import_with(MAPPING, file.as_bytes(), |_| {}).unwrap(), counts(1, 0, 0, 0, 1), "a second card");
}

/// An import that broke off has written whole chunks; the same order again does the rest.
#[test]
fn an_import_that_broke_off_is_repeated_harmlessly() {
    let desk = Desk::open(649);
    let letters: Vec<char> = "TRWAGMYFPDXBNJZSQVHLCKE".chars().collect();
    let lines: Vec<String> = (0..1_200_usize)
        .map(|number| {
            let line = NEL.replace("12.345.678-Z", &format!("{number:08}{}", letters[number % 23]));
            line.replace("2º B", &format!("{}º", number / 3))
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let whole = csv(&lines);
    // The file ends in the middle of its third chunk, as after a crash there.
    let broken = csv(&lines[..1_000]);
    assert_eq!(desk.import_with(MAPPING, broken.as_bytes(), |_| {}).unwrap().added, 1_000);
    assert_eq!(desk.import_with(MAPPING, whole.as_bytes(), |_| {}).unwrap(), counts(1_200, 200, 0, 1_000, 0));
    assert_eq!(desk.import_with(MAPPING, whole.as_bytes(), |_| {}).unwrap(), counts(1_200, 0, 0, 1_200, 0));
    assert_eq!(desk.count("holder"), 1_204);
    let homes = "SELECT count(*) FROM household WHERE door LIKE '3 %º'";
    let homes: i64 = desk.city.database().read().query_row(homes, &[], |row| row.get(0)).unwrap();
    assert_eq!(homes, 400, "three in each");
}

/// The real program, killed while it waits for the rest of its file.
#[test]
fn an_import_that_was_killed_is_repeated_harmlessly() {
    let desk = Desk::open(650);
    let letters: Vec<char> = "TRWAGMYFPDXBNJZSQVHLCKE".chars().collect();
    let lines: Vec<String> = (0..1_200_usize)
        .map(|number| NEL.replace("12.345.678-Z", &format!("{number:08}{}", letters[number % 23])))
        .collect();
    let whole = csv(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let (mapping, pipe) = (desk.path("mapping.toml"), desk.path("pipe"));
    std::fs::write(&mapping, MAPPING).unwrap();
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let folder = desk.city.data.keys().parent().unwrap().to_owned();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_citizen-central"))
        .arg("--data")
        .arg(&folder)
        .args(["import-holders", "--file"])
        .arg(&pipe)
        .arg("--mapping")
        .arg(&mapping)
        .spawn()
        .unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::io::Write::write_all(&mut writer, whole.as_bytes()).unwrap();
    // Two chunks are whole, and the third waits for the end of the file.
    while desk.count("holder") < 1_004 {
        assert!(program.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(desk.count("holder"), 1_004);
    assert_eq!(desk.import_with(MAPPING, whole.as_bytes(), |_| {}).unwrap(), counts(1_200, 200, 0, 1_000, 0));
    let told = audit::newest(desk.city.database().read(), 3).unwrap();
    let told: Vec<&str> = told.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(told, ["holders imported", "holders import begun", "holders import begun"], "the log tells of both");
}
