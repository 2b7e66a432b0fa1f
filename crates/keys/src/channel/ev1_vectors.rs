//! Conversations with real EV1 cards, as Elmü published them ("DESFire EV1 Communication Examples"), replayed byte for
//! byte: the initial vector runs through every message.

use super::{Channel, ChannelError, CommMode, Ev1Channel, KeyChange};
use crate::aes_key::AesKey;
use crate::hex::{array, bytes};
use crate::holder::Session;

fn channel(session_key: &str) -> Channel {
    Channel::new(Session::Ev1(AesKey::new(array(session_key)))).unwrap()
}

fn iv(channel: &Channel) -> [u8; 16] {
    let Channel::Ev1(channel) = channel else { panic!("not EV1") };
    channel.iv()
}

fn change(new: &str, version: u8, old: Option<&str>) -> KeyChange {
    KeyChange { new: AesKey::new(array(new)), version, old: old.map(|old| AesKey::new(array(old))) }
}

const ZERO: &str = "00000000000000000000000000000000";
const KEY_1: &str = "00102030405060708090A0B0B0A09080";
const KEY_2: &str = "10182028303840485058606870788088";

/// A plain command: `command ‖ header`, the CMAC that is not sent, the card's reply, the CMAC that is sent cut.
fn check_plain(channel: &mut Channel, sent: &str, cmac_sent: &str, reply: &str, cmac_received: &str) {
    let sent = bytes(sent);
    let (command, header) = sent.split_first().unwrap();
    assert_eq!(channel.seal(CommMode::Plain, *command, header, &[]).unwrap(), header, "nothing is appended");
    assert_eq!(iv(channel), array(cmac_sent), "after {command:02X}");
    let reply = bytes(reply);
    let plain = channel.open(CommMode::Plain, &reply, Some(reply.len() - 8)).unwrap();
    assert_eq!(*plain, reply[..reply.len() - 8]);
    assert_eq!(iv(channel), array(cmac_received), "after the reply to {command:02X}");
}

#[test]
fn elmue_ev1_change_of_the_sessions_own_key() {
    let mut channel = channel("F44B26F5C05DDD7110772281C4D066E8");
    let sent = channel.seal_change_key(0, &change(KEY_1, 0x10, None)).unwrap();
    assert_eq!(sent, bytes("00 E9F85E219496C2B58C1090DC3935FAE9 E840CF61B383D9531946256B1F110C10"));
    assert!(channel.open(CommMode::Full, &[], None).unwrap().is_empty(), "the card's reply is bare");
    assert_eq!(channel.seal(CommMode::Plain, 0x64, &[0], &[]), Err(ChannelError::Closed));
}

#[test]
fn after_the_change_of_the_sessions_own_key_a_reply_that_carries_anything_is_refused() {
    for reply in [&[0; 8][..], &[0; 16], &[0]] {
        let mut channel = channel("F44B26F5C05DDD7110772281C4D066E8");
        channel.seal_change_key(0, &change(KEY_1, 0x10, None)).unwrap();
        assert_eq!(channel.open(CommMode::Full, reply, None).map(|_| ()), Err(ChannelError::WrongLength));
        assert_eq!(channel.open(CommMode::Full, &[], None).map(|_| ()), Err(ChannelError::Closed));
    }
}

#[test]
fn elmue_ev1_change_of_the_sessions_own_key_after_another_command() {
    let mut channel = channel("90F7A20191036845EC63DECD544B9931");
    check_plain(
        &mut channel,
        "64 00",
        "257FC538618A944A3A20967B6F314348",
        "10 8A8FA36F55CD210D",
        "8A8FA36F55CD210DD8054658AC70D99A",
    );
    let sent = channel.seal_change_key(0, &change(ZERO, 0, None)).unwrap();
    assert_eq!(sent, bytes("00 635375E4919F8AF2E9E86B1C1BA55B0C 0807EAF484D7A7EF6E0C3084160F5A61"));
}

