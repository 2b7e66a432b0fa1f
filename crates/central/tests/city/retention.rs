//! What goes when its time is over, and what stays whatever the time.

use crate::fixture::NOW;
use crate::money::{A, AMOUNT, B, DAY_MS, OURS, SEEN, Street};
use central::audit::{self, Actor, Role};
use central::db::params;
use central::reconcile::{self, Difference};
use central::retention::{Kind, Over, RetentionSettings, over, retain};
use central::{books, report};
use domain::card::CardReport;
use domain::{Cents, Timestamp, TopUpId};
use protocol::{CardSeen, UploadBody};

const SETTLED: TopUpId = TopUpId([4; 16]);

/// One top-up that is done, one that is an open claim, sights of the card, and what people did.
fn street() -> Street {
    let street = Street::open();
    street.city.enrol_another(A, "http://127.0.0.1:1", NOW);
    street.city.enrol_another(B, "http://127.0.0.1:1", NOW);
    street
}

fn sight(street: &mut Street, counter: u32, purse: i64) {
    let report = CardReport { purse: Some(Cents(purse)), ..street.report(counter, &[]) };
    street.upload(B, UploadBody::CardSeen(CardSeen::from(&report)));
    street.now = street.now.plus_ms(DAY_MS);
}

fn note(street: &Street, what: &str) {
    let actor = Actor { name: "ana".to_owned(), role: Role::Finance };
    street.city.database().write(|write| audit::note(write, &actor, what, "1", street.now)).unwrap();
}

fn clerk() -> Actor {
    Actor { name: "luis".to_owned(), role: Role::Technician }
}

fn later(days: i64) -> Timestamp {
    NOW.plus_ms(days * DAY_MS)
}

fn gone(over: &[Over], kind: Kind) -> u64 {
    over.iter().find(|over| over.kind == kind).unwrap().count
}

fn run(street: &Street, now: Timestamp) -> Vec<Over> {
    let (mut database, settings) = (street.city.database(), RetentionSettings::default());
    let would = over(&database, &settings, now).unwrap();
    let went = retain(&mut database, &settings, &clerk(), now).unwrap();
    assert_eq!(would, went, "what a dry run says is what goes");
    went
}

fn differences(street: &Street, now: Timestamp) -> Vec<Difference> {
    reconcile::differences(street.city.database().read(), now).unwrap()
}

#[test]
fn nothing_goes_before_its_time_and_nothing_twice() {
    let mut street = street();
    sight(&mut street, SEEN, 150);
    note(&street, "card blocked");
    assert!(run(&street, later(89)).iter().all(|over| over.count == 0));
    let bytes = |street: &Street| street.count("SELECT count(*) FROM upload WHERE length(bytes) > 0");
    assert_eq!(bytes(&street), 1);
    assert_eq!(gone(&run(&street, later(500)), Kind::Uploads), 1);
    assert_eq!(bytes(&street), 0);
    assert!(run(&street, later(500)).iter().all(|over| over.count == 0));
}

#[test]
fn an_upload_whose_bytes_are_gone_still_gets_its_receipt() {
    let street = street();
    let report = street.report(SEEN, &[]);
    let body = UploadBody::CardSeen(CardSeen::from(&report));
    let key = protocol::IdempotencyKey([3; 16]);
    let sent = protocol::Upload { terminal: B.0, journal_generation: 1, key, written: 5, body };
    let bytes = sent.encode().unwrap();
    let first = street.take(B, &bytes);
    run(&street, later(500));
    assert_eq!(street.take(B, &bytes), first);
}

#[test]
fn sights_between_two_that_stay_go_and_every_difference_is_as_before() {
    let mut street = street();
    for (counter, purse) in [(SEEN, 150), (SEEN, 150), (SEEN + 1, 150), (SEEN + 2, 9_150), (SEEN + 2, 9_150)] {
        sight(&mut street, counter, purse);
    }
    let now = later(900);
    let before = differences(&street, now);
    assert!(!before.is_empty(), "the purse is higher than the books");
    assert_eq!(gone(&run(&street, now), Kind::Sights), 3);
    assert_eq!(street.count("SELECT count(*) FROM card_seen"), 2);
    assert_eq!(differences(&street, now), before);
}

