//! What no sequence of commands can do.

use super::*;
use crate::ReaderKind;
use proptest::collection::vec;
use proptest::prelude::*;

fn reader() -> impl Strategy<Value = ReaderKind> {
    prop_oneof![Just(ReaderKind::Acs), Just(ReaderKind::Omnikey), Just(ReaderKind::Feitian), Just(ReaderKind::Portable)]
}

/// Commands of which many are nearly right: the instructions readers know, the purse's blocks, and any body.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(0xB0_u8),
        Just(0xB1),
        Just(0xD4),
        Just(0xD6),
        Just(0xD7),
        Just(0xD8),
        Just(0x82),
        Just(0x86),
        Just(0x88),
        any::<u8>()
    ];
    let body = prop_oneof![vec(any::<u8>(), 0..20), vec(any::<u8>(), 4).prop_map(|value| [&[4][..], &value].concat())];
    let counting = (0_u8..4, vec(any::<u8>(), 4)).prop_map(|(operation, value)| [&[5, operation][..], &value].concat());
    (known, 0_u8..16, prop_oneof![body, counting])
        .prop_map(|(ins, block, body)| [&[0xFF, ins, 0, block][..], &body].concat())
}

proptest! {
    #[test]
    fn every_command_is_answered_with_a_status(
        kind in reader(),
        commands in vec(prop_oneof![command(), vec(any::<u8>(), 0..40)], 1..30),
    ) {
        let mut card = card().on(kind);
        open(&mut card, MAIN, ClassicKeyKind::B);
        for command in commands {
            prop_assert!(card.transmit(&command).len() >= 2, "{command:02X?}");
        }
    }

    #[test]
    fn whoever_holds_key_a_only_never_makes_a_purse_richer(kind in reader(), commands in vec(command(), 1..30)) {
        let mut card = card().on(kind);
        let before = card.memory().clone();
        let (main, backup) = (card.main_block().unwrap(), card.backup_block().unwrap());
        for command in commands {
            open(&mut card, MAIN, ClassicKeyKind::A);
            card.transmit(&command);
        }
        prop_assert!(card.main_block().is_some_and(|now| now.value <= main.value));
        prop_assert_eq!(card.backup_block(), Some(backup));
        for block in (0..64).filter(|block| ![MAIN, BACKUP].contains(block)) {
            prop_assert_eq!(card.memory().block(block), before.block(block), "block {}", block);
        }
    }

    #[test]
    fn nothing_is_read_without_a_key(kind in reader(), commands in vec(command(), 1..30)) {
        let mut card = card().on(kind);
        let before = card.memory().clone();
        for command in commands {
            let answer = card.transmit(&command);
            prop_assert!(answer.len() == 2 || command[1] == 0xCA, "{command:02X?}");
        }
        prop_assert_eq!(card.memory(), &before);
    }
}
