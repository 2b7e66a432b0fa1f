use super::{Office, Reader, wire};
use crate::fixture::{City, NOW, TERMINAL};
use crate::http::Street;
use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, When};
use domain::{TerminalId, Timestamp, Uid};
use keys::{AesKey, CardKeys, KeyOnCard, KeyRole, Scheme, SoftKeys};
use protocol::ProblemCode;
use protocol::card_keys::{
    BeginAuthentication, Cryptogram, FinishAuthentication, GrantedSession, RekeyBegin, RekeyChange, RekeyConfirm,
    RekeyLook, RekeyState, Rekeyed, WireRole,
};
use protocol::http::{KEYS_FINISH_PATH, REKEY_BEGIN_PATH, REKEY_CHANGE_PATH, REKEY_CONFIRM_PATH, REKEY_LOOK_PATH};

/// When the new read key was drawn; every terminal was enrolled anew after that.
const DRAWN: Timestamp = Timestamp(NOW.0 - 1_000);

/// A city whose newest read key is version 1, while its cards have version 0.
fn renewed(seed: u64) -> City {
    let city = City::seeded(seed, 20, 1);
    let mut keys = city.keys();
    assert_eq!(keys.renew_read_key(DRAWN).unwrap(), 1);
    keys.save(&city.data.keys()).unwrap();
    city
}

/// The card as it was made: with version 0, the older of the two.
fn reader(city: &City, chip: Chip) -> Reader {
    let mut reader = Reader::with(city, chip);
    assert_eq!(version(&mut reader), 0);
    reader
}

/// GetKeyVersion of the read key.
fn version(reader: &mut Reader) -> u8 {
    reader.lay_down();
    let number = reader.layout.keys.read;
    let (status, version) = reader.send(0x64, &[number]).unwrap();
    assert_eq!((status, version.len()), (0x00, 1));
    version[0]
}

/// Whether the card answers to this version of the read key, the newest being 0.
fn knows(reader: &mut Reader, city: &City, version: usize) -> bool {
    reader.lay_down();
    let bases = city.keys().cards.read.iter().map(|read| AesKey::new(*read.key.expose())).collect();
    let entropy = Box::new(|buffer: &mut [u8]| {
        buffer.fill(0x5A);
        Ok(())
    });
    let mut keys = SoftKeys::new(bases, None, &reader.layout.system_id, entropy);
    let number = reader.layout.keys.read;
    let uid = Uid::new(&reader.uid()).unwrap();
    let on_card = KeyOnCard { role: KeyRole::Read, aid: reader.layout.aid, number, uid: Some(uid) };
    let challenge = reader.challenge(Scheme::Aa, number);
    let cryptogram = keys.authentication(&on_card, version, Scheme::Aa).unwrap().start(&challenge).unwrap();
    reader.send(0xAF, &cryptogram).unwrap().0 == 0x00
}

fn look(reader: &mut Reader) -> RekeyLook {
    RekeyLook { uid: reader.uid(), version_on_card: version(reader) }
}

fn begin(reader: &mut Reader, scheme: Scheme) -> RekeyBegin {
    let version_on_card = version(reader);
    let challenge = reader.challenge(scheme, reader.layout.keys.master);
    RekeyBegin { scheme: wire(scheme), uid: reader.uid(), version_on_card, challenge }
}

