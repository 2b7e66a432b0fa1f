use super::{Office, Reader, credit_ask, session};
use crate::fixture::{City, TERMINAL};
use crate::http::Street;
use card_simulator::memory::Chip;
use central::key_file::card_key;
use domain::{TerminalId, Uid};
use keys::{CardKeys, KeyOnCard, KeyRole, OneKey, Scheme, SoftKeys};
use protocol::ProblemCode;
use protocol::card_keys::{BeginAuthentication, FinishAuthentication, TICKET_LIFE_MS, WireRole};
use std::time::Duration;

fn entropy() -> Box<dyn keys::Entropy + Send> {
    Box::new(|buffer: &mut [u8]| {
        buffer.fill(0x5A);
        Ok(())
    })
}

/// Opens a session with a key that is at hand.
fn authenticate(reader: &mut Reader, keys: &mut dyn CardKeys, role: KeyRole, number: u8, scheme: Scheme) {
    let uid = Uid::new(&reader.uid()).unwrap();
    let on_card = KeyOnCard { role, aid: reader.layout.aid, number, uid: Some(uid) };
    let challenge = reader.challenge(scheme, number);
    let mut authentication = keys.authentication(&on_card, 0, scheme).unwrap();
    let cryptogram = authentication.start(&challenge).unwrap();
    let answer = reader.answer(&cryptogram);
    reader.open(authentication.finish(&answer).unwrap());
}

/// AuthenticateEV2NonFirst needs a session to go on from: the read key's.
fn prepare(reader: &mut Reader, city: &City, scheme: Scheme) {
    reader.lay_down();
    if scheme == Scheme::Ev2NonFirst {
        let base = keys::AesKey::new(*city.keys().cards.read[0].key.expose());
        let mut keys = SoftKeys::new(vec![base], None, &reader.layout.system_id.clone(), entropy());
        let number = reader.layout.keys.read;
        authenticate(reader, &mut keys, KeyRole::Read, number, Scheme::Ev2First);
    }
}

fn chip(scheme: Scheme) -> Chip {
    if scheme == Scheme::Aa { Chip::Ev1 } else { Chip::Ev2 }
}

async fn credit_by_central(street: &Street, reader: &mut Reader, scheme: Scheme) -> (i32, i32) {
    prepare(reader, &street.city, scheme);
    let ask = credit_ask(reader, scheme);
    let begun = street.begin(&ask).await.unwrap();
    let answer = reader.answer(&begun.cryptogram);
    let granted = street.finish(&street.bundle.access_token, begun.ticket, &answer).await.unwrap();
    reader.open(session(&granted));
    reader.credit(500)
}

fn credit_by_hand(street: &Street, reader: &mut Reader, scheme: Scheme) -> (i32, i32) {
    prepare(reader, &street.city, scheme);
    let number = reader.layout.keys.credit;
    let uid = Uid::new(&reader.uid()).unwrap();
    let key = card_key(&street.city.keys().cards.credit, &uid, &reader.layout, number).unwrap();
    let mut keys = OneKey::new(KeyRole::Credit, key, entropy());
    authenticate(reader, &mut keys, KeyRole::Credit, number, scheme);
    reader.credit(500)
}

