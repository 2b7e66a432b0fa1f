//! What each kind of thief has, and what it tells: the claims of docs/security.md that a test can hold.

use crate::fixture::{City, DemoCard, NOW};
use crate::follower::{Follower, enrolled};
use crate::tls::{Keys, SEVEN};
use central::audit::Actor;
use central::db::params;
use central::epochs;
use domain::{CardNumber, Generation};
use protocol::row::Tier;
use protocol::{
    CardSecret, Change, Dictionary, Enrolment, EpochKey, FileKind, HpkeSecret, Manifest, OpenError, Parcel, PinCard,
    PinKey, PinStamp, RecordId, Revocations, Row, Secret32, Segment, open_pin, open_tap, pin_key, record_id,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The parcel key of the terminal that these tests enrol.
const PARCEL_SECRET: [u8; 32] = [2; 32];

/// Everything a terminal has on its disk and in its memory, but no card.
struct Stolen {
    bundle: Enrolment,
    manifest: Manifest,
    dictionary: Dictionary,
    rows: BTreeMap<(u8, [u8; 16]), Vec<u8>>,
}

impl Stolen {
    fn from(city: &City) -> Self {
        let bundle = city.enrol("http://127.0.0.1:1");
        let manifest = Manifest::decode(&city.file(city.head(&bundle).head.manifest)).unwrap();
        let dictionary = manifest.of_kind(FileKind::Dictionary).next().unwrap();
        let dictionary = Dictionary::new(city.file(dictionary.sha256));
        let mut rows = BTreeMap::new();
        for tier in [Tier::Tap, Tier::Pin] {
            for entry in manifest.plan(tier, None).unwrap().files() {
                let file = city.file(entry.sha256);
                for change in Segment::parse(&file).unwrap().changes() {
                    match change {
                        Change::Put(row) => rows.insert((tier.byte(), row.id().0), row.bytes().to_vec()),
                        Change::Remove(id) => rows.remove(&(tier.byte(), id.0)),
                    };
                }
            }
        }
        Self { bundle, manifest, dictionary, rows }
    }

    fn epoch(&self) -> &EpochKey {
        &self.bundle.epoch_keys[0]
    }

    fn of_tier(&self, tier: Tier) -> impl Iterator<Item = &Vec<u8>> {
        self.rows.iter().filter(move |((of, _), _)| *of == tier.byte()).map(|(_, row)| row)
    }

    fn row(&self, tier: Tier, secret: &CardSecret) -> &[u8] {
        &self.rows[&(tier.byte(), record_id(self.epoch(), secret, tier).unwrap().0)]
    }

    fn revocations(&self, city: &City) -> Vec<u8> {
        city.file(self.manifest.of_kind(FileKind::Revocations).next().unwrap().sha256)
    }
}

fn secret_of(demo: &DemoCard) -> CardSecret {
    CardSecret::new(demo.card.identity.secret)
}

/// Every person and card of the city, as the registry has them: what must be nowhere.
fn personal(city: &City) -> BTreeSet<String> {
    let sql =
        "SELECT holder.name, holder.identity_number, street.name || ' ' || household.door, card.number FROM holder
               JOIN household ON household.id = holder.household JOIN street ON street.id = household.street
               JOIN card ON card.holder = holder.id";
    let rows = city.database().read().query(sql, params![], |row| {
        let number: i64 = row.get(3)?;
        Ok([row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?, number.to_string()])
    });
    let found: BTreeSet<String> = rows.unwrap().into_iter().flatten().collect();
    assert!(found.len() > 150, "{}", found.len());
    found
}

fn files_below(folder: &Path, into: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, into) } else { into.push(std::fs::read(path).unwrap()) }
    }
}

#[test]
fn a_stolen_feed_names_nobody_and_its_rows_tell_neither_size_nor_holder() {
    let city = City::seeded(21, 90, 3);
    city.publish();
    let mut files = Vec::new();
    files_below(&city.data.feed(), &mut files);
    let whole: Vec<u8> = files.concat();
    for person in personal(&city) {
        let wide: Vec<u8> = person.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for needle in [person.as_bytes(), &wide] {
            assert!(!whole.windows(needle.len()).any(|window| window == needle), "somebody is in the feed");
        }
    }
    let stolen = Stolen::from(&city);
    for tier in [Tier::Tap, Tier::Pin] {
        let mut of_length: BTreeMap<usize, usize> = BTreeMap::new();
        for row in stolen.of_tier(tier) {
            assert!(tier.buckets().contains(&row.len()), "{} is a length of its own", row.len());
            *of_length.entry(row.len()).or_default() += 1;
        }
        assert!(of_length.values().sum::<usize>() > 3);
    }
    let ids = |tier: Tier| -> BTreeSet<[u8; 16]> {
        stolen.of_tier(tier).map(|row| Row::new(tier, row).unwrap().id().0).collect()
    };
    assert!(ids(Tier::Tap).is_disjoint(&ids(Tier::Pin)), "no one can tell which two rows are one holder's");
    let sequences: BTreeSet<u64> =
        stolen.of_tier(Tier::Tap).map(|row| Row::new(Tier::Tap, row).unwrap().sealed_in().unwrap().1).collect();
    assert_eq!(sequences.len(), 1, "the sequence is the feed's, and shows nobody's activity");
}

