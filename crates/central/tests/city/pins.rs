//! PINs: set at the desk, changed at a terminal.

use crate::browser::console;
use crate::cards::{card, register};
use crate::fixture::{City, NOW, TERMINAL};
use crate::http::Street;
use central::db::params;
use central::refusal::Refusal;
use central::{CentralError, audit, pack, pins};
use domain::{CardNumber, Generation, TerminalId, Timestamp};
use protocol::http::pin_path;
use protocol::upload::IdempotencyKey;
use protocol::{CardSecret, PinChange, PinChanged, PinKey, Problem, ProblemCode, pin_key};

fn set(city: &City, number: CardNumber, pin: &str) -> Result<u8, CentralError> {
    let mut database = city.database();
    let (pack, _) = pack::load(database.read()).unwrap();
    pins::set(&mut database, &city.keys(), &pack, &console(), number, pin, NOW)
}

/// Version, content number and sealed key of a card.
fn row(city: &City, number: CardNumber) -> (u8, i64, Option<Vec<u8>>) {
    let query = "SELECT pin_version, pin_content, pin_key FROM card WHERE number = ?1";
    let read = |row: &central::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    city.database().read().query_row(query, params![i64::try_from(number.0).unwrap()], read).unwrap()
}

/// The first card of a city, and what stands for a PIN on it.
struct Mine {
    number: CardNumber,
    secret: CardSecret,
}

impl Mine {
    fn of(city: &City) -> Self {
        let card = city.demo_cards().remove(0).card;
        Self { number: card.identity.number, secret: CardSecret::new(card.identity.secret) }
    }

    fn key(&self, pin: &str) -> PinKey {
        pin_key(&self.secret, pin.as_bytes()).unwrap()
    }

    fn change(&self, key: u8, old: &PinKey, new: &PinKey) -> PinChange {
        let (number, key) = (self.number, IdempotencyKey([key; 16]));
        PinChange { number, generation: Generation(1), key, old: old.clone(), new: new.clone() }
    }
}

fn ask(city: &City, change: &PinChange, now: Timestamp) -> Result<PinChanged, ProblemCode> {
    let central = city.keys().export_key().unwrap().public().unwrap();
    let sealed = change.seal(TERMINAL, &central, [7; 32]).unwrap();
    let asked = pins::change(&mut city.database(), &city.keys(), TERMINAL, change.number, &sealed, now);
    asked.map_err(|error| Problem::from(error).code)
}

#[test]
fn the_office_sets_a_pin_and_central_keeps_what_stands_for_it_and_never_the_pin() {
    let city = City::seeded(631, 200, 1);
    let mine = Mine::of(&city);
    let before = row(&city, mine.number);
    assert_eq!(set(&city, mine.number, "480917").unwrap(), before.0 + 1);
    let after = row(&city, mine.number);
    assert_eq!((after.0, after.1), (before.0 + 1, before.1 + 1), "publication notices");
    assert_ne!(after.2, before.2);
    let stored = city.stored();
    let hidden = |part: &[u8]| !stored.windows(part.len()).any(|window| window == part);
    assert!(hidden(b"480917") && hidden(mine.key("480917").expose()));
    let line = audit::newest(city.database().read(), 1).unwrap().remove(0);
    assert_eq!((line.what.as_str(), line.about), ("pin reset", format!("{}, version 2", mine.number.0)));
    assert_eq!(city.publish().pin_rows, 2);
}

