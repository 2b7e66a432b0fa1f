//! A line whose other end holds the key, and what goes over it.

use super::*;
use crate::aes_key::AesKey;
use crate::handshake::Handshake;
use crate::soft::OneKey;
use std::collections::HashMap;

const KEY: [u8; 16] = [0x42; 16];
const RND_A: [u8; 16] = [0x0A; 16];
const CHALLENGE: [u8; 16] = [0x77; 16];

/// The holder at the other end: draws RndA, keeps the handshake under a ticket, spends it once.
#[derive(Default)]
struct Holder {
    asked: Vec<RemoteAuthentication>,
    open: HashMap<[u8; 16], Handshake>,
    /// Answers with the session of this scheme instead.
    forged: Option<Scheme>,
    down: bool,
}

fn unreachable() -> KeyError {
    KeyError::HolderUnavailable("no network".to_owned())
}

impl KeyLine for Holder {
    fn begin(&mut self, ask: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError> {
        if self.down {
            return Err(unreachable());
        }
        self.asked.push(ask.clone());
        let (handshake, cryptogram) = Handshake::answer(ask.scheme, AesKey::new(KEY), RND_A, &ask.challenge);
        let ticket = [u8::try_from(self.asked.len()).unwrap(); 16];
        self.open.insert(ticket, handshake);
        Ok(RemoteCryptogram { ticket, cryptogram })
    }

    fn finish(&mut self, ticket: &[u8; 16], answer: &[u8]) -> Result<Session, KeyError> {
        let handshake = self.open.remove(ticket).ok_or_else(unreachable)?;
        match self.forged {
            Some(Scheme::Aa) => Ok(Session::Ev1(AesKey::new(KEY))),
            Some(_) => Ok(Session::Ev2Renewed { enc: AesKey::new(KEY), mac: AesKey::new(KEY) }),
            None => handshake.finish(answer),
        }
    }
}

fn on_card() -> KeyOnCard {
    let uid = Some(Uid::new(&[4; 7]).unwrap());
    KeyOnCard { role: KeyRole::Credit, aid: [0xF5, 0x1C, 0x01], number: 3, uid }
}

/// What a card with this key answers.
fn card_answer(scheme: Scheme, cryptogram: &[u8; 32]) -> Vec<u8> {
    let key = AesKey::new(KEY);
    let (iv, start) = match scheme {
        Scheme::Aa => (*cryptogram.last_chunk().unwrap(), CHALLENGE),
        Scheme::Ev2First | Scheme::Ev2NonFirst => ([0; 16], [0; 16]),
    };
    let mut opened = *cryptogram;
    key.cbc_decrypt(&start, &mut opened);
    let mut rnd_a: [u8; 16] = *opened.first_chunk().unwrap();
    rnd_a.rotate_left(1);
    let mut answer = match scheme {
        Scheme::Ev2First => [&[1, 2, 3, 4][..], &rnd_a, &[0; 12]].concat(),
        Scheme::Aa | Scheme::Ev2NonFirst => rnd_a.to_vec(),
    };
    key.cbc_encrypt(&iv, &mut answer);
    answer
}

fn authenticated(keys: &mut dyn CardKeys, scheme: Scheme) -> Result<Session, KeyError> {
    let mut authentication = keys.authentication(&on_card(), 0, scheme)?;
    let cryptogram = authentication.start(&CHALLENGE)?;
    authentication.finish(&card_answer(scheme, &cryptogram))
}

/// The session's keys, one after another.
fn bytes_of(session: &Session) -> Vec<u8> {
    match session {
        Session::Ev1(key) => key.expose().to_vec(),
        Session::Ev2(keys) => [&keys.enc.expose()[..], keys.mac.expose(), &keys.transaction_id].concat(),
        Session::Ev2Renewed { enc, mac } => [&enc.expose()[..], mac.expose()].concat(),
    }
}

fn check_same_session(scheme: Scheme) {
    let fixed = |buffer: &mut [u8]| {
        buffer.copy_from_slice(&RND_A);
        Ok(())
    };
    let mut here = OneKey::new(KeyRole::Credit, AesKey::new(KEY), Box::new(fixed));
    let mut there = RemoteKeys::new(KeyRole::Credit, Holder::default());
    let expected = authenticated(&mut here, scheme).unwrap();
    let session = authenticated(&mut there, scheme).unwrap();
    assert!(session.is_of(scheme));
    assert_eq!(bytes_of(&session), bytes_of(&expected), "{scheme:?}");
}

#[test]
fn a_key_held_elsewhere_opens_the_same_session_as_one_held_here() {
    check_same_session(Scheme::Aa);
    check_same_session(Scheme::Ev2First);
    check_same_session(Scheme::Ev2NonFirst);
}

#[test]
fn the_holder_is_told_which_key_of_which_card() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    keys.authentication(&on_card(), 0, Scheme::Aa).unwrap().start(&CHALLENGE).unwrap();
    let expected = RemoteAuthentication {
        role: KeyRole::Credit,
        scheme: Scheme::Aa,
        aid: [0xF5, 0x1C, 0x01],
        number: 3,
        version: 0,
        uid: Uid::new(&[4; 7]).unwrap(),
        challenge: CHALLENGE,
    };
    assert_eq!(keys.line.asked, [expected]);
}

