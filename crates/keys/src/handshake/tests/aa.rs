//! AuthenticateAES: conversations with real cards.

use crate::aes_key::AesKey;
use crate::handshake::Handshake;
use crate::hex::array;
use crate::holder::{KeyError, Scheme, Session};

/// What went over the air between a reader and a card, and what both made of it.
struct Conversation {
    key: &'static str,
    challenge: &'static str,
    rnd_a: &'static str,
    cryptogram: &'static str,
    answer: &'static str,
    session_key: &'static str,
}

impl Conversation {
    fn begun(&self) -> (Handshake, [u8; 32]) {
        Handshake::answer(Scheme::Aa, AesKey::new(array(self.key)), array(self.rnd_a), &array(self.challenge))
    }

    fn check(&self) {
        let (handshake, cryptogram) = self.begun();
        assert_eq!(cryptogram, array(self.cryptogram));
        let Ok(Session::Ev1(key)) = handshake.finish(&array::<16>(self.answer)) else { panic!("no EV1 session") };
        assert_eq!(key.expose(), &array::<16>(self.session_key));
    }
}

/// With the key of a new application; first published by Ridrix.
const FACTORY: Conversation = Conversation {
    key: "00000000000000000000000000000000",
    challenge: "B969FDFE56FD91FC9DE6F6F213B8FD1E",
    rnd_a: "F44B26F5686F3A391CD38EBD10772281",
    cryptogram: "36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774",
    answer: "800DB680BC146BD121D6578F2D2E2059",
    session_key: "F44B26F5C05DDD7110772281C4D066E8",
};

#[test]
fn elmue_ev1_authenticate_aes_with_the_factory_key() {
    FACTORY.check();
}

#[test]
fn elmue_ev1_authenticate_aes_with_key_0() {
    Conversation {
        key: "00102030405060708090A0B0B0A09080",
        challenge: "CCC8316C2B2613FE9A189BAC9CC89D03",
        rnd_a: "C2A1E47B96A5589FAAE90C03FE6D00A7",
        cryptogram: "C02E061E72E17726489CAEEC997C523758BF863EFE7671C55B4665D06ACCD97B",
        answer: "72ACCC0BDEA482B53185BB5AD0086246",
        session_key: "C2A1E47B27104712FE6D00A71177A19B",
    }
    .check();
}

#[test]
fn elmue_ev1_authenticate_aes_with_key_1() {
    Conversation {
        key: "10182028303840485058606870788088",
        challenge: "B351CB2465D4F33AC627FD6E87A168F2",
        rnd_a: "40E7D27174CBA675E8EFBAB99C530E3D",
        cryptogram: "044B6CAC343A0865895149649CA8DDE1F5AC4EC67BD208900AF02F049E05F0B0",
        answer: "A2EE144B1012FBEB7B2F11132D95A454",
        session_key: "40E7D271626FFBD49C530E3D304F5B17",
    }
    .check();
}

#[test]
fn jekkos_session_key_of_a_real_ev3() {
    let (key, rnd_b) = (AesKey::new([0; 16]), array("6BA42879EC047A88CF51956245DF31A6"));
    let challenge = key.encrypt_block(&rnd_b);
    let (handshake, _) = Handshake::answer(Scheme::Aa, key, array("74B25EECAC78DEDB353CECA7AD444C20"), &challenge);
    assert_eq!(handshake.ev1_key().expose(), &array::<16>("74B25EEC6BA42879AD444C2045DF31A6"));
}

#[test]
fn a_card_that_does_not_return_rnd_a_is_rejected() {
    let (handshake, _) = FACTORY.begun();
    let answer: [u8; 16] = array(FACTORY.answer);
    for bit in 0..128 {
        let mut garbled = answer;
        garbled[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(handshake.finish(&garbled), Err(KeyError::Rejected)), "bit {bit}");
    }
}

#[test]
fn an_answer_of_another_length_is_rejected() {
    let (handshake, cryptogram) = FACTORY.begun();
    let answer: [u8; 16] = array(FACTORY.answer);
    for length in 0..16 {
        assert!(matches!(handshake.finish(&answer[..length]), Err(KeyError::Rejected)), "{length} bytes");
    }
    assert!(matches!(handshake.finish(&cryptogram), Err(KeyError::Rejected)));
    for more in [1, 16, 17, 100] {
        let longer = [&answer[..], &vec![0; more]].concat();
        assert!(matches!(handshake.finish(&longer), Err(KeyError::Rejected)), "{more} bytes more");
    }
}

#[test]
fn a_card_that_echoes_the_readers_cryptogram_is_rejected() {
    let (handshake, cryptogram) = FACTORY.begun();
    for half in cryptogram.chunks(16) {
        assert!(matches!(handshake.finish(half), Err(KeyError::Rejected)));
    }
}