/// Every secret that somebody finds in an enrolled terminal, as 32 bytes: what its bundle and its parcels brought, and the
/// keys it made itself.
fn secrets_of(stolen: &Stolen, own: &Keys, parcel: &Parcel) -> Vec<[u8; 32]> {
    let bundle = &stolen.bundle;
    let mut secrets: Vec<[u8; 32]> =
        bundle.epoch_keys.iter().chain(&parcel.epoch_keys).map(|key| *key.key.expose()).collect();
    secrets.extend([*bundle.access_token.expose(), *own.signing.expose(), PARCEL_SECRET]);
    secrets.push(own.tls.serialized_der()[36..68].try_into().unwrap());
    let of_parcel = parcel.read_keys.iter().map(|read| &read.key).chain(&parcel.uid_key);
    for key in bundle.read_base_keys.iter().chain(&bundle.uid_key).chain(of_parcel) {
        secrets.push([*key.expose(), *key.expose()].concat().try_into().unwrap());
    }
    secrets
}

#[test]
fn an_extracted_terminal_without_a_card_opens_no_row_with_any_secret_it_has() {
    let city = City::seeded(22, 60, 3);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    // The key by which its parcel opens.
    assert_eq!(own.parcel.public().unwrap(), HpkeSecret::new(PARCEL_SECRET).public().unwrap());
    let mut terminal = Follower::with(&city, bundle.clone());
    city.publish();
    terminal.pull(&city);
    let parcel = terminal.unpack(&city, &own).unwrap().unwrap();
    let stolen = Stolen { bundle, ..Stolen::from(&city) };
    let secrets = secrets_of(&stolen, &own, &parcel);
    assert!(secrets.len() >= 10, "{}", secrets.len());
    // It is told even what no thief knows: the stamp that each PIN record is bound to.
    let demonstration = city.demonstration();
    let stamps: BTreeMap<u64, PinStamp> = (demonstration.cards.iter().chain(&demonstration.service))
        .map(|demo| terminal.tap_record(&secret_of(demo)))
        .map(|tap| (tap.pin_content, PinStamp { pin_version: tap.pin_version, content: tap.pin_content }))
        .collect();
    let rows = |tier| stolen.of_tier(tier).count();
    assert_eq!((rows(Tier::Tap), rows(Tier::Pin)), (61, 4));
    for bytes in secrets {
        let (secret, pin) = (CardSecret::new(bytes), PinKey::new(bytes));
        for tier in [Tier::Tap, Tier::Pin] {
            let id = record_id(stolen.epoch(), &secret, tier).unwrap();
            assert!(!stolen.rows.contains_key(&(tier.byte(), id.0)));
        }
        for row in stolen.of_tier(Tier::Tap) {
            assert!(open_tap(stolen.epoch(), &secret, row, &stolen.dictionary).is_err());
        }
        let card = PinCard { secret: &secret, generation: Generation(1), pin: &pin };
        for row in stolen.of_tier(Tier::Pin) {
            for stamp in stamps.values() {
                assert!(open_pin(stolen.epoch(), &card, *stamp, row, &stolen.dictionary).is_err());
            }
        }
    }
}

#[test]
fn a_found_card_at_a_stolen_terminal_gives_its_tap_record_which_says_nothing_of_its_owner() {
    let city = City::seeded(23, 60, 2);
    city.publish();
    let stolen = Stolen::from(&city);
    let everybody = personal(&city);
    for demo in city.demo_cards() {
        let secret = secret_of(&demo);
        let record = open_tap(stolen.epoch(), &secret, stolen.row(Tier::Tap, &secret), &stolen.dictionary).unwrap();
        let plain = record.encode();
        let said = |text: &String| plain.windows(text.len()).any(|window| window == text.as_bytes());
        assert_eq!(everybody.iter().filter(|text| said(text)).count(), 0);

        let stamp = PinStamp { pin_version: record.pin_version, content: record.pin_content };
        let open = |pin: &[u8]| {
            let key = pin_key(&secret, pin).unwrap();
            let card = PinCard { secret: &secret, generation: demo.card.identity.generation, pin: &key };
            open_pin(stolen.epoch(), &card, stamp, stolen.row(Tier::Pin, &secret), &stolen.dictionary)
        };
        assert_eq!(open(b"").err(), Some(OpenError::WrongPin), "without the PIN its pin record stays shut");
        assert_eq!(open(demo.pin.as_bytes()).unwrap().to_facts().name, demo.name, "with it, it does not");
    }
}

