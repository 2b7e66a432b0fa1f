//! The EV1 channel from the card's side, against the published sample and against messages made by hand.

use super::*;
use crate::bytes::unhex;
use crate::crypto::cmac;

fn block(text: &str) -> Block {
    unhex(text).try_into().unwrap()
}

fn session_of(key: &str) -> Session {
    Session { key_number: 0, key: Key::new(block(key)), iv: ZERO }
}

fn session() -> Session {
    session_of("74B25EEC6BA42879AD444C2045DF31A6")
}

fn shape(mode: CommMode, header_len: usize, data_len: usize) -> Shape {
    Shape { mode, header_len, data_len, trailer_len: 0 }
}

#[test]
fn the_session_key_matches_the_jekkos_sample() {
    let rnd_a = block("74B25EECAC78DEDB353CECA7AD444C20");
    let rnd_b = block("6BA42879EC047A88CF51956245DF31A6");
    assert_eq!(session_key(&rnd_a, &rnd_b).bytes(), &block("74B25EEC6BA42879AD444C2045DF31A6"));
}

#[test]
fn one_iv_runs_through_the_three_messages_of_the_authentication() {
    let (key, rnd_a, rnd_b) = (Key::new([3; 16]), [0xA1; 16], block("6BA42879EC047A88CF51956245DF31A6"));
    let (challenge, first) = Challenge::new(2, &key, rnd_b);
    assert_eq!(cbc_decrypt(&key, &ZERO, &first), rnd_b);
    let answer = cbc_encrypt(&key, &last_block(&first), &[rnd_a, rotated(&rnd_b)].concat());
    let (session, reply) = challenge.answer(&answer).unwrap();
    assert_eq!(cbc_decrypt(&key, &last_block(&answer), &reply), rotated(&rnd_a));
    assert_eq!((session.key_number, session.iv), (2, ZERO));
}

#[test]
fn an_answer_that_restarts_the_iv_or_has_a_wrong_bit_is_refused() {
    let (key, rnd_b) = (Key::new([3; 16]), [9; 16]);
    let plain = [[0xA1; 16], rotated(&rnd_b)].concat();
    let check = |change: &dyn Fn(Block) -> Vec<u8>, expected| {
        let (challenge, first) = Challenge::new(0, &key, rnd_b);
        assert_eq!(challenge.answer(&change(last_block(&first))).err(), expected);
    };
    check(&|iv| cbc_encrypt(&key, &iv, &plain), None);
    check(
        &|iv| {
            let mut bent = cbc_encrypt(&key, &iv, &plain);
            bent[31] ^= 1;
            bent
        },
        Some(Status::Authentication),
    );
    check(&|_| vec![0; 31], Some(Status::Length));
    let (challenge, first) = Challenge::new(0, &key, [0x55; 16]);
    let foreign = cbc_encrypt(&key, &last_block(&first), &plain);
    assert_eq!(challenge.answer(&foreign).err(), Some(Status::Authentication));
}

#[test]
fn a_plain_command_has_no_mac_and_its_reply_has_one_from_the_same_chain() {
    let mut card = session();
    let key = card.key.clone();
    assert_eq!(card.open(0x6C, &shape(CommMode::Plain, 1, 0), &[2]), Ok(vec![2]));
    let after_command = cmac(&key, &[0x6C, 2]);
    assert_eq!(card.iv, after_command);
    let reply = card.seal(CommMode::Plain, &[0xE2, 4, 0, 0]);
    let after_reply = cmac_from(&key, &after_command, &[0xE2, 4, 0, 0, 0x00]);
    assert_eq!(reply, [&[0xE2, 4, 0, 0], &after_reply[..8]].concat(), "the first eight bytes, over data and status");
    assert_eq!(card.iv, after_reply);
}

#[test]
fn only_commands_that_change_data_send_their_mac() {
    let mut card = session();
    let mode = shape(CommMode::Mac, 7, 4);
    assert_eq!(wire_len(0x3D, &mode), 11 + 8);
    assert_eq!(wire_len(0xBD, &shape(CommMode::Mac, 7, 0)), 7);
    assert_eq!(wire_len(0xC7, &shape(CommMode::Mac, 0, 0)), 0);
    assert_eq!(wire_len(0xCA, &shape(CommMode::Mac, 5, 0)), 5);
    let clear = [1, 0, 0, 0, 4, 0, 0, 9, 9, 9, 9];
    let mac = cmac(&card.key, &[&[0x3D], &clear[..]].concat());
    let sent = [&clear[..], &mac[..8]].concat();
    assert_eq!(card.open(0x3D, &mode, &sent), Ok(clear.to_vec()));
    assert_eq!(card.open(0x3D, &mode, &sent), Err(Status::Integrity), "the chain has moved on");
}

#[test]
fn an_enciphered_command_carries_its_crc_and_zeros() {
    let mut card = session();
    card.iv = [0x77; 16];
    let (iv, key) = (card.iv, card.key.clone());
    let crc = crc32(&[0x0C, 2, 0xD0, 7, 0, 0]);
    let sealed = cbc_encrypt(&key, &iv, &[&[0xD0, 7, 0, 0], &crc[..], &[0; 8]].concat());
    let mode = shape(CommMode::Full, 1, 4);
    assert_eq!(wire_len(0x0C, &mode), 17);
    assert_eq!(card.open(0x0C, &mode, &[&[2], sealed.as_slice()].concat()), Ok(vec![2, 0xD0, 7, 0, 0]));
    assert_eq!(card.iv, last_block(&sealed), "the next message starts where this one ended");
}

