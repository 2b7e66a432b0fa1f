//! Publication by difference: what is sealed, what terminals fetch, and what a publication that is killed leaves.

use crate::fixture::{City, DemoCard, NOW};
use crate::follower::{Fetched, Follower, secret, signed_head};
use central::CentralError;
use central::db::params;
use central::publish::{Counts, DELTA_STEP, Order, Published, Step, publish, publish_with, timer};
use central::store_key::{Stored, seal};
use domain::Timestamp;
use protocol::{CardSecret, FileKind, OpenError, Segment, Tier, pin_key, record_id};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) const DAY_MS: i64 = 86_400_000;
const QUARTER_MS: i64 = 900_000;

fn days(count: i64) -> Timestamp {
    NOW.plus_ms(count * DAY_MS)
}

pub(crate) fn published(city: &City, now: Timestamp) -> Published {
    publish(&city.data, &mut city.database(), &city.keys(), now).unwrap()
}

fn ordered(city: &City, order: Order, now: Timestamp) -> Published {
    publish_with(&city.data, &mut city.database(), &city.keys(), order, now, &mut |_| Ok(())).unwrap()
}

fn number(demo: &DemoCard) -> i64 {
    i64::try_from(demo.card.identity.number.0).unwrap()
}

pub(crate) fn change(city: &City, sql: &str, demo: &DemoCard) {
    city.database().write(|transaction| Ok(transaction.execute(sql, params![number(demo)])?)).unwrap();
}

pub(crate) const OWES: &str =
    "UPDATE holder SET taxes_due = taxes_due + 100 WHERE id = (SELECT holder FROM card WHERE number = ?1)";

#[test]
fn a_publication_without_a_change_costs_a_terminal_one_delta_that_says_nothing() {
    let city = City::seeded(110, 400, 1);
    city.publish();
    let mut terminal = Follower::of(&city);
    let before = terminal.tap.clone();
    let second = published(&city, NOW.plus_ms(QUARTER_MS));
    assert_eq!((second.base, second.pin, second.tap_rows, second.pin_rows), (false, None, 401, 2));
    assert_eq!(second.tap, Counts { changed: 0, removed: 0, decoys: DELTA_STEP });
    assert_eq!(terminal.pull(&city), [Fetched { base: false, deltas: 1 }, Fetched::default()]);
    let resealed = terminal.tap.iter().filter(|(id, row)| before[id] != **row).count();
    assert_eq!((before.len(), terminal.tap.len(), resealed), (401, 401, DELTA_STEP));
}

#[test]
fn a_change_shows_at_the_next_publication_among_rows_that_did_not_change() {
    let city = City::seeded(111, 400, 2);
    let [one, other] = &city.demo_cards()[..] else { panic!("two") };
    city.publish();
    let mut terminal = Follower::of(&city);
    city.charge(one.card.identity.number, 7);
    let second = published(&city, NOW.plus_ms(QUARTER_MS));
    assert_eq!(second.tap, Counts { changed: 1, removed: 0, decoys: DELTA_STEP - 1 });
    terminal.pull(&city);
    assert_eq!(terminal.tap_record(&secret(one)).price_class, 7);
    assert_ne!(terminal.tap_record(&secret(other)).price_class, 7);
    let entry = terminal.manifest.of_kind(FileKind::TapDelta).next().unwrap();
    let delta = city.file(entry.sha256);
    assert_eq!(Segment::parse(&delta).unwrap().count(), DELTA_STEP as u64);
    assert!(terminal.manifest.compared(Tier::Tap) == NOW.plus_ms(QUARTER_MS));
}

#[test]
fn more_than_half_of_the_city_changed_is_a_new_base() {
    let city = City::seeded(113, 600, 1);
    city.publish();
    let mut terminal = Follower::of(&city);
    let sql = "UPDATE holder SET price_class = price_class + 10";
    city.database().write(|transaction| Ok(transaction.execute(sql, params![])?)).unwrap();
    assert!(published(&city, NOW).base);
    assert_eq!(terminal.pull(&city), [Fetched { base: true, deltas: 0 }; 2]);
    let record = terminal.tap_record(&secret(&city.demo_cards()[0]));
    assert!(record.price_class >= 10);
}

