//! Whatever is sent to it, the card answers; and without a key nothing on it changes.

use super::card_with;
use super::issuing::KINDS;
use super::reader::{AID, CHIP, MASTER, READ, Reader, frame};
use crate::memory::CommMode;
use proptest::prelude::*;
use serde_json::json;

/// Every command the chips know.
const KNOWN: [u8; 41] = [
    0xAA, 0x71, 0x77, 0x5A, 0xAF, 0x60, 0x6A, 0x6F, 0xF5, 0x45, 0x64, 0x51, 0xBD, 0xAD, 0x3D, 0x8D, 0x6C, 0x0C, 0xDC,
    0x1C, 0xBB, 0xAB, 0x3B, 0x8B, 0xDB, 0xBA, 0xEB, 0xC7, 0xA7, 0xC8, 0xCA, 0xDA, 0xCD, 0xCB, 0xCC, 0xC1, 0xC0, 0xCE,
    0xDF, 0x5F, 0xC4,
];

/// Parameters that are often meant: a file that is there, small numbers.
fn parameters() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0_u8..17, 1 => any::<u8>()];
    proptest::collection::vec(byte, 0..60)
}

fn ins() -> impl Strategy<Value = u8> {
    let more = prop_oneof![Just(0x54), Just(0x5C), Just(0xFC), any::<u8>()];
    prop_oneof![6 => proptest::sample::select(KNOWN.to_vec()), 1 => more]
}

proptest! {
    #[test]
    fn bytes_of_any_kind_get_an_answer(apdus in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..40), 1..30,
    )) {
        for (chip, _) in KINDS {
            let mut card = card_with(|value| value["chip"] = json!(chip));
            for apdu in &apdus {
                prop_assert!(card.transmit(apdu).len() >= 2);
            }
        }
    }

    #[test]
    fn without_a_key_nothing_changes(commands in proptest::collection::vec((ins(), parameters()), 1..40)) {
        for (chip, _) in KINDS {
            let mut card = card_with(|value| {
                value["chip"] = json!(chip);
                value["keys"]["card"]["picc"] = json!("C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0");
            });
            let memory = card.memory().clone();
            for aid in [CHIP, AID] {
                frame(&mut card, 0x5A, &aid);
                for (ins, parameters) in &commands {
                    frame(&mut card, *ins, parameters);
                }
            }
            prop_assert!(*card.memory() == memory);
        }
    }

    #[test]
    fn whoever_has_a_key_gets_an_answer_to_anything(
        commands in proptest::collection::vec((ins(), parameters(), 0_usize..60, 0_usize..3), 1..20),
        key in prop_oneof![Just(MASTER), Just(READ)],
    ) {
        for (chip, scheme) in KINDS {
            let mut card = card_with(|value| value["chip"] = json!(chip));
            for (ins, parameters, header, mode) in &commands {
                card.field_off();
                let Ok(mut reader) = Reader::at(&mut card, AID, scheme, key, &super::reader::key_of(key)) else { break };
                let (header, data) = parameters.split_at((*header).min(parameters.len()));
                let mode = [CommMode::Plain, CommMode::Mac, CommMode::Full][*mode];
                reader.say(mode, *ins, header, data);
            }
            prop_assert_eq!(&card.transmit(&[0xFF, 0xCA, 0, 0, 0])[7..], &[0x90, 0x00]);
        }
    }
}
