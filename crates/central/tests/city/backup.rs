//! Copies of a city: made while it serves, restored elsewhere, and never giving out a number twice.

use crate::backend::Backend;
use crate::fixture::{City, NOW, Place, TERMINAL};
use crate::http::Street;
use crate::uploads::{top_up, upload};
use central::backup::back_up;
use central::db::params;
use central::key_file::RootFile;
use central::restore::{HeadKey, Restored, restore};
use central::uploads::take;
use central::{CentralError, CityServer, DataFolder, Database, KeyFile, audit, books, database, epochs, publish};
use ledger::Ledger;
use protocol::http::UPLOADS_PATH;
use protocol::{HpkeSecret, Receipt, Secret32, SignedHead};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use tempfile::TempDir;

struct Copied {
    city: City,
    recovery: HpkeSecret,
    folder: TempDir,
}

impl Copied {
    fn of(city: City) -> Self {
        let mut keys = city.keys();
        let recovery = keys.make_recovery_key().unwrap();
        keys.save(&city.data.keys()).unwrap();
        CityServer::open(city.data.clone()).unwrap();
        Self { city, recovery, folder: TempDir::new().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    fn restored(&self, data: &DataFolder, head: Option<&Path>) -> Result<Restored, CentralError> {
        restore(data, &self.out(), &self.recovery, head, NOW)
    }
}

fn count(database: &Database, sql: &str) -> i64 {
    database.read().query_row(sql, &[], |row| row.get(0)).unwrap()
}

fn say(city: &City, from: u8) -> Vec<Receipt> {
    let mut ledger = Ledger::new(TERMINAL, 1);
    let entries = [top_up(&mut ledger, 9), top_up(&mut ledger, 8)].concat();
    let later = (1..).zip(&entries).filter(|(key, _)| (from..from + 5).contains(key));
    later
        .map(|(key, entry)| take(&mut city.database(), &city.keys(), TERMINAL, &upload(entry, key), NOW).unwrap())
        .collect()
}

#[test]
fn a_city_is_restored_on_either_database_with_all_it_held() {
    let copied = Copied::of(City::seeded(94, 20, 2));
    let city = &copied.city;
    city.enrol("http://127.0.0.1:1");
    city.publish();
    say(city, 1);
    let made = back_up(&city.data, &copied.out(), NOW).unwrap();
    assert_eq!((made.schema, made.numbers["publication"], made.numbers["upload"]), (database::newest(), 1, 5));
    for backend in [Backend::Sqlite, crate::BACKEND] {
        let place = Place::on(backend);
        let restored = copied.restored(&place.data, None).unwrap();
        assert_eq!(restored.epoch, None);
        let (before, after) = (city.database(), Database::open(place.address()).unwrap());
        assert_eq!(after.content_hash().unwrap(), before.content_hash().unwrap());
        assert_eq!(books::all(after.read()).unwrap(), books::all(before.read()).unwrap());
        assert_eq!(books::balances(after.read()).unwrap(), books::balances(before.read()).unwrap());
        let keys = |data: &DataFolder| std::fs::read(data.keys()).unwrap();
        assert_eq!(keys(&place.data), keys(&city.data));
        assert_eq!(std::fs::read(place.data.authority()).unwrap(), std::fs::read(city.data.authority()).unwrap());
        let line = audit::newest(after.read(), 1).unwrap().remove(0);
        assert_eq!((line.what.as_str(), audit::first_broken(after.read()).unwrap()), ("restored", None));
        // Rows go on where they were.
        CityServer::open(place.data.clone()).unwrap();
        let keys = KeyFile::load(&place.data.keys()).unwrap();
        let mut after = after;
        let mut ledger = Ledger::new(TERMINAL, 1);
        let _ = top_up(&mut ledger, 9);
        let next = take(&mut after, &keys, TERMINAL, &upload(&top_up(&mut ledger, 8)[0], 6), NOW).unwrap();
        assert!(next.number > restored.receipt);
        assert!(!place.data.path().join("restoring.db").exists());
    }
}

#[test]
fn what_was_given_out_after_the_copy_is_never_given_out_again() {
    let copied = Copied::of(City::seeded(95, 20, 0));
    let city = &copied.city;
    city.publish();
    let early = say(city, 1);
    back_up(&city.data, &copied.out(), NOW).unwrap();
    let late = say(city, 6);
    for _ in 0..3 {
        city.publish();
    }
    assert_eq!(late.last().unwrap().number, 10);
    let place = Place::new();
    copied.restored(&place.data, None).unwrap();
    let (keys, mut database) = (KeyFile::load(&place.data.keys()).unwrap(), Database::open(place.address()).unwrap());
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let again = take(&mut database, &keys, TERMINAL, &upload(&entries[0], 1), NOW).unwrap();
    assert_eq!(again, early[0], "what the copy knows gets the receipt it had");
    let mut other = Ledger::new(domain::TerminalId(4), 1);
    let new = upload(&top_up(&mut other, 7)[0], 99);
    let new = take(&mut database, &keys, domain::TerminalId(4), &new, NOW).unwrap();
    assert!(new.number > late.last().unwrap().number + 1_000_000);
    let published = publish::publish(&place.data, &mut database, &keys, NOW).unwrap();
    assert!(published.sequence > 1_000_000, "{}", published.sequence);
    assert_eq!(publish::publish(&place.data, &mut database, &keys, NOW).unwrap().sequence, published.sequence + 1);
}

#[test]
fn the_newest_head_raises_the_floor_above_a_sequence_and_an_epoch_that_the_copy_does_not_know() {
    let copied = Copied::of(City::seeded(96, 20, 0));
    let city = &copied.city;
    back_up(&city.data, &copied.out(), NOW).unwrap();
    // Long after the copy: another epoch, and a sequence beyond any step.
    let mut keys = city.keys();
    keys.epochs.insert(0, protocol::EpochKey { epoch: 7, key: Secret32::new([9; 32]) });
    keys.save(&city.data.keys()).unwrap();
    city.database()
        .write(|write| central::numbers::raise(write, central::numbers::Numbered::Publication, 5_000_000))
        .unwrap();
    city.publish();
    let head = city.data.feed().join("head.json");
    let place = Place::new();
    let restored = copied.restored(&place.data, Some(&head)).unwrap();
    assert_eq!((restored.epoch, restored.sequence), (Some(8), 6_000_001));
    let keys = KeyFile::load(&place.data.keys()).unwrap();
    let mut database = Database::open(place.address()).unwrap();
    let published = publish::publish(&place.data, &mut database, &keys, NOW).unwrap();
    assert_eq!((published.sequence, keys.epoch().unwrap().epoch), (6_000_002, 8));
    let foreign = City::seeded(97, 20, 0);
    foreign.publish();
    let place = Place::new();
    let refused = copied.restored(&place.data, Some(&foreign.data.feed().join("head.json")));
    assert!(matches!(refused, Err(CentralError::Content { .. })), "a head of another city says nothing");
}

/// A backup; then the head key is renewed twice, and a head shown that only its keys can verify.
fn renewed_since(city: City, root: Option<&RootFile>) -> (Copied, PathBuf) {
    let copied = Copied::of(city);
    let city = &copied.city;
    back_up(&city.data, &copied.out(), NOW).unwrap();
    let mut keys = city.keys();
    for version in [2, 3] {
        let console = audit::Actor::console();
        let renewed = epochs::renew_head_key(&city.data, &mut city.database(), &mut keys, root, &console, NOW);
        assert_eq!(renewed.unwrap(), version);
    }
    let head = city.data.feed().join("head.json");
    (copied, head)
}

fn shown(data: &DataFolder) -> protocol::VerifiedHead {
    let head: SignedHead = serde_json::from_slice(&std::fs::read(data.feed().join("head.json")).unwrap()).unwrap();
    head.verify("bahia", &KeyFile::load(&data.keys()).unwrap().root_verifier().unwrap()).unwrap()
}

#[test]
fn a_city_whose_head_key_was_renewed_after_the_copy_draws_one_that_terminals_take() {
    let (copied, head) = renewed_since(City::seeded(101, 20, 0), None);
    let place = Place::new();
    let restored = copied.restored(&place.data, Some(&head)).unwrap();
    assert_eq!((restored.head_key, restored.epoch), (Some(HeadKey::Drawn(4)), None));
    let (keys, mut database) = (KeyFile::load(&place.data.keys()).unwrap(), Database::open(place.address()).unwrap());
    publish::publish(&place.data, &mut database, &keys, NOW).unwrap();
    let (before, after) = (shown(&copied.city.data), shown(&place.data));
    assert_eq!(after.keys.version, 4);
    after.check_floor(before.floor()).unwrap();
    // A copy that knows the head key that is shown keeps it.
    let known = Copied::of(City::seeded(102, 20, 0));
    known.city.publish();
    back_up(&known.city.data, &known.out(), NOW).unwrap();
    let head = known.city.data.feed().join("head.json");
    assert_eq!(known.restored(&Place::new().data, Some(&head)).unwrap().head_key, None);
}

#[test]
fn a_city_whose_root_key_is_offline_is_restored_and_asks_for_it_when_its_head_key_is_older() {
    let city = City::seeded(103, 20, 0);
    let mut keys = city.keys();
    let root = keys.take_root(NOW).unwrap();
    keys.save_over(&city.data.keys()).unwrap();
    city.publish();
    let early = TempDir::new().unwrap();
    let early_head = early.path().join("head.json");
    std::fs::copy(city.data.feed().join("head.json"), &early_head).unwrap();
    let (copied, head) = renewed_since(city, Some(&root));
    let place = Place::new();
    assert_eq!(copied.restored(&place.data, Some(&early_head)).unwrap().head_key, None);
    let (mut keys, mut database) =
        (KeyFile::load(&place.data.keys()).unwrap(), Database::open(place.address()).unwrap());
    publish::publish(&place.data, &mut database, &keys, NOW).unwrap();

    let place = Place::new();
    assert_eq!(copied.restored(&place.data, Some(&head)).unwrap().head_key, Some(HeadKey::RootNeeded));
    keys = KeyFile::load(&place.data.keys()).unwrap();
    database = Database::open(place.address()).unwrap();
    let refused = publish::publish(&place.data, &mut database, &keys, NOW).unwrap_err().to_string();
    assert!(refused.contains("renew-head-key --root"), "{refused}");
    let console = audit::Actor::console();
    let renewed = epochs::renew_head_key(&place.data, &mut database, &mut keys, Some(&root), &console, NOW);
    assert_eq!(renewed.unwrap(), 4);
    shown(&place.data).check_floor(shown(&copied.city.data).floor()).unwrap();
}

#[test]
fn a_session_of_the_office_does_not_outlive_a_restore() {
    let copied = Copied::of(City::seeded(104, 20, 0));
    let begin = |write: &central::db::Transaction<'_>| {
        let insert = "INSERT INTO account (name, role, password, made) VALUES ('ana', 'registry', '', 1)";
        write.execute(insert, &[])?;
        let insert = "INSERT INTO office_session (token_sha256, account, began, seen)
                      SELECT ?1, id, ?2, ?2 FROM account";
        write.execute(insert, params![[7_u8; 32], NOW.0])?;
        Ok(())
    };
    copied.city.database().write(begin).unwrap();
    back_up(&copied.city.data, &copied.out(), NOW).unwrap();
    let place = Place::new();
    copied.restored(&place.data, None).unwrap();
    let after = Database::open(place.address()).unwrap();
    let counted = (count(&after, "SELECT count(*) FROM account"), count(&after, "SELECT count(*) FROM office_session"));
    assert_eq!(counted, (1, 0));
}

#[test]
fn what_is_not_the_backup_that_was_made_is_not_restored() {
    let copied = Copied::of(City::seeded(98, 20, 0));
    back_up(&copied.city.data, &copied.out(), NOW).unwrap();
    let refused = |data: &DataFolder, recovery: &HpkeSecret| {
        let refused = restore(data, &copied.out(), recovery, None, NOW).unwrap_err();
        assert!(!data.keys().exists() || data.path() == copied.city.data.path(), "nothing was written");
        refused
    };
    let other = HpkeSecret::new([5; 32]);
    assert!(matches!(refused(&Place::new().data, &other), CentralError::StoredSecret));
    assert!(matches!(refused(&copied.city.data, &copied.recovery), CentralError::NotReady(_)), "a city is there");
    let spoil = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let path = copied.out().join(name);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, change(good.clone())).unwrap();
        let said = refused(&Place::new().data, &copied.recovery);
        assert!(matches!(said, CentralError::Content { .. } | CentralError::NotReady(_)), "{name}: {said}");
        std::fs::write(&path, good).unwrap();
    };
    let flip = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    spoil("central.db", &flip);
    spoil("central.db", &|bytes| bytes[..bytes.len() - 1].to_vec());
    spoil("keys.sealed", &flip);
    let newer = |bytes: Vec<u8>| {
        let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        manifest["schema"] = (database::newest() + 1).into();
        serde_json::to_vec(&manifest).unwrap()
    };
    spoil("manifest.json", &newer);
    copied.restored(&Place::new().data, None).unwrap();
}

