//! The published vectors of AN12343, seen from the card.

use super::*;
use crate::bytes::unhex;

fn block(text: &str) -> Block {
    unhex(text).try_into().unwrap()
}

fn session(encryption: &str, mac: &str, transaction: &str, counter: u16) -> Session {
    Session {
        key_number: 0,
        encryption: Key::new(block(encryption)),
        mac: Key::new(block(mac)),
        transaction: unhex(transaction).try_into().unwrap(),
        counter,
    }
}

const NO_KEY: &str = "00000000000000000000000000000000";

#[test]
fn the_first_authentication_matches_an12343_table_16() {
    let key = Key::new(ZERO);
    let (challenge, cryptogram) = Challenge::new(0, &key, block("FA659AD0DCA738DD65DC7DC38612AD81"), Some([0; 6]));
    assert_eq!(cryptogram, unhex("24677DDBD46349E623798FD729006E79"));
    let answer = unhex("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD");
    let (session, reply) = challenge.answer(&answer, unhex("8CF141F3").try_into().unwrap(), None).unwrap();
    assert_eq!(reply, unhex("04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759"));
    assert_eq!(session.encryption.bytes(), &block("63DC07286289A7A6C0334CA31C314A04"));
    assert_eq!(session.mac.bytes(), &block("774F26743ECE6AF5033B6AE8522946F6"));
}

#[test]
fn an_answer_with_one_wrong_bit_is_refused() {
    let (challenge, _) = Challenge::new(0, &Key::new(ZERO), block("FA659AD0DCA738DD65DC7DC38612AD81"), Some([0; 6]));
    let mut answer = unhex("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD");
    answer[31] ^= 1;
    assert_eq!(challenge.answer(&answer, [0; 4], None).err(), Some(Status::Authentication));
}

#[test]
fn a_further_authentication_keeps_identifier_and_counter() {
    let key = Key::new([9; 16]);
    let before = session(NO_KEY, NO_KEY, "E2D3AF69", 7);
    let (challenge, _) = Challenge::new(3, &key, [1; 16], None);
    let answer = cbc_encrypt(&key, &ZERO, &[[2; 16], [1; 16]].concat());
    let (after, reply) = challenge.answer(&answer, [0; 4], Some(&before)).unwrap();
    assert_eq!((after.key_number, after.transaction, after.counter), (3, before.transaction, 7));
    assert_eq!(reply, cbc_encrypt(&key, &ZERO, &[2; 16]));
}

#[test]
fn the_mac_mode_matches_an12343_tables_23_and_24() {
    let mut session = session(NO_KEY, "9366FA195EB566F5BD2BAD4020B83002", "E2D3AF69", 0);
    let written = [unhex("00000000190000"), vec![0x22; 25]].concat();
    let command = [written.clone(), unhex("68F2C28C575A1628")].concat();
    assert_eq!(session.open(CommMode::Mac, 0x8D, &command, 7), Ok(written));
    assert_eq!(session.seal(CommMode::Mac, &[]), unhex("0820F68898C2A7F1"));
    let read = unhex("000000003000000D9BE191D5960834");
    assert_eq!(session.open(CommMode::Mac, 0xAD, &read, 7), Ok(unhex("00000000300000")));
    let data = [vec![0x22; 25], vec![0; 23]].concat();
    assert_eq!(session.seal(CommMode::Mac, &data), [data, unhex("A49A44222D926666")].concat());
}

#[test]
fn the_full_mode_matches_an12343_tables_25_and_26() {
    let mut session = session("FFBCFE1F41840A09C9A88D0A4B10DF05", "37E7234B11BEBEFDE41A8F290090EF80", "CD73D8E5", 0);
    assert_eq!(session.iv([0xA5, 0x5A], 0), block("871747AF36D72164A418BBFECCECD911"));
    let command =
        unhex("00000000190000 D7446FBC912580C0A65E738D28B609E43ADBB8FB2B4CA68744D1BBEBB37EBD32 700ADF7BB9F62A6C");
    let written = [unhex("00000000190000"), vec![0x22; 25]].concat();
    assert_eq!(session.open(CommMode::Full, 0x8D, &command, 7), Ok(written));
    assert_eq!(session.seal(CommMode::Full, &[]), unhex("B9A534A7A73EE0DD"));
    let read = unhex("00000000300000 7CF94F122B3DB05F");
    assert_eq!(session.open(CommMode::Full, 0xAD, &read, 7), Ok(unhex("00000000300000")));
    let data = [vec![0x22; 25], vec![0; 23]].concat();
    assert_eq!(
        session.seal(CommMode::Full, &data),
        unhex(
            "8848D0F9B9FD4495770C89925B2A85C7274D350FA9029C484D43804886662DC42D7F40A6D7A415E4A71EFF79EB8E5721AC3BF1CAAFE8EB2CAA2DC162E67A97A38ED7888F22B3A587"
        )
    );
}

