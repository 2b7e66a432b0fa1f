//! AuthenticateEV2NonFirst: the card's last answer is `E(rotl(RndA))` alone, under a zero initial vector.

use super::{CHALLENGE, RND_A};
use crate::aes_key::AesKey;
use crate::handshake::Handshake;
use crate::hex::array;
use crate::holder::{KeyError, Scheme, Session};

fn card_answer() -> [u8; 16] {
    let mut rnd_a: [u8; 16] = array(RND_A);
    rnd_a.rotate_left(1);
    AesKey::new([0; 16]).encrypt_block(&rnd_a)
}

fn begun() -> (Handshake, [u8; 32]) {
    Handshake::answer(Scheme::Ev2NonFirst, AesKey::new([0; 16]), array(RND_A), &array(CHALLENGE))
}

/// Cryptogram and session keys are made as in AuthenticateEV2First, so the values of AN12343 table 16 hold.
#[test]
fn the_renewed_keys_are_made_as_the_first_ones() {
    let (handshake, cryptogram) = begun();
    assert_eq!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
    let Ok(Session::Ev2Renewed { enc, mac }) = handshake.finish(&card_answer()) else { panic!("not renewed") };
    assert_eq!(enc.expose(), &array::<16>("63DC07286289A7A6C0334CA31C314A04"));
    assert_eq!(mac.expose(), &array::<16>("774F26743ECE6AF5033B6AE8522946F6"));
}

#[test]
fn a_card_that_does_not_return_rnd_a_is_rejected() {
    let (handshake, _) = begun();
    for bit in 0..128 {
        let mut garbled = card_answer();
        garbled[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(handshake.finish(&garbled), Err(KeyError::Rejected)), "bit {bit}");
    }
}

#[test]
fn the_answer_to_a_first_authentication_is_rejected() {
    let (handshake, _) = begun();
    assert!(matches!(handshake.finish(&array::<32>(super::CARD_ANSWER)), Err(KeyError::Rejected)));
}
