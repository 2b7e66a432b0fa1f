//! Looking at cards, their wishes, and the self-test.

use crate::desk::{Office, Row, Shared, blank, blank_classic, tear};
use card_simulator::memory::Chip;
use serde_json::Value;

const ANA: u64 = 6_001_234_567;

fn made(office: &Office, card: &Shared) {
    office.one(&mut Row::with(card), ANA, 1, "").well();
}

fn inspect(office: &Office, card: &Shared, desk: &str, more: &str) -> Value {
    let line = format!("{desk} inspect --json {more}");
    let out = office.run(&mut Row::with(card), &line).well();
    serde_json::from_str(&out).unwrap()
}

#[test]
fn without_keys_only_what_is_free_is_shown() {
    let office = Office::new();
    let card = blank(Chip::Ev1, 1);
    let chip = inspect(&office, &card, "", "");
    assert_eq!(
        (chip["technology"].as_str(), chip["chip"]["name"].as_str()),
        (Some("desfire-ev1"), Some("DESFire EV1"))
    );
    assert_eq!(inspect(&office, &card, "--city @city.toml", "")["application"], false);
    made(&office, &card);
    let free = inspect(&office, &card, "--city @city.toml", "");
    assert_eq!((free["application"].as_bool(), free["purse_cents"].as_i64()), (Some(true), Some(0)));
    let versions: Vec<&str> =
        free["key_versions"].as_array().unwrap().iter().filter_map(|key| key["key"].as_str()).collect();
    assert_eq!(versions, ["master", "read", "debit", "credit", "uid"]);
    assert_eq!((free["key_versions"][1]["version"].as_u64(), free.get("contents")), (Some(1), None));
}

#[test]
fn with_the_read_key_the_card_is_shown_and_its_number_cut() {
    let office = Office::new();
    for card in [blank(Chip::Ev1, 1), blank(Chip::Ev3, 2)] {
        std::fs::remove_file(office.path("log")).ok();
        made(&office, &card);
        let desk = "--city @city.toml --keys @technician.json";
        let shown = inspect(&office, &card, desk, "");
        let contents = &shown["contents"];
        assert_eq!((contents["number"].as_str(), contents["generation"].as_u64()), (Some("…4567"), Some(1)));
        assert_eq!((contents["layout_version"].as_u64(), contents["top_ups"].as_array().unwrap().len()), (Some(1), 0));
        assert_eq!(shown.get("uid"), None);
        let all = inspect(&office, &card, desk, "--show-uid --show-number");
        assert_eq!(all["contents"]["number"].as_str(), Some("6001234567"));
        assert!(all["uid"].as_str().unwrap().starts_with("04010203"), "{all}");
        let text = office.run(&mut Row::of(&[card]), &format!("{desk} inspect")).well();
        assert!(text.contains("number        …4567, generation 1\n") && text.contains("wishes        none"), "{text}");
    }
}

#[test]
fn a_classic_card_is_shown_with_its_readers_profile() {
    let office = Office::new();
    let card = blank_classic(1);
    made(&office, &card);
    let shown = inspect(&office, &card, "--city @city.toml --keys @technician.json", "");
    assert_eq!((shown["technology"].as_str(), shown["reader_profile"].as_str()), (Some("classic"), Some("portable")));
    assert_eq!((shown["contents"]["number"].as_str(), shown["contents"].get("wishes")), (Some("…4567"), None));
}

#[test]
fn keys_that_do_not_fit_show_what_is_free_and_the_code() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    made(&office, &card);
    let said = office.run(&mut Row::of(&[card]), "--city @city.toml --keys @other.json inspect --json");
    assert_eq!(said.code(), "C-12");
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((shown["application"].as_bool(), shown.get("contents")), (Some(true), None));
}

