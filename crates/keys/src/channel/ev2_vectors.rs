//! The published conversations of AN12343, and what an EV2 channel must refuse.

use super::ev2::{IV_COMMAND, padded, unpadded_length};
use super::{Channel, ChannelError, CommMode, Ev2Channel, KeyChange};
use crate::aes_key::AesKey;
use crate::ev2::SessionKeys;
use crate::hex::{array, bytes};
use crate::holder::Session;

fn channel(enc: &str, mac: &str, transaction_id: &str, counter: u16) -> Ev2Channel {
    let session = SessionKeys {
        enc: AesKey::new(array(enc)),
        mac: AesKey::new(array(mac)),
        transaction_id: array(transaction_id),
    };
    Ev2Channel::new(session).at(counter)
}

fn some_channel() -> Ev2Channel {
    channel("FFBCFE1F41840A09C9A88D0A4B10DF05", "37E7234B11BEBEFDE41A8F290090EF80", "CD73D8E5", 0)
}

fn file_content() -> Vec<u8> {
    [vec![0x22; 25], vec![0; 23]].concat()
}

#[test]
fn an12343_tables_23_and_24_mac_mode() {
    let mut channel = channel("00000000000000000000000000000000", "9366FA195EB566F5BD2BAD4020B83002", "E2D3AF69", 0);
    let header = bytes("00000000190000");
    let written = channel.seal(CommMode::Mac, 0x8D, &header, &[0x22; 25]).unwrap();
    assert_eq!(written, [header, vec![0x22; 25], bytes("68F2C28C575A1628")].concat());
    assert!(channel.open(CommMode::Mac, &bytes("0820F68898C2A7F1"), None).unwrap().is_empty());
    let header = bytes("00000000300000");
    let asked = channel.seal(CommMode::Mac, 0xAD, &header, &[]).unwrap();
    assert_eq!(asked, [header, bytes("0D9BE191D5960834")].concat());
    let reply = [file_content(), bytes("A49A44222D926666")].concat();
    assert_eq!(*channel.open(CommMode::Mac, &reply, None).unwrap(), file_content());
}

#[test]
fn an12343_tables_25_and_26_full_mode() {
    let mut channel = some_channel();
    assert_eq!(channel.initial_vector(IV_COMMAND, 0), array("871747AF36D72164A418BBFECCECD911"));
    let header = bytes("00000000190000");
    let written = channel.seal(CommMode::Full, 0x8D, &header, &[0x22; 25]).unwrap();
    let cipher = bytes("D7446FBC912580C0A65E738D28B609E43ADBB8FB2B4CA68744D1BBEBB37EBD32");
    assert_eq!(written, [header, cipher, bytes("700ADF7BB9F62A6C")].concat());
    assert!(channel.open(CommMode::Full, &bytes("B9A534A7A73EE0DD"), None).unwrap().is_empty());
    let asked = channel.seal(CommMode::Full, 0xAD, &bytes("00000000300000"), &[]).unwrap();
    assert_eq!(asked[7..], bytes("7CF94F122B3DB05F"));
    let reply = bytes(
        "8848D0F9B9FD4495770C89925B2A85C7274D350FA9029C484D43804886662DC4 \
         2D7F40A6D7A415E4A71EFF79EB8E5721AC3BF1CAAFE8EB2CAA2DC162E67A97A3 8ED7888F22B3A587",
    );
    assert_eq!(*channel.open(CommMode::Full, &reply, None).unwrap(), file_content());
}

#[test]
fn an12343_pages_15_to_17_get_card_uid() {
    let mut channel = channel("C1D7BD9F60034D8432F9AF3403D573D0", "FD9E26C9766F07C1D07106C0F8F3671F", "569D4B24", 0);
    assert_eq!(channel.seal(CommMode::Full, 0x51, &[], &[]).unwrap(), bytes("5CA9EF7C912A391B"));
    let uid = channel.open(CommMode::Full, &bytes("CDFFBF6D34231DA2789DA9D3AB15D560 CE75E39EDBE94C2F"), None).unwrap();
    assert_eq!(*uid, bytes("04DE5F1EACC040"));
}

#[test]
fn an12343_pages_83_and_84_create_transaction_mac_file() {
    let mut channel = channel("CFD5F757E422144FE831842694AF69AF", "390F25170E00278C62B718F3025FCA59", "B350F7C9", 1);
    assert_eq!(channel.initial_vector(IV_COMMAND, 1), array("303DC814A2C7366D298C50DC8F90BB36"));
    let key_and_version = bytes("F7D23E0C44AFADE542BFDF2DC5C6AE02 00");
    let sent = channel.seal(CommMode::Full, 0xCE, &bytes("0F00101F02"), &key_and_version).unwrap();
    let cipher = bytes("E64CF1262C6B798B95C950FD7353EA8764B1F4F4C69C4068F513715C486E18B3");
    assert_eq!(sent, [bytes("0F00101F02"), cipher, bytes("B3BE705D3E1FB8DC")].concat());
}

