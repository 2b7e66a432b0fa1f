use crate::fixture::{City, DemoCard, NOW, TERMINAL};
use central::publish::publish;
use domain::city_pack::CityPack;
use domain::document::DocumentKind;
use domain::holder::Role;
use domain::{CardNumber, Cents, Generation};
use protocol::row::Tier;
use protocol::segment::part_of;
use protocol::{
    CardSecret, CodeBatch, Dictionary, Enrolment, FileKind, Manifest, OpenError, PinCard, PinStamp, Revocations,
    Segment, TapRecord, VerifiedHead, open_pin, open_tap, pin_key, record_id, verify_facts,
};

/// What a terminal holds after it took the feed.
struct Terminal {
    bundle: Enrolment,
    head: VerifiedHead,
    /// The bases' segments by part.
    tap: Vec<Vec<u8>>,
    pin: Vec<Vec<u8>>,
    dictionary: Dictionary,
    manifest: Manifest,
}

fn terminal(city: &City) -> Terminal {
    let bundle = city.enrol("http://127.0.0.1:1");
    let head = city.head(&bundle);
    let manifest = Manifest::decode(&city.file(head.head.manifest)).unwrap();
    let file = |kind| {
        let entry = manifest.of_kind(kind).next().unwrap();
        let bytes = city.file(entry.sha256);
        assert!(entry.is(&bytes));
        bytes
    };
    let dictionary = Dictionary::new(file(FileKind::Dictionary));
    let base = |tier| -> Vec<Vec<u8>> {
        let segments = manifest.plan(tier, None).unwrap().base.unwrap();
        segments.iter().map(|entry| city.file(entry.sha256)).collect()
    };
    let (tap, pin) = (base(Tier::Tap), base(Tier::Pin));
    Terminal { tap, pin, dictionary, manifest, bundle, head }
}

impl Terminal {
    fn row(&self, tier: Tier, secret: &CardSecret) -> Option<Vec<u8>> {
        let id = record_id(&self.bundle.epoch_keys[0], secret, tier).unwrap();
        let base = if tier == Tier::Tap { &self.tap } else { &self.pin };
        let segment = Segment::parse(&base[usize::from(part_of(&id))]).unwrap();
        segment.rows().find(|row| row.id() == id).map(|row| row.bytes().to_vec())
    }

    fn tap_record(&self, secret: &CardSecret) -> TapRecord {
        let row = self.row(Tier::Tap, secret).unwrap();
        open_tap(&self.bundle.epoch_keys[0], secret, &row, &self.dictionary).unwrap()
    }

    fn open_pin(&self, demo: &DemoCard, pin: &str) -> Result<protocol::PinRecord, OpenError> {
        let secret = CardSecret::new(demo.card.identity.secret);
        let tap = self.tap_record(&secret);
        let stamp = PinStamp { pin_version: tap.pin_version, content: tap.pin_content };
        let key = pin_key(&secret, pin.as_bytes()).unwrap();
        let card = PinCard { secret: &secret, generation: demo.card.identity.generation, pin: &key };
        let row = self.row(Tier::Pin, &secret).unwrap();
        open_pin(&self.bundle.epoch_keys[0], &card, stamp, &row, &self.dictionary)
    }
}

#[test]
fn a_published_record_opens_with_the_card_and_its_pin_and_carries_signed_facts() {
    let city = City::seeded(11, 90, 2);
    let published = city.publish();
    // One more of each is the technician's.
    assert_eq!((published.sequence, published.tap_rows, published.pin_rows), (1, 91, 3));
    let terminal = terminal(&city);
    for demo in city.demo_cards() {
        let record = terminal.open_pin(&demo, &demo.pin).unwrap().to_facts();
        assert_eq!((record.name.as_str(), record.as_of), (demo.name.as_str(), NOW));
        let volante = record.documents.iter().find(|d| d.kind == DocumentKind::VolanteIndividual).unwrap();
        let facts = verify_facts(&volante.signed_facts, &terminal.head.keys.facts).unwrap();
        assert_eq!((&facts.name, &facts.street), (&record.name, &record.residence.street));
        assert!(facts.place.ends_with("Ciudad de la Bahía"));
        assert_eq!(facts.until, volante.until.0);
    }
}

#[test]
fn a_service_card_is_a_technicians_opens_with_its_own_pin_and_can_charge_nothing() {
    let city = City::seeded(10, 20, 1);
    city.publish();
    let (terminal, demonstration) = (terminal(&city), city.demonstration());
    let [technician] = demonstration.service.as_slice() else { panic!("one service card") };
    card_simulator::personalise(&technician.card).unwrap();
    let tap = terminal.tap_record(&CardSecret::new(technician.card.identity.secret)).to_facts();
    assert_eq!((tap.0.role, tap.1.is_none()), (Role::Technician, true), "it charges nothing");
    let facts = terminal.open_pin(technician, &technician.pin).unwrap().to_facts();
    assert_eq!((facts.name.as_str(), facts.documents.len()), (technician.name.as_str(), 0));
    assert_eq!((facts.residence.street.as_str(), facts.taxes_due), ("", Cents::ZERO));
    let citizen = &demonstration.cards[0];
    let tap = terminal.tap_record(&CardSecret::new(citizen.card.identity.secret)).to_facts();
    assert_eq!(tap.0.role, Role::Holder);
    assert_ne!(citizen.card.identity.number, technician.card.identity.number);
}

