//! Published authentications, and what a handshake must refuse.

mod aa;
mod non_first;

use super::*;
use crate::hex::array;

const RND_A: &str = "B04D0787C93EE0CC8CACC8E86F16C6FE";
const CHALLENGE: &str = "24677DDBD46349E623798FD729006E79";
const CARD_ANSWER: &str = "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759";

fn handshake() -> (Handshake, [u8; 32]) {
    Handshake::answer(Scheme::Ev2First, AesKey::new([0; 16]), array(RND_A), &array(CHALLENGE))
}

#[test]
fn an12343_table_16_authenticate_ev2_first() {
    let (handshake, cryptogram) = handshake();
    assert_eq!(*handshake.rnd_b, array("FA659AD0DCA738DD65DC7DC38612AD81"));
    assert_eq!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
    let Ok(Session::Ev2(session)) = handshake.finish(&array::<32>(CARD_ANSWER)) else { panic!("no EV2 session") };
    assert_eq!(session.transaction_id, array("8CF141F3"));
    assert_eq!(session.enc.expose(), &array::<16>("63DC07286289A7A6C0334CA31C314A04"));
    assert_eq!(session.mac.expose(), &array::<16>("774F26743ECE6AF5033B6AE8522946F6"));
}

#[test]
fn a_card_that_does_not_return_rnd_a_is_rejected() {
    let (handshake, _) = handshake();
    for byte in 0..20 {
        let mut answer: [u8; 32] = array(CARD_ANSWER);
        answer[byte] ^= 1;
        let refused = handshake.finish(&answer);
        // The first four plain bytes are the card's free choice (TI); garbling their block garbles RndA as well.
        assert!(matches!(refused, Err(KeyError::Rejected)), "byte {byte}");
    }
}

#[test]
fn another_key_neither_answers_the_challenge_nor_accepts_the_card() {
    let key = AesKey::new([1; 16]);
    let (handshake, cryptogram) = Handshake::answer(Scheme::Ev2First, key, array(RND_A), &array(CHALLENGE));
    assert_ne!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
    assert!(matches!(handshake.finish(&array::<32>(CARD_ANSWER)), Err(KeyError::Rejected)));
}