#[test]
fn a_backup_holds_no_key_in_the_clear_and_needs_a_recovery_key() {
    let bare = City::seeded(99, 20, 0);
    CityServer::open(bare.data.clone()).unwrap();
    let folder = TempDir::new().unwrap();
    assert!(matches!(back_up(&bare.data, &folder.path().join("b"), NOW), Err(CentralError::NotReady(_))));
    let copied = Copied::of(City::seeded(94, 20, 2));
    back_up(&copied.city.data, &copied.out(), NOW).unwrap();
    let keys: serde_json::Value = serde_json::from_slice(&std::fs::read(copied.city.data.keys()).unwrap()).unwrap();
    let root = keys["root"].as_str().unwrap();
    assert!(root.len() > 40, "{root}");
    for entry in std::fs::read_dir(copied.out()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(root.len()).any(|window| window == root.as_bytes()), "{}", path.display());
    }
    assert!(back_up(&copied.city.data, &copied.out(), NOW).is_err(), "an earlier one is never overwritten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_is_of_one_moment_and_stops_nobody() {
    let copied = Copied::of(City::seeded(100, 20, 0));
    let street = Arc::new(Street::of(copied.city).await);
    let (done, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU8::new(0)));
    let load = {
        let (street, done, taken) = (Arc::clone(&street), Arc::clone(&done), Arc::clone(&taken));
        tokio::spawn(async move {
            let (mut ledger, mut key) = (Ledger::new(TERMINAL, 1), 0_u8);
            while !done.load(Ordering::Relaxed) && key < 250 {
                for entry in top_up(&mut ledger, key) {
                    key += 1;
                    let answer = street.post(UPLOADS_PATH, &street.bundle.access_token, upload(&entry, key)).await;
                    assert_eq!(answer.0, 200);
                    taken.store(key, Ordering::Relaxed);
                }
            }
            key
        })
    };
    while taken.load(Ordering::Relaxed) < 10 {
        tokio::task::yield_now().await;
    }
    let (data, out) = (street.city.data.clone(), copied.folder.path().join("backup"));
    let made = tokio::task::spawn_blocking(move || back_up(&data, &out, NOW).unwrap()).await.unwrap();
    done.store(true, Ordering::Relaxed);
    let all = load.await.unwrap();
    let place = Place::new();
    restore(&place.data, &copied.folder.path().join("backup"), &copied.recovery, None, NOW).unwrap();
    let restored = Database::open(place.address()).unwrap();
    let held = count(&restored, "SELECT count(*) FROM upload");
    assert!((10..=i64::from(all)).contains(&held), "{held} of {all}");
    assert_eq!(made.numbers["upload"], u64::try_from(held).unwrap());
    assert_eq!(count(&restored, "SELECT max(number) FROM upload"), held, "none before the last is missing");
    assert_eq!(count(&restored, "SELECT count(*) FROM entry"), held, "and what followed from each is there");
    assert_eq!(books::balances(restored.read()).unwrap().total(), domain::Cents::ZERO);
    let _ = params![held];
}

