//! Changing a card's read key: central holds every key, the tool only carries what they say to each other.

use crate::central::Central;
use crate::desk::{Office, Row, Shared, blank, identity};
use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, When};
use domain::Uid;
use keys::issuer::IssuerKeys;
use keys::{
    AesKey, Channel, CommMode, Handshake, IssuerBaseKeys, KeyChange, KeyRole, Scheme, SoftIssuer, VersionedKey,
};
use protocol::ProblemCode;
use protocol::card_keys::{
    Cryptogram, FinishAuthentication, RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState, Rekeyed, WireScheme,
};
use protocol::http::{REKEY_BEGIN_PATH, REKEY_CHANGE_PATH, REKEY_CONFIRM_PATH, REKEY_LOOK_PATH};

const ANA: u64 = 6_001_234_567;
const AID: [u8; 3] = [0xF5, 0x1C, 0x01];
const TICKET: [u8; 16] = [0x71; 16];

/// The keys of the office's file, and a second read key.
fn issuer() -> SoftIssuer {
    let key = |byte, version| VersionedKey { key: AesKey::new([byte; 16]), version };
    let base = IssuerBaseKeys {
        picc: vec![key(0x66, 0)],
        master: vec![key(0x11, 0)],
        read: vec![key(0xAA, 2), key(0x22, 1)],
        debit: vec![key(0x33, 0)],
        credit: vec![key(0x44, 0)],
        uid: vec![key(0x55, 0)],
        transaction_mac: key(0x77, 0),
    };
    SoftIssuer::new(base, "bahia", card_office::key_file::entropy())
}

/// The old read key of a card.
fn old_read(uid: &Uid) -> AesKey {
    let input = keys::DiversificationInput::new(uid, AID, 1, "bahia").unwrap();
    keys::diversify(&AesKey::new([0x22; 16]), &input)
}

/// Central's side of one change.
#[derive(Default)]
pub(crate) struct Rekeying {
    uid: Option<Uid>,
    handshake: Option<Handshake>,
    channel: Option<Channel>,
    confirmed: u32,
    /// Central says no to every question, like this.
    pub(crate) refuses: Option<ProblemCode>,
}

impl Rekeying {
    pub(crate) fn answer(&mut self, path: &str, body: &[u8]) -> Result<Vec<u8>, ProblemCode> {
        if let Some(code) = self.refuses {
            return Err(code);
        }
        let answer = match path {
            REKEY_LOOK_PATH => match RekeyLook::decode(body).unwrap().version_on_card {
                2 => RekeyState::Current.encode(),
                _ => RekeyState::Wanted { version: 2 }.encode(),
            },
            REKEY_BEGIN_PATH => self.begin(&RekeyBegin::decode(body).unwrap()).encode(),
            REKEY_CHANGE_PATH => self.change(&FinishAuthentication::decode(body).unwrap())?.encode(),
            REKEY_CONFIRM_PATH => self.confirm(&RekeyConfirm::decode(body).unwrap())?.encode(),
            _ => return Err(ProblemCode::NotFound),
        };
        Ok(answer.unwrap().to_vec())
    }

    fn begin(&mut self, begin: &RekeyBegin) -> Cryptogram {
        let uid = Uid::new(&begin.uid).unwrap();
        let (key, _) = issuer().personal(KeyRole::Master, &uid, AID, 0).unwrap();
        let scheme = if begin.scheme == WireScheme::Aa { Scheme::Aa } else { Scheme::Ev2First };
        let (handshake, cryptogram) = Handshake::answer(scheme, key, [0x5A; 16], &begin.challenge);
        (self.uid, self.handshake) = (Some(uid), Some(handshake));
        Cryptogram { ticket: TICKET, cryptogram }
    }

    fn change(&mut self, answer: &FinishAuthentication) -> Result<RekeyChange, ProblemCode> {
        assert_eq!(answer.ticket, TICKET);
        let session = self.handshake.take().unwrap().finish(&answer.answer);
        let mut channel = Channel::new(session.map_err(|_| ProblemCode::CardRefused)?).unwrap();
        let uid = self.uid.clone().unwrap();
        let (new, version) = issuer().personal(KeyRole::Read, &uid, AID, 1).unwrap();
        let message = channel.seal_change_key(1, &KeyChange { new, version, old: Some(old_read(&uid)) }).unwrap();
        self.channel = Some(channel);
        Ok(RekeyChange { ticket: TICKET, message })
    }

