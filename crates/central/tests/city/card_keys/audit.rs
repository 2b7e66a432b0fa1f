use super::{Office, Reader, credit_ask};
use crate::fixture::{City, NOW};
use card_simulator::memory::Chip;
use central::db::params;
use domain::TerminalId;
use keys::Scheme;
use protocol::ProblemCode;
use protocol::card_keys::{BeginAuthentication, FinishAuthentication, WireRole};

const DAY_MS: i64 = 86_400_000;

fn set(office: &mut Office, name: &str, value: &str) {
    let insert = "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    office.database.write(|write| Ok(write.execute(insert, params![name, value.as_bytes()])?)).unwrap();
}

fn office(seed: u64) -> (Office, BeginAuthentication, Reader) {
    let office = Office::of(City::seeded(seed, 20, 1));
    let mut reader = Reader::with(&office.city, Chip::Ev2);
    reader.lay_down();
    let ask = credit_ask(&mut reader, Scheme::Ev2First);
    (office, ask, reader)
}

#[test]
fn each_use_is_written_down_with_its_outcome_and_no_key() {
    let (mut office, ask, mut reader) = office(61);
    let begun = office.ask(|desk| desk.begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    office.ask(|desk| desk.finish(&answer)).unwrap();
    office.ask(|desk| desk.finish(&answer)).unwrap_err();
    let master = BeginAuthentication { role: WireRole::Master, ..ask.clone() };
    office.ask(|desk| desk.begin(&master)).unwrap_err();
    let stranger = BeginAuthentication { uid: vec![9; 7], ..ask };
    office.ask(|desk| desk.begin(&stranger)).unwrap_err();
    let expected = [
        ("credit", "begin", "ok"),
        ("credit", "finish", "ok"),
        ("master", "begin", "not-found"),
        ("credit", "begin", "card-refused"),
    ];
    let expected = expected.map(|(role, step, outcome)| (role.to_owned(), step.to_owned(), outcome.to_owned()));
    assert_eq!(office.uses(), expected, "a used ticket names no card to write down");

    let number = i64::try_from(office.city.demo_cards()[0].card.identity.number.0).unwrap();
    let query = "SELECT terminal, card, at FROM card_key_use ORDER BY id";
    let read = |row: &central::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows: Vec<(u32, Option<i64>, i64)> = office.database.read().query(query, &[], read).unwrap();
    assert_eq!(rows[0], (3, Some(number), NOW.0));
    assert_eq!(rows[3], (3, None, NOW.0), "a chip that nobody registered");
}

#[test]
fn a_card_that_does_not_know_its_key_is_written_down_as_such() {
    let (mut office, ask, _) = office(62);
    let begun = office.ask(|desk| desk.begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: vec![0; 32] };
    assert_eq!(office.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::KeyRejected));
    assert_eq!(office.uses().last().unwrap().2, "key-rejected");
}

#[test]
fn a_terminal_has_so_many_uses_a_day_and_is_noticed_once_when_they_are_used_up() {
    let (mut office, ask, _) = office(63);
    set(&mut office, "card-keys-per-terminal", "3");
    let outcomes: Vec<_> = (0..5).map(|_| office.ask(|desk| desk.begin(&ask)).err()).collect();
    let used_up = Some(ProblemCode::LimitReached);
    assert_eq!(outcomes, [None, None, None, used_up, used_up]);
    assert_eq!(office.by(TerminalId(4), |desk| desk.begin(&ask)).err(), None, "another terminal has its own");
    assert_eq!(office.anomalies(), ["limit"]);
    office.now = NOW.plus_ms(DAY_MS);
    assert_eq!(office.ask(|desk| desk.begin(&ask)).err(), None, "the next day");
}

#[test]
fn a_card_has_so_many_uses_a_day_at_all_terminals_together() {
    let (mut office, ask, _) = office(64);
    set(&mut office, "card-keys-per-card", "2");
    let master = BeginAuthentication { role: WireRole::Master, ..ask.clone() };
    assert_eq!(office.ask(|desk| desk.begin(&master)).err(), Some(ProblemCode::NotFound));
    let mut at = |terminal| office.by(TerminalId(terminal), |desk| desk.begin(&ask)).err();
    let used_up = Some(ProblemCode::LimitReached);
    assert_eq!([at(3), at(4), at(5), at(3)], [None, None, used_up, used_up], "what was refused does not count");
}

#[test]
fn a_limit_that_is_no_number_opens_nothing() {
    let (mut office, ask, _) = office(65);
    set(&mut office, "card-keys-per-card", "many");
    assert_eq!(office.ask(|desk| desk.begin(&ask)).err(), Some(ProblemCode::Internal));
}