#[test]
fn a_hidden_uid_is_found_by_its_key_and_only_then() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    office.one(&mut Row::with(&card), ANA, 1, "--random-uid").well();
    let free = inspect(&office, &card, "--city @city.toml", "--show-uid");
    assert_eq!((free["random_uid"].as_bool(), free.get("uid")), (Some(true), None));
    let opened = inspect(&office, &card, "--city @city.toml --keys @technician.json", "--show-uid");
    assert_eq!(opened["uid"].as_str(), Some("04010203040501"));
}

#[test]
fn wishes_are_shown_set_and_erased() {
    let office = Office::new();
    for chip in [Chip::Ev1, Chip::Ev2] {
        let card = blank(chip, 1);
        std::fs::remove_file(office.path("log")).ok();
        office.one(&mut Row::with(&card), ANA, 1, "--language ast --speech").well();
        let wishes = |action: &str| {
            let line = format!("--city @city.toml --keys @technician.json wishes {action}");
            office.run(&mut Row::with(&card), &line).well()
        };
        assert_eq!(wishes("show"), "wishes: language ast, speech\n");
        assert_eq!(wishes("set --large-text --more-time --terminal 7"), "wishes: large text, more time\n");
        assert_eq!(wishes("show"), "wishes: large text, more time\n");
        let json: Value = serde_json::from_str(&wishes("show --json")).unwrap();
        assert_eq!((json["large_text"].as_bool(), json["speech"].as_bool()), (Some(true), Some(false)));
        wishes("erase");
        assert_eq!(wishes("show"), "wishes: none\n");
    }
}

#[test]
fn a_classic_card_has_no_wishes_and_no_read_key_to_change() {
    let office = Office::new();
    let card = blank_classic(1);
    made(&office, &card);
    let run = |line: &str| office.run(&mut Row::with(&card), line);
    assert_eq!(run("--city @city.toml --keys @technician.json wishes show").code(), "O-03");
    assert_eq!(run("--city @city.toml rekey --central http://127.0.0.1:1 --token @token").code(), "O-03");
}

#[test]
fn wishes_that_no_terminal_could_do_are_refused_before_a_card_is_asked_for() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    office.one(&mut Row::with(&card), ANA, 1, "--language ast --speech").well();
    let wishes = |action: &str| {
        office.run(&mut Row::with(&card), &format!("--city @city.toml --keys @technician.json wishes {action}"))
    };
    for refused in ["set", "set --terminal 7", "set --language fr", "set --language fr --speech"] {
        let said = wishes(refused);
        assert_eq!((said.code(), said.out.as_str()), ("O-04", ""), "{refused}");
    }
    assert_eq!(wishes("show").well(), "wishes: language ast, speech\n", "nothing was erased");
    assert_eq!(wishes("set --language en").well(), "wishes: language en\n");
}

#[test]
fn a_blank_chip_of_either_kind_has_no_application_and_is_no_fault() {
    let office = Office::new();
    for card in [blank(Chip::Ev1, 1), blank(Chip::Ev3, 2), blank_classic(3)] {
        let shown = inspect(&office, &card, "--city @city.toml --keys @technician.json", "");
        assert_eq!((shown["application"].as_bool(), shown.get("error")), (Some(false), None), "{shown}");
        let text = office.run(&mut Row::with(&card), "--city @city.toml --keys @technician.json inspect").well();
        assert!(text.contains("application   none of the city's\n"), "{text}");
    }
}

#[test]
fn a_card_that_leaves_is_not_called_another_kind_of_card() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    tear(&card, 1);
    let said = office.run(&mut Row::with(&card), "inspect");
    assert_eq!((said.code(), said.out.contains("neither")), ("C-03", false), "{}", said.out);
    assert!(said.out.contains("card          it stopped answering"), "{}", said.out);
    tear(&card, 1);
    let said = office.run(&mut Row::with(&card), "inspect --json");
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code(), shown["error"]["code"].as_str()), ("C-03", Some("C-03")));
    assert!(shown["error"]["next"].as_str().is_some_and(|next| !next.is_empty()), "{shown}");
}

