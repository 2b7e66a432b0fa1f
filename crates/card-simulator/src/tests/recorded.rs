//! Whole published conversations, replayed to the whole chip. Its random numbers are the published ones, so that every
//! answer must be the same to the bit. A real EV1 speaks in "DESFire EV1 Communication Examples", the debug output of
//! the project RFDoorLock, and newer chips must answer like it. AN12196 has the EV2 channel of NTAG 424 DNA, which is
//! DESFire's.

use super::issuing::blank;
use crate::bytes::unhex;
use crate::memory::{Access, Application, CardKey, Chip, CommMode, Contents, File, Rights};
use crate::{Key, VirtualCard};
use std::collections::BTreeMap;

const ZEROS: &str = "00000000000000000000000000000000";
const FIRST: &str = "00102030405060708090A0B0B0A09080";
const SECOND: &str = "10182028303840485058606870788088";

fn key(text: &str) -> Key {
    Key::new(unhex(text).try_into().unwrap())
}

/// The application 00AE16 of the examples, in which everybody may create files, selected.
fn card<const N: usize>(chip: Chip, keys: [&str; N], drawn: &str) -> VirtualCard {
    card_with_files(chip, keys, BTreeMap::new(), drawn)
}

fn card_with_files<const N: usize>(chip: Chip, keys: [&str; N], files: BTreeMap<u8, File>, drawn: &str) -> VirtualCard {
    let mut drawn = unhex(drawn).into_iter();
    let mut card = blank(chip).with_entropy(Box::new(move |bytes| bytes.fill_with(|| drawn.next().unwrap())));
    let keys = keys.map(|text| CardKey { key: key(text), version: 0 }).to_vec();
    let mut memory = card.memory().clone();
    memory.applications.push(Application { aid: [0x16, 0xAE, 0x00], key_settings: 0x0F, keys, files });
    card.picc.install_memory(memory).unwrap();
    says(&mut card, "5A", "16AE00", "00");
    card
}

/// One frame, of which the status comes first as in the examples.
fn says(card: &mut VirtualCard, ins: &str, data: &str, answer: &str) {
    let (ins, data) = (unhex(ins)[0], unhex(data));
    let (mut expected, status) = (unhex(answer), unhex(answer)[0]);
    expected.rotate_left(1);
    expected.pop();
    assert_eq!(super::reader::frame(card, ins, &data), (expected, status), "{ins:02X}");
}

#[test]
fn desfire_ev1_communication_examples_authenticate_aes_and_change_its_own_key() {
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let mut card = card(chip, [ZEROS, ZEROS], "C05DDD714FD788A6B7B754F3C4D066E8");
        says(&mut card, "AA", "00", "AF B969FDFE56FD91FC9DE6F6F213B8FD1E");
        let answer = "36AAD7DF6E436BA08D18613830A70D5A D43E3D3F4A8D47541EEE623A934E4774";
        says(&mut card, "AF", answer, "00 800DB680BC146BD121D6578F2D2E2059");
        let message = "00 E9F85E219496C2B58C1090DC3935FAE9 E840CF61B383D9531946256B1F110C10";
        says(&mut card, "C4", message, "00");
        assert_eq!(card.memory().applications[0].keys[0], CardKey { key: key(FIRST), version: 0x10 });
    }
}