#[test]
fn what_an_open_claim_or_something_unexplained_is_about_stays() {
    let mut street = street();
    street.claim(OURS);
    for purse in [150, 150, 150] {
        sight(&mut street, SEEN, purse);
    }
    let now = later(3_000);
    let (uploads, sights) = ("SELECT count(*) FROM upload WHERE length(bytes) > 0", "SELECT count(*) FROM card_seen");
    let held = (street.count(uploads), street.count(sights));
    let went = run(&street, now);
    let of_claim = street.count("SELECT count(*) FROM upload WHERE kind = 'ledger-entry' AND length(bytes) > 0");
    assert_eq!(of_claim, 6, "every entry of the open claim");
    assert_eq!((gone(&went, Kind::Sights), street.count(sights)), (0, held.1), "the card's claim is open");
    assert_eq!((gone(&went, Kind::Uploads), held.0), (0, 9), "what was said of its card stays with the claim");

    let mut street = street_with_a_gap();
    sight(&mut street, SEEN, 150);
    let of_a = "SELECT count(*) FROM upload WHERE terminal = 3 AND length(bytes) > 0";
    let before = street.count(of_a);
    run(&street, now);
    assert_eq!(street.count(of_a), before, "somebody has to look at terminal A first");
    let open = report::anomalies(street.city.database().read()).unwrap();
    for anomaly in open {
        report::explain(&mut street.city.database(), anomaly.id, &central::audit::Actor::console(), "seen to", now)
            .unwrap();
    }
    run(&street, now);
    assert_eq!(street.count(of_a), 0);
}

fn street_with_a_gap() -> Street {
    let mut street = street();
    let unsent = street.write(A, SETTLED, crate::money::intent());
    let entry = street.write(A, SETTLED, crate::money::authorised(471));
    street.send(&entry);
    drop(unsent);
    assert_eq!(street.noticed(), ["gap"]);
    street
}

#[test]
fn books_and_chains_are_never_cut_and_the_audit_goes_on_from_where_it_was_cut() {
    let mut street = street();
    street.says(
        A,
        SETTLED,
        [
            crate::money::intent(),
            crate::money::authorised(471),
            ledger::Fact::CreditStarted,
            ledger::Fact::Credited { before: Cents(150), after: Cents(2_150) },
            ledger::Fact::Posted,
        ],
    );
    for what in ["card blocked", "card replaced", "terminal withdrawn"] {
        note(&street, what);
        street.now = street.now.plus_ms(DAY_MS);
    }
    let entries = books::all(street.city.database().read()).unwrap();
    let balances = street.balances();
    let went = run(&street, later(5_000));
    assert_eq!(
        (gone(&went, Kind::Uploads), gone(&went, Kind::Audit)),
        (5, 4),
        "of enrolments and acts the newest line stays"
    );
    assert_eq!(books::all(street.city.database().read()).unwrap(), entries);
    assert_eq!(street.balances(), balances);
    assert_eq!(balances.get(ledger::Account::Acquirer), AMOUNT);
    let database = street.city.database();
    let lines = audit::newest(database.read(), 9).unwrap();
    assert!(lines.iter().any(|line| line.what == "retention" && line.about.starts_with("uploads: 5")), "{lines:?}");
    assert!(lines.iter().any(|line| line.what == "terminal withdrawn"));
    assert_eq!(audit::first_broken(database.read()).unwrap(), None);
    let mut database = street.city.database();
    let cut = "DELETE FROM audit WHERE what = 'terminal withdrawn'";
    database.write(|write| Ok(write.execute(cut, params![])?)).unwrap();
    assert!(audit::first_broken(database.read()).unwrap().is_some(), "a line taken away by hand shows");
}
