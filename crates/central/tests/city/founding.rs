//! A real city from its founding on: nobody in it, then the register, cards, technicians, and another pack.

use crate::browser::console;
use crate::cards::{card, register};
use crate::fixture::{City, NOW, Place, pack_folder};
use crate::follower::{Follower, enrolled};
use crate::holders::{Desk, NEL, counts};
use crate::tls::SEVEN;
use central::db::params;
use central::key_file::KeyFileLock;
use central::publish::publish;
use central::refusal::Refusal;
use central::technicians::{self, Staff};
use central::{CentralError, DataFolder, KeyFile, audit, founding, pack, pins};
use domain::{CardNumber, Timestamp};
use protocol::{CardSecret, FileKind, PinCard, PinStamp, Tier, open_pin, pin_key};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const DAY_MS: i64 = 86_400_000;
const NUMBER: u64 = 3_300_999_017;

/// Runs the program on a data folder: whether it ended well, and all that it said.
pub(crate) fn program(data: &DataFolder, arguments: &[&str]) -> (bool, String) {
    let run =
        Command::new(env!("CARGO_BIN_EXE_citizen-central")).args(arguments).arg("--data").arg(data.path()).output();
    let run = run.unwrap();
    let said = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8(said).unwrap())
}

fn published(city: &City, now: Timestamp) -> central::publish::Published {
    publish(&city.data, &mut city.database(), &city.keys(), now).unwrap()
}

fn count(city: &City, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    city.database().read().query_row(&query, params![], |row| row.get(0)).unwrap()
}