#[test]
fn a_number_that_a_holders_card_and_a_service_card_share_stops_the_publication() {
    for state in ["active", "revoked"] {
        let city = City::seeded(10, 20, 1);
        city.publish();
        let head = std::fs::read(city.data.feed().join("head.json")).unwrap();
        let mut database = city.database();
        let collide = "UPDATE technician SET state = ?1, number = (SELECT min(number) FROM card)";
        database.write(|transaction| Ok(transaction.execute(collide, central::db::params![state])?)).unwrap();
        let number: i64 = database.read().query_row("SELECT number FROM technician", &[], |row| row.get(0)).unwrap();
        let error = publish(&city.data, &mut database, &city.keys(), NOW).unwrap_err().to_string();
        let last_four = CardNumber(u64::try_from(number).unwrap()).last_four();
        assert_eq!(error, format!("card …{last_four} is both a holder's and a technician's"));
        assert_eq!(std::fs::read(city.data.feed().join("head.json")).unwrap(), head, "the feed before stays");
    }
}

#[test]
fn a_revoked_service_card_leaves_the_feed_and_enters_the_list() {
    let city = City::seeded(10, 20, 0);
    let technician = city.demonstration().service.remove(0);
    city.database()
        .write(|transaction| Ok(transaction.execute("UPDATE technician SET state = 'revoked'", &[])?))
        .unwrap();
    city.publish();
    let terminal = terminal(&city);
    let entry = terminal.manifest.of_kind(FileKind::Revocations).next().unwrap();
    let list = Revocations::decode(&city.file(entry.sha256)).unwrap();
    assert!(list.contains(&terminal.bundle.epoch_keys[0], technician.card.identity.number, Generation(1)));
    assert!(terminal.row(Tier::Tap, &CardSecret::new(technician.card.identity.secret)).is_none());
}

#[test]
fn a_wrong_pin_is_a_wrong_pin() {
    let city = City::seeded(12, 30, 1);
    city.publish();
    let demo = city.demo_cards().remove(0);
    let wrong = if demo.pin == "000000" { "000001" } else { "000000" };
    assert_eq!(terminal(&city).open_pin(&demo, wrong).err(), Some(OpenError::WrongPin));
}

#[test]
fn the_tap_record_carries_this_cards_own_credit_key() {
    let city = City::seeded(13, 30, 1);
    city.publish();
    let demo = city.demo_cards().remove(0);
    let record = terminal(&city).tap_record(&CardSecret::new(demo.card.identity.secret));
    let keys = serde_json::to_value(&demo.card.keys).unwrap();
    let credit: String = record.credit_key.unwrap().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(keys["card"]["credit"], credit);
    assert_eq!(record.pin_version, demo.card.tries.pin_version);
}

#[test]
fn sealed_files_show_neither_names_nor_secrets() {
    let city = City::seeded(14, 60, 2);
    city.publish();
    let terminal = terminal(&city);
    let database = city.stored();
    for demo in city.demo_cards() {
        for file in [terminal.tap.concat(), terminal.pin.concat(), terminal.dictionary.bytes().to_vec()] {
            assert!(!contains(&file, demo.name.as_bytes()));
        }
        assert!(!contains(&database, &demo.card.identity.secret), "the database stores secrets sealed");
        assert!(!contains(&database, demo.pin.as_bytes()), "the database knows no PIN");
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_public_files_are_those_of_the_pack() {
    let city = City::seeded(15, 20, 0);
    city.publish();
    let terminal = terminal(&city);
    let entry = terminal.manifest.of_kind(FileKind::CityPack).next().unwrap();
    let pack: CityPack = toml::from_str(std::str::from_utf8(&city.file(entry.sha256)).unwrap()).unwrap();
    assert_eq!((pack.id.as_str(), pack.services.len()), ("bahia", 20));
    let names: Vec<_> = terminal.manifest.of_kind(FileKind::CityFile).map(|file| file.name.as_str()).collect();
    assert!(names.contains(&"locales/es.ftl") && names.contains(&pack.brand.emblem.as_str()), "{names:?}");
    assert!(terminal.manifest.files.iter().all(protocol::FileEntry::has_safe_name));
}

#[test]
fn each_publication_goes_forward() {
    let city = City::seeded(16, 20, 0);
    city.publish();
    let first = terminal(&city);
    city.publish();
    let second = terminal(&city);
    assert_eq!((first.head.head.sequence, second.head.head.sequence), (1, 2));
    assert!(second.head.check_floor(first.head.floor()).is_ok());
    assert!(first.head.check_floor(second.head.floor()).is_err());
}

#[test]
fn a_revoked_card_leaves_the_feed_and_enters_the_list() {
    let city = City::seeded(17, 20, 1);
    let demo = city.demo_cards().remove(0);
    let number = demo.card.identity.number;
    city.database()
        .write(|transaction| {
            let number = i64::try_from(number.0).unwrap();
            transaction.execute("UPDATE card SET state = 'revoked' WHERE number = ?1", central::db::params![number])?;
            Ok(())
        })
        .unwrap();
    city.publish();
    let terminal = terminal(&city);
    let entry = terminal.manifest.of_kind(FileKind::Revocations).next().unwrap();
    let list = Revocations::decode(&city.file(entry.sha256)).unwrap();
    let epoch = &terminal.bundle.epoch_keys[0];
    assert!(list.contains(epoch, number, Generation(1)));
    assert!(!list.contains(epoch, CardNumber(number.0 + 1), Generation(1)));
    assert!(terminal.row(Tier::Tap, &CardSecret::new(demo.card.identity.secret)).is_none());
}

#[test]
fn a_bundle_begins_with_codes_that_the_head_key_signed() {
    let city = City::seeded(18, 20, 0);
    city.publish();
    let terminal = terminal(&city);
    let batch = CodeBatch::verify(&terminal.bundle.codes, TERMINAL, &terminal.head.keys.head).unwrap();
    assert_eq!(batch.codes.len(), 3);
}