#[test]
fn elmue_ev1_change_of_another_key_twice() {
    let mut channel = channel("C2A1E47BD8100044FE6D00A74D7AB17C");
    let sent = channel.seal_change_key(1, &change(KEY_1, 0x10, Some(ZERO))).unwrap();
    assert_eq!(sent, bytes("01 E7ECCB6BD1CA64BC161A12B1C024F714 30337408C8A87EACAB7A1FF18951FCA3"));
    assert!(channel.open(CommMode::Full, &bytes("2128D3CD9C9ACFFF"), Some(0)).unwrap().is_empty());
    let sent = channel.seal_change_key(1, &change(KEY_2, 0x10, Some(KEY_1))).unwrap();
    assert_eq!(sent, bytes("01 2841938C40A4BC2C33064482FEADA5F4 3EC535D34255B0286C2352CD173863C7"));
    assert!(channel.open(CommMode::Full, &bytes("CAF3BF0B2836E9DE"), Some(0)).unwrap().is_empty());
    assert_eq!(iv(&channel), array("CAF3BF0B2836E9DE80B1FD6FB45E9380"));
}

#[test]
fn elmue_ev1_a_file_is_made_written_read_and_deleted() {
    let mut channel = channel("40E7D271626FFBD49C530E3D304F5B17");
    let mut say = |sent: &str, cmac_sent: &str, reply: &str, received: &str| {
        check_plain(&mut channel, sent, cmac_sent, reply, received);
    };
    let counting = |from: u8, to: u8| -> String { (from..to).map(|byte| format!("{byte:02X}")).collect() };
    say(
        "CD 05 00 1100 500000",
        "F23B0368578C65AD705C52AFE76261B6",
        "A75316AD1596B953",
        "A75316AD1596B95374EEF55FB7FA00EC",
    );
    say("6F", "F69B3BADA99A58AA2BD736662E32D4B0", "05 2D5FF67FFEC9D2D3", "2D5FF67FFEC9D2D36087211588EAC2D7");
    say(
        "F5 05",
        "6365D3B198DCA84043DF6DF8FE76DFD6",
        "00 00 1100 500000 2AAC7517024E09DC",
        "2AAC7517024E09DC452857D5D56FD213",
    );
    say(
        &format!("3D 05 000000 340000 {}", counting(0, 0x34)),
        "5F7BCA269F97495C64BCFB3DB41449CA",
        "765C9DAA50ECB62F",
        "765C9DAA50ECB62F59BACA81F2EF80F9",
    );
    say(
        &format!("3D 05 340000 1C0000 {}", counting(0x34, 0x50)),
        "EDF32CB90997155F8C0A15BBCA118DA1",
        "3E0AED986B8B0F37",
        "3E0AED986B8B0F37F64D79B911A5A6C9",
    );
    say(
        "BD 05 000000 300000",
        "433303AB3CFFA758BF7EB16FFEC47A70",
        &format!("{} 4C65F1F842262BAC", counting(0, 0x30)),
        "4C65F1F842262BAC65FFBF61CF71FD06",
    );
    say(
        "BD 05 300000 200000",
        "C26BDE4EB965BC3C831C0771C42FD5B9",
        &format!("{} F02205CF913C03C9", counting(0x30, 0x50)),
        "F02205CF913C03C9354C8FF43D1C9E61",
    );
    say("DF 05", "169188F617AE87D4ABEFD4D058361BFD", "1BEF0D32B6D1D7F9", "1BEF0D32B6D1D7F9E6A832320919CE67");
    say("6F", "3406A84E411431A292ED8EF9D83C5ED6", "FC194EA93E3EF8E7", "FC194EA93E3EF8E7A4C1A98215F7A7EF");
}

/// The bytes that a command in MAC mode gains.
fn check_appended(command: u8, appended: usize) {
    let mut channel = Ev1Channel::new(AesKey::new([1; 16]));
    let sent = channel.seal(CommMode::Mac, command, &[2], &[3; 4]).unwrap();
    assert_eq!(sent.len(), 5 + appended, "{command:02X}");
    assert_eq!(sent[5..], channel.iv()[..appended], "the first eight bytes of the CMAC");
}

#[test]
fn in_mac_mode_only_commands_that_write_carry_their_mac() {
    for command in [0x3D, 0x8D, 0x3B, 0x8B, 0xDB, 0xBA, 0x0C, 0xDC, 0x1C, 0xC8] {
        check_appended(command, 8);
    }
    for command in [0xBD, 0xAD, 0xBB, 0xAB, 0x6C, 0xF5, 0x6F, 0xC7, 0xA7, 0xEB, 0x45, 0x64, 0xCA] {
        check_appended(command, 0);
    }
}

