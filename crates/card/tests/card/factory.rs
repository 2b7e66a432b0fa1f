//! A chip as its maker delivers it, on each generation: its 2K3DES key becomes an AES key, whenever the card is lifted.

use crate::field::{CHIPS, Connection, Tray, counting, layout};
use card::desfire::PICC;
use card::{CardError, Desfire, Status};
use card_simulator::memory::{CardKey, Chip};
use card_simulator::{BlankDescription, FaultKind, FaultPlan, Key, VirtualCard, When};
use keys::{AesKey, KeyChange, KeyOnCard, KeyRole, OneKey};
use std::cell::RefCell;
use std::rc::Rc;

const UID: [u8; 7] = [0x04, 9, 8, 7, 6, 5, 4];
const NEW: [u8; 16] = [0xB7; 16];
const VERSION: u8 = 3;

fn factory(chip: Chip) -> Tray {
    let card = VirtualCard::factory(&BlankDescription { uid: UID, chip, layout: layout() }).seeded(3);
    Tray(Rc::new(RefCell::new(card)))
}

fn change() -> KeyChange {
    KeyChange { new: AesKey::new(NEW), version: VERSION, old: None }
}

fn replace(tray: &Tray) -> Result<(), CardError> {
    Desfire::new(tray.connect()).replace_factory_key(&change(), counting())
}

fn authenticate(card: &mut Desfire<Connection>, bytes: [u8; 16]) -> Result<(), CardError> {
    card.select_application(PICC)?;
    let key = KeyOnCard { role: KeyRole::Picc, aid: PICC, number: 0, uid: None };
    card.authenticate(&key, &mut OneKey::new(KeyRole::Picc, AesKey::new(bytes), counting())).map(drop)
}

fn is_new(tray: &Tray) -> bool {
    let card = tray.0.borrow();
    let memory = card.memory();
    let is_new = memory.master == CardKey { key: Key::new(NEW), version: VERSION };
    assert_eq!(is_new, !memory.master_is_des, "the one or the other");
    assert!(is_new || memory.master == CardKey::factory());
    is_new
}

#[test]
fn the_factorys_key_becomes_the_citys_and_its_session_is_open() {
    for chip in CHIPS {
        let tray = factory(chip);
        let mut card = Desfire::new(tray.connect());
        assert!(!card.key_settings().unwrap().aes, "{chip:?}");
        card.replace_factory_key(&change(), counting()).unwrap();
        assert_eq!((card.is_authenticated(), card.is_ev2()), (true, chip != Chip::Ev1));
        assert!(card.key_settings().unwrap().aes && is_new(&tray));
        card.create_application([0xD1, 0xD2, 0xD3], 0x0B, 3).unwrap();
        assert_eq!(card.application_ids().unwrap(), [[0xD1, 0xD2, 0xD3]]);
        let mut again = Desfire::new(tray.connect());
        authenticate(&mut again, NEW).unwrap();
        assert_eq!(again.key_version(0).unwrap(), VERSION);
    }
}

#[test]
fn an_aes_key_of_zeros_does_not_open_it_and_the_chip_is_not_harmed_by_the_attempt() {
    for chip in CHIPS {
        let tray = factory(chip);
        let mut card = Desfire::new(tray.connect());
        let refused = authenticate(&mut card, [0; 16]);
        assert_eq!(refused, Err(CardError::AuthenticationFailed(KeyRole::Picc)), "{chip:?}");
        card.replace_factory_key(&change(), counting()).unwrap();
    }
}

#[test]
fn a_chip_that_has_an_aes_key_is_left_as_it_is() {
    for chip in CHIPS {
        let card = VirtualCard::blank(&BlankDescription { uid: UID, chip, layout: layout() }).seeded(3);
        let tray = Tray(Rc::new(RefCell::new(card)));
        assert_eq!(replace(&tray), Err(CardError::AuthenticationFailed(KeyRole::Picc)), "{chip:?}");
        assert!(tray.0.borrow().memory().master == CardKey::factory());
        authenticate(&mut Desfire::new(tray.connect()), [0; 16]).unwrap();
    }
}

#[test]
fn a_chip_whose_des_key_is_another_is_left_as_it_is() {
    let tray = factory(Chip::Ev2);
    let mut memory = tray.0.borrow().memory().clone();
    memory.master.key = Key::new([0x5A; 16]);
    let tray = Tray(Rc::new(RefCell::new(VirtualCard::new(memory.clone(), layout()).seeded(3))));
    assert_eq!(replace(&tray), Err(CardError::AuthenticationFailed(KeyRole::Picc)));
    assert!(*tray.0.borrow().memory() == memory);
}

#[test]
fn torn_at_any_exchange_it_has_the_one_key_or_the_other_and_the_next_attempt_ends_it() {
    for chip in CHIPS {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
            let (mut exchange, mut kept) = (0, 0);
            loop {
                exchange += 1;
                let tray = factory(chip);
                tray.0.borrow_mut().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
                match replace(&tray) {
                    Ok(()) => break,
                    Err(error) => assert!(matches!(error, CardError::Transport(_)), "{kind:?} at {exchange}: {error}"),
                }
                tray.0.borrow_mut().set_faults(FaultPlan::none());
                kept += u32::from(!is_new(&tray));
                let mut card = Desfire::new(tray.connect());
                if authenticate(&mut card, NEW).is_err() {
                    card.replace_factory_key(&change(), counting()).unwrap();
                }
                assert!(is_new(&tray), "{chip:?} {kind:?} at {exchange}");
            }
            // Select, 1A, its answer, ChangeKey: only a tear after the last has changed anything.
            assert_eq!(kept, if kind == FaultKind::TearBefore { 4 } else { 3 }, "{chip:?} {kind:?}");
            assert!(exchange > 6, "{chip:?}: it was over after {exchange} exchanges");
        }
    }
}

#[test]
fn a_bit_that_is_turned_over_on_its_way_leaves_the_one_key_or_the_other() {
    for bit in 0..8 * 31 {
        let tray = factory(Chip::Ev3);
        tray.0.borrow_mut().set_faults(FaultPlan::once(When::Ins(0xC4), FaultKind::FlipCommandBit(bit)));
        let done = replace(&tray);
        assert_eq!(done.is_ok(), is_new(&tray), "{bit}: {done:?}");
    }
    let tray = factory(Chip::Ev3);
    // The first byte of what is enciphered.
    tray.0.borrow_mut().set_faults(FaultPlan::once(When::Ins(0xC4), FaultKind::FlipCommandBit(8 * 6)));
    assert_eq!(replace(&tray), Err(CardError::Refused { command: 0xC4, status: Status::IntegrityError }));
}
