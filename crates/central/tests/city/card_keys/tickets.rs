//! Authentications under way belong to the city, not to a node.

use super::{Office, Reader, credit_ask};
use crate::fixture::{City, TERMINAL};
use card_simulator::memory::Chip;
use central::db::params;
use domain::TerminalId;
use keys::Scheme;
use protocol::ProblemCode;
use protocol::card_keys::{BeginAuthentication, FinishAuthentication};

fn kept(office: &Office) -> Vec<(u32, Vec<u8>)> {
    let sql = "SELECT terminal, sealed FROM card_ticket ORDER BY terminal";
    office.database.read().query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn asked(office: &Office) -> (Reader, BeginAuthentication) {
    let mut reader = Reader::with(&office.city, Chip::Ev2);
    reader.lay_down();
    let ask = credit_ask(&mut reader, Scheme::Ev2First);
    (reader, ask)
}

#[test]
fn what_one_node_began_another_finishes() {
    let mut here = Office::of(City::seeded(58, 20, 1));
    let (mut reader, ask) = asked(&here);
    let begun = here.ask(|desk| desk.begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    let shown = kept(&here);
    assert_eq!(shown.len(), 1);
    assert!(!shown[0].1.windows(7).any(|seven| seven == ask.uid), "whose card it is does not stand there openly");
    // Another connection, with nothing else of the first.
    here.database = here.city.database();
    here.ask(|desk| desk.finish(&answer)).unwrap();
    assert!(kept(&here).is_empty(), "it serves once");
    assert_eq!(here.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::TicketInvalid));
}

#[test]
fn a_ticket_that_was_changed_in_the_database_opens_nothing() {
    let mut office = Office::of(City::seeded(59, 20, 1));
    let (mut reader, ask) = asked(&office);
    let begun = office.ask(|desk| desk.begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    let mut sealed = kept(&office).remove(0).1;
    sealed[30] ^= 1;
    office.database.write(|write| Ok(write.execute("UPDATE card_ticket SET sealed = ?1", params![sealed])?)).unwrap();
    assert_eq!(office.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::Internal));
}

#[test]
fn a_terminal_that_begins_and_never_ends_crowds_out_itself_only() {
    let mut office = Office::of(City::seeded(60, 20, 1));
    let (mut reader, ask) = asked(&office);
    let other = TerminalId(TERMINAL.0 + 1);
    office.by(other, |desk| desk.begin(&ask)).unwrap();
    let mut tickets = Vec::new();
    for _ in 0..12 {
        office.now = office.now.plus_ms(1);
        reader.lay_down();
        let ask = credit_ask(&mut reader, Scheme::Ev2First);
        tickets.push(office.ask(|desk| desk.begin(&ask)).unwrap());
    }
    let of = |terminal: TerminalId| kept(&office).iter().filter(|(of, _)| *of == terminal.0).count();
    assert_eq!((of(TERMINAL), of(other)), (8, 1));
    let answer = reader.answer(&tickets[11].cryptogram);
    let mut finish = |at: usize| {
        let answer = FinishAuthentication { ticket: tickets[at].ticket, answer: answer.clone() };
        office.ask(|desk| desk.finish(&answer)).map(drop)
    };
    assert_eq!(finish(0), Err(ProblemCode::TicketInvalid));
    assert_eq!(finish(11), Ok(()));
    office.now = office.now.plus_ms(60_000);
    office.ask(|desk| desk.begin(&ask)).unwrap();
    assert_eq!(kept(&office).len(), 1, "those that are too old are gone");
}