#[test]
fn a_pin_is_refused_that_is_weak_or_for_a_card_that_does_not_count() {
    let city = City::seeded(632, 4, 1);
    let number = Mine::of(&city).number;
    let check = |number, pin: &str, expected| match set(&city, number, pin) {
        Err(CentralError::Refused(refusal)) => assert_eq!(refusal, expected, "{pin}"),
        other => panic!("{pin}: {other:?}"),
    };
    check(number, "4809", Refusal::PinLength);
    check(number, "000000", Refusal::PinWeak);
    let query = "SELECT born FROM holder JOIN card ON card.holder = holder.id WHERE card.number = ?1";
    let read = |row: &central::db::Row<'_>| row.get::<i32>(0);
    let born = city.database().read().query_row(query, params![i64::try_from(number.0).unwrap()], read).unwrap();
    let born = central::clock::date(domain::Day(born)).strftime("%d%m%y").to_string();
    check(number, &born, Refusal::PinWeak);
    check(CardNumber(1), "480917", Refusal::CardUnknown);
    let last = "UPDATE card SET pin_version = 255";
    city.database().write(|transaction| Ok(transaction.execute(last, params![])?)).unwrap();
    check(number, "480917", Refusal::PinVersions);
    assert_eq!(
        set(&city, city.demonstration().service[0].card.identity.number, "480917").unwrap(),
        2,
        "a technician's"
    );
}

#[test]
fn a_replaced_card_begins_without_a_pin() {
    let city = City::seeded(633, 4, 1);
    let number = Mine::of(&city).number;
    register(&city, &card(number.0, 2, 9)).unwrap();
    assert_eq!((row(&city, number).0, row(&city, number).2), (0, None));
    assert_eq!(set(&city, number, "480917").unwrap(), 1);
    let line = audit::newest(city.database().read(), 1).unwrap().remove(0);
    assert_eq!(line.what, "pin set");
}

#[test]
fn a_terminal_changes_a_pin_with_the_old_one_and_a_repeat_gets_the_first_answer() {
    let city = City::seeded(634, 4, 1);
    let mine = Mine::of(&city);
    set(&city, mine.number, "480917").unwrap();
    let (old, new, third) = (mine.key("480917"), mine.key("715204"), mine.key("902846"));
    let head = city.keys().head_key().unwrap().verifier();
    let change = mine.change(1, &old, &new);
    let first = ask(&city, &change, NOW).unwrap();
    first.verify(&change, &head).unwrap();
    assert_eq!((first.pin_version, first.changed), (3, NOW.0));
    assert_eq!(ask(&city, &change, NOW.plus_ms(5_000)).unwrap(), first, "its answer was lost");
    assert_eq!(row(&city, mine.number).0, 3);
    let other = mine.change(1, &new, &third);
    assert_eq!(ask(&city, &other, NOW), Err(ProblemCode::Conflict), "the key of another change");
    assert_eq!(ask(&city, &mine.change(2, &new, &new), NOW), Err(ProblemCode::Conflict), "no change at all");
    assert_eq!(ask(&city, &mine.change(3, &old, &third), NOW), Err(ProblemCode::KeyRejected), "the old one is over");
    assert_eq!(ask(&city, &mine.change(4, &new, &third), NOW).unwrap().pin_version, 4);
}

#[test]
fn wrong_pins_of_a_card_are_counted_over_all_terminals_and_a_reset_begins_anew() {
    let city = City::seeded(635, 4, 1);
    let mine = Mine::of(&city);
    let (wrong, new) = (PinKey::new([1; 32]), PinKey::new([2; 32]));
    for key in 1..=u8::try_from(pins::FAILURES_A_DAY_MAX).unwrap() {
        assert_eq!(ask(&city, &mine.change(key, &wrong, &new), NOW), Err(ProblemCode::KeyRejected));
    }
    let right = mine.key(&city.demo_cards().remove(0).pin);
    assert_eq!(ask(&city, &mine.change(99, &right, &new), NOW), Err(ProblemCode::LimitReached), "the right one too");
    let tomorrow = NOW.plus_ms(86_400_000);
    assert_eq!(ask(&city, &mine.change(98, &wrong, &new), tomorrow), Err(ProblemCode::KeyRejected));
    set(&city, mine.number, "480917").unwrap();
    assert!(ask(&city, &mine.change(97, &mine.key("480917"), &new), NOW).is_ok());
}

