//! Both secure channels, whatever is said in them: what was written is read, and what was changed on its way is not
//! believed.

use super::issuing::{KINDS, blank};
use super::reader::{AID, Reader, SCHEMES, Scheme};
use crate::memory::{Access, Application, CardKey, Chip, CommMode, Contents, File, Rights};
use crate::{Key, Status, VirtualCard};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SIZE: usize = 300;
const MODES: [CommMode; 3] = [CommMode::Plain, CommMode::Mac, CommMode::Full];

/// What fits a short APDU in one frame, protected.
const TWIN_MAX: usize = 220;

fn key(number: u8) -> Key {
    Key::new([0x60 + number; 16])
}

/// Three standard files, one of each mode, all rights under key 1.
fn card(chip: Chip) -> VirtualCard {
    let one = Access::Key(1);
    let rights = Rights { read: one, write: one, read_write: one, change: one };
    let file = |comm| File { comm, rights, contents: Contents::Standard { data: vec![0; SIZE] } };
    let files: BTreeMap<u8, File> = (0..).zip(MODES.map(file)).collect();
    let keys = (0..3).map(|number| CardKey { key: key(number), version: 0 }).collect();
    let mut card = blank(chip);
    let mut memory = card.memory().clone();
    memory.applications.push(Application { aid: AID, key_settings: 0x1B, keys, files });
    card.picc.install_memory(memory).unwrap();
    card
}

