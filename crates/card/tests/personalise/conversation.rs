//! What is said to a card while it is made, and to one that is none of ours.

use crate::chips::{CHIPS, Connection, Tray, blank_keys, city, described, issuer, order};
use card::personalise::{PersonaliseError, Workpiece};
use card::{Apdu, Reply, Transport, TransportError};
use card_simulator::memory::{Chip, Memory};
use card_simulator::{BlankDescription, Key, VirtualCard};
use keys::KeyRole;
use std::cell::RefCell;
use std::rc::Rc;

const COMMIT_READER_ID: u8 = 0xC8;
const COMMIT_TRANSACTION: u8 = 0xC7;
const ADDITIONAL_FRAME: u8 = 0xAF;
/// WriteData and WriteRecord, each with its twin.
const WRITES: [u8; 4] = [0x3D, 0x8D, 0x3B, 0x8B];

/// Notes the instruction byte of every command.
struct Overheard(Connection, Rc<RefCell<Vec<u8>>>);

impl Transport for Overheard {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        self.1.borrow_mut().extend(command.bytes().get(1));
        self.0.transmit(command)
    }

    fn atr(&self) -> &[u8] {
        self.0.atr()
    }
}

#[test]
fn between_a_write_and_its_commit_nothing_else_is_said() {
    for chip in CHIPS {
        let tray = Tray::desfire(chip);
        let heard: Rc<RefCell<Vec<u8>>> = Rc::default();
        let piece = Workpiece::look(Overheard(tray.connect(), Rc::clone(&heard)), &city(), &mut issuer(1)).unwrap();
        piece.finish(&order(), &mut issuer(1), &blank_keys(), &mut |_| {}).unwrap();
        let heard = heard.borrow();
        let commits: Vec<usize> = (0..heard.len()).filter(|&at| heard[at] == COMMIT_TRANSACTION).collect();
        assert_eq!(commits.len(), 3, "{chip:?}: two first records and the wishes");
        for commit in commits {
            let belongs = |ins: &&u8| !matches!(**ins, COMMIT_READER_ID | ADDITIONAL_FRAME);
            let before = heard[..commit].iter().rev().find(belongs).unwrap();
            assert!(WRITES.contains(before), "{chip:?}: {before:02X} before the commit at {commit}");
        }
    }
}

/// Lays this memory on the reader as a card.
fn laid(memory: Memory) -> Tray {
    Tray(Rc::new(RefCell::new(VirtualCard::new(memory, city()).seeded(7).into())))
}

#[test]
fn an_application_under_our_aid_that_hides_its_files_is_left_alone() {
    let foreign = |chip, own_chip: bool| {
        let blank = BlankDescription { uid: crate::chips::UID, chip, layout: city() };
        let mut memory = if own_chip { described(chip) } else { VirtualCard::blank(&blank).memory().clone() };
        memory.applications = described(chip).applications;
        memory.applications[0].key_settings = 0x09;
        for held in &mut memory.applications[0].keys {
            held.key = Key::new([0x99; 16]);
        }
        memory
    };
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        for own_chip in [false, true] {
            let tray = laid(foreign(chip, own_chip));
            let before = tray.memory();
            let refused = tray.make(&order()).unwrap_err();
            assert_eq!(refused, PersonaliseError::KeyUnknown(KeyRole::Master), "{chip:?}");
            assert!(tray.memory() == before, "{chip:?}: nothing was written");
        }
    }
}