#[test]
fn get_card_uid_matches_an12343_pages_15_to_17() {
    let mut session = session("C1D7BD9F60034D8432F9AF3403D573D0", "FD9E26C9766F07C1D07106C0F8F3671F", "569D4B24", 0);
    assert_eq!(session.open(CommMode::Full, 0x51, &unhex("5CA9EF7C912A391B"), 0), Ok(Vec::new()));
    assert_eq!(
        session.seal(CommMode::Full, &unhex("04DE5F1EACC040")),
        unhex("CDFFBF6D34231DA2789DA9D3AB15D560 CE75E39EDBE94C2F")
    );
}

#[test]
fn get_card_uid_matches_an12196_table_28() {
    let mut session = session("2B4D963C014DC36F24F69A50A394F875", "379D32130CE61705DD5FD8C36B95D764", "DF055522", 0);
    assert_eq!(session.open(CommMode::Full, 0x51, &unhex("8E2C155ADDA99BE3"), 0), Ok(Vec::new()));
    assert_eq!(
        session.seal(CommMode::Full, &unhex("04958CAA5C5E80")),
        unhex("70756055688505B52A5E26E59E329CD6 595F672298EA41B7")
    );
}

#[test]
fn an_enciphered_command_with_header_matches_an12343_pages_83_and_84() {
    let mut session = session("CFD5F757E422144FE831842694AF69AF", "390F25170E00278C62B718F3025FCA59", "B350F7C9", 1);
    assert_eq!(session.iv([0xA5, 0x5A], 1), block("303DC814A2C7366D298C50DC8F90BB36"));
    let command = unhex("0F00101F02 E64CF1262C6B798B95C950FD7353EA8764B1F4F4C69C4068F513715C486E18B3 B3BE705D3E1FB8DC");
    let clear = unhex("0F00101F02 F7D23E0C44AFADE542BFDF2DC5C6AE02 00");
    assert_eq!(session.open(CommMode::Full, 0xCE, &command, 5), Ok(clear));
}

#[test]
fn an_enciphered_command_matches_an12343_table_40() {
    let mut session = session("E156C8522F7C8DC82B0C99BA847DE723", "45D50C1570000D2F173DF949288E3CAD", "94297F4D", 0);
    assert_eq!(session.iv([0xA5, 0x5A], 0), block("BF4A2FB89311ED58E9DCBE56FC17794C"));
    let command = unhex("00 BF5400DC97A1FBD65BE870716D6F11F8161BB4CA472856DB94AB94B2EC1A13E6 27CE07CF56C11091");
    assert_eq!(session.open(CommMode::Full, 0xC4, &command, 1), Ok(unhex("00 01234567890123456789012345678901 00")));
}

#[test]
fn a_changed_or_repeated_command_fails_the_integrity_check() {
    let mut session = session(NO_KEY, "9366FA195EB566F5BD2BAD4020B83002", "E2D3AF69", 0);
    let command = [unhex("00000000190000"), vec![0x22; 25], unhex("68F2C28C575A1628")].concat();
    for bit in [0, 8, 200, 263] {
        let mut bent = command.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        session.counter = 0;
        assert_eq!(session.open(CommMode::Mac, 0x8D, &bent, 7), Err(Status::Integrity), "bit {bit}");
    }
    session.counter = 0;
    assert!(session.open(CommMode::Mac, 0x8D, &command, 7).is_ok());
    assert_eq!(session.open(CommMode::Mac, 0x8D, &command, 7), Err(Status::Integrity), "the counter has moved on");
}

#[test]
fn the_counter_advances_in_plain_communication() {
    let mut session = session(NO_KEY, NO_KEY, "00000000", 4);
    assert_eq!(session.open(CommMode::Plain, 0xBD, &[1, 2], 7), Ok(vec![1, 2]));
    assert_eq!(session.counter, 5);
    assert_eq!(session.seal(CommMode::Plain, &[3]), vec![3]);
}
