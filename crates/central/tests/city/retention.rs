//! What goes when its time is over, and what stays whatever the time.

use crate::fixture::NOW;
use crate::logs::Process;
use crate::money::{A, AMOUNT, B, DAY_MS, OURS, SEEN, Street};
use central::audit::{self, Actor, Role};
use central::db::{Value, params};
use central::reconcile::{self, Difference};
use central::retention::{Kind, Over, RetentionSettings, by_hand, over, retain, timer};
use central::{books, clock, quarantine, report};
use domain::card::CardReport;
use domain::{Cents, Timestamp, TopUpId};
use protocol::{CardSeen, UploadBody};

/// A one-time code whose time is over.
const CODE: &str = "INSERT INTO enrolment_code (code_sha256, terminal, place, central, codes, made, expires)
                    VALUES (?1, 3, '', '', 1, 1, 1)";
const SETTLED: TopUpId = TopUpId([4; 16]);

/// One top-up that is done, one that is an open claim, sights of the card, and what people did.
fn street() -> Street {
    let street = Street::open();
    street.city.enrol_another(A, "http://127.0.0.1:1", NOW);
    street.city.enrol_another(B, "http://127.0.0.1:1", NOW);
    street.city.database().write(|write| Ok(write.execute("DELETE FROM booking", params![])?)).unwrap();
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

/// The holder of the street's card leaves the city on this day, and the card is revoked.
fn moves_away(street: &Street) -> i64 {
    let number = i64::try_from(street.card.0).unwrap();
    let holder = street.count(&format!("SELECT holder FROM card WHERE number = {number}"));
    run_sql(street, "INSERT INTO moved_away (holder, since) VALUES (?1, ?2)", params![holder, NOW.0]);
    run_sql(street, "UPDATE card SET state = 'revoked' WHERE holder = ?1", params![holder]);
    holder
}

fn run_sql(street: &Street, sql: &str, parameters: &[Value<'_>]) {
    assert_eq!(street.city.database().write(|write| Ok(write.execute(sql, parameters)?)).unwrap(), 1, "{sql}");
}

#[test]
fn a_holder_who_moved_away_goes_with_name_and_home_and_the_card_stays_revoked() {
    let street = street();
    let holder = moves_away(&street);
    let number = i64::try_from(street.card.0).unwrap();
    run_sql(
        &street,
        "INSERT INTO booking (holder, service, starts, place) VALUES (?1, 4, ?2, 'Pista 2')",
        params![holder, later(9_000).0],
    );
    let all = street.count("SELECT count(*) FROM holder");
    assert_eq!(gone(&run(&street, later(2_191)), Kind::Holders), 0);
    let revoked = |street: &Street| {
        let revoked = central::registry::revoked(street.city.database().read()).unwrap();
        revoked.contains(&(street.card, street.generation))
    };
    assert!(revoked(&street));
    let query = "SELECT identity_number FROM holder WHERE id = ?1";
    let identity: String = street.city.database().read().query_row(query, params![holder], |row| row.get(0)).unwrap();
    let is_stored = || street.city.stored().windows(identity.len()).any(|bytes| bytes == identity.as_bytes());
    assert!(is_stored());
    assert_eq!(gone(&run(&street, later(2_193)), Kind::Holders), 1);
    assert_eq!(street.count("SELECT count(*) FROM holder"), all - 1);
    for (table, key, is) in [("holder", "id", holder), ("card", "number", number), ("booking", "holder", holder)] {
        assert_eq!(street.count(&format!("SELECT count(*) FROM {table} WHERE {key} = {is}")), 0, "{table}");
    }
    let homes = "SELECT count(*) FROM household WHERE NOT EXISTS (SELECT 1 FROM holder WHERE household = household.id)";
    assert_eq!(street.count(homes), 0, "nobody's home is kept");
    assert!(revoked(&street), "terminals still refuse the card");
    assert!(!is_stored(), "nor do its bytes lie in the file");
    assert_eq!(gone(&run(&street, later(2_193)), Kind::Holders), 0);
}

#[test]
fn nobody_goes_who_may_be_owed_something_or_whose_card_may_be_used() {
    let (now, number) = (later(5_000), |street: &Street| i64::try_from(street.card.0).unwrap());
    // What keeps a holder, and what ends it.
    let check = |what: &str, keeps: &dyn Fn(&mut Street, i64), ends: &dyn Fn(&Street)| {
        let mut street = street();
        let holder = moves_away(&street);
        keeps(&mut street, holder);
        assert_eq!(gone(&run(&street, now), Kind::Holders), 0, "{what}");
        ends(&street);
        assert_eq!(gone(&run(&street, now), Kind::Holders), 1, "{what} has ended");
    };
    check(
        "an active card",
        &|street, holder| run_sql(street, "UPDATE card SET state = 'active' WHERE holder = ?1", params![holder]),
        &|street| run_sql(street, "UPDATE card SET state = 'revoked' WHERE number = ?1", params![number(street)]),
    );
    check(
        "a card on order",
        &|street, holder| {
            run_sql(street, "INSERT INTO card_order (number, holder, ordered) VALUES (99, ?1, 1)", params![holder]);
        },
        &|street| run_sql(street, "DELETE FROM card_order WHERE number = 99", params![]),
    );
    check("an open claim", &|street, _| street.claim(OURS), &|street| {
        run_sql(street, "UPDATE claim SET state = 'paid-out', closed = 1, waits = ''", params![]);
    });
    check(
        "a balance that waits",
        &|street, _| {
            let sql = "INSERT INTO balance_move (number, generation, replaced) VALUES (?1, 1, 1)";
            run_sql(street, sql, params![number(street)]);
        },
        &|street| run_sql(street, "UPDATE balance_move SET moved = 2, amount = 0", params![]),
    );
    check("money in the purse", &|street, _| sight(street, SEEN, 150), &|street| {
        let sql = "INSERT INTO balance_move (number, generation, replaced, moved, amount) VALUES (?1, ?2, 1, 2, 150)";
        run_sql(street, sql, params![number(street), street.generation.0]);
    });
}

#[test]
fn a_purse_that_was_empty_when_it_was_last_seen_keeps_nobody() {
    let mut street = street();
    moves_away(&street);
    sight(&mut street, SEEN, 150);
    sight(&mut street, SEEN + 1, 0);
    assert_eq!(gone(&run(&street, later(5_000)), Kind::Holders), 1);
}

#[test]
fn bookings_wrong_pins_and_changes_of_pins_go_after_their_own_times() {
    let street = street();
    let (holder, day) = (street.count("SELECT min(id) FROM holder"), i64::from(NOW.day().0));
    run_sql(
        &street,
        "INSERT INTO booking (holder, service, starts, place) VALUES (?1, 4, ?2, 'Pista 2')",
        params![holder, NOW.0],
    );
    run_sql(
        &street,
        "INSERT INTO pin_change (key, terminal, card, generation, sha256, changed, pin_version)
         VALUES (?1, 3, 7, 1, ?1, ?2, 2)",
        params![[1_u8; 16], NOW.0],
    );
    run_sql(&street, "INSERT INTO pin_failure (card, generation, day, failures) VALUES (7, 1, ?1, 2)", params![day]);
    run_sql(&street, "INSERT INTO pin_failure_at (terminal, day, failures) VALUES (3, ?1, 2)", params![day]);
    let kinds = [Kind::Bookings, Kind::PinChanges, Kind::PinFailures, Kind::PinFailuresAtTerminals];
    let check = |days: i64, expected: [u64; 4]| {
        let went = run(&street, later(days));
        assert_eq!(kinds.map(|kind| gone(&went, kind)), expected, "after {days} days");
    };
    check(6, [0, 0, 0, 0]);
    check(8, [1, 0, 0, 0]);
    check(89, [0, 0, 0, 0]);
    check(92, [0, 1, 1, 1]);
    check(400, [0, 0, 0, 0]);
}

#[test]
fn of_a_case_that_has_ended_the_bytes_go_and_of_an_open_one_nothing() {
    let street = street();
    let (keys, database) = (street.city.keys(), street.city.database());
    let say = |bytes: &[u8]| central::uploads::take(&mut street.city.database(), &keys, A, bytes, NOW).unwrap_err();
    for bytes in [&b"one"[..], b"two"] {
        assert!(matches!(say(bytes), central::CentralError::Kept(..)));
    }
    for notice in report::anomalies(database.read()).unwrap() {
        report::explain(&mut street.city.database(), notice.id, &clerk(), "seen to", NOW).unwrap();
    }
    let cases = quarantine::view(database.read(), true).unwrap();
    quarantine::close(&mut street.city.database(), &clerk(), cases[0].id, "a test", NOW).unwrap();
    assert_eq!(gone(&run(&street, later(2_191)), Kind::Quarantine), 0);
    assert_eq!(gone(&run(&street, later(2_193)), Kind::Quarantine), 1);
    let show = |at: usize| quarantine::show(&mut street.city.database(), &keys, &clerk(), cases[at].id, NOW);
    let refused = show(0).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("their time was over"), "{refused}");
    assert_eq!(show(1).unwrap().1.as_slice(), b"two", "an open case keeps everything");
    let after = quarantine::view(database.read(), true).unwrap();
    let told = |cases: &[quarantine::Case]| cases.iter().map(|case| (case.id, case.detail.clone())).collect::<Vec<_>>();
    assert_eq!((told(&after), after[0].note.as_deref()), (told(&cases), Some("a test")), "the cases stay");
    assert!(matches!(say(b"one"), central::CentralError::Kept(..)), "again it is the same case");
    assert_eq!(quarantine::view(database.read(), true).unwrap().len(), 2);
}

#[test]
fn by_itself_it_goes_once_a_day_by_whichever_node_comes_first() {
    let street = street();
    let once = |hours: i64| {
        let went = timer::once(&street.city.data, NOW.plus_ms(hours * DAY_MS / 24)).unwrap();
        went.map(|over| gone(&over, Kind::EnrolmentCodes))
    };
    run_sql(&street, CODE, params![[1_u8; 32]]);
    assert_eq!((once(-24), once(-1)), (None, None), "the first time is only noted");
    assert_eq!(once(0), Some(1));
    run_sql(&street, CODE, params![[2_u8; 32]]);
    assert_eq!((once(0), once(23)), (None, None));
    assert_eq!((once(24), once(25)), (Some(1), None));
    let line = audit::newest(street.city.database().read(), 1).unwrap().remove(0);
    assert_eq!((line.what.as_str(), line.actor.name.as_str()), ("retention", "retention"));
}

#[test]
fn by_a_clock_that_is_far_off_nothing_goes_until_somebody_says_that_it_is_right() {
    let street = street();
    run_sql(&street, CODE, params![[1_u8; 32]]);
    let once = |days: i64| timer::once(&street.city.data, later(days));
    let by_hand = |days: i64, is_right: bool| {
        let settings = RetentionSettings::default();
        by_hand(&mut street.city.database(), &settings, &clerk(), is_right, later(days))
            .map(|over| gone(&over, Kind::EnrolmentCodes))
    };
    assert!(once(0).unwrap().is_none());
    // A node that starts before it has heard the time: ten years ahead.
    let told = once(3_650).unwrap_err().to_string();
    assert!(told.contains("last ran on 22/11/2026") && told.contains("--clock-is-right"), "{told}");
    assert!(by_hand(3_650, false).unwrap_err().to_string().contains("nothing goes"));
    assert!(by_hand(-1, false).is_err());
    assert_eq!(street.count("SELECT count(*) FROM enrolment_code"), 1);
    // Central was off for a season, and somebody says so.
    assert_eq!(by_hand(90, true).unwrap(), 1);
    assert!(once(90).unwrap().is_none() && once(91).unwrap().is_some());
    // A clock that is behind moves nothing back for the nodes that have the right time.
    assert!(once(89).is_err() && once(91).unwrap().is_none());
    // The clock had been ahead for two days, and somebody says so.
    by_hand(89, true).unwrap();
    assert!(once(89).unwrap().is_none() && once(90).unwrap().is_some());
}

#[test]
fn a_serving_node_lets_go_when_it_is_asked_to() {
    let street = street();
    run_sql(&street, CODE, params![[1_u8; 32]]);
    let left = || street.count("SELECT count(*) FROM enrolment_code");
    Process::serve_with(&street.city, &[]).stop();
    assert_eq!(left(), 1, "nobody asked");
    let yesterday = Timestamp(clock::now().0 - DAY_MS);
    run_sql(&street, "INSERT INTO retention_run (one, at) VALUES (1, ?1)", params![yesterday.0]);
    let serving = Process::serve_with(&street.city, &["--retain"]);
    while left() > 0 {
        std::thread::yield_now();
    }
    serving.stop();
}
