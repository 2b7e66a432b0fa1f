//! Conversations with real cards: those of EV1 from Elmü's "DESFire EV1 Communication Examples" (project RFDoorLock;
//! the first two also in pydesfire's tests), the EV2's from a public replay script, which leaves the reader's
//! cryptogram to whoever runs it. No published conversation was found that has the step from the factory's key to AES
//! on the chip's level: its two cryptograms were made with OpenSSL (`des-ede-cbc`) and zlib's CRC-32, which gave the
//! published ones too.

use super::*;
use crate::aes_key::AesKey;
use crate::hex::{array, bytes};

const ZERO: &str = "00000000000000000000000000000000";
const TWO_KEYS: &str = "00102031405060708090A0B0B0A09080";

fn change() -> KeyChange {
    KeyChange { new: AesKey::new(array("00102030405060708090A0B0B0A09080")), version: 0x10, old: None }
}

/// One authentication: key, challenge, RndA, the reader's cryptogram, the card's answer, the session's key.
const CONVERSATIONS: [[&str; 6]; 3] = [
    [
        ZERO,
        "5D994CE085F24089",
        "849B36C5F8BF4A09",
        "21D0AD5F2FD97454A746CC80567F1B1C",
        "913C6DED84221C41",
        "849A36C44ED0B658 849A36C44ED0B658",
    ],
    [
        TWO_KEYS,
        "B295579926155AE3",
        "530E3D90F7A201C4",
        "70F349740C945DAE159BA9FEDBCC461A",
        "B8FD7FE56B241FC4",
        "520E3C90BCD82896 F6A200C446322CAE",
    ],
    [
        ZERO,
        "B890047F2DC8D68B",
        "9231348B6635A8AF",
        "7C846A507B9B6E6864BC3372A306A8C1",
        "B796DD3F811545F3",
        "9230348A74B8425E 9230348A74B8425E",
    ],
];

fn handshake([key, challenge, rnd_a, cryptogram, ..]: [&str; 6]) -> FactoryHandshake {
    let (handshake, sent) = FactoryHandshake::answer_under(array(key), array(rnd_a), &array(challenge));
    assert_eq!(sent, array(cryptogram), "{rnd_a}");
    handshake
}

/// The lowest bit of a DES key byte is no key bit; the published session keys have it cleared.
fn without_parity(key: &[u8]) -> Vec<u8> {
    key.iter().map(|byte| byte & 0xFE).collect()
}

#[test]
fn published_authentications_with_real_ev1_and_ev2_cards() {
    for conversation in CONVERSATIONS {
        let handshake = handshake(conversation);
        assert_eq!(without_parity(handshake.session_key().as_slice()), bytes(conversation[5]));
        assert!(handshake.seal_change_key(&bytes(conversation[4]), &change()).is_ok());
    }
}

#[test]
fn only_the_factorys_key_is_answered_with() {
    let [_, challenge, rnd_a, cryptogram, ..] = CONVERSATIONS[0];
    assert_eq!(FactoryHandshake::answer(array(rnd_a), &array(challenge)).1, array(cryptogram));
}

fn check_body(session: &str, plain: &str, sent: &str) {
    let mut body = bytes(plain);
    let last = Cipher::new(&array(session)).cbc_encrypt(&[0; FACTORY_BLOCK], &mut body);
    assert_eq!(body, bytes(sent));
    assert_eq!(last, body[16..]);
}

#[test]
fn published_change_key_messages_under_des_and_2k3des_session_keys() {
    check_body(
        "C86CE25E4C647E56C86CE25E4C647E56",
        "00102031405060708090A0B0B0A09080 C5FF0150 00000000",
        "BEDE0FC6ED347DCF0D51C717DF75D97D2C5A2BA6CAC7479D",
    );
    check_body(
        "520E3C90BCD82896F6A200C446322CAE",
        "10182029303840485058606870788088 C9720E63 00000000",
        "94E4F709DC2A2B07552610A1966E5C49EC90F616EDECA55B",
    );
    assert_eq!(crc32(&[&bytes("C400 00102031405060708090A0B0B0A09080")]), array("C5FF0150"));
}

#[test]
fn the_change_to_aes_is_sealed_as_openssl_seals_it() {
    assert_eq!(*plain(&change()), bytes("00102030405060708090A0B0B0A09080 10 53208DC5 000000"));
    let check = |conversation: [&str; 6], expected: &str| {
        let sealed = handshake(conversation).seal_change_key(&bytes(conversation[4]), &change()).unwrap();
        assert_eq!(sealed, bytes(expected));
    };
    check(CONVERSATIONS[0], "80 2A2B8110A53F2E99C6C47717846349265311C582D7116D04");
    check(CONVERSATIONS[1], "80 C8AA3F2CE38C211CE79EAABBA163B40A969216175DEAD2AA");
}

#[test]
fn whatever_old_key_is_named_the_message_is_the_same() {
    let conversation = CONVERSATIONS[0];
    let seal = |change: &KeyChange| handshake(conversation).seal_change_key(&bytes(conversation[4]), change);
    let named = KeyChange { old: Some(AesKey::new([0x77; 16])), ..change() };
    assert_eq!(seal(&named), seal(&change()));
}

#[test]
fn a_card_that_does_not_know_the_key_gets_no_message() {
    let conversation = CONVERSATIONS[0];
    let answer = bytes(conversation[4]);
    let refused = |answer: &[u8]| {
        assert_eq!(handshake(conversation).seal_change_key(answer, &change()), Err(KeyError::Rejected));
    };
    for bit in 0..8 * answer.len() {
        let mut wrong = answer.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        refused(&wrong);
    }
    refused(&answer[..7]);
    refused(&[]);
    refused(&[answer.as_slice(), &[0]].concat());
}

#[test]
fn nothing_of_it_is_shown() {
    assert_eq!(format!("{:?}", handshake(CONVERSATIONS[1])), "FactoryHandshake(redacted)");
}