#[test]
fn the_pin_tier_waits_for_its_day_or_for_an_order_and_the_tap_record_names_what_is_published() {
    let city = City::seeded(114, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let owed = |terminal: &Follower| terminal.pin_record(&demo).unwrap().taxes_due;
    let (first, content) = (owed(&terminal), terminal.tap_record(&secret(&demo)).pin_content);
    change(&city, OWES, &demo);
    assert_eq!(published(&city, NOW.plus_ms(QUARTER_MS)).pin, None);
    terminal.pull(&city);
    assert_eq!((owed(&terminal), terminal.tap_record(&secret(&demo)).pin_content), (first, content));
    assert_eq!(terminal.manifest.compared(Tier::Pin), NOW);

    let next = published(&city, days(1));
    assert_eq!(next.pin.unwrap().changed, 1);
    assert_eq!(terminal.pull(&city)[1], Fetched { base: false, deltas: 1 });
    assert_eq!((owed(&terminal), terminal.tap_record(&secret(&demo)).pin_content), (first + 100, content + 1));

    change(&city, OWES, &demo);
    assert_eq!(published(&city, days(1)).pin, None, "once a day");
    assert_eq!(ordered(&city, Order { pin: true, base: false }, days(1)).pin.unwrap().changed, 1);
    terminal.pull(&city);
    assert_eq!((owed(&terminal), terminal.tap_record(&secret(&demo)).pin_content), (first + 200, content + 2));
}

#[test]
fn a_pin_set_today_is_named_once_its_row_is_published_and_costs_no_try_before() {
    let city = City::seeded(115, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let set = |version: u8, pin: &str| {
        let key = pin_key(&secret(&demo), pin.as_bytes()).unwrap();
        let sealed = seal(&city.keys().storage, Stored::PinKey, demo.card.identity.number, key.expose()).unwrap();
        let sql = "UPDATE card SET pin_version = ?2, pin_key = ?3 WHERE number = ?1";
        let number = number(&demo);
        let set = |sql| city.database().write(|t| Ok(t.execute(sql, params![number, version, sealed])?));
        set(sql).unwrap();
    };
    set(2, "111111");
    published(&city, NOW.plus_ms(QUARTER_MS));
    terminal.pull(&city);
    assert_eq!(terminal.tap_record(&secret(&demo)).pin_version, 1, "the row that terminals have is the old one");
    assert!(terminal.pin_record(&demo).is_ok());
    published(&city, days(1));
    terminal.pull(&city);
    assert_eq!(terminal.tap_record(&secret(&demo)).pin_version, 2);
    assert_eq!(terminal.pin_record(&demo).err(), Some(OpenError::WrongPin), "the old PIN");
    let renewed = DemoCard { pin: "111111".into(), name: demo.name.clone(), card: demo.card.clone() };
    assert_eq!(terminal.pin_record(&renewed).unwrap().name, demo.name);

    change(&city, "UPDATE card SET pin_version = 0, pin_key = NULL WHERE number = ?1", &demo);
    published(&city, days(1));
    terminal.pull(&city);
    assert_eq!(terminal.tap_record(&secret(&demo)).pin_version, 0, "a PIN taken away is none at once");
    assert!(terminal.row(Tier::Pin, &secret(&demo)).is_some());
    published(&city, days(2));
    terminal.pull(&city);
    assert!(terminal.row(Tier::Pin, &secret(&demo)).is_none(), "and its row goes with its tier");
    let before = terminal.tap_record(&secret(&demo)).pin_content;
    set(3, "222222");
    published(&city, days(3));
    terminal.pull(&city);
    assert!(terminal.tap_record(&secret(&demo)).pin_content > before + 1, "a content number never comes again");
}

#[test]
fn a_revoked_card_is_a_removal_and_a_replaced_one_has_its_row_elsewhere() {
    let city = City::seeded(116, 60, 2);
    let [gone, replaced] = &city.demo_cards()[..] else { panic!("two") };
    city.publish();
    let mut terminal = Follower::of(&city);
    city.revoke(gone.card.identity.number);
    let chip = CardSecret::new([0x5A; 32]);
    let card = replaced.card.identity.number;
    let sealed = seal(&city.keys().storage, Stored::CardSecret, card, chip.expose()).unwrap();
    let sql = "UPDATE card SET generation = 2, secret = ?2, pin_version = 0, pin_key = NULL WHERE number = ?1";
    let number = number(replaced);
    city.database().write(|transaction| Ok(transaction.execute(sql, params![number, sealed])?)).unwrap();
    let second = ordered(&city, Order { pin: true, base: false }, NOW);
    assert_eq!((second.tap.changed, second.tap.removed, second.tap_rows), (1, 2, 60));
    assert_eq!((second.pin.unwrap().removed, second.pin_rows), (2, 1));
    terminal.pull(&city);
    for card in [gone, replaced] {
        assert!(terminal.row(Tier::Tap, &secret(card)).is_none() && terminal.row(Tier::Pin, &secret(card)).is_none());
    }
    let record = terminal.tap_record(&chip);
    assert_eq!(record.pin_version, 0, "the old chip's PIN row is not this one's");
    let whole = Follower::of(&city);
    assert_eq!((whole.tap, whole.pin), (terminal.tap.clone(), terminal.pin.clone()));
    assert_eq!(published(&city, NOW).tap.removed, 0, "what is gone is gone");
}

#[test]
fn facts_signed_ahead_stay_the_same_bytes_until_they_are_renewed_in_time() {
    let city = City::seeded(117, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let mut facts = |now: Timestamp| {
        published(&city, now);
        terminal.pull(&city);
        let document = &terminal.pin_record(&demo).unwrap().documents[0];
        (document.signed_facts.clone(), document.until)
    };
    let first = facts(NOW);
    assert_eq!(facts(days(1)), first, "sealed anew as a decoy, signed as before");
    // Good for 90 days: renewed after 45 to 66.
    assert_eq!(facts(days(44)), first);
    let renewed = facts(days(67));
    assert_eq!(renewed.1, first.1 + 67);
    assert_ne!(renewed.0, first.0);
}

#[test]
fn the_deltas_of_a_day_become_one_and_a_terminal_in_between_follows_without_a_base() {
    let city = City::seeded(118, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let (mut early, mut between) = (Follower::of(&city), Follower::of(&city));
    for at in 1..=4 {
        city.charge(demo.card.identity.number, u8::try_from(10 + at).unwrap());
        published(&city, NOW.plus_ms(at * QUARTER_MS));
        if at == 2 {
            between.pull(&city);
        }
    }
    assert_eq!(signed_manifest_deltas(&city, FileKind::TapDelta), ["1-2", "2-3", "3-4", "4-5"]);
    city.charge(demo.card.identity.number, 20);
    published(&city, days(1));
    assert_eq!(signed_manifest_deltas(&city, FileKind::TapDelta), ["1-5", "5-6"]);
    assert_eq!(signed_manifest_deltas(&city, FileKind::PinDelta), ["1-6"]);
    for terminal in [&mut early, &mut between] {
        assert_eq!(terminal.pull(&city)[0], Fetched { base: false, deltas: 2 });
        assert_eq!(terminal.tap_record(&secret(&demo)).price_class, 20);
    }
    assert_eq!((early.tap, early.pin), (between.tap, between.pin));
}

fn signed_manifest_deltas(city: &City, kind: FileKind) -> Vec<String> {
    Follower::of(city).manifest.of_kind(kind).map(|entry| entry.name.clone()).collect()
}

#[test]
fn deltas_that_outgrow_half_of_the_base_are_folded_into_a_new_one_that_nobody_up_to_date_loads() {
    let city = City::seeded(119, 300, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let base = |terminal: &Follower| terminal.manifest.base_sequence(Tier::Tap);
    let mut at = 0;
    while base(&terminal) == 1 {
        at += 1;
        assert!(at < 40, "half a megabyte of deltas is folded");
        city.charge(demo.card.identity.number, u8::try_from(10 + at).unwrap());
        published(&city, NOW.plus_ms(at * QUARTER_MS));
        assert_eq!(terminal.pull(&city), [Fetched { base: false, deltas: 1 }, Fetched::default()], "{at}");
    }
    let newest = terminal.head.head.sequence;
    assert_eq!(base(&terminal), newest);
    let fresh = Follower::of(&city);
    assert_eq!((fresh.tap, fresh.pin), (terminal.tap.clone(), terminal.pin.clone()));
    published(&city, days(30));
    terminal.pull(&city);
    assert_eq!(base(&terminal), newest);
    assert_eq!(signed_manifest_deltas(&city, FileKind::TapDelta).len(), 1, "those before the base are forgotten");
}

#[test]
fn files_stay_while_a_terminal_may_be_loading_them_and_go_after() {
    let city = City::seeded(120, 60, 0);
    city.publish();
    let files = || -> BTreeSet<String> {
        let names = std::fs::read_dir(city.data.feed().join("files")).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let first = files();
    ordered(&city, Order { pin: true, base: true }, days(1));
    assert!(files().is_superset(&first));
    published(&city, days(6));
    assert!(files().is_superset(&first), "a terminal in mid-download loses nothing");
    published(&city, days(9));
    let left = files();
    let named: BTreeSet<String> =
        Follower::of(&city).manifest.files.iter().map(|file| file.sha256.to_string()).collect();
    assert!(left.is_superset(&named));
    assert!(first.difference(&named).count() > 10 && first.difference(&named).all(|name| !left.contains(name)));
}

#[test]
fn a_publication_killed_anywhere_is_repeated_and_no_terminal_sees_one_sequence_twice() {
    let city = City::seeded(121, 300, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let mut seen = BTreeMap::from([(1, signed_head(&city).head)]);
    for (at, step) in (1_i64..).zip(Step::ALL.into_iter().chain(Step::ALL)) {
        let class = u8::try_from(10 + at).unwrap();
        city.charge(demo.card.identity.number, class);
        change(&city, OWES, &demo);
        // Half of the times it is the pin tier's turn too.
        let now = if at > 6 { days(at) } else { NOW.plus_ms(at * QUARTER_MS) };
        let mut kill = |at| if at == step { Err(CentralError::Feed("killed".into())) } else { Ok(()) };
        let killed = publish_with(&city.data, &mut city.database(), &city.keys(), Order::default(), now, &mut kill);
        assert_eq!(killed.unwrap_err().to_string(), "feed: killed");
        let mut look = |terminal: &mut Follower| {
            terminal.pull(&city);
            let note = signed_head(&city).head;
            let before = seen.insert(terminal.head.head.sequence, note.clone());
            assert!(before.is_none_or(|before| before == note), "{step:?}: one sequence, one head");
        };
        look(&mut terminal);
        published(&city, now.plus_ms(1));
        look(&mut terminal);
        assert_eq!(terminal.tap_record(&secret(&demo)).price_class, class, "{step:?}");
        terminal.pin_record(&demo).unwrap();
        let whole = Follower::of(&city);
        assert!((&whole.tap, &whole.pin) == (&terminal.tap, &terminal.pin), "{step:?}");
    }
}

#[test]
fn a_folder_that_lost_what_was_published_gets_a_new_base() {
    for kind in [FileKind::TapSegment, FileKind::PinSegment] {
        let city = City::seeded(122, 60, 1);
        city.publish();
        let mut terminal = Follower::of(&city);
        let entry = terminal.manifest.of_kind(kind).next().unwrap().sha256;
        std::fs::remove_file(city.data.feed().join("files").join(entry.to_string())).unwrap();
        assert!(published(&city, NOW).base, "{kind:?}");
        terminal.pull(&city);
        assert_eq!(terminal.pin_record(&city.demo_cards()[0]).unwrap().name, city.demo_cards()[0].name);
    }
}

#[test]
fn a_delta_that_was_changed_on_the_disk_is_not_merged_into_anything() {
    let city = City::seeded(123, 60, 1);
    city.publish();
    published(&city, NOW);
    published(&city, NOW);
    let mut terminal = Follower::of(&city);
    let entry = terminal.manifest.of_kind(FileKind::TapDelta).next().unwrap().sha256;
    let path = city.data.feed().join("files").join(entry.to_string());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(published(&city, days(1)).base, "the day's deltas could not be merged");
    terminal.pull(&city);
}

#[test]
fn two_that_publish_at_once_do_it_one_after_the_other() {
    let city = City::seeded(124, 60, 0);
    city.publish();
    let sequences: BTreeSet<u64> = std::thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| published(&city, NOW).sequence));
        both.map(|one| one.join().unwrap()).into()
    });
    assert_eq!(sequences, BTreeSet::from([2, 3]));
    Follower::of(&city);
}

#[test]
fn by_itself_it_publishes_when_it_is_time_and_leaves_alone_what_another_node_did() {
    let city = City::seeded(125, 20, 0);
    let every = Duration::from_secs(3_600);
    let first = timer::once(&city.data, every).unwrap();
    assert_eq!(first.map(|published| published.sequence), Some(1));
    assert_eq!(timer::once(&city.data, every).unwrap(), None);
    let second = timer::once(&city.data, Duration::ZERO).unwrap();
    assert_eq!(second.map(|published| published.sequence), Some(2));
}

#[test]
fn what_is_kept_of_a_card_says_nothing_without_the_storage_key() {
    let city = City::seeded(126, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let digest = || -> Vec<u8> {
        let sql = "SELECT digest FROM published_row WHERE card = ?1 AND tier = 1";
        city.database().read().query_row(sql, params![number(&demo)], |row| row.get(0)).unwrap()
    };
    let first = digest();
    let id = record_id(&city.keys().epochs[0], &secret(&demo), Tier::Tap).unwrap();
    assert_ne!(first, id.0);
    ordered(&city, Order { pin: true, base: true }, NOW.plus_ms(1));
    assert_eq!(digest(), first, "of the same content, whenever it is sealed");
    let mut keys = city.keys();
    keys.storage = protocol::Secret32::new([7; 32]);
    assert!(publish(&city.data, &mut city.database(), &keys, NOW).is_err(), "and no other key opens the registry");
}
