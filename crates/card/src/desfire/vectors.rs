//! Published conversations, replayed as whole APDUs through `Desfire`. Each test is named by its source.

use super::script::{Script, hex};
use super::settings::{Access, AccessRights};
use super::{Desfire, FileKind, NewFile, command};
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

/// Authenticates with key `number`, which has these bytes; RndA is the published one.
fn authenticate(card: &mut Desfire<Script>, number: u8, bytes: &str, rnd_a: &str) {
    let rnd_a = hex(rnd_a);
    let entropy = Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        buffer.copy_from_slice(&rnd_a);
        Ok(())
    });
    let mut keys = OneKey::new(KeyRole::Master, key(bytes), entropy);
    let key = KeyOnCard { role: KeyRole::Master, aid: [1, 0, 0], number, uid: None };
    assert_eq!(card.authenticate(&key, &mut keys), Ok(0));
    card.selected = key.aid;
}

const ZEROS: &str = "00000000000000000000000000000000";

#[test]
fn an12343_table_16_authenticate_ev2_first_then_a_channel() {
    let mut card = Desfire::new(Script::of(&[
        ("90 71 0000 02 00 00 00", "24677DDBD46349E623798FD729006E79 91AF"),
        (
            "90 AF 0000 20 3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD 00",
            "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759 9100",
        ),
    ]));
    authenticate(&mut card, 0, ZEROS, "B04D0787C93EE0CC8CACC8E86F16C6FE");
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

/// From here on a real EV1 speaks: "DESFire EV1 Communication Examples", the debug output of the project RFDoorLock.
#[test]
fn desfire_ev1_communication_examples_authenticate_aes_and_change_its_own_key() {
    let mut card = Desfire::new(Script::of(&[
        // The examples begin with AA; before it an EV1 refuses 71.
        ("90 71 0000 02 00 00 00", "911C"),
        ("90 AA 0000 01 00 00", "B969FDFE56FD91FC9DE6F6F213B8FD1E 91AF"),
        (
            "90 AF 0000 20 36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774 00",
            "800DB680BC146BD121D6578F2D2E2059 9100",
        ),
        ("90 C4 0000 21 00 E9F85E219496C2B58C1090DC3935FAE9E840CF61B383D953194625 6B1F110C10 00", "9100"),
    ]));
    authenticate(&mut card, 0, ZEROS, "F44B26F5686F3A391CD38EBD10772281");
    assert!(!card.is_ev2());
    let change = KeyChange { new: key("00102030405060708090A0B0B0A09080"), version: 0x10, old: None };
    assert_eq!(card.change_key(0, &change), Ok(()));
}

#[test]
fn desfire_ev1_communication_examples_change_another_key() {
    let mut card = Desfire::new(Script::of(&[(
        "90 C4 0000 21 01 E7ECCB6BD1CA64BC161A12B1C024F71430337408C8A87EACAB7A1FF18951FCA3 00",
        "2128D3CD9C9ACFFF 9100",
    )]));
    card.channel = Some(Channel::new(Session::Ev1(key("C2A1E47BD8100044FE6D00A74D7AB17C"))).unwrap());
    card.selected = [0x16, 0xAE, 0x00];
    let change = KeyChange { new: key("00102030405060708090A0B0B0A09080"), version: 0x10, old: Some(key(ZEROS)) };
    assert_eq!(card.change_key(1, &change), Ok(()));
    assert!(card.is_authenticated(), "the session goes on");
}

#[test]
fn desfire_ev1_communication_examples_a_file_is_made_written_read_and_deleted() {
    let counted = |from: u8, to: u8| (from..to).map(|byte| format!("{byte:02X}")).collect::<String>();
    let write = [
        format!("90 3D 0000 3B 05000000340000 {} 00", counted(0, 0x34)),
        format!("90 3D 0000 23 05340000 1C0000 {} 00", counted(0x34, 0x50)),
    ];
    let read = [
        format!("{} 4C65F1F842262BAC 9100", counted(0, 0x30)),
        format!("{} F02205CF913C03C9 9100", counted(0x30, 0x50)),
    ];
    let mut card = Desfire::new(Script::of(&[
        ("90 71 0000 02 01 00 00", "911C"),
        ("90 AA 0000 01 01 00", "B351CB2465D4F33AC627FD6E87A168F2 91AF"),
        (
            "90 AF 0000 20 044B6CAC343A08658951496 49CA8DDE1F5AC4EC67BD208900AF02F049E05F0B0 00",
            "A2EE144B1012FBEB7B2F11132D95A454 9100",
        ),
        ("90 CD 0000 07 05 00 1100 500000 00", "A75316AD1596B953 9100"),
        ("90 6F 0000 00", "05 2D5FF67FFEC9D2D3 9100"),
        ("90 F5 0000 01 05 00", "00 00 1100 500000 2AAC7517024E09DC 9100"),
        (&write[0], "765C9DAA50ECB62F 9100"),
        (&write[1], "3E0AED986B8B0F37 9100"),
        ("90 BD 0000 07 05000000300000 00", &read[0]),
        ("90 BD 0000 07 05300000200000 00", &read[1]),
        ("90 DF 0000 01 05 00", "1BEF0D32B6D1D7F9 9100"),
    ]));
    authenticate(&mut card, 1, "10182028303840485058606870788088", "40E7D27174CBA675E8EFBAB99C530E3D");
    let (one, zero) = (Access::Key(1), Access::Key(0));
    let rights = AccessRights { read: zero, write: zero, read_write: one, change: one };
    card.create_file(5, CommMode::Plain, rights, &NewFile::Standard { size: 80 }).unwrap();
    assert_eq!(card.file_ids().unwrap(), [5]);
    let settings = card.file_settings(5).unwrap();
    assert_eq!((settings.rights, settings.kind), (rights, FileKind::Standard { size: 80 }));
    let data: Vec<u8> = (0..0x50).collect();
    let plain = CommMode::Plain;
    for (from, to) in [(0, 0x34), (0x34, 0x50)] {
        let header = super::files::header(command::WRITE_DATA, 5, u32::try_from(from).unwrap(), to - from).unwrap();
        card.secure_write(plain, command::WRITE_DATA, &header, &data[from..to]).unwrap();
    }
    for (from, to) in [(0, 0x30), (0x30, 0x50)] {
        let header = super::files::header(command::READ_DATA, 5, u32::try_from(from).unwrap(), to - from).unwrap();
        assert_eq!(*card.secure_read(plain, command::READ_DATA, &header, to - from).unwrap(), data[from..to]);
    }
    card.delete_file(5).unwrap();
}