/// Up to the sealed ChangeKey.
fn sealed(office: &mut Office, reader: &mut Reader, scheme: Scheme) -> RekeyChange {
    let ask = begin(reader, scheme);
    let begun = office.ask(|desk| desk.rekey_begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    office.ask(|desk| desk.rekey_change(&answer)).unwrap()
}

fn state(office: &mut Office, reader: &mut Reader) -> RekeyState {
    let look = look(reader);
    office.ask(|desk| desk.rekey_look(&look)).unwrap()
}

/// Version and pending change as booked.
fn booked(office: &Office, reader: &Reader) -> (u8, Option<u8>) {
    let query = "SELECT read_version, pending FROM card_key WHERE uid = ?1";
    office
        .database
        .read()
        .query_row(query, central::db::params![reader.uid()], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

#[tokio::test]
async fn a_card_moves_to_the_newest_read_key_over_the_network() {
    for (chip, scheme) in [(Chip::Ev1, Scheme::Aa), (Chip::Ev2, Scheme::Aa), (Chip::Ev2, Scheme::Ev2First)] {
        let street = Street::of(renewed(71)).await;
        let token = &street.bundle.access_token;
        let mut reader = reader(&street.city, chip);
        let wanted = street.ask(REKEY_LOOK_PATH, token, look(&mut reader).encode(), RekeyState::decode).await;
        assert_eq!(wanted, Ok(RekeyState::Wanted { version: 1 }));
        let ask = begin(&mut reader, scheme).encode();
        let begun = street.ask(REKEY_BEGIN_PATH, token, ask, Cryptogram::decode).await.unwrap();
        let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
        let change = street.ask(REKEY_CHANGE_PATH, token, answer.encode(), RekeyChange::decode).await.unwrap();
        let (status, reply) = reader.send(0xC4, &change.message).unwrap();
        assert_eq!(status, 0x00);
        let confirm = RekeyConfirm { ticket: change.ticket, reply };
        let done = street.ask(REKEY_CONFIRM_PATH, token, confirm.encode(), Rekeyed::decode).await;
        assert_eq!(done, Ok(Rekeyed { version: 1 }), "{chip:?} {scheme:?}");
        assert_eq!(version(&mut reader), 1);
        assert!(knows(&mut reader, &street.city, 0) && !knows(&mut reader, &street.city, 1));
        let current = street.ask(REKEY_LOOK_PATH, token, look(&mut reader).encode(), RekeyState::decode).await;
        assert_eq!(current, Ok(RekeyState::Current));
        street.running.stop().await.unwrap();
    }
}

#[test]
fn the_session_of_a_master_key_never_leaves() {
    let mut office = Office::of(renewed(72));
    let mut reader = reader(&office.city, Chip::Ev2);
    let ask = begin(&mut reader, Scheme::Ev2First);
    let begun = office.ask(|desk| desk.rekey_begin(&ask)).unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    assert_eq!(office.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::TicketInvalid));
    assert_eq!(office.ask(|desk| desk.rekey_change(&answer)).err(), Some(ProblemCode::TicketInvalid), "burnt");

    let change = sealed(&mut office, &mut reader, Scheme::Ev2First);
    let answer = FinishAuthentication { ticket: change.ticket, answer: vec![0; 32] };
    assert_eq!(office.ask(|desk| desk.finish(&answer)).err(), Some(ProblemCode::TicketInvalid));
}

#[tokio::test]
async fn a_credit_ticket_changes_no_key() {
    let street = Street::of(renewed(73)).await;
    let mut reader = reader(&street.city, Chip::Ev2);
    reader.lay_down();
    let ask: BeginAuthentication = super::credit_ask(&mut reader, Scheme::Ev2First);
    assert_eq!(ask.role, WireRole::Credit);
    let begun = street.begin(&ask).await.unwrap();
    let answer = FinishAuthentication { ticket: begun.ticket, answer: reader.answer(&begun.cryptogram) };
    let token = &street.bundle.access_token;
    let change = street.ask(REKEY_CHANGE_PATH, token, answer.encode(), RekeyChange::decode).await;
    assert_eq!(change.err(), Some(ProblemCode::TicketInvalid));
    let keys = street.ask(KEYS_FINISH_PATH, token, answer.encode(), GrantedSession::decode).await;
    assert_eq!(keys.err(), Some(ProblemCode::TicketInvalid), "burnt");
    street.running.stop().await.unwrap();
}

#[test]
fn a_change_that_never_reached_the_card_is_made_at_the_next_sight() {
    for scheme in [Scheme::Aa, Scheme::Ev2First] {
        let mut office = Office::of(renewed(74));
        let mut reader = reader(&office.city, Chip::Ev2);
        let change = sealed(&mut office, &mut reader, scheme);
        reader.card.set_faults(FaultPlan::once(When::Ins(0xC4), FaultKind::TearBefore));
        assert_eq!(reader.send(0xC4, &change.message), None);
        assert_eq!(booked(&office, &reader), (0, Some(1)));
        assert_eq!(state(&mut office, &mut reader), RekeyState::Wanted { version: 1 });
        assert_eq!(booked(&office, &reader), (0, None), "the card says it was not changed");

        let change = sealed(&mut office, &mut reader, scheme);
        let (_, reply) = reader.send(0xC4, &change.message).unwrap();
        let confirm = RekeyConfirm { ticket: change.ticket, reply };
        assert_eq!(office.ask(|desk| desk.rekey_confirm(&confirm)), Ok(Rekeyed { version: 1 }));
        assert_eq!(booked(&office, &reader), (1, None));
        assert!(office.anomalies().is_empty(), "{:?}", office.anomalies());
    }
}

#[test]
fn a_change_whose_reply_was_lost_is_booked_at_the_next_sight() {
    for scheme in [Scheme::Aa, Scheme::Ev2First] {
        let mut office = Office::of(renewed(75));
        let mut reader = reader(&office.city, Chip::Ev2);
        let change = sealed(&mut office, &mut reader, scheme);
        reader.card.set_faults(FaultPlan::once(When::Ins(0xC4), FaultKind::TearAfter));
        assert_eq!(reader.send(0xC4, &change.message), None);
        assert_eq!(booked(&office, &reader), (0, Some(1)));
        assert_eq!(state(&mut office, &mut reader), RekeyState::Current);
        assert_eq!(booked(&office, &reader), (1, None));
        assert!(knows(&mut reader, &office.city, 0));
        assert!(office.anomalies().is_empty());
        let steps: Vec<_> = office.uses().into_iter().map(|(role, step, outcome)| [role, step, outcome]).collect();
        assert_eq!(steps, [["master", "rekey-begin", "ok"], ["master", "rekey-change", "ok"]], "looks use no key");
    }
}

#[test]
fn a_reply_that_is_not_the_cards_books_nothing() {
    let mut office = Office::of(renewed(76));
    let mut reader = reader(&office.city, Chip::Ev2);
    let change = sealed(&mut office, &mut reader, Scheme::Ev2First);
    let (_, mut reply) = reader.send(0xC4, &change.message).unwrap();
    reply[0] ^= 1;
    let confirm = RekeyConfirm { ticket: change.ticket, reply };
    assert_eq!(office.ask(|desk| desk.rekey_confirm(&confirm)).err(), Some(ProblemCode::KeyRejected));
    assert_eq!(booked(&office, &reader), (0, Some(1)), "what the card says next settles it");
}

#[test]
fn a_card_that_says_it_went_back_is_noticed_and_can_be_changed() {
    let mut office = Office::of(renewed(77));
    let mut reader = reader(&office.city, Chip::Ev2);
    let seen = |office: &mut Office, uid: Vec<u8>, version_on_card| {
        let look = RekeyLook { uid, version_on_card };
        office.ask(|desk| desk.rekey_look(&look))
    };
    let uid = reader.uid();
    assert_eq!(seen(&mut office, uid.clone(), 1), Ok(RekeyState::Current));
    assert_eq!(seen(&mut office, uid.clone(), 0), Ok(RekeyState::Wanted { version: 1 }));
    assert_eq!(office.anomalies(), ["read-key"]);
    assert_eq!(seen(&mut office, uid, 9), Err(ProblemCode::NotFound), "never a version of ours");
    sealed(&mut office, &mut reader, Scheme::Ev2First);
}

#[test]
fn no_card_moves_while_a_terminal_could_not_read_it_afterwards() {
    let city = renewed(78);
    city.enrol_another(TerminalId(4), "http://127.0.0.1:1", Timestamp(DRAWN.0 - 1));
    let mut office = Office::of(city);
    let mut reader = reader(&office.city, Chip::Ev2);
    assert_eq!(state(&mut office, &mut reader), RekeyState::Current);
    let ask = begin(&mut reader, Scheme::Ev2First);
    assert_eq!(office.ask(|desk| desk.rekey_begin(&ask)).err(), Some(ProblemCode::Conflict));
    let bundle = office.city.enrol_another(TerminalId(4), "http://127.0.0.1:1", NOW);
    assert_eq!(bundle.read_base_keys.len(), 2, "the newer one first, the older one still there");
    assert_eq!(state(&mut office, &mut reader), RekeyState::Wanted { version: 1 });
}

#[test]
fn a_ticket_of_a_change_serves_its_own_terminal_only() {
    let mut office = Office::of(renewed(79));
    let mut reader = reader(&office.city, Chip::Ev2);
    let change = sealed(&mut office, &mut reader, Scheme::Ev2First);
    let (_, reply) = reader.send(0xC4, &change.message).unwrap();
    let confirm = RekeyConfirm { ticket: change.ticket, reply };
    let other = office.by(TerminalId(4), |desk| desk.rekey_confirm(&confirm)).err();
    assert_eq!(other, Some(ProblemCode::TicketInvalid));
    assert_eq!(office.by(TERMINAL, |desk| desk.rekey_confirm(&confirm)).err(), other);
    assert_eq!(office.anomalies(), ["ticket"], "somebody else had it");
}

#[test]
fn the_program_draws_the_next_read_key_and_keeps_the_older_ones() {
    let city = City::seeded(80, 20, 0);
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_citizen-central"))
        .args(["renew-read-key", "--data"])
        .arg(city.data.feed().with_file_name(""))
        .output()
        .unwrap();
    assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
    let keys = city.keys();
    let versions: Vec<u8> = keys.cards.read.iter().map(|read| read.version).collect();
    assert_eq!(versions, [1, 0]);
    assert_eq!(keys.newest_read().unwrap().version, 1);
    assert!(keys.cards.read[0].drawn > keys.cards.read[1].drawn);
}
