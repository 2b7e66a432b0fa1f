//! The card's side against conversations of real ones: "DESFire EV1 Communication Examples" (project RFDoorLock), and
//! one with an EV2 out of a public replay script. The step to AES on the chip's level is in none of them: its message
//! was made with OpenSSL (`des-ede-cbc`) and zlib's CRC-32, which gave the published ones too.

use super::*;
use crate::bytes::unhex;
use crate::memory::CommMode;

const ZEROS: &str = "00000000000000000000000000000000";
const TWO_KEYS: &str = "00102031405060708090A0B0B0A09080";

fn block(text: &str) -> Block {
    unhex(text).try_into().unwrap()
}

fn key(text: &str) -> Key {
    Key::new(unhex(text).try_into().unwrap())
}

fn authenticated(under: &str, rnd_b: &str, sent: &str, cryptogram: &str, reply: &str) -> Session {
    let (challenge, first) = Challenge::new(&key(under), block(rnd_b));
    assert_eq!(first, unhex(sent));
    let (session, answer) = challenge.answer(&unhex(cryptogram)).unwrap();
    assert_eq!(answer, unhex(reply));
    session
}

fn under_des() -> Session {
    let cryptogram = "21D0AD5F2FD97454A746CC80567F1B1C";
    authenticated(ZEROS, "4FD1B75942A8B8E1", "5D994CE085F24089", cryptogram, "913C6DED84221C41")
}

fn under_two_keys() -> Session {
    let cryptogram = "70F349740C945DAE159BA9FEDBCC461A";
    authenticated(TWO_KEYS, "BCD8299747332DAF", "B295579926155AE3", cryptogram, "B8FD7FE56B241FC4")
}

/// Without the bits that are no key bits, which the published keys have cleared.
fn key_bits(session: &Session) -> Vec<u8> {
    session.key.bytes().iter().map(|byte| byte & 0xFE).collect()
}

#[test]
fn desfire_ev1_communication_examples_authentications() {
    assert_eq!(key_bits(&under_des()), unhex("849A36C44ED0B658849A36C44ED0B658"));
    assert_eq!(key_bits(&under_two_keys()), unhex("520E3C90BCD82896F6A200C446322CAE"));
}

#[test]
fn an_ev2_authentication_with_the_factorys_key() {
    let cryptogram = "7C846A507B9B6E6864BC3372A306A8C1";
    let session = authenticated(ZEROS, "74B8435FCBA0B675", "B890047F2DC8D68B", cryptogram, "B796DD3F811545F3");
    assert_eq!(key_bits(&session), unhex("9230348A74B8425E9230348A74B8425E"));
}

#[test]
fn an_answer_with_a_wrong_bit_in_the_challenge_is_refused() {
    let good = unhex("21D0AD5F2FD97454A746CC80567F1B1C");
    for bit in 0..64 {
        let (challenge, _) = Challenge::new(&key(ZEROS), block("4FD1B75942A8B8E1"));
        let mut bent = good.clone();
        bent[8 + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(challenge.answer(&bent).err(), Some(Status::Authentication), "{bit}");
    }
    for length in [0, 8, 15, 17, 24] {
        let (challenge, _) = Challenge::new(&key(ZEROS), block("4FD1B75942A8B8E1"));
        assert_eq!(challenge.answer(&vec![0; length]).err(), Some(Status::Length), "{length}");
    }
}

fn shape(data_len: usize) -> Shape {
    Shape { mode: CommMode::Full, header_len: 1, data_len, trailer_len: 0 }
}

#[test]
fn desfire_ev1_communication_examples_changes_of_a_key() {
    let check = |session: &str, body: &str, clear: &str| {
        let session = Session { key: key(session) };
        assert_eq!(session.open(0xC4, &shape(16), &unhex(body)), Ok(unhex(clear)));
    };
    check(
        "C86CE25E4C647E56C86CE25E4C647E56",
        "00 BEDE0FC6ED347DCF0D51C717DF75D97D2C5A2BA6CAC7479D",
        "00 00102031405060708090A0B0B0A09080",
    );
    check(
        "520E3C90BCD82896F6A200C446322CAE",
        "00 94E4F709DC2A2B07552610A1966E5C49EC90F616EDECA55B",
        "00 10182029303840485058606870788088",
    );
}

#[test]
fn the_change_to_aes_that_openssl_sealed_is_opened() {
    let clear = unhex("80 00102030405060708090A0B0B0A09080 10");
    let body = unhex("80 2A2B8110A53F2E99C6C47717846349265311C582D7116D04");
    assert_eq!((wire_len(&shape(17)), body.len()), (25, 25));
    assert_eq!(under_des().open(0xC4, &shape(17), &body), Ok(clear.clone()));
    let body = unhex("80 C8AA3F2CE38C211CE79EAABBA163B40A969216175DEAD2AA");
    assert_eq!(under_two_keys().open(0xC4, &shape(17), &body), Ok(clear));
}

#[test]
fn a_wrong_bit_anywhere_in_it_is_refused() {
    let good = unhex("80 2A2B8110A53F2E99C6C47717846349265311C582D7116D04");
    for bit in 0..8 * good.len() {
        let mut bent = good.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(under_des().open(0xC4, &shape(17), &bent), Err(Status::Integrity), "{bit}");
    }
}