#[test]
fn desfire_ev1_communication_examples_a_file_is_made_written_read_and_deleted() {
    let data: String = (0..0x50).map(|byte| format!("{byte:02X}")).collect();
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let mut card = card(chip, [ZEROS, SECOND], "626FFBD45CAF334ACCA45599304F5B17");
        says(&mut card, "AA", "01", "AF B351CB2465D4F33AC627FD6E87A168F2");
        let answer = "044B6CAC343A0865895149649CA8DDE1 F5AC4EC67BD208900AF02F049E05F0B0";
        says(&mut card, "AF", answer, "00 A2EE144B1012FBEB7B2F11132D95A454");
        says(&mut card, "CD", "05 00 1100 500000", "00 A75316AD1596B953");
        says(&mut card, "6F", "", "00 05 2D5FF67FFEC9D2D3");
        says(&mut card, "F5", "05", "00 00 00 1100 500000 2AAC7517024E09DC");
        says(&mut card, "3D", &format!("05 000000 340000 {}", &data[..0x68]), "00 765C9DAA50ECB62F");
        says(&mut card, "3D", &format!("05 340000 1C0000 {}", &data[0x68..]), "00 3E0AED986B8B0F37");
        says(&mut card, "BD", "05 000000 300000", &format!("00 {} 4C65F1F842262BAC", &data[..0x60]));
        says(&mut card, "BD", "05 300000 200000", &format!("00 {} F02205CF913C03C9", &data[0x60..]));
        says(&mut card, "DF", "05", "00 1BEF0D32B6D1D7F9");
    }
}

/// A standard file that one key writes.
fn standard(comm: CommMode, writer: u8, len: usize) -> File {
    let rights = Rights {
        read: Access::Free,
        write: Access::Key(writer),
        read_write: Access::Key(writer),
        change: Access::Never,
    };
    File { comm, rights, contents: Contents::Standard { data: vec![0; len] } }
}

/// Rev. 2.0, 5.10 to 5.16: the tables are one session.
#[test]
fn an12196_tables_19_to_26_first_and_further_authentication_writes_and_changes_of_keys() {
    let files = BTreeMap::from([(1, standard(CommMode::Plain, 0, 32)), (3, standard(CommMode::Full, 3, 128))]);
    let drawn = "91517975190DCEA6104948EFA3085C1B 7614281A 6924E8D09722659A2E7DEC68E66312B8";
    let mut card = card_with_files(Chip::Ev2, [ZEROS; 5], files, drawn);
    says(&mut card, "71", "0300", "AF B875CEB0E66A6C5CD00898DC371F92D1");
    let answer = "FF0306E47DFBC50087C4D8A78E88E62D E1E8BE457AA477C707E2F0874916A8B1";
    says(&mut card, "AF", answer, "00 0CC9A8094A8EEA683ECAAC5C7BF20584 206D0608D477110FC6B3D5D3F65C3A6A");
    let write = "03 000000 0A0000 6B5E6804909962FC4E3FF5522CF0F843 6C0C53315B9C73AA";
    says(&mut card, "8D", write, "00 C26D236E4A7C046D");
    says(&mut card, "77", "00", "AF A6A2B3C572D06C097BB8DB70463E22DC");
    let answer = "BE7D45753F2CAB85F34BC60CE58B9407 63FE969658A532DF6D95EA2773F6E991";
    says(&mut card, "AF", answer, "00 B888349C24B315EAB5B589E279C8263E");
    says(&mut card, "8D", "01 0E0000 120000 FF0506E10500808283000000000000000000", "00");
    let key_2 = "02 2CF362B7BF4311FF3BE1DAA295E8C68D E09050560D19B9E16C2393AE9CD1FAC7 5D0CE20BCD1D06E6";
    says(&mut card, "C4", key_2, "00 203BB55D1089D587");
    let key_0 = "00 C0EB4DEEFEDDF0B513A03A95A7549181 8580503190D4D05053FF75668A01D6FD A6610234BDED6432";
    says(&mut card, "C4", key_0, "00");
    let keys = &card.memory().applications[0].keys;
    assert_eq!(keys[2], CardKey { key: key("F3847D627727ED3BC9C4CC050489B966"), version: 1 });
    assert_eq!(keys[0], CardKey { key: key("5004BF991F408672B1EF00F08F9E8647"), version: 1 });
    let Contents::Standard { data } = &card.memory().applications[0].files[&3].contents else { panic!() };
    assert_eq!(data[..10], unhex("0102030405060708090A"));
}