#[test]
fn an_enciphered_command_with_another_header_crc_or_padding_is_refused() {
    let key = session().key;
    let check = |header: u8, plain: [u8; 16]| {
        let sealed = cbc_encrypt(&key, &ZERO, &plain);
        let body = [&[header], sealed.as_slice()].concat();
        assert_eq!(session().open(0x0C, &shape(CommMode::Full, 1, 4), &body), Err(Status::Integrity));
    };
    let crc = crc32(&[0x0C, 2, 1, 0, 0, 0]);
    let mut plain = [0; 16];
    plain[0] = 1;
    plain[4..8].copy_from_slice(&crc);
    check(3, plain);
    for at in 0..16 {
        let mut bent = plain;
        bent[at] ^= 0x80;
        check(2, bent);
    }
}

#[test]
fn the_change_of_another_key_has_the_new_keys_crc_behind_the_commands() {
    let mut card = session();
    let key = card.key.clone();
    let (sent, new) = ([0x10; 16], unhex("01234567890123456789012345678901"));
    let data = [&sent[..], &[5]].concat();
    let crc = crc32(&[&[0xC4, 1], data.as_slice()].concat());
    let plain = [data.as_slice(), &crc, &crc32(&new), &[0; 7]].concat();
    let body = [&[1], cbc_encrypt(&key, &ZERO, &plain).as_slice()].concat();
    let mode = Shape { mode: CommMode::Full, header_len: 1, data_len: 21, trailer_len: 4 };
    assert_eq!(wire_len(0xC4, &mode), body.len());
    let clear = [&[1], data.as_slice(), &unhex("A0A60868")].concat();
    assert_eq!(card.open(0xC4, &mode, &body), Ok(clear), "AN12343 table 39 gives this key's CRC32");
}

#[test]
fn the_jekkos_change_key_message_is_opened() {
    let mut card = session();
    let plain = unhex("11111111111111111111111111111111 00 CB01B365 0000000000000000000000");
    let body = [&[0], cbc_encrypt(&card.key, &ZERO, &plain).as_slice()].concat();
    let clear = [&[0][..], &[0x11; 16], &[0]].concat();
    assert_eq!(card.open(0xC4, &shape(CommMode::Full, 1, 17), &body), Ok(clear));
}

#[test]
fn an_enciphered_reply_ends_with_the_crc_of_data_and_status() {
    let mut card = session();
    let sealed = card.seal(CommMode::Full, &[0xE2, 4, 0, 0]);
    let plain = cbc_decrypt(&card.key, &ZERO, &sealed);
    assert_eq!(plain[..4], [0xE2, 4, 0, 0]);
    assert_eq!(plain[4..8], crc32(&[0xE2, 4, 0, 0, 0]));
    assert_eq!(plain[8..], [0; 8]);
    assert_eq!(card.iv, last_block(&sealed));
    let done = card.seal(CommMode::Full, &[]);
    assert_eq!(done.len(), 8, "without data there is a MAC");
}

#[test]
fn a_crc_that_begins_with_zero_fits_one_byte_later_too() {
    let data = (0_u16..).map(u16::to_le_bytes).find(|data| crc32(&[data, &[0][..]].concat())[0] == 0).unwrap();
    let sealed = session().seal(CommMode::Full, &data);
    let plain = cbc_decrypt(&session().key, &ZERO, &sealed);
    assert_eq!(plain[2..6], crc32(&[&plain[..2], &[0]].concat()));
    assert_eq!(plain[3..7], crc32(&[&plain[..3], &[0]].concat()), "so a reader must know how much it asked for");
}

/// From here on a real EV1 speaks: "DESFire EV1 Communication Examples", the debug output of the project RFDoorLock.
#[test]
fn desfire_ev1_communication_examples_session_keys() {
    let check = |rnd_a: &str, rnd_b: &str, expected: &str| {
        assert_eq!(session_key(&block(rnd_a), &block(rnd_b)).bytes(), &block(expected));
    };
    check("F44B26F5686F3A391CD38EBD10772281", "C05DDD714FD788A6B7B754F3C4D066E8", "F44B26F5C05DDD7110772281C4D066E8");
    check("40E7D27174CBA675E8EFBAB99C530E3D", "626FFBD45CAF334ACCA45599304F5B17", "40E7D271626FFBD49C530E3D304F5B17");
}

#[test]
fn desfire_ev1_communication_examples_change_the_sessions_own_key() {
    let mut card = session_of("C2A1E47B27104712FE6D00A71177A19B");
    let body = unhex("00 2945E3760E60F4A4046BB8A505B31CF5 59A3A2E05213BC82942CA6AB5DBCECF5");
    let clear = unhex("00 10182028303840485058606870788088 10");
    assert_eq!(card.open(0xC4, &shape(CommMode::Full, 1, 17), &body), Ok(clear));
}

#[test]
fn desfire_ev1_communication_examples_change_another_key() {
    let mut card = session_of("C2A1E47BD8100044FE6D00A74D7AB17C");
    let body = unhex("01 E7ECCB6BD1CA64BC161A12B1C024F714 30337408C8A87EACAB7A1FF18951FCA3");
    let mode = Shape { mode: CommMode::Full, header_len: 1, data_len: 21, trailer_len: 4 };
    let clear = unhex("01 00102030405060708090A0B0B0A09080 10 BFE37919");
    assert_eq!(card.open(0xC4, &mode, &body), Ok(clear));
    assert_eq!(card.seal(CommMode::Mac, &[]), unhex("2128D3CD9C9ACFFF"));
    assert_eq!(card.iv, block("2128D3CD9C9ACFFFF6EB9546ADF35E17"), "the whole CMAC goes on");
}