#[test]
fn a_restored_city_publishes_with_the_key_file_that_it_has() {
    let copied = Copied::of(City::seeded(139, 20, 0));
    let city = &copied.city;
    let (mut keys, older) = (city.keys(), std::fs::read(city.data.keys()).unwrap());
    keys.renew_read_key(NOW).unwrap();
    keys.save_over(&city.data.keys()).unwrap();
    back_up(&city.data, &copied.out(), NOW).unwrap();
    let place = Place::new();
    copied.restored(&place.data, None).unwrap();
    let mut database = Database::open(place.address()).unwrap();
    let keys = KeyFile::load(&place.data.keys()).unwrap();
    assert_eq!((keys.changes, keys.cards.read.len()), (1, 2));
    publish::publish(&place.data, &mut database, &keys, NOW).unwrap();
    std::fs::write(place.data.keys(), older).unwrap();
    let keys = KeyFile::load(&place.data.keys()).unwrap();
    assert!(publish::publish(&place.data, &mut database, &keys, NOW).is_err());
}

#[test]
fn a_backup_whose_keys_are_older_than_its_database_is_restored_to_a_city_that_publishes() {
    let copied = Copied::of(City::seeded(140, 20, 0));
    let city = &copied.city;
    // By hand, as with pg_dump: the copy of the database is newer than the copy of the keys.
    back_up(&city.data, &copied.out(), NOW).unwrap();
    let path = copied.out().join("central.db");
    let mut database = Database::open(&central::db::Address::File(path.clone())).unwrap();
    let sql = "INSERT INTO setting (name, value) VALUES ('keys.changes', ?1)";
    database.write(|write| Ok(write.execute(sql, params![b"7"])?)).unwrap();
    database.read().query_row("PRAGMA journal_mode = DELETE", &[], |_| Ok(())).unwrap();
    drop(database);
    name_anew(&copied.out(), &path);
    let place = Place::new();
    copied.restored(&place.data, None).unwrap();
    let mut database = Database::open(place.address()).unwrap();
    let keys = KeyFile::load(&place.data.keys()).unwrap();
    publish::publish(&place.data, &mut database, &keys, NOW).unwrap();
}

/// The manifest of a backup names the file as it is now.
fn name_anew(backup: &Path, file: &Path) {
    let path = backup.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let bytes = std::fs::read(file).unwrap();
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    manifest["files"]["central.db"]["sha256"] = data_encoding::HEXLOWER.encode(&hash).into();
    manifest["files"]["central.db"]["bytes"] = bytes.len().into();
    std::fs::write(path, manifest.to_string()).unwrap();
}