    fn confirm(&mut self, confirm: &RekeyConfirm) -> Result<Rekeyed, ProblemCode> {
        let opened = self.channel.take().unwrap().open(CommMode::Mac, &confirm.reply, Some(0));
        opened.map_err(|_| ProblemCode::CardRefused)?;
        self.confirmed += 1;
        Ok(Rekeyed { version: 2 })
    }
}

fn rekey(office: &Office, central: &Central, card: &Shared) -> crate::desk::Said {
    let line = format!("--city @city.toml --keys @technician.json rekey --central {} --token @token", central.url());
    office.run(&mut Row::with(card), &line)
}

fn made(office: &Office, chip: Chip, more: &str) -> Shared {
    let card = blank(chip, 1);
    office.one(&mut Row::with(&card), ANA, 1, more).well();
    card
}

/// Who has only the old read key cannot read the card any more; who has the new one can.
fn check_is_rekeyed(office: &Office, card: &Shared) {
    let inspect = |keys: &str| {
        let line = format!("--city @city.toml --keys @{keys} inspect");
        office.run(&mut Row::with(card), &line)
    };
    assert_eq!(inspect("technician.json").code(), "C-12");
    let new = serde_json::json!({
        "system_id": "bahia", "uid": "5".repeat(32),
        "read": [{"version": 2, "key": "a".repeat(32)}, {"version": 1, "key": "2".repeat(32)}],
    });
    office.write("new.json", &new.to_string());
    assert!(inspect("new.json").well().contains("…4567"));
}

#[test]
fn a_card_gets_the_newest_read_key_and_then_has_it() {
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let (office, central) = (Office::new(), Central::start());
        let card = made(&office, chip, "");
        assert_eq!(rekey(&office, &central, &card).well(), "read key: version 2\n");
        assert_eq!(rekey(&office, &central, &card).well(), "read key: version 2, nothing to change\n");
        check_is_rekeyed(&office, &card);
    }
}

#[test]
fn a_card_that_hides_its_uid_is_found_by_the_key_for_it() {
    let (office, central) = (Office::new(), Central::start());
    let card = made(&office, Chip::Ev2, "--random-uid");
    let without = format!("--city @city.toml rekey --central {} --token @token", central.url());
    assert_eq!(office.run(&mut Row::with(&card), &without).code(), "O-04");
    assert_eq!(rekey(&office, &central, &card).well(), "read key: version 2\n");
}

#[test]
fn a_card_lifted_at_any_exchange_has_the_old_key_or_the_new_one_and_the_next_run_goes_on() {
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        let mut torn = 0;
        for exchange in 1..30 {
            let (office, central) = (Office::new(), Central::start());
            let card = made(&office, Chip::Ev2, "");
            card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
            let said = rekey(&office, &central, &card);
            card.borrow_mut().set_faults(FaultPlan::none());
            if said.ended.is_ok() {
                break;
            }
            assert_eq!(said.code(), "C-03", "{exchange}");
            torn += 1;
            rekey(&office, &central, &card).well();
            check_is_rekeyed(&office, &card);
            assert_eq!(identity(&card), Some((ANA, 1)));
        }
        assert!((6..29).contains(&torn), "{torn} exchanges");
    }
}

#[test]
fn a_card_of_another_city_gets_no_key() {
    let (office, central) = (Office::new(), Central::start());
    let keys = std::fs::read_to_string(office.path("keys.json")).unwrap();
    office.write("keys.json", &keys.replace(&"1".repeat(32), &"9".repeat(32)));
    let card = made(&office, Chip::Ev2, "");
    let said = rekey(&office, &central, &card);
    assert_eq!(said.code(), "C-12", "the card does not accept this master key");
}

#[test]
fn what_central_says_no_to_has_words_and_a_next_step_of_its_own() {
    let check = |refuses: ProblemCode, code: &str, words: &str, step: &str| {
        let (office, central) = (Office::new(), Central::start());
        let card = made(&office, Chip::Ev2, "");
        central.refuses_to_rekey(refuses);
        let said = rekey(&office, &central, &card);
        let error = said.ended.unwrap_err();
        assert_eq!((error.code(), error.exit() as u8), (code, 4), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.next_step().contains(step), "{}", error.next_step());
    };
    check(ProblemCode::CardRefused, "O-07", "does not know this card as an active one", "register the card first");
    check(ProblemCode::Unauthorised, "O-08", "does not take this token", "enrolment bundle");
    check(ProblemCode::KeyRejected, "C-12", "does not know the city's master key", "another city's card");
    check(ProblemCode::LimitReached, "O-08", "used up", "tomorrow");
    check(ProblemCode::Unavailable, "N-01", "central", "later");
}