#[test]
fn wrong_pins_at_a_terminal_are_counted_over_all_cards() {
    let city = City::seeded(638, 4, 1);
    let mine = Mine::of(&city);
    let (wrong, new) = (PinKey::new([1; 32]), PinKey::new([2; 32]));
    assert_eq!(ask(&city, &mine.change(1, &wrong, &new), NOW), Err(ProblemCode::KeyRejected));
    let (read, sum) = (city.database(), "SELECT max(failures) FROM pin_failure_at");
    assert_eq!(read.read().query_row(sum, &[], |row| row.get::<i64>(0)).unwrap(), 1);
    let many = "UPDATE pin_failure_at SET failures = ?1";
    let max = pins::TERMINAL_FAILURES_A_DAY_MAX;
    city.database().write(|write| Ok(write.execute(many, params![max])?)).unwrap();
    let right = mine.key(&city.demo_cards().remove(0).pin);
    assert_eq!(ask(&city, &mine.change(2, &right, &new), NOW), Err(ProblemCode::LimitReached), "the right one too");
    let noticed = central::report::anomalies(city.database().read()).unwrap();
    assert_eq!(noticed.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["pin-guesses"]);
    assert!(ask(&city, &mine.change(3, &right, &new), NOW.plus_ms(86_400_000)).is_ok());
}

#[test]
fn a_change_is_for_an_active_card_that_has_a_pin() {
    let city = City::seeded(636, 4, 1);
    let mine = Mine::of(&city);
    let (old, new) = (PinKey::new([1; 32]), PinKey::new([2; 32]));
    let check = |change: &PinChange, expected| assert_eq!(ask(&city, change, NOW), Err(expected));
    check(&PinChange { generation: Generation(2), ..mine.change(1, &old, &new) }, ProblemCode::CardRefused);
    check(&PinChange { number: CardNumber(1), ..mine.change(2, &old, &new) }, ProblemCode::CardRefused);
    let central = city.keys().export_key().unwrap().public().unwrap();
    let sealed = mine.change(3, &old, &new).seal(TerminalId(9), &central, [7; 32]).unwrap();
    let asked = pins::change(&mut city.database(), &city.keys(), TERMINAL, mine.number, &sealed, NOW);
    assert_eq!(Problem::from(asked.unwrap_err()).code, ProblemCode::Malformed, "of another terminal");
    register(&city, &card(mine.number.0, 2, 9)).unwrap();
    let none = PinChange { generation: Generation(2), ..mine.change(4, &old, &new) };
    check(&none, ProblemCode::CardRefused);
}

#[tokio::test]
async fn a_change_comes_over_http_from_an_enrolled_terminal_alone() {
    let street = Street::of(City::seeded(637, 4, 1)).await;
    let mine = Mine::of(&street.city);
    let old = mine.key(&street.city.demo_cards().remove(0).pin);
    let change = mine.change(1, &old, &mine.key("715204"));
    let central = street.city.keys().export_key().unwrap().public().unwrap();
    let (path, sealed) = (pin_path(mine.number), change.seal(TERMINAL, &central, [7; 32]).unwrap());
    let stranger = protocol::Secret32::new([0; 32]);
    assert_eq!(street.refused(&path, &stranger, sealed.clone()).await, ProblemCode::Unauthorised);
    let (status, body) = street.post(&path, &street.bundle.access_token, sealed).await;
    assert_eq!(status, 200);
    let head = street.city.keys().head_key().unwrap().verifier();
    PinChanged::decode(&body).unwrap().verify(&change, &head).unwrap();
    let token = &street.bundle.access_token;
    assert_eq!(street.refused(&path, token, b"?".to_vec()).await, ProblemCode::Malformed);
    assert_eq!(street.post(&path, token, vec![0; 5_000]).await.0, 413);
    street.running.stop().await.unwrap();
}