#[tokio::test]
async fn a_credit_by_central_is_the_same_as_one_with_the_key_at_hand() {
    let street = Street::of(City::seeded(51, 20, 1)).await;
    for scheme in [Scheme::Aa, Scheme::Ev2First, Scheme::Ev2NonFirst] {
        let (mut near, mut far) = (Reader::with(&street.city, chip(scheme)), Reader::with(&street.city, chip(scheme)));
        let by_hand = credit_by_hand(&street, &mut near, scheme);
        let by_central = credit_by_central(&street, &mut far, scheme).await;
        assert_eq!(by_central, by_hand, "{scheme:?}");
        assert_eq!(by_central.1 - by_central.0, 500);
        assert_eq!(far.card.purse(), near.card.purse());
    }
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_ticket_serves_once_and_for_nobody_else() {
    let street = Street::of(City::seeded(52, 20, 1)).await;
    let token = street.bundle.access_token.clone();
    let other = street.city.enrol_another(TerminalId(4), &street.bundle.central, crate::fixture::NOW).access_token;
    let mut reader = Reader::with(&street.city, Chip::Ev2);
    let mut begun = async || {
        reader.lay_down();
        let ask = credit_ask(&mut reader, Scheme::Ev2First);
        let begun = street.begin(&ask).await.unwrap();
        (begun.ticket, reader.answer(&begun.cryptogram))
    };
    let (ticket, answer) = begun().await;
    assert!(street.finish(&token, ticket, &answer).await.is_ok());
    let again = street.finish(&token, ticket, &answer).await;
    assert_eq!(again.err(), Some(ProblemCode::TicketInvalid), "replayed");

    let (ticket, answer) = begun().await;
    let foreign = street.finish(&other, ticket, &answer).await;
    assert_eq!(foreign.err(), Some(ProblemCode::TicketInvalid), "another terminal's");
    let burnt = street.finish(&token, ticket, &answer).await;
    assert_eq!(burnt.err(), Some(ProblemCode::TicketInvalid), "shown by another terminal before");

    let (ticket, mut answer) = begun().await;
    answer[7] ^= 1;
    let forged = street.finish(&token, ticket, &answer).await;
    assert_eq!(forged.err(), Some(ProblemCode::KeyRejected), "not what the card said");
    let unknown = street.finish(&token, [0; 16], &answer).await;
    assert_eq!(unknown.err(), Some(ProblemCode::TicketInvalid));
    let stranger = street.finish(&protocol::Secret32::new([9; 32]), ticket, &answer).await;
    assert_eq!(stranger.err(), Some(ProblemCode::Unauthorised));
    street.running.stop().await.unwrap();
}

#[test]
fn a_ticket_is_good_for_ten_seconds() {
    let mut office = Office::of(City::seeded(53, 20, 1));
    let mut reader = Reader::with(&office.city, Chip::Ev2);
    let life = Duration::from_millis(TICKET_LIFE_MS.into());
    let mut after = |wait: Duration| {
        reader.lay_down();
        let ask = credit_ask(&mut reader, Scheme::Ev2First);
        let begun = office.ask(|desk| desk.begin(&ask)).unwrap();
        let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
        office.now = office.now.plus_ms(i64::try_from(wait.as_millis()).unwrap());
        office.ask(|desk| desk.finish(&answer)).map(drop)
    };
    assert_eq!(after(life.checked_sub(Duration::from_millis(1)).unwrap()), Ok(()));
    assert_eq!(after(life), Err(ProblemCode::TicketInvalid));
}

#[test]
fn session_keys_of_no_other_key_are_given() {
    let mut office = Office::of(City::seeded(54, 20, 1));
    let mut reader = Reader::with(&office.city, Chip::Ev2);
    reader.lay_down();
    let ask = credit_ask(&mut reader, Scheme::Ev2First);
    let mut refused = |ask: BeginAuthentication| office.ask(|desk| desk.begin(&ask)).err();
    for role in [WireRole::Master, WireRole::Read, WireRole::Debit, WireRole::Uid, WireRole::Picc] {
        assert_eq!(refused(BeginAuthentication { role, ..ask.clone() }), Some(ProblemCode::NotFound), "{role:?}");
    }
    let master = reader.layout.keys.master;
    assert_eq!(refused(BeginAuthentication { number: master, ..ask.clone() }), Some(ProblemCode::NotFound));
    assert_eq!(refused(BeginAuthentication { version: 1, ..ask.clone() }), Some(ProblemCode::NotFound));
    assert_eq!(refused(BeginAuthentication { aid: [0; 3], ..ask.clone() }), Some(ProblemCode::NotFound));
    assert_eq!(refused(BeginAuthentication { uid: vec![4; 7], ..ask.clone() }), Some(ProblemCode::CardRefused));
    assert_eq!(refused(BeginAuthentication { uid: vec![4; 5], ..ask }), Some(ProblemCode::Malformed));
}

#[test]
fn a_revoked_card_and_a_service_card_are_refused_at_every_step() {
    let mut office = Office::of(City::seeded(55, 20, 1));
    let mut reader = Reader::with(&office.city, Chip::Ev2);
    reader.lay_down();
    let ask = credit_ask(&mut reader, Scheme::Ev2First);
    let begun = office.ask(|desk| desk.begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    office.database.write(|write| Ok(write.execute("UPDATE card SET state = 'revoked'", &[])?)).unwrap();
    assert_eq!(office.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::CardRefused));
    assert_eq!(office.ask(|desk| desk.begin(&ask)).err(), Some(ProblemCode::CardRefused));
    let service = office.city.demonstration().service.remove(0).card.uid.to_vec();
    let ask = BeginAuthentication { uid: service, ..ask };
    assert_eq!(office.by(TERMINAL, |desk| desk.begin(&ask)).err(), Some(ProblemCode::CardRefused));
}