#[test]
fn another_holders_card_opens_nothing_of_this_ones() {
    let city = City::seeded(24, 60, 2);
    city.publish();
    let (stolen, cards) = (Stolen::from(&city), city.demo_cards());
    let [mine, theirs] = cards.as_slice() else { panic!("two cards") };
    let refused =
        open_tap(stolen.epoch(), &secret_of(mine), stolen.row(Tier::Tap, &secret_of(theirs)), &stolen.dictionary);
    assert_eq!(refused.err(), Some(OpenError::NotThisCard));
}

#[test]
fn an_archived_feed_stays_shut_for_a_later_epoch_key_and_links_to_no_later_feed() {
    let city = City::seeded(25, 60, 2);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let archived = Stolen::from(&city);
    // A month later: another epoch, the keys of the one before destroyed at central and gone from the parcels.
    let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
    epochs::rotate(&city.data, &mut database, &mut keys, &[], &actor, NOW, &mut |_| Ok(())).unwrap();
    assert_eq!(epochs::destroy(&city.data, &mut database, &mut keys, 0, &actor, NOW).unwrap(), [1]);
    city.publish();
    terminal.pull(&city);
    terminal.unpack(&city, &own).unwrap().unwrap();
    let [later] = &terminal.epoch_keys[..] else { panic!("the newest epoch's key alone") };
    let of_archive = |tier: Tier| -> BTreeSet<RecordId> {
        archived.of_tier(tier).map(|row| Row::new(tier, row).unwrap().id()).collect()
    };
    for tier in [Tier::Tap, Tier::Pin] {
        let now: BTreeSet<RecordId> = terminal.rows(tier).keys().copied().collect();
        assert_eq!(now.len(), of_archive(tier).len());
        assert!(now.is_disjoint(&of_archive(tier)), "everybody has another name in each epoch");
    }
    for demo in city.demo_cards() {
        let secret = secret_of(&demo);
        // Card, PIN and the terminal of today: by any key that is left, no row of the archive opens.
        let tap = terminal.tap_record(&secret);
        let stamp = PinStamp { pin_version: tap.pin_version, content: tap.pin_content };
        let key = pin_key(&secret, demo.pin.as_bytes()).unwrap();
        let card = PinCard { secret: &secret, generation: demo.card.identity.generation, pin: &key };
        assert!(open_tap(archived.epoch(), &secret, archived.row(Tier::Tap, &secret), &archived.dictionary).is_ok());
        assert!(
            open_pin(archived.epoch(), &card, stamp, archived.row(Tier::Pin, &secret), &archived.dictionary).is_ok()
        );
        for row in archived.of_tier(Tier::Tap) {
            assert!(open_tap(later, &secret, row, &archived.dictionary).is_err());
        }
        for row in archived.of_tier(Tier::Pin) {
            assert!(open_pin(later, &card, stamp, row, &archived.dictionary).is_err());
        }
        for tier in [Tier::Tap, Tier::Pin] {
            assert!(!of_archive(tier).contains(&record_id(later, &secret, tier).unwrap()));
        }
    }
    let kept = std::fs::read(city.data.keys()).unwrap();
    let gone = data_encoding::HEXLOWER.encode(archived.epoch().key.expose());
    assert!(!kept.windows(gone.len()).any(|window| window == gone.as_bytes()), "nor does central have it");
}

#[test]
fn the_list_of_revoked_cards_is_read_with_the_epoch_key_alone_and_counts_without_it() {
    let city = City::seeded(26, 60, 0);
    let (number, generation): (i64, u8) = city
        .database()
        .read()
        .query_row("SELECT number, generation FROM card LIMIT 1", params![], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let card = (CardNumber(u64::try_from(number).unwrap()), Generation(generation));
    let revoke = "UPDATE card SET state = 'revoked' WHERE number = ?1";
    city.database().write(|transaction| Ok(transaction.execute(revoke, params![number])?)).unwrap();
    city.publish();
    let stolen = Stolen::from(&city);
    let bytes = stolen.revocations(&city);
    let list = Revocations::decode(&bytes).unwrap();
    assert!(list.contains(stolen.epoch(), card.0, card.1), "no card is needed to refuse a card");
    let other = EpochKey { epoch: stolen.epoch().epoch, key: Secret32::new([7; 32]) };
    assert!(!list.contains(&other, card.0, card.1));
    let again = Revocations::new(&other, &[card]).encode();
    assert_ne!(again, bytes, "lists of two epochs have nothing in common but their length");
    assert_eq!(again.len(), bytes.len());
}

#[test]
fn a_copied_database_of_central_holds_no_card_secret_and_nothing_that_a_pin_could_be_tried_on() {
    let city = City::seeded(27, 90, 2);
    let stored = city.stored();
    let holds = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    let name = city.demo_cards()[0].name.clone();
    assert!(holds(name.as_bytes()), "the registry itself is in it, readable: that is what disk encryption is for");
    for demo in city.demo_cards() {
        let secret = secret_of(&demo);
        assert!(!holds(secret.expose()));
        assert!(!holds(pin_key(&secret, demo.pin.as_bytes()).unwrap().expose()));
    }
    for key in [city.keys().storage, city.keys().head] {
        assert!(!holds(key.expose()), "the key that opens them lies apart");
    }
}
