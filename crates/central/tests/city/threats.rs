//! What each kind of thief has, and what it tells: the claims of docs/security.md that a test can hold.

use crate::fixture::{City, DemoCard};
use central::db::params;
use domain::{CardNumber, Generation};
use protocol::row::Tier;
use protocol::{
    CardSecret, Change, Dictionary, Enrolment, EpochKey, FileKind, Manifest, OpenError, PinCard, PinStamp, Revocations,
    Row, Secret32, Segment, open_pin, open_tap, pin_key, record_id,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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

#[test]
fn an_extracted_terminal_without_a_card_opens_no_row_with_any_secret_it_has() {
    let city = City::seeded(22, 60, 3);
    city.publish();
    let stolen = Stolen::from(&city);
    let mut secrets: Vec<[u8; 32]> = stolen.bundle.epoch_keys.iter().map(|key| *key.key.expose()).collect();
    secrets.push(*stolen.bundle.access_token.expose());
    for key in stolen.bundle.read_base_keys.iter().chain(&stolen.bundle.uid_key) {
        secrets.push([*key.expose(), *key.expose()].concat().try_into().unwrap());
    }
    assert!(secrets.len() >= 4);
    for secret in secrets.into_iter().map(CardSecret::new) {
        for tier in [Tier::Tap, Tier::Pin] {
            let id = record_id(stolen.epoch(), &secret, tier).unwrap();
            assert!(!stolen.rows.contains_key(&(tier.byte(), id.0)));
        }
        for row in stolen.of_tier(Tier::Tap) {
            assert!(open_tap(stolen.epoch(), &secret, row, &stolen.dictionary).is_err());
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
    let archived = Stolen::from(&city);
    let later = EpochKey { epoch: archived.epoch().epoch + 1, key: Secret32::new([0x5A; 32]) };
    for demo in city.demo_cards() {
        let secret = secret_of(&demo);
        let row = archived.row(Tier::Tap, &secret);
        assert!(open_tap(&later, &secret, row, &archived.dictionary).is_err(), "card and later key do not open it");
        for tier in [Tier::Tap, Tier::Pin] {
            let ids = [archived.epoch(), &later].map(|epoch| record_id(epoch, &secret, tier).unwrap());
            assert_ne!(ids[0], ids[1], "the same holder has another name in each epoch");
        }
    }
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