#[test]
fn an12343_table_40_change_key_0() {
    let mut channel = channel("E156C8522F7C8DC82B0C99BA847DE723", "45D50C1570000D2F173DF949288E3CAD", "94297F4D", 0);
    assert_eq!(channel.initial_vector(IV_COMMAND, 0), array("BF4A2FB89311ED58E9DCBE56FC17794C"));
    let change = KeyChange { new: AesKey::new(array("01234567890123456789012345678901")), version: 0, old: None };
    let sent = channel.seal_change_key(0, &change).unwrap();
    let cipher = bytes("BF5400DC97A1FBD65BE870716D6F11F8161BB4CA472856DB94AB94B2EC1A13E6");
    assert_eq!(sent, [vec![0], cipher, bytes("27CE07CF56C11091")].concat());
    assert!(channel.open(CommMode::Full, &[], None).unwrap().is_empty(), "the card's reply is bare");
    assert_eq!(channel.seal(CommMode::Mac, 0x64, &[0], &[]), Err(ChannelError::Closed));
}

#[test]
fn an12343_table_39_another_key_is_sent_as_a_difference_with_the_crc_of_the_new_one() {
    let new = array("01234567890123456789012345678901");
    let change = KeyChange { new: AesKey::new(new), version: 5, old: Some(AesKey::new([0xFF; 16])) };
    let inverted = bytes("FEDCBA9876FEDCBA9876FEDCBA9876FE");
    assert_eq!(*change.ev2_plain(), [inverted, vec![5], bytes("A0A60868")].concat());
    let mut sealed = some_channel();
    let sent = sealed.seal_change_key(2, &change).unwrap();
    assert_eq!(sent, some_channel().seal(CommMode::Full, 0xC4, &[2], &change.ev2_plain()).unwrap());
    assert!(sealed.open(CommMode::Full, &[], None).is_err(), "this reply carries a MAC");
}

#[test]
fn plain_mode_protects_nothing_but_counts() {
    let mut channel = some_channel();
    assert_eq!(channel.seal(CommMode::Plain, 0x6C, &[2], &[]).unwrap(), [2]);
    assert_eq!(*channel.open(CommMode::Plain, &[1, 2, 3, 4], Some(4)).unwrap(), [1, 2, 3, 4]);
    assert_eq!(channel.command_counter(), 1);
}

#[test]
fn an_aligned_message_gets_a_whole_block_of_padding() {
    assert_eq!(padded(&[1; 16]).len(), 32);
    assert_eq!(unpadded_length(&padded(&[1; 16])), Some(16));
    assert_eq!(unpadded_length(&[0; 16]), None);
    assert_eq!(unpadded_length(&[&[0x80][..], &[0; 31]].concat()), None, "the marker lies within the last block");
}

#[test]
fn the_counter_never_wraps() {
    let mut channel = some_channel().at(u16::MAX);
    assert_eq!(channel.seal(CommMode::Plain, 0x6C, &[], &[]), Err(ChannelError::CounterExhausted));
    assert_eq!(channel.open(CommMode::Plain, &[], None).map(|_| ()), Err(ChannelError::Closed));
}

fn renewed() -> Session {
    Session::Ev2Renewed { enc: AesKey::new([1; 16]), mac: AesKey::new([2; 16]) }
}

#[test]
fn a_renewed_channel_keeps_transaction_id_and_counter() {
    let mut channel = Channel::Ev2(some_channel());
    channel.seal(CommMode::Plain, 0x6C, &[2], &[]).unwrap();
    channel.open(CommMode::Plain, &[0; 4], None).unwrap();
    channel.renew(renewed()).unwrap();
    let keys = SessionKeys { enc: AesKey::new([1; 16]), mac: AesKey::new([2; 16]), transaction_id: array("CD73D8E5") };
    let expected = Ev2Channel::new(keys).at(1).seal(CommMode::Full, 0x0C, &[2], &[5, 0, 0, 0]).unwrap();
    assert_eq!(channel.seal(CommMode::Full, 0x0C, &[2], &[5, 0, 0, 0]).unwrap(), expected);
}

#[test]
fn only_an_open_channel_whose_turn_it_is_is_renewed() {
    let mut awaiting = Channel::Ev2(some_channel());
    awaiting.seal(CommMode::Plain, 0x6C, &[2], &[]).unwrap();
    assert_eq!(awaiting.renew(renewed()), Err(ChannelError::Unrenewable));
    let mut closed = Channel::Ev2(some_channel());
    closed.close();
    assert_eq!(closed.renew(renewed()), Err(ChannelError::Closed));
    let mut other = Channel::Ev2(some_channel());
    assert_eq!(other.renew(Session::Ev1(AesKey::new([0; 16]))), Err(ChannelError::Unrenewable));
    assert_eq!(other.seal(CommMode::Plain, 0x6C, &[2], &[]), Err(ChannelError::Closed));
    assert_eq!(Channel::new(renewed()).map(|_| ()).unwrap_err(), ChannelError::Unrenewable);
}

#[test]
fn nothing_of_a_channel_is_shown() {
    let shown = format!("{:?}", Channel::Ev2(some_channel()));
    assert!(!shown.contains("CD") && !shown.contains("205"), "{shown}");
}
