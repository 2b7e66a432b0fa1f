//! Published conversations, replayed as whole APDUs through `Desfire`. Each test is named by its source.

use super::script::{Script, hex};
use super::settings::{Access, AccessRights};
use super::{Desfire, command};
use crate::error::CardError;
use keys::SessionKeys;
use keys::{AesKey, Channel, ChannelError, CommMode, KeyChange, KeyError, KeyOnCard, KeyRole, OneKey, Session};

fn key(text: &str) -> AesKey {
    AesKey::new(hex(text).try_into().unwrap())
}

/// A card in the EV2 session of a published example, `counter` commands into it.
fn card(enc: &str, mac: &str, transaction_id: &str, counter: u16, lines: &[(&str, &str)]) -> Desfire<Script> {
    let transaction_id = hex(transaction_id).try_into().unwrap();
    let mut channel = Channel::new(Session::Ev2(SessionKeys { enc: key(enc), mac: key(mac), transaction_id })).unwrap();
    for _ in 0..counter {
        channel.seal(CommMode::Plain, command::GET_VALUE, &[], &[]).unwrap();
        channel.open(CommMode::Plain, &[], None).unwrap();
    }
    let mut card = Desfire::new(Script::of(lines));
    card.channel = Some(channel);
    card.selected = [0x01, 0x00, 0x00];
    card
}

#[test]
fn an12343_table_16_authenticate_ev2_first_then_a_channel() {
    let rnd_a = hex("B04D0787C93EE0CC8CACC8E86F16C6FE");
    let entropy = Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        buffer.copy_from_slice(&rnd_a);
        Ok(())
    });
    let mut keys = OneKey::new(KeyRole::Master, AesKey::new([0; 16]), entropy);
    let mut card = Desfire::new(Script::of(&[
        ("90 71 0000 02 00 00 00", "24677DDBD46349E623798FD729006E79 91AF"),
        (
            "90 AF 0000 20 3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD 00",
            "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759 9100",
        ),
    ]));
    let key = KeyOnCard { role: KeyRole::Master, aid: [1, 0, 0], number: 0, uid: None };
    assert_eq!(card.authenticate(&key, &mut keys), Ok(0));
    assert!(card.is_authenticated() && card.is_ev2());
}

#[test]
fn an12343_pages_15_to_17_get_card_uid() {
    let mut card = card(
        "C1D7BD9F60034D8432F9AF3403D573D0",
        "FD9E26C9766F07C1D07106C0F8F3671F",
        "569D4B24",
        0,
        &[("90 51 0000 08 5CA9EF7C912A391B 00", "CDFFBF6D34231DA2789DA9D3AB15D560 CE75E39EDBE94C2F 9100")],
    );
    assert_eq!(card.card_uid().unwrap().bytes(), hex("04DE5F1EACC040"));
}

/// The note prints the command only, so the reply here has no MAC, and is refused for that.
#[test]
fn an12343_pages_83_to_84_create_transaction_mac_file() {
    let mut card = card(
        "CFD5F757E422144FE831842694AF69AF",
        "390F25170E00278C62B718F3025FCA59",
        "B350F7C9",
        1,
        &[(
            "90 CE 0000 2D 0F00101F02 E64CF1262C6B798B95C950FD7353EA8764B1F4F4C69C4068F513715C486E18B3 \
             B3BE705D3E1FB8DC 00",
            "9100",
        )],
    );
    let (master, never) = (Access::Key(0), Access::Never);
    let rights = AccessRights { read: Access::Key(1), write: never, read_write: Access::Key(1), change: master };
    let created = card.create_transaction_mac_file(0x0F, rights, &key("F7D23E0C44AFADE542BFDF2DC5C6AE02"), 0);
    assert_eq!(created, Err(CardError::Channel(ChannelError::Truncated)));
}

#[test]
fn an12343_table_40_change_key_of_the_sessions_own_key() {
    let mut card = card(
        "E156C8522F7C8DC82B0C99BA847DE723",
        "45D50C1570000D2F173DF949288E3CAD",
        "94297F4D",
        0,
        &[(
            "90 C4 0000 29 00 BF5400DC97A1FBD65BE870716D6F11F8161BB4CA472856DB94AB94B2EC1A13E6 27CE07CF56C11091 00",
            "9100",
        )],
    );
    let change = KeyChange { new: key("01234567890123456789012345678901"), version: 0, old: None };
    assert_eq!(card.change_key(0, &change), Ok(()));
    assert!(!card.is_authenticated(), "the session ended with its key");
}

#[test]
fn an12343_tables_25_and_26_write_and_read_data_in_comm_mode_full() {
    let mut card = card(
        "FFBCFE1F41840A09C9A88D0A4B10DF05",
        "37E7234B11BEBEFDE41A8F290090EF80",
        "CD73D8E5",
        0,
        &[
            (
                "90 8D 0000 2F 00000000190000 D7446FBC912580C0A65E738D28B609E43ADBB8FB2B4CA68744D1BBEBB37EBD32 \
                 700ADF7BB9F62A6C 00",
                "B9A534A7A73EE0DD 9100",
            ),
            (
                "90 AD 0000 0F 00000000300000 7CF94F122B3DB05F 00",
                "8848D0F9B9FD4495770C89925B2A85C7274D350FA9029C484D43804886662DC42D7F40A6D7A415E4A71EFF79EB8E5721\
                 AC3BF1CAAFE8EB2CAA2DC162E67A97A3 8ED7888F22B3A587 9100",
            ),
        ],
    );
    card.write_data(0, &[0x22; 25]).unwrap();
    let expected = [[0x22; 25].as_slice(), &[0; 23]].concat();
    assert_eq!(*card.read_data(0, 48).unwrap(), expected);
}