#[test]
fn the_text_names_the_very_chip() {
    let office = Office::new();
    let text = |chip| office.run(&mut Row::of(&[blank(chip, 1)]), "inspect").well();
    let check = |chip, name: &str| {
        let text = text(chip);
        assert!(text.contains(&format!("card          MIFARE {name}\n")), "{text}");
    };
    check(Chip::Ev1, "DESFire EV1");
    check(Chip::Ev2, "DESFire EV2");
    check(Chip::Ev3, "DESFire EV3");
}

#[test]
fn a_card_is_asked_for_only_where_none_lies() {
    let office = Office::new();
    for command in ["inspect", "check", "--city @city.toml --keys @technician.json wishes show"] {
        let asked = |row: &mut Row| office.run(row, command).err.contains("lay a card down");
        assert!(!asked(&mut Row::of(&[blank(Chip::Ev2, 1)])), "{command}");
        assert!(asked(&mut Row::default()), "{command}");
    }
}

fn check(office: &Office, card: &Shared, more: &str) -> (String, &'static str) {
    let line = format!("--city @city.toml --keys @technician.json check {more}");
    let said = office.run(&mut Row::with(card), &line);
    (said.out.clone(), said.code())
}

#[test]
fn a_good_card_passes_the_test_and_writing_changes_nothing() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    made(&office, &card);
    for more in ["", "--write", "--write --terminal 3"] {
        let (out, code) = check(&office, &card, more);
        assert_eq!((code, out.contains("writing"), out.ends_with("all good\n")), ("", !more.is_empty(), true), "{out}");
    }
    let shown = inspect(&office, &card, "--city @city.toml --keys @technician.json", "");
    assert_eq!(shown["contents"]["tries"]["attempt"].as_u64(), Some(0));
}

#[test]
fn each_fault_has_its_part_and_its_code() {
    let office = Office::new();
    let torn = blank(Chip::Ev2, 1);
    tear(&torn, 5);
    let (out, code) = check(&office, &torn, "");
    assert_eq!((code, out.contains("BAD   exchange"), out.ends_with("not good\n")), ("C-03", true, true), "{out}");
    let empty = blank(Chip::Ev2, 2);
    let (out, code) = check(&office, &empty, "");
    assert_eq!((code, out.contains("good  chip"), out.contains("BAD   keys")), ("C-02", true, true), "{out}");
    let classic = blank_classic(3);
    made(&office, &classic);
    let (out, code) = check(&office, &classic, "--write --json");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, report["good"].as_bool(), report["complete"].as_bool()), ("", Some(true), Some(false)), "{out}");
    let writing = report["parts"].as_array().unwrap().last().unwrap();
    assert_eq!((writing["part"].as_str(), writing["verdict"].as_str()), (Some("writing"), Some("not-tested")));
}

#[test]
fn a_new_card_has_no_top_up_to_count() {
    let office = Office::new();
    let card = blank(Chip::Ev2, 1);
    made(&office, &card);
    let (out, _) = check(&office, &card, "");
    assert!(out.contains("all readable: 0 top-ups, 0 movements"), "{out}");
}

#[test]
fn without_keys_the_reader_and_the_chip_are_tested_and_the_rest_is_said_not_to_be() {
    let office = Office::new();
    for desk in ["", "--city @city.toml"] {
        let out = office.run(&mut Row::of(&[blank(Chip::Ev3, 1)]), &format!("{desk} check")).well();
        assert!(out.contains("good  chip         DESFire EV3\n"), "{out}");
        for part in ["keys ", "files", "purse"] {
            assert!(out.contains(&format!("--    {part}        not tested: give --city and --keys\n")), "{out}");
        }
        assert!(out.ends_with("\ngood as far as tested\n"), "{out}");
    }
    for desk in ["", "--city @city.toml"] {
        let said = office.run(&mut Row::of(&[blank(Chip::Ev3, 1)]), &format!("{desk} check --write"));
        let told = said.ended.as_ref().unwrap_err().to_string();
        assert_eq!((said.code(), told.starts_with("no write was tested")), ("O-04", true), "{told}");
    }
}