#[test]
fn another_role_another_version_or_no_uid_never_goes_over_the_line() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    assert_eq!((keys.versions(KeyRole::Credit), keys.versions(KeyRole::Read)), (1, 0));
    let mut refused = |key: KeyOnCard, version| keys.authentication(&key, version, Scheme::Aa).map(|_| ()).unwrap_err();
    let read = KeyOnCard { role: KeyRole::Read, ..on_card() };
    assert_eq!(refused(read, 0), KeyError::NoKey(KeyRole::Read));
    assert_eq!(refused(on_card(), 1), KeyError::NoKey(KeyRole::Credit));
    assert_eq!(refused(KeyOnCard { uid: None, ..on_card() }, 0), KeyError::UidMissing);
    assert!(keys.line.asked.is_empty());
}

#[test]
fn a_card_without_the_key_is_rejected_by_the_holder_and_its_ticket_is_spent() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    let mut authentication = keys.authentication(&on_card(), 0, Scheme::Aa).unwrap();
    authentication.start(&CHALLENGE).unwrap();
    assert_eq!(authentication.finish(&[0; 16]).map(|_| ()), Err(KeyError::Rejected));
    assert!(keys.line.open.is_empty());
    assert_eq!(keys.line.finish(&[1; 16], &[0; 16]).map(|_| ()), Err(unreachable()));
}

#[test]
fn an_answer_of_the_wrong_length_is_not_relayed() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    let mut authentication = keys.authentication(&on_card(), 0, Scheme::Ev2First).unwrap();
    authentication.start(&CHALLENGE).unwrap();
    assert_eq!(authentication.finish(&[0; 16]).map(|_| ()), Err(KeyError::Rejected));
    assert_eq!(keys.line.open.len(), 1);
}

#[test]
fn one_authentication_answers_one_challenge() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    let mut authentication = keys.authentication(&on_card(), 0, Scheme::Aa).unwrap();
    authentication.start(&CHALLENGE).unwrap();
    assert_eq!(authentication.start(&CHALLENGE).map(|_| ()), Err(KeyError::AlreadyStarted));
    drop(authentication);
    let unasked = keys.authentication(&on_card(), 0, Scheme::Aa).unwrap();
    assert_eq!(unasked.finish(&[0; 16]).map(|_| ()), Err(KeyError::NotStarted));
}

#[test]
fn a_session_of_another_scheme_is_not_taken() {
    for (asked, given) in [(Scheme::Ev2First, Scheme::Aa), (Scheme::Aa, Scheme::Ev2NonFirst)] {
        let holder = Holder { forged: Some(given), ..Holder::default() };
        let refused = authenticated(&mut RemoteKeys::new(KeyRole::Credit, holder), asked);
        assert!(matches!(refused, Err(KeyError::HolderUnavailable(_))), "{asked:?} {given:?}");
    }
}

#[test]
fn a_line_that_is_down_is_told_apart_from_a_card_that_fails() {
    let holder = Holder { down: true, ..Holder::default() };
    let boxed: Box<dyn KeyLine> = Box::new(holder);
    let refused = authenticated(&mut RemoteKeys::new(KeyRole::Credit, boxed), Scheme::Aa).map(|_| ());
    assert_eq!(refused, Err(unreachable()));
}

#[test]
fn nothing_of_the_card_is_shown() {
    let mut keys = RemoteKeys::new(KeyRole::Credit, Holder::default());
    let ask = RemoteAuthentication {
        role: KeyRole::Credit,
        scheme: Scheme::Aa,
        aid: [0; 3],
        number: 3,
        version: 0,
        uid: Uid::new(&[0xEE; 7]).unwrap(),
        challenge: [0xDD; 16],
    };
    let answer = keys.line.begin(&ask).unwrap();
    let shown = format!("{keys:?} {ask:?} {answer:?}");
    assert!(
        !shown.contains("238") && !shown.contains("221") && shown.contains("RemoteCryptogram(redacted)"),
        "{shown}"
    );
}
