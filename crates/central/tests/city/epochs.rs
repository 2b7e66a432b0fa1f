//! Rotation, theft, destruction, and the change of the head key.

use crate::fixture::{City, NOW};
use crate::follower::{Fetched, Follower, enrolled, secret, signed_head};
use crate::tls::{EIGHT, SEVEN};
use central::audit::{self, Actor};
use central::publish::{Order, Published, Step, publish, publish_with};
use central::{CentralError, KeyFile, epochs};
use domain::{Generation, TerminalId, Timestamp};
use protocol::{FeedFloor, HeadError, Revocations, Tier, open_tap, record_id};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

fn rotated(city: &City, withdrawn: &[TerminalId], now: Timestamp) -> Published {
    let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
    epochs::rotate(&city.data, &mut database, &mut keys, withdrawn, &actor, now, &mut |_| Ok(())).unwrap()
}

fn published(city: &City, now: Timestamp) -> Published {
    publish(&city.data, &mut city.database(), &city.keys(), now).unwrap()
}

fn known_epochs(keys: &KeyFile) -> Vec<u32> {
    keys.epochs.iter().map(|key| key.epoch).collect()
}

/// What was done to the keys and to terminals, oldest first.
fn acts(city: &City) -> Vec<(String, String)> {
    let mut lines = audit::newest(city.database().read(), 20).unwrap();
    lines.reverse();
    // How the terminals came to be there is another test's.
    lines.retain(|line| line.what != "terminal enrolled");
    lines.into_iter().map(|line| (line.what, line.about)).collect()
}