/// An enciphered reply made by hand, opened without its length being known.
fn check_end(content: &[u8], padding: &[u8], expected: Option<&[u8]>) {
    let key = [7; 16];
    let crc = crate::crc::crc32(&[content, &[0]]);
    let plain = [content, &crc, padding].concat();
    assert!(plain.len().is_multiple_of(16), "the test's own arithmetic");
    let mut channel = Ev1Channel::new(AesKey::new(key));
    channel.seal(CommMode::Full, 0xBD, &[1, 0, 0, 0, 0, 0, 0], &[]).unwrap();
    let reply = super::card_side::cbc_encrypt(&key, &channel.iv(), &plain);
    let opened = channel.open(CommMode::Full, &reply, None).ok();
    assert_eq!(opened.as_ref().map(|data| data.as_slice()), expected, "{content:02X?} {padding:02X?}");
}

#[test]
fn the_end_of_enciphered_data_is_found_by_its_crc() {
    check_end(&[9; 12], &[], Some(&[9; 12]));
    check_end(&[9; 11], &[0], Some(&[9; 11]));
    check_end(&[9, 0, 0, 0, 0], &[0; 7], Some(&[9, 0, 0, 0, 0]));
    check_end(&[9; 8], &[0x80, 0, 0, 0], Some(&[9; 8]));
    check_end(&[9; 12], &[&[0x80][..], &[0; 15]].concat(), Some(&[9; 12]));
    check_end(&[9; 12], &[0; 16], None);
    check_end(&[9; 8], &[0, 0x80, 0, 0], None);
    check_end(&[9; 8], &[1, 0, 0, 0], None);
}

/// A reply whose CRC begins with 00, found by search.
#[test]
fn a_reply_with_two_possible_ends_is_refused_unless_its_length_is_known() {
    let key = [7; 16];
    let content: [u8; 8] = (0..u16::MAX)
        .map(|number| [[9; 6].as_slice(), &number.to_le_bytes()].concat().try_into().unwrap())
        .find(|content: &[u8; 8]| crate::crc::crc32(&[content, &[0]])[0] == 0)
        .unwrap();
    let plain = [&content[..], &crate::crc::crc32(&[&content, &[0]]), &[0; 4]].concat();
    let open = |expected| {
        let mut channel = Ev1Channel::new(AesKey::new(key));
        channel.seal(CommMode::Full, 0xBD, &[1, 0, 0, 0, 8, 0, 0], &[]).unwrap();
        let reply = super::card_side::cbc_encrypt(&key, &channel.iv(), &plain);
        channel.open(CommMode::Full, &reply, expected).map(|data| data.to_vec())
    };
    assert_eq!(open(None), Err(ChannelError::AmbiguousEnd));
    assert_eq!(open(Some(8)), Ok(content.to_vec()));
}

#[test]
fn a_genuine_reply_whose_padding_is_not_zeros_is_refused() {
    let (key, content) = ([7; 16], [9; 8]);
    let mut channel = Ev1Channel::new(AesKey::new(key));
    channel.seal(CommMode::Full, 0xBD, &[1, 0, 0, 0, 8, 0, 0], &[]).unwrap();
    let plain = [&content[..], &crate::crc::crc32(&[&content, &[0]]), &[0, 0, 0, 1]].concat();
    let reply = super::card_side::cbc_encrypt(&key, &channel.iv(), &plain);
    let refused = channel.open(CommMode::Full, &reply, Some(8)).map(|_| ());
    assert_eq!(refused, Err(ChannelError::WrongPadding));
}

#[test]
fn an_authentication_within_a_session_renews_no_ev1_channel() {
    let mut channel = channel(KEY_1);
    let renewed = Session::Ev2Renewed { enc: AesKey::new([1; 16]), mac: AesKey::new([2; 16]) };
    assert_eq!(channel.renew(renewed), Err(ChannelError::Unrenewable));
    assert_eq!(channel.seal(CommMode::Plain, 0x64, &[0], &[]), Err(ChannelError::Closed));
}
