//! The published conversations of AN12343, and what a channel must refuse.

use super::*;
use crate::hex::{array, bytes};
use proptest::prelude::*;

fn channel(enc: &str, mac: &str, transaction_id: &str, counter: u16) -> Ev2Channel {
    let session = SessionKeys {
        enc: AesKey::new(array(enc)),
        mac: AesKey::new(array(mac)),
        transaction_id: array(transaction_id),
    };
    Ev2Channel { counter, ..Ev2Channel::new(session) }
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
    assert!(channel.open(CommMode::Mac, &bytes("0820F68898C2A7F1")).unwrap().is_empty());
    let header = bytes("00000000300000");
    let asked = channel.seal(CommMode::Mac, 0xAD, &header, &[]).unwrap();
    assert_eq!(asked, [header, bytes("0D9BE191D5960834")].concat());
    let reply = [file_content(), bytes("A49A44222D926666")].concat();
    assert_eq!(*channel.open(CommMode::Mac, &reply).unwrap(), file_content());
}

#[test]
fn an12343_tables_25_and_26_full_mode() {
    let mut channel = some_channel();
    assert_eq!(channel.initial_vector(IV_COMMAND, 0), array("871747AF36D72164A418BBFECCECD911"));
    let header = bytes("00000000190000");
    let written = channel.seal(CommMode::Full, 0x8D, &header, &[0x22; 25]).unwrap();
    let cipher = bytes("D7446FBC912580C0A65E738D28B609E43ADBB8FB2B4CA68744D1BBEBB37EBD32");
    assert_eq!(written, [header, cipher, bytes("700ADF7BB9F62A6C")].concat());
    assert!(channel.open(CommMode::Full, &bytes("B9A534A7A73EE0DD")).unwrap().is_empty());
    let asked = channel.seal(CommMode::Full, 0xAD, &bytes("00000000300000"), &[]).unwrap();
    assert_eq!(asked[7..], bytes("7CF94F122B3DB05F"));
    let reply = bytes(
        "8848D0F9B9FD4495770C89925B2A85C7274D350FA9029C484D43804886662DC4 \
         2D7F40A6D7A415E4A71EFF79EB8E5721AC3BF1CAAFE8EB2CAA2DC162E67A97A3 8ED7888F22B3A587",
    );
    assert_eq!(*channel.open(CommMode::Full, &reply).unwrap(), file_content());
}

#[test]
fn an12343_pages_15_to_17_get_card_uid() {
    let mut channel = channel("C1D7BD9F60034D8432F9AF3403D573D0", "FD9E26C9766F07C1D07106C0F8F3671F", "569D4B24", 0);
    assert_eq!(channel.seal(CommMode::Full, 0x51, &[], &[]).unwrap(), bytes("5CA9EF7C912A391B"));
    let uid = channel.open(CommMode::Full, &bytes("CDFFBF6D34231DA2789DA9D3AB15D560 CE75E39EDBE94C2F")).unwrap();
    assert_eq!(*uid, bytes("04DE5F1EACC040"));
}

#[test]
fn an12343_pages_83_and_84_create_transaction_mac_file() {
    let channel = channel("CFD5F757E422144FE831842694AF69AF", "390F25170E00278C62B718F3025FCA59", "B350F7C9", 1);
    assert_eq!(channel.initial_vector(IV_COMMAND, 1), array("303DC814A2C7366D298C50DC8F90BB36"));
    let key_and_version = bytes("F7D23E0C44AFADE542BFDF2DC5C6AE02 00");
    let sent = channel.seal(CommMode::Full, 0xCE, &bytes("0F00101F02"), &key_and_version).unwrap();
    let cipher = bytes("E64CF1262C6B798B95C950FD7353EA8764B1F4F4C69C4068F513715C486E18B3");
    assert_eq!(sent, [bytes("0F00101F02"), cipher, bytes("B3BE705D3E1FB8DC")].concat());
}

#[test]
fn an12343_table_40_change_key_0() {
    let channel = channel("E156C8522F7C8DC82B0C99BA847DE723", "45D50C1570000D2F173DF949288E3CAD", "94297F4D", 0);
    assert_eq!(channel.initial_vector(IV_COMMAND, 0), array("BF4A2FB89311ED58E9DCBE56FC17794C"));
    let key_and_version = bytes("01234567890123456789012345678901 00");
    let sent = channel.seal(CommMode::Full, 0xC4, &[0], &key_and_version).unwrap();
    let cipher = bytes("BF5400DC97A1FBD65BE870716D6F11F8161BB4CA472856DB94AB94B2EC1A13E6");
    assert_eq!(sent, [vec![0], cipher, bytes("27CE07CF56C11091")].concat());
}

#[test]
fn plain_mode_protects_nothing_but_counts() {
    let mut channel = some_channel();
    assert_eq!(channel.seal(CommMode::Plain, 0x6C, &[2], &[]).unwrap(), [2]);
    assert_eq!(*channel.open(CommMode::Plain, &[1, 2, 3, 4]).unwrap(), [1, 2, 3, 4]);
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
    let mut channel = Ev2Channel { counter: u16::MAX, ..some_channel() };
    assert_eq!(channel.seal(CommMode::Plain, 0x6C, &[], &[]), Err(ChannelError::CounterExhausted));
    assert_eq!(channel.open(CommMode::Plain, &[]).map(|_| ()), Err(ChannelError::CounterExhausted));
}

/// A reply as a card would protect it, written from the rule rather than with `seal`.
fn card_reply(channel: &Ev2Channel, data: &[u8]) -> Vec<u8> {
    let counter = channel.counter + 1;
    let mut body = padded(data);
    channel.enc.cbc_encrypt(&channel.initial_vector(IV_REPLY, counter), &mut body);
    let mac = channel.truncated_mac(STATUS_OK, counter, &body);
    [body, mac.to_vec()].concat()
}

proptest! {
    #[test]
    fn a_full_reply_reads_back(data in proptest::collection::vec(any::<u8>(), 1..100), counter in 0..1000_u16) {
        let mut channel = Ev2Channel { counter, ..some_channel() };
        let reply = card_reply(&channel, &data);
        prop_assert_eq!(&*channel.open(CommMode::Full, &reply).unwrap(), &data);
    }

    #[test]
    fn a_reply_with_any_bit_changed_is_refused_and_closes_the_channel(
        data in proptest::collection::vec(any::<u8>(), 1..60), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let mut channel = some_channel();
        let mut reply = card_reply(&channel, &data);
        let at = at.index(reply.len());
        reply[at] ^= 1 << bit;
        prop_assert_eq!(channel.open(CommMode::Full, &reply).map(|_| ()), Err(ChannelError::WrongMac));
        prop_assert_eq!(channel.seal(CommMode::Mac, 0xC7, &[1], &[]), Err(ChannelError::Closed));
    }

    #[test]
    fn a_reply_of_another_place_in_the_conversation_is_refused(drift in 1..50_u16) {
        let mut channel = some_channel();
        let later = Ev2Channel { counter: drift, ..some_channel() };
        let reply = card_reply(&later, b"1234");
        prop_assert_eq!(channel.open(CommMode::Full, &reply).map(|_| ()), Err(ChannelError::WrongMac));
    }

    #[test]
    fn a_reply_cut_short_is_refused(keep in 0..24_usize) {
        let mut channel = some_channel();
        let reply = card_reply(&channel, b"1234");
        prop_assert!(channel.open(CommMode::Full, &reply[..keep]).is_err());
    }
}