#[derive(Debug, Clone)]
enum Step {
    Write { file: u8, offset: usize, data: Vec<u8>, twin: bool },
    Read { file: u8, offset: usize, length: usize, twin: bool },
    Settings(u8),
    Version,
    Uid,
    Key { new: u8, version: u8 },
    Authenticate(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let part = (0_u8..3, 0..SIZE, 1..SIZE, any::<bool>());
    let bytes = proptest::collection::vec(any::<u8>(), SIZE);
    prop_oneof![
        4 => (part.clone(), bytes).prop_map(|((file, offset, length, twin), bytes)| {
            let length = length.min(SIZE - offset);
            Step::Write { file, offset, data: bytes[..length].to_vec(), twin: twin && length <= TWIN_MAX }
        }),
        4 => part.prop_map(|(file, offset, length, twin)| {
            let length = length.min(SIZE - offset);
            Step::Read { file, offset, length, twin: twin && length <= TWIN_MAX }
        }),
        1 => (0_u8..3).prop_map(Step::Settings),
        1 => Just(Step::Version),
        1 => Just(Step::Uid),
        1 => any::<(u8, u8)>().prop_map(|(new, version)| Step::Key { new, version }),
        1 => prop_oneof![Just(0x71), Just(0x77)].prop_map(Step::Authenticate),
    ]
}

fn header(file: u8, offset: usize, length: usize) -> [u8; 7] {
    let [a, b, c] = crate::bytes::u24_bytes(offset);
    let [x, y, z] = crate::bytes::u24_bytes(length);
    [file, a, b, c, x, y, z]
}

/// What must be on the card.
struct Model {
    files: [Vec<u8>; 3],
    second: (Key, u8),
}

impl Model {
    fn make(&mut self, reader: &mut Reader<'_>, step: &Step, twins: bool) {
        match step {
            Step::Write { file, offset, data, twin } => {
                let ins = if *twin && twins { 0x8D } else { 0x3D };
                let mode = MODES[usize::from(*file)];
                assert_eq!(reader.send_whole(mode, ins, &header(*file, *offset, data.len()), data), Ok(vec![]));
                self.files[usize::from(*file)][*offset..offset + data.len()].copy_from_slice(data);
            }
            Step::Read { file, offset, length, twin } => {
                let ins = if *twin && twins { 0xAD } else { 0xBD };
                let mode = MODES[usize::from(*file)];
                let expected = self.files[usize::from(*file)][*offset..offset + length].to_vec();
                assert_eq!(reader.send_whole(mode, ins, &header(*file, *offset, *length), &[]), Ok(expected));
            }
            Step::Settings(file) => {
                let mode = MODES[usize::from(*file)].byte();
                assert_eq!(reader.mac(0xF5, &[*file]), Ok(vec![0, mode, 0x11, 0x11, 0x2C, 0x01, 0]));
            }
            Step::Version => assert_eq!(reader.mac(0x60, &[]).unwrap().len(), 28),
            Step::Uid => assert_eq!(reader.full(0x51, &[], &[]), Ok(reader.card.uid().to_vec())),
            Step::Key { new, version } => {
                let new = Key::new([*new; 16]);
                assert_eq!(reader.change_key(2, &new, *version, Some(&self.second.0)), Ok(()));
                self.second = (new, *version);
                assert_eq!(reader.mac(0x64, &[2]), Ok(vec![*version]));
            }
            Step::Authenticate(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_was_written_is_read_in_every_mode_and_channel(steps in proptest::collection::vec(step(), 1..30)) {
        for (chip, scheme) in KINDS {
            let mut card = card(chip);
            let mut model = Model { files: [(); 3].map(|()| vec![0; SIZE]), second: (key(2), 0) };
            let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
            for step in &steps {
                match (step, scheme) {
                    (Step::Authenticate(ins), Scheme::Ev2) => reader.authenticate_with(*ins, 1, &key(1)).unwrap(),
                    (Step::Authenticate(_), Scheme::Aes) => reader.authenticate_with(0xAA, 1, &key(1)).unwrap(),
                    _ => model.make(&mut reader, step, chip != Chip::Ev1),
                }
            }
        }
    }

    #[test]
    fn a_write_with_one_wrong_bit_is_refused_and_ends_the_session(
        bit in 0_usize..4_000, length in 1_usize..SIZE, mode in prop_oneof![Just(CommMode::Mac), Just(CommMode::Full)],
    ) {
        for (chip, scheme) in KINDS {
            let mut card = card(chip);
            let before = card.memory().clone();
            let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
            let header = header(if mode == CommMode::Mac { 1 } else { 2 }, 0, length);
            let status = reader.bent(bit, mode, 0x3D, &header, &vec![0xA5; length]);
            prop_assert!(!matches!(status, 0x00 | 0xFF), "{scheme:?}: {status:02X}");
            prop_assert!(*reader.card.memory() == before);
        }
    }

    #[test]
    fn an_answer_with_one_wrong_bit_is_noticed(
        bit in 0_usize..4_000, length in 1_usize..SIZE, mode in prop_oneof![Just(CommMode::Mac), Just(CommMode::Full)],
    ) {
        for (chip, scheme) in KINDS {
            let mut card = card(chip);
            let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
            let header = header(if mode == CommMode::Mac { 1 } else { 2 }, 0, length);
            prop_assert_eq!(reader.misheard(bit, mode, 0xBD, &header), None);
        }
    }

    #[test]
    fn a_command_sent_again_is_refused(length in 1_usize..SIZE) {
        for (chip, scheme) in KINDS {
            for (file, mode) in [(1, CommMode::Mac), (2, CommMode::Full)] {
                let mut card = card(chip);
                let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
                let status = reader.repeated(mode, 0x3D, &header(file, 0, length), &vec![7; length]);
                prop_assert_eq!(status, Status::Integrity.byte());
            }
        }
    }
}

#[test]
fn even_a_plain_answer_has_a_mac_in_the_older_channel() {
    let mut card = card(Chip::Ev1);
    let mut reader = Reader::at(&mut card, AID, Scheme::Aes, 1, &key(1)).unwrap();
    assert_eq!(reader.misheard(3, CommMode::Plain, 0xBD, &header(0, 0, 20)), None);
}

#[test]
fn a_twin_answers_what_one_short_apdu_can_carry_and_no_more() {
    let check = |scheme, length, fits: bool| {
        let mut card = card(Chip::Ev3);
        let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
        let answer = reader.one_frame(0xAD, &header(2, 0, length), &[]);
        let expected = if fits { Ok(vec![0; length]) } else { Err(Status::Length.byte()) };
        assert_eq!(answer, expected, "{scheme:?}, {length} bytes");
    };
    check(Scheme::Ev2, 239, true);
    check(Scheme::Ev2, 240, false);
    check(Scheme::Aes, 252, true);
    check(Scheme::Aes, 253, false);
}

#[test]
fn a_long_message_comes_in_frames_in_both_directions() {
    for scheme in SCHEMES {
        let mut card = card(Chip::Ev3);
        let mut reader = Reader::at(&mut card, AID, scheme, 1, &key(1)).unwrap();
        let data: Vec<u8> = (0..=255).cycle().take(SIZE).collect();
        assert_eq!(reader.full(0x3D, &header(2, 0, SIZE), &data), Ok(vec![]));
        assert_eq!(reader.full(0xBD, &header(2, 0, 0), &[]), Ok(data), "length 0 is all");
    }
}