#[test]
fn a_founded_city_publishes_to_its_terminals_before_it_has_holders_and_after() {
    let desk = Desk { city: City::founded(), folder: TempDir::new().unwrap() };
    let city = &desk.city;
    assert_eq!((count(city, "holder"), count(city, "card"), count(city, "technician")), (0, 0, 0));
    let first = city.publish();
    assert_eq!((first.base, first.tap_rows, first.pin_rows), (true, 0, 0));
    let (own, bundle) = enrolled(city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(city, bundle);
    published(city, NOW.plus_ms(1));
    terminal.pull(city);
    assert!(terminal.unpack(city, &own).unwrap().is_some() && terminal.tap.is_empty());

    let nel = NEL.replace(";N;;S;", &format!(";N;{NUMBER};S;"));
    assert_eq!(desk.import(&[&nel]), counts(1, 1, 0, 0, 0));
    // The register has said which card is theirs; an office makes it.
    let chip = card(NUMBER, 1, 9);
    register(city, &chip).unwrap();
    let (rules, _) = pack::load(city.database().read()).unwrap();
    let set = pins::set(&mut city.database(), &city.keys(), &rules, &console(), CardNumber(NUMBER), "274950", NOW);
    assert_eq!(set.unwrap(), 1);
    let second = published(city, NOW.plus_ms(DAY_MS));
    assert_eq!((second.tap_rows, second.pin_rows), (1, 1));
    terminal.pull(city);
    let secret = CardSecret::new([9; 32]);
    let record = terminal.tap_record(&secret);
    assert_eq!((record.price_class, record.pin_version), (2, 1));
    assert_eq!(record.entitlements.iter().map(|one| one.service).collect::<Vec<_>>(), [5]);
    let (epoch, row) = terminal.row(Tier::Pin, &secret).unwrap();
    let key = pin_key(&secret, b"274950").unwrap();
    let holder = PinCard { secret: &secret, generation: chip.generation, pin: &key };
    let stamp = PinStamp { pin_version: record.pin_version, content: record.pin_content };
    let opened = open_pin(&epoch, &holder, stamp, &row, &terminal.dictionary).unwrap();
    assert_eq!((opened.name.as_str(), opened.documents.len()), ("Nel Marea Uría", 1));
}

#[test]
fn a_founded_citys_keys_are_drawn_for_it_alone_and_nothing_invented_is_beside_them() {
    let (one, other) = (City::founded(), City::founded());
    let secrets = |city: &City| {
        let keys = city.keys();
        let bytes = [keys.head.expose(), keys.facts.expose(), keys.storage.expose(), keys.epochs[0].key.expose()];
        bytes.map(|bytes| *bytes)
    };
    assert!(secrets(&one).iter().all(|secret| !secrets(&other).contains(secret)));
    assert_eq!(std::fs::metadata(one.data.keys()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(one.data.authority().exists() && !one.data.demo_cards().exists());
    let line = audit::newest(one.database().read(), 1).unwrap().remove(0);
    assert_eq!((line.what.as_str(), line.about.as_str()), ("city founded", "bahia"));
}

#[test]
fn no_city_is_founded_over_another_or_with_a_pack_that_no_terminal_could_use() {
    let refused = |data: &DataFolder, pack: &Path| founding::found(data, pack, &console(), NOW).unwrap_err();
    let city = City::seeded(135, 4, 0);
    let keys = std::fs::read(city.data.keys()).unwrap();
    assert!(matches!(refused(&city.data, &pack_folder()), CentralError::NotReady(_)));
    assert_eq!(std::fs::read(city.data.keys()).unwrap(), keys);
    let place = Place::new();
    let pack = Changed::pack(|_| {});
    std::fs::write(pack.path().join("emblem.svg"), "<svg><text>no</text></svg>").unwrap();
    assert!(matches!(refused(&place.data, pack.path()), CentralError::Content { .. }));
    assert!(!place.data.keys().exists(), "nothing is left of it");
    founding::found(&place.data, &pack_folder(), &console(), NOW).unwrap();
    std::fs::remove_file(place.data.authority()).unwrap();
    assert!(matches!(refused(&place.data, &pack_folder()), CentralError::NotReady(_)), "keys are enough");
}

/// A copy of the invented city's pack.
struct Changed;

impl Changed {
    fn pack(change: impl FnOnce(&mut String)) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, bytes) in
            pack::read_folder(&pack_folder()).unwrap().1.into_iter().map(|file| (file.name, file.bytes))
        {
            let path = folder.path().join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let path = folder.path().join(pack::CITY_TOML);
        let mut text = std::fs::read_to_string(&path).unwrap();
        change(&mut text);
        std::fs::write(path, text).unwrap();
        folder
    }

    fn version_2(from: &str, to: &str) -> TempDir {
        Self::pack(|text| {
            assert!(text.contains(from), "{from}");
            *text = text.replace("version = 1", "version = 2").replace(from, to);
        })
    }
}

fn set_pack(city: &City, folder: &Path) -> Result<Option<u32>, CentralError> {
    pack::change(&mut city.database(), &pack::read_checked(folder)?, &console(), NOW)
}

#[test]
fn another_pack_counts_with_the_next_publication() {
    let city = City::seeded(136, 4, 0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let dearer = Changed::version_2("daily_max = 15000", "daily_max = 16000");
    std::fs::remove_file(dearer.path().join("locales/en.ftl")).unwrap();
    assert_eq!(set_pack(&city, dearer.path()).unwrap(), Some(2));
    assert_eq!(set_pack(&city, dearer.path()).unwrap(), None, "the same again changes nothing");
    published(&city, NOW.plus_ms(1));
    terminal.pull(&city);
    let text = String::from_utf8(terminal.file(&city, FileKind::CityPack)).unwrap();
    assert!(text.contains("daily_max = 16000"));
    assert!(terminal.manifest.of_kind(FileKind::CityFile).all(|file| file.name != "locales/en.ftl"));
    let acts = audit::newest(city.database().read(), 9).unwrap();
    let acts: Vec<_> = acts.iter().map(|line| (line.what.as_str(), line.about.as_str())).collect();
    assert_eq!(acts, [("pack changed", "bahia version 2"), ("terminal enrolled", "3")]);
}

#[test]
fn a_pack_that_a_terminal_could_not_use_or_that_is_not_this_citys_next_one_changes_nothing() {
    let city = City::seeded(137, 4, 0);
    let before = city.database().content_hash().unwrap();
    let check = |pack: &TempDir, expected: &str| {
        let error = set_pack(&city, pack.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(city.database().content_hash().unwrap(), before, "{expected}");
    };
    let other = |name: &str, text: &str| {
        let pack = Changed::version_2("tries = 3", "tries = 4");
        std::fs::write(pack.path().join(name), text).unwrap();
        pack
    };
    check(&Changed::version_2("id = \"bahia\"\n", "id = \"otra\"\n"), "this pack is otra's");
    check(&Changed::pack(|text| *text = text.replace("tries = 3", "tries = 4")), "has to rise above 1");
    check(&Changed::version_2("aid = [0xF5, 0x1C, 0x01]", "aid = [0xF5, 0x1C, 0x02]"), "[card]");
    check(&Changed::version_2("tries = 3", "tires = 3"), "tires");
    check(&Changed::version_2("Europe/Madrid", "Europe/Atlantis"), "Atlantis");
    check(&Changed::version_2("number = 2\n", "number = 1\n"), "one number");
    check(&Changed::version_2("emblem = \"emblem.svg\"", "emblem = \"crest.svg\""), "emblem is missing");
    check(&other("emblem.svg", "<svg><text>no</text></svg>"), "emblem.svg");
    check(&other("locales/es.ftl", "city-name = La Ola\n= broken"), "es");
    check(&other("locales/es.ftl", "city-other = La Ola\n"), "city-name");
    check(&other("film.bin", &"x".repeat(40 << 20)), "length of a file");
}

#[test]
fn a_registered_card_becomes_a_technicians_and_stops_being_one() {
    let city = City::founded();
    let (rules, _) = pack::load(city.database().read()).unwrap();
    let staff = Staff { name: "Iyán Ola Rey", number: "T-0007" };
    let add = |number: u64, staff: Staff<'_>, pin: &str| {
        let keys = city.keys();
        technicians::add(&mut city.database(), (&keys, &rules), &console(), CardNumber(number), staff, pin, NOW)
    };
    let refused = |number: u64, staff: Staff<'_>, pin: &str, expected: Refusal| match add(number, staff, pin) {
        Err(CentralError::Refused(refusal)) => assert_eq!(refusal, expected),
        other => panic!("{expected:?}: {other:?}"),
    };
    refused(NUMBER, staff, "274950", Refusal::CardUnknown);
    let chip = card(NUMBER, 1, 9);
    register(&city, &chip).unwrap();
    refused(NUMBER, staff, "111111", Refusal::PinWeak);
    refused(NUMBER, Staff { name: " ", ..staff }, "274950", Refusal::FormField);
    add(NUMBER, staff, "274950").unwrap();
    refused(NUMBER, staff, "274950", Refusal::CardTaken);
    city.publish();
    let mut terminal = Follower::of(&city);
    let secret = CardSecret::new([9; 32]);
    let record = terminal.tap_record(&secret);
    assert!(record.role.is_some() && record.credit_key.is_none());
    let (epoch, row) = terminal.row(Tier::Pin, &secret).unwrap();
    let key = pin_key(&secret, b"274950").unwrap();
    let own = PinCard { secret: &secret, generation: chip.generation, pin: &key };
    let stamp = PinStamp { pin_version: record.pin_version, content: record.pin_content };
    let opened = open_pin(&epoch, &own, stamp, &row, &terminal.dictionary).unwrap();
    assert_eq!((opened.name.as_str(), opened.identity_number.as_str()), (staff.name, staff.number));

    let remove = || technicians::remove(&mut city.database(), &console(), CardNumber(NUMBER), NOW).unwrap();
    assert!(remove() && !remove());
    assert!(!technicians::all(city.database().read()).unwrap()[0].active);
    published(&city, NOW.plus_ms(1));
    terminal.pull(&city);
    assert!(terminal.row(Tier::Tap, &secret).is_none());
    let list = protocol::Revocations::decode(&terminal.file(&city, FileKind::Revocations)).unwrap();
    assert!(list.contains(&terminal.epoch_keys[0], CardNumber(NUMBER), chip.generation));
    refused(NUMBER, staff, "274950", Refusal::CardInactive);
    let acts = audit::newest(city.database().read(), 3).unwrap();
    let acts: Vec<_> = acts.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(acts, ["service card revoked", "terminal enrolled", "service card given"]);
}

#[test]
fn the_program_founds_a_city_and_says_what_comes_next() {
    let place = Place::new();
    let pack = pack_folder();
    let (ok, said) = program(&place.data, &["found", "--pack", pack.to_str().unwrap()]);
    assert!(ok, "{said}");
    for word in ["recovery-key", "root-key", "import-holders", "publish", "enrol"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let out = TempDir::new().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (recovery, root) = (path("recovery.json"), path("root.json"));
    for step in [&["recovery-key", "--out", &recovery][..], &["root-key", "--export", &root], &["publish"]] {
        let (ok, said) = program(&place.data, step);
        assert!(ok, "{step:?}: {said}");
    }
    let keys = KeyFile::load(&place.data.keys()).unwrap();
    assert!(keys.root.is_none() && keys.recovery.is_some() && keys.changes == 2);
    let next = Changed::version_2("daily_max = 15000", "daily_max = 16000");
    let (ok, said) = program(&place.data, &["set-pack", next.path().to_str().unwrap()]);
    assert!(ok && said.contains("version 2"), "{said}");
    let (ok, said) = program(&place.data, &["found", "--pack", pack.to_str().unwrap()]);
    assert!(!ok && said.contains("holds a city already"), "{said}");
    drop(KeyFileLock::take(&place.data.keys()).unwrap());
}