#[test]
fn a_rotation_seals_everybody_anew_and_hands_the_key_to_live_terminals_alone() {
    let city = City::seeded(90, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let (seven, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let (mut honest, before) = (Follower::with(&city, bundle), published(&city, NOW));
    let (stolen, bundle) = enrolled(&city, EIGHT, 3, NOW);
    let mut thief = Follower::with(&city, bundle);
    honest.pull(&city);

    let rotation = rotated(&city, &[EIGHT], NOW.plus_ms(HOUR_MS));
    assert_eq!((rotation.base, rotation.tap_rows, rotation.pin_rows), (true, 61, 2));
    assert_eq!(rotation.sequence, before.sequence + 1);
    let fetched = [honest.pull(&city), thief.pull(&city)].concat();
    assert_eq!(fetched, [Fetched { base: true, deltas: 0 }; 4]);
    assert_eq!(honest.head.head.epoch, 2);

    assert!(honest.unpack(&city, &seven).unwrap().is_some());
    assert_eq!(known_epochs(&city.keys()), [2, 1]);
    assert_eq!(honest.pin_record(&demo).unwrap().name, demo.name);

    assert!(thief.unpack(&city, &stolen).unwrap().is_none(), "a withdrawn terminal finds no parcel");
    assert_eq!(thief.epoch_keys.iter().map(|key| key.epoch).collect::<Vec<_>>(), [1]);
    assert!(thief.row(Tier::Tap, &secret(&demo)).is_none(), "and no row under the key it has");
    for row in thief.tap.values() {
        assert!(open_tap(&thief.epoch_keys[0], &secret(&demo), row, &thief.dictionary).is_err());
    }
    assert_eq!(
        acts(&city),
        [("terminal withdrawn", "8"), ("epoch rotated in an emergency", "2")].map(|(a, b)| (a.into(), b.into()))
    );
}

#[test]
fn the_list_of_revocations_is_under_the_new_epochs_key() {
    let city = City::seeded(91, 20, 1);
    let demo = city.demo_cards().remove(0);
    let number = demo.card.identity.number;
    city.revoke(number);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let old = terminal.epoch_keys[0].clone();
    rotated(&city, &[], NOW);
    terminal.pull(&city);
    terminal.unpack(&city, &own).unwrap();
    let list = Revocations::decode(&terminal.file(&city, protocol::FileKind::Revocations)).unwrap();
    assert!(list.contains(&terminal.epoch_keys[0], number, Generation(1)));
    assert!(!list.contains(&old, number, Generation(1)));
}

#[test]
fn a_terminal_that_was_off_for_a_month_catches_up_from_the_newest_manifest_alone() {
    let city = City::seeded(92, 60, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    rotated(&city, &[], NOW.plus_ms(5 * DAY_MS));
    for day in 6..34 {
        published(&city, NOW.plus_ms(day * DAY_MS));
    }
    rotated(&city, &[], NOW.plus_ms(34 * DAY_MS));
    city.charge(demo.card.identity.number, 7);
    published(&city, NOW.plus_ms(35 * DAY_MS));
    let fetched = terminal.pull(&city);
    assert!(fetched.iter().all(|tier| *tier == Fetched { base: true, deltas: 1 }), "{fetched:?}");
    assert!(terminal.row(Tier::Tap, &secret(&demo)).is_none(), "not without its parcel");
    terminal.unpack(&city, &own).unwrap().unwrap();
    assert_eq!(terminal.tap_record(&secret(&demo)).price_class, 7);
    assert_eq!(terminal.pin_record(&demo).unwrap().name, demo.name);
}

#[test]
fn a_rotation_that_is_killed_anywhere_is_ended_by_the_next_publication() {
    for step in Step::ALL {
        let city = City::seeded(93, 20, 1);
        let demo = city.demo_cards().remove(0);
        city.publish();
        let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
        let mut terminal = Follower::with(&city, bundle);
        let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
        let mut kill = |at| if at == step { Err(CentralError::Feed("killed".into())) } else { Ok(()) };
        epochs::rotate(&city.data, &mut database, &mut keys, &[], &actor, NOW, &mut kill).unwrap_err();
        drop(database);
        let next = published(&city, NOW.plus_ms(1));
        let had_begun = matches!(step, Step::Taken | Step::Published | Step::Swept);
        assert_eq!((next.base, next.sequence), (!had_begun, if had_begun { 3 } else { 2 }), "{step:?}");
        terminal.pull(&city);
        terminal.unpack(&city, &own).unwrap().unwrap();
        assert_eq!((terminal.head.head.epoch, terminal.epoch_keys[0].epoch), (2, 2), "{step:?}");
        assert_eq!(terminal.pin_record(&demo).unwrap().name, demo.name, "{step:?}");
    }
}

#[test]
fn a_terminal_that_is_not_there_stops_the_rotation_before_anybody_is_withdrawn() {
    let city = City::seeded(94, 20, 0);
    city.publish();
    let (_, _) = enrolled(&city, SEVEN, 1, NOW);
    let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
    let wrong = [SEVEN, TerminalId(99)];
    let error = epochs::rotate(&city.data, &mut database, &mut keys, &wrong, &actor, NOW, &mut |_| Ok(()));
    assert_eq!(error.unwrap_err().to_string(), "there is no terminal 99");
    assert_eq!(known_epochs(&city.keys()), [1]);
    assert!(central::ca_store::keys_of(database.read(), SEVEN).unwrap().is_some());
}

#[test]
fn old_epochs_are_destroyed_once_no_terminal_needs_them_and_leave_the_parcels() {
    let city = City::seeded(95, 20, 1);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let destroy =
        |days, now| epochs::destroy(&city.data, &mut city.database(), &mut city.keys(), days, &Actor::console(), now);
    let (mut keys, first) = (city.keys(), city.keys().epochs[0].key.expose().to_vec());
    keys.draw_epoch(1).unwrap();
    keys.save(&city.data.keys()).unwrap();
    assert!(destroy(0, NOW).unwrap_err().to_string().contains("never published"), "nobody has the new key yet");
    published(&city, NOW);
    assert!(destroy(35, NOW.plus_ms(35 * DAY_MS - 1)).unwrap_err().to_string().contains("1 days more"));
    assert_eq!(destroy(35, NOW.plus_ms(35 * DAY_MS)).unwrap(), [1]);
    assert_eq!(known_epochs(&city.keys()), [2]);
    let file = std::fs::read_to_string(city.data.keys()).unwrap();
    assert!(!file.contains(&data_encoding::HEXLOWER.encode(&first)));
    assert_eq!(destroy(0, NOW).unwrap(), [0_u32; 0], "nothing is left to destroy");
    published(&city, NOW.plus_ms(36 * DAY_MS));
    terminal.pull(&city);
    terminal.unpack(&city, &own).unwrap().unwrap();
    assert_eq!(terminal.epoch_keys.iter().map(|key| key.epoch).collect::<Vec<_>>(), [2]);
    assert_eq!(acts(&city), [("epoch keys destroyed".to_owned(), "1".to_owned())]);
}

#[test]
fn a_city_that_rotates_every_month_destroys_the_epochs_before_the_last() {
    let city = City::seeded(99, 20, 0);
    city.publish();
    let destroy = |now| {
        epochs::destroy(&city.data, &mut city.database(), &mut city.keys(), 35, &Actor::console(), NOW.plus_ms(now))
    };
    rotated(&city, &[], NOW.plus_ms(30 * DAY_MS));
    rotated(&city, &[], NOW.plus_ms(60 * DAY_MS));
    assert!(destroy(60 * DAY_MS).unwrap_err().to_string().contains("for 6 days more"), "the second one's first day");
    assert_eq!(known_epochs(&city.keys()), [3, 2, 1]);
    rotated(&city, &[], NOW.plus_ms(90 * DAY_MS));
    assert_eq!(destroy(90 * DAY_MS).unwrap(), [1], "whoever has the second needs no first");
    assert_eq!(destroy(96 * DAY_MS).unwrap(), [2]);
    assert_eq!(known_epochs(&city.keys()), [4, 3]);
}

#[test]
fn a_key_file_from_before_the_feeds_epoch_publishes_nothing() {
    let city = City::seeded(96, 20, 0);
    city.publish();
    let (old, head) = (city.keys(), std::fs::read(city.data.feed().join("head.json")).unwrap());
    rotated(&city, &[], NOW);
    let rotated_head = std::fs::read(city.data.feed().join("head.json")).unwrap();
    assert_ne!(head, rotated_head);
    let error = publish(&city.data, &mut city.database(), &old, NOW).unwrap_err().to_string();
    assert!(error.contains("the key file is older than the feed"), "{error}");
    assert_eq!(std::fs::read(city.data.feed().join("head.json")).unwrap(), rotated_head);
}

#[test]
fn a_key_file_from_before_the_shown_heads_keys_publishes_nothing() {
    let city = City::seeded(106, 20, 0);
    city.publish();
    let (old, mut keys, path) = (city.keys(), city.keys(), city.data.feed().join("head.json"));
    epochs::renew_head_key(&city.data, &mut city.database(), &mut keys, None, &Actor::console(), NOW).unwrap();
    let shown = std::fs::read(&path).unwrap();
    let error = publish(&city.data, &mut city.database(), &old, NOW).unwrap_err().to_string();
    assert!(error.contains("older than the head that is shown"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), shown);
    published(&city, NOW);
    // What another root key signed, or nobody, holds nobody up.
    let stranger = City::seeded(107, 20, 0);
    let mut keys = stranger.keys();
    for _ in 0..2 {
        let mut database = stranger.database();
        epochs::renew_head_key(&stranger.data, &mut database, &mut keys, None, &Actor::console(), NOW).unwrap();
    }
    assert!(keys.version > city.keys().version);
    for other in [std::fs::read(stranger.data.feed().join("head.json")).unwrap(), b"{}".to_vec()] {
        std::fs::write(&path, other).unwrap();
        published(&city, NOW);
    }
}

#[test]
fn after_a_new_head_key_heads_of_the_former_one_are_refused_and_facts_stay_good() {
    let city = City::seeded(97, 20, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let (old, former, stolen) = (signed_head(&city), terminal.head.keys.head.clone(), city.keys());
    let (mut database, mut keys) = (city.database(), city.keys());
    let renewed = epochs::renew_head_key(&city.data, &mut database, &mut keys, None, &Actor::console(), NOW).unwrap();
    assert_eq!((renewed, city.keys().version), (2, 2));
    terminal.pull(&city);
    assert_eq!(terminal.head.floor(), FeedFloor { key_version: 2, epoch: 1, sequence: 2 });
    assert_ne!(terminal.head.keys.head, former);
    let verified = old.verify("bahia", &terminal.bundle.root_key).unwrap();
    assert!(matches!(verified.check_floor(terminal.head.floor()), Err(HeadError::GoesBack { .. })));
    // Signed by the revoked key, however new it says it is.
    let mut forged = verified.head;
    forged.sequence = 99;
    let note = forged.sign("bahia", &stolen.head_key().unwrap()).unwrap();
    let forged = protocol::SignedHead { keys: signed_head(&city).keys, head: note };
    assert!(forged.verify("bahia", &terminal.bundle.root_key).is_err());
    let record = terminal.pin_record(&demo).unwrap();
    let facts = &record.documents[0].signed_facts;
    assert!(protocol::verify_facts(facts, &terminal.head.keys.facts).is_ok());
    assert_eq!(acts(&city), [("head key renewed".to_owned(), "2".to_owned())]);
}

#[test]
fn without_the_root_key_it_publishes_until_the_working_keys_run_out() {
    let city = City::seeded(98, 20, 0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let mut keys = city.keys();
    let root = keys.take_root(NOW).unwrap();
    keys.save_over(&city.data.keys()).unwrap();
    published(&city, NOW.plus_ms(DAY_MS));
    terminal.pull(&city);
    assert!(!city.enrol("http://127.0.0.1:1").codes.is_empty(), "enrolment needs the public half alone");
    let late = NOW.plus_ms(401 * DAY_MS);
    let refused = publish(&city.data, &mut city.database(), &city.keys(), late).unwrap_err().to_string();
    assert!(refused.contains("renew-head-key --root"), "{refused}");
    terminal.pull(&city);
    let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
    let mut stranger = KeyFile::load(&city.data.keys()).unwrap();
    stranger.root = Some(protocol::Secret32::new([9; 32]));
    stranger.root_public = None;
    let other = stranger.take_root(NOW).unwrap();
    assert!(epochs::renew_head_key(&city.data, &mut database, &mut keys, Some(&other), &actor, late).is_err());
    assert_eq!(epochs::renew_head_key(&city.data, &mut database, &mut keys, Some(&root), &actor, late).unwrap(), 2);
    published(&city, late.plus_ms(1));
    terminal.pull(&city);
    assert_eq!(terminal.head.keys.version, 2);
}

#[test]
fn an_id_of_one_epoch_is_none_in_the_next() {
    let city = City::seeded(99, 20, 1);
    let demo = city.demo_cards().remove(0);
    city.publish();
    rotated(&city, &[], NOW);
    let keys = city.keys();
    let id = |at: usize| record_id(&keys.epochs[at], &secret(&demo), Tier::Tap).unwrap();
    assert_ne!(id(0), id(1));
    let order = Order { pin: true, base: false };
    let again = publish_with(&city.data, &mut city.database(), &keys, order, NOW, &mut |_| Ok(())).unwrap();
    assert_eq!((again.base, again.tap.changed, again.pin.unwrap().changed), (false, 0, 0), "a rotation is no change");
}
