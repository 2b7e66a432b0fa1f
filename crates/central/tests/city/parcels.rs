//! Parcels of live terminals, as publications hand them out.

use crate::fixture::{City, NOW, TERMINAL, technician};
use crate::follower::{Follower, enrolled};
use crate::tls::{EIGHT, SEVEN, signing_request};
use crate::uploads::document;
use central::db::params;
use central::publish::publish;
use central::{ca_store, codes, enrol, uploads};
use domain::{DocumentCode, Timestamp};
use protocol::first_trust::fingerprint;
use protocol::{CodeBatch, FileHash, FileKind, Parcel, ParcelError, Parcels, SignedCodeBatch, Upload};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

const DAY_MS: i64 = 86_400_000;

/// The hash of the file of parcels after a publication.
fn published(city: &City, terminal: &mut Follower, now: Timestamp) -> FileHash {
    publish(&city.data, &mut city.database(), &city.keys(), now).unwrap();
    terminal.pull(city);
    terminal.hash(FileKind::TerminalParcels)
}

#[test]
fn the_file_of_parcels_stays_the_same_until_one_of_them_holds_something_else() {
    let city = City::seeded(101, 20, 0);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let first = published(&city, &mut terminal, NOW);
    assert_eq!(published(&city, &mut terminal, NOW.plus_ms(DAY_MS)), first, "nothing changed");

    let mut keys = city.keys();
    keys.renew_read_key(NOW).unwrap();
    keys.save(&city.data.keys()).unwrap();
    let renewed = published(&city, &mut terminal, NOW.plus_ms(DAY_MS));
    assert_ne!(renewed, first);
    let parcel = terminal.unpack(&city, &own).unwrap().unwrap();
    assert_eq!(parcel.read_keys.iter().map(|read| read.version).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(parcel.read_keys[0].key.expose(), city.keys().cards.read[0].key.expose());
    assert_eq!(parcel.uid_key.unwrap().expose(), city.keys().cards.uid.expose());
    assert_eq!(published(&city, &mut terminal, NOW.plus_ms(DAY_MS)), renewed);
}

#[test]
fn a_second_terminals_parcel_leaves_the_first_ones_bytes_as_they_were() {
    let city = City::seeded(102, 20, 0);
    city.publish();
    let (_, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    published(&city, &mut terminal, NOW);
    let sealed = |terminal: &Follower| {
        let file = terminal.file(&city, FileKind::TerminalParcels);
        let parcels = Parcels::parse(&file).unwrap();
        (parcels.find(SEVEN).map(<[u8]>::to_vec), parcels.terminals().map(|id| id.0).collect::<Vec<_>>())
    };
    let (alone, terminals) = sealed(&terminal);
    assert_eq!(terminals, [7]);
    enrolled(&city, EIGHT, 3, NOW);
    published(&city, &mut terminal, NOW);
    assert_eq!(sealed(&terminal), (alone.clone(), vec![7, 8]));
    assert!(enrol::withdraw(&mut city.database(), EIGHT, &technician(), NOW).unwrap());
    published(&city, &mut terminal, NOW);
    assert_eq!(sealed(&terminal), (alone, vec![7]));
}

#[test]
fn a_terminal_enrolled_anew_gets_its_parcel_under_its_new_key() {
    let city = City::seeded(103, 20, 0);
    city.publish();
    let (old, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    published(&city, &mut terminal, NOW);
    assert!(terminal.unpack(&city, &old).unwrap().is_some());
    let (new, _) = enrolled(&city, SEVEN, 5, NOW);
    published(&city, &mut terminal, NOW);
    assert_eq!(terminal.unpack(&city, &old).map(|_| ()), Err(ParcelError::DoesNotOpen));
    assert!(terminal.unpack(&city, &new).unwrap().is_some());
}

#[test]
fn a_terminal_with_a_token_has_no_key_and_gets_no_parcel() {
    let city = City::seeded(104, 20, 0);
    city.publish();
    let mut terminal = Follower::of(&city);
    published(&city, &mut terminal, NOW);
    let file = terminal.file(&city, FileKind::TerminalParcels);
    assert_eq!(Parcels::parse(&file).unwrap().find(TERMINAL), None);
}

#[test]
fn a_terminal_that_does_not_ask_in_time_finds_its_next_certificate_in_the_parcel_until_it_uses_it() {
    let city = City::seeded(105, 20, 0);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let mut carried = |now: Timestamp| {
        published(&city, &mut terminal, now);
        let parcel: Parcel = terminal.unpack(&city, &own).unwrap().unwrap();
        parcel.certificate
    };
    // A certificate lives 49 days in this city: 32 to the last third, 4 more for those who can ask.
    assert_eq!(carried(NOW.plus_ms(DAY_MS)), None);
    assert_eq!(carried(NOW.plus_ms(34 * DAY_MS)), None);
    let late = NOW.plus_ms(40 * DAY_MS);
    let certificate = carried(late).unwrap();
    assert!(certificate.expires > late.plus_ms(40 * DAY_MS));
    assert_eq!(carried(late.plus_ms(DAY_MS)), Some(certificate.clone()), "the same until it is used");
    let held = ca_store::held(city.database().read(), &fingerprint(&certificate.der)).unwrap().unwrap();
    assert_eq!(held.terminal, SEVEN);
    ca_store::mark_used(&mut city.database(), &held, late).unwrap();
    assert_eq!(carried(late.plus_ms(2 * DAY_MS)), None);
}

#[test]
fn a_terminal_whose_renewal_was_lost_on_its_way_finds_a_certificate_for_the_key_it_has_in_the_parcel() {
    let city = City::seeded(106, 20, 0);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let mut terminal = Follower::with(&city, bundle);
    let first = ca_store::newest(city.database().read(), SEVEN).unwrap().unwrap();
    let late = NOW.plus_ms(40 * DAY_MS);
    let authority = central::Authority::obtain(&city.data, "bahia", NOW).unwrap();
    let lost = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    enrol::renew(&mut city.database(), &authority, SEVEN, &signing_request(&lost), late).unwrap();
    let mut carried = |now: Timestamp| {
        published(&city, &mut terminal, now);
        terminal.unpack(&city, &own).unwrap().unwrap().certificate.unwrap()
    };
    let certificate = carried(late);
    assert_eq!(certificate.issued, late);
    let newest = ca_store::newest(city.database().read(), SEVEN).unwrap().unwrap();
    assert_eq!(newest.2, first.2, "for the key of its enrolment");
    assert_eq!(carried(late.plus_ms(DAY_MS)), certificate, "the same until it is used");
}

/// A terminal with more codes than it uses in a while, and what its parcels carry.
struct Fed {
    city: City,
    own: crate::tls::Keys,
    terminal: Follower,
}

impl Fed {
    fn of(seed: u64) -> Self {
        let city = City::seeded(seed, 20, 0);
        city.publish();
        let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
        codes::allocate(&mut city.database(), &city.keys(), SEVEN, 300, NOW).unwrap();
        let terminal = Follower::with(&city, bundle);
        Self { city, own, terminal }
    }

    fn carried(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        published(&self.city, &mut self.terminal, now);
        self.terminal.unpack(&self.city, &self.own).unwrap().unwrap().codes
    }

    fn batch(&self, carried: Option<Vec<u8>>) -> CodeBatch {
        SignedCodeBatch(carried.unwrap()).verify(SEVEN, &self.terminal.head.keys.head).unwrap()
    }

    /// Central heard of it over the network.
    fn heard(&self, now: Timestamp) {
        let sql = "INSERT INTO terminal_heard (terminal, at) VALUES (?1, ?2)
                   ON CONFLICT (terminal) DO UPDATE SET at = ?2";
        self.city.database().write(|write| Ok(write.execute(sql, params![SEVEN.0, now.0])?)).unwrap();
    }

    /// A document with this code comes by stick.
    fn used(&self, code: DocumentCode, key: u8, now: Timestamp) {
        let upload = Upload { terminal: SEVEN.0, ..document(&self.city, code, key) };
        let (mut database, keys) = (self.city.database(), self.city.keys());
        uploads::take(&mut database, &keys, SEVEN, &upload.encode().unwrap(), now).unwrap();
    }
}

#[test]
fn a_terminal_that_is_fed_by_stick_finds_codes_in_its_parcel_the_same_until_one_was_used() {
    let mut fed = Fed::of(107);
    assert_eq!(fed.carried(NOW.plus_ms(DAY_MS)), None, "it may still be heard");
    fed.heard(NOW.plus_ms(DAY_MS));
    assert_eq!(fed.carried(NOW.plus_ms(4 * DAY_MS - 1)), None);
    let carried = fed.carried(NOW.plus_ms(4 * DAY_MS));
    let batch = fed.batch(carried.clone());
    assert_eq!(batch.codes.len(), 200);
    assert_eq!(fed.carried(NOW.plus_ms(9 * DAY_MS)), carried);
    fed.used(batch.codes[17], 1, NOW.plus_ms(9 * DAY_MS));
    let next = fed.carried(NOW.plus_ms(10 * DAY_MS));
    let next = fed.batch(next);
    assert!(next.codes.iter().all(|code| !batch.codes.contains(code)), "no code is given twice");
    fed.heard(NOW.plus_ms(11 * DAY_MS));
    fed.used(next.codes[0], 2, NOW.plus_ms(11 * DAY_MS));
    assert_eq!(fed.carried(NOW.plus_ms(11 * DAY_MS)), None, "it has a network again");
}

#[test]
fn a_terminal_with_few_codes_left_finds_some_in_its_parcel_whether_it_is_heard_or_not() {
    let city = City::seeded(108, 20, 0);
    city.publish();
    // Three codes at its enrolment.
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let terminal = Follower::with(&city, bundle);
    let mut fed = Fed { city, own, terminal };
    fed.heard(NOW);
    let carried = fed.carried(NOW);
    assert_eq!(fed.batch(carried.clone()).codes.len(), 200);
    assert_eq!(fed.carried(NOW.plus_ms(DAY_MS)), carried);
}

#[test]
fn codes_that_were_lost_with_a_journal_are_followed_by_others() {
    let mut fed = Fed::of(110);
    let carried = fed.carried(NOW.plus_ms(5 * DAY_MS));
    let lost = fed.batch(carried.clone());
    assert_eq!(fed.carried(NOW.plus_ms(19 * DAY_MS)), carried);
    let carried = fed.carried(NOW.plus_ms(20 * DAY_MS));
    let next = fed.batch(carried);
    assert!(next.batch > lost.batch, "no document has shown one of them for a fortnight");
    // A terminal that stands closed for a year finds some in its first parcel all the same, and not one a fortnight.
    let mut last = None;
    for fortnight in 2..26 {
        last = fed.carried(NOW.plus_ms((fortnight * 15 + 5) * DAY_MS));
        assert!(last.is_some(), "{fortnight}");
    }
    assert!(fed.batch(last).batch <= lost.batch + 9);
}

#[test]
fn codes_that_a_terminal_may_have_used_or_could_not_verify_are_not_carried_on() {
    let mut fed = Fed::of(109);
    let late = NOW.plus_ms(5 * DAY_MS);
    let carried = fed.carried(late);
    let first = fed.batch(carried);
    let mut keys = fed.city.keys();
    keys.renew_head(None, late).unwrap();
    keys.save_over(&fed.city.data.keys()).unwrap();
    let carried = fed.carried(late.plus_ms(1));
    let second = fed.batch(carried);
    assert!(second.batch > first.batch, "under the head key of before nobody takes it");
    let (own, bundle) = enrolled(&fed.city, SEVEN, 5, late.plus_ms(2));
    codes::allocate(&mut fed.city.database(), &fed.city.keys(), SEVEN, 300, late.plus_ms(2)).unwrap();
    (fed.own, fed.terminal) = (own, Follower::with(&fed.city, bundle));
    assert_eq!(fed.carried(late.plus_ms(3)), None, "what it was before may have used some");
}
